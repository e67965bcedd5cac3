#include "report/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define VERDICT_INDENT 6
#define FINDING_INDENT 12
#define TEXT_MAX (64u << 10)

const char *ds_text_address(const struct ds_report *r, struct ds_opt value,
                            char text[DS_TEXT_ADDRESS])
{
    if (!value.known)
        return DS_REPORT_UNKNOWN;
    (void)snprintf(text, DS_TEXT_ADDRESS, "%0*" PRIx64, (int)r->digits, value.value);
    return text;
}

const char *ds_text_number(struct ds_opt value, char text[DS_TEXT_ADDRESS])
{
    if (!value.known)
        return DS_REPORT_UNKNOWN;
    (void)snprintf(text, DS_TEXT_ADDRESS, "%" PRIu64, value.value);
    return text;
}

void ds_text_cell(const struct ds_report *r, const struct ds_cell *cell, struct ds_buf *out)
{
    switch (cell->kind) {
    case DS_CELL_INT:
        if (cell->is_address)
            ds_buf_printf(out, "%0*" PRIx64, (int)r->digits, (uint64_t)cell->integer);
        else
            ds_buf_printf(out, "%" PRId64, cell->integer);
        break;
    case DS_CELL_REAL:
        ds_buf_printf(out, "%g", cell->real);
        break;
    case DS_CELL_TEXT:
        ds_buf_str(out, cell->text);
        break;
    default:
        ds_buf_str(out, DS_REPORT_UNKNOWN);
    }
}

static enum ds_style severity_style(enum ds_severity s)
{
    return s >= DS_SEV_HIGH ? DS_STYLE_BAD : s >= DS_SEV_LOW ? DS_STYLE_WARN : DS_STYLE_BOLD;
}

void ds_text_verdict(struct ds_paper *p, const struct ds_report *r)
{
    ds_paper_split(p, DS_STYLE_BOLD, r->file, "dumpscan " DS_VERSION);
    ds_paper_blank(p);
    bool blamed = r->culprit.module != NULL;
    ds_paper_item_styled(p, VERDICT_INDENT, DS_STYLE_BOLD, "What", DS_STYLE_BOLD, r->verdict.what);
    ds_paper_item_styled(p, VERDICT_INDENT, DS_STYLE_BOLD, "Who",
                         blamed ? DS_STYLE_BAD : DS_STYLE_WARN, r->verdict.who);
    if (r->culprit_owner != NULL)
        ds_paper_item(p, VERDICT_INDENT, DS_STYLE_BOLD, "Whose", r->culprit_owner->text);
    ds_paper_item(p, VERDICT_INDENT, DS_STYLE_BOLD, "Why", r->verdict.why);
    if (r->damaged)
        ds_paper_item(p, VERDICT_INDENT, DS_STYLE_BAD, "File",
                      "DAMAGED: some of what follows is missing or may be wrong.");
}

/* Whom else the evidence leads to, and how strongly. */
static void text_suspects(struct ds_paper *p, const struct ds_report *r)
{
    if (r->runner_up_count == 0)
        return;
    ds_paper_heading(p, "OTHER SUSPECTS");
    for (size_t i = 0; i < r->runner_up_count; i++) {
        const struct ds_report_culprit *c = &r->runners_up[i];
        struct ds_buf title;
        char label[32];
        ds_buf_init(&title, TEXT_MAX);
        ds_buf_str(&title, c->module != NULL ? c->module : c->kind);
        if (c->function != NULL)
            ds_buf_printf(&title, " at %s", c->function);
        (void)snprintf(label, sizeof(label), "  %s",
                       c->confidence != NULL ? c->confidence : DS_REPORT_UNKNOWN);
        ds_paper_item_styled(p, FINDING_INDENT, DS_STYLE_PLAIN, label, DS_STYLE_BOLD,
                             ds_buf_text(&title));
        ds_buf_deinit(&title);
        if (c->reason != NULL)
            ds_paper_item(p, FINDING_INDENT, DS_STYLE_PLAIN, "", c->reason);
    }
}

