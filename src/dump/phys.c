/* Physical memory, whichever container it comes from. */
#include "dump/impl.h"

bool ds_dump_add_run(struct ds_dump *d, uint64_t pa, uint64_t size, uint64_t file_offset)
{
    struct ds_phys_run *prev = d->run_count ? &d->runs[d->run_count - 1] : NULL;
    if (prev != NULL && prev->pa + prev->size == pa &&
        prev->file_offset + prev->size == file_offset) {
        prev->size += size;
        return true;
    }
    void *array = d->runs;
    bool room =
        ds_array_reserve(&array, &d->run_cap, d->run_count + 1, sizeof(*d->runs), DS_LIMIT_RUNS);
    d->runs = array;
    if (!room) {
        struct ds_integrity_note *n =
            ds_dump_note(d, DS_INTEGRITY_NOTE, "physical.run_limit", DS_NO_OFFSET);
        ds_integrity_expected(n, "at most %u runs to list", (unsigned)DS_LIMIT_RUNS);
        ds_integrity_found(n, "more, from physical address 0x%llx on", (unsigned long long)pa);
        ds_integrity_lost(n, "only the list: reading memory is not affected");
        return false;
    }
    d->runs[d->run_count++] = (struct ds_phys_run){pa, size, file_offset};
    return true;
}

static void list_runs(struct ds_dump *d)
{
    if (d->runs_listed)
        return;
    d->runs_listed = true;
    if (d->has_bitmap) {
        ds_bitmap_list_runs(d);
        return;
    }
    for (size_t i = 0; i < d->phys_map.map_count; i++) {
        const struct ds_extent *x = &d->phys_map.map[i];
        if ((x->rank & DS_EXTENT_LOST) == 0 &&
            !ds_dump_add_run(d, x->start, x->size, x->file_offset))
            return;
    }
}

size_t ds_dump_phys_run_count(struct ds_dump *d)
{
    list_runs(d);
    return d->run_count;
}

bool ds_dump_phys_run(struct ds_dump *d, size_t index, struct ds_phys_run *ret)
{
    list_runs(d);
    if (index >= d->run_count)
        return false;
    *ret = d->runs[index];
    return true;
}

uint64_t ds_dump_phys_pages(const struct ds_dump *d)
{
    return d->phys_pages;
}

bool ds_dump_has_physical(const struct ds_dump *d)
{
    return d->has_bitmap || d->phys_map.piece_count != 0;
}

enum ds_status ds_dump_read_phys(struct ds_dump *d, uint64_t pa, void *buf, size_t len,
                                 uint64_t *fault_pa)
{
    if (d->has_bitmap)
        return ds_bitmap_read(d, pa, buf, len, fault_pa);
    return ds_extents_read(&d->phys_map, d->src, pa, buf, len, fault_pa);
}

/* How many bytes from there on, within the page, stand together. */
static uint64_t offset_of(struct ds_dump *d, uint64_t pa, uint64_t *room)
{
    *room = DS_PAGE_SIZE - pa % DS_PAGE_SIZE;
    if (d->has_bitmap)
        return ds_bitmap_offset(d, pa);
    if (ds_extents_build(&d->phys_map) != DS_OK)
        return DS_NO_OFFSET;
    const struct ds_extent *x = ds_extents_find(&d->phys_map, pa);
    if (x == NULL || (x->rank & DS_EXTENT_LOST) != 0)
        return DS_NO_OFFSET;
    if (*room > x->size - (pa - x->start))
        *room = x->size - (pa - x->start);
    return x->file_offset + (pa - x->start);
}

uint64_t ds_dump_phys_offset(struct ds_dump *d, uint64_t pa)
{
    uint64_t room;
    return offset_of(d, pa, &room);
}

const void *ds_dump_phys_pointer(struct ds_dump *d, uint64_t pa, size_t len)
{
    uint64_t room;
    if (pa % DS_PAGE_SIZE + len > DS_PAGE_SIZE || d->src->ops->pointer == NULL)
        return NULL;
    uint64_t off = offset_of(d, pa, &room);
    return off == DS_NO_OFFSET || len > room ? NULL : ds_source_pointer(d->src, off, len);
}
