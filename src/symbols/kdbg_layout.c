#include "symbols/kdbg_layout.h"

#include <string.h>

#include "symbols/tables.h"

bool ds_kdbg_field_at(uint32_t index, const char **name, struct ds_field *ret)
{
    if (index >= ds_table_kdbg_count)
        return false;
    const struct ds_table_kdbg *k = &ds_table_kdbg[index];
    *name = k->name;
    *ret = (struct ds_field){
        .offset = k->offset, .size = k->size, .bit_pos = k->bit_pos, .bit_len = k->bit_len};
    return true;
}

bool ds_kdbg_field(const char *name, struct ds_field *ret)
{
    uint32_t low = 0, high = ds_table_kdbg_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = strcmp(name, ds_table_kdbg[mid].name);
        const char *found;
        if (order == 0)
            return ds_kdbg_field_at(mid, &found, ret);
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return false;
}
