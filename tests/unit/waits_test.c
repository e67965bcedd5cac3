/* What threads wait for and the mutants they own, on a made kernel, whole and made to lie. */
#include "nt/mutants.h"

#include "kernel_maker.h"

#define EVENT(n) (0xffffc08000510000u + (uint64_t)(n)*0x40)
#define MUTANT(n) (0xffffc08000520000u + (uint64_t)(n)*0x40)
#define HEAD(n) (THREAD(n) + kernel_offset(&k, "_KTHREAD", "MutantListHead"))
#define BLOCK(thread, n) (0xffffc08000530000u + (uint64_t)(thread)*0x1000 + (uint64_t)(n)*0x30)

static struct kernel k;

/* Six threads that run, and own nothing. */
static void open_threads(void)
{
    kernel_open(&k);
    for (unsigned i = 0; i < 6; i++) {
        kernel_set(&k, THREAD(i), "_KTHREAD", "State", 2);
        maker_put(&k.m, THREAD(i), 6, 1);
        kernel_list(&k, HEAD(i), NULL, 0);
    }
}

static void wait_for(unsigned thread, const uint64_t *objects, unsigned count, unsigned type)
{
    kernel_set(&k, THREAD(thread), "_KTHREAD", "State", 5);
    kernel_set(&k, THREAD(thread), "_KTHREAD", "WaitBlockList", BLOCK(thread, 0));
    kernel_set(&k, THREAD(thread), "_KTHREAD", "WaitBlockCount", count);
    for (unsigned i = 0; i < count; i++) {
        kernel_set(&k, BLOCK(thread, i), "_KWAIT_BLOCK", "Thread", THREAD(thread));
        kernel_set(&k, BLOCK(thread, i), "_KWAIT_BLOCK", "Object", objects[i]);
        kernel_set(&k, BLOCK(thread, i), "_KWAIT_BLOCK", "WaitType", type);
    }
}

static void own(unsigned thread, const uint64_t *mutants, unsigned count)
{
    uint64_t links[8];
    for (unsigned i = 0; i < count; i++) {
        maker_put(&k.m, mutants[i], 2, 1);
        kernel_set(&k, mutants[i], "_KMUTANT", "OwnerThread", THREAD(thread));
        links[i] = mutants[i] + kernel_offset(&k, "_KMUTANT", "MutantListEntry");
    }
    kernel_list(&k, HEAD(thread), links, count);
}

