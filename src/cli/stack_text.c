/* A thread and its stack for people, in the words of !thread. */
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "cli/stack.h"
#include "facts/resolve.h"
#include "nt/details.h"
#include "nt/waits.h"

#define LABEL 14 /* columns of a line's label */

static void put_name(struct ds_buf *b, const char *name)
{
    ds_text_for_terminal(b, name != NULL ? name : "unknown");
}

static void put_label(struct ds_buf *b, const char *label)
{
    ds_buf_printf(b, "    %-*s", LABEL, label);
}

/* "  Name 12": decimal, where the build has such a member. */
static void put_number(struct ds_buf *b, const char *name, struct ds_opt x)
{
    if (x.known)
        ds_buf_printf(b, "  %s %lld", name, (long long)x.value);
    else if (x.why != DS_NO_FIELD)
        ds_buf_printf(b, "  %s unknown", name);
}

static void put_address(const struct cli_memory *m, struct ds_buf *b, const char *name,
                        struct ds_opt x)
{
    ds_buf_printf(b, "%s ", name);
    if (x.known)
        cli_put_va(m, b, x.value);
    else
        ds_buf_str(b, "unknown");
}

/* Days, hours, minutes, seconds, milliseconds, as the debugger writes them. */
static void put_duration(struct ds_buf *b, struct ds_opt ms)
{
    if (!ms.known) {
        ds_buf_str(b, "unknown");
        return;
    }
    unsigned long long s = ms.value / 1000;
    ds_buf_printf(b, "%llu:%02llu:%02llu:%02llu.%03llu", s / 86400, s / 3600 % 24, s / 60 % 60,
                  s % 60, (unsigned long long)ms.value % 1000);
}

static void put_code(struct cli_memory *m, struct ds_buf *b, const char *label, struct ds_opt va)
{
    if (!va.known || va.value == 0)
        return;
    struct ds_buf name;
    ds_buf_init(&name, 4096);
    put_label(b, label);
    ds_buf_str(b, "  ");
    if (ds_resolve_symbol(m->nt, va.value, &name)) {
        ds_text_for_terminal(b, ds_buf_text(&name));
        ds_buf_str(b, " (");
        cli_put_va(m, b, va.value);
        ds_buf_str(b, ")\n");
    } else {
        cli_put_va(m, b, va.value);
        ds_buf_char(b, '\n');
    }
    ds_buf_deinit(&name);
}

static void put_state(struct ds_buf *b, const struct ds_thread *t, const struct ds_thread_detail *d,
                      struct ds_opt processor)
{
    const char *state = t->state.known ? ds_thread_state_name(t->state.value) : NULL;
    bool waits = ds_opt_or(t->state, 0) == DS_THREAD_WAITING;
    if (!waits) {
        ds_buf_str(b, state != NULL ? state : "state unknown");
        if (processor.known)
            ds_buf_printf(b, " on processor %llu", (unsigned long long)processor.value);
        return;
    }
    const char *reason = t->wait_reason.known ? ds_wait_reason_name(t->wait_reason.value) : NULL;
    ds_buf_printf(b, "WAIT: (%s)", reason != NULL ? reason : "unknown");
    if (d != NULL && d->wait_mode.known)
        ds_buf_str(b, d->wait_mode.value == 0 ? " KernelMode" : " UserMode");
    if (d != NULL && d->alertable.known)
        ds_buf_str(b, d->alertable.value == 0 ? " Non-Alertable" : " Alertable");
}

static void put_wait_block(struct cli_memory *m, const struct ds_wait_block *w, struct ds_buf *b)
{
    const char *type =
        w->object_type.known ? ds_kernel_object_name(m->target, w->object_type.value) : NULL;
    ds_buf_str(b, "    ");
    put_address(m, b, "on", w->object);
    ds_buf_printf(b, "  %s", type != NULL ? type : "of unknown type");
    if (w->limit.known)
        ds_buf_printf(b, " Limit 0x%llx", (unsigned long long)w->limit.value);
    if (w->owner_thread.known && w->owner_thread.value != 0)
        put_address(m, b, " - owning thread", w->owner_thread);
    if (w->object_is != NULL)
        ds_buf_printf(b, ": %s", w->object_is);
    ds_buf_char(b, '\n');
}

