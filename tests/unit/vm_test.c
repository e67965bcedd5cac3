/* The memory manager's counters, pools and pool tags on a made kernel (19041.804), whole and lying.
 */
#include "nt/vm.h"

#include "kernel_maker.h"
#include "symbols/globals.h"

#define COUNTER(n) (KERNEL_BASE + 0xb00000u + (uint64_t)(n)*8)
#define TAGS 0xffffc08000600000u
#define TAG_SLOTS 64u

static struct kernel k;

static uint64_t global(const char *name)
{
    struct ds_kernel_id id = {.arch = DS_ARCH_X64, .build = 19041, .revision = 804};
    uint32_t rva;
    if (ds_globals_find(&id, name, &rva) != DS_OK) {
        printf("no RVA of %s\n", name);
        abort();
    }
    return KERNEL_BASE + rva;
}

static void counter(unsigned n, const char *name, uint64_t value)
{
    kernel_kdbg(&k, name, COUNTER(n));
    maker_put(&k.m, COUNTER(n), value, 8);
}

static void state(const char *member, uint64_t value)
{
    kernel_set(&k, global("MiState"), "_MI_SYSTEM_INFORMATION", member, value);
}

static void open_vm(void)
{
    kernel_open(&k);
    counter(0, "MmNumberOfPhysicalPages", 1000);
    counter(1, "MmAvailablePages", 400);
    counter(2, "MmTotalCommittedPages", 900);
    counter(3, "MmTotalCommitLimit", 1200);
    counter(4, "MmMaximumNonPagedPoolInBytes", 64u << 12);
    counter(5, "MmResidentAvailablePages", (uint64_t)-5);
    counter(6, "MmDriverCommit", 30);
}

static const struct ds_vm_counter *row(const struct ds_vm *vm, enum ds_vm_id id, const char *name)
{
    CHECK_STR(vm->rows[id].name, name);
    return &vm->rows[id];
}

