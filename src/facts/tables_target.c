/* Tables over the bootstrap: how the kernel was found, modules, and how each table came to be. */
#include <string.h>

#include "facts/skip.h"
#include "facts/store.h"
#include "facts/table.h"
#include "nt/drivers.h"

/* ---- bootstrap_steps ---- */

static void derive_step_status(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_step *s = row;
    if (!s->ok)
        ds_value_text(v, ds_status_name(s->status));
}

static void derive_step_trust(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_nonempty(v, ((const struct ds_step *)row)->trust);
}

static void derive_step_detail(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_nonempty(v, ((const struct ds_step *)row)->detail);
}

#define ROW struct ds_step
static const struct ds_column_spec step_columns[] = {
    {"number", DS_COL_INTEGER, "order of the attempts, from 0", "", DS_DERIVED(ds_derive_number)},
    {"what", DS_COL_TEXT,
     "what was looked for: dtb, kernel_base, kdbg, version, symbols, layout, modules, processes, "
     "processors, memory, invariants",
     "", DS_FIELD(ROW, what)},
    {"method", DS_COL_TEXT, "where it was looked for, or what told it: option, header", "",
     DS_FIELD(ROW, method)},
    {"ok", DS_COL_BOOL, "whether it was found", "", DS_FIELD(ROW, ok)},
    {"status", DS_COL_TEXT, "why not; NULL when found", "", DS_DERIVED(derive_step_status)},
    {"value", DS_COL_ADDRESS, "the address found, where the step finds one", "",
     DS_FIELD(ROW, value)},
    {"trust", DS_COL_TEXT,
     "how far to believe it, where that varies: addresses are verified (what must be there is), "
     "likely (some of it) or unverified (used because told); layouts as in dump.layout_trust",
     "", DS_DERIVED(derive_step_trust)},
    {"detail", DS_COL_TEXT, "one clause for people", "", DS_DERIVED(derive_step_detail)},
};
#undef ROW

static void steps_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_target *t = ds_nt_target(ds_facts_nt(f));
    *ret = ds_rows_complete(t->steps, sizeof(*t->steps), t->step_count);
}

DS_TABLE(bootstrap_steps, "How the kernel was found: every attempt, its method and its trust.", "",
         step_columns, steps_fill, NULL);

/* ---- modules ---- */

static void derive_module_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_nonempty(v, ((const struct ds_module *)row)->name);
}

static void derive_module_end(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_module *m = row;
    uint64_t end = m->base + m->size;
    if (end >= m->base)
        ds_value_u64(v, end);
}

static void derive_skip_reason(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    const struct ds_target *t = ds_nt_target(ds_facts_nt(f));
    const struct ds_module *m = row;
    const struct ds_skip *skip = ds_skip_find(m->name);
    if (skip && strcmp(skip->class_, "port") != 0)
        ds_value_text(v, skip->reason);
    else if (t->kernel_base.known && t->kernel_base.value == m->base)
        ds_value_text(v, "it is the kernel");
}

/* The driver of a row; NULL when memory ran out. */
static const struct ds_driver *driver_at(struct ds_facts *f, size_t i)
{
    const struct ds_driver *all = ds_nt_drivers(ds_facts_nt(f));
    return all != NULL ? &all[i] : NULL;
}

#define DRIVER_TEXT(fn, member)                                                                    \
    static void fn(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)              \
    {                                                                                              \
        (void)row;                                                                                 \
        const struct ds_driver *d = driver_at(f, i);                                               \
        ds_value_text(v, d != NULL ? d->member : NULL);                                            \
    }
DRIVER_TEXT(derive_pdb_name, pdb_name)
DRIVER_TEXT(derive_pdb_id, pdb_id)
DRIVER_TEXT(derive_company, company)
DRIVER_TEXT(derive_product, product)
DRIVER_TEXT(derive_description, description)
DRIVER_TEXT(derive_file_version, file_version)
DRIVER_TEXT(derive_product_version, product_version)
DRIVER_TEXT(derive_in_box_source, in_box_source)
DRIVER_TEXT(derive_listed_maker, listed_maker)
DRIVER_TEXT(derive_timestamp_kind, timestamp_kind)
DRIVER_TEXT(derive_timestamp_reason, timestamp_reason)
#undef DRIVER_TEXT

static void derive_in_box(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_driver *d = driver_at(f, i);
    if (d != NULL)
        ds_value_opt(v, d->in_box);
}

static void derive_built(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_driver *d = driver_at(f, i);
    if (d != NULL)
        ds_value_time(v, d->built);
}

static void derive_age(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_driver *d = driver_at(f, i);
    if (d != NULL)
        ds_value_opt(v, d->age_days);
}

