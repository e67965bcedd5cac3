#include "dump/smbios.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "dump/smbios_walk.h"

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
    TEXT(3, 0x04, chassis_manufacturer),
    TEXT(3, 0x06, chassis_version),
    TEXT(4, 0x04, processor_socket),
    TEXT(4, 0x07, processor_manufacturer),
    TEXT(4, 0x10, processor_version),
};

#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

/* The strings behind the formatted area end at the first two NULs in a row. */
static enum ds_status next_structure(const uint8_t *p, size_t left, struct ds_smbios_structure *s)
{
    if (left < 4)
        return DS_TRUNCATED;
    if (p[1] < 4)
        return DS_CORRUPT;
    if (p[1] > left)
        return DS_TRUNCATED;
    *s = (struct ds_smbios_structure){.formatted = p, .length = p[1], .strings = p + p[1]};
    size_t room = left - s->length;
    for (size_t i = 0; i + 1 < room; i++) {
        if (s->strings[i] == 0 && s->strings[i + 1] == 0) {
            s->strings_size = i + 2;
            return DS_OK;
        }
    }
    return DS_TRUNCATED;
}

enum ds_status ds_smbios_walk_begin(const void *blob, size_t size, struct ds_smbios_walk *ret)
{
    const uint8_t *p = blob;
    *ret = (struct ds_smbios_walk){0};
    if (size < HEADER_SIZE)
        return DS_TRUNCATED;
    size_t stated = ds_le32(p + 4);
    ret->p = p + HEADER_SIZE;
    ret->left = size - HEADER_SIZE;
    ret->cut = stated > ret->left;
    if (!ret->cut)
        ret->left = stated;
    return DS_OK;
}

enum ds_status ds_smbios_structure_next(struct ds_smbios_walk *w, struct ds_smbios_structure *ret)
{
    if (w->ended)
        return DS_NOT_FOUND;
    if (w->left == 0)
        return w->cut ? DS_TRUNCATED : DS_NOT_FOUND;
    if (w->seen >= STRUCTURE_MAX)
        return DS_LIMIT;
    enum ds_status st = next_structure(w->p, w->left, ret);
    if (st != DS_OK)
        return st;
    size_t used = ret->length + ret->strings_size;
    w->p += used;
    w->left -= used;
    w->seen++;
    w->ended = ret->formatted[0] == 127; /* end of table */
    return DS_OK;
}

/* Copies string `number` (from 1) without the blanks at its ends. */
static void copy_string(const struct ds_smbios_structure *s, unsigned number, char *out)
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

void ds_smbios_string(const struct ds_smbios_structure *s, size_t offset, char *out)
{
    if (offset < s->length && s->formatted[offset] != 0)
        copy_string(s, s->formatted[offset], out);
}

static void take_texts(const struct ds_smbios_structure *s, struct ds_smbios *ret)
{
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        char *out = (char *)ret + texts[i].member;
        if (texts[i].type == s->formatted[0] && out[0] == '\0')
            ds_smbios_string(s, texts[i].offset, out);
    }
}

/* A release number: the pair is 0xff where the firmware does not say. */
static void take_release(const struct ds_smbios_structure *s, size_t offset, struct ds_opt *major,
                         struct ds_opt *minor)
{
    if (s->length < offset + 2 ||
        (s->formatted[offset] == 0xff && s->formatted[offset + 1] == 0xff))
        return;
    *major = ds_opt_known(s->formatted[offset]);
    *minor = ds_opt_known(s->formatted[offset + 1]);
}

/* BIOS (type 0): releases, and of the second extension byte UEFI and "a virtual machine". */
static void take_bios(const struct ds_smbios_structure *s, struct ds_smbios *ret)
{
    take_release(s, 0x14, &ret->bios_major, &ret->bios_minor);
    take_release(s, 0x16, &ret->ec_major, &ret->ec_minor);
    if (s->length < 0x14)
        return;
    ret->uefi = ds_opt_known(s->formatted[0x13] >> 3 & 1);
    ret->virtual_machine = ds_opt_known(s->formatted[0x13] >> 4 & 1);
}

