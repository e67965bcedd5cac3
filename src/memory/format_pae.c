/*
 * PAE paging: four 8-byte entries on top, 32-byte aligned, then two levels of 512. Intel SDM 3A,
 * 4.4. A large PDE gives 2 MB; bit 12 of it is PAT, bits 13 to 20 are reserved.
 */
#include "memory/fast.h"

#define ADDRESS 0x000ffffffffff000u

static bool canonical(uint64_t va)
{
    return va <= UINT32_MAX;
}

static enum ds_entry_kind step(uint64_t entry, int level, uint64_t *next)
{
    if ((entry & 1) == 0) {
        return DS_ENTRY_ABSENT;
    }
    *next = entry & ADDRESS;
    if (level == 1) {
        return DS_ENTRY_PAGE;
    }
    if ((entry & 0x80) != 0) {
        *next = entry & ADDRESS & ~(uint64_t)0x1fffff;
        return level == 2 ? DS_ENTRY_PAGE : DS_ENTRY_RESERVED;
    }
    return DS_ENTRY_TABLE;
}

DS_WALKS(pae, ds_format_pae, canonical)

const struct ds_format ds_format_pae = {
    .name = "PAE",
    .levels = 3,
    .entry_size = 8,
    .shift = {0, 12, 21, 30},
    .index_mask = {0, 0x1ff, 0x1ff, 3},
    .entry_name = {"", "PTE", "PDE", "PDPE"},
    .root_mask = 0xffffffe0u,
    .page_bits = 1,
    .page_address = ADDRESS,
    .canonical = canonical,
    .step = step,
    .translate = translate_pae,
    .batch = batch_pae,
};
