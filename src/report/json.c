#include "report/json.h"

#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define EXACT (UINT64_C(1) << 53) /* integers up to here survive a double */

void ds_json_init(struct ds_json *j, struct ds_buf *out, bool pretty)
{
    *j = (struct ds_json){.out = out, .pretty = pretty};
}

static void json_newline(struct ds_json *j)
{
    if (!j->pretty)
        return;
    ds_buf_char(j->out, '\n');
    for (unsigned i = 0; i < j->depth; i++)
        ds_buf_str(j->out, "  ");
}

/* What stands before a value or key: comma, line break, or nothing after a key. */
static void json_before(struct ds_json *j)
{
    if (j->after_key) {
        j->after_key = false;
        return;
    }
    if (j->depth == 0)
        return;
    if (j->filled[j->depth - 1])
        ds_buf_char(j->out, ',');
    j->filled[j->depth - 1] = true;
    json_newline(j);
}

static void json_open(struct ds_json *j, char bracket)
{
    json_before(j);
    ds_buf_char(j->out, bracket);
    if (j->depth == DS_JSON_DEPTH) {
        j->out->failed = true;
        return;
    }
    j->filled[j->depth++] = false;
}

static void json_close(struct ds_json *j, char bracket)
{
    if (j->depth == 0) {
        j->out->failed = true;
        return;
    }
    bool filled = j->filled[--j->depth];
    if (filled)
        json_newline(j);
    ds_buf_char(j->out, bracket);
}

void ds_json_object(struct ds_json *j)
{
    json_open(j, '{');
}

void ds_json_object_end(struct ds_json *j)
{
    json_close(j, '}');
}

void ds_json_array(struct ds_json *j)
{
    json_open(j, '[');
}

void ds_json_array_end(struct ds_json *j)
{
    json_close(j, ']');
}

static void json_code_point(struct ds_buf *out, uint32_t c)
{
    if (c == '"' || c == '\\') {
        ds_buf_char(out, '\\');
        ds_buf_char(out, (char)c);
    } else if (c == '\n') {
        ds_buf_str(out, "\\n");
    } else if (c == '\t') {
        ds_buf_str(out, "\\t");
    } else if (ds_text_is_unsafe(c)) {
        ds_buf_printf(out, "\\u%04x", (unsigned)c);
    } else {
        ds_text_encode(out, c);
    }
}

static void json_quote(struct ds_buf *out, const char *s)
{
    size_t len = strlen(s);
    ds_buf_char(out, '"');
    for (size_t i = 0; i < len;) {
        uint32_t c;
        i += ds_text_decode(s + i, len - i, &c);
        json_code_point(out, c);
    }
    ds_buf_char(out, '"');
}

void ds_json_key(struct ds_json *j, const char *key)
{
    json_before(j);
    json_quote(j->out, key);
    ds_buf_str(j->out, j->pretty ? ": " : ":");
    j->after_key = true;
}

void ds_json_null(struct ds_json *j)
{
    json_before(j);
    ds_buf_str(j->out, "null");
}

void ds_json_bool(struct ds_json *j, bool value)
{
    json_before(j);
    ds_buf_str(j->out, value ? "true" : "false");
}

void ds_json_string(struct ds_json *j, const char *utf8)
{
    if (utf8 == NULL) {
        ds_json_null(j);
        return;
    }
    json_before(j);
    json_quote(j->out, utf8);
}

void ds_json_unsigned(struct ds_json *j, uint64_t value)
{
    json_before(j);
    ds_buf_printf(j->out, value <= EXACT ? "%" PRIu64 : "\"%" PRIu64 "\"", value);
}

void ds_json_signed(struct ds_json *j, int64_t value)
{
    json_before(j);
    bool exact = value <= (int64_t)EXACT && value >= -(int64_t)EXACT;
    ds_buf_printf(j->out, exact ? "%" PRId64 : "\"%" PRId64 "\"", value);
}

void ds_json_real(struct ds_json *j, double value)
{
    if (!(value >= -DBL_MAX && value <= DBL_MAX)) { /* isfinite() of mingw-w64 narrows */
        ds_json_null(j);
        return;
    }
    json_before(j);
    ds_buf_printf(j->out, "%.17g", value);
}

void ds_json_hex(struct ds_json *j, uint64_t value, unsigned digits)
{
    json_before(j);
    ds_buf_printf(j->out, "\"0x%0*" PRIx64 "\"", (int)digits, value);
}

void ds_json_key_string(struct ds_json *j, const char *key, const char *utf8)
{
    ds_json_key(j, key);
    ds_json_string(j, utf8);
}

void ds_json_key_bool(struct ds_json *j, const char *key, bool value)
{
    ds_json_key(j, key);
    ds_json_bool(j, value);
}

void ds_json_key_unsigned(struct ds_json *j, const char *key, uint64_t value)
{
    ds_json_key(j, key);
    ds_json_unsigned(j, value);
}

void ds_json_key_opt(struct ds_json *j, const char *key, struct ds_opt value)
{
    ds_json_key(j, key);
    if (value.known)
        ds_json_unsigned(j, value.value);
    else
        ds_json_null(j);
}

void ds_json_key_hex(struct ds_json *j, const char *key, struct ds_opt value, unsigned digits)
{
    ds_json_key(j, key);
    if (value.known)
        ds_json_hex(j, value.value, digits);
    else
        ds_json_null(j);
}
