/* The section "MEMORY" and the member "memory": what !vm would begin with. */
#include "report/memory.h"

#include <inttypes.h>

#include "report/json_parts.h"
#include "report/text.h"

void ds_build_memory(struct ds_builder *b)
{
    const struct ds_vm *vm = ds_nt_vm(b->nt);
    b->r->memory = vm->told ? vm : NULL;
}

static struct ds_opt value(const struct ds_vm *vm, enum ds_vm_id id)
{
    return vm->rows[id].value;
}

/* "503 of 5246 MB (9 %)"; nothing when the first is not known. */
static void share(struct ds_paper *p, const char *label, struct ds_opt used, struct ds_opt limit)
{
    if (!used.known)
        return;
    if (limit.known && limit.value != 0)
        ds_paper_fieldf(p, label, "%" PRIu64 " of %" PRIu64 " MB (%" PRIu64 " %%)",
                        used.value / 256, limit.value / 256, used.value * 100 / limit.value);
    else
        ds_paper_fieldf(p, label, "%" PRIu64 " MB", used.value / 256);
}

/* What is left, and how often there was not enough; nothing when neither is to be told. */
static void failures(struct ds_paper *p, const char *label, struct ds_opt left, struct ds_opt n)
{
    bool failed = n.known && n.value != 0;
    struct ds_buf b;
    ds_buf_init(&b, 1u << 10);
    if (left.known)
        ds_buf_printf(&b, "%" PRIu64 " free%s", left.value, failed ? "; " : "");
    if (failed)
        ds_buf_printf(&b, "%" PRIu64 " allocation%s failed", n.value,
                      n.value == 1 ? " has" : "s have");
    if (b.len > 0)
        ds_paper_field(p, label, ds_buf_text(&b));
    ds_buf_deinit(&b);
}

/* Every counter that is known, in the debugger's words where it has some. */
static void all_counters(struct ds_paper *p, const struct ds_vm *vm)
{
    for (size_t i = 0; i < vm->count; i++) {
        const struct ds_vm_counter *c = &vm->rows[i];
        if (c->value.known && c->pages)
            ds_paper_fieldf(p, "", "%s: %" PRId64 " (%" PRId64 " Kb)",
                            c->label != NULL ? c->label : c->name, (int64_t)c->value.value,
                            (int64_t)(c->value.value * 4));
        else if (c->value.known)
            ds_paper_fieldf(p, "", "%s: %" PRIu64, c->label != NULL ? c->label : c->name,
                            c->value.value);
    }
}

void ds_text_memory(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    const struct ds_vm *vm = r->memory;
    if (vm == NULL)
        return;
    struct ds_opt nonpaged = value(vm, DS_VM_NONPAGED_POOL);
    ds_paper_heading(p, "MEMORY");
    if (value(vm, DS_VM_PHYSICAL).known)
        share(p, "Available", value(vm, DS_VM_AVAILABLE), value(vm, DS_VM_PHYSICAL));
    share(p, "Committed", value(vm, DS_VM_COMMITTED), value(vm, DS_VM_COMMIT_LIMIT));
    share(p, "NonPagedPool", nonpaged.known ? nonpaged : value(vm, DS_VM_NONPAGED_POOL_COMMIT),
          value(vm, DS_VM_NONPAGED_POOL_MAXIMUM));
    share(p, "PagedPool", value(vm, DS_VM_PAGED_POOL), value(vm, DS_VM_PAGED_POOL_MAXIMUM));
    failures(p, "Pools", ds_opt_unknown(DS_OK), value(vm, DS_VM_POOL_FAILURES));
    failures(p, "System PTEs", value(vm, DS_VM_FREE_SYSTEM_PTES), value(vm, DS_VM_PTE_FAILURES));
    if (verbose)
        all_counters(p, vm);
}

void ds_json_part_memory(struct ds_json *j, const struct ds_report *r)
{
    ds_json_key(j, "memory");
    if (r->memory == NULL) {
        ds_json_null(j);
        return;
    }
    ds_json_object(j);
    for (size_t i = 0; i < r->memory->count; i++) {
        const struct ds_vm_counter *c = &r->memory->rows[i];
        ds_json_key(j, c->name);
        if (c->value.known)
            ds_json_signed(j, (int64_t)c->value.value); /* resident_available may be negative */
        else
            ds_json_null(j);
    }
    ds_json_object_end(j);
}
