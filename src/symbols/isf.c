#include "symbols/isf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "symbols/isf_input.h"

/* One reading. A step returns false when it cannot go on; `status` or the parser says why. */
struct reader {
    struct ds_json json;
    struct ds_isf *isf;
    struct ds_buf name; /* of the symbol, type or field that is being read */
    const char *wanted_id;
    bool want_types, identify_only;
    enum ds_status status; /* DS_OK: the parser failed */
    struct ds_err *err;
};

static bool refuse(struct reader *r, enum ds_status status, const char *why)
{
    r->status = ds_err_set(r->err, status, "%s", why);
    return false;
}

static bool begin_object(struct reader *r)
{
    enum ds_json_event e = ds_json_next(&r->json);
    if (e == DS_JSON_OBJECT)
        return true;
    return e == DS_JSON_ERROR
               ? false
               : refuse(r, DS_CORRUPT, "not a symbol table: an object is missing in it");
}

/* True: a key is there. False: the object ended, or an error (json.err.status is set). */
static bool next_key(struct reader *r)
{
    return ds_json_next(&r->json) == DS_JSON_KEY;
}

static bool went_well(const struct reader *r)
{
    return r->status == DS_OK && r->json.err.status == DS_OK;
}

static bool keep_name(struct reader *r)
{
    r->name.len = 0;
    ds_buf_add(&r->name, r->json.text, r->json.text_len);
    ds_buf_char(&r->name, '\0');
    r->name.len--;
    return ds_buf_ok(&r->name) || refuse(r, DS_NO_MEMORY, "no memory for a symbol table");
}

/* A number of at most `max`; anything else counts as unknown and leaves *ret alone. */
static bool read_number(struct reader *r, uint64_t max, uint64_t *ret)
{
    uint64_t v;
    enum ds_json_event e = ds_json_next(&r->json);
    if (e == DS_JSON_NUMBER && ds_json_u64(&r->json, &v) && v <= max) {
        *ret = v;
        return true;
    }
    if (e == DS_JSON_ERROR)
        return false;
    return refuse(r, DS_CORRUPT, "not a symbol table: a number in it is missing or too large");
}

/* metadata.windows.pdb */
static bool read_pdb(struct reader *r)
{
    char guid[40] = "";
    uint64_t age = 0, machine = 0;
    if (!begin_object(r))
        return false;
    while (next_key(r)) {
        if (ds_json_is(&r->json, "age")) {
            if (!read_number(r, UINT32_MAX, &age))
                return false;
        } else if (ds_json_is(&r->json, "machine_type")) {
            if (!read_number(r, 0xffff, &machine))
                return false;
        } else if (ds_json_is(&r->json, "GUID")) {
            if (ds_json_next(&r->json) == DS_JSON_STRING && r->json.text_len == 32)
                (void)snprintf(guid, sizeof guid, "%s", r->json.text);
        } else if (ds_json_is(&r->json, "database")) {
            if (ds_json_next(&r->json) == DS_JSON_STRING &&
                r->json.text_len < sizeof r->isf->pdb_name)
                (void)snprintf(r->isf->pdb_name, sizeof r->isf->pdb_name, "%s", r->json.text);
        } else if (!ds_json_skip(&r->json)) {
            return false;
        }
    }
    if (machine != 0)
        r->isf->is64 = ds_arch_pointer_size(ds_arch_from_machine((uint32_t)machine)) != 4;
    if (strspn(guid, "0123456789abcdefABCDEF") == 32)
        (void)snprintf(r->isf->pdb_id, sizeof r->isf->pdb_id, "%s-%lX", guid, (unsigned long)age);
    for (char *c = r->isf->pdb_id; *c != '\0'; c++)
        *c = *c >= 'a' && *c <= 'f' ? (char)(*c - 'a' + 'A') : *c;
    return went_well(r);
}

/* Enters the object under `key` of the object that begins now, with `read`; skips the others. */
static bool read_inside(struct reader *r, const char *key, bool (*read)(struct reader *r))
{
    if (!begin_object(r))
        return false;
    while (next_key(r)) {
        if (!(ds_json_is(&r->json, key) ? read(r) : ds_json_skip(&r->json)))
            return false;
    }
    return went_well(r);
}

static bool read_windows(struct reader *r)
{
    return read_inside(r, "pdb", read_pdb);
}

