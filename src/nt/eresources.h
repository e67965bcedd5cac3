/*
 * Executive resources: ExpSystemResourcesList, with who owns each and who waits for it.
 * Owners: the two OwnerThreads up to Server 2003, OwnerEntry since Vista, and OwnerTable.
 * Waiters: the wait lists of a semaphore (shared) and an event (exclusive) up to Windows 8.1;
 * later of _KWAIT_CHAIN_ENTRYs on the waiters' own stacks, which are believed only if the waiter's
 * KWAIT_BLOCK leads to them.
 */
#ifndef DS_NT_ERESOURCES_H
#define DS_NT_ERESOURCES_H

#include "nt/waits.h"

struct ds_eresource {
    uint64_t address;              /* _ERESOURCE: virtual */
    struct ds_opt active;          /* ActiveEntries, ActiveCount where there is none */
    struct ds_opt flag;            /* Flag, of wdm.h: 0x80 = owned exclusively */
    struct ds_opt exclusive;       /* 1 when owned exclusively; unknown when nobody owns it */
    struct ds_opt contention;      /* ContentionCount */
    struct ds_opt shared_count;    /* NumberOfSharedWaiters */
    struct ds_opt exclusive_count; /* NumberOfExclusiveWaiters */
    uint32_t owners;               /* threads that own it, as found */
    uint32_t shared_found, exclusive_found; /* waiters, as found */
    const char *waiters_why; /* static: why some could not be found; NULL when all were */
};

/* One entry of an owner table that names a thread. */
struct ds_eresource_owner {
    uint32_t row;         /* of the resource */
    uint64_t resource;    /* _ERESOURCE */
    uint64_t raw;         /* OwnerThread as it stands there */
    struct ds_opt thread; /* _KTHREAD; unknown when raw is an owner pointer that is no thread */
    bool owner_pointer;   /* its low two bits are set: ExSetResourceOwnerPointer() */
    struct ds_opt count;  /* OwnerCount: how many times it was acquired */
    struct ds_opt owns;   /* 0: it waits, its entry was made ahead; unknown: cannot be told */
    struct ds_opt state;  /* KTHREAD_STATE; unknown when there is no thread any more */
    const char *place;    /* static: "OwnerThreads[0]", "OwnerEntry", "OwnerTable" */
    uint32_t index;       /* in OwnerTable */
};

struct ds_eresource_waiter {
    uint32_t row;       /* of the resource */
    uint64_t resource;  /* _ERESOURCE */
    uint64_t thread;    /* _KTHREAD */
    bool exclusive;     /* wants it exclusively */
    uint64_t object;    /* dispatcher object that its KWAIT_BLOCK names */
    const char *source; /* static: "wait list", "wait block", "wait chain", "wait chain of another
                           waiter" */
};

struct ds_eresources {
    const struct ds_eresource *rows;
    size_t count;
    struct ds_walk walk;
    const struct ds_eresource_owner *owners;
    size_t owner_count;
    struct ds_walk owner_walk;
    const struct ds_eresource_waiter *waiters;
    size_t waiter_count;
    struct ds_walk waiter_walk;
};
const struct ds_eresources *ds_nt_eresources(struct ds_nt *nt);

#endif
