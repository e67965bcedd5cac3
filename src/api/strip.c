/* The copy of a dump for sharing. */
#include "dump/strip.h"
#include "api/impl.h"

enum ds_status ds_snapshot_strip(struct ds_snapshot *s, unsigned flags, ds_write_fn *write,
                                 void *arg, struct ds_strip_result *ret, struct ds_err *err)
{
    struct ds_strip_plan plan;
    enum ds_status status = ds_strip_plan_make(s->dump, flags, &plan, err);
    if (status != DS_OK)
        return status;
    status = ds_strip_plan_write(s->dump, &plan, write, arg, err);
    if (status == DS_OK)
        *ret = plan.result;
    ds_strip_plan_clear(&plan);
    return status;
}
