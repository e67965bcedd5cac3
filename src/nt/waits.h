/* What the waiting threads wait for: their wait blocks. */
#ifndef DS_NT_WAITS_H
#define DS_NT_WAITS_H

#include "nt/nt.h"

/* One object that a waiting thread waits for (table wait_blocks). */
struct ds_wait_block {
    uint64_t ethread;
    size_t thread;        /* its row in ds_nt_threads() */
    uint32_t number;      /* of the block, from 0 per thread */
    struct ds_opt block;  /* virtual: _KWAIT_BLOCK; unknown where a gate is waited for without */
    struct ds_opt object; /* virtual: what begins with a _DISPATCHER_HEADER */
    struct ds_opt object_type;  /* _KOBJECTS, by the dispatcher header */
    struct ds_opt signal_state; /* DISPATCHER_HEADER.SignalState, signed */
    struct ds_opt limit;        /* KSEMAPHORE.Limit; unknown for other types */
    struct ds_opt owner_thread; /* KMUTANT.OwnerThread; 0 when free; unknown for other types */
    struct ds_opt wait_key;     /* what the wait is satisfied with, 0 for the first object */
    struct ds_opt wait_type;    /* WAIT_TYPE: 0 all, 1 any, 2 notification, 3 dequeue, 4 DPC */
    const char *object_is;      /* static: "own suspend semaphore", "own timer", ...; "thread" or
                                   "process" of the tables; NULL when nothing is known of it */
};
struct ds_wait_blocks {
    const struct ds_wait_block *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_wait_blocks *ds_nt_wait_blocks(struct ds_nt *nt);

/* "EventNotificationObject", ... NULL for values outside the enum. */
const char *ds_kernel_object_name(const struct ds_target *t, uint64_t type);
/* "all", "any", "notification", "dequeue", "DPC" (wdm.h, WAIT_TYPE); NULL for others. */
const char *ds_wait_type_name(uint64_t type);

struct ds_nt_waits;
void ds_nt_waits_free(struct ds_nt_waits *w);

#endif
