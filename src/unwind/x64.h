/*
 * One step up an x64 stack by an image's own unwind data (.pdata and UNWIND_INFO). Source: "x64
 * exception handling" on learn.microsoft.com; of version 2, the layout of its epilog entries as
 * LLVM documents them (UOP_Epilog).
 */
#ifndef DS_UNWIND_X64_H
#define DS_UNWIND_X64_H

#include "memory/space.h"
#include "unwind/context.h"

/* The integer registers as far as they are known, in the numbering of the unwind codes: rax, rcx,
 * rdx, rbx, rsp, rbp, rsi, rdi, r8 ... r15. */
#define DS_X64_RSP 4u
struct ds_x64_registers {
    uint64_t rip;
    uint64_t gpr[16];
    uint32_t known; /* bit n: gpr[n] is known */
};

/* Where an image's table of functions lies. */
struct ds_x64_image {
    uint64_t base;
    uint32_t exception_rva, exception_size; /* the exception directory, bytes */
};

struct ds_x64_step {
    uint64_t slot;         /* stack slot that held the caller's rip */
    uint64_t function;     /* where the function begins that was stepped out of; 0 for a leaf */
    bool interrupted;      /* by a machine frame: rip was interrupted, it follows no call */
    uint64_t code_segment; /* of the machine frame; 0 otherwise */
};

/* Takes the registers of a context; those it does not have stay unknown. */
void ds_x64_registers_of(const struct ds_context *c, struct ds_x64_registers *ret);

/*
 * Steps from *r to its caller. A function without an entry is a leaf: its return address is on top
 * of the stack. Errors: a read fault, also of the table; DS_NOT_FOUND (rsp is not known, or a
 * register that the step needs); DS_CORRUPT (no such unwind code, an entry that points nowhere).
 * *r is untouched on an error.
 */
enum ds_status ds_x64_step(struct ds_space *space, const struct ds_x64_image *image,
                           struct ds_x64_registers *r, struct ds_x64_step *ret) DS_MUST_CHECK;

#endif
