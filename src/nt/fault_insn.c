/* The faulting instruction, held against what is claimed of it. */
#include <string.h>

#include "nt/bugcheck.h"
#include "nt/hardware_impl.h"

#define PAGE 4096u

/* How many bytes an operand may reach when it does not say: a save area, a vector structure. */
static uint64_t reach(const struct ds_insn *insn, const struct ds_insn_memory *m)
{
    if (m->size != 0)
        return m->size;
    return insn->arch == DS_ARCH_ARM64 ? 64 : PAGE;
}

static struct ds_opt covers(const struct ds_insn *insn, const struct ds_insn_memory *m,
                            struct ds_opt address, const struct ds_claim *claim)
{
    if (!address.known || claim->kind != DS_CLAIM_ADDRESS)
        return ds_opt_unknown(address.known ? DS_OK : address.why);
    uint64_t at = address.value, size = reach(insn, m);
    /* A string instruction in flight may be ahead of its registers, in either direction. */
    if ((insn->kind & DS_INSN_REPEATED) != 0)
        return ds_opt_known(claim->address - at < PAGE || at - claim->address < PAGE);
    return ds_opt_known(claim->address - at < size);
}

static struct ds_opt register_value(const struct ds_context *c, const char *name)
{
    uint64_t v;
    if (name[0] == '\0' || strcmp(name, "rip") == 0 || !ds_insn_register(c, name, &v))
        return ds_opt_unknown(name[0] == '\0' ? DS_OK : DS_NOT_FOUND);
    return ds_opt_known(v);
}

static struct ds_opt canonical(struct ds_opt address, unsigned va_bits)
{
    return address.known ? ds_opt_known(ds_is_canonical(address.value, va_bits)) : address;
}

size_t ds_operands_fill(const struct ds_insn *insn, const struct ds_context *c,
                        const struct ds_claim *claim, unsigned va_bits,
                        struct ds_fault_operand *ret)
{
    for (size_t i = 0; i < insn->memory_count; i++) {
        const struct ds_insn_memory *m = &insn->memory[i];
        struct ds_fault_operand *o = &ret[i];
        *o = (struct ds_fault_operand){.memory = *m};
        o->base = c ? register_value(c, m->base) : ds_opt_unknown(DS_NOT_IN_DUMP);
        o->index = c ? register_value(c, m->index) : ds_opt_unknown(DS_NOT_IN_DUMP);
        o->address = c ? ds_insn_address(insn, m, c) : ds_opt_unknown(DS_NOT_IN_DUMP);
        o->covers = covers(insn, m, o->address, claim);
        o->canonical = canonical(o->address, va_bits);
    }
    return insn->memory_count;
}

static struct ds_opt judge_address(const struct ds_claim *claim, const struct ds_insn *insn,
                                   const struct ds_fault_operand *operands, size_t count,
                                   const char **why)
{
    bool unknown = false, wrong_way = false;
    if (claim->address - insn->va < insn->size) {
        *why = "the fault's address is that of the instruction: it was being fetched";
        return ds_opt_known(1);
    }
    for (size_t i = 0; i < count; i++) {
        const struct ds_fault_operand *o = &operands[i];
        bool direction =
            claim->access == 0 || o->memory.access == 0 || (o->memory.access & claim->access) != 0;
        if (o->covers.known && o->covers.value != 0 && direction) {
            *why = "an operand lies at the fault's address";
            return ds_opt_known(1);
        }
        unknown = unknown || !o->covers.known;
        wrong_way = wrong_way || (o->covers.known && o->covers.value != 0);
    }
    if (claim->execute || insn->other_memory || unknown ||
        (wrong_way && (insn->kind & DS_INSN_PLAIN) == 0)) {
        *why = claim->execute       ? "the fault is an instruction fetch somewhere else"
               : insn->other_memory ? "it touches memory that its text does not name"
               : unknown            ? "a register that its address needs was not captured"
                                    : "whether it reads or writes there is not certain";
        return ds_opt_unknown(DS_OK);
    }
    if (count == 0 && (insn->kind & DS_INSN_PLAIN) == 0) {
        *why = "whether it touches memory is not certain";
        return ds_opt_unknown(DS_OK);
    }
    *why = count == 0 ? "it touches no memory, and the fault is an access to memory"
           : wrong_way
               ? "its operand lies at the fault's address, but the access is of another kind"
               : "none of its operands lies at the fault's address";
    return ds_opt_known(0);
}

struct ds_opt ds_claim_judge(const struct ds_claim *claim, const struct ds_insn *insn,
                             const struct ds_fault_operand *operands, size_t count,
                             const char **why)
{
    bool plain = (insn->kind & DS_INSN_PLAIN) != 0;
    switch (claim->kind) {
    case DS_CLAIM_ADDRESS:
        return judge_address(claim, insn, operands, count, why);
    case DS_CLAIM_ILLEGAL:
        if ((insn->kind & DS_INSN_UNDEFINED) != 0) {
            *why = "it is made to be refused";
            return ds_opt_known(1);
        }
        *why = plain ? "every processor knows this instruction"
                     : "whether the processor knows this instruction depends on its features";
        return plain ? ds_opt_known(0) : ds_opt_unknown(DS_OK);
    case DS_CLAIM_DIVIDE:
        *why = (insn->kind & DS_INSN_DIVIDE) != 0 ? "it divides" : "it does not divide";
        if ((insn->kind & DS_INSN_DIVIDE) != 0)
            return ds_opt_known(1);
        return plain ? ds_opt_known(0) : ds_opt_unknown(DS_OK);
    case DS_CLAIM_BREAKPOINT:
    case DS_CLAIM_NONE:
        break;
    }
    *why = "the fault does not say what an instruction could contradict";
    return ds_opt_unknown(DS_OK);
}

