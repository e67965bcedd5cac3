#include "test.h"

#include "base/bytes.h"
#include "dump/blob_acpi.h"
#include "dump/blob_pci.h"
#include "dump/machine.h"

/* ---- ACPI ---- */

static size_t put_table(uint8_t *p, const char *sig, uint32_t length, size_t kept)
{
    memset(p, 0, kept);
    memcpy(p, sig, 4);
    ds_put_le32(p + 4, length);
    p[8] = 2;
    memcpy(p + 10, "ACME  ROCKET  ", 14);
    memcpy(p + 28, "AMI ", 4);
    return kept;
}

static void acpi_keeps_what_the_writer_kept(void)
{
    static const size_t bodies[] = {32, 8, 0};
    for (size_t k = 0; k < 3; k++) {
        uint8_t b[512];
        size_t n = put_table(b, "FACP", 276, 36 + bodies[k]);
        n += put_table(b + n, "SSDT", 2346, 36);
        n += put_table(b + n, "MCFG", 40, bodies[k] < 4 ? 36 + bodies[k] : 40);
        n += put_table(b + n, "_X1!", 300, 36 + bodies[k]);
        struct ds_acpi_walk w = ds_acpi_walk_begin(b, n);
        struct ds_acpi_table t;
        CHECK_U64(ds_acpi_next(&w, &t), DS_OK);
        CHECK_STR(t.signature, "FACP");
        CHECK_STR(t.oem_id, "ACME");
        CHECK_STR(t.oem_table_id, "ROCKET");
        CHECK_STR(t.creator_id, "AMI");
        CHECK(t.length == 276 && t.kept == 36 + bodies[k] && t.revision == 2);
        CHECK_U64(ds_acpi_next(&w, &t), DS_OK);
        CHECK(strcmp(t.signature, "SSDT") == 0 && t.kept == 36);
        CHECK_U64(ds_acpi_next(&w, &t), DS_OK);
        CHECK_U64(ds_acpi_next(&w, &t), DS_OK);
        CHECK(strcmp(t.signature, "_X1!") == 0 && t.offset + t.kept == n);
        CHECK_U64(ds_acpi_next(&w, &t), DS_NOT_FOUND);
    }
}

static void hostile_acpi_ends_with_a_reason(void)
{
    uint8_t b[200];
    struct ds_acpi_table t;
    size_t n = put_table(b, "FACP", 276, 68);
    memset(b + n, 0, 40);
    struct ds_acpi_walk w = ds_acpi_walk_begin(b, n + 40);
    CHECK_U64(ds_acpi_next(&w, &t), DS_OK);
    CHECK_U64(ds_acpi_next(&w, &t), DS_CORRUPT);
    w = ds_acpi_walk_begin(b, n + 10);
    CHECK_U64(ds_acpi_next(&w, &t), DS_OK);
    CHECK_U64(ds_acpi_next(&w, &t), DS_TRUNCATED);
    ds_put_le32(b + 4, 35); /* shorter than its header */
    w = ds_acpi_walk_begin(b, n);
    CHECK_U64(ds_acpi_next(&w, &t), DS_CORRUPT);
    ds_put_le32(b + 4, 276);
    w = ds_acpi_walk_begin(b, 50); /* the blob ends within what is kept */
    CHECK(ds_acpi_next(&w, &t) == DS_OK && t.kept <= 50);
}

/* ---- PCI ---- */

static size_t put_pci(uint8_t *p, uint32_t location, const uint8_t *space, size_t bytes)
{
    memset(p, 0, 0x3c);
    memcpy(p, "PCfg", 4);
    ds_put_le32(p + 4, (uint32_t)(0x3c + bytes));
    ds_put_le32(p + 8, 1);
    ds_put_le32(p + 12, location);
    ds_put_le16(p + 0x3a, (uint16_t)bytes);
    memcpy(p + 0x3c, space, bytes);
    return 0x3c + bytes;
}

static void pci_reads_only_what_is_captured(void)
{
    uint8_t b[512], space[64] = {0x22, 0x10, 0x83, 0x14, 6, 4, 0x10, 0, 0, 0, 4, 6, 0, 0, 0x81};
    space[0x19] = 9;
    space[0x34] = 0x50; /* capabilities, of which none is captured */
    size_t n = put_pci(b, 0x1fb, space, 64), pos = 0;
    n += put_pci(b + n, 8, space, 4);
    struct ds_pci_function f;
    CHECK_U64(ds_pci_next(b, n, &pos, &f), DS_OK);
    CHECK(f.bus == 1 && f.device == 31 && f.function == 3);
    CHECK(f.vendor_id.value == 0x1022 && f.device_id.value == 0x1483);
    CHECK(f.header_type.value == 1 && f.secondary_bus.value == 9);
    CHECK(!f.subsystem_vendor_id.known);
    CHECK_STR(ds_pci_class_name((unsigned)f.base_class.value, (unsigned)f.sub_class.value),
              "PCI bridge");
    CHECK_U64(ds_pci_next(b, n, &pos, &f), DS_OK);
    CHECK(f.vendor_id.known && !f.command.known && !f.base_class.known && f.captured == 4);
    CHECK_U64(ds_pci_next(b, n, &pos, &f), DS_NOT_FOUND);
    CHECK_STR(ds_pci_class_name(1, 0x77), "mass storage controller");
    CHECK(ds_pci_class_name(0x77, 0) == NULL);
}

