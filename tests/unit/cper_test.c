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

/* A record of one section of this type, `length` bytes at ONE_AT. */
#define ONE_AT 200u
static uint8_t *make_one(const char *guid_hex, uint32_t length)
{
    uint8_t guid[16];
    memset(record, 0, sizeof(record));
    memcpy(record, "CPER", 4);
    ds_put_le32(record + 6, 0xffffffff);
    ds_put_le16(record + 10, 1);
    for (unsigned i = 0; i < 16; i++) {
        unsigned byte = 0;
        CHECK(sscanf(guid_hex + 2 * i, "%2x", &byte) == 1);
        guid[i] = (uint8_t)byte;
    }
    descriptor(0, ONE_AT, length, guid);
    return record + ONE_AT;
}

static const struct ds_cper_field *named(const struct ds_cper_field *f, size_t n, const char *name)
{
    static const struct ds_cper_field none = {.name = "none", .text = "none"};
    for (size_t i = 0; i < n; i++)
        if (strcmp(f[i].name, name) == 0)
            return &f[i];
    return &none;
}

static void test_x86_processor(void)
{
    struct ds_cper_section s;
    struct ds_cper_field f[DS_CPER_FIELDS];
    char text[200];
    uint8_t *p = make_one("b0a03edc44a19747b95b53fa242b6e1d", 64 + 64 + 16 + 192);
    ds_put_le64(p, 3 | 1u << 2 | 1u << 8); /* APIC id, CPUID; one error, one context */
    ds_put_le64(p + 8, 7);
    ds_put_le32(p + 16, 0x906ea);
    ds_put_le32(p + 64, 0xa55701f5); /* a cache error */
    ds_put_le64(p + 64 + 16, 1 | 2 | 16);
    /* data, data read, level 2, uncorrected, context corrupt; all stated */
    ds_put_le64(p + 64 + 24, 0x1f | 1u << 16 | 3u << 18 | 2u << 22 | 1u << 25 | 1u << 26);
    ds_put_le64(p + 64 + 32, 0x1234567000);
    ds_put_le64(p + 64 + 56, 0xfffff80512345678);
    ds_put_le16(p + 128, 3);
    ds_put_le16(p + 130, 192);
    ds_put_le64(p + 144 + 152, 0xfffff80512345680);
    size_t n = fields_of(RECORD, 0, &s, f, text, sizeof(text));
    CHECK_STR(s.name, "x86/x64 processor");
    CHECK_STR(text, "processor with APIC id 7");
    CHECK_STR(named(f, n, "error_type")->text,
              "cache error, data, data read, level 2, uncorrected, context corrupt");
    CHECK_U64(named(f, n, "target_address")->value, 0x1234567000);
    CHECK_STR(named(f, n, "requester_id")->name, "none");
    CHECK_U64(named(f, n, "instruction_pointer")->value, 0xfffff80512345678);
    CHECK_STR(named(f, n, "registers")->text, "registers of 64-bit mode");
    CHECK_U64(named(f, n, "rip")->value, 0xfffff80512345680);
    /* 63 errors and 63 contexts stated, none of them there */
    ds_put_le32(record + 132, 64);
    ds_put_le64(p, 3 | 63u << 2 | 63u << 8);
    CHECK_U64(fields_of(RECORD, 0, &s, f, text, sizeof(text)), 2);
    ds_put_le32(record + 132, 63);
    CHECK_U64(fields_of(RECORD, 0, &s, f, text, sizeof(text)), 0);
    ds_put_le32(record + 132, RECORD); /* more errors than there are fields */
    for (size_t i = 0; i < 4; i++)
        ds_put_le64(p + 64 + 64 * i + 16, 0x1f);
    CHECK(fields_of(RECORD, 0, &s, f, text, sizeof(text)) <= DS_CPER_FIELDS);
}

