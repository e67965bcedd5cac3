#include "memory/paging.h"

/*
 * Not-present entries on x64 Windows: bit 10 marks a prototype, bit 11 a page in transition; else
 * the upper half is the page file offset. An offset of zero is demand zero; all ones means "look
 * at the VAD". Since the L1TF mitigation (2018) an empty offset may carry one inverted address
 * bit, so an offset of a single bit is not taken for proof.
 * Source: _MMPTE_SOFTWARE, _MMPTE_TRANSITION, _MMPTE_PROTOTYPE in the public symbols.
 */
enum ds_status ds_x64_absent(uint64_t entry, int level)
{
    uint64_t offset = entry >> 32;
    if (level > 2 || (entry & 0xc00) != 0 || offset == 0 || offset == 0xffffffffu) {
        return DS_NOT_MAPPED;
    }
    return (offset & (offset - 1)) != 0 ? DS_PAGED_OUT : DS_NOT_MAPPED;
}

uint64_t ds_x64_large(uint64_t entry, int level, uint64_t va)
{
    /* Bit 12 of a large entry is PAT and the bits above it, below the page's size, are reserved:
     * masking by the page's size drops them all. */
    uint64_t offset_mask = ((uint64_t)1 << (12 + 9 * (level - 1))) - 1;
    return (entry & DS_PTE_ADDRESS & ~offset_mask) | (va & offset_mask);
}
