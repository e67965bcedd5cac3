/* What, who, why; and what could not be told. */
#include <inttypes.h>
#include <string.h>

#include "nt/live.h"
#include "report/build.h"
#include "report/signature.h"

#define KEEP_MAX (64u << 10)

/* The first sentence of a text: up to a full stop that a space follows. */
static size_t first_sentence(const char *text)
{
    const char *stop = strstr(text, ". ");
    return stop != NULL ? (size_t)(stop - text) + 1 : strlen(text);
}

static const char *verdict_what(struct ds_report *r)
{
    const struct ds_report_bugcheck *b = &r->bugcheck;
    struct ds_buf words;
    ds_buf_init(&words, KEEP_MAX);
    if (!b->code.known && r->dump.bare) {
        ds_buf_str(&words, r->system.kernel_base.known
                               ? "Whether the system crashed is not known: the kernel's variable "
                                 "could not be read."
                               : "No Windows kernel was found in this memory.");
    } else if (!b->code.known) {
        ds_buf_str(&words, "The header does not hold a bugcheck code.");
    } else if (b->code.value == 0) {
        ds_buf_str(&words, "No bugcheck: the dump was taken of a system that was running.");
    } else {
        if (r->dump.live)
            ds_buf_str(&words, "Live dump: the system did not crash. ");
        ds_buf_printf(&words, "%s (0x%" PRIx64 ")", b->name != NULL ? b->name : "Bugcheck",
                      b->code.value);
        if (r->exception.known && !r->exception.of_bugcheck && r->exception.name != NULL)
            ds_buf_printf(&words, ", %s", r->exception.name);
        if (b->text != NULL) {
            ds_buf_str(&words, ": ");
            ds_buf_add(&words, b->text, first_sentence(b->text));
        }
        if (b->name == NULL)
            ds_buf_printf(&words, " is not in the table of %s.", b->edition);
    }
    return ds_build_keep(r, &words);
}

/* A live dump whose verdict names nobody. */
static bool blameless(const struct ds_report *r)
{
    return r->live.live.known && r->live.live.value != 0 && strcmp(r->culprit.kind, "unknown") == 0;
}

static void add_sentence(struct ds_buf *b, const char *clause)
{
    bool lower = clause[0] >= 'a' && clause[0] <= 'z';
    ds_buf_char(b, lower ? (char)(clause[0] - 32) : clause[0]);
    ds_buf_str(b, clause + 1);
    if (clause[strlen(clause) - 1] != '.')
        ds_buf_char(b, '.');
}

static const char *verdict_who(struct ds_report *r)
{
    const struct ds_report_culprit *c = &r->culprit;
    struct ds_buf words;
    ds_buf_init(&words, KEEP_MAX);
    if (blameless(r)) {
        if (r->live.asked_by != NULL)
            ds_buf_printf(&words, "No culprit. The dump was asked for by %s.", r->live.asked_by);
        else
            ds_buf_str(&words, "No culprit. Who asked for the dump is not recorded.");
        return ds_build_keep(r, &words);
    }
    if (c->module != NULL)
        ds_buf_printf(&words, "%s", c->module);
    else if (strcmp(c->kind, "unknown") == 0)
        ds_buf_str(&words, "Nobody can be named.");
    else
        ds_buf_str(&words, c->kind);
    if (c->function != NULL)
        ds_buf_printf(&words, " at %s", c->function);
    if (strcmp(c->kind, "unknown") != 0)
        ds_buf_printf(&words, " (%s%sconfidence %s)", c->module != NULL ? c->kind : "",
                      c->module != NULL ? ", " : "",
                      c->confidence != NULL ? c->confidence : DS_REPORT_UNKNOWN);
    return ds_build_keep(r, &words);
}

/* The reason as a sentence of its own. */
static const char *verdict_why(struct ds_report *r)
{
    const char *reason = r->culprit.reason;
    struct ds_buf words;
    ds_buf_init(&words, KEEP_MAX);
    if (blameless(r)) {
        ds_buf_printf(&words, "It is a live dump: %s. ", r->live.evidence);
        add_sentence(&words, r->live.asked_how);
        return ds_build_keep(r, &words);
    }
    if (reason == NULL || reason[0] == '\0')
        return "Nothing in the dump points at one.";
    if (strcmp(r->culprit.kind, "hang") == 0) {
        bool sure = r->culprit.confidence != NULL && strcmp(r->culprit.confidence, "high") == 0;
        ds_buf_printf(&words, "%s: %s.", sure ? "The system hung" : "What hung", reason);
        return ds_build_keep(r, &words);
    }
    add_sentence(&words, reason);
    return ds_build_keep(r, &words);
}

static void build_live(struct ds_builder *b)
{
    const struct ds_live *l = ds_nt_live(b->nt);
    b->r->live = (struct ds_report_live){.live = l->live,
                                         .on_request = l->on_request,
                                         .evidence = l->evidence,
                                         .component = l->component,
                                         .asked_by = l->asked_by,
                                         .asked_how = l->asked_how,
                                         .module = l->module,
                                         .function = l->function,
                                         .process = l->process};
    b->r->verdict.kind = !l->live.known ? "unknown" : l->live.value != 0 ? "live_dump" : "crash";
}

