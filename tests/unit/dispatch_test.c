/* What processors have queued, on a made kernel: whole, and made to lie. */
#include "nt/dispatch.h"

#include "kernel_maker.h"
#include "nt/processor_details.h"

#define DPC(n) (0xffffc08000600000u + (uint64_t)(n)*0x40)
#define DPC_LINK 8 /* _KDPC.DpcListEntry */
#define ROUTINE(n) (DRIVER_BASE + 0x1000u + (uint64_t)(n)*0x10)
#define THREADED_DPC 26

static struct kernel k;

static uint64_t dpc_data(unsigned processor, unsigned queue)
{
    uint32_t size = 0;
    if (ds_layout_size(k.layout, "_KDPC_DATA", &size) != DS_OK)
        abort();
    return PRCB(processor) + kernel_offset(&k, "_KPRCB", "DpcData") + queue * size;
}

static void make_dpc(unsigned n, unsigned type)
{
    maker_put(&k.m, DPC(n) + 56, 0, 8);
    kernel_set(&k, DPC(n), "_KDPC", "Type", type);
    kernel_set(&k, DPC(n), "_KDPC", "Importance", n % 4);
    kernel_set(&k, DPC(n), "_KDPC", "DeferredRoutine", ROUTINE(n));
    kernel_set(&k, DPC(n), "_KDPC", "DeferredContext", 0xc000 + n);
    kernel_set(&k, DPC(n), "_KDPC", "SystemArgument1", 0x100 + n);
    kernel_set(&k, DPC(n), "_KDPC", "SystemArgument2", 0x200 + n);
}

/* DPCs first to last in a queue. */
static void queue(unsigned processor, unsigned q, unsigned first, unsigned last)
{
    uint64_t data = dpc_data(processor, q), at = data;
    for (unsigned i = first; i <= last; i++) {
        make_dpc(i, q == 0 ? 19 : THREADED_DPC);
        maker_ptr(&k.m, at, DPC(i) + DPC_LINK);
        at = DPC(i) + DPC_LINK;
    }
    maker_ptr(&k.m, at, 0);
    maker_ptr(&k.m, data + 8, at);
    kernel_set(&k, data, "_KDPC_DATA", "DpcQueueDepth", last - first + 1);
}

static void open_dpcs(void)
{
    kernel_open(&k);
    queue(0, 0, 0, 2);
    queue(1, 1, 3, 3);
}

