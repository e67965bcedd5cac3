/*
 * Evidence that the hardware, or memory, did not keep what was written: the faulting instruction
 * against the fault that it is said to have raised, values that are one bit away from what they
 * should be, page-table entries that no software writes. docs/hardware.md has the reasoning and
 * the odds.
 *
 * Every accessor returns its table even when nothing could be examined: `walk` says why.
 */
#ifndef DS_NT_HARDWARE_H
#define DS_NT_HARDWARE_H

#include "nt/nt.h"
#include "unwind/insn.h"

/* ---- the faulting instruction ---- */

/* A memory operand of it, for the registers of the fault. */
struct ds_fault_operand {
    struct ds_insn_memory memory;
    struct ds_opt base, index; /* values of its registers */
    struct ds_opt address;     /* virtual; unknown when a register of it is */
    struct ds_opt covers;      /* 1: the fault's address lies in it */
    struct ds_opt canonical;   /* 0: no processor can form this address */
};

struct ds_fault_insn {
    bool known;                       /* decoded */
    struct ds_opt pc;                 /* virtual; also when it is not decoded */
    struct ds_insn insn;              /* when known */
    const struct ds_context *context; /* of the fault; NULL when not captured */
    struct ds_fault_operand operands[DS_INSN_MEMORY];
    size_t operand_count;
    struct ds_opt agrees;  /* 1 it can have raised this fault, 0 it cannot; unknown: cannot tell */
    const char *judgement; /* static: why */
    struct ds_opt contradicts; /* 1 it cannot; 0 it can, or the fault says nothing that an
                                  instruction could contradict; unknown: cannot tell */
    bool refused;              /* raised as an illegal instruction */
    struct ds_opt has_feature[DS_INSN_FEATURES]; /* of insn.features, by CPUID in the dump */
    struct ds_walk walk; /* complete without `known`: no instruction failed */
};
const struct ds_fault_insn *ds_nt_fault_insn(struct ds_nt *nt);

/* Whether the processor has a feature: unknown when the dump holds no such leaf. A leaf that reads
 * as zero throughout is not known either: writers leave leaves out that way. */
struct ds_opt ds_nt_cpu_has(struct ds_nt *nt, const struct ds_cpu_feature *feature);

/* The instruction at va in captured memory. Errors: read faults, DS_INVALID (no instruction),
 * DS_TRUNCATED (the captured bytes end within it), DS_UNSUPPORTED, DS_NO_MEMORY. */
enum ds_status ds_nt_disassemble(struct ds_nt *nt, uint64_t va, struct ds_insn *ret) DS_MUST_CHECK;

/* ---- values one bit away from what they should be ---- */

struct ds_bit_flip {
    const char *subject;      /* "register rcx", "link nt!PsActiveProcessHead Flink", ... */
    struct ds_opt place;      /* virtual address of the value, where it stands in memory */
    uint64_t value, expected; /* as found; with the bit changed */
    uint32_t bit;             /* from 0 */
    const char *kind;         /* static: "canonical", "mapped", "prefix", "code", "call target",
                                 "list link", "page table", "instruction", "image file" */
    const char *expected_is;  /* what speaks for the expected value */
    const char *confidence;   /* static: "medium", "low" */
    double chance;            /* that a value of no meaning had such a neighbour */
};
struct ds_bit_flips {
    const struct ds_bit_flip *rows;
    size_t count;
    struct ds_walk walk;
};

/* Pointers of the fault, its instruction pointer, return addresses and list links. */
const struct ds_bit_flips *ds_nt_bit_flips(struct ds_nt *nt);
/* Page-table entries that the bugcheck names, and those on the way to the fault's addresses. */
const struct ds_bit_flips *ds_nt_pte_flips(struct ds_nt *nt);
/* Changes of one bit in the bytes at the instruction pointer after which they explain the fault
 * that they cannot have raised, and the one bit in which the code around it differs from the
 * image's file on the symbol path. `value` is the byte. */
const struct ds_bit_flips *ds_nt_code_flips(struct ds_nt *nt);

#endif
