/*
 * Pointers of the fault that are one bit away from a plausible address. What is plausible is
 * taken from the dump: memory that it maps or holds, code of its modules, and the prefixes (the
 * upper 32 bits) of the kernel addresses in it. docs/hardware.md derives the odds.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "nt/hardware_impl.h"
#include "symbols/pe_section.h"

#define PREFIXES 256u
#define STACK_SEEN 4096u        /* bytes of the stack whose values show prefixes */
#define NEAR 0x100000u          /* values this close stem from one another */
#define LOWEST_POINTER 0x10000u /* below: null and its members */
#define REGION_BIT 39u          /* below: within what one top entry covers */
#define CHANCE_MEDIUM 0.01      /* above it a neighbour says little */

struct prefix {
    uint32_t high;
    uint32_t count;
};

struct scene {
    struct ds_nt *nt;
    struct ds_target *t;
    struct ds_flip_list *out;
    unsigned bits; /* of a virtual address */
    const struct ds_context *context;
    struct prefix prefixes[PREFIXES];
    size_t prefix_count;
};

/* Bytes of the kernel's half of the address space. */
static double kernel_bytes(const struct scene *s)
{
    return (double)((uint64_t)1 << (s->bits - 1));
}

/* Upper 32 bits that a kernel address can have. */
static double kernel_prefixes(const struct scene *s)
{
    return kernel_bytes(s) / 4294967296.0;
}

/* How often a value of no meaning is one bit away from canonical: n bits that must be equal have
 * two such patterns, and 2n patterns beside those. */
static double canonical_odds(const struct scene *s)
{
    unsigned n = 65 - s->bits;
    return 2.0 * n / (double)((uint64_t)1 << n);
}

/* ---- prefixes ---- */

static bool is_kernel(const struct scene *s, uint64_t va)
{
    return ds_is_canonical(va, s->bits) && ds_target_is_kernel_va(s->t, va);
}

static void prefix_note(struct scene *s, uint64_t va, uint64_t suspect)
{
    uint32_t high = (uint32_t)(va >> 32);
    bool derived = va - suspect < NEAR || suspect - va < NEAR;
    if (derived || !is_kernel(s, va))
        return;
    for (size_t i = 0; i < s->prefix_count; i++) {
        if (s->prefixes[i].high == high) {
            s->prefixes[i].count++;
            return;
        }
    }
    if (s->prefix_count < PREFIXES)
        s->prefixes[s->prefix_count++] = (struct prefix){high, 1};
}

static uint32_t prefix_seen(const struct scene *s, uint64_t va)
{
    for (size_t i = 0; i < s->prefix_count; i++)
        if (s->prefixes[i].high == (uint32_t)(va >> 32))
            return s->prefixes[i].count;
    return 0;
}

static void prefixes_of_stack(struct scene *s, uint64_t suspect)
{
    uint8_t raw[STACK_SEEN];
    struct ds_fault fault;
    if (s->context == NULL || s->t->kernel == NULL)
        return;
    size_t len = sizeof(raw);
    if (ds_space_read(s->t->kernel, s->context->sp, raw, len, &fault) != DS_OK) {
        uint64_t readable = fault.va - s->context->sp;
        len = readable < len ? (size_t)readable : 0;
        if (len == 0 || ds_space_read(s->t->kernel, s->context->sp, raw, len, NULL) != DS_OK)
            return;
    }
    for (size_t i = 0; i + 8 <= len; i += 8)
        prefix_note(s, ds_le64(raw + i), suspect);
}

