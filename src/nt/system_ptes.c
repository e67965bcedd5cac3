/*
 * The page table entries that the system maps with. Up to Server 2003 they are one range,
 * MmSystemPtesStart[0] to MmSystemPtesEnd[0] (the last one), and the free ones a list of blocks:
 * MmFirstFreeSystemPte[0] leads to the first. An entry in the list is a _MMPTE_LIST: NextEntry is
 * the number of the next block's first entry, counted from MmSystemPteBase, all ones at the end;
 * OneEntry says that the block is this entry alone, else NextEntry of the second entry is the
 * block's length (ReactOS, ntoskrnl/mm/ARM3/syspte.c, describes the same). Later kernels keep
 * counters in a _MI_SYSTEM_PTE_TYPE.
 */
#include <string.h>

#include "base/bytes.h"
#include "nt/vm_impl.h"

#define PAGE 4096u
#define VISTA 6000u
#define X86_PTE_BASE 0xc0000000u /* both modes; up to Windows 10 1607 it does not move */
#define X86_PTE_AREA 0x800000u

struct range {
    struct ds_nt *nt;
    struct ds_walk *walk;
    struct ds_system_ptes *row;
    unsigned size; /* of an entry */
    unsigned next_pos, next_len;
    uint64_t start, total;
};

static struct ds_opt first_of(const struct ds_nt *nt, const char *name)
{
    return ds_vm_global(nt->target, name, 0, nt->target->pointer_size, NULL);
}

/* Entries of 8 bytes have the number in their upper half, of 4 bytes above the low 12 bits:
 * _MMPTE_LIST in the layouts (those before build 7601 are of kernels without PAE). */
static bool shape(struct range *r)
{
    enum ds_paging mode = ds_space_paging(r->nt->target->kernel);
    if (mode == DS_PAGING_X86) {
        r->size = 4;
        r->next_pos = 12;
        r->next_len = 20;
    } else if (mode == DS_PAGING_PAE || mode == DS_PAGING_X64) {
        r->size = 8;
        r->next_pos = 32;
        r->next_len = 32;
    } else {
        return false;
    }
    return true;
}

static bool in_tables(const struct range *r, uint64_t start, uint64_t end)
{
    if (r->nt->target->pointer_size == 4)
        return start >= X86_PTE_BASE && end < X86_PTE_BASE + X86_PTE_AREA;
    return ds_target_is_kernel_va(r->nt->target, start) &&
           ds_target_is_kernel_va(r->nt->target, end);
}

static bool bounds(struct range *r)
{
    struct ds_opt start = first_of(r->nt, "MmSystemPtesStart");
    struct ds_opt end = first_of(r->nt, "MmSystemPtesEnd");
    if (!start.known || !end.known) {
        ds_walk_stop(r->walk, start.known ? end.why : start.why, ds_opt_unknown(DS_OK),
                     "MmSystemPtesStart and MmSystemPtesEnd are not known");
        return false;
    }
    uint64_t bytes = end.value - start.value;
    if (end.value < start.value || bytes % r->size != 0 || start.value % r->size != 0 ||
        bytes / r->size >= DS_LIMIT_SYSTEM_PTES || !in_tables(r, start.value, end.value)) {
        ds_walk_stop(r->walk, DS_CORRUPT, start, "no page tables lie at MmSystemPtesStart");
        return false;
    }
    r->start = start.value;
    r->total = bytes / r->size + 1;
    r->row->start = start;
    r->row->end = end;
    r->row->total = ds_opt_known(r->total);
    return true;
}

/* ---- looking at every entry ---- */
struct scan {
    uint64_t mapped, run, longest;
};

static void look_at(const struct range *r, const uint8_t *bytes, size_t count, struct scan *s)
{
    for (size_t i = 0; i < count; i++) {
        bool valid = (bytes[i * r->size] & 1) != 0; /* Valid, bit 0 */
        s->mapped += valid;
        s->run = valid ? 0 : s->run + 1;
        if (s->run > s->longest)
            s->longest = s->run;
    }
}

static void scan(struct range *r)
{
    struct scan s = {0};
    uint8_t page[PAGE];
    uint64_t done = 0;
    while (done < r->total) {
        uint64_t va = r->start + done * r->size;
        uint64_t n = (PAGE - va % PAGE) / r->size;
        struct ds_fault fault;
        if (n > r->total - done)
            n = r->total - done;
        enum ds_status why = ds_space_read(r->nt->target->kernel, va, page, n * r->size, &fault);
        if (why != DS_OK) {
            r->row->mapped = r->row->unmapped = r->row->largest_unmapped = ds_opt_unknown(why);
            ds_walk_stop(r->walk, why, ds_opt_known(fault.va), "a page table cannot be read");
            return;
        }
        look_at(r, page, (size_t)n, &s);
        done += n;
    }
    r->row->mapped = ds_opt_known(s.mapped);
    r->row->unmapped = ds_opt_known(r->total - s.mapped);
    r->row->largest_unmapped = ds_opt_known(s.longest);
}

/* ---- the list of free blocks ---- */
static uint64_t next_of(const struct range *r, uint64_t entry)
{
    return entry >> r->next_pos & ((UINT64_C(1) << r->next_len) - 1);
}

static bool read_entry(const struct range *r, uint64_t va, uint64_t *ret, enum ds_status *why)
{
    *why = ds_space_read_uint(r->nt->target->kernel, va, r->size, ret, NULL);
    return *why == DS_OK;
}

