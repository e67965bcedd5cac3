/* All members of a structure, and all structures of a layout, with the types of the members. */
#ifndef DS_SYMBOLS_LAYOUT_WALK_H
#define DS_SYMBOLS_LAYOUT_WALK_H

#include "symbols/layout.h"

enum ds_member_kind {
    DS_MEMBER_UNKNOWN, /* its type is not known, or is nothing that has a value */
    DS_MEMBER_INTEGER,
    DS_MEMBER_FLOAT,
    DS_MEMBER_POINTER,
    DS_MEMBER_ENUM,
    DS_MEMBER_STRUCT
};

#define DS_MEMBER_TYPE_SIZE 128

struct ds_member {
    const char *name;         /* as long as the layout; inner structures without a name: "u.Long" */
    struct ds_field field;    /* of the whole member */
    enum ds_member_kind kind; /* of one element */
    uint32_t count;           /* elements of an array of all dimensions; 1 for others */
    bool is_array;
    uint32_t element;               /* bytes of one; 0 = not known */
    char base[DS_MEMBER_TYPE_SIZE]; /* the struct or enum, or what a pointer leads to; "" */
    char type[DS_MEMBER_TYPE_SIZE]; /* in WinDbg's words: "[3] UChar", "Ptr64 _KTHREAD" */
};

/* Receives one; false stops. */
typedef bool ds_member_fn(const struct ds_member *m, void *arg);
typedef bool ds_type_fn(const char *name, uint32_t size, void *arg);

/* The members in order of their names. Errors: DS_NO_FIELD when the layout lacks the struct. */
enum ds_status ds_layout_members(const struct ds_layout *l, const char *type, ds_member_fn *each,
                                 void *arg) DS_MUST_CHECK;

/* The structures in order of their names; size 0: not known. */
void ds_layout_types(const struct ds_layout *l, ds_type_fn *each, void *arg);

/* Sets `type`, from the kind, base, element and bits of the member. Private to the layouts. */
void ds_member_words(struct ds_member *m, unsigned pointer_size);

#endif
