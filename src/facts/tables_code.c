/* Tables over the faulting instruction, and over values that are one bit away from others. */
#include <string.h>

#include "facts/cells.h"
#include "nt/hardware.h"

/* ---- faulting_instruction ---- */

static void insn_bytes(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_fault_insn *x = row;
    for (unsigned k = 0; k < x->insn.size; k++)
        ds_buf_printf(v->scratch, "%02x", x->insn.bytes[k]);
    ds_value_scratch(v);
}

static void insn_module(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    ds_value_module(f, ((const struct ds_fault_insn *)row)->insn.va, v);
}

static void insn_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    ds_value_symbol(f, ((const struct ds_fault_insn *)row)->insn.va, v);
}

static void insn_target(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_fault_insn *x = row;
    if (x->insn.target != 0)
        ds_value_u64(v, x->insn.target);
}

static void insn_address(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    (void)i;
    ds_value_opt(v, ds_nt_fault(ds_facts_nt(f))->fault_address);
}

static void insn_access(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    (void)i;
    ds_value_text(v, ds_nt_fault(ds_facts_nt(f))->fault_access);
}

#define ROW struct ds_fault_insn
static const struct ds_column_spec insn_columns[] = {
    {"pc", DS_COL_ADDRESS, "where it stands: virtual", "!analyze (FAULTING_IP)",
     DS_FIELD(ROW, insn.va)},
    {"size", DS_COL_INTEGER, "its bytes", "u", DS_FIELD(ROW, insn.size)},
    {"bytes", DS_COL_TEXT, "the bytes, as captured, in hexadecimal", "u", DS_DERIVED(insn_bytes)},
    {"mnemonic", DS_COL_TEXT, "its name", "u", DS_FIELD(ROW, insn.mnemonic)},
    {"text", DS_COL_TEXT, "all of it, Intel syntax", "u", DS_FIELD(ROW, insn.text)},
    {"module", DS_COL_TEXT, "module that holds it", "lm a", DS_DERIVED(insn_module)},
    {"symbol", DS_COL_TEXT, "pc as module!symbol+offset", "ln", DS_DERIVED(insn_symbol)},
    {"target", DS_COL_ADDRESS, "where a direct call or jump leads; NULL for others", "u",
     DS_DERIVED(insn_target)},
    {"fault_address", DS_COL_ADDRESS, "address whose access failed, by the bugcheck or exception",
     "!analyze", DS_DERIVED(insn_address)},
    {"fault_access", DS_COL_TEXT, "read, write or execute, by the same", "!analyze",
     DS_DERIVED(insn_access)},
    {"agrees", DS_COL_BOOL,
     "1: this instruction can have raised this fault; 0: it cannot; NULL: cannot be told", "",
     DS_FIELD(ROW, agrees)},
    {"judgement", DS_COL_TEXT, "why", "", DS_FIELD(ROW, judgement)},
    {"contradicts", DS_COL_BOOL,
     "1: it cannot have raised this fault; 0: it can, or the fault says nothing that an "
     "instruction "
     "could contradict; NULL: cannot be told",
     "", DS_FIELD(ROW, contradicts)},
};
#undef ROW

static void insn_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_fault_insn *x = ds_nt_fault_insn(ds_facts_nt(f));
    *ret = (struct ds_rows){x, sizeof(*x), x->known ? 1 : 0, x->walk};
}

DS_TABLE(faulting_instruction,
         "The instruction that failed, from the captured code, and whether it can have raised the "
         "fault. No row when no instruction failed.",
         "u, .ecxr", insn_columns, insn_fill, NULL);

/* ---- instruction_operands ---- */

static const char *nonempty(const char *s)
{
    return s != NULL && s[0] != '\0' ? s : NULL;
}

static void operand_segment(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, nonempty(((const struct ds_fault_operand *)row)->memory.segment));
}

static void operand_base(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, nonempty(((const struct ds_fault_operand *)row)->memory.base));
}

static void operand_index(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, nonempty(((const struct ds_fault_operand *)row)->memory.index));
}

