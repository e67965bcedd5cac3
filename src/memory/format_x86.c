/*
 * 32-bit paging: two levels of 4-byte entries. Intel SDM 3A, 4.3. A large entry gives 4 MB:
 * bits 22 to 31 are its address, bits 13 to 20 the address bits 32 to 39 (PSE-36), bit 12 is PAT.
 */
#include "memory/fast.h"

static bool canonical(uint64_t va)
{
    return va <= UINT32_MAX;
}

static enum ds_entry_kind step(uint64_t entry, int level, uint64_t *next)
{
    if ((entry & 1) == 0) {
        return DS_ENTRY_ABSENT;
    }
    if (level == 2 && (entry & 0x80) != 0) {
        *next = (entry & 0xffc00000u) | (entry >> 13 & 0xff) << 32;
        return (entry & 0x200000) != 0 ? DS_ENTRY_RESERVED : DS_ENTRY_PAGE;
    }
    *next = entry & 0xfffff000u;
    return level == 1 ? DS_ENTRY_PAGE : DS_ENTRY_TABLE;
}

DS_WALKS(x86, ds_format_x86, canonical)

const struct ds_format ds_format_x86 = {
    .name = "x86",
    .levels = 2,
    .entry_size = 4,
    .shift = {0, 12, 22},
    .index_mask = {0, 0x3ff, 0x3ff},
    .entry_name = {"", "PTE", "PDE"},
    .root_mask = 0xfffff000u,
    .page_bits = 1,
    .page_address = 0xfffff000u,
    .canonical = canonical,
    .step = step,
    .translate = translate_x86,
    .batch = batch_x86,
};
