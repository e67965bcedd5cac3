/*
 * The header's context and exception records against the processor's own and against memory.
 * Layouts: winnt.h CONTEXT for AMD64, ARM64, ARM and x86; bugcheck meanings from Microsoft's
 * bug check reference.
 */
#include <string.h>

#include "base/bytes.h"
#include "dump/impl.h"

/* CONTEXT for AMD64. */
#define X64_FLAGS 0x30u
#define X64_SEG_CS 0x38u
#define X64_EFLAGS 0x44u
#define X64_RCX 0x80u
#define X64_RDX 0x88u
#define X64_RSP 0x98u
#define X64_R8 0xb8u
#define X64_R9 0xc0u
#define X64_RIP 0xf8u
#define X64_CORE_BEGIN 0x30u /* ContextFlags up to Rip: what a report shows */
#define X64_CORE_END 0x100u

/* Of every architecture's record: up to the program counter and stack pointer. */
#define TWIN_SIZE 0x110u

#define KDBG_OFFSET_PRCB_CONTEXT 0x338u
#define CODE_FLAGS 0x50000000u /* 0x1000007e and 0x4000008a are variants of 0x7e and 0x8a */

/* Where ContextFlags stands, which bits name the architecture, where the stack pointer is. */
struct context_form {
    enum ds_arch arch;
    uint32_t flags_at, arch_mask, arch_bit, known_bits, sp_at, pc_at;
    unsigned pointer;
};

static const struct context_form forms[] = {
    {DS_ARCH_X64, X64_FLAGS, 0x07f00000, 0x00100000, 0xf810007f, X64_RSP, X64_RIP, 8},
    {DS_ARCH_ARM64, 0, 0x07f00000, 0x00400000, 0xf840007f, 0x100, 0x108, 8},
    {DS_ARCH_ARM, 0, 0x07f00000, 0x00200000, 0xf820007f, 0x38, 0x40, 4},
    {DS_ARCH_X86, 0, 0x07ff0000, 0x00010000, 0xf801007f, 0xc4, 0xb8, 4},
};

static const struct context_form *form_of(const struct ds_dump *d)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (forms[i].arch == d->header.arch)
            return &forms[i];
    }
    return NULL;
}

static uint64_t pointer_at(const struct context_form *f, const uint8_t *context, uint32_t at)
{
    return f->pointer == 8 ? ds_le64(context + at) : ds_le32(context + at);
}

static bool check_flags(struct ds_dump *d, const struct context_form *f, const uint8_t *c)
{
    uint32_t flags = ds_le32(c + f->flags_at);
    uint64_t at = d->header.context_offset + f->flags_at;
    if (flags == 0 || flags == DS_FILLER) {
        ds_dump_say(d, DS_INTEGRITY_NOTE, "context.absent", at,
                    "the registers in the header; the stack and the processor's own record can "
                    "still tell",
                    "a context record in the header", "ContextFlags 0x%lx", (unsigned long)flags);
        return false;
    }
    if ((flags & f->arch_mask) != f->arch_bit || (flags & ~f->known_bits) != 0) {
        struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_DAMAGE, "context.flags", at);
        ds_integrity_expected(n, "ContextFlags with 0x%lx for %s and known bits only",
                              (unsigned long)f->arch_bit, ds_arch_name(f->arch));
        ds_integrity_found(n, "0x%lx", (unsigned long)flags);
        ds_integrity_lost(n, "trust in the registers of the header's context record");
        return (flags & f->arch_mask) == f->arch_bit;
    }
    return true;
}

