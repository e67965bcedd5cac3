#include "dump/blob_wdf.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define ENTRY_SIZE 56u
#define NAME_SIZE 32u

bool ds_wdf_driver_at(const void *blob, size_t size, size_t index, struct ds_wdf_driver *ret)
{
    if (index >= size / ENTRY_SIZE)
        return false;
    const uint8_t *p = (const uint8_t *)blob + index * ENTRY_SIZE;
    *ret = (struct ds_wdf_driver){.globals = ds_le64(p),
                                  .major = ds_le32(p + 8),
                                  .minor = ds_le32(p + 12),
                                  .build = ds_le32(p + 16)};
    struct ds_buf text;
    ds_buf_init(&text, sizeof(ret->name) - 1);
    ds_text_from_bytes(&text, p + 20, NAME_SIZE);
    memcpy(ret->name, ds_buf_text(&text), text.len);
    ds_buf_deinit(&text);
    return true;
}