static void test_dpcs(void)
{
    open_dpcs();
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_dpcs *d = ds_nt_dpcs(nt);
    CHECK(d->walk.complete);
    CHECK_U64(d->count, 4);
    CHECK_U64(d->rows[1].kdpc, DPC(1));
    CHECK_U64(d->rows[1].processor, 0);
    CHECK_U64(d->rows[1].position, 1);
    CHECK_U64(d->rows[1].routine.value, ROUTINE(1));
    CHECK_U64(d->rows[1].context.value, 0xc001);
    CHECK_U64(d->rows[1].argument1.value, 0x101);
    CHECK_U64(d->rows[1].argument2.value, 0x201);
    CHECK_STR(ds_dpc_importance_name(d->rows[2].importance.value), "High");
    CHECK(!d->rows[2].threaded && d->rows[3].threaded);
    CHECK_U64(d->rows[3].processor, 1);
    CHECK(ds_dpc_importance_name(4) == NULL);
    CHECK(ds_nt_dpcs(nt) == d);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void check_cut(size_t rows, enum ds_status why)
{
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_dpcs *d = ds_nt_dpcs(nt);
    CHECK_U64(d->count, rows);
    CHECK(!d->walk.complete);
    CHECK(d->walk.stop_reason == why);
    CHECK(d->walk.detail[0] != '\0');
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_dpcs_that_lie(void)
{
    open_dpcs(); /* a loop; the queue of the other processor is still there */
    maker_ptr(&k.m, DPC(2) + DPC_LINK, DPC(0) + DPC_LINK);
    check_cut(4, DS_LOOP);
    open_dpcs(); /* an entry that is its own next */
    maker_ptr(&k.m, DPC(1) + DPC_LINK, DPC(1) + DPC_LINK);
    check_cut(3, DS_LOOP);
    open_dpcs(); /* a link into nowhere */
    maker_ptr(&k.m, DPC(1) + DPC_LINK, 0xffffc08000999008u);
    check_cut(3, DS_NOT_MAPPED);
    open_dpcs(); /* a link to what is no KDPC */
    maker_ptr(&k.m, DPC(1) + DPC_LINK, THREAD(0) + DPC_LINK);
    check_cut(3, DS_CORRUPT);
    open_dpcs(); /* cut off: its end is not the one that its head names */
    maker_ptr(&k.m, DPC(0) + DPC_LINK, 0);
    check_cut(2, DS_CORRUPT);
    open_dpcs(); /* a KPRCB that is not there */
    maker_ptr(&k.m, PROCESSOR_BLOCK + 8, 0xffff9b00dead0180u);
    check_cut(3, DS_NOT_MAPPED);
}

static void test_details(void)
{
    kernel_open(&k);
    uint64_t p = PRCB(0);
    kernel_set(&k, p, "_KPRCB", "KernelTime", 640);
    kernel_set(&k, p, "_KPRCB", "DpcTimeCount", 5);
    kernel_set(&k, p, "_KPRCB", "DpcTimeLimit", 1280);
    kernel_set(&k, p, "_KPRCB", "DpcRoutineActive", 1);
    kernel_set(&k, p, "_KPRCB", "CurrentDpcRoutine", ROUTINE(7));
    kernel_set(&k, p, "_KPRCB", "CpuType", 23);
    kernel_set(&k, p, "_KPRCB", "CpuStep", 0x7102);
    kernel_set(&k, p, "_KPRCB", "GroupIndex", 3);
    kernel_set(&k, p, "_KPRCB", "DebuggerSavedIRQL", 2);
    kernel_set(&k, p, "_KPRCB", "ProcessorState.SpecialRegisters.Cr3", 0x1ad000);
    kernel_set(&k, dpc_data(0, 0), "_KDPC_DATA", "DpcCount", 803);
    kernel_set(&k, PRCB(1), "_KPRCB", "IdleThread", THREAD(3));
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_processor_detail *d = ds_nt_processor_details(nt);
    CHECK_U64(d[0].pcr.value, p - 0x180);
    CHECK(d[0].idle.known && d[0].idle.value == 0 && d[1].idle.value == 1);
    CHECK_U64(d[0].kernel_time.value, 640);
    CHECK_U64(d[0].dpc_time_count.value, 5);
    CHECK_U64(d[0].dpc_time_limit.value, 1280);
    CHECK_U64(d[0].dpc_routine_active.value, 1);
    CHECK_U64(d[0].current_routine.value, ROUTINE(7));
    CHECK_U64(d[0].family.value, 23);
    CHECK_U64(d[0].model.value, 113);
    CHECK_U64(d[0].stepping.value, 2);
    CHECK_U64(d[0].group_index.value, 3);
    CHECK_U64(d[0].irql.value, 2);
    CHECK_STR(d[0].irql_source, "KPRCB.DebuggerSavedIRQL");
    CHECK_U64(d[0].cr3.value, 0x1ad000);
    CHECK_U64(d[0].dpc_count.value, 803);
    CHECK(d[0].cr8.known && !d[1].cr3.known && !d[1].cr8.known);
    CHECK(!d[0].node.known); /* its ParentNode is none */
    ds_nt_close(nt);
    ds_put_le32(k.m.file + 0x38, 0x161);       /* a live dump: nothing was saved */
    maker_ptr(&k.m, p - 0x180 + 0x18, 0x1234); /* a KPCR that is somewhere else */
    nt = kernel_nt(&k);
    d = ds_nt_processor_details(nt);
    CHECK(!d[0].irql.known && d[0].irql_source == NULL);
    CHECK(!d[0].pcr.known);
    CHECK_U64(d[0].kernel_time.value, 640);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_queued_locks(void)
{
    kernel_open(&k);
    uint64_t first = PRCB(0) + kernel_offset(&k, "_KPRCB", "LockQueue");
    uint64_t second = PRCB(1) + kernel_offset(&k, "_KPRCB", "LockQueue");
    maker_ptr(&k.m, first + 7 * 16, second + 7 * 16);
    maker_ptr(&k.m, first + 7 * 16 + 8, 0xfffff80400c00100u | 2);
    maker_ptr(&k.m, second + 7 * 16 + 8, 0xfffff80400c00100u | 1);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_queued_locks *l = ds_nt_queued_locks(nt);
    CHECK(l->walk.complete);
    CHECK_U64(l->count, 2);
    CHECK(l->rows[0].held && !l->rows[1].held);
    CHECK_STR(l->rows[0].name, "IoCancel");
    CHECK_U64(l->rows[0].lock, 0xfffff80400c00100u);
    CHECK_U64(l->rows[0].next.value, second + 7 * 16);
    CHECK_U64(l->rows[1].processor, 1);
    const struct ds_processor_detail *d = ds_nt_processor_details(nt);
    CHECK_STR(d[0].queued_locks, ".......O.........");
    CHECK_STR(d[1].queued_locks, ".......W.........");
    CHECK_U64(d[0].locks_held.value, 1);
    CHECK_U64(d[0].locks_waited.value, 0);
    CHECK_U64(d[1].locks_waited.value, 1);
    ds_nt_close(nt);
    kernel_close(&k);
}

TEST_MAIN(TEST(test_dpcs), TEST(test_dpcs_that_lie), TEST(test_details), TEST(test_queued_locks))
