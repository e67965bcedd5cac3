/*
 * A pull parser for JSON that somebody else wrote (RFC 8259): bytes come in pieces from a
 * function, events go out one by one, nothing is built. Memory is one buffer, whatever the input;
 * depth is capped at DS_LIMIT_JSON_DEPTH, a string at DS_LIMIT_JSON_TOKEN bytes.
 */
#ifndef DS_BASE_JSON_H
#define DS_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "dumpscan/status.h"

enum ds_json_event {
    DS_JSON_ERROR, /* and from then on only this; see ds_json.err */
    DS_JSON_END,   /* after the one top-level value */
    DS_JSON_OBJECT,
    DS_JSON_OBJECT_END,
    DS_JSON_ARRAY,
    DS_JSON_ARRAY_END,
    DS_JSON_KEY, /* its value is the next event */
    DS_JSON_STRING,
    DS_JSON_NUMBER,
    DS_JSON_TRUE,
    DS_JSON_FALSE,
    DS_JSON_NULL
};

/* Fills buf with up to len bytes; *got 0 is the end. A status other than DS_OK ends the parse. */
typedef enum ds_status (*ds_json_read)(void *arg, void *buf, size_t len, size_t *got,
                                       struct ds_err *err);

struct ds_json {
    /* Text of the last key, string or number: unescaped, NUL-terminated (a string may hold NULs
     * of its own), UTF-8 as far as the input is; valid until the next call. */
    const char *text;
    size_t text_len;
    struct ds_err err; /* why DS_JSON_ERROR, with the byte offset */
    /* The rest is private. */
    ds_json_read read;
    void *arg;
    char *buf; /* owned */
    size_t pos, len;
    uint64_t base; /* offset of buf[0] in the input */
    bool at_end;
    unsigned state;
    unsigned depth;
    uint8_t is_object[DS_LIMIT_JSON_DEPTH];
    char number[64];
};

/* Errors: DS_NO_MEMORY. */
enum ds_status ds_json_open(struct ds_json *j, ds_json_read read, void *arg) DS_MUST_CHECK;
/* Closing one that was zeroed and never opened is allowed. */
void ds_json_close(struct ds_json *j);

enum ds_json_event ds_json_next(struct ds_json *j);

/* Passes over the value that comes next (after a key, or inside an array). False on an error. */
bool ds_json_skip(struct ds_json *j);

/* The last number as an unsigned integer; false when it is negative, a fraction or too large. */
bool ds_json_u64(const struct ds_json *j, uint64_t *ret);

/* Whether the last key or string is this one. */
bool ds_json_is(const struct ds_json *j, const char *text);

#endif
