/*
 * Code that cannot have raised the fault, and can with one bit changed: what the processor ran was
 * then not what memory holds.
 */
#include <string.h>

#include "nt/hardware_impl.h"

/* Each changed bit gives an instruction whose operand covers a few bytes. Held against an address
 * within 4 KB of any of 16 registers, about so much of that ground is hit by chance. */
#define GROUND (16.0 * 8192.0)
#define OPERAND 8.0

/* How often a change of one bit in the base register's number hits one of the registers that are
 * null: 4 of 15 can be reached. Null is common, so that such an agreement says little. */
static double null_odds(const struct ds_context *c)
{
    unsigned null = 0;
    for (size_t i = 0; i < c->register_count; i++)
        null += c->registers[i].size >= 4 && c->registers[i].value < 0x10000;
    double odds = 4.0 * null / 15.0;
    return odds < 1 ? odds : 1;
}

static void try_bit(struct ds_flip_list *l, const struct ds_fault_insn *x,
                    const struct ds_claim *claim, uint8_t *code, size_t len, unsigned bit)
{
    struct ds_insn changed;
    struct ds_fault_operand operands[DS_INSN_MEMORY];
    const char *why;
    unsigned byte = bit / 8;
    code[byte] ^= (uint8_t)(1u << (bit & 7));
    enum ds_status status =
        ds_insn_decode(l->nt->hardware->decoder, x->insn.va, code, len, &changed);
    code[byte] ^= (uint8_t)(1u << (bit & 7));
    if (status != DS_OK)
        return;
    size_t n = ds_operands_fill(&changed, x->context, claim, ds_va_bits(l->nt->target), operands);
    struct ds_opt agrees = ds_claim_judge(claim, &changed, operands, n, &why);
    if (!agrees.known || agrees.value == 0)
        return;
    bool null = claim->kind != DS_CLAIM_ADDRESS || claim->address < 0x10000;
    struct ds_bit_flip row = {.subject = ds_flip_text(l->nt, "byte %u of the instruction", byte),
                              .place = ds_opt_known(x->insn.va + byte),
                              .value = code[byte],
                              .expected = (uint64_t)code[byte] ^ (1u << (bit & 7)),
                              .bit = bit & 7,
                              .kind = "instruction",
                              .expected_is = ds_flip_text(l->nt, "%.150s", changed.text),
                              .confidence = null ? "low" : "medium",
                              .chance = null ? null_odds(x->context)
                                             : x->insn.size * 8.0 * OPERAND / GROUND};
    ds_flip_add(l, &row);
}

static void try_all(struct ds_flip_list *l, const struct ds_fault_insn *x)
{
    struct ds_claim claim = ds_claim_of(l->nt);
    uint8_t code[DS_INSN_BYTES];
    size_t len = sizeof(code);
    if ((claim.kind != DS_CLAIM_ADDRESS && claim.kind != DS_CLAIM_DIVIDE) || x->context == NULL)
        return;
    memcpy(code, x->insn.bytes, x->insn.size);
    /* A changed bit may make it longer: what follows in memory counts then. */
    while (len > x->insn.size &&
           ds_space_read(l->nt->target->kernel, x->insn.va, code, len, NULL) != DS_OK)
        len--;
    for (unsigned bit = 0; bit < x->insn.size * 8u; bit++)
        try_bit(l, x, &claim, code, len, bit);
}

const struct ds_bit_flips *ds_nt_code_flips(struct ds_nt *nt)
{
    static const struct ds_bit_flips none = {
        .walk = {.table_name = "code_flips", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    struct ds_hardware *h = ds_hardware_of(nt);
    struct ds_flip_list list;
    if (h == NULL || (!h->have_code && !ds_flip_list_open(nt, &list)))
        return &none;
    if (h->have_code)
        return &h->code;
    h->have_code = true;
    const struct ds_fault_insn *x = ds_nt_fault_insn(nt);
    if (x->known && x->agrees.known && x->agrees.value == 0)
        try_all(&list, x);
    ds_flips_of_image(&list, x);
    h->code = ds_flip_list_close(&list, "code_flips");
    if (!x->walk.complete) {
        h->code.walk = x->walk;
        h->code.walk.table_name = "code_flips";
    }
    return &h->code;
}
