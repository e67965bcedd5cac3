#include "nt/address_place.h"

#include "base/bytes.h"
#include "nt/impl.h"
#include "nt/ticks.h"

#define PAGE 0x1000u

struct list {
    struct ds_place *rows;
    size_t count;
    uint64_t va;
};

/* Adds [start, end) when it holds the address. */
static struct ds_place *consider(struct list *l, const char *kind, uint64_t start, uint64_t end)
{
    if (l->count == DS_PLACES_MAX || l->va < start || l->va >= end)
        return NULL;
    struct ds_place *p = &l->rows[l->count++];
    *p =
        (struct ds_place){.kind = kind, .start = start, .end = end, .owner = ds_opt_unknown(DS_OK)};
    return p;
}

static uint64_t size_of(const struct ds_target *t, const char *type)
{
    uint32_t size;
    return ds_target_size(t, type, &size) == DS_OK ? size : 1;
}

static void modules(struct ds_nt *nt, struct list *l)
{
    const struct ds_target *t = nt->target;
    uint64_t entry = size_of(t, "_KLDR_DATA_TABLE_ENTRY");
    if (entry == 1)
        entry = size_of(t, "_LDR_DATA_TABLE_ENTRY");
    for (size_t i = 0; i < t->module_count; i++) {
        const struct ds_module *m = &t->modules[i];
        struct ds_place *p = consider(l, "module", m->base, m->base + m->size);
        if (p != NULL)
            p->name = m->name;
        p = m->entry.known ? consider(l, "loader entry", m->entry.value, m->entry.value + entry)
                           : NULL;
        if (p != NULL)
            p->name = m->name;
    }
    const struct ds_unloaded_modules *u = ds_nt_unloaded_modules(nt);
    for (size_t i = 0; i < u->count; i++) {
        struct ds_place *p = consider(l, "unloaded module", u->rows[i].start, u->rows[i].end);
        if (p != NULL)
            p->name = u->rows[i].name;
    }
}

static void threads(struct ds_nt *nt, struct list *l)
{
    const struct ds_threads *t = ds_nt_threads(nt);
    uint64_t size = size_of(nt->target, "_ETHREAD");
    for (size_t i = 0; i < t->count; i++) {
        const struct ds_thread *th = &t->rows[i];
        struct ds_place *p = consider(l, "thread", th->ethread, th->ethread + size);
        if (p != NULL)
            p->owner = th->eprocess;
        if (!th->stack_base.known || !th->stack_limit.known)
            continue;
        p = consider(l, "kernel stack", th->stack_limit.value, th->stack_base.value);
        if (p != NULL)
            p->owner = ds_opt_known(th->ethread);
    }
}

static void processes(struct ds_nt *nt, struct list *l)
{
    const struct ds_processes *p = ds_nt_processes(nt);
    uint64_t size = size_of(nt->target, "_EPROCESS");
    for (size_t i = 0; i < p->count; i++) {
        struct ds_place *x =
            consider(l, "process", p->rows[i].eprocess, p->rows[i].eprocess + size);
        if (x != NULL)
            x->name = p->rows[i].name;
    }
    const struct ds_processors *c = ds_nt_processors(nt);
    size = size_of(nt->target, "_KPRCB");
    for (size_t i = 0; i < c->count; i++) {
        struct ds_opt at = c->rows[i].prcb;
        struct ds_place *x = at.known ? consider(l, "processor", at.value, at.value + size) : NULL;
        if (x != NULL)
            x->owner = ds_opt_known(c->rows[i].number);
    }
}

/*
 * The pool block that holds the address, when the headers of its page lead from the page's start to
 * it and each says how long the one before is. Sources: WDD, "!pool"; _POOL_HEADER of the symbols.
 */
static void pool_block(struct ds_nt *nt, struct list *l)
{
    static const char type[] = "_POOL_HEADER";
    const struct ds_target *t = nt->target;
    uint64_t page = l->va & ~(uint64_t)(PAGE - 1), unit = t->pointer_size * 2, before = 0;
    struct ds_field previous, size, tag;
    if (ds_target_member(t, type, "PreviousSize", &previous, NULL) != DS_OK ||
        ds_target_member(t, type, "BlockSize", &size, NULL) != DS_OK ||
        ds_target_member(t, type, "PoolTag", &tag, NULL) != DS_OK)
        return;
    for (uint64_t at = page; at < page + PAGE;) {
        struct ds_opt units = ds_target_read_member(t, at, &size);
        struct ds_opt back = ds_target_read_member(t, at, &previous);
        struct ds_opt word = ds_target_read_member(t, at, &tag);
        if (!units.known || !back.known || !word.known || units.value == 0 ||
            back.value != before || units.value * unit > page + PAGE - at)
            return;
        before = units.value;
        struct ds_place *p = consider(l, "pool block", at, at + units.value * unit);
        for (unsigned i = 0; p != NULL && i < 4; i++) {
            char c = (char)(word.value >> (8 * i) & 0x7f);
            p->tag[i] = c >= 0x20 && c < 0x7f ? c : '.';
        }
        at += units.value * unit;
    }
}

size_t ds_nt_places(struct ds_nt *nt, uint64_t va, struct ds_place ret[DS_PLACES_MAX])
{
    struct list l = {.rows = ret, .va = va};
    const struct ds_target *t = nt->target;
    if (!ds_target_is_kernel_va(t, va))
        return 0;
    modules(nt, &l);
    uint64_t shared = ds_nt_shared_data(t);
    (void)consider(&l, "shared user data", shared, shared + PAGE);
    processes(nt, &l);
    threads(nt, &l);
    if (t->kdbg.known)
        (void)consider(&l, "debugger data", t->kdbg.value, t->kdbg.value + sizeof(t->kdbg_bytes));
    if (t->kernel != NULL && (l.count == 0 || ret[0].kind[0] == 't' || ret[0].kind[0] == 'p'))
        pool_block(nt, &l);
    return l.count;
}