static bool check_id(struct reader *r)
{
    const char *has = r->isf->pdb_id;
    if (r->wanted_id[0] == '\0' || ds_text_casecmp(has, r->wanted_id) == 0)
        return true;
    r->status = ds_err_set(r->err, DS_INVALID, "the symbol table is for %s, the image wants %s",
                           has[0] != '\0' ? has : "an untold PDB", r->wanted_id);
    return false;
}

static bool read_metadata(struct reader *r)
{
    return read_inside(r, "windows", read_windows) && (r->identify_only || check_id(r));
}

/* {"address": RVA, "linkage_name": "..."} */
static bool read_symbol(struct reader *r)
{
    uint64_t address = UINT64_MAX;
    struct ds_symtab *t = &r->isf->symbols;
    enum ds_symtab_kind kind = DS_SYMTAB_PLAIN;
    char linkage[512] = "";
    if (!keep_name(r) || !begin_object(r))
        return false;
    while (next_key(r)) {
        if (ds_json_is(&r->json, "address")) {
            if (ds_json_next(&r->json) != DS_JSON_NUMBER || !ds_json_u64(&r->json, &address))
                address = UINT64_MAX;
        } else if (ds_json_is(&r->json, "linkage_name")) {
            if (ds_json_next(&r->json) == DS_JSON_STRING && r->json.text_len < sizeof linkage)
                (void)snprintf(linkage, sizeof linkage, "%s", r->json.text);
        } else if (!ds_json_skip(&r->json)) {
            return false;
        }
    }
    if (!went_well(r))
        return false;
    if (address > UINT32_MAX) /* an absolute constant, not a place in the image */
        return true;
    /* "_Name" beside "Name": the maker took off the underscore that x86 alone adds. */
    if (linkage[0] == '_' && strcmp(linkage + 1, ds_buf_text(&r->name)) == 0)
        kind = DS_SYMTAB_STRIPPED;
    if (!ds_symtab_add(t, (uint32_t)address, ds_buf_text(&r->name), r->name.len, kind) ||
        (kind == DS_SYMTAB_STRIPPED &&
         !ds_symtab_add(t, (uint32_t)address, linkage, strlen(linkage), DS_SYMTAB_LINKAGE)))
        return refuse(r, DS_LIMIT, "the symbol table holds too many symbols");
    return went_well(r);
}

static bool read_each(struct reader *r, bool (*read)(struct reader *r))
{
    if (!begin_object(r))
        return false;
    while (next_key(r)) {
        if (!read(r))
            return false;
    }
    return went_well(r);
}

/* What a type object says; an array or bit field takes the rest from the type inside it. */
struct type_ref {
    struct ds_isf_field field;
    bool is_array, is_bits;
    uint64_t count, bit_pos, bit_len;
};

static enum ds_isf_kind kind_of(const char *kind)
{
    static const struct {
        const char *name;
        enum ds_isf_kind kind;
    } kinds[] = {
        {"base", DS_ISF_BASE},         {"enum", DS_ISF_ENUM},    {"struct", DS_ISF_STRUCT},
        {"union", DS_ISF_STRUCT},      {"class", DS_ISF_STRUCT}, {"pointer", DS_ISF_POINTER},
        {"function", DS_ISF_FUNCTION},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, kind) == 0)
            return kinds[i].kind;
    }
    return DS_ISF_NONE;
}

static bool read_type(struct reader *r, struct ds_isf_field *f);

/* One member of a type object; the key has just been read. */
static bool read_type_key(struct reader *r, struct type_ref *t, struct ds_isf_field *inner)
{
    struct ds_json *j = &r->json;
    if (ds_json_is(j, "kind")) {
        if (ds_json_next(j) != DS_JSON_STRING)
            return refuse(r, DS_CORRUPT, "not a symbol table: a type without a kind");
        t->is_array = ds_json_is(j, "array");
        t->is_bits = ds_json_is(j, "bitfield");
        t->field.kind = (uint8_t)kind_of(j->text);
        return true;
    }
    if (ds_json_is(j, "name")) {
        if (ds_json_next(j) != DS_JSON_STRING)
            return refuse(r, DS_CORRUPT, "not a symbol table: a type without a name");
        t->field.type_name = ds_isf_types_string(r->isf->types, j->text, j->text_len);
        return t->field.type_name != UINT32_MAX ||
               refuse(r, DS_LIMIT, "the names of the symbol table's types are too long");
    }
    if (ds_json_is(j, "subtype") || ds_json_is(j, "type"))
        return read_type(r, inner);
    if (ds_json_is(j, "count"))
        return read_number(r, UINT32_MAX, &t->count);
    if (ds_json_is(j, "bit_position"))
        return read_number(r, 63, &t->bit_pos);
    if (ds_json_is(j, "bit_length"))
        return read_number(r, 64, &t->bit_len);
    return ds_json_skip(j);
}

