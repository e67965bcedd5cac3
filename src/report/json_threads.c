/* The member "threads" of the report: what the threads of the system were at. */
#include "nt/nt.h"
#include "report/json_parts.h"

static void json_states(struct ds_json *j, const struct ds_report_threads *t)
{
    ds_json_key(j, "states");
    ds_json_object(j);
    for (size_t i = 0; i < DS_REPORT_THREAD_STATES; i++) {
        const char *name = ds_thread_state_name(i);
        if (t->states[i] > 0 && name != NULL)
            ds_json_key_unsigned(j, name, t->states[i]);
    }
    if (t->state_unknown > 0)
        ds_json_key_unsigned(j, "unknown", t->state_unknown);
    ds_json_object_end(j);
    ds_json_key(j, "wait_reasons");
    ds_json_array(j);
    for (size_t i = 0; i < t->reason_count; i++) {
        ds_json_object(j);
        ds_json_key_unsigned(j, "reason", t->reasons[i].number);
        ds_json_key_string(j, "name", t->reasons[i].name);
        ds_json_key_unsigned(j, "count", t->reasons[i].count);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
}

static void json_busy(struct ds_json *j, const struct ds_report *r, const struct ds_report_busy *x)
{
    ds_json_object(j);
    ds_json_key_hex(j, "ethread", ds_opt_known(x->ethread), r->digits);
    ds_json_key_hex(j, "eprocess", x->eprocess, r->digits);
    ds_json_key_string(j, "process", x->process);
    ds_json_key_opt(j, "pid", x->pid);
    ds_json_key_opt(j, "tid", x->tid);
    ds_json_key_string(j, "state", x->state);
    ds_json_key_opt(j, "kernel_time_ms", x->kernel_ms);
    ds_json_key_opt(j, "user_time_ms", x->user_ms);
    ds_json_object_end(j);
}

static void json_large(struct ds_json *j, const struct ds_report *r,
                       const struct ds_report_large *x)
{
    ds_json_object(j);
    ds_json_key_hex(j, "eprocess", ds_opt_known(x->eprocess), r->digits);
    ds_json_key_string(j, "process", x->name);
    ds_json_key_opt(j, "pid", x->pid);
    ds_json_key_unsigned(j, "threads", x->threads);
    ds_json_key_opt(j, "handles", x->handles);
    ds_json_key_opt(j, "commit_pages", x->commit_pages);
    ds_json_object_end(j);
}

void ds_json_part_threads(struct ds_json *j, const struct ds_report *r)
{
    const struct ds_report_threads *t = &r->threads;
    ds_json_key(j, "threads");
    if (!t->known) {
        ds_json_null(j);
        return;
    }
    ds_json_object(j);
    ds_json_key_unsigned(j, "processes", t->processes);
    ds_json_key_unsigned(j, "threads", t->threads);
    ds_json_key_bool(j, "complete", t->complete);
    json_states(j, t);
    ds_json_key_unsigned(j, "suspended", t->suspended);
    ds_json_key_unsigned(j, "frozen", t->frozen);
    ds_json_key_unsigned(j, "processes_wholly_suspended", t->wholly_suspended);
    ds_json_key_unsigned(j, "stacks_paged_out", t->paged_out);
    ds_json_key(j, "most_cpu");
    ds_json_array(j);
    for (size_t i = 0; i < t->busy_count; i++)
        json_busy(j, r, &t->busy[i]);
    ds_json_array_end(j);
    ds_json_key(j, "most_threads");
    ds_json_array(j);
    for (size_t i = 0; i < t->large_count; i++)
        json_large(j, r, &t->large[i]);
    ds_json_array_end(j);
    ds_json_object_end(j);
}
