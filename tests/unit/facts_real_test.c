/* The tables of the published minidumps, against what is known of them. */
#include "test.h"

#include "rules/rules.h"

#define REAL "../shared/real/"

static struct ds_facts *facts;

static bool open_real(const char *name)
{
    char path[256];
    struct ds_source *source;
    struct ds_dump *dump;
    struct ds_target *target;
    struct ds_nt *nt;
    struct ds_target_options options = {NULL};
    snprintf(path, sizeof(path), REAL "%s", name);
    if (ds_source_file_open(path, &source, NULL) != DS_OK)
        return false;
    if (ds_dump_open(source, &dump, NULL) != DS_OK ||
        ds_target_open(dump, &options, &target, NULL) != DS_OK ||
        ds_nt_open(target, &nt, NULL) != DS_OK || ds_facts_open(nt, &facts, NULL) != DS_OK)
        abort();
    return true;
}

static void close_real(void)
{
    struct ds_nt *nt = ds_facts_nt(facts);
    ds_facts_close(facts);
    ds_nt_close(nt);
}

static bool keep_text(size_t columns, const char *const *names, const struct ds_cell *cells,
                      void *arg)
{
    char *text = arg;
    (void)names;
    if (columns > 0 && cells[0].kind == DS_CELL_TEXT)
        snprintf(text, 128, "%s", cells[0].text);
    else if (columns > 0 && cells[0].kind == DS_CELL_INT)
        snprintf(text, 128, cells[0].is_address ? "0x%llx" : "%lld", (long long)cells[0].integer);
    return false;
}

static const char *ask(const char *sql)
{
    static char text[128];
    snprintf(text, sizeof(text), "NULL");
    return ds_facts_query(facts, sql, NULL, keep_text, text, NULL) == DS_OK ? text : "(error)";
}

static void x64_minidump(void)
{
    if (!open_real("triage_x64_19041.dmp"))
        SKIP("no reference material beside the checkout");
    CHECK_STR(ask("SELECT kind FROM dump"), "triage");
    CHECK_STR(ask("SELECT windows_version FROM dump"), "10.0.19041.804");
    CHECK_STR(ask("SELECT system_time_utc FROM dump"), "2021-02-21T01:38:22.9877657Z");
    CHECK_STR(ask("SELECT up_time FROM dump"), "0 days 0:00:03.747");
    CHECK_STR(ask("SELECT attributes FROM dump"), "NULL");
    CHECK_STR(ask("SELECT count(*) FROM modules"), "151");
    CHECK_STR(ask("SELECT count(*) FROM unloaded_modules"), "4");
    CHECK_STR(ask("SELECT count(*) FROM secondary_blobs"), "20");
    CHECK_STR(ask("SELECT count(*) FROM secondary_blobs WHERE name IS NULL"), "1");
    CHECK_STR(ask("SELECT name FROM secondary_blobs WHERE number = 0"), "KMDF in-flight recorder");
    CHECK_STR(ask("SELECT preview FROM secondary_blobs WHERE tag LIKE 'e83b40d2%'"),
              "4d4346473c000000012c414c41534b4141204d2049000000092007014d534654");
    CHECK_STR(ask("SELECT preview_text FROM secondary_blobs WHERE tag LIKE 'e83b40d2%'"),
              "MCFG<....,ALASKAA M I.... ..MSFT");
    CHECK_STR(ask("SELECT summary FROM secondary_blobs WHERE tag LIKE 'bf2297dc%'"),
              "driver 461.09, branch r460_94-8");
    CHECK_STR(ask("SELECT summary FROM secondary_blobs WHERE tag LIKE '67fc721a-2852%'"), "AmdPPM");
    CHECK_STR(ask("SELECT preview FROM secondary_blobs WHERE number = 7"), "NULL");
    CHECK_STR(ask("SELECT count(*) FROM wdf_drivers"), "28");
    CHECK_STR(ask("SELECT minor FROM wdf_drivers WHERE name = 'Wdf01000'"), "31");
    CHECK_STR(ask("SELECT count(*) FROM processors"), "16");
    CHECK_STR(ask("SELECT count(*) FROM integrity WHERE level <> 'note'"), "0");
    CHECK_STR(ask("SELECT symbol FROM fault"), "amdppm+0x334c");
    CHECK_STR(ask("SELECT name FROM exceptions"), "STATUS_ACCESS_VIOLATION");
    CHECK_STR(ask("SELECT p.name FROM fault f JOIN processes p ON p.eprocess = f.eprocess"),
              "System");
    CHECK_STR(ask("SELECT base FROM modules WHERE name = 'amdppm.sys'"), "0xfffff8048b580000");
    CHECK_STR(ask("SELECT value FROM registers r JOIN contexts c ON c.number = r.context "
                  "WHERE c.chosen AND r.name = 'rsi'"),
              "0xffffc08be457fcf0");
    struct ds_verdict v;
    CHECK(ds_culprit_find(ds_facts_nt(facts), &v) == DS_OK);
    CHECK(v.culprit.kind == DS_CULPRIT_DRIVER);
    CHECK_STR(v.culprit.module, "amdppm.sys");
    CHECK_STR(v.culprit.function, "amdppm+0x334c");
    CHECK_STR(v.culprit.confidence, "high");
    close_real();
}