/* Recursion is bounded by the parser's depth. */
static bool read_type(struct reader *r, struct ds_isf_field *f)
{
    struct type_ref t = {.count = 1};
    struct ds_isf_field inner = {.count = 1};
    if (!begin_object(r))
        return false;
    while (next_key(r)) {
        if (!read_type_key(r, &t, &inner))
            return false;
    }
    if (t.is_array) {
        uint64_t count;
        if (__builtin_mul_overflow(t.count, (uint64_t)inner.count, &count) || count > UINT32_MAX)
            count = 0;
        inner.count = (uint32_t)count;
        inner.is_array = true;
        *f = inner;
    } else if (t.is_bits) {
        inner.bit_pos = (uint8_t)t.bit_pos;
        inner.bit_len = (uint8_t)t.bit_len;
        *f = inner;
    } else {
        *f = t.field;
        f->count = 1;
        if (f->kind == DS_ISF_POINTER) {
            f->pointee = inner.kind;
            f->type_name = inner.type_name;
        }
    }
    return went_well(r);
}

/* A field's {"offset": N, "type": {...}}. */
static bool read_field(struct reader *r)
{
    struct ds_isf_field f = {.count = 1};
    uint64_t offset = UINT64_MAX;
    uint32_t name = ds_isf_types_string(r->isf->types, r->json.text, r->json.text_len);
    if (name == UINT32_MAX)
        return refuse(r, DS_LIMIT, "the names of the symbol table's fields are too long");
    if (!begin_object(r))
        return false;
    while (next_key(r)) {
        bool ok = ds_json_is(&r->json, "offset") ? read_number(r, UINT32_MAX, &offset)
                  : ds_json_is(&r->json, "type") ? read_type(r, &f)
                                                 : ds_json_skip(&r->json);
        if (!ok)
            return false;
    }
    if (!went_well(r))
        return false;
    if (offset == UINT64_MAX)
        return refuse(r, DS_CORRUPT, "not a symbol table: a field has no offset");
    f.name = name;
    f.offset = (uint32_t)offset;
    return ds_isf_types_add_field(r->isf->types, &f) ||
           refuse(r, DS_LIMIT, "the symbol table holds too many fields");
}

/* A base type, enum or struct; the key with its name has just been read. */
static bool read_definition(struct reader *r, enum ds_isf_kind kind)
{
    struct ds_isf_types *t = r->isf->types;
    struct ds_isf_type type = {.kind = (uint8_t)kind, .is_signed = kind == DS_ISF_ENUM};
    uint64_t size = 0;
    bool is_pointer = kind == DS_ISF_BASE && ds_json_is(&r->json, "pointer");
    type.name = ds_isf_types_string(t, r->json.text, r->json.text_len);
    if (type.name == UINT32_MAX || !ds_isf_types_add(t, &type))
        return refuse(r, DS_LIMIT, "the symbol table holds too many types");
    size_t self = t->count - 1;
    if (!begin_object(r))
        return false;
    while (next_key(r)) {
        bool ok;
        if (ds_json_is(&r->json, "size")) {
            ok = read_number(r, UINT32_MAX, &size);
        } else if (kind == DS_ISF_BASE && ds_json_is(&r->json, "signed")) {
            enum ds_json_event e = ds_json_next(&r->json);
            t->types[self].is_signed = e == DS_JSON_TRUE;
            ok = e != DS_JSON_ERROR;
        } else if (kind == DS_ISF_STRUCT && ds_json_is(&r->json, "fields")) {
            ok = read_each(r, read_field);
        } else {
            ok = ds_json_skip(&r->json);
        }
        if (!ok)
            return false;
    }
    t->types[self].size = (uint32_t)size;
    if (is_pointer && (size == 4 || size == 8))
        t->pointer_size = (unsigned)size;
    return went_well(r);
}

static bool read_base_type(struct reader *r)
{
    return read_definition(r, DS_ISF_BASE);
}

static bool read_enum(struct reader *r)
{
    return read_definition(r, DS_ISF_ENUM);
}

static bool read_struct(struct reader *r)
{
    return read_definition(r, DS_ISF_STRUCT);
}

