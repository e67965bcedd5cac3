/*
 * One paging mode as data and one step: what an entry is and where it leads. The same step
 * translates and explains. Private to this room.
 */
#ifndef DS_MEMORY_FORMAT_H
#define DS_MEMORY_FORMAT_H

#include "base/bytes.h"
#include "memory/space.h"
#include "memory/tables.h"

#define DS_PAGE_SIZE 4096u
#define DS_PAGE_MASK ((uint64_t)DS_PAGE_SIZE - 1)

enum ds_entry_kind {
    DS_ENTRY_ABSENT,
    DS_ENTRY_TABLE,   /* *next is the table below */
    DS_ENTRY_PAGE,    /* *next is the address of the page, flags and PAT removed */
    DS_ENTRY_RESERVED /* present, and no processor would accept it */
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
    /* A PTE with all of these bits set is a page, at these bits of it. */
    uint64_t page_bits, page_address;
    /* ds_walk_translate() and ds_walk_batch() with this format compiled into them. */
    enum ds_status (*translate)(struct ds_space *s, uint64_t va, uint64_t *pa,
                                struct ds_fault *fault);
    void (*batch)(struct ds_space *s, const uint64_t *va, size_t count, uint64_t *pa,
                  enum ds_status *status);
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

static inline uint64_t ds_format_load(const struct ds_format *f, uint64_t va, int level,
                                      const uint8_t *table)
{
    size_t index = (size_t)(va >> f->shift[level]) & f->index_mask[level];
    return f->entry_size == 8 ? ds_le64(table + index * 8) : ds_le32(table + index * 4);
}

#endif
