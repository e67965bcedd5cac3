/* Several dumps together. */
#include "report/series.h"

#include "api/impl.h"
#include "base/err.h"
#include "base/limits.h"

#define SERIES_MAX (64u << 20) /* bytes of text */

enum ds_status ds_series_new(struct ds_series **ret)
{
    return ds_series_open(ret);
}

void ds_series_free(struct ds_series *series)
{
    ds_series_close(series);
}

enum ds_status ds_series_add(struct ds_series *series, struct ds_snapshot *s, struct ds_err *err)
{
    enum ds_status status = ds_snapshot_need_facts(s, err);
    if (status != DS_OK)
        return status;
    status = ds_series_note(series, s->name, s->nt);
    if (status == DS_LIMIT)
        return ds_err_set(err, status, "only the first %d dumps are compared with one another",
                          DS_LIMIT_SERIES);
    return status == DS_OK ? DS_OK : ds_err_set(err, status, "out of memory");
}

enum ds_status ds_series_string(const struct ds_series *series, enum ds_format format,
                                unsigned flags, char **ret)
{
    struct ds_buf b;
    struct ds_text_options o = {.colour = (flags & DS_REPORT_COLOUR) != 0,
                                .verbose = (flags & DS_REPORT_VERBOSE) != 0};
    if (!ds_series_speaks(series))
        return DS_NOT_FOUND;
    ds_buf_init(&b, SERIES_MAX);
    enum ds_status status = format == DS_FORMAT_TEXT
                                ? ds_series_write_text(series, &o, &b)
                                : ds_series_write_json(series, format == DS_FORMAT_JSON, &b);
    if (status != DS_OK || !ds_buf_ok(&b) || b.data == NULL) {
        ds_buf_deinit(&b);
        return DS_NO_MEMORY;
    }
    *ret = b.data;
    return DS_OK;
}
