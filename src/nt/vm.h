/*
 * What !vm, !sysptes and !poolused answer: the memory manager's counters, the page table entries
 * that the system maps with, the pools and what is allocated from them by tag.
 */
#ifndef DS_NT_VM_H
#define DS_NT_VM_H

#include "nt/nt.h"

/* The counters, in the order in which !vm shows them. */
enum ds_vm_id {
    DS_VM_PHYSICAL,
    DS_VM_AVAILABLE,
    DS_VM_RESIDENT_AVAILABLE,
    DS_VM_LOCKED_IO,
    DS_VM_FREE_SYSTEM_PTES,
    DS_VM_PTE_FAILURES,
    DS_VM_FREE_NP_PTES,
    DS_VM_ZEROED,
    DS_VM_FREE,
    DS_VM_STANDBY,
    DS_VM_MODIFIED,
    DS_VM_MODIFIED_NO_WRITE,
    DS_VM_MODIFIED_PAGE_FILE,
    DS_VM_NONPAGED_POOL,
    DS_VM_NONPAGED_POOL_COMMIT,
    DS_VM_NONPAGED_POOL_MAXIMUM,
    DS_VM_PAGED_POOL,
    DS_VM_PAGED_POOL_MAXIMUM,
    DS_VM_POOL_FAILURES,
    DS_VM_SHARED_COMMIT,
    DS_VM_SPECIAL_POOL,
    DS_VM_PROCESS_COMMIT,
    DS_VM_PAGED_POOL_COMMIT,
    DS_VM_DRIVER_COMMIT,
    DS_VM_BOOT_COMMIT,
    DS_VM_PAGE_TABLE_COMMIT,
    DS_VM_MDL_PAGES,
    DS_VM_COMMITTED,
    DS_VM_COMMIT_LIMIT,
    DS_VM_PEAK_COMMIT,
    DS_VM_COMMIT_LIMIT_MAXIMUM,
    DS_VM_PAGING_FILES,
    DS_VM_COUNT
};

struct ds_vm_counter {
    const char *name;    /* static, snake_case */
    const char *label;   /* static: the words of !vm; NULL when it does not show it */
    bool pages;          /* counts pages of 4096 bytes; else things */
    struct ds_opt value; /* unknown with the reason; a negative number keeps its sign bits */
    struct ds_opt place; /* virtual: where it stands; unknown for sums */
    const char *symbol;  /* static: "MmAvailablePages", the kernel's variable */
    const char *member;  /* static: "Vs.DriverCommit", in the variable; NULL when it is all of it */
    const char *why_text; /* static: why it is unknown; NULL when it is known */
};

struct ds_vm {
    struct ds_vm_counter rows[DS_VM_COUNT]; /* by enum ds_vm_id */
    size_t count;                           /* DS_VM_COUNT, or 0 without virtual memory */
    struct ds_walk walk;
    bool told;                          /* something of the whole system is known */
    struct ds_opt highest_user_address; /* MmHighestUserAddress */
    struct ds_opt grown_user_space;     /* x86: 1 with /3GB or /USERVA, by that address or by the
                                           kernel's own base; 0 elsewhere */
};

/* Never NULL. */
const struct ds_vm *ds_nt_vm(struct ds_nt *nt);

/* ---- system PTEs ---- */
struct ds_system_ptes {
    struct ds_opt start, end;   /* virtual: of the first and past the last entry */
    struct ds_opt total;        /* entries */
    struct ds_opt free;         /* as the kernel counts them */
    struct ds_opt failures;     /* allocations that failed */
    struct ds_opt list_free;    /* free, by walking the list of free blocks (up to Server 2003) */
    struct ds_opt free_blocks;  /* blocks in it */
    struct ds_opt largest_free; /* entries of the largest block */
    struct ds_opt mapped;       /* entries that map a page, by looking at each */
    struct ds_opt unmapped;     /* the others: free, or reserved and not in use yet */
    struct ds_opt largest_unmapped; /* the longest stretch of them */
    const char *counted_by;         /* static: where `free` comes from; NULL when unknown */
};
struct ds_system_pte_table {
    const struct ds_system_ptes *rows;
    size_t count; /* 1, or 0 when nothing is known */
    struct ds_walk walk;
};
const struct ds_system_pte_table *ds_nt_system_ptes(struct ds_nt *nt);

/* ---- pools ---- */
struct ds_pool {
    const char *kind;          /* static: "nonpaged", "paged" */
    uint32_t number;           /* among those of its kind */
    uint64_t descriptor;       /* _POOL_DESCRIPTOR: virtual */
    struct ds_opt pages;       /* in small blocks: TotalPages */
    struct ds_opt big_pages;   /* in allocations of whole pages: TotalBigPages */
    struct ds_opt total_pages; /* both */
    struct ds_opt bytes;       /* TotalBytes: allocated */
    struct ds_opt allocs, frees;
};
struct ds_pools {
    const struct ds_pool *rows;
    size_t count;
    struct ds_walk walk;
    struct ds_opt paged_pages; /* of all paged pools; unknown when one is missing */
};
const struct ds_pools *ds_nt_pools(struct ds_nt *nt);

/* ---- what is allocated, by pool tag ---- */
struct ds_pool_tag {
    uint32_t tag;  /* as it stands in memory: first character in the low byte */
    char text[17]; /* the four characters; others than printable ASCII as \xNN */
    struct ds_opt nonpaged_allocs, nonpaged_frees, nonpaged_bytes;
    struct ds_opt paged_allocs, paged_frees, paged_bytes;
    struct ds_opt nonpaged_in_use, paged_in_use; /* allocations outstanding */
};
struct ds_pool_tags {
    const struct ds_pool_tag *rows; /* ascending by tag as text */
    size_t count;
    struct ds_walk walk;
    uint32_t tables; /* tables that were added up: one per processor, expansions */
};
const struct ds_pool_tags *ds_nt_pool_tags(struct ds_nt *nt);

/* Frees what this keeps; NULL is allowed. */
struct ds_nt_vm;
void ds_nt_vm_free(struct ds_nt_vm *v);

#endif