#define ROW struct ds_module
static const struct ds_column_spec module_columns[] = {
    {"number", DS_COL_INTEGER, "load order, from 0; 0 is usually the kernel", "",
     DS_DERIVED(ds_derive_number)},
    {"base", DS_COL_ADDRESS, "DllBase: virtual", "lm (start)", DS_FIELD(ROW, base)},
    {"end_address", DS_COL_ADDRESS, "first byte after the image: virtual", "lm (end)",
     DS_DERIVED(derive_module_end)},
    {"size", DS_COL_INTEGER, "SizeOfImage, bytes", "lmv", DS_FIELD(ROW, size)},
    {"name", DS_COL_TEXT, "file name: amdppm.sys; NULL when unreadable", "lm",
     DS_DERIVED(derive_module_name)},
    {"path", DS_COL_TEXT, "path as recorded; NULL when only the name is", "lmv",
     DS_FIELD(ROW, path)},
    {"timestamp", DS_COL_INTEGER,
     "TimeDateStamp, raw: seconds since 1970, or a hash in reproducible builds", "lmv",
     DS_FIELD(ROW, timestamp)},
    {"timestamp_kind", DS_COL_TEXT,
     "whether timestamp is a date: date, probable date, hash, not a date, unknown", "",
     DS_DERIVED(derive_timestamp_kind)},
    {"timestamp_reason", DS_COL_TEXT, "why it is held for that", "",
     DS_DERIVED(derive_timestamp_reason)},
    {"built_utc", DS_COL_TEXT, "timestamp as ISO 8601, where it is a date or probably one", "lmv",
     DS_DERIVED(derive_built)},
    {"age_days", DS_COL_INTEGER, "whole days from built_utc to the time of the dump", "",
     DS_DERIVED(derive_age)},
    {"checksum", DS_COL_INTEGER, "CheckSum of the image header", "lmv", DS_FIELD(ROW, checksum)},
    {"pdb_name", DS_COL_TEXT,
     "file of its symbols, by the image's debug directory; NULL when not captured", "lmv, !lmi",
     DS_DERIVED(derive_pdb_name)},
    {"pdb_id", DS_COL_TEXT,
     "GUID and age that its symbols must have, as symbol servers write them with a dash between; "
     "NULL when not captured",
     "!lmi (Age, Guid)", DS_DERIVED(derive_pdb_id)},
    {"company", DS_COL_TEXT,
     "CompanyName of the version resource: what the image says of itself, unchecked; NULL when not "
     "captured",
     "lmv", DS_DERIVED(derive_company)},
    {"product", DS_COL_TEXT, "ProductName, likewise", "lmv", DS_DERIVED(derive_product)},
    {"description", DS_COL_TEXT, "FileDescription, likewise", "lmv",
     DS_DERIVED(derive_description)},
    {"file_version", DS_COL_TEXT, "FileVersion, likewise", "lmv", DS_DERIVED(derive_file_version)},
    {"product_version", DS_COL_TEXT, "ProductVersion, likewise", "lmv",
     DS_DERIVED(derive_product_version)},
    {"in_box", DS_COL_BOOL,
     "whether Microsoft ships a file of this name with Windows: 1 is a hint by name and no proof, "
     "0 "
     "says only that the name is not on the list",
     "", DS_DERIVED(derive_in_box)},
    {"in_box_source", DS_COL_TEXT, "what the list says of the name", "",
     DS_DERIVED(derive_in_box_source)},
    {"listed_maker", DS_COL_TEXT,
     "who made the files of that name that a public list knows: a hint by name", "",
     DS_DERIVED(derive_listed_maker)},
    {"ldr_entry", DS_COL_ADDRESS, "_KLDR_DATA_TABLE_ENTRY: virtual; NULL for triage dumps",
     "!list nt!PsLoadedModuleList", DS_FIELD(ROW, entry)},
    {"skip_reason", DS_COL_TEXT,
     "why being on a stack does not make it a suspect; NULL when it can be blamed", "",
     DS_DERIVED(derive_skip_reason)},
    {"source", DS_COL_TEXT, "PsLoadedModuleList or triage driver list", "", DS_FIELD(ROW, source)},
};
#undef ROW

static void modules_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_target *t = ds_nt_target(ds_facts_nt(f));
    *ret = (struct ds_rows){t->modules, sizeof(*t->modules), t->module_count, t->modules_walk};
}

DS_TABLE(modules, "Loaded kernel modules.", "lm k", module_columns, modules_fill, "base");

/* ---- unloaded_modules ---- */

static void derive_unload_time(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_time(v, ((const struct ds_unloaded_module *)row)->unload_time);
}

