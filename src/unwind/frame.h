/* The frames of a stack, each with how it was found. */
#ifndef DS_UNWIND_FRAME_H
#define DS_UNWIND_FRAME_H

#include "base/opt.h"
#include "memory/space.h"
#include "symbols/symbols.h"
#include "unwind/context.h"

/* How a frame was found; the order is the order of belief. */
enum ds_frame_trust {
    DS_FRAME_CONTEXT, /* the instruction pointer of a context record */
    DS_FRAME_SWITCH,  /* where a context switch will go on: the return address that it left */
    DS_FRAME_UNWIND,  /* by unwind data of the image */
    DS_FRAME_FP,      /* by the frame-pointer chain */
    DS_FRAME_LINK,    /* ARM64: the link register of the context */
    DS_FRAME_SCAN     /* a value on the stack that follows a call, or points into code */
};

/* "context", "switch_frame", "unwind", "frame_pointer", "link_register", "scan". */
const char *ds_frame_trust_name(enum ds_frame_trust trust);

struct ds_frame {
    uint64_t sp; /* stack slot that holds the return address (context frame: the stack pointer) */
    uint64_t pc; /* the instruction pointer, or the return address */
    enum ds_frame_trust trust;
    struct ds_opt after_call; /* scan: 1 the bytes before pc are a call instruction, 0 they are
                                 not; unknown when the code was not captured */
    bool interrupted;         /* pc was left by a trap or an interrupt, not by a call */
    bool anchored;            /* no scan lies between the context and this frame */
};

struct ds_stack {
    struct ds_frame frames[256]; /* DS_LIMIT_FRAMES */
    size_t count;
    size_t dropped; /* values left out: they point into a module, but to data, or follow no call */
    size_t residue; /* values left out: they are registers in a context or exception record that
                       lies on the stack, or notes of the kernel's own unwinding */
    enum ds_status end; /* DS_OK: reached the stack's end; else why it stopped */
    uint64_t end_sp;    /* where */
};

/* A record that lies on the stack: what is in it is no return address. */
struct ds_stack_record {
    uint64_t va, size;
};

/* What a walk is given. */
struct ds_stack_walk {
    struct ds_space *space;
    enum ds_arch arch;
    const struct ds_symbols *symbols; /* its modules are where code lies */
    const struct ds_context *context; /* frame 0; NULL: there is none, look from sp on */
    bool switched;                    /* it is what a context switch left */
    uint64_t sp, limit;               /* [sp, limit) is the stack */
    uint64_t stop;                    /* nothing from here on is wanted; limit when all is */
    const struct ds_stack_record *records;
    size_t record_count;
    /* Whether va, which lies in no module, once was code (of an unloaded driver); may be NULL. */
    bool (*was_code)(void *arg, uint64_t va);
    /* The end of the stack that sp, which lies outside [sp, limit), is on; may be NULL. */
    bool (*stack_of)(void *arg, uint64_t sp, uint64_t *limit);
    void *arg;
};

/*
 * Frames from the innermost out. x64: by unwind data as far as it was captured. x86 and ARM64: by
 * the chain of frame pointers (ARM64: the link register first). Where these end early, by a scan:
 * values that point into a module and, where the code is captured, follow a call instruction
 * (x64, x86: E8 rel32 or FF /2; ARM64: BL or BLR). A value that provably does not follow one, or
 * lies in a section without code, is left out and counted; one that cannot be checked stays. From
 * a value that does, unwinding goes on where both ends of the step fit each other.
 * At most DS_LIMIT_STACK_BYTES and DS_LIMIT_FRAMES.
 */
void ds_stack_walk(const struct ds_stack_walk *walk, struct ds_stack *ret);

/* Whether the instruction before `va` is a call: 1, 0, or unknown with the read fault. */
struct ds_opt ds_code_after_call(struct ds_space *space, enum ds_arch arch, uint64_t va);

/* The target of the direct call (x64, x86: E8 rel32) that ends before va; unknown when there is
 * none or it cannot be read. */
struct ds_opt ds_code_call_target(struct ds_space *space, enum ds_arch arch, uint64_t va);

#endif
