/*
 * Address spaces of one snapshot: the kernel's, every process's, the user tables of KVA shadow,
 * and any page directory that somebody names.
 */
#ifndef DS_NT_SPACES_H
#define DS_NT_SPACES_H

#include "nt/nt.h"

/*
 * The address space of a page directory (as in CR3, TTBR or KPROCESS: flags are removed), read
 * as this kernel's are: its paging mode, software states, prototype PTEs through the kernel. The
 * kernel's own space when it is that directory. Borrowed; good until DS_LIMIT_SPACES others were
 * asked for. Errors: DS_UNSUPPORTED (a minidump: no page tables), or why the kernel has no address
 * space; DS_NO_MEMORY.
 */
enum ds_status ds_nt_space_at(struct ds_nt *nt, uint64_t dtb, struct ds_space **ret) DS_MUST_CHECK;

/*
 * The address space of a process, by its EPROCESS: the tables that kernel mode runs on, which
 * with KVA shadow map user memory too. Errors also: DS_NO_FIELD, and the faults of reading
 * KPROCESS.DirectoryTableBase; DS_NOT_FOUND when it is zero.
 */
enum ds_status ds_nt_space_of(struct ds_nt *nt, uint64_t eprocess,
                              struct ds_space **ret) DS_MUST_CHECK;

/* KPROCESS.DirectoryTableBase; its first word where it is an array of two (to Server 2003). */
struct ds_opt ds_nt_dtb(struct ds_nt *nt, uint64_t eprocess);

/*
 * Directory base of the tables that user mode runs on (KPROCESS.UserDirectoryTableBase), address
 * bits only. Unknown: DS_NO_FIELD before KVA shadow, DS_NOT_FOUND when this process has none
 * (zero, or flags alone), or why it cannot be read.
 */
struct ds_opt ds_nt_user_dtb(struct ds_nt *nt, uint64_t eprocess);

#endif
