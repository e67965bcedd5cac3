/*
 * What processors have queued: DPCs, timers, threads that are ready, work for worker threads.
 * Each table is walked on first use. Addresses are virtual; a ds_opt that is unknown says why.
 */
#ifndef DS_NT_DISPATCH_H
#define DS_NT_DISPATCH_H

#include "nt/nt.h"

/* ---- queued DPCs: KPRCB.DpcData, before Server 2003 KPRCB.DpcListHead ---- */
struct ds_dpc {
    uint32_t processor; /* its number */
    bool threaded;      /* in the queue of threaded DPCs */
    uint32_t position;  /* in its queue, from 0: the order in which they are to run */
    uint64_t kdpc;
    struct ds_opt routine, context, argument1, argument2;
    struct ds_opt importance; /* KDPC_IMPORTANCE (wdm.h): 0 low, 1 medium, 2 high, 3 medium high */
};
struct ds_dpcs {
    const struct ds_dpc *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_dpcs *ds_nt_dpcs(struct ds_nt *nt);

/* "Low", "Medium", "High", "MediumHigh"; NULL for others. */
const char *ds_dpc_importance_name(uint64_t importance);

/* ---- timers: KPRCB.TimerTable, before Windows 7 the kernel's KiTimerTableListHead ---- */
struct ds_timer {
    struct ds_opt processor; /* number; unknown before Windows 7, when processors share the table */
    uint32_t bucket;         /* list of the table, from 0 */
    uint64_t ktimer;
    struct ds_opt synchronization; /* 1: one waiter is let go; 0: a notification timer */
    struct ds_opt absolute;        /* set for a time of day */
    struct ds_opt due_time;        /* interrupt time, 100 ns */
    struct ds_opt due_in_ms;       /* from the dump's interrupt time on; signed */
    struct ds_opt period;          /* ms; 0: once */
    struct ds_opt dpc;             /* KDPC, decoded; 0 when it has none */
    const char *dpc_state; /* static: "none", "plain", "decoded", "encoded" (the keys are not
                              known), "corrupt" (no way gives a KDPC) */
    struct ds_opt routine, context; /* of the KDPC */
    struct ds_opt thread;           /* whose own timer it is: a wait with a timeout */
};
struct ds_timers {
    const struct ds_timer *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_timers *ds_nt_timers(struct ds_nt *nt);

/* KUSER_SHARED_DATA.InterruptTime: 100 ns since the start, without sleep before Windows 7. */
struct ds_opt ds_nt_interrupt_time(struct ds_nt *nt);

/* ---- threads that could run ---- */
struct ds_ready_thread {
    uint64_t ethread;
    struct ds_opt processor; /* number; unknown for a queue that processors share */
    struct ds_opt queue;     /* virtual: KSHARED_READY_QUEUE; unknown for others */
    struct ds_opt priority;
    struct ds_opt state;                 /* KTHREAD_STATE */
    struct ds_opt eprocess, pid, tid;    /* unknown when the table of threads lacks it */
    struct ds_opt ready_ticks, ready_ms; /* since it became ready: KTHREAD.WaitTime */
    const char *source;                  /* static: "DispatcherReadyListHead", "SharedReadyQueue",
                                            "DeferredReadyListHead", "KiDispatcherReadyListHead", "KTHREAD.State":
                                            in no queue that was read */
};
struct ds_ready_threads {
    const struct ds_ready_thread *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_ready_threads *ds_nt_ready_threads(struct ds_nt *nt);

/* ---- the executive's worker threads and what they are to do ---- */
struct ds_worker_queue {
    uint64_t queue;         /* KQUEUE, or KPRIQUEUE from Windows 8.1 on */
    const char *kind;       /* static: "Critical", "Delayed", "HyperCritical" (WORK_QUEUE_TYPE),
                               "priority" (KPRIQUEUE); NULL when not known which */
    const char *source;     /* static: "ExWorkerQueue", "KTHREAD.Queue" */
    struct ds_opt running;  /* threads that are at work: CurrentCount */
    struct ds_opt maximum;  /* that may be at a time: MaximumCount */
    struct ds_opt threads;  /* that serve it: in ThreadListHead */
    struct ds_opt waiting;  /* of them, those that wait for work */
    struct ds_opt blocked;  /* of them, those that wait for something else */
    struct ds_opt items;    /* that are queued, as found */
    struct ds_opt signaled; /* SignalState: how many it says */
};
struct ds_worker_queues {
    const struct ds_worker_queue *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_worker_queues *ds_nt_worker_queues(struct ds_nt *nt);

struct ds_work_item {
    uint64_t queue;
    struct ds_opt priority; /* list of a KPRIQUEUE */
    uint32_t position;      /* in its list, from 0 */
    uint64_t item;          /* WORK_QUEUE_ITEM */
    struct ds_opt routine, parameter;
    struct ds_opt driver_routine; /* of the IO_WORKITEM that it is part of */
    struct ds_opt device;         /* DEVICE_OBJECT or DRIVER_OBJECT of that */
};
struct ds_work_items {
    const struct ds_work_item *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_work_items *ds_nt_work_items(struct ds_nt *nt);

struct ds_nt_dispatch;
void ds_nt_dispatch_free(struct ds_nt_dispatch *d);

#endif
