/* Which paging mode, and what this kernel's entries that are not present look like. */
#include <string.h>

#include "target/impl.h"

/* KUSER_SHARED_DATA in kernel space (wdm.h): every process has it. */
uint64_t ds_shared_user_data(const struct ds_target *t)
{
    return t->arch == DS_ARCH_X86 ? 0xffdf0000u : 0xfffff78000000000u;
}

/* The modes that the architecture allows, the one that the header names first. */
static size_t modes_of(const struct ds_target *t, enum ds_paging modes[2])
{
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    bool pae = h->pae_enabled.known && h->pae_enabled.value != 0;
    switch (t->arch) {
    case DS_ARCH_X64:
        modes[0] = DS_PAGING_X64;
        modes[1] = DS_PAGING_LA57;
        return 2;
    case DS_ARCH_X86:
        modes[0] = pae ? DS_PAGING_PAE : DS_PAGING_X86;
        modes[1] = pae ? DS_PAGING_X86 : DS_PAGING_PAE;
        return 2;
    case DS_ARCH_ARM64:
        modes[0] = DS_PAGING_ARM64;
        return 1;
    case DS_ARCH_ARM:
    case DS_ARCH_UNKNOWN:
        break;
    }
    modes[0] = DS_PAGING_NONE;
    return 1;
}

/* A head of a list whose first entry points back at it. */
static bool list_holds(struct ds_target *t, struct ds_space *s)
{
    struct ds_opt head = ds_dump_header(t->dump)->ps_loaded_module_list;
    uint64_t first, back;
    return head.known && ds_space_read_ptr(s, head.value, &first, NULL) == DS_OK &&
           ds_space_read_ptr(s, first + t->pointer_size, &back, NULL) == DS_OK &&
           back == head.value;
}

/* Replaces the space of the first mode by one of the second where only that one works. */
static void try_other_mode(struct ds_target *t, enum ds_paging mode, uint64_t dtb,
                           struct ds_fault *fault, enum ds_status *status)
{
    struct ds_space *other;
    uint64_t pa;
    if (ds_space_open_paged(t->dump, mode, dtb, &other, NULL) != DS_OK) {
        return;
    }
    ds_space_set_pointer_size(other, t->pointer_size);
    struct ds_fault again;
    if (ds_space_translate(other, ds_shared_user_data(t), &pa, &again) == DS_OK &&
        list_holds(t, other)) {
        ds_space_close(t->kernel);
        t->kernel = other;
        *fault = again;
        *status = DS_OK;
        return;
    }
    ds_space_close(other);
}

bool ds_boot_open_paged(struct ds_target *t)
{
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    struct ds_err err = {0};
    struct ds_fault fault;
    enum ds_paging modes[2] = {DS_PAGING_NONE, DS_PAGING_NONE};
    uint64_t pa;
    if (!h->dtb.known) {
        ds_step_add(t, "dtb", "header", h->dtb.why, h->dtb, "",
                    "DirectoryTableBase is not recorded");
        t->kernel_why = DS_NOT_FOUND;
        t->kernel_why_text = "the header records no page directory";
        return false;
    }
    size_t count = modes_of(t, modes);
    enum ds_status status = ds_space_open_paged(t->dump, modes[0], h->dtb.value, &t->kernel, &err);
    if (status != DS_OK) {
        ds_step_add(t, "dtb", "header", status, h->dtb, "", "%s", err.text);
        const char *why = ds_arena_strdup(&t->arena, err.text, strlen(err.text));
        t->kernel_why = status;
        t->kernel_why_text = why != NULL ? why : "";
        return false;
    }
    ds_space_set_pointer_size(t->kernel, t->pointer_size);
    status = ds_space_translate(t->kernel, ds_shared_user_data(t), &pa, &fault);
    if (status != DS_OK && count == 2) {
        try_other_mode(t, modes[1], h->dtb.value, &fault, &status);
    }
    t->dtb = ds_opt_known(ds_space_dtb(t->kernel));
    if (status == DS_OK) {
        const char *mode = ds_space_paging(t->kernel) != modes[0] ? ds_paging_name(modes[1]) : "";
        ds_step_add(t, "dtb", "header", DS_OK, t->dtb, "", "KUSER_SHARED_DATA translates%s%s",
                    mode[0] != '\0' ? ", and only with the page tables of " : "", mode);
    } else {
        ds_step_add(t, "dtb", "header", status, t->dtb, "",
                    "KUSER_SHARED_DATA does not translate (level %d: %s)", fault.level,
                    ds_status_text(status));
    }
    return true;
}

