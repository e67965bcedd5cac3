#include "test.h"

#include "base/bytes.h"
#include "dump/cpuid.h"
#include "dump/smbios.h"

/* A table with a BIOS, system, board and processor structure and two memory devices. */
static const uint8_t smbios[] =
    "\x00\x03\x02\x00\xff\x00\x00\x00" /* header; length set below */
    "\x00\x12\x00\x00\x01\x02\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00" /* BIOS */
    "ACME BIOS\0 1.02 \0"
    "02/03/2021\0\0"
    "\x01\x1b\x01\x00\x01\x02\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x06\x00\x03" /* system */
    "ACME\0Rocket 9\0Rockets\0SERIAL\0\0"
    "\x02\x08\x02\x00\x01\x02\x00\x00"
    "Boards Inc.\0B-1\0\0"
    "\x04\x18\x03\x00\x01\x03\x02\x02\0\0\0\0\0\0\0\0\x03\0\0\0\xa0\x0f\x10\x0e"
    "AM4\0AMD\0AMD Ryzen 7\0\0"
    "\x11\x0e\x04\x00\0\0\0\0\0\0\0\0\x00\x20\0\0"
    "\x11\x20\x05\x00\0\0\0\0\0\0\0\0\xff\x7f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x00\x40\x00\x00\0\0"
    "\x7f\x04\x06\x00\0\0";

static void smbios_names_the_machine(void)
{
    uint8_t b[sizeof(smbios) - 1];
    memcpy(b, smbios, sizeof(b));
    ds_put_le32(b + 4, (uint32_t)(sizeof(b) - 8));
    struct ds_smbios s;
    CHECK_U64(ds_smbios_decode(b, sizeof(b), &s), DS_OK);
    CHECK(s.major == 3 && s.minor == 2);
    CHECK_STR(s.bios_vendor, "ACME BIOS");
    CHECK_STR(s.bios_version, "1.02");
    CHECK_STR(s.bios_release_date, "02/03/2021");
    CHECK_STR(s.system_manufacturer, "ACME");
    CHECK_STR(s.system_product, "Rocket 9");
    CHECK_STR(s.system_version, "");
    CHECK_STR(s.system_family, "Rockets");
    CHECK_STR(s.board_manufacturer, "Boards Inc.");
    CHECK_STR(s.board_product, "B-1");
    CHECK_STR(s.processor_socket, "AM4");
    CHECK_STR(s.processor_manufacturer, "AMD");
    CHECK_STR(s.processor_version, "AMD Ryzen 7");
    CHECK_U64(s.processor_max_mhz.value, 4000);
    CHECK_U64(s.memory_bytes.value, (UINT64_C(8192) + 16384) << 20);
    CHECK_U64(s.structures, 7);
    const char *name, *value;
    size_t n = 0;
    while (ds_smbios_row(&s, n, &name, &value)) {
        CHECK(strstr(value, "SERIAL") == NULL);
        n++;
    }
    CHECK_U64(n, 16);
    struct ds_smbios_identity id;
    CHECK_U64(ds_smbios_identify(b, sizeof(b), &id), DS_OK);
    CHECK(id.has_uuid && id.uuid[0] == 0);
    struct ds_smbios_walk w;
    struct ds_smbios_memory m;
    CHECK_U64(ds_smbios_walk_begin(b, sizeof(b), &w), DS_OK);
    CHECK_U64(ds_smbios_memory_next(&w, &m), DS_OK);
    CHECK(m.handle == 4 && m.size_bytes.value == UINT64_C(8192) << 20 && m.installed.value == 1);
    CHECK(!m.type_code.known && !m.speed.known && m.type == NULL);
    CHECK_U64(ds_smbios_memory_next(&w, &m), DS_OK);
    CHECK_U64(m.size_bytes.value, UINT64_C(16384) << 20);
    CHECK_U64(ds_smbios_memory_next(&w, &m), DS_NOT_FOUND);
    for (size_t cut = 0; cut < sizeof(b); cut++) {
        uint8_t *part = malloc(cut ? cut : 1);
        memcpy(part, b, cut);
        CHECK_U64(ds_smbios_decode(part, cut, &s), DS_TRUNCATED);
        free(part);
    }
}

