/*
 * Page tables of one space, kept so that a walk costs one load a level. Each table above the
 * PTEs has a shadow: in place of every entry that was walked through, where it leads in our own
 * memory. A shadow belongs to the table and its level, not to addresses, so that there are never
 * more of them than the dump has tables, times levels. The dump does not change: nothing here
 * grows stale. When the memory for it is used up, all is forgotten. Private to this room.
 */
#ifndef DS_MEMORY_TABLES_H
#define DS_MEMORY_TABLES_H

#include "base/bytes.h"
#include "dump/dump.h"

#define DS_MAX_LEVELS 5
#define DS_TABLE_BYTES 4096u
#define DS_TABLE_SLOTS 4096u  /* tables found by their page number; a power of two */
#define DS_SHADOW_SLOTS 8192u /* places for shadows; a power of two */
#define DS_SHADOWS_MAX (DS_SHADOW_SLOTS / 2)
#define DS_TABLE_CHUNK 16u        /* blocks of 4096 bytes taken from the heap at once */
#define DS_TABLE_CHUNKS_MAX 1024u /* 64 MiB of blocks */

struct ds_table_slot {
    uint64_t key;        /* page number + 1; 0 = empty */
    const uint8_t *data; /* 4096 bytes: the dump's own, or one of the blocks */
};

/*
 * A place of a shadow: 0 = not walked through, or not present; odd = physical address of a large
 * page, plus 1; else the address of the shadow of the table below, or of the table of PTEs
 * itself.
 */
typedef uint64_t ds_shadow;

struct ds_shadow_slot {
    uint64_t key; /* physical address of the table + its level; 0 = empty */
    ds_shadow *shadow;
};

struct ds_tables {
    struct ds_dump *dump;    /* borrowed */
    const ds_shadow *top[2]; /* shadow of the top table, of the lower and the upper half */
    struct ds_table_slot *slots;
    struct ds_shadow_slot *shadows;
    size_t shadow_count;
    /* Blocks: shadows, and copies of tables where the dump's source has to read. They stay where
     * they are until all go. */
    uint8_t **chunks;
    size_t chunk_count, block_count; /* chunks taken; blocks used in all of them */
    unsigned flushes;                /* how often all was forgotten */
    bool used;                       /* anything to forget */
};

enum ds_status ds_tables_init(struct ds_tables *t, struct ds_dump *dump) DS_MUST_CHECK;
void ds_tables_deinit(struct ds_tables *t);
/* Forgets everything but the memory for blocks. */
void ds_tables_flush(struct ds_tables *t);
/* Makes sure that one walk finds room, so that nothing is forgotten in the middle of it. */
void ds_tables_reserve(struct ds_tables *t);

/* What ds_tables_page() does when the page is not kept. */
const uint8_t *ds_tables_page_slow(struct ds_tables *t, uint64_t page);
/* The entry of 4 or 8 bytes at pa, which is a multiple of its size. */
enum ds_status ds_tables_entry(struct ds_tables *t, uint64_t pa, unsigned size,
                               uint64_t *entry) DS_MUST_CHECK;
/* The shadow of the table of `level` at pa, of `entries` places, or NULL (no memory). */
ds_shadow *ds_tables_shadow(struct ds_tables *t, uint64_t pa, int level, size_t entries);

/* Neighbours never share a place; folding keeps regions that are far apart from doing so. */
static inline size_t ds_cache_index(uint64_t number, size_t slots)
{
    return (size_t)(number ^ number >> 15) & (slots - 1);
}

/* The page that holds pa, or NULL (not whole in the dump, or no memory for it). The pointer is
 * good until the next call, or after ds_tables_reserve() for the rest of a walk. */
static inline const uint8_t *ds_tables_page(struct ds_tables *t, uint64_t pa)
{
    uint64_t page = pa >> 12;
    const struct ds_table_slot *slot = &t->slots[ds_cache_index(page, DS_TABLE_SLOTS)];
    return slot->key == page + 1 ? slot->data : ds_tables_page_slow(t, page);
}

#endif