/* Length of the block whose first entry is `entry`, at va; 0 when there is no block. */
static uint64_t block_length(const struct range *r, uint64_t va, uint64_t entry,
                             enum ds_status *why)
{
    uint64_t second;
    *why = DS_CORRUPT;
    if ((entry & 1) != 0) /* valid: in use */
        return 0;
    if ((entry & 2) != 0) /* OneEntry */
        return 1;
    if ((va - r->start) / r->size + 1 >= r->total || !read_entry(r, va + r->size, &second, why))
        return 0;
    uint64_t n = next_of(r, second);
    *why = DS_CORRUPT;
    return n <= r->total - (va - r->start) / r->size ? n : 0;
}

static enum ds_status walk_list(struct range *r, uint64_t base, uint64_t entry, uint64_t *stop)
{
    uint64_t end = (UINT64_C(1) << r->next_len) - 1, sum = 0, blocks = 0, longest = 0;
    enum ds_status why;
    while (next_of(r, entry) != end) {
        uint64_t va = base + next_of(r, entry) * r->size;
        *stop = va;
        if (va < r->start || va >= r->start + r->total * r->size)
            return DS_CORRUPT;
        if (!read_entry(r, va, &entry, &why))
            return why;
        uint64_t n = block_length(r, va, entry, &why);
        if (n == 0)
            return why;
        sum += n;
        blocks++;
        longest = n > longest ? n : longest;
        if (sum > r->total)
            return DS_LOOP;
    }
    r->row->list_free = ds_opt_known(sum);
    r->row->free_blocks = ds_opt_known(blocks);
    r->row->largest_free = ds_opt_known(longest);
    return DS_OK;
}

static void list(struct range *r)
{
    uint64_t stop = 0;
    struct ds_opt head = ds_vm_global(r->nt->target, "MmFirstFreeSystemPte", 0, r->size, NULL);
    struct ds_opt base = first_of(r->nt, "MmSystemPteBase");
    enum ds_status why = head.why;
    if (head.known) {
        if (!base.known && r->nt->target->pointer_size == 4)
            base = ds_opt_known(X86_PTE_BASE);
        why = base.known ? walk_list(r, base.value, head.value, &stop) : base.why;
    }
    if (why == DS_OK)
        return;
    r->row->list_free = r->row->free_blocks = r->row->largest_free = ds_opt_unknown(why);
    if (why == DS_NO_SYMBOL)
        ds_walk_stop(r->walk, why, ds_opt_unknown(DS_OK),
                     "MmFirstFreeSystemPte, which leads to the free blocks, is not known");
    else
        ds_walk_stop(r->walk, why, ds_opt_known(stop), "the list of free blocks is broken");
}

/* ---- counters ---- */
static void counters(struct ds_nt *nt, struct ds_system_ptes *row)
{
    const struct ds_vm *vm = ds_nt_vm(nt);
    if (vm->count == 0)
        return;
    row->free = vm->rows[DS_VM_FREE_SYSTEM_PTES].value;
    row->failures = vm->rows[DS_VM_PTE_FAILURES].value;
    if (row->free.known)
        row->counted_by = vm->rows[DS_VM_FREE_SYSTEM_PTES].symbol;
}

static void total_by_type(struct ds_nt *nt, struct ds_system_ptes *row)
{
    static const char *const places[][3] = {
        {"MiSystemPteInfo", "_MI_SYSTEM_PTE_TYPE", "TotalSystemPtes"},
        {"MiState", "_MI_SYSTEM_INFORMATION", "Vs.SystemPteInfo.TotalSystemPtes"}};
    for (size_t i = 0; i < 2 && !row->total.known; i++) {
        uint64_t va;
        enum ds_status s = ds_target_global(nt->target, places[i][0], &va);
        row->total = s == DS_OK ? ds_target_field(nt->target, va, places[i][1], places[i][2])
                                : ds_opt_unknown(s);
    }
}

static void prove(struct ds_system_ptes *row)
{
    if (row->free.known && row->total.known && row->free.value > row->total.value) {
        row->free = ds_opt_unknown(DS_CORRUPT);
        row->counted_by = NULL;
    }
}

static void fill(struct ds_nt *nt, struct ds_nt_vm *v)
{
    struct range r = {.nt = nt, .walk = &v->ptes.walk, .row = &v->pte_row};
    const struct ds_target *t = nt->target;
    struct ds_opt none = ds_opt_unknown(DS_NO_FIELD);
    v->pte_row = (struct ds_system_ptes){none, none, none, none, none, none,
                                         none, none, none, none, none, NULL};
    if (t->kernel == NULL || ds_dump_triage(t->dump) != NULL) {
        v->ptes.walk =
            ds_walk_none("system_ptes", t->kernel == NULL ? t->kernel_why : DS_NOT_IN_DUMP,
                         "the system's page tables are not kept");
        return;
    }
    v->ptes.walk = (struct ds_walk){.table_name = "system_ptes",
                                    .complete = true,
                                    .stop_address = ds_opt_unknown(DS_OK),
                                    .detail = ""};
    counters(nt, &v->pte_row);
    if (t->build.known && t->build.value >= VISTA) {
        total_by_type(nt, &v->pte_row);
    } else if (shape(&r) && bounds(&r)) {
        scan(&r);
        list(&r);
    }
    prove(&v->pte_row);
    v->ptes.rows = &v->pte_row;
    v->ptes.count = v->ptes.walk.rows = 1;
}

const struct ds_system_pte_table *ds_nt_system_ptes(struct ds_nt *nt)
{
    static const struct ds_system_pte_table none = {
        .walk = {.table_name = "system_ptes", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    struct ds_nt_vm *v = ds_nt_vm_state(nt);
    if (v == NULL)
        return &none;
    if (!v->have_ptes) {
        v->have_ptes = true;
        fill(nt, v);
    }
    return &v->ptes;
}
