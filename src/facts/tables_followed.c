/* Tables over what the bugcheck's parameters lead to, and over the hardware error record. */
#include "facts/cells.h"
#include "facts/resolve.h"

#define ROW struct ds_bugcheck_fact
static const struct ds_column_spec followed_columns[] = {
    {"number", DS_COL_INTEGER, "from 0", "", DS_DERIVED(ds_derive_number)},
    {"parameter", DS_COL_INTEGER, "parameter that leads to it: 1 to 4", ".bugcheck",
     DS_FIELD(ROW, parameter)},
    {"name", DS_COL_TEXT, "what it is: ticks, process, mci_status, ...", "", DS_FIELD(ROW, name)},
    {"value", DS_COL_ADDRESS, "the number; NULL when it cannot be read", "", DS_FIELD(ROW, value)},
    {"meaning", DS_COL_TEXT, "in words; NULL when there is nothing to say", "",
     DS_FIELD(ROW, meaning)},
};
#undef ROW

static void followed_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_bugcheck_facts *b = ds_nt_bugcheck_facts(ds_facts_nt(f));
    *ret = (struct ds_rows){b->rows, sizeof(b->rows[0]), b->count, b->walk};
}

DS_TABLE(bugcheck_facts,
         "What the bugcheck's parameters lead to in the dump, one row for each fact.",
         ".bugcheck, !analyze", followed_columns, followed_fill, "number");

static void sample_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    if (ds_resolve_symbol(ds_facts_nt(f), ((const struct ds_dpc_sample *)row)->pc, v->scratch))
        ds_value_scratch(v);
}

static void sample_module(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    uint64_t offset;
    (void)i;
    const struct ds_module *m =
        ds_resolve_module(ds_facts_nt(f), ((const struct ds_dpc_sample *)row)->pc, &offset);
    ds_value_text(v, m != NULL ? m->name : NULL);
}

#define ROW struct ds_dpc_sample
static const struct ds_column_spec sample_columns[] = {
    {"number", DS_COL_INTEGER, "from 0", "", DS_DERIVED(ds_derive_number)},
    {"processor", DS_COL_INTEGER, "number of the processor", "!pcr", DS_FIELD(ROW, processor)},
    {"capture", DS_COL_INTEGER, "stack that was captured, from 0 on each processor", "",
     DS_FIELD(ROW, capture)},
    {"depth", DS_COL_INTEGER, "place in that stack, from 0", "", DS_FIELD(ROW, depth)},
    {"pc", DS_COL_ADDRESS, "address in kernel code", "dps", DS_FIELD(ROW, pc)},
    {"module", DS_COL_TEXT, "module that holds it; NULL when none", "lm",
     DS_DERIVED(sample_module)},
    {"symbol", DS_COL_TEXT, "function and offset, or module and offset; NULL when in none", "ln",
     DS_DERIVED(sample_symbol)},
};
#undef ROW

static void samples_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_dpc_samples *s = ds_nt_dpc_samples(ds_facts_nt(f));
    *ret = (struct ds_rows){s->rows, sizeof(s->rows[0]), s->count, s->walk};
}

DS_TABLE(dpc_watchdog_samples,
         "Where processors were while DPCs ran long: the profiles that bugcheck 0x133 points to "
         "(KPRCB.DpcWatchdogProfile).",
         "dps", sample_columns, samples_fill, "number");

static void severity_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, ds_cper_severity_name(((const struct ds_cper *)row)->severity));
}

#define ROW struct ds_cper
static const struct ds_column_spec record_columns[] = {
    {"revision", DS_COL_INTEGER, "0x0210 is 2.16", "!errrec", DS_FIELD(ROW, revision)},
    {"section_count", DS_COL_INTEGER, "sections that the record states", "!errrec",
     DS_FIELD(ROW, section_count)},
    {"severity", DS_COL_TEXT, "recoverable, fatal, corrected or informational", "!errrec",
     DS_DERIVED(severity_name)},
    {"length", DS_COL_INTEGER, "bytes that the record states", "!errrec", DS_FIELD(ROW, length)},
    {"flags", DS_COL_INTEGER, "bit 0 recovered, 1 of an earlier start, 2 simulated", "!errrec",
     DS_FIELD(ROW, flags)},
    {"record_id", DS_COL_INTEGER, "number of the record", "!errrec", DS_FIELD(ROW, record_id)},
    {"notification", DS_COL_TEXT, "how the error was reported; NULL when not public", "!errrec",
     DS_FIELD(ROW, notify_name)},
};
#undef ROW