/* The prefixes of the dump, without what stems from the suspect value itself. */
static void prefixes_gather(struct scene *s, uint64_t suspect)
{
    const struct ds_fault_facts *f = ds_nt_fault(s->nt);
    s->prefix_count = 0;
    for (size_t i = 0; i < s->t->module_count; i++)
        prefix_note(s, s->t->modules[i].base, suspect);
    for (size_t i = 0; i < ds_dump_virt_range_count(s->t->dump); i++)
        prefix_note(s, ds_dump_virt_range(s->t->dump, i)->va, suspect);
    if (f->current_thread.known)
        prefix_note(s, f->current_thread.value, suspect);
    if (f->current_process.known)
        prefix_note(s, f->current_process.value, suspect);
    for (size_t i = 0; s->context != NULL && i < s->context->register_count; i++)
        if (s->context->registers[i].size == 8)
            prefix_note(s, s->context->registers[i].value, suspect);
    prefixes_of_stack(s, suspect);
}

/* ---- what speaks for an address ---- */

static bool readable(const struct scene *s, uint64_t va)
{
    uint64_t byte;
    return s->t->kernel != NULL && ds_space_read_uint(s->t->kernel, va, 1, &byte, NULL) == DS_OK;
}

static bool is_code(const struct scene *s, uint64_t va, const struct ds_module **module)
{
    *module = ds_target_module_at(s->t, va);
    if (*module == NULL || s->t->kernel == NULL)
        return false;
    struct ds_opt code = ds_pe_executable(s->t->kernel, (*module)->base, va);
    return !code.known || code.value != 0;
}

/* Part of the kernel's half of the address space that reads are answered from. */
static double readable_share(const struct scene *s)
{
    double bytes = (double)ds_dump_phys_pages(s->t->dump) * 4096.0;
    for (size_t i = 0; i < ds_dump_virt_range_count(s->t->dump); i++)
        bytes += (double)ds_dump_virt_range(s->t->dump, i)->size;
    double share = bytes / kernel_bytes(s);
    return share < 1 ? share : 1;
}

static void found(struct scene *s, const struct ds_bit_flip *row)
{
    struct ds_bit_flip r = *row;
    bool rare = r.chance <= CHANCE_MEDIUM;
    if (r.confidence == NULL)
        r.confidence = rare ? "medium" : "low";
    ds_flip_add(s->out, &r);
}

/* A value that the processor refuses as an address. One of the bits from the sign up may be wrong.
 */
static void try_canonical(struct scene *s, const struct ds_bit_flip *base)
{
    for (unsigned bit = s->bits - 1; bit < 64; bit++) {
        struct ds_bit_flip r = *base;
        r.expected = base->value ^ (uint64_t)1 << bit;
        if (!ds_is_canonical(r.expected, s->bits) || r.expected < LOWEST_POINTER)
            continue;
        r.bit = bit;
        r.kind = "canonical";
        r.chance = canonical_odds(s);
        r.confidence = "low";
        r.expected_is = "an address that the processor accepts";
        uint32_t seen = is_kernel(s, r.expected) ? prefix_seen(s, r.expected) : 0;
        if (readable(s, r.expected)) {
            r.expected_is = "an address that the dump holds memory of";
            r.chance *= readable_share(s);
            r.confidence = NULL;
        } else if (seen >= 2) {
            r.expected_is = ds_flip_text(s->nt,
                                         "an address like %u others in the dump, which begin with "
                                         "0x%08x",
                                         seen, (uint32_t)(r.expected >> 32));
            r.chance *= (double)s->prefix_count / kernel_prefixes(s);
            r.confidence = NULL;
        }
        found(s, &r);
    }
}

/* Whether the dump knows of memory near va: in the 512 GB that one top entry covers, or, `close`,
 * in the 1 GB of the entry below. What was freed has such neighbours. */
static bool inhabited(const struct scene *s, uint64_t va, bool close)
{
    struct ds_explanation e;
    if (ds_space_paging(s->t->kernel) == DS_PAGING_NONE) {
        for (size_t i = 0; i < s->prefix_count; i++)
            if (s->prefixes[i].high >> 7 == (uint32_t)(va >> 39))
                return true;
        return false;
    }
    ds_space_explain(s->t->kernel, va, &e);
    return e.status == DS_OK || e.fault.level < (close ? 3 : 4);
}

/* A kernel address where nothing is mapped. Lower bits than `lowest` are left alone: code that
 * runs past the end of something is that far off as well. */