/* Evidence that the message does not hold already; all of it when verbose. */
static void instance_evidence(struct ds_paper *p, const struct ds_report *r,
                              const struct ds_report_instance *in, int verbose)
{
    struct ds_buf b;
    ds_buf_init(&b, TEXT_MAX);
    for (size_t i = 0; i < in->evidence_count; i++) {
        const struct ds_report_evidence *e = &in->evidence[i];
        struct ds_buf value;
        ds_buf_init(&value, TEXT_MAX);
        ds_text_cell(r, &e->cell, &value);
        bool said = e->cell.kind == DS_CELL_NULL ||
                    (in->message != NULL && strstr(in->message, ds_buf_text(&value)) != NULL);
        if (verbose || !said)
            ds_buf_printf(&b, "%s%s %s", b.len > 0 ? ", " : "", e->name, ds_buf_text(&value));
        ds_buf_deinit(&value);
    }
    if (b.len > 0)
        ds_paper_item_styled(p, FINDING_INDENT, DS_STYLE_PLAIN, "", DS_STYLE_DIM, ds_buf_text(&b));
    ds_buf_deinit(&b);
}

/* What the threads of a finding were doing. */
static void instance_stacks(struct ds_paper *p, const struct ds_report *r,
                            const struct ds_report_instance *in, int verbose)
{
    for (size_t i = 0; i < in->stack_count; i++) {
        const struct ds_report_thread_stack *s = &in->stacks[i];
        char number[DS_TEXT_ADDRESS];
        bool scanned = false;
        for (size_t k = 0; k < s->stack.frame_count; k++)
            scanned = scanned || strcmp(s->stack.frames[k].trust, "scan") == 0;
        const char *why = s->note != NULL             ? s->note
                          : s->stack.frame_count == 0 ? s->stack.end
                                                      : NULL;
        ds_paper_rowf(p, DS_STYLE_DIM, "%*sstack of %s%s%s%s", FINDING_INDENT, "",
                      ds_text_address(r, ds_opt_known(s->ethread), number), why != NULL ? ": " : "",
                      why != NULL ? why : "", scanned ? "  (~ ? found by scanning)" : "");
        ds_text_frames(p, r, &s->stack, FINDING_INDENT, verbose);
    }
}

static void finding_instances(struct ds_paper *p, const struct ds_report *r,
                              const struct ds_report_finding *f, int verbose)
{
    size_t shown =
        verbose || f->instance_count <= DS_TEXT_INSTANCES ? f->instance_count : DS_TEXT_INSTANCES;
    for (size_t i = 0; i < shown; i++) {
        ds_paper_item(p, FINDING_INDENT, DS_STYLE_PLAIN, "", f->instances[i].message);
        instance_evidence(p, r, &f->instances[i], verbose);
        if (i == 0 || verbose)
            instance_stacks(p, r, &f->instances[i], verbose);
    }
    size_t more = f->instance_count - shown + f->instances_dropped;
    if (more > 0)
        ds_paper_rowf(p, DS_STYLE_DIM, "%*s%zu more%s", FINDING_INDENT, "", more,
                      verbose ? " that were not kept" : " (shown with -v)");
}

static void finding_match(struct ds_paper *p, const struct ds_report *r,
                          const struct ds_report_finding *f, int verbose)
{
    char label[32];
    struct ds_buf title;
    ds_buf_init(&title, TEXT_MAX);
    ds_buf_printf(&title, "%s%s [%s]", f->title, f->partial ? " (partial: a walk was cut)" : "",
                  f->id);
    (void)snprintf(label, sizeof(label), "  %s", ds_severity_name(f->severity));
    ds_paper_item_styled(p, FINDING_INDENT, severity_style(f->severity), label, DS_STYLE_BOLD,
                         ds_buf_text(&title));
    ds_buf_deinit(&title);
    finding_instances(p, r, f, verbose);
    if (verbose && f->explain != NULL)
        ds_paper_paragraphs(p, FINDING_INDENT, "", f->explain);
    for (size_t i = 0; i < f->next_step_count; i++)
        ds_paper_item(p, FINDING_INDENT, DS_STYLE_GOOD, i == 0 ? "      next" : "",
                      f->next_steps[i]);
    for (size_t i = 0; verbose && i < f->reference_count; i++)
        ds_paper_item(p, FINDING_INDENT, DS_STYLE_DIM, i == 0 ? "       see" : "",
                      f->references[i]);
}

