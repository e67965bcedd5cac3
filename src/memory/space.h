/*
 * An address space: virtual addresses to bytes, or to the reason why not. Two kinds: paged
 * (page tables in physical memory) and ranges (the captured pieces of a triage dump).
 */
#ifndef DS_MEMORY_SPACE_H
#define DS_MEMORY_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "dump/dump.h"
#include "memory/paging.h"

/* Why and where a read stopped. Costs no allocation. */
struct ds_fault {
    enum ds_status status;
    uint64_t va;    /* first virtual address that could not be read */
    uint64_t entry; /* raw page-table entry that ended the walk; 0 when none was read */
    int level;      /* 4 = PXE (PML4E) ... 1 = PTE; 0 = the page itself, or no walk was made:
                       a range, or an address that is not canonical */
    enum ds_pte_state state;        /* what that entry says about the page */
    struct ds_opt prototype;        /* virtual address of the prototype PTE that decided */
    struct ds_opt page_file;        /* number of the page file, 0 to 15 */
    struct ds_opt page_file_offset; /* in pages of 4096 bytes */
    bool mask_missing;              /* the invalid-PTE mask applies and is not known */
};

struct ds_space;

/* dtb as it stands in CR3, TTBR or KPROCESS: flags are removed. Errors: DS_UNSUPPORTED for
 * DS_PAGING_NONE; DS_NO_MEMORY. */
enum ds_status ds_space_open_paged(struct ds_dump *dump, enum ds_paging mode, uint64_t dtb,
                                   struct ds_space **ret, struct ds_err *err) DS_MUST_CHECK;
enum ds_status ds_space_open_ranges(struct ds_dump *dump, struct ds_space **ret,
                                    struct ds_err *err) DS_MUST_CHECK;
/* NULL is allowed. The dump stays open: a space borrows it. */
void ds_space_close(struct ds_space *s);

enum ds_paging ds_space_paging(const struct ds_space *s);
/* Physical address of the top table; 0 for ranges. */
uint64_t ds_space_dtb(const struct ds_space *s);
/* Sets the pointer size of the target (4 or 8): ds_space_read_ptr widens 4-byte ones with zero. */
void ds_space_set_pointer_size(struct ds_space *s, unsigned bytes);
unsigned ds_space_pointer_size(const struct ds_space *s);

/* ARM64: the table of the upper half (TTBR1) where it is not the one of the lower. */
void ds_space_set_upper_root(struct ds_space *s, uint64_t ttbr1);
/* Physical address of the top table of the upper half; that of the lower one but on ARM64. */
uint64_t ds_space_upper_root(const struct ds_space *s);
/* What this system's entries that are not present look like; cautious until told. */
void ds_space_set_pte_layout(struct ds_space *s, const struct ds_pte_layout *layout);
const struct ds_pte_layout *ds_space_pte_layout(const struct ds_space *s);
/* Where the page tables are mapped (MmPteBase), for the addresses of entries. */
void ds_space_set_pte_base(struct ds_space *s, struct ds_opt base);
struct ds_opt ds_space_pte_base(const struct ds_space *s);
/* The base as the top table itself tells: the place of the entry that points back at the table.
 * Unknown where there is none in the upper half, or more than one. x64, LA57 and ARM64. */
struct ds_opt ds_space_self_map(struct ds_space *s);
/* The space that prototype PTEs are read from: the kernel's, for a process or for the user tables
 * of KVA shadow. Borrowed; NULL = this space. */
void ds_space_set_prototypes(struct ds_space *s, struct ds_space *kernel);
/* Forgets cached translations and tables (to measure without them). */
void ds_space_flush(struct ds_space *s);

/*
 * Translates once, through page tables that may turn out to be none, without opening a space: for
 * trying page directories out. Only what the processor itself would translate. Errors:
 * DS_NOT_MAPPED, DS_CORRUPT, DS_UNSUPPORTED, the read fault of a table. *level (may be NULL) is
 * that of the last entry.
 */
enum ds_status ds_paging_probe(struct ds_dump *dump, enum ds_paging mode, uint64_t dtb, uint64_t va,
                               uint64_t *pa, int *level) DS_MUST_CHECK;
/* Reads through such a translation, across pages; buf is undefined on an error. */
enum ds_status ds_paging_probe_read(struct ds_dump *dump, enum ds_paging mode, uint64_t dtb,
                                    uint64_t va, void *buf, size_t len) DS_MUST_CHECK;

