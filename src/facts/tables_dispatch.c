/* Tables over what processors have queued: DPCs, timers, ready threads, work. */
#include "facts/cells.h"
#include "facts/table.h"
#include "nt/dispatch.h"

static void derive_dpc_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    struct ds_opt routine = ((const struct ds_dpc *)row)->routine;
    if (ds_opt_or(routine, 0) != 0)
        ds_value_symbol(f, routine.value, v);
}

static void derive_importance_name(struct ds_facts *f, const void *row, size_t i,
                                   struct ds_value *v)
{
    (void)f;
    (void)i;
    struct ds_opt importance = ((const struct ds_dpc *)row)->importance;
    if (importance.known)
        ds_value_text(v, ds_dpc_importance_name(importance.value));
}

#define ROW struct ds_dpc
static const struct ds_column_spec dpc_columns[] = {
    {"processor", DS_COL_INTEGER, "number of the processor that is to run it", "!dpcs (CPU)",
     DS_FIELD(ROW, processor)},
    {"threaded", DS_COL_BOOL, "in the queue of threaded DPCs", "!dpcs (Type)",
     DS_FIELD(ROW, threaded)},
    {"position", DS_COL_INTEGER, "place in its queue, from 0: the order in which they run", "!dpcs",
     DS_FIELD(ROW, position)},
    {"kdpc", DS_COL_ADDRESS, "_KDPC: virtual", "!dpcs (KDPC)", DS_FIELD(ROW, kdpc)},
    {"routine", DS_COL_ADDRESS, "DeferredRoutine: virtual", "!dpcs (Function)",
     DS_FIELD(ROW, routine)},
    {"symbol", DS_COL_TEXT, "routine as function and offset, or module and offset",
     "!dpcs (Function)", DS_DERIVED(derive_dpc_symbol)},
    {"context", DS_COL_ADDRESS, "DeferredContext", "dt nt!_KDPC", DS_FIELD(ROW, context)},
    {"argument1", DS_COL_ADDRESS, "SystemArgument1", "dt nt!_KDPC", DS_FIELD(ROW, argument1)},
    {"argument2", DS_COL_ADDRESS, "SystemArgument2", "dt nt!_KDPC", DS_FIELD(ROW, argument2)},
    {"importance", DS_COL_INTEGER, "KDPC_IMPORTANCE (wdm.h)", "dt nt!_KDPC",
     DS_FIELD(ROW, importance)},
    {"importance_name", DS_COL_TEXT, "Low, Medium, High or MediumHigh", "dt nt!_KDPC",
     DS_DERIVED(derive_importance_name)},
};
#undef ROW

static void dpcs_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_dpcs *d = ds_nt_dpcs(ds_facts_nt(f));
    *ret = (struct ds_rows){d->rows, sizeof(*d->rows), d->count, d->walk};
}

DS_TABLE_WITH_LAYOUT(dpcs, "DPCs that wait in the queues of the processors.", "!dpcs", dpc_columns,
                     dpcs_fill, NULL);

static void derive_timer_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    struct ds_opt routine = ((const struct ds_timer *)row)->routine;
    if (ds_opt_or(routine, 0) != 0)
        ds_value_symbol(f, routine.value, v);
}

#define ROW struct ds_timer
static const struct ds_column_spec timer_columns[] = {
    {"processor", DS_COL_INTEGER,
     "number of the processor whose table it is in; NULL before Windows 7: one table for all",
     "!timer", DS_FIELD(ROW, processor)},
    {"bucket", DS_COL_INTEGER, "list of the timer table, from 0", "!timer (List)",
     DS_FIELD(ROW, bucket)},
    {"ktimer", DS_COL_ADDRESS, "_KTIMER: virtual", "!timer (Timer)", DS_FIELD(ROW, ktimer)},
    {"synchronization", DS_COL_BOOL, "a synchronization timer; 0: a notification timer",
     "dt nt!_DISPATCHER_HEADER (Type)", DS_FIELD(ROW, synchronization)},
    {"absolute", DS_COL_BOOL, "set for a time of day, not for a span",
     "dt nt!_DISPATCHER_HEADER (Absolute)", DS_FIELD(ROW, absolute)},
    {"due_time", DS_COL_INTEGER, "DueTime: interrupt time in 100 ns", "!timer (Interrupt Low/High)",
     DS_FIELD(ROW, due_time)},
    {"due_in_ms", DS_COL_INTEGER,
     "milliseconds from the dump's interrupt time to due_time; negative when it is overdue",
     "!timer (Fire Time)", DS_FIELD(ROW, due_in_ms)},
    {"period", DS_COL_INTEGER, "Period: milliseconds; 0 for a timer that fires once", "!timer (P)",
     DS_FIELD(ROW, period)},
    {"dpc", DS_COL_ADDRESS, "_KDPC that is queued when it fires: virtual, decoded; 0 when none",
     "dt nt!_KTIMER", DS_FIELD(ROW, dpc)},
    {"dpc_state", DS_COL_TEXT,
     "none; plain; decoded: by the kernel's keys and the timer's address (64-bit kernels since "
     "Windows 7); encoded: the keys are not known; corrupt: no way gives a KDPC",
     "", DS_FIELD(ROW, dpc_state)},
    {"routine", DS_COL_ADDRESS, "DeferredRoutine of the KDPC: virtual", "!timer (DPC/thread)",
     DS_FIELD(ROW, routine)},
    {"symbol", DS_COL_TEXT, "routine as function and offset, or module and offset",
     "!timer (DPC/thread)", DS_DERIVED(derive_timer_symbol)},
    {"context", DS_COL_ADDRESS, "DeferredContext of the KDPC", "dt nt!_KDPC",
     DS_FIELD(ROW, context)},
    {"thread", DS_COL_ADDRESS, "_KTHREAD whose own timer it is: the end of a wait",
     "!timer (DPC/thread)", DS_FIELD(ROW, thread)},
};
#undef ROW

