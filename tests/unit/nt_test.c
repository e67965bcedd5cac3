#include "nt/nt.h"

#include "kernel_maker.h"

static struct kernel k;

static void test_processes(void)
{
    kernel_open(&k);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_processes *p = ds_nt_processes(nt);
    CHECK_U64(p->count, 3);
    CHECK(p->walk.complete && p->walk.stop_reason == DS_OK);
    CHECK_STR(p->walk.table_name, "processes");
    CHECK_U64(p->walk.rows, 3);
    CHECK_U64(p->rows[0].eprocess, PROCESS(0));
    CHECK_U64(p->rows[0].pid.value, 4);
    CHECK_STR(p->rows[0].name, "System");
    CHECK_STR(p->rows[0].source, "PsActiveProcessHead");
    CHECK_STR(p->rows[2].name, "very-long-name");
    CHECK_U64(p->rows[2].ppid.value, 4);
    CHECK_U64(p->rows[2].dtb.value, k.m.dtb);
    CHECK_U64(p->rows[2].exit_status.value, 0x103);
    CHECK_U64(p->rows[2].active_threads.value, 2);
    CHECK(p->rows[2].wow64.known && p->rows[2].wow64.value == 0);
    CHECK(!p->rows[2].session_id.known && p->rows[2].session_id.why == DS_OK);
    CHECK(ds_nt_processes(nt) == p); /* walked once */
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_threads(void)
{
    kernel_open(&k);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_threads *t = ds_nt_threads(nt);
    CHECK_U64(t->count, 6);
    CHECK(t->walk.complete);
    CHECK_U64(t->rows[1].ethread, THREAD(1));
    CHECK_U64(t->rows[1].eprocess.value, PROCESS(0));
    CHECK_U64(t->rows[1].tid.value, 0x1004);
    CHECK_U64(t->rows[1].suspend_count.value, 1);
    CHECK_U64(t->rows[1].priority.value, 12);
    CHECK_U64(t->rows[1].base_priority.value, (uint64_t)-2);
    CHECK_U64(t->rows[1].kernel_stack_resident.value, 1);
    CHECK_U64(t->rows[1].stack_base.value, STACK_TOP(1));
    CHECK_U64(t->rows[5].pid.value, 0x200);
    CHECK_STR(t->rows[5].source, "ThreadListHead");
    CHECK_STR(ds_thread_state_name(t->rows[1].state.value), "Waiting");
    CHECK_STR(ds_wait_reason_name(t->rows[1].wait_reason.value), "WrQueue");
    CHECK(ds_wait_reason_name(9999) == NULL);
    CHECK(ds_thread_state_name(UINT64_MAX) == NULL);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_processors(void)
{
    kernel_open(&k);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_processors *p = ds_nt_processors(nt);
    CHECK_U64(p->count, 2);
    CHECK(p->walk.complete);
    CHECK_U64(p->rows[1].prcb.value, PRCB(1));
    CHECK_U64(p->rows[1].current_thread.value, THREAD(3));
    CHECK_U64(p->rows[1].mhz.value, 3593);
    CHECK_STR(p->rows[1].vendor, "AuthenticAMD");
    CHECK(!p->rows[1].has_context);
    ds_nt_close(nt);
    ds_put_le32(k.m.file + 0x34, 0x7fffffff); /* a count that lies */
    nt = kernel_nt(&k);
    p = ds_nt_processors(nt);
    CHECK_U64(p->count, 2);
    CHECK(!p->walk.complete);
    CHECK(p->walk.stop_reason == DS_CORRUPT);
    ds_nt_close(nt);
    ds_put_le32(k.m.file + 0x34, 0x45474150); /* no count: the array ends at its first zero */
    nt = kernel_nt(&k);
    p = ds_nt_processors(nt);
    CHECK_U64(p->count, 2);
    CHECK(p->walk.complete);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_processor_context(void)
{
    uint64_t at = 0xffffc08000700000u;
    kernel_open(&k);
    kernel_set(&k, PRCB(1), "_KPRCB", "Context", at);
    maker_put(&k.m, at + 1231, 0, 1);
    maker_put(&k.m, at, 0, 8);
    maker_put(&k.m, at + 0x30, 0x10000f, 4);
    maker_ptr(&k.m, at + 0x98, STACK_TOP(3) - 0x100);
    maker_ptr(&k.m, at + 0xf8, KERNEL_BASE + 0x38d14d);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_processors *p = ds_nt_processors(nt);
    CHECK(p->rows[1].has_context);
    CHECK_STR(p->rows[1].context_source, "KPRCB.Context");
    CHECK_U64(p->rows[1].context.pc, KERNEL_BASE + 0x38d14d);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_unloaded(void)
{
    kernel_open(&k);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_unloaded_modules *u = ds_nt_unloaded_modules(nt);
    CHECK_U64(u->count, 2);
    CHECK(u->walk.complete);
    CHECK_STR(u->rows[0].name, "newer_with_long_name.sys"); /* the newest first */
    CHECK(!u->rows[0].name_cut);
    CHECK_U64(u->rows[1].start, 0xfffff80600000000u);
    CHECK_U64(u->rows[1].unload_time.value, 0x1d707f23d000000u);
    ds_nt_close(nt);
    maker_put(&k.m, UNLOADED_LAST, 0xffffffff, 4); /* an index far outside */
    nt = kernel_nt(&k);
    CHECK_U64(ds_nt_unloaded_modules(nt)->count, 2);
    ds_nt_close(nt);
    maker_ptr(&k.m, UNLOADED_PTR, 0xffffc08000900000u);
    nt = kernel_nt(&k);
    u = ds_nt_unloaded_modules(nt);
    CHECK_U64(u->count, 0);
    CHECK(!u->walk.complete && u->walk.stop_reason == DS_NOT_MAPPED);
    ds_nt_close(nt);
    maker_ptr(&k.m, UNLOADED_PTR, 0); /* nothing was ever unloaded */
    nt = kernel_nt(&k);
    CHECK(ds_nt_unloaded_modules(nt)->walk.complete);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_process_list_hostile(void)
{
    kernel_open(&k);
    uint64_t links = kernel_offset(&k, "_EPROCESS", "ActiveProcessLinks");
    maker_ptr(&k.m, PROCESS(2) + links, PROCESS(1) + links); /* a loop that misses the head */
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_processes *p = ds_nt_processes(nt);
    CHECK_U64(p->count, 3);  /* each once */
    CHECK(p->walk.complete); /* Blink knows that none comes after */
    CHECK(strstr(p->walk.detail, "resumed by Blink") != NULL);
    const struct ds_threads *t = ds_nt_threads(nt);
    CHECK(t->walk.complete);
    CHECK_U64(t->count, 6);
    ds_nt_close(nt);
    maker_ptr(&k.m, PROCESS(2) + links, PROCESS(9) + links); /* a process that is not there */
    nt = kernel_nt(&k);
    p = ds_nt_processes(nt);
    CHECK_U64(p->count, 3);
    CHECK(p->walk.complete);
    ds_nt_close(nt);
    maker_ptr(&k.m, PROCESS(2) + links, PROCESS_LIST);
    maker_ptr(&k.m, PROCESS(0) + links, PROCESS(9) + links); /* and Blink breaks as well */
    maker_ptr(&k.m, PROCESS(2) + links + 8, 0);
    nt = kernel_nt(&k);
    p = ds_nt_processes(nt);
    CHECK_U64(p->count, 2);
    CHECK(p->walk.stop_reason == DS_NOT_MAPPED && !p->walk.complete);
    CHECK_U64(p->rows[1].eprocess, PROCESS(2));
    CHECK(strstr(p->walk.detail, "Blink led to 1 more") != NULL);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_thread_list_hostile(void)
{
    kernel_open(&k);
    uint64_t links = kernel_offset(&k, "_ETHREAD", "ThreadListEntry");
    maker_ptr(&k.m, THREAD(1) + links, THREAD(1) + links); /* points at itself */
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_threads *t = ds_nt_threads(nt);
    CHECK_U64(t->count, 6); /* the last of the first process by Blink */
    CHECK(t->walk.complete);
    ds_nt_close(nt);
    maker_ptr(&k.m, THREAD(2) + links + 8, 0);
    nt = kernel_nt(&k);
    t = ds_nt_threads(nt);
    CHECK_U64(t->count, 6); /* that one's address is all that its Blink need not tell */
    CHECK(t->walk.complete == false && t->walk.stop_reason == DS_LOOP);
    CHECK(ds_nt_processes(nt)->walk.complete);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_no_memory_at_all(void)
{
    kernel_open(&k);
    ds_put_le32(k.m.file + 0xf98, 3); /* header only */
    struct ds_nt *nt = kernel_nt(&k);
    CHECK_U64(ds_nt_processes(nt)->count, 0);
    CHECK(ds_nt_processes(nt)->walk.stop_reason == DS_NOT_IN_DUMP);
    CHECK(ds_nt_threads(nt)->walk.stop_reason == DS_NOT_IN_DUMP);
    CHECK(ds_nt_processors(nt)->walk.stop_reason == DS_NOT_IN_DUMP);
    CHECK(ds_nt_unloaded_modules(nt)->walk.stop_reason == DS_NOT_IN_DUMP);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK_U64(f->context_count, 1); /* the header still has its context */
    CHECK(f->stack_walk.stop_reason == DS_NOT_IN_DUMP);
    ds_nt_close(nt);
    kernel_close(&k);
}

TEST_MAIN(TEST(test_processes), TEST(test_threads), TEST(test_processors),
          TEST(test_processor_context), TEST(test_unloaded), TEST(test_process_list_hostile),
          TEST(test_thread_list_hostile), TEST(test_no_memory_at_all))
