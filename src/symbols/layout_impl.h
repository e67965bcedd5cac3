/* What a layout is inside: a source of structs behind three functions. Private to this room. */
#ifndef DS_SYMBOLS_LAYOUT_IMPL_H
#define DS_SYMBOLS_LAYOUT_IMPL_H

#include "symbols/layout_walk.h"

/* A piece of a string, not terminated. */
struct ds_slice {
    const char *s;
    size_t len;
};

struct ds_layout_member {
    struct ds_field field;
    struct ds_slice type; /* name of the struct, when the member is one embedded struct; else 0 */
};

struct ds_layout_ops {
    bool (*member)(const struct ds_layout *l, struct ds_slice type, struct ds_slice name,
                   struct ds_layout_member *ret);
    bool (*size)(const struct ds_layout *l, struct ds_slice type, uint32_t *ret);
    /* False when there is no such struct. */
    bool (*members)(const struct ds_layout *l, struct ds_slice type, ds_member_fn *each, void *arg);
    void (*types)(const struct ds_layout *l, ds_type_fn *each, void *arg);
    void (*close)(struct ds_layout *l);
};

struct ds_layout {
    const struct ds_layout_ops *ops;
    enum ds_trust trust;
    char source[192];
    unsigned pointer_size;
    uint32_t profile; /* built-in: its number */
    void *data;       /* symbol table: its types, owned */
};

/* strcmp() of a slice with a string. */
int ds_slice_cmp(struct ds_slice a, const char *b);

#endif
