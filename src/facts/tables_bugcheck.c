/* Tables over the bugcheck: its code and parameters, explained and resolved. */
#include <string.h>

#include "facts/cells.h"
#include "facts/resolve.h"
#include "nt/live.h"

static const struct ds_dump_header *header_of(struct ds_facts *f)
{
    return ds_dump_header(ds_nt_target(ds_facts_nt(f))->dump);
}

/* ---- bugcheck ---- */

struct bugcheck_row {
    struct ds_opt code, base_code, p[4];
    const char *name, *text, *subcode_name, *subcode_text, *source;
    struct ds_opt live;
};

static void bugcheck_describe(struct bugcheck_row *r)
{
    if (!r->code.known)
        return;
    r->base_code = ds_opt_known(ds_bugcheck_base((uint32_t)r->code.value));
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find((uint32_t)r->code.value);
    if (doc == NULL)
        return;
    r->name = doc->name;
    r->text = *doc->text ? doc->text : NULL;
    r->source = doc->source;
    const struct ds_bugcheck_subcode *s = ds_bugcheck_subcode_known(doc, r->p);
    if (s) {
        r->subcode_name = *s->name ? s->name : NULL;
        r->subcode_text = s->text;
    }
}

#define ROW struct bugcheck_row
static const struct ds_column_spec bugcheck_columns[] = {
    {"code", DS_COL_INTEGER, "bugcheck code as stored; 0 when the system did not crash",
     ".bugcheck", DS_FIELD(ROW, code)},
    {"base_code", DS_COL_INTEGER, "code without the bits that mark variants", ".bugcheck",
     DS_FIELD(ROW, base_code)},
    {"name", DS_COL_TEXT, "name of the code; NULL when not known", "!analyze -show",
     DS_FIELD(ROW, name)},
    {"p1", DS_COL_ADDRESS, "parameter 1", ".bugcheck", DS_FIELD(ROW, p[0])},
    {"p2", DS_COL_ADDRESS, "parameter 2", ".bugcheck", DS_FIELD(ROW, p[1])},
    {"p3", DS_COL_ADDRESS, "parameter 3", ".bugcheck", DS_FIELD(ROW, p[2])},
    {"p4", DS_COL_ADDRESS, "parameter 4", ".bugcheck", DS_FIELD(ROW, p[3])},
    {"meaning", DS_COL_TEXT, "what the code means; NULL when not documented here", "!analyze -show",
     DS_FIELD(ROW, text)},
    {"subcode_name", DS_COL_TEXT, "name of the sub-code that the parameters select", "",
     DS_FIELD(ROW, subcode_name)},
    {"subcode_meaning", DS_COL_TEXT, "what that sub-code means", "", DS_FIELD(ROW, subcode_text)},
    {"live", DS_COL_BOOL, "whether the system did not crash: see live_dump", "",
     DS_FIELD(ROW, live)},
    {"documentation", DS_COL_TEXT, "name of the public page", "", DS_FIELD(ROW, source)},
};
#undef ROW

static void bugcheck_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct bugcheck_row *r = ds_facts_rows_alloc(f, 1, sizeof(*r));
    if (r == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
        return;
    }
    const struct ds_dump_header *h = header_of(f);
    r->code = h->bugcheck_code;
    memcpy(r->p, h->bugcheck_parameter, sizeof(r->p));
    bugcheck_describe(r);
    const char *evidence;
    r->live = ds_live_by_header(h, &evidence);
    *ret = ds_rows_complete(r, sizeof(*r), 1);
}

DS_TABLE(bugcheck, "One row: the bugcheck code and its parameters.", ".bugcheck", bugcheck_columns,
         bugcheck_fill, NULL);

/* ---- bugcheck_parameters ---- */

struct parameter_row {
    uint32_t number;
    struct ds_opt value;
    const struct ds_param_doc *doc;
    const char *value_name; /* static; NULL when the value has none */
    const char *resolved_kind, *resolved;
};

static void param_type(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_param_doc *doc = ((const struct parameter_row *)row)->doc;
    if (doc)
        ds_value_nonempty(v, ds_param_type_name(doc->type));
}

static void param_object(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_param_doc *doc = ((const struct parameter_row *)row)->doc;
    if (doc)
        ds_value_nonempty(v, doc->object);
}

static void param_meaning(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_param_doc *doc = ((const struct parameter_row *)row)->doc;
    if (doc)
        ds_value_nonempty(v, doc->text);
}

