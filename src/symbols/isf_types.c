#include "symbols/isf_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "symbols/sort.h"

void ds_isf_types_free(struct ds_isf_types *t)
{
    if (t == NULL)
        return;
    free(t->types);
    free(t->fields);
    free(t->strings);
    free(t);
}

uint32_t ds_isf_types_string(struct ds_isf_types *t, const char *s, size_t len)
{
    size_t at = t->strings_len;
    if (len >= DS_LIMIT_SYMBOL_TEXT - at ||
        !ds_array_reserve((void **)&t->strings, &t->strings_cap, at + len + 1, 1,
                          DS_LIMIT_SYMBOL_TEXT))
        return UINT32_MAX;
    memcpy(t->strings + at, s, len);
    t->strings[at + len] = '\0';
    t->strings_len = at + len + 1;
    return (uint32_t)at;
}

bool ds_isf_types_add(struct ds_isf_types *t, const struct ds_isf_type *type)
{
    if (!ds_array_reserve((void **)&t->types, &t->cap, t->count + 1, sizeof *t->types,
                          DS_LIMIT_TYPES))
        return false;
    t->types[t->count] = *type;
    t->types[t->count].first = (uint32_t)t->field_count;
    t->types[t->count].count = 0;
    t->types[t->count].unordered = false;
    t->count++;
    return true;
}

bool ds_isf_types_add_field(struct ds_isf_types *t, const struct ds_isf_field *field)
{
    struct ds_isf_type *type = &t->types[t->count - 1];
    if (!ds_array_reserve((void **)&t->fields, &t->field_cap, t->field_count + 1, sizeof *t->fields,
                          DS_LIMIT_TYPE_FIELDS))
        return false;
    if (type->count > 0 &&
        strcmp(t->strings + t->fields[t->field_count - 1].name, t->strings + field->name) >= 0)
        type->unordered = true;
    t->fields[t->field_count++] = *field;
    type->count++;
    return true;
}

static int compare_fields(const void *arg, uint32_t a, uint32_t b)
{
    const struct ds_isf_types *t = arg;
    return strcmp(t->strings + t->fields[a].name, t->strings + t->fields[b].name);
}

static int compare_types(const void *arg, uint32_t a, uint32_t b)
{
    const struct ds_isf_types *t = arg;
    if (t->types[a].kind != t->types[b].kind)
        return t->types[a].kind < t->types[b].kind ? -1 : 1;
    return strcmp(t->strings + t->types[a].name, t->strings + t->types[b].name);
}

/* Puts array[first .. first + count) of `size` byte elements in order. */
static bool sort_elements(const struct ds_isf_types *t, void *array, uint32_t first, size_t count,
                          size_t size, ds_sort_compare compare)
{
    DS_AUTO_FREE uint32_t *order = ds_alloc_array(count, sizeof *order);
    DS_AUTO_FREE char *copy = ds_alloc_array(count, size);
    char *start = (char *)array + (size_t)first * size;
    if (count < 2)
        return true;
    if (order == NULL || copy == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        order[i] = first + (uint32_t)i;
    if (!ds_sort_indices(order, count, compare, t))
        return false;
    memcpy(copy, start, count * size);
    for (size_t i = 0; i < count; i++)
        memcpy(start + i * size, copy + (size_t)(order[i] - first) * size, size);
    return true;
}

bool ds_isf_types_finish(struct ds_isf_types *t)
{
    bool unordered = false;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct ds_isf_type *type = &t->types[i];
        if (type->unordered && !sort_elements(t, t->fields, type->first, type->count,
                                              sizeof *t->fields, compare_fields))
            return false;
        unordered = unordered || (i > 0 && compare_types(t, i - 1, i) >= 0);
    }
    return !unordered || sort_elements(t, t->types, 0, t->count, sizeof *t->types, compare_types);
}

static const struct ds_isf_type *find_type(const struct ds_isf_types *t, enum ds_isf_kind kind,
                                           struct ds_slice name)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct ds_isf_type *type = &t->types[mid];
        int order = (int)kind - (int)type->kind;
        if (order == 0)
            order = ds_slice_cmp(name, t->strings + type->name);
        if (order == 0)
            return type;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static bool isf_size(const struct ds_layout *l, struct ds_slice type, uint32_t *ret)
{
    const struct ds_isf_type *found = find_type(l->data, DS_ISF_STRUCT, type);
    if (found == NULL)
        return false;
    *ret = found->size;
    return true;
}

