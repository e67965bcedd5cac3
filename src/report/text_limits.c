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

static void limit_note(struct ds_paper *p, const struct ds_report_note *n)
{
    bool mild = strcmp(n->level, "note") == 0;
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

static void limit_walk(struct ds_paper *p, const struct ds_report *r,
                       const struct ds_report_walk *w, int verbose)
{
    char number[DS_TEXT_ADDRESS];
    struct ds_buf b;
    ds_buf_init(&b, 64u << 10);
    ds_buf_printf(&b, "The list of %s is incomplete (%" PRIu64 " found): ", w->table_name, w->rows);
    if (w->detail != NULL && w->detail[0] != '\0')
        ds_buf_str(&b, w->detail);
    else
        ds_buf_str(&b, w->stop_reason != NULL ? w->stop_reason : DS_REPORT_UNKNOWN);
    if (w->stop_address.known)
        ds_buf_printf(&b, ", at %s", ds_text_address(r, w->stop_address, number));
    if (verbose && w->stop_reason != NULL)
        ds_buf_printf(&b, " [%s]", w->stop_reason);
    limit_item(p, DS_STYLE_WARN, &b);
}

static size_t limit_findings(struct ds_paper *p, const struct ds_report *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct ds_report_finding *f = &r->findings[i];
        if (f->outcome != DS_OUTCOME_CANNOT_TELL)
            continue;
        struct ds_buf b;
        ds_buf_init(&b, 64u << 10);
        ds_buf_printf(&b, "%s [%s]: %s", f->title, f->id,
                      f->cannot_tell != NULL ? f->cannot_tell : DS_REPORT_UNKNOWN);
        limit_item(p, DS_STYLE_WARN, &b);
        count++;
    }
    return count;
}

static size_t limit_walks(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    size_t count = 0;
    for (size_t i = 0; i < r->walk_count; i++) {
        if (r->walks[i].complete)
            continue;
        limit_walk(p, r, &r->walks[i], verbose);
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
        ds_paper_rowf(p, DS_STYLE_DIM, "    %-12s %s: %s%s%s%s%s", s->what, s->method,
                      s->ok ? "found" : s->status, s->value.known ? " " : "",
                      s->value.known ? ds_text_address(r, s->value, number) : "",
                      s->detail[0] != '\0' ? ", " : "", s->detail);
    }
}

void ds_text_limits(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    ds_paper_heading(p, "WHAT COULD NOT BE TOLD");
    size_t count = 0;
    for (size_t i = 0; i < r->note_count; i++) {
        bool mild = strcmp(r->notes[i].level, "note") == 0;
        if (mild && !verbose)
            continue;
        limit_note(p, &r->notes[i]);
        count++;
    }
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
    if (verbose && r->step_count > 0)
        limit_steps(p, r);
}
