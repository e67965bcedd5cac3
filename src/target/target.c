#include "target/target.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "target/impl.h"

void ds_step_add(struct ds_target *t, const char *what, const char *method, enum ds_status status,
                 struct ds_opt value, const char *trust, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    if (t->step_count == t->step_cap) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    const char *detail = ds_arena_strdup(&t->arena, text, strlen(text));
    t->steps[t->step_count++] = (struct ds_step){.what = what,
                                                 .method = method,
                                                 .ok = status == DS_OK,
                                                 .status = status,
                                                 .value = value,
                                                 .trust = trust,
                                                 .detail = detail != NULL ? detail : ""};
}

/* Gives every module to the address-to-name lookup. */
static void declare_modules(struct ds_target *t)
{
    for (size_t i = 0; i < t->module_count; i++) {
        const struct ds_module *m = &t->modules[i];
        if (t->kernel_declared && m->base == t->kernel_base.value) {
            continue;
        }
        enum ds_status status = ds_symbols_add_module(t->symbols, m->name, m->base, m->size);
        if (status != DS_OK) {
            ds_step_add(t, "symbols", "module list", status, ds_opt_known(m->base), "",
                        "%s cannot be named by address: %s", m->name, ds_status_text(status));
        }
    }
}

void ds_boot_warn_option(struct ds_target *t, const char *check, uint64_t value,
                         const char *expected, const char *lost)
{
    struct ds_integrity_note *n =
        ds_integrity_add(ds_dump_integrity(t->dump), DS_INTEGRITY_NOTE, check, DS_NO_OFFSET);
    ds_integrity_expected(n, "%s", expected);
    ds_integrity_found(n, "0x%llx, as given", (unsigned long long)value);
    ds_integrity_lost(n, "%s", lost);
}

void ds_target_set_arch(struct ds_target *t, enum ds_paging mode)
{
    if (t->arch != DS_ARCH_UNKNOWN) {
        return;
    }
    switch (mode) {
    case DS_PAGING_X86:
    case DS_PAGING_PAE:
        t->arch = DS_ARCH_X86;
        break;
    case DS_PAGING_X64:
    case DS_PAGING_LA57:
        t->arch = DS_ARCH_X64;
        break;
    case DS_PAGING_ARM64:
        t->arch = DS_ARCH_ARM64;
        break;
    case DS_PAGING_NONE:
        return;
    }
    t->pointer_size = ds_arch_pointer_size(t->arch);
    if (ds_dump_header_to_fill(t->dump) != NULL) {
        ds_dump_set_arch(t->dump, t->arch);
    }
}

static void boot(struct ds_target *t, const char *symbol_path)
{
    switch (ds_dump_kind(t->dump)) {
    case DS_DUMP_TRIAGE:
        ds_boot_triage(t, symbol_path);
        break;
    case DS_DUMP_FULL:
    case DS_DUMP_BITMAP_FULL:
    case DS_DUMP_BITMAP_KERNEL:
    case DS_DUMP_SUMMARY:
    case DS_DUMP_RANGE_KERNEL:
    case DS_DUMP_RANGE_KERNEL_USER:
    case DS_DUMP_RANGE_FULL:
    case DS_DUMP_ELF:
    case DS_DUMP_KDUMP:
    case DS_DUMP_UEFI:
    case DS_DUMP_VMWARE:
    case DS_DUMP_RAW:
        ds_boot_paged(t, symbol_path);
        break;
    case DS_DUMP_HEADER_ONLY:
    case DS_DUMP_DAMAGED:
    case DS_DUMP_UNKNOWN:
        ds_step_add(t, "memory", "header", DS_NOT_IN_DUMP, ds_opt_unknown(DS_NOT_IN_DUMP), "",
                    "the file holds a header and no memory");
        ds_boot_identify(t, symbol_path);
        break;
    }
    if (t->kernel != NULL) {
        t->kernel_why = DS_OK;
        t->kernel_why_text = "";
    }
    if (t->modules_walk.table_name == NULL) { /* no list was met on the way */
        t->modules_walk = (struct ds_walk){.table_name = "modules",
                                           .stop_reason = t->kernel_why,
                                           .stop_address = ds_opt_unknown(DS_OK),
                                           .detail = t->kernel_why_text};
    }
    ds_boot_layout(t);
    ds_boot_lists(t);
    ds_boot_system_dtb(t);
    ds_boot_memory(t);
    if (t->kernel != NULL && ds_space_paging(t->kernel) != DS_PAGING_NONE) {
        ds_boot_modules(t);
    }
    ds_boot_guest_header(t);
    ds_boot_invariants(t);
    ds_boot_integrity(t);
    declare_modules(t);
    ds_boot_symbols(t, symbol_path);
}

