/*
 * What the tables of processes and threads say beyond who is there: read for all rows at once on
 * first use, so that naming processes and threads stays cheap. Index i belongs to row i of
 * ds_nt_processes() or ds_nt_threads(). Every value may be unknown, with the reason.
 */
#ifndef DS_NT_DETAILS_H
#define DS_NT_DETAILS_H

#include "nt/nt.h"

struct ds_process_detail {
    struct ds_opt user_dtb; /* physical: the tables of user mode under KVA shadow */
    struct ds_opt handle_count;
    struct ds_opt machine;                       /* IMAGE_FILE_MACHINE of its program */
    struct ds_opt peb32;                         /* virtual, user space: PEB of the 32-bit side */
    struct ds_opt kernel_time, user_time;        /* ticks, of threads that have ended */
    struct ds_opt commit_charge;                 /* pages */
    struct ds_opt working_set, peak_working_set; /* pages */
    struct ds_opt freeze_count, deep_freeze;     /* KPROCESS, from Windows 8 on */
    struct ds_opt protection; /* PS_PROTECTION.Level; or 1 with ProtectedProcess */
    /* Threads of the rows of ds_nt_threads() that are its own. */
    uint32_t threads, waiting, ready, running, terminated, suspended, frozen;
    uint32_t live, stopped, untold; /* not terminated; of these suspended or frozen; not known */
    struct ds_opt wholly_suspended; /* 1 when it has threads and all that live are suspended or
                                       frozen; unknown when not all of them are known */
    const char *path;               /* its image, as an NT path; NULL when unreadable */
};

struct ds_thread_detail {
    struct ds_opt wait_mode; /* 0 kernel, 1 user */
    struct ds_opt alertable;
    struct ds_opt freeze_count, priority_decrement;
    struct ds_opt io_priority, page_priority; /* IO_PRIORITY_HINT; 0 (lowest) to 5 or 7 */
    struct ds_opt kernel_time, user_time;     /* ticks */
    struct ds_opt kernel_time_ms, user_time_ms;
    struct ds_opt wait_age_ticks, wait_age_ms; /* since WaitTime */
    struct ds_opt ideal_processor, last_processor;
    struct ds_opt win32_start_address; /* virtual */
    struct ds_opt create_time, exit_time;
    struct ds_opt stack_size, stack_used, stack_free; /* bytes of the kernel stack */
    struct ds_opt impersonating;
    struct ds_opt irp_count; /* IRPs in its list */
    const char *name;        /* as SetThreadDescription set it; NULL when none */
};

/* NULL when there is no memory for them, or no rows. */
const struct ds_process_detail *ds_nt_process_details(struct ds_nt *nt);
const struct ds_thread_detail *ds_nt_thread_details(struct ds_nt *nt);

/* KTHREAD_STATE (phnt ntkeapi.h). */
#define DS_THREAD_INITIALIZED 0u
#define DS_THREAD_READY 1u
#define DS_THREAD_RUNNING 2u
#define DS_THREAD_STANDBY 3u
#define DS_THREAD_TERMINATED 4u
#define DS_THREAD_WAITING 5u
#define DS_THREAD_TRANSITION 6u
#define DS_THREAD_DEFERRED_READY 7u
#define DS_THREAD_GATE_WAIT 8u

/* Frees what this keeps; NULL is allowed. */
struct ds_nt_details;
void ds_nt_details_free(struct ds_nt_details *d);

#endif
