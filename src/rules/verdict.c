/* Findings that beat the driver that tripped over them. */
#include <string.h>

#include "rules/rules.h"

/* 0 for a confidence that is none. */
static unsigned rank(const char *confidence)
{
    return confidence == NULL                  ? 0
           : strcmp(confidence, "high") == 0   ? 3
           : strcmp(confidence, "medium") == 0 ? 2
           : strcmp(confidence, "low") == 0    ? 1
                                               : 0;
}

static const char *static_confidence(unsigned of_rank)
{
    return of_rank == 3 ? "high" : of_rank == 2 ? "medium" : "low";
}

static unsigned instance_rank(const struct ds_instance *in)
{
    for (size_t i = 0; i < in->evidence_count; i++)
        if (strcmp(in->evidence[i].name, "confidence") == 0 &&
            in->evidence[i].cell.kind == DS_CELL_TEXT)
            return rank(in->evidence[i].cell.text);
    return 0;
}

/* Whether the verdict of a pattern is `state`; for NULL, whether it is none of the states that a
 * system can be in without anything being broken. */
static bool is_state(const char *verdict, const char *state)
{
    if (state != NULL)
        return strcmp(verdict, state) == 0;
    return strcmp(verdict, "exhaustion") != 0 && strcmp(verdict, "hang") != 0;
}

/* The best match of a state, or of all others; hardware before memory corruption, which it
 * explains. */
static unsigned best_match(const struct ds_findings *findings, const char *state,
                           const struct ds_finding **ret, const struct ds_instance **instance)
{
    unsigned best = 0;
    bool hardware = false;
    for (size_t i = 0; i < ds_findings_count(findings); i++) {
        const struct ds_finding *f = ds_findings_at(findings, i);
        if (f->outcome != DS_OUTCOME_MATCH || f->pattern->verdict == NULL ||
            !is_state(f->pattern->verdict, state))
            continue;
        bool is_hardware = strcmp(f->pattern->verdict, "hardware") == 0;
        for (size_t k = 0; k < f->instance_count; k++) {
            unsigned r = instance_rank(&f->instances[k]);
            if (r > best || (r == best && r > 0 && is_hardware && !hardware)) {
                best = r;
                hardware = is_hardware;
                *ret = f;
                *instance = &f->instances[k];
            }
        }
    }
    return best;
}

/* Whether the verdict so far gives way to one of that confidence. */
static bool gives_way(const struct ds_culprit *c, unsigned confidence, bool hardware)
{
    switch (c->kind) {
    case DS_CULPRIT_UNKNOWN: /* of high confidence: somebody asked for it, or no crash at all */
        return rank(c->confidence) < 3;
    case DS_CULPRIT_HARDWARE:
        return confidence > rank(c->confidence);
    case DS_CULPRIT_MEMORY_CORRUPTION:
        return hardware || confidence > rank(c->confidence);
    case DS_CULPRIT_DRIVER:
    case DS_CULPRIT_KERNEL:
    case DS_CULPRIT_PROCESS:
    case DS_CULPRIT_EXHAUSTION:
    case DS_CULPRIT_HANG:
        break;
    }
    return true;
}

static void runner_up_first(struct ds_verdict *v, const struct ds_culprit *c)
{
    size_t n =
        v->runner_up_count < DS_CULPRIT_RUNNERS_UP ? v->runner_up_count : DS_CULPRIT_RUNNERS_UP - 1;
    memmove(v->runners_up + 1, v->runners_up, n * sizeof(v->runners_up[0]));
    v->runners_up[0] = *c;
    v->runner_up_count = n + 1;
}

static void weigh_cause(const struct ds_findings *findings, struct ds_verdict *v)
{
    const struct ds_finding *f = NULL;
    const struct ds_instance *in = NULL;
    unsigned confidence = best_match(findings, NULL, &f, &in);
    if (confidence == 0)
        return;
    bool hardware = strcmp(f->pattern->verdict, "hardware") == 0;
    struct ds_culprit found = {.kind =
                                   hardware ? DS_CULPRIT_HARDWARE : DS_CULPRIT_MEMORY_CORRUPTION,
                               .reason = in->message,
                               .confidence = static_confidence(confidence),
                               .source = "finding"};
    if (!gives_way(&v->culprit, confidence, hardware))
        return;
    if (confidence == 1) { /* too little to accuse, enough to doubt */
        if (v->culprit.module != NULL && rank(v->culprit.confidence) > 2)
            v->culprit.confidence = "medium";
        runner_up_first(v, &found);
        return;
    }
    if (v->culprit.module != NULL)
        runner_up_first(v, &v->culprit);
    v->culprit = found;
}

static void weigh_exhaustion(const struct ds_findings *findings, struct ds_verdict *v)
{
    const struct ds_finding *f = NULL;
    const struct ds_instance *in = NULL;
    unsigned confidence = best_match(findings, "exhaustion", &f, &in);
    if (confidence == 0)
        return;
    struct ds_culprit found = {.kind = DS_CULPRIT_EXHAUSTION,
                               .reason = in->message,
                               .confidence = static_confidence(confidence),
                               .source = "finding"};
    if (v->culprit.kind == DS_CULPRIT_UNKNOWN && confidence > 1)
        v->culprit = found;
    else
        runner_up_first(v, &found);
}

static const char *text_of(const struct ds_instance *in, const char *column)
{
    for (size_t i = 0; i < in->evidence_count; i++)
        if (strcmp(in->evidence[i].name, column) == 0 && in->evidence[i].cell.kind == DS_CELL_TEXT)
            return in->evidence[i].cell.text;
    return NULL;
}

/* What hung is the answer where nobody is looked for; a crash has another reason. */
static void weigh_hang(const struct ds_findings *findings, struct ds_verdict *v)
{
    const struct ds_finding *f = NULL;
    const struct ds_instance *in = NULL;
    unsigned confidence = best_match(findings, "hang", &f, &in);
    if (confidence < 2)
        return;
    struct ds_culprit found = {.kind = DS_CULPRIT_HANG,
                               .module = text_of(in, "module"),
                               .function = text_of(in, "function"),
                               .reason = in->message,
                               .confidence = static_confidence(confidence),
                               .source = "finding"};
    if (v->culprit.kind == DS_CULPRIT_UNKNOWN)
        v->culprit = found;
    else
        runner_up_first(v, &found);
}

void ds_verdict_weigh(const struct ds_findings *findings, struct ds_verdict *v)
{
    weigh_cause(findings, v);
    /* somebody asked for the crash, or there was none */
    bool asked = v->culprit.kind == DS_CULPRIT_UNKNOWN && rank(v->culprit.confidence) == 3;
    weigh_exhaustion(findings, v);
    if (asked)
        weigh_hang(findings, v);
}
