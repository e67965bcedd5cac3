#include "dump/extents.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum ds_status ds_extents_add(struct ds_extents *e, uint64_t start, uint64_t size,
                              uint64_t file_offset, bool lost, size_t max)
{
    if (size == 0)
        return DS_OK;
    if (e->piece_count >= max)
        return DS_LIMIT;
    void *array = e->pieces;
    bool room = ds_array_reserve(&array, &e->piece_cap, e->piece_count + 1, sizeof(*e->pieces),
                                 max < DS_EXTENT_LOST ? max : DS_EXTENT_LOST - 1);
    e->pieces = array;
    if (!room)
        return DS_NO_MEMORY;
    if (size > UINT64_MAX - start)
        size = UINT64_MAX - start;
    uint32_t order = (uint32_t)e->piece_count;
    e->pieces[e->piece_count] = (struct ds_extent){
        .start = start,
        .size = size,
        .file_offset = file_offset,
        .rank = (e->last_wins ? DS_EXTENT_LOST - 1 - order : order) | (lost ? DS_EXTENT_LOST : 0),
    };
    e->piece_count++;
    e->stale = true;
    return DS_OK;
}

static void merge_sorted(const struct ds_extent *from, struct ds_extent *to, size_t lo, size_t mid,
                         size_t hi)
{
    size_t a = lo, b = mid;
    for (size_t i = lo; i < hi; i++) {
        bool left = a < mid && (b >= hi || from[a].start <= from[b].start);
        to[i] = left ? from[a++] : from[b++];
    }
}

/* Bottom-up merge sort by start: no worst case and no recursion. Returns the sorted array. */
static struct ds_extent *sort_by_start(struct ds_extent *a, struct ds_extent *spare, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = n - lo < width ? n : lo + width;
            size_t hi = n - lo < 2 * width ? n : lo + 2 * width;
            merge_sorted(a, spare, lo, mid, hi);
        }
        struct ds_extent *t = a;
        a = spare;
        spare = t;
    }
    return a;
}

/* A heap of pieces that cover the current address, lowest rank on top; expired ones linger. */
struct heap {
    const struct ds_extent **items;
    size_t count;
};

static void heap_push(struct heap *h, const struct ds_extent *x)
{
    size_t i = h->count++;
    while (i > 0 && h->items[(i - 1) / 2]->rank > x->rank) {
        h->items[i] = h->items[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->items[i] = x;
}

static void heap_pop(struct heap *h)
{
    const struct ds_extent *x = h->items[--h->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->count)
            break;
        if (child + 1 < h->count && h->items[child + 1]->rank < h->items[child]->rank)
            child++;
        if (h->items[child]->rank >= x->rank)
            break;
        h->items[i] = h->items[child];
        i = child;
    }
    h->items[i] = x;
}

static uint64_t extent_end(const struct ds_extent *x)
{
    return x->start + x->size;
}

static void map_append(struct ds_extents *e, const struct ds_extent *from, uint64_t start,
                       uint64_t end)
{
    struct ds_extent *prev = e->map_count ? &e->map[e->map_count - 1] : NULL;
    if (prev != NULL && prev->rank == from->rank && extent_end(prev) == start) {
        prev->size += end - start;
        return;
    }
    e->map[e->map_count++] = (struct ds_extent){
        .start = start,
        .size = end - start,
        .file_offset = from->file_offset + (start - from->start),
        .rank = from->rank,
    };
}

/* Sweeps the sorted pieces once; every step starts or retires a piece, so at most 2n steps. */
static void sweep(struct ds_extents *e, const struct ds_extent *sorted, size_t n, struct heap *h)
{
    size_t next = 0;
    uint64_t at = 0;
    while (next < n || h->count > 0) {
        while (h->count > 0 && extent_end(h->items[0]) <= at)
            heap_pop(h);
        if (h->count == 0) {
            if (next == n)
                break;
            at = sorted[next].start;
        }
        while (next < n && sorted[next].start <= at)
            heap_push(h, &sorted[next++]);
        if (extent_end(h->items[0]) <= at)
            continue;
        uint64_t end = extent_end(h->items[0]);
        if (next < n && sorted[next].start < end)
            end = sorted[next].start;
        map_append(e, h->items[0], at, end);
        at = end;
    }
}

enum ds_status ds_extents_build(struct ds_extents *e)
{
    if (!e->stale)
        return DS_OK;
    size_t n = e->piece_count;
    struct ds_extent *map = malloc(2 * n * sizeof(*map)); /* n is capped by its adders */
    DS_AUTO_FREE struct ds_extent *work = malloc(2 * n * sizeof(*work));
    DS_AUTO_FREE const struct ds_extent **items = malloc(n * sizeof(struct ds_extent *));
    if (map == NULL || work == NULL || items == NULL) {
        free(map);
        return DS_NO_MEMORY;
    }
    memcpy(work, e->pieces, n * sizeof(*work));
    const struct ds_extent *sorted = sort_by_start(work, work + n, n);
    free(e->map);
    e->map = map;
    e->map_count = 0;
    e->last = 0;
    struct heap h = {.items = items};
    sweep(e, sorted, n, &h);
    e->stale = false;
    return DS_OK;
}

const struct ds_extent *ds_extents_find(struct ds_extents *e, uint64_t address)
{
    if (e->last < e->map_count) {
        const struct ds_extent *x = &e->map[e->last];
        if (address >= x->start && address - x->start < x->size)
            return x;
    }
    size_t lo = 0, hi = e->map_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (e->map[mid].start <= address)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == 0)
        return NULL;
    const struct ds_extent *x = &e->map[lo - 1];
    if (address - x->start >= x->size)
        return NULL;
    e->last = lo - 1;
    return x;
}

const struct ds_extent *ds_extents_next(const struct ds_extents *e, uint64_t address)
{
    size_t lo = 0, hi = e->map_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (e->map[mid].start + (e->map[mid].size - 1) < address)
            lo = mid + 1;
        else
            hi = mid;
    }
    while (lo < e->map_count && (e->map[lo].rank & DS_EXTENT_LOST) != 0)
        lo++;
    return lo < e->map_count ? &e->map[lo] : NULL;
}

enum ds_status ds_extents_read(struct ds_extents *e, struct ds_source *src, uint64_t address,
                               void *buf, size_t len, uint64_t *fault)
{
    uint8_t *out = buf;
    size_t done = 0;
    enum ds_status st = ds_extents_build(e);
    while (st == DS_OK && done < len) {
        /* An address that wraps around belongs to no read. */
        uint64_t at = address + done;
        const struct ds_extent *x = at < address ? NULL : ds_extents_find(e, at);
        if (x == NULL) {
            st = DS_NOT_IN_DUMP;
            break;
        }
        if (x->rank & DS_EXTENT_LOST) {
            st = DS_TRUNCATED;
            break;
        }
        uint64_t skip = at - x->start;
        size_t part = len - done;
        if (part > x->size - skip)
            part = (size_t)(x->size - skip);
        st = ds_source_read(src, x->file_offset + skip, out + done, part, NULL);
        if (st == DS_OK)
            done += part;
    }
    if (st != DS_OK && fault != NULL)
        *fault = address + done;
    return st;
}

void ds_extents_deinit(struct ds_extents *e)
{
    free(e->pieces);
    free(e->map);
    *e = (struct ds_extents){0};
}
