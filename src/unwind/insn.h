/*
 * One instruction taken apart: its text, the memory that it touches and where that lies for the
 * registers of a context, and the processor features that it needs. x86, x64 and ARM64; the
 * decoding itself is capstone's. Any bytes may be given.
 *
 * Sources: Intel SDM volume 2 (operands, implicit stack accesses, CPUID feature bits), AMD APM
 * volume 3 (leaf 0x80000001), Arm Architecture Reference Manual C4 and C6 (loads and stores).
 */
#ifndef DS_UNWIND_INSN_H
#define DS_UNWIND_INSN_H

#include "base/opt.h"
#include "unwind/context.h"

#define DS_INSN_BYTES 15u   /* bytes of the longest instruction */
#define DS_INSN_MEMORY 4u   /* memory operands kept */
#define DS_INSN_FEATURES 4u /* processor features kept */

/* How memory is touched; 0 when that is not known. */
#define DS_INSN_READ 1u
#define DS_INSN_WRITE 2u

/* What kind of instruction it is; several may hold. */
#define DS_INSN_CALL 0x01u
#define DS_INSN_JUMP 0x02u
#define DS_INSN_RETURN 0x04u
#define DS_INSN_DIVIDE 0x08u
#define DS_INSN_BREAKPOINT 0x10u
#define DS_INSN_UNDEFINED 0x20u /* made to be refused by the processor: ud2, udf */
#define DS_INSN_REPEATED 0x40u  /* a string instruction with a repeat prefix */
#define DS_INSN_PLAIN 0x80u     /* every processor of the architecture runs it, in any mode */

/* A memory operand. Register names are capstone's ("rcx", "r8d", "x19"), "" for none; static. */
struct ds_insn_memory {
    const char *segment; /* x86, x64: an override: "gs" */
    const char *base, *index;
    uint8_t scale;     /* x86, x64: 1, 2, 4 or 8 */
    uint8_t shift;     /* ARM64: of the index */
    bool signed_index; /* ARM64: the 32-bit index is sign-extended */
    bool implicit;     /* not in the text: the stack of a push, call, return */
    int64_t displacement;
    uint32_t size;        /* bytes; 0 when not known */
    unsigned access;      /* DS_INSN_READ, DS_INSN_WRITE */
    unsigned addressbits; /* 64, 32 or 16: what the sum is cut to */
};

/* A feature that CPUID tells of: reg 0 to 3 is EAX, EBX, ECX, EDX. */
struct ds_cpu_feature {
    const char *name;
    uint32_t leaf;
    uint8_t reg, bit;
};

struct ds_insn {
    enum ds_arch arch;
    uint64_t va;
    uint8_t size; /* bytes */
    uint8_t bytes[DS_INSN_BYTES];
    char mnemonic[32];
    char text[192]; /* all of it, Intel syntax: "mov eax, dword ptr [rcx + 0x28]" */
    unsigned kind;  /* DS_INSN_CALL, .. */
    struct ds_insn_memory memory[DS_INSN_MEMORY];
    size_t memory_count;
    bool other_memory; /* it touches, or may touch, more than is listed: descriptor tables, an
                          address made of vector registers */
    uint64_t target;   /* of a direct call or jump; 0 when indirect */
    const char *target_register; /* of a call or jump through a register; "" otherwise; static */
    const struct ds_cpu_feature *features[DS_INSN_FEATURES];
    size_t feature_count;
};

struct ds_insn_decoder;

/* Errors: DS_UNSUPPORTED (32-bit ARM, unknown), DS_NO_MEMORY. */
enum ds_status ds_insn_open(enum ds_arch arch, struct ds_insn_decoder **ret) DS_MUST_CHECK;
void ds_insn_close(struct ds_insn_decoder *d); /* NULL is allowed */

/*
 * The instruction at `va` whose bytes begin at `bytes`. DS_TRUNCATED: the `len` bytes may be the
 * beginning of one; DS_INVALID: they are none.
 */
enum ds_status ds_insn_decode(struct ds_insn_decoder *d, uint64_t va, const uint8_t *bytes,
                              size_t len, struct ds_insn *ret) DS_MUST_CHECK;

/* Value of a register, also of its narrower names ("r8d", "w3"); false when the context lacks it.
 */
bool ds_insn_register(const struct ds_context *c, const char *name, uint64_t *ret);

/*
 * Where the operand lies when the instruction begins with the registers of `c`. Unknown
 * (DS_NOT_FOUND) when the context lacks a register of it, or a segment with a base takes part.
 */
struct ds_opt ds_insn_address(const struct ds_insn *i, const struct ds_insn_memory *m,
                              const struct ds_context *c);

/* "read", "write", "read and write"; NULL when not known. */
const char *ds_insn_access_name(unsigned access);

#endif