static void operand_displacement(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_u64(v, (uint64_t)((const struct ds_fault_operand *)row)->memory.displacement);
}

static void operand_size(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_fault_operand *o = row;
    if (o->memory.size != 0)
        ds_value_u64(v, o->memory.size);
}

static void operand_access(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, ds_insn_access_name(((const struct ds_fault_operand *)row)->memory.access));
}

#define ROW struct ds_fault_operand
static const struct ds_column_spec operand_columns[] = {
    {"number", DS_COL_INTEGER, "from 0", "", DS_DERIVED(ds_derive_number)},
    {"segment", DS_COL_TEXT, "segment override; NULL", "u", DS_DERIVED(operand_segment)},
    {"base", DS_COL_TEXT, "base register; NULL", "u", DS_DERIVED(operand_base)},
    {"base_value", DS_COL_ADDRESS, "its value at the fault", "r", DS_FIELD(ROW, base)},
    {"index_register", DS_COL_TEXT, "index register; NULL", "u", DS_DERIVED(operand_index)},
    {"index_value", DS_COL_ADDRESS, "its value at the fault", "r", DS_FIELD(ROW, index)},
    {"scale", DS_COL_INTEGER, "factor of the index", "u", DS_FIELD(ROW, memory.scale)},
    {"displacement", DS_COL_INTEGER, "constant that is added", "u",
     DS_DERIVED(operand_displacement)},
    {"size", DS_COL_INTEGER, "bytes touched; NULL when not certain", "u", DS_DERIVED(operand_size)},
    {"access", DS_COL_TEXT, "read, write, read and write; NULL when not certain", "",
     DS_DERIVED(operand_access)},
    {"implicit", DS_COL_BOOL, "not in the text: the stack of a push, call or return", "",
     DS_FIELD(ROW, memory.implicit)},
    {"address", DS_COL_ADDRESS,
     "where it lies: virtual; NULL when a register or a segment base is not known", "u",
     DS_FIELD(ROW, address)},
    {"covers_fault", DS_COL_BOOL, "whether the fault's address lies in it", "",
     DS_FIELD(ROW, covers)},
    {"canonical", DS_COL_BOOL, "0: the processor refuses any access to this address", "",
     DS_FIELD(ROW, canonical)},
};
#undef ROW

static void operands_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_fault_insn *x = ds_nt_fault_insn(ds_facts_nt(f));
    struct ds_walk walk = x->walk;
    walk.table_name = "instruction_operands";
    walk.rows = x->operand_count;
    *ret = (struct ds_rows){x->operands, sizeof(x->operands[0]), x->operand_count, walk};
}

DS_TABLE(instruction_operands,
         "The memory operands of the faulting instruction, and where they lie for the registers of "
         "the fault.",
         "u, r", operand_columns, operands_fill, "number");

/* ---- instruction_features ---- */

struct feature_row {
    const char *feature;
    uint32_t leaf;
    const char *reg;
    uint8_t bit;
    struct ds_opt present;
};

#define ROW struct feature_row
static const struct ds_column_spec feature_columns[] = {
    {"feature", DS_COL_TEXT, "name of the feature: AVX, POPCNT", "!cpuid", DS_FIELD(ROW, feature)},
    {"leaf", DS_COL_INTEGER, "CPUID leaf that tells of it", "!cpuid", DS_FIELD(ROW, leaf)},
    {"register", DS_COL_TEXT, "register of the leaf", "!cpuid", DS_FIELD(ROW, reg)},
    {"bit", DS_COL_INTEGER, "bit of the register", "!cpuid", DS_FIELD(ROW, bit)},
    {"present", DS_COL_BOOL,
     "whether the processor has it; NULL when the dump does not hold the leaf, or holds it as zero "
     "throughout",
     "!cpuid", DS_FIELD(ROW, present)},
};
#undef ROW

