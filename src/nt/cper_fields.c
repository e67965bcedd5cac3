/* The members of the sections of a Common Platform Error Record. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "nt/cper.h"

#define ALWAYS (-1)

/* How a member's number is put into words. */
struct vocabulary {
    enum { BY_VALUE, BY_BIT, BY_STATUS, BY_MCI } kind;
    const char *const *names; /* by value, or by bit: 32 of them */
    size_t count;
};

struct member {
    const char *name;
    uint16_t offset;
    uint8_t size;
    int8_t valid; /* bit of the first quadword, or ALWAYS */
    const struct vocabulary *words;
};

/* Names of the bits of PCI Express: PCI Express Base Specification, Advanced Error Reporting. */
static const char *const aer[32] = {[4] = "data link protocol error",
                                    [5] = "surprise down",
                                    [12] = "poisoned TLP",
                                    [13] = "flow control protocol error",
                                    [14] = "completion timeout",
                                    [15] = "completer abort",
                                    [16] = "unexpected completion",
                                    [17] = "receiver overflow",
                                    [18] = "malformed TLP",
                                    [19] = "ECRC error",
                                    [20] = "unsupported request",
                                    [21] = "ACS violation",
                                    [22] = "uncorrectable internal error"};
static const char *const aer_corrected[32] = {[0] = "receiver error",
                                              [6] = "bad TLP",
                                              [7] = "bad DLLP",
                                              [8] = "replay number rollover",
                                              [12] = "replay timer timeout",
                                              [13] = "advisory non-fatal error"};
static const char *const operations[] = {"not known or generic", "data read", "data write",
                                         "instruction execution"};
static const char *const memory_errors[] = {"not known",
                                            "no error",
                                            "single-bit ECC",
                                            "multi-bit ECC",
                                            "single-symbol chip-kill ECC",
                                            "multi-symbol chip-kill ECC",
                                            "master abort",
                                            "target abort",
                                            "parity error",
                                            "watchdog time-out",
                                            "invalid address",
                                            "mirror broken",
                                            "memory sparing",
                                            "corrected while scrubbing",
                                            "not corrected while scrubbing",
                                            "physical memory map-out"};
static const char *const ports[] = {"PCI Express end point",
                                    "legacy PCI end point",
                                    "not a value of the specification",
                                    "not a value of the specification",
                                    "root port",
                                    "upstream switch port",
                                    "downstream switch port",
                                    "PCI Express to PCI bridge",
                                    "PCI to PCI Express bridge",
                                    "root complex integrated end point",
                                    "root complex event collector"};
static const char *const processor_errors[32] = {"cache", "TLB", "bus", "micro-architecture"};

static const char *const processor_types[] = {"x86 or x64", "Itanium", "ARM"};
static const char *const instruction_sets[] = {"x86", "Itanium", "x64", "ARM A32 or T32",
                                               "ARM A64"};
static const char *const processor_flags[32] = {"restartable", "instruction pointer is precise",
                                                "an error was lost", "corrected"};
static const char *const bus_errors[] = {
    "not known or system", "data parity",        "system error",   "master abort",
    "bus time-out",        "master data parity", "address parity", "command parity"};
static const char *const firmware_types[] = {"Itanium SAL", "system on chip, type 1",
                                             "system on chip, type 2"};
static const char *const dma_faults[] = {"not a value of the specification",
                                         "no entry for the domain in the table",
                                         "an invalid entry in the domain table",
                                         "the mapping table could not be accessed",
                                         "reserved bits are set in the mapping table",
                                         "the address lies outside the address space",
                                         "an access that is not allowed",
                                         "an invalid request",
                                         "the translation table could not be accessed",
                                         "reserved bits are set in the translation table",
                                         "an invalid command",
                                         "the command buffer could not be accessed"};
static const char *const dma_accesses[] = {"read", "write"};
static const char *const dma_addresses[] = {"not translated", "a translation request"};
static const char *const dma_kinds[] = {"not a value of the specification", "Intel VT-d",
                                        "AMD IOMMU"};
static const char *const cxl_agents[] = {
    "CXL 1.1 device",          "CXL 1.1 downstream port",        "CXL 2.0 device",
    "CXL 2.0 logical device",  "CXL 2.0 managed logical device", "CXL 2.0 root port",
    "CXL 2.0 downstream port", "CXL 2.0 upstream port"};
