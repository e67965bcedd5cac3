/* Waits that need more than a wait block to be followed, on a made kernel, whole and made to lie.
 */
#include "nt/wait_graph.h"

#include "kernel_maker.h"

#define EVENT(n) (0xffffc08000510000u + (uint64_t)(n)*0x40)
#define MUTEX 0xffffc08000520000u
#define LOCK 0xffffc08000521000u
#define MESSAGE 0xffffc08000522000u
#define PORT 0xffffc08000523000u
#define IRP(n) (0xffffc08000524000u + (uint64_t)(n)*0x200)
#define DEVICE 0xffffc08000526000u
#define DRIVER 0xffffc08000527000u
#define FILE_OBJECT 0xffffc08000528000u
#define HOLE 0xffffc08000999000u
#define WR_LPC_REPLY 17
#define WR_PUSH_LOCK 28
#define WR_FAST_MUTEX 34

static struct kernel k;

/* Six threads that run, own nothing and have no IRPs. */
static void open_threads(void)
{
    kernel_open(&k);
    kernel_kdbg(&k, "ExpSystemResourcesList", KERNEL_BASE + 0xc16890);
    kernel_list(&k, KERNEL_BASE + 0xc16890, NULL, 0);
    for (unsigned i = 0; i < 6; i++) {
        kernel_set(&k, THREAD(i), "_KTHREAD", "State", 2);
        maker_put(&k.m, THREAD(i), 6, 1);
        kernel_list(&k, THREAD(i) + kernel_offset(&k, "_ETHREAD", "IrpList"), NULL, 0);
    }
}

static void wait_on(unsigned thread, uint64_t object, unsigned reason)
{
    uint64_t block = THREAD(thread) + kernel_offset(&k, "_KTHREAD", "WaitBlock");
    kernel_set(&k, THREAD(thread), "_KTHREAD", "State", 5);
    kernel_set(&k, THREAD(thread), "_KTHREAD", "WaitReason", reason);
    kernel_set(&k, THREAD(thread), "_KTHREAD", "WaitBlockList", block);
    kernel_set(&k, THREAD(thread), "_KTHREAD", "WaitBlockCount", 1);
    kernel_set(&k, block, "_KWAIT_BLOCK", "Thread", THREAD(thread));
    kernel_set(&k, block, "_KWAIT_BLOCK", "Object", object);
    kernel_set(&k, block, "_KWAIT_BLOCK", "WaitType", 1);
    maker_put(&k.m, object, 1, 1); /* a synchronization event */
}

/* What became of the only wait: its edge, or NULL; the row of its kind. */
struct outcome {
    struct ds_nt *nt;
    const struct ds_wait_graph *graph;
    const struct ds_wait_edge *edge;
    const struct ds_wait_kind *kind;
};

static struct outcome follow(enum ds_wait_kind_number kind)
{
    struct outcome o = {.nt = kernel_nt(&k)};
    o.graph = ds_nt_wait_graph(o.nt);
    o.edge = o.graph->edge_count == 0 ? NULL : o.graph->edges;
    o.kind = &o.graph->kinds[kind];
    return o;
}

static void done(struct outcome *o)
{
    ds_nt_close(o->nt);
    kernel_close(&k);
}

/* Thread 4 waits for a fast mutex. */
static void open_mutex(uint64_t owner)
{
    open_threads();
    kernel_set(&k, MUTEX, "_FAST_MUTEX", "Owner", owner);
    kernel_set(&k, MUTEX, "_FAST_MUTEX", "Contention", 1);
    wait_on(4, MUTEX + kernel_offset(&k, "_FAST_MUTEX", "Event"), WR_FAST_MUTEX);
}

