/* What this kernel's entries that are not present look like. */
#include "target/impl.h"

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

/* The tables are mapped by one entry of the top table, in the upper half. */
static bool is_slot(enum ds_paging mode, uint64_t base)
{
    uint64_t span = ds_paging_span(mode, (int)ds_paging_levels(mode));
    return base >> 63 != 0 && base % span == 0 && ds_paging_canonical(mode, base);
}

static void find_pte_base(struct ds_target *t)
{
    enum ds_paging mode = ds_space_paging(t->kernel);
    const char *method = "kdbg";
    uint64_t told;
    struct ds_opt base = ds_opt_unknown(DS_NOT_FOUND);
    if (ds_target_kdbg(t, "PteBase", &told) == DS_OK && mode != DS_PAGING_X86 &&
        mode != DS_PAGING_PAE && is_slot(mode, told)) {
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
