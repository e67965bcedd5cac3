/* What could not be told, and why: damage, cut walks, undecided patterns. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/text.h"

#define LIMIT_INDENT 4

static void limit_item(struct ds_paper *p, enum ds_style style, struct ds_buf *b)
{
    ds_paper_item_styled(p, LIMIT_INDENT, style, "  -",
                         style == DS_STYLE_DIM ? style : DS_STYLE_PLAIN, ds_buf_text(b));
    ds_buf_deinit(b);
}

/* What the caller said and nothing bears out is always told; other notes are for -v. */
static bool is_mild(const struct ds_report_note *n)
{
    return strcmp(n->level, "note") == 0 && strncmp(n->check, "option.", 7) != 0;
}

static void limit_note(struct ds_paper *p, const struct ds_report_note *n)
{
    bool mild = is_mild(n);
    struct ds_buf b;
    ds_buf_init(&b, 64u << 10);
    ds_buf_printf(&b, "%s %s", n->level, n->check);
    if (n->offset.known)
        ds_buf_printf(&b, " at file offset 0x%" PRIx64, n->offset.value);
    if (n->expected[0] != '\0')
        ds_buf_printf(&b, ": expected %s", n->expected);
    if (n->found[0] != '\0')
        ds_buf_printf(&b, "%s found %s", n->expected[0] != '\0' ? "," : ":", n->found);
    if (n->lost[0] != '\0')
        ds_buf_printf(&b, "; %s", n->lost);
    limit_item(p, mild ? DS_STYLE_DIM : DS_STYLE_BAD, &b);
}

/* Words for a walk's stop reason, which is the name of a status. */
static const char *reason_text(const char *name)
{
    for (int i = 0; name != NULL && i < DS_STATUS_COUNT; i++)
        if (strcmp(ds_status_name((enum ds_status)i), name) == 0)
            return ds_status_text((enum ds_status)i);
    return DS_REPORT_UNKNOWN;
}

static const char *walk_why(const struct ds_report_walk *w)
{
    return w->detail != NULL && w->detail[0] != '\0' ? w->detail : reason_text(w->stop_reason);
}

/* Two lists that ended for the same reason are told in one sentence. */
static bool same_end(const struct ds_report_walk *a, const struct ds_report_walk *b)
{
    return !a->complete && !b->complete && a->rows == b->rows &&
           a->stop_address.known == b->stop_address.known &&
           (!a->stop_address.known || a->stop_address.value == b->stop_address.value) &&
           strcmp(walk_why(a), walk_why(b)) == 0;
}

static void limit_walk(struct ds_paper *p, const struct ds_report *r, size_t index, int verbose)
{
    const struct ds_report_walk *w = &r->walks[index];
    char number[DS_TEXT_ADDRESS];
    struct ds_buf b;
    for (size_t i = 0; i < index; i++)
        if (same_end(&r->walks[i], w))
            return;
    ds_buf_init(&b, 64u << 10);
    ds_buf_printf(&b, "Incomplete: %s", w->table_name);
    for (size_t i = index + 1; i < r->walk_count; i++)
        if (same_end(&r->walks[i], w))
            ds_buf_printf(&b, ", %s", r->walks[i].table_name);
    if (w->rows > 0)
        ds_buf_printf(&b, " (%" PRIu64 " found)", w->rows);
    ds_buf_printf(&b, ": %s", walk_why(w));
    if (w->stop_address.known)
        ds_buf_printf(&b, ", at %s", ds_text_address(r, w->stop_address, number));
    if (verbose && w->stop_reason != NULL)
        ds_buf_printf(&b, " [%s]", w->stop_reason);
    limit_item(p, DS_STYLE_WARN, &b);
}

static bool same_reason(const struct ds_report_finding *a, const struct ds_report_finding *b)
{
    return a->outcome == b->outcome && a->cannot_tell != NULL && b->cannot_tell != NULL &&
           strcmp(a->cannot_tell, b->cannot_tell) == 0;
}

/* Whether an earlier finding has this reason: then it was told there. */
static bool reason_told(const struct ds_report *r, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_reason(&r->findings[i], &r->findings[index]))
            return true;
    return false;
}