static void check_registers(struct ds_dump *d, const struct context_form *f, const uint8_t *c)
{
    uint64_t pc = pointer_at(f, c, f->pc_at), sp = pointer_at(f, c, f->sp_at);
    static const char lost[] = "trust in the header's registers: no processor runs like this";
    if (!ds_va_canonical(d, pc) || !ds_va_canonical(d, sp))
        ds_dump_say(d, DS_INTEGRITY_NOTE, "context.registers", d->header.context_offset + f->pc_at,
                    lost, "canonical program counter and stack pointer", "0x%llx, 0x%llx",
                    (unsigned long long)pc, (unsigned long long)sp);
    if (f->arch != DS_ARCH_X64)
        return;
    unsigned cs = ds_le16(c + X64_SEG_CS);
    uint32_t eflags = ds_le32(c + X64_EFLAGS);
    /* Selectors of 64-bit Windows: kernel 0x10, user 0x33 and 0x23; EFlags bit 1 is always 1. */
    if (cs != 0x10 && cs != 0x33 && cs != 0x23)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "context.registers",
                    d->header.context_offset + X64_SEG_CS, lost, "SegCs 0x10, 0x23 or 0x33", "0x%x",
                    cs);
    if ((eflags & 0x2u) == 0 || (eflags & 0xffc08028u) != 0)
        ds_dump_say(
            d, DS_INTEGRITY_NOTE, "context.registers", d->header.context_offset + X64_EFLAGS, lost,
            "EFlags with bit 1 set and the reserved bits clear", "0x%lx", (unsigned long)eflags);
}

/* The context that the bugcheck itself saved for its processor: KPRCB.Context. */
static bool read_prcb_context(struct ds_dump *d, uint8_t *c, uint64_t *va)
{
    struct ds_opt p =
        ds_kdbg_told_field(d, &d->triage.prcb, KDBG_OFFSET_PRCB_CONTEXT, ds_dump_pointer_size(d));
    if (!p.known || p.value == 0)
        return false;
    *va = p.value;
    return ds_dump_read_virt(d, p.value, c, TWIN_SIZE, NULL) == DS_OK;
}

/* Whether two records are one and the same but for a few bytes: then one of them is damaged. */
static void check_twin(struct ds_dump *d, const uint8_t *c, const uint8_t *twin, const char *whose)
{
    unsigned differ = 0;
    uint32_t first = 0;
    for (uint32_t i = X64_CORE_BEGIN; i < X64_CORE_END; i++) {
        if (c[i] != twin[i] && differ++ == 0)
            first = i;
    }
    if (differ == 0 || differ > 24)
        return;
    struct ds_integrity_note *n =
        ds_dump_note(d, DS_INTEGRITY_DAMAGE, "context.differs", d->header.context_offset + first);
    ds_integrity_expected(n, "the same registers as %s", whose);
    ds_integrity_found(n, "%u of %u bytes differ, the first here", differ,
                       X64_CORE_END - X64_CORE_BEGIN);
    ds_integrity_lost(n, "trust in the registers that differ; the others agree");
}

/* The fifth argument stands on the stack above the return address and four home slots. */
static void check_fifth_argument(struct ds_dump *d, const uint8_t *c)
{
    struct ds_opt stated = d->header.bugcheck_parameter[3];
    uint64_t at = ds_le64(c + X64_RSP) + 0x28;
    struct ds_opt called = ds_dump_virt_uint(d, at, 8);
    if (!stated.known || !called.known || called.value == stated.value)
        return;
    struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_NOTE, "header.bugcheck", 0x58);
    ds_integrity_expected(n, "BugCheckParameter4 0x%llx, as the stack has it",
                          (unsigned long long)called.value);
    ds_integrity_found(n, "0x%llx", (unsigned long long)stated.value);
    ds_integrity_lost(n, "trust in that parameter, unless the stack slot was used again");
}

/*
 * KeBugCheckEx(code, P1, P2, P3, P4) saves the context that it was called with: on x64 the first
 * four stand in rcx, rdx, r8 and r9. Three that agree prove that frame; the fourth then must.
 */