static void timers_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_timers *t = ds_nt_timers(ds_facts_nt(f));
    *ret = (struct ds_rows){t->rows, sizeof(*t->rows), t->count, t->walk};
}

DS_TABLE_WITH_LAYOUT(timers, "Timers that are set: the timer tables. Without KTIMER2.", "!timer",
                     timer_columns, timers_fill, NULL);

static void derive_ready_state(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    struct ds_opt state = ((const struct ds_ready_thread *)row)->state;
    if (state.known)
        ds_value_text(v, ds_thread_state_name(state.value));
}

#define ROW struct ds_ready_thread
static const struct ds_column_spec ready_thread_columns[] = {
    {"ethread", DS_COL_ADDRESS, "_ETHREAD: virtual", "!ready (THREAD)", DS_FIELD(ROW, ethread)},
    {"processor", DS_COL_INTEGER, "number of the processor whose list it is in; NULL for others",
     "!ready (Processor)", DS_FIELD(ROW, processor)},
    {"shared_queue", DS_COL_ADDRESS, "_KSHARED_READY_QUEUE that it is in: virtual",
     "!ready (SharedReadyQueue)", DS_FIELD(ROW, queue)},
    {"priority", DS_COL_INTEGER, "Priority", "!ready (at priority)", DS_FIELD(ROW, priority)},
    {"state", DS_COL_INTEGER, "KTHREAD_STATE", "!thread", DS_FIELD(ROW, state)},
    {"state_name", DS_COL_TEXT, "name of state: Ready, DeferredReady, ...", "!thread",
     DS_DERIVED(derive_ready_state)},
    {"eprocess", DS_COL_ADDRESS, "_EPROCESS it belongs to; NULL when threads lacks it",
     "!thread (Owning Process)", DS_FIELD(ROW, eprocess)},
    {"pid", DS_COL_INTEGER, "UniqueProcess of its client id", "!ready (Cid)", DS_FIELD(ROW, pid)},
    {"tid", DS_COL_INTEGER, "UniqueThread of its client id", "!ready (Cid)", DS_FIELD(ROW, tid)},
    {"ready_ticks", DS_COL_INTEGER, "clock ticks since it became ready: WaitTime",
     "!thread (Ticks)", DS_FIELD(ROW, ready_ticks)},
    {"ready_ms", DS_COL_INTEGER, "the same in milliseconds", "!thread (Ticks)",
     DS_FIELD(ROW, ready_ms)},
    {"source", DS_COL_TEXT,
     "DispatcherReadyListHead, SharedReadyQueue, DeferredReadyListHead, KiDispatcherReadyListHead; "
     "KTHREAD.State: by its state alone, it stands in no list that was read",
     "", DS_FIELD(ROW, source)},
};
#undef ROW

static void ready_threads_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_ready_threads *t = ds_nt_ready_threads(ds_facts_nt(f));
    *ret = (struct ds_rows){t->rows, sizeof(*t->rows), t->count, t->walk};
}

DS_TABLE_WITH_LAYOUT(ready_threads, "Threads that could run and do not.", "!ready",
                     ready_thread_columns, ready_threads_fill, NULL);

