#include "dump/blob_triage_data.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define COUNTS 8u
#define RANGE 16u
#define NAME_MAX 63u /* bytes; a byte becomes at most three of UTF-8 */

enum ds_status ds_triage_data_decode(const void *blob, size_t size, struct ds_triage_data *ret)
{
    const uint8_t *p = blob;
    *ret = (struct ds_triage_data){0};
    if (size < COUNTS)
        return DS_TRUNCATED;
    ret->stated = ds_le32(p);
    ret->ranges = p + COUNTS;
    size_t room = (size - COUNTS) / RANGE;
    ret->count = ret->stated < room ? ret->stated : room;
    if (ret->count < ret->stated)
        return DS_TRUNCATED;
    size_t at = COUNTS + ret->count * RANGE, stated = ds_le32(p + 4), left = size - at;
    size_t len = stated < left ? stated : left;
    if (len > NAME_MAX)
        len = NAME_MAX;
    struct ds_buf text;
    ds_buf_init(&text, sizeof(ret->name) - 1);
    ds_text_from_bytes(&text, p + at, len);
    memcpy(ret->name, ds_buf_text(&text), text.len);
    ds_buf_deinit(&text);
    return stated > left ? DS_TRUNCATED : DS_OK;
}

void ds_triage_data_range(const struct ds_triage_data *t, size_t index, uint64_t *va,
                          uint64_t *size)
{
    *va = ds_le64(t->ranges + index * RANGE);
    *size = ds_le64(t->ranges + index * RANGE + 8);
}
