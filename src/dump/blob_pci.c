#include "dump/blob_pci.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"

#define RECORD_HEADER 0x38u
#define SPACE 0x1000u /* bytes of PCI Express configuration space */
#define CAPABILITY_MAX 48u
#define CAPABILITY_SSVID 0x0du /* PCI-to-PCI bridge subsystem */

/* The pieces of one record, which stays in the blob. */
struct pieces {
    const uint8_t *p;
    size_t size;
    uint32_t count;
};

/* `bytes` bytes at `offset` of configuration space; NULL when no piece has them all. */
static const uint8_t *space_at(const struct pieces *s, size_t offset, size_t bytes)
{
    struct ds_cursor c = ds_cursor_over(s->p, s->size);
    for (uint32_t i = 0; i < s->count; i++) {
        size_t at = ds_cursor_u16(&c), len = ds_cursor_u16(&c);
        const uint8_t *data = ds_cursor_bytes(&c, len);
        if (data == NULL)
            return NULL;
        if (offset >= at && offset - at <= len && bytes <= len - (offset - at))
            return data + (offset - at);
    }
    return NULL;
}

static struct ds_opt number(const struct pieces *s, size_t offset, size_t bytes)
{
    const uint8_t *p = space_at(s, offset, bytes);
    if (p == NULL)
        return ds_opt_unknown(DS_NOT_IN_DUMP);
    return ds_opt_known(bytes == 2 ? ds_le16(p) : *p);
}

static void take_bridge(const struct pieces *s, struct ds_pci_function *ret)
{
    ret->secondary_bus = number(s, 0x19, 1);
    ret->subordinate_bus = number(s, 0x1a, 1);
    struct ds_opt at = number(s, 0x34, 1);
    for (unsigned i = 0; at.known && at.value >= 0x40 && i < CAPABILITY_MAX; i++) {
        size_t offset = (size_t)at.value & 0xfc;
        struct ds_opt id = number(s, offset, 1);
        if (id.known && id.value == CAPABILITY_SSVID) {
            ret->subsystem_vendor_id = number(s, offset + 4, 2);
            ret->subsystem_id = number(s, offset + 6, 2);
            return;
        }
        at = number(s, offset + 1, 1);
    }
}

static void take_registers(const struct pieces *s, struct ds_pci_function *ret)
{
    ret->vendor_id = number(s, 0x00, 2);
    ret->device_id = number(s, 0x02, 2);
    ret->command = number(s, 0x04, 2);
    ret->status = number(s, 0x06, 2);
    ret->revision = number(s, 0x08, 1);
    ret->prog_if = number(s, 0x09, 1);
    ret->sub_class = number(s, 0x0a, 1);
    ret->base_class = number(s, 0x0b, 1);
    ret->header_type = number(s, 0x0e, 1);
    ret->subsystem_vendor_id = ret->subsystem_id = ds_opt_unknown(DS_NOT_IN_DUMP);
    if (!ret->header_type.known)
        return;
    ret->header_type.value &= 0x7f;
    if (ret->header_type.value == 1) {
        take_bridge(s, ret);
    } else if (ret->header_type.value == 0) {
        ret->subsystem_vendor_id = number(s, 0x2c, 2);
        ret->subsystem_id = number(s, 0x2e, 2);
    }
}

enum ds_status ds_pci_next(const void *blob, size_t size, size_t *pos, struct ds_pci_function *ret)
{
    if (*pos >= size)
        return DS_NOT_FOUND;
    const uint8_t *p = (const uint8_t *)blob + *pos;
    size_t left = size - *pos;
    if (left < RECORD_HEADER)
        return DS_TRUNCATED;
    size_t length = ds_le32(p + 4);
    if (memcmp(p, "PCfg", 4) != 0 || length < RECORD_HEADER)
        return DS_CORRUPT;
    bool cut = length > left;
    if (cut)
        length = left;
    uint32_t location = ds_le32(p + 0xc);
    *ret = (struct ds_pci_function){.bus = location >> 8 & 0xff,
                                    .device = location >> 3 & 0x1f,
                                    .function = location & 7,
                                    .offset = *pos,
                                    .size = length,
                                    .pieces = ds_le32(p + 8)};
    struct pieces s = {.p = p + RECORD_HEADER, .size = length - RECORD_HEADER};
    struct ds_cursor c = ds_cursor_over(s.p, s.size);
    while (s.count < ret->pieces && s.count < SPACE) {
        (void)ds_cursor_u16(&c);
        uint16_t bytes = ds_cursor_u16(&c);
        if (ds_cursor_bytes(&c, bytes) == NULL)
            break;
        ret->captured += bytes;
        s.count++;
    }
    take_registers(&s, ret);
    *pos = cut ? size : *pos + length;
    return DS_OK;
}

const char *ds_pci_class_name(unsigned base_class, unsigned sub_class)
{
    const char *other = NULL;
    for (size_t i = 0; i < ds_pci_class_count; i++) {
        if (ds_pci_classes[i].code == (base_class << 8 | sub_class))
            return ds_pci_classes[i].name;
        if (ds_pci_classes[i].code == (base_class << 8 | 0xff))
            other = ds_pci_classes[i].name;
    }
    return other;
}
