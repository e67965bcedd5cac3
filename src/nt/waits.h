/*
 * What waiting threads wait for: the KWAIT_BLOCKs of every thread whose State is Waiting, read
 * once, with an index by object and by thread. For the table, for locks and for the wait graph.
 */
#ifndef DS_NT_WAITS_H
#define DS_NT_WAITS_H

#include "nt/nt.h"

#define DS_NO_ROW UINT32_MAX

/* One object that a waiting thread waits for (table wait_blocks). */
struct ds_wait_block {
    uint64_t ethread;
    uint32_t thread;      /* its row in ds_nt_threads() */
    uint32_t next;        /* the next row for the same object; DS_NO_ROW at the end */
    uint32_t number;      /* of the block, from 0 per thread */
    struct ds_opt block;  /* virtual: _KWAIT_BLOCK; unknown where a gate is waited for without */
    struct ds_opt object; /* virtual: what begins with a _DISPATCHER_HEADER */
    struct ds_opt object_type;  /* _KOBJECTS, by the dispatcher header */
    struct ds_opt signal_state; /* DISPATCHER_HEADER.SignalState, signed */
    struct ds_opt limit;        /* KSEMAPHORE.Limit; unknown for other types */
    struct ds_opt owner_thread; /* KMUTANT.OwnerThread; 0 when free; unknown for other types */
    struct ds_opt wait_key;     /* what the wait is satisfied with, 0 for the first object */
    struct ds_opt wait_type;    /* WAIT_TYPE: 0 all, 1 any, 2 notification, 3 dequeue, 4 DPC */
    bool any;                   /* one of several objects, of which any ends the wait */
    bool timeout;               /* the wait ends by the thread's timer at the latest */
    const char *object_is;      /* static: "own suspend semaphore", "own timer", ...; "thread" or
                                   "process" of the tables; NULL when nothing is known of it */
};
struct ds_wait_blocks {
    const struct ds_wait_block *rows;
    size_t count;
    struct ds_walk walk; /* incomplete when a thread's state or blocks could not be read */
};
const struct ds_wait_blocks *ds_nt_wait_blocks(struct ds_nt *nt);
/* The first wait for the object (a row of ds_nt_wait_blocks()), or DS_NO_ROW. */
uint32_t ds_nt_waits_on(struct ds_nt *nt, uint64_t object);
/* The row of a thread in ds_nt_threads(), or DS_NO_ROW. */
uint32_t ds_nt_thread_row(struct ds_nt *nt, uint64_t ethread);
/* Whether the kernel's words for why a thread waits are these: ds_wait_reason_name(). */
bool ds_thread_waits_for(const struct ds_thread *thread, const char *reason);

/* KTHREAD.State of any thread, listed or not; DS_CORRUPT when there is no thread at the address. */
struct ds_opt ds_nt_thread_state(struct ds_nt *nt, uint64_t ethread);
/* 1 when it has ended or is no thread any more, 0 when it is one or ethread is 0 (nobody). */
struct ds_opt ds_nt_thread_ended(struct ds_nt *nt, struct ds_opt ethread);

/* "EventNotificationObject", ... NULL for values outside the enum. */
const char *ds_kernel_object_name(const struct ds_target *t, uint64_t type);
/* "all", "any", "notification", "dequeue", "DPC" (wdm.h, WAIT_TYPE); NULL for others. */
const char *ds_wait_type_name(uint64_t type);

struct ds_nt_waits;
void ds_nt_waits_free(struct ds_nt_waits *w);

#endif