static void test_fast_mutex(void)
{
    open_mutex(THREAD(4)); /* the thread itself */
    struct outcome o = follow(DS_WAIT_FAST_MUTEX);
    CHECK_U64(o.graph->edge_count, 1);
    CHECK_STR(o.edge->kind, "fast mutex");
    CHECK_U64(o.edge->object, MUTEX);
    CHECK(o.edge->lock && o.edge->closes);
    CHECK_U64(o.graph->head_count, 1);
    CHECK_STR(o.graph->heads[0].deadlock, "deadlock");
    CHECK_U64(o.graph->heads[0].members, 1);
    done(&o);
    open_mutex(0); /* it is being handed over */
    o = follow(DS_WAIT_FAST_MUTEX);
    CHECK(o.edge == NULL && o.graph->kind_walk.complete);
    CHECK(o.kind->waiting == 1 && o.kind->followed == 0 && o.kind->lost != NULL);
    done(&o);
    open_mutex(EVENT(3)); /* no thread */
    maker_put(&k.m, EVENT(3), 1, 1);
    o = follow(DS_WAIT_FAST_MUTEX);
    CHECK(o.edge == NULL && o.kind->lost != NULL);
    done(&o);
    open_mutex(HOLE);
    o = follow(DS_WAIT_FAST_MUTEX);
    CHECK(o.edge == NULL && !o.graph->kind_walk.complete);
    CHECK(o.graph->kind_walk.stop_reason == DS_NOT_MAPPED);
    done(&o);
}

static void entry(unsigned thread, unsigned number, uint64_t lock, bool waits)
{
    uint32_t size = 0;
    if (ds_layout_size(k.layout, "_KLOCK_ENTRY", &size) != DS_OK)
        abort();
    uint64_t at = THREAD(thread) + kernel_offset(&k, "_ETHREAD", "LockEntries") + number * size;
    maker_put(&k.m, at + kernel_offset(&k, "_KLOCK_ENTRY", "LockUnsafe"), lock, 8);
    maker_put(&k.m, at + kernel_offset(&k, "_KLOCK_ENTRY", "WaitingBit"), waits, 1);
    maker_put(&k.m, at + kernel_offset(&k, "_KLOCK_ENTRY", "AcquiredByte"), !waits, 1);
}

/* Thread 1 waits for a push lock that 2 and 4 share. */
static void open_push_lock(void)
{
    open_threads();
    maker_put(&k.m, LOCK, 0xffffb40000001000u | 3, 8);
    entry(1, 5, LOCK, true);
    entry(2, 0, LOCK & ~(1ull << 63), false);
    entry(2, 1, LOCK + 8, false);
    entry(4, 3, LOCK | 1, false);
    for (unsigned i = 0; i < 6; i++) /* entries are read as a whole: the last must be there */
        if (i != 1)
            entry(i, 5, 0, false);
    wait_on(1, EVENT(0), WR_PUSH_LOCK);
}

static void test_push_lock(void)
{
    open_push_lock();
    struct outcome o = follow(DS_WAIT_PUSH_LOCK);
    CHECK(o.kind->lacks == NULL);
    CHECK_U64(o.kind->followed, 1);
    CHECK_U64(o.graph->edge_count, 2);
    CHECK_U64(o.edge->object, LOCK);
    CHECK_STR(o.edge->kind, "push lock");
    CHECK(o.edge[0].owner + o.edge[1].owner == THREAD(2) + THREAD(4));
    done(&o);
    open_push_lock(); /* the lock is free: the entries are old */
    maker_put(&k.m, LOCK, 0, 8);
    o = follow(DS_WAIT_PUSH_LOCK);
    CHECK(o.edge == NULL && o.kind->waiting == 1 && o.kind->lost != NULL);
    done(&o);
    open_push_lock(); /* a thread that waits for two locks at once */
    entry(1, 0, LOCK + 8, true);
    o = follow(DS_WAIT_PUSH_LOCK);
    CHECK(o.edge == NULL && o.kind->lost != NULL);
    done(&o);
    open_push_lock(); /* a lock that is not there */
    entry(1, 5, HOLE, true);
    o = follow(DS_WAIT_PUSH_LOCK);
    CHECK(o.edge == NULL && o.kind->lost != NULL);
    done(&o);
}

