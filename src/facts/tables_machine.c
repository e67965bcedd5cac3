/* Tables over the machine: its id, whether it is virtual, memory devices, ACPI and PCI. */
#include <stdio.h>
#include <string.h>

#include "dump/blob_acpi.h"
#include "dump/blob_pci.h"
#include "dump/machine.h"
#include "facts/blob_rows.h"

static struct ds_dump *dump_of(struct ds_facts *f)
{
    return ds_nt_target(ds_facts_nt(f))->dump;
}

static const struct ds_machine *machine_of(struct ds_facts *f)
{
    struct ds_machine *m = ds_facts_rows_alloc(f, 1, sizeof(*m));
    if (m != NULL)
        ds_machine_read(dump_of(f), m);
    return m;
}

/* ---- machine ---- */

struct machine_row {
    struct ds_machine_id id;
    struct ds_smbios smbios;
    const char *is_virtual, *platform, *chassis;
    char firmware_oem[64];
};

#define ROW struct machine_row
static const struct ds_column_spec machine_columns[] = {
    {"machine_id", DS_COL_TEXT,
     "hash that is the same in all dumps of one machine (docs/machine-id.md); NULL when it cannot "
     "be told",
     "", DS_FIELD(ROW, id.id)},
    {"machine_id_basis", DS_COL_TEXT, "what it was made of: UUID and board serial, or one of them",
     "", DS_FIELD(ROW, id.basis)},
    {"machine_id_note", DS_COL_TEXT, "why there is none, or why a part of it was left out", "",
     DS_FIELD(ROW, id.why_not)},
    {"is_virtual", DS_COL_TEXT, "whether it is a virtual machine: yes, no or unknown", "",
     DS_FIELD(ROW, is_virtual)},
    {"platform", DS_COL_TEXT, "whose virtual machine: VMware, Hyper-V, QEMU, ...", "",
     DS_FIELD(ROW, platform)},
    {"manufacturer", DS_COL_TEXT, "who made the machine", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.system_manufacturer)},
    {"product", DS_COL_TEXT, "model of the machine", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.system_product)},
    {"board", DS_COL_TEXT, "model of the board", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.board_product)},
    {"board_version", DS_COL_TEXT, "version of the board", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.board_version)},
    {"chassis", DS_COL_TEXT, "kind of chassis: desktop, laptop, rack mount chassis, ...",
     "!sysinfo smbios", DS_FIELD(ROW, chassis)},
    {"bios_version", DS_COL_TEXT, "version of the firmware", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.bios_version)},
    {"bios_major", DS_COL_INTEGER, "release of the firmware; NULL when not stated",
     "!sysinfo machineid", DS_FIELD(ROW, smbios.bios_major)},
    {"bios_minor", DS_COL_INTEGER, "its minor part", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.bios_minor)},
    {"ec_major", DS_COL_INTEGER, "release of the embedded controller's firmware",
     "!sysinfo machineid", DS_FIELD(ROW, smbios.ec_major)},
    {"ec_minor", DS_COL_INTEGER, "its minor part", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.ec_minor)},
    {"uefi", DS_COL_BOOL, "whether SMBIOS says that the firmware is UEFI", "!sysinfo smbios",
     DS_FIELD(ROW, smbios.uefi)},
    {"firmware_oem", DS_COL_TEXT, "who made the firmware's tables, by the first ACPI table", "",
     DS_FIELD(ROW, firmware_oem)},
};
#undef ROW

static void machine_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct machine_row *r = ds_facts_rows_alloc(f, 1, sizeof(*r));
    const struct ds_machine *m = machine_of(f);
    if (r == NULL || m == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
        return;
    }
    struct ds_blob_bytes b = ds_facts_blob(f, DS_SMBIOS_TAG);
    if (b.data != NULL)
        (void)ds_smbios_decode(b.data, b.size, &r->smbios);
    free(b.data);
    ds_machine_id_read(dump_of(f), &r->id);
    r->is_virtual = ds_virtual_name(m->is_virtual);
    r->platform = m->platform;
    r->chassis = ds_smbios_chassis_name(r->smbios.chassis_type);
    memcpy(r->firmware_oem, m->oem, sizeof(r->firmware_oem));
    *ret = ds_rows_complete(r, sizeof(*r), 1);
}

