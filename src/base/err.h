/* Filling the caller-owned struct ds_err. Knows nothing of what failed. */
#ifndef DS_BASE_ERR_H
#define DS_BASE_ERR_H

#include "dumpscan/status.h"

/*
 * Replaces the text of `err` (when not NULL), sets its status, and returns `status`, so that
 * a failing function can end with `return ds_err_set(err, DS_CORRUPT, "...")`.
 */
enum ds_status ds_err_set(struct ds_err *err, enum ds_status status, const char *fmt, ...)
    DS_PRINTF(3, 4);

/* Puts "<context>: " before the text that is there. Returns err's status (DS_OK for NULL). */
enum ds_status ds_err_prepend(struct ds_err *err, const char *fmt, ...) DS_PRINTF(2, 3);

#endif
