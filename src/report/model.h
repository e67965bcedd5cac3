/*
 * The report as a tree of plain structs: what writers see, and all that they see. It holds raw
 * UTF-8 (each writer escapes for its own output); numbers that may be unknown are struct ds_opt;
 * a string that is unknown is NULL. Strings live in the report's arena, are static, or belong to
 * the facts and findings that the report borrows.
 */
#ifndef DS_REPORT_MODEL_H
#define DS_REPORT_MODEL_H

#include "base/mem.h"
#include "base/opt.h"
#include "dumpscan/finding.h"
#include "dumpscan/query.h"
#include "facts/windbg.h"
#include "report/report.h"

#define DS_REPORT_SCHEMA_VERSION "1.0"

/* Words with which unknown values are printed. */
#define DS_REPORT_UNKNOWN "unknown"

struct ds_report_blob {
    const char *tag, *name;             /* GUID; what it holds, or NULL */
    const char *summary;                /* of this one; NULL */
    const char *preview, *preview_text; /* first bytes in hex and ASCII; NULL for no bytes */
    uint64_t file_offset, size, captured;
};

struct ds_report_note { /* integrity */
    const char *level, *check, *expected, *found, *lost;
    struct ds_opt offset; /* file offset */
};

struct ds_report_dump {
    const char *kind, *kind_text, *arch;
    uint64_t file_size;
    bool is64;
    struct ds_opt machine;
    const struct ds_dump_header *header; /* borrowed; NULL only in tests */
    struct ds_opt physical_pages;        /* captured; unknown for triage dumps */
    struct ds_opt leftover_bytes;
    struct ds_report_blob *blobs;
    size_t blob_count;
    bool live; /* taken of a running system, by the header: see ds_live_by_header() */
    bool bare; /* memory without a header: what it would say comes from the kernel's variables */
};

struct ds_report_param {
    struct ds_opt value;
    const char *type;     /* "address", "code", "irql", "ntstatus", ... */
    const char *text;     /* what it is; NULL when not documented */
    const char *resolved; /* "amdppm+0x334c", "STATUS_ACCESS_VIOLATION", "write"; NULL */
};

struct ds_report_followed { /* what a parameter leads to */
    uint32_t parameter;     /* 1 to 4 */
    const char *name, *meaning;
    struct ds_opt value;
};

struct ds_report_bugcheck {
    struct ds_opt code;      /* raw */
    struct ds_opt base_code; /* without variant flags */
    const char *name, *text, *source;
    bool live;
    struct ds_report_param params[4];
    struct ds_report_followed *followed;
    size_t followed_count;
    const char *subcode_name, *subcode_text; /* NULL when there is none */
    bool subcode_unlisted;                   /* the code has a table and the value is not in it */
    const char *edition;                     /* of the table: "2026-11" */
};

struct ds_report_culprit {
    const char *kind, *module, *function, *reason, *confidence, *source;
};

struct ds_report_evidence {
    const char *name;
    struct ds_cell cell;
};

struct ds_report_frame {
    uint64_t sp, pc;
    const char *trust, *where, *module;
    bool has_name;            /* `where` names a function */
    struct ds_opt after_call; /* 1 follows a call, 0 does not */
    bool interrupted;         /* left by a trap, not by a call */
    bool anchored;            /* no scan lies between the context and this frame */
};

struct ds_report_stack {
    const char *kind, *end;
    struct ds_report_frame *frames;
    size_t frame_count;
    bool complete;
    struct ds_opt end_sp;
};

struct ds_report_thread_stack {
    uint64_t ethread;
    const char *start; /* what the walk began with; NULL when there are no frames */
    const char *note;  /* "stack paged out"; NULL */
    struct ds_report_stack stack;
};

struct ds_report_instance {
    const char *message;
    struct ds_report_evidence *evidence;
    size_t evidence_count;
    bool has_stacks; /* the pattern asks for them, even when this instance names no thread */
    struct ds_report_thread_stack *stacks;
    size_t stack_count;
};

struct ds_report_finding {
    const char *id, *title, *explain, *origin;
    enum ds_severity severity;
    enum ds_outcome outcome;
    bool partial;
    const char *cannot_tell; /* NULL unless the outcome is that */
    const char *not_asked;   /* why it does not apply; NULL unless the outcome is that */
    struct ds_report_instance *instances;
    size_t instance_count, instances_dropped;
    const char *const *next_steps;
    size_t next_step_count;
    const char *const *references;
    size_t reference_count;
};

