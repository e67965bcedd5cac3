/* What each processor ran and has queued, as !running -i and !dpcs say it. */
#include <inttypes.h>
#include <stdio.h>

#include "report/text.h"

#define QUEUE_INDENT 8
#define NAME_MAX_SHOWN 24

/* An idle processor that has nothing queued needs no line of its own. */
static bool is_quiet(const struct ds_report_cpu *c)
{
    return c->idle.known && c->idle.value != 0 && ds_opt_or(c->dpcs, 0) == 0 &&
           ds_opt_or(c->dpc_active, 0) == 0;
}

static void one_processor(struct ds_paper *p, const struct ds_report *r,
                          const struct ds_report_cpu *c)
{
    char thread[DS_TEXT_ADDRESS], irql[DS_TEXT_ADDRESS] = "-", pid[DS_TEXT_ADDRESS];
    char name[96];
    bool idle = c->idle.known && c->idle.value != 0;
    (void)snprintf(name, sizeof(name), "%.*s, pid %s", NAME_MAX_SHOWN,
                   c->process != NULL ? c->process : "process " DS_REPORT_UNKNOWN,
                   ds_text_number(c->pid, pid));
    if (c->irql.known)
        (void)snprintf(irql, sizeof(irql), "%" PRIu64, c->irql.value);
    ds_paper_rowf(p, DS_STYLE_PLAIN, "  %3" PRIu32 "  %s  %4s  %s%s%s", c->number,
                  ds_text_address(r, c->thread, thread), irql, idle ? "idle thread" : name,
                  c->where != NULL ? " at " : "", c->where != NULL ? c->where : "");
    if (c->dpc_names != NULL) {
        char text[64];
        (void)snprintf(text, sizeof(text), "%" PRIu64 " DPC%s in its queue: ", c->dpcs.value,
                       c->dpcs.value == 1 ? "" : "s");
        struct ds_buf b;
        ds_buf_init(&b, 64u << 10);
        ds_buf_printf(&b, "%s%s", text, c->dpc_names);
        ds_paper_item(p, QUEUE_INDENT, DS_STYLE_PLAIN, "", ds_buf_text(&b));
        ds_buf_deinit(&b);
    }
}

void ds_text_cpus(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    size_t quiet = 0;
    if (r->cpu_count == 0)
        return;
    ds_paper_heading(p, "PROCESSORS");
    ds_paper_rowf(p, DS_STYLE_DIM, "    #  %-*s  IRQL  what runs", (int)r->digits, "thread");
    for (size_t i = 0; i < r->cpu_count; i++) {
        if (is_quiet(&r->cpus[i]) && !verbose && r->cpu_count > 2)
            quiet++;
        else
            one_processor(p, r, &r->cpus[i]);
    }
    if (quiet != 0)
        ds_paper_rowf(p, DS_STYLE_DIM, "  %zu more, idle (listed with -v)", quiet);
}
