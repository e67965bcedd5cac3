#include "symbols/globals.h"

#include <string.h>

#include "base/text.h"
#include "symbols/tables.h"

static bool find_kernel(const struct ds_kernel_id *id, uint32_t *ret)
{
    if (id->arch != DS_ARCH_X64)
        return false;
    for (uint32_t i = 0; i < ds_table_global_kernel_count; i++) {
        const struct ds_table_global_kernel *k = &ds_table_global_kernels[i];
        bool same = id->pdb[0] != '\0' ? ds_text_casecmp(k->pdb, id->pdb) == 0
                                       : !id->la57 && k->build == id->build &&
                                             k->revision == id->revision && id->revision != 0;
        if (same) {
            *ret = i;
            return true;
        }
    }
    return false;
}

enum ds_status ds_globals_find(const struct ds_kernel_id *id, const char *name, uint32_t *rva)
{
    uint32_t kernel = 0;
    if (!find_kernel(id, &kernel))
        return DS_NO_SYMBOL;
    for (uint32_t i = 0; i < ds_table_global_name_count; i++) {
        if (strcmp(ds_table_global_names[i].name, name) != 0)
            continue;
        *rva = ds_table_globals[(size_t)i * ds_table_global_kernel_count + kernel];
        return *rva == 0 ? DS_NO_SYMBOL : DS_OK;
    }
    return DS_NO_SYMBOL;
}

const char *ds_globals_pdb(const struct ds_kernel_id *id)
{
    struct ds_kernel_id version = *id;
    uint32_t kernel = 0;
    version.pdb[0] = '\0';
    return find_kernel(&version, &kernel) ? ds_table_global_kernels[kernel].pdb : NULL;
}
