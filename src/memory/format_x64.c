/*
 * 4-level and 5-level paging. Intel SDM 3A, 4.5. Large pages stand at levels 2 (2 MB) and 3
 * (1 GB): bit 12 of such an entry is PAT and the bits from 13 up to the page's size are
 * reserved, so masking by the page's size drops them all.
 */
#include "memory/fast.h"

#define ADDRESS 0x000ffffffffff000u

static bool canonical48(uint64_t va)
{
    uint64_t high = va >> 47;
    return high == 0 || high == 0x1ffff;
}

static bool canonical57(uint64_t va)
{
    uint64_t high = va >> 56;
    return high == 0 || high == 0xff;
}

static inline enum ds_entry_kind step(uint64_t entry, int level, uint64_t *next)
{
    if ((entry & 1) == 0) {
        return DS_ENTRY_ABSENT;
    }
    *next = entry & ADDRESS;
    if (level == 1) {
        return DS_ENTRY_PAGE;
    }
    if ((entry & 0x80) != 0) {
        *next &= ~(((uint64_t)1 << (12 + 9 * (level - 1))) - 1);
        return level <= 3 ? DS_ENTRY_PAGE : DS_ENTRY_RESERVED;
    }
    return DS_ENTRY_TABLE;
}

DS_WALKS(x64, ds_format_x64, canonical48)

DS_WALKS(la57, ds_format_la57, canonical57)

const struct ds_format ds_format_x64 = {
    .name = "x64",
    .levels = 4,
    .entry_size = 8,
    .shift = {0, 12, 21, 30, 39},
    .index_mask = {0, 0x1ff, 0x1ff, 0x1ff, 0x1ff},
    .entry_name = {"", "PTE", "PDE", "PPE", "PXE"},
    .root_mask = ADDRESS, /* the low 12 bits are PCID or flags, bit 63 "no flush" */
    .page_bits = 1,
    .page_address = ADDRESS,
    .canonical = canonical48,
    .step = step,
    .translate = translate_x64,
    .batch = batch_x64,
};

const struct ds_format ds_format_la57 = {
    .name = "LA57",
    .levels = 5,
    .entry_size = 8,
    .shift = {0, 12, 21, 30, 39, 48},
    .index_mask = {0, 0x1ff, 0x1ff, 0x1ff, 0x1ff, 0x1ff},
    .entry_name = {"", "PTE", "PDE", "PPE", "PXE", "PML5E"},
    .root_mask = ADDRESS,
    .page_bits = 1,
    .page_address = ADDRESS,
    .canonical = canonical57,
    .step = step,
    .translate = translate_la57,
    .batch = batch_la57,
};
