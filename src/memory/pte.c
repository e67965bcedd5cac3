/*
 * Entries that the processor refuses, as Windows writes them. Valid is bit 0, Prototype bit 10,
 * Transition bit 11, Protection bits 5 to 9 in every build (data/layouts/memory.layout:
 * _MMPTE_SOFTWARE); the rest differs by mode and build.
 *
 * With the L1TF mitigation, an entry whose swizzle bit is clear has the bits of the invalid-PTE
 * mask set, and they are taken out before use. Source: "Paging All Windows Geeks" (Black Hat USA
 * 2019), whose findings two open readers (IntroVirt, Volatility 3) implement alike.
 */
#include "memory/paging.h"

#define PROTOTYPE 0x400u
#define TRANSITION 0x800u
#define SWIZZLE 0x10u
#define PROTECTION 0x3e0u

static const char *const names[] = {
    "no_entry",  "valid", "reserved",  "empty",       "empty_table", "transition",
    "prototype", "vad",   "page_file", "mapped_file", "demand_zero", "software",
};

static const char *const texts[] = {
    "no page-table entry could be read",
    "valid",
    "a reserved bit is set in the entry: no processor would accept it",
    "the entry is zero: nothing is mapped, unless a VAD describes it",
    "the entry is zero and so is its whole table: cleared, or its content was not captured",
    "in transition: not mapped, but still in memory",
    "shared: a prototype PTE decides",
    "shared: the VAD leads to its prototype PTE",
    "in a page file",
    "in a mapped file, not in memory",
    "demand zero: never written, zeros at first access",
    "not valid; its software bits are not known for this system",
};

const char *ds_pte_state_name(enum ds_pte_state state)
{
    return (size_t)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

const char *ds_pte_state_text(enum ds_pte_state state)
{
    return (size_t)state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : "unknown";
}

/* What differs by paging mode. */
struct soft_form {
    uint64_t pfn_mask;      /* _MMPTE_TRANSITION.PageFrameNumber, in place */
    unsigned offset_shift;  /* _MMPTE_SOFTWARE.PageFileHigh */
    uint64_t lookup_needed; /* PageFileHigh of "ask the VAD": all ones */
};

static bool form_of(enum ds_paging mode, struct soft_form *form)
{
    switch (mode) {
    case DS_PAGING_X86:
        *form = (struct soft_form){0xfffff000u, 12, 0xfffff};
        return true;
    case DS_PAGING_PAE:
        *form = (struct soft_form){0x3ffffff000u, 32, 0xffffffffu};
        return true;
    case DS_PAGING_X64:
    case DS_PAGING_LA57:
        *form = (struct soft_form){0x0000fffffffff000u, 32, 0xffffffffu};
        return true;
    case DS_PAGING_ARM64:
    case DS_PAGING_NONE:
        break;
    }
    return false;
}

static void decode_prototype(enum ds_paging mode, uint64_t raw, uint64_t entry,
                             struct ds_pte_soft *ret)
{
    struct soft_form form;
    ret->state = DS_PTE_PROTOTYPE;
    if (!form_of(mode, &form)) {
        return;
    }
    if (raw >> form.offset_shift == form.lookup_needed) {
        ret->state = DS_PTE_VAD;
    } else if (mode == DS_PAGING_PAE) {
        ret->prototype = ds_opt_known(entry >> 32);
    } else if (mode != DS_PAGING_X86) {
        /* 48 signed bits from bit 16 on; the mask only ever fills physical address bits. A two-
         * level entry packs an offset from a base that is not publicly documented. */
        ret->prototype = ds_opt_known(raw >> 16 | 0xffff000000000000u);
    }
}

static void decode_page_file(const struct ds_pte_layout *l, const struct soft_form *form,
                             uint64_t raw, uint64_t entry, struct ds_pte_soft *ret)
{
    uint64_t offset = entry >> form->offset_shift;
    bool one_bit = (offset & (offset - 1)) == 0;
    if (offset == 0) {
        ret->state = (raw & PROTECTION) != 0 ? DS_PTE_DEMAND_ZERO : DS_PTE_EMPTY;
    } else if (offset == form->lookup_needed) {
        ret->state = DS_PTE_VAD;
    } else if (one_bit && form->offset_shift == 32 && !l->mask_known &&
               (l->has_swizzle || !l->page_file_known)) {
        /* One bit alone may be the mask, over an offset of zero. */
        ret->state = DS_PTE_SOFTWARE;
        ret->mask_missing = true;
    } else {
        ret->state = DS_PTE_PAGE_FILE;
        if (!ret->mask_missing) {
            ret->page_file_offset = ds_opt_known(offset);
        }
        if (l->page_file_known) {
            ret->page_file = ds_opt_known(entry >> l->page_file_shift & 0xf);
        }
    }
}

struct ds_pte_soft ds_pte_decode(enum ds_paging mode, const struct ds_pte_layout *l, uint64_t entry,
                                 bool prototype_pte)
{
    struct ds_opt unknown = ds_opt_unknown(DS_NOT_FOUND);
    struct ds_pte_soft ret = {.state = DS_PTE_EMPTY,
                              .pa = unknown,
                              .prototype = unknown,
                              .page_file = unknown,
                              .page_file_offset = unknown};
    struct soft_form form;
    uint64_t raw = entry;
    if (entry == 0) {
        return ret;
    }
    if (!form_of(mode, &form)) {
        ret.state = DS_PTE_SOFTWARE;
        return ret;
    }
    /* Upper halves of all ones are the older form that asks the VAD. */
    if (l->file_form && (entry & 0xffff80000000000fu) == 0xffff800000000000u &&
        entry >> 32 != form.lookup_needed) {
        ret.state = DS_PTE_MAPPED_FILE;
        return ret;
    }
    if (l->has_swizzle && (entry & SWIZZLE) == 0) {
        entry &= l->mask_known ? ~l->invalid_mask : UINT64_MAX;
        ret.mask_missing = !l->mask_known;
    }
    if ((raw & PROTOTYPE) != 0) {
        ret.mask_missing = false; /* a virtual address: the mask leaves it alone */
        if (prototype_pte) {
            ret.state = DS_PTE_MAPPED_FILE;
        } else {
            decode_prototype(mode, raw, entry, &ret);
        }
    } else if ((raw & TRANSITION) != 0) {
        ret.state = DS_PTE_TRANSITION;
        ret.pa = ds_opt_known(entry & form.pfn_mask);
    } else {
        decode_page_file(l, &form, raw, entry, &ret);
    }
    return ret;
}