/* The context of the fault itself, when it was captured. A trap frame that was only found on the
 * stack must also hold the address that failed: an older frame of the same code may lie there. */
static const struct ds_context *fault_context(struct ds_nt *nt, const struct ds_fault_facts *f)
{
    if (f->chosen >= f->context_count)
        return NULL;
    const struct ds_context_record *r = &f->contexts[f->chosen];
    if (strcmp(r->meaning, "the fault itself") != 0)
        return NULL;
    if (r->at.known && f->fault_address.known) {
        struct ds_opt at = ds_target_field(nt->target, r->at.value, "_KTRAP_FRAME", "FaultAddress");
        if (!at.known || at.value != f->fault_address.value)
            return NULL;
    }
    return &r->context;
}

/* The instruction that the parameters or the exception name, when there is no context of it. */
static struct ds_opt fault_pc(struct ds_nt *nt, const struct ds_fault_facts *f)
{
    const struct ds_dump_header *h = ds_dump_header(nt->target->dump);
    uint32_t code = ds_bugcheck_base((uint32_t)ds_opt_or(h->bugcheck_code, 0));
    const struct ds_fault_roles *roles = ds_fault_roles_find(code);
    if (f->chosen < f->context_count &&
        strcmp(f->contexts[f->chosen].meaning, "the fault itself") == 0)
        return ds_opt_known(f->contexts[f->chosen].context.pc);
    if (f->exception.known)
        return ds_opt_known(f->exception.address);
    if (roles != NULL && roles->code_address >= 0)
        return h->bugcheck_parameter[roles->code_address];
    return ds_opt_unknown(DS_OK);
}

/* Whether the processor has what a refused instruction needs. */
static void features_of(struct ds_nt *nt, struct ds_fault_insn *ret)
{
    for (size_t i = 0; i < ret->insn.feature_count; i++) {
        ret->has_feature[i] = ds_nt_cpu_has(nt, ret->insn.features[i]);
        if (ret->has_feature[i].known && ret->has_feature[i].value == 0) {
            ret->judgement = "the processor lacks a feature that it needs";
            ret->agrees = ds_opt_known(1);
        }
    }
}

/* The code is not there. Where the fault says nothing that it could contradict, nothing is lost. */
static void code_missing(struct ds_fault_insn *ret, const struct ds_claim *claim,
                         enum ds_status status)
{
    if (claim->kind == DS_CLAIM_NONE || claim->kind == DS_CLAIM_BREAKPOINT)
        return;
    ret->walk.complete = false;
    ret->walk.stop_reason = status;
    ret->walk.stop_address = ret->pc;
    ret->walk.detail = "the code at the fault cannot be read";
}

static void fill(struct ds_nt *nt, struct ds_fault_insn *ret)
{
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    struct ds_claim claim = ds_claim_of(nt);
    ret->walk = (struct ds_walk){
        .table_name = "faulting_instruction", .complete = true, .stop_reason = DS_OK, .detail = ""};
    ret->agrees = ret->contradicts = ds_opt_unknown(DS_OK);
    ret->pc = fault_pc(nt, f);
    if (!ret->pc.known)
        return;
    enum ds_status status = ds_nt_disassemble(nt, ret->pc.value, &ret->insn);
    if (status != DS_OK && status != DS_INVALID) {
        code_missing(ret, &claim, status);
        return;
    }
    ret->context = fault_context(nt, f);
    if (status == DS_INVALID)
        return;
    ret->known = true;
    ret->walk.rows = 1;
    ret->refused = claim.kind == DS_CLAIM_ILLEGAL;
    ret->operand_count =
        ds_operands_fill(&ret->insn, ret->context, &claim, ds_va_bits(nt->target), ret->operands);
    ret->agrees =
        ds_claim_judge(&claim, &ret->insn, ret->operands, ret->operand_count, &ret->judgement);
    if (ret->refused)
        features_of(nt, ret);
    bool claims = claim.kind != DS_CLAIM_NONE && claim.kind != DS_CLAIM_BREAKPOINT;
    ret->contradicts = !claims             ? ds_opt_known(0)
                       : ret->agrees.known ? ds_opt_known(ret->agrees.value == 0)
                                           : ret->agrees;
}

const struct ds_fault_insn *ds_nt_fault_insn(struct ds_nt *nt)
{
    static const struct ds_fault_insn none = {.walk = {.table_name = "faulting_instruction",
                                                       .stop_reason = DS_NO_MEMORY,
                                                       .detail = "out of memory"}};
    struct ds_hardware *h = ds_hardware_of(nt);
    if (h == NULL)
        return &none;
    if (!h->have_insn) {
        h->have_insn = true;
        fill(nt, &h->insn);
    }
    return &h->insn;
}