static void test_arm_processor(void)
{
    struct ds_cper_section s;
    struct ds_cper_field f[DS_CPER_FIELDS];
    char text[200];
    uint8_t *p = make_one("163d9ee111bce4119caac2051d5d46b0", 40 + 32 + 8 + 256);
    ds_put_le32(p, 1 | 4);
    ds_put_le16(p + 4, 1);
    ds_put_le16(p + 6, 1);
    ds_put_le64(p + 16, 0x81000100);
    ds_put_le64(p + 24, 0x410fd0c0);
    ds_put_le32(p + 32, 1);
    p[40 + 1] = 32;
    ds_put_le16(p + 42, 4 | 8 | 16);
    p[44] = 8; /* bus */
    ds_put_le64(p + 48, 0x13 | 1u << 16 | 1u << 18);
    ds_put_le64(p + 56, 0xffff800012345678);
    ds_put_le64(p + 64, 0x80001000);
    ds_put_le16(p + 72 + 2, 4);
    ds_put_le32(p + 72 + 4, 256);
    ds_put_le64(p + 80 + 248, 0xffff800000001000);
    size_t n = fields_of(RECORD, 0, &s, f, text, sizeof(text));
    CHECK_STR(text, "processor with MPIDR 0x81000100");
    CHECK_STR(named(f, n, "error_type")->text, "bus error, data, read, uncorrected");
    CHECK_STR(named(f, n, "running_state")->text, "the processor was running");
    CHECK_U64(named(f, n, "physical_address")->value, 0x80001000);
    CHECK_STR(named(f, n, "registers")->text, "AArch64 general registers");
    CHECK_U64(named(f, n, "sp")->value, 0xffff800000001000);
    ds_put_le16(p + 4, 0xffff); /* lies */
    ds_put_le16(p + 6, 0xffff);
    ds_put_le32(p + 72 + 4, 0xfffffff0);
    CHECK(fields_of(RECORD, 0, &s, f, text, sizeof(text)) <= DS_CPER_FIELDS);
    CHECK(fields_of(ONE_AT + 39, 0, &s, f, text, sizeof(text)) == 0);
}

static void test_other_sections(void)
{
    struct ds_cper_section s;
    struct ds_cper_field f[DS_CPER_FIELDS];
    char text[200], preview[2 * DS_CPER_PREVIEW + 1];
    uint8_t *p = make_one("fc04ec61e64813d825c98daa44750b12", 96); /* memory, second format */
    ds_put_le64(p, 1 | 2 | 1u << 5 | 1u << 10 | 1u << 13);
    ds_put_le64(p + 8, 4u << 8);
    ds_put_le64(p + 16, 0x40000000);
    ds_put_le16(p + 36, 2);
    ds_put_le32(p + 52, 1);
    p[61] = 2;
    size_t n = fields_of(RECORD, 0, &s, f, text, sizeof(text));
    CHECK_STR(text, "memory, module 2, rank 1, physical address 0x40000000");
    CHECK_STR(named(f, n, "error_status")->text, "memory storage");
    CHECK_STR(named(f, n, "error_type")->text, "single-bit ECC");
    p = make_one("f7fe515b9dc734448f1baa62de3e2c64", 32); /* DMA remapping */
    ds_put_le16(p, 0x0310);
    p[4] = 6;
    p[5] = 1;
    p[7] = 1;
    ds_put_le64(p + 8, 0xfee00000);
    n = fields_of(RECORD, 0, &s, f, text, sizeof(text));
    CHECK_STR(text, "DMA by the device with requester id 0x310");
    CHECK_STR(named(f, n, "error_type")->text, "an access that is not allowed");
    CHECK_STR(named(f, n, "access")->text, "write");
    CHECK_STR(named(f, n, "architecture")->text, "Intel VT-d");
    p = make_one("85465eeb66ca6947b6a226068b001326", 40); /* PCI device */
    ds_put_le64(p, 2);
    ds_put_le32(p + 16, 0x56781234);
    p[23] = 1;
    p[24] = 2;
    p[25] = 3;
    CHECK_U64(fields_of(RECORD, 0, &s, f, text, sizeof(text)), 6);
    CHECK_STR(text, "PCI device 1234:5678 at bus 3, device 2, function 1");
    p = make_one("00112233445566778899aabbccddeeff", 4); /* of a vendor */
    memcpy(p, "\xde\xad\xbe\xef", 4);
    CHECK_U64(fields_of(RECORD, 0, &s, f, text, sizeof(text)), 0);
    CHECK(s.name == NULL);
    ds_cper_preview(record, RECORD, &s, preview);
    CHECK_STR(preview, "deadbeef");
    ds_cper_preview(record, ONE_AT, &s, preview);
    CHECK_STR(preview, "");
    ds_cper_preview(record, 10, &s, preview);
    CHECK_STR(preview, "");
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

TEST_MAIN(TEST(test_record), TEST(test_damage), TEST(test_x86_processor), TEST(test_arm_processor),
          TEST(test_other_sections), TEST(test_status))
