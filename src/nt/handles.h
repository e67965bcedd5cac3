/* The handles of one process, with what they refer to. */
#ifndef DS_NT_HANDLES_H
#define DS_NT_HANDLES_H

#include "nt/handle_table.h"

struct ds_handle {
    uint64_t handle; /* its value: 4, 8, ... */
    uint64_t entry;  /* _HANDLE_TABLE_ENTRY: virtual */
    uint64_t header, object;
    uint32_t access;
    const char *type; /* NULL when unknown */
    const char *name; /* path of a named object, name of a file, image of a process, pid.tid of a
                         thread; NULL when it has none or is unreadable */
    struct ds_opt pointer_count, handle_count; /* of the object */
};

/* All of a process, by value. The caller frees them with ds_handles_deinit(). */
struct ds_handles {
    struct ds_handle *rows; /* owned; its texts live as long as the ds_nt */
    size_t count, cap;
    struct ds_walk walk;
};
void ds_nt_handles(struct ds_nt *nt, uint64_t eprocess, struct ds_handles *ret);
void ds_handles_deinit(struct ds_handles *h);

#endif
