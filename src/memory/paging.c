#include "memory/paging.h"

#include <string.h>

#include "memory/format.h"

const struct ds_format *ds_format_of(enum ds_paging mode)
{
    switch (mode) {
    case DS_PAGING_X86:
        return &ds_format_x86;
    case DS_PAGING_PAE:
        return &ds_format_pae;
    case DS_PAGING_X64:
        return &ds_format_x64;
    case DS_PAGING_LA57:
        return &ds_format_la57;
    case DS_PAGING_ARM64:
        return &ds_format_arm64;
    case DS_PAGING_NONE:
        break;
    }
    return NULL;
}

const char *ds_paging_name(enum ds_paging mode)
{
    const struct ds_format *f = ds_format_of(mode);
    return f != NULL ? f->name : "none";
}

unsigned ds_paging_levels(enum ds_paging mode)
{
    const struct ds_format *f = ds_format_of(mode);
    return f != NULL ? f->levels : 0;
}

uint64_t ds_paging_root(enum ds_paging mode, uint64_t dtb)
{
    const struct ds_format *f = ds_format_of(mode);
    return f != NULL ? dtb & f->root_mask : 0;
}

bool ds_paging_canonical(enum ds_paging mode, uint64_t va)
{
    const struct ds_format *f = ds_format_of(mode);
    return f != NULL && f->canonical(va);
}

static bool has_level(const struct ds_format *f, int level)
{
    return f != NULL && level >= 1 && level <= f->levels;
}

const char *ds_paging_entry_name(enum ds_paging mode, int level)
{
    const struct ds_format *f = ds_format_of(mode);
    return has_level(f, level) ? f->entry_name[level] : "";
}

uint64_t ds_paging_span(enum ds_paging mode, int level)
{
    const struct ds_format *f = ds_format_of(mode);
    return has_level(f, level) ? (uint64_t)1 << f->shift[level] : 0;
}

/* ---- the flags of a present entry ---- */

static void flags_x86(enum ds_paging mode, uint64_t entry, int level, char *text)
{
    bool large = level > 1 && (entry & 0x80) != 0;
    /* The top entries of PAE have no rights of their own, and 4-byte entries no NX bit. */
    bool no_execute = mode != DS_PAGING_X86 && entry >> 63 != 0;
    text[0] = (entry & 0x200) != 0 ? 'C' : '-';
    text[1] = (entry & 0x100) != 0 ? 'G' : '-';
    text[2] = large ? 'L' : '-';
    text[3] = (entry & 0x40) != 0 ? 'D' : '-';
    text[4] = (entry & 0x20) != 0 ? 'A' : '-';
    text[5] = (entry & 0x10) != 0 ? 'N' : '-';
    text[6] = (entry & 0x8) != 0 ? 'T' : '-';
    text[7] = (entry & 0x4) != 0 ? 'U' : 'K';
    text[8] = (entry & 0x2) != 0 ? 'W' : 'R';
    text[9] = no_execute ? '-' : 'E';
}

static void flags_arm64(uint64_t entry, int level, char *text)
{
    bool leaf = level == 1 || (entry & 2) == 0;
    bool user = leaf && (entry & 0x40) != 0;            /* AP[1] */
    bool read_only = leaf && (entry & 0x80) != 0;       /* AP[2] */
    uint64_t never = user ? (uint64_t)1 << 54           /* UXN */
                          : (uint64_t)1 << 53;          /* PXN */
    text[1] = leaf && (entry & 0x800) == 0 ? 'G' : '-'; /* nG clear */
    text[2] = leaf && level > 1 ? 'L' : '-';
    text[3] = leaf && !read_only ? 'D' : '-';
    text[4] = leaf && (entry & 0x400) != 0 ? 'A' : '-'; /* AF */
    text[7] = user ? 'U' : 'K';
    text[8] = read_only ? 'R' : 'W';
    text[9] = leaf && (entry & never) != 0 ? '-' : 'E';
}

void ds_pte_flags_text(enum ds_paging mode, uint64_t entry, int level, char text[DS_PTE_FLAGS_SIZE])
{
    text[0] = '\0';
    if ((entry & 1) == 0 || mode == DS_PAGING_NONE) {
        return;
    }
    memcpy(text, "----------V", DS_PTE_FLAGS_SIZE);
    if (mode == DS_PAGING_ARM64) {
        flags_arm64(entry, level, text);
    } else {
        flags_x86(mode, entry, level, text);
    }
}

/* ---- where the entries themselves are mapped ---- */

/* Address of the PTE for va in a self-map at `base`. */
static uint64_t pte_address(const struct ds_format *f, uint64_t base, uint64_t va)
{
    unsigned bits = f->shift[f->levels] + (f->levels == 3 ? 2u : f->entry_size == 4 ? 10u : 9u);
    uint64_t page = (va & (((uint64_t)1 << bits) - 1)) >> 12;
    return base + page * f->entry_size;
}

struct ds_opt ds_pte_address(enum ds_paging mode, struct ds_opt pte_base, uint64_t va, int level)
{
    const struct ds_format *f = ds_format_of(mode);
    if (!has_level(f, level) || (mode == DS_PAGING_PAE && level == 3)) {
        return ds_opt_unknown(DS_NOT_FOUND);
    }
    if (!pte_base.known) {
        return pte_base;
    }
    for (int i = 0; i < level; i++) {
        va = pte_address(f, pte_base.value, va);
    }
    return ds_opt_known(va);
}

struct ds_opt ds_pte_base_of_build(enum ds_paging mode, struct ds_opt build)
{
    if (mode == DS_PAGING_X86 || mode == DS_PAGING_PAE) {
        return ds_opt_known(0xc0000000u);
    }
    if (mode == DS_PAGING_X64 && build.known && build.value < 14393) {
        return ds_opt_known(0xfffff68000000000u);
    }
    return ds_opt_unknown(DS_NOT_FOUND);
}