/* The whole of a memory device, its texts and what stands for "not known". */
static void memory_devices_are_read(void)
{
    uint8_t b[8 + 0x5c + 64] = {0, 3, 7, 0};
    uint8_t *s = b + 8;
    struct ds_smbios_walk w;
    struct ds_smbios_memory m;
    s[0] = 17;
    s[1] = 0x5c;
    ds_put_le16(s + 0x0c, 0x7fff);
    s[0x0e] = 0x0d;
    s[0x10] = 1;
    s[0x11] = 9; /* a text that is not there */
    s[0x12] = 0x22;
    ds_put_le16(s + 0x15, 0xffff);
    s[0x18] = 2;
    s[0x1b] = 2;
    ds_put_le32(s + 0x1c, 0x80008000u);
    ds_put_le16(s + 0x20, 0xffff);
    ds_put_le32(s + 0x54, 5600);
    ds_put_le32(s + 0x58, 4800);
    memcpy(s + 0x5c, "DIMM 1\0 A1B2 \0\0\x7f\x04\0\0\0\0", 21);
    ds_put_le32(b + 4, 0x5c + 21);
    CHECK_U64(ds_smbios_walk_begin(b, sizeof(b), &w), DS_OK);
    CHECK_U64(ds_smbios_memory_next(&w, &m), DS_OK);
    CHECK_U64(m.size_bytes.value, UINT64_C(0x8000) << 20);
    CHECK_STR(m.locator, "DIMM 1");
    CHECK_STR(m.bank, "");
    CHECK_STR(m.serial, "A1B2");
    CHECK_STR(m.type, "DDR5");
    CHECK_STR(m.form_factor, "SODIMM");
    CHECK(m.speed.value == 5600 && m.configured.value == 4800 && m.ranks.value == 2);
    CHECK(!m.voltage.known && !m.data_bits.known);
    static const struct {
        uint16_t size;
        bool known, installed;
    } sizes[] = {{0, true, false}, {0xffff, false, false}, {0x8010, true, true}};
    for (size_t i = 0; i < 3; i++) {
        ds_put_le16(s + 0x0c, sizes[i].size);
        CHECK_U64(ds_smbios_walk_begin(b, sizeof(b), &w), DS_OK);
        CHECK_U64(ds_smbios_memory_next(&w, &m), DS_OK);
        CHECK(m.installed.known == sizes[i].known);
        CHECK(m.size_bytes.known == sizes[i].installed);
    }
    CHECK_U64(m.size_bytes.value, 16384);
}

static void hostile_smbios_is_bounded(void)
{
    struct ds_smbios s;
    uint8_t b[400] = {0, 3, 0, 0};
    ds_put_le32(b + 4, 392);
    CHECK_U64(ds_smbios_decode(b, sizeof(b), &s), DS_CORRUPT);
    b[9] = 200;
    memset(b + 12, 0xff, sizeof(b) - 12);
    CHECK_U64(ds_smbios_decode(b, sizeof(b), &s), DS_TRUNCATED);
    static uint8_t many[8 + 6 * 6000];
    ds_put_le32(many + 4, 6 * 6000);
    for (size_t i = 0; i < 6000; i++)
        many[8 + 6 * i + 1] = 4;
    CHECK_U64(ds_smbios_decode(many, sizeof(many), &s), DS_LIMIT);
}

static void put_row(uint8_t *p, uint32_t leaf, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    const uint32_t words[] = {0, leaf, a, b, c, d, a, b, c, d};
    for (size_t i = 0; i < 10; i++)
        ds_put_le32(p + 4 * i, words[i]);
}

