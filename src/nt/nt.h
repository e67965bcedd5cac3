/*
 * The kernel's structures as rows. One struct ds_nt per snapshot owns every row; each table is
 * walked on first use and kept. All strings are UTF-8 and live as long as the ds_nt.
 *
 * Every accessor returns its table even when the walk failed: `walk` says how complete it is.
 */
#ifndef DS_NT_NT_H
#define DS_NT_NT_H

#include "nt/cper.h"
#include "target/target.h"
#include "unwind/frame.h"

struct ds_nt;

/* Takes ownership of the target in every case. Errors: DS_NO_MEMORY. */
enum ds_status ds_nt_open(struct ds_target *target, struct ds_nt **ret,
                          struct ds_err *err) DS_MUST_CHECK;
void ds_nt_close(struct ds_nt *nt);
struct ds_target *ds_nt_target(struct ds_nt *nt);

/* ---- processes ---- */
struct ds_process {
    uint64_t eprocess; /* virtual address */
    struct ds_opt pid, ppid;
    const char *name; /* ImageFileName: at most 14 characters; NULL when unreadable */
    struct ds_opt dtb, peb, create_time, exit_time, exit_status, active_threads, session_id;
    struct ds_opt wow64;  /* 1 when a WOW64 process block is there */
    struct ds_opt listed; /* 1 in the list of PsActiveProcessHead; 0 not, though that list is whole;
                             unknown when it is damaged or cut short */
    /* Other ways that lead to it (nt/others.h): how many, unknown when none was walked to its end;
       and whether PspCidTable has it, unknown when that was not */
    struct ds_opt other_ways, in_cid_table;
    uint32_t ways;      /* a bit for each of enum ds_other_way */
    const char *source; /* static, the first way that led to it: "PsActiveProcessHead",
                           "PsActiveProcessHead (Blink)", those of nt/others.h, "triage record" */
};
struct ds_processes {
    const struct ds_process *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_processes *ds_nt_processes(struct ds_nt *nt);

/* ---- threads ---- */
struct ds_thread {
    uint64_t ethread;
    struct ds_opt eprocess, pid, tid;
    struct ds_opt state;       /* KTHREAD_STATE */
    struct ds_opt wait_reason; /* KWAIT_REASON; meaningful when state is Waiting */
    struct ds_opt suspend_count, priority, base_priority, wait_irql, teb, start_address;
    struct ds_opt stack_base, stack_limit, kernel_stack, initial_stack, kernel_stack_resident;
    struct ds_opt wait_time_ticks, context_switches;
    /* 1 in the list of its process, 0 not, though that list is whole; unknown when it is damaged
       or cut short: EPROCESS.ThreadListHead, and KPROCESS.ThreadListHead */
    struct ds_opt listed, kernel_listed;
    struct ds_opt in_cid_table; /* whether PspCidTable has it; unknown when that is not whole */
    struct ds_opt terminating;  /* ETHREAD.Terminated: it has begun to end, or has ended */
    const char *source;         /* static, the first way that led to it: "ThreadListHead",
                                   "ThreadListHead (Blink)", "KPROCESS.ThreadListHead", "KPRCB",
                                   "PspCidTable", "triage record" */
};
struct ds_threads {
    const struct ds_thread *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_threads *ds_nt_threads(struct ds_nt *nt);
/* "Waiting", "WrQueue", ... NULL for values outside the public enums (phnt ntkeapi.h). */
const char *ds_thread_state_name(uint64_t state);
const char *ds_wait_reason_name(uint64_t reason);

/* ---- processors ---- */
struct ds_processor {
    uint32_t number;
    struct ds_opt prcb, current_thread, idle_thread, next_thread, mhz;
    const char *vendor; /* "AuthenticAMD"; NULL when unknown */
    bool has_context;
    bool from_hypervisor;       /* the context is what the hypervisor read of its guest */
    struct ds_context context;  /* from KPRCB.Context or ProcessorState */
    const char *context_source; /* static */
};
struct ds_processors {
    const struct ds_processor *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_processors *ds_nt_processors(struct ds_nt *nt);

/* ---- unloaded modules ---- */
struct ds_unloaded_module {
    const char *name; /* NULL when unreadable */
    bool name_cut;    /* the writer kept 12 characters only */
    uint64_t start, end;
    struct ds_opt unload_time; /* FILETIME */
    const char *source;
};
struct ds_unloaded_modules {
    const struct ds_unloaded_module *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_unloaded_modules *ds_nt_unloaded_modules(struct ds_nt *nt);

/* ---- the fault: contexts and exceptions, and which one to believe ---- */
struct ds_exception {
    bool known;
    uint32_t code; /* NTSTATUS */
    uint32_t flags;
    uint64_t address;
    uint32_t parameter_count;
    uint64_t parameters[15];
    const char *source; /* static: "bugcheck parameter 3", "header" */
};

/* One context record found in the dump (table contexts). */
struct ds_context_record {
    struct ds_context context;
    const char *source;  /* static: "header", "bugcheck parameter 4", "KPRCB.Context" */
    struct ds_opt at;    /* virtual address of a trap frame that was searched for */
    bool chosen;         /* the one the report's faulting context is */
    const char *meaning; /* static: "the fault itself", "KeBugCheckEx, after the fault" */
};

struct ds_fault_facts {
    struct ds_exception exception;
    struct ds_context_record contexts[8];
    size_t context_count;
    size_t chosen;                                 /* index into contexts; SIZE_MAX when none */
    struct ds_opt current_thread, current_process; /* ETHREAD, EPROCESS */
    struct ds_opt fault_address;    /* the data or instruction address that faulted, where the
                                       bugcheck or the exception says so */
    const char *fault_access;       /* static: "read", "write", "execute"; NULL when unknown */
    struct ds_stack stack;          /* of the chosen context, or of the bugcheck's */
    struct ds_stack bugcheck_stack; /* from KeBugCheckEx (or its caller) on, where it is another
                                       one than `stack`; count 0 otherwise */
    const char *stack_kind;         /* static: "thread stack", "DPC stack", ...; "unknown stack" */
    struct ds_walk stack_walk;
};
const struct ds_fault_facts *ds_nt_fault(struct ds_nt *nt);

/*
 * Walks any stack: from a context, or from sp on when that is NULL. *kind (may be NULL) is static,
 * as stack_kind. Without virtual memory there are no frames, and ret->end says why.
 */
void ds_nt_stack_walk(struct ds_nt *nt, const struct ds_context *context, uint64_t sp,
                      struct ds_stack *ret, const char **kind);

/* ---- what the bugcheck's parameters lead to ---- */
struct ds_bugcheck_fact {
    uint32_t parameter;  /* 1 to 4 */
    const char *name;    /* static, snake_case */
    struct ds_opt value; /* unknown with the reason when it cannot be read */
    const char *meaning; /* NULL when there is nothing to say */
};
struct ds_bugcheck_facts {
    const struct ds_bugcheck_fact *rows;
    size_t count;
    struct ds_walk walk;
};
const struct ds_bugcheck_facts *ds_nt_bugcheck_facts(struct ds_nt *nt);

/* ---- the profile that the DPC watchdog keeps: KPRCB.DpcWatchdogProfile ---- */
struct ds_dpc_sample {
    uint32_t processor; /* its number */
    uint32_t capture;   /* number of the stack that was captured, from 0, per processor */
    uint32_t depth;     /* place in it, from 0 */
    uint64_t pc;        /* virtual address in kernel code */
};
struct ds_dpc_samples {
    const struct ds_dpc_sample *rows;
    size_t count;
    struct ds_walk walk; /* complete without rows under another bugcheck code than 0x133 */
};
const struct ds_dpc_samples *ds_nt_dpc_samples(struct ds_nt *nt);

/* ---- the hardware error record of 0x124 ---- */
struct ds_whea_section {
    struct ds_cper_section section;
    const char *component;                 /* what broke; NULL when the section does not say */
    char preview[2 * DS_CPER_PREVIEW + 1]; /* its first bytes in hex */
};
struct ds_whea_field {
    uint32_t section; /* number of the section, from 0 */
    struct ds_cper_field field;
};
struct ds_whea {
    bool known;       /* a record was read */
    uint64_t address; /* virtual */
    struct ds_cper record;
    const struct ds_whea_section *sections;
    size_t section_count;
    const struct ds_whea_field *fields;
    size_t field_count;
    struct ds_walk walk; /* complete without rows under another bugcheck code */
};
const struct ds_whea *ds_nt_whea(struct ds_nt *nt);

#endif
