/* What the files of this room share. */
#ifndef DS_MEMORY_IMPL_H
#define DS_MEMORY_IMPL_H

#include "memory/format.h"
#include "memory/space.h"

#define DS_PAGE_SLOTS 16384u /* translations kept; a power of two */
#define DS_LEAF_SLOTS 2048u  /* places of PTE tables kept; a power of two */

struct ds_cached {
    uint64_t key; /* page or table number + 1; 0 = empty */
    uint64_t pa;
};

struct ds_space {
    struct ds_dump *dump; /* borrowed */
    enum ds_paging mode;
    const struct ds_format *format; /* NULL on a space of ranges */
    uint64_t root, upper_root;
    unsigned pointer_size;
    struct ds_cached *pages;  /* owned; by va >> 12 */
    struct ds_cached *leaves; /* owned; by the bits of va above the PTE's index */
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

#endif