/* Whether the value can be an address at all, by its documented type. */
static bool param_is_address(const struct parameter_row *r)
{
    if (!r->value.known || r->resolved_kind == NULL)
        return false;
    return strcmp(r->resolved_kind, "code") == 0 ||
           strcmp(r->resolved_kind, "unloaded module") == 0;
}

static void param_module(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    const struct parameter_row *r = row;
    if (param_is_address(r))
        ds_value_module(f, r->value.value, v);
}

static void param_offset(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    const struct parameter_row *r = row;
    if (param_is_address(r))
        ds_value_module_offset(f, r->value.value, v);
}

static void param_unloaded(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    const struct parameter_row *r = row;
    if (param_is_address(r))
        ds_value_unloaded(f, r->value.value, v);
}

#define ROW struct parameter_row
static const struct ds_column_spec parameter_columns[] = {
    {"number", DS_COL_INTEGER, "1 to 4", "", DS_FIELD(ROW, number)},
    {"value", DS_COL_ADDRESS, "the parameter", ".bugcheck", DS_FIELD(ROW, value)},
    {"type", DS_COL_TEXT,
     "what it is: address, code address, pointer, NTSTATUS, IRQL, access, sub-code, flags, "
     "number, string, reserved; NULL when not documented",
     "", DS_DERIVED(param_type)},
    {"object_type", DS_COL_TEXT, "structure that an object parameter points to", "",
     DS_DERIVED(param_object)},
    {"meaning", DS_COL_TEXT, "what it means; NULL when not documented here", "!analyze -show",
     DS_DERIVED(param_meaning)},
    {"value_name", DS_COL_TEXT, "what this value of it is called: read, write; NULL",
     "!analyze -show", DS_FIELD(ROW, value_name)},
    {"resolved_kind", DS_COL_TEXT,
     "what the value turned out to be: code, unloaded module, process, thread, status; NULL", "",
     DS_FIELD(ROW, resolved_kind)},
    {"resolved", DS_COL_TEXT, "module+offset, the object, or the name of the status", "ln",
     DS_FIELD(ROW, resolved)},
    {"module", DS_COL_TEXT, "module that holds the address", "lm a", DS_DERIVED(param_module)},
    {"module_offset", DS_COL_INTEGER, "bytes from that module's base", "ln",
     DS_DERIVED(param_offset)},
    {"unloaded_module", DS_COL_TEXT, "unloaded module whose range holds the address", "lm",
     DS_DERIVED(param_unloaded)},
};
#undef ROW

static void parameter_resolve(struct ds_facts *f, struct parameter_row *r)
{
    if (!r->value.known)
        return;
    struct ds_buf text;
    ds_buf_init(&text, 4096);
    struct ds_resolved res = ds_resolve_parameter(ds_facts_nt(f), r->value.value, r->doc, &text);
    if (*res.kind) {
        r->resolved_kind = res.kind;
        r->resolved = ds_arena_strdup(ds_facts_arena(f), ds_buf_text(&text), text.len);
    }
    ds_buf_deinit(&text);
}

static const char *value_name(const struct ds_bugcheck_doc *doc, unsigned param,
                              struct ds_opt value)
{
    const struct ds_param_value *v =
        doc && value.known ? ds_bugcheck_value(doc, param, value.value) : NULL;
    if (v == NULL)
        return NULL;
    return *v->name ? v->name : *v->text ? v->text : NULL;
}

static void parameters_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct parameter_row *r = ds_facts_rows_alloc(f, 4, sizeof(*r));
    if (r == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
        return;
    }
    const struct ds_dump_header *h = header_of(f);
    const struct ds_bugcheck_doc *doc =
        h->bugcheck_code.known ? ds_bugcheck_find((uint32_t)h->bugcheck_code.value) : NULL;
    bool crashed = h->bugcheck_code.known && h->bugcheck_code.value != 0;
    for (unsigned i = 0; i < 4; i++) {
        r[i].number = i + 1;
        r[i].value = h->bugcheck_parameter[i];
        r[i].doc = ds_resolve_param_doc(doc, h->bugcheck_parameter, i);
        r[i].value_name = value_name(doc, i, r[i].value);
        if (crashed)
            parameter_resolve(f, &r[i]);
    }
    *ret = ds_rows_complete(r, sizeof(*r), 4);
}

DS_TABLE(bugcheck_parameters, "The four bugcheck parameters, explained and resolved.",
         ".bugcheck, ln", parameter_columns, parameters_fill, "number");
