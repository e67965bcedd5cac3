/* Tables over what processors have queued: DPCs. */
#include "facts/cells.h"
#include "facts/table.h"
#include "nt/dispatch.h"

static void derive_dpc_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    struct ds_opt routine = ((const struct ds_dpc *)row)->routine;
    if (ds_opt_or(routine, 0) != 0)
        ds_value_symbol(f, routine.value, v);
}

static void derive_importance_name(struct ds_facts *f, const void *row, size_t i,
                                   struct ds_value *v)
{
    (void)f;
    (void)i;
    struct ds_opt importance = ((const struct ds_dpc *)row)->importance;
    if (importance.known)
        ds_value_text(v, ds_dpc_importance_name(importance.value));
}

#define ROW struct ds_dpc
static const struct ds_column_spec dpc_columns[] = {
    {"processor", DS_COL_INTEGER, "number of the processor that is to run it", "!dpcs (CPU)",
     DS_FIELD(ROW, processor)},
    {"threaded", DS_COL_BOOL, "in the queue of threaded DPCs", "!dpcs (Type)",
     DS_FIELD(ROW, threaded)},
    {"position", DS_COL_INTEGER, "place in its queue, from 0: the order in which they run", "!dpcs",
     DS_FIELD(ROW, position)},
    {"kdpc", DS_COL_ADDRESS, "_KDPC: virtual", "!dpcs (KDPC)", DS_FIELD(ROW, kdpc)},
    {"routine", DS_COL_ADDRESS, "DeferredRoutine: virtual", "!dpcs (Function)",
     DS_FIELD(ROW, routine)},
    {"symbol", DS_COL_TEXT, "routine as function and offset, or module and offset",
     "!dpcs (Function)", DS_DERIVED(derive_dpc_symbol)},
    {"context", DS_COL_ADDRESS, "DeferredContext", "dt nt!_KDPC", DS_FIELD(ROW, context)},
    {"argument1", DS_COL_ADDRESS, "SystemArgument1", "dt nt!_KDPC", DS_FIELD(ROW, argument1)},
    {"argument2", DS_COL_ADDRESS, "SystemArgument2", "dt nt!_KDPC", DS_FIELD(ROW, argument2)},
    {"importance", DS_COL_INTEGER, "KDPC_IMPORTANCE (wdm.h)", "dt nt!_KDPC",
     DS_FIELD(ROW, importance)},
    {"importance_name", DS_COL_TEXT, "Low, Medium, High or MediumHigh", "dt nt!_KDPC",
     DS_DERIVED(derive_importance_name)},
};
#undef ROW

static void dpcs_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_dpcs *d = ds_nt_dpcs(ds_facts_nt(f));
    *ret = (struct ds_rows){d->rows, sizeof(*d->rows), d->count, d->walk};
}

DS_TABLE_WITH_LAYOUT(dpcs, "DPCs that wait in the queues of the processors.", "!dpcs", dpc_columns,
                     dpcs_fill, NULL);
