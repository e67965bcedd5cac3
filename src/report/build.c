/* From facts, findings and culprit to the model. */
#include "report/build.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "facts/resolve.h"
#include "nt/bugcheck.h"
#include "report/memory.h"
#include "report/signature.h"

#define KEEP_MAX (64u << 10)

void *ds_build_array(struct ds_builder *b, size_t count, size_t size)
{
    if (count == 0)
        return NULL;
    void *p = ds_arena_alloc(&b->r->arena, count, size);
    if (p == NULL)
        b->no_memory = true;
    return p;
}

const char *ds_build_where(struct ds_builder *b, uint64_t va)
{
    struct ds_buf words;
    ds_buf_init(&words, KEEP_MAX);
    if (!ds_resolve_symbol(b->nt, va, &words)) {
        const struct ds_unloaded_module *u = ds_resolve_unloaded(b->nt, va);
        if (u != NULL)
            ds_buf_printf(&words, "unloaded %s+0x%" PRIx64,
                          u->name != NULL ? u->name : "module of unknown name", va - u->start);
    }
    return ds_build_keep(b->r, &words);
}

void ds_build_bugcheck_resolved(struct ds_builder *b)
{
    struct ds_report_bugcheck *bc = &b->r->bugcheck;
    if (!bc->code.known || bc->code.value == 0)
        return;
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find((uint32_t)bc->code.value);
    struct ds_opt params[4];
    for (unsigned i = 0; i < 4; i++)
        params[i] = bc->params[i].value;
    for (unsigned i = 0; i < 4; i++) {
        if (!bc->params[i].value.known || bc->params[i].resolved != NULL)
            continue;
        struct ds_buf words;
        ds_buf_init(&words, KEEP_MAX);
        (void)ds_resolve_parameter(b->nt, params[i].value, ds_resolve_param_doc(doc, params, i),
                                   &words);
        bc->params[i].resolved = ds_build_keep(b->r, &words);
    }
    const struct ds_bugcheck_facts *facts = ds_nt_bugcheck_facts(b->nt);
    bc->followed = ds_build_array(b, facts->count, sizeof(*bc->followed));
    for (size_t i = 0; bc->followed != NULL && i < facts->count; i++)
        bc->followed[bc->followed_count++] =
            (struct ds_report_followed){.parameter = facts->rows[i].parameter,
                                        .name = facts->rows[i].name,
                                        .meaning = facts->rows[i].meaning,
                                        .value = facts->rows[i].value};
}

static void build_instances(struct ds_builder *b, const struct ds_finding *f,
                            struct ds_report_finding *out)
{
    out->instances = ds_build_array(b, f->instance_count, sizeof(*out->instances));
    if (out->instances == NULL)
        return;
    out->instance_count = f->instance_count;
    for (size_t i = 0; i < f->instance_count; i++) {
        const struct ds_instance *in = &f->instances[i];
        struct ds_report_instance *o = &out->instances[i];
        o->message = in->message;
        o->evidence = ds_build_array(b, in->evidence_count, sizeof(*o->evidence));
        if (o->evidence == NULL)
            continue;
        o->evidence_count = in->evidence_count;
        for (size_t k = 0; k < in->evidence_count; k++)
            o->evidence[k] =
                (struct ds_report_evidence){in->evidence[k].name, in->evidence[k].cell};
        if (f->pattern->stack_of != NULL)
            ds_build_thread_stacks(b, f->pattern->stack_of, o);
    }
}

void ds_build_findings(struct ds_builder *b, const struct ds_findings *findings)
{
    size_t count = ds_findings_count(findings);
    b->r->findings = ds_build_array(b, count, sizeof(*b->r->findings));
    if (b->r->findings == NULL)
        return;
    b->r->finding_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct ds_finding *f = ds_findings_at(findings, i);
        struct ds_report_finding *o = &b->r->findings[i];
        *o = (struct ds_report_finding){.id = f->pattern->id,
                                        .title = f->pattern->title,
                                        .explain = f->pattern->explain,
                                        .origin = f->pattern->origin,
                                        .severity = f->pattern->severity,
                                        .outcome = f->outcome,
                                        .partial = f->partial,
                                        .cannot_tell = f->cannot_tell,
                                        .not_asked = f->not_asked,
                                        .instances_dropped = f->instances_dropped,
                                        .next_steps = f->pattern->next_steps,
                                        .next_step_count = f->pattern->next_step_count,
                                        .references = f->pattern->references,
                                        .reference_count = f->pattern->reference_count};
        build_instances(b, f, o);
    }
}

enum ds_status ds_report_build(const struct ds_report_input *in, struct ds_report **ret,
                               struct ds_err *err)
{
    struct ds_report *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory for the report");
    struct ds_nt *nt = ds_facts_nt(in->facts);
    struct ds_builder b = {.r = r, .facts = in->facts, .nt = nt, .t = ds_nt_target(nt)};
    if (ds_build_header(r, in->file, b.t->dump) != DS_OK)
        b.no_memory = true;
    ds_build_hardware(&b);
    ds_build_system(&b);
    ds_build_memory(&b);
    ds_build_threads(&b);
    ds_build_modules(&b);
    ds_build_fault(&b);
    ds_build_cpus(&b);
    ds_build_bugcheck_resolved(&b);
    if (in->findings != NULL)
        ds_build_findings(&b, in->findings);
    ds_build_verdict(&b, in->findings);
    ds_build_limits(&b);
    if (ds_build_integrity(r, b.t->dump) != DS_OK)
        b.no_memory = true;
    if (b.no_memory) {
        ds_report_close(r);
        return ds_err_set(err, DS_NO_MEMORY, "out of memory for the report");
    }
    *ret = r;
    return DS_OK;
}

void ds_report_close(struct ds_report *r)
{
    if (r == NULL)
        return;
    ds_arena_deinit(&r->arena);
    free(r);
}

bool ds_report_worst(const struct ds_report *r, enum ds_severity *ret)
{
    bool any = false;
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct ds_report_finding *f = &r->findings[i];
        if (f->outcome != DS_OUTCOME_MATCH || (any && f->severity <= *ret))
            continue;
        *ret = f->severity;
        any = true;
    }
    return any;
}

int ds_report_exit_status(const struct ds_report *r)
{
    return r->damaged || r->notes_dropped > 0 ? 4 : 0;
}
