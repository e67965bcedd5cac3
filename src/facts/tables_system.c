/* Tables over what the dump carries about the machine: SMBIOS, CPUID, and the debugger block. */
#include <string.h>

#include "dump/blob_wdf.h"
#include "dump/cpuid.h"
#include "dump/smbios.h"
#include "facts/blob_rows.h"
#include "symbols/kdbg_layout.h"

#define CPU_VALUES_MAX 256 /* values of the processor's registry key; real ones have a dozen */

/* Rows with the walk that their blob allows. */
static struct ds_rows rows_of(const void *rows, size_t stride, size_t count, enum ds_status blob,
                              enum ds_status decoded, const char *detail)
{
    enum ds_status st = blob != DS_OK ? blob : decoded;
    return st == DS_OK ? ds_rows_complete(rows, stride, count)
                       : ds_rows_cut(rows, stride, count, st, detail);
}

/* ---- system_info ---- */

struct system_row {
    struct ds_smbios smbios;
    struct ds_cpuid cpu;
    struct ds_opt sockets;
    struct ds_cpu_value name; /* ProcessorNameString of the registry */
};

#define ROW struct system_row
static const struct ds_column_spec system_columns[] = {
    {"manufacturer", DS_COL_TEXT, "who made the machine", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.system_manufacturer)},
    {"product", DS_COL_TEXT, "model of the machine", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.system_product)},
    {"version", DS_COL_TEXT, "its version", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.system_version)},
    {"family", DS_COL_TEXT, "its family", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.system_family)},
    {"sku", DS_COL_TEXT, "its stock number", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.system_sku)},
    {"board_manufacturer", DS_COL_TEXT, "who made the board", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.board_manufacturer)},
    {"board_product", DS_COL_TEXT, "model of the board", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.board_product)},
    {"bios_vendor", DS_COL_TEXT, "who made the firmware", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.bios_vendor)},
    {"bios_version", DS_COL_TEXT, "its version", "!sysinfo machineid",
     DS_FIELD(ROW, smbios.bios_version)},
    {"bios_release_date", DS_COL_TEXT, "its date as written, mostly mm/dd/yyyy",
     "!sysinfo machineid", DS_FIELD(ROW, smbios.bios_release_date)},
    {"memory_bytes", DS_COL_INTEGER, "memory fitted, summed over its modules", "!sysinfo smbios",
     DS_FIELD(ROW, smbios.memory_bytes)},
    {"processor_sockets", DS_COL_INTEGER, "processor sockets", "!sysinfo smbios",
     DS_FIELD(ROW, sockets)},
    {"cpu_name", DS_COL_TEXT, "processor by its registry key", "!sysinfo cpuinfo",
     DS_FIELD(ROW, name.text)},
    {"cpu_vendor", DS_COL_TEXT, "vendor by CPUID: AuthenticAMD", "!sysinfo cpuinfo",
     DS_FIELD(ROW, cpu.vendor)},
    {"cpu_brand", DS_COL_TEXT, "brand by CPUID", "!sysinfo cpuinfo", DS_FIELD(ROW, cpu.brand)},
    {"cpu_family", DS_COL_INTEGER, "family by CPUID, extended part added", "!cpuinfo",
     DS_FIELD(ROW, cpu.family)},
    {"cpu_model", DS_COL_INTEGER, "model by CPUID, extended part added", "!cpuinfo",
     DS_FIELD(ROW, cpu.model)},
    {"cpu_stepping", DS_COL_INTEGER, "stepping by CPUID", "!cpuinfo", DS_FIELD(ROW, cpu.stepping)},
    {"hypervisor", DS_COL_BOOL,
     "whether CPUID shows a hypervisor; that which Windows started itself counts", "",
     DS_FIELD(ROW, cpu.hypervisor)},
    {"hypervisor_vendor", DS_COL_TEXT, "its name: Microsoft Hv", "",
     DS_FIELD(ROW, cpu.hypervisor_vendor)},
};
#undef ROW