#define ROW struct ds_worker_queue
static const struct ds_column_spec worker_queue_columns[] = {
    {"queue", DS_COL_ADDRESS, "_KQUEUE, or _KPRIQUEUE since Windows 8.1: virtual", "!exqueue",
     DS_FIELD(ROW, queue)},
    {"kind", DS_COL_TEXT,
     "Critical, Delayed, HyperCritical (WORK_QUEUE_TYPE); priority: a KPRIQUEUE; NULL when not "
     "known which",
     "!exqueue", DS_FIELD(ROW, kind)},
    {"items", DS_COL_INTEGER, "entries that wait in it, as found", "!exqueue (Pending)",
     DS_FIELD(ROW, items)},
    {"signal_state", DS_COL_INTEGER, "SignalState: how many entries it counts",
     "dt nt!_DISPATCHER_HEADER", DS_FIELD(ROW, signaled)},
    {"running", DS_COL_INTEGER, "CurrentCount: threads that are at work; of a KPRIQUEUE the sum",
     "!exqueue (Current)", DS_FIELD(ROW, running)},
    {"maximum", DS_COL_INTEGER, "MaximumCount: threads that may be at work at a time",
     "!exqueue (Max)", DS_FIELD(ROW, maximum)},
    {"threads", DS_COL_INTEGER, "threads that serve it", "!exqueue", DS_FIELD(ROW, threads)},
    {"threads_waiting", DS_COL_INTEGER, "of them, those that wait for work: WrQueue", "!exqueue",
     DS_FIELD(ROW, waiting)},
    {"threads_blocked", DS_COL_INTEGER, "of them, those that wait for something else", "!exqueue",
     DS_FIELD(ROW, blocked)},
    {"source", DS_COL_TEXT, "ExWorkerQueue; KTHREAD.Queue: a thread of System serves it", "",
     DS_FIELD(ROW, source)},
};
#undef ROW

static void worker_queues_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_worker_queues *q = ds_nt_worker_queues(ds_facts_nt(f));
    *ret = (struct ds_rows){q->rows, sizeof(*q->rows), q->count, q->walk};
}

DS_TABLE_WITH_LAYOUT(worker_queues, "Queues that threads of the System process serve.", "!exqueue",
                     worker_queue_columns, worker_queues_fill, "queue");

static void derive_item_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    struct ds_opt routine = ((const struct ds_work_item *)row)->routine;
    if (ds_opt_or(routine, 0) != 0)
        ds_value_symbol(f, routine.value, v);
}

static void derive_driver_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    struct ds_opt routine = ((const struct ds_work_item *)row)->driver_routine;
    if (ds_opt_or(routine, 0) != 0)
        ds_value_symbol(f, routine.value, v);
}

#define ROW struct ds_work_item
static const struct ds_column_spec work_item_columns[] = {
    {"queue", DS_COL_ADDRESS, "the queue, as in worker_queues", "!exqueue", DS_FIELD(ROW, queue)},
    {"priority", DS_COL_INTEGER, "list of a _KPRIQUEUE; NULL for a _KQUEUE", "!exqueue",
     DS_FIELD(ROW, priority)},
    {"position", DS_COL_INTEGER, "place in its list, from 0", "!exqueue", DS_FIELD(ROW, position)},
    {"item", DS_COL_ADDRESS, "_WORK_QUEUE_ITEM: virtual", "!exqueue (PENDING: IoWorkItem)",
     DS_FIELD(ROW, item)},
    {"routine", DS_COL_ADDRESS, "WorkerRoutine: virtual", "!exqueue (Routine)",
     DS_FIELD(ROW, routine)},
    {"symbol", DS_COL_TEXT, "routine as function and offset, or module and offset",
     "!exqueue (Routine)", DS_DERIVED(derive_item_symbol)},
    {"parameter", DS_COL_ADDRESS, "Parameter", "!exqueue (Parameter)", DS_FIELD(ROW, parameter)},
    {"driver_routine", DS_COL_ADDRESS,
     "routine of the _IO_WORKITEM that it is part of: virtual; NULL for others",
     "dt nt!_IO_WORKITEM", DS_FIELD(ROW, driver_routine)},
    {"driver_symbol", DS_COL_TEXT, "driver_routine as function and offset, or module and offset",
     "!exqueue (PENDING: IoWorkItem)", DS_DERIVED(derive_driver_symbol)},
    {"io_object", DS_COL_ADDRESS, "IoObject: device or driver that it was made for",
     "dt nt!_IO_WORKITEM", DS_FIELD(ROW, device)},
};
#undef ROW

static void work_items_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_work_items *w = ds_nt_work_items(ds_facts_nt(f));
    *ret = (struct ds_rows){w->rows, sizeof(*w->rows), w->count, w->walk};
}

DS_TABLE_WITH_LAYOUT(work_items, "Work that waits in the executive's queues.", "!exqueue",
                     work_item_columns, work_items_fill, NULL);
