/*
 * The memory manager's counters. Kernels before Windows 10 have them as variables of their own,
 * most of which KDDEBUGGER_DATA64 points at; later ones as members of MiState and
 * MiSystemPartition. What the names mean: WDD, "!vm"; Windows Internals, "Memory management".
 */
#include "nt/vm.h"

#include <string.h>

#include "nt/vm_impl.h"

#define PAGE_SHIFT 12u
#define PHYSICAL_MAX (UINT64_C(1) << 36) /* pages: 256 TiB, what 48 bits of address reach */

/* Sizes of a variable beside 4 and 8 bytes. */
#define SIZE_POINTER 0u
#define SIZE_SIGNED 1u /* of a pointer, signed */

struct name {
    const char *name, *label;
    bool pages;
};

static const struct name names[DS_VM_COUNT] = {
    [DS_VM_PHYSICAL] = {"physical_memory", "Physical Memory", true},
    [DS_VM_AVAILABLE] = {"available", "Available Pages", true},
    [DS_VM_RESIDENT_AVAILABLE] = {"resident_available", "ResAvail Pages", true},
    [DS_VM_LOCKED_IO] = {"locked_io", "Locked IO Pages", true},
    [DS_VM_FREE_SYSTEM_PTES] = {"free_system_ptes", "Free System PTEs", true},
    [DS_VM_PTE_FAILURES] = {"system_pte_failures", "system PTE allocations have failed", false},
    [DS_VM_FREE_NP_PTES] = {"free_nonpaged_ptes", "Free NP PTEs", true},
    [DS_VM_ZEROED] = {"zeroed", NULL, true},
    [DS_VM_FREE] = {"free", NULL, true},
    [DS_VM_STANDBY] = {"standby", NULL, true},
    [DS_VM_MODIFIED] = {"modified", "Modified Pages", true},
    [DS_VM_MODIFIED_NO_WRITE] = {"modified_no_write", NULL, true},
    [DS_VM_MODIFIED_PAGE_FILE] = {"modified_page_file", "Modified PF Pages", true},
    [DS_VM_NONPAGED_POOL] = {"nonpaged_pool", "NonPagedPool Usage", true},
    [DS_VM_NONPAGED_POOL_COMMIT] = {"nonpaged_pool_commit", NULL, true},
    [DS_VM_NONPAGED_POOL_MAXIMUM] = {"nonpaged_pool_maximum", "NonPagedPool Max", true},
    [DS_VM_PAGED_POOL] = {"paged_pool", "PagedPool Usage", true},
    [DS_VM_PAGED_POOL_MAXIMUM] = {"paged_pool_maximum", "PagedPool Maximum", true},
    [DS_VM_POOL_FAILURES] = {"pool_failures", "pool allocations have failed", false},
    [DS_VM_SHARED_COMMIT] = {"shared_commit", "Shared Commit", true},
    [DS_VM_SPECIAL_POOL] = {"special_pool", "Special Pool", true},
    [DS_VM_PROCESS_COMMIT] = {"process_commit", "Shared Process", true},
    [DS_VM_PAGED_POOL_COMMIT] = {"paged_pool_commit", "PagedPool Commit", true},
    [DS_VM_DRIVER_COMMIT] = {"driver_commit", "Driver Commit", true},
    [DS_VM_BOOT_COMMIT] = {"boot_commit", NULL, true},
    [DS_VM_PAGE_TABLE_COMMIT] = {"page_table_commit", NULL, true},
    [DS_VM_MDL_PAGES] = {"mdl_pages", NULL, true},
    [DS_VM_COMMITTED] = {"committed", "Committed pages", true},
    [DS_VM_COMMIT_LIMIT] = {"commit_limit", "Commit limit", true},
    [DS_VM_PEAK_COMMIT] = {"peak_commit", NULL, true},
    [DS_VM_COMMIT_LIMIT_MAXIMUM] = {"commit_limit_maximum", NULL, true},
    [DS_VM_PAGING_FILES] = {"paging_files", NULL, false},
};

/*
 * Where a counter stands: `variable`, or its member. Pages that a machine before Windows 10 can
 * count fit into 32 bits (it has 4 TiB at most), so that the low half is right whether the
 * variable is a PFN_COUNT (4 bytes) or a PFN_NUMBER of the build. bytes: it counts bytes.
 */
struct place {
    enum ds_vm_id id;
    const char *variable;
    unsigned size;   /* of a variable: 4, SIZE_POINTER, SIZE_SIGNED */
    unsigned offset; /* in the variable */
    const char *type, *member;
    bool bytes;
    uint32_t from, before; /* builds that have it; 0 = no border */
};

