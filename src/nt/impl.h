/* What the files of this room share. Private. */
#ifndef DS_NT_IMPL_H
#define DS_NT_IMPL_H

#include "base/limits.h"
#include "memory/entries.h"
#include "nt/drivers.h"
#include "nt/live.h"
#include "nt/nt.h"

/* A table's rows are one allocation that a dump can influence. */
#define DS_ROWS_MAX(type, limit)                                                                   \
    ((limit) < DS_LIMIT_ALLOC / sizeof(type) ? (limit) : DS_LIMIT_ALLOC / sizeof(type))

struct ds_nt_dispatch;
struct ds_nt_processor_details;
struct ds_nt_wait_graph;
struct ds_nt_spaces;
struct ds_nt_locks;
struct ds_nt_details;
struct ds_nt_waits;
struct ds_nt_mutants;
struct ds_nt_vm;
struct ds_nt_types;
struct ds_nt_objects;
struct ds_nt_devices;
struct ds_nt {
    struct ds_target *target; /* owned */
    struct ds_arena arena;
    bool have_processes, have_threads, have_processors, have_unloaded, have_fault;
    bool have_followed, have_whea, have_dpc_samples;
    struct ds_processes processes;
    struct ds_threads threads;
    struct ds_processors processors;
    struct ds_unloaded_modules unloaded;
    struct ds_fault_facts fault;
    struct ds_bugcheck_facts followed;
    struct ds_whea whea;
    struct ds_nt_spaces *spaces;         /* owned; NULL until one was asked for */
    struct ds_nt_wait_graph *wait_graph; /* owned; made on first use */
    struct ds_dpc_samples dpc_samples;
    const struct ds_driver *drivers; /* arena; NULL until asked for */
    bool *exports_read;              /* arena: of the target's modules, by index */
    bool have_live;
    struct ds_live live;
    struct ds_hardware *hardware;    /* owned; made on first use */
    struct ds_nt_locks *locks;       /* likewise */
    struct ds_process *process_rows; /* owned */
    struct ds_nt_details *details;   /* owned; made on first use */
    struct ds_nt_waits *waits;       /* owned; made on first use */
    struct ds_nt_mutants *mutants;   /* likewise */
    struct ds_nt_vm *vm;             /* owned; made on first use */
    struct ds_nt_types *types;       /* likewise, with what follows */
    struct ds_nt_objects *objects;
    struct ds_nt_devices *devices;
    struct ds_thread *thread_rows;
    struct ds_processor *processor_rows;
    struct ds_unloaded_module *unloaded_rows;

    struct ds_nt_processor_details *processor_details; /* owned; made on first use */
    struct ds_nt_dispatch *dispatch;                   /* likewise */
};

/* One member and the ds_opt of a row that it fills. */
struct ds_member_spec {
    const char *type, *member;
    size_t row_offset;
};
#define DS_MEMBERS_MAX 32

/* Members looked up once for all rows of a table. */
struct ds_member_set {
    const struct ds_member_spec *specs;
    size_t count;
    struct ds_field fields[DS_MEMBERS_MAX];
    enum ds_status status[DS_MEMBERS_MAX];
};
void ds_members_resolve(struct ds_member_set *set, const struct ds_target *t,
                        const struct ds_member_spec *specs, size_t count);
/* Fills the ds_opts of `row` from the structure at va. */
void ds_members_read(const struct ds_member_set *set, const struct ds_target *t, uint64_t va,
                     void *row);

/* What a walk from both ends is to tell: the text of ds_entries_describe() in the arena, or "". */
const char *ds_nt_entries_text(struct ds_nt *nt, const struct ds_entries *e);

/* Text of at most `len` bytes at va, up to a NUL, in the arena; NULL when unreadable or empty. */
const char *ds_nt_text(struct ds_nt *nt, uint64_t va, size_t len);

/* Keeps the first reason of an incomplete walk: the one to tell. */
void ds_walk_stop(struct ds_walk *walk, enum ds_status why, struct ds_opt at, const char *detail);

/* A walk that could not even begin. */
struct ds_walk ds_walk_none(const char *table, enum ds_status why, const char *detail);

/* Closes what spaces.c keeps; NULL is allowed. */
void ds_nt_spaces_close(struct ds_nt_spaces *s);

/* ---- fault.c and its helpers ---- */

/* What the parameters of a bugcheck are to the fault; a parameter number 0 to 3, or -1. */
struct ds_fault_roles {
    uint32_t code; /* without the variant flags */
    int8_t exception_record, context, trap_frame;
    int8_t fault_address, access, code_address, exception_code;
};
/* NULL when the code has no such parameters. */
const struct ds_fault_roles *ds_fault_roles_find(uint32_t code);
/* The access that a parameter states: "read", "write", "execute"; NULL when it is none of the
 * documented values. */
const char *ds_fault_access_name(uint32_t code, uint64_t value);

/* Decodes the _KTRAP_FRAME at va; the volatile registers only, the rest was saved elsewhere. */
enum ds_status ds_trap_frame_read(const struct ds_target *t, uint64_t va,
                                  struct ds_context *ret) DS_MUST_CHECK;
/* Looks in [sp, limit) for a kernel-mode trap frame with this instruction pointer (x64). */
enum ds_status ds_trap_frame_find(const struct ds_target *t, uint64_t sp, uint64_t limit,
                                  uint64_t pc, uint64_t *va) DS_MUST_CHECK;

/* Reads an EXCEPTION_RECORD by virtual address, or the header's by file offset. */
bool ds_exception_read(const struct ds_target *t, uint64_t va, struct ds_exception *ret);
bool ds_exception_read_header(const struct ds_target *t, struct ds_exception *ret);

/* Which stack an address lies in, and where that stack ends. */
struct ds_stack_place {
    const char *kind; /* static */
    uint64_t limit;   /* first address past it */
    bool known;       /* false: the limit is a guess */
};
struct ds_stack_place ds_stack_find(struct ds_nt *nt, uint64_t sp);
/* The same among the stacks of one thread alone; false when sp lies on none of them. */
bool ds_stack_find_on(struct ds_nt *nt, struct ds_opt thread, uint64_t sp,
                      struct ds_stack_place *ret);
/* Walks a stack that was found; `switched`: the context is what a context switch left. */
void ds_stack_walk_on(struct ds_nt *nt, const struct ds_context *context, bool switched,
                      uint64_t sp, const struct ds_stack_place *place, struct ds_stack *ret);
/* Reads the exports of the modules of the frames, once each. */
void ds_stack_names(struct ds_nt *nt, const struct ds_stack *s);
/* The stacks of the fault. */
void ds_fault_stacks(struct ds_nt *nt, struct ds_fault_facts *f);

/* eresources.c, wait_graph.c; NULL is allowed. */
void ds_nt_locks_free(struct ds_nt_locks *l);
void ds_nt_wait_graph_free(struct ds_nt_wait_graph *g);

/* hardware.c */
void ds_hardware_free(struct ds_hardware *h);

#endif
