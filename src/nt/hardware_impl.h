/* What the files of the hardware evidence share. Private to src/nt. */
#ifndef DS_NT_HARDWARE_IMPL_H
#define DS_NT_HARDWARE_IMPL_H

#include "nt/hardware.h"
#include "nt/impl.h"

#define DS_FLIPS_MAX 256u /* rows of one table */

/* Kept by the ds_nt. */
struct ds_hardware {
    struct ds_insn_decoder *decoder; /* NULL: not opened, or the architecture has none */
    bool have_insn, have_flips, have_pte, have_code, have_cpuid;
    struct ds_fault_insn insn;
    struct ds_bit_flips flips, pte, code;
    uint8_t *cpuid; /* the blob; owned */
    size_t cpuid_size;
};
/* The state, made on first use. NULL: out of memory. */
struct ds_hardware *ds_hardware_of(struct ds_nt *nt);

/* What the exception or the bugcheck claims to have happened. */
enum ds_claim_kind {
    DS_CLAIM_NONE,    /* nothing that an instruction could contradict */
    DS_CLAIM_ADDRESS, /* an access to `address` failed */
    DS_CLAIM_ILLEGAL, /* the processor does not know the instruction */
    DS_CLAIM_DIVIDE,  /* a division by zero */
    DS_CLAIM_BREAKPOINT
};
struct ds_claim {
    enum ds_claim_kind kind;
    uint64_t address;
    unsigned access; /* DS_INSN_READ or DS_INSN_WRITE; 0 unknown */
    bool execute;
};
struct ds_claim ds_claim_of(struct ds_nt *nt);

/* Bits of a virtual address up to the one that all above it must equal: 48; 57 with five levels of
 * tables; 49 on ARM64; 32. */
unsigned ds_va_bits(const struct ds_target *t);
/* Whether the bits above the sign all equal it. */
bool ds_is_canonical(uint64_t va, unsigned va_bits);

/* Fills the operands' addresses, and whether they cover the claim's. */
size_t ds_operands_fill(const struct ds_insn *insn, const struct ds_context *c,
                        const struct ds_claim *claim, unsigned va_bits,
                        struct ds_fault_operand *ret);

/* Whether the instruction can have raised the claim: 1, 0, unknown. *why is static. */
struct ds_opt ds_claim_judge(const struct ds_claim *claim, const struct ds_insn *insn,
                             const struct ds_fault_operand *operands, size_t count,
                             const char **why);

/* Rows of a flip table while they are gathered, in the arena. */
struct ds_flip_list {
    struct ds_nt *nt;
    struct ds_bit_flip *rows; /* DS_FLIPS_MAX */
    size_t count;
    size_t dropped;
};
bool ds_flip_list_open(struct ds_nt *nt, struct ds_flip_list *ret);
void ds_flip_add(struct ds_flip_list *l, const struct ds_bit_flip *row);
/* Text of the arena; "" when there is no memory. */
const char *ds_flip_text(struct ds_nt *nt, const char *fmt, ...) DS_PRINTF(2, 3);
struct ds_bit_flips ds_flip_list_close(struct ds_flip_list *l, const char *table);

/* Adds the one bit in which the code around the fault differs from the image's file, where the
 * symbol path has it. Nothing is added when more differs: that is patched code. */
void ds_flips_of_image(struct ds_flip_list *l, const struct ds_fault_insn *x);

/* The number of the bit in which a and b differ, when it is one alone; else -1. */
int ds_one_bit(uint64_t a, uint64_t b);

/* The list of links that a walk can follow from a head and back. */
void ds_flips_of_links(struct ds_flip_list *l);

#endif