/* EFI_GENERIC_ERROR_STATUS_ERROR_TYPE. */
static const char *const status_types[] = {[1] = "error inside the component",
                                           [4] = "memory storage",
                                           [5] = "TLB storage",
                                           [6] = "cache storage",
                                           [7] = "functional unit",
                                           [8] = "self-test",
                                           [9] = "queue overflow",
                                           [16] = "error on the bus",
                                           [17] = "address map",
                                           [18] = "access that is not allowed",
                                           [19] = "access to memory that is not there",
                                           [20] = "loss of lockstep",
                                           [21] = "response without a request",
                                           [22] = "parity",
                                           [23] = "protocol",
                                           [24] = "path",
                                           [25] = "time-out",
                                           [26] = "poisoned data"};

#define VALUES(names) BY_VALUE, (names), sizeof(names) / sizeof((names)[0])
static const struct vocabulary w_processor_type = {VALUES(processor_types)};
static const struct vocabulary w_isa = {VALUES(instruction_sets)};
static const struct vocabulary w_processor_error = {BY_BIT, processor_errors, 32};
static const struct vocabulary w_operation = {VALUES(operations)};
static const struct vocabulary w_processor_flags = {BY_BIT, processor_flags, 32};
static const struct vocabulary w_memory_error = {VALUES(memory_errors)};
static const struct vocabulary w_port = {VALUES(ports)};
static const struct vocabulary w_aer = {BY_BIT, aer, 32};
static const struct vocabulary w_aer_corrected = {BY_BIT, aer_corrected, 32};
static const struct vocabulary w_bus_error = {VALUES(bus_errors)};
static const struct vocabulary w_firmware = {VALUES(firmware_types)};
static const struct vocabulary w_dma_fault = {VALUES(dma_faults)};
static const struct vocabulary w_dma_access = {VALUES(dma_accesses)};
static const struct vocabulary w_dma_address = {VALUES(dma_addresses)};
static const struct vocabulary w_dma_kind = {VALUES(dma_kinds)};
static const struct vocabulary w_cxl_agent = {VALUES(cxl_agents)};
static const struct vocabulary w_status = {BY_STATUS, status_types,
                                           sizeof(status_types) / sizeof(status_types[0])};
static const struct vocabulary w_mci = {BY_MCI, NULL, 0};

static const struct member processor[] = {
    {"processor_type", 8, 1, 0, &w_processor_type},
    {"instruction_set", 9, 1, 1, &w_isa},
    {"error_type", 10, 1, 2, &w_processor_error},
    {"operation", 11, 1, 3, &w_operation},
    {"flags", 12, 1, 4, &w_processor_flags},
    {"level", 13, 1, 5, NULL},
    {"cpu_version", 16, 8, 6, NULL},
    {"processor_id", 152, 8, 8, NULL},
    {"target_address", 160, 8, 9, NULL},
    {"requester_id", 168, 8, 10, NULL},
    {"responder_id", 176, 8, 11, NULL},
    {"instruction_pointer", 184, 8, 12, NULL},
};

static const struct member memory[] = {
    {"error_status", 8, 8, 0, &w_status},
    {"physical_address", 16, 8, 1, NULL},
    {"physical_address_mask", 24, 8, 2, NULL},
    {"node", 32, 2, 3, NULL},
    {"card", 34, 2, 4, NULL},
    {"module", 36, 2, 5, NULL},
    {"bank", 38, 2, 6, NULL},
    {"device", 40, 2, 7, NULL},
    {"row", 42, 2, 8, NULL},
    {"column", 44, 2, 9, NULL},
    {"bit_position", 46, 2, 10, NULL},
    {"requester_id", 48, 8, 11, NULL},
    {"responder_id", 56, 8, 12, NULL},
    {"target_id", 64, 8, 13, NULL},
    {"error_type", 72, 1, 14, &w_memory_error},
    {"rank", 74, 2, 15, NULL},
    {"card_handle", 76, 2, 16, NULL},
    {"module_handle", 78, 2, 17, NULL},
};

