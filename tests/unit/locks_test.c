/* Executive resources and the wait graph on a made kernel, whole and made to lie. */
#include "nt/wait_graph.h"

#include "kernel_maker.h"

#define LIST (KERNEL_BASE + 0xc16890u)
#define RESOURCE(n) (0xffffc08000500000u + (uint64_t)(n)*0x80)
#define OWNERS 0xffffc08000510000u
#define MUTANT(n) (0xffffc08000520000u + (uint64_t)(n)*0x40)
#define CHAIN(n) (STACK_TOP(n) - 0x400)
#define CHAIN_EVENT 0x18
#define WR_RESOURCE 27

static struct kernel k;

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
}

static void own(unsigned resource, uint64_t owner)
{
    uint64_t at = RESOURCE(resource) + kernel_offset(&k, "_ERESOURCE", "OwnerEntry");
    kernel_set(&k, at, "_OWNER_ENTRY", "OwnerThread", owner);
    maker_put(&k.m, at + kernel_offset(&k, "_OWNER_ENTRY", "OwnerCount"), 1u << 3, 4);
    kernel_set(&k, RESOURCE(resource), "_ERESOURCE", "Flag", 0x80);
}

/* `thread` waits alone for exclusive access. */
static void want(unsigned resource, unsigned thread)
{
    kernel_set(&k, RESOURCE(resource), "_ERESOURCE", "ExclusiveWaiters", CHAIN(thread));
    kernel_set(&k, RESOURCE(resource), "_ERESOURCE", "NumberOfExclusiveWaiters", 1);
    maker_ptr(&k.m, CHAIN(thread), CHAIN(thread));
    maker_ptr(&k.m, CHAIN(thread) + 8, CHAIN(thread));
    maker_ptr(&k.m, CHAIN(thread) + 0x10, THREAD(thread));
    maker_put(&k.m, CHAIN(thread) + CHAIN_EVENT, 1, 1);
    wait_on(thread, CHAIN(thread) + CHAIN_EVENT, WR_RESOURCE);
}

/* Threads 1 and 2 wait for each other; 4 waits for 1; 0 and 3 run. Three resources. */
static void open_locks(void)
{
    uint64_t at[3];
    kernel_open(&k);
    kernel_kdbg(&k, "ExpSystemResourcesList", LIST);
    for (unsigned i = 0; i < 3; i++) {
        at[i] = RESOURCE(i);
        maker_put(&k.m, RESOURCE(i) + 0x60, 0, 8);
    }
    kernel_list(&k, LIST, at, 3);
    for (unsigned i = 0; i < 6; i++) {
        kernel_set(&k, THREAD(i), "_KTHREAD", "State", 2);
        maker_put(&k.m, THREAD(i), 6, 1);
    }
    own(0, THREAD(1));
    own(1, THREAD(2));
    own(2, THREAD(1));
    want(0, 2);
    want(1, 1);
    want(2, 4);
}