static void put_waits(struct cli_memory *m, uint64_t ethread, struct ds_buf *b)
{
    const struct ds_wait_blocks *w = ds_nt_wait_blocks(m->nt);
    for (size_t i = 0; i < w->count; i++)
        if (w->rows[i].ethread == ethread)
            put_wait_block(m, &w->rows[i], b);
}

static void put_times(const struct ds_thread *t, const struct ds_thread_detail *d, struct ds_buf *b)
{
    if (ds_opt_or(t->state, 0) == DS_THREAD_WAITING) {
        put_label(b, "Wait Start");
        put_number(b, "TickCount", t->wait_time_ticks);
        put_number(b, "Ticks:", d->wait_age_ticks);
        ds_buf_str(b, " (");
        put_duration(b, d->wait_age_ms);
        ds_buf_str(b, ")\n");
    }
    put_label(b, "Times");
    ds_buf_str(b, "  UserTime ");
    put_duration(b, d->user_time_ms);
    ds_buf_str(b, "  KernelTime ");
    put_duration(b, d->kernel_time_ms);
    put_number(b, "Context Switches", t->context_switches);
    ds_buf_char(b, '\n');
}

static void put_stack_place(struct cli_memory *m, const struct ds_thread *t,
                            const struct ds_thread_detail *d, struct ds_buf *b)
{
    put_label(b, "Stack");
    put_address(m, b, "  Init", t->initial_stack);
    put_address(m, b, "  Current", t->kernel_stack);
    put_address(m, b, "  Base", t->stack_base);
    put_address(m, b, "  Limit", t->stack_limit);
    put_number(b, "Free", d->stack_free);
    ds_buf_char(b, '\n');
    put_label(b, "Priority");
    put_number(b, "Priority", t->priority);
    put_number(b, "BasePriority", t->base_priority);
    put_number(b, "PriorityDecrement", d->priority_decrement);
    put_number(b, "IoPriority", d->io_priority);
    put_number(b, "PagePriority", d->page_priority);
    ds_buf_char(b, '\n');
    put_label(b, "Processor");
    put_number(b, "Ideal", d->ideal_processor);
    put_number(b, "Last", d->last_processor);
    put_number(b, "IRPs", d->irp_count);
    if (d->impersonating.known)
        ds_buf_str(b, d->impersonating.value != 0 ? "  Impersonating" : "  Not impersonating");
    ds_buf_char(b, '\n');
}

static void put_process(struct cli_memory *m, struct ds_opt eprocess, struct ds_buf *b)
{
    const struct ds_process *p = eprocess.known ? cli_process_row(m, eprocess.value) : NULL;
    put_label(b, "Owning Process");
    ds_buf_str(b, "  ");
    if (eprocess.known)
        cli_put_va(m, b, eprocess.value);
    else
        ds_buf_str(b, "unknown");
    ds_buf_str(b, "  ");
    put_name(b, p != NULL ? p->name : NULL);
    ds_buf_char(b, '\n');
}

static void put_cid(struct ds_buf *b, const struct ds_thread *t)
{
    if (t->pid.known && t->tid.known)
        ds_buf_printf(b, "Cid %04llx.%04llx", (unsigned long long)t->pid.value,
                      (unsigned long long)t->tid.value);
    else
        ds_buf_str(b, "Cid unknown");
}

