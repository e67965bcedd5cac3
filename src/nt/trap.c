/* Trap frames and exception records. */
#include <string.h>

#include "base/bytes.h"
#include "nt/impl.h"

#define KERNEL_CS 0x10u /* KGDT64_R0_CODE: KDDEBUGGER_DATA64.GdtR0Code on every x64 kernel */

struct place {
    const char *member, *reg;
    uint8_t size;
};

/* The registers that every trap saves; the non-volatile ones are in a KEXCEPTION_FRAME or still
 * in the callee, so that their slots may hold anything. */
static const struct place x64[] = {{"Rax", "rax", 8},   {"Rcx", "rcx", 8},  {"Rdx", "rdx", 8},
                                   {"Rip", "rip", 8},   {"Rsp", "rsp", 8},  {"Rbp", "rbp", 8},
                                   {"R8", "r8", 8},     {"R9", "r9", 8},    {"R10", "r10", 8},
                                   {"R11", "r11", 8},   {"SegCs", "cs", 2}, {"SegSs", "ss", 2},
                                   {"EFlags", "efl", 4}};
static const struct place x86[] = {{"Eax", "eax", 4},   {"Ebx", "ebx", 4}, {"Ecx", "ecx", 4},
                                   {"Edx", "edx", 4},   {"Esi", "esi", 4}, {"Edi", "edi", 4},
                                   {"Eip", "eip", 4},   {"Ebp", "ebp", 4}, {"SegCs", "cs", 2},
                                   {"EFlags", "efl", 4}};
static const struct place arm64[] = {
    {"X0", "x0", 8},   {"X1", "x1", 8},   {"X2", "x2", 8},   {"X3", "x3", 8},   {"X4", "x4", 8},
    {"X5", "x5", 8},   {"X6", "x6", 8},   {"X7", "x7", 8},   {"X8", "x8", 8},   {"X9", "x9", 8},
    {"X10", "x10", 8}, {"X11", "x11", 8}, {"X12", "x12", 8}, {"X13", "x13", 8}, {"X14", "x14", 8},
    {"X15", "x15", 8}, {"X16", "x16", 8}, {"X17", "x17", 8}, {"X18", "x18", 8}, {"Fp", "fp", 8},
    {"Lr", "lr", 8},   {"Sp", "sp", 8},   {"Pc", "pc", 8},   {"Spsr", "psr", 4}};

static enum ds_status read_places(const struct ds_target *t, uint64_t va, const struct place *p,
                                  size_t count, struct ds_context *ret)
{
    for (size_t i = 0; i < count; i++) {
        struct ds_opt v = ds_target_field(t, va, "_KTRAP_FRAME", p[i].member);
        if (!v.known) {
            return v.why;
        }
        uint64_t mask = p[i].size == 8 ? UINT64_MAX : ((uint64_t)1 << (p[i].size * 8)) - 1;
        ds_context_add(ret, p[i].reg, v.value & mask, p[i].size);
    }
    return DS_OK;
}

/* A trap from kernel mode on x86 pushes no stack pointer: the stack went on where the frame's
 * user-mode part would begin. */
static enum ds_status x86_stack_pointer(const struct ds_target *t, uint64_t va,
                                        struct ds_context *ret)
{
    uint64_t cs, esp;
    enum ds_status status = ds_target_field_va(t, va, "_KTRAP_FRAME", "HardwareEsp", &esp);
    if (status != DS_OK || !ds_context_register(ret, "cs", &cs)) {
        return status;
    }
    if ((cs & 3) != 0) {
        struct ds_opt user = ds_target_field(t, va, "_KTRAP_FRAME", "HardwareEsp");
        if (!user.known) {
            return user.why;
        }
        esp = user.value;
    }
    ret->sp = esp;
    ds_context_add(ret, "esp", esp, 4);
    return DS_OK;
}

enum ds_status ds_trap_frame_read(const struct ds_target *t, uint64_t va, struct ds_context *ret)
{
    enum ds_status status = DS_UNSUPPORTED;
    *ret = (struct ds_context){.arch = t->arch};
    if (t->arch == DS_ARCH_X64) {
        status = read_places(t, va, x64, sizeof(x64) / sizeof(x64[0]), ret);
        (void)(ds_context_register(ret, "rip", &ret->pc) &&
               ds_context_register(ret, "rsp", &ret->sp) &&
               ds_context_register(ret, "rbp", &ret->fp));
    } else if (t->arch == DS_ARCH_ARM64) {
        status = read_places(t, va, arm64, sizeof(arm64) / sizeof(arm64[0]), ret);
        (void)(ds_context_register(ret, "pc", &ret->pc) &&
               ds_context_register(ret, "sp", &ret->sp) &&
               ds_context_register(ret, "fp", &ret->fp));
    } else if (t->arch == DS_ARCH_X86) {
        status = read_places(t, va, x86, sizeof(x86) / sizeof(x86[0]), ret);
        (void)(ds_context_register(ret, "eip", &ret->pc) &&
               ds_context_register(ret, "ebp", &ret->fp));
        if (status == DS_OK) {
            status = x86_stack_pointer(t, va, ret);
        }
    }
    /* A call through a null pointer leaves a frame with pc 0; a frame without a stack is none. */
    bool none = ret->pc == 0 && (ret->sp == 0 || t->arch == DS_ARCH_X86);
    return status == DS_OK && none ? DS_CORRUPT : status;
}

