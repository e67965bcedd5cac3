#include "report/json_knowledge.h"

#include "nt/bugcheck.h"
#include "nt/codes.h"
#include "nt/explain.h"
#include "report/json_parts.h"

static void key_code(struct ds_json *j, const char *key, uint32_t code)
{
    ds_json_key_hex(j, key, ds_opt_known(code), 8);
}

static void key_nonempty(struct ds_json *j, const char *key, const char *text)
{
    ds_json_key_string(j, key, text != NULL && text[0] != '\0' ? text : NULL);
}

static void key_source(struct ds_json *j, const struct ds_bugcheck_doc *doc)
{
    struct ds_buf b;
    ds_buf_init(&b, 1024);
    ds_bugcheck_source_url(doc, &b);
    ds_json_key_string(j, "source", ds_buf_text(&b));
    ds_buf_deinit(&b);
}

static void key_live(struct ds_json *j, const struct ds_bugcheck_doc *doc)
{
    ds_json_key_string(j, "live_dump",
                       doc->live        ? "always"
                       : doc->also_live ? "sometimes"
                                        : "never");
}

static void type_of(struct ds_json *j, const struct ds_param_doc *p)
{
    key_nonempty(j, "type", ds_param_type_name(p->type));
    key_nonempty(j, "object", p->object);
    key_nonempty(j, "text", p->text);
}

static void parameter(struct ds_json *j, const struct ds_bugcheck_doc *doc,
                      const struct ds_bugcheck_subcode *sub, unsigned i, struct ds_opt value)
{
    struct ds_buf meaning;
    ds_buf_init(&meaning, 4096);
    ds_json_object(j);
    ds_json_key_unsigned(j, "number", i + 1);
    ds_json_key_hex(j, "value", value, 16);
    type_of(j, ds_bugcheck_param(doc, sub, i));
    bool told = value.known &&
                ds_bugcheck_value_explain(doc, sub, i, value.value, DS_ARCH_UNKNOWN, &meaning);
    ds_json_key_string(j, "meaning", told ? ds_buf_text(&meaning) : NULL);
    ds_json_key(j, "values");
    ds_json_array(j);
    for (size_t k = 0; k < doc->value_count; k++) {
        if (doc->values[k].param != i)
            continue;
        ds_json_object(j);
        ds_json_key_hex(j, "value", ds_opt_known(doc->values[k].value), 1);
        key_nonempty(j, "name", doc->values[k].name);
        key_nonempty(j, "text", doc->values[k].text);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_object_end(j);
    ds_buf_deinit(&meaning);
}

static void subcode(struct ds_json *j, const struct ds_bugcheck_subcode *s)
{
    ds_json_object(j);
    ds_json_key_hex(j, "first", ds_opt_known(s->value), 1);
    ds_json_key_hex(j, "last", ds_opt_known(s->last), 1);
    key_nonempty(j, "name", s->name);
    key_nonempty(j, "text", s->text);
    ds_json_key(j, "parameters");
    ds_json_array(j);
    for (unsigned i = 0; i < 4; i++) {
        if (s->params[i].text == NULL)
            continue;
        ds_json_object(j);
        ds_json_key_unsigned(j, "number", i + 1);
        type_of(j, &s->params[i]);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_object_end(j);
}

/* The table, the row that the parameters select, and whether they name one that is missing. */
static void subcodes(struct ds_json *j, const struct ds_bugcheck_doc *doc,
                     const struct ds_bugcheck_subcode *sub, bool given)
{
    bool table = doc->subcode_param >= 0;
    ds_json_key_opt(j, "subcode_parameter",
                    table ? ds_opt_known((uint64_t)doc->subcode_param + 1)
                          : ds_opt_unknown(DS_NOT_FOUND));
    ds_json_key(j, "subcode");
    if (sub != NULL)
        subcode(j, sub);
    else
        ds_json_null(j);
    ds_json_key_bool(j, "subcode_missing", table && given && sub == NULL);
    ds_json_key(j, "subcodes");
    ds_json_array(j);
    for (size_t i = 0; i < doc->subcode_count; i++)
        subcode(j, &doc->subcodes[i]);
    ds_json_array_end(j);
}

void ds_json_bugcheck(struct ds_json *j, uint32_t code, const uint64_t params[4], unsigned known)
{
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find(code);
    ds_json_object(j);
    ds_json_part_head(j);
    key_code(j, "code", code);
    ds_json_key_string(j, "edition", ds_bugcheck_edition());
    ds_json_key_bool(j, "listed", doc != NULL);
    if (doc != NULL) {
        bool given = doc->subcode_param >= 0 && (known >> doc->subcode_param & 1u) != 0;
        const struct ds_bugcheck_subcode *sub = given ? ds_bugcheck_subcode(doc, params) : NULL;
        ds_json_key_string(j, "name", doc->name);
        ds_json_key_hex(j, "variant_of",
                        doc->code != code ? ds_opt_known(doc->code) : ds_opt_unknown(DS_NOT_FOUND),
                        8);
        key_nonempty(j, "text", doc->text);
        key_live(j, doc);
        key_source(j, doc);
        ds_json_key(j, "parameters");
        ds_json_array(j);
        for (unsigned i = 0; i < 4; i++)
            parameter(j, doc, sub, i,
                      (known >> i & 1u) != 0 ? ds_opt_known(params[i])
                                             : ds_opt_unknown(DS_NOT_FOUND));
        ds_json_array_end(j);
        subcodes(j, doc, sub, given);
    }
    ds_json_object_end(j);
}

void ds_json_bugcheck_list(struct ds_json *j)
{
    ds_json_object(j);
    ds_json_part_head(j);
    ds_json_key_string(j, "edition", ds_bugcheck_edition());
    ds_json_key(j, "bugchecks");
    ds_json_array(j);
    for (size_t i = 0; i < ds_bugcheck_count(); i++) {
        const struct ds_bugcheck_doc *doc = ds_bugcheck_at(i);
        ds_json_object(j);
        key_code(j, "code", doc->code);
        ds_json_key_string(j, "name", doc->name);
        key_live(j, doc);
        ds_json_key_unsigned(j, "subcodes", doc->subcode_count);
        key_source(j, doc);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_object_end(j);
}

void ds_json_error_code(struct ds_json *j, const char *asked, const struct ds_code_reading *r,
                        size_t count)
{
    ds_json_object(j);
    ds_json_part_head(j);
    ds_json_key_string(j, "asked", asked);
    ds_json_key(j, "readings");
    ds_json_array(j);
    for (size_t i = 0; i < count; i++) {
        struct ds_code_meaning found[DS_CODE_MEANINGS];
        unsigned n = ds_code_meanings(r[i].value, found);
        ds_json_object(j);
        ds_json_key_string(j, "read_as", r[i].how);
        key_code(j, "value", r[i].value);
        ds_json_key(j, "meanings");
        ds_json_array(j);
        for (unsigned k = 0; k < n; k++) {
            ds_json_object(j);
            ds_json_key_string(j, "space", found[k].space);
            key_code(j, "value", found[k].value);
            ds_json_key_bool(j, "wrapped", found[k].wrapped);
            key_nonempty(j, "name", found[k].code != NULL ? found[k].code->name : NULL);
            key_nonempty(j, "text", found[k].code != NULL ? found[k].code->text : NULL);
            ds_json_object_end(j);
        }
        ds_json_array_end(j);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_object_end(j);
}