/* Firmware, buses and drivers as the dumps' own bytes show them, counted by hand. */
static void x64_secondary_data(void)
{
    if (!open_real("triage_x64_19041.dmp"))
        SKIP("no reference material beside the checkout");
    CHECK_STR(ask("SELECT cpu_name FROM system_info"), "AMD Ryzen 7 3700X 8-Core Processor");
    CHECK_STR(ask("SELECT is_virtual FROM machine"), "no");
    CHECK_STR(ask("SELECT firmware_oem FROM machine"), "ALASKA A M I");
    CHECK_STR(ask("SELECT machine_id_note FROM machine"), "the dump holds no SMBIOS table");
    CHECK_STR(ask("SELECT found FROM machine_evidence"),
              "only the hypervisor that Windows started");
    CHECK_STR(ask("SELECT count(*) FROM acpi_tables"), "17");
    CHECK_STR(ask("SELECT group_concat(signature, ' ') FROM acpi_tables"),
              "MCFG FACP APIC IVRS HPET FPDT SSDT SSDT SSDT FIDT BGRT PCCT SSDT CRAT CDIT SSDT "
              "SSDT");
    CHECK_STR(ask("SELECT sum(kept) FROM acpi_tables"), "905");
    CHECK_STR(ask("SELECT count(*) FROM pci_devices"), "42");
    CHECK_STR(ask("SELECT class_name FROM pci_devices WHERE vendor_id = 0x10de AND function = 0"),
              "VGA display controller");
    CHECK_STR(ask("SELECT location FROM pci_devices WHERE vendor_id = 0x10ec"), "08:00.0");
    CHECK_STR(ask("SELECT count(DISTINCT secondary_bus) FROM pci_devices WHERE header_type = 1"),
              "11");
    CHECK_STR(ask("SELECT subsystem_vendor_id FROM pci_devices WHERE location = '00:00.0'"),
              "4163");
    CHECK_STR(ask("SELECT driver FROM ifr_logs WHERE kind = 'kmdf'"), "AmdPPM");
    CHECK_STR(ask("SELECT count(*) FROM ifr_records WHERE log = 0"), "20");
    CHECK_STR(ask("SELECT max(sequence) FROM ifr_records WHERE log = 0"), "20");
    CHECK_STR(ask("SELECT driver FROM ifr_logs WHERE kind = 'wpp'"), "AmdPPM");
    CHECK_STR(ask("SELECT count(*) FROM triage_data_ranges"), "31");
    CHECK_STR(ask("SELECT DISTINCT name FROM triage_data_ranges"), "IoTriageDumpData");
    CHECK_STR(ask("SELECT count(*) FROM storage_requests"), "66");
    CHECK_STR(ask("SELECT DISTINCT status FROM storage_requests"), "1");
    CHECK_STR(ask("SELECT count(*) FROM walks WHERE asked AND NOT complete AND table_name IN "
                  "('acpi_tables', 'pci_devices', 'ifr_logs', 'ifr_records', "
                  "'triage_data_ranges', 'storage_requests')"),
              "0");
    close_real();
}

