#include "dump/hardware.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "base/text.h"

#define BLOB_MAX (256u << 10) /* bytes of one blob that are looked at */
#define STRUCTURES_MAX 4096   /* of one SMBIOS table */

/*
 * Tags seen in published minidumps, named by their content; the KMDF ones after
 * microsoft/Windows-Driver-Frameworks (src/framework/shared/inc/private/common/fxifr.h).
 */
static const struct {
    const char *tag, *name;
} blob_names[] = {
    {"54c84888-01d1-4c1e-bed6-282c98241303", "KMDF in-flight recorder"},
    {"f87e4a4c-c5a1-4d2f-bff0-d5de63a5e4c3", "WDF client drivers"},
    {"bc5c008f-1e3a-44d7-988d-86f6884c6758", "SMBIOS"},
    {"d03dc06f-d88e-44c5-ba2a-fae035172d19", "CPUID leaves"},
    {"6c7ac389-4313-47dc-9f34-a8800a0fb56c", "processor registry values"},
    {"e83b40d2-b0a0-4842-abea-71c9e3463dd1", "ACPI table headers"},
    {"9276c055-eb87-425c-b8b5-04e4d247f6cd", "PCI configuration space"},
    {"be84d651-a550-4367-8e63-ab792b631f94", "image path of a process"},
    {"b7631941-532a-4cd6-b1b1-edb5917d4557", "PnP black box"},
    {"80cc79cf-a719-4af1-bf97-fe29ff76ebc1", "winlogon black box"},
    {"da82441d-7142-4bc1-b844-0807c5a4b67f", "storage port driver"},
    {"2b88b710-1c93-4f7c-b06c-655ecc50decc", "event trace buffers"},
    {"270a33fd-3da6-460d-ba89-3c1bae21e39b", "event trace buffers"},
    {"2b4ae195-a64d-4f04-8ede-7e4f981bd42a", "triage data blocks of drivers"},
    {"bf2297dc-34ba-11dc-868a-e19155d89593", "NVIDIA driver data"},
};

const char *ds_blob_name(const char *tag)
{
    for (size_t i = 0; i < sizeof(blob_names) / sizeof(blob_names[0]); i++)
        if (ds_text_casecmp(tag, blob_names[i].tag) == 0)
            return blob_names[i].name;
    return NULL;
}

/* Keeps text without the blanks around it, unless there is text already. */
static void keep(char out[DS_HARDWARE_TEXT], const char *text)
{
    if (out[0] != '\0')
        return;
    while (*text == ' ')
        text++;
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == ' ')
        len--;
    size_t n = 0;
    while (n < len) { /* whole code points only */
        uint32_t c;
        size_t step = ds_text_decode(text + n, len - n, &c);
        if (n + step >= DS_HARDWARE_TEXT)
            break;
        n += step;
    }
    memcpy(out, text, n);
    out[n] = '\0';
}

static void keep_bytes(char out[DS_HARDWARE_TEXT], const void *bytes, size_t len)
{
    struct ds_buf b;
    ds_buf_init(&b, BLOB_MAX);
    ds_text_from_bytes(&b, bytes, len);
    keep(out, ds_buf_text(&b));
    ds_buf_deinit(&b);
}

/* One SMBIOS structure: its formatted part and the strings behind it. */
struct structure {
    const uint8_t *body;
    size_t body_size;
    const char *strings;
    size_t strings_size;
};

/* String number body[field] (1 = first) of the set; DMTF DSP0134, "Text strings". */
static void keep_string(char out[DS_HARDWARE_TEXT], const struct structure *s, size_t field)
{
    if (field >= s->body_size || s->body[field] == 0)
        return;
    const char *p = s->strings;
    size_t left = s->strings_size;
    for (unsigned i = 1; left > 0 && *p != '\0'; i++) {
        const char *nul = memchr(p, 0, left);
        size_t len = nul != NULL ? (size_t)(nul - p) : left;
        if (i == s->body[field]) {
            keep_bytes(out, p, len);
            return;
        }
        if (nul == NULL)
            return;
        p += len + 1;
        left -= len + 1;
    }
}

/* DMTF DSP0134: types 0 (BIOS), 1 (system), 2 (base board), 4 (processor). */
static void take_structure(struct ds_hardware *hw, uint8_t type, const struct structure *s)
{
    if (type == 0) {
        keep_string(hw->bios_vendor, s, 0x04);
        keep_string(hw->bios_version, s, 0x05);
        keep_string(hw->bios_date, s, 0x08);
    } else if (type == 1) {
        keep_string(hw->manufacturer, s, 0x04);
        keep_string(hw->product, s, 0x05);
    } else if (type == 2 && hw->board[0] == '\0') {
        char maker[DS_HARDWARE_TEXT] = "", product[DS_HARDWARE_TEXT] = "";
        struct ds_buf b;
        keep_string(maker, s, 0x04);
        keep_string(product, s, 0x05);
        ds_buf_init(&b, BLOB_MAX);
        ds_buf_printf(&b, "%s %s", maker, product);
        keep(hw->board, ds_buf_text(&b));
        ds_buf_deinit(&b);
    } else if (type == 4) {
        keep_string(hw->cpu, s, 0x10);
    }
}

