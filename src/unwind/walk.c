/* From frame to frame: x64 by unwind data and scan, x86 and ARM64 by frame pointers and scan. */
#include "unwind/impl.h"

#include <string.h>

#include "base/bytes.h"
#include "symbols/pe.h"

#define X86_TRAP_EIP                                                                               \
    0x68u /* _KTRAP_FRAME.Eip and .SegCs: the same in every x86 kernel's symbols                   \
           */
#define X86_TRAP_CS 0x6cu
#define X86_KERNEL_CS 8u

/* The function table of the image that holds va; NULL when it cannot be had. */
static const struct ds_x64_image *image_of(struct ds_walker *w, uint64_t va)
{
    struct ds_symbol symbol;
    if (!ds_symbols_find(w->in->symbols, va, &symbol)) {
        return NULL;
    }
    for (size_t i = 0; i < w->image_count; i++) {
        if (w->images[i].base == symbol.module_base) {
            return w->image_status[i] == DS_OK ? &w->images[i] : NULL;
        }
    }
    struct ds_pe pe = {0};
    struct ds_err err;
    enum ds_status status = ds_pe_read(w->in->space, symbol.module_base, &pe, &err);
    if (status == DS_OK && pe.exception_size == 0) {
        status = DS_NOT_FOUND;
    }
    size_t at = w->image_count < DS_WALK_IMAGES ? w->image_count++ : DS_WALK_IMAGES - 1;
    w->images[at] = (struct ds_x64_image){symbol.module_base, pe.exception_rva, pe.exception_size};
    w->image_status[at] = status;
    return status == DS_OK ? &w->images[at] : NULL;
}

/* Whether the stack goes on at sp: further up the same one, or on another that is known. */
static bool stack_goes_on(struct ds_walker *w, uint64_t from, uint64_t sp)
{
    uint64_t limit;
    if (sp > from && sp <= w->limit) {
        return true;
    }
    if (w->in->stack_of == NULL || w->switches == DS_WALK_SWITCHES ||
        !w->in->stack_of(w->in->arg, sp, &limit)) {
        return false;
    }
    w->switches++;
    w->limit = limit;
    return true;
}

/*
 * Whether the call before `pc` fits the function that was stepped out of. A direct call says where
 * it went; what began there may be a jump to the function, so only a frame that was itself found
 * by a scan is held to it.
 */
static bool fits(struct ds_walker *w, uint64_t pc, const struct ds_x64_step *step)
{
    struct ds_opt after = ds_code_after_call(w->in->space, DS_ARCH_X64, pc);
    if (after.known && after.value == 0) {
        return false;
    }
    struct ds_opt target = ds_code_call_target(w->in->space, DS_ARCH_X64, pc);
    return w->anchored || !target.known || step->function == 0 || target.value == step->function;
}

enum move { MOVED, STUCK, ENDED };

/* One step of unwinding; STUCK leaves the registers as they were. */
static enum move unwind(struct ds_walker *w, struct ds_x64_registers *r)
{
    const struct ds_x64_image *image = image_of(w, r->rip);
    struct ds_x64_registers up = *r;
    struct ds_x64_step step;
    if (image == NULL || ds_x64_step(w->in->space, image, &up, &step) != DS_OK) {
        return STUCK;
    }
    uint64_t rsp = up.gpr[DS_X64_RSP];
    bool to_user = step.interrupted && (step.code_segment & 3) == 3;
    if (w->anchored && (to_user || (up.rip == 0 && step.function != 0))) {
        ds_walker_end(w, DS_OK, step.slot); /* where a trap from user mode or a thread began */
        return ENDED;
    }
    /* What was interrupted may be a jump to nowhere. */
    bool anywhere = step.interrupted && w->anchored;
    if (to_user || (!anywhere && !ds_walker_code(w, up.rip)) ||
        (!step.interrupted && !fits(w, up.rip, &step)) ||
        !stack_goes_on(w, r->gpr[DS_X64_RSP], rsp)) {
        return STUCK;
    }
    struct ds_frame f = {.sp = step.slot,
                         .pc = up.rip,
                         .trust = DS_FRAME_UNWIND,
                         .interrupted = step.interrupted,
                         .after_call = ds_opt_unknown(DS_OK)};
    if (!step.interrupted) {
        f.after_call = ds_code_after_call(w->in->space, DS_ARCH_X64, up.rip);
    }
    bool reached = w->switches == 0 && rsp >= w->in->stop;
    *r = up;
    if (ds_walker_add(w, f) && !reached) {
        return MOVED;
    }
    if (reached) {
        ds_walker_end(w, DS_OK, rsp);
    }
    return ENDED;
}

void ds_walker_x64(struct ds_walker *w)
{
    struct ds_x64_registers r = {.gpr[DS_X64_RSP] = w->in->sp, .known = 1u << DS_X64_RSP};
    bool sure = false;
    if (w->in->context != NULL) {
        ds_x64_registers_of(w->in->context, &r);
        sure = true;
    }
    for (;;) {
        enum move m = sure ? unwind(w, &r) : STUCK;
        if (m == ENDED) {
            return;
        }
        struct ds_frame f;
        uint64_t next;
        if (m == MOVED) {
            continue;
        }
        if (!ds_walker_scan(w, r.gpr[DS_X64_RSP], &f, &next) || !ds_walker_add(w, f)) {
            return;
        }
        r = (struct ds_x64_registers){
            .rip = f.pc, .gpr[DS_X64_RSP] = next, .known = 1u << DS_X64_RSP};
        sure = f.interrupted || (f.after_call.known && f.after_call.value == 1);
    }
}

