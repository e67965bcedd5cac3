/* The table of processors. */
#include "facts/table.h"

static void derive_pc(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_processor *p = row;
    if (p->has_context)
        ds_value_u64(v, p->context.pc);
}

static void derive_sp(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_processor *p = row;
    if (p->has_context)
        ds_value_u64(v, p->context.sp);
}

#define ROW struct ds_processor
static const struct ds_column_spec processor_columns[] = {
    {"number", DS_COL_INTEGER, "processor number, from 0", "!running", DS_FIELD(ROW, number)},
    {"prcb", DS_COL_ADDRESS, "_KPRCB: virtual", "!prcb", DS_FIELD(ROW, prcb)},
    {"current_thread", DS_COL_ADDRESS, "_KTHREAD that runs on it", "!running",
     DS_FIELD(ROW, current_thread)},
    {"next_thread", DS_COL_ADDRESS, "_KTHREAD chosen to run next; 0 when none", "!running",
     DS_FIELD(ROW, next_thread)},
    {"idle_thread", DS_COL_ADDRESS, "its idle _KTHREAD", "!running -i", DS_FIELD(ROW, idle_thread)},
    {"mhz", DS_COL_INTEGER, "clock rate in MHz", "!cpuinfo", DS_FIELD(ROW, mhz)},
    {"vendor", DS_COL_TEXT, "vendor string: AuthenticAMD", "!cpuinfo", DS_FIELD(ROW, vendor)},
    {"has_context", DS_COL_BOOL, "whether its registers were found", "",
     DS_FIELD(ROW, has_context)},
    {"pc", DS_COL_ADDRESS, "instruction pointer of that context: virtual", "~Ns; r",
     DS_DERIVED(derive_pc)},
    {"sp", DS_COL_ADDRESS, "stack pointer of that context: virtual", "~Ns; r",
     DS_DERIVED(derive_sp)},
    {"context_source", DS_COL_TEXT, "where the registers were found", "",
     DS_FIELD(ROW, context_source)},
};
#undef ROW

static void processors_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_processors *p = ds_nt_processors(ds_facts_nt(f));
    *ret = (struct ds_rows){p->rows, sizeof(*p->rows), p->count, p->walk};
}

DS_TABLE_WITH_LAYOUT(processors, "Processors, with what runs on each.", "!running -i, !cpuinfo",
                     processor_columns, processors_fill, "number");