void stack_put_thread(struct cli_memory *m, uint64_t ethread, const struct ds_thread_stack *s,
                      struct ds_buf *b)
{
    uint32_t row = ds_nt_thread_row(m->nt, ethread);
    const struct ds_thread_detail *d = ds_nt_thread_details(m->nt);
    ds_buf_str(b, "THREAD ");
    cli_put_va(m, b, ethread);
    if (row == DS_NO_ROW || d == NULL) {
        ds_buf_str(b, "  (in no list of threads)\n");
        return;
    }
    const struct ds_thread *t = &ds_nt_threads(m->nt)->rows[row];
    d += row;
    ds_buf_str(b, "  ");
    put_cid(b, t);
    put_address(m, b, "  Teb", t->teb);
    ds_buf_str(b, "  ");
    put_state(b, t, d, s->processor);
    ds_buf_char(b, '\n');
    if (ds_opt_or(t->suspend_count, 0) != 0 || ds_opt_or(d->freeze_count, 0) != 0) {
        ds_buf_str(b, "  ");
        put_number(b, "SuspendCount", t->suspend_count);
        put_number(b, "FreezeCount", d->freeze_count);
        ds_buf_char(b, '\n');
    }
    if (ds_opt_or(t->state, 0) == DS_THREAD_WAITING)
        put_waits(m, ethread, b);
    if (d->name != NULL) {
        put_label(b, "Name");
        ds_buf_str(b, "  ");
        put_name(b, d->name);
        ds_buf_char(b, '\n');
    }
    put_process(m, t->eprocess, b);
    put_times(t, d, b);
    put_code(m, b, "Win32 Start", d->win32_start_address);
    put_code(m, b, "Start Address", t->start_address);
    put_stack_place(m, t, d, b);
}

void stack_put_brief(struct cli_memory *m, uint64_t ethread, struct ds_buf *b)
{
    uint32_t row = ds_nt_thread_row(m->nt, ethread);
    const struct ds_thread *t = row != DS_NO_ROW ? &ds_nt_threads(m->nt)->rows[row] : NULL;
    ds_buf_str(b, "    ");
    cli_put_va(m, b, ethread);
    if (t == NULL) {
        ds_buf_char(b, '\n');
        return;
    }
    const struct ds_process *p = t->eprocess.known ? cli_process_row(m, t->eprocess.value) : NULL;
    ds_buf_str(b, "  ");
    put_cid(b, t);
    ds_buf_str(b, "  ");
    put_name(b, p != NULL ? p->name : NULL);
    ds_buf_str(b, "  ");
    put_state(b, t, NULL, ds_opt_unknown(DS_OK));
    ds_buf_char(b, '\n');
}

static void put_frame(struct cli_memory *m, const struct ds_frame *f, size_t index, bool verbose,
                      struct ds_buf *b)
{
    bool scanned = f->trust == DS_FRAME_SCAN;
    bool doubt = scanned && !f->interrupted && ds_opt_or(f->after_call, 0) != 1;
    struct ds_buf name;
    ds_buf_init(&name, 4096);
    ds_buf_printf(b, "  %3zu %s ", index,
                  f->interrupted ? "!"
                  : !scanned     ? " "
                  : doubt        ? "?"
                                 : "~");
    cli_put_va(m, b, f->sp);
    ds_buf_str(b, "  ");
    if (verbose) {
        cli_put_va(m, b, f->pc);
        ds_buf_printf(b, "  %-13s  ", ds_frame_trust_name(f->trust));
    }
    if (ds_resolve_symbol(m->nt, f->pc, &name))
        ds_text_for_terminal(b, ds_buf_text(&name));
    else
        cli_put_va(m, b, f->pc);
    const struct ds_unloaded_module *gone = ds_resolve_unloaded(m->nt, f->pc);
    if (gone != NULL) {
        ds_buf_str(b, " in unloaded ");
        put_name(b, gone->name);
    }
    ds_buf_char(b, '\n');
    ds_buf_deinit(&name);
}

void stack_put_frames(struct cli_memory *m, const struct ds_thread_stack *s, bool verbose,
                      struct ds_buf *b)
{
    if (s->stack.count == 0) {
        ds_buf_printf(b, "    %s\n", s->note[0] != '\0' ? s->note : ds_status_text(s->why));
        return;
    }
    ds_buf_printf(b, "  %s, from the %s\n", s->kind != NULL ? s->kind : "unknown stack",
                  strcmp(s->start, "fault") == 0 ? "context of the fault" : s->start);
    for (size_t i = 0; i < s->stack.count; i++)
        put_frame(m, &s->stack.frames[i], i, verbose, b);
    if (s->why != DS_OK) {
        ds_buf_str(b, "      ends at ");
        cli_put_va(m, b, s->stack.end_sp);
        ds_buf_printf(b, ": %s\n", ds_status_text(s->why));
    } else if (s->note[0] != '\0') {
        ds_buf_printf(b, "      %s\n", s->note);
    }
}
