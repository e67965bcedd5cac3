/* The two ways from a container to kernel memory. */
#include <string.h>

#include "target/impl.h"

/* ---- triage dumps: captured ranges, records ---- */

static void check_first_driver(struct ds_target *t)
{
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    uint64_t told;
    if (t->module_count == 0 || t->modules[0].base != ds_dump_triage(t->dump)->drivers[0].base) {
        ds_step_add(t, "kernel_base", "triage driver list", DS_NOT_FOUND,
                    ds_opt_unknown(DS_NOT_FOUND), "", "the driver list has no first record");
        if (ds_target_kdbg(t, "KernBase", &told) == DS_OK) {
            t->kernel_base = ds_opt_known(told);
            ds_step_add(t, "kernel_base", "kdbg", DS_OK, t->kernel_base, "", "KernBase");
        }
        return;
    }
    const struct ds_module *kernel = &t->modules[0];
    bool spans_kdbg = h->kd_debugger_data_block.known &&
                      h->kd_debugger_data_block.value - kernel->base < kernel->size;
    bool agrees = ds_target_kdbg(t, "KernBase", &told) != DS_OK || told == kernel->base;
    t->kernel_base = ds_opt_known(kernel->base);
    ds_step_add(t, "kernel_base", "triage driver list", agrees ? DS_OK : DS_CORRUPT,
                ds_opt_known(kernel->base), "",
                !agrees      ? "the first driver is not where KDDEBUGGER_DATA64.KernBase says"
                : spans_kdbg ? "the first driver spans KdDebuggerDataBlock"
                             : "the first driver does not span KdDebuggerDataBlock");
}

static void read_kernel_image(struct ds_target *t)
{
    struct ds_err err = {0};
    if (t->kernel == NULL || !t->kernel_base.known) {
        return;
    }
    enum ds_status status = ds_pe_read(t->kernel, t->kernel_base.value, &t->kernel_pe, &err);
    t->kernel_pe_known = status == DS_OK;
    ds_step_add(t, "kernel_base", "image headers", status, t->kernel_base, "", "%s",
                status == DS_OK ? (t->kernel_pe.pdb_id[0] != '\0'
                                       ? t->kernel_pe.pdb_id
                                       : "headers read; the debug id was not captured")
                                : ds_status_text(status));
}

void ds_boot_triage(struct ds_target *t, const char *symbol_path)
{
    const struct ds_triage *tr = ds_dump_triage(t->dump);
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    struct ds_err err = {0};
    enum ds_status status = ds_space_open_ranges(t->dump, &t->kernel, &err);
    ds_step_add(t, "memory", "captured ranges", status, ds_opt_unknown(DS_OK), "",
                "%llu pieces of virtual memory",
                (unsigned long long)ds_dump_virt_range_count(t->dump));
    if (status == DS_OK) {
        ds_space_set_pointer_size(t->kernel, t->pointer_size);
    }
    if (tr->debugger_data.size != 0) {
        ds_kdbg_load_region(t, &tr->debugger_data, h->kd_debugger_data_block);
    }
    if (t->kdbg_size == 0 && t->kernel != NULL) {
        (void)ds_kdbg_load_va(t, h->kd_debugger_data_block, "header");
    }
    ds_modules_from_triage(t);
    check_first_driver(t);
    read_kernel_image(t);
    struct ds_opt timestamp = ds_opt_unknown(DS_NOT_FOUND), size = timestamp;
    if (t->module_count != 0) {
        timestamp = t->modules[0].timestamp;
        size = ds_opt_known(t->modules[0].size);
    }
    ds_boot_version(t, timestamp, size);
    ds_boot_identify(t, symbol_path);
}

/* ---- full and bitmap dumps: page tables ---- */

void ds_boot_paged(struct ds_target *t, const char *symbol_path)
{
    if (!ds_boot_open_paged(t)) {
        ds_boot_identify(t, symbol_path);
        return;
    }
    if (t->option.kernel_base.known) {
        t->kernel_base = t->option.kernel_base;
    }
    ds_boot_kdbg_option(t);
    if (t->kdbg_size == 0) {
        (void)ds_kdbg_load_va(t, ds_dump_header(t->dump)->kd_debugger_data_block, "header");
    }
    ds_boot_kernel_base(t);
    read_kernel_image(t);
    struct ds_opt timestamp = ds_opt_unknown(DS_NOT_FOUND), size = timestamp;
    if (t->kernel_pe_known) {
        timestamp = ds_opt_known(t->kernel_pe.timestamp);
        size = ds_opt_known(t->kernel_pe.size_of_image);
    }
    ds_boot_version(t, timestamp, size);
    ds_boot_identify(t, symbol_path);
    ds_boot_kdbg_late(t);
    ds_boot_kdbg_keys(t);
}

void ds_boot_modules(struct ds_target *t)
{
    const char *method;
    struct ds_opt head = ds_target_list_head(t, "PsLoadedModuleList", &method);
    ds_modules_from_list(t, head, method);
}
