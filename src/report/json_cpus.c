/* The member "processors". */
#include "report/json_parts.h"

static void json_flag(struct ds_json *j, const char *key, struct ds_opt value)
{
    ds_json_key(j, key);
    if (value.known)
        ds_json_bool(j, value.value != 0);
    else
        ds_json_null(j);
}

void ds_json_part_cpus(struct ds_json *j, const struct ds_report *r)
{
    ds_json_key(j, "processors");
    ds_json_array(j);
    for (size_t i = 0; i < r->cpu_count; i++) {
        const struct ds_report_cpu *c = &r->cpus[i];
        ds_json_object(j);
        ds_json_key_opt(j, "number", ds_opt_known(c->number));
        ds_json_key_hex(j, "prcb", c->prcb, r->digits);
        json_flag(j, "idle", c->idle);
        ds_json_key_opt(j, "irql", c->irql);
        ds_json_key_hex(j, "thread", c->thread, r->digits);
        ds_json_key_opt(j, "pid", c->pid);
        ds_json_key_opt(j, "tid", c->tid);
        ds_json_key_string(j, "process", c->process);
        ds_json_key_hex(j, "pc", c->pc, r->digits);
        ds_json_key_string(j, "where", c->where);
        json_flag(j, "dpc_active", c->dpc_active);
        ds_json_key_opt(j, "dpcs", c->dpcs);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
}
