#include "dump/integrity.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

struct ds_integrity_note *ds_integrity_add(struct ds_integrity *in, enum ds_integrity_level level,
                                           const char *check, uint64_t offset)
{
    if (level > in->worst)
        in->worst = level;
    void *array = in->notes;
    bool room =
        ds_array_reserve(&array, &in->cap, in->count + 1, sizeof(*in->notes), DS_LIMIT_INTEGRITY);
    in->notes = array;
    if (!room) {
        in->dropped++;
        return NULL;
    }
    struct ds_integrity_note *n = &in->notes[in->count++];
    *n = (struct ds_integrity_note){.level = level, .check = check, .offset = offset};
    return n;
}

void ds_integrity_expected(struct ds_integrity_note *n, const char *fmt, ...)
{
    if (n == NULL)
        return;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(n->expected, sizeof(n->expected), fmt, ap);
    va_end(ap);
}

void ds_integrity_found(struct ds_integrity_note *n, const char *fmt, ...)
{
    if (n == NULL)
        return;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(n->found, sizeof(n->found), fmt, ap);
    va_end(ap);
}

void ds_integrity_lost(struct ds_integrity_note *n, const char *fmt, ...)
{
    if (n == NULL)
        return;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(n->lost, sizeof(n->lost), fmt, ap);
    va_end(ap);
}

const struct ds_integrity_note *ds_integrity_find(const struct ds_integrity *in, const char *check)
{
    for (size_t i = 0; i < in->count; i++) {
        if (strcmp(in->notes[i].check, check) == 0)
            return &in->notes[i];
    }
    return NULL;
}

enum ds_integrity_level ds_integrity_worst(const struct ds_integrity *in)
{
    return in->worst;
}

const char *ds_integrity_level_name(enum ds_integrity_level level)
{
    switch (level) {
    case DS_INTEGRITY_NOTE:
        return "note";
    case DS_INTEGRITY_DAMAGE:
        return "damage";
    case DS_INTEGRITY_FATAL:
        return "fatal";
    }
    return "unknown";
}

void ds_integrity_deinit(struct ds_integrity *in)
{
    free(in->notes);
    *in = (struct ds_integrity){0};
}
