/* What the gatherers of candidates share. Private. */
#ifndef DS_FACTS_CANDIDATES_IMPL_H
#define DS_FACTS_CANDIDATES_IMPL_H

#include "facts/candidates.h"

/* How strong a piece of evidence is, before the module's class counts. */
#define DS_WEIGHT_NO_CRASH 200u
#define DS_WEIGHT_KIND 150u       /* the code itself says hardware or a process */
#define DS_WEIGHT_FAULT 100u      /* the instruction that failed */
#define DS_WEIGHT_KERNEL_SAYS 95u /* the kernel's own word */
#define DS_WEIGHT_PARAMETER 90u   /* code that a parameter names */
#define DS_WEIGHT_CALLED_BAD 86u  /* the call to an address without code */
#define DS_WEIGHT_CORRUPTION 80u  /* the code itself says memory corruption */
#define DS_WEIGHT_REPORTED 70u    /* it called for the bugcheck itself */
#define DS_WEIGHT_UNWOUND 60u     /* a caller, without a gap up to the fault */
#define DS_WEIGHT_CALLER 40u      /* follows a call, after a gap */
#define DS_WEIGHT_SCANNED 24u     /* a value on the stack */
#define DS_WEIGHT_WEAK 18u        /* no stronger than this where the stack says little */
#define DS_WEIGHT_KERNEL 10u

struct ds_evidence_place {
    uint64_t va;
    const char *source; /* static */
    const char *words;  /* a noun clause that "is 0x..., which lies in" can follow */
    uint32_t weight;
    bool of_fault; /* not a return address: the kernel is worth a note here */
};

struct ds_gather {
    struct ds_nt *nt;
    struct ds_arena *arena;
    struct ds_candidates *ret;
    bool kernel_seen;
    uint32_t weight_cap; /* of stacks */
};

/* Text of the arena, or "". Releases the buffer. */
const char *ds_gather_keep(struct ds_gather *g, struct ds_buf *b);

/* Adds a candidate, or adds to the one that names the same module. */
void ds_gather_add(struct ds_gather *g, const struct ds_candidate *c);

/* Looks at an address: a module, an unloaded one, or nothing. True when a driver was found. */
bool ds_gather_address(struct ds_gather *g, const struct ds_evidence_place *e);

/* "high", "medium" or "low" for a weight. */
const char *ds_gather_confidence(uint32_t weight);

/* The drivers on a stack; the reason of each begins with `who` ("a return address of ...").
 * `cap` bounds their weight. */
void ds_gather_stack(struct ds_gather *g, const struct ds_stack *stack, size_t first,
                     const char *source, const char *of, uint32_t cap);

/* Drivers that parameters lead to. */
void ds_gather_leads(struct ds_gather *g, const struct ds_dump_header *h);

/* Drivers on the stacks that the DPC watchdog captured, for 0x133 with 1: rows of the table
 * dpc_watchdog_samples. Nothing for any other bugcheck. */
void ds_gather_profile(struct ds_gather *g, const struct ds_dump_header *h);

/* The driver that the kernel itself names: KiBugCheckDriver, or the record in a minidump. */
void ds_gather_kernels_word(struct ds_gather *g);

#endif