#define PARTITION(id, path)                                                                        \
    {                                                                                              \
        id, "MiSystemPartition", 0, 0, "_MI_PARTITION", path, false, 10240, 0                      \
    }
#define STATE(id, path)                                                                            \
    {                                                                                              \
        id, "MiState", 0, 0, "_MI_SYSTEM_INFORMATION", path, false, 10240, 0                       \
    }
#define PTE_INFO(id, path)                                                                         \
    {                                                                                              \
        id, "MiSystemPteInfo", 0, 0, "_MI_SYSTEM_PTE_TYPE", path, false, 7600, 0                   \
    }
#define LIST(id, head)                                                                             \
    {                                                                                              \
        id, head, 0, 0, "_MMPFNLIST", "Total", false, 0, 0                                         \
    }
#define VISTA 6000u

/* Windows 10's KDDEBUGGER_DATA64 leads from MmPagedPoolCommit to another counter of MiState.
 * Before Vista the PTEs of kind SystemPteSpace (0) and NonPagedPoolExpansion (1) are counted in
 * arrays of 4-byte integers; later the standby list is eight lists. */
static const struct place places[] = {
    {DS_VM_PHYSICAL, "MmNumberOfPhysicalPages", 4, 0, NULL, NULL, false, 0, 0},
    {DS_VM_AVAILABLE, "MmAvailablePages", 4, 0, NULL, NULL, false, 0, 0},
    {DS_VM_RESIDENT_AVAILABLE, "MmResidentAvailablePages", SIZE_SIGNED, 0, NULL, NULL, false, 0, 0},
    {DS_VM_LOCKED_IO, "MmSystemLockPagesCount", 4, 0, NULL, NULL, false, 0, 0},
    {DS_VM_FREE_SYSTEM_PTES, "MmTotalFreeSystemPtes", 4, 0, NULL, NULL, false, 0, VISTA},
    {DS_VM_PTE_FAILURES, "MmPteFailures", 4, 0, NULL, NULL, false, 0, VISTA},
    {DS_VM_FREE_NP_PTES, "MmTotalFreeSystemPtes", 4, 4, NULL, NULL, false, 0, VISTA},
    LIST(DS_VM_ZEROED, "MmZeroedPageListHead"),
    LIST(DS_VM_FREE, "MmFreePageListHead"),
    {DS_VM_STANDBY, "MmStandbyPageListHead", 0, 0, "_MMPFNLIST", "Total", false, 0, VISTA},
    LIST(DS_VM_MODIFIED, "MmModifiedPageListHead"),
    LIST(DS_VM_MODIFIED_NO_WRITE, "MmModifiedNoWritePageListHead"),
    {DS_VM_MODIFIED_PAGE_FILE, "MmTotalPagesForPagingFile", 4, 0, NULL, NULL, false, 0, 0},
    {DS_VM_NONPAGED_POOL, "MmAllocatedNonPagedPool", 4, 0, NULL, NULL, false, 0, 0},
    {DS_VM_NONPAGED_POOL_MAXIMUM, "MmMaximumNonPagedPoolInBytes", SIZE_POINTER, 0, NULL, NULL, true,
     0, 0},
    {DS_VM_PAGED_POOL_MAXIMUM, "MmSizeOfPagedPoolInBytes", SIZE_POINTER, 0, NULL, NULL, true, 0, 0},
    {DS_VM_POOL_FAILURES, "ExPoolFailures", 4, 0, NULL, NULL, false, 0, 0},
    {DS_VM_SHARED_COMMIT, "MmSharedCommit", 4, 0, NULL, NULL, false, 0, 0},
    {DS_VM_SPECIAL_POOL, "MmSpecialPagesInUse", 4, 0, NULL, NULL, false, 0, 0},
    {DS_VM_PROCESS_COMMIT, "MmProcessCommit", 4, 0, NULL, NULL, false, 0, 0},
    {DS_VM_PAGED_POOL_COMMIT, "MmPagedPoolCommit", 4, 0, NULL, NULL, false, 0, 10240},
    {DS_VM_DRIVER_COMMIT, "MmDriverCommit", 4, 0, NULL, NULL, false, 0, 0},
    {DS_VM_COMMITTED, "MmTotalCommittedPages", SIZE_POINTER, 0, NULL, NULL, false, 0, 0},
    {DS_VM_COMMIT_LIMIT, "MmTotalCommitLimit", SIZE_POINTER, 0, NULL, NULL, false, 0, 0},
    {DS_VM_PEAK_COMMIT, "MmPeakCommitment", SIZE_POINTER, 0, NULL, NULL, false, 0, 0},
    {DS_VM_COMMIT_LIMIT_MAXIMUM, "MmTotalCommitLimitMaximum", SIZE_POINTER, 0, NULL, NULL, false, 0,
     0},
    {DS_VM_PAGING_FILES, "MmNumberOfPagingFiles", 4, 0, NULL, NULL, false, 0, 0},
    PTE_INFO(DS_VM_FREE_SYSTEM_PTES, "TotalFreeSystemPtes"),
    PTE_INFO(DS_VM_PTE_FAILURES, "PteFailures"),
    PARTITION(DS_VM_PHYSICAL, "Vp.NumberOfPhysicalPages"),
    PARTITION(DS_VM_AVAILABLE, "Vp.AvailablePages"),
    PARTITION(DS_VM_RESIDENT_AVAILABLE, "Vp.ResidentAvailablePages"),
    PARTITION(DS_VM_MODIFIED, "Vp.ModifiedPageListHead.Total"),
    PARTITION(DS_VM_MODIFIED_NO_WRITE, "Vp.ModifiedNoWritePageListHead.Total"),
    PARTITION(DS_VM_MODIFIED_PAGE_FILE, "Vp.TotalPagesForPagingFile"),
    PARTITION(DS_VM_COMMITTED, "Vp.TotalCommittedPages"),
    PARTITION(DS_VM_COMMIT_LIMIT, "Vp.TotalCommitLimit"),
    PARTITION(DS_VM_PAGING_FILES, "Vp.NumberOfPagingFiles"),
    PARTITION(DS_VM_PEAK_COMMIT, "Commit.PeakCommitment"),
    PARTITION(DS_VM_COMMIT_LIMIT_MAXIMUM, "Commit.TotalCommitLimitMaximum"),
    STATE(DS_VM_FREE_SYSTEM_PTES, "Vs.SystemPteInfo.TotalFreeSystemPtes"),
    STATE(DS_VM_PTE_FAILURES, "Vs.SystemPteInfo.PteFailures"),
    STATE(DS_VM_NONPAGED_POOL_COMMIT, "Vs.NonPagedPoolCommit"),
    STATE(DS_VM_PAGED_POOL, "Vs.PagedPoolInfo.AllocatedPagedPool"),
    STATE(DS_VM_NONPAGED_POOL_MAXIMUM, "Vs.MaximumNonPagedPoolInPages"),
    STATE(DS_VM_PAGED_POOL_MAXIMUM, "Vs.SizeOfPagedPoolInPages"),
    PARTITION(DS_VM_SHARED_COMMIT, "Vp.SharedCommit"),
    STATE(DS_VM_SHARED_COMMIT, "Vs.SharedCommit"),
    STATE(DS_VM_PROCESS_COMMIT, "Vs.ProcessCommit"),
    STATE(DS_VM_DRIVER_COMMIT, "Vs.DriverCommit"),
    STATE(DS_VM_BOOT_COMMIT, "Vs.BootCommit"),
    STATE(DS_VM_PAGE_TABLE_COMMIT, "Vs.SystemPageTableCommit"),
    STATE(DS_VM_MDL_PAGES, "Vs.MdlPagesAllocated"),
};

