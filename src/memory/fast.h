/*
 * The walk by shadows (tables.h), to be inlined with a format that is constant: each paging mode
 * has its own. Private to this room.
 */
#ifndef DS_MEMORY_FAST_H
#define DS_MEMORY_FAST_H

#include "memory/impl.h"

#define DS_INLINE static inline __attribute__((always_inline))

/* One table above the PTEs: true to go on at *at, false with *found set when it is a large page,
 * or 0 when the shadows do not know. */
DS_INLINE bool ds_walk_down(const struct ds_format *f, uint64_t va, int level, ds_shadow *at,
                            uint64_t *found)
{
    const ds_shadow *shadow = (const ds_shadow *)(uintptr_t)*at;
    *at = shadow[(va >> f->shift[level]) & f->index_mask[level]];
    if ((*at & 1) == 0) {
        *found = 0;
        return *at != 0;
    }
    uint64_t span = (uint64_t)1 << f->shift[level];
    *found = (*at & ~(span - 1)) | (va & (span - 1) & ~DS_PAGE_MASK) | 1;
    return false;
}

/* To the table of PTEs that answers for va, or NULL with *found as above. */
DS_INLINE const uint8_t *ds_walk_leaf(const struct ds_format *f, const struct ds_space *s,
                                      uint64_t va, uint64_t *found)
{
    ds_shadow at = (uintptr_t)s->tables.top[va >> 63];
    *found = 0;
    if ((f->levels < 5 || ds_walk_down(f, va, 5, &at, found)) &&
        (f->levels < 4 || ds_walk_down(f, va, 4, &at, found)) &&
        (f->levels < 3 || ds_walk_down(f, va, 3, &at, found)) &&
        ds_walk_down(f, va, 2, &at, found)) {
        return (const uint8_t *)(uintptr_t)at;
    }
    return NULL;
}

/* What ds_space_translate() does with a page that is not among the kept translations. */
DS_INLINE enum ds_status ds_walk_translate(const struct ds_format *f, bool (*canonical)(uint64_t),
                                           struct ds_space *s, uint64_t va, uint64_t *pa,
                                           struct ds_fault *fault)
{
    uint64_t found;
    if (!canonical(va)) {
        return ds_space_translate_slow(s, va, pa, fault);
    }
    const uint8_t *leaf = ds_walk_leaf(f, s, va, &found);
    if (leaf != NULL) {
        uint64_t entry = ds_format_load(f, va, 1, leaf);
        found = (entry & f->page_bits) == f->page_bits ? (entry & f->page_address) | 1 : 0;
    }
    if (found == 0) {
        return ds_space_translate_slow(s, va, pa, fault);
    }
    ds_space_keep(s, va, found - 1);
    *pa = (found - 1) | (va & DS_PAGE_MASK);
    return DS_OK;
}

/*
 * Up to DS_WALK_BATCH addresses: first the processor is asked to fetch the PTEs of them all, then
 * they are read.
 */
DS_INLINE void ds_walk_batch(const struct ds_format *f, bool (*canonical)(uint64_t),
                             struct ds_space *s, const uint64_t *va, size_t count, uint64_t *pa,
                             enum ds_status *status)
{
    const uint8_t *leaf[DS_WALK_BATCH];
    unsigned flushes = s->tables.flushes;
    for (size_t i = 0; i < count; i++) {
        uint64_t found = 0;
        const struct ds_cached *page = ds_space_kept(s, va[i]);
        leaf[i] = NULL;
        if (page != NULL) {
            found = page->pa | 1;
        } else if (canonical(va[i])) {
            leaf[i] = ds_walk_leaf(f, s, va[i], &found);
            if (leaf[i] == NULL && found == 0) {
                leaf[i] = ds_space_reach(s, va[i], &found);
            }
        }
        if (leaf[i] != NULL) {
            leaf[i] += ((va[i] >> f->shift[1]) & f->index_mask[1]) * f->entry_size;
            __builtin_prefetch(leaf[i]);
        }
        pa[i] = (found & ~DS_PAGE_MASK) | (va[i] & DS_PAGE_MASK);
        status[i] = found != 0 ? DS_OK : DS_NOT_MAPPED;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t entry = 0;
        if (leaf[i] != NULL && flushes == s->tables.flushes) {
            entry = f->entry_size == 8 ? ds_le64(leaf[i]) : ds_le32(leaf[i]);
        }
        if ((entry & f->page_bits) == f->page_bits) {
            pa[i] = (entry & f->page_address) | (va[i] & DS_PAGE_MASK);
            status[i] = DS_OK;
            ds_space_keep(s, va[i], entry & f->page_address);
        } else if (status[i] != DS_OK) {
            status[i] = ds_space_translate(s, va[i], &pa[i], NULL);
        }
    }
}

/* The two functions of a format. */
#define DS_WALKS(name, format, canonical)                                                          \
    static enum ds_status translate_##name(struct ds_space *s, uint64_t va, uint64_t *pa,          \
                                           struct ds_fault *fault)                                 \
    {                                                                                              \
        return ds_walk_translate(&format, canonical, s, va, pa, fault);                            \
    }                                                                                              \
    static void batch_##name(struct ds_space *s, const uint64_t *va, size_t count, uint64_t *pa,   \
                             enum ds_status *status)                                               \
    {                                                                                              \
        ds_walk_batch(&format, canonical, s, va, count, pa, status);                               \
    }

#endif
