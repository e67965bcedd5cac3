/* The members of the sections of a Common Platform Error Record. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "nt/cper.h"

#define ALWAYS (-1)

enum words {
    WORDS_NONE,
    WORDS_PROCESSOR_ERROR,
    WORDS_OPERATION,
    WORDS_MEMORY_ERROR,
    WORDS_PORT,
    WORDS_AER,
    WORDS_AER_CORRECTED,
    WORDS_MCI
};

struct member {
    const char *name;
    uint16_t offset;
    uint8_t size;
    int8_t valid; /* bit of the first quadword, or ALWAYS */
    uint8_t words;
};

static const struct member processor[] = {
    {"error_type", 10, 1, 2, WORDS_PROCESSOR_ERROR},
    {"operation", 11, 1, 3, WORDS_OPERATION},
    {"flags", 12, 1, 4, WORDS_NONE},
    {"level", 13, 1, 5, WORDS_NONE},
    {"cpu_version", 16, 8, 6, WORDS_NONE},
    {"processor_id", 152, 8, 8, WORDS_NONE},
    {"target_address", 160, 8, 9, WORDS_NONE},
    {"requester_id", 168, 8, 10, WORDS_NONE},
    {"responder_id", 176, 8, 11, WORDS_NONE},
    {"instruction_pointer", 184, 8, 12, WORDS_NONE},
};

static const struct member memory[] = {
    {"error_status", 8, 8, 0, WORDS_NONE},
    {"physical_address", 16, 8, 1, WORDS_NONE},
    {"physical_address_mask", 24, 8, 2, WORDS_NONE},
    {"node", 32, 2, 3, WORDS_NONE},
    {"card", 34, 2, 4, WORDS_NONE},
    {"module", 36, 2, 5, WORDS_NONE},
    {"bank", 38, 2, 6, WORDS_NONE},
    {"device", 40, 2, 7, WORDS_NONE},
    {"row", 42, 2, 8, WORDS_NONE},
    {"column", 44, 2, 9, WORDS_NONE},
    {"bit_position", 46, 2, 10, WORDS_NONE},
    {"requester_id", 48, 8, 11, WORDS_NONE},
    {"responder_id", 56, 8, 12, WORDS_NONE},
    {"target_id", 64, 8, 13, WORDS_NONE},
    {"error_type", 72, 1, 14, WORDS_MEMORY_ERROR},
};

static const struct member pcie[] = {
    {"port_type", 8, 4, 0, WORDS_PORT},
    {"version", 12, 4, 1, WORDS_NONE},
    {"command", 16, 2, 2, WORDS_NONE},
    {"status", 18, 2, 2, WORDS_NONE},
    {"vendor_id", 24, 2, 3, WORDS_NONE},
    {"device_id", 26, 2, 3, WORDS_NONE},
    {"function_number", 31, 1, 3, WORDS_NONE},
    {"device_number", 32, 1, 3, WORDS_NONE},
    {"segment", 33, 2, 3, WORDS_NONE},
    {"bus", 35, 1, 3, WORDS_NONE},
    {"secondary_bus", 36, 1, 3, WORDS_NONE},
    {"serial_number", 40, 8, 4, WORDS_NONE},
    {"aer_uncorrectable_status", 116, 4, 7, WORDS_AER},
    {"aer_uncorrectable_severity", 124, 4, 7, WORDS_AER},
    {"aer_correctable_status", 128, 4, 7, WORDS_AER_CORRECTED},
};

static const struct member machine_check[] = {
    {"processor_number", 16, 4, ALWAYS, WORDS_NONE},
    {"mcg_status", 20, 8, ALWAYS, WORDS_NONE},
    {"instruction_pointer", 28, 8, ALWAYS, WORDS_NONE},
    {"bank", 36, 4, ALWAYS, WORDS_NONE},
    {"mci_status", 40, 8, ALWAYS, WORDS_MCI},
    {"mci_address", 48, 8, ALWAYS, WORDS_NONE},
    {"mci_misc", 56, 8, ALWAYS, WORDS_NONE},
};

static const struct member x86_processor[] = {{"local_apic_id", 8, 8, 0, WORDS_NONE}};

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
    {"x86/x64 processor", LIST(x86_processor)},
};

static void words_of(const char *const *names, size_t count, uint64_t value, char *text,
                     size_t size)
{
    (void)snprintf(text, size, "%s",
                   value < count ? names[value] : "not a value of the specification");
}

/* PCI Express Base Specification, Advanced Error Reporting: names of set bits. */
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

static void explain(uint8_t words, struct ds_cper_field *f)
{
    struct ds_buf b;
    switch (words) {
    case WORDS_PROCESSOR_ERROR:
        bits_of(processor_errors, f->value, f->text, sizeof(f->text));
        break;
    case WORDS_OPERATION:
        words_of(LIST(operations), f->value, f->text, sizeof(f->text));
        break;
    case WORDS_MEMORY_ERROR:
        words_of(LIST(memory_errors), f->value, f->text, sizeof(f->text));
        break;
    case WORDS_PORT:
        words_of(LIST(ports), f->value, f->text, sizeof(f->text));
        break;
    case WORDS_AER:
        bits_of(aer, f->value, f->text, sizeof(f->text));
        break;
    case WORDS_AER_CORRECTED:
        bits_of(aer_corrected, f->value, f->text, sizeof(f->text));
        break;
    case WORDS_MCI:
        ds_buf_init(&b, 1024);
        ds_mci_status_text(f->value, &b);
        (void)snprintf(f->text, sizeof(f->text), "%s", ds_buf_text(&b));
        ds_buf_deinit(&b);
        break;
    default:
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
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        if (strcmp(kinds[k].section, s->name) != 0)
            continue;
        for (size_t i = 0; i < kinds[k].count && count < DS_CPER_FIELDS; i++) {
            const struct member *m = &kinds[k].members[i];
            if (!ds_range_within(m->offset, m->size, room) ||
                (m->valid != ALWAYS && (ds_le64(p) >> m->valid & 1u) == 0))
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

static void pcie_component(const struct ds_cper_field *fields, size_t count, struct ds_buf *out)
{
    const struct ds_cper_field *vendor = field(fields, count, "vendor_id");
    const struct ds_cper_field *device = field(fields, count, "device_id");
    const struct ds_cper_field *bus = field(fields, count, "bus");
    const struct ds_cper_field *number_ = field(fields, count, "device_number");
    const struct ds_cper_field *function = field(fields, count, "function_number");
    ds_buf_str(out, "PCI Express device");
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
    if (strcmp(s->name, "memory") == 0) {
        ds_buf_str(out, "memory");
        add(fields, count, "node", ", node", false, out);
        add(fields, count, "card", ", card", false, out);
        add(fields, count, "module", ", module", false, out);
        add(fields, count, "bank", ", bank", false, out);
        add(fields, count, "physical_address", ", physical address", true, out);
    } else if (strcmp(s->name, "PCI Express") == 0) {
        pcie_component(fields, count, out);
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
