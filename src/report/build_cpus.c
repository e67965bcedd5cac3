/* What each processor ran and has queued, of dumps that hold the kernel's memory. */
#include <stdlib.h>

#include "nt/dispatch.h"
#include "nt/processor_details.h"
#include "report/build.h"

#define DPC_NAMES_MAX 5 /* of one processor; the others are counted */
#define KEEP_MAX (64u << 10)

static const char *process_name(struct ds_builder *b, struct ds_opt eprocess)
{
    const struct ds_processes *ps = ds_nt_processes(b->nt);
    for (size_t i = 0; eprocess.known && i < ps->count; i++)
        if (ps->rows[i].eprocess == eprocess.value)
            return ps->rows[i].name;
    return NULL;
}

static void build_thread(struct ds_builder *b, struct ds_report_cpu *c)
{
    if (!c->thread.known)
        return;
    uint64_t va = c->thread.value;
    c->pid = ds_target_field(b->t, va, "_ETHREAD", "Cid.UniqueProcess");
    c->tid = ds_target_field(b->t, va, "_ETHREAD", "Cid.UniqueThread");
    if (c->idle.known && c->idle.value != 0)
        return;
    c->process = process_name(b, ds_target_field(b->t, va, "_KTHREAD", "ApcState.Process"));
}

/* Rows of dpcs come by processor. */
static void build_dpcs(struct ds_builder *b, struct ds_report_cpu *c, size_t *next)
{
    const struct ds_dpcs *dpcs = ds_nt_dpcs(b->nt);
    struct ds_buf words;
    size_t count = 0;
    ds_buf_init(&words, KEEP_MAX);
    while (*next < dpcs->count && dpcs->rows[*next].processor == c->number) {
        struct ds_opt routine = dpcs->rows[(*next)++].routine;
        if (count++ >= DPC_NAMES_MAX)
            continue;
        const char *where = routine.known ? ds_build_where(b, routine.value) : NULL;
        ds_buf_printf(&words, "%s%s", count > 1 ? ", " : "",
                      where != NULL ? where : DS_REPORT_UNKNOWN);
    }
    if (count > DPC_NAMES_MAX)
        ds_buf_printf(&words, ", and %zu more", count - DPC_NAMES_MAX);
    c->dpcs = count != 0 || dpcs->walk.complete ? ds_opt_known(count)
                                                : ds_opt_unknown(dpcs->walk.stop_reason);
    if (count != 0)
        c->dpc_names = ds_build_keep(b->r, &words);
    else
        ds_buf_deinit(&words);
}

void ds_build_cpus(struct ds_builder *b)
{
    const struct ds_processors *cpus = ds_nt_processors(b->nt);
    const struct ds_processor_detail *more = ds_nt_processor_details(b->nt);
    size_t next = 0;
    if (ds_dump_kind(b->t->dump) == DS_DUMP_TRIAGE || b->t->kernel == NULL || more == NULL)
        return;
    b->r->cpus = ds_build_array(b, cpus->count, sizeof(*b->r->cpus));
    for (size_t i = 0; b->r->cpus != NULL && i < cpus->count; i++) {
        const struct ds_processor *p = &cpus->rows[i];
        struct ds_report_cpu *c = &b->r->cpus[b->r->cpu_count++];
        *c = (struct ds_report_cpu){.number = p->number,
                                    .prcb = p->prcb,
                                    .thread = p->current_thread,
                                    .idle = more[i].idle,
                                    .irql = more[i].irql,
                                    .dpc_active = more[i].dpc_routine_active};
        build_thread(b, c);
        build_dpcs(b, c, &next);
        if (p->has_context && p->context.pc != 0) {
            c->pc = ds_opt_known(p->context.pc);
            c->where = ds_build_where(b, p->context.pc);
        }
    }
}
