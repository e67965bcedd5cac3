#include "nt/object_header.h"

#include <stdlib.h>
#include <string.h>

#include "nt/address_map.h"
#include "nt/details_impl.h"
#include "nt/objects.h"

#define TYPES_MAX 1024u    /* by pointers, which are no bytes */
#define FIRST_INDEX 2u     /* 0 and 1 are no types */
#define HIDDEN_SINCE 10240 /* build from which on the index is not stored plainly */
#define HAS_CREATOR 1u     /* InfoMask */
#define HAS_NAME 2u

struct ds_nt_types {
    struct ds_object_types table;
    struct ds_object_type *rows; /* owned */
    size_t cap;
    uint32_t by_index[DS_OBJECT_TYPES]; /* row + 1 */
    struct ds_address_map by_address;
    struct ds_field body, index, pointer, mask, name_offset, pointers, handles;
    bool have_body, have_index, have_pointer, have_mask, have_name_offset, have_counts;
    uint32_t creator_size, name_size;
};

static void resolve(struct ds_nt_types *s, const struct ds_target *t)
{
    const char *type = "_OBJECT_HEADER";
    s->have_body = ds_target_member(t, type, "Body", &s->body, NULL) == DS_OK;
    s->have_index = ds_target_member(t, type, "TypeIndex", &s->index, NULL) == DS_OK;
    s->have_pointer =
        !s->have_index && ds_target_member(t, type, "Type", &s->pointer, NULL) == DS_OK;
    s->have_mask = ds_target_member(t, type, "InfoMask", &s->mask, NULL) == DS_OK &&
                   ds_target_size(t, "_OBJECT_HEADER_CREATOR_INFO", &s->creator_size) == DS_OK &&
                   ds_target_size(t, "_OBJECT_HEADER_NAME_INFO", &s->name_size) == DS_OK;
    s->have_name_offset =
        ds_target_member(t, type, "NameInfoOffset", &s->name_offset, NULL) == DS_OK;
    s->have_counts = ds_target_member(t, type, "PointerCount", &s->pointers, NULL) == DS_OK &&
                     ds_target_member(t, type, "HandleCount", &s->handles, NULL) == DS_OK;
}

/* ---- the types ---- */

/* The row of the type at this address, added when its name can be read; TYPES_MAX otherwise. */
static uint32_t add_type(struct ds_nt *nt, struct ds_nt_types *s, uint64_t at, const char *source)
{
    struct ds_target *t = nt->target;
    uint64_t name;
    uint32_t row = TYPES_MAX;
    if (ds_address_map_get(&s->by_address, at, &row) || !ds_target_is_kernel_va(t, at) ||
        s->table.count >= TYPES_MAX ||
        ds_target_field_va(t, at, "_OBJECT_TYPE", "Name", &name) != DS_OK) {
        return row;
    }
    const char *text = ds_nt_ustring(nt, name);
    void *array = s->rows;
    if (text == NULL ||
        !ds_array_reserve(&array, &s->cap, s->table.count + 1, sizeof(*s->rows), TYPES_MAX)) {
        return TYPES_MAX;
    }
    s->rows = array;
    row = (uint32_t)s->table.count;
    struct ds_object_type *x = &s->rows[row];
    *x = (struct ds_object_type){.address = at, .name = text, .source = source};
    x->index = s->have_index ? ds_target_field(t, at, "_OBJECT_TYPE", "Index")
                             : ds_opt_unknown(DS_NO_FIELD);
    x->objects = ds_target_field(t, at, "_OBJECT_TYPE", "TotalNumberOfObjects");
    x->handles = ds_target_field(t, at, "_OBJECT_TYPE", "TotalNumberOfHandles");
    x->most_objects = ds_target_field(t, at, "_OBJECT_TYPE", "HighWaterNumberOfObjects");
    x->most_handles = ds_target_field(t, at, "_OBJECT_TYPE", "HighWaterNumberOfHandles");
    if (!ds_address_map_put(&s->by_address, at, row)) {
        return TYPES_MAX;
    }
    if (x->index.known && x->index.value < DS_OBJECT_TYPES && s->by_index[x->index.value] == 0) {
        s->by_index[x->index.value] = row + 1;
    }
    s->table.count++;
    return row;
}

