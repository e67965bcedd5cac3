#include "facts/resolve.h"

#include <string.h>

#include "nt/codes.h"

const struct ds_module *ds_resolve_module(struct ds_nt *nt, uint64_t va, uint64_t *offset)
{
    const struct ds_module *m = ds_target_module_at(ds_nt_target(nt), va);
    if (m)
        *offset = va - m->base;
    return m;
}

const struct ds_unloaded_module *ds_resolve_unloaded(struct ds_nt *nt, uint64_t va)
{
    if (ds_target_module_at(ds_nt_target(nt), va))
        return NULL;
    const struct ds_unloaded_modules *u = ds_nt_unloaded_modules(nt);
    for (size_t i = 0; i < u->count; i++)
        if (va >= u->rows[i].start && va < u->rows[i].end)
            return &u->rows[i];
    return NULL;
}

bool ds_resolve_symbol(struct ds_nt *nt, uint64_t va, struct ds_buf *out)
{
    const struct ds_target *t = ds_nt_target(nt);
    size_t before = out->len;
    if (t->symbols)
        ds_symbols_format(t->symbols, va, out);
    if (out->len > before)
        return true;
    const struct ds_module *m = ds_target_module_at(t, va);
    if (m == NULL || *m->name == '\0')
        return false;
    ds_buf_printf(out, "%s+0x%llx", m->name, (unsigned long long)(va - m->base));
    return true;
}

/* An object by address among the rows that the dump holds. */
static const char *object_find(struct ds_nt *nt, uint64_t va, const char *type, struct ds_buf *out)
{
    bool any = type == NULL || *type == '\0';
    if (any || strcmp(type, "_EPROCESS") == 0 || strcmp(type, "_KPROCESS") == 0) {
        const struct ds_processes *p = ds_nt_processes(nt);
        for (size_t i = 0; i < p->count; i++) {
            if (p->rows[i].eprocess != va)
                continue;
            ds_buf_printf(out, "process %s", p->rows[i].name ? p->rows[i].name : "of unknown name");
            if (p->rows[i].pid.known)
                ds_buf_printf(out, " (pid %llu)", (unsigned long long)p->rows[i].pid.value);
            return "process";
        }
    }
    if (any || strcmp(type, "_ETHREAD") == 0 || strcmp(type, "_KTHREAD") == 0) {
        const struct ds_threads *t = ds_nt_threads(nt);
        for (size_t i = 0; i < t->count; i++) {
            if (t->rows[i].ethread != va)
                continue;
            ds_buf_str(out, "thread");
            if (t->rows[i].pid.known && t->rows[i].tid.known)
                ds_buf_printf(out, " %llu of process %llu",
                              (unsigned long long)t->rows[i].tid.value,
                              (unsigned long long)t->rows[i].pid.value);
            return "thread";
        }
    }
    return NULL;
}

static const char *address_find(struct ds_nt *nt, uint64_t va, const char *object,
                                struct ds_buf *out)
{
    if (ds_resolve_symbol(nt, va, out))
        return "code";
    const struct ds_unloaded_module *u = ds_resolve_unloaded(nt, va);
    if (u) {
        ds_buf_printf(out, "unloaded %s+0x%llx", u->name ? u->name : "module of unknown name",
                      (unsigned long long)(va - u->start));
        return "unloaded module";
    }
    return object_find(nt, va, object, out);
}

struct ds_resolved ds_resolve_parameter(struct ds_nt *nt, uint64_t value,
                                        const struct ds_param_doc *param, struct ds_buf *out)
{
    struct ds_resolved r = {""};
    enum ds_param_type type = param ? param->type : DS_PARAM_UNKNOWN;
    switch (type) {
    case DS_PARAM_NTSTATUS: {
        const struct ds_code *c = ds_ntstatus_find((uint32_t)value);
        if (c) {
            ds_buf_str(out, c->name);
            r.kind = "status";
        }
        return r;
    }
    case DS_PARAM_RESERVED:
    case DS_PARAM_NUMBER:
    case DS_PARAM_FLAGS:
    case DS_PARAM_SUBCODE:
    case DS_PARAM_IRQL:
    case DS_PARAM_ACCESS:
    case DS_PARAM_PHYSICAL:
    case DS_PARAM_PFN:
    case DS_PARAM_PTE:
        return r;
    case DS_PARAM_UNKNOWN:
    case DS_PARAM_ADDRESS:
    case DS_PARAM_CODE:
    case DS_PARAM_OBJECT:
    case DS_PARAM_STRING:
        break;
    }
    if (!ds_target_is_kernel_va(ds_nt_target(nt), value))
        return r;
    const char *kind = address_find(nt, value, param ? param->object : NULL, out);
    if (kind)
        r.kind = kind;
    return r;
}

const struct ds_param_doc *ds_resolve_param_doc(const struct ds_bugcheck_doc *doc,
                                                const struct ds_opt params[4], unsigned index)
{
    if (doc == NULL || index > 3)
        return NULL;
    const struct ds_param_doc *p =
        ds_bugcheck_param(doc, ds_bugcheck_subcode_known(doc, params), index);
    return p->text ? p : NULL;
}
