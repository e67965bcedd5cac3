/* What the evidence of hardware rests on: the decoder, CPUID, the fault's claim, lists of flips. */
#include "nt/hardware_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dump/cpuid.h"

#define STATUS_ACCESS_VIOLATION 0xc0000005u
#define STATUS_IN_PAGE_ERROR 0xc0000006u
#define STATUS_ILLEGAL_INSTRUCTION 0xc000001du
#define STATUS_INTEGER_DIVIDE_BY_ZERO 0xc0000094u
#define STATUS_BREAKPOINT 0x80000003u

struct ds_hardware *ds_hardware_of(struct ds_nt *nt)
{
    if (nt->hardware == NULL) {
        struct ds_hardware *h = calloc(1, sizeof(*h));
        if (h != NULL && ds_insn_open(nt->target->arch, &h->decoder) != DS_OK)
            h->decoder = NULL;
        nt->hardware = h;
    }
    return nt->hardware;
}

void ds_hardware_free(struct ds_hardware *h)
{
    if (h == NULL)
        return;
    ds_insn_close(h->decoder);
    free(h->cpuid);
    free(h);
}

struct ds_opt ds_nt_cpu_has(struct ds_nt *nt, const struct ds_cpu_feature *feature)
{
    struct ds_hardware *h = ds_hardware_of(nt);
    struct ds_cpuid_row row;
    struct ds_opt has = ds_opt_unknown(DS_NOT_IN_DUMP);
    if (h == NULL)
        return ds_opt_unknown(DS_NO_MEMORY);
    if (!h->have_cpuid) {
        h->have_cpuid = true;
        if (ds_dump_blob_load(nt->target->dump, DS_CPUID_TAG, &h->cpuid, &h->cpuid_size) != DS_OK)
            h->cpuid = NULL;
    }
    for (size_t i = 0; h->cpuid != NULL && ds_cpuid_row(h->cpuid, h->cpuid_size, i, &row); i++) {
        if (row.leaf != feature->leaf || row.subleaf != 0)
            continue;
        /* Two processors of one machine; what either has is not missing. */
        const uint32_t *const sides[2] = {row.first, row.second};
        for (unsigned k = 0; k < 2; k++) {
            const uint32_t *r = sides[k];
            if ((r[0] | r[1] | r[2] | r[3]) != 0)
                has = ds_opt_known((has.known && has.value != 0) ||
                                   (r[feature->reg] >> feature->bit & 1) != 0);
        }
    }
    return has;
}

unsigned ds_va_bits(const struct ds_target *t)
{
    if (t->pointer_size == 4)
        return 32;
    if (t->arch == DS_ARCH_ARM64) /* 48 bits in either half, bit 48 and up tell which */
        return 49;
    bool la57 = t->kernel != NULL && ds_space_paging(t->kernel) == DS_PAGING_LA57;
    for (size_t i = 0; i < t->module_count && !la57; i++) /* a minidump has no page tables */
        la57 = ds_text_casecmp(t->modules[i].name, "ntkrla57.exe") == 0;
    return la57 ? 57 : 48;
}

bool ds_is_canonical(uint64_t va, unsigned va_bits)
{
    if (va_bits == 32)
        return va <= UINT32_MAX;
    uint64_t top = va >> (va_bits - 1);
    return top == 0 || top == UINT64_MAX >> (va_bits - 1);
}

/* All ones: the processor gave no address (a general protection fault). */
static bool no_address(const struct ds_target *t, uint64_t va)
{
    return va == UINT64_MAX || (t->pointer_size == 4 && va == UINT32_MAX);
}

struct ds_claim ds_claim_of(struct ds_nt *nt)
{
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    const struct ds_exception *e = &f->exception;
    struct ds_claim c = {.kind = DS_CLAIM_NONE};
    if (e->known && e->code == STATUS_ILLEGAL_INSTRUCTION)
        c.kind = DS_CLAIM_ILLEGAL;
    else if (e->known && e->code == STATUS_INTEGER_DIVIDE_BY_ZERO)
        c.kind = DS_CLAIM_DIVIDE;
    else if (e->known && e->code == STATUS_BREAKPOINT)
        c.kind = DS_CLAIM_BREAKPOINT;
    bool data = !e->known || e->code == STATUS_ACCESS_VIOLATION || e->code == STATUS_IN_PAGE_ERROR;
    if (c.kind != DS_CLAIM_NONE || !data || !f->fault_address.known ||
        no_address(nt->target, f->fault_address.value))
        return c;
    c.kind = DS_CLAIM_ADDRESS;
    c.address = f->fault_address.value;
    if (f->fault_access != NULL) {
        c.access = strcmp(f->fault_access, "read") == 0    ? DS_INSN_READ
                   : strcmp(f->fault_access, "write") == 0 ? DS_INSN_WRITE
                                                           : 0;
        c.execute = strcmp(f->fault_access, "execute") == 0;
    }
    return c;
}

enum ds_status ds_nt_disassemble(struct ds_nt *nt, uint64_t va, struct ds_insn *ret)
{
    struct ds_hardware *h = ds_hardware_of(nt);
    struct ds_space *space = nt->target->kernel;
    uint8_t bytes[DS_INSN_BYTES];
    struct ds_fault fault = {.status = DS_NOT_IN_DUMP, .va = va};
    if (h == NULL)
        return DS_NO_MEMORY;
    if (h->decoder == NULL)
        return DS_UNSUPPORTED;
    if (space == NULL)
        return nt->target->kernel_why;
    size_t len = sizeof(bytes);
    enum ds_status status = ds_space_read(space, va, bytes, len, &fault);
    if (status != DS_OK) { /* the instruction may end before the hole */
        len = fault.va > va && fault.va - va < len ? (size_t)(fault.va - va) : 0;
        if (len == 0 || ds_space_read(space, va, bytes, len, NULL) != DS_OK)
            return status;
    }
    return ds_insn_decode(h->decoder, va, bytes, len, ret);
}

/* ---- lists of flips ---- */

bool ds_flip_list_open(struct ds_nt *nt, struct ds_flip_list *ret)
{
    *ret = (struct ds_flip_list){.nt = nt};
    ret->rows = ds_arena_alloc(&nt->arena, DS_FLIPS_MAX, sizeof(*ret->rows));
    return ret->rows != NULL;
}

void ds_flip_add(struct ds_flip_list *l, const struct ds_bit_flip *row)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->rows[i].value == row->value && l->rows[i].expected == row->expected &&
            strcmp(l->rows[i].subject, row->subject) == 0)
            return;
    if (l->count == DS_FLIPS_MAX)
        l->dropped++;
    else
        l->rows[l->count++] = *row;
}

const char *ds_flip_text(struct ds_nt *nt, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    const char *kept = ds_arena_strdup(&nt->arena, text, strlen(text));
    return kept != NULL ? kept : "";
}

struct ds_bit_flips ds_flip_list_close(struct ds_flip_list *l, const char *table)
{
    return (struct ds_bit_flips){.rows = l->rows,
                                 .count = l->count,
                                 .walk = {.table_name = table,
                                          .complete = l->dropped == 0,
                                          .rows = l->count,
                                          .stop_reason = l->dropped == 0 ? DS_OK : DS_LIMIT,
                                          .detail = l->dropped == 0 ? "" : "more are not kept"}};
}

int ds_one_bit(uint64_t a, uint64_t b)
{
    uint64_t d = a ^ b;
    if (d == 0 || (d & (d - 1)) != 0)
        return -1;
    int bit = 0;
    while ((d >>= 1) != 0)
        bit++;
    return bit;
}
