/*
 * What the header alone shows to be wrong. Hard contradictions are damage; values that are only
 * unusual are notes, since writers differ.
 */
#include "base/bytes.h"
#include "dump/impl.h"

#define FILETIME_1996 124649280000000000u /* 100 ns from 1601 to 1996-01-01 and 2100-01-01 */
#define FILETIME_2100 157469184000000000u
#define TICKS_PER_YEAR (UINT64_C(31557600) * 10000000u)

bool ds_va_canonical(const struct ds_dump *d, uint64_t va)
{
    if (!d->header.is64)
        return va <= UINT32_MAX;
    /* 57 bits: five-level paging is allowed for. */
    uint64_t high = va >> 56;
    return high == 0 || high == 0xff;
}

bool ds_va_kernel(const struct ds_dump *d, uint64_t va)
{
    if (d->header.is64)
        return va >= 0xff00000000000000u;
    return va >= 0x80000000u && va <= UINT32_MAX;
}

static uint64_t field_at(const struct ds_dump *d, uint64_t at64, uint64_t at32)
{
    return d->header.is64 ? at64 : at32;
}

static void check_signature(struct ds_dump *d)
{
    uint32_t sig = ds_le32(d->raw_header), valid = ds_le32(d->raw_header + 4);
    uint32_t want = d->header.is64 ? 0x34365544u : 0x504d5544u; /* 'DU64', 'DUMP' */
    if (sig == DS_FILLER && valid == want)
        return;
    ds_dump_say(d, DS_INTEGRITY_DAMAGE, "header.signature", sig == DS_FILLER ? 4 : 0,
                "one of the two signature words; the other one and the machine field tell the form",
                d->header.is64 ? "'PAGE' 'DU64'" : "'PAGE' 'DUMP'", "0x%08lx 0x%08lx",
                (unsigned long)sig, (unsigned long)valid);
}

static void check_machine(struct ds_dump *d)
{
    const struct ds_dump_header *h = &d->header;
    enum ds_arch stated = ds_arch_from_machine((uint32_t)ds_opt_or(h->machine, 0));
    uint64_t at = field_at(d, 0x30, 0x20);
    enum ds_arch context = ds_header_context_arch(d);
    if (at + 4 > d->file_size)
        return;
    if (stated != DS_ARCH_UNKNOWN && stated == h->arch) {
        if (context != DS_ARCH_UNKNOWN && context != stated)
            ds_dump_say(d, DS_INTEGRITY_DAMAGE, "header.machine", at,
                        "trust in the architecture, and with it in registers and stacks; the "
                        "machine field is followed",
                        "the architecture of the header's context record", "%s against %s",
                        ds_arch_name(stated), ds_arch_name(context));
        return;
    }
    ds_dump_say(d, DS_INTEGRITY_DAMAGE, "header.machine", at,
                h->arch != DS_ARCH_UNKNOWN
                    ? "nothing more: the context record tells the architecture"
                    : "the architecture, and with it registers, stacks and structures",
                h->is64 ? "MachineImageType 0x8664 or 0xaa64" : "MachineImageType 0x14c or 0x1c4",
                "0x%lx", (unsigned long)ds_le32(d->raw_header + at));
}

static void check_numbers(struct ds_dump *d)
{
    const struct ds_dump_header *h = &d->header;
    struct ds_opt v = h->major_version;
    if (v.known && v.value != 0xf && v.value != 0xc)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "header.major_version", 8,
                    "nothing: the field only tells free from checked builds",
                    "MajorVersion 0xf (free) or 0xc (checked)", "0x%llx",
                    (unsigned long long)v.value);
    v = h->minor_version;
    if (v.known && (v.value < 1057 || v.value > 65535))
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "header.minor_version", 0xc,
                    "the Windows build number; structure layouts cannot be chosen by it",
                    "MinorVersion, a Windows build of 1057 to 65535", "%llu",
                    (unsigned long long)v.value);
    v = h->processor_count;
    if (v.known && (v.value == 0 || v.value > DS_LIMIT_PROCESSORS))
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "header.processor_count", field_at(d, 0x34, 0x24),
                    "the number of processors", "NumberProcessors of 1 to 2048", "%llu",
                    (unsigned long long)v.value);
    v = h->dtb;
    /* The upper bits of ARM64's TTBR are the ASID. */
    if (v.known && ((v.value >> 52 != 0 && h->arch != DS_ARCH_ARM64) || v.value == 0))
        ds_dump_say(d, v.value == 0 ? DS_INTEGRITY_NOTE : DS_INTEGRITY_DAMAGE, "header.dtb", 0x10,
                    "the page directory to translate addresses with, unless another is found",
                    "DirectoryTableBase, a physical address below 2^52", "0x%llx",
                    (unsigned long long)v.value);
}