static void take_numbers(const struct ds_smbios_structure *s, struct ds_smbios *ret)
{
    struct ds_opt bytes;
    switch (s->formatted[0]) {
    case 0:
        if (!ret->uefi.known)
            take_bios(s, ret);
        break;
    case 3:
        if (s->length > 5 && !ret->chassis_type.known)
            ret->chassis_type = ds_opt_known(s->formatted[5] & 0x7f);
        break;
    case 4:
        ret->processor_structures++;
        if (s->length >= 0x16 && ds_le16(s->formatted + 0x14) != 0 && !ret->processor_max_mhz.known)
            ret->processor_max_mhz = ds_opt_known(ds_le16(s->formatted + 0x14));
        break;
    case 17:
        bytes = ds_smbios_memory_size(s);
        if (bytes.known && bytes.value != 0)
            ret->memory_bytes = ds_opt_known(ds_opt_or(ret->memory_bytes, 0) + bytes.value);
        break;
    default:
        break;
    }
}

enum ds_status ds_smbios_decode(const void *blob, size_t size, struct ds_smbios *ret)
{
    const uint8_t *p = blob;
    struct ds_smbios_walk w;
    struct ds_smbios_structure s;
    *ret = (struct ds_smbios){0};
    enum ds_status st = ds_smbios_walk_begin(blob, size, &w);
    if (st != DS_OK)
        return st;
    ret->major = p[1];
    ret->minor = p[2];
    while ((st = ds_smbios_structure_next(&w, &s)) == DS_OK) {
        take_texts(&s, ret);
        take_numbers(&s, ret);
        ret->structures++;
    }
    return st == DS_NOT_FOUND ? DS_OK : st;
}

enum ds_status ds_smbios_identify(const void *blob, size_t size, struct ds_smbios_identity *ret)
{
    struct ds_smbios_walk w;
    struct ds_smbios_structure s;
    *ret = (struct ds_smbios_identity){0};
    enum ds_status st = ds_smbios_walk_begin(blob, size, &w);
    while (st == DS_OK && (st = ds_smbios_structure_next(&w, &s)) == DS_OK) {
        if (s.formatted[0] == 1 && s.length >= 0x18 && !ret->has_uuid) {
            memcpy(ret->uuid, s.formatted + 8, sizeof(ret->uuid));
            ret->has_uuid = true;
        }
        if (s.formatted[0] == 2 && ret->board_serial[0] == '\0')
            ds_smbios_string(&s, 7, ret->board_serial);
    }
    return st == DS_NOT_FOUND ? DS_OK : st;
}

bool ds_smbios_row(const struct ds_smbios *s, size_t index, const char **name, const char **value)
{
    if (index >= TEXT_COUNT)
        return false;
    *name = texts[index].name;
    *value = (const char *)s + texts[index].member;
    return true;
}

const char *ds_smbios_chassis_name(struct ds_opt type)
{
    static const char *const names[] = {
        [3] = "desktop",
        [4] = "low-profile desktop",
        [5] = "pizza box",
        [6] = "mini tower",
        [7] = "tower",
        [8] = "portable",
        [9] = "laptop",
        [10] = "notebook",
        [11] = "hand-held",
        [12] = "docking station",
        [13] = "all-in-one",
        [14] = "sub-notebook",
        [15] = "space-saving",
        [16] = "lunch box",
        [17] = "main server chassis",
        [18] = "expansion chassis",
        [19] = "sub-chassis",
        [23] = "rack mount chassis",
        [24] = "sealed-case PC",
        [25] = "multi-system chassis",
        [28] = "blade",
        [29] = "blade enclosure",
        [30] = "tablet",
        [31] = "convertible",
        [32] = "detachable",
        [33] = "IoT gateway",
        [34] = "embedded PC",
        [35] = "mini PC",
        [36] = "stick PC",
    };
    return type.known && type.value < sizeof(names) / sizeof(names[0]) ? names[type.value] : NULL;
}