static void try_mapped(struct scene *s, const struct ds_bit_flip *base)
{
    unsigned lowest = s->bits == 32 ? 20 : 32, highest = s->bits == 32 ? 31 : s->bits - 2;
    if (readable(s, base->value))
        return;
    for (unsigned bit = lowest; bit <= highest; bit++) {
        struct ds_bit_flip r = *base;
        r.expected = base->value ^ (uint64_t)1 << bit;
        r.bit = bit;
        if (!is_kernel(s, r.expected) || !readable(s, r.expected))
            continue;
        r.kind = "mapped";
        r.expected_is = "an address that the dump holds memory of";
        r.chance = readable_share(s) * (highest - lowest + 1);
        r.confidence = s->bits == 32 || inhabited(s, base->value, bit < REGION_BIT) ? "low" : NULL;
        found(s, &r);
    }
}

/* A kernel address that begins like no other in the dump. Needs 64 bits. */
static void try_prefix(struct scene *s, const struct ds_bit_flip *base)
{
    if ((s->bits != 48 && s->bits != 49) || prefix_seen(s, base->value) != 0)
        return;
    for (unsigned bit = 32; bit <= s->bits - 2; bit++) {
        struct ds_bit_flip r = *base;
        r.expected = base->value ^ (uint64_t)1 << bit;
        uint32_t seen = is_kernel(s, r.expected) ? prefix_seen(s, r.expected) : 0;
        if (seen < 3)
            continue;
        r.bit = bit;
        r.kind = "prefix";
        r.expected_is =
            ds_flip_text(s->nt, "an address like %u others in the dump, which begin with 0x%08x",
                         seen, (uint32_t)(r.expected >> 32));
        r.chance = (bit < REGION_BIT ? 15.0 : 8.0) * (double)s->prefix_count / kernel_prefixes(s);
        r.confidence = inhabited(s, base->value, false) ? "low" : NULL;
        found(s, &r);
    }
}

/* A pointer to data whose use failed. */
static void suspect_pointer(struct scene *s, const char *subject, struct ds_opt place,
                            uint64_t value)
{
    struct ds_bit_flip base = {.subject = subject, .place = place, .value = value};
    size_t before = s->out->count;
    if (value < LOWEST_POINTER || value == UINT64_MAX)
        return;
    prefixes_gather(s, value);
    if (!ds_is_canonical(value, s->bits)) {
        try_canonical(s, &base);
        return;
    }
    if (!ds_target_is_kernel_va(s->t, value))
        return;
    try_mapped(s, &base);
    if (s->out->count == before)
        try_prefix(s, &base);
}

/* ---- pointers to code ---- */

static double code_share(const struct scene *s)
{
    double bytes = 0;
    for (size_t i = 0; i < s->t->module_count; i++)
        bytes += (double)s->t->modules[i].size;
    double share = bytes / kernel_bytes(s);
    return share < 1 ? share : 1;
}

/* A pointer to code that leads nowhere; one from the stack must lead behind a call. */
static void suspect_code(struct scene *s, const char *subject, struct ds_opt place, uint64_t value,
                         bool is_return)
{
    bool canonical = ds_is_canonical(value, s->bits);
    unsigned lowest = s->bits == 32 ? 31 : canonical ? 32 : s->bits - 1;
    unsigned highest = s->bits == 32 ? 31 : canonical ? s->bits - 2 : 63;
    for (unsigned bit = lowest; bit <= highest; bit++) {
        const struct ds_module *m;
        struct ds_bit_flip r = {.subject = subject, .place = place, .value = value, .bit = bit};
        r.expected = value ^ (uint64_t)1 << bit;
        if (!is_kernel(s, r.expected) || !is_code(s, r.expected, &m))
            continue;
        struct ds_opt after = ds_code_after_call(s->t->kernel, s->t->arch, r.expected);
        if (is_return && after.known && after.value == 0)
            continue;
        r.kind = "code";
        r.expected_is =
            ds_flip_text(s->nt, "an address in %.64s%s", m->name[0] != '\0' ? m->name : "a module",
                         is_return && after.known ? ", right behind a call" : "");
        r.chance = code_share(s) * (canonical ? highest - lowest + 1 : canonical_odds(s));
        r.confidence = s->bits == 32 || bit < REGION_BIT ? "low" : NULL;
        found(s, &r);
    }
}