static const struct member memory2[] = {
    {"error_status", 8, 8, 0, &w_status},
    {"physical_address", 16, 8, 1, NULL},
    {"physical_address_mask", 24, 8, 2, NULL},
    {"node", 32, 2, 3, NULL},
    {"card", 34, 2, 4, NULL},
    {"module", 36, 2, 5, NULL},
    {"bank", 38, 2, 6, NULL},
    {"device", 40, 4, 7, NULL},
    {"row", 44, 4, 8, NULL},
    {"column", 48, 4, 9, NULL},
    {"rank", 52, 4, 10, NULL},
    {"bit_position", 56, 4, 11, NULL},
    {"chip", 60, 1, 12, NULL},
    {"error_type", 61, 1, 13, &w_memory_error},
    {"status", 62, 1, 14, NULL},
    {"requester_id", 64, 8, 15, NULL},
    {"responder_id", 72, 8, 16, NULL},
    {"target_id", 80, 8, 17, NULL},
    {"card_handle", 88, 4, 18, NULL},
    {"module_handle", 92, 4, 19, NULL},
};

static const struct member pci_bus[] = {
    {"error_status", 8, 8, 0, &w_status},
    {"error_type", 16, 2, 1, &w_bus_error},
    {"bus", 18, 1, 2, NULL},
    {"segment", 19, 1, 2, NULL},
    {"bus_address", 24, 8, 3, NULL},
    {"bus_data", 32, 8, 4, NULL},
    {"bus_command", 40, 8, 5, NULL},
    {"requester_id", 48, 8, 6, NULL},
    {"completer_id", 56, 8, 7, NULL},
    {"target_id", 64, 8, 8, NULL},
};

static const struct member pci_device[] = {
    {"error_status", 8, 8, 0, &w_status}, {"vendor_id", 16, 2, 1, NULL},
    {"device_id", 18, 2, 1, NULL},        {"function_number", 23, 1, 1, NULL},
    {"device_number", 24, 1, 1, NULL},    {"bus", 25, 1, 1, NULL},
    {"segment", 26, 1, 1, NULL},          {"memory_pairs", 32, 4, 2, NULL},
    {"io_pairs", 36, 4, 3, NULL},
};

static const struct member firmware[] = {
    {"error_type", 0, 1, ALWAYS, &w_firmware},
    {"revision", 1, 1, ALWAYS, NULL},
    {"record_id", 8, 8, ALWAYS, NULL},
};

static const struct member dma[] = {
    {"requester_id", 0, 2, ALWAYS, NULL},           {"segment", 2, 2, ALWAYS, NULL},
    {"error_type", 4, 1, ALWAYS, &w_dma_fault},     {"access", 5, 1, ALWAYS, &w_dma_access},
    {"address_type", 6, 1, ALWAYS, &w_dma_address}, {"architecture", 7, 1, ALWAYS, &w_dma_kind},
    {"device_address", 8, 8, ALWAYS, NULL},
};

static const struct member dma_intel[] = {
    {"version", 0, 1, ALWAYS, NULL},
    {"revision", 1, 1, ALWAYS, NULL},
    {"capability", 8, 8, ALWAYS, NULL},
    {"extended_capability", 16, 8, ALWAYS, NULL},
    {"global_command", 24, 4, ALWAYS, NULL},
    {"global_status", 28, 4, ALWAYS, NULL},
    {"fault_status", 32, 4, ALWAYS, NULL},
    {"fault_record_low", 48, 8, ALWAYS, NULL},
    {"fault_record_high", 56, 8, ALWAYS, NULL},
    {"pte_level_1", 136, 8, ALWAYS, NULL},
};

static const struct member dma_amd[] = {
    {"revision", 0, 1, ALWAYS, NULL},    {"control", 8, 8, ALWAYS, NULL},
    {"status", 16, 8, ALWAYS, NULL},     {"event_low", 32, 8, ALWAYS, NULL},
    {"event_high", 40, 8, ALWAYS, NULL}, {"pte_level_1", 136, 8, ALWAYS, NULL},
};

static const struct member cxl[] = {
    {"agent", 8, 1, 0, &w_cxl_agent},  {"function_number", 16, 1, 1, NULL},
    {"device_number", 17, 1, 1, NULL}, {"bus", 18, 1, 1, NULL},
    {"segment", 19, 2, 1, NULL},       {"vendor_id", 24, 2, 2, NULL},
    {"device_id", 26, 2, 2, NULL},     {"serial_number", 40, 8, 3, NULL},
};

