/*
 * The DPCs that are queued to processors. From Server 2003 on each KPRCB has two queues, of normal
 * and of threaded DPCs; to Windows 8 they are doubly linked, then singly (KDPC_LIST). XP has one.
 */
#include "nt/dispatch_impl.h"

#define TABLE "dpcs"
#define QUEUES 2u

struct reader {
    struct ds_nt *nt;
    struct ds_nt_dispatch *keep;
    struct ds_place entry, type, routine, context, argument1, argument2, importance;
    struct ds_place data, list_head, single_head, last, alone; /* alone: XP's DpcListHead */
    uint32_t data_size;
    struct ds_entries entries;
    size_t left;
};

const char *ds_dpc_importance_name(uint64_t importance)
{
    static const char *const names[] = {"Low", "Medium", "High", "MediumHigh"};
    return importance < sizeof(names) / sizeof(names[0]) ? names[importance] : NULL;
}

struct ds_opt ds_dpc_is_one(const struct ds_target *t, uint64_t va)
{
    struct ds_opt type = ds_target_field(t, va, "_KDPC", "Type");
    if (!type.known)
        return type;
    return ds_opt_known(
        type.value == DS_OBJECT_DPC || type.value == DS_OBJECT_THREADED_DPC ||
        (type.value == DS_OBJECT_THREADED_DPC_BEFORE_8 && ds_opt_or(t->build, 0) <= 9200));
}

/* DS_OK, or the reason that there is nothing to walk; *missing is static. */
static enum ds_status reader_init(struct reader *r, struct ds_nt *nt, struct ds_nt_dispatch *keep,
                                  const char **missing)
{
    const struct ds_target *t = nt->target;
    *r = (struct reader){.nt = nt, .keep = keep, .left = DS_LIMIT_DPCS};
    r->entry = ds_place_of(t, "_KDPC", "DpcListEntry");
    r->type = ds_place_of(t, "_KDPC", "Type");
    r->routine = ds_place_of(t, "_KDPC", "DeferredRoutine");
    r->context = ds_place_of(t, "_KDPC", "DeferredContext");
    r->argument1 = ds_place_of(t, "_KDPC", "SystemArgument1");
    r->argument2 = ds_place_of(t, "_KDPC", "SystemArgument2");
    r->importance = ds_place_of(t, "_KDPC", "Importance");
    r->data = ds_place_of(t, "_KPRCB", "DpcData");
    r->list_head = ds_place_of(t, "_KDPC_DATA", "DpcListHead");
    r->single_head = ds_place_of(t, "_KDPC_DATA", "DpcList.ListHead");
    r->last = ds_place_of(t, "_KDPC_DATA", "DpcList.LastEntry");
    r->alone = ds_place_of(t, "_KPRCB", "DpcListHead");
    *missing = "_KDPC.DpcListEntry";
    if (r->entry.status != DS_OK || r->routine.status != DS_OK)
        return DS_NO_FIELD;
    if (r->alone.status == DS_OK)
        return DS_OK;
    *missing = r->data.status == DS_OK ? "_KDPC_DATA.DpcList" : "_KPRCB.DpcData";
    if (r->data.status != DS_OK || (r->list_head.status != DS_OK && r->single_head.status != DS_OK))
        return DS_NO_FIELD;
    return ds_target_size(t, "_KDPC_DATA", &r->data_size);
}

/* False when the queue ends here. */
static bool add(struct reader *r, uint32_t processor, bool threaded, uint32_t position,
                uint64_t kdpc)
{
    const struct ds_target *t = r->nt->target;
    struct ds_nt_dispatch *k = r->keep;
    void *rows = k->dpc_rows;
    struct ds_opt is = ds_dpc_is_one(t, kdpc);
    if (!is.known || is.value == 0) {
        ds_walk_stop(&k->dpcs.walk, is.known ? DS_CORRUPT : is.why, ds_opt_known(kdpc),
                     is.known ? "what the queue leads to is no KDPC" : "a KDPC cannot be read");
        return false;
    }
    if (!ds_dispatch_room(&rows, &k->dpc_cap, k->dpcs.count, sizeof(*k->dpc_rows),
                          DS_ROWS_MAX(struct ds_dpc, DS_LIMIT_DPCS), &k->dpcs.walk))
        return false;
    k->dpc_rows = rows;
    k->dpc_rows[k->dpcs.count++] =
        (struct ds_dpc){.processor = processor,
                        .threaded = threaded,
                        .position = position,
                        .kdpc = kdpc,
                        .routine = ds_place_read(t, kdpc, &r->routine),
                        .context = ds_place_read(t, kdpc, &r->context),
                        .argument1 = ds_place_read(t, kdpc, &r->argument1),
                        .argument2 = ds_place_read(t, kdpc, &r->argument2),
                        .importance = ds_place_read(t, kdpc, &r->importance)};
    return true;
}