/* An interrupted eip, where the kernel made its trap frame look like a frame of the chain. */
static bool x86_trap(struct ds_walker *w, uint64_t fp, uint64_t pc)
{
    uint64_t eip, cs;
    return w->in->arch == DS_ARCH_X86 &&
           ds_space_read_uint(w->in->space, fp + X86_TRAP_EIP, 4, &eip, NULL) == DS_OK &&
           eip == pc && ds_space_read_uint(w->in->space, fp + X86_TRAP_CS, 4, &cs, NULL) == DS_OK &&
           (cs & 0xffff) == X86_KERNEL_CS;
}

static uint64_t plain(const struct ds_walker *w, uint64_t pc)
{
    bool arm = w->in->arch == DS_ARCH_ARM64 && (pc >> 55 & 1) != 0;
    return arm ? pc | 0xffff000000000000u : pc; /* without a pointer signature */
}

/* The frame that fp leads to; false when it is none. */
static bool chain_frame(struct ds_walker *w, uint64_t fp, struct ds_frame *f, uint64_t *next)
{
    unsigned word = ds_space_pointer_size(w->in->space);
    uint64_t pc;
    if (fp % word != 0 || fp > UINT64_MAX - 16 || fp >= w->in->stop ||
        ds_walker_word(w, fp, next) != DS_OK || ds_walker_word(w, fp + word, &pc) != DS_OK) {
        return false;
    }
    *f = (struct ds_frame){.sp = fp + word, .pc = plain(w, pc), .trust = DS_FRAME_FP};
    if (!ds_walker_code(w, f->pc)) {
        return false;
    }
    f->after_call = ds_code_after_call(w->in->space, w->in->arch, f->pc);
    if (f->after_call.known && f->after_call.value == 0) {
        f->interrupted = x86_trap(w, fp, f->pc);
        f->after_call = ds_opt_unknown(DS_OK);
        return f->interrupted;
    }
    return true;
}

/* What a function without a frame of its own returns to: the link register, or the word on top. */
static void add_frameless(struct ds_walker *w, const struct ds_frame *first)
{
    struct ds_frame f = {.sp = w->in->sp, .trust = DS_FRAME_LINK};
    bool arm = w->in->arch == DS_ARCH_ARM64;
    if (arm ? !ds_context_register(w->in->context, "lr", &f.pc)
            : ds_walker_word(w, w->in->sp, &f.pc) != DS_OK) {
        return;
    }
    f.pc = plain(w, f.pc);
    f.trust = arm ? DS_FRAME_LINK : DS_FRAME_SCAN;
    f.after_call = ds_code_after_call(w->in->space, w->in->arch, f.pc);
    bool called = f.after_call.known && f.after_call.value == 1;
    bool again = first != NULL ? first->pc == f.pc || first->sp == f.sp : !arm; /* the scan will */
    /* Code that was not captured proves nothing, but the link register is no leftover. */
    if (!again && f.pc != w->in->context->pc && ds_walker_code(w, f.pc) &&
        (called || (arm && !f.after_call.known))) {
        (void)ds_walker_add(w, f);
    }
}

/* Follows the chain; true when it reached its own end. *sp is where it was left. */
static bool follow_chain(struct ds_walker *w, uint64_t *sp)
{
    uint64_t fp = w->in->context->fp, next = 0, further = 0;
    struct ds_frame f;
    bool more = fp >= *sp && chain_frame(w, fp, &f, &next);
    add_frameless(w, more ? &f : NULL);
    while (more) {
        if (!ds_walker_add(w, f)) {
            return true;
        }
        *sp = f.sp + ds_space_pointer_size(w->in->space);
        if (next == 0) {
            ds_walker_end(w, DS_OK, *sp);
            return true;
        }
        more = next > fp && chain_frame(w, next, &f, &further);
        fp = next;
        next = further;
    }
    return false;
}

void ds_walker_frame_pointers(struct ds_walker *w)
{
    uint64_t sp = w->in->sp, next;
    struct ds_frame f;
    if (w->in->context != NULL && follow_chain(w, &sp)) {
        return;
    }
    while (ds_walker_scan(w, sp, &f, &next)) {
        if (!ds_walker_add(w, f)) {
            return;
        }
        sp = next;
    }
}

void ds_stack_walk(const struct ds_stack_walk *walk, struct ds_stack *ret)
{
    struct ds_walker w = {.in = walk, .ret = ret, .limit = walk->limit, .anchored = true};
    ret->count = ret->dropped = ret->residue = 0;
    ds_walker_end(&w, DS_OK, walk->sp);
    if (walk->context != NULL) {
        (void)ds_walker_add(
            &w, (struct ds_frame){.sp = walk->context->sp,
                                  .pc = walk->context->pc,
                                  .trust = walk->switched ? DS_FRAME_SWITCH : DS_FRAME_CONTEXT});
    }
    if (walk->arch == DS_ARCH_X64) {
        ds_walker_x64(&w);
    } else {
        ds_walker_frame_pointers(&w);
    }
}