static void try_target(struct scene *s, uint64_t pc, uint64_t target, const char *what)
{
    const struct ds_module *m;
    int bit = ds_one_bit(pc, target);
    if (bit < 0 || !is_code(s, target, &m))
        return;
    found(s, &(struct ds_bit_flip){.subject = "instruction pointer",
                                   .place = ds_opt_unknown(DS_OK),
                                   .value = pc,
                                   .expected = target,
                                   .bit = (uint32_t)bit,
                                   .kind = "call target",
                                   .expected_is = what,
                                   .chance = 64.0 / 18446744073709551616.0});
}

/* Where a call leads: a direct one, one through memory, or one through a register; a call through
 * memory may be a guard that goes on to where rax points. */
static void try_call(struct scene *s, uint64_t pc, const struct ds_insn *call)
{
    uint64_t target;
    const char *reg = call->target_register;
    const char *what =
        ds_flip_text(s->nt, "where the call at 0x%llx leads", (unsigned long long)call->va);
    if (call->target != 0)
        try_target(s, pc, call->target, what);
    if (call->memory_count > 0 && strcmp(call->memory[0].base, "rip") == 0) {
        uint64_t at = call->va + call->size + (uint64_t)call->memory[0].displacement;
        if (ds_space_read_ptr(s->t->kernel, at, &target, NULL) == DS_OK)
            try_target(s, pc, target, what);
        reg = "rax";
    }
    if (reg[0] != '\0' && ds_insn_register(s->context, reg, &target))
        try_target(s, pc, target, what);
}

/* The calls that may end right before a return address: bytes can be read in more than one way. */
static void try_calls(struct scene *s, uint64_t pc, uint64_t ret)
{
    static const unsigned sizes[] = {4, 5, 6, 7, 2, 3};
    struct ds_insn insn;
    for (size_t i = 0; i < (s->t->arch == DS_ARCH_ARM64 ? 1 : 6); i++)
        if (ret >= sizes[i] && ds_nt_disassemble(s->nt, ret - sizes[i], &insn) == DS_OK &&
            insn.size == sizes[i] && (insn.kind & DS_INSN_CALL) != 0)
            try_call(s, pc, &insn);
}

/* The instruction pointer itself leads nowhere. */
static void suspect_pc(struct scene *s, uint64_t pc)
{
    const struct ds_context *c = s->context;
    uint64_t ret = 0;
    size_t before = s->out->count;
    bool known = s->t->arch == DS_ARCH_ARM64
                     ? ds_context_register(c, "lr", &ret)
                     : ds_space_read_ptr(s->t->kernel, c->sp, &ret, NULL) == DS_OK;
    if (known)
        try_calls(s, pc, ret);
    if (s->out->count == before)
        suspect_code(s, "instruction pointer", ds_opt_unknown(DS_OK), pc, false);
}

static bool in_unloaded(struct ds_nt *nt, uint64_t va)
{
    const struct ds_unloaded_modules *u = ds_nt_unloaded_modules(nt);
    for (size_t i = 0; i < u->count; i++)
        if (va >= u->rows[i].start && va < u->rows[i].end)
            return true;
    return false;
}

/* ---- which values are suspect ---- */

static void suspects_of_operand(struct scene *s, const struct ds_fault_operand *o)
{
    const char *const names[2] = {o->memory.base, o->memory.index};
    const struct ds_opt values[2] = {o->base, o->index};
    for (unsigned k = 0; k < 2; k++)
        if (values[k].known && !o->memory.implicit)
            suspect_pointer(s, ds_flip_text(s->nt, "register %s", names[k]), ds_opt_unknown(DS_OK),
                            values[k].value);
}

