/* Memory, SQL and findings of a snapshot. */
#include "api/impl.h"
#include "api/kernel.h"
#include "base/err.h"

enum ds_status ds_snapshot_nt(struct ds_snapshot *s, struct ds_nt **ret, struct ds_err *err)
{
    enum ds_status status = ds_snapshot_need_facts(s, err);
    if (status == DS_OK)
        *ret = s->nt;
    return status;
}

enum ds_status ds_snapshot_read_physical(struct ds_snapshot *s, uint64_t pa, void *buf, size_t len,
                                         uint64_t *fault)
{
    if (s->dump == NULL)
        return DS_NO_MEMORY;
    return ds_dump_read_phys(s->dump, pa, buf, len, fault);
}

enum ds_status ds_snapshot_next_physical(struct ds_snapshot *s, uint64_t pa, uint64_t *start,
                                         uint64_t *size)
{
    uint64_t first, bytes;
    if (s->dump == NULL || !ds_dump_phys_next(s->dump, pa, &first, &bytes))
        return DS_NOT_FOUND;
    *start = first;
    *size = bytes;
    return DS_OK;
}

enum ds_status ds_snapshot_read_pages(struct ds_snapshot *s, uint64_t *pa, void *buf,
                                      uint64_t *addresses, size_t max, size_t *count)
{
    enum ds_status status = DS_NOT_FOUND;
    if (max == 0)
        return DS_INVALID;
    if (s->dump == NULL)
        return DS_NOT_FOUND;
    size_t got = ds_dump_read_pages(s->dump, pa, buf, addresses, max, &status);
    if (got != 0)
        *count = got;
    return status;
}

enum ds_status ds_snapshot_read_virtual(struct ds_snapshot *s, uint64_t va, void *buf, size_t len,
                                        uint64_t *fault)
{
    enum ds_status status = ds_snapshot_need_facts(s, NULL);
    if (status != DS_OK)
        return status;
    struct ds_target *t = ds_nt_target(s->nt);
    if (t->kernel == NULL)
        return DS_UNSUPPORTED;
    struct ds_fault f = {.va = va};
    status = ds_space_read(t->kernel, va, buf, len, &f);
    if (status != DS_OK && fault != NULL)
        *fault = f.va;
    return status;
}

enum ds_status ds_snapshot_query(struct ds_snapshot *s, const char *sql, uint64_t max_rows,
                                 uint64_t max_ms, ds_row_fn *each, void *arg, struct ds_err *err)
{
    enum ds_status status = ds_snapshot_need_facts(s, err);
    if (status != DS_OK)
        return status;
    struct ds_query_limits limits = {.max_rows = max_rows, .max_ms = max_ms};
    return ds_facts_query(s->facts, sql, &limits, each, arg, err);
}

size_t ds_snapshot_finding_count(const struct ds_snapshot *s)
{
    return s->findings != NULL ? ds_findings_count(s->findings) : 0;
}

const struct ds_finding *ds_snapshot_finding(const struct ds_snapshot *s, size_t index)
{
    return index < ds_snapshot_finding_count(s) ? ds_findings_at(s->findings, index) : NULL;
}

const char *ds_finding_id(const struct ds_finding *f)
{
    return f->pattern->id;
}

const char *ds_finding_title(const struct ds_finding *f)
{
    return f->pattern->title;
}

enum ds_severity ds_finding_severity(const struct ds_finding *f)
{
    return f->pattern->severity;
}

enum ds_outcome ds_finding_outcome(const struct ds_finding *f)
{
    return f->outcome;
}

size_t ds_finding_instances(const struct ds_finding *f)
{
    return f->outcome == DS_OUTCOME_MATCH ? f->instance_count : 0;
}

const char *ds_finding_message(const struct ds_finding *f, size_t index)
{
    if (f->outcome == DS_OUTCOME_CANNOT_TELL)
        return index == 0 ? f->cannot_tell : NULL;
    if (f->outcome == DS_OUTCOME_DOES_NOT_APPLY)
        return index == 0 ? f->not_asked : NULL;
    return index < ds_finding_instances(f) ? f->instances[index].message : NULL;
}
