#include "dump/hardware.h"
#include "test.h"

/* A BIOS, a system and a board structure, and the end mark. */
static const char smbios[] = "\0\3\2\0\0\0\0\0"
                             "\0\x09\0\0\1\2\0\0\3"
                             "American Megatrends\0 F12 \0"
                             "01/02/2020\0"
                             "\0"
                             "\1\x08\1\0\1\2\0\0"
                             "Contoso\0Model \xff\0"
                             "\0"
                             "\2\x06\2\0\1\2"
                             "Maker\0Board\0"
                             "\0"
                             "\x7f\4\3\0\0\0";

static void smbios_strings(void)
{
    struct ds_hardware hw = {.bios_vendor = ""};
    ds_hardware_smbios(&hw, smbios, sizeof(smbios) - 1);
    CHECK_STR(hw.bios_vendor, "American Megatrends");
    CHECK_STR(hw.bios_version, "F12");
    CHECK_STR(hw.bios_date, "01/02/2020");
    CHECK_STR(hw.manufacturer, "Contoso");
    CHECK_STR(hw.product, "Model \xef\xbf\xbd");
    CHECK_STR(hw.board, "Maker Board");
    CHECK_STR(hw.cpu, "");
}

/* Every shorter copy is decoded without reading past its end (run under a sanitizer). */
static void smbios_cut(void)
{
    for (size_t n = 0; n < sizeof(smbios) - 1; n++) {
        char *copy = malloc(n + 1);
        struct ds_hardware hw = {.bios_vendor = ""};
        memcpy(copy, smbios, n);
        ds_hardware_smbios(&hw, copy, n);
        CHECK(n > 17 || hw.bios_vendor[0] == '\0');
        free(copy);
    }
}

static void cpu_values(void)
{
    static const char data[] =
        "\x0a\0\0\0~\0M\0H\0z\0\0\0\4\0\0\0\4\0\0\0\x09\x0e\0\0"
        "\x28\0\0\0P\0r\0o\0c\0e\0s\0s\0o\0r\0N\0a\0m\0e\0S\0t\0r\0i\0n\0g\0\0\0"
        "\1\0\0\0\x0c\0\0\0 \0C\0P\0U\0 \0\0\0";
    struct ds_hardware hw = {.bios_vendor = ""};
    ds_hardware_cpu_values(&hw, data, sizeof(data) - 1);
    CHECK(hw.cpu_mhz.known);
    CHECK_U64(hw.cpu_mhz.value, 0xe09);
    CHECK_STR(hw.cpu, "CPU");
    struct ds_hardware lying = {.bios_vendor = ""};
    ds_hardware_cpu_values(&lying, "\xff\xff\xff\xff~\0M\0H\0z\0\0\0", 14);
    CHECK(!lying.cpu_mhz.known);
}

static void cpuid_brand(void)
{
    uint8_t rows[3][40] = {{0}};
    for (unsigned i = 0; i < 3; i++) {
        rows[i][4] = (uint8_t)(2 + i);
        rows[i][7] = 0x80;
        memset(rows[i] + 8, 'A' + (int)i, 16);
    }
    struct ds_hardware hw = {.bios_vendor = ""};
    ds_hardware_cpuid(&hw, rows, 80);
    CHECK_STR(hw.cpu, ""); /* a third of the name is missing */
    ds_hardware_cpuid(&hw, rows, sizeof(rows));
    CHECK_STR(hw.cpu, "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCC");
}

static void blob_names(void)
{
    CHECK_STR(ds_blob_name("BC5C008F-1E3A-44D7-988D-86F6884C6758"), "SMBIOS");
    CHECK(ds_blob_name("00000000-0000-0000-0000-000000000000") == NULL);
}

static void real_machines(void)
{
    struct ds_source *src;
    struct ds_dump *dump;
    struct ds_err err;
    if (ds_source_file_open("../shared/real/triage_arm64_17134.dmp", &src, &err) != DS_OK)
        SKIP("no ../shared/real beside the checkout");
    if (ds_dump_open(src, &dump, &err) != DS_OK) {
        ds_source_close(src);
        CHECK(!"opens");
        return;
    }
    struct ds_hardware hw;
    ds_hardware_read(dump, &hw);
    CHECK_STR(hw.bios_vendor, "Qualcomm Inc.");
    CHECK_STR(hw.cpu, "Snapdragon(TM) 835");
    CHECK_U64(ds_opt_or(hw.cpu_mhz, 0), 0x613);
    ds_dump_close(dump);
}

TEST_MAIN(TEST(smbios_strings), TEST(smbios_cut), TEST(cpu_values), TEST(cpuid_brand),
          TEST(blob_names), TEST(real_machines))
