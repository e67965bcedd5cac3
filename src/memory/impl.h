/* What the files of this room share. */
#ifndef DS_MEMORY_IMPL_H
#define DS_MEMORY_IMPL_H

#include "memory/format.h"

#define DS_PAGE_SLOTS 16384u /* translations kept; a power of two */
#define DS_WALK_BATCH 32u    /* addresses whose entries are fetched at the same time */

struct ds_cached {
    uint64_t key; /* page number + 1; 0 = empty */
    uint64_t pa;
};

struct ds_space {
    struct ds_dump *dump; /* borrowed */
    enum ds_paging mode;
    const struct ds_format *format; /* NULL on a space of ranges */
    uint64_t root, upper_root;
    unsigned pointer_size;
    struct ds_cached *pages; /* owned; by va >> 12; NULL on a space of ranges */
    bool pages_used;
    struct ds_tables tables;
    struct ds_pte_layout layout;
    struct ds_opt pte_base;
    struct ds_space *prototypes; /* borrowed; NULL = this one */
    bool following; /* a prototype PTE is being looked up: one does not lead to another */
};

enum ds_status ds_fault_set(struct ds_fault *fault, enum ds_status status, uint64_t va);

/* The top table for va. */
static inline uint64_t ds_space_root(const struct ds_space *s, uint64_t va)
{
    return va >> 63 != 0 ? s->upper_root : s->root;
}

/* The kept translation of va's page, or NULL. Only addresses that the mode can translate are ever
 * kept. */
static inline const struct ds_cached *ds_space_kept(const struct ds_space *s, uint64_t va)
{
    const struct ds_cached *page = &s->pages[ds_cache_index(va >> 12, DS_PAGE_SLOTS)];
    return page->key == (va >> 12) + 1 ? page : NULL;
}

/* Remembers that the page of va is at pa. */
static inline void ds_space_keep(struct ds_space *s, uint64_t va, uint64_t pa)
{
    s->pages[ds_cache_index(va >> 12, DS_PAGE_SLOTS)] = (struct ds_cached){(va >> 12) + 1, pa};
    s->pages_used = true;
}

/* How many bytes from va on the entry that ended the explanation answers for: a page table that is
 * paged out takes all that it maps with it, one in transition is gone on with. */
uint64_t ds_explanation_size(const struct ds_space *s, const struct ds_explanation *e, uint64_t va);

/*
 * Walks the tables themselves down to the PTEs, and puts into their shadows where every entry
 * leads. Gives the table of PTEs, or NULL; then *found is the physical address of va's page + 1
 * when it is part of a large one, or 0 where the processor would not get to a page or a table
 * cannot be had whole.
 */
const uint8_t *ds_space_reach(struct ds_space *s, uint64_t va, uint64_t *found);

/* Walks the tables themselves, and takes what the processor refuses for what Windows makes of
 * it. */
enum ds_status ds_space_translate_slow(struct ds_space *s, uint64_t va, uint64_t *pa,
                                       struct ds_fault *fault) DS_MUST_CHECK;

#endif
