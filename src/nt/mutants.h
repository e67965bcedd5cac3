/*
 * Mutants (KMUTANT; "mutex" to user mode) that can be seen from threads: those that waiting
 * threads wait for, and those in the list of what each thread owns (KTHREAD.MutantListHead). One
 * that nobody owns and nobody waits for is not among them.
 */
#ifndef DS_NT_MUTANTS_H
#define DS_NT_MUTANTS_H

#include "nt/waits.h"

struct ds_mutant {
    uint64_t address;           /* _KMUTANT: virtual */
    struct ds_opt owner;        /* OwnerThread: _KTHREAD; 0 when nobody owns it */
    struct ds_opt owner_ended;  /* 1: the owner has ended, or is no thread any more; 0 as well when
                                   nobody owns it */
    struct ds_opt signal_state; /* SignalState, signed: 1 free, 0 owned, less: owned again */
    struct ds_opt recursion;    /* how many times the owner has acquired it; 0 when free */
    struct ds_opt abandoned;    /* 1: an owner ended without releasing it */
    struct ds_opt apc_disable;  /* ApcDisable: 1 for a mutant of kernel mode (mutex) */
    const char *name;           /* of the object, without its directory; NULL when it has none, is
                                   no object (a driver's own memory), or cannot be read */
    uint32_t waiters;           /* threads that wait for it, as found */
    bool waited_for, listed;    /* found as a wait object, found in its owner's list */
};
struct ds_mutants {
    const struct ds_mutant *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_mutants *ds_nt_mutants(struct ds_nt *nt);
/* The row of a mutant, or DS_NO_ROW. */
uint32_t ds_nt_mutant_row(struct ds_nt *nt, uint64_t address);

struct ds_nt_mutants;
/* NULL is allowed. */
void ds_nt_mutants_free(struct ds_nt_mutants *m);

#endif