/* Bytes of the string set that starts at p, its two final NULs included. */
static size_t string_set_size(const uint8_t *p, size_t left)
{
    for (size_t i = 0; i + 1 < left; i++)
        if (p[i] == 0 && p[i + 1] == 0)
            return i + 2;
    return left;
}

void ds_hardware_smbios(struct ds_hardware *hw, const void *data, size_t size)
{
    /* 8 bytes of head: method, major, minor, revision, u32 length of the table. */
    struct ds_cursor c = ds_cursor_over(data, size);
    ds_cursor_skip(&c, 8);
    for (unsigned i = 0; i < STRUCTURES_MAX && ds_cursor_left(&c) >= 4; i++) {
        const uint8_t *head = c.data + c.pos;
        uint8_t type = head[0], length = head[1];
        if (length < 4 || type == 127 || length > ds_cursor_left(&c))
            return;
        struct structure s = {.body = head, .body_size = length};
        ds_cursor_skip(&c, length);
        s.strings = (const char *)(c.data + c.pos);
        s.strings_size = string_set_size(c.data + c.pos, ds_cursor_left(&c));
        take_structure(hw, type, &s);
        ds_cursor_skip(&c, s.strings_size);
    }
}

/* {u32 size of name, name in UTF-16, u32 registry type, u32 size of data, data}, unpadded. */
void ds_hardware_cpu_values(struct ds_hardware *hw, const void *data, size_t size)
{
    struct ds_cursor c = ds_cursor_over(data, size);
    while (ds_cursor_left(&c) >= 12) {
        uint32_t name_size = ds_cursor_u32(&c);
        const uint8_t *name = ds_cursor_bytes(&c, name_size);
        uint32_t type = ds_cursor_u32(&c);
        uint32_t data_size = ds_cursor_u32(&c);
        const uint8_t *value = ds_cursor_bytes(&c, data_size);
        if (!ds_cursor_ok(&c) || name == NULL || value == NULL)
            return;
        struct ds_buf key, text;
        ds_buf_init(&key, 4 * BLOB_MAX);
        ds_buf_init(&text, 4 * BLOB_MAX);
        ds_text_from_utf16(&key, name, name_size >= 2 ? name_size / 2 - 1 : 0);
        if (type == 1 && strcmp(ds_buf_text(&key), "ProcessorNameString") == 0) { /* REG_SZ */
            ds_text_from_utf16(&text, value, data_size >= 2 ? data_size / 2 - 1 : 0);
            keep(hw->cpu, ds_buf_text(&text));
        } else if (type == 4 && data_size == 4 && !hw->cpu_mhz.known && /* REG_DWORD */
                   strcmp(ds_buf_text(&key), "~MHz") == 0) {
            struct ds_cursor v = ds_cursor_over(value, 4);
            hw->cpu_mhz = ds_opt_known(ds_cursor_u32(&v));
        }
        ds_buf_deinit(&key);
        ds_buf_deinit(&text);
    }
}

/*
 * Rows of {u32 subleaf, u32 leaf, u32 EAX EBX ECX EDX} of one processor, and the registers of
 * another. Leaves 0x80000002 to 0x80000004 hold the brand string (Intel SDM, CPUID).
 */
void ds_hardware_cpuid(struct ds_hardware *hw, const void *data, size_t size)
{
    char brand[48] = "";
    unsigned seen = 0;
    struct ds_cursor c = ds_cursor_over(data, size);
    while (ds_cursor_left(&c) >= 40) {
        ds_cursor_skip(&c, 4);
        uint32_t leaf = ds_cursor_u32(&c);
        const uint8_t *registers = ds_cursor_bytes(&c, 16);
        ds_cursor_skip(&c, 16);
        if (registers == NULL || leaf < 0x80000002u || leaf > 0x80000004u)
            continue;
        memcpy(brand + 16 * (leaf - 0x80000002u), registers, 16);
        seen |= 1u << (leaf - 0x80000002u);
    }
    if (seen == 7)
        keep_bytes(hw->cpu, brand, sizeof(brand));
}

void ds_hardware_read(struct ds_dump *dump, struct ds_hardware *ret)
{
    typedef void decode_fn(struct ds_hardware *, const void *, size_t);
    static const struct {
        const char *tag;
        decode_fn *decode;
    } kinds[] = {{"6c7ac389-4313-47dc-9f34-a8800a0fb56c", ds_hardware_cpu_values},
                 {"d03dc06f-d88e-44c5-ba2a-fae035172d19", ds_hardware_cpuid},
                 {"bc5c008f-1e3a-44d7-988d-86f6884c6758", ds_hardware_smbios}};
    *ret = (struct ds_hardware){.cpu_mhz = ds_opt_unknown(DS_OK)};
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (size_t i = 0; i < ds_dump_blob_count(dump); i++) {
            const struct ds_blob *b = ds_dump_blob(dump, i);
            if (ds_text_casecmp(b->tag, kinds[k].tag) != 0 || b->captured == 0)
                continue;
            size_t size = b->captured < BLOB_MAX ? (size_t)b->captured : BLOB_MAX;
            DS_AUTO_FREE void *bytes = ds_alloc_array(size, 1);
            if (bytes != NULL && ds_dump_read_file(dump, b->file_offset, bytes, size) == DS_OK)
                kinds[k].decode(ret, bytes, size);
        }
    }
}