struct ds_opt ds_vm_global(const struct ds_target *t, const char *name, uint64_t offset,
                           unsigned size, struct ds_opt *place)
{
    uint64_t va, value;
    enum ds_status s = ds_target_global(t, name, &va);
    if (s != DS_OK || va > UINT64_MAX - offset)
        return ds_opt_unknown(s != DS_OK ? s : DS_NOT_MAPPED);
    if (place != NULL)
        *place = ds_opt_known(va + offset);
    if (t->kernel == NULL)
        return ds_opt_unknown(t->kernel_why);
    s = ds_space_read_uint(t->kernel, va + offset, size, &value, NULL);
    return s == DS_OK ? ds_opt_known(value) : ds_opt_unknown(s);
}

static struct ds_opt read_variable(const struct ds_target *t, const struct place *p,
                                   struct ds_opt *at)
{
    bool wide = p->size == SIZE_POINTER || p->size == SIZE_SIGNED;
    struct ds_opt v = ds_vm_global(t, p->variable, p->offset, wide ? t->pointer_size : p->size, at);
    if (v.known && p->size == SIZE_SIGNED && t->pointer_size == 4 && v.value >> 31 != 0)
        v.value |= ~(uint64_t)UINT32_MAX;
    return v;
}

static struct ds_opt read_member(const struct ds_target *t, const struct place *p,
                                 struct ds_opt *at)
{
    uint64_t va;
    struct ds_field f;
    enum ds_status s = ds_target_global(t, p->variable, &va);
    if (s == DS_OK)
        s = ds_target_member(t, p->type, p->member, &f, NULL);
    if (s != DS_OK)
        return ds_opt_unknown(s);
    *at = ds_opt_known(va + f.offset);
    return ds_target_read_member(t, va, &f);
}

