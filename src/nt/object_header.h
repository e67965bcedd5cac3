/*
 * Headers of kernel objects: what type an object is of, its counts and its name. The type is a
 * pointer up to Vista and an index into ObTypeIndexTable since; Windows 10 hides the index:
 * TypeIndex = index xor ObHeaderCookie xor bits 8 to 15 of the header's address (public knowledge,
 * as Volatility 3 reads it). Optional headers lie before the header: found by an offset up to
 * Vista, since then by InfoMask (1 creator, 2 name, 4 handles, 8 quota, 16 process; the lower the
 * bit, the nearer), with the sizes of the public symbols.
 */
#ifndef DS_NT_OBJECT_HEADER_H
#define DS_NT_OBJECT_HEADER_H

#include "nt/nt.h"

#define DS_OBJECT_TYPES 256u /* an index is one byte */
#define DS_OBJECT_NO_TYPE 0xffffu

/* A type of objects: _OBJECT_TYPE. */
struct ds_object_type {
    uint64_t address;    /* virtual */
    struct ds_opt index; /* in ObTypeIndexTable; unknown before Windows 7 */
    const char *name;    /* "Process"; never NULL */
    struct ds_opt objects, handles, most_objects, most_handles; /* that there are, and were */
    const char *source; /* static: "ObTypeIndexTable", "\ObjectTypes", "object header" */
};
struct ds_object_types {
    const struct ds_object_type *rows;
    size_t count;
    struct ds_walk walk;
    struct ds_opt cookie;      /* ObHeaderCookie; unknown where there is none, or it is not found */
    const char *cookie_source; /* static: how it was found; "" */
};

/* All types by ObTypeIndexTable and the directory \ObjectTypes; before Windows 7 those that the
 * objects looked at so far are of. */
const struct ds_object_types *ds_nt_object_types(struct ds_nt *nt);

/* What the header of an object says. */
struct ds_object_info {
    uint64_t header, object; /* _OBJECT_HEADER and the body behind it: virtual */
    struct ds_opt type;      /* row of ds_nt_object_types(); unknown with the reason */
    struct ds_opt pointer_count, handle_count;
    struct ds_opt name_info; /* virtual: _OBJECT_HEADER_NAME_INFO; 0 when it has none */
};

/* By the header's address, as handles have it. Nothing of it may be known. */
void ds_nt_object_info(struct ds_nt *nt, uint64_t header, struct ds_object_info *ret);
/* The address of the header of a body; unknown when the layout has no Body. */
struct ds_opt ds_nt_object_header(struct ds_nt *nt, uint64_t object);
/* The type's name; NULL when unknown. */
const char *ds_nt_object_type_name(struct ds_nt *nt, const struct ds_object_info *info);
bool ds_nt_object_is(struct ds_nt *nt, const struct ds_object_info *info, const char *type);
/* Its own name, without its directory's, in the arena; NULL when it has none or is unreadable. */
const char *ds_nt_object_name(struct ds_nt *nt, const struct ds_object_info *info);

/* Frees what this keeps; NULL is allowed. */
struct ds_nt_types;
void ds_nt_types_free(struct ds_nt_types *t);

#endif
