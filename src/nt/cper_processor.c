/*
 * The processor sections of a Common Platform Error Record: a fixed head, then error structures
 * and saved registers whose number and sizes the head states. Sources: UEFI specification,
 * appendix N.2.4.2 and N.2.4.4; tianocore/edk2 MdePkg/Include/Guid/Cper.h (BSD).
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "nt/cper.h"

struct writer {
    struct ds_cper_field *fields; /* DS_CPER_FIELDS */
    size_t count;
};

static struct ds_cper_field *put(struct writer *w, const char *name, uint64_t value)
{
    if (w->count == DS_CPER_FIELDS)
        return NULL;
    w->fields[w->count] = (struct ds_cper_field){.name = name, .value = value};
    return &w->fields[w->count++];
}

static void say(struct ds_cper_field *f, const char *text)
{
    if (f != NULL)
        (void)snprintf(f->text, sizeof(f->text), "%s", text);
}

static const char *const transactions[4] = {"instruction", "data", "generic", "reserved"};
static const char *const operations[16] = {
    "any operation", "read",     "write",    "data read", "data write", "instruction fetch",
    "prefetch",      "eviction", "snoop",    "snooped",   "management", "reserved",
    "reserved",      "reserved", "reserved", "reserved"};

/*
 * The word that says what kind of cache, TLB or bus error it was. Valid bits 0 to 7; transaction
 * 16-17, operation 18-21, level 22-24, context corrupt 25; bit 26 is "uncorrected" on x86 and
 * "corrected" on ARM.
 */
static void check_text(const char *kind, uint64_t w, bool arm, char *text, size_t size)
{
    bool bit26 = (w >> 26 & 1) != 0, known = (w >> 4 & 1) != 0;
    char level[16] = "";
    if ((w >> 2 & 1) != 0)
        (void)snprintf(level, sizeof(level), ", level %u", (unsigned)(w >> 22 & 7));
    (void)snprintf(text, size, "%s error%s%s%s%s%s%s%s", kind, (w & 1) != 0 ? ", " : "",
                   (w & 1) != 0 ? transactions[w >> 16 & 3] : "", (w >> 1 & 1) != 0 ? ", " : "",
                   (w >> 1 & 1) != 0 ? operations[w >> 18 & 15] : "", level,
                   !known         ? ""
                   : bit26 != arm ? ", uncorrected"
                                  : ", corrected",
                   (w >> 3 & 1) != 0 && (w >> 25 & 1) != 0 ? ", context corrupt" : "");
}

/* Micro-architecture errors: valid bits 0 to 5; type 16-18, context corrupt 19, uncorrected 20. */
static void micro_text(uint64_t w, char *text, size_t size)
{
    static const char *const types[8] = {"no error",
                                         "unclassified error",
                                         "parity error in microcode",
                                         "error signalled by another processor",
                                         "functional redundancy check error",
                                         "internal unclassified error",
                                         "reserved",
                                         "reserved"};
    (void)snprintf(text, size, "micro-architecture: %s%s%s", (w & 1) != 0 ? types[w >> 16 & 7] : "",
                   (w >> 2 & 1) == 0    ? ""
                   : (w >> 20 & 1) != 0 ? ", uncorrected"
                                        : ", corrected",
                   (w >> 1 & 1) != 0 && (w >> 19 & 1) != 0 ? ", context corrupt" : "");
}

/* The first four bytes tell the four public GUIDs apart. */
static const struct {
    uint32_t first;
    const char *kind; /* NULL: micro-architecture */
} x86_kinds[] = {
    {0xa55701f5, "cache"}, {0xfc06b535, "TLB"}, {0x1cf3f8b3, "bus"}, {0x48ab7f57, NULL}};

