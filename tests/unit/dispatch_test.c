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

#define TIMER(n) (0xffffc08000610000u + (uint64_t)(n)*0x40)
#define TIMER_LINK 0x20 /* _KTIMER.TimerListEntry */
#define WAIT_NEVER (KERNEL_BASE + 0xcfc7f8u)
#define WAIT_ALWAYS (KERNEL_BASE + 0xcfc9f8u)
#define NEVER 0x5a17c03e9b44d2f3u
#define ALWAYS 0xf9d3087b6e21a5c0u
#define NOW 1100000000u

static uint64_t rotate(uint64_t v, unsigned n)
{
    return v >> n | v << (64 - n);
}

/* The inverse of decoding, written by itself. */
static uint64_t encoded(uint64_t timer, uint64_t dpc)
{
    uint64_t v = dpc ^ ALWAYS, swapped = 0;
    for (unsigned i = 0; i < 8; i++)
        swapped = swapped << 8 | (v >> (8 * i) & 0xff);
    return rotate(swapped ^ timer, NEVER & 63) ^ NEVER;
}

static uint64_t bucket(unsigned processor, unsigned n)
{
    return PRCB(processor) + kernel_offset(&k, "_KPRCB", "TimerTable") +
           kernel_offset(&k, "_KTIMER_TABLE", "TimerEntries") + n * 32u +
           kernel_offset(&k, "_KTIMER_TABLE_ENTRY", "Entry");
}

static void make_timer(unsigned n, uint64_t due, uint64_t dpc)
{
    maker_put(&k.m, TIMER(n), 8 + n % 2, 8);
    maker_put(&k.m, TIMER(n) + kernel_offset(&k, "_KTIMER", "DueTime"), due, 8);
    kernel_set(&k, TIMER(n), "_KTIMER", "Period", 100 * n);
    maker_ptr(&k.m, TIMER(n) + kernel_offset(&k, "_KTIMER", "Dpc"), dpc);
}

/* Every list is empty but one, which has two timers: one with a DPC, one without. */
static void open_timers(void)
{
    uint64_t at[2] = {TIMER(0) + TIMER_LINK, TIMER(1) + TIMER_LINK};
    kernel_open(&k);
    for (unsigned p = 0; p < 2; p++)
        for (unsigned i = 0; i < 512; i++)
            kernel_list(&k, bucket(p, i), NULL, 0);
    make_dpc(0, 19);
    make_timer(0, NOW + 15000000, encoded(TIMER(0), DPC(0)));
    make_timer(1, NOW - 2500000, encoded(TIMER(1), 0));
    kernel_list(&k, bucket(1, 7), at, 2);
    maker_put(&k.m, WAIT_NEVER, NEVER, 8);
    maker_put(&k.m, WAIT_ALWAYS, ALWAYS, 8);
    maker_put(&k.m, SHARED_DATA + 8, NOW, 8);
}