/* Jumps, calls and returns load a pointer that the processor then refuses. */
static void suspects_of_branch(struct scene *s, const struct ds_fault_insn *x)
{
    uint64_t value;
    const struct ds_insn *i = &x->insn;
    if (i->target_register[0] != '\0') {
        if (ds_insn_register(x->context, i->target_register, &value) &&
            !ds_is_canonical(value, s->bits))
            suspect_code(s, ds_flip_text(s->nt, "register %s", i->target_register),
                         ds_opt_unknown(DS_OK), value, false);
        return;
    }
    if ((i->kind & (DS_INSN_CALL | DS_INSN_JUMP | DS_INSN_RETURN)) == 0 || i->target != 0 ||
        x->operand_count == 0 || !x->operands[0].address.known)
        return;
    uint64_t at = x->operands[0].address.value;
    if (ds_space_read_ptr(s->t->kernel, at, &value, NULL) != DS_OK ||
        ds_is_canonical(value, s->bits))
        return;
    bool is_return = (i->kind & DS_INSN_RETURN) != 0;
    suspect_code(s, is_return ? "return address" : "pointer of the call or jump", ds_opt_known(at),
                 value, is_return);
}

static void suspects(struct scene *s)
{
    const struct ds_fault_insn *x = ds_nt_fault_insn(s->nt);
    struct ds_claim claim = ds_claim_of(s->nt);
    bool kernel_code = x->pc.known && !(ds_is_canonical(x->pc.value, s->bits) &&
                                        !ds_target_is_kernel_va(s->t, x->pc.value));
    if (x->pc.known && s->context != NULL && kernel_code && s->t->module_count > 0 &&
        s->context->pc == x->pc.value && ds_target_module_at(s->t, x->pc.value) == NULL &&
        !in_unloaded(s->nt, x->pc.value) && !x->known) {
        suspect_pc(s, x->pc.value);
        return;
    }
    if (!x->known || x->context == NULL) {
        if (claim.kind == DS_CLAIM_ADDRESS && !claim.execute)
            suspect_pointer(s, "fault address", ds_opt_unknown(DS_OK), claim.address);
        return;
    }
    for (size_t i = 0; i < x->operand_count; i++) {
        const struct ds_fault_operand *o = &x->operands[i];
        bool refused = claim.kind == DS_CLAIM_NONE && o->canonical.known && o->canonical.value == 0;
        if ((o->covers.known && o->covers.value != 0) || refused)
            suspects_of_operand(s, o);
    }
    if (claim.kind == DS_CLAIM_NONE && s->bits != 32)
        suspects_of_branch(s, x);
}

/* Whether there is a fault at all that could be examined: an exception or an address, and no
 * more than the header to tell of it. */
static bool examined(struct ds_nt *nt)
{
    const struct ds_target *t = nt->target;
    return t->kernel != NULL && t->module_count > 0;
}

const struct ds_bit_flips *ds_nt_bit_flips(struct ds_nt *nt)
{
    static const struct ds_bit_flips none = {
        .walk = {.table_name = "bit_flips", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    struct ds_hardware *h = ds_hardware_of(nt);
    struct ds_flip_list list;
    if (h == NULL || (!h->have_flips && !ds_flip_list_open(nt, &list)))
        return &none;
    if (h->have_flips)
        return &h->flips;
    h->have_flips = true;
    if (!examined(nt)) {
        h->flips = (struct ds_bit_flips){
            .walk = ds_walk_none("bit_flips", DS_NOT_IN_DUMP,
                                 "without memory and a list of modules nothing can be compared")};
        return &h->flips;
    }
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    struct scene s = {.nt = nt, .t = nt->target, .out = &list, .bits = ds_va_bits(nt->target)};
    if (f->chosen < f->context_count)
        s.context = &f->contexts[f->chosen].context;
    suspects(&s);
    ds_flips_of_links(&list);
    h->flips = ds_flip_list_close(&list, "bit_flips");
    return &h->flips;
}
