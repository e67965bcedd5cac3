/* What the threads of the system were at, in a screenful. */
#include <stdlib.h>
#include <string.h>

#include "nt/details.h"
#include "report/build.h"

#define REASONS_KEPT 256u /* wait reasons that are counted: more than there are */

static const char *process_of(struct ds_builder *b, struct ds_opt eprocess)
{
    const struct ds_processes *p = ds_nt_processes(b->nt);
    for (size_t i = 0; eprocess.known && i < p->count; i++)
        if (p->rows[i].eprocess == eprocess.value)
            return p->rows[i].name;
    return NULL;
}

static void count_state(struct ds_report_threads *out, const struct ds_thread *t,
                        const struct ds_thread_detail *d, uint32_t reasons[REASONS_KEPT])
{
    if (!t->state.known || t->state.value >= DS_REPORT_THREAD_STATES)
        out->state_unknown++;
    else
        out->states[t->state.value]++;
    bool waits = t->state.known && t->state.value == DS_THREAD_WAITING;
    if (waits && t->wait_reason.known && t->wait_reason.value < REASONS_KEPT)
        reasons[t->wait_reason.value]++;
    if (ds_opt_or(t->state, 0) == DS_THREAD_TERMINATED)
        return;
    out->suspended += ds_opt_or(t->suspend_count, 0) != 0;
    out->frozen += d != NULL && ds_opt_or(d->freeze_count, 0) != 0;
    out->paged_out += t->kernel_stack_resident.known && t->kernel_stack_resident.value == 0;
}

/* The most frequent first; of equals the smaller reason. */
static void top_reasons(struct ds_report_threads *out, uint32_t reasons[REASONS_KEPT])
{
    for (; out->reason_count < DS_REPORT_TOP; out->reason_count++) {
        size_t best = 0;
        for (size_t i = 1; i < REASONS_KEPT; i++)
            best = reasons[i] > reasons[best] ? i : best;
        if (reasons[best] == 0)
            return;
        out->reasons[out->reason_count].name = ds_wait_reason_name(best);
        out->reasons[out->reason_count].number = (uint32_t)best;
        out->reasons[out->reason_count].count = reasons[best];
        reasons[best] = 0;
    }
}

/* Keeps the threads with the most processor time; the idle threads are in no list. */
static void consider_busy(struct ds_report_threads *out, const struct ds_thread *t,
                          const struct ds_thread_detail *d)
{
    uint64_t ms = ds_opt_or(d->kernel_time_ms, 0);
    if (__builtin_add_overflow(ms, ds_opt_or(d->user_time_ms, 0), &ms) || ms == 0)
        return;
    size_t at = out->busy_count;
    while (at > 0 && out->busy[at - 1].total_ms < ms)
        at--;
    if (at == DS_REPORT_TOP)
        return;
    size_t last = out->busy_count < DS_REPORT_TOP ? out->busy_count++ : DS_REPORT_TOP - 1;
    memmove(&out->busy[at + 1], &out->busy[at], (last - at) * sizeof(out->busy[0]));
    out->busy[at] = (struct ds_report_busy){
        .ethread = t->ethread,
        .eprocess = t->eprocess,
        .pid = t->pid,
        .tid = t->tid,
        .kernel_ms = d->kernel_time_ms,
        .user_ms = d->user_time_ms,
        .total_ms = ms,
        .state = t->state.known ? ds_thread_state_name(t->state.value) : NULL};
}

/* Keeps the processes with the most threads. */
static void consider_large(struct ds_report_threads *out, const struct ds_process *p,
                           const struct ds_process_detail *d)
{
    size_t at = out->large_count;
    if (d->threads == 0)
        return;
    while (at > 0 && out->large[at - 1].threads < d->threads)
        at--;
    if (at == DS_REPORT_TOP)
        return;
    size_t last = out->large_count < DS_REPORT_TOP ? out->large_count++ : DS_REPORT_TOP - 1;
    memmove(&out->large[at + 1], &out->large[at], (last - at) * sizeof(out->large[0]));
    out->large[at] = (struct ds_report_large){.eprocess = p->eprocess,
                                              .pid = p->pid,
                                              .name = p->name,
                                              .threads = d->threads,
                                              .handles = d->handle_count,
                                              .commit_pages = d->commit_charge};
}

void ds_build_threads(struct ds_builder *b)
{
    struct ds_report_threads *out = &b->r->threads;
    uint32_t reasons[REASONS_KEPT] = {0};
    if (ds_dump_kind(b->t->dump) == DS_DUMP_TRIAGE || b->t->kernel == NULL)
        return;
    const struct ds_threads *t = ds_nt_threads(b->nt);
    const struct ds_processes *p = ds_nt_processes(b->nt);
    const struct ds_thread_detail *d = ds_nt_thread_details(b->nt);
    const struct ds_process_detail *pd = ds_nt_process_details(b->nt);
    out->known = t->count > 0;
    out->complete = t->walk.complete;
    out->processes = p->count;
    out->threads = t->count;
    for (size_t i = 0; i < t->count; i++) {
        count_state(out, &t->rows[i], d != NULL ? &d[i] : NULL, reasons);
        if (d != NULL)
            consider_busy(out, &t->rows[i], &d[i]);
    }
    top_reasons(out, reasons);
    for (size_t i = 0; pd != NULL && i < p->count; i++) {
        consider_large(out, &p->rows[i], &pd[i]);
        out->wholly_suspended += ds_opt_or(pd[i].wholly_suspended, 0) != 0;
    }
    for (size_t i = 0; i < out->busy_count; i++)
        out->busy[i].process = process_of(b, out->busy[i].eprocess);
}