/* Patterns that miss the same thing are told in one sentence; of more than two, their names. */
static void limit_finding(struct ds_paper *p, const struct ds_report *r, size_t index)
{
    const struct ds_report_finding *f = &r->findings[index];
    struct ds_buf b;
    size_t others = 0;
    for (size_t i = index + 1; i < r->finding_count; i++)
        others += same_reason(f, &r->findings[i]);
    ds_buf_init(&b, 64u << 10);
    ds_buf_str(&b, "Cannot tell: ");
    for (size_t i = index; i < r->finding_count; i++) {
        const struct ds_report_finding *g = &r->findings[i];
        if (i != index && !same_reason(f, g))
            continue;
        if (others < 2)
            ds_buf_printf(&b, "%s\"%s\" [%s]", i == index ? "" : ", ", g->title, g->id);
        else
            ds_buf_printf(&b, "%s[%s]", i == index ? "" : ", ", g->id);
    }
    ds_buf_printf(&b, ": %s", f->cannot_tell != NULL ? f->cannot_tell : DS_REPORT_UNKNOWN);
    limit_item(p, DS_STYLE_WARN, &b);
}

static size_t limit_findings(struct ds_paper *p, const struct ds_report *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->finding_count; i++) {
        if (r->findings[i].outcome != DS_OUTCOME_CANNOT_TELL)
            continue;
        if (!reason_told(r, i))
            limit_finding(p, r, i);
        count++;
    }
    return count;
}

/* Patterns that were not asked because the dump is too small for them. */
static void limit_not_asked(struct ds_paper *p, const struct ds_report *r)
{
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct ds_report_finding *f = &r->findings[i];
        if (f->outcome != DS_OUTCOME_DOES_NOT_APPLY || strncmp(f->not_asked, "needs ", 6) != 0)
            continue;
        ds_paper_row(p, DS_STYLE_DIM,
                     "  Not asked: what needs a kernel or complete dump (listed with -v).");
        return;
    }
}

static size_t limit_walks(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    size_t count = 0;
    for (size_t i = 0; i < r->walk_count; i++) {
        if (r->walks[i].complete)
            continue;
        limit_walk(p, r, i, verbose);
        count++;
    }
    return count;
}

static void limit_steps(struct ds_paper *p, const struct ds_report *r)
{
    ds_paper_row(p, DS_STYLE_DIM, "  How the kernel was found:");
    for (size_t i = 0; i < r->step_count; i++) {
        const struct ds_report_step *s = &r->steps[i];
        char number[DS_TEXT_ADDRESS];
        ds_paper_rowf(p, DS_STYLE_DIM, "    %-12s %s: %s%s%s%s%s%s%s", s->what, s->method,
                      s->ok ? "found" : s->status, s->value.known ? " " : "",
                      s->value.known ? ds_text_address(r, s->value, number) : "",
                      s->trust[0] != '\0' ? ", " : "", s->trust, s->detail[0] != '\0' ? ", " : "",
                      s->detail);
    }
}

/* Whether a finding told of this defect already. */
static bool told_above(const struct ds_report *r, const struct ds_report_note *n)
{
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct ds_report_finding *f = &r->findings[i];
        if (f->outcome != DS_OUTCOME_MATCH)
            continue;
        /* The text report shows the first instances only. */
        for (size_t k = 0; k < f->instance_count && k < DS_TEXT_INSTANCES; k++)
            if (f->instances[k].message != NULL && strstr(f->instances[k].message, n->check))
                return true;
    }
    return false;
}

void ds_text_limits(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    ds_paper_heading(p, "WHAT COULD NOT BE TOLD");
    size_t count = 0, told = 0, hidden = 0;
    for (size_t i = 0; i < r->note_count; i++) {
        if (is_mild(&r->notes[i]) && !verbose && !told_above(r, &r->notes[i])) {
            hidden++;
            continue;
        }
        count++;
        if (verbose || !told_above(r, &r->notes[i]))
            limit_note(p, &r->notes[i]);
        else
            told++;
    }
    if (told > 0)
        ds_paper_rowf(p, DS_STYLE_BAD, "  - What is lost by the damage that FINDINGS tells of.");
    if (r->notes_dropped > 0) {
        ds_paper_rowf(p, DS_STYLE_BAD, "  - %zu more defects of the file were not kept",
                      r->notes_dropped);
        count++;
    }
    count += limit_walks(p, r, verbose);
    count += limit_findings(p, r);
    if (count == 0)
        ds_paper_row(p, DS_STYLE_PLAIN,
                     "  Nothing: the file is whole, and every list was complete.");
    if (!verbose)
        limit_not_asked(p, r);
    if (count == 0 && hidden > 0)
        ds_paper_rowf(p, DS_STYLE_DIM, "  Unusual, not wrong, in the file: %zu (shown with -v)",
                      hidden);
    if (verbose && r->step_count > 0)
        limit_steps(p, r);
}
