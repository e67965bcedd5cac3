/* One frame of a stack, with how it was found. */
#ifndef DS_UNWIND_FRAME_H
#define DS_UNWIND_FRAME_H

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
    enum ds_status end; /* DS_OK: reached the stack's end; else why it stopped */
    uint64_t end_sp;    /* where */
};

/*
 * Scans [sp, limit) for values that point into a module of `symbols`; x64: also checks for a call
 * instruction right before where the code is captured, and leaves out values that provably do
 * not follow one. The context's pc, when given, is frame 0.
 */
void ds_stack_scan(struct ds_space *space, const struct ds_symbols *symbols,
                   const struct ds_context *context, uint64_t sp, uint64_t limit,
                   struct ds_stack *ret);

#endif