static bool types_by_table(struct ds_nt *nt, struct ds_nt_types *s)
{
    struct ds_target *t = nt->target;
    uint64_t table, at;
    if (!s->have_index || ds_target_global(t, "ObTypeIndexTable", &table) != DS_OK) {
        return false;
    }
    for (uint64_t i = FIRST_INDEX; i < DS_OBJECT_TYPES; i++) {
        struct ds_opt index;
        if (ds_space_read_ptr(t->kernel, table + i * t->pointer_size, &at, NULL) != DS_OK) {
            return false;
        }
        if (at == 0) {
            break;
        }
        index = ds_target_field(t, at, "_OBJECT_TYPE", "Index");
        if (index.known && index.value == i) {
            (void)add_type(nt, s, at, "ObTypeIndexTable");
        }
    }
    return s->table.count != 0;
}

struct search {
    struct ds_nt *nt;
    struct ds_nt_types *s;
    uint64_t found;
};

static const char *name_of(struct ds_nt *nt, struct ds_nt_types *s, uint64_t object);

static bool is_types_directory(uint64_t object, void *arg)
{
    struct search *x = arg;
    const char *name = name_of(x->nt, x->s, object);
    if (name != NULL && strcmp(name, "ObjectTypes") == 0) {
        x->found = object;
    }
    return x->found == 0;
}

static bool take_type(uint64_t object, void *arg)
{
    struct search *x = arg;
    (void)add_type(x->nt, x->s, object, "\\ObjectTypes");
    return true;
}

static struct ds_walk_end types_by_directory(struct ds_nt *nt, struct ds_nt_types *s)
{
    struct search x = {.nt = nt, .s = s};
    struct ds_opt root = ds_nt_root_directory(nt);
    if (!root.known) {
        return (struct ds_walk_end){.status = root.why};
    }
    struct ds_walk_end end = ds_object_directory_walk(nt, root.value, is_types_directory, &x);
    if (x.found != 0) {
        return ds_object_directory_walk(nt, x.found, take_type, &x);
    }
    if (end.status == DS_OK) {
        end = (struct ds_walk_end){.status = DS_NOT_FOUND, .address = root.value};
    }
    return end;
}

/* ---- the cookie ---- */

static struct ds_opt header_of(const struct ds_nt_types *s, uint64_t object)
{
    return s->have_body ? ds_opt_known(object - s->body.offset) : ds_opt_unknown(DS_NO_FIELD);
}

static unsigned address_byte(uint64_t header)
{
    return (unsigned)(header >> 8 & 0xff);
}

/* Whether an object is of the type of this name when the cookie is so; *told = it can be said. */
static bool type_is(struct ds_nt *nt, struct ds_nt_types *s, uint64_t object, unsigned cookie,
                    const char *type, bool *told)
{
    struct ds_opt header = header_of(s, object);
    struct ds_opt raw =
        header.known ? ds_target_read_member(nt->target, header.value, &s->index) : header;
    *told = raw.known;
    if (!raw.known) {
        return false;
    }
    uint32_t row = s->by_index[(raw.value ^ cookie ^ address_byte(header.value)) & 0xff];
    return row != 0 && strcmp(s->rows[row - 1].name, type) == 0;
}

/* Every type is an object too, of the type "Type". */
static bool confirmed(struct ds_nt *nt, struct ds_nt_types *s, unsigned cookie)
{
    unsigned agree = 0;
    uint64_t at, process;
    bool told;
    for (size_t i = 0; i < s->table.count; i++) {
        bool yes = type_is(nt, s, s->rows[i].address, cookie, "Type", &told);
        if (told && !yes) {
            return false;
        }
        agree += yes;
    }
    if (ds_target_global(nt->target, "PsInitialSystemProcess", &at) == DS_OK &&
        ds_space_read_ptr(nt->target->kernel, at, &process, NULL) == DS_OK && process != 0) {
        bool yes = type_is(nt, s, process, cookie, "Process", &told);
        if (told && !yes) {
            return false;
        }
        agree += yes;
    }
    return agree != 0;
}