struct ds_report_walk {
    const char *table_name, *stop_reason, *detail;
    bool complete;
    uint64_t rows;
    struct ds_opt stop_address;
};

struct ds_report_step { /* bootstrap */
    const char *what, *method, *status, *trust, *detail;
    bool ok;
    struct ds_opt value;
};

struct ds_report_process {
    bool known;
    struct ds_opt eprocess, pid, ppid;
    const char *name, *image_path;
};

struct ds_report_thread {
    bool known;
    struct ds_opt ethread, pid, tid, state, wait_reason, priority;
    const char *state_name, *wait_reason_name;
};

struct ds_report_evidence_of_machine {
    const char *source, *found, *platform; /* platform: NULL */
    const char *is_virtual;                /* "yes", "no", "unknown": what it speaks for */
};

struct ds_report_machine {
    const char *id, *id_basis, *id_note;                          /* docs/machine-id.md; NULL */
    const char *is_virtual;                                       /* "yes", "no", "unknown" */
    const char *platform;                                         /* "VMware"; NULL */
    const char *firmware_oem;                                     /* by ACPI; NULL */
    const char *chassis, *version, *family, *sku, *board_version; /* NULL */
    struct ds_opt bios_major, bios_minor, uefi;
    struct ds_report_evidence_of_machine *evidence;
    size_t evidence_count;
};

struct ds_report_system {
    const char *windows; /* "Windows 10 2004"; NULL */
    struct ds_opt build, revision;
    bool revision_exact; /* from the kernel image, not from the header */
    const char *build_lab, *product, *suite;
    struct ds_opt product_type, suite_mask;
    bool checked_build; /* header MajorVersion 0xc */
    struct ds_opt processors;
    const char *manufacturer, *model, *board, *bios_vendor, *bios_version, *bios_date;
    const char *cpu, *hypervisor; /* hypervisor: its vendor text */
    struct ds_opt hypervisor_present;
    struct ds_opt cpu_mhz, memory_bytes;
    struct ds_report_machine machine;
    struct ds_opt system_time, up_time; /* FILETIME; 100 ns */
    struct ds_opt kernel_base, kdbg, dtb;
    const char *kernel_pdb; /* "ntkrnlmp.pdb 5278…-1"; NULL */
    const char *layout_source, *layout_trust;
    struct ds_report_process process;
    struct ds_report_thread thread;
};

/* What a processor ran and has queued; only of dumps that hold the kernel's memory. */
struct ds_report_cpu {
    uint32_t number;
    struct ds_opt prcb, thread, pid, tid, pc; /* thread: the current one */
    struct ds_opt idle, irql, dpc_active;     /* idle: its idle thread is current */
    struct ds_opt dpcs;                       /* in its queues, as found */
    const char *process, *where;              /* where: pc as text; NULL */
    const char *dpc_names;                    /* the first routines in the queues; NULL */
};

struct ds_report_register {
    const char *name;
    uint64_t value;
    uint8_t size;
};

struct ds_report_context {
    const char *source, *meaning, *where; /* where: pc as module+offset or name; NULL */
    bool chosen;
    uint64_t pc, sp;
    const struct ds_context *context; /* registers; NULL in tests */
};

struct ds_report_exception {
    bool known;
    bool of_bugcheck; /* the breakpoint that every bugcheck without an exception records */
    uint32_t code, flags;
    const char *name, *source, *where;
    uint64_t address;
    uint32_t parameter_count;
    uint64_t parameters[15];
};

struct ds_report_operand { /* of the faulting instruction */
    const char *registers; /* "rcx + rdx*8 + 0x28" */
    const char *access;    /* "read"; NULL */
    struct ds_opt address; /* virtual */
};

struct ds_report_instruction {
    bool known; /* captured and decoded */
    uint64_t address;
    const char *text, *bytes, *judgement;
    struct ds_opt agrees; /* 1 it can have raised the fault, 0 it cannot */
    struct ds_report_operand *operands;
    size_t operand_count;
};

