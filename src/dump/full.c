/*
 * Complete memory dumps (type 1): the runs of the header's PHYSICAL_MEMORY_DESCRIPTOR, whose
 * pages stand back to back behind the header. Layout: Windows SDK mindumpdef.h; the 32-bit form
 * has 32-bit page numbers.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "dump/impl.h"

#define BLOCK_BYTES 700u /* room of the descriptor in both headers */

struct descriptor {
    uint64_t offset; /* file offset */
    uint64_t stated; /* NumberOfRuns */
    uint64_t runs;   /* of them, those that fit */
    uint64_t pages;  /* NumberOfPages */
    unsigned run_at, run_size;
};

static void note_runs(struct ds_dump *d, enum ds_integrity_level level, const char *check,
                      uint64_t at, const char *expected, uint64_t found, const char *lost)
{
    struct ds_integrity_note *n = ds_dump_note(d, level, check, at);
    ds_integrity_expected(n, "%s", expected);
    ds_integrity_found(n, "0x%llx", (unsigned long long)found);
    ds_integrity_lost(n, "%s", lost);
}

static struct descriptor read_descriptor(const struct ds_dump *d)
{
    bool is64 = d->header.is64;
    struct descriptor x = {
        .offset = is64 ? 0x88 : 0x64, .run_at = is64 ? 16 : 8, .run_size = is64 ? 16 : 8};
    const uint8_t *p = d->raw_header + x.offset;
    x.stated = ds_le32(p);
    x.pages = is64 ? ds_le64(p + 8) : ds_le32(p + 4);
    uint64_t room = (BLOCK_BYTES - x.run_at) / x.run_size;
    x.runs = x.stated < room ? x.stated : room;
    return x;
}

/* One run of the descriptor, in pages. False when its end does not fit in 64 bits of bytes. */
static bool read_run(const struct ds_dump *d, const struct descriptor *x, uint64_t index,
                     uint64_t *base, uint64_t *count)
{
    const uint8_t *p = d->raw_header + x->offset + x->run_at + index * x->run_size;
    *base = x->run_size == 16 ? ds_le64(p) : ds_le32(p);
    *count = x->run_size == 16 ? ds_le64(p + 8) : ds_le32(p + 4);
    const uint64_t limit = UINT64_MAX / DS_PAGE_SIZE;
    return *base < limit && *count <= limit - *base;
}

/* What the runs say of themselves. */
struct run_sums {
    uint64_t pages;      /* of the usable runs */
    uint64_t prev_end;   /* page after the run before */
    uint64_t lost_pages; /* past the end of the file */
    uint64_t lost_pa;    /* the first of them */
    uint64_t need;       /* file bytes that all runs take */
    bool unsorted, overlapping;
};

static enum ds_status add_run(struct ds_dump *d, uint64_t base, uint64_t count, struct run_sums *s)
{
    uint64_t pa = base * DS_PAGE_SIZE, size = count * DS_PAGE_SIZE;
    uint64_t have = ds_dump_captured(d, s->need, size) / DS_PAGE_SIZE * DS_PAGE_SIZE;
    enum ds_status st = ds_extents_add(&d->phys_map, pa, have, s->need, false, DS_LIMIT_RUNS);
    if (st == DS_OK)
        st = ds_extents_add(&d->phys_map, pa + have, size - have, 0, true, DS_LIMIT_RUNS);
    if (have < size) {
        if (s->lost_pages == 0)
            s->lost_pa = pa + have;
        s->lost_pages += (size - have) / DS_PAGE_SIZE;
    }
    d->phys_pages += have / DS_PAGE_SIZE;
    s->pages += count;
    if (ds_add_overflows(s->need, size, &s->need))
        s->need = UINT64_MAX;
    if (s->prev_end != 0 && base < s->prev_end)
        s->unsorted = true;
    s->prev_end = base + count;
    return st;
}

static void check_sums(struct ds_dump *d, const struct descriptor *x, const struct run_sums *s)
{
    if (s->unsorted)
        note_runs(d, DS_INTEGRITY_DAMAGE, "physical.run_order", x->offset + x->run_at,
                  "runs in ascending order that do not overlap", s->prev_end,
                  "where runs overlap the first one is believed; pages may stand under a wrong "
                  "address");
    if (x->stated <= x->runs && s->pages != x->pages) {
        struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_DAMAGE, "physical.page_count",
                                                   x->offset + (d->header.is64 ? 8 : 4));
        ds_integrity_expected(n, "NumberOfPages 0x%llx, as the runs add up",
                              (unsigned long long)s->pages);
        ds_integrity_found(n, "0x%llx", (unsigned long long)x->pages);
        ds_integrity_lost(n, "nothing, if the runs are right: they are used, the total is not");
    }
}