static void records_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_whea *w = ds_nt_whea(ds_facts_nt(f));
    if (w->known)
        *ret = ds_rows_complete(&w->record, sizeof(w->record), 1);
    else if (w->walk.complete)
        *ret = ds_rows_complete(NULL, 0, 0);
    else
        *ret = ds_rows_cut(NULL, 0, 0, w->walk.stop_reason, w->walk.detail);
}

DS_TABLE(whea_records, "The hardware error record of bugcheck 0x124.", "!errrec", record_columns,
         records_fill, NULL);

static void section_type(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, ((const struct ds_whea_section *)row)->section.type);
}

static void section_fru(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_nonempty(v, ((const struct ds_whea_section *)row)->section.fru);
}

static void section_preview(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_nonempty(v, ((const struct ds_whea_section *)row)->preview);
}

static void section_severity(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v,
                  ds_cper_severity_name(((const struct ds_whea_section *)row)->section.severity));
}

#define ROW struct ds_whea_section
static const struct ds_column_spec section_columns[] = {
    {"number", DS_COL_INTEGER, "from 0; whea_fields.section refers to it", "!errrec",
     DS_DERIVED(ds_derive_number)},
    {"name", DS_COL_TEXT, "memory, PCI Express, machine check registers, ...; NULL when not public",
     "!errrec", DS_FIELD(ROW, section.name)},
    {"type", DS_COL_TEXT, "GUID of the section", "!errrec", DS_DERIVED(section_type)},
    {"severity", DS_COL_TEXT, "recoverable, fatal, corrected or informational", "!errrec",
     DS_DERIVED(section_severity)},
    {"revision", DS_COL_INTEGER, "of the section", "!errrec", DS_FIELD(ROW, section.revision)},
    {"flags", DS_COL_INTEGER, "bit 0: primary section", "!errrec", DS_FIELD(ROW, section.flags)},
    {"section_offset", DS_COL_INTEGER, "bytes from the start of the record", "!errrec",
     DS_FIELD(ROW, section.offset)},
    {"length", DS_COL_INTEGER, "bytes that the section states", "!errrec",
     DS_FIELD(ROW, section.length)},
    {"fru", DS_COL_TEXT, "field replaceable unit, as the firmware calls it", "!errrec",
     DS_DERIVED(section_fru)},
    {"component", DS_COL_TEXT, "what broke; NULL when the section does not say", "!errrec",
     DS_FIELD(ROW, component)},
    {"preview", DS_COL_TEXT, "its first 32 bytes in hex; NULL when none is there", "!errrec",
     DS_DERIVED(section_preview)},
};
#undef ROW

static void sections_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_whea *w = ds_nt_whea(ds_facts_nt(f));
    *ret = (struct ds_rows){w->sections, sizeof(w->sections[0]), w->section_count, w->walk};
}

DS_TABLE(whea_sections, "Sections of the hardware error record.", "!errrec", section_columns,
         sections_fill, "number");

static void field_text(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_nonempty(v, ((const struct ds_whea_field *)row)->field.text);
}

#define ROW struct ds_whea_field
static const struct ds_column_spec field_columns[] = {
    {"section", DS_COL_INTEGER, "number of the section", "!errrec", DS_FIELD(ROW, section)},
    {"name", DS_COL_TEXT, "member: physical_address, bank, mci_status, ...", "!errrec",
     DS_FIELD(ROW, field.name)},
    {"value", DS_COL_ADDRESS, "its value", "!errrec", DS_FIELD(ROW, field.value)},
    {"meaning", DS_COL_TEXT, "in words; NULL when the number says it", "!errrec",
     DS_DERIVED(field_text)},
};
#undef ROW

static void fields_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_whea *w = ds_nt_whea(ds_facts_nt(f));
    *ret = (struct ds_rows){w->fields, sizeof(w->fields[0]), w->field_count, w->walk};
}

DS_TABLE(whea_fields, "Members of the sections of the hardware error record that it calls valid.",
         "!errrec", field_columns, fields_fill, NULL);