static bool read_section(struct reader *r)
{
    static const struct {
        const char *name;
        bool (*read)(struct reader *r);
    } types[] = {{"base_types", read_base_type}, {"enums", read_enum}, {"user_types", read_struct}};
    if (ds_json_is(&r->json, "metadata"))
        return read_metadata(r);
    if (r->identify_only)
        return ds_json_skip(&r->json);
    if (ds_json_is(&r->json, "symbols"))
        return read_each(r, read_symbol);
    for (size_t i = 0; r->want_types && i < sizeof types / sizeof types[0]; i++) {
        if (ds_json_is(&r->json, types[i].name))
            return read_each(r, types[i].read);
    }
    return ds_json_skip(&r->json);
}

static bool read_file(struct reader *r)
{
    if (!begin_object(r))
        return false;
    while (next_key(r)) {
        bool is_metadata = ds_json_is(&r->json, "metadata");
        if (!read_section(r))
            return false;
        if (is_metadata && r->identify_only)
            return true;
    }
    if (!went_well(r) || ds_json_next(&r->json) != DS_JSON_END)
        return false;
    /* A file without metadata was never compared. */
    return r->identify_only || check_id(r);
}

static bool finish(struct reader *r)
{
    struct ds_isf *isf = r->isf;
    /* The format asks for base types even of a table of names: no layout is in those. */
    if (isf->types != NULL && isf->types->field_count == 0) {
        ds_isf_types_free(isf->types);
        isf->types = NULL;
    }
    if (isf->types != NULL && isf->types->pointer_size == 0)
        isf->types->pointer_size = isf->is64 ? 8 : 4;
    return (ds_symtab_finish(&isf->symbols, isf->is64) &&
            (isf->types == NULL || ds_isf_types_finish(isf->types))) ||
           refuse(r, DS_NO_MEMORY, "no memory for a symbol table");
}

static enum ds_status run(struct reader *r, struct ds_isf_input *in)
{
    bool ok;
    *r->isf = (struct ds_isf){.is64 = true};
    if (r->want_types) {
        r->isf->types = calloc(1, sizeof *r->isf->types);
        if (r->isf->types == NULL)
            return ds_err_set(r->err, DS_NO_MEMORY, "no memory for a symbol table");
    }
    if (ds_json_open(&r->json, ds_isf_input_read, in) != DS_OK)
        return ds_err_set(r->err, DS_NO_MEMORY, "no memory for a symbol table");
    ds_buf_init(&r->name, DS_LIMIT_JSON_TOKEN + 16);
    ok = read_file(r) && finish(r);
    if (!ok && r->status == DS_OK)
        r->status =
            ds_err_set(r->err, r->json.err.status == DS_OK ? DS_CORRUPT : r->json.err.status, "%s",
                       r->json.err.text);
    ds_buf_deinit(&r->name);
    ds_json_close(&r->json);
    if (!ok)
        ds_isf_deinit(r->isf);
    return ok ? DS_OK : r->status;
}

enum ds_status ds_isf_identify(const char *path, struct ds_isf *ret, struct ds_err *err)
{
    struct reader r = {.isf = ret, .wanted_id = "", .identify_only = true, .err = err};
    struct ds_isf_input *in = NULL;
    enum ds_status status = ds_isf_input_open(path, &in, err);
    if (status == DS_OK) {
        status = run(&r, in);
        if (status != DS_OK)
            ds_err_prepend(err, "%s", path);
    }
    ds_isf_input_close(in);
    return status;
}

enum ds_status ds_isf_load(const char *path, const char *wanted_id, bool want_types,
                           struct ds_isf *ret, struct ds_err *err)
{
    struct reader r = {.isf = ret, .wanted_id = wanted_id, .want_types = want_types, .err = err};
    struct ds_isf_input *in = NULL;
    enum ds_status status = ds_isf_input_open(path, &in, err);
    if (status == DS_OK) {
        status = run(&r, in);
        if (status != DS_OK)
            ds_err_prepend(err, "%s", path);
    }
    ds_isf_input_close(in);
    return status;
}

enum ds_status ds_isf_load_bytes(const void *data, size_t size, const char *wanted_id,
                                 bool want_types, struct ds_isf *ret, struct ds_err *err)
{
    struct reader r = {.isf = ret, .wanted_id = wanted_id, .want_types = want_types, .err = err};
    struct ds_isf_input *in = NULL;
    enum ds_status status = ds_isf_input_open_bytes(data, size, &in, err);
    if (status == DS_OK)
        status = run(&r, in);
    ds_isf_input_close(in);
    return status;
}

void ds_isf_deinit(struct ds_isf *isf)
{
    ds_symtab_deinit(&isf->symbols);
    ds_isf_types_free(isf->types);
    isf->types = NULL;
}
