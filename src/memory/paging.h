/*
 * One step of translation: page-table entries to physical addresses, without any state. What is
 * known here is the processor's format and the few bits of Windows' not-present entries that
 * decide a read fault. Source: Intel SDM volume 3A, chapter 4.5 (4-level paging).
 */
#ifndef DS_MEMORY_PAGING_H
#define DS_MEMORY_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "dumpscan/status.h"

#define DS_PAGE_SIZE 4096u
#define DS_PTE_PRESENT 0x1u
#define DS_PTE_LARGE 0x80u
#define DS_PTE_ADDRESS 0x000ffffffffff000u /* bits 12 to 51 */

/* Whether bits 47 to 63 are all equal. */
static inline bool ds_x64_canonical(uint64_t va)
{
    uint64_t high = va >> 47;
    return high == 0 || high == 0x1ffff;
}

/* Index into the table of `level` (4 = PXE ... 1 = PTE). */
static inline unsigned ds_x64_index(uint64_t va, int level)
{
    return (unsigned)(va >> (12 + 9 * (level - 1))) & 0x1ff;
}

/* The status of a page whose entry at `level` is not present. */
enum ds_status ds_x64_absent(uint64_t entry, int level);

/* Physical address that a large-page entry (level 3: 1 GB, level 2: 2 MB) gives to va. */
uint64_t ds_x64_large(uint64_t entry, int level, uint64_t va);

#endif
