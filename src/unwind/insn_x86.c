/* x86 and x64. */
#include <string.h>

#include "unwind/insn_impl.h"

static bool is_one_of(unsigned id, const unsigned *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == id)
            return true;
    return false;
}
#define ONE_OF(id, list) is_one_of(id, list, sizeof(list) / sizeof((list)[0]))

/* Name an address and touch nothing, or nothing that can fault. */
static const unsigned address_only[] = {
    X86_INS_LEA,         X86_INS_NOP,        X86_INS_PREFETCH,
    X86_INS_PREFETCHNTA, X86_INS_PREFETCHT0, X86_INS_PREFETCHT1,
    X86_INS_PREFETCHT2,  X86_INS_PREFETCHW,  X86_INS_INVLPG,
};

/* Touch memory that no operand names: descriptor tables, the IDT, a bit string, a VMCS, or an
 * address that is made of vector registers or AL. */
static const unsigned touches_more[] = {
    X86_INS_INT,         X86_INS_INTO,    X86_INS_INT1,     X86_INS_INT3,     X86_INS_IRET,
    X86_INS_IRETD,       X86_INS_IRETQ,   X86_INS_LCALL,    X86_INS_LJMP,     X86_INS_RETF,
    X86_INS_RETFQ,       X86_INS_SYSCALL, X86_INS_SYSENTER, X86_INS_SYSRET,   X86_INS_SYSEXIT,
    X86_INS_LTR,         X86_INS_LLDT,    X86_INS_VERR,     X86_INS_VERW,     X86_INS_LAR,
    X86_INS_LSL,         X86_INS_LDS,     X86_INS_LES,      X86_INS_LFS,      X86_INS_LGS,
    X86_INS_LSS,         X86_INS_ENTER,   X86_INS_XLATB,    X86_INS_MASKMOVQ, X86_INS_MASKMOVDQU,
    X86_INS_VMASKMOVDQU, X86_INS_MONITOR, X86_INS_VMCALL,   X86_INS_VMMCALL,  X86_INS_VMLAUNCH,
    X86_INS_VMRESUME,    X86_INS_VMRUN,   X86_INS_VMREAD,   X86_INS_VMWRITE,  X86_INS_VMPTRLD,
    X86_INS_VMCLEAR,     X86_INS_VMPTRST, X86_INS_VMLOAD,   X86_INS_VMSAVE,   X86_INS_RSM,
    X86_INS_XBEGIN,      X86_INS_XEND,    X86_INS_INVEPT,   X86_INS_INVVPID,  X86_INS_INVPCID,
    X86_INS_PUSHAL,      X86_INS_PUSHAW,  X86_INS_POPAL,    X86_INS_POPAW,    X86_INS_ENCLU,
    X86_INS_ENCLS,       X86_INS_LGDT,    X86_INS_LIDT,
};

static const unsigned bit_strings[] = {X86_INS_BT, X86_INS_BTS, X86_INS_BTR, X86_INS_BTC};

/* Areas of many bytes, whose operand states no true size. */
static const unsigned areas[] = {
    X86_INS_FXSAVE,    X86_INS_FXSAVE64,   X86_INS_FXRSTOR,   X86_INS_FXRSTOR64, X86_INS_XSAVE,
    X86_INS_XSAVE64,   X86_INS_XSAVEC,     X86_INS_XSAVEC64,  X86_INS_XSAVES,    X86_INS_XSAVES64,
    X86_INS_XSAVEOPT,  X86_INS_XSAVEOPT64, X86_INS_XRSTOR,    X86_INS_XRSTOR64,  X86_INS_XRSTORS,
    X86_INS_FNSAVE,    X86_INS_FRSTOR,     X86_INS_XRSTORS64, X86_INS_FNSTENV,   X86_INS_FLDENV,
    X86_INS_CMPXCHG8B, X86_INS_CMPXCHG16B,
};

static const unsigned pushes[] = {X86_INS_PUSH, X86_INS_PUSHF, X86_INS_PUSHFD, X86_INS_PUSHFQ,
                                  X86_INS_CALL};
static const unsigned pops[] = {X86_INS_POP, X86_INS_POPF, X86_INS_POPFD, X86_INS_POPFQ,
                                X86_INS_RET};

static const unsigned divides[] = {X86_INS_DIV, X86_INS_IDIV, X86_INS_AAM};
static const unsigned undefined[] = {X86_INS_UD2, X86_INS_UD0, X86_INS_UD2B};

static const unsigned plain[] = {
    X86_INS_MOV,  X86_INS_MOVABS, X86_INS_MOVZX, X86_INS_MOVSX, X86_INS_MOVSXD, X86_INS_ADD,
    X86_INS_ADC,  X86_INS_SUB,    X86_INS_SBB,   X86_INS_AND,   X86_INS_OR,     X86_INS_XOR,
    X86_INS_NOT,  X86_INS_NEG,    X86_INS_CMP,   X86_INS_TEST,  X86_INS_INC,    X86_INS_DEC,
    X86_INS_PUSH, X86_INS_POP,    X86_INS_LEA,   X86_INS_NOP,   X86_INS_SHL,    X86_INS_SHR,
    X86_INS_SAR,  X86_INS_ROL,    X86_INS_ROR,   X86_INS_IMUL,  X86_INS_MUL,    X86_INS_DIV,
    X86_INS_IDIV, X86_INS_CALL,   X86_INS_JMP,   X86_INS_RET,   X86_INS_XCHG,   X86_INS_CDQE,
    X86_INS_CDQ,  X86_INS_CQO,    X86_INS_CWDE,  X86_INS_SETE,  X86_INS_SETNE,  X86_INS_JE,
    X86_INS_JNE,  X86_INS_JA,     X86_INS_JAE,   X86_INS_JB,    X86_INS_JBE,    X86_INS_JG,
    X86_INS_JGE,  X86_INS_JL,     X86_INS_JLE,   X86_INS_JS,    X86_INS_JNS,    X86_INS_JO,
    X86_INS_JNO,  X86_INS_JP,     X86_INS_JNP,
};