/* The registry's value of that name, when the dump has it. */
static void registry_value(struct ds_facts *f, const char *name, struct ds_cpu_value *ret)
{
    struct ds_blob_bytes b = ds_facts_blob(f, DS_CPU_REGISTRY_TAG);
    struct ds_cpu_value v;
    size_t pos = 0;
    for (unsigned i = 0; b.data && i < CPU_VALUES_MAX; i++) {
        if (ds_cpu_value_next(b.data, b.size, &pos, &v) != DS_OK)
            break;
        if (strcmp(v.name, name) == 0) {
            *ret = v;
            break;
        }
    }
    free(b.data);
}

static void system_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct system_row *r = ds_facts_rows_alloc(f, 1, sizeof(*r));
    if (r == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
        return;
    }
    struct ds_blob_bytes smbios = ds_facts_blob(f, DS_SMBIOS_TAG);
    struct ds_blob_bytes cpuid = ds_facts_blob(f, DS_CPUID_TAG);
    enum ds_status st = smbios.status != DS_OK ? smbios.status : cpuid.status;
    if (smbios.data) {
        enum ds_status decoded = ds_smbios_decode(smbios.data, smbios.size, &r->smbios);
        st = st == DS_OK ? decoded : st;
        r->sockets = ds_opt_known(r->smbios.processor_structures);
    }
    if (cpuid.data) {
        enum ds_status decoded = ds_cpuid_decode(cpuid.data, cpuid.size, &r->cpu);
        st = st == DS_OK ? decoded : st;
    }
    registry_value(f, "ProcessorNameString", &r->name);
    bool any = smbios.data || cpuid.data || *r->name.text;
    *ret = rows_of(r, sizeof(*r), any ? 1 : 0, DS_OK, st,
                   "the secondary data about the machine are absent or cut");
    free(smbios.data);
    free(cpuid.data);
}

DS_TABLE(system_info,
         "One row: the machine, its firmware and processor, from the secondary data of a minidump. "
         "Serial numbers are left out.",
         "!sysinfo", system_columns, system_fill, NULL);

/* ---- smbios_strings ---- */

struct string_row {
    const char *name; /* static */
    const char *value;
};

#define ROW struct string_row
static const struct ds_column_spec string_columns[] = {
    {"name", DS_COL_TEXT, "which text: bios_vendor, system_product, ...", "!sysinfo smbios",
     DS_FIELD(ROW, name)},
    {"value", DS_COL_TEXT, "the text; NULL when not stated", "!sysinfo smbios",
     DS_FIELD(ROW, value)},
};
#undef ROW

static void strings_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_smbios *s = ds_facts_rows_alloc(f, 1, sizeof(*s));
    struct string_row *rows = ds_facts_rows_alloc(f, 32, sizeof(*rows));
    struct ds_blob_bytes b = ds_facts_blob(f, DS_SMBIOS_TAG);
    size_t n = 0;
    if (s == NULL || rows == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
    } else {
        enum ds_status decoded = b.data ? ds_smbios_decode(b.data, b.size, s) : DS_OK;
        while (b.data && n < 32 && ds_smbios_row(s, n, &rows[n].name, &rows[n].value)) {
            if (*rows[n].value == '\0')
                rows[n].value = NULL;
            n++;
        }
        *ret =
            rows_of(rows, sizeof(*rows), n, b.status, decoded, "the SMBIOS blob is absent or cut");
    }
    free(b.data);
}

DS_TABLE(smbios_strings, "Texts of the SMBIOS table; serial numbers are left out.",
         "!sysinfo smbios", string_columns, strings_fill, "name");

/* ---- cpuid_leaves ---- */

struct leaf_row {
    uint32_t leaf, subleaf, answer, eax, ebx, ecx, edx;
};

