#include "dump/smbios.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define HEADER_SIZE 8u
#define STRUCTURE_MAX 4096u /* structures of one table that are read */

/* A text of the formatted area: type, offset of its string number, where it goes. */
struct text_field {
    uint8_t type, offset;
    const char *name;
    size_t member;
};

#define TEXT(type, offset, m)                                                                      \
    {                                                                                              \
        type, offset, #m, offsetof(struct ds_smbios, m)                                            \
    }

static const struct text_field texts[] = {
    TEXT(0, 0x04, bios_vendor),
    TEXT(0, 0x05, bios_version),
    TEXT(0, 0x08, bios_release_date),
    TEXT(1, 0x04, system_manufacturer),
    TEXT(1, 0x05, system_product),
    TEXT(1, 0x06, system_version),
    TEXT(1, 0x19, system_sku),
    TEXT(1, 0x1a, system_family),
    TEXT(2, 0x04, board_manufacturer),
    TEXT(2, 0x05, board_product),
    TEXT(2, 0x06, board_version),
    TEXT(4, 0x04, processor_socket),
    TEXT(4, 0x07, processor_manufacturer),
    TEXT(4, 0x10, processor_version),
};

#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

struct structure {
    const uint8_t *formatted;
    size_t length; /* of the formatted area */
    const uint8_t *strings;
    size_t strings_size; /* of the string set, its closing double NUL included */
};

/* The strings behind the formatted area end at the first two NULs in a row. */
static enum ds_status next_structure(const uint8_t *p, size_t left, struct structure *s)
{
    if (left < 4)
        return DS_TRUNCATED;
    if (p[1] < 4)
        return DS_CORRUPT;
    if (p[1] > left)
        return DS_TRUNCATED;
    *s = (struct structure){.formatted = p, .length = p[1], .strings = p + p[1]};
    size_t room = left - s->length;
    for (size_t i = 0; i + 1 < room; i++) {
        if (s->strings[i] == 0 && s->strings[i + 1] == 0) {
            s->strings_size = i + 2;
            return DS_OK;
        }
    }
    return DS_TRUNCATED;
}

/* Copies string `number` (from 1) without the blanks at its ends. */
static void copy_string(const struct structure *s, unsigned number, char *out)
{
    size_t at = 0;
    for (unsigned i = 1; i < number && at < s->strings_size && s->strings[at] != 0; i++) {
        while (at < s->strings_size && s->strings[at] != 0)
            at++;
        at++;
    }
    size_t n = 0;
    while (at + n < s->strings_size && s->strings[at + n] != 0)
        n++;
    while (n > 0 && s->strings[at] == ' ') {
        at++;
        n--;
    }
    while (n > 0 && s->strings[at + n - 1] == ' ')
        n--;
    struct ds_buf text;
    ds_buf_init(&text, DS_SMBIOS_TEXT - 1);
    if (n > 0)
        ds_text_from_bytes(&text, s->strings + at, n);
    memcpy(out, ds_buf_text(&text), text.len);
    out[text.len] = '\0';
    ds_buf_deinit(&text);
}

static void take_texts(const struct structure *s, struct ds_smbios *ret)
{
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        char *out = (char *)ret + texts[i].member;
        if (texts[i].type != s->formatted[0] || texts[i].offset >= s->length || out[0] != '\0')
            continue;
        unsigned number = s->formatted[texts[i].offset];
        if (number != 0)
            copy_string(s, number, out);
    }
}

/* Memory device (type 17): size in MB, or KB with bit 15; 0x7fff = extended size at 0x1c in MB. */
static void take_memory(const struct structure *s, struct ds_smbios *ret)
{
    if (s->length < 0xe)
        return;
    uint64_t size = ds_le16(s->formatted + 0xc);
    if (size == 0 || size == 0xffff)
        return;
    uint64_t bytes = (size & 0x8000) != 0 ? (size & 0x7fff) << 10 : size << 20;
    if (size == 0x7fff && s->length >= 0x20)
        bytes = (uint64_t)(ds_le32(s->formatted + 0x1c) & 0x7fffffffu) << 20;
    ret->memory_bytes = ds_opt_known(ds_opt_or(ret->memory_bytes, 0) + bytes);
}

static void take_structure(const struct structure *s, struct ds_smbios *ret)
{
    take_texts(s, ret);
    ret->structures++;
    if (s->formatted[0] == 4) {
        ret->processor_structures++;
        if (s->length >= 0x16 && ds_le16(s->formatted + 0x14) != 0 && !ret->processor_max_mhz.known)
            ret->processor_max_mhz = ds_opt_known(ds_le16(s->formatted + 0x14));
    }
    if (s->formatted[0] == 17)
        take_memory(s, ret);
}

enum ds_status ds_smbios_decode(const void *blob, size_t size, struct ds_smbios *ret)
{
    const uint8_t *p = blob;
    *ret = (struct ds_smbios){0};
    if (size < HEADER_SIZE)
        return DS_TRUNCATED;
    ret->major = p[1];
    ret->minor = p[2];
    size_t stated = ds_le32(p + 4), left = size - HEADER_SIZE;
    bool cut = stated > left;
    if (!cut)
        left = stated;
    p += HEADER_SIZE;
    while (left > 0) {
        struct structure s;
        if (ret->structures >= STRUCTURE_MAX)
            return DS_LIMIT;
        enum ds_status st = next_structure(p, left, &s);
        if (st != DS_OK)
            return st;
        take_structure(&s, ret);
        if (s.formatted[0] == 127) /* end of table */
            return DS_OK;
        size_t used = s.length + s.strings_size;
        p += used;
        left -= used;
    }
    return cut ? DS_TRUNCATED : DS_OK;
}

bool ds_smbios_row(const struct ds_smbios *s, size_t index, const char **name, const char **value)
{
    if (index >= TEXT_COUNT)
        return false;
    *name = texts[index].name;
    *value = (const char *)s + texts[index].member;
    return true;
}