static bool is_segment(unsigned reg)
{
    return reg == X86_REG_CS || reg == X86_REG_DS || reg == X86_REG_ES || reg == X86_REG_FS ||
           reg == X86_REG_GS || reg == X86_REG_SS;
}

static bool is_vector(unsigned reg)
{
    return (reg >= X86_REG_XMM0 && reg <= X86_REG_XMM31) ||
           (reg >= X86_REG_YMM0 && reg <= X86_REG_YMM31) ||
           (reg >= X86_REG_ZMM0 && reg <= X86_REG_ZMM31);
}

static void add_operand(csh handle, const cs_insn *in, const cs_x86_op *op, struct ds_insn *ret)
{
    const cs_x86 *x = &in->detail->x86;
    if (is_vector(op->mem.index)) {
        ret->other_memory = true;
        return;
    }
    struct ds_insn_memory m = {.segment = ds_insn_reg_name(handle, op->mem.segment),
                               .base = ds_insn_reg_name(handle, op->mem.base),
                               .index = ds_insn_reg_name(handle, op->mem.index),
                               .scale = (uint8_t)op->mem.scale,
                               .displacement = op->mem.disp,
                               .size = ONE_OF(in->id, areas) ? 0 : op->size,
                               .access = op->access & (DS_INSN_READ | DS_INSN_WRITE),
                               .addressbits = x->addr_size * 8u};
    ds_insn_add_memory(ret, &m);
}

/* The stack that a push, call, pop or return touches without naming it. */
static void add_stack(const cs_insn *in, struct ds_insn *ret)
{
    bool x64 = ret->arch == DS_ARCH_X64;
    unsigned word = x64 ? 8 : 4;
    struct ds_insn_memory m = {.segment = "",
                               .base = x64 ? "rsp" : "esp",
                               .index = "",
                               .scale = 1,
                               .implicit = true,
                               .size = word,
                               .addressbits = word * 8};
    if (in->detail->x86.prefix[2] == X86_PREFIX_OPSIZE)
        m.size = 2;
    if (ONE_OF(in->id, pushes)) {
        m.displacement = -(int64_t)m.size;
        m.access = DS_INSN_WRITE;
        ds_insn_add_memory(ret, &m);
    } else if (ONE_OF(in->id, pops)) {
        m.access = DS_INSN_READ;
        ds_insn_add_memory(ret, &m);
    } else if (in->id == X86_INS_LEAVE) {
        m.base = x64 ? "rbp" : "ebp";
        m.access = DS_INSN_READ;
        ds_insn_add_memory(ret, &m);
    }
}

static void classify(csh handle, const cs_insn *in, struct ds_insn *ret)
{
    const cs_x86 *x = &in->detail->x86;
    if (cs_insn_group(handle, in, X86_GRP_CALL))
        ret->kind |= DS_INSN_CALL;
    if (cs_insn_group(handle, in, X86_GRP_JUMP))
        ret->kind |= DS_INSN_JUMP;
    if (cs_insn_group(handle, in, X86_GRP_RET))
        ret->kind |= DS_INSN_RETURN;
    if (ONE_OF(in->id, divides))
        ret->kind |= DS_INSN_DIVIDE;
    bool int3 = in->id == X86_INS_INT && x->op_count == 1 && x->operands[0].imm == 3;
    if (in->id == X86_INS_INT3 || in->id == X86_INS_INT1 || int3)
        ret->kind |= DS_INSN_BREAKPOINT;
    if (ONE_OF(in->id, undefined))
        ret->kind |= DS_INSN_UNDEFINED;
    if (x->prefix[0] == X86_PREFIX_REP || x->prefix[0] == X86_PREFIX_REPNE)
        ret->kind |= DS_INSN_REPEATED;
    if (ONE_OF(in->id, plain) && x->prefix[0] == 0)
        ret->kind |= DS_INSN_PLAIN;
    if ((ret->kind & (DS_INSN_CALL | DS_INSN_JUMP)) == 0 || x->op_count != 1)
        return;
    if (x->operands[0].type == X86_OP_IMM)
        ret->target =
            (uint64_t)x->operands[0].imm & (ret->arch == DS_ARCH_X64 ? UINT64_MAX : UINT32_MAX);
    else if (x->operands[0].type == X86_OP_REG)
        ret->target_register = ds_insn_reg_name(handle, x->operands[0].reg);
}

void ds_insn_fill_x86(csh handle, const cs_insn *in, struct ds_insn *ret)
{
    const cs_x86 *x = &in->detail->x86;
    bool bit_offset = false;
    classify(handle, in, ret);
    ret->other_memory = ONE_OF(in->id, touches_more);
    for (unsigned k = 0; k < x->op_count && k < 8; k++) {
        const cs_x86_op *op = &x->operands[k];
        if (op->type == X86_OP_MEM && !ONE_OF(in->id, address_only))
            add_operand(handle, in, op, ret);
        else if (op->type == X86_OP_REG && k > 0)
            bit_offset = true;
        /* Loading a segment register reads its descriptor. */
        if (op->type == X86_OP_REG && k == 0 && is_segment(op->reg))
            ret->other_memory = true;
    }
    /* The register offset of a bit string reaches beyond the operand. */
    if (bit_offset && ret->memory_count > 0 && ONE_OF(in->id, bit_strings)) {
        ret->memory_count = 0;
        ret->other_memory = true;
    }
    add_stack(in, ret);
    ds_insn_fill_features(handle, in, ret);
}
