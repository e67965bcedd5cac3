#include "api/impl.h"

#include <stdlib.h>
#include <string.h>

enum ds_status ds_options_new(struct ds_options **ret)
{
    struct ds_options *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return DS_NO_MEMORY;
    *ret = o;
    return DS_OK;
}

void ds_options_free(struct ds_options *o)
{
    if (o == NULL)
        return;
    ds_options_clear(o);
    free(o);
}

void ds_options_clear(struct ds_options *o)
{
    free(o->symbol_path);
    for (size_t i = 0; i < o->pattern_count; i++)
        free(o->patterns[i]);
    free(o->patterns);
    *o = (struct ds_options){0};
}

static char *copy_string(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = malloc(size);
    if (copy != NULL)
        memcpy(copy, s, size);
    return copy;
}

enum ds_status ds_options_set_symbol_path(struct ds_options *o, const char *path)
{
    char *copy = path != NULL ? copy_string(path) : NULL;
    if (path != NULL && copy == NULL)
        return DS_NO_MEMORY;
    free(o->symbol_path);
    o->symbol_path = copy;
    return DS_OK;
}

enum ds_status ds_options_add_patterns(struct ds_options *o, const char *path)
{
    char **grown = realloc(o->patterns, (o->pattern_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return DS_NO_MEMORY;
    o->patterns = grown;
    char *copy = copy_string(path);
    if (copy == NULL)
        return DS_NO_MEMORY;
    o->patterns[o->pattern_count++] = copy;
    return DS_OK;
}

void ds_options_set_max_inflated(struct ds_options *o, uint64_t bytes)
{
    o->max_inflated = bytes;
}

void ds_options_set_progress(struct ds_options *o, ds_progress_fn *progress, void *arg)
{
    o->progress = progress;
    o->progress_arg = arg;
}

void ds_options_set_raw(struct ds_options *o, bool raw)
{
    o->raw = raw;
}

void ds_options_set_dtb(struct ds_options *o, uint64_t pa)
{
    o->overrides.dtb = ds_opt_known(pa);
}

void ds_options_set_kernel_base(struct ds_options *o, uint64_t va)
{
    o->overrides.kernel_base = ds_opt_known(va);
}

void ds_options_set_kdbg(struct ds_options *o, uint64_t va)
{
    o->overrides.kdbg = ds_opt_known(va);
}

enum ds_status ds_options_copy(struct ds_options *to, const struct ds_options *from)
{
    *to = (struct ds_options){0};
    if (from == NULL)
        return DS_OK;
    enum ds_status s = ds_options_set_symbol_path(to, from->symbol_path);
    for (size_t i = 0; s == DS_OK && i < from->pattern_count; i++)
        s = ds_options_add_patterns(to, from->patterns[i]);
    to->max_inflated = from->max_inflated;
    to->progress = from->progress;
    to->progress_arg = from->progress_arg;
    to->raw = from->raw;
    to->overrides = from->overrides;
    if (s != DS_OK)
        ds_options_clear(to);
    return s;
}
