#include "memory/tables.h"

#include <stdlib.h>

#include "base/mem.h"

#define TABLE_BYTES 4096u

enum ds_status ds_tables_init(struct ds_tables *t, struct ds_dump *dump)
{
    t->dump = dump;
    t->slots = ds_alloc_array(DS_TABLE_SLOTS, sizeof(*t->slots));
    return t->slots != NULL ? DS_OK : DS_NO_MEMORY;
}

void ds_tables_deinit(struct ds_tables *t)
{
    for (size_t i = 0; t->slots != NULL && i < DS_TABLE_SLOTS; i++) {
        free(t->slots[i].copy);
    }
    free(t->slots);
    t->slots = NULL;
}

const uint8_t *ds_tables_page(struct ds_tables *t, uint64_t pa)
{
    uint64_t page = pa >> 12;
    struct ds_table_slot *slot = ds_tables_slot(t, page);
    if (slot->key == page + 1) {
        return slot->data;
    }
    slot->key = 0;
    slot->data = ds_dump_phys_pointer(t->dump, page << 12, TABLE_BYTES);
    if (slot->data == NULL) {
        if (slot->copy == NULL) {
            slot->copy = malloc(TABLE_BYTES);
        }
        if (slot->copy == NULL ||
            ds_dump_read_phys(t->dump, page << 12, slot->copy, TABLE_BYTES, NULL) != DS_OK) {
            return NULL;
        }
        slot->data = slot->copy;
    }
    slot->key = page + 1;
    return slot->data;
}

enum ds_status ds_tables_entry_slow(struct ds_tables *t, uint64_t pa, unsigned size,
                                    uint64_t *entry)
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
