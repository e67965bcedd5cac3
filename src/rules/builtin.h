/* The patterns that are compiled in: the files of patterns/, as text. */
#ifndef DS_RULES_BUILTIN_H
#define DS_RULES_BUILTIN_H

#include <stddef.h>

struct ds_builtin_pattern {
    const char *id;
    const char *text; /* JSON */
    size_t size;
};
extern const struct ds_builtin_pattern ds_builtin_patterns[];
extern const size_t ds_builtin_pattern_count;

#endif
