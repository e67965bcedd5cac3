/* Memory devices: SMBIOS type 17. Offsets and values: DMTF DSP0134 3.7, 7.18. */
#include "base/bytes.h"
#include "dump/smbios_walk.h"

static const char *const types[] = {
    [0x03] = "DRAM",   [0x04] = "EDRAM",        [0x05] = "VRAM",   [0x06] = "SRAM",
    [0x07] = "RAM",    [0x08] = "ROM",          [0x09] = "Flash",  [0x0a] = "EEPROM",
    [0x0b] = "FEPROM", [0x0c] = "EPROM",        [0x0d] = "CDRAM",  [0x0e] = "3DRAM",
    [0x0f] = "SDRAM",  [0x10] = "SGRAM",        [0x11] = "RDRAM",  [0x12] = "DDR",
    [0x13] = "DDR2",   [0x14] = "DDR2 FB-DIMM", [0x18] = "DDR3",   [0x19] = "FBD2",
    [0x1a] = "DDR4",   [0x1b] = "LPDDR",        [0x1c] = "LPDDR2", [0x1d] = "LPDDR3",
    [0x1e] = "LPDDR4", [0x1f] = "non-volatile", [0x20] = "HBM",    [0x21] = "HBM2",
    [0x22] = "DDR5",   [0x23] = "LPDDR5",       [0x24] = "HBM3",
};

static const char *const form_factors[] = {
    [0x03] = "SIMM",    [0x04] = "SIP",    [0x05] = "chip",
    [0x06] = "DIP",     [0x07] = "ZIP",    [0x08] = "proprietary card",
    [0x09] = "DIMM",    [0x0a] = "TSOP",   [0x0b] = "row of chips",
    [0x0c] = "RIMM",    [0x0d] = "SODIMM", [0x0e] = "SRIMM",
    [0x0f] = "FB-DIMM", [0x10] = "die",    [0x11] = "CAMM",
};

static const char *name_of(const char *const *names, size_t count, uint8_t code)
{
    return code < count ? names[code] : NULL;
}

struct ds_opt ds_smbios_memory_size(const struct ds_smbios_structure *s)
{
    if (s->length < 0xe)
        return ds_opt_unknown(DS_NO_FIELD);
    uint64_t size = ds_le16(s->formatted + 0xc);
    if (size == 0xffff)
        return ds_opt_unknown(DS_OK);
    if (size != 0x7fff)
        return ds_opt_known((size & 0x8000) != 0 ? (size & 0x7fff) << 10 : size << 20);
    if (s->length < 0x20)
        return ds_opt_unknown(DS_NO_FIELD);
    return ds_opt_known((uint64_t)(ds_le32(s->formatted + 0x1c) & 0x7fffffffu) << 20);
}

/* A u16 in which 0 and 0xffff stand for "not known". */
static struct ds_opt word(const struct ds_smbios_structure *s, size_t offset)
{
    if (s->length < offset + 2)
        return ds_opt_unknown(DS_NO_FIELD);
    uint64_t value = ds_le16(s->formatted + offset);
    return value == 0 || value == 0xffff ? ds_opt_unknown(DS_OK) : ds_opt_known(value);
}

/* A speed: 0xffff sends to a u32 further on. */
static struct ds_opt speed(const struct ds_smbios_structure *s, size_t offset, size_t extended)
{
    if (s->length < extended + 4 || ds_le16(s->formatted + offset) != 0xffff)
        return word(s, offset);
    uint64_t value = ds_le32(s->formatted + extended) & 0x7fffffffu;
    return value == 0 ? ds_opt_unknown(DS_OK) : ds_opt_known(value);
}

static void decode(const struct ds_smbios_structure *s, struct ds_smbios_memory *ret)
{
    *ret = (struct ds_smbios_memory){.handle = ds_le16(s->formatted + 2)};
    struct ds_opt size = ds_smbios_memory_size(s);
    ret->size_bytes = size.known && size.value == 0 ? ds_opt_unknown(DS_OK) : size;
    ret->installed = size.known ? ds_opt_known(size.value != 0) : ds_opt_unknown(size.why);
    ds_smbios_string(s, 0x10, ret->locator);
    ds_smbios_string(s, 0x11, ret->bank);
    ds_smbios_string(s, 0x17, ret->manufacturer);
    ds_smbios_string(s, 0x18, ret->serial);
    ds_smbios_string(s, 0x1a, ret->part_number);
    ret->total_bits = word(s, 0x8);
    ret->data_bits = word(s, 0xa);
    if (s->length > 0xe) {
        ret->form_factor_code = ds_opt_known(s->formatted[0xe]);
        ret->form_factor = name_of(form_factors, sizeof(form_factors) / sizeof(form_factors[0]),
                                   s->formatted[0xe]);
    }
    if (s->length > 0x12) {
        ret->type_code = ds_opt_known(s->formatted[0x12]);
        ret->type = name_of(types, sizeof(types) / sizeof(types[0]), s->formatted[0x12]);
    }
    ret->speed = speed(s, 0x15, 0x54);
    ret->configured = speed(s, 0x20, 0x58);
    ret->voltage = word(s, 0x26);
    if (s->length > 0x1b && (s->formatted[0x1b] & 0xf) != 0)
        ret->ranks = ds_opt_known(s->formatted[0x1b] & 0xf);
}

enum ds_status ds_smbios_memory_next(struct ds_smbios_walk *w, struct ds_smbios_memory *ret)
{
    struct ds_smbios_structure s;
    enum ds_status st;
    while ((st = ds_smbios_structure_next(w, &s)) == DS_OK) {
        if (s.formatted[0] == 17) {
            decode(&s, ret);
            return DS_OK;
        }
    }
    return st;
}