/* Whether the frame at va came from kernel code that ran on the same stack, further up. */
static bool plausible(const struct ds_target *t, uint64_t va, uint64_t limit)
{
    struct ds_opt cs = ds_target_field(t, va, "_KTRAP_FRAME", "SegCs");
    struct ds_opt rsp = ds_target_field(t, va, "_KTRAP_FRAME", "Rsp");
    return cs.known && cs.value == KERNEL_CS && rsp.known && rsp.value > va && rsp.value < limit;
}

/* Whether the fault of the frame at va was the fetch of an instruction (Intel SDM volume 3,
 * "Page-Fault Exception": bit 4 of the error code). */
static bool fetched(const struct ds_target *t, uint64_t va)
{
    struct ds_opt error = ds_target_field(t, va, "_KTRAP_FRAME", "ErrorCode");
    return error.known && (error.value & 0x10) != 0;
}

enum ds_status ds_trap_frame_find(const struct ds_target *t, uint64_t sp, uint64_t limit,
                                  uint64_t pc, uint64_t *va)
{
    struct ds_field rip;
    if (t->arch != DS_ARCH_X64 || t->kernel == NULL) {
        return DS_UNSUPPORTED;
    }
    enum ds_status status = ds_target_member(t, "_KTRAP_FRAME", "Rip", &rip, NULL);
    if (status != DS_OK) {
        return status;
    }
    enum ds_status missing = DS_OK;
    sp &= ~(uint64_t)7;
    for (uint64_t end = sp; end - sp < DS_LIMIT_STACK_BYTES && sp + (end - sp) < limit;) {
        uint8_t raw[512];
        struct ds_fault fault;
        size_t len = limit - end < sizeof(raw) ? (size_t)(limit - end) : sizeof(raw);
        size_t size = len; /* what lies before a piece that is missing, and after it, counts */
        if (ds_space_read(t->kernel, end, raw, len, &fault) != DS_OK) {
            missing = fault.status;
            size = fault.va > end && fault.va - end < len ? (size_t)(fault.va - end) & ~7u : 0;
            if (size > 0 && ds_space_read(t->kernel, end, raw, size, NULL) != DS_OK) {
                size = 0;
            }
            len = size + 8 <= len ? size + 8 : len;
        }
        for (size_t i = 0; i + 8 <= size; i += 8) {
            uint64_t frame = end + i - rip.offset;
            if (ds_le64(raw + i) == pc && plausible(t, frame, limit) &&
                (pc != 0 || fetched(t, frame))) { /* a zero alone says little */
                *va = frame;
                return DS_OK;
            }
        }
        end += len;
    }
    return missing == DS_OK ? DS_NOT_FOUND : missing;
}

/* winnt.h, EXCEPTION_RECORD64 and EXCEPTION_RECORD32. */
static bool decode_exception(const uint8_t *p, bool is64, struct ds_exception *ret)
{
    uint32_t code = ds_le32(p), count = ds_le32(p + (is64 ? 0x18 : 0x10));
    if (code == 0 || code == 0x45474150 || count > 15) {
        return false;
    }
    *ret = (struct ds_exception){.known = true,
                                 .code = code,
                                 .flags = ds_le32(p + 4),
                                 .address = is64 ? ds_le64(p + 0x10) : ds_le32(p + 0xc),
                                 .parameter_count = count};
    for (uint32_t i = 0; i < count; i++) {
        ret->parameters[i] = is64 ? ds_le64(p + 0x20 + i * 8) : ds_le32(p + 0x14 + i * 4);
    }
    return true;
}

bool ds_exception_read(const struct ds_target *t, uint64_t va, struct ds_exception *ret)
{
    uint8_t raw[0x98];
    bool is64 = t->pointer_size == 8;
    size_t size = is64 ? 0x98 : 0x50;
    return t->kernel != NULL && ds_space_read(t->kernel, va, raw, size, NULL) == DS_OK &&
           decode_exception(raw, is64, ret);
}

bool ds_exception_read_header(const struct ds_target *t, struct ds_exception *ret)
{
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    uint8_t raw[0x98];
    size_t want = h->is64 ? 0x98 : 0x50;
    return h->exception_size >= want &&
           ds_dump_read_file(t->dump, h->exception_offset, raw, want) == DS_OK &&
           decode_exception(raw, h->is64, ret);
}