enum ds_status ds_target_open(struct ds_dump *dump, const struct ds_target_options *options,
                              struct ds_target **ret, struct ds_err *err)
{
    const struct ds_dump_header *h = ds_dump_header(dump);
    struct ds_target *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        ds_dump_close(dump);
        return ds_err_set(err, DS_NO_MEMORY, "out of memory for the target");
    }
    t->dump = dump;
    t->arch = h->arch;
    t->pointer_size = ds_arch_pointer_size(h->arch);
    if (t->pointer_size == 0) {
        t->pointer_size = h->is64 ? 8 : 4;
    }
    t->build = h->minor_version;
    t->dtb = t->kernel_base = t->kdbg = ds_opt_unknown(DS_NOT_IN_DUMP);
    t->revision = ds_opt_unknown(DS_NOT_FOUND);
    t->kernel_hint = ds_opt_unknown(DS_NOT_FOUND);
    t->option = (struct ds_target_overrides){.dtb = ds_opt_unknown(DS_OK),
                                             .kernel_base = ds_opt_unknown(DS_OK),
                                             .kdbg = ds_opt_unknown(DS_OK)};
    if (options != NULL) {
        t->option = options->overrides;
    }
    t->kernel_why = DS_NOT_IN_DUMP;
    t->kernel_why_text = "the dump holds no memory";
    t->steps = ds_arena_alloc(&t->arena, DS_TARGET_STEPS, sizeof(*t->steps));
    t->step_cap = t->steps != NULL ? DS_TARGET_STEPS : 0;
    if (t->steps == NULL || ds_symbols_open(&t->symbols, err) != DS_OK) {
        ds_target_close(t);
        return ds_err_set(err, DS_NO_MEMORY, "out of memory for the target");
    }
    if (options != NULL && options->symbol_path != NULL) {
        t->symbol_path =
            ds_arena_strdup(&t->arena, options->symbol_path, strlen(options->symbol_path));
    }
    boot(t, options != NULL ? options->symbol_path : NULL);
    *ret = t;
    return DS_OK;
}

void ds_target_close(struct ds_target *t)
{
    if (t != NULL) {
        ds_layout_close(t->layout);
        ds_symbols_close(t->symbols);
        ds_space_close(t->kernel);
        ds_dump_close(t->dump);
        ds_arena_deinit(&t->arena);
        free(t);
    }
}

bool ds_target_is_kernel_va(const struct ds_target *t, uint64_t va)
{
    uint64_t range_start;
    switch (t->arch) {
    case DS_ARCH_X64: /* the upper canonical half of 48 bits */
        return va >= 0xffff800000000000u;
    case DS_ARCH_ARM64: /* TTBR1 of 48 bits */
        return va >= 0xffff000000000000u;
    case DS_ARCH_X86:
    case DS_ARCH_ARM:
    case DS_ARCH_UNKNOWN:
        break;
    }
    /* 3 GB for user space moves the border up; the kernel's own variable knows. */
    uint64_t border = 0x80000000u;
    if (t->kernel != NULL && ds_target_kdbg(t, "MmSystemRangeStart", &range_start) == DS_OK) {
        uint64_t value;
        if (ds_space_read_ptr(t->kernel, range_start, &value, NULL) == DS_OK && value >= border) {
            border = value;
        }
    }
    return va >= border && va <= UINT32_MAX;
}

const struct ds_module *ds_target_module_at(const struct ds_target *t, uint64_t va)
{
    for (size_t i = 0; i < t->module_count; i++) {
        if (va - t->modules[i].base < t->modules[i].size) {
            return &t->modules[i];
        }
    }
    return NULL;
}