static void cpuid_names_the_processor(void)
{
    uint8_t b[240];
    put_row(b, 0, 13, 0x756e6547, 0x6c65746e, 0x49656e69); /* "Genu" "ntel" "ineI" */
    put_row(b + 40, 1, 0x000906ea, 0, 0x80000000, 0);
    put_row(b + 80, 0x40000000, 0, 0x7263694d, 0x666f736f, 0x76482074);
    put_row(b + 120, 0x80000002, 0x20202020, 0x65746e49, 0x2952286c, 0x726f4320);
    put_row(b + 160, 0x80000003, 0x4d542865, 0x37692029, 0x3837382d, 0x20483035);
    put_row(b + 200, 0x80000004, 0x20, 0, 0, 0);
    struct ds_cpuid c;
    CHECK_U64(ds_cpuid_count(sizeof(b)), 6);
    CHECK_U64(ds_cpuid_decode(b, sizeof(b), &c), DS_OK);
    CHECK_STR(c.vendor, "GenuineIntel");
    CHECK_STR(c.hypervisor_vendor, "Microsoft Hv");
    CHECK_STR(c.brand, "Intel(R) Core(TM) i7-87850H");
    CHECK_U64(c.family.value, 6);
    CHECK_U64(c.model.value, 0x9e);
    CHECK_U64(c.stepping.value, 0xa);
    CHECK_U64(c.hypervisor.value, 1);
    CHECK_U64(ds_cpuid_decode(b + 120, 80, &c), DS_NOT_FOUND);
    CHECK_STR(c.brand, "");
    CHECK(!c.family.known);
    CHECK_U64(ds_cpuid_decode(b, 39, &c), DS_NOT_FOUND);
}

static size_t put_value(uint8_t *p, const char *name, uint32_t type, const void *data,
                        uint32_t size)
{
    size_t n = 2 * (strlen(name) + 1);
    memset(p, 0, 12 + n);
    ds_put_le32(p, (uint32_t)n);
    for (size_t i = 0; name[i]; i++)
        p[4 + 2 * i] = (uint8_t)name[i];
    ds_put_le32(p + 4 + n, type);
    ds_put_le32(p + 8 + n, size);
    memcpy(p + 12 + n, data, size);
    return 12 + n + size;
}

static void registry_values_are_read_in_order(void)
{
    uint8_t b[512];
    size_t n = put_value(b, "~MHz", 4, "\x09\x0e\0\0", 4);
    n += put_value(b + n, "Component", 3, "\1\2\3", 3);
    n += put_value(b + n, "ProcessorNameString", 1, "A\0 \0B\0 \0 \0\0\0", 12);
    size_t pos = 0;
    struct ds_cpu_value v;
    CHECK(ds_cpu_value_next(b, n, &pos, &v) == DS_OK);
    CHECK_STR(v.name, "~MHz");
    CHECK_U64(v.number.value, 3593);
    CHECK(ds_cpu_value_next(b, n, &pos, &v) == DS_OK);
    CHECK(v.type == 3 && !v.number.known && v.text[0] == '\0' && v.data_size == 3);
    CHECK(ds_cpu_value_next(b, n, &pos, &v) == DS_OK);
    CHECK_STR(v.text, "A B");
    CHECK(ds_cpu_value_next(b, n, &pos, &v) == DS_NOT_FOUND);
    pos = 0;
    CHECK(ds_cpu_value_next(b, 25, &pos, &v) == DS_TRUNCATED && pos == 0);
    ds_put_le32(b, 3);
    CHECK(ds_cpu_value_next(b, n, &pos, &v) == DS_CORRUPT);
    ds_put_le32(b, 0xfffffffe);
    CHECK(ds_cpu_value_next(b, n, &pos, &v) == DS_TRUNCATED);
}

static void long_registry_texts_are_cut(void)
{
    uint8_t b[2000], data[1200];
    for (size_t i = 0; i < sizeof(data); i += 2)
        ds_put_le16(data + i, 0x20ac); /* three bytes in UTF-8 */
    size_t n = put_value(b, "x", 1, data, sizeof(data)), pos = 0;
    struct ds_cpu_value v;
    CHECK(ds_cpu_value_next(b, n, &pos, &v) == DS_OK);
    CHECK_U64(strlen(v.text), 159);
}

TEST_MAIN(TEST(smbios_names_the_machine), TEST(memory_devices_are_read),
          TEST(hostile_smbios_is_bounded), TEST(cpuid_names_the_processor),
          TEST(registry_values_are_read_in_order), TEST(long_registry_texts_are_cut))