static enum ds_status add_runs(struct ds_dump *d, const struct descriptor *x, struct run_sums *s)
{
    uint64_t empty = 0, first_empty = 0;
    for (uint64_t i = 0; i < x->runs; i++) {
        uint64_t base, count;
        uint64_t at = x->offset + x->run_at + i * x->run_size;
        if (!read_run(d, x, i, &base, &count)) {
            note_runs(d, DS_INTEGRITY_DAMAGE, "physical.run_overflow", at,
                      "a run that ends below 2^64", count,
                      "this run and those after it, whose place in the file is unknown now; the "
                      "runs before it can be trusted");
            return DS_OK;
        }
        if (count == 0) {
            if (empty++ == 0)
                first_empty = at;
            continue;
        }
        enum ds_status st = add_run(d, base, count, s);
        if (st != DS_OK)
            return st;
    }
    if (empty != 0)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "physical.run_empty", first_empty,
                    "nothing: an empty run takes no place in the file", "runs of at least one page",
                    "%llu are empty, the first here", (unsigned long long)empty);
    return DS_OK;
}

void ds_phys_note_short(struct ds_dump *d, uint64_t need, uint64_t lost_pages, uint64_t first_pa)
{
    d->end_known = true; /* all that there is belongs to the dump */
    struct ds_integrity_note *n =
        ds_dump_note(d, DS_INTEGRITY_DAMAGE, "file.truncated", d->file_size);
    ds_integrity_expected(n, "0x%llx bytes", (unsigned long long)need);
    ds_integrity_found(n, "0x%llx bytes", (unsigned long long)d->file_size);
    ds_integrity_lost(n,
                      "%llu page%s, from physical address 0x%llx on; what lies in the file before "
                      "them can be trusted; copy the file again",
                      (unsigned long long)lost_pages, lost_pages == 1 ? "" : "s",
                      (unsigned long long)first_pa);
}

static enum ds_status open_runs(struct ds_dump *d, const struct descriptor *x, struct ds_err *err)
{
    struct run_sums s = {.need = d->header.body_offset};
    if (x->stated > x->runs)
        note_runs(d, DS_INTEGRITY_DAMAGE, "physical.run_count", x->offset,
                  "as many runs as fit in the header", x->stated,
                  "the runs that do not fit; the ones in the header are used as far as the file "
                  "goes");
    enum ds_status st = add_runs(d, x, &s);
    if (st == DS_OK)
        st = ds_extents_build(&d->phys_map);
    if (st != DS_OK)
        return ds_err_set(err, st, "cannot list the memory runs: %s", ds_status_text(st));
    check_sums(d, x, &s);
    if (s.lost_pages != 0)
        ds_phys_note_short(d, s.need, s.lost_pages, s.lost_pa);
    else
        ds_blobs_read(d, s.need, true);
    ds_tail_check_pages(d, d->header.body_offset, s.need);
    return DS_OK;
}

enum ds_status ds_full_open(struct ds_dump *d, struct ds_err *err)
{
    struct descriptor x = read_descriptor(d);
    if (x.stated == DS_FILLER || x.stated == 0 || (x.stated > x.runs && x.stated > 0x10000)) {
        d->kind = DS_DUMP_DAMAGED;
        note_runs(d, DS_INTEGRITY_FATAL, "physical.no_runs", x.offset,
                  "a PhysicalMemoryBlock with its runs", x.stated,
                  "all memory: nothing says which page stands where; the other header fields can "
                  "be trusted");
        return DS_OK;
    }
    d->kind = DS_DUMP_FULL;
    return open_runs(d, &x, err);
}

bool ds_dump_stated_run(const struct ds_dump *d, size_t index, struct ds_phys_run *ret)
{
    uint64_t base, count;
    if (d->guest) /* no header of Windows */
        return false;
    struct descriptor x = read_descriptor(d);
    if (x.stated == DS_FILLER || index >= x.runs)
        return false;
    if (!read_run(d, &x, index, &base, &count)) {
        base = base < UINT64_MAX / DS_PAGE_SIZE ? base : UINT64_MAX / DS_PAGE_SIZE;
        count = UINT64_MAX / DS_PAGE_SIZE - base;
    }
    *ret = (struct ds_phys_run){base * DS_PAGE_SIZE, count * DS_PAGE_SIZE, DS_NO_OFFSET};
    return true;
}
