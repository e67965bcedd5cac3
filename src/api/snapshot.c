#include "api/impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "dump/unpack.h"

static bool leads_to_windows(struct ds_source *src, const struct ds_dump_options *o)
{
    struct ds_dump *d;
    if (ds_dump_open_with(src, o, &d, NULL) != DS_OK)
        return false;
    bool windows = ds_target_is_windows(d);
    ds_dump_release(d);
    return windows;
}

static bool is_vmem(const char *path)
{
    size_t len = path != NULL ? strlen(path) : 0;
    return (len > 5 && ds_text_casecmp(path + len - 5, ".vmem") == 0) ||
           (len > 8 && ds_text_casecmp(path + len - 8, ".vmem.gz") == 0);
}

/* Raw memory has no signature: what it leads to tells it from files of unknown kinds. */
static struct ds_dump_options how_to_open(struct ds_source *src, const char *path, bool raw)
{
    struct ds_dump_options o = {.raw = true, .hole = is_vmem(path)};
    if (!raw && !ds_dump_is_unmarked(src))
        return (struct ds_dump_options){0};
    if (o.hole && leads_to_windows(src, &o))
        return o;
    o.hole = false;
    o.raw = raw || leads_to_windows(src, &o);
    return o;
}

static struct ds_unpack_options unpack_options(const struct ds_options *o)
{
    struct ds_unpack_options unpack = {0};
    unpack.any = o != NULL && o->raw;
    if (o != NULL)
        unpack.limits = (struct ds_inflate_limits){.max_inflated = o->max_inflated,
                                                   .progress = o->progress,
                                                   .progress_arg = o->progress_arg};
    return unpack;
}

static enum ds_status open_dump(struct ds_source *src, const char *path, const struct ds_options *o,
                                struct ds_dump **ret, struct ds_err *err)
{
    enum ds_status status;
    struct ds_unpack_options unpack = unpack_options(o);
    if (!o->raw && path != NULL && ds_snapshot_vmware(src, path, &unpack, ret, &status, err))
        return status;
    const struct ds_dump_options options = how_to_open(src, path, o->raw);
    return ds_dump_open_with(src, &options, ret, err);
}

static enum ds_status snapshot_over(struct ds_source *src, const char *name, const char *path,
                                    const struct ds_options *options, struct ds_snapshot **ret,
                                    struct ds_err *err)
{
    struct ds_snapshot *s = calloc(1, sizeof(*s));
    size_t size = strlen(name) + 1;
    if (s != NULL)
        s->name = malloc(size);
    if (s == NULL || s->name == NULL || ds_options_copy(&s->options, options) != DS_OK) {
        if (s != NULL)
            free(s->name);
        free(s);
        ds_source_close(src);
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    }
    memcpy(s->name, name, size);
    enum ds_status status = open_dump(src, path, &s->options, &s->dump, err);
    if (status != DS_OK) {
        ds_source_close(src);
        ds_snapshot_close(s);
        return status;
    }
    *ret = s;
    return DS_OK;
}

enum ds_status ds_snapshot_open(const char *path, const struct ds_options *options,
                                struct ds_snapshot **ret, struct ds_err *err)
{
    struct ds_source *src;
    struct ds_unpack_options unpack = unpack_options(options);
    char *found;
    enum ds_status status = ds_unpack_open(path, &unpack, &src, &found, err);
    if (status != DS_OK)
        return status;
    status = snapshot_over(src, path, found, options, ret, err);
    free(found);
    return status;
}

enum ds_status ds_snapshot_open_memory(const void *data, size_t size, const char *name,
                                       const struct ds_options *options, struct ds_snapshot **ret,
                                       struct ds_err *err)
{
    struct ds_source *src;
    struct ds_unpack_options unpack = unpack_options(options);
    enum ds_status status = ds_source_memory_open(data, size, &src, err);
    if (status == DS_OK)
        status = ds_unpack_source(src, NULL, &unpack, &src, err);
    if (status != DS_OK)
        return status;
    return snapshot_over(src, name, NULL, options, ret, err);
}

enum ds_status ds_input_list(const char *path, bool (*each)(const char *input, void *arg),
                             void *arg)
{
    return ds_unpack_list(path, each, arg);
}

void ds_snapshot_close(struct ds_snapshot *s)
{
    if (s == NULL)
        return;
    ds_report_close(s->report);
    ds_findings_close(s->findings);
    ds_patterns_close(s->patterns);
    ds_facts_close(s->facts);
    if (s->nt != NULL)
        ds_nt_close(s->nt); /* closes target and dump */
    else
        ds_dump_close(s->dump);
    ds_options_clear(&s->options);
    free(s->name);
    free(s);
}

