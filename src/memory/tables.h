/*
 * Page tables read from a dump, the latest kept: walks visit the same upper tables again and
 * again. Private to this room.
 */
#ifndef DS_MEMORY_TABLES_H
#define DS_MEMORY_TABLES_H

#include "base/bytes.h"
#include "dump/dump.h"

#define DS_TABLE_SLOTS 1024u /* a power of two */

struct ds_table_slot {
    uint64_t key;        /* page number + 1; 0 = empty */
    const uint8_t *data; /* 4096 bytes: borrowed from the dump, or `copy` */
    uint8_t *copy;       /* owned; NULL until needed */
};

struct ds_tables {
    struct ds_dump *dump; /* borrowed */
    struct ds_table_slot *slots;
};

enum ds_status ds_tables_init(struct ds_tables *t, struct ds_dump *dump) DS_MUST_CHECK;
void ds_tables_deinit(struct ds_tables *t);

/* The page that holds pa, or NULL (not whole in the dump, or no memory for it). The pointer is
 * good until the next call. */
const uint8_t *ds_tables_page(struct ds_tables *t, uint64_t pa);
/* What ds_tables_entry() does when the page is not kept. */
enum ds_status ds_tables_entry_slow(struct ds_tables *t, uint64_t pa, unsigned size,
                                    uint64_t *entry) DS_MUST_CHECK;

static inline struct ds_table_slot *ds_tables_slot(const struct ds_tables *t, uint64_t page)
{
    return &t->slots[(page * 0x9e3779b97f4a7c15u >> 40) & (DS_TABLE_SLOTS - 1)];
}

/* The entry of 4 or 8 bytes at pa, which is a multiple of its size. */
static inline enum ds_status ds_tables_entry(struct ds_tables *t, uint64_t pa, unsigned size,
                                             uint64_t *entry)
{
    const struct ds_table_slot *slot = ds_tables_slot(t, pa >> 12);
    if (slot->key != (pa >> 12) + 1) {
        return ds_tables_entry_slow(t, pa, size, entry);
    }
    const uint8_t *at = slot->data + (pa & 0xfff);
    *entry = size == 8 ? ds_le64(at) : ds_le32(at);
    return DS_OK;
}

#endif
