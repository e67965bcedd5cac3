/* The virtual pieces of a triage dump: published list and the map to read through. */
#include "dump/impl.h"

/* Records besides the data blocks: stack, data page, debugger data, PRCB, process, thread; and
 * what other rooms place later. */
#define EXTRA_RANGES 4096u

enum ds_status ds_dump_virt_range_add(struct ds_dump *d, uint64_t va, uint64_t file_offset,
                                      uint64_t size, const char *origin)
{
    const size_t max = DS_LIMIT_DATA_BLOCKS + EXTRA_RANGES;
    va = ds_dump_va(d, va);
    if (size > UINT64_MAX - va)
        size = UINT64_MAX - va;
    uint64_t have = ds_dump_captured(d, file_offset, size);
    enum ds_status st = ds_extents_add(&d->virt_map, va, have, file_offset, false, max);
    if (st == DS_OK)
        st = ds_extents_add(&d->virt_map, va + have, size - have, 0, true, max);
    if (st != DS_OK || have == 0)
        return st;
    void *array = d->virt;
    bool room = ds_array_reserve(&array, &d->virt_cap, d->virt_count + 1, sizeof(*d->virt), max);
    d->virt = array;
    if (!room)
        return DS_NO_MEMORY;
    d->virt[d->virt_count++] = (struct ds_virt_range){va, have, file_offset, origin};
    return DS_OK;
}

size_t ds_dump_virt_range_count(const struct ds_dump *d)
{
    return d->virt_count;
}

const struct ds_virt_range *ds_dump_virt_range(const struct ds_dump *d, size_t index)
{
    return index < d->virt_count ? &d->virt[index] : NULL;
}

enum ds_status ds_dump_read_virt(struct ds_dump *d, uint64_t va, void *buf, size_t len,
                                 uint64_t *fault_va)
{
    /* 32-bit addresses come sign-extended from 64-bit fields such as those of KDBG. */
    if (!d->header.is64 && va >= 0xffffffff80000000u)
        va &= UINT32_MAX;
    return ds_extents_read(&d->virt_map, d->src, va, buf, len, fault_va);
}