static void check_pointer(struct ds_dump *d, const char *check, const char *expected,
                          struct ds_opt v, uint64_t at)
{
    if (at + ds_dump_pointer_size(d) > d->file_size)
        return;
    static const char lost[] = "the way from the header to that structure, unless the debugger "
                               "data leads there";
    if (!v.known)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, check, at, lost, expected, "filler ('PAGE'): not set");
    else if (v.value == 0)
        ds_dump_say(d, DS_INTEGRITY_NOTE, check, at, lost, expected, "0");
    else if (!ds_va_kernel(d, v.value) || v.value % 4 != 0)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, check, at, lost, expected, "0x%llx",
                    (unsigned long long)v.value);
}

static void check_pointers(struct ds_dump *d)
{
    const struct ds_dump_header *h = &d->header;
    check_pointer(d, "header.ps_loaded_module_list",
                  "PsLoadedModuleList, an aligned kernel address", h->ps_loaded_module_list,
                  field_at(d, 0x20, 0x18));
    check_pointer(d, "header.ps_active_process_head",
                  "PsActiveProcessHead, an aligned kernel address", h->ps_active_process_head,
                  field_at(d, 0x28, 0x1c));
    check_pointer(d, "header.kd_debugger_data_block",
                  "KdDebuggerDataBlock, an aligned kernel address", h->kd_debugger_data_block,
                  field_at(d, 0x80, 0x60));
}

static void check_times(struct ds_dump *d)
{
    struct ds_opt t = d->header.system_time, up = d->header.system_up_time;
    if (t.known && (t.value < FILETIME_1996 || t.value > FILETIME_2100))
        ds_dump_say(d, DS_INTEGRITY_NOTE, "header.system_time", field_at(d, 0xfa8, 0xfc0),
                    "when the dump was taken", "SystemTime between the years 1996 and 2100",
                    "FILETIME 0x%llx", (unsigned long long)t.value);
    if (up.known && up.value > 20 * TICKS_PER_YEAR)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "header.system_up_time", field_at(d, 0x1030, 0xfb8),
                    "how long the machine had been up", "SystemUpTime below 20 years",
                    "0x%llx ticks of 100 ns", (unsigned long long)up.value);
}

/* Attributes (Windows SDK mindumpdef.h); bits 11, 12 and 17 occur unnamed in good dumps. */
#define ATTR_INSUFFICIENT_SIZE 0x4u
#define ATTR_ENCRYPTED 0x100u
#define ATTR_DECRYPTED 0x200u
#define ATTR_SEEN 0x21bffu

static void check_attributes(struct ds_dump *d)
{
    struct ds_opt a = d->header.attributes;
    uint64_t at = field_at(d, 0x1050, 0x8a0);
    if (!a.known)
        return;
    unsigned long long v = a.value;
    if (v & ATTR_INSUFFICIENT_SIZE)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "header.insufficient_dump_file", at,
                    "memory that did not fit: the page file or dump file was too small; what is "
                    "there can be trusted; enlarge it for the next time",
                    "Attributes without bit 2 (InsufficientDumpfileSize)", "0x%llx", v);
    if ((v & ATTR_ENCRYPTED) != 0 && (v & ATTR_DECRYPTED) == 0)
        ds_dump_say(d, DS_INTEGRITY_FATAL, "header.encrypted", at,
                    "all but the header, as it stands: decrypt the file with "
                    "KernelDumpDecrypt.exe and the dump's certificate, then analyse the result",
                    "Attributes without bit 8 (EncryptedDumpData)", "0x%llx", v);
    if (v & ~(unsigned long long)ATTR_SEEN)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "header.attributes", at,
                    "nothing known: the bits that have names are reported",
                    "Attributes with known bits only", "0x%llx", v);
}

static void check_state(struct ds_dump *d)
{
    const struct ds_dump_header *h = &d->header;
    if (h->writer_status.known && h->writer_status.value != 0)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "header.writer_status", field_at(d, 0x1048, 0xf9c),
                    "certainty that everything was written: the writer of the dump reports a "
                    "failure",
                    "WriterStatus 0", "0x%llx", (unsigned long long)h->writer_status.value);
    if (h->product_type.known && (h->product_type.value < 1 || h->product_type.value > 3))
        ds_dump_say(d, DS_INTEGRITY_NOTE, "header.product_type", field_at(d, 0x1040, 0xf94),
                    "workstation, domain controller or server", "ProductType 1, 2 or 3", "0x%llx",
                    (unsigned long long)h->product_type.value);
    if (h->suite_mask.known && h->suite_mask.value > 0xfffff)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "header.suite_mask", field_at(d, 0x1044, 0xf98),
                    "the edition of Windows", "SuiteMask with known bits only", "0x%llx",
                    (unsigned long long)h->suite_mask.value);
}

