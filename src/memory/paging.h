/*
 * Page-table entries: the paging modes that Windows uses, what an entry that the processor
 * refuses means to Windows, and where the entries themselves are mapped.
 *
 * Sources: Intel SDM volume 3A chapter 4 (32-bit, PAE, 4-level and 5-level paging); Arm
 * Architecture Reference Manual D8 (VMSAv8-64, 4 KB granule); the structures _MMPTE_SOFTWARE,
 * _MMPTE_TRANSITION, _MMPTE_PROTOTYPE and _MMPTE_SUBSECTION in Microsoft's public symbols, whose
 * members data/layouts/memory.layout lists by build.
 */
#ifndef DS_MEMORY_PAGING_H
#define DS_MEMORY_PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"

/* How page tables are read. */
enum ds_paging {
    DS_PAGING_NONE, /* a space of ranges: no page tables */
    DS_PAGING_X86,  /* 2 levels, 4-byte entries, 4 MB pages (PSE-36) */
    DS_PAGING_PAE,  /* 3 levels, 8-byte entries, 2 MB pages; 4 entries on top, 32-byte aligned */
    DS_PAGING_X64,  /* 4 levels, 2 MB and 1 GB pages */
    DS_PAGING_LA57, /* 5 levels */
    DS_PAGING_ARM64 /* 4 levels, 4 KB granule, 48 bits, 2 MB and 1 GB blocks */
};

/* "x86", "PAE", "x64", "LA57", "ARM64"; "none" for ranges. */
const char *ds_paging_name(enum ds_paging mode);
/* Levels of tables; 0 for DS_PAGING_NONE. The level of a PTE is 1. */
unsigned ds_paging_levels(enum ds_paging mode);
/* Physical address of the top table in a directory base (CR3, TTBR, KPROCESS
 * DirectoryTableBase): flags, PCID and ASID removed. */
uint64_t ds_paging_root(enum ds_paging mode, uint64_t dtb);
/* Whether this mode can translate va at all: canonical (x64, ARM64), or of 32 bits. */
bool ds_paging_canonical(enum ds_paging mode, uint64_t va);
/* WinDbg's name for the entry of a level: PTE, PDE, PPE, PXE; PDPE (PAE), PML5E (LA57). */
const char *ds_paging_entry_name(enum ds_paging mode, int level);
/* Bytes that one entry of the level covers: 4096 for a PTE; 0 for a level that is not there. */
uint64_t ds_paging_span(enum ds_paging mode, int level);

/* What an entry says about its page. */
enum ds_pte_state {
    DS_PTE_NO_ENTRY = 0, /* no entry was read: no walk was made, or its table is not captured */
    DS_PTE_VALID,        /* the processor would translate it */
    DS_PTE_RESERVED,     /* present, with a bit that no processor accepts there */
    DS_PTE_EMPTY,        /* zero: Windows keeps nothing here; a VAD may still describe it */
    DS_PTE_EMPTY_TABLE,  /* zero in a table that is all zero: cleared, or not captured */
    DS_PTE_TRANSITION,   /* not valid, but the page is still in memory */
    DS_PTE_PROTOTYPE,    /* shared: a prototype PTE decides */
    DS_PTE_VAD,          /* shared: the VAD leads to the prototype PTE */
    DS_PTE_PAGE_FILE,    /* in a page file */
    DS_PTE_MAPPED_FILE,  /* a prototype PTE whose page is in a mapped file */
    DS_PTE_DEMAND_ZERO,  /* never written: the first access gives a page of zeros */
    DS_PTE_SOFTWARE      /* software bits whose meaning is not known for this system */
};

/* The stable name of a state: "page_file". */
const char *ds_pte_state_name(enum ds_pte_state state);
/* One clause for people. */
const char *ds_pte_state_text(enum ds_pte_state state);

/*
 * Where Windows keeps things in an entry that is not present; it varies by build. All zero is
 * the cautious answer for a system that is not known.
 */
struct ds_pte_layout {
    bool page_file_known;    /* the two fields below are meaningful */
    uint8_t page_file_shift; /* _MMPTE_SOFTWARE.PageFileLow: 4 bits, at 1 or at 12 */
    bool has_swizzle;        /* _MMPTE_SOFTWARE.SwizzleBit exists (bit 4): with it clear, the bits
                                of the invalid-PTE mask are set in the entry (L1TF) */
    bool mask_known;
    uint64_t invalid_mask; /* MiState.Hardware.InvalidPteMask */
    bool file_form;        /* build 22621 and later: a form of their own for mapped files */
};

/* A not-present entry, taken apart. */
struct ds_pte_soft {
    enum ds_pte_state state;
    struct ds_opt pa;               /* transition: the page or table */
    struct ds_opt prototype;        /* prototype: virtual address of the prototype PTE */
    struct ds_opt page_file;        /* page file: which one, 0 to 15 */
    struct ds_opt page_file_offset; /* page file: in pages */
    bool mask_missing;              /* the mask applies and is not known: addresses may be off */
};

/*
 * Takes an entry apart that the processor refuses (not present). `prototype_pte`: the entry is
 * itself a prototype PTE, whose prototype bit means "in a mapped file". ARM64 entries other than
 * zero are DS_PTE_SOFTWARE: their software bits are not publicly documented.
 */
struct ds_pte_soft ds_pte_decode(enum ds_paging mode, const struct ds_pte_layout *layout,
                                 uint64_t entry, bool prototype_pte);

#define DS_PTE_FLAGS_SIZE 12
/*
 * A present entry's flags as !pte writes them, "---DA--KWEV": copy on write, Global, Large,
 * Dirty, Accessed, No cache, write-Through, User or Kernel, Write or Read, Execute, Valid. A
 * not-present entry gives "". ARM64: global, large, dirty (writable), accessed, user, write and
 * execute by the descriptor; caching is not in it. Source: the debugger's page of !pte.
 */
void ds_pte_flags_text(enum ds_paging mode, uint64_t entry, int level,
                       char text[DS_PTE_FLAGS_SIZE]);

/*
 * Virtual address of the entry of `level` for va, in the region where the page tables map
 * themselves. Unknown without a base, and for the top of PAE, which is not mapped that way.
 */
struct ds_opt ds_pte_address(enum ds_paging mode, struct ds_opt pte_base, uint64_t va, int level);

/*
 * Where the page tables are mapped when the dump does not say: x86 and PAE c0000000; x64 before
 * build 14393 fffff68000000000. Later builds choose it at boot: unknown. Source: Microsoft's
 * debugger documentation of !pte for x86; for x64, MemoryManager's randomisation of 1607 as
 * described at Black Hat USA 2016 (Windows 10 mitigation improvements).
 */
struct ds_opt ds_pte_base_of_build(enum ds_paging mode, struct ds_opt build);

#endif