#define ROW struct leaf_row
static const struct ds_column_spec leaf_columns[] = {
    {"leaf", DS_COL_INTEGER, "CPUID leaf", "!sysinfo cpuinfo", DS_FIELD(ROW, leaf)},
    {"subleaf", DS_COL_INTEGER, "its subleaf", "", DS_FIELD(ROW, subleaf)},
    {"answer", DS_COL_INTEGER,
     "0: what Windows gets; 1: what the processor says without the hypervisor that Windows started",
     "", DS_FIELD(ROW, answer)},
    {"eax", DS_COL_INTEGER, "EAX", "", DS_FIELD(ROW, eax)},
    {"ebx", DS_COL_INTEGER, "EBX", "", DS_FIELD(ROW, ebx)},
    {"ecx", DS_COL_INTEGER, "ECX", "", DS_FIELD(ROW, ecx)},
    {"edx", DS_COL_INTEGER, "EDX", "", DS_FIELD(ROW, edx)},
};
#undef ROW

static void leaves_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_blob_bytes b = ds_facts_blob(f, DS_CPUID_TAG);
    size_t count = b.data ? ds_cpuid_count(b.size) : 0;
    struct leaf_row *rows = ds_facts_rows_alloc(f, count * 2, sizeof(*rows));
    struct ds_cpuid_row r;
    size_t n = 0;
    for (size_t i = 0; rows && i < count && ds_cpuid_row(b.data, b.size, i, &r); i++) {
        for (uint32_t p = 0; p < 2; p++) {
            const uint32_t *x = p ? r.second : r.first;
            rows[n++] = (struct leaf_row){r.leaf, r.subleaf, p, x[0], x[1], x[2], x[3]};
        }
    }
    *ret = rows_of(rows, sizeof(*rows), n, rows ? b.status : DS_NO_MEMORY, DS_OK,
                   "the CPUID blob is absent or cut");
    free(b.data);
}

DS_TABLE(
    cpuid_leaves,
    "CPUID leaves of one processor, each answered twice, from the secondary data of a minidump.",
    "!sysinfo cpuinfo", leaf_columns, leaves_fill, NULL);

/* ---- cpu_registry_values ---- */

#define ROW struct ds_cpu_value
static const struct ds_column_spec value_columns[] = {
    {"name", DS_COL_TEXT, "value of the processor's registry key: ProcessorNameString, ~MHz",
     "!sysinfo cpuinfo", DS_FIELD(ROW, name)},
    {"type", DS_COL_INTEGER, "REG_* type", "", DS_FIELD(ROW, type)},
    {"text", DS_COL_TEXT, "of text values", "!sysinfo cpuinfo", DS_FIELD(ROW, text)},
    {"number", DS_COL_INTEGER, "of numeric values", "!sysinfo cpuinfo", DS_FIELD(ROW, number)},
    {"data_size", DS_COL_INTEGER, "bytes of the data as stated", "", DS_FIELD(ROW, data_size)},
};
#undef ROW

static void values_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_blob_bytes b = ds_facts_blob(f, DS_CPU_REGISTRY_TAG);
    struct ds_cpu_value *rows = ds_facts_rows_alloc(f, CPU_VALUES_MAX, sizeof(*rows));
    size_t n = 0, pos = 0;
    enum ds_status st = rows ? DS_OK : DS_NO_MEMORY;
    while (b.data && st == DS_OK && n < CPU_VALUES_MAX) {
        st = ds_cpu_value_next(b.data, b.size, &pos, &rows[n]);
        n += st == DS_OK;
    }
    if (st == DS_NOT_FOUND)
        st = DS_OK;
    else if (st == DS_OK && n == CPU_VALUES_MAX)
        st = DS_LIMIT;
    *ret = rows_of(rows, sizeof(*rows), n, b.status, st, "the blob is absent or cut");
    free(b.data);
}

DS_TABLE(cpu_registry_values,
         "Values of the processor's registry key, from the secondary data of a minidump.",
         "!sysinfo cpuinfo", value_columns, values_fill, NULL);

/* ---- wdf_drivers ---- */