static void check_arguments(struct ds_dump *d, const uint8_t *c)
{
    const struct ds_dump_header *h = &d->header;
    const uint32_t at[4] = {X64_RCX, X64_RDX, X64_R8, X64_R9};
    const struct ds_opt header[4] = {h->bugcheck_code, h->bugcheck_parameter[0],
                                     h->bugcheck_parameter[1], h->bugcheck_parameter[2]};
    static const char *const names[4] = {"BugCheckCode", "BugCheckParameter1", "BugCheckParameter2",
                                         "BugCheckParameter3"};
    static const uint32_t fields[4] = {0x38, 0x40, 0x48, 0x50};
    unsigned agree = 0, odd = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t want = i == 0 ? header[i].value & ~(uint64_t)CODE_FLAGS : header[i].value;
        uint64_t have = ds_le64(c + at[i]);
        if (header[i].known && want == (i == 0 ? have & ~(uint64_t)CODE_FLAGS : have) && have != 0)
            agree++;
        else
            odd = i;
    }
    if (agree == 4)
        check_fifth_argument(d, c);
    if (agree != 3)
        return;
    struct ds_integrity_note *n =
        ds_dump_note(d, DS_INTEGRITY_DAMAGE, "header.bugcheck", fields[odd]);
    ds_integrity_expected(n, "%s 0x%llx, as KeBugCheckEx was called", names[odd],
                          (unsigned long long)ds_le64(c + at[odd]));
    ds_integrity_found(n, "0x%llx", (unsigned long long)header[odd].value);
    ds_integrity_lost(n, "trust in that field; the other three agree with the call");
}

/* KiBugCheckData, where captured: the same five numbers. A nested bugcheck may differ in all. */
static void check_memory_copy(struct ds_dump *d)
{
    const struct ds_dump_header *h = &d->header;
    struct ds_opt va = ds_kdbg_value(d, 0x88, 8);
    unsigned ptr = ds_dump_pointer_size(d), differ = 0;
    for (unsigned i = 0; va.known && i < 5; i++) {
        struct ds_opt have = ds_dump_virt_uint(d, va.value + i * ptr, ptr);
        struct ds_opt want = i == 0 ? h->bugcheck_code : h->bugcheck_parameter[i - 1];
        if (!have.known || !want.known)
            return;
        uint64_t mask = i == 0 ? ~(uint64_t)CODE_FLAGS : UINT64_MAX;
        differ += (have.value & mask) != (want.value & mask);
    }
    if (va.known && differ != 0)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "header.bugcheck", h->is64 ? 0x38 : 0x28,
                    "certainty which bugcheck came first: header and memory disagree",
                    "code and parameters as in KiBugCheckData", "%u of the 5 differ", differ);
}

static bool in_drivers(const struct ds_dump *d, uint64_t va)
{
    const struct ds_triage *t = &d->triage;
    for (size_t i = 0; i < t->driver_count; i++) {
        if (va - t->drivers[i].base < t->drivers[i].size)
            return true;
    }
    return false;
}

static void say_exception(struct ds_dump *d, uint32_t member, const char *expected, uint64_t found)
{
    ds_dump_say(d, DS_INTEGRITY_NOTE, "exception.record", d->header.exception_offset + member,
                "trust in the header's exception record; the context record stands apart from it",
                expected, "0x%llx", (unsigned long long)found);
}

/*
 * EXCEPTION_RECORD64 / 32: code 0, flags 4, record 8, address 0x10 / 0xc, parameter count
 * 0x18 / 0x10. The writer makes up a breakpoint at KeBugCheckEx where there is no exception:
 * address and program counter of the saved context are then the same.
 */
static void check_exception(struct ds_dump *d, uint64_t header_pc, struct ds_opt prcb_pc)
{
    bool is64 = d->header.is64;
    const uint8_t *p = d->raw_header + d->header.exception_offset;
    uint32_t code = ds_le32(p), flags = ds_le32(p + 4), count = ds_le32(p + (is64 ? 0x18 : 0x10));
    uint64_t record = is64 ? ds_le64(p + 8) : ds_le32(p + 8);
    uint64_t address = is64 ? ds_le64(p + 0x10) : ds_le32(p + 0xc);
    if (code == 0 || code == DS_FILLER)
        return;
    bool at_bugcheck = prcb_pc.known && address == prcb_pc.value;
    if ((code & 0x80000000u) == 0 || (at_bugcheck && code != 0x80000003u))
        say_exception(d, 0, "a code of severity warning or error, 0x80000003 at KeBugCheckEx",
                      code);
    if (flags > 0xff)
        say_exception(d, 4, "ExceptionFlags of at most 0xff", flags);
    if (record != 0 && !(is64 && ds_le32(p + 8) == DS_FILLER) && !ds_va_kernel(d, record))
        say_exception(d, 8, "ExceptionRecord 0 or a kernel address", record);
    if (count > 15)
        say_exception(d, is64 ? 0x18 : 0x10, "NumberParameters of at most 15", count);
    bool elsewhere = address != header_pc && prcb_pc.known && !at_bugcheck;
    bool stray = ds_va_kernel(d, address) ? !in_drivers(d, address) : !ds_va_canonical(d, address);
    if (stray || (is64 && elsewhere))
        say_exception(d, is64 ? 0x10 : 0xc,
                      "ExceptionAddress in a driver, at a recorded program counter", address);
}

