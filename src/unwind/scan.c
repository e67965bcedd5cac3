/* A marked scan: words of a stack that may be return addresses. */
#include "unwind/impl.h"

#include <string.h>

#include "base/bytes.h"
#include "symbols/pe_section.h"

#define KERNEL_CS 0x10u /* x64 Windows: KGDT64_R0_CODE, KGDT64_R0_DATA */
#define KERNEL_SS 0x18u
#define EFLAGS_ONE 0x2u                     /* the bit that is always set (Intel SDM, EFLAGS) */
#define EFLAGS_NEVER 0xffc08028u            /* bits that are always clear */
#define CONTEXT_CONTROL_INTEGER 0x00100003u /* winnt.h, CONTEXT_AMD64 */
#define CONTEXT_FIRST 0x78u                 /* the integer registers of a CONTEXT, and its rip */
#define CONTEXT_LAST 0x100u
#define TRAP_FRAME_RIP 0x168u        /* _KTRAP_FRAME.Rip of every x64 kernel's symbols */
#define SIGN_BIT 0x0080000000000000u /* ARM64: bit 55 chooses the half */

enum ds_status ds_walker_word(struct ds_walker *w, uint64_t va, uint64_t *ret)
{
    unsigned word = ds_space_pointer_size(w->in->space);
    if (va < w->window_va || va - w->window_va > w->window_size ||
        w->window_size - (va - w->window_va) < word) {
        struct ds_fault fault = {.va = va};
        uint64_t rest = UINT64_MAX - va;
        size_t len = DS_WALK_WINDOW - (size_t)(va & (DS_WALK_WINDOW - 1));
        len = rest < len ? (size_t)rest : len < word ? word : len;
        enum ds_status status = ds_space_read(w->in->space, va, w->window, len, &fault);
        w->window_size = 0;
        if (status != DS_OK) {
            /* What lies before the fault still counts. */
            len = fault.va - va < len ? (size_t)(fault.va - va) : 0;
            if (len < word || ds_space_read(w->in->space, va, w->window, len, NULL) != DS_OK) {
                return status;
            }
        }
        w->window_va = va;
        w->window_size = len;
    }
    const uint8_t *at = w->window + (va - w->window_va);
    *ret = word == 8 ? ds_le64(at) : ds_le32(at);
    return DS_OK;
}

bool ds_walker_add(struct ds_walker *w, struct ds_frame frame)
{
    struct ds_stack *s = w->ret;
    if (s->count == DS_LIMIT_FRAMES) {
        ds_walker_end(w, DS_LIMIT, frame.sp);
        return false;
    }
    frame.anchored = w->anchored;
    s->frames[s->count++] = frame;
    return true;
}

void ds_walker_end(struct ds_walker *w, enum ds_status why, uint64_t sp)
{
    w->ret->end = why;
    w->ret->end_sp = sp;
}

bool ds_walker_code(struct ds_walker *w, uint64_t va)
{
    struct ds_symbol symbol;
    if (!ds_symbols_find(w->in->symbols, va, &symbol)) {
        return w->in->was_code != NULL && w->in->was_code(w->in->arg, va);
    }
    struct ds_opt code = ds_pe_executable(w->in->space, symbol.module_base, va);
    return va != symbol.module_base && (!code.known || code.value != 0);
}

static bool in_record(const struct ds_walker *w, uint64_t slot)
{
    for (size_t i = 0; i < w->in->record_count; i++) {
        const struct ds_stack_record *r = &w->in->records[i];
        if (slot >= r->va && slot - r->va < r->size) {
            return true;
        }
    }
    return false;
}

/* Whether a CONTEXT stands at va: flags, control word and code segment as a kernel has them. */
static bool is_context(struct ds_walker *w, uint64_t va)
{
    uint8_t raw[0x40];
    if (ds_space_read(w->in->space, va, raw, sizeof(raw), NULL) != DS_OK) {
        return false;
    }
    uint32_t flags = ds_le32(raw + 0x30), mxcsr = ds_le32(raw + 0x34);
    uint16_t cs = ds_le16(raw + 0x38);
    return (flags & 0x07fff003u) == CONTEXT_CONTROL_INTEGER && mxcsr <= 0xffff &&
           (cs == KERNEL_CS || cs == 0x33);
}

/* Whether the slot is a register of a CONTEXT that lies on the stack; these are 16-aligned. */
static bool in_context(struct ds_walker *w, uint64_t slot)
{
    if (w->in->arch != DS_ARCH_X64) {
        return false;
    }
    for (uint64_t back = CONTEXT_FIRST; back < CONTEXT_LAST; back += 8) {
        if (((slot - back) & 15) == 0 && slot > back && is_context(w, slot - back)) {
            return true;
        }
    }
    return false;
}

/*
 * Whether the slot belongs to what the kernel notes down while it unwinds: an entry of an
 * UNWIND_HISTORY_TABLE {ImageBase, FunctionEntry} or the head of a DISPATCHER_CONTEXT {ControlPc,
 * ImageBase, FunctionEntry} (winnt.h). Both have the image's base beside the value.
 */
