/*
 * VMSAv8-64 with a 4 KB granule and 48 bits of address. Arm Architecture Reference Manual, D8.3.
 * Our level 4 is the manual's level 0. Bits 0 and 1: 3 is a table, or a page at the last level;
 * 1 is a block, at our levels 3 (1 GB) and 2 (2 MB) only.
 *
 * The lower half of the address space hangs under TTBR0, the upper under TTBR1. Windows lets one
 * table of 512 entries serve both, TTBR1 pointing at its middle: with the address of the page
 * and nine bits of index, both halves come out right, and also where each has a table of its own.
 */
#include "memory/fast.h"

#define ADDRESS 0x0000fffffffff000u

static bool canonical(uint64_t va)
{
    uint64_t high = va >> 48;
    return high == 0 || high == 0xffff;
}

static enum ds_entry_kind step(uint64_t entry, int level, uint64_t *next)
{
    if ((entry & 1) == 0) {
        return DS_ENTRY_ABSENT;
    }
    *next = entry & ADDRESS;
    if ((entry & 2) != 0) {
        return level == 1 ? DS_ENTRY_PAGE : DS_ENTRY_TABLE;
    }
    if (level == 1 || level == 4) {
        return DS_ENTRY_RESERVED;
    }
    *next &= ~(((uint64_t)1 << (12 + 9 * (level - 1))) - 1);
    return DS_ENTRY_PAGE;
}

DS_WALKS(arm64, ds_format_arm64, canonical)

const struct ds_format ds_format_arm64 = {
    .name = "ARM64",
    .levels = 4,
    .entry_size = 8,
    .shift = {0, 12, 21, 30, 39},
    .index_mask = {0, 0x1ff, 0x1ff, 0x1ff, 0x1ff},
    .entry_name = {"", "PTE", "PDE", "PPE", "PXE"},
    .root_mask = ADDRESS, /* bits 48 to 63 are the ASID, bit 0 is CnP */
    .page_bits = 3,
    .page_address = ADDRESS,
    .canonical = canonical,
    .step = step,
    .translate = translate_arm64,
    .batch = batch_arm64,
};