static void add_entries(struct reader *r, uint32_t processor, bool threaded)
{
    struct ds_entries *e = &r->entries;
    for (size_t i = 0; i < e->count; i++)
        if (!add(r, processor, threaded, (uint32_t)i, e->at[i] - r->entry.field.offset))
            break;
    ds_dispatch_end(r->nt, e, "the DPC queue of a processor is cut short", &r->keep->dpcs.walk);
}

static void walk_double(struct reader *r, uint32_t processor, bool threaded, uint64_t head)
{
    ds_dispatch_list(&r->entries, r->nt->target->kernel, head, &r->left);
    add_entries(r, processor, threaded);
}

/* LastEntry names the end of the queue, or its head when nothing is queued. */
static void walk_single(struct reader *r, uint32_t processor, bool threaded, uint64_t data)
{
    struct ds_entries *e = &r->entries;
    ds_dispatch_single(e, r->nt->target->kernel, data + r->single_head.field.offset, &r->left);
    add_entries(r, processor, threaded);
    struct ds_opt last = ds_place_read(r->nt->target, data, &r->last);
    if (e->end.status == DS_OK && last.known && last.value != 0 && e->count != 0 &&
        last.value != e->at[e->count - 1])
        ds_walk_stop(&r->keep->dpcs.walk, DS_CORRUPT, ds_opt_known(data),
                     "a DPC queue does not end where its LastEntry says");
}

static void walk_processor(struct reader *r, const struct ds_processor *p)
{
    if (!p->prcb.known) {
        ds_walk_stop(&r->keep->dpcs.walk, p->prcb.why, p->prcb, "a KPRCB is not known");
        return;
    }
    if (r->alone.status == DS_OK) {
        walk_double(r, p->number, false, p->prcb.value + r->alone.field.offset);
        return;
    }
    for (uint32_t i = 0; i < QUEUES; i++) {
        uint64_t data = p->prcb.value + r->data.field.offset + (uint64_t)i * r->data_size;
        if (r->single_head.status == DS_OK)
            walk_single(r, p->number, i != 0, data);
        else
            walk_double(r, p->number, i != 0, data + r->list_head.field.offset);
    }
}

const struct ds_dpcs *ds_nt_dpcs(struct ds_nt *nt)
{
    static const struct ds_dpcs none = {
        .walk = {.table_name = TABLE, .stop_reason = DS_NO_MEMORY, .detail = ""}};
    const struct ds_processors *cpus = ds_nt_processors(nt);
    struct ds_nt_dispatch *keep = ds_nt_dispatch_get(nt);
    const char *missing;
    struct reader r;
    if (keep == NULL)
        return &none;
    if (keep->have_dpcs)
        return &keep->dpcs;
    keep->have_dpcs = true;
    keep->dpcs.walk = cpus->walk;
    keep->dpcs.walk.table_name = TABLE;
    enum ds_status status = reader_init(&r, nt, keep, &missing);
    if (status != DS_OK && cpus->count != 0)
        ds_walk_stop(&keep->dpcs.walk, status, ds_opt_unknown(DS_OK), missing);
    for (size_t i = 0; status == DS_OK && i < cpus->count; i++)
        walk_processor(&r, &cpus->rows[i]);
    ds_entries_deinit(&r.entries);
    keep->dpcs.rows = keep->dpc_rows;
    keep->dpcs.walk.rows = keep->dpcs.count;
    return &keep->dpcs;
}
