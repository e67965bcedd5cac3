/* What a translation came to, in words; and the words for protections. */
#ifndef DS_MEMORY_WORDS_H
#define DS_MEMORY_WORDS_H

#include "memory/space.h"

/*
 * Appends one clause that says why the address has no page that can be read, with what the entry
 * tells (page file and offset, prototype PTE, the level that ended the walk). Nothing when it
 * translates. `digits`: of a virtual address.
 */
void ds_fault_words(enum ds_paging mode, const struct ds_fault *fault, unsigned digits,
                    struct ds_buf *out);

/*
 * The protection in a software PTE, or of a VAD: bits 0 to 2 the access, 3 and 4 its kind.
 * "READWRITE", "EXECUTE_WRITECOPY"; a static text. Source: the values of MmProtectToValue, as
 * Volatility's vadinfo and MemProcFS list them.
 */
const char *ds_protection_name(unsigned protection);

/* The protection bits (5 to 9) of an entry that is not present and in a form that has them;
 * unknown for others: prototype entries keep theirs elsewhere, by build. */
struct ds_opt ds_pte_protection(enum ds_paging mode, uint64_t entry, enum ds_pte_state state);

#endif
