#include "facts/cells.h"

#include "facts/resolve.h"

void ds_value_symbol(struct ds_facts *f, uint64_t va, struct ds_value *v)
{
    if (ds_resolve_symbol(ds_facts_nt(f), va, v->scratch))
        ds_value_scratch(v);
}

void ds_value_module(struct ds_facts *f, uint64_t va, struct ds_value *v)
{
    uint64_t offset;
    const struct ds_module *m = ds_resolve_module(ds_facts_nt(f), va, &offset);
    if (m)
        ds_value_nonempty(v, m->name);
}

void ds_value_module_offset(struct ds_facts *f, uint64_t va, struct ds_value *v)
{
    uint64_t offset;
    if (ds_resolve_module(ds_facts_nt(f), va, &offset))
        ds_value_u64(v, offset);
}

void ds_value_unloaded(struct ds_facts *f, uint64_t va, struct ds_value *v)
{
    const struct ds_unloaded_module *u = ds_resolve_unloaded(ds_facts_nt(f), va);
    if (u)
        ds_value_text(v, u->name ? u->name : "(name unreadable)");
}