DS_TABLE(machine,
         "One row: which machine it was, by an id without names in it, and whether it is virtual.",
         "!sysinfo machineid", machine_columns, machine_fill, NULL);

/* ---- machine_evidence ---- */

static void derive_says(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, ds_virtual_name(((const struct ds_machine_evidence *)row)->says));
}

#define ROW struct ds_machine_evidence
static const struct ds_column_spec evidence_columns[] = {
    {"source", DS_COL_TEXT, "where it stands: SMBIOS manufacturer, ACPI OEM id, CPUID leaf 1, ...",
     "", DS_FIELD(ROW, source)},
    {"found", DS_COL_TEXT, "what stands there", "", DS_FIELD(ROW, found)},
    {"is_virtual", DS_COL_TEXT, "what it speaks for: yes, no or unknown", "",
     DS_DERIVED(derive_says)},
    {"platform", DS_COL_TEXT, "the platform that it names; NULL when none", "",
     DS_FIELD(ROW, platform)},
};
#undef ROW

static void evidence_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_machine *m = machine_of(f);
    *ret = m == NULL ? ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "")
                     : ds_rows_complete(m->evidence, sizeof(m->evidence[0]), m->evidence_count);
}

DS_TABLE(machine_evidence, "What says that the machine is, or is not, a virtual one.", "",
         evidence_columns, evidence_fill, NULL);

/* ---- memory_devices ---- */

#define ROW struct ds_smbios_memory
static const struct ds_column_spec memory_columns[] = {
    {"locator", DS_COL_TEXT, "the socket, as its board names it", "!sysinfo smbios",
     DS_FIELD(ROW, locator)},
    {"bank", DS_COL_TEXT, "its bank", "!sysinfo smbios", DS_FIELD(ROW, bank)},
    {"installed", DS_COL_BOOL, "false: an empty socket; NULL when the size is not known",
     "!sysinfo smbios", DS_FIELD(ROW, installed)},
    {"size", DS_COL_INTEGER, "bytes; NULL for an empty socket and when not known",
     "!sysinfo smbios", DS_FIELD(ROW, size_bytes)},
    {"type", DS_COL_TEXT, "DDR4, ...; NULL when not known", "!sysinfo smbios", DS_FIELD(ROW, type)},
    {"type_code", DS_COL_INTEGER, "the type as stored (DSP0134 7.18.2)", "",
     DS_FIELD(ROW, type_code)},
    {"form_factor", DS_COL_TEXT, "DIMM, SODIMM, ...; NULL when not known", "!sysinfo smbios",
     DS_FIELD(ROW, form_factor)},
    {"speed", DS_COL_INTEGER, "megatransfers a second that it can do", "!sysinfo smbios",
     DS_FIELD(ROW, speed)},
    {"configured_speed", DS_COL_INTEGER, "megatransfers a second that it is run at",
     "!sysinfo smbios", DS_FIELD(ROW, configured)},
    {"configured_voltage", DS_COL_INTEGER, "millivolts", "!sysinfo smbios", DS_FIELD(ROW, voltage)},
    {"ranks", DS_COL_INTEGER, "ranks", "", DS_FIELD(ROW, ranks)},
    {"data_width", DS_COL_INTEGER, "bits", "!sysinfo smbios", DS_FIELD(ROW, data_bits)},
    {"total_width", DS_COL_INTEGER, "bits, those of error correction included", "!sysinfo smbios",
     DS_FIELD(ROW, total_bits)},
    {"manufacturer", DS_COL_TEXT, "who made it", "!sysinfo smbios", DS_FIELD(ROW, manufacturer)},
    {"serial", DS_COL_TEXT, "its serial number; private", "!sysinfo smbios", DS_FIELD(ROW, serial)},
    {"part_number", DS_COL_TEXT, "its part number", "!sysinfo smbios", DS_FIELD(ROW, part_number)},
    {"handle", DS_COL_INTEGER, "handle of the SMBIOS structure", "", DS_FIELD(ROW, handle)},
};
#undef ROW

