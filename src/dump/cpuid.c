#include "dump/cpuid.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/text.h"

#define ROW_SIZE 40u
#define ROW_MAX 4096u /* rows of one blob that are searched */

size_t ds_cpuid_count(size_t size)
{
    return size / ROW_SIZE < ROW_MAX ? size / ROW_SIZE : ROW_MAX;
}

bool ds_cpuid_row(const void *blob, size_t size, size_t index, struct ds_cpuid_row *ret)
{
    if (index >= ds_cpuid_count(size))
        return false;
    struct ds_cursor c = ds_cursor_over((const uint8_t *)blob + index * ROW_SIZE, ROW_SIZE);
    ret->subleaf = ds_cursor_u32(&c);
    ret->leaf = ds_cursor_u32(&c);
    for (unsigned i = 0; i < 4; i++)
        ret->first[i] = ds_cursor_u32(&c);
    for (unsigned i = 0; i < 4; i++)
        ret->second[i] = ds_cursor_u32(&c);
    return ds_cursor_ok(&c);
}

/* Registers as text: printable ASCII up to a NUL, blanks at both ends removed. */
static void registers_text(const uint32_t *regs, const uint8_t *order, size_t count, char *out)
{
    char raw[64];
    for (size_t i = 0; i < count; i++)
        ds_put_le32(raw + 4 * i, regs[order[i]]);
    size_t n = 0, begin = 0;
    while (n < 4 * count && raw[n] >= 0x20 && raw[n] < 0x7f)
        n++;
    while (begin < n && raw[begin] == ' ')
        begin++;
    while (n > begin && raw[n - 1] == ' ')
        n--;
    memcpy(out, raw + begin, n - begin);
    out[n - begin] = '\0';
}

/* Leaf 1 EAX: family and model with their extended parts. */
static void decode_version(uint32_t eax, struct ds_cpuid *ret)
{
    uint32_t family = eax >> 8 & 0xf, model = eax >> 4 & 0xf;
    if (family == 0xf || family == 6)
        model |= (eax >> 16 & 0xf) << 4;
    if (family == 0xf)
        family += eax >> 20 & 0xff;
    ret->family = ds_opt_known(family);
    ret->model = ds_opt_known(model);
    ret->stepping = ds_opt_known(eax & 0xf);
}

enum ds_status ds_cpuid_decode(const void *blob, size_t size, struct ds_cpuid *ret)
{
    static const uint8_t vendor_order[] = {1, 3, 2}, plain_order[] = {1, 2, 3};
    static const uint8_t brand_order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    uint32_t brand[12] = {0};
    unsigned brand_rows = 0;
    *ret = (struct ds_cpuid){0};
    struct ds_cpuid_row r;
    for (size_t i = 0; ds_cpuid_row(blob, size, i, &r); i++) {
        if (r.subleaf != 0)
            continue;
        if (r.leaf == 0) {
            registers_text(r.first, vendor_order, 3, ret->vendor);
        } else if (r.leaf == 1) {
            decode_version(r.first[0], ret);
            ret->hypervisor = ds_opt_known(r.first[2] >> 31);
            ret->hypervisor_below = ds_opt_known(r.second[2] >> 31);
        } else if (r.leaf == 0x40000000u) {
            registers_text(r.first, plain_order, 3, ret->hypervisor_vendor);
        } else if (r.leaf >= 0x80000002u && r.leaf <= 0x80000004u) {
            memcpy(brand + 4 * (r.leaf - 0x80000002u), r.first, sizeof(r.first));
            brand_rows |= 1u << (r.leaf - 0x80000002u);
        }
    }
    if (brand_rows == 7)
        registers_text(brand, brand_order, 12, ret->brand);
    return ret->vendor[0] != '\0' || ret->family.known ? DS_OK : DS_NOT_FOUND;
}

/* UTF-16 up to a NUL as UTF-8, cut to the room (at a character), blanks at its end removed. */
static void copy_utf16(const uint8_t *p, size_t bytes, char *out, size_t room)
{
    size_t units = 0;
    while (units < bytes / 2 && ds_le16(p + 2 * units) != 0)
        units++;
    struct ds_buf text;
    ds_buf_init(&text, room - 1);
    /* Once the room is full the buffer drops the rest. */
    if (units > 0)
        ds_text_from_utf16(&text, p, units);
    size_t n = text.len;
    memcpy(out, ds_buf_text(&text), n);
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
    ds_buf_deinit(&text);
}

enum ds_status ds_cpu_value_next(const void *blob, size_t size, size_t *pos,
                                 struct ds_cpu_value *ret)
{
    if (*pos >= size)
        return DS_NOT_FOUND;
    struct ds_cursor c = ds_cursor_over(blob, size);
    *ret = (struct ds_cpu_value){0};
    ds_cursor_seek(&c, *pos);
    uint32_t name_size = ds_cursor_u32(&c);
    if (ds_cursor_ok(&c) && (name_size == 0 || name_size % 2 != 0))
        return DS_CORRUPT;
    const uint8_t *name = ds_cursor_bytes(&c, name_size);
    ret->type = ds_cursor_u32(&c);
    ret->data_size = ds_cursor_u32(&c);
    const uint8_t *data = ds_cursor_bytes(&c, ret->data_size);
    if (!ds_cursor_ok(&c))
        return DS_TRUNCATED;
    copy_utf16(name, name_size, ret->name, sizeof(ret->name));
    if (ret->type == 1 || ret->type == 2)
        copy_utf16(data, ret->data_size, ret->text, sizeof(ret->text));
    else if (ret->type == 4 && ret->data_size == 4)
        ret->number = ds_opt_known(ds_le32(data));
    else if (ret->type == 11 && ret->data_size == 8)
        ret->number = ds_opt_known(ds_le64(data));
    *pos = c.pos;
    return DS_OK;
}