/* Thread 1 waits for the reply to a message that thread 5 serves; its port is process 2's. */
static void open_message(uint64_t server)
{
    open_threads();
    kernel_set(&k, THREAD(1), "_ETHREAD", "AlpcMessage", MESSAGE);
    kernel_set(&k, MESSAGE, "_KALPC_MESSAGE", "WaitingThread", THREAD(1));
    kernel_set(&k, MESSAGE, "_KALPC_MESSAGE", "ServerThread", server);
    kernel_set(&k, MESSAGE, "_KALPC_MESSAGE", "PortQueue", 0);
    kernel_set(&k, MESSAGE, "_KALPC_MESSAGE", "ConnectionPort", PORT);
    kernel_set(&k, PORT, "_ALPC_PORT", "OwnerProcess", PROCESS(2));
    maker_put(&k.m, PROCESS(2), 3, 1);
    wait_on(1, THREAD(1) + kernel_offset(&k, "_ETHREAD", "AlpcWaitSemaphore"), WR_LPC_REPLY);
}

static void test_message(void)
{
    open_message(THREAD(5));
    struct outcome o = follow(DS_WAIT_ALPC);
    CHECK_U64(o.graph->edge_count, 1);
    CHECK_STR(o.edge->kind, "ALPC");
    CHECK_U64(o.edge->owner, THREAD(5));
    CHECK(!o.edge->lock && o.edge->closes);
    done(&o);
    open_message(0); /* nobody has received it */
    o = follow(DS_WAIT_ALPC);
    CHECK_U64(o.graph->edge_count, 1);
    CHECK_STR(o.edge->owner_kind, "process");
    CHECK_U64(o.edge->owner, PROCESS(2));
    CHECK_STR(o.edge->owner_name, "very-long-name");
    CHECK(!o.edge->closes);
    CHECK_STR(o.graph->heads[0].kind, "process");
    done(&o);
    open_message(THREAD(5)); /* the message is another thread's */
    kernel_set(&k, MESSAGE, "_KALPC_MESSAGE", "WaitingThread", THREAD(2));
    o = follow(DS_WAIT_ALPC);
    CHECK(o.edge == NULL && o.kind->lost != NULL && o.graph->kind_walk.complete);
    done(&o);
    open_message(THREAD(5));
    kernel_set(&k, THREAD(1), "_ETHREAD", "AlpcMessage", HOLE);
    o = follow(DS_WAIT_ALPC);
    CHECK(o.edge == NULL && o.kind->lost != NULL && !o.graph->kind_walk.complete);
    done(&o);
}

/* Thread 4 has three IRPs, and waits for the end of the second by its event. */
static void open_irps(void)
{
    uint64_t at[3];
    open_threads();
    for (unsigned i = 0; i < 3; i++) {
        at[i] = IRP(i) + kernel_offset(&k, "_IRP", "ThreadListEntry");
        maker_put(&k.m, IRP(i) + 0x1f8, 0, 8);
        kernel_set(&k, IRP(i), "_IRP", "Type", 6);
        kernel_set(&k, IRP(i), "_IRP", "StackCount", 2);
        kernel_set(&k, IRP(i), "_IRP", "CurrentLocation", 2);
        kernel_set(&k, IRP(i), "_IRP", "UserEvent", i == 1 ? EVENT(0) : EVENT(1));
        kernel_set(&k, IRP(i), "_IRP", "Tail.Overlay.CurrentStackLocation", IRP(i) + 0x118);
        kernel_set(&k, IRP(i) + 0x118, "_IO_STACK_LOCATION", "DeviceObject", DEVICE);
    }
    kernel_list(&k, THREAD(4) + kernel_offset(&k, "_ETHREAD", "IrpList"), at, 3);
    kernel_set(&k, DEVICE, "_DEVICE_OBJECT", "Type", 3);
    kernel_set(&k, DEVICE, "_DEVICE_OBJECT", "DriverObject", DRIVER);
    kernel_set(&k, DRIVER, "_DRIVER_OBJECT", "Type", 4);
    wait_on(4, EVENT(0), 0);
}

