/* What lies at a kernel address, as far as tables that are there anyway tell. */
#ifndef DS_NT_ADDRESS_PLACE_H
#define DS_NT_ADDRESS_PLACE_H

#include "nt/nt.h"

#define DS_PLACES_MAX 16u

struct ds_place {
    const char *kind;    /* static: "module", "unloaded module", "thread", "kernel stack",
                            "process", "processor", "loader entry", "shared user data",
                            "debugger data", "pool block" */
    uint64_t start, end; /* end: first byte past it */
    const char *name;    /* file or image name; NULL */
    char tag[5];         /* of a pool block; "" for others */
    struct ds_opt owner; /* ETHREAD of a stack, EPROCESS of a thread, number of a processor */
};

/* Every place that holds va, the widest kind first. Returns their number. */
size_t ds_nt_places(struct ds_nt *nt, uint64_t va, struct ds_place ret[DS_PLACES_MAX]);

#endif
