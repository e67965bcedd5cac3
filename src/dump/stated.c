/*
 * How large a dump is by its own first bytes: what an archive may inflate to unless the user says
 * more. Fields: Windows SDK mindumpdef.h; the bitmap header as in bitmap.c; the System V ABI.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "dump/impl.h"

struct form {
    size_t header, runs, run_size, type, required;
};

static const struct form form64 = {DS_HEADER64_SIZE, 0x88, 16, 0xf98, 0xfa0};
static const struct form form32 = {DS_HEADER32_SIZE, 0x64, 8, 0xf88, 0xfa0};
#define RUNS64 42u
#define RUNS32 86u

/* A complete dump; 0 when its runs make no sense. */
static uint64_t full_size(const uint8_t *head, const struct form *f)
{
    bool wide = f->run_size == 16;
    uint32_t count = ds_le32(head + f->runs);
    uint64_t pages = 0, bytes;
    if (count == 0 || count > (wide ? RUNS64 : RUNS32))
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *run = head + f->runs + (wide ? 16 : 8) + i * f->run_size;
        uint64_t length = wide ? ds_le64(run + 8) : ds_le32(run + 4);
        if (ds_add_overflows(pages, length, &pages))
            return 0;
    }
    if (ds_mul_overflows(pages, DS_PAGE_SIZE, &bytes) || ds_add_overflows(bytes, f->header, &bytes))
        return 0;
    return bytes;
}

static uint64_t bitmap_size(const uint8_t *head, size_t have)
{
    const uint8_t *body = head + DS_HEADER64_SIZE;
    uint64_t bytes;
    if (have < DS_HEADER64_SIZE + 0x38 || memcmp(body + 4, "DUMP", 4) != 0 ||
        ds_mul_overflows(ds_le64(body + 0x28), DS_PAGE_SIZE, &bytes) ||
        ds_add_overflows(bytes, ds_le64(body + 0x20), &bytes))
        return 0;
    return bytes;
}

static uint64_t dmp_size(const uint8_t *head, size_t have)
{
    bool wide = memcmp(head + 4, "DU64", 4) == 0;
    const struct form *f = wide ? &form64 : &form32;
    if (have < f->header)
        return 0;
    uint32_t type = ds_le32(head + f->type);
    uint64_t required = ds_le64(head + f->required), size = 0;
    if (type == 1)
        size = full_size(head, f);
    else if (wide && (type == 5 || type == 6))
        size = bitmap_size(head, have);
    else if (type == 4 && (uint32_t)required != DS_FILLER)
        return required;
    if (size == 0)
        return 0;
    return (uint32_t)required != DS_FILLER && required > size ? required : size;
}

static uint64_t elf_size(const uint8_t *head, size_t have)
{
    bool wide = head[4] == 2;
    if (have < 64)
        return 0;
    uint64_t at = wide ? ds_le64(head + 32) : ds_le32(head + 28), size = 0;
    uint64_t step = ds_le16(head + (wide ? 54 : 42)), count = ds_le16(head + (wide ? 56 : 44));
    if (step < (wide ? 56 : 32) || count == 0xffff || !ds_range_within(at, count * step, have))
        return 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *p = head + at + i * step;
        uint64_t end;
        if (ds_add_overflows(wide ? ds_le64(p + 8) : ds_le32(p + 4),
                             wide ? ds_le64(p + 32) : ds_le32(p + 16), &end))
            return 0;
        size = end > size ? end : size;
    }
    return size;
}

uint64_t ds_dump_stated_size(const uint8_t *head, size_t have)
{
    if (have >= 8 && memcmp(head, "PAGE", 4) == 0)
        return dmp_size(head, have);
    return ds_elf_probe(head, have) ? elf_size(head, have) : 0;
}
