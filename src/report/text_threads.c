/* What the threads of the system were at. */
#include <inttypes.h>
#include <stdio.h>

#include "nt/nt.h"
#include "report/text.h"

#define TEXT_MAX (64u << 10)

static void put_states(struct ds_paper *p, const struct ds_report_threads *t)
{
    struct ds_buf b;
    bool first = true;
    ds_buf_init(&b, TEXT_MAX);
    ds_buf_printf(&b, "%" PRIu64 "%s", t->threads,
                  t->complete ? ": " : ", then the list is cut short: ");
    for (size_t i = 0; i < DS_REPORT_THREAD_STATES; i++) {
        const char *name = ds_thread_state_name(i);
        if (t->states[i] == 0)
            continue;
        ds_buf_printf(&b, "%s%" PRIu32 " %s", first ? "" : ", ", t->states[i],
                      name != NULL ? name : DS_REPORT_UNKNOWN);
        first = false;
    }
    if (t->state_unknown > 0)
        ds_buf_printf(&b, "%s%" PRIu32 " of unknown state", first ? "" : ", ", t->state_unknown);
    ds_paper_field(p, "Threads", ds_buf_text(&b));
    ds_buf_deinit(&b);
}

static void put_reasons(struct ds_paper *p, const struct ds_report_threads *t)
{
    struct ds_buf b;
    ds_buf_init(&b, TEXT_MAX);
    for (size_t i = 0; i < t->reason_count; i++) {
        const struct ds_report_reason *r = &t->reasons[i];
        ds_buf_printf(&b, "%s%" PRIu32 " ", i == 0 ? "" : ", ", r->count);
        if (r->name != NULL)
            ds_buf_str(&b, r->name);
        else
            ds_buf_printf(&b, "for reason %" PRIu32, r->number);
    }
    if (b.len > 0)
        ds_paper_field(p, "Waiting", ds_buf_text(&b));
    ds_buf_deinit(&b);
}

/* What is out of the ordinary; nothing when nothing is. */
static void put_special(struct ds_paper *p, const struct ds_report_threads *t)
{
    const struct {
        uint32_t count;
        const char *what;
    } parts[] = {{t->suspended, "suspended"},
                 {t->frozen, "frozen"},
                 {t->wholly_suspended, "processes wholly suspended"},
                 {t->paged_out, "with their stacks paged out"}};
    struct ds_buf b;
    ds_buf_init(&b, TEXT_MAX);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (parts[i].count > 0)
            ds_buf_printf(&b, "%s%" PRIu32 " %s", b.len > 0 ? ", " : "", parts[i].count,
                          parts[i].what);
    if (b.len > 0)
        ds_paper_field(p, "Of them", ds_buf_text(&b));
    ds_buf_deinit(&b);
}

/* Days, hours, minutes, seconds, milliseconds, as !thread writes them. */
static void put_duration(struct ds_buf *b, struct ds_opt ms)
{
    if (!ms.known) {
        ds_buf_str(b, DS_REPORT_UNKNOWN);
        return;
    }
    uint64_t s = ms.value / 1000;
    ds_buf_printf(b, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%03" PRIu64, s / 86400,
                  s / 3600 % 24, s / 60 % 60, s % 60, ms.value % 1000);
}

static void put_busy(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    const struct ds_report_threads *t = &r->threads;
    for (size_t i = 0; i < t->busy_count && (verbose || i < 3); i++) {
        const struct ds_report_busy *x = &t->busy[i];
        struct ds_buf b;
        char number[DS_TEXT_ADDRESS];
        ds_buf_init(&b, TEXT_MAX);
        ds_buf_printf(&b, "%s of %s, %s, kernel ",
                      ds_text_address(r, ds_opt_known(x->ethread), number),
                      x->process != NULL ? x->process : DS_REPORT_UNKNOWN,
                      x->state != NULL ? x->state : DS_REPORT_UNKNOWN);
        put_duration(&b, x->kernel_ms);
        ds_buf_str(&b, ", user ");
        put_duration(&b, x->user_ms);
        ds_paper_field(p, i == 0 ? "Most CPU" : "", ds_buf_text(&b));
        ds_buf_deinit(&b);
    }
}

static void put_large(struct ds_paper *p, const struct ds_report_threads *t, int verbose)
{
    struct ds_buf b;
    ds_buf_init(&b, TEXT_MAX);
    for (size_t i = 0; i < t->large_count && (verbose || i < 3); i++) {
        const struct ds_report_large *x = &t->large[i];
        ds_buf_printf(&b, "%s%s %" PRIu32, i == 0 ? "" : ", ",
                      x->name != NULL ? x->name : DS_REPORT_UNKNOWN, x->threads);
    }
    if (b.len > 0)
        ds_paper_field(p, "Most threads", ds_buf_text(&b));
    ds_buf_deinit(&b);
}

void ds_text_threads(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    const struct ds_report_threads *t = &r->threads;
    if (!t->known)
        return;
    ds_paper_heading(p, "PROCESSES AND THREADS");
    ds_paper_fieldf(p, "Processes", "%" PRIu64, t->processes);
    put_states(p, t);
    put_reasons(p, t);
    put_special(p, t);
    put_large(p, t, verbose);
    put_busy(p, r, verbose);
}
