/*
 * DUMP_HEADER32 and DUMP_HEADER64. Offsets: Windows SDK um/mindumpdef.h, as also quoted by
 * several independent open readers; checked on real dumps of both forms.
 */
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/text.h"
#include "dump/impl.h"

struct field {
    uint16_t offset;
    uint8_t size; /* 1, 4 or 8 bytes */
    uint8_t unset_byte;
    size_t member; /* of struct ds_dump_header */
};

#define AT(m) offsetof(struct ds_dump_header, m)

static const struct field fields64[] = {
    {0x008, 4, 0, AT(major_version)},
    {0x00c, 4, 0, AT(minor_version)},
    {0x010, 8, 0, AT(dtb)},
    {0x018, 8, 0, AT(pfn_database)},
    {0x020, 8, 0, AT(ps_loaded_module_list)},
    {0x028, 8, 0, AT(ps_active_process_head)},
    {0x030, 4, 0, AT(machine)},
    {0x034, 4, 0, AT(processor_count)},
    {0x038, 4, 0, AT(bugcheck_code)},
    {0x040, 8, 0, AT(bugcheck_parameter[0])},
    {0x048, 8, 0, AT(bugcheck_parameter[1])},
    {0x050, 8, 0, AT(bugcheck_parameter[2])},
    {0x058, 8, 0, AT(bugcheck_parameter[3])},
    {0x080, 8, 0, AT(kd_debugger_data_block)},
    {0xf98, 4, 0, AT(dump_type)},
    {0xfa0, 8, 0, AT(required_dump_space)},
    {0xfa8, 8, 0, AT(system_time)},
    {0x1030, 8, 0, AT(system_up_time)},
    {0x1038, 4, 0, AT(mini_dump_fields)},
    {0x103c, 4, 0, AT(secondary_data_state)},
    {0x1040, 4, 0, AT(product_type)},
    {0x1044, 4, 0, AT(suite_mask)},
    {0x1048, 4, 0, AT(writer_status)},
    {0x104d, 1, 'A', AT(kd_secondary_version)},
    {0x1050, 4, 0, AT(attributes)},
    {0x1054, 4, 0, AT(boot_id)},
};

static const struct field fields32[] = {
    {0x008, 4, 0, AT(major_version)},
    {0x00c, 4, 0, AT(minor_version)},
    {0x010, 4, 0, AT(dtb)},
    {0x014, 4, 0, AT(pfn_database)},
    {0x018, 4, 0, AT(ps_loaded_module_list)},
    {0x01c, 4, 0, AT(ps_active_process_head)},
    {0x020, 4, 0, AT(machine)},
    {0x024, 4, 0, AT(processor_count)},
    {0x028, 4, 0, AT(bugcheck_code)},
    {0x02c, 4, 0, AT(bugcheck_parameter[0])},
    {0x030, 4, 0, AT(bugcheck_parameter[1])},
    {0x034, 4, 0, AT(bugcheck_parameter[2])},
    {0x038, 4, 0, AT(bugcheck_parameter[3])},
    {0x05c, 1, 'P', AT(pae_enabled)},
    {0x05d, 1, 'A', AT(kd_secondary_version)},
    {0x060, 4, 0, AT(kd_debugger_data_block)},
    {0x8a0, 4, 0, AT(attributes)},
    {0x8a4, 4, 0, AT(boot_id)},
    {0xf88, 4, 0, AT(dump_type)},
    {0xf8c, 4, 0, AT(mini_dump_fields)},
    {0xf90, 4, 0, AT(secondary_data_state)},
    {0xf94, 4, 0, AT(product_type)},
    {0xf98, 4, 0, AT(suite_mask)},
    {0xf9c, 4, 0, AT(writer_status)},
    {0xfa0, 8, 0, AT(required_dump_space)},
    {0xfb8, 8, 0, AT(system_up_time)},
    {0xfc0, 8, 0, AT(system_time)},
};

#undef AT