static bool in_history(struct ds_walker *w, uint64_t slot, uint64_t base)
{
    uint64_t before, after, entry;
    struct ds_symbol symbol;
    if (w->in->arch != DS_ARCH_X64 || slot < 8 || slot > UINT64_MAX - 24) {
        return false;
    }
    if (ds_walker_word(w, slot - 8, &before) == DS_OK && before == base) {
        return true;
    }
    return ds_walker_word(w, slot + 8, &after) == DS_OK && after == base &&
           ds_walker_word(w, slot + 16, &entry) == DS_OK &&
           ds_symbols_find(w->in->symbols, entry, &symbol) && symbol.module_base == base;
}

/* Whether the slot is the rip of a machine frame that kernel code left on this stack (x64). */
static bool machine_frame(struct ds_walker *w, uint64_t slot, uint64_t *rsp)
{
    uint64_t cs, flags, ss;
    return w->in->arch == DS_ARCH_X64 && slot <= UINT64_MAX - 40 &&
           ds_walker_word(w, slot + 8, &cs) == DS_OK && (cs & 0xffff) == KERNEL_CS &&
           ds_walker_word(w, slot + 16, &flags) == DS_OK &&
           (flags & (EFLAGS_NEVER | EFLAGS_ONE)) == EFLAGS_ONE &&
           ds_walker_word(w, slot + 24, rsp) == DS_OK && *rsp > slot && *rsp < w->limit &&
           ds_walker_word(w, slot + 32, &ss) == DS_OK &&
           ((ss & 0xffff) == 0 || (ss & 0xffff) == KERNEL_SS);
}

/* Whether the slot is a register of a trap frame: its rip, with a machine frame, lies ahead. */
static bool in_trap_frame(struct ds_walker *w, uint64_t slot)
{
    uint64_t rsp, rip;
    if (w->in->arch != DS_ARCH_X64 || slot > UINT64_MAX - TRAP_FRAME_RIP - 8) {
        return false;
    }
    for (uint64_t at = slot + 8; at <= slot + TRAP_FRAME_RIP; at += 8) {
        if (machine_frame(w, at, &rsp) && ds_walker_word(w, at, &rip) == DS_OK &&
            ds_walker_code(w, rip)) {
            return true;
        }
    }
    return false;
}

/* ARM64 may sign return addresses; the signature stands where the address has copies of bit 55. */
static uint64_t without_signature(const struct ds_walker *w, uint64_t value)
{
    bool kernel = w->in->arch == DS_ARCH_ARM64 && (value & SIGN_BIT) != 0;
    return kernel ? value | 0xffff000000000000u : value;
}

/* Whether a value is a frame. */
static bool judge(struct ds_walker *w, uint64_t slot, uint64_t value, struct ds_frame *f,
                  uint64_t *next)
{
    struct ds_symbol symbol;
    bool loaded = ds_symbols_find(w->in->symbols, value, &symbol);
    if (!loaded && (w->in->was_code == NULL || !w->in->was_code(w->in->arg, value))) {
        return false;
    }
    if (loaded && value == symbol.module_base) {
        return false;
    }
    if (in_record(w, slot) || in_context(w, slot) || in_trap_frame(w, slot) ||
        (loaded && in_history(w, slot, symbol.module_base))) {
        w->ret->residue++;
        return false;
    }
    struct ds_opt code = loaded ? ds_pe_executable(w->in->space, symbol.module_base, value)
                                : ds_opt_unknown(DS_NOT_IN_DUMP);
    struct ds_opt after = ds_code_after_call(w->in->space, w->in->arch, value);
    bool trap = machine_frame(w, slot, next);
    if ((code.known && code.value == 0) || (after.known && after.value == 0 && !trap)) {
        w->ret->dropped++;
        return false;
    }
    *f = (struct ds_frame){.sp = slot, .pc = value, .trust = DS_FRAME_SCAN, .interrupted = trap};
    f->after_call = trap ? ds_opt_unknown(DS_OK) : after;
    return true;
}

bool ds_walker_scan(struct ds_walker *w, uint64_t sp, struct ds_frame *frame, uint64_t *next)
{
    unsigned word = ds_space_pointer_size(w->in->space);
    sp = sp > UINT64_MAX - word ? sp : (sp + word - 1) & ~(uint64_t)(word - 1);
    w->anchored = false;
    uint64_t end = w->switches == 0 ? w->in->stop : w->limit;
    for (; sp < end && end - sp >= word; sp += word) {
        uint64_t value;
        enum ds_status status = ds_walker_word(w, sp, &value);
        if (status == DS_OK && w->bytes >= DS_LIMIT_STACK_BYTES) {
            status = DS_LIMIT;
        }
        if (status != DS_OK) {
            ds_walker_end(w, status, sp);
            return false;
        }
        w->bytes += word;
        *next = sp + word;
        uint64_t after = *next;
        if (judge(w, sp, without_signature(w, value), frame, &after)) {
            *next = frame->interrupted ? after : *next;
            return true;
        }
    }
    ds_walker_end(w, DS_OK, sp);
    return false;
}