static void test_irp(void)
{
    open_irps();
    struct outcome o = follow(DS_WAIT_IRP);
    CHECK_U64(o.graph->edge_count, 1);
    CHECK_STR(o.edge->kind, "IRP");
    CHECK_STR(o.edge->owner_kind, "driver");
    CHECK_U64(o.edge->object, IRP(1));
    CHECK_U64(o.edge->owner, DRIVER);
    CHECK(!o.edge->closes && !o.edge->lock);
    CHECK_U64(o.edge->owner_ended.value, 0);
    done(&o);
    open_irps(); /* by the event of its file */
    kernel_set(&k, IRP(2), "_IRP", "Tail.Overlay.OriginalFileObject", FILE_OBJECT);
    wait_on(4, FILE_OBJECT + kernel_offset(&k, "_FILE_OBJECT", "Event"), 0);
    o = follow(DS_WAIT_IRP);
    CHECK_U64(o.graph->edge_count, 1);
    CHECK_U64(o.edge->object, IRP(2));
    done(&o);
    open_irps(); /* completed: nobody holds it */
    kernel_set(&k, IRP(1), "_IRP", "CurrentLocation", 3);
    o = follow(DS_WAIT_IRP);
    CHECK(o.edge == NULL && o.kind->waiting == 1 && o.kind->lost != NULL);
    CHECK(o.graph->kind_walk.complete);
    done(&o);
    open_irps(); /* what is no driver */
    kernel_set(&k, DRIVER, "_DRIVER_OBJECT", "Type", 5);
    o = follow(DS_WAIT_IRP);
    CHECK(o.edge == NULL && o.kind->lost != NULL);
    done(&o);
    open_irps(); /* a list that loops past its head still gives all that is in it */
    uint64_t links = kernel_offset(&k, "_IRP", "ThreadListEntry");
    uint64_t head = THREAD(4) + kernel_offset(&k, "_ETHREAD", "IrpList");
    maker_ptr(&k.m, IRP(2) + links, IRP(1) + links);
    maker_ptr(&k.m, head + 8, HOLE); /* from the other end it leads nowhere */
    o = follow(DS_WAIT_IRP);
    CHECK_U64(o.graph->edge_count, 1);
    CHECK(!o.graph->kind_walk.complete && o.graph->kind_walk.stop_reason == DS_LOOP);
    done(&o);
}

/* ---- cycles ---- */

#define MUTANT(n) (0xffffc0800052a000u + (uint64_t)(n)*0x40)

static void own_mutant(unsigned mutant, unsigned thread)
{
    maker_put(&k.m, MUTANT(mutant), 2, 1);
    kernel_set(&k, MUTANT(mutant), "_KMUTANT", "OwnerThread", THREAD(thread));
}

/* Two objects; the wait ends by any of them, or by all. */
static void wait_on_two(unsigned thread, uint64_t a, uint64_t b, bool any)
{
    uint64_t block = THREAD(thread) + kernel_offset(&k, "_KTHREAD", "WaitBlock");
    kernel_set(&k, THREAD(thread), "_KTHREAD", "State", 5);
    kernel_set(&k, THREAD(thread), "_KTHREAD", "WaitBlockList", block);
    kernel_set(&k, THREAD(thread), "_KTHREAD", "WaitBlockCount", 2);
    for (unsigned i = 0; i < 2; i++) {
        kernel_set(&k, block + i * 0x30, "_KWAIT_BLOCK", "Thread", THREAD(thread));
        kernel_set(&k, block + i * 0x30, "_KWAIT_BLOCK", "Object", i == 0 ? a : b);
        kernel_set(&k, block + i * 0x30, "_KWAIT_BLOCK", "WaitType", any);
    }
}

