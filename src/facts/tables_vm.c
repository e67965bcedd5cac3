/* Tables over memory management: counters, system PTEs, pools and pool tags. */
#include "facts/table.h"
#include "nt/vm.h"

static const struct ds_vm_counter *counter(const void *row)
{
    return row;
}

static void derive_unit(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, counter(row)->pages ? "pages" : "count");
}

static void derive_kb(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_vm_counter *c = counter(row);
    (void)f;
    (void)i;
    if (c->pages && c->value.known)
        ds_value_u64(v, c->value.value * 4);
}

static void derive_place(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_vm_counter *c = counter(row);
    (void)f;
    (void)i;
    if (c->symbol == NULL)
        return;
    ds_buf_str(v->scratch, c->symbol);
    if (c->member != NULL) {
        ds_buf_char(v->scratch, '.');
        ds_buf_str(v->scratch, c->member);
    }
    ds_value_scratch(v);
}

#define ROW struct ds_vm_counter
static const struct ds_column_spec vm_counter_columns[] = {
    {"name", DS_COL_TEXT, "of the counter: also a column of vm where that has it", "!vm",
     DS_FIELD(ROW, name)},
    {"label", DS_COL_TEXT, "the debugger's words for it; NULL when it does not show it", "!vm",
     DS_FIELD(ROW, label)},
    {"value", DS_COL_INTEGER, "NULL when it is not known: why says the reason", "!vm",
     DS_FIELD(ROW, value)},
    {"unit", DS_COL_TEXT, "pages (of 4096 bytes) or count", "!vm", DS_DERIVED(derive_unit)},
    {"kb", DS_COL_INTEGER, "the same in units of 1024 bytes; NULL for a count", "!vm (Kb)",
     DS_DERIVED(derive_kb)},
    {"symbol", DS_COL_TEXT, "the kernel's variable, and the member in it, that was read", "dd nt!*",
     DS_DERIVED(derive_place)},
    {"address", DS_COL_ADDRESS, "where it stands: virtual; NULL for sums", "dd",
     DS_FIELD(ROW, place)},
    {"why", DS_COL_TEXT, "why the value is not known", "", DS_FIELD(ROW, why_text)},
};
#undef ROW

static void vm_counters_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_vm *vm = ds_nt_vm(ds_facts_nt(f));
    *ret = (struct ds_rows){vm->rows, sizeof(vm->rows[0]), vm->count, vm->walk};
}

DS_TABLE_WITH_LAYOUT(
    vm_counters,
    "The memory manager's counters, one a row. A row is there for each counter that "
    "some Windows keeps; those that are not known have no value.",
    "!vm 1", vm_counter_columns, vm_counters_fill, "name");