enum ds_status ds_snapshot_need_facts(struct ds_snapshot *s, struct ds_err *err)
{
    if (s->facts != NULL)
        return DS_OK;
    if (s->nt == NULL) {
        if (s->dump == NULL)
            return ds_err_set(err, DS_NO_MEMORY, "out of memory in an earlier call");
        struct ds_target_options o = {.symbol_path = s->options.symbol_path,
                                      .overrides = s->options.overrides};
        struct ds_target *target;
        struct ds_dump *dump = s->dump;
        s->dump = NULL; /* the target owns it from here on, whatever happens */
        enum ds_status status = ds_target_open(dump, &o, &target, err);
        if (status == DS_OK)
            status = ds_nt_open(target, &s->nt, err);
        if (status != DS_OK)
            return status;
        s->dump = dump;
    }
    return ds_facts_open(s->nt, &s->facts, err);
}

static enum ds_status load_patterns(struct ds_snapshot *s, struct ds_err *err)
{
    enum ds_status status = ds_patterns_open(&s->patterns, err);
    for (size_t i = 0; status == DS_OK && i < s->options.pattern_count; i++)
        status = ds_patterns_add_path(s->patterns, s->options.patterns[i], err);
    if (status != DS_OK) {
        ds_patterns_close(s->patterns);
        s->patterns = NULL;
    }
    return status;
}

enum ds_status ds_snapshot_analyse(struct ds_snapshot *s, struct ds_err *err)
{
    if (s->findings != NULL)
        return DS_OK;
    enum ds_status status = DS_OK;
    if (s->patterns == NULL)
        status = load_patterns(s, err);
    if (status == DS_OK)
        status = ds_snapshot_need_facts(s, err);
    if (status == DS_OK)
        status = ds_findings_run(s->facts, s->patterns, &s->findings, err);
    return status;
}

enum ds_status ds_snapshot_need_report(struct ds_snapshot *s, struct ds_err *err)
{
    if (s->report != NULL)
        return DS_OK;
    enum ds_status status = ds_snapshot_analyse(s, err);
    if (status != DS_OK)
        return status;
    struct ds_report_input in = {.file = s->name, .facts = s->facts, .findings = s->findings};
    return ds_report_build(&in, &s->report, err);
}

static enum ds_status opt_status(struct ds_opt o, uint64_t *ret)
{
    if (o.known) {
        *ret = o.value;
        return DS_OK;
    }
    return o.why == DS_TRUNCATED ? DS_TRUNCATED : DS_NOT_FOUND;
}

enum ds_status ds_snapshot_fact(const struct ds_snapshot *s, enum ds_fact fact, uint64_t *ret)
{
    if (s->dump == NULL)
        return DS_NO_MEMORY;
    const struct ds_dump_header *h = ds_dump_header(s->dump);
    switch (fact) {
    case DS_FACT_FILE_SIZE:
        *ret = ds_dump_file_size(s->dump);
        return DS_OK;
    case DS_FACT_MACHINE:
        return opt_status(h->machine, ret);
    case DS_FACT_POINTER_SIZE:
        *ret = h->is64 ? 8 : 4;
        return DS_OK;
    case DS_FACT_BUILD:
        return opt_status(h->minor_version, ret);
    case DS_FACT_PROCESSORS:
        return opt_status(h->processor_count, ret);
    case DS_FACT_BUGCHECK_CODE:
        return opt_status(h->bugcheck_code, ret);
    case DS_FACT_BUGCHECK_PARAMETER1:
    case DS_FACT_BUGCHECK_PARAMETER2:
    case DS_FACT_BUGCHECK_PARAMETER3:
    case DS_FACT_BUGCHECK_PARAMETER4:
        return opt_status(h->bugcheck_parameter[fact - DS_FACT_BUGCHECK_PARAMETER1], ret);
    case DS_FACT_SYSTEM_TIME:
        return opt_status(h->system_time, ret);
    case DS_FACT_UPTIME:
        return opt_status(h->system_up_time, ret);
    case DS_FACT_DUMP_TYPE:
        return opt_status(h->dump_type, ret);
    case DS_FACT_ATTRIBUTES:
        return opt_status(h->attributes, ret);
    case DS_FACT_DTB:
        return opt_status(h->dtb, ret);
    default:
        return DS_INVALID;
    }
}

const char *ds_snapshot_kind(const struct ds_snapshot *s)
{
    return s->dump != NULL ? ds_dump_kind_name(ds_dump_kind(s->dump)) : "damaged";
}

const char *ds_snapshot_architecture(const struct ds_snapshot *s)
{
    return ds_arch_name(s->dump != NULL ? ds_dump_header(s->dump)->arch : DS_ARCH_UNKNOWN);
}
