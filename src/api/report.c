/* Reports of a snapshot, and their exit statuses. */
#include "api/impl.h"
#include "base/err.h"
#include "report/header.h"

#define REPORT_MAX (256u << 20) /* bytes */

static enum ds_status finish(struct ds_buf *b, enum ds_status status, char **ret, size_t *len,
                             struct ds_err *err)
{
    if (status == DS_OK && (!ds_buf_ok(b) || b->data == NULL))
        status = DS_NO_MEMORY;
    if (status != DS_OK) {
        ds_buf_deinit(b);
        return ds_err_set(err, status, "cannot write the report: %s", ds_status_text(status));
    }
    *ret = b->data;
    if (len != NULL)
        *len = b->len;
    return DS_OK;
}

enum ds_status ds_snapshot_report_string(struct ds_snapshot *s, enum ds_format format,
                                         unsigned flags, char **ret, size_t *len,
                                         struct ds_err *err)
{
    enum ds_status status = ds_snapshot_need_report(s, err);
    if (status != DS_OK)
        return status;
    struct ds_buf b;
    ds_buf_init(&b, REPORT_MAX);
    struct ds_text_options o = {.colour = (flags & DS_REPORT_COLOUR) != 0,
                                .verbose = (flags & DS_REPORT_VERBOSE) != 0};
    if (format == DS_FORMAT_TEXT)
        status = ds_report_write_text(s->report, &o, &b);
    else
        status = ds_report_write_json(s->report, format == DS_FORMAT_JSON, &b);
    return finish(&b, status, ret, len, err);
}

enum ds_status ds_snapshot_report(struct ds_snapshot *s, enum ds_format format, unsigned flags,
                                  ds_write_fn *write, void *arg, struct ds_err *err)
{
    char *text;
    size_t len;
    enum ds_status status = ds_snapshot_report_string(s, format, flags, &text, &len, err);
    if (status != DS_OK)
        return status;
    if (!write(text, len, arg))
        status = ds_err_set(err, DS_IO, "the report could not be written");
    ds_string_free(text);
    return status;
}

enum ds_status ds_snapshot_info_string(struct ds_snapshot *s, enum ds_format format, unsigned flags,
                                       char **ret, size_t *len, struct ds_err *err)
{
    if (s->dump == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory in an earlier call");
    struct ds_buf b;
    ds_buf_init(&b, REPORT_MAX);
    enum ds_status status;
    if (format == DS_FORMAT_TEXT)
        status = ds_header_write_text(s->dump, s->name, (flags & DS_REPORT_COLOUR) != 0, &b);
    else
        status = ds_header_write_json(s->dump, s->name, format == DS_FORMAT_JSON, &b);
    return finish(&b, status, ret, len, err);
}

int ds_snapshot_exit_status(const struct ds_snapshot *s, const enum ds_severity *fail_on)
{
    for (size_t i = 0; fail_on != NULL && i < ds_snapshot_finding_count(s); i++) {
        const struct ds_finding *f = ds_snapshot_finding(s, i);
        if (f->outcome == DS_OUTCOME_MATCH && f->pattern->severity >= *fail_on)
            return 10;
    }
    if (s->report != NULL)
        return ds_report_exit_status(s->report);
    if (s->dump == NULL)
        return 1;
    const struct ds_integrity *in = ds_dump_integrity(s->dump);
    return in->dropped > 0 || ds_integrity_worst(in) != DS_INTEGRITY_NOTE ? 4 : 0;
}

int ds_refusal_exit_status(enum ds_status status)
{
    switch (status) {
    case DS_INVALID:
        return 2;
    case DS_NOT_DUMP:
    case DS_UNSUPPORTED:
    case DS_LIMIT:
        return 3;
    case DS_TRUNCATED:
    case DS_CORRUPT:
        return 4;
    default:
        return 1;
    }
}

enum ds_status ds_refusal_string(const char *path, const struct ds_err *why, enum ds_format format,
                                 char **ret)
{
    struct ds_buf b;
    ds_buf_init(&b, REPORT_MAX);
    enum ds_status status = DS_OK;
    if (format == DS_FORMAT_TEXT)
        ds_buf_printf(&b, "%s: %s", path, why->text);
    else
        status = ds_report_write_refusal(path, why, ds_refusal_exit_status(why->status),
                                         format == DS_FORMAT_JSON, &b);
    return finish(&b, status, ret, NULL, NULL);
}
