/*
 * The names of the object manager: the tree of directories from ObpRootDirectoryObject on.
 * A directory is a hash table of chains of _OBJECT_DIRECTORY_ENTRY, by the names of Microsoft's
 * public symbols.
 */
#ifndef DS_NT_OBJECTS_H
#define DS_NT_OBJECTS_H

#include "nt/object_header.h"

struct ds_object {
    uint64_t object, header; /* body and _OBJECT_HEADER: virtual */
    uint64_t directory;      /* _OBJECT_DIRECTORY that it is in; 0 for the root */
    const char *path;        /* "\Driver\fabnic"; an unreadable name is "?" and the address */
    const char *name;        /* the last part; NULL when unreadable */
    const char *type;        /* "Driver"; NULL when unknown */
    struct ds_opt type_index;
    struct ds_opt pointer_count, handle_count;
    const char *target; /* of a symbolic link; NULL for others and when unreadable */
    uint32_t depth;     /* of the root 0 */
};
struct ds_objects {
    const struct ds_object *rows; /* a directory stands before what is in it */
    size_t count;
    struct ds_walk walk; /* detail also says how the header cookie was found */
};
const struct ds_objects *ds_nt_objects(struct ds_nt *nt);

/* The path of a named object by its body's address; NULL when the tree does not have it. */
const char *ds_nt_object_path(struct ds_nt *nt, uint64_t object);

/*
 * Calls `each` with the body of every object in the _OBJECT_DIRECTORY at `directory`; false from
 * it ends the walk, as complete. A chain that cannot be read on costs its rest: the result has the
 * first failure. Errors: DS_NO_FIELD, the faults, DS_LOOP, DS_LIMIT.
 */
struct ds_walk_end ds_object_directory_walk(struct ds_nt *nt, uint64_t directory,
                                            bool (*each)(uint64_t object, void *arg), void *arg);

/* The root directory: *ObpRootDirectoryObject. Unknown: DS_NO_SYMBOL, the faults. */
struct ds_opt ds_nt_root_directory(struct ds_nt *nt);

/* Frees what this keeps; NULL is allowed. */
struct ds_nt_objects;
void ds_nt_objects_free(struct ds_nt_objects *o);

#endif
