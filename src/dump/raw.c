/* Physical memory as it is, from address 0 on: no header, no list of runs. */
#include "base/err.h"
#include "dump/impl.h"

/*
 * A machine keeps addresses below 4 GiB for its devices, and a .vmem file leaves that hole out:
 * where it begins on VMware's machines is told in Volatility's issue 193.
 */
#define HOLE_START UINT64_C(0xc0000000)
#define HOLE_END UINT64_C(0x100000000)

static enum ds_status add_memory(struct ds_dump *d, uint64_t whole, bool hole)
{
    uint64_t low = hole && whole > HOLE_START ? HOLE_START : whole;
    enum ds_status st = ds_extents_add(&d->phys_map, 0, low, 0, false, DS_LIMIT_RUNS);
    if (st == DS_OK && low < whole) {
        st = ds_extents_add(&d->phys_map, HOLE_END, whole - low, low, false, DS_LIMIT_RUNS);
        ds_dump_say(
            d, DS_INTEGRITY_NOTE, "raw.hole", HOLE_START,
            "where memory behind 3 GiB belongs is taken from how VMware's machines are as a "
            "rule; the .vmss or .vmsn file of the same name tells it, and the registers",
            "the saved state beside the memory", "a .vmem file of more than 3 GiB alone");
    }
    return st;
}

enum ds_status ds_raw_open(struct ds_dump *d, bool hole, struct ds_err *err)
{
    uint64_t whole = d->file_size / DS_PAGE_SIZE * DS_PAGE_SIZE;
    if (whole == 0)
        return ds_err_set(err, DS_TRUNCATED, "raw physical memory of %llu bytes: not even one page",
                          (unsigned long long)d->file_size);
    enum ds_status st = add_memory(d, whole, hole);
    if (st == DS_OK)
        st = ds_extents_build(&d->phys_map);
    if (st != DS_OK)
        return ds_err_set(err, st, "cannot list the memory: %s", ds_status_text(st));
    d->kind = DS_DUMP_RAW;
    d->end_known = true; /* every byte is memory */
    d->guest = true;
    d->phys_pages = whole / DS_PAGE_SIZE;
    if (whole != d->file_size) {
        struct ds_integrity_note *n =
            ds_dump_note(d, DS_INTEGRITY_DAMAGE, "file.truncated", d->file_size);
        ds_integrity_expected(n, "a multiple of 4096 bytes");
        ds_integrity_found(n, "0x%llx bytes", (unsigned long long)d->file_size);
        ds_integrity_lost(n, "the last page, and most likely what should follow it; what lies in "
                             "the file before can be trusted; copy the file again");
    }
    return DS_OK;
}
