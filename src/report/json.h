/*
 * A streaming JSON writer: valid UTF-8 and valid JSON whatever the strings hold. Knows nothing
 * of reports. Strings are escaped so that they are safe on a terminal as well.
 */
#ifndef DS_REPORT_JSON_H
#define DS_REPORT_JSON_H

#include "base/buf.h"
#include "base/opt.h"

#define DS_JSON_DEPTH 32

struct ds_json {
    struct ds_buf *out; /* borrowed */
    bool pretty;        /* indented; otherwise one line without a newline */
    unsigned depth;
    bool filled[DS_JSON_DEPTH]; /* whether the container at this depth has a member */
    bool after_key;
};

void ds_json_init(struct ds_json *j, struct ds_buf *out, bool pretty);

/* Containers; every open needs its close. Nesting beyond DS_JSON_DEPTH fails the buffer. */
void ds_json_object(struct ds_json *j);
void ds_json_object_end(struct ds_json *j);
void ds_json_array(struct ds_json *j);
void ds_json_array_end(struct ds_json *j);

/* The key of the next value inside an object. */
void ds_json_key(struct ds_json *j, const char *key);

/* Values. A NULL string is null. */
void ds_json_null(struct ds_json *j);
void ds_json_bool(struct ds_json *j, bool value);
void ds_json_string(struct ds_json *j, const char *utf8);
/* A number up to 2^53, a decimal string beyond, so that no reader loses digits. */
void ds_json_unsigned(struct ds_json *j, uint64_t value);
void ds_json_signed(struct ds_json *j, int64_t value);
/* null when not finite. */
void ds_json_real(struct ds_json *j, double value);
/* "0x" and exactly `digits` hex digits (more when the value needs them). */
void ds_json_hex(struct ds_json *j, uint64_t value, unsigned digits);

/* Key and value in one call; unknown is null. */
void ds_json_key_string(struct ds_json *j, const char *key, const char *utf8);
void ds_json_key_bool(struct ds_json *j, const char *key, bool value);
void ds_json_key_unsigned(struct ds_json *j, const char *key, uint64_t value);
void ds_json_key_opt(struct ds_json *j, const char *key, struct ds_opt value);
void ds_json_key_hex(struct ds_json *j, const char *key, struct ds_opt value, unsigned digits);

#endif