static void x86_error(struct writer *w, const uint8_t *p)
{
    static const struct {
        const char *name;
        uint8_t offset, valid;
    } places[] = {{"target_address", 32, 1},
                  {"requester_id", 40, 2},
                  {"responder_id", 48, 3},
                  {"instruction_pointer", 56, 4}};
    uint64_t valid = ds_le64(p + 16), check = ds_le64(p + 24);
    struct ds_cper_field *f = put(w, "error_type", ds_le32(p));
    say(f, "an error of a kind that is not public");
    for (size_t i = 0; f != NULL && i < sizeof(x86_kinds) / sizeof(x86_kinds[0]); i++)
        if (x86_kinds[i].first == ds_le32(p) && (valid & 1) == 0)
            (void)snprintf(f->text, sizeof(f->text), "%s error",
                           x86_kinds[i].kind != NULL ? x86_kinds[i].kind : "micro-architecture");
        else if (x86_kinds[i].first == ds_le32(p) && x86_kinds[i].kind != NULL)
            check_text(x86_kinds[i].kind, check, false, f->text, sizeof(f->text));
        else if (x86_kinds[i].first == ds_le32(p))
            micro_text(check, f->text, sizeof(f->text));
    if ((valid & 1) != 0)
        (void)put(w, "check_info", check);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if ((valid >> places[i].valid & 1) != 0)
            (void)put(w, places[i].name, ds_le64(p + places[i].offset));
}

/* The registers that place an error: of the 64-bit state (type 3) and the 32-bit one (type 2). */
static void x86_context(struct writer *w, const uint8_t *p, size_t size, unsigned type,
                        uint32_t msr)
{
    static const char *const types[] = {"unclassified registers",
                                        "model specific registers",
                                        "registers of 32-bit mode",
                                        "registers of 64-bit mode",
                                        "FXSAVE area",
                                        "debug registers of 32-bit mode",
                                        "debug registers of 64-bit mode",
                                        "memory-mapped registers"};
    struct ds_cper_field *f = put(w, "registers", type);
    say(f,
        type < sizeof(types) / sizeof(types[0]) ? types[type] : "not a value of the specification");
    if (type == 3 && size >= 192) {
        (void)put(w, "rsp", ds_le64(p + 56));
        (void)put(w, "rip", ds_le64(p + 152));
        (void)put(w, "cr2", ds_le64(p + 176));
    } else if (type == 2 && size >= 64) {
        (void)put(w, "esp", ds_le32(p + 28));
        (void)put(w, "eip", ds_le32(p + 48));
        (void)put(w, "cr2", ds_le32(p + 60));
    } else if (type == 1) {
        (void)put(w, "msr_address", msr);
        for (size_t i = 0; i + 8 <= size && i < 64; i += 8)
            (void)put(w, "msr_value", ds_le64(p + i));
    }
}

size_t ds_cper_x86_fields(const uint8_t *p, size_t room,
                          struct ds_cper_field fields[DS_CPER_FIELDS])
{
    struct writer w = {fields, 0};
    if (room < 64)
        return 0;
    uint64_t valid = ds_le64(p);
    size_t errors = valid >> 2 & 63, contexts = valid >> 8 & 63, at = 64;
    if ((valid & 1) != 0)
        (void)put(&w, "local_apic_id", ds_le64(p + 8));
    if ((valid & 2) != 0)
        (void)put(&w, "cpu_version", ds_le32(p + 16)); /* EAX of CPUID leaf 1 */
    for (; errors > 0 && ds_range_within(at, 64, room); errors--, at += 64)
        x86_error(&w, p + at);
    for (; errors == 0 && contexts > 0 && ds_range_within(at, 16, room); contexts--) {
        size_t size = ds_le16(p + at + 2);
        if (!ds_range_within(at + 16, size, room))
            break;
        x86_context(&w, p + at + 16, size, ds_le16(p + at), ds_le32(p + at + 4));
        at += 16 + (size + 15) / 16 * 16;
        if (at > room)
            break;
    }
    return w.count;
}

