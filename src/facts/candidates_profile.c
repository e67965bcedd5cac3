/* Drivers in the profile that the DPC watchdog keeps of long DPCs (bugcheck 0x133 with 1). */
#include "base/buf.h"
#include "facts/candidates_impl.h"
#include "facts/skip.h"

#define KEEP_MAX (64u << 10)
#define FRAMEWORK_AFTER 10u /* a framework comes this much behind the drivers that it serves */

struct seen {
    const struct ds_module *module;
    uint64_t pc;                 /* where it was seen first */
    uint32_t captures;           /* stacks that it is in */
    uint32_t processor, capture; /* the last of them */
};

static bool same_capture(const struct ds_dpc_sample *a, const struct ds_dpc_sample *b)
{
    return a->processor == b->processor && a->capture == b->capture;
}

/* Counts each module once for each stack. */
static void count(struct seen *rows, size_t *n, const struct ds_module *m,
                  const struct ds_dpc_sample *s)
{
    for (size_t i = 0; i < *n; i++) {
        if (rows[i].module != m)
            continue;
        if (rows[i].processor != s->processor || rows[i].capture != s->capture)
            rows[i].captures++;
        rows[i].processor = s->processor;
        rows[i].capture = s->capture;
        return;
    }
    if (*n < DS_CANDIDATES_MAX)
        rows[(*n)++] = (struct seen){m, s->pc, 1, s->processor, s->capture};
}

static void add(struct ds_gather *g, const struct seen *s, uint32_t captures)
{
    const struct ds_skip *skip = ds_skip_find(s->module->name);
    uint32_t weight =
        (uint64_t)s->captures * 2 >= captures ? DS_WEIGHT_CALLER + 5 : DS_WEIGHT_SCANNED + 1;
    struct ds_buf b;
    if (*s->module->name == '\0' || (skip != NULL && !ds_skip_is_framework(skip)))
        return;
    if (skip != NULL)
        weight -= FRAMEWORK_AFTER;
    ds_buf_init(&b, KEEP_MAX);
    ds_buf_printf(&b,
                  "the DPC watchdog's profile of long DPCs has %s in %u of %u captured stacks "
                  "(table dpc_watchdog_samples)",
                  s->module->name, (unsigned)s->captures, (unsigned)captures);
    ds_gather_add(g, &(struct ds_candidate){.kind = DS_CANDIDATE_DRIVER,
                                            .module = s->module->name,
                                            .address = ds_opt_known(s->pc),
                                            .source = "profile",
                                            .reason = ds_gather_keep(g, &b),
                                            .confidence = ds_gather_confidence(weight),
                                            .weight = weight});
}

void ds_gather_profile(struct ds_gather *g, const struct ds_dump_header *h)
{
    const struct ds_target *t = ds_nt_target(g->nt);
    const struct ds_dpc_samples *samples = ds_nt_dpc_samples(g->nt);
    struct seen rows[DS_CANDIDATES_MAX];
    size_t n = 0;
    uint32_t captures = 0;
    if (ds_opt_or(h->bugcheck_parameter[0], 0) != 1)
        return;
    for (size_t i = 0; i < samples->count; i++) {
        const struct ds_dpc_sample *s = &samples->rows[i];
        const struct ds_module *m = ds_target_module_at(t, s->pc);
        captures += i == 0 || !same_capture(s, s - 1);
        if (m != NULL && !(t->kernel_base.known && m->base == t->kernel_base.value))
            count(rows, &n, m, s);
    }
    for (size_t i = 0; i < n; i++)
        add(g, &rows[i], captures);
}