static void solve_cookie(struct ds_nt *nt, struct ds_nt_types *s, bool contradicted)
{
    struct ds_opt root = ds_nt_root_directory(nt);
    struct ds_opt header = root.known ? header_of(s, root.value) : root;
    struct ds_opt raw =
        header.known ? ds_target_read_member(nt->target, header.value, &s->index) : header;
    s->table.cookie = ds_opt_unknown(raw.known ? DS_NOT_FOUND : raw.why);
    for (size_t i = 0; raw.known && i < s->table.count; i++) {
        if (strcmp(s->rows[i].name, "Directory") != 0 || !s->rows[i].index.known) {
            continue;
        }
        unsigned cookie =
            (unsigned)(raw.value ^ s->rows[i].index.value ^ address_byte(header.value)) & 0xff;
        if (confirmed(nt, s, cookie)) {
            s->table.cookie = ds_opt_known(cookie);
            s->table.cookie_source = contradicted ? "the root directory, which is a Directory; "
                                                    "ObHeaderCookie is another"
                                                  : "the root directory, which is a Directory";
        }
        return;
    }
}

static void find_cookie(struct ds_nt *nt, struct ds_nt_types *s)
{
    const struct ds_target *t = nt->target;
    uint64_t at, value;
    bool contradicted = false;
    s->table.cookie = ds_opt_unknown(DS_NO_FIELD);
    s->table.cookie_source = "";
    if (!s->have_index || !t->build.known || t->build.value < HIDDEN_SINCE) {
        return;
    }
    if (ds_target_global(t, "ObHeaderCookie", &at) == DS_OK &&
        ds_space_read_uint(t->kernel, at, 1, &value, NULL) == DS_OK) {
        if (confirmed(nt, s, (unsigned)value)) {
            s->table.cookie = ds_opt_known(value);
            s->table.cookie_source = "ObHeaderCookie";
            return;
        }
        contradicted = true;
    }
    solve_cookie(nt, s, contradicted);
}

static void fill(struct ds_nt *nt, struct ds_nt_types *s)
{
    const struct ds_target *t = nt->target;
    struct ds_object_types *table = &s->table;
    if (t->kernel == NULL) {
        table->walk = ds_walk_none("object_types", t->kernel_why, t->kernel_why_text);
        return;
    }
    resolve(s, t);
    if (!s->have_body || (!s->have_index && !s->have_pointer)) {
        table->walk = ds_walk_none("object_types", DS_NO_FIELD,
                                   "no layout of _OBJECT_HEADER fits this kernel");
        return;
    }
    table->walk = (struct ds_walk){.table_name = "object_types", .complete = true, .detail = ""};
    bool by_table = types_by_table(nt, s);
    struct ds_walk_end end = types_by_directory(nt, s);
    if (!by_table && end.status != DS_OK) {
        ds_walk_stop(&table->walk, end.status,
                     end.address != 0 ? ds_opt_known(end.address) : ds_opt_unknown(DS_OK),
                     "neither ObTypeIndexTable nor all of \\ObjectTypes can be read");
    }
    find_cookie(nt, s);
}

static struct ds_nt_types *types_of(struct ds_nt *nt)
{
    if (nt->types == NULL) {
        nt->types = calloc(1, sizeof(*nt->types));
        if (nt->types != NULL) {
            nt->types->table.cookie = ds_opt_unknown(DS_NO_FIELD);
            nt->types->table.cookie_source = "";
            fill(nt, nt->types);
        }
    }
    return nt->types;
}

const struct ds_object_types *ds_nt_object_types(struct ds_nt *nt)
{
    static const struct ds_object_types none = {
        .walk = {.table_name = "object_types", .stop_reason = DS_NO_MEMORY, .detail = ""},
        .cookie_source = ""};
    struct ds_nt_types *s = types_of(nt);
    if (s == NULL) {
        return &none;
    }
    s->table.rows = s->rows;
    s->table.walk.rows = s->table.count;
    return &s->table;
}

/* ---- headers ---- */

