/*
 * The stack of any thread: of a running one from the context of its processor, of any other from
 * what the context switch left at KTHREAD.KernelStack.
 *
 * Sources: _KSWITCHFRAME (x86) and _KSWITCH_FRAME (x64, ARM64) of the public symbols; on ARM64
 * KTHREAD.SwitchFrame is one. WDD, "!thread" and "!stacks".
 */
#ifndef DS_NT_THREAD_STACK_H
#define DS_NT_THREAD_STACK_H

#include "nt/nt.h"

struct ds_thread_stack {
    struct ds_stack stack;   /* count 0 when there are no frames: `why` and `note` say why */
    const char *kind;        /* static: "thread stack", "DPC stack", ...; NULL without a stack */
    const char *start;       /* static: what the walk began with: "processor context", "fault",
                                "switch frame", "saved stack pointer"; NULL without a stack */
    struct ds_opt processor; /* number of the one that runs it; unknown when none does */
    enum ds_status why;      /* why there are no frames, or how the walk ended; DS_OK: complete */
    const char *note;        /* static clause: "stack paged out"; "" when there is nothing to say */
};

/* Any address may be given. Work is bounded by DS_LIMIT_STACK_BYTES and DS_LIMIT_FRAMES. */
void ds_nt_thread_stack(struct ds_nt *nt, uint64_t ethread, struct ds_thread_stack *ret);

#endif