/* The same as columns, so that a pattern can say which of them it needs. */
#define VALUE(id) DS_DERIVED(derive_value_##id)
#define DEFINE(id)                                                                                 \
    static void derive_value_##id(struct ds_facts *f, const void *row, size_t i,                   \
                                  struct ds_value *v)                                              \
    {                                                                                              \
        (void)f;                                                                                   \
        (void)i;                                                                                   \
        ds_value_opt(v, ((const struct ds_vm *)row)->rows[DS_VM_##id].value);                      \
    }
DEFINE(PHYSICAL)
DEFINE(AVAILABLE)
DEFINE(RESIDENT_AVAILABLE)
DEFINE(FREE_SYSTEM_PTES)
DEFINE(PTE_FAILURES)
DEFINE(NONPAGED_POOL_MAXIMUM)
DEFINE(PAGED_POOL)
DEFINE(PAGED_POOL_MAXIMUM)
DEFINE(POOL_FAILURES)
DEFINE(COMMITTED)
DEFINE(COMMIT_LIMIT)
DEFINE(COMMIT_LIMIT_MAXIMUM)

/* Windows 10 tells what is committed for nonpaged pool. */
static void derive_nonpaged_pool(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_vm *vm = row;
    struct ds_opt used = vm->rows[DS_VM_NONPAGED_POOL].value;
    (void)f;
    (void)i;
    ds_value_opt(v, used.known ? used : vm->rows[DS_VM_NONPAGED_POOL_COMMIT].value);
}

#define ROW struct ds_vm
static const struct ds_column_spec vm_columns[] = {
    {"physical_memory", DS_COL_INTEGER, "pages of memory", "!vm (Physical Memory)",
     VALUE(PHYSICAL)},
    {"available", DS_COL_INTEGER, "pages: zeroed, free and standby", "!vm (Available Pages)",
     VALUE(AVAILABLE)},
    {"resident_available", DS_COL_INTEGER, "pages that could still be locked; may be negative",
     "!vm (ResAvail Pages)", VALUE(RESIDENT_AVAILABLE)},
    {"free_system_ptes", DS_COL_INTEGER, "as the kernel counts them", "!vm (Free System PTEs)",
     VALUE(FREE_SYSTEM_PTES)},
    {"system_pte_failures", DS_COL_INTEGER,
     "allocations of system PTEs that failed since the start",
     "!vm (system PTE allocations have failed)", VALUE(PTE_FAILURES)},
    {"nonpaged_pool", DS_COL_INTEGER, "pages in use; on Windows 10 and later committed",
     "!vm (NonPagedPool Usage)", DS_DERIVED(derive_nonpaged_pool)},
    {"nonpaged_pool_maximum", DS_COL_INTEGER, "pages it may grow to", "!vm (NonPagedPool Max)",
     VALUE(NONPAGED_POOL_MAXIMUM)},
    {"paged_pool", DS_COL_INTEGER, "pages in use, of all paged pools", "!vm (PagedPool Usage)",
     VALUE(PAGED_POOL)},
    {"paged_pool_maximum", DS_COL_INTEGER, "pages they may grow to", "!vm (PagedPool Maximum)",
     VALUE(PAGED_POOL_MAXIMUM)},
    {"pool_failures", DS_COL_INTEGER, "allocations from pool that failed since the start",
     "!vm (pool allocations have failed)", VALUE(POOL_FAILURES)},
    {"committed", DS_COL_INTEGER, "pages", "!vm (Committed pages)", VALUE(COMMITTED)},
    {"commit_limit", DS_COL_INTEGER, "pages: memory and paging files as they are now",
     "!vm (Commit limit)", VALUE(COMMIT_LIMIT)},
    {"commit_limit_maximum", DS_COL_INTEGER, "pages: with paging files grown to their maximum",
     "dd nt!MmTotalCommitLimitMaximum", VALUE(COMMIT_LIMIT_MAXIMUM)},
    {"highest_user_address", DS_COL_ADDRESS, "MmHighestUserAddress: virtual",
     "dp nt!MmHighestUserAddress", DS_FIELD(ROW, highest_user_address)},
    {"grown_user_space", DS_COL_BOOL,
     "x86 with /3GB or /USERVA: user space above 2 GiB, taken from the system's; by "
     "highest_user_address or the kernel's own base",
     "vertarget (Kernel base)", DS_FIELD(ROW, grown_user_space)},
};
#undef ROW

static void vm_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_vm *vm = ds_nt_vm(ds_facts_nt(f));
    if (vm->count != 0 && !vm->told) {
        *ret = ds_rows_cut(vm, sizeof(*vm), 0, vm->rows[DS_VM_COMMITTED].value.why,
                           "no counter of the memory manager is known");
    } else {
        *ret = (struct ds_rows){vm, sizeof(*vm), vm->count != 0, vm->walk};
        ret->walk.rows = ret->count;
    }
    ret->walk.table_name = "vm";
}

DS_TABLE_WITH_LAYOUT(vm, "One row: what vm_counters knows of the whole system.", "!vm 1",
                     vm_columns, vm_fill, NULL);

#define ROW struct ds_system_ptes
static const struct ds_column_spec system_pte_columns[] = {
    {"start", DS_COL_ADDRESS, "of the first entry: virtual (before Vista)",
     "!sysptes 1 (starting PTE)", DS_FIELD(ROW, start)},
    {"end", DS_COL_ADDRESS, "of the last entry: virtual", "!sysptes 1 (ending PTE)",
     DS_FIELD(ROW, end)},
    {"total", DS_COL_INTEGER, "entries", "!sysptes 1 (Total System Ptes)", DS_FIELD(ROW, total)},
    {"free", DS_COL_INTEGER, "free entries as the kernel counts them", "!vm (Free System PTEs)",
     DS_FIELD(ROW, free)},
    {"counted_by", DS_COL_TEXT, "the kernel's variable that free comes from", "",
     DS_FIELD(ROW, counted_by)},
    {"failures", DS_COL_INTEGER, "allocations that failed since the start",
     "!vm (system PTE allocations have failed)", DS_FIELD(ROW, failures)},
    {"list_free", DS_COL_INTEGER, "free entries by walking the list of free blocks (before Vista)",
     "!sysptes 1 (total free)", DS_FIELD(ROW, list_free)},
    {"free_blocks", DS_COL_INTEGER, "blocks in that list", "!sysptes 1 (free blocks)",
     DS_FIELD(ROW, free_blocks)},
    {"largest_free", DS_COL_INTEGER, "entries of the largest block",
     "!sysptes 1 (largest free block)", DS_FIELD(ROW, largest_free)},
    {"mapped", DS_COL_INTEGER, "entries that map a page, by looking at each (before Vista)", "!pte",
     DS_FIELD(ROW, mapped)},
    {"unmapped", DS_COL_INTEGER,
     "all others: free, or taken and not used yet; no more than these are free", "!pte",
     DS_FIELD(ROW, unmapped)},
    {"largest_unmapped", DS_COL_INTEGER, "the longest stretch of those: no free block is longer",
     "!pte", DS_FIELD(ROW, largest_unmapped)},
};
#undef ROW

static void system_ptes_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_system_pte_table *t = ds_nt_system_ptes(ds_facts_nt(f));
    *ret = (struct ds_rows){t->rows, sizeof(*t->rows), t->count, t->walk};
}

