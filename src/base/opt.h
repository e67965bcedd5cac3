/*
 * A number that may be unknown, with the reason. Unknown is never zero: every consumer looks at
 * `known` first.
 */
#ifndef DS_BASE_OPT_H
#define DS_BASE_OPT_H

#include <stdbool.h>
#include <stdint.h>

#include "dumpscan/status.h"

struct ds_opt {
    uint64_t value; /* meaningful only when known */
    bool known;
    enum ds_status why; /* when unknown: the read fault, or DS_OK for "not recorded" */
};

static inline struct ds_opt ds_opt_known(uint64_t value)
{
    return (struct ds_opt){.value = value, .known = true};
}

static inline struct ds_opt ds_opt_unknown(enum ds_status why)
{
    return (struct ds_opt){.why = why};
}

/* The value, or `fallback` where unknown. */
static inline uint64_t ds_opt_or(struct ds_opt o, uint64_t fallback)
{
    return o.known ? o.value : fallback;
}

#endif
