/* The lists of a triage dump: drivers, unloaded drivers, data blocks. */
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/text.h"
#include "dump/impl.h"

/* Offsets within a driver record; the record wraps a KLDR_DATA_TABLE_ENTRY (at 8, or 4 in the
 * 32-bit form). Checked on real dumps of both forms. */
struct driver_form {
    uint32_t stride; /* usual record size; later builds may have longer ones */
    uint32_t base, size, checksum, timestamp;
    unsigned pointer;
};

static const struct driver_form driver64 = {0x90, 0x38, 0x48, 0x80, 0x88, 8};
static const struct driver_form driver32 = {0x4c, 0x1c, 0x24, 0x44, 0x48, 4};

static const struct driver_form *driver_form(const struct ds_dump *d)
{
    return d->header.is64 ? &driver64 : &driver32;
}

/* The record size that list, pool and count agree on, else the usual one. */
static uint32_t driver_stride(const struct ds_dump *d)
{
    const struct ds_triage_head *h = &d->head;
    const struct driver_form *f = driver_form(d);
    if (h->driver_count == 0 || h->string_pool_offset <= h->driver_list_offset)
        return f->stride;
    uint32_t room = h->string_pool_offset - h->driver_list_offset;
    uint32_t stride = room / h->driver_count;
    bool fits = room % h->driver_count == 0 && stride >= f->stride && stride <= 2 * f->stride &&
                stride % f->pointer == 0;
    return fits ? stride : f->stride;
}

/* Reads {u32 units, UTF-16 text} at a file offset as UTF-8; NULL when it cannot be read. */
static const char *read_pool_string(struct ds_dump *d, uint64_t off)
{
    struct ds_opt units = ds_dump_file_uint(d, off, 4);
    if (!units.known || units.value == 0 || units.value > DS_LIMIT_STRING)
        return NULL;
    uint8_t raw[2 * DS_LIMIT_STRING];
    if (ds_dump_read_file(d, off + 4, raw, 2 * (size_t)units.value) != DS_OK)
        return NULL;
    struct ds_buf text;
    ds_buf_init(&text, 4 * DS_LIMIT_STRING);
    ds_text_from_utf16(&text, raw, (size_t)units.value);
    const char *s = NULL;
    if (ds_buf_ok(&text))
        s = ds_arena_strdup(&d->arena, ds_buf_text(&text), text.len);
    ds_buf_deinit(&text);
    return s;
}

static bool in_pool(const struct ds_triage_head *h, uint64_t off)
{
    return off >= h->string_pool_offset && off - h->string_pool_offset < h->string_pool_size;
}

static bool read_driver(struct ds_dump *d, uint64_t off, struct ds_triage_driver *ret)
{
    const struct driver_form *f = driver_form(d);
    uint8_t raw[0x90];
    if (ds_dump_read_file(d, off, raw, f->stride) != DS_OK)
        return false;
    uint32_t name = ds_le32(raw);
    *ret = (struct ds_triage_driver){
        .name = in_pool(&d->head, name) ? read_pool_string(d, name) : NULL,
        .base = f->pointer == 8 ? ds_le64(raw + f->base) : ds_le32(raw + f->base),
        .size = ds_le32(raw + f->size),
        .checksum = ds_le32(raw + f->checksum),
        .timestamp = ds_le32(raw + f->timestamp),
        .file_offset = off,
    };
    return true;
}

enum ds_status ds_triage_read_drivers(struct ds_dump *d)
{
    const struct ds_triage_head *h = &d->head;
    d->driver_stride = driver_stride(d);
    uint64_t count = h->driver_count;
    if (count > DS_LIMIT_DRIVERS)
        count = DS_LIMIT_DRIVERS;
    /* The list ends where its names begin, whatever the count says. */
    if (h->string_pool_offset > h->driver_list_offset) {
        uint64_t room = (h->string_pool_offset - h->driver_list_offset) / d->driver_stride;
        count = count < room ? count : room;
    }
    uint64_t held = ds_dump_captured(d, h->driver_list_offset, UINT64_MAX) / d->driver_stride;
    count = count < held ? count : held;
    if (h->driver_list_offset < d->header.body_offset)
        count = 0;
    struct ds_triage_driver *list = ds_arena_alloc(&d->arena, count, sizeof(*list));
    if (list == NULL)
        return DS_NO_MEMORY;
    size_t n = 0;
    while (n < count &&
           read_driver(d, h->driver_list_offset + (uint64_t)n * d->driver_stride, &list[n]))
        n++;
    d->triage.drivers = list;
    d->triage.driver_count = n;
    return DS_OK;
}

/* DUMP_UNLOADED_DRIVERS: {UNICODE_STRING Name, WCHAR DriverName[12], StartAddress, EndAddress}. */
#define NAME_UNITS 12u

static const char *read_cut_name(struct ds_dump *d, const uint8_t *raw, size_t units)
{
    size_t n = 0;
    while (n < units && ds_le16(raw + 2 * n) != 0)
        n++;
    if (n == 0)
        return NULL;
    struct ds_buf text;
    ds_buf_init(&text, 4 * NAME_UNITS);
    ds_text_from_utf16(&text, raw, n);
    const char *s = ds_arena_strdup(&d->arena, ds_buf_text(&text), text.len);
    ds_buf_deinit(&text);
    return s;
}

