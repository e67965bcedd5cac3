#include <string.h>

#include "rules/rules.h"

static const char *const severities[] = {"info", "low", "medium", "high", "critical"};
static const char *const outcomes[] = {"match", "no_match", "cannot_tell", "does_not_apply"};
static const char *const kinds[] = {"unknown",    "driver",   "kernel",
                                    "process",    "hardware", "memory-corruption",
                                    "exhaustion", "hang"};

#define NAME_OF(list, value)                                                                       \
    ((size_t)(value) < sizeof(list) / sizeof((list)[0]) ? (list)[(size_t)(value)] : "unknown")

const char *ds_severity_name(enum ds_severity severity)
{
    return NAME_OF(severities, severity);
}

bool ds_severity_parse(const char *name, enum ds_severity *ret)
{
    for (size_t i = 0; i < sizeof(severities) / sizeof(severities[0]); i++) {
        if (strcmp(name, severities[i]) == 0) {
            *ret = (enum ds_severity)i;
            return true;
        }
    }
    return false;
}

const char *ds_outcome_name(enum ds_outcome outcome)
{
    return NAME_OF(outcomes, outcome);
}

const char *ds_culprit_kind_name(enum ds_culprit_kind kind)
{
    return NAME_OF(kinds, kind);
}