static void test_timers(void)
{
    open_timers();
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_timers *t = ds_nt_timers(nt);
    CHECK(t->walk.complete);
    CHECK_U64(t->count, 2);
    CHECK_U64(t->rows[0].ktimer, TIMER(0));
    CHECK_U64(t->rows[0].processor.value, 1);
    CHECK_U64(t->rows[0].bucket, 7);
    CHECK_U64(t->rows[0].due_in_ms.value, 1500);
    CHECK_STR(t->rows[0].dpc_state, "decoded");
    CHECK_U64(t->rows[0].dpc.value, DPC(0));
    CHECK_U64(t->rows[0].routine.value, ROUTINE(0));
    CHECK(t->rows[0].synchronization.value == 0 && t->rows[1].synchronization.value == 1);
    CHECK_U64(t->rows[1].due_in_ms.value, (uint64_t)-250);
    CHECK_U64(t->rows[1].period.value, 100);
    CHECK_STR(t->rows[1].dpc_state, "none");
    CHECK(t->rows[1].dpc.known && t->rows[1].dpc.value == 0);
    CHECK(!t->rows[1].routine.known && !t->rows[1].thread.known);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_timers_that_lie(void)
{
    open_timers(); /* other keys: what comes out leads to no KDPC */
    maker_put(&k.m, WAIT_NEVER, NEVER + 2, 8);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_timers *t = ds_nt_timers(nt);
    CHECK_U64(t->count, 2);
    CHECK_STR(t->rows[0].dpc_state, "corrupt");
    CHECK(!t->rows[0].dpc.known && !t->rows[0].routine.known);
    ds_nt_close(nt);
    maker_put(&k.m, WAIT_NEVER, 0, 8); /* no keys at all */
    maker_put(&k.m, WAIT_ALWAYS, 0, 8);
    nt = kernel_nt(&k);
    t = ds_nt_timers(nt);
    CHECK_STR(t->rows[0].dpc_state, "encoded");
    CHECK(!t->rows[0].dpc.known);
    ds_nt_close(nt);
    kernel_close(&k);
    open_timers(); /* a list that loops, and one that leads to what is no timer */
    maker_ptr(&k.m, TIMER(1) + TIMER_LINK, TIMER(0) + TIMER_LINK);
    maker_ptr(&k.m, bucket(0, 3), THREAD(0) + TIMER_LINK);
    nt = kernel_nt(&k);
    t = ds_nt_timers(nt);
    CHECK_U64(t->count, 2); /* the other way round nothing is missing */
    CHECK(t->walk.complete && t->walk.detail[0] != '\0');
    ds_nt_close(nt);
    maker_ptr(&k.m, bucket(0, 3) + 8, 0); /* lost from both ends */
    nt = kernel_nt(&k);
    CHECK(!ds_nt_timers(nt)->walk.complete);
    ds_nt_close(nt);
    kernel_close(&k);
}

#define LISTS(p) (PRCB(p) + kernel_offset(&k, "_KPRCB", "DispatcherReadyListHead"))
#define WAIT_LINK(n) (THREAD(n) + kernel_offset(&k, "_KTHREAD", "WaitListEntry"))

/* Thread 1 is ready on processor 0 at priority 9; thread 2 says so and stands in no list. */
static void open_ready(void)
{
    uint64_t at[1];
    kernel_open(&k);
    for (unsigned p = 0; p < 2; p++)
        for (unsigned i = 0; i < 32; i++)
            kernel_list(&k, LISTS(p) + i * 16, NULL, 0);
    for (unsigned i = 0; i < 6; i++)
        maker_put(&k.m, THREAD(i), 6, 1);
    for (unsigned p = 0; p < 2; p++) {
        kernel_set(&k, PRCB(p), "_KPRCB", "SharedReadyQueue", 0);
        maker_ptr(&k.m, PRCB(p) + kernel_offset(&k, "_KPRCB", "DeferredReadyListHead"), 0);
    }
    kernel_set(&k, THREAD(1), "_KTHREAD", "State", 1);
    kernel_set(&k, THREAD(1), "_KTHREAD", "Priority", 9);
    kernel_set(&k, THREAD(2), "_KTHREAD", "State", 1);
    at[0] = WAIT_LINK(1);
    kernel_list(&k, LISTS(0) + 9 * 16, at, 1);
}

static void test_ready(void)
{
    open_ready();
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_ready_threads *r = ds_nt_ready_threads(nt);
    CHECK(r->walk.complete);
    CHECK_U64(r->count, 2);
    CHECK_U64(r->rows[0].ethread, THREAD(1));
    CHECK_STR(r->rows[0].source, "DispatcherReadyListHead");
    CHECK_U64(r->rows[0].priority.value, 9);
    CHECK(r->rows[0].processor.known && r->rows[0].processor.value == 0);
    CHECK_U64(r->rows[0].pid.value, 4);
    CHECK_STR(r->rows[1].source, "KTHREAD.State");
    CHECK(!r->rows[1].processor.known);
    ds_nt_close(nt);
    maker_ptr(&k.m, LISTS(1), PROCESS(0)); /* a list that leads to a process, from both ends */
    maker_ptr(&k.m, LISTS(1) + 8, PROCESS(0));
    nt = kernel_nt(&k);
    r = ds_nt_ready_threads(nt);
    CHECK_U64(r->count, 2);
    CHECK(!r->walk.complete);
    ds_nt_close(nt);
    maker_ptr(&k.m, PRCB(1) + kernel_offset(&k, "_KPRCB", "SharedReadyQueue"), 0x1234);
    nt = kernel_nt(&k);
    CHECK(!ds_nt_ready_threads(nt)->walk.complete);
    ds_nt_close(nt);
    kernel_close(&k);
}

#define QUEUE 0xffffc08000620000u
#define ITEM(n) (0xffffc08000630000u + (uint64_t)(n)*0x80)

/* Two threads of System serve a queue; two items wait at priority 12, the first of a driver. */
static void open_queue(void)
{
    uint64_t threads[2], items[2] = {ITEM(0), ITEM(1)};
    kernel_open(&k);
    uint64_t link = kernel_offset(&k, "_KTHREAD", "QueueListEntry");
    maker_put(&k.m, QUEUE, 21, 8);
    kernel_set(&k, QUEUE, "_KPRIQUEUE", "MaximumCount", 2);
    for (unsigned i = 0; i < 32; i++)
        kernel_list(&k, QUEUE + 24 + i * 16, NULL, 0);
    kernel_list(&k, QUEUE + 24 + 12 * 16, items, 2);
    for (unsigned i = 0; i < 2; i++) {
        threads[i] = THREAD(i) + link;
        kernel_set(&k, THREAD(i), "_KTHREAD", "Queue", QUEUE);
        maker_ptr(&k.m, ITEM(i) + 0x10, ROUTINE(i));
        maker_ptr(&k.m, ITEM(i) + 0x18, i == 0 ? ITEM(0) : 0x1234);
    }
    maker_ptr(&k.m, ITEM(0) + 0x20, ROUTINE(5)); /* _IO_WORKITEM.Routine */
    maker_ptr(&k.m, ITEM(0) + 0x28, 0x5000);
    kernel_list(&k, QUEUE + kernel_offset(&k, "_KPRIQUEUE", "ThreadListHead"), threads, 2);
    kernel_set(&k, THREAD(1), "_KTHREAD", "WaitReason", 0);
}

static void test_work(void)
{
    open_queue();
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_worker_queues *q = ds_nt_worker_queues(nt);
    CHECK(q->walk.complete);
    CHECK_U64(q->count, 1);
    CHECK_STR(q->rows[0].kind, "priority");
    CHECK_U64(q->rows[0].items.value, 2);
    CHECK_U64(q->rows[0].threads.value, 2);
    CHECK_U64(q->rows[0].waiting.value, 1);
    CHECK_U64(q->rows[0].blocked.value, 1);
    CHECK_U64(q->rows[0].maximum.value, 2);
    const struct ds_work_items *w = ds_nt_work_items(nt);
    CHECK(w->walk.complete);
    CHECK_U64(w->count, 2);
    CHECK_U64(w->rows[0].routine.value, ROUTINE(0));
    CHECK_U64(w->rows[0].driver_routine.value, ROUTINE(5));
    CHECK_U64(w->rows[0].device.value, 0x5000);
    CHECK_U64(w->rows[0].priority.value, 12);
    CHECK(!w->rows[1].driver_routine.known);
    ds_nt_close(nt);
    maker_ptr(&k.m, ITEM(1), ITEM(0)); /* items that loop, and a head that leads nowhere back */
    maker_ptr(&k.m, QUEUE + 24 + 12 * 16 + 8, 0);
    maker_ptr(&k.m, THREAD(0) + kernel_offset(&k, "_KTHREAD", "Queue"), 0xffffc08000999000u);
    nt = kernel_nt(&k);
    q = ds_nt_worker_queues(nt);
    CHECK_U64(q->count, 1); /* what the first thread names is no queue */
    CHECK(!q->walk.complete);
    CHECK(!ds_nt_work_items(nt)->walk.complete);
    CHECK_U64(ds_nt_work_items(nt)->count, 2);
    ds_nt_close(nt);
    kernel_close(&k);
}

TEST_MAIN(TEST(test_dpcs), TEST(test_dpcs_that_lie), TEST(test_details), TEST(test_queued_locks),
          TEST(test_timers), TEST(test_timers_that_lie), TEST(test_ready), TEST(test_work))
