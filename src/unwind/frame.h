/* One frame of a stack, with how it was found. */
#ifndef DS_UNWIND_FRAME_H
#define DS_UNWIND_FRAME_H

#include "base/opt.h"
#include "memory/space.h"
#include "symbols/symbols.h"
#include "unwind/context.h"

/* How a frame was found; the order is the order of belief. */
enum ds_frame_trust {
    DS_FRAME_CONTEXT, /* the instruction pointer of a context record */
    DS_FRAME_UNWIND,  /* by unwind data of the image */
    DS_FRAME_FP,      /* by the frame-pointer chain */
    DS_FRAME_SCAN     /* a value on the stack that follows a call, or points into code */
};

/* "context", "unwind", "frame_pointer", "scan". */
const char *ds_frame_trust_name(enum ds_frame_trust trust);

struct ds_frame {
    uint64_t sp; /* stack slot that holds the return address (context frame: the stack pointer) */
    uint64_t pc; /* the instruction pointer, or the return address */
    enum ds_frame_trust trust;
    struct ds_opt after_call; /* scan: 1 the bytes before pc are a call instruction, 0 they are
                                 not; unknown when the code was not captured */
};

struct ds_stack {
    struct ds_frame frames[256]; /* DS_LIMIT_FRAMES */
    size_t count;
    size_t dropped; /* values left out: they point into a module, but to data, or follow no call */
    enum ds_status end; /* DS_OK: reached the stack's end; else why it stopped */
    uint64_t end_sp;    /* where */
};

/*
 * Scans [sp, limit) for values that point into a module of `symbols` and, where the code is
 * captured, follow a call instruction (x64, x86: E8 rel32 or FF /2; ARM64: BL or BLR). A value
 * that provably does not follow one, or lies in a section without code, is left out and counted;
 * one that cannot be checked stays.
 * The context's pc, when given, is frame 0. At most DS_LIMIT_STACK_BYTES are read.
 */
void ds_stack_scan(struct ds_space *space, enum ds_arch arch, const struct ds_symbols *symbols,
                   const struct ds_context *context, uint64_t sp, uint64_t limit,
                   struct ds_stack *ret);

/* Whether the instruction before `va` is a call: 1, 0, or unknown with the read fault. */
struct ds_opt ds_code_after_call(struct ds_space *space, enum ds_arch arch, uint64_t va);

#endif