static const struct ds_isf_field *find_field(const struct ds_isf_types *t,
                                             const struct ds_isf_type *type, struct ds_slice name)
{
    size_t low = type->first, high = (size_t)type->first + type->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = ds_slice_cmp(name, t->strings + t->fields[mid].name);
        if (order == 0)
            return &t->fields[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static uint64_t element_size(const struct ds_isf_types *t, const struct ds_isf_field *f,
                             bool *is_signed)
{
    const char *name = t->strings + f->type_name;
    const struct ds_isf_type *type;
    *is_signed = false;
    if (f->kind == DS_ISF_POINTER)
        return t->pointer_size;
    if (f->kind == DS_ISF_NONE || f->kind == DS_ISF_FUNCTION)
        return 0;
    type = find_type(t, (enum ds_isf_kind)f->kind, (struct ds_slice){name, strlen(name)});
    if (type == NULL)
        return 0;
    *is_signed = type->is_signed;
    return type->size;
}

static bool isf_member(const struct ds_layout *l, struct ds_slice type, struct ds_slice name,
                       struct ds_layout_member *ret)
{
    const struct ds_isf_types *t = l->data;
    const struct ds_isf_type *found = find_type(t, DS_ISF_STRUCT, type);
    const struct ds_isf_field *f = found == NULL ? NULL : find_field(t, found, name);
    if (f == NULL)
        return false;
    uint64_t bytes = element_size(t, f, &ret->field.is_signed) * f->count;
    ret->field.offset = f->offset;
    ret->field.size = bytes > UINT32_MAX ? 0 : (uint32_t)bytes;
    ret->field.bit_pos = f->bit_pos;
    ret->field.bit_len = f->bit_len;
    ret->field.unverified = false;
    ret->type = (struct ds_slice){NULL, 0};
    if (f->kind == DS_ISF_STRUCT && !f->is_array)
        ret->type = (struct ds_slice){t->strings + f->type_name, strlen(t->strings + f->type_name)};
    return true;
}

static enum ds_member_kind member_kind(const struct ds_isf_types *t, const struct ds_isf_field *f)
{
    const char *name = t->strings + f->type_name;
    switch ((enum ds_isf_kind)f->kind) {
    case DS_ISF_POINTER:
        return DS_MEMBER_POINTER;
    case DS_ISF_ENUM:
        return DS_MEMBER_ENUM;
    case DS_ISF_STRUCT:
        return DS_MEMBER_STRUCT;
    case DS_ISF_BASE:
        if (strcmp(name, "void") == 0)
            return DS_MEMBER_UNKNOWN;
        return strcmp(name, "float") == 0 || strcmp(name, "double") == 0 ? DS_MEMBER_FLOAT
                                                                         : DS_MEMBER_INTEGER;
    case DS_ISF_NONE:
    case DS_ISF_FUNCTION:
        break;
    }
    return DS_MEMBER_UNKNOWN;
}

static void base_of(const struct ds_isf_types *t, const struct ds_isf_field *f, char *base,
                    size_t size)
{
    bool pointer = f->kind == DS_ISF_POINTER;
    uint8_t kind = pointer ? f->pointee : f->kind;
    const char *name =
        kind == DS_ISF_POINTER    ? "Ptr"
        : kind == DS_ISF_FUNCTION ? "Function"
        : kind == DS_ISF_STRUCT || kind == DS_ISF_ENUM || (pointer && kind == DS_ISF_BASE)
            ? t->strings + f->type_name
            : "";
    (void)snprintf(base, size, "%.100s", strcmp(name, "void") != 0 ? name : "");
}

static bool isf_members(const struct ds_layout *l, struct ds_slice type, ds_member_fn *each,
                        void *arg)
{
    const struct ds_isf_types *t = l->data;
    const struct ds_isf_type *found = find_type(t, DS_ISF_STRUCT, type);
    if (found == NULL)
        return false;
    for (uint32_t i = found->first; i < found->first + found->count; i++) {
        const struct ds_isf_field *f = &t->fields[i];
        struct ds_member m = {.name = t->strings + f->name,
                              .kind = member_kind(t, f),
                              .count = f->count,
                              .is_array = f->is_array};
        uint64_t element = element_size(t, f, &m.field.is_signed), bytes = element * f->count;
        m.element = (uint32_t)element;
        m.field.offset = f->offset;
        m.field.size = bytes > UINT32_MAX ? 0 : (uint32_t)bytes;
        m.field.bit_pos = f->bit_pos;
        m.field.bit_len = f->bit_len;
        base_of(t, f, m.base, sizeof(m.base));
        ds_member_words(&m, t->pointer_size);
        if (!each(&m, arg))
            break;
    }
    return true;
}

static void isf_all_types(const struct ds_layout *l, ds_type_fn *each, void *arg)
{
    const struct ds_isf_types *t = l->data;
    for (size_t i = 0; i < t->count; i++)
        if (t->types[i].kind == DS_ISF_STRUCT &&
            !each(t->strings + t->types[i].name, t->types[i].size, arg))
            return;
}

static void isf_close(struct ds_layout *l)
{
    ds_isf_types_free(l->data);
}

static const struct ds_layout_ops isf_ops = {.member = isf_member,
                                             .size = isf_size,
                                             .members = isf_members,
                                             .types = isf_all_types,
                                             .close = isf_close};

struct ds_layout *ds_isf_types_layout(struct ds_isf_types *t, enum ds_trust trust,
                                      const char *source)
{
    struct ds_layout *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->ops = &isf_ops;
    l->trust = trust;
    l->pointer_size = t->pointer_size;
    l->data = t;
    (void)snprintf(l->source, sizeof l->source, "%s", source);
    return l;
}
