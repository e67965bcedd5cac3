#include "symbols/pe_version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

#define DIRECTORY 16u /* bytes of a resource directory before its entries */
#define ENTRY 8u
#define TYPE_VERSION 16u /* RT_VERSION */
#define SUBDIRECTORY 0x80000000u
#define FIXED_SIGNATURE 0xfeef04bdu
#define FIXED_SIZE 52u
#define BLOCK_HEADER 6u /* wLength, wValueLength, wType */
#define KEY_MAX 64u     /* characters of a key that is looked at */

static enum ds_status read_rsrc(const struct ds_pe_memory *m, const struct ds_pe *pe, uint64_t off,
                                void *buf, size_t len)
{
    uint64_t va;
    if (!ds_range_within(off, len, pe->resource_size) ||
        ds_add_overflows(pe->base + pe->resource_rva, off, &va))
        return DS_CORRUPT;
    return m->read(m->arg, va, buf, len, NULL);
}

/* The offset that the entry with this id names (any id: the first); the top bit tells a
 * directory. */
static enum ds_status find_entry(const struct ds_pe_memory *m, const struct ds_pe *pe,
                                 uint64_t directory, bool any, uint32_t id, uint32_t *ret)
{
    uint8_t head[DIRECTORY], entry[ENTRY];
    enum ds_status status = read_rsrc(m, pe, directory, head, sizeof head);
    if (status != DS_OK)
        return status;
    uint32_t count = (uint32_t)ds_le16(head + 12) + ds_le16(head + 14);
    if (count > DS_LIMIT_RESOURCES)
        return DS_CORRUPT;
    for (uint32_t i = 0; i < count; i++) {
        status = read_rsrc(m, pe, directory + DIRECTORY + (uint64_t)i * ENTRY, entry, sizeof entry);
        if (status != DS_OK)
            return status;
        if (any || ds_le32(entry) == id) {
            *ret = ds_le32(entry + 4);
            return DS_OK;
        }
    }
    return DS_NOT_FOUND;
}

/* Type, name, language: three directories, then the data entry {RVA, size, code page, 0}. */
static enum ds_status find_data(const struct ds_pe_memory *m, const struct ds_pe *pe, uint32_t *rva,
                                uint32_t *size)
{
    uint8_t data[16];
    uint32_t at = 0;
    for (unsigned level = 0; level < 3; level++) {
        enum ds_status status =
            find_entry(m, pe, at & ~SUBDIRECTORY, level != 0, TYPE_VERSION, &at);
        if (status != DS_OK)
            return status;
        if ((at & SUBDIRECTORY) == 0) {
            if (level == 2)
                break;
            return DS_CORRUPT;
        }
        if (level == 2)
            return DS_CORRUPT;
    }
    enum ds_status status = read_rsrc(m, pe, at, data, sizeof data);
    if (status != DS_OK)
        return status;
    *rva = ds_le32(data);
    *size = ds_le32(data + 4);
    return *size != 0 && *size <= DS_LIMIT_VERSION_RESOURCE &&
                   ds_range_within(*rva, *size, pe->size_of_image)
               ? DS_OK
               : DS_CORRUPT;
}

/* One block of the version tree: {wLength, wValueLength, wType, key, padding, value, padding,
 * children}; blocks, values and children begin at multiples of four bytes. */
struct block {
    const uint8_t *base; /* of the whole resource: what offsets and padding count from */
    size_t start, end;
    uint32_t value_length; /* as stated: bytes, or characters when `text` */
    bool text;
    char key[KEY_MAX + 1]; /* ASCII; other characters are '?' */
    size_t value;          /* offset of the value, at most `end` */
};

static size_t align4(size_t n, size_t end)
{
    size_t up = (n + 3) & ~(size_t)3;
    return up < end ? up : end;
}

/* False where no whole block begins at `at`. */
static bool read_block(const uint8_t *base, size_t at, size_t end, struct block *b)
{
    if (!ds_range_within(at, BLOCK_HEADER, end))
        return false;
    size_t length = ds_le16(base + at);
    if (length < BLOCK_HEADER || length > end - at)
        return false;
    *b = (struct block){.base = base,
                        .start = at,
                        .end = at + length,
                        .value_length = ds_le16(base + at + 2),
                        .text = ds_le16(base + at + 4) == 1};
    size_t p = at + BLOCK_HEADER, n = 0;
    while (p + 2 <= b->end && ds_le16(base + p) != 0) {
        uint16_t c = ds_le16(base + p);
        if (n < KEY_MAX)
            b->key[n++] = c < 0x7f ? (char)c : '?';
        p += 2;
    }
    b->value = align4(p + 2 <= b->end ? p + 2 : b->end, b->end);
    return true;
}