static void test_blocks(void)
{
    open_threads();
    uint64_t timer = THREAD(4) + kernel_offset(&k, "_KTHREAD", "Timer");
    wait_for(1, (uint64_t[]){EVENT(0), EVENT(1)}, 2, 1);
    wait_for(2, (uint64_t[]){EVENT(1), EVENT(0)}, 2, 0);
    wait_for(4, (uint64_t[]){EVENT(1), timer}, 2, 1);
    wait_for(5, (uint64_t[]){EVENT(1) | 0x8000}, 1, 1);
    kernel_set(&k, THREAD(2), "_KTHREAD", "TimerActive", 1);
    maker_put(&k.m, EVENT(1), 0x81, 1); /* the lock bit of the header is not of the type */
    maker_put(&k.m, EVENT(1) + 4, 0, 4);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_wait_blocks *w = ds_nt_wait_blocks(nt);
    CHECK_U64(w->count, 7);
    CHECK(w->walk.complete);
    CHECK(w->rows[0].any && w->rows[1].any && !w->rows[2].any);
    CHECK(!w->rows[0].timeout && w->rows[2].timeout && w->rows[3].timeout);
    CHECK(w->rows[4].timeout && !w->rows[4].any); /* a timer is no other object */
    CHECK_STR(w->rows[5].object_is, "own timer");
    CHECK_U64(w->rows[1].object_type.value, 1);
    CHECK_U64(w->rows[3].number, 1);
    /* by object, in any order but all of them */
    unsigned found = 0, of = 0;
    for (uint32_t i = ds_nt_waits_on(nt, EVENT(1)); i != DS_NO_ROW && found < 9;
         i = w->rows[i].next)
        found++, of |= 1u << w->rows[i].thread;
    CHECK_U64(found, 3);
    CHECK_U64(of, 1u << 1 | 1u << 2 | 1u << 4);
    CHECK_U64(ds_nt_waits_on(nt, EVENT(7)), DS_NO_ROW);
    CHECK_U64(ds_nt_thread_row(nt, THREAD(5)), 5);
    CHECK_U64(ds_nt_thread_row(nt, THREAD(6)), DS_NO_ROW);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_blocks_that_lie(void)
{
    open_threads(); /* a block that names another thread */
    wait_for(1, (uint64_t[]){EVENT(0), EVENT(1)}, 2, 1);
    wait_for(2, (uint64_t[]){EVENT(0)}, 1, 1);
    kernel_set(&k, BLOCK(1, 1), "_KWAIT_BLOCK", "Thread", THREAD(2));
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_wait_blocks *w = ds_nt_wait_blocks(nt);
    CHECK_U64(w->count, 2);
    CHECK(!w->walk.complete && w->walk.stop_reason == DS_CORRUPT);
    ds_nt_close(nt);
    kernel_close(&k);
    open_threads(); /* more blocks than a thread can have */
    wait_for(1, (uint64_t[]){EVENT(0)}, 1, 1);
    kernel_set(&k, THREAD(1), "_KTHREAD", "WaitBlockCount", 255);
    nt = kernel_nt(&k);
    w = ds_nt_wait_blocks(nt);
    CHECK_U64(w->count, 0);
    CHECK(!w->walk.complete);
    ds_nt_close(nt);
    kernel_close(&k);
    open_threads(); /* blocks in a hole */
    wait_for(1, (uint64_t[]){EVENT(0)}, 1, 1);
    kernel_set(&k, THREAD(1), "_KTHREAD", "WaitBlockList", 0xffffc08000999000u);
    nt = kernel_nt(&k);
    w = ds_nt_wait_blocks(nt);
    CHECK_U64(w->count, 0);
    CHECK(!w->walk.complete && w->walk.stop_reason == DS_NOT_MAPPED);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_mutants(void)
{
    open_threads();
    own(1, (uint64_t[]){MUTANT(0), MUTANT(1)}, 2);
    own(3, (uint64_t[]){MUTANT(2)}, 1);
    kernel_set(&k, MUTANT(0), "_DISPATCHER_HEADER", "SignalState", 0xffffffffu);
    kernel_set(&k, MUTANT(2), "_KMUTANT", "Abandoned", 1);
    kernel_set(&k, THREAD(3), "_KTHREAD", "State", 4);
    maker_put(&k.m, MUTANT(3), 2, 1); /* free */
    kernel_set(&k, MUTANT(3), "_DISPATCHER_HEADER", "SignalState", 1);
    wait_for(4, (uint64_t[]){MUTANT(2), MUTANT(3)}, 2, 0);
    wait_for(5, (uint64_t[]){MUTANT(2)}, 1, 1);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_mutants *m = ds_nt_mutants(nt);
    CHECK_U64(m->count, 4);
    CHECK(m->walk.complete);
    const struct ds_mutant *row = &m->rows[ds_nt_mutant_row(nt, MUTANT(2))];
    CHECK_U64(row->waiters, 2);
    CHECK(row->waited_for && row->listed);
    CHECK_U64(row->owner_ended.value, 1);
    CHECK_U64(row->abandoned.value, 1);
    row = &m->rows[ds_nt_mutant_row(nt, MUTANT(0))];
    CHECK(!row->waited_for && row->listed);
    CHECK_U64(row->recursion.value, 2);
    CHECK_U64(row->owner.value, THREAD(1));
    CHECK(row->owner_ended.known && row->owner_ended.value == 0);
    row = &m->rows[ds_nt_mutant_row(nt, MUTANT(3))];
    CHECK(row->owner.known && row->owner.value == 0);
    CHECK(row->recursion.known && row->recursion.value == 0);
    CHECK_U64(ds_nt_mutant_row(nt, MUTANT(4)), DS_NO_ROW);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_mutants_that_lie(void)
{
    open_threads(); /* a loop that misses the head, both ways */
    own(1, (uint64_t[]){MUTANT(0), MUTANT(1)}, 2);
    uint64_t links = kernel_offset(&k, "_KMUTANT", "MutantListEntry");
    maker_ptr(&k.m, MUTANT(1) + links, MUTANT(0) + links);
    maker_ptr(&k.m, MUTANT(0) + links + 8, MUTANT(1) + links);
    uint64_t head = THREAD(1) + kernel_offset(&k, "_KTHREAD", "MutantListHead");
    maker_ptr(&k.m, head + 8, MUTANT(0) + links + 0x10000);
    struct ds_nt *nt = kernel_nt(&k);
    CHECK_U64(ds_nt_mutants(nt)->count, 2);
    CHECK(ds_nt_mutants(nt)->walk.stop_reason == DS_LOOP);
    ds_nt_close(nt);
    kernel_close(&k);
    open_threads(); /* an entry that is no mutant; a mutant that names another owner */
    own(1, (uint64_t[]){MUTANT(0), MUTANT(1)}, 2);
    maker_put(&k.m, MUTANT(1), 5, 1);
    nt = kernel_nt(&k);
    CHECK_U64(ds_nt_mutants(nt)->count, 1);
    CHECK(ds_nt_mutants(nt)->walk.stop_reason == DS_CORRUPT);
    ds_nt_close(nt);
    kernel_close(&k);
    open_threads();
    own(1, (uint64_t[]){MUTANT(0)}, 1);
    kernel_set(&k, MUTANT(0), "_KMUTANT", "OwnerThread", EVENT(0)); /* where no thread is */
    kernel_set(&k, MUTANT(0), "_DISPATCHER_HEADER", "SignalState", 7);
    maker_put(&k.m, EVENT(0), 1, 1);
    nt = kernel_nt(&k);
    const struct ds_mutants *m = ds_nt_mutants(nt);
    CHECK_U64(m->count, 1);
    CHECK(!m->walk.complete);
    CHECK_U64(m->rows[0].owner_ended.value, 1);
    CHECK(!m->rows[0].recursion.known);
    ds_nt_close(nt);
    kernel_close(&k);
}

TEST_MAIN(TEST(test_blocks), TEST(test_blocks_that_lie), TEST(test_mutants),
          TEST(test_mutants_that_lie))