#define ROW struct ds_wdf_driver
static const struct ds_column_spec wdf_columns[] = {
    {"name", DS_COL_TEXT, "service name of the driver", "!wdfkd.wdfldr", DS_FIELD(ROW, name)},
    {"major", DS_COL_INTEGER, "KMDF version that it was built for", "!wdfkd.wdfldr",
     DS_FIELD(ROW, major)},
    {"minor", DS_COL_INTEGER, "its minor part", "!wdfkd.wdfldr", DS_FIELD(ROW, minor)},
    {"build", DS_COL_INTEGER, "its build part", "!wdfkd.wdfldr", DS_FIELD(ROW, build)},
    {"globals", DS_COL_ADDRESS, "FX_DRIVER_GLOBALS: virtual; 0 for the framework itself", "",
     DS_FIELD(ROW, globals)},
};
#undef ROW

static void wdf_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_dump *d = ds_nt_target(ds_facts_nt(f))->dump;
    struct ds_blob_bytes b = ds_facts_blob(f, DS_WDF_DRIVERS_TAG);
    struct ds_wdf_driver one, *rows;
    size_t count = 0;
    bool is64 = ds_dump_header(d)->is64;
    while (is64 && b.data && ds_wdf_driver_at(b.data, b.size, count, &one))
        count++;
    rows = ds_facts_rows_alloc(f, count, sizeof(*rows));
    for (size_t i = 0; rows && i < count; i++)
        (void)ds_wdf_driver_at(b.data, b.size, i, &rows[i]);
    enum ds_status st = rows ? (is64 || !b.data ? DS_OK : DS_UNSUPPORTED) : DS_NO_MEMORY;
    *ret = rows_of(rows, sizeof(*rows), rows ? count : 0, b.status, st,
                   "the blob is absent, cut, or of 32-bit Windows");
    free(b.data);
}

DS_TABLE(wdf_drivers, "Drivers bound to KMDF, from the secondary data of a minidump.",
         "!wdfkd.wdfldr", wdf_columns, wdf_fill, NULL);

/* ---- kdbg_fields ---- */

struct kdbg_row {
    const char *name;
    uint32_t offset, size;
    struct ds_opt value;
};

#define ROW struct kdbg_row
static const struct ds_column_spec kdbg_columns[] = {
    {"name", DS_COL_TEXT, "member of KDDEBUGGER_DATA64, as wdbgexts.h names it", "!kdbg",
     DS_FIELD(ROW, name)},
    {"offset", DS_COL_INTEGER, "bytes from the start of the block", "", DS_FIELD(ROW, offset)},
    {"size", DS_COL_INTEGER, "its bytes", "", DS_FIELD(ROW, size)},
    {"value", DS_COL_ADDRESS, "its value; NULL when 0 for pointers, or when the block is shorter",
     "!kdbg", DS_FIELD(ROW, value)},
};
#undef ROW

static void kdbg_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_target *t = ds_nt_target(ds_facts_nt(f));
    struct ds_field field;
    const char *name;
    uint32_t count = 0;
    while (ds_kdbg_field_at(count, &name, &field))
        count++;
    struct kdbg_row *rows = ds_facts_rows_alloc(f, count, sizeof(*rows));
    for (uint32_t i = 0; rows && ds_kdbg_field_at(i, &name, &field) && i < count; i++) {
        uint64_t value;
        enum ds_status st = ds_target_kdbg(t, name, &value);
        rows[i] = (struct kdbg_row){name, field.offset, field.size,
                                    st == DS_OK ? ds_opt_known(value) : ds_opt_unknown(st)};
    }
    if (rows == NULL)
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
    else if (t->kdbg_size == 0)
        *ret =
            ds_rows_cut(rows, sizeof(*rows), 0, DS_NOT_IN_DUMP, "no KDDEBUGGER_DATA64 was found");
    else
        *ret = ds_rows_complete(rows, sizeof(*rows), count);
}

DS_TABLE(kdbg_fields, "Members of KDDEBUGGER_DATA64, the kernel's own word on where things are.",
         "!kdbg", kdbg_columns, kdbg_fill, "name");