#define ROW struct ds_unloaded_module
static const struct ds_column_spec unloaded_columns[] = {
    {"number", DS_COL_INTEGER, "order in the record, from 0", "", DS_DERIVED(ds_derive_number)},
    {"name", DS_COL_TEXT, "file name; NULL when unreadable", "lm (Unloaded modules)",
     DS_FIELD(ROW, name)},
    {"name_cut", DS_COL_BOOL, "the writer kept the first 12 characters only", "",
     DS_FIELD(ROW, name_cut)},
    {"start_address", DS_COL_ADDRESS, "first byte: virtual", "lm (Unloaded modules)",
     DS_FIELD(ROW, start)},
    {"end_address", DS_COL_ADDRESS, "first byte after it: virtual", "lm (Unloaded modules)",
     DS_FIELD(ROW, end)},
    {"unload_time", DS_COL_INTEGER, "when it was unloaded: 100 ns since 1601, UTC",
     "lmv (Unloaded modules)", DS_FIELD(ROW, unload_time)},
    {"unload_time_utc", DS_COL_TEXT, "unload_time as ISO 8601", "", DS_DERIVED(derive_unload_time)},
    {"source", DS_COL_TEXT, "where the record was found", "", DS_FIELD(ROW, source)},
};
#undef ROW

static void unloaded_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_unloaded_modules *u = ds_nt_unloaded_modules(ds_facts_nt(f));
    *ret = (struct ds_rows){u->rows, sizeof(*u->rows), u->count, u->walk};
}

DS_TABLE(unloaded_modules, "Kernel modules that were unloaded, as the kernel remembers them.",
         "lm (Unloaded modules)", unloaded_columns, unloaded_fill, NULL);

/* ---- walks: the state of every table, itself included ---- */

static void walk_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)row;
    ds_value_text(v, ds_table_at(i)->name);
}

static void walk_asked(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    ds_value_u64(v, ds_facts_rows_peek(f, i) != NULL);
}

static void walk_complete(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_rows *r = ds_facts_rows_peek(f, i);
    if (r)
        ds_value_u64(v, r->walk.complete);
}

static void walk_rows(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_rows *r = ds_facts_rows_peek(f, i);
    if (r)
        ds_value_u64(v, r->count);
}

static void walk_reason(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_rows *r = ds_facts_rows_peek(f, i);
    if (r && !r->walk.complete)
        ds_value_text(v, ds_status_name(r->walk.stop_reason));
}

static void walk_address(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_rows *r = ds_facts_rows_peek(f, i);
    if (r && !r->walk.complete)
        ds_value_opt(v, r->walk.stop_address);
}

static void walk_detail(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_rows *r = ds_facts_rows_peek(f, i);
    if (r)
        ds_value_nonempty(v, r->walk.detail);
}

static const struct ds_column_spec walk_columns[] = {
    {"table_name", DS_COL_TEXT, "the table", "", DS_DERIVED(walk_name)},
    {"asked", DS_COL_BOOL, "whether the table was filled yet; the other columns are NULL if not",
     "", DS_DERIVED(walk_asked)},
    {"complete", DS_COL_BOOL, "whether every row that exists is in the table", "",
     DS_DERIVED(walk_complete)},
    {"rows", DS_COL_INTEGER, "rows in the table", "", DS_DERIVED(walk_rows)},
    {"stop_reason", DS_COL_TEXT, "why the walk ended early; NULL when complete", "",
     DS_DERIVED(walk_reason)},
    {"stop_address", DS_COL_ADDRESS, "where it ended early: virtual, where there is one", "",
     DS_DERIVED(walk_address)},
    {"detail", DS_COL_TEXT, "one clause for people", "", DS_DERIVED(walk_detail)},
};

static void walks_fill(struct ds_facts *f, struct ds_rows *ret)
{
    (void)f;
    *ret = ds_rows_complete(NULL, 0, ds_table_count());
}

static void walks_asked_for(struct ds_facts *f, size_t column, const struct ds_key *key)
{
    if (column == 0 && key->kind == DS_CELL_TEXT)
        (void)ds_facts_walk(f, key->text);
}

const struct ds_table ds_table_walks = {
    .spec = {.name = "walks",
             .doc = "How every table came to be: complete, or cut short by what and where. Asking "
                    "for one table by name (table_name = 'threads') fills it; reading all rows "
                    "shows the state as it is and fills nothing.",
             .windbg = "",
             .columns = walk_columns,
             .column_count = sizeof(walk_columns) / sizeof(walk_columns[0])},
    .fill = walks_fill,
    .unique = "table_name",
    .volatile_rows = true,
    .on_lookup = walks_asked_for};