static void test_counters(void)
{
    open_vm();
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_vm *vm = ds_nt_vm(nt);
    CHECK(vm->walk.complete);
    CHECK_U64(vm->count, DS_VM_COUNT);
    CHECK_U64(row(vm, DS_VM_AVAILABLE, "available")->value.value, 400);
    CHECK_U64(row(vm, DS_VM_COMMITTED, "committed")->value.value, 900);
    CHECK_U64(row(vm, DS_VM_NONPAGED_POOL_MAXIMUM, "nonpaged_pool_maximum")->value.value, 64);
    CHECK_U64(row(vm, DS_VM_RESIDENT_AVAILABLE, "resident_available")->value.value, (uint64_t)-5);
    CHECK_U64(row(vm, DS_VM_DRIVER_COMMIT, "driver_commit")->place.value, COUNTER(6));
    CHECK(!vm->rows[DS_VM_POOL_FAILURES].value.known);
    CHECK(vm->rows[DS_VM_POOL_FAILURES].why_text != NULL);
    CHECK(vm->grown_user_space.known && vm->grown_user_space.value == 0);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_what_cannot_be_is_unknown(void)
{
    open_vm();
    counter(1, "MmAvailablePages", 1001);
    counter(3, "MmTotalCommitLimit", 3);
    kernel_kdbg(&k, "MmDriverCommit", 0xffffc08000ff0000u); /* not mapped */
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_vm *vm = ds_nt_vm(nt);
    CHECK(!vm->rows[DS_VM_AVAILABLE].value.known);
    CHECK(vm->rows[DS_VM_AVAILABLE].value.why == DS_CORRUPT);
    CHECK(!vm->rows[DS_VM_COMMITTED].value.known && !vm->rows[DS_VM_COMMIT_LIMIT].value.known);
    CHECK(!vm->rows[DS_VM_DRIVER_COMMIT].value.known);
    CHECK(vm->rows[DS_VM_DRIVER_COMMIT].place.known);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_members(void)
{
    open_vm();
    kernel_kdbg(&k, "MmDriverCommit", 0);
    state("Vs.DriverCommit", 31);
    state("Vs.SystemPteInfo.TotalSystemPtes", 5000);
    state("Vs.SystemPteInfo.TotalFreeSystemPtes", 4000);
    state("Vs.SystemPteInfo.PteFailures", 7);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_vm *vm = ds_nt_vm(nt);
    CHECK_U64(vm->rows[DS_VM_DRIVER_COMMIT].value.value, 31);
    CHECK_STR(vm->rows[DS_VM_DRIVER_COMMIT].symbol, "MiState");
    CHECK_STR(vm->rows[DS_VM_DRIVER_COMMIT].member, "Vs.DriverCommit");
    const struct ds_system_pte_table *p = ds_nt_system_ptes(nt);
    CHECK_U64(p->count, 1);
    CHECK_U64(p->rows->total.value, 5000);
    CHECK_U64(p->rows->free.value, 4000);
    CHECK_U64(p->rows->failures.value, 7);
    ds_nt_close(nt);
    kernel_close(&k);
    open_vm(); /* without the physical memory nothing bears them out */
    kernel_kdbg(&k, "MmNumberOfPhysicalPages", 0);
    kernel_kdbg(&k, "MmDriverCommit", 0);
    state("Vs.DriverCommit", 31);
    nt = kernel_nt(&k);
    CHECK(!ds_nt_vm(nt)->rows[DS_VM_DRIVER_COMMIT].value.known);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void partition(const char *member, uint64_t value)
{
    kernel_set(&k, global("MiSystemPartition"), "_MI_PARTITION", member, value);
}

static void open_partition(void)
{
    kernel_open(&k);
    partition("Vp.LowestPhysicalPage", 1);
    partition("Vp.HighestPhysicalPage", 2000);
    partition("Vp.NumberOfPhysicalPages", 1900);
    partition("Vp.AvailablePages", 300);
    partition("Vp.TotalCommittedPages", 2100);
    partition("Vp.TotalCommitLimit", 2200);
}

static void test_partition(void)
{
    open_partition();
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_vm *vm = ds_nt_vm(nt);
    CHECK(vm->told);
    CHECK_U64(vm->rows[DS_VM_PHYSICAL].value.value, 1900);
    CHECK_U64(vm->rows[DS_VM_AVAILABLE].value.value, 300);
    CHECK_U64(vm->rows[DS_VM_COMMITTED].value.value, 2100);
    CHECK_STR(vm->rows[DS_VM_COMMIT_LIMIT].member, "Vp.TotalCommitLimit");
    ds_nt_close(nt);
    kernel_close(&k);
    open_partition(); /* more pages than lie between the lowest and the highest */
    partition("Vp.NumberOfPhysicalPages", 2001);
    nt = kernel_nt(&k);
    vm = ds_nt_vm(nt);
    CHECK(!vm->told);
    CHECK(!vm->rows[DS_VM_PHYSICAL].value.known && !vm->rows[DS_VM_COMMITTED].value.known);
    CHECK(vm->rows[DS_VM_COMMITTED].value.why == DS_CORRUPT);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_partition_against_the_runs(void)
{
    uint64_t runs = 0xffffc08000700000u;
    open_partition();
    kernel_kdbg(&k, "MmPhysicalMemoryBlock", COUNTER(30));
    maker_ptr(&k.m, COUNTER(30), runs);
    maker_put(&k.m, runs, 2, 4);
    maker_ptr(&k.m, runs + 8, 1000);
    maker_ptr(&k.m, runs + 16, 1);
    maker_ptr(&k.m, runs + 24, 600);
    maker_ptr(&k.m, runs + 32, 1000);
    maker_ptr(&k.m, runs + 40, 400);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_vm *vm = ds_nt_vm(nt); /* the partition says twice as much */
    CHECK_U64(vm->rows[DS_VM_PHYSICAL].value.value, 1000);
    CHECK_STR(vm->rows[DS_VM_PHYSICAL].symbol, "MmPhysicalMemoryBlock");
    CHECK(!vm->rows[DS_VM_AVAILABLE].value.known);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void tag(unsigned slot, const char *text, uint64_t allocs, uint64_t frees, uint64_t bytes)
{
    static const char type[] = "_POOL_TRACKER_TABLE";
    uint32_t size = 0;
    if (ds_layout_size(k.layout, type, &size) != DS_OK)
        abort();
    uint64_t at = TAGS + (uint64_t)slot * size;
    maker_write(&k.m, at + kernel_offset(&k, type, "Key"), text, 4);
    kernel_set(&k, at, type, "NonPagedAllocs", allocs);
    kernel_set(&k, at, type, "NonPagedFrees", frees);
    kernel_set(&k, at, type, "NonPagedBytes", bytes);
}

static void open_tags(uint64_t stated)
{
    open_vm();
    kernel_kdbg(&k, "PoolTrackTable", COUNTER(20));
    maker_ptr(&k.m, COUNTER(20), TAGS);
    maker_put(&k.m, global("PoolTrackTableSize"), stated, 8);
    maker_put(&k.m, global("PoolTrackTableExpansion"), 0, 8);
    for (uint64_t i = 0; i < TAG_SLOTS; i++)
        maker_put(&k.m, TAGS + i * 0x38, 0, 8);
    tag(3, "Lea2", 300, 43, 263168000);
    tag(9, "A\x01 b", 10, 4, 96);
    tag(20, "Lea2", 5, 5, 0);
}

/* The tables of the other processors have no symbol here: what is in use cannot be told. */
static void test_tags_of_one_processor(void)
{
    open_tags(TAG_SLOTS);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_pool_tags *t = ds_nt_pool_tags(nt);
    CHECK_U64(t->count, 2);
    CHECK_STR(t->rows[0].text, "A\\x01 b");
    CHECK_STR(t->rows[1].text, "Lea2");
    CHECK_U64(t->rows[1].nonpaged_allocs.value, 305);
    CHECK(!t->walk.complete && t->walk.stop_reason == DS_NO_SYMBOL);
    CHECK(!t->rows[1].nonpaged_bytes.known && !t->rows[1].nonpaged_in_use.known);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_tag_table_size_lies(void)
{
    open_tags(UINT64_MAX);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_pool_tags *t = ds_nt_pool_tags(nt);
    CHECK_U64(t->count, 0);
    CHECK(!t->walk.complete && t->walk.stop_reason == DS_CORRUPT);
    ds_nt_close(nt);
    kernel_close(&k);
    open_tags(200000); /* past the end of what is mapped: what is there is shown */
    nt = kernel_nt(&k);
    t = ds_nt_pool_tags(nt);
    CHECK_U64(t->count, 2);
    CHECK(!t->walk.complete && t->walk.stop_reason != DS_OK);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_segment_heaps_have_no_descriptors(void)
{
    open_vm();
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_pools *p = ds_nt_pools(nt);
    CHECK_U64(p->count, 0);
    CHECK(!p->walk.complete && p->walk.stop_reason == DS_NO_FIELD);
    CHECK(!ds_nt_vm(nt)->rows[DS_VM_PAGED_POOL].value.known);
    ds_nt_close(nt);
    kernel_close(&k);
}

TEST_MAIN(TEST(test_counters), TEST(test_what_cannot_be_is_unknown), TEST(test_members),
          TEST(test_partition), TEST(test_partition_against_the_runs),
          TEST(test_tags_of_one_processor), TEST(test_tag_table_size_lies),
          TEST(test_segment_heaps_have_no_descriptors))
