/*
 * A growable byte buffer that must state its maximum. Appending past the maximum, or without
 * memory, marks it failed and drops the rest; ask ds_buf_ok() once at the end.
 */
#ifndef DS_BASE_BUF_H
#define DS_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "dumpscan/status.h"

struct ds_buf {
    char *data; /* owned; NUL-terminated when not NULL */
    size_t len, cap, max;
    bool failed;
};

void ds_buf_init(struct ds_buf *b, size_t max);
void ds_buf_deinit(struct ds_buf *b);
bool ds_buf_ok(const struct ds_buf *b);
void ds_buf_add(struct ds_buf *b, const void *data, size_t len);
void ds_buf_str(struct ds_buf *b, const char *s);
void ds_buf_char(struct ds_buf *b, char c);
void ds_buf_printf(struct ds_buf *b, const char *fmt, ...) DS_PRINTF(2, 3);
/* The text so far, "" when empty; borrowed. */
const char *ds_buf_text(const struct ds_buf *b);

#endif