static struct ds_report_culprit culprit_from(const struct ds_culprit *c)
{
    return (struct ds_report_culprit){.kind = ds_culprit_kind_name(c->kind),
                                      .module = c->module,
                                      .function = c->function,
                                      .reason = c->reason,
                                      .confidence = c->confidence,
                                      .source = c->source};
}

void ds_build_verdict(struct ds_builder *b, const struct ds_findings *findings)
{
    struct ds_report *r = b->r;
    struct ds_verdict v = {.culprit = {.kind = DS_CULPRIT_UNKNOWN}};
    if (ds_culprit_find(b->nt, &v) != DS_OK)
        b->no_memory = true;
    build_live(b);
    ds_verdict_live(b->nt, &v);
    if (findings != NULL)
        ds_verdict_weigh(findings, &v);
    r->culprit = culprit_from(&v.culprit);
    for (size_t i = 0; i < v.runner_up_count && i < 4; i++)
        r->runners_up[r->runner_up_count++] = culprit_from(&v.runners_up[i]);
    ds_build_culprit_owner(b);
    r->verdict.what = verdict_what(r);
    r->verdict.who = verdict_who(r);
    r->verdict.why = verdict_why(r);
    enum ds_severity worst;
    if (ds_report_worst(r, &worst))
        r->verdict.severity = ds_severity_name(worst);
    ds_signature_strong(r, &r->signature);
    struct ds_windbg *w = ds_arena_alloc(&r->arena, 1, sizeof(*w));
    if (w != NULL)
        ds_windbg_find(b->nt, w);
    else
        b->no_memory = true;
    r->windbg = w;
    if (r->verdict.what == NULL || r->verdict.who == NULL || r->verdict.why == NULL)
        b->no_memory = true;
}

static struct ds_opt cell_opt(const struct ds_cell *c)
{
    return c->kind == DS_CELL_INT ? ds_opt_known((uint64_t)c->integer) : ds_opt_unknown(DS_OK);
}

static const char *cell_text(struct ds_builder *b, const struct ds_cell *c)
{
    if (c->kind != DS_CELL_TEXT)
        return NULL;
    const char *s = ds_arena_strdup(&b->r->arena, c->text, strlen(c->text));
    if (s == NULL)
        b->no_memory = true;
    return s;
}

static bool build_walk(size_t columns, const char *const *names, const struct ds_cell *cells,
                       void *arg)
{
    struct ds_builder *b = arg;
    (void)names;
    if (columns != 6 || b->r->walk_count >= ds_table_count())
        return false;
    if (cells[0].kind == DS_CELL_TEXT && strcmp(cells[0].text, "walks") == 0)
        return true; /* it lists itself; how many tables there are is no fact of the dump */
    b->r->walks[b->r->walk_count++] =
        (struct ds_report_walk){.table_name = cell_text(b, &cells[0]),
                                .complete = cell_opt(&cells[1]).value != 0,
                                .rows = cell_opt(&cells[2]).value,
                                .stop_reason = cell_text(b, &cells[3]),
                                .stop_address = cell_opt(&cells[4]),
                                .detail = cell_text(b, &cells[5])};
    return true;
}

static void build_walks(struct ds_builder *b)
{
    /* The tables that the report itself shows; the others appear when a pattern asked for them. */
    static const char *const shown[] = {"modules",  "unloaded_modules", "processes",
                                        "contexts", "stack_frames",     "bootstrap_steps"};
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        (void)ds_facts_walk(b->facts, shown[i]);
    b->r->walks = ds_build_array(b, ds_table_count(), sizeof(*b->r->walks));
    if (b->r->walks == NULL)
        return;
    struct ds_err err;
    enum ds_status s = ds_facts_query(b->facts,
                                      "SELECT table_name, complete, rows, stop_reason, "
                                      "stop_address, detail FROM walks WHERE asked",
                                      NULL, build_walk, b, &err);
    if (s != DS_OK)
        b->no_memory = true;
}

static void build_steps(struct ds_builder *b)
{
    b->r->steps = ds_build_array(b, b->t->step_count, sizeof(*b->r->steps));
    if (b->r->steps == NULL)
        return;
    b->r->step_count = b->t->step_count;
    for (size_t i = 0; i < b->t->step_count; i++) {
        const struct ds_step *s = &b->t->steps[i];
        b->r->steps[i] = (struct ds_report_step){.what = s->what,
                                                 .method = s->method,
                                                 .status = ds_status_name(s->status),
                                                 .trust = s->trust != NULL ? s->trust : "",
                                                 .detail = s->detail != NULL ? s->detail : "",
                                                 .ok = s->ok,
                                                 .value = s->value};
    }
}

void ds_build_limits(struct ds_builder *b)
{
    build_walks(b);
    build_steps(b);
}
