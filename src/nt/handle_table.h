/*
 * Handle tables: of a process (EPROCESS.ObjectTable), and PspCidTable, whose "handles" are process
 * and thread ids. A table is one page of entries, or one or two levels of pages of pointers above
 * such pages; the low two bits of TableCode tell the levels. Members by the names of Microsoft's
 * public symbols; handle values rise by 4, and the first entry of each page is never a handle
 * (Windows Internals, "Object handles and the process handle table").
 */
#ifndef DS_NT_HANDLE_TABLE_H
#define DS_NT_HANDLE_TABLE_H

#include "memory/walk.h"
#include "nt/nt.h"

/* An entry that is in use. */
struct ds_handle_entry {
    uint64_t entry;  /* _HANDLE_TABLE_ENTRY: virtual */
    uint64_t handle; /* its value: 4, 8, ...; in PspCidTable a process or thread id */
    uint64_t object; /* what it refers to, without flags: the _OBJECT_HEADER in the table of a
                        process, the _EPROCESS or _ETHREAD itself in PspCidTable. Virtual */
    uint32_t access; /* access mask that was granted, 25 bits; nothing in PspCidTable */
};

/*
 * Walks the _HANDLE_TABLE at `table` and calls `each` (may be NULL) for every entry in use, by
 * handle; false from it ends the walk, as complete. What lies behind a page that cannot be read is
 * gone on with: the result has the first failure, its address, and the number of entries found.
 * *budget (may be NULL) is how many pages may be read, and is lowered by those that were;
 * DS_LIMIT_HANDLE_PAGES without it.
 * Errors: DS_NO_FIELD (no layout), the faults of reading; DS_LOOP (a page stands in the table
 * twice); DS_CORRUPT (a pointer that leads out of the kernel, or levels that no table has);
 * DS_LIMIT.
 */
struct ds_walk_end
ds_handle_table_walk(struct ds_nt *nt, uint64_t table, uint64_t *budget,
                     bool (*each)(const struct ds_handle_entry *entry, void *arg), void *arg);

/*
 * How many handles a process has: HandleCount where the table keeps one (to Windows 7), else by
 * counting entries, which must be complete. 0 for a process whose table was given back. Unknown
 * with the reason otherwise.
 */
struct ds_opt ds_nt_handle_count(struct ds_nt *nt, uint64_t eprocess, uint64_t *budget);

/* The _HANDLE_TABLE of process and thread ids: *PspCidTable. Unknown: DS_NO_SYMBOL, the faults. */
struct ds_opt ds_nt_cid_table(struct ds_nt *nt);

#endif