/* Numbered from 0 in the specification up to 2.9, one bit each (1 to 4) in later ones: 2 is both.
 */
static const char *arm_kind(unsigned type)
{
    switch (type) {
    case 0:
        return "cache";
    case 1:
    case 4:
        return "TLB";
    case 2:
        return "cache (bus, by older editions of the specification)";
    case 8:
        return "bus";
    case 3:
    case 16:
        return "micro-architecture";
    default:
        return NULL;
    }
}

static void arm_error(struct writer *w, const uint8_t *p)
{
    unsigned valid = ds_le16(p + 2), type = p[4];
    const char *kind = arm_kind(type);
    struct ds_cper_field *f = put(w, "error_type", type);
    if (f != NULL && kind != NULL && type != 3 && type != 16 && (valid & 4) != 0)
        check_text(kind, ds_le64(p + 8), true, f->text, sizeof(f->text));
    else
        say(f, kind != NULL ? kind : "not a value of the specification");
    if ((valid & 1) != 0)
        (void)put(w, "more_errors", ds_le16(p + 5));
    if ((valid & 4) != 0)
        (void)put(w, "check_info", ds_le64(p + 8));
    if ((valid & 8) != 0)
        (void)put(w, "virtual_address", ds_le64(p + 16));
    if ((valid & 16) != 0)
        (void)put(w, "physical_address", ds_le64(p + 24));
}

/* Registers of types 4 (AArch64 general) and 5 (EL1): where the processor was. */
static void arm_context(struct writer *w, const uint8_t *p, size_t size, unsigned type)
{
    static const char *const types[] = {
        "AArch32 general registers", "AArch32 EL1 registers",     "AArch32 EL2 registers",
        "AArch32 secure registers",  "AArch64 general registers", "AArch64 EL1 registers",
        "AArch64 EL2 registers",     "AArch64 EL3 registers",     "other system registers"};
    struct ds_cper_field *f = put(w, "registers", type);
    say(f,
        type < sizeof(types) / sizeof(types[0]) ? types[type] : "not a value of the specification");
    if (type == 4 && size >= 256) {
        (void)put(w, "lr", ds_le64(p + 240));
        (void)put(w, "sp", ds_le64(p + 248));
    } else if (type == 5 && size >= 24) {
        (void)put(w, "elr_el1", ds_le64(p));
        (void)put(w, "esr_el1", ds_le64(p + 8));
        (void)put(w, "far_el1", ds_le64(p + 16));
    }
}

size_t ds_cper_arm_fields(const uint8_t *p, size_t room,
                          struct ds_cper_field fields[DS_CPER_FIELDS])
{
    struct writer w = {fields, 0};
    if (room < 40)
        return 0;
    uint32_t valid = ds_le32(p);
    size_t errors = ds_le16(p + 4), contexts = ds_le16(p + 6), at = 40;
    if ((valid & 1) != 0)
        (void)put(&w, "mpidr", ds_le64(p + 16));
    if ((valid & 2) != 0)
        (void)put(&w, "affinity_level", p[12]);
    (void)put(&w, "midr", ds_le64(p + 24));
    if ((valid & 4) != 0) {
        say(put(&w, "running_state", ds_le32(p + 32)),
            (p[32] & 1) != 0 ? "the processor was running" : "the processor was not running");
        if ((p[32] & 1) == 0)
            (void)put(&w, "psci_state", ds_le32(p + 36));
    }
    for (; errors > 0 && ds_range_within(at, 32, room); errors--, at += 32)
        arm_error(&w, p + at);
    for (; errors == 0 && contexts > 0 && ds_range_within(at, 8, room); contexts--) {
        size_t size = ds_le32(p + at + 4);
        if (!ds_range_within(at + 8, size, room))
            break;
        arm_context(&w, p + at + 8, size, ds_le16(p + at + 2));
        at += 8 + size;
    }
    return w.count;
}