/* ---- software entries ---- */

/* MiState.Hardware.InvalidPteMask; unknown where the address or the member is. */
static struct ds_opt invalid_mask(struct ds_target *t)
{
    struct ds_field outer, inner;
    uint64_t va, mask;
    enum ds_status status = ds_target_global(t, "MiState", &va);
    if (status == DS_OK) {
        status = ds_target_member(t, "_MI_SYSTEM_INFORMATION", "Hardware", &outer, NULL);
    }
    if (status == DS_OK) {
        status = ds_target_member(t, "_MI_HARDWARE_STATE", "InvalidPteMask", &inner, NULL);
    }
    if (status == DS_OK) {
        status = ds_space_read_uint(t->kernel, va + outer.offset + inner.offset, 8, &mask, NULL);
    }
    return status == DS_OK ? ds_opt_known(mask) : ds_opt_unknown(status);
}

static void learn_layout(struct ds_target *t)
{
    struct ds_pte_layout l = {0};
    struct ds_field f;
    if (ds_target_member(t, "_MMPTE_SOFTWARE", "PageFileLow", &f, NULL) == DS_OK &&
        f.bit_len == 4) {
        l.page_file_known = true;
        l.page_file_shift = f.bit_pos;
    }
    l.has_swizzle = l.page_file_known &&
                    ds_target_member(t, "_MMPTE_SOFTWARE", "SwizzleBit", &f, NULL) == DS_OK;
    struct ds_opt mask = l.has_swizzle ? invalid_mask(t) : ds_opt_unknown(DS_NO_FIELD);
    l.mask_known = mask.known;
    l.invalid_mask = ds_opt_or(mask, 0);
    l.file_form = t->build.known && t->build.value >= 22621;
    ds_space_set_pte_layout(t->kernel, &l);
    const char *mask_text = !l.has_swizzle ? "no invalid-PTE mask"
                            : l.mask_known ? "invalid-PTE mask read"
                                           : "invalid-PTE mask not known: offsets may be off";
    if (l.page_file_known) {
        ds_step_add(t, "memory", "software entries", DS_OK, mask, "",
                    "page file number at bit %u; %s", (unsigned)l.page_file_shift, mask_text);
    } else {
        ds_step_add(t, "memory", "software entries", DS_NO_FIELD, mask, "",
                    "the layout of this kernel's entries is not known: page file numbers cannot "
                    "be told");
    }
}

static void find_pte_base(struct ds_target *t)
{
    enum ds_paging mode = ds_space_paging(t->kernel);
    const char *method = "kdbg";
    uint64_t told;
    struct ds_opt base = ds_opt_unknown(DS_NOT_FOUND);
    if (ds_target_kdbg(t, "PteBase", &told) == DS_OK && mode != DS_PAGING_X86 &&
        mode != DS_PAGING_PAE) {
        base = ds_opt_known(told);
    }
    if (!base.known) {
        method = "build";
        base = ds_pte_base_of_build(mode, t->build);
    }
    if (!base.known) {
        method = "self-map";
        base = ds_space_self_map(t->kernel);
    }
    ds_space_set_pte_base(t->kernel, base);
    ds_step_add(t, "memory", method, base.known ? DS_OK : base.why, base, "",
                base.known ? "where the page tables are mapped"
                           : "where the page tables are mapped is not known");
}

void ds_boot_memory(struct ds_target *t)
{
    if (t->kernel != NULL && ds_space_paging(t->kernel) != DS_PAGING_NONE) {
        learn_layout(t);
        find_pte_base(t);
    }
}
