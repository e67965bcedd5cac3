/* Symbol tables of the drivers: only where a search path was given. */
#include "target/impl.h"

static void load_one(struct ds_target *t, const struct ds_module *m, const char *symbol_path,
                     unsigned *loaded)
{
    struct ds_pe pe;
    struct ds_err err = {0};
    DS_AUTO_FREE char *file = NULL;
    if (ds_pe_read(t->kernel, m->base, &pe, NULL) != DS_OK || pe.pdb_id[0] == '\0' ||
        ds_symbols_search(symbol_path, pe.pdb_name, pe.pdb_id, &file, NULL) != DS_OK) {
        return;
    }
    enum ds_status status = ds_symbols_set_pdb(t->symbols, m->base, pe.pdb_id);
    if (status == DS_OK) {
        status = ds_symbols_load_isf(t->symbols, m->base, file, NULL, &err);
    }
    if (status == DS_OK) {
        (*loaded)++;
        return;
    }
    ds_step_add(t, "symbols", "search path", status, ds_opt_known(m->base), "", "%s: %s", m->name,
                err.text);
}

void ds_boot_symbols(struct ds_target *t, const char *symbol_path)
{
    unsigned loaded = 0;
    if (symbol_path == NULL || t->kernel == NULL) {
        return;
    }
    for (size_t i = 0; i < t->module_count; i++) {
        if (!t->kernel_base.known || t->modules[i].base != t->kernel_base.value) {
            load_one(t, &t->modules[i], symbol_path, &loaded);
        }
    }
    if (loaded != 0) {
        ds_step_add(t, "symbols", "search path", DS_OK, ds_opt_unknown(DS_OK), "symbols",
                    "symbol tables of %u drivers", loaded);
    }
}