/* Values that no good dump was seen to have; a writer may know better. */
static void check_unusual(struct ds_dump *d)
{
    const struct ds_dump_header *h = &d->header;
    const struct {
        const char *check, *expected;
        uint64_t at;
        struct ds_opt value;
        uint64_t max;
    } limits[] = {
        {"header.mini_dump_fields", "MiniDumpFields of at most 0xffff", field_at(d, 0x1038, 0xf8c),
         h->mini_dump_fields, 0xffff},
        {"header.secondary_data_state", "SecondaryDataState of at most 0xff",
         field_at(d, 0x103c, 0xf90), h->secondary_data_state, 0xff},
        {"header.kd_secondary_version", "KdSecondaryVersion 0, 1 or 2", field_at(d, 0x104d, 0x5d),
         h->kd_secondary_version, 2},
        {"header.required_dump_space", "RequiredDumpSpace below 2^52", 0xfa0,
         h->required_dump_space, UINT64_C(1) << 52},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (limits[i].value.known && limits[i].value.value > limits[i].max)
            ds_dump_say(d, DS_INTEGRITY_NOTE, limits[i].check, limits[i].at,
                        "that field; nothing else depends on it", limits[i].expected, "0x%llx",
                        (unsigned long long)limits[i].value.value);
    }
    struct ds_opt code = h->bugcheck_code;
    for (unsigned i = 0; i < 4; i++) {
        struct ds_opt p = h->bugcheck_parameter[i];
        if (code.known && code.value == 0 && p.known && p.value != 0)
            ds_dump_say(
                d, DS_INTEGRITY_NOTE, "header.bugcheck", field_at(d, 0x40 + 8 * i, 0x2c + 4 * i),
                "the bugcheck: a code of 0 has no parameters",
                "parameters of 0 with BugCheckCode 0", "0x%llx", (unsigned long long)p.value);
    }
}

/* Only where the body's own count did not already say it: the field is no size of minidumps. */
static void check_space(struct ds_dump *d)
{
    struct ds_opt t = d->header.dump_type, space = d->header.required_dump_space;
    /* Of minidumps it is what the writer reserved: never less than the file. */
    if (!t.known || !space.known || (t.value != 1 && t.value != 4 && t.value != 5 && t.value != 6))
        return;
    if (t.value == 4 && space.value < d->file_size)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "header.required_dump_space", 0xfa0,
                    "nothing: bytes at the end may be leftovers",
                    "RequiredDumpSpace of at least the file's size", "0x%llx against 0x%llx",
                    (unsigned long long)space.value, (unsigned long long)d->file_size);
    if (t.value == 4)
        return;
    if (space.value > d->file_size && space.value != 0)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "header.required_dump_space", field_at(d, 0xfa0, 0xfa0),
                    "nothing by itself: it matters when pages are missing too",
                    "a file of at least RequiredDumpSpace bytes", "0x%llx wanted, 0x%llx there",
                    (unsigned long long)space.value, (unsigned long long)d->file_size);
}

/* What can never be 0 is unknown where it is; in a header of zeros so is a bugcheck code of 0,
 * which otherwise says that the system did not crash. The checks have named the zeros by then. */
static void forget_zeros(struct ds_dump_header *h)
{
    const struct ds_opt none = ds_opt_unknown(DS_CORRUPT);
    bool zeros = h->machine.known && h->machine.value == 0 && h->processor_count.known &&
                 h->processor_count.value == 0;
    struct ds_opt *never[] = {&h->minor_version,         &h->machine,
                              &h->processor_count,       &h->pfn_database,
                              &h->ps_loaded_module_list, &h->ps_active_process_head,
                              &h->kd_debugger_data_block};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        if (never[i]->known && never[i]->value == 0)
            *never[i] = none;
    if (!zeros || ds_opt_or(h->bugcheck_code, 1) != 0)
        return;
    h->bugcheck_code = none;
    for (size_t i = 0; i < 4; i++)
        if (h->bugcheck_parameter[i].known && h->bugcheck_parameter[i].value == 0)
            h->bugcheck_parameter[i] = none;
}

void ds_header_check(struct ds_dump *d)
{
    check_signature(d);
    check_machine(d);
    check_numbers(d);
    check_pointers(d);
    check_times(d);
    check_attributes(d);
    check_state(d);
    check_unusual(d);
    check_space(d);
    ds_header_check_filler(d);
    forget_zeros(&d->header);
}
