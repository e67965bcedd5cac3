/* Threads and their stacks as JSON. */
#include "cli/stack.h"
#include "facts/resolve.h"
#include "nt/details.h"
#include "nt/waits.h"

static void put_code(struct ds_json *j, struct cli_memory *m, const char *key, struct ds_opt va)
{
    struct ds_buf name;
    ds_buf_init(&name, 4096);
    bool known = va.known && ds_resolve_symbol(m->nt, va.value, &name);
    ds_json_key_string(j, key, known ? ds_buf_text(&name) : NULL);
    ds_buf_deinit(&name);
}

static void put_wait(struct ds_json *j, const struct ds_thread *t)
{
    bool waits = ds_opt_or(t->state, 0) == DS_THREAD_WAITING && t->wait_reason.known;
    ds_json_key_string(j, "state", t->state.known ? ds_thread_state_name(t->state.value) : NULL);
    ds_json_key_string(j, "wait_reason", waits ? ds_wait_reason_name(t->wait_reason.value) : NULL);
}

static void put_details(struct ds_json *j, struct cli_memory *m, const struct ds_thread *t,
                        const struct ds_thread_detail *d)
{
    ds_json_key_string(j, "name", d->name);
    put_wait(j, t);
    ds_json_key_opt(j, "wait_age_ms", d->wait_age_ms);
    ds_json_key_opt(j, "suspend_count", t->suspend_count);
    ds_json_key_opt(j, "freeze_count", d->freeze_count);
    ds_json_key_opt(j, "priority", t->priority);
    ds_json_key_opt(j, "base_priority", t->base_priority);
    ds_json_key_opt(j, "priority_decrement", d->priority_decrement);
    ds_json_key_opt(j, "io_priority", d->io_priority);
    ds_json_key_opt(j, "page_priority", d->page_priority);
    ds_json_key_opt(j, "kernel_time_ms", d->kernel_time_ms);
    ds_json_key_opt(j, "user_time_ms", d->user_time_ms);
    ds_json_key_opt(j, "context_switches", t->context_switches);
    ds_json_key_opt(j, "irp_count", d->irp_count);
    ds_json_key_opt(j, "stack_size", d->stack_size);
    ds_json_key_opt(j, "stack_free", d->stack_free);
    ds_json_key_hex(j, "start_address", t->start_address, m->digits);
    put_code(j, m, "start_symbol", t->start_address);
    ds_json_key_hex(j, "win32_start_address", d->win32_start_address, m->digits);
}

static void put_thread(struct ds_json *j, struct cli_memory *m, uint64_t ethread)
{
    uint32_t row = ds_nt_thread_row(m->nt, ethread);
    const struct ds_thread_detail *d = ds_nt_thread_details(m->nt);
    bool listed = row != DS_NO_ROW && d != NULL;
    ds_json_object(j);
    ds_json_key_hex(j, "ethread", ds_opt_known(ethread), m->digits);
    ds_json_key_bool(j, "listed", listed);
    if (listed) {
        const struct ds_thread *t = &ds_nt_threads(m->nt)->rows[row];
        const struct ds_process *p =
            t->eprocess.known ? cli_process_row(m, t->eprocess.value) : NULL;
        ds_json_key_hex(j, "eprocess", t->eprocess, m->digits);
        ds_json_key_string(j, "process", p != NULL ? p->name : NULL);
        ds_json_key_opt(j, "pid", t->pid);
        ds_json_key_opt(j, "tid", t->tid);
        put_details(j, m, t, &d[row]);
    }
    ds_json_object_end(j);
}

static void put_frame(struct ds_json *j, struct cli_memory *m, const struct ds_frame *f)
{
    const struct ds_module *module = ds_target_module_at(m->target, f->pc);
    const struct ds_unloaded_module *gone = ds_resolve_unloaded(m->nt, f->pc);
    ds_json_object(j);
    ds_json_key_hex(j, "sp", ds_opt_known(f->sp), m->digits);
    ds_json_key_hex(j, "pc", ds_opt_known(f->pc), m->digits);
    ds_json_key_string(j, "module", module != NULL ? module->name : NULL);
    put_code(j, m, "where", ds_opt_known(f->pc));
    ds_json_key_string(j, "unloaded_module", gone != NULL ? gone->name : NULL);
    ds_json_key_string(j, "trust", ds_frame_trust_name(f->trust));
    ds_json_key(j, "after_call");
    if (f->after_call.known)
        ds_json_bool(j, f->after_call.value != 0);
    else
        ds_json_null(j);
    ds_json_key_bool(j, "interrupted", f->interrupted);
    ds_json_key_bool(j, "anchored", f->anchored);
    ds_json_object_end(j);
}

void stack_json_group(struct ds_json *j, struct cli_memory *m, const struct stack_group *g)
{
    const struct ds_thread_stack *s = g->stack;
    bool cut = s->why != DS_OK && s->stack.count > 0;
    ds_json_object(j);
    ds_json_key(j, "threads");
    ds_json_array(j);
    for (size_t i = 0; i < g->count; i++)
        put_thread(j, m, g->threads[i]);
    ds_json_array_end(j);
    ds_json_key_opt(j, "processor", g->count == 1 ? s->processor : ds_opt_unknown(DS_OK));
    ds_json_key_string(j, "kind", s->kind);
    ds_json_key_string(j, "start", s->start);
    ds_json_key_string(j, "note", s->note[0] != '\0' ? s->note : NULL);
    ds_json_key_bool(j, "complete", s->why == DS_OK);
    ds_json_key_string(j, "end", s->why != DS_OK ? ds_status_name(s->why) : NULL);
    ds_json_key_hex(j, "end_sp", cut ? ds_opt_known(s->stack.end_sp) : ds_opt_unknown(DS_OK),
                    m->digits);
    ds_json_key(j, "frames");
    ds_json_array(j);
    for (size_t i = 0; i < s->stack.count; i++)
        put_frame(j, m, &s->stack.frames[i]);
    ds_json_array_end(j);
    ds_json_object_end(j);
}
