/* ARM64. Capstone tells neither the size nor the direction of an access here: both follow from
 * the mnemonic and the register. */
#include <string.h>

#include "base/bytes.h"
#include "unwind/insn_impl.h"

static bool begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

/* Read-modify-write instructions of FEAT_LSE. */
static bool is_atomic(const char *m)
{
    static const char *const names[] = {"ldadd",  "ldclr",  "ldeor",  "ldset", "ldsmax",
                                        "ldsmin", "ldumax", "ldumin", "swp",   "cas"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (begins(m, names[i]))
            return true;
    return false;
}

static unsigned access_of(const char *m)
{
    if (is_atomic(m))
        return DS_INSN_READ | DS_INSN_WRITE;
    return begins(m, "ld") ? DS_INSN_READ : begins(m, "st") ? DS_INSN_WRITE : 0;
}

static uint32_t register_size(const char *name)
{
    switch (name[0]) {
    case 'b':
        return 1;
    case 'h':
        return 2;
    case 'w':
    case 's':
        return strcmp(name, "sp") == 0 ? 8 : 4;
    case 'x':
    case 'd':
    case 'f': /* fp */
    case 'l': /* lr */
        return 8;
    case 'q':
        return 16;
    default:
        return 0;
    }
}

static uint32_t size_of(csh handle, const cs_arm64 *a, const char *m)
{
    size_t len = strlen(m);
    bool exclusive_store = begins(m, "stx") || begins(m, "stlx");
    size_t data = exclusive_store ? 1 : 0; /* the status register comes first */
    if (data >= a->op_count || a->operands[data].type != ARM64_OP_REG)
        return 0;
    bool pair = begins(m, "ldp") || begins(m, "stp") || begins(m, "ldnp") || begins(m, "stnp") ||
                begins(m, "ldxp") || begins(m, "stxp") || begins(m, "ldaxp") || begins(m, "stlxp");
    if (begins(m, "ldpsw"))
        return 8;
    if (len > 2 && strcmp(m + len - 2, "sw") == 0)
        return 4;
    if (m[len - 1] == 'b')
        return 1;
    if (m[len - 1] == 'h')
        return 2;
    if (a->operands[data].vas != ARM64_VAS_INVALID || begins(m, "ld1") || begins(m, "st1"))
        return 0;
    return register_size(ds_insn_reg_name(handle, a->operands[data].reg)) * (pair ? 2 : 1);
}

static void add_operand(csh handle, const cs_insn *in, const cs_arm64_op *op, struct ds_insn *ret)
{
    bool narrow = op->ext == ARM64_EXT_UXTW || op->ext == ARM64_EXT_SXTW;
    bool post = strstr(in->op_str, "], ") != NULL; /* the base itself, changed afterwards */
    struct ds_insn_memory m = {
        .segment = "",
        .base = ds_insn_reg_name(handle, op->mem.base),
        .index = post ? "" : ds_insn_reg_name(handle, op->mem.index),
        .scale = 1,
        .shift = op->shift.type == ARM64_SFT_LSL ? (uint8_t)(op->shift.value & 63) : 0,
        .signed_index = narrow && op->ext == ARM64_EXT_SXTW,
        .displacement = post ? 0 : op->mem.disp,
        .size = size_of(handle, &in->detail->arm64, in->mnemonic),
        .access = access_of(in->mnemonic),
        .addressbits = 64};
    ds_insn_add_memory(ret, &m);
}

static void classify(csh handle, const cs_insn *in, uint32_t word, struct ds_insn *ret)
{
    const char *m = in->mnemonic;
    const cs_arm64 *a = &in->detail->arm64;
    if (begins(m, "bl"))
        ret->kind |= DS_INSN_CALL;
    if (strcmp(m, "b") == 0 || begins(m, "b.") || begins(m, "br") || begins(m, "cb") ||
        begins(m, "tb"))
        ret->kind |= begins(m, "brk") ? DS_INSN_BREAKPOINT : DS_INSN_JUMP;
    if (strcmp(m, "ret") == 0)
        ret->kind |= DS_INSN_RETURN;
    if ((word & 0xffff0000u) == 0)
        ret->kind |= DS_INSN_UNDEFINED;
    if (access_of(m) == 0 && (ret->kind & (DS_INSN_BREAKPOINT | DS_INSN_UNDEFINED)) == 0 &&
        (begins(m, "add") || begins(m, "sub") || begins(m, "mov") || begins(m, "and") ||
         begins(m, "orr") || begins(m, "eor") || begins(m, "cmp") || begins(m, "b") ||
         begins(m, "cb") || begins(m, "tb") || begins(m, "ret") || begins(m, "adr")))
        ret->kind |= DS_INSN_PLAIN;
    if ((ret->kind & (DS_INSN_CALL | DS_INSN_JUMP)) != 0 && a->op_count > 0 &&
        a->operands[a->op_count - 1].type == ARM64_OP_IMM)
        ret->target = (uint64_t)a->operands[a->op_count - 1].imm;
    else if ((ret->kind & (DS_INSN_CALL | DS_INSN_JUMP)) != 0 && a->op_count == 1 &&
             a->operands[0].type == ARM64_OP_REG)
        ret->target_register = ds_insn_reg_name(handle, a->operands[0].reg);
}

void ds_insn_fill_arm64(csh handle, const cs_insn *in, struct ds_insn *ret)
{
    const cs_arm64 *a = &in->detail->arm64;
    uint32_t word = ds_le32(in->bytes);
    classify(handle, in, word, ret);
    /* Cache, translation and debug operations name an address in a plain register. */
    if (in->id == ARM64_INS_DC || in->id == ARM64_INS_IC || in->id == ARM64_INS_AT ||
        in->id == ARM64_INS_SYS || in->id == ARM64_INS_SVC || in->id == ARM64_INS_HVC ||
        in->id == ARM64_INS_SMC || in->id == ARM64_INS_ERET)
        ret->other_memory = true;
    if (begins(in->mnemonic, "prf"))
        return;
    for (unsigned k = 0; k < a->op_count && k < 8; k++)
        if (a->operands[k].type == ARM64_OP_MEM)
            add_operand(handle, in, &a->operands[k], ret);
    /* LDR (literal): C6.2, "load register (literal)"; the address is its second operand. */
    if ((word & 0x3b000000u) == 0x18000000u && a->op_count == 2 &&
        a->operands[1].type == ARM64_OP_IMM)
        ds_insn_add_memory(ret, &(struct ds_insn_memory){.segment = "",
                                                         .base = "",
                                                         .index = "",
                                                         .scale = 1,
                                                         .displacement = a->operands[1].imm,
                                                         .size = size_of(handle, a, in->mnemonic),
                                                         .access = DS_INSN_READ,
                                                         .addressbits = 64});
}