static struct ds_opt type_of(struct ds_nt *nt, struct ds_nt_types *s, uint64_t header)
{
    if (!s->have_index && !s->have_pointer) {
        return ds_opt_unknown(DS_NO_FIELD);
    }
    struct ds_opt raw =
        ds_target_read_member(nt->target, header, s->have_index ? &s->index : &s->pointer);
    if (!raw.known) {
        return raw;
    }
    if (s->have_pointer) {
        uint32_t row = add_type(nt, s, raw.value, "object header");
        return row < TYPES_MAX ? ds_opt_known(row) : ds_opt_unknown(DS_CORRUPT);
    }
    if (nt->target->build.known && nt->target->build.value >= HIDDEN_SINCE) {
        if (!s->table.cookie.known) {
            return s->table.cookie;
        }
        raw.value ^= s->table.cookie.value ^ address_byte(header);
    }
    uint32_t row = s->by_index[raw.value & 0xff];
    return row != 0                  ? ds_opt_known(row - 1)
           : !s->table.walk.complete ? ds_opt_unknown(s->table.walk.stop_reason)
                                     : ds_opt_unknown(DS_CORRUPT);
}

static struct ds_opt name_info_of(const struct ds_nt *nt, const struct ds_nt_types *s,
                                  uint64_t header)
{
    if (s->have_mask) {
        struct ds_opt mask = ds_target_read_member(nt->target, header, &s->mask);
        if (!mask.known) {
            return mask;
        }
        uint64_t creator = (mask.value & HAS_CREATOR) != 0 ? s->creator_size : 0;
        return ds_opt_known((mask.value & HAS_NAME) != 0 ? header - creator - s->name_size : 0);
    }
    if (!s->have_name_offset) {
        return ds_opt_unknown(DS_NO_FIELD);
    }
    struct ds_opt offset = ds_target_read_member(nt->target, header, &s->name_offset);
    if (!offset.known) {
        return offset;
    }
    return ds_opt_known(offset.value != 0 ? header - offset.value : 0);
}

void ds_nt_object_info(struct ds_nt *nt, uint64_t header, struct ds_object_info *ret)
{
    struct ds_nt_types *s = types_of(nt);
    struct ds_opt none = ds_opt_unknown(s == NULL ? DS_NO_MEMORY : DS_NO_FIELD);
    *ret = (struct ds_object_info){.header = header,
                                   .type = none,
                                   .pointer_count = none,
                                   .handle_count = none,
                                   .name_info = none};
    if (s == NULL || nt->target->kernel == NULL) {
        return;
    }
    ret->object = s->have_body ? header + s->body.offset : 0;
    ret->type = type_of(nt, s, header);
    ret->name_info = name_info_of(nt, s, header);
    if (s->have_counts) {
        ret->pointer_count = ds_target_read_member(nt->target, header, &s->pointers);
        ret->handle_count = ds_target_read_member(nt->target, header, &s->handles);
    }
}

struct ds_opt ds_nt_object_header(struct ds_nt *nt, uint64_t object)
{
    const struct ds_nt_types *s = types_of(nt);
    return s != NULL ? header_of(s, object) : ds_opt_unknown(DS_NO_MEMORY);
}

const char *ds_nt_object_type_name(struct ds_nt *nt, const struct ds_object_info *info)
{
    const struct ds_nt_types *s = types_of(nt);
    return s != NULL && info->type.known ? s->rows[info->type.value].name : NULL;
}

bool ds_nt_object_is(struct ds_nt *nt, const struct ds_object_info *info, const char *type)
{
    const char *name = ds_nt_object_type_name(nt, info);
    return name != NULL && strcmp(name, type) == 0;
}

static const char *text_of(struct ds_nt *nt, struct ds_opt name_info)
{
    uint64_t name;
    if (!name_info.known || name_info.value == 0 ||
        ds_target_field_va(nt->target, name_info.value, "_OBJECT_HEADER_NAME_INFO", "Name",
                           &name) != DS_OK) {
        return NULL;
    }
    return ds_nt_ustring(nt, name);
}

/* Without types: they are found by names. */
static const char *name_of(struct ds_nt *nt, struct ds_nt_types *s, uint64_t object)
{
    struct ds_opt header = header_of(s, object);
    return header.known ? text_of(nt, name_info_of(nt, s, header.value)) : NULL;
}

const char *ds_nt_object_name(struct ds_nt *nt, const struct ds_object_info *info)
{
    return text_of(nt, info->name_info);
}

void ds_nt_types_free(struct ds_nt_types *t)
{
    if (t != NULL) {
        free(t->rows);
        ds_address_map_deinit(&t->by_address);
        free(t);
    }
}
