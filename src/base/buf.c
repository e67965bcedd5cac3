#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ds_buf_init(struct ds_buf *b, size_t max)
{
    *b = (struct ds_buf){.max = max};
}

void ds_buf_deinit(struct ds_buf *b)
{
    free(b->data);
    *b = (struct ds_buf){.max = b->max};
}

bool ds_buf_ok(const struct ds_buf *b)
{
    return !b->failed;
}

static bool buf_reserve(struct ds_buf *b, size_t more)
{
    if (b->failed || more > b->max - b->len) {
        b->failed = true;
        return false;
    }
    size_t want = b->len + more + 1;
    if (want <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < want)
        cap *= 2;
    char *p = realloc(b->data, cap);
    if (p == NULL) {
        b->failed = true;
        return false;
    }
    b->data = p;
    b->cap = cap;
    return true;
}

void ds_buf_add(struct ds_buf *b, const void *data, size_t len)
{
    if (len == 0 || !buf_reserve(b, len))
        return;
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void ds_buf_str(struct ds_buf *b, const char *s)
{
    ds_buf_add(b, s, strlen(s));
}

void ds_buf_char(struct ds_buf *b, char c)
{
    ds_buf_add(b, &c, 1);
}

void ds_buf_printf(struct ds_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        b->failed = true;
    else if (buf_reserve(b, (size_t)n)) {
        (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

const char *ds_buf_text(const struct ds_buf *b)
{
    return b->data ? b->data : "";
}