/* Whether a finding for information only repeats what the bugcheck means. */
static bool only_repeats(const struct ds_report *r, const struct ds_report_finding *f)
{
    if (f->severity != DS_SEV_INFO || f->instance_count != 1 || r->bugcheck.text == NULL)
        return false;
    const char *message = f->instances[0].message;
    return message != NULL && strstr(message, r->bugcheck.text) != NULL;
}

static void list_of_outcome(struct ds_paper *p, const struct ds_report *r, const char *heading,
                            enum ds_outcome outcome)
{
    ds_paper_row(p, DS_STYLE_DIM, heading);
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct ds_report_finding *f = &r->findings[i];
        struct ds_buf b;
        if (f->outcome != outcome)
            continue;
        ds_buf_init(&b, TEXT_MAX);
        ds_buf_printf(&b, "%s [%s]", f->title, f->id);
        if (f->not_asked != NULL)
            ds_buf_printf(&b, ": %s", f->not_asked);
        ds_paper_item_styled(p, 4, DS_STYLE_DIM, "", DS_STYLE_DIM, ds_buf_text(&b));
        ds_buf_deinit(&b);
    }
}

void ds_text_findings(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    ds_paper_heading(p, "FINDINGS");
    size_t matched = 0, repeats = 0, clear = 0, unasked = 0;
    for (size_t i = 0; i < r->finding_count; i++) {
        if (r->findings[i].outcome == DS_OUTCOME_MATCH && !verbose &&
            only_repeats(r, &r->findings[i])) {
            repeats++;
        } else if (r->findings[i].outcome == DS_OUTCOME_MATCH) {
            finding_match(p, r, &r->findings[i], verbose);
            matched++;
        } else if (r->findings[i].outcome == DS_OUTCOME_NO_MATCH) {
            clear++;
        } else if (r->findings[i].outcome == DS_OUTCOME_DOES_NOT_APPLY) {
            unasked++;
        }
    }
    if (matched == 0)
        ds_paper_row(p, DS_STYLE_PLAIN,
                     repeats > 0 ? "  Nothing beyond what the bugcheck says."
                                 : "  No pattern matched.");
    if (verbose && clear > 0)
        list_of_outcome(p, r, "  Looked for, and not there:", DS_OUTCOME_NO_MATCH);
    if (verbose && unasked > 0)
        list_of_outcome(p, r, "  Not asked of this dump:", DS_OUTCOME_DOES_NOT_APPLY);
}

enum ds_status ds_report_write_text(const struct ds_report *r, const struct ds_text_options *o,
                                    struct ds_buf *out)
{
    struct ds_paper p;
    ds_paper_init(&p, out, o->colour, o->width);
    ds_text_verdict(&p, r);
    ds_text_findings(&p, r, o->verbose);
    if (o->verbose)
        text_suspects(&p, r);
    ds_text_crash(&p, r, o->verbose);
    ds_text_stack(&p, r, o->verbose);
    ds_text_cpus(&p, r, o->verbose);
    ds_text_threads(&p, r, o->verbose);
    ds_text_system(&p, r, o->verbose);
    ds_text_modules(&p, r, o->verbose);
    ds_text_memory(&p, r, o->verbose);
    ds_text_blobs(&p, r, o->verbose);
    ds_text_limits(&p, r, o->verbose);
    return ds_buf_ok(out) ? DS_OK : DS_LIMIT;
}
