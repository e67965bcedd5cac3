/*
 * What the table of processors says beyond who runs: the rest of KPCR and KPRCB, read for all
 * processors on first use. Index i belongs to row i of ds_nt_processors(). Every value may be
 * unknown, with the reason. Times and limits are in clock ticks unless said otherwise.
 */
#ifndef DS_NT_PROCESSOR_DETAILS_H
#define DS_NT_PROCESSOR_DETAILS_H

#include "nt/nt.h"

#define DS_LOCK_QUEUES_MAX                                                                         \
    64 /* entries of KPRCB.LockQueue that are read; kernels have 16 to 49                          \
        */

struct ds_processor_detail {
    struct ds_opt pcr;       /* virtual: the KPCR that the KPRCB is part of */
    struct ds_opt idle;      /* 1 when the idle thread is current; a DPC may run on it */
    struct ds_opt irql;      /* before the bugcheck; or current, by KPCR.Irql */
    const char *irql_source; /* static; NULL when unknown */
    struct ds_opt cr3, cr8;  /* ProcessorState; on ARM64 TTBR0_EL1, and no CR8 */
    struct ds_opt kernel_time, user_time, dpc_time, interrupt_time;
    struct ds_opt kernel_time_ms, user_time_ms, dpc_time_ms, interrupt_time_ms;
    struct ds_opt interrupt_count;
    struct ds_opt dpc_routine_active, dpc_thread_active, dpc_interrupt_requested, quantum_end;
    struct ds_opt dpc_request_summary;                  /* DPC_REQUEST_SUMMARY, from Windows 7 on */
    struct ds_opt dpc_queue_depth, dpc_count;           /* DpcData[0]: normal DPCs */
    struct ds_opt threaded_queue_depth, threaded_count; /* DpcData[1]: threaded DPCs */
    struct ds_opt active_dpc;      /* virtual: DpcData[0].ActiveDpc; 0 when none runs */
    struct ds_opt current_routine; /* virtual: of the DPC that runs; 0 when none does */
    struct ds_opt dpc_last_count, dpc_request_rate, dpc_queue_depth_max, dpc_rate_min;
    struct ds_opt dpc_time_count, dpc_time_limit;          /* the DPC that runs now */
    struct ds_opt dpc_watchdog_count, dpc_watchdog_period; /* all time at DISPATCH_LEVEL */
    struct ds_opt group, group_index, node;
    struct ds_opt family, model, stepping; /* of the x86 family of processors */
    struct ds_opt ipi_frozen, ready_summary;
    const char *queued_locks; /* as !running shows them: one of . O W for each; NULL when unknown */
    struct ds_opt locks_held, locks_waited;
};

/* NULL when there is no memory for them, or no rows. */
const struct ds_processor_detail *ds_nt_processor_details(struct ds_nt *nt);

/* ---- the queued spin locks that a processor holds or waits for: KPRCB.LockQueue ---- */
struct ds_queued_lock {
    uint32_t processor; /* its number */
    uint32_t number;    /* KSPIN_LOCK_QUEUE_NUMBER */
    const char *name;   /* static: "Dispatcher"; NULL for numbers that changed their meaning */
    uint64_t lock;      /* virtual: KSPIN_LOCK */
    bool held;          /* else it waits */
    struct ds_opt next; /* virtual: KSPIN_LOCK_QUEUE of who waits behind it; 0 when nobody */
};
struct ds_queued_locks {
    const struct ds_queued_lock *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_queued_locks *ds_nt_queued_locks(struct ds_nt *nt);

struct ds_nt_processor_details;
void ds_nt_processor_details_free(struct ds_nt_processor_details *d);

#endif