static void test_deadlock(void)
{
    open_locks();
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_eresources *e = ds_nt_eresources(nt);
    CHECK_U64(e->count, 3);
    CHECK(e->walk.complete && e->owner_walk.complete && e->waiter_walk.complete);
    CHECK_U64(e->owner_count, 3);
    CHECK_U64(e->waiter_count, 3);
    CHECK(e->owners[0].owns.known && e->owners[0].owns.value == 1);
    CHECK_U64(e->owners[0].count.value, 1);
    const struct ds_wait_graph *g = ds_nt_wait_graph(nt);
    CHECK(g->edge_walk.complete);
    CHECK_U64(g->edge_count, 3);
    CHECK_U64(g->head_count, 1);
    CHECK_STR(g->heads[0].kind, "cycle");
    CHECK_STR(g->heads[0].deadlock, "deadlock");
    CHECK_U64(g->heads[0].head, THREAD(1));
    CHECK_U64(g->heads[0].members, 2);
    CHECK_U64(g->heads[0].blocked.value, 3);
    CHECK_U64(g->heads[0].depth, 3);
    CHECK_U64(g->chain_count, 1);
    CHECK_U64(g->chains[0].waiter, THREAD(4));
    CHECK_U64(g->chains[0].length, 3);
    CHECK(g->chains[0].cycle);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_entry_must_be_proved(void)
{
    open_locks(); /* the entry names another thread */
    maker_ptr(&k.m, CHAIN(4) + 0x10, THREAD(5));
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_eresources *e = ds_nt_eresources(nt);
    CHECK_U64(e->waiter_count, 2);
    CHECK(!e->waiter_walk.complete);
    CHECK(e->rows[2].waiters_why != NULL);
    CHECK(!ds_nt_wait_graph(nt)->edge_walk.complete);
    ds_nt_close(nt);
    kernel_close(&k);
    open_locks(); /* the resource's pointer is lost, and no neighbour tells whose waiter it is */
    kernel_set(&k, RESOURCE(2), "_ERESOURCE", "ExclusiveWaiters", 0);
    nt = kernel_nt(&k);
    e = ds_nt_eresources(nt);
    CHECK_U64(e->waiter_count, 2);
    CHECK(!e->waiter_walk.complete);
    ds_nt_close(nt);
    kernel_close(&k);
    open_locks(); /* a neighbour in the same chain tells */
    kernel_set(&k, RESOURCE(2), "_ERESOURCE", "ExclusiveWaiters", CHAIN(5));
    kernel_set(&k, RESOURCE(2), "_ERESOURCE", "NumberOfExclusiveWaiters", 2);
    want(3, 5);
    maker_ptr(&k.m, CHAIN(5), 0); /* its links are lost */
    maker_ptr(&k.m, CHAIN(5) + 8, 0);
    maker_ptr(&k.m, CHAIN(4), CHAIN(5));
    nt = kernel_nt(&k);
    e = ds_nt_eresources(nt);
    CHECK_U64(e->waiter_count, 4);
    CHECK_U64(e->rows[2].exclusive_found, 2);
    CHECK_STR(e->waiters[3].source, "wait chain of another waiter");
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_lists_that_lie(void)
{
    open_locks(); /* a Flink into nowhere: the rest comes from the other end */
    maker_ptr(&k.m, RESOURCE(0), 0xffffc08000999000u);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_eresources *e = ds_nt_eresources(nt);
    CHECK(e->walk.complete);
    CHECK_U64(e->count, 3);
    CHECK(strstr(e->walk.detail, "resumed by Blink") != NULL);
    ds_nt_close(nt);
    maker_ptr(&k.m, RESOURCE(2) + 8, 0); /* and the other way breaks as well */
    nt = kernel_nt(&k);
    e = ds_nt_eresources(nt);
    CHECK(!e->walk.complete && e->walk.stop_reason == DS_NOT_MAPPED);
    CHECK_U64(e->count, 2);
    ds_nt_close(nt);
    kernel_close(&k);
    open_locks(); /* a loop that misses the head */
    maker_ptr(&k.m, RESOURCE(2), RESOURCE(1));
    nt = kernel_nt(&k);
    e = ds_nt_eresources(nt);
    CHECK_U64(e->count, 3);
    CHECK(e->walk.complete); /* Blink knows that none comes after */
    ds_nt_close(nt);
    kernel_close(&k);
    open_locks(); /* an owner table that says it has four billion entries */
    kernel_set(&k, RESOURCE(0), "_ERESOURCE", "OwnerTable", OWNERS);
    maker_put(&k.m, OWNERS + kernel_offset(&k, "_OWNER_ENTRY", "TableSize"), 0xffffffff, 4);
    nt = kernel_nt(&k);
    e = ds_nt_eresources(nt);
    CHECK(!e->owner_walk.complete);
    CHECK_U64(e->owner_count, 3);
    CHECK(!ds_nt_wait_graph(nt)->edge_walk.complete);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_owner_pointers(void)
{
    open_locks();
    own(0, THREAD(1) | 3);
    own(1, RESOURCE(2) | 3);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_eresources *e = ds_nt_eresources(nt);
    CHECK(e->owners[0].owner_pointer);
    CHECK_U64(e->owners[0].thread.value, THREAD(1));
    CHECK(e->owners[1].owner_pointer && !e->owners[1].thread.known);
    CHECK(!ds_nt_wait_graph(nt)->edge_walk.complete); /* who blocks thread 1 cannot be told */
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_mutants(void)
{
    open_locks();
    for (unsigned i = 0; i < 2; i++) {
        maker_put(&k.m, MUTANT(i), 2, 1);
        kernel_set(&k, MUTANT(i), "_KMUTANT", "OwnerThread", THREAD(3 + i * 2));
    }
    wait_on(5, MUTANT(0), 6);
    wait_on(3, MUTANT(1), 6);
    kernel_set(&k, THREAD(3), "_KTHREAD", "TimerActive", 1);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_wait_graph *g = ds_nt_wait_graph(nt);
    CHECK_U64(g->edge_count, 5);
    CHECK_U64(g->head_count, 2);
    CHECK_STR(g->heads[1].deadlock, "possible");
    CHECK_U64(g->heads[1].blocked.value, 2);
    ds_nt_close(nt);
    kernel_close(&k);
}

TEST_MAIN(TEST(test_deadlock), TEST(test_entry_must_be_proved), TEST(test_lists_that_lie),
          TEST(test_owner_pointers), TEST(test_mutants))
