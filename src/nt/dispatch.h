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

struct ds_nt_dispatch;
void ds_nt_dispatch_free(struct ds_nt_dispatch *d);

#endif