static void read_unloaded(struct ds_dump *d, uint64_t off, const uint8_t *raw,
                          struct ds_triage_unloaded *ret)
{
    bool is64 = d->header.is64;
    size_t name = is64 ? 16 : 8, range = name + 2 * NAME_UNITS;
    size_t units = ds_le16(raw) / 2u;
    *ret = (struct ds_triage_unloaded){
        .name = read_cut_name(d, raw + name, units < NAME_UNITS ? units : NAME_UNITS),
        .name_cut = units > NAME_UNITS,
        .start = is64 ? ds_le64(raw + range) : ds_le32(raw + range),
        .end = is64 ? ds_le64(raw + range + 8) : ds_le32(raw + range + 4),
        .file_offset = off,
    };
}

enum ds_status ds_triage_read_unloaded(struct ds_dump *d)
{
    uint64_t off = d->head.unloaded_offset;
    if (off < d->header.body_offset)
        return DS_OK;
    struct ds_opt stated = ds_dump_file_uint(d, off, 4);
    if (!stated.known)
        return DS_OK;
    d->triage.unloaded_count_stated = stated.value;
    bool is64 = d->header.is64;
    const size_t stride = is64 ? 56 : 40;
    uint64_t first = off + (is64 ? 8 : 4);
    uint64_t count = stated.value < DS_LIMIT_UNLOADED ? stated.value : DS_LIMIT_UNLOADED;
    struct ds_triage_unloaded *list = ds_arena_alloc(&d->arena, count, sizeof(*list));
    if (list == NULL)
        return DS_NO_MEMORY;
    size_t n = 0;
    for (; n < count; n++) {
        uint8_t raw[56];
        uint64_t at = first + (uint64_t)n * stride;
        if (ds_dump_read_file(d, at, raw, stride) != DS_OK)
            break;
        read_unloaded(d, at, raw, &list[n]);
    }
    d->triage.unloaded = list;
    d->triage.unloaded_count = n;
    return DS_OK;
}

/* Data blocks: {u64 VA (sign-extended in 32-bit dumps), u32 offset, u32 size}. */
#define BLOCK_RECORD 16u

/* Writers put block after block, at most aligned: anything else is worth a word. */
static void judge_block(struct ds_dump *d, uint64_t record, uint64_t va, uint64_t off,
                        uint64_t size)
{
    struct ds_block_stats *s = &d->blocks;
    if (!ds_range_within(off, size, d->file_size)) {
        ds_oddity_add(&s->outside, record);
        s->lost_bytes += size - ds_dump_captured(d, off, size);
    } else if (off < d->header.body_offset || off + size > ds_triage_end(d)) {
        ds_oddity_add(&s->misplaced, record);
    }
    if (s->next_data == 0)
        s->first_data = off;
    else if (off < s->next_data || off - s->next_data >= 16)
        ds_oddity_add(&s->broken, record);
    s->next_data = off + size;
    if (size == 0)
        ds_oddity_add(&s->empty, record);
    va = ds_dump_va(d, va);
    if (!ds_va_canonical(d, va) || (size != 0 && !ds_va_canonical(d, va + size - 1)) ||
        size > UINT64_MAX - va)
        ds_oddity_add(&s->bad_va, record);
}

static enum ds_status add_blocks(struct ds_dump *d, uint64_t at, const uint8_t *raw, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = raw + i * BLOCK_RECORD;
        uint32_t off = ds_le32(p + 8), size = ds_le32(p + 12);
        judge_block(d, at + i * BLOCK_RECORD, ds_le64(p), off, size);
        enum ds_status st = ds_dump_virt_range_add(d, ds_le64(p), off, size, "data block");
        if (st != DS_OK)
            return st;
    }
    return DS_OK;
}

enum ds_status ds_triage_read_blocks(struct ds_dump *d)
{
    const struct ds_triage_head *h = &d->head;
    if (h->data_blocks_offset < d->header.body_offset)
        return DS_OK;
    uint64_t count = h->data_blocks_count;
    if (count > DS_LIMIT_DATA_BLOCKS)
        count = DS_LIMIT_DATA_BLOCKS;
    uint64_t held = ds_dump_captured(d, h->data_blocks_offset, UINT64_MAX) / BLOCK_RECORD;
    count = count < held ? count : held;
    uint8_t raw[256 * BLOCK_RECORD];
    for (uint64_t done = 0; done < count;) {
        size_t part = count - done < 256 ? (size_t)(count - done) : 256;
        uint64_t at = h->data_blocks_offset + done * BLOCK_RECORD;
        if (ds_dump_read_file(d, at, raw, part * BLOCK_RECORD) != DS_OK)
            break;
        enum ds_status st = add_blocks(d, at, raw, part);
        if (st != DS_OK)
            return st;
        done += part;
    }
    return DS_OK;
}