static const struct member pcie[] = {
    {"port_type", 8, 4, 0, &w_port},
    {"version", 12, 4, 1, NULL},
    {"command", 16, 2, 2, NULL},
    {"status", 18, 2, 2, NULL},
    {"vendor_id", 24, 2, 3, NULL},
    {"device_id", 26, 2, 3, NULL},
    {"function_number", 31, 1, 3, NULL},
    {"device_number", 32, 1, 3, NULL},
    {"segment", 33, 2, 3, NULL},
    {"bus", 35, 1, 3, NULL},
    {"secondary_bus", 36, 1, 3, NULL},
    {"serial_number", 40, 8, 4, NULL},
    {"aer_uncorrectable_status", 116, 4, 7, &w_aer},
    {"aer_uncorrectable_severity", 124, 4, 7, &w_aer},
    {"aer_correctable_status", 128, 4, 7, &w_aer_corrected},
};

static const struct member machine_check[] = {
    {"processor_number", 16, 4, ALWAYS, NULL},
    {"mcg_status", 20, 8, ALWAYS, NULL},
    {"instruction_pointer", 28, 8, ALWAYS, NULL},
    {"bank", 36, 4, ALWAYS, NULL},
    {"mci_status", 40, 8, ALWAYS, &w_mci},
    {"mci_address", 48, 8, ALWAYS, NULL},
    {"mci_misc", 56, 8, ALWAYS, NULL},
};

#define LIST(a) (a), sizeof(a) / sizeof((a)[0])
static const struct {
    const char *section;
    const struct member *members;
    size_t count;
} kinds[] = {
    {"processor", LIST(processor)},
    {"memory", LIST(memory)},
    {"PCI Express", LIST(pcie)},
    {"machine check registers", LIST(machine_check)},
    {"memory, second format", LIST(memory2)},
    {"PCI bus", LIST(pci_bus)},
    {"PCI device", LIST(pci_device)},
    {"firmware error record", LIST(firmware)},
    {"DMA remapping", LIST(dma)},
    {"DMA remapping, Intel", LIST(dma_intel)},
    {"DMA remapping, AMD", LIST(dma_amd)},
    {"CXL protocol", LIST(cxl)},
};

static void words_of(const struct vocabulary *v, uint64_t value, char *text, size_t size)
{
    const char *name = value < v->count ? v->names[value] : NULL;
    (void)snprintf(text, size, "%s", name != NULL ? name : "not a value of the specification");
}

/* Names of set bits. */
static void bits_of(const char *const names[32], uint64_t value, char *text, size_t size)
{
    size_t used = 0;
    for (unsigned i = 0; i < 32; i++) {
        if ((value >> i & 1u) == 0 || used >= size)
            continue;
        int n = names[i] != NULL
                    ? snprintf(text + used, size - used, "%s%s", used != 0 ? ", " : "", names[i])
                    : snprintf(text + used, size - used, "%sbit %u", used != 0 ? ", " : "", i);
        used += n > 0 ? (size_t)n : 0;
    }
}

static void explain(const struct vocabulary *v, struct ds_cper_field *f)
{
    struct ds_buf b;
    if (v == NULL)
        return;
    switch (v->kind) {
    case BY_VALUE:
        words_of(v, f->value, f->text, sizeof(f->text));
        break;
    case BY_BIT:
        bits_of(v->names, f->value, f->text, sizeof(f->text));
        break;
    case BY_STATUS: /* EFI_GENERIC_ERROR_STATUS: the type in bits 8 to 15 */
        if ((f->value >> 8 & 0xff) != 0)
            words_of(v, f->value >> 8 & 0xff, f->text, sizeof(f->text));
        break;
    case BY_MCI:
        ds_buf_init(&b, 1024);
        ds_mci_status_text(f->value, &b);
        (void)snprintf(f->text, sizeof(f->text), "%s", ds_buf_text(&b));
        ds_buf_deinit(&b);
        break;
    }
}

static uint64_t number(const uint8_t *p, unsigned size)
{
    return size == 1 ? p[0] : size == 2 ? ds_le16(p) : size == 4 ? ds_le32(p) : ds_le64(p);
}