static struct ds_opt read_field(const uint8_t *raw, size_t have, const struct field *f)
{
    if ((size_t)f->offset + f->size > have)
        return ds_opt_unknown(DS_TRUNCATED);
    const uint8_t *p = raw + f->offset;
    if (f->size == 1)
        return *p == f->unset_byte ? ds_opt_unknown(DS_OK) : ds_opt_known(*p);
    if (f->size == 4)
        return ds_le32(p) == DS_FILLER ? ds_opt_unknown(DS_OK) : ds_opt_known(ds_le32(p));
    if (ds_le32(p) == DS_FILLER && ds_le32(p + 4) == DS_FILLER)
        return ds_opt_unknown(DS_OK);
    return ds_opt_known(ds_le64(p));
}

struct ds_opt ds_header_word(const struct ds_dump *d, size_t off)
{
    struct field f = {.offset = (uint16_t)off, .size = 4};
    uint64_t have = d->header.body_offset;
    if (have > d->file_size)
        have = d->file_size;
    return read_field(d->raw_header, (size_t)have, &f);
}

static size_t text_before_filler(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 4 <= n; i += 4) {
        if (ds_le32(p + i) == DS_FILLER)
            return i;
    }
    return n;
}

/* Text of a fixed array; the filler, wherever it begins, is no text. */
static void read_text(const uint8_t *raw, size_t have, size_t off, size_t len, char *out)
{
    size_t n = 0;
    while (n < len && off + n < have && raw[off + n] != '\0')
        n++;
    n = text_before_filler(raw + off, n);
    struct ds_buf b;
    ds_buf_init(&b, 4 * len);
    ds_text_from_bytes(&b, raw + off, n);
    /* Repaired text may have grown: cut it at a character that still fits. */
    const char *s = ds_buf_text(&b);
    size_t used = 0;
    while (used < b.len) {
        uint32_t code;
        size_t step = ds_text_decode(s + used, b.len - used, &code);
        if (used + step > len)
            break;
        used += step;
    }
    memcpy(out, s, used);
    out[used] = '\0';
    ds_buf_deinit(&b);
}

/* The architecture by the context record's flags (winnt.h: CONTEXT_AMD64 0x100000 at 0x30;
 * CONTEXT_ARM64 0x400000, CONTEXT_ARM 0x200000, CONTEXT_i386 0x10000 at 0). */
enum ds_arch ds_header_context_arch(const struct ds_dump *d)
{
    const uint8_t *c = d->raw_header + d->header.context_offset;
    uint32_t first = ds_le32(c), x64 = ds_le32(c + 0x30);
    if (d->header.is64) {
        if ((x64 & 0xfff00000u) == 0x00100000u)
            return DS_ARCH_X64;
        return (first & 0xfff00000u) == 0x00400000u ? DS_ARCH_ARM64 : DS_ARCH_UNKNOWN;
    }
    if ((first & 0xffff0000u) == 0x00010000u)
        return DS_ARCH_X86;
    return (first & 0xfff00000u) == 0x00200000u ? DS_ARCH_ARM : DS_ARCH_UNKNOWN;
}

static bool arch_is_64(enum ds_arch a)
{
    return a == DS_ARCH_X64 || a == DS_ARCH_ARM64;
}

void ds_header_decode(struct ds_dump *d, size_t have)
{
    struct ds_dump_header *h = &d->header;
    const uint8_t *raw = d->raw_header;
    const struct field *f = h->is64 ? fields64 : fields32;
    size_t n = h->is64 ? sizeof(fields64) / sizeof(*f) : sizeof(fields32) / sizeof(*f);
    for (size_t i = 0; i < n; i++) {
        struct ds_opt v = read_field(raw, have, &f[i]);
        memcpy((char *)h + f[i].member, &v, sizeof(v));
    }
    h->context_offset = h->is64 ? 0x348 : 0x320;
    h->context_size = h->is64 ? 3000 : 1200;
    h->exception_offset = h->is64 ? 0xf00 : 0x7d0;
    h->exception_size = h->is64 ? 0x98 : 0x50;
    h->body_offset = h->is64 ? DS_HEADER64_SIZE : DS_HEADER32_SIZE;
    h->arch = ds_arch_from_machine((uint32_t)ds_opt_or(h->machine, 0));
    if (h->arch == DS_ARCH_UNKNOWN || arch_is_64(h->arch) != h->is64)
        h->arch = ds_header_context_arch(d);
    read_text(raw, have, h->is64 ? 0x60 : 0x3c, 32, h->version_user);
    read_text(raw, have, h->is64 ? 0xfb0 : 0x820, 128, h->comment);
}

