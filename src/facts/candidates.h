/*
 * Everybody who may be to blame, with what speaks for it. Gathered from the exception, the
 * parameters of the bugcheck and what they lead to, the kernel's own word, and the stacks; ranked
 * by how strong the evidence is. Table culprit_candidates; the culprit is chosen from them.
 */
#ifndef DS_FACTS_CANDIDATES_H
#define DS_FACTS_CANDIDATES_H

#include "facts/facts.h"
#include "facts/skip.h"

/* The order is that of nothing. */
enum ds_candidate_kind {
    DS_CANDIDATE_DRIVER,
    DS_CANDIDATE_KERNEL,
    DS_CANDIDATE_PROCESS,
    DS_CANDIDATE_HARDWARE,
    DS_CANDIDATE_MEMORY_CORRUPTION
};
/* "driver", "kernel", "process", "hardware", "memory-corruption". */
const char *ds_candidate_kind_name(enum ds_candidate_kind kind);

struct ds_candidate {
    enum ds_candidate_kind kind;
    const char *module;     /* "amdppm.sys"; a process's name; NULL when there is none */
    const char *function;   /* "amdppm+0x334c" or with a name; NULL when unknown */
    struct ds_opt address;  /* virtual: what pointed there */
    const char *source;     /* static: "exception", "parameter", "context", "stack", ... */
    const char *reason;     /* one sentence without its full stop */
    const char *confidence; /* static: "high", "medium", "low" */
    uint32_t weight;        /* 0 to 100 and more: the order of belief */
    uint32_t seen;          /* places that point to it; 1 and more */
};

#define DS_CANDIDATES_MAX 24u
/* Below this weight a candidate is a hint that names nobody. */
#define DS_CANDIDATE_NAMED 20u

struct ds_candidates {
    struct ds_candidate rows[DS_CANDIDATES_MAX]; /* by weight, then in the order found */
    size_t count, dropped;
    const struct ds_blame *blame; /* what the code says; NULL when nothing */
    bool no_crash;                /* nothing went wrong: nobody is looked for */
    const char *unnamed;          /* why a module cannot be named although it was hit; NULL */
    const char *stack_note;       /* why the stack does not count; NULL when it does */
};

/* Fills *ret; strings live in the nt's target arena. Never fails: what cannot be read names
 * nobody. */
void ds_candidates_find(struct ds_nt *nt, struct ds_candidates *ret);

#endif
