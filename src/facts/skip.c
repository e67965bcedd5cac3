#include "facts/skip.h"

#include <string.h>

#include "nt/bugcheck.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* One '*' at most: what stands before it is a prefix, what stands after it a suffix. */
static bool matches(const char *pattern, const char *name)
{
    while (*pattern && *pattern != '*') {
        if (lower(*name) != *pattern)
            return false;
        pattern++;
        name++;
    }
    if (*pattern == '\0')
        return *name == '\0';
    pattern++;
    for (;; name++) {
        const char *p = pattern, *n = name;
        while (*p && lower(*n) == *p) {
            p++;
            n++;
        }
        if (*p == '\0' && (*n == '\0' || *pattern == '\0'))
            return true;
        if (*name == '\0')
            return false;
    }
}

const struct ds_skip *ds_skip_find(const char *module_name)
{
    for (size_t i = 0; i < ds_skip_count; i++)
        if (matches(ds_skip_table[i].name, module_name))
            return &ds_skip_table[i];
    return NULL;
}

bool ds_skip_is_framework(const struct ds_skip *skip)
{
    return skip != NULL &&
           (strcmp(skip->class_, "framework") == 0 || strcmp(skip->class_, "port") == 0);
}

const struct ds_blame *ds_blame_find(uint32_t code, uint64_t p1)
{
    for (size_t i = 0; i < ds_blame_count; i++) {
        const struct ds_blame *b = &ds_blame_table[i];
        if (b->code == ds_bugcheck_base(code) && (b->any_p1 || b->p1 == p1))
            return b;
    }
    return NULL;
}

bool ds_lead_applies(const struct ds_lead *lead, uint32_t code, uint64_t p1)
{
    return lead->code == ds_bugcheck_base(code) && (lead->any_p1 || lead->p1 == p1);
}