/* Text into a fixed array, filled up with zeros. */
static void put_text(uint8_t *raw, size_t off, size_t len, const char *text)
{
    size_t n = strlen(text);
    if (n == 0)
        return;
    memset(raw + off, 0, len);
    memcpy(raw + off, text, n < len - 1 ? n : len - 1);
}

void ds_header_encode(const struct ds_dump_header *h, uint8_t *raw)
{
    const struct field *f = h->is64 ? fields64 : fields32;
    size_t n = h->is64 ? sizeof(fields64) / sizeof(*f) : sizeof(fields32) / sizeof(*f);
    size_t size = h->is64 ? DS_HEADER64_SIZE : DS_HEADER32_SIZE;
    for (size_t i = 0; i < size; i += 4)
        ds_put_le32(raw + i, DS_FILLER);
    memcpy(raw, h->is64 ? "PAGEDU64" : "PAGEDUMP", 8);
    for (size_t i = 0; i < n; i++) {
        struct ds_opt v;
        memcpy(&v, (const char *)h + f[i].member, sizeof(v));
        if (!v.known)
            continue;
        if (f[i].size == 1)
            raw[f[i].offset] = (uint8_t)v.value;
        else if (f[i].size == 4)
            ds_put_le32(raw + f[i].offset, (uint32_t)v.value);
        else
            ds_put_le64(raw + f[i].offset, v.value);
    }
    put_text(raw, h->is64 ? 0x60 : 0x3c, 32, h->version_user);
    put_text(raw, h->is64 ? 0xfb0 : 0x820, 128, h->comment);
}

/* Bytes of a field that equal the filler of their place. */
static unsigned filler_bytes(const uint8_t *p, size_t off, unsigned size)
{
    static const uint8_t filler[4] = {'P', 'A', 'G', 'E'};
    unsigned same = 0;
    for (unsigned i = 0; i < size; i++)
        same += p[off + i] == filler[(off + i) % 4];
    return same;
}

static void check_text(struct ds_dump *d, size_t off, size_t len)
{
    const uint8_t *p = d->raw_header + off;
    size_t n = 0;
    while (n < len && p[n] != 0)
        n++;
    size_t text = text_before_filler(p, n);
    if (off + len > d->file_size || text == n || text == 0)
        return;
    ds_dump_say(d, DS_INTEGRITY_NOTE, "header.filler", off,
                "that text: it is no text that a writer set",
                "a text closed by a NUL, or filler from its start",
                "filler that begins after %u bytes", (unsigned)text);
}

void ds_header_check_filler(struct ds_dump *d)
{
    bool is64 = d->header.is64;
    const struct field *f = is64 ? fields64 : fields32;
    size_t n = is64 ? sizeof(fields64) / sizeof(*f) : sizeof(fields32) / sizeof(*f);
    for (size_t i = 0; i < n; i++) {
        unsigned size = f[i].size;
        if (size < 4 || (uint64_t)f[i].offset + size > d->file_size ||
            filler_bytes(d->raw_header, f[i].offset, size) != size - 1)
            continue;
        uint64_t v =
            size == 4 ? ds_le32(d->raw_header + f[i].offset) : ds_le64(d->raw_header + f[i].offset);
        ds_dump_say(d, DS_INTEGRITY_NOTE, "header.filler", f[i].offset,
                    "that field: most likely it was never set and a byte of it changed",
                    "a value, or the filler 'PAGE' in all its bytes", "0x%llx",
                    (unsigned long long)v);
    }
    check_text(d, is64 ? 0x60 : 0x3c, 32);
    check_text(d, is64 ? 0xfb0 : 0x820, 128);
}
