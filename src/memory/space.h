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

/* How page tables are read. */
enum ds_paging {
    DS_PAGING_NONE, /* a space of ranges: no page tables */
    DS_PAGING_X86,  /* 2 levels, 4-byte entries */
    DS_PAGING_PAE,  /* 3 levels, 8-byte entries */
    DS_PAGING_X64,  /* 4 levels */
    DS_PAGING_LA57, /* 5 levels */
    DS_PAGING_ARM64 /* 4 KB granule */
};

/* Why and where a read stopped. Costs no allocation. */
struct ds_fault {
    enum ds_status status;
    uint64_t va;    /* first virtual address that could not be read */
    uint64_t entry; /* raw page-table entry that ended the walk; 0 when none was read */
    int level;      /* 4 = PXE (PML4E) ... 1 = PTE; 0 = the page itself, or no walk was made:
                       a range, or an address that is not canonical */
};

struct ds_space;

/* Errors: DS_UNSUPPORTED for a paging mode that this version cannot walk; DS_NO_MEMORY. */
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

/*
 * Virtual to physical. A page that is not present is DS_NOT_MAPPED, its entry in the fault (also
 * one in transition, whose page may still be in memory), or DS_PAGED_OUT where the entry cannot
 * be anything else; a page table that was not captured is DS_NOT_IN_DUMP. DS_UNSUPPORTED on a space
 * of ranges. fault may be NULL. */
enum ds_status ds_space_translate(struct ds_space *s, uint64_t va, uint64_t *pa,
                                  struct ds_fault *fault) DS_MUST_CHECK;

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