static void arm64_secondary_data(void)
{
    if (!open_real("triage_arm64_17134.dmp"))
        SKIP("no reference material beside the checkout");
    CHECK_STR(ask("SELECT manufacturer FROM system_info"), "ASUSTeK COMPUTER INC.");
    CHECK_STR(ask("SELECT board_product FROM system_info"), "NovaGo TP370QL");
    CHECK_STR(ask("SELECT bios_vendor FROM system_info"), "Qualcomm Inc.");
    CHECK_STR(ask("SELECT bios_version FROM system_info"), "TP370QL.259");
    CHECK_STR(ask("SELECT chassis FROM machine"), "notebook");
    CHECK_STR(ask("SELECT machine_id_basis FROM machine"), "board serial");
    CHECK_STR(ask("SELECT machine_id_note FROM machine"), "the UUID is all zero");
    CHECK_STR(ask("SELECT is_virtual FROM machine"), "no");
    CHECK_STR(ask("SELECT type FROM memory_devices"), "LPDDR4");
    CHECK_STR(ask("SELECT size FROM memory_devices"), "6442450944");
    CHECK_STR(ask("SELECT speed FROM memory_devices"), "1866");
    CHECK_STR(ask("SELECT group_concat(signature, ' ') FROM acpi_tables"),
              "MCFG FACP APIC CSRT GTDT FPDT BGRT DBG2 IORT TPM2 MSDM");
    CHECK_STR(ask("SELECT sum(kept) FROM acpi_tables"), "484");
    CHECK_STR(ask("SELECT driver FROM ifr_logs WHERE kind = 'kmdf'"), "USBXHCI");
    CHECK_STR(ask("SELECT sequence FROM ifr_logs WHERE kind = 'kmdf'"), "1068");
    CHECK_STR(ask("SELECT end FROM ifr_logs WHERE kind = 'kmdf'"),
              "older records were overwritten by newer ones");
    CHECK_STR(ask("SELECT count(*) FROM ifr_records WHERE driver = 'USBXHCI'"), "76");
    CHECK_STR(ask("SELECT count(*) FROM ifr_logs"), "21");
    CHECK_STR(ask("SELECT text FROM blackbox_fields WHERE name = 'device_id'"),
              "SWD\\RADIO\\{2E989C01-4757-4500-AE99-53C29B643C2E}");
    CHECK_STR(ask("SELECT number FROM blackbox_fields WHERE name = 'last_boot_id'"), "5");
    CHECK_STR(ask("SELECT name FROM triage_data_ranges"), "b");
    close_real();
}

static void arm_minidumps(void)
{
    if (!open_real("triage_arm64_17134.dmp"))
        SKIP("no reference material beside the checkout");
    CHECK_STR(ask("SELECT architecture FROM dump"), "arm64");
    CHECK_STR(ask("SELECT base_code FROM bugcheck"), "226");
    CHECK_STR(ask("SELECT product FROM system_info"), "NovaGo TP370QL");
    struct ds_verdict v;
    CHECK(ds_culprit_find(ds_facts_nt(facts), &v) == DS_OK);
    CHECK(v.culprit.kind == DS_CULPRIT_UNKNOWN && v.culprit.module == NULL);
    close_real();
    CHECK(open_real("triage_arm32_17134.dmp"));
    CHECK_STR(ask("SELECT architecture FROM dump"), "arm");
    CHECK_STR(ask("SELECT code FROM bugcheck"), "0");
    CHECK_STR(ask("SELECT attributes_text FROM dump"), "live dump");
    CHECK_STR(ask("SELECT count(*) > 100 FROM modules"), "1");
    CHECK_STR(ask("SELECT count(*) FROM secondary_blobs"), "0");
    close_real();
}

TEST_MAIN(TEST(x64_minidump), TEST(x64_secondary_data), TEST(arm64_secondary_data),
          TEST(arm_minidumps))