static void memory_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_row_list l = ds_row_list_of(sizeof(struct ds_smbios_memory));
    struct ds_blob_bytes b = ds_facts_blob(f, DS_SMBIOS_TAG);
    struct ds_smbios_walk w;
    struct ds_smbios_memory m, *row;
    enum ds_status st = b.data ? ds_smbios_walk_begin(b.data, b.size, &w) : DS_OK;
    while (b.data && st == DS_OK && (st = ds_smbios_memory_next(&w, &m)) == DS_OK &&
           (row = ds_row_list_add(&l)) != NULL)
        *row = m;
    *ret = ds_row_list_finish(f, &l, b.status, st, "the SMBIOS blob is absent or cut");
    free(b.data);
}

DS_TABLE(memory_devices, "Memory modules and sockets, from the SMBIOS table of a minidump.",
         "!sysinfo smbios", memory_columns, memory_fill, NULL);

/* ---- acpi_tables ---- */

#define ROW struct ds_acpi_table
static const struct ds_column_spec acpi_columns[] = {
    {"number", DS_COL_INTEGER, "position in the blob, from 0", "", DS_DERIVED(ds_derive_number)},
    {"signature", DS_COL_TEXT, "FACP, APIC, SSDT, ...", "!acpicache", DS_FIELD(ROW, signature)},
    {"length", DS_COL_INTEGER, "bytes of the table in memory, as it states", "!acpicache",
     DS_FIELD(ROW, length)},
    {"kept", DS_COL_INTEGER, "bytes of it that the dump holds", "", DS_FIELD(ROW, kept)},
    {"revision", DS_COL_INTEGER, "revision of its layout", "!acpicache", DS_FIELD(ROW, revision)},
    {"oem_id", DS_COL_TEXT, "who made it", "!acpicache", DS_FIELD(ROW, oem_id)},
    {"oem_table_id", DS_COL_TEXT, "its maker's name for it", "!acpicache",
     DS_FIELD(ROW, oem_table_id)},
    {"oem_revision", DS_COL_INTEGER, "its maker's revision", "!acpicache",
     DS_FIELD(ROW, oem_revision)},
    {"creator_id", DS_COL_TEXT, "the tool that built it", "!acpicache", DS_FIELD(ROW, creator_id)},
    {"creator_revision", DS_COL_INTEGER, "the tool's revision", "!acpicache",
     DS_FIELD(ROW, creator_revision)},
};
#undef ROW

static void acpi_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_row_list l = ds_row_list_of(sizeof(struct ds_acpi_table));
    struct ds_blob_bytes b = ds_facts_blob(f, DS_ACPI_TAG);
    struct ds_acpi_walk w = ds_acpi_walk_begin(b.data, b.size);
    struct ds_acpi_table t, *row;
    enum ds_status st = DS_OK;
    while (b.data && (st = ds_acpi_next(&w, &t)) == DS_OK && (row = ds_row_list_add(&l)) != NULL)
        *row = t;
    *ret = ds_row_list_finish(f, &l, b.status, st,
                              "the ACPI blob is absent or cut, or no table begins there");
    free(b.data);
}

DS_TABLE(acpi_tables, "The firmware's ACPI tables, from the secondary data of a minidump.",
         "!acpicache", acpi_columns, acpi_fill, NULL);

/* ---- pci_devices ---- */

struct pci_row {
    struct ds_pci_function f;
    uint32_t bus, device, function;
    const char *class_name;
    char location[16];
};

