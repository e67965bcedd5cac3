#include "base/cursor.h"

#include "base/bytes.h"

struct ds_cursor ds_cursor_over(const void *data, size_t size)
{
    return (struct ds_cursor){.data = data, .size = size, .failed = SIZE_MAX};
}

bool ds_cursor_ok(const struct ds_cursor *c)
{
    return c->failed == SIZE_MAX;
}

size_t ds_cursor_left(const struct ds_cursor *c)
{
    return ds_cursor_ok(c) ? c->size - c->pos : 0;
}

static void cursor_fail(struct ds_cursor *c)
{
    if (ds_cursor_ok(c))
        c->failed = c->pos;
}

void ds_cursor_seek(struct ds_cursor *c, uint64_t pos)
{
    if (pos > c->size)
        cursor_fail(c);
    else
        c->pos = (size_t)pos;
}

const uint8_t *ds_cursor_bytes(struct ds_cursor *c, uint64_t count)
{
    if (!ds_cursor_ok(c) || count > c->size - c->pos) {
        cursor_fail(c);
        return NULL;
    }
    const uint8_t *p = c->data + c->pos;
    c->pos += (size_t)count;
    return p;
}

void ds_cursor_skip(struct ds_cursor *c, uint64_t count)
{
    (void)ds_cursor_bytes(c, count);
}

uint8_t ds_cursor_u8(struct ds_cursor *c)
{
    const uint8_t *p = ds_cursor_bytes(c, 1);
    return p ? p[0] : 0;
}

uint16_t ds_cursor_u16(struct ds_cursor *c)
{
    const uint8_t *p = ds_cursor_bytes(c, 2);
    return p ? ds_le16(p) : 0;
}

uint32_t ds_cursor_u32(struct ds_cursor *c)
{
    const uint8_t *p = ds_cursor_bytes(c, 4);
    return p ? ds_le32(p) : 0;
}

uint64_t ds_cursor_u64(struct ds_cursor *c)
{
    const uint8_t *p = ds_cursor_bytes(c, 8);
    return p ? ds_le64(p) : 0;
}
