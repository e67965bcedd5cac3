/* What the files of the instruction decoder share. Private to src/unwind. */
#ifndef DS_UNWIND_INSN_IMPL_H
#define DS_UNWIND_INSN_IMPL_H

#include <capstone/capstone.h>

#include "unwind/insn.h"

/* Adds a memory operand; beyond DS_INSN_MEMORY it only notes that there is more. */
void ds_insn_add_memory(struct ds_insn *i, const struct ds_insn_memory *m);

/* Name of a register, "" for none. */
const char *ds_insn_reg_name(csh handle, unsigned reg);

/* Fill *ret from what capstone found. */
void ds_insn_fill_x86(csh handle, const cs_insn *in, struct ds_insn *ret);
void ds_insn_fill_arm64(csh handle, const cs_insn *in, struct ds_insn *ret);
/* The CPUID features that an x86 instruction needs. */
void ds_insn_fill_features(csh handle, const cs_insn *in, struct ds_insn *ret);

#endif
