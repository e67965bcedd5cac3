#include "memory/tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Blocks that a walk may need: for every level a copy and a shadow, of two blocks on x86. */
#define WALK_BLOCKS (3u * DS_MAX_LEVELS)

static const ds_shadow no_shadow[1024];

enum ds_status ds_tables_init(struct ds_tables *t, struct ds_dump *dump)
{
    t->dump = dump;
    t->top[0] = t->top[1] = no_shadow;
    t->slots = ds_alloc_array(DS_TABLE_SLOTS, sizeof(*t->slots));
    t->shadows = ds_alloc_array(DS_SHADOW_SLOTS, sizeof(*t->shadows));
    t->chunks = ds_alloc_array(DS_TABLE_CHUNKS_MAX, sizeof(*t->chunks));
    return t->slots != NULL && t->shadows != NULL && t->chunks != NULL ? DS_OK : DS_NO_MEMORY;
}

void ds_tables_deinit(struct ds_tables *t)
{
    for (size_t i = 0; i < t->chunk_count; i++) {
        free(t->chunks[i]);
    }
    free(t->chunks);
    free(t->shadows);
    free(t->slots);
    *t = (struct ds_tables){0};
}

void ds_tables_flush(struct ds_tables *t)
{
    if (t->used) {
        memset(t->slots, 0, DS_TABLE_SLOTS * sizeof(*t->slots));
        memset(t->shadows, 0, DS_SHADOW_SLOTS * sizeof(*t->shadows));
    }
    t->top[0] = t->top[1] = no_shadow;
    t->shadow_count = t->block_count = 0;
    t->flushes++;
    t->used = false;
}

/* `count` blocks in a row, or NULL. */
static void *take_blocks(struct ds_tables *t, size_t count)
{
    size_t left = DS_TABLE_CHUNK - t->block_count % DS_TABLE_CHUNK;
    size_t first = t->block_count + (left < count ? left : 0);
    if (first / DS_TABLE_CHUNK == t->chunk_count && t->chunk_count < DS_TABLE_CHUNKS_MAX) {
        uint8_t *chunk = malloc((size_t)DS_TABLE_CHUNK * DS_TABLE_BYTES);
        t->chunks[t->chunk_count] = chunk;
        t->chunk_count += chunk != NULL;
    }
    if (first / DS_TABLE_CHUNK >= t->chunk_count) {
        return NULL;
    }
    t->block_count = first + count;
    return t->chunks[first / DS_TABLE_CHUNK] + first % DS_TABLE_CHUNK * DS_TABLE_BYTES;
}

void ds_tables_reserve(struct ds_tables *t)
{
    size_t most = (size_t)DS_TABLE_CHUNKS_MAX * DS_TABLE_CHUNK;
    if (t->block_count + WALK_BLOCKS > most || t->shadow_count + DS_MAX_LEVELS > DS_SHADOWS_MAX) {
        ds_tables_flush(t);
    }
}

const uint8_t *ds_tables_page_slow(struct ds_tables *t, uint64_t page)
{
    const uint8_t *data = ds_dump_phys_pointer(t->dump, page << 12, DS_TABLE_BYTES);
    if (data == NULL || ((uintptr_t)data & 1) != 0) { /* shadows mark large pages by that bit */
        size_t before = t->block_count;
        uint8_t *copy = take_blocks(t, 1);
        if (copy == NULL) {
            ds_tables_flush(t);
            before = 0;
            copy = take_blocks(t, 1);
        }
        if (copy == NULL || ds_dump_read_phys(t->dump, page << 12, copy, DS_TABLE_BYTES, NULL)) {
            t->block_count = before;
            return NULL;
        }
        data = copy;
    }
    t->used = true;
    t->slots[ds_cache_index(page, DS_TABLE_SLOTS)] = (struct ds_table_slot){page + 1, data};
    return data;
}

ds_shadow *ds_tables_shadow(struct ds_tables *t, uint64_t pa, int level, size_t entries)
{
    uint64_t key = pa + (unsigned)level; /* tables begin at multiples of 32 */
    size_t i = (key * 0x9e3779b97f4a7c15u >> 40) & (DS_SHADOW_SLOTS - 1);
    while (t->shadows[i].key != 0) { /* at most half of the places are taken */
        if (t->shadows[i].key == key) {
            return t->shadows[i].shadow;
        }
        i = (i + 1) & (DS_SHADOW_SLOTS - 1);
    }
    if (t->shadow_count == DS_SHADOWS_MAX) {
        return NULL;
    }
    size_t blocks = (entries * sizeof(ds_shadow) + DS_TABLE_BYTES - 1) / DS_TABLE_BYTES;
    ds_shadow *shadow = take_blocks(t, blocks);
    if (shadow != NULL) {
        memset(shadow, 0, blocks * DS_TABLE_BYTES);
        t->shadows[i] = (struct ds_shadow_slot){key, shadow};
        t->shadow_count++;
        t->used = true;
    }
    return shadow;
}

enum ds_status ds_tables_entry(struct ds_tables *t, uint64_t pa, unsigned size, uint64_t *entry)
{
    const uint8_t *page = ds_tables_page(t, pa);
    uint8_t raw[8] = {0};
    if (page == NULL) { /* a page that the file cuts may still hold this entry */
        enum ds_status status = ds_dump_read_phys(t->dump, pa, raw, size, NULL);
        if (status == DS_OK) {
            *entry = ds_le64(raw);
        }
        return status;
    }
    *entry = size == 8 ? ds_le64(page + (pa & 0xfff)) : ds_le32(page + (pa & 0xfff));
    return DS_OK;
}