/* 0 waits for any of what 2 owns and an event; 1 for what 2 owns; 2 for what 0 and 1 own: all. */
static void open_two_cycles(bool certain)
{
    open_threads();
    for (unsigned i = 0; i < 4; i++)
        own_mutant(i, i == 3 ? 2 : i);
    maker_put(&k.m, EVENT(0), 1, 1);
    wait_on_two(0, MUTANT(2), EVENT(0), true);
    wait_on_two(1, MUTANT(3), EVENT(0), !certain);
    wait_on_two(2, MUTANT(0), MUTANT(1), false);
}

static void test_cycles(void)
{
    char text[100];
    open_two_cycles(true); /* 1 and 2 wait for each other, whatever becomes of 0 */
    struct outcome o = follow(DS_WAIT_MUTANT);
    CHECK_U64(o.graph->edge_count, 4);
    CHECK_U64(o.graph->head_count, 1);
    CHECK_U64(o.graph->heads[0].members, 3);
    CHECK_U64(o.graph->heads[0].head, THREAD(1));
    CHECK_STR(o.graph->heads[0].deadlock, "deadlock");
    snprintf(text, sizeof(text), "%016llx -> %016llx -> %016llx", (unsigned long long)THREAD(1),
             (unsigned long long)THREAD(2), (unsigned long long)THREAD(1));
    CHECK_STR(o.graph->heads[0].chain, text);
    done(&o);
    open_two_cycles(false);
    o = follow(DS_WAIT_MUTANT);
    CHECK_U64(o.graph->head_count, 1);
    CHECK_STR(o.graph->heads[0].deadlock, "possible");
    snprintf(text, sizeof(text), "%016llx -> %016llx -> %016llx", (unsigned long long)THREAD(0),
             (unsigned long long)THREAD(2), (unsigned long long)THREAD(0));
    CHECK_STR(o.graph->heads[0].chain, text);
    done(&o);
}

static void test_way_into_a_cycle(void)
{
    open_threads(); /* 0 certainly waits for 1, and 1 and 2 for each other; 2 perhaps for 0 */
    own_mutant(0, 0);
    own_mutant(1, 1);
    own_mutant(2, 2);
    own_mutant(3, 1);
    wait_on_two(0, MUTANT(1), EVENT(0), false);
    wait_on_two(1, MUTANT(2), EVENT(0), false);
    wait_on_two(2, MUTANT(0), MUTANT(3), true);
    maker_put(&k.m, EVENT(0), 1, 1);
    struct outcome o = follow(DS_WAIT_MUTANT);
    CHECK_U64(o.graph->heads[0].members, 3);
    CHECK_STR(o.graph->heads[0].deadlock, "possible");
    done(&o);
    open_threads(); /* the way from 0 into the cycle is no part of it */
    own_mutant(1, 1);
    own_mutant(2, 2);
    wait_on(0, MUTANT(1), 6);
    wait_on(1, MUTANT(2), 6);
    wait_on(2, MUTANT(1), 6);
    for (unsigned i = 1; i < 3; i++)
        maker_put(&k.m, MUTANT(i), 2, 1);
    o = follow(DS_WAIT_MUTANT);
    CHECK_U64(o.graph->head_count, 1);
    CHECK_U64(o.graph->heads[0].head, THREAD(1));
    CHECK_U64(o.graph->heads[0].members, 2);
    CHECK_U64(o.graph->heads[0].blocked.value, 3);
    CHECK_U64(o.graph->chain_count, 1);
    CHECK_U64(o.graph->chains[0].length, 3);
    done(&o);
}

TEST_MAIN(TEST(test_cycles), TEST(test_way_into_a_cycle), TEST(test_fast_mutex),
          TEST(test_push_lock), TEST(test_message), TEST(test_irp))
