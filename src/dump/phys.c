/* Physical memory, whichever container it comes from. */
#include "dump/impl.h"

bool ds_dump_add_run(struct ds_dump *d, uint64_t pa, uint64_t size, uint64_t file_offset)
{
    struct ds_phys_run *prev = d->run_count ? &d->runs[d->run_count - 1] : NULL;
    if (prev != NULL && prev->pa + prev->size == pa &&
        (file_offset == DS_NO_OFFSET ? prev->file_offset == file_offset
                                     : prev->file_offset + prev->size == file_offset)) {
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
            !ds_dump_add_run(d, x->start, x->size, d->pages ? DS_NO_OFFSET : x->file_offset))
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

/* By way of d->pages, where each page can fail by itself: *fault is exact. */
static enum ds_status read_pages_of(struct ds_dump *d, uint64_t pa, uint8_t *out, size_t len,
                                    uint64_t *fault)
{
    enum ds_status st = ds_extents_read(&d->phys_map, d->pages, pa, out, len, fault);
    if (st == DS_OK || len <= DS_PAGE_SIZE)
        return st;
    for (size_t done = 0; done < len;) {
        size_t part = (size_t)(DS_PAGE_SIZE - (pa + done) % DS_PAGE_SIZE);
        part = part < len - done ? part : len - done;
        st = ds_extents_read(&d->phys_map, d->pages, pa + done, out + done, part, fault);
        if (st != DS_OK)
            return st;
        done += part;
    }
    return DS_OK;
}

enum ds_status ds_dump_read_phys(struct ds_dump *d, uint64_t pa, void *buf, size_t len,
                                 uint64_t *fault_pa)
{
    if (d->has_bitmap)
        return ds_bitmap_read(d, pa, buf, len, fault_pa);
    if (d->pages != NULL)
        return read_pages_of(d, pa, buf, len, fault_pa);
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
    if (x == NULL || (x->rank & DS_EXTENT_LOST) != 0 || d->pages != NULL)
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

/* Whole pages of the first stretches from pa on. Stretches are joined where one page lies in
 * two. */
static bool next_extent(struct ds_dump *d, uint64_t pa, uint64_t *start, uint64_t *size)
{
    uint64_t page = pa;
    const struct ds_extent *x = NULL;
    if (ds_extents_build(&d->phys_map) != DS_OK)
        return false;
    while ((x = ds_extents_next(&d->phys_map, page)) != NULL) {
        page = x->start > page ? x->start : page;
        if (page % DS_PAGE_SIZE != 0)
            page += DS_PAGE_SIZE - page % DS_PAGE_SIZE;
        if (page < pa)
            return false;                        /* past the end of the address space */
        uint64_t end = x->start + (x->size - 1); /* the last byte */
        if (end < page)
            continue;
        const struct ds_extent *after = x + 1, *stop = d->phys_map.map + d->phys_map.map_count;
        for (; after < stop && (after->rank & DS_EXTENT_LOST) == 0 && after->start == end + 1;
             after++)
            end = after->start + (after->size - 1);
        *start = page;
        *size = (end - page + 1) & ~(uint64_t)(DS_PAGE_SIZE - 1);
        if (*size != 0)
            return true;
        page = end + 1;
        if (page == 0)
            return false;
    }
    return false;
}

bool ds_dump_phys_next(struct ds_dump *d, uint64_t pa, uint64_t *start, uint64_t *size)
{
    return d->has_bitmap ? ds_bitmap_next(d, pa, start, size) : next_extent(d, pa, start, size);
}

size_t ds_dump_read_pages(struct ds_dump *d, uint64_t *pa, void *buf, uint64_t *addresses,
                          size_t max, enum ds_status *status)
{
    size_t count = 0;
    uint64_t start, size;
    *status = DS_NOT_FOUND;
    if (d->has_bitmap)
        count = ds_bitmap_pages(d, *pa, buf, addresses, max, status);
    while (!d->has_bitmap && count < max && next_extent(d, *pa, &start, &size)) {
        size_t part =
            size / DS_PAGE_SIZE < max - count ? (size_t)(size / DS_PAGE_SIZE) : max - count;
        *status = ds_dump_read_phys(d, start, (uint8_t *)buf + count * DS_PAGE_SIZE,
                                    part * DS_PAGE_SIZE, NULL);
        if (*status != DS_OK && d->pages != NULL) {
            /* A page that cannot be unpacked does not hide those behind it. */
            part = 1;
            *status = ds_dump_read_phys(d, start, (uint8_t *)buf + count * DS_PAGE_SIZE,
                                        DS_PAGE_SIZE, NULL);
            *pa = start + (DS_PAGE_SIZE - 1);
            if (*status != DS_OK)
                continue;
        }
        if (*status != DS_OK)
            break;
        for (size_t i = 0; i < part; i++)
            addresses[count + i] = start + i * DS_PAGE_SIZE;
        count += part;
        *pa = start + (part * DS_PAGE_SIZE - 1);
    }
    if (count != 0) {
        *status = DS_OK;
        *pa = addresses[count - 1] + (DS_PAGE_SIZE - 1);
    }
    return count;
}

const void *ds_dump_phys_pointer(struct ds_dump *d, uint64_t pa, size_t len)
{
    uint64_t room;
    if (pa % DS_PAGE_SIZE + len > DS_PAGE_SIZE || d->src->ops->pointer == NULL)
        return NULL;
    uint64_t off = offset_of(d, pa, &room);
    return off == DS_NO_OFFSET || len > room ? NULL : ds_source_pointer(d->src, off, len);
}