struct ds_report_owner { /* whose driver it is; see nt/drivers.h */
    bool known;
    bool has_no_version; /* the image was captured and has no version resource */
    const char *company, *product, *description, *file_version, *product_version;
    const char *in_box_source, *listed_maker, *timestamp_kind, *timestamp_reason;
    struct ds_opt in_box, built, age_days;
    struct ds_opt reproducible; /* 1: the timestamp is a hash; unknown when not captured */
    const char *text;           /* for people; the culprit's only */
};

struct ds_report_module {
    const char *name, *path, *source;
    uint64_t base, size;
    struct ds_opt timestamp, checksum;
    struct ds_report_owner owner;
};

struct ds_report_unloaded {
    const char *name;
    bool name_cut;
    uint64_t start, end;
    struct ds_opt unload_time;
};

/* A dump of a system that went on running; see nt/live.h. */
struct ds_report_live {
    struct ds_opt live;
    bool on_request;
    const char *evidence, *component, *asked_by, *asked_how, *module, *function, *process;
};

/* What, who, why: three lines. */
struct ds_report_verdict {
    const char *what, *who, *why;
    const char *severity; /* of the worst finding; NULL when nothing matched */
    const char *kind;     /* "crash", "live_dump", "unknown" */
};

struct ds_vm;
#define DS_REPORT_THREAD_STATES 9u /* KTHREAD_STATE */
#define DS_REPORT_TOP 5u           /* rows of each list of threads and processes */

struct ds_report_reason {
    const char *name; /* NULL when it has none */
    uint32_t number, count;
};

struct ds_report_busy { /* a thread with much processor time */
    uint64_t ethread, total_ms;
    struct ds_opt eprocess, pid, tid, kernel_ms, user_ms;
    const char *process, *state;
};

struct ds_report_large { /* a process with many threads */
    uint64_t eprocess;
    struct ds_opt pid, handles, commit_pages;
    const char *name;
    uint32_t threads;
};

struct ds_report_threads { /* of kernel and complete dumps */
    bool known, complete;
    uint64_t processes, threads;
    uint32_t states[DS_REPORT_THREAD_STATES], state_unknown;
    uint32_t suspended, frozen, paged_out; /* of those that have not ended */
    uint32_t wholly_suspended;             /* processes */
    struct ds_report_reason reasons[DS_REPORT_TOP];
    size_t reason_count;
    struct ds_report_busy busy[DS_REPORT_TOP];
    size_t busy_count;
    struct ds_report_large large[DS_REPORT_TOP];
    size_t large_count;
};

struct ds_report {
    struct ds_arena arena;
    const char *file;
    unsigned digits; /* hex digits of an address: 16 or 8 */
    struct ds_report_dump dump;
    struct ds_report_bugcheck bugcheck;
    struct ds_report_verdict verdict;
    struct ds_report_live live;
    struct ds_report_culprit culprit;
    const struct ds_report_owner *culprit_owner; /* NULL when the culprit is no loaded module */
    struct ds_report_culprit runners_up[4];
    size_t runner_up_count;
    struct ds_signature signature;
    const struct ds_windbg *windbg;     /* NULL only in tests */
    struct ds_report_finding *findings; /* matches, cannot tell, no match, does not apply */
    size_t finding_count;
    struct ds_report_note *notes;
    size_t note_count, notes_dropped;
    bool damaged; /* a note above the level "note": exit status 4 */
    struct ds_report_walk *walks;
    size_t walk_count;
    struct ds_report_step *steps;
    size_t step_count;
    struct ds_report_system system;
    const struct ds_vm *memory; /* nt/vm.h; borrowed; NULL when nothing is known */
    struct ds_report_exception exception;
    struct ds_opt fault_address;
    const char *fault_access, *fault_where;
    struct ds_report_instruction instruction;
    struct ds_report_context contexts[8];
    size_t context_count;
    struct ds_report_threads threads;
    struct ds_report_stack stack;
    size_t thread_stack_count; /* of the instances, all together */
    struct ds_report_module *modules;
    size_t module_count;
    struct ds_report_unloaded *unloaded;
    size_t unloaded_count;
    struct ds_report_process *processes;
    size_t process_count;
    struct ds_report_cpu *cpus;
    size_t cpu_count;
    struct ds_opt process_total; /* unknown when the process list could not be walked */
};

#endif
