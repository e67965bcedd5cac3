/*
 * A bounded little-endian reader over bytes in memory. It fails once and stays failed: read a
 * whole record, then ask ds_cursor_ok() one time. Reads past the end give 0.
 */
#ifndef DS_BASE_CURSOR_H
#define DS_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds_cursor {
    const uint8_t *data; /* borrowed */
    size_t size;
    size_t pos;    /* next byte; never above size */
    size_t failed; /* where the first failing read began; SIZE_MAX while none has failed */
};

struct ds_cursor ds_cursor_over(const void *data, size_t size);
bool ds_cursor_ok(const struct ds_cursor *c);
size_t ds_cursor_left(const struct ds_cursor *c);

/* Moves to an absolute position; out of range fails the cursor. */
void ds_cursor_seek(struct ds_cursor *c, uint64_t pos);
void ds_cursor_skip(struct ds_cursor *c, uint64_t count);

uint8_t ds_cursor_u8(struct ds_cursor *c);
uint16_t ds_cursor_u16(struct ds_cursor *c);
uint32_t ds_cursor_u32(struct ds_cursor *c);
uint64_t ds_cursor_u64(struct ds_cursor *c);

/* Borrows `count` bytes, or NULL (and fails). */
const uint8_t *ds_cursor_bytes(struct ds_cursor *c, uint64_t count);

#endif