#define ROW struct pci_row
static const struct ds_column_spec pci_columns[] = {
    {"location", DS_COL_TEXT, "bus:device.function", "!blackboxpci", DS_FIELD(ROW, location)},
    {"bus", DS_COL_INTEGER, "bus", "!blackboxpci", DS_FIELD(ROW, bus)},
    {"device", DS_COL_INTEGER, "device on the bus", "!blackboxpci", DS_FIELD(ROW, device)},
    {"function", DS_COL_INTEGER, "function of the device", "!blackboxpci", DS_FIELD(ROW, function)},
    {"vendor_id", DS_COL_INTEGER, "vendor; 65535: nothing answered", "!blackboxpci",
     DS_FIELD(ROW, f.vendor_id)},
    {"device_id", DS_COL_INTEGER, "the vendor's number for it", "!blackboxpci",
     DS_FIELD(ROW, f.device_id)},
    {"base_class", DS_COL_INTEGER, "base class", "!pci", DS_FIELD(ROW, f.base_class)},
    {"sub_class", DS_COL_INTEGER, "sub class", "!pci", DS_FIELD(ROW, f.sub_class)},
    {"prog_if", DS_COL_INTEGER, "programming interface", "!pci", DS_FIELD(ROW, f.prog_if)},
    {"class_name", DS_COL_TEXT, "the class in words; NULL when it has no name", "!pci",
     DS_FIELD(ROW, class_name)},
    {"subsystem_vendor_id", DS_COL_INTEGER, "vendor of the card or board", "!pci",
     DS_FIELD(ROW, f.subsystem_vendor_id)},
    {"subsystem_id", DS_COL_INTEGER, "that vendor's number for it", "!pci",
     DS_FIELD(ROW, f.subsystem_id)},
    {"revision", DS_COL_INTEGER, "revision", "!blackboxpci", DS_FIELD(ROW, f.revision)},
    {"command", DS_COL_INTEGER, "command register", "!blackboxpci", DS_FIELD(ROW, f.command)},
    {"status", DS_COL_INTEGER, "status register", "!blackboxpci", DS_FIELD(ROW, f.status)},
    {"header_type", DS_COL_INTEGER, "0 device, 1 bridge, 2 CardBus bridge", "!pci",
     DS_FIELD(ROW, f.header_type)},
    {"secondary_bus", DS_COL_INTEGER, "of a bridge: the bus behind it", "!pci",
     DS_FIELD(ROW, f.secondary_bus)},
    {"subordinate_bus", DS_COL_INTEGER, "of a bridge: the last bus behind it", "!pci",
     DS_FIELD(ROW, f.subordinate_bus)},
};
#undef ROW

static void pci_row_of(const struct ds_pci_function *f, struct pci_row *r)
{
    *r = (struct pci_row){.f = *f, .bus = f->bus, .device = f->device, .function = f->function};
    (void)snprintf(r->location, sizeof(r->location), "%02x:%02x.%x", f->bus & 0xff,
                   f->device & 0x1f, f->function & 7);
    if (f->base_class.known && f->sub_class.known)
        r->class_name =
            ds_pci_class_name((unsigned)f->base_class.value, (unsigned)f->sub_class.value);
}

static void pci_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_row_list l = ds_row_list_of(sizeof(struct pci_row));
    struct ds_blob_bytes b = ds_facts_blob(f, DS_PCI_TAG);
    struct ds_pci_function one;
    struct pci_row *row;
    size_t pos = 0;
    enum ds_status st = DS_OK;
    while (b.data && (st = ds_pci_next(b.data, b.size, &pos, &one)) == DS_OK &&
           (row = ds_row_list_add(&l)) != NULL)
        pci_row_of(&one, row);
    *ret = ds_row_list_finish(f, &l, b.status, st,
                              "the PCI blob is absent, cut or contradicts itself");
    free(b.data);
}

DS_TABLE(pci_devices, "PCI functions by their configuration space, as pci.sys recorded it.",
         "!blackboxpci", pci_columns, pci_fill, NULL);