size_t ds_cper_fields(const uint8_t *data, size_t size, const struct ds_cper_section *s,
                      struct ds_cper_field fields[DS_CPER_FIELDS])
{
    size_t count = 0;
    if (s->name == NULL || s->offset > size)
        return 0;
    const uint8_t *p = data + s->offset;
    size_t room = size - s->offset < s->length ? size - s->offset : s->length;
    if (strcmp(s->name, "x86/x64 processor") == 0)
        return ds_cper_x86_fields(p, room, fields);
    if (strcmp(s->name, "ARM processor") == 0)
        return ds_cper_arm_fields(p, room, fields);
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        if (strcmp(kinds[k].section, s->name) != 0)
            continue;
        for (size_t i = 0; i < kinds[k].count && count < DS_CPER_FIELDS; i++) {
            const struct member *m = &kinds[k].members[i];
            if (!ds_range_within(m->offset, m->size, room) ||
                (m->valid != ALWAYS && (room < 8 || (ds_le64(p) >> m->valid & 1u) == 0)))
                continue;
            fields[count] =
                (struct ds_cper_field){.name = m->name, .value = number(p + m->offset, m->size)};
            explain(m->words, &fields[count++]);
        }
    }
    return count;
}

static const struct ds_cper_field *field(const struct ds_cper_field *fields, size_t count,
                                         const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static void add(const struct ds_cper_field *fields, size_t count, const char *name,
                const char *words, bool hex, struct ds_buf *out)
{
    const struct ds_cper_field *f = field(fields, count, name);
    if (f != NULL)
        ds_buf_printf(out, hex ? "%s 0x%" PRIx64 : "%s %" PRIu64, words, f->value);
}

static void pci_component(const struct ds_cper_field *fields, size_t count, const char *what,
                          struct ds_buf *out)
{
    const struct ds_cper_field *vendor = field(fields, count, "vendor_id");
    const struct ds_cper_field *device = field(fields, count, "device_id");
    const struct ds_cper_field *bus = field(fields, count, "bus");
    const struct ds_cper_field *number_ = field(fields, count, "device_number");
    const struct ds_cper_field *function = field(fields, count, "function_number");
    ds_buf_str(out, what);
    if (vendor != NULL && device != NULL)
        ds_buf_printf(out, " %04x:%04x", (unsigned)vendor->value, (unsigned)device->value);
    if (bus != NULL && number_ != NULL && function != NULL)
        ds_buf_printf(out, " at bus %u, device %u, function %u", (unsigned)bus->value,
                      (unsigned)number_->value, (unsigned)function->value);
}

void ds_cper_component(const struct ds_cper_section *s, const struct ds_cper_field *fields,
                       size_t count, struct ds_buf *out)
{
    if (s->name == NULL)
        return;
    if (strncmp(s->name, "memory", 6) == 0) {
        ds_buf_str(out, "memory");
        add(fields, count, "node", ", node", false, out);
        add(fields, count, "card", ", card", false, out);
        add(fields, count, "module", ", module", false, out);
        add(fields, count, "bank", ", bank", false, out);
        add(fields, count, "rank", ", rank", false, out);
        add(fields, count, "physical_address", ", physical address", true, out);
    } else if (strcmp(s->name, "PCI Express") == 0) {
        pci_component(fields, count, "PCI Express device", out);
    } else if (strcmp(s->name, "PCI device") == 0) {
        pci_component(fields, count, "PCI device", out);
    } else if (strcmp(s->name, "CXL protocol") == 0) {
        pci_component(fields, count, "CXL device", out);
    } else if (strcmp(s->name, "PCI bus") == 0) {
        ds_buf_str(out, "PCI bus");
        add(fields, count, "bus", "", false, out);
    } else if (strcmp(s->name, "DMA remapping") == 0) {
        ds_buf_str(out, "DMA by the device with requester id");
        add(fields, count, "requester_id", "", true, out);
    } else if (strcmp(s->name, "ARM processor") == 0) {
        ds_buf_str(out, "processor");
        add(fields, count, "mpidr", " with MPIDR", true, out);
    } else if (strcmp(s->name, "machine check registers") == 0) {
        ds_buf_str(out, "processor");
        add(fields, count, "processor_number", "", false, out);
        add(fields, count, "bank", ", machine check bank", false, out);
    } else if (strcmp(s->name, "processor") == 0) {
        ds_buf_str(out, "processor");
        add(fields, count, "processor_id", " with APIC id", false, out);
    } else if (strcmp(s->name, "x86/x64 processor") == 0) {
        ds_buf_str(out, "processor");
        add(fields, count, "local_apic_id", " with APIC id", false, out);
    }
    if (s->fru[0] != '\0')
        ds_buf_printf(out, "%s(%s)", out->len != 0 ? " " : "", s->fru);
}
