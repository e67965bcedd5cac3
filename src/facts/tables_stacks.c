/* The tables of stacks. */
#include <stdlib.h>
#include <string.h>

#include "facts/cells.h"
#include "facts/table.h"
#include "nt/thread_stack.h"

/* ---- stack_frames ---- */

static void frame_trust(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, ds_frame_trust_name(((const struct ds_frame *)row)->trust));
}

static void frame_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    ds_value_symbol(f, ((const struct ds_frame *)row)->pc, v);
}

static void frame_module(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    ds_value_module(f, ((const struct ds_frame *)row)->pc, v);
}

static void frame_offset(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    ds_value_module_offset(f, ((const struct ds_frame *)row)->pc, v);
}

static void frame_unloaded(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    ds_value_unloaded(f, ((const struct ds_frame *)row)->pc, v);
}

static void frame_thread(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    (void)i;
    ds_value_opt(v, ds_nt_fault(ds_facts_nt(f))->current_thread);
}

#define ROW struct ds_frame
#define FRAME_COLUMNS                                                                              \
    {"number", DS_COL_INTEGER, "from 0, innermost first", "k", DS_DERIVED(ds_derive_number)},      \
        {"sp", DS_COL_ADDRESS, "stack slot of the return address; of frame 0 the stack pointer",   \
         "k", DS_FIELD(ROW, sp)},                                                                  \
        {"pc", DS_COL_ADDRESS, "instruction pointer or return address: virtual", "k (Call Site)",  \
         DS_FIELD(ROW, pc)},                                                                       \
        {"symbol", DS_COL_TEXT, "pc as module!symbol+offset", "k (Call Site)",                     \
         DS_DERIVED(frame_symbol)},                                                                \
        {"module", DS_COL_TEXT, "module that holds pc", "k", DS_DERIVED(frame_module)},            \
        {"module_offset", DS_COL_INTEGER, "bytes from that module's base", "k",                    \
         DS_DERIVED(frame_offset)},                                                                \
        {"unloaded_module", DS_COL_TEXT, "unloaded module whose range holds pc", "k",              \
         DS_DERIVED(frame_unloaded)},                                                              \
        {"trust", DS_COL_TEXT,                                                                     \
         "how it was found: context, switch_frame, unwind, frame_pointer, link_register, scan",    \
         "", DS_DERIVED(frame_trust)},                                                             \
        {"after_call", DS_COL_BOOL,                                                                \
         "whether a call instruction ends right before pc; NULL when the code was not captured, "  \
         "or pc "                                                                                  \
         "was left otherwise",                                                                     \
         "", DS_FIELD(ROW, after_call)},                                                           \
        {"interrupted", DS_COL_BOOL, "pc was left by a trap or an interrupt, not by a call", "",   \
         DS_FIELD(ROW, interrupted)},                                                              \
    {                                                                                              \
        "anchored", DS_COL_BOOL, "no scan lies between the context and this frame", "",            \
            DS_FIELD(ROW, anchored)                                                                \
    }

static const struct ds_column_spec frame_columns[] = {
    {"ethread", DS_COL_ADDRESS, "_ETHREAD whose stack it is; NULL when unknown", "!thread",
     DS_DERIVED(frame_thread)},
    FRAME_COLUMNS,
};

/* ---- thread_stack(thread) ---- */

static const struct ds_column_spec thread_stack_columns[] = {
    FRAME_COLUMNS,
    {"thread", DS_COL_ADDRESS, "argument: _ETHREAD whose stack is wanted", "!thread", NULL},
};
#undef ROW

static void frames_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_fault_facts *ff = ds_nt_fault(ds_facts_nt(f));
    *ret = (struct ds_rows){ff->stack.frames, sizeof(ff->stack.frames[0]), ff->stack.count,
                            ff->stack_walk};
}

DS_TABLE(stack_frames, "The stack of the fault: frames, each with how it was found.", "k, !thread",
         frame_columns, frames_fill, "number");

/* ---- bugcheck_stack_frames ---- */

static void bugcheck_frames_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_fault_facts *ff = ds_nt_fault(ds_facts_nt(f));
    const struct ds_stack *s = &ff->bugcheck_stack;
    struct ds_walk walk = {.table_name = "bugcheck_stack_frames",
                           .complete = s->end == DS_OK,
                           .rows = s->count,
                           .stop_reason = s->end,
                           .detail = ""};
    if (s->end != DS_OK && s->count == 0) /* no stack was found, for the same reason */
        walk.detail = ff->stack_walk.detail;
    else if (s->end != DS_OK)
        walk.stop_address = ds_opt_known(s->end_sp);
    *ret = (struct ds_rows){s->frames, sizeof(s->frames[0]), s->count, walk};
}

DS_TABLE(bugcheck_stack_frames,
         "The stack from KeBugCheckEx down to the fault, where it is not stack_frames itself: what "
         "the kernel did between the fault and the bugcheck.",
         "k, !thread", frame_columns, bugcheck_frames_fill, "number");

static void thread_stack_call(struct ds_facts *f, const uint64_t *args, const bool *given,
                              struct ds_rows *ret)
{
    (void)given;
    struct ds_thread_stack *s = malloc(sizeof(*s));
    if (s == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
        return;
    }
    ds_nt_thread_stack(ds_facts_nt(f), args[0], s);
    struct ds_walk walk = {.complete = s->why == DS_OK,
                           .stop_reason = s->why,
                           .detail = s->note,
                           .stop_address = s->stack.count > 0 && s->why != DS_OK
                                               ? ds_opt_known(s->stack.end_sp)
                                               : ds_opt_unknown(DS_OK)};
    size_t count = s->stack.count;
    struct ds_frame *rows = count > 0 ? malloc(count * sizeof(*rows)) : NULL;
    if (rows != NULL)
        memcpy(rows, s->stack.frames, count * sizeof(*rows));
    else if (count > 0)
        walk.stop_reason = DS_NO_MEMORY;
    free(s);
    *ret = (struct ds_rows){rows, sizeof(*rows), rows != NULL ? count : 0, walk};
}

const struct ds_table ds_table_thread_stack = {
    .spec = {.name = "thread_stack",
             .doc = "The stack of any thread: of a running one from its processor's context, of "
                    "any other from where its context switch left off. A thread whose stack is "
                    "paged out, or that has ended, has no rows.",
             .windbg = "!thread, .thread and k",
             .columns = thread_stack_columns,
             .column_count = sizeof(thread_stack_columns) / sizeof(thread_stack_columns[0]),
             .argument_count = 1,
             .argument_needed = 1},
    .fill = ds_fill_none,
    .needs_layout = true,
    .call = thread_stack_call};