static bool of_build(const struct ds_target *t, const struct place *p)
{
    return !t->build.known ||
           (t->build.value >= p->from && (p->before == 0 || t->build.value < p->before));
}

/* A place that was found and cannot be read says more than one that was not found. */
static void read_place(const struct ds_target *t, const struct place *p, struct ds_vm_counter *c)
{
    struct ds_opt at = ds_opt_unknown(DS_OK);
    if (c->value.known || !of_build(t, p))
        return;
    struct ds_opt v = p->member != NULL ? read_member(t, p, &at) : read_variable(t, p, &at);
    if (!v.known && c->place.known)
        return;
    if (v.known && p->bytes)
        v.value >>= PAGE_SHIFT;
    c->value = v;
    if (at.known || c->symbol == NULL) {
        c->place = at;
        c->symbol = p->variable;
        c->member = p->type != NULL ? p->member : NULL;
    }
    c->why_text = v.known                 ? NULL
                  : v.why == DS_NO_SYMBOL ? "the address of the kernel's variable is not known"
                  : v.why == DS_NO_FIELD  ? "the layout of this kernel does not have the member"
                                          : "its memory cannot be read";
}

/* PHYSICAL_MEMORY_DESCRIPTOR (the same as in a dump's header): NumberOfRuns, NumberOfPages, then
 * base and count of each run. It holds when the runs add up. */
#define RUNS_MAX 256u
static void physical_by_runs(const struct ds_target *t, struct ds_vm_counter *c)
{
    unsigned p = t->pointer_size;
    struct ds_opt at = ds_opt_unknown(DS_OK);
    struct ds_opt block = ds_vm_global(t, "MmPhysicalMemoryBlock", 0, p, &at);
    uint64_t runs, pages, count, sum = 0;
    if (c->value.known || !block.known || block.value > UINT64_MAX - 2 * p * (RUNS_MAX + 1) ||
        ds_space_read_uint(t->kernel, block.value, 4, &runs, NULL) != DS_OK || runs > RUNS_MAX ||
        ds_space_read_uint(t->kernel, block.value + p, p, &pages, NULL) != DS_OK)
        return;
    for (uint64_t i = 0; i < runs; i++) {
        if (ds_space_read_uint(t->kernel, block.value + 2 * p * (i + 1) + p, p, &count, NULL) !=
                DS_OK ||
            count > PHYSICAL_MAX)
            return;
        sum += count;
    }
    if (pages == 0 || sum != pages)
        return;
    c->value = ds_opt_known(pages);
    c->place = ds_opt_known(block.value + p);
    c->symbol = "MmPhysicalMemoryBlock";
    c->member = "NumberOfPages";
    c->why_text = NULL;
}

static void disbelieve(struct ds_vm_counter *c, const char *why)
{
    if (c->value.known) {
        c->value = ds_opt_unknown(DS_CORRUPT);
        c->why_text = why;
    }
}

static void at_most(struct ds_vm *vm, enum ds_vm_id id, enum ds_vm_id limit, const char *why)
{
    struct ds_vm_counter *c = &vm->rows[id];
    if (c->value.known && vm->rows[limit].value.known &&
        c->value.value > vm->rows[limit].value.value)
        disbelieve(c, why);
}