static void hostile_pci_is_bounded(void)
{
    uint8_t b[256], space[64];
    struct ds_pci_function f;
    /* A list of capabilities that leads back to itself. */
    memset(space, 0, sizeof(space));
    space[0xe] = 1;
    space[0x34] = 0x40;
    size_t n = put_pci(b, 0, space, 64), pos = 0;
    memset(b + n, 0, 16);
    ds_put_le16(b + n, 0x40);
    ds_put_le16(b + n + 2, 8);
    b[n + 5] = 0x40;
    ds_put_le32(b + 4, (uint32_t)n + 12);
    ds_put_le32(b + 8, 2);
    CHECK(ds_pci_next(b, n + 12, &pos, &f) == DS_OK && !f.subsystem_id.known);
    /* More pieces than the record can hold, a piece that leaves it, a record that leaves the blob.
     */
    pos = 0;
    ds_put_le32(b + 8, 0xffffffffu);
    CHECK_U64(ds_pci_next(b, n + 12, &pos, &f), DS_OK);
    pos = 0;
    ds_put_le16(b + 0x3a, 0xffff);
    CHECK(ds_pci_next(b, n + 12, &pos, &f) == DS_OK && f.captured == 0 && !f.vendor_id.known);
    pos = 0;
    ds_put_le32(b + 4, 0xffffffffu);
    CHECK(ds_pci_next(b, n, &pos, &f) == DS_OK && pos == n);
    pos = 0;
    ds_put_le32(b + 4, 0);
    CHECK_U64(ds_pci_next(b, n, &pos, &f), DS_CORRUPT);
    CHECK_U64(ds_pci_next(b, 20, &pos, &f), DS_TRUNCATED);
}

/* ---- the machine id ---- */

static const struct ds_smbios_identity good = {
    .has_uuid = true,
    .uuid = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
             0xee, 0xff},
    .board_serial = "AB12-CD34 ef",
};

static void id_is_the_documented_hash(void)
{
    /* printf 'dumpscan machine 1\n33221100-5544-7766-8899-aabbccddeeff\nAB12CD34EF\n' | md5sum */
    struct ds_machine_id id;
    ds_machine_id_make(&good, &id);
    CHECK_STR(id.id, "c4e141ef8ab404a09b2d80cd727cbd04");
    CHECK_STR(id.basis, "UUID and board serial");
    CHECK_STR(id.why_not, "");
    struct ds_smbios_identity same = good;
    strcpy(same.board_serial, "ab12cd34EF"); /* how it is written does not matter */
    struct ds_machine_id other;
    ds_machine_id_make(&same, &other);
    CHECK_STR(other.id, id.id);
    same.board_serial[0] = 'b';
    ds_machine_id_make(&same, &other);
    CHECK(strcmp(other.id, id.id) != 0);
}

static void fillers_make_no_id(void)
{
    static const char *const bad[] = {
        "",
        "To be filled by O.E.M.",
        "Default string",
        "None",
        "0000000000",
        "XXXXXX",
        "Not Specified",
        "N/A",
        "1234567",
        "A-1",
        "....",
        "System Serial Number",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ds_smbios_identity x = good;
        struct ds_machine_id id;
        snprintf(x.board_serial, sizeof(x.board_serial), "%s", bad[i]);
        ds_machine_id_make(&x, &id);
        CHECK_STR(id.basis, "UUID");
        CHECK(strlen(id.id) == 32 && id.why_not[0] != '\0');
        memset(x.uuid, i % 2 ? 0xff : 0, 16);
        ds_machine_id_make(&x, &id);
        CHECK(id.id[0] == '\0' && id.basis == NULL);
        CHECK(strstr(id.why_not, i % 2 ? "the UUID is all FF" : "the UUID is all zero") != NULL);
    }
    struct ds_smbios_identity x = good;
    struct ds_machine_id id;
    static const uint8_t ami[16] = {0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9};
    memcpy(x.uuid, ami, 16);
    ds_machine_id_make(&x, &id);
    CHECK_STR(id.basis, "board serial");
    CHECK(strstr(id.why_not, "many boards share") != NULL);
    x.has_uuid = false;
    ds_machine_id_make(&x, &id);
    CHECK_STR(id.why_not, "the SMBIOS table has no UUID");
}

TEST_MAIN(TEST(acpi_keeps_what_the_writer_kept), TEST(hostile_acpi_ends_with_a_reason),
          TEST(pci_reads_only_what_is_captured), TEST(hostile_pci_is_bounded),
          TEST(id_is_the_documented_hash), TEST(fillers_make_no_id))