/* Captured stack bytes and data blocks of the same addresses must agree. */
static bool stack_disagrees(struct ds_dump *d)
{
    const struct ds_region *s = &d->triage.call_stack;
    uint8_t a[512], b[512];
    for (uint64_t done = 0; done < s->size && done < DS_LIMIT_STACK_BYTES; done += sizeof(a)) {
        size_t n = s->size - done < sizeof(a) ? (size_t)(s->size - done) : sizeof(a);
        if (ds_source_read(d->src, s->offset + done, a, n, NULL) != DS_OK)
            return false;
        /* Data blocks were added before the stack, so they answer where both have bytes. */
        if (ds_dump_read_virt(d, d->head.top_of_stack + done, b, n, NULL) == DS_OK &&
            memcmp(a, b, n) != 0)
            return true;
    }
    return false;
}

static void check_stack(struct ds_dump *d, const struct context_form *f, const uint8_t *c,
                        const uint8_t *prcb)
{
    const struct ds_region *s = &d->triage.call_stack;
    uint64_t top = d->head.top_of_stack, at = d->header.body_offset + 0x48;
    static const char lost[] = "the addresses of the captured stack: frames found by them may be "
                               "wrong";
    if (s->size == 0)
        return;
    if (!ds_va_kernel(d, top) || top % f->pointer != 0)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "triage.top_of_stack", at, lost,
                    "TopOfStack, an aligned kernel address", "0x%llx", (unsigned long long)top);
    else if (stack_disagrees(d))
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "triage.top_of_stack", at, lost,
                    "the call stack to agree with the data blocks of its addresses",
                    "different bytes from 0x%llx on", (unsigned long long)top);
    else if (pointer_at(f, c, f->sp_at) != top && prcb != NULL &&
             pointer_at(f, prcb, f->sp_at) != top)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "triage.top_of_stack", at,
                    "nothing, if another stack was captured on purpose",
                    "TopOfStack at a recorded stack pointer", "0x%llx", (unsigned long long)top);
}

void ds_triage_check_context(struct ds_dump *d)
{
    const struct context_form *f = form_of(d);
    if (f == NULL)
        return;
    const uint8_t *c = d->raw_header + d->header.context_offset;
    uint8_t prcb[TWIN_SIZE], faulting[X64_CORE_END];
    uint64_t va = 0;
    bool sound = check_flags(d, f, c);
    if (sound)
        check_registers(d, f, c);
    bool has_prcb = read_prcb_context(d, prcb, &va);
    check_stack(d, f, c, has_prcb ? prcb : NULL);
    check_memory_copy(d);
    check_exception(d, pointer_at(f, c, f->pc_at),
                    has_prcb ? ds_opt_known(pointer_at(f, prcb, f->pc_at))
                             : ds_opt_unknown(DS_NOT_FOUND));
    if (f->arch != DS_ARCH_X64)
        return;
    if (has_prcb) {
        check_twin(d, c, prcb, "the processor's own record (KPRCB.Context)");
        check_arguments(d, prcb);
    } else if (sound) {
        check_arguments(d, c);
    }
    /* SYSTEM_THREAD_EXCEPTION_NOT_HANDLED: parameter 4 is the context record. */
    struct ds_opt code = d->header.bugcheck_code, p4 = d->header.bugcheck_parameter[3];
    if (code.known && (code.value & ~(uint64_t)CODE_FLAGS) == 0x7e && p4.known &&
        ds_dump_read_virt(d, p4.value, faulting, sizeof(faulting), NULL) == DS_OK)
        check_twin(d, c, faulting, "the record that parameter 4 points to");
}
