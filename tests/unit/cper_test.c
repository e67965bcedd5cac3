/* Hardware error records from bytes, whole and damaged; machine check status words. */
#include <string.h>

#include "base/bytes.h"
#include "nt/cper.h"
#include "test.h"

static const uint8_t memory_guid[16] = {0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
                                        0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1};
static const uint8_t pcie_guid[16] = {0x54, 0xe9, 0x95, 0xd9, 0xc1, 0xbb, 0x0f, 0x43,
                                      0xad, 0x91, 0xb4, 0x4d, 0xcb, 0x3c, 0x6f, 0x35};

#define MEMORY_AT 272u
#define PCIE_AT 352u
#define RECORD 560u
static uint8_t record[RECORD];

static void descriptor(size_t index, uint32_t offset, uint32_t length, const uint8_t guid[16])
{
    uint8_t *p = record + 128 + 72 * index;
    ds_put_le32(p, offset);
    ds_put_le32(p + 4, length);
    memcpy(p + 16, guid, 16);
    ds_put_le32(p + 48, 1);
}

static void make(void)
{
    memset(record, 0, sizeof(record));
    memcpy(record, "CPER", 4);
    ds_put_le16(record + 4, 0x0210);
    ds_put_le32(record + 6, 0xffffffff);
    ds_put_le16(record + 10, 2);
    ds_put_le32(record + 12, 1);
    ds_put_le32(record + 16, 2);
    ds_put_le32(record + 20, RECORD);
    memcpy(record + 24, "\x07\x06\x05\x01\x04\x03\x26\x20", 8); /* 2026-03-04 05:06:07 */
    descriptor(0, MEMORY_AT, 80, memory_guid);
    descriptor(1, PCIE_AT, 208, pcie_guid);
    record[128 + 10] = 2;
    memcpy(record + 128 + 52, "DIMM_A1\x01X", 9);
    ds_put_le64(record + MEMORY_AT, 1u << 1 | 1u << 5 | 1u << 14);
    ds_put_le64(record + MEMORY_AT + 16, 0x12345678000);
    ds_put_le16(record + MEMORY_AT + 36, 3);
    record[MEMORY_AT + 72] = 3;
    ds_put_le64(record + PCIE_AT, 1u << 3 | 1u << 7);
    ds_put_le16(record + PCIE_AT + 24, 0x8086);
    ds_put_le16(record + PCIE_AT + 26, 0x9a0f);
    record[PCIE_AT + 32] = 0x1d;
    record[PCIE_AT + 35] = 4;
    ds_put_le32(record + PCIE_AT + 116, 1u << 14 | 1u << 18);
}

static size_t fields_of(size_t size, size_t index, struct ds_cper_section *s,
                        struct ds_cper_field fields[DS_CPER_FIELDS], char *component, size_t room)
{
    struct ds_buf b;
    CHECK(ds_cper_section(record, size, index, s));
    size_t n = ds_cper_fields(record, size, s, fields);
    ds_buf_init(&b, 1024);
    ds_cper_component(s, fields, n, &b);
    (void)snprintf(component, room, "%s", ds_buf_text(&b));
    ds_buf_deinit(&b);
    return n;
}

static void test_record(void)
{
    struct ds_cper r;
    struct ds_cper_section s;
    struct ds_cper_field f[DS_CPER_FIELDS];
    char text[200];
    make();
    CHECK_U64(ds_cper_decode(record, RECORD, &r), DS_OK);
    CHECK_U64(r.section_count, 2);
    CHECK_STR(ds_cper_severity_name(r.severity), "fatal");
    CHECK(r.time.known);
    CHECK_U64(r.time.value, 134170743670000000u);
    CHECK_U64(fields_of(RECORD, 0, &s, f, text, sizeof(text)), 3);
    CHECK_STR(s.name, "memory");
    CHECK_STR(s.fru, "DIMM_A1");
    CHECK_STR(f[2].text, "multi-bit ECC");
    CHECK_STR(text, "memory, module 3, physical address 0x12345678000 (DIMM_A1)");
    CHECK_U64(fields_of(RECORD, 1, &s, f, text, sizeof(text)), 10);
    CHECK_STR(text, "PCI Express device 8086:9a0f at bus 4, device 29, function 0");
    CHECK_STR(f[7].name, "aer_uncorrectable_status");
    CHECK_STR(f[7].text, "completion timeout, malformed TLP");
    CHECK(!ds_cper_section(record, 271, 1, &s));
}

static void test_damage(void)
{
    struct ds_cper r;
    struct ds_cper_section s;
    struct ds_cper_field f[DS_CPER_FIELDS];
    char text[200];
    make();
    CHECK_U64(ds_cper_decode(record, 127, &r), DS_NOT_IN_DUMP);
    CHECK_U64(fields_of(MEMORY_AT + 40, 0, &s, f, text, sizeof(text)), 2); /* cut behind module */
    CHECK_U64(fields_of(MEMORY_AT + 3, 0, &s, f, text, sizeof(text)), 0);
    ds_put_le32(record + 128, 0xfffffff0);
    CHECK_U64(fields_of(RECORD, 0, &s, f, text, sizeof(text)), 0);
    record[24] = 0xaa; /* no BCD */
    CHECK_U64(ds_cper_decode(record, RECORD, &r), DS_OK);
    CHECK(!r.time.known);
    record[6] = 0;
    CHECK_U64(ds_cper_decode(record, RECORD, &r), DS_CORRUPT);
}

static void check_status(uint64_t status, const char *expected)
{
    struct ds_buf b;
    ds_buf_init(&b, 1024);
    ds_mci_status_text(status, &b);
    CHECK_STR(ds_buf_text(&b), expected);
    ds_buf_deinit(&b);
}

static void test_status(void)
{
    check_status(0xbe00000000800400,
                 "uncorrected, processor context corrupt: internal timer error; model specific "
                 "code 0x0080; address recorded");
    check_status(0xb200000000000135,
                 "uncorrected, processor context corrupt: data cache error, level 1, data read; "
                 "model specific code 0x0000");
    check_status(0xd400000000000091,
                 "corrected, an earlier error was lost: memory controller error, channel 1, read; "
                 "model specific code 0x0000; address recorded");
    check_status(0xb000000000000e0b, "uncorrected: generic I/O error; model specific code 0x0000");
}

TEST_MAIN(TEST(test_record), TEST(test_damage), TEST(test_status))