static void features_fill(struct ds_facts *f, struct ds_rows *ret)
{
    static const char *const registers[] = {"eax", "ebx", "ecx", "edx"};
    const struct ds_fault_insn *x = ds_nt_fault_insn(ds_facts_nt(f));
    const struct ds_exception *e = &ds_nt_fault(ds_facts_nt(f))->exception;
    struct feature_row *rows = ds_facts_rows_alloc(f, DS_INSN_FEATURES, sizeof(*rows));
    size_t n = x->refused && rows != NULL ? x->insn.feature_count : 0;
    for (size_t i = 0; i < n; i++) {
        const struct ds_cpu_feature *c = x->insn.features[i];
        rows[i] = (struct feature_row){c->name, c->leaf, registers[c->reg & 3], c->bit,
                                       x->has_feature[i]};
    }
    if (!x->walk.complete && e->known && e->code == 0xc000001du)
        *ret = ds_rows_cut(rows, sizeof(*rows), 0, x->walk.stop_reason, x->walk.detail);
    else
        *ret = ds_rows_complete(rows, sizeof(*rows), n);
}

DS_TABLE(instruction_features,
         "What the faulting instruction needs of its processor, when it was raised as illegal.",
         "!cpuid", feature_columns, features_fill, NULL);

/* ---- bit_flips, pte_flips, code_flips ---- */

static void flip_odds(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_bit_flip *x = row;
    if (x->chance > 0) {
        ds_buf_printf(v->scratch, "1 in %.0f", 1 / x->chance);
        ds_value_scratch(v);
    }
}

#define ROW struct ds_bit_flip
static const struct ds_column_spec flip_columns[] = {
    {"subject", DS_COL_TEXT, "what holds the value: a register, a link, an entry, a code byte", "",
     DS_FIELD(ROW, subject)},
    {"place", DS_COL_ADDRESS, "where the value stands: virtual; NULL for a register", "",
     DS_FIELD(ROW, place)},
    {"value", DS_COL_ADDRESS, "the value as found", "", DS_FIELD(ROW, value)},
    {"expected", DS_COL_ADDRESS, "the value with the bit changed", "", DS_FIELD(ROW, expected)},
    {"bit", DS_COL_INTEGER, "which bit, from 0", "", DS_FIELD(ROW, bit)},
    {"kind", DS_COL_TEXT,
     "what the expected value is held against: canonical, mapped, prefix, code, call target, "
     "list link, page table, instruction, image file",
     "", DS_FIELD(ROW, kind)},
    {"expected_is", DS_COL_TEXT, "what speaks for the expected value", "",
     DS_FIELD(ROW, expected_is)},
    {"confidence", DS_COL_TEXT, "medium or low", "", DS_FIELD(ROW, confidence)},
    {"odds", DS_COL_TEXT,
     "how often a value of no meaning has such a neighbour by chance: 1 in N (docs/hardware.md)",
     "", DS_DERIVED(flip_odds)},
};
#undef ROW

static struct ds_rows flips(const struct ds_bit_flips *x)
{
    return (struct ds_rows){x->rows, sizeof(x->rows[0]), x->count, x->walk};
}

static void bit_flips_fill(struct ds_facts *f, struct ds_rows *ret)
{
    *ret = flips(ds_nt_bit_flips(ds_facts_nt(f)));
}

static void pte_flips_fill(struct ds_facts *f, struct ds_rows *ret)
{
    *ret = flips(ds_nt_pte_flips(ds_facts_nt(f)));
}

static void code_flips_fill(struct ds_facts *f, struct ds_rows *ret)
{
    *ret = flips(ds_nt_code_flips(ds_facts_nt(f)));
}

DS_TABLE(bit_flips,
         "Pointers of the fault, return addresses and list links that are one bit away from what "
         "they should be.",
         "", flip_columns, bit_flips_fill, NULL);
DS_TABLE_WITH_LAYOUT(pte_flips,
                     "Page-table entries that the bugcheck names, or on the way to the fault's "
                     "addresses, with one bit that no software leaves so.",
                     "!pte", flip_columns, pte_flips_fill, NULL);
DS_TABLE(
    code_flips,
    "Single bits of the code at the instruction pointer after whose change the instruction "
    "explains a fault that it cannot have raised as captured; and the one bit in which the code "
    "around it differs from the image's file on the symbol path.",
    "u", flip_columns, code_flips_fill, NULL);