static size_t first_child(const struct block *b)
{
    uint64_t bytes = (uint64_t)b->value_length * (b->text ? 2 : 1);
    if (bytes > b->end - b->value)
        bytes = b->end - b->value;
    return align4(b->value + (size_t)bytes, b->end);
}

static void keep_text(const struct block *b, char *out, size_t room)
{
    struct ds_buf words;
    size_t units = 0, max = (b->end - b->value) / 2;
    while (units < max && ds_le16(b->base + b->value + 2 * units) != 0)
        units++;
    ds_buf_init(&words, 4 * (size_t)DS_LIMIT_VERSION_RESOURCE);
    ds_text_from_utf16(&words, b->base + b->value, units);
    const char *s = ds_buf_text(&words);
    while (*s == ' ')
        s++;
    size_t len = strlen(s), used = 0;
    for (uint32_t code; used < len;) {
        size_t step = ds_text_decode(s + used, len - used, &code);
        if (used + step >= room)
            break;
        used += step;
    }
    while (used > 0 && s[used - 1] == ' ')
        used--;
    memcpy(out, s, used);
    out[used] = '\0';
    ds_buf_deinit(&words);
}

static void take_string(const struct block *b, struct ds_pe_version *v)
{
    const struct {
        const char *key;
        char *text;
        size_t room;
    } wanted[] = {
        {"CompanyName", v->company, sizeof v->company},
        {"ProductName", v->product, sizeof v->product},
        {"FileDescription", v->description, sizeof v->description},
        {"FileVersion", v->file_version, sizeof v->file_version},
        {"ProductVersion", v->product_version, sizeof v->product_version},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (strcmp(b->key, wanted[i].key) == 0 && wanted[i].text[0] == '\0')
            keep_text(b, wanted[i].text, wanted[i].room);
    }
}

/* The strings of every language, the first one first. */
static void take_tables(const struct block *info, struct ds_pe_version *v)
{
    struct block table, string;
    for (size_t at = first_child(info); read_block(info->base, at, info->end, &table);
         at = align4(table.end, info->end)) {
        for (size_t s = first_child(&table); read_block(info->base, s, table.end, &string);
             s = align4(string.end, table.end))
            take_string(&string, v);
    }
}

static void number_text(const uint16_t n[4], char *out, size_t room)
{
    (void)snprintf(out, room, "%u.%u.%u.%u", n[0], n[1], n[2], n[3]);
}

static void take_fixed(const struct block *root, struct ds_pe_version *v)
{
    const uint8_t *p = root->base + root->value;
    if (root->end - root->value < FIXED_SIZE || ds_le32(p) != FIXED_SIGNATURE)
        return;
    uint16_t product[4];
    for (unsigned i = 0; i < 4; i++) { /* the high word of each pair first */
        v->file_numbers[i] = ds_le16(p + 8 + (i / 2) * 4 + (i % 2 == 0 ? 2 : 0));
        product[i] = ds_le16(p + 16 + (i / 2) * 4 + (i % 2 == 0 ? 2 : 0));
    }
    v->has_numbers = true;
    if (v->file_version[0] == '\0')
        number_text(v->file_numbers, v->file_version, sizeof v->file_version);
    if (v->product_version[0] == '\0')
        number_text(product, v->product_version, sizeof v->product_version);
}

static enum ds_status parse(const uint8_t *data, size_t size, struct ds_pe_version *v)
{
    struct block root, child;
    if (!read_block(data, 0, size, &root) || strcmp(root.key, "VS_VERSION_INFO") != 0)
        return DS_CORRUPT;
    for (size_t at = first_child(&root); read_block(data, at, root.end, &child);
         at = align4(child.end, root.end)) {
        if (strcmp(child.key, "StringFileInfo") == 0)
            take_tables(&child, v);
    }
    take_fixed(&root, v);
    return DS_OK;
}

enum ds_status ds_pe_read_version(const struct ds_pe_memory *memory, const struct ds_pe *pe,
                                  struct ds_pe_version *ret)
{
    uint32_t rva, size;
    if (pe->resource_size == 0)
        return DS_NOT_FOUND;
    enum ds_status status = find_data(memory, pe, &rva, &size);
    if (status != DS_OK)
        return status;
    DS_AUTO_FREE uint8_t *data = ds_alloc_array(size, 1);
    if (data == NULL)
        return DS_NO_MEMORY;
    status = memory->read(memory->arg, pe->base + rva, data, size, NULL);
    struct ds_pe_version v = {0};
    if (status == DS_OK)
        status = parse(data, size, &v);
    if (status == DS_OK)
        *ret = v;
    return status;
}