/* A value must prove itself: what cannot be is unknown, not a number. */
static void prove_physical(struct ds_vm *vm)
{
    static const enum ds_vm_id parts[] = {DS_VM_AVAILABLE,
                                          DS_VM_LOCKED_IO,
                                          DS_VM_ZEROED,
                                          DS_VM_FREE,
                                          DS_VM_STANDBY,
                                          DS_VM_MODIFIED,
                                          DS_VM_MODIFIED_NO_WRITE,
                                          DS_VM_NONPAGED_POOL,
                                          DS_VM_MDL_PAGES,
                                          DS_VM_NONPAGED_POOL_COMMIT,
                                          DS_VM_MODIFIED_PAGE_FILE};
    struct ds_opt physical = vm->rows[DS_VM_PHYSICAL].value;
    if (physical.known && (physical.value == 0 || physical.value > PHYSICAL_MAX))
        disbelieve(&vm->rows[DS_VM_PHYSICAL], "no machine has that many pages");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        at_most(vm, parts[i], DS_VM_PHYSICAL, "it is more than the physical memory");
    struct ds_vm_counter *r = &vm->rows[DS_VM_RESIDENT_AVAILABLE];
    if (r->value.known && physical.known && (int64_t)r->value.value > (int64_t)physical.value)
        disbelieve(r, "it is more than the physical memory");
}

/* 4 GiB of addresses have a million entries. */
static void prove_ptes(const struct ds_target *t, struct ds_vm *vm)
{
    static const enum ds_vm_id ids[] = {DS_VM_FREE_SYSTEM_PTES, DS_VM_FREE_NP_PTES};
    for (size_t i = 0; t->pointer_size == 4 && i < 2; i++)
        if (vm->rows[ids[i]].value.known && vm->rows[ids[i]].value.value > 1u << 20)
            disbelieve(&vm->rows[ids[i]], "32 bits of address have no room for so many");
}

