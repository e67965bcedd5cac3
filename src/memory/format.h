/*
 * One paging mode as data and one step: what an entry is and where it leads. The same step
 * translates and explains. Private to this room.
 */
#ifndef DS_MEMORY_FORMAT_H
#define DS_MEMORY_FORMAT_H

#include "base/bytes.h"
#include "memory/paging.h"
#include "memory/tables.h"

#define DS_PAGE_SIZE 4096u
#define DS_PAGE_MASK ((uint64_t)DS_PAGE_SIZE - 1)
#define DS_MAX_LEVELS 5

enum ds_entry_kind {
    DS_ENTRY_ABSENT,
    DS_ENTRY_TABLE,   /* *next is the table below */
    DS_ENTRY_PAGE,    /* *next is the address of the page, flags and PAT removed */
    DS_ENTRY_RESERVED /* present, and no processor would accept it */
};

/* How far a walk came. */
struct ds_reach {
    enum ds_status status; /* DS_OK: `pa` is va's; DS_NOT_MAPPED: `entry` is not present;
                              DS_CORRUPT: it is reserved; else the table could not be read */
    int level;             /* of the last entry */
    uint64_t entry;
    uint64_t entry_pa; /* where it stands */
    uint64_t pa;
    uint64_t leaf_table; /* the table of PTEs, when the walk came to it; else 0 */
};

struct ds_format {
    const char *name;
    uint8_t levels;
    uint8_t entry_size;
    uint8_t shift[DS_MAX_LEVELS + 1]; /* [level]: lowest bit of va that indexes it */
    uint16_t index_mask[DS_MAX_LEVELS + 1];
    const char *entry_name[DS_MAX_LEVELS + 1];
    uint64_t root_mask; /* bits of a directory base that are the address */
    bool (*canonical)(uint64_t va);
    enum ds_entry_kind (*step)(uint64_t entry, int level, uint64_t *next);
    /* Walks from the table of `level` at `table`; the step is compiled into it. */
    void (*walk)(struct ds_tables *t, uint64_t va, int level, uint64_t table, struct ds_reach *r);
};

extern const struct ds_format ds_format_x86, ds_format_pae, ds_format_x64, ds_format_la57,
    ds_format_arm64;

/* NULL for DS_PAGING_NONE. */
const struct ds_format *ds_format_of(enum ds_paging mode);

/* Physical address of the entry for va in the table of `level`. */
static inline uint64_t ds_format_entry_pa(const struct ds_format *f, uint64_t va, int level,
                                          uint64_t table)
{
    return table + (va >> f->shift[level] & f->index_mask[level]) * f->entry_size;
}

/* The body of every `walk`, to be inlined with constant arguments. */
static inline __attribute__((always_inline)) void
ds_format_walk(const struct ds_format *f, enum ds_entry_kind (*step)(uint64_t, int, uint64_t *),
               struct ds_tables *t, uint64_t va, int level, uint64_t table, struct ds_reach *r)
{
    r->leaf_table = 0;
    for (;; level--) {
        if (level == 1) {
            r->leaf_table = table;
        }
        r->level = level;
        r->entry_pa = ds_format_entry_pa(f, va, level, table);
        r->entry = 0;
        r->status = ds_tables_entry(t, r->entry_pa, f->entry_size, &r->entry);
        if (r->status != DS_OK) {
            return;
        }
        uint64_t next = 0;
        switch (step(r->entry, level, &next)) {
        case DS_ENTRY_ABSENT:
            r->status = DS_NOT_MAPPED;
            return;
        case DS_ENTRY_RESERVED:
            r->status = DS_CORRUPT;
            return;
        case DS_ENTRY_PAGE:
            r->pa = next | (va & (((uint64_t)1 << f->shift[level]) - 1));
            return;
        case DS_ENTRY_TABLE:
            table = next;
            break;
        }
    }
}

#endif