/*
 * Virtual to physical. Pages in transition and prototype PTEs are followed. Else the fault says
 * what the entry means: DS_PAGED_OUT in a page file, DS_NOT_IN_DUMP in a mapped file, or behind a
 * page table that was not captured or reads as zero throughout (levels above the PTEs),
 * DS_CORRUPT for a reserved bit, DS_NOT_MAPPED for the rest. DS_UNSUPPORTED on a space of ranges.
 * fault may be NULL.
 */
enum ds_status ds_space_translate(struct ds_space *s, uint64_t va, uint64_t *pa,
                                  struct ds_fault *fault) DS_MUST_CHECK;

/*
 * The same for many addresses that have nothing to do with each other, a good deal faster than
 * one by one: their entries are fetched at the same time. Each gets a status of its own; pa[i] is
 * set where status[i] is DS_OK.
 */
void ds_space_translate_many(struct ds_space *s, const uint64_t *va, size_t count, uint64_t *pa,
                             enum ds_status *status);

/* One entry of a walk. */
struct ds_walk_step {
    int level;              /* 5 to 1; 0 = the prototype PTE */
    const char *name;       /* static: WinDbg's word, "PXE" to "PTE", "prototype PTE" */
    struct ds_opt entry_pa; /* where it stands; unknown for a prototype PTE without a page */
    struct ds_opt entry_va; /* the same, in the region where the tables are mapped */
    struct ds_opt entry;    /* its content; unknown with the reason when it cannot be read */
    enum ds_pte_state state;
};

#define DS_WALK_STEPS 6 /* five levels and a prototype PTE */

/* A translation with all its steps (!vtop, !pte). */
struct ds_explanation {
    enum ds_status status; /* as ds_space_translate() */
    uint64_t pa;           /* when DS_OK */
    uint64_t page_size;    /* when DS_OK: 4096, or a large page's bytes */
    struct ds_fault fault; /* the state, also when DS_OK: valid, or transition */
    unsigned count;
    struct ds_walk_step steps[DS_WALK_STEPS];
};

/* Walks without the cache and keeps every entry. The same steps as ds_space_translate(). */
void ds_space_explain(struct ds_space *s, uint64_t va, struct ds_explanation *ret);

/* Goes on where an explanation of va found nothing, through the prototype PTE at `prototype` (which
 * a VAD named): adds its step and changes the outcome. */
void ds_space_explain_prototype(struct ds_space *s, uint64_t va, uint64_t prototype,
                                struct ds_explanation *ret);

/* A stretch of virtual memory that one walk, or one missing entry, answers for. */
struct ds_space_run {
    uint64_t va, size;
    enum ds_status status; /* DS_OK: mapped at `pa`, contiguous; DS_LOOP: page tables that map
                              themselves, skipped; else why not, as in a fault */
    uint64_t pa;
    enum ds_pte_state state;
};

/* Goes through an address space in order. Start with {.va = first, .end = last byte}. */
struct ds_space_iter {
    uint64_t va, end; /* both inclusive */
    uint64_t entries; /* looked at so far */
    uint64_t limit;   /* of entries; 0 = DS_LIMIT_RUN_ENTRIES */
    bool done;
};

/*
 * The next stretch: neighbours of the same kind are joined, holes are skipped entry by entry of
 * the highest level that lacks them. DS_OK with *run; DS_NOT_FOUND at the end; DS_LIMIT after
 * `limit` entries (hostile tables map everything to one page): it->va is where, and with
 * it->entries set to 0 it goes on from there. The work is bounded by the entries, a page of the
 * table and one more walk each at most.
 */
enum ds_status ds_space_next_run(struct ds_space *s, struct ds_space_iter *it,
                                 struct ds_space_run *run) DS_MUST_CHECK;

/* All bytes or a fault; buf is undefined on a fault. fault may be NULL. */
enum ds_status ds_space_read(struct ds_space *s, uint64_t va, void *buf, size_t len,
                             struct ds_fault *fault) DS_MUST_CHECK;

/* Typed little-endian reads. size: 1, 2, 4 or 8. */
enum ds_status ds_space_read_uint(struct ds_space *s, uint64_t va, unsigned size, uint64_t *ret,
                                  struct ds_fault *fault) DS_MUST_CHECK;
enum ds_status ds_space_read_ptr(struct ds_space *s, uint64_t va, uint64_t *ret,
                                 struct ds_fault *fault) DS_MUST_CHECK;

/*
 * Reads the UNICODE_STRING at va (x86: 8 bytes; x64: 16) and appends its text as UTF-8. At most
 * DS_LIMIT_STRING units. On a fault `out` is unchanged.
 */
enum ds_status ds_space_read_ustr(struct ds_space *s, uint64_t va, struct ds_buf *out,
                                  struct ds_fault *fault) DS_MUST_CHECK;

#endif