static void prove_commit(struct ds_vm *vm)
{
    static const enum ds_vm_id parts[] = {DS_VM_SHARED_COMMIT,     DS_VM_PROCESS_COMMIT,
                                          DS_VM_PAGED_POOL_COMMIT, DS_VM_DRIVER_COMMIT,
                                          DS_VM_BOOT_COMMIT,       DS_VM_PAGE_TABLE_COMMIT};
    struct ds_vm_counter *used = &vm->rows[DS_VM_COMMITTED];
    struct ds_vm_counter *limit = &vm->rows[DS_VM_COMMIT_LIMIT];
    if (used->value.known && limit->value.known &&
        (used->value.value == 0 || used->value.value / 9 > limit->value.value / 8 + 1)) {
        disbelieve(used, "commitment and its limit do not fit each other");
        disbelieve(limit, "commitment and its limit do not fit each other");
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        at_most(vm, parts[i], DS_VM_COMMITTED, "it is more than all that is committed");
}

static uint64_t partition_member(const struct ds_target *t, uint64_t va, const char *member)
{
    return ds_opt_or(ds_target_field(t, va, "_MI_PARTITION", member), 0);
}

/* Whether MiSystemPartition looks like one, and agrees with the physical memory that is known. */
static void prove_partition(const struct ds_target *t, struct ds_vm *vm)
{
    uint64_t va;
    struct ds_opt known = vm->rows[DS_VM_PHYSICAL].value;
    if (ds_target_global(t, "MiSystemPartition", &va) != DS_OK)
        return;
    uint64_t pages = partition_member(t, va, "Vp.NumberOfPhysicalPages");
    uint64_t low = partition_member(t, va, "Vp.LowestPhysicalPage");
    uint64_t high = partition_member(t, va, "Vp.HighestPhysicalPage");
    bool holds = pages != 0 && pages <= PHYSICAL_MAX && low <= high && high <= PHYSICAL_MAX * 16 &&
                 pages - 1 <= high - low;
    if (holds && known.known) /* memory may have been added since */
        holds = pages >= known.value - known.value / 4 && pages <= known.value + known.value / 4;
    for (size_t i = 0; !holds && i < DS_VM_COUNT; i++)
        if (vm->rows[i].symbol != NULL && strcmp(vm->rows[i].symbol, "MiSystemPartition") == 0)
            disbelieve(&vm->rows[i], "what should be MiSystemPartition does not look like it");
}

/* Members of structures of another revision may have moved: what stands alone proves nothing. */
static void prove_members(struct ds_vm *vm)
{
    if (vm->rows[DS_VM_PHYSICAL].value.known)
        return;
    for (size_t i = 0; i < DS_VM_COUNT; i++)
        if (vm->rows[i].member != NULL && vm->rows[i].pages)
            disbelieve(&vm->rows[i], "the physical memory, which would bear it out, is not known");
}

/* /3GB and /USERVA move the border: WDD, "Boot parameters to configure DEP and PAE", "/3GB". */
static void find_border(struct ds_nt *nt, struct ds_vm *vm)
{
    const struct ds_target *t = nt->target;
    vm->highest_user_address = ds_vm_global(t, "MmHighestUserAddress", 0, t->pointer_size, NULL);
    struct ds_opt highest = vm->highest_user_address;
    bool by_base = t->kernel_base.known && t->kernel_base.value >= 0xc0000000u;
    if (t->pointer_size != 4)
        vm->grown_user_space = ds_opt_known(0);
    else if (by_base || (highest.known && highest.value >= 0x80000000u))
        vm->grown_user_space = ds_opt_known(1);
    else
        vm->grown_user_space = highest.known ? ds_opt_known(0) : highest;
}

static void paged_pool(struct ds_nt *nt, struct ds_vm_counter *c)
{
    const struct ds_pools *p = ds_nt_pools(nt);
    if (!p->paged_pages.known && p->paged_pages.why == DS_NO_FIELD)
        return; /* of a kernel whose pools have no descriptors */
    c->value = p->paged_pages;
    c->symbol = "ExpPagedPoolDescriptor";
    c->member = "TotalPages + TotalBigPages";
    c->why_text = c->value.known ? NULL : "not all pools are known";
}

/* Whether anything is known that says how the system fares. */
static bool tells(const struct ds_vm *vm)
{
    static const enum ds_vm_id ids[] = {DS_VM_PHYSICAL,      DS_VM_AVAILABLE,
                                        DS_VM_COMMITTED,     DS_VM_FREE_SYSTEM_PTES,
                                        DS_VM_NONPAGED_POOL, DS_VM_NONPAGED_POOL_COMMIT};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (vm->rows[ids[i]].value.known)
            return true;
    return false;
}

static void fill(struct ds_nt *nt, struct ds_vm *vm)
{
    const struct ds_target *t = nt->target;
    for (size_t i = 0; i < DS_VM_COUNT; i++)
        vm->rows[i] = (struct ds_vm_counter){.name = names[i].name,
                                             .label = names[i].label,
                                             .pages = names[i].pages,
                                             .value = ds_opt_unknown(DS_NO_SYMBOL),
                                             .place = ds_opt_unknown(DS_OK),
                                             .why_text = "kernels of this build do not have it"};
    read_place(t, &places[0], &vm->rows[DS_VM_PHYSICAL]);
    physical_by_runs(t, &vm->rows[DS_VM_PHYSICAL]);
    paged_pool(nt, &vm->rows[DS_VM_PAGED_POOL]);
    for (size_t i = 1; i < sizeof(places) / sizeof(places[0]); i++)
        read_place(t, &places[i], &vm->rows[places[i].id]);
    prove_partition(t, vm);
    prove_physical(vm);
    prove_ptes(t, vm);
    prove_commit(vm);
    prove_members(vm);
    at_most(vm, DS_VM_PAGED_POOL, DS_VM_PAGED_POOL_MAXIMUM, "it is more than its maximum");
    at_most(vm, DS_VM_NONPAGED_POOL, DS_VM_NONPAGED_POOL_MAXIMUM, "it is more than its maximum");
    find_border(nt, vm);
    vm->count = vm->walk.rows = DS_VM_COUNT;
    vm->told = tells(vm);
}

struct ds_nt_vm *ds_nt_vm_state(struct ds_nt *nt)
{
    if (nt->vm == NULL)
        nt->vm = calloc(1, sizeof(*nt->vm));
    return nt->vm;
}

void ds_nt_vm_free(struct ds_nt_vm *v)
{
    if (v != NULL) {
        free(v->pool_rows);
        free(v->tag_rows);
        free(v);
    }
}

const struct ds_vm *ds_nt_vm(struct ds_nt *nt)
{
    static const struct ds_vm none = {
        .walk = {.table_name = "vm_counters", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    struct ds_nt_vm *v = ds_nt_vm_state(nt);
    if (v == NULL)
        return &none;
    if (v->have_vm)
        return &v->vm;
    v->have_vm = true;
    if (nt->target->kernel == NULL || ds_dump_triage(nt->target->dump) != NULL) {
        enum ds_status why = nt->target->kernel == NULL ? nt->target->kernel_why : DS_NOT_IN_DUMP;
        v->vm.walk =
            ds_walk_none("vm_counters", why, "the memory manager's variables are not kept");
        return &v->vm;
    }
    v->vm.walk = (struct ds_walk){.table_name = "vm_counters",
                                  .complete = true,
                                  .stop_address = ds_opt_unknown(DS_OK),
                                  .detail = ""};
    fill(nt, &v->vm);
    return &v->vm;
}
