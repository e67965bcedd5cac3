/*
 * Who is probably to blame: the strongest of the candidates (facts/candidates.h), if it is more
 * than a hint; "unknown" is an answer, and says why.
 */
#include "facts/candidates.h"
#include "rules/rules.h"

static struct ds_culprit unknown(const char *reason, const char *confidence)
{
    return (struct ds_culprit){
        .kind = DS_CULPRIT_UNKNOWN, .reason = reason, .confidence = confidence};
}

static enum ds_culprit_kind kind_of(enum ds_candidate_kind kind)
{
    switch (kind) {
    case DS_CANDIDATE_KERNEL:
        return DS_CULPRIT_KERNEL;
    case DS_CANDIDATE_PROCESS:
        return DS_CULPRIT_PROCESS;
    case DS_CANDIDATE_HARDWARE:
        return DS_CULPRIT_HARDWARE;
    case DS_CANDIDATE_MEMORY_CORRUPTION:
        return DS_CULPRIT_MEMORY_CORRUPTION;
    case DS_CANDIDATE_DRIVER:
        break;
    }
    return DS_CULPRIT_DRIVER;
}

static struct ds_culprit from_candidate(const struct ds_candidate *c)
{
    return (struct ds_culprit){kind_of(c->kind), c->module,     c->function,
                               c->reason,        c->confidence, c->source};
}

static const char *nothing_found(struct ds_nt *nt, const struct ds_candidates *c)
{
    const struct ds_fault_facts *ff = ds_nt_fault(nt);
    if (c->unnamed)
        return c->unnamed;
    if (c->stack_note)
        return c->stack_note;
    if (ds_nt_target(nt)->module_count == 0)
        return "the module list cannot be read, so no address can be put to a driver";
    if (ff->stack.count <= 1)
        return "no stack was captured, and neither the exception nor a parameter leads to a driver";
    return "no address of the fault or of the captured stack lies in a driver that can be blamed";
}

/* Index of the candidate that is the culprit; the count when none is. */
static size_t choose(const struct ds_candidates *c)
{
    for (size_t i = 0; i < c->count; i++) {
        bool kernel = c->rows[i].kind == DS_CANDIDATE_KERNEL;
        if (kernel ? c->unnamed == NULL : c->rows[i].weight >= DS_CANDIDATE_NAMED)
            return i;
    }
    return c->count;
}

enum ds_status ds_culprit_find(struct ds_nt *nt, struct ds_verdict *ret)
{
    struct ds_target *t = ds_nt_target(nt);
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    struct ds_candidates *c = ds_arena_alloc(&t->arena, 1, sizeof(*c));
    *ret = (struct ds_verdict){0};
    if (c == NULL)
        return DS_NO_MEMORY;
    ds_candidates_find(nt, c);
    size_t chosen = choose(c);
    if (!h->bugcheck_code.known && ds_dump_header_to_fill(t->dump) != NULL)
        ret->culprit = unknown(t->kernel_base.known ? "the kernel's variable with the bugcheck "
                                                      "could not be read"
                                                    : "memory of another system, or too little of "
                                                      "it: no image of a kernel is mapped",
                               "low");
    else if (!h->bugcheck_code.known)
        ret->culprit = unknown("the header does not say which bugcheck it was", "low");
    else if (h->bugcheck_code.value == 0)
        ret->culprit = unknown("the bugcheck code is 0: the system did not crash", "high");
    else if (c->no_crash)
        ret->culprit = unknown(c->blame != NULL ? c->blame->reason : "", "high");
    else if (chosen < c->count)
        ret->culprit = from_candidate(&c->rows[chosen]);
    else
        ret->culprit = unknown(nothing_found(nt, c), "low");
    for (size_t i = 0; i < c->count && ret->runner_up_count < DS_CULPRIT_RUNNERS_UP; i++)
        if (i != chosen && c->rows[i].kind != DS_CANDIDATE_KERNEL)
            ret->runners_up[ret->runner_up_count++] = from_candidate(&c->rows[i]);
    return DS_OK;
}
