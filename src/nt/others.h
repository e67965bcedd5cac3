/*
 * Processes and threads by other ways than PsActiveProcessHead and ThreadListHead, to find what a
 * damaged list lost and what was taken out of a list on purpose. Nothing here says that an object
 * is hidden: whoever asks knows which lists were walked, and how they ended.
 */
#ifndef DS_NT_OTHERS_H
#define DS_NT_OTHERS_H

#include "nt/nt.h"

enum ds_other_way {
    DS_WAY_INITIAL,      /* PsInitialSystemProcess */
    DS_WAY_KERNEL_RING,  /* KPROCESS.ProcessListEntry */
    DS_WAY_MEMORY_RING,  /* EPROCESS.MmProcessLinks */
    DS_WAY_SESSION_RING, /* EPROCESS.SessionProcessLinks */
    DS_WAY_PROCESSOR,    /* what a KPRCB names */
    DS_WAY_CID,          /* PspCidTable */
    DS_WAY_CID_THREAD,   /* the process of a thread in PspCidTable */
};
/* Static: "KPRCB", "PspCidTable", ... */
const char *ds_other_way_name(enum ds_other_way way);

/* Called once or more for each. False ends the search. */
typedef bool ds_other_fn(uint64_t object, enum ds_other_way way, void *arg);

/* Which ways were walked to their end, everything on them being what it should: a bit for each of
 * DS_WAY_KERNEL_RING, DS_WAY_MEMORY_RING and DS_WAY_CID. What is not on such a way is not there. */
typedef uint32_t ds_other_whole;

/*
 * EPROCESSes by the rings that run through them (KPROCESS.ProcessListEntry,
 * EPROCESS.MmProcessLinks, SessionProcessLinks) from the `known` ones on; by
 * PsInitialSystemProcess, the threads that processors run, PspCidTable and the threads in it. Each
 * is a process object by its header, and has a process id: the Idle process, which is in no list,
 * is left out. A way that leads nowhere is passed over.
 */
ds_other_whole ds_other_processes(struct ds_nt *nt, const uint64_t *known, size_t count,
                                  ds_other_fn *each, void *arg);

/* ETHREADs that processors run or are about to (but for the idle threads), and those of
 * PspCidTable. Each is a thread object by its header. */
ds_other_whole ds_other_threads(struct ds_nt *nt, ds_other_fn *each, void *arg);

/* Whether a thread object stands there, by its header. False also where that cannot be read. */
bool ds_other_is_thread(struct ds_nt *nt, uint64_t ethread);

/* KTHREAD.Process, on kernels before that ETHREAD.ThreadsProcess: not the process it is attached
 * to. Errors: DS_NO_FIELD. */
enum ds_status ds_thread_process_field(const struct ds_target *t,
                                       struct ds_field *ret) DS_MUST_CHECK;

#endif