DS_TABLE_WITH_LAYOUT(system_ptes,
                     "One row: the page table entries that the system maps memory with.",
                     "!sysptes 1", system_pte_columns, system_ptes_fill, NULL);

#define ROW struct ds_pool
static const struct ds_column_spec pool_columns[] = {
    {"kind", DS_COL_TEXT, "nonpaged or paged", "!vm (PagedPool 0 Usage)", DS_FIELD(ROW, kind)},
    {"number", DS_COL_INTEGER, "among those of its kind", "!vm (PagedPool 0 Usage)",
     DS_FIELD(ROW, number)},
    {"descriptor", DS_COL_ADDRESS, "_POOL_DESCRIPTOR: virtual", "dt nt!_POOL_DESCRIPTOR",
     DS_FIELD(ROW, descriptor)},
    {"total_pages", DS_COL_INTEGER, "pages in use: both of the next", "!vm (PagedPool 0 Usage)",
     DS_FIELD(ROW, total_pages)},
    {"pages", DS_COL_INTEGER, "pages in small blocks: TotalPages", "dt nt!_POOL_DESCRIPTOR",
     DS_FIELD(ROW, pages)},
    {"big_pages", DS_COL_INTEGER, "pages in allocations of whole pages: TotalBigPages",
     "dt nt!_POOL_DESCRIPTOR", DS_FIELD(ROW, big_pages)},
    {"bytes", DS_COL_INTEGER, "bytes allocated: TotalBytes; XP does not have it",
     "dt nt!_POOL_DESCRIPTOR", DS_FIELD(ROW, bytes)},
    {"allocs", DS_COL_INTEGER, "RunningAllocs: since the start, 32 bits", "dt nt!_POOL_DESCRIPTOR",
     DS_FIELD(ROW, allocs)},
    {"frees", DS_COL_INTEGER, "RunningDeAllocs: likewise", "dt nt!_POOL_DESCRIPTOR",
     DS_FIELD(ROW, frees)},
};
#undef ROW

static void pools_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_pools *p = ds_nt_pools(ds_facts_nt(f));
    *ret = (struct ds_rows){p->rows, sizeof(*p->rows), p->count, p->walk};
}

DS_TABLE_WITH_LAYOUT(pools,
                     "The system's pools, up to Windows 10 1809: later ones have no descriptors.",
                     "!vm, dt nt!_POOL_DESCRIPTOR", pool_columns, pools_fill, "descriptor");

#define ROW struct ds_pool_tag
static const struct ds_column_spec pool_tag_columns[] = {
    {"tag", DS_COL_TEXT, "four characters; bytes that are none as \\xNN", "!poolused (Tag)",
     DS_FIELD(ROW, text)},
    {"nonpaged_in_use", DS_COL_INTEGER, "allocations outstanding", "!poolused (NonPaged Allocs)",
     DS_FIELD(ROW, nonpaged_in_use)},
    {"nonpaged_bytes", DS_COL_INTEGER, "bytes in use", "!poolused (NonPaged Used)",
     DS_FIELD(ROW, nonpaged_bytes)},
    {"paged_in_use", DS_COL_INTEGER, "allocations outstanding", "!poolused (Paged Allocs)",
     DS_FIELD(ROW, paged_in_use)},
    {"paged_bytes", DS_COL_INTEGER, "bytes in use", "!poolused (Paged Used)",
     DS_FIELD(ROW, paged_bytes)},
    {"nonpaged_allocs", DS_COL_INTEGER, "allocations since the start, as far as the counter goes",
     "!poolused 3 (Allocs)", DS_FIELD(ROW, nonpaged_allocs)},
    {"nonpaged_frees", DS_COL_INTEGER, "likewise", "!poolused 3 (Frees)",
     DS_FIELD(ROW, nonpaged_frees)},
    {"paged_allocs", DS_COL_INTEGER, "likewise", "!poolused 5 (Allocs)",
     DS_FIELD(ROW, paged_allocs)},
    {"paged_frees", DS_COL_INTEGER, "likewise", "!poolused 5 (Frees)", DS_FIELD(ROW, paged_frees)},
};
#undef ROW

static void pool_tags_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_pool_tags *p = ds_nt_pool_tags(ds_facts_nt(f));
    *ret = (struct ds_rows){p->rows, sizeof(*p->rows), p->count, p->walk};
}

DS_TABLE_WITH_LAYOUT(pool_tags,
                     "What is allocated from the pools by tag, all processors' tables added up. "
                     "When one of them is missing, only the counts of the others are known, and "
                     "nothing is said of what is in use.",
                     "!poolused", pool_tag_columns, pool_tags_fill, NULL);
