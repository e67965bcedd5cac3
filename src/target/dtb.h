/* Page directories: how well one fits, and finding them in memory. Private to this room. */
#ifndef DS_TARGET_DTB_H
#define DS_TARGET_DTB_H

#include "target/target.h"

/* What a page directory leads to, in one paging mode. */
struct ds_dtb_fit {
    enum ds_paging mode;
    uint64_t dtb;
    enum ds_status status; /* of the walk to KUSER_SHARED_DATA */
    int level;             /* of the entry where that walk ended */
    bool plausible;        /* what stands there reads like it */
    bool list;             /* the header's PsLoadedModuleList is a list through it */
    bool self;             /* it maps itself */
};

/* 0 = leads nowhere; more is better. A directory that maps KUSER_SHARED_DATA has at least 1. */
unsigned ds_dtb_rank(const struct ds_dtb_fit *fit);

/* Where KUSER_SHARED_DATA is mapped in kernel space (wdm.h): every process has it. */
uint64_t ds_dtb_shared_data(enum ds_paging mode);

/* Tries one out; reads a handful of entries. */
struct ds_dtb_fit ds_dtb_try(struct ds_target *t, enum ds_paging mode, uint64_t dtb);

/* The same in every mode that the architecture allows: the best, or the first of equals. */
struct ds_dtb_fit ds_dtb_try_modes(struct ds_target *t, uint64_t dtb);

/* The modes that the architecture allows (all, where it is unknown), the likeliest first. */
#define DS_DTB_MODES 5
size_t ds_dtb_modes(const struct ds_target *t, enum ds_paging modes[DS_DTB_MODES]);

/* ARM64: a top table of the lower half alone (TTBR0 where TTBR1 leads elsewhere): nothing in its
 * upper half, and in the lower one tables, at least one, and nothing else. */
bool ds_dtb_is_lower_half(struct ds_target *t, const struct ds_dtb_fit *fit);

/* What the search of physical memory came to. */
struct ds_dtb_search {
    struct ds_dtb_fit best;    /* rank 0 when there is none */
    uint64_t probes;           /* page directories tried out */
    enum ds_status status;     /* DS_LIMIT when it gave up */
    struct ds_opt start_block; /* physical: the low-memory start block, where there is one */
    struct ds_opt start_entry; /* virtual: the address in the kernel that it jumps to */
    struct ds_dtb_fit start_fit;
};

/* The start block of x64 systems, in the first megabyte (MemProcFS vmm/vmmwininit.c). */
void ds_dtb_find_start(struct ds_target *t, struct ds_dtb_search *s);
/* Each of the first `pages` captured pages as a top table of every mode. The first of the best rank
 * is taken. */
void ds_dtb_search(struct ds_target *t, uint64_t pages, struct ds_dtb_search *s);
/* Before a search: nothing found. */
struct ds_dtb_search ds_dtb_search_start(void);

#endif
