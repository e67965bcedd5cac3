/* The structs of a symbol table, as a layout. Private to this room. */
#ifndef DS_SYMBOLS_ISF_TYPES_H
#define DS_SYMBOLS_ISF_TYPES_H

#include "symbols/layout_impl.h"

/* Kinds of types; order is part of the sorting. FUNCTION and NONE have no size. */
enum ds_isf_kind {
    DS_ISF_NONE,
    DS_ISF_BASE,
    DS_ISF_ENUM,
    DS_ISF_STRUCT, /* and unions, classes */
    DS_ISF_POINTER,
    DS_ISF_FUNCTION
};

/* One member. Strings are offsets into strings. */
struct ds_isf_field {
    uint32_t name;
    uint32_t offset;
    uint32_t type_name; /* of a base type, enum or struct, also one that a pointer leads to */
    uint32_t count;     /* elements of an array (of all dimensions); 1 otherwise */
    uint8_t kind;       /* enum ds_isf_kind of the element */
    uint8_t pointee;    /* the same of what a pointer leads to */
    uint8_t bit_pos, bit_len;
    bool is_array;
};

struct ds_isf_type {
    uint32_t name;
    uint32_t size;
    uint32_t first, count; /* fields */
    uint8_t kind;          /* DS_ISF_BASE, _ENUM or _STRUCT */
    bool is_signed;
    bool unordered; /* fields are not in order of name */
};

struct ds_isf_types {
    struct ds_isf_type *types;
    size_t count, cap;
    struct ds_isf_field *fields;
    size_t field_count, field_cap;
    char *strings;
    size_t strings_len, strings_cap;
    unsigned pointer_size;
};

void ds_isf_types_free(struct ds_isf_types *t);

/* Copies a name; UINT32_MAX when there is no room or memory. */
uint32_t ds_isf_types_string(struct ds_isf_types *t, const char *s, size_t len);
/* Appends a type without fields; false when there is no room. */
bool ds_isf_types_add(struct ds_isf_types *t, const struct ds_isf_type *type);
/* Appends a field to the type that was added last. */
bool ds_isf_types_add_field(struct ds_isf_types *t, const struct ds_isf_field *field);
/* Sorts, after everything was added. False: no memory. */
bool ds_isf_types_finish(struct ds_isf_types *t);

/* A layout that owns `t`. NULL: no memory (t is not freed). */
struct ds_layout *ds_isf_types_layout(struct ds_isf_types *t, enum ds_trust trust,
                                      const char *source);

#endif
