/* What the tables of threads and processes say beyond who is there; the clock. */
#include "nt/details.h"
#include "nt/ticks.h"

#include "kernel_maker.h"

#define TICKS 1000000u
#define TICK 156250u

static struct kernel k;
static struct ds_nt *nt;
static const struct ds_thread_detail *d;

static void set(unsigned thread, const char *type, const char *member, uint64_t value)
{
    kernel_set(&k, THREAD(thread), type, member, value);
}

static void start(void)
{
    static const char type[] = "_KUSER_SHARED_DATA";
    kernel_open(&k);
    maker_put(&k.m, SHARED_DATA + 0xff8, 0, 8);
    kernel_set(&k, SHARED_DATA, type, "TickCountMultiplier", 0xfa00000); /* 15.625 ms */
    kernel_set(&k, SHARED_DATA, type, "TickCountQuad", TICKS);
    for (unsigned i = 0; i < 6; i++) {
        uint64_t irps = THREAD(i) + kernel_offset(&k, "_ETHREAD", "IrpList");
        kernel_list(&k, irps, NULL, 0);
    }
}

static void read_details(void)
{
    nt = kernel_nt(&k);
    d = ds_nt_thread_details(nt);
    CHECK(d != NULL);
}

static void finish(void)
{
    ds_nt_close(nt);
    kernel_close(&k);
}

static void priorities_are_read_from_their_bits(void)
{
    start();
    set(1, "_ETHREAD", "ThreadIoPriority", 1);
    set(1, "_ETHREAD", "ThreadPagePriority", 5);
    set(1, "_ETHREAD", "ActiveImpersonationInfo", 1);
    set(1, "_KTHREAD", "PriorityDecrement", 2);
    set(1, "_KTHREAD", "Alertable", 1);
    set(1, "_KTHREAD", "WaitMode", 1);
    set(1, "_KTHREAD", "IdealProcessor", 3);
    set(1, "_KTHREAD", "NextProcessor", 2);
    set(1, "_ETHREAD", "Win32StartAddress", 0x7ff612345678);
    read_details();
    CHECK_U64(d[1].io_priority.value, 1);
    CHECK_U64(d[1].page_priority.value, 5);
    CHECK_U64(d[1].impersonating.value, 1);
    CHECK_U64(d[1].priority_decrement.value, 2);
    CHECK_U64(d[1].alertable.value, 1);
    CHECK_U64(d[1].wait_mode.value, 1);
    CHECK_U64(d[1].ideal_processor.value, 3);
    CHECK_U64(d[1].last_processor.value, 2);
    CHECK_U64(d[1].win32_start_address.value, 0x7ff612345678);
    CHECK(d[2].io_priority.known && d[2].io_priority.value == 0);
    CHECK(d[2].impersonating.known && d[2].impersonating.value == 0);
    finish();
}

static void times_are_in_ticks_of_this_system(void)
{
    start();
    set(1, "_KTHREAD", "KernelTime", 640);
    set(1, "_KTHREAD", "UserTime", 64);
    set(1, "_KTHREAD", "WaitTime", TICKS - 128);
    set(2, "_KTHREAD", "WaitTime", TICKS + 5); /* from the future */
    read_details();
    CHECK_U64(ds_nt_tick_length(nt, NULL), TICK);
    CHECK_U64(ds_nt_tick_count(nt).value, TICKS);
    CHECK_U64(d[1].kernel_time.value, 640);
    CHECK_U64(d[1].kernel_time_ms.value, 10000);
    CHECK_U64(d[1].user_time_ms.value, 1000);
    CHECK_U64(d[1].wait_age_ticks.value, 128);
    CHECK_U64(d[1].wait_age_ms.value, 2000);
    CHECK(!d[2].wait_age_ticks.known && d[2].wait_age_ticks.why == DS_CORRUPT);
    CHECK(!d[2].wait_age_ms.known);
    finish();
}

/* KTHREAD.WaitTime has 32 bits: the count goes round after two years. */
static void the_tick_count_goes_round(void)
{
    start();
    kernel_set(&k, SHARED_DATA, "_KUSER_SHARED_DATA", "TickCountQuad", 0x100000010u);
    set(1, "_KTHREAD", "WaitTime", 0xfffffff0u);
    read_details();
    CHECK_U64(d[1].wait_age_ticks.value, 0x20);
    finish();
}

static void without_a_clock_ages_are_unknown(void)
{
    kernel_open(&k);
    maker_put(&k.m, SHARED_DATA + 0xff8, 0, 8);
    set(1, "_KTHREAD", "KernelTime", 640);
    read_details();
    CHECK(!ds_nt_tick_count(nt).known);
    CHECK_U64(d[1].kernel_time.value, 640);
    CHECK(!d[1].kernel_time_ms.known);
    CHECK(!d[1].wait_age_ticks.known && !d[1].wait_age_ms.known);
    finish();
}

static void irps_are_counted_and_loops_are_not(void)
{
    uint64_t at[2] = {0xffffc08000710000u, 0xffffc08000710100u};
    start();
    uint64_t head = THREAD(1) + kernel_offset(&k, "_ETHREAD", "IrpList");
    kernel_list(&k, head, at, 2);
    head = THREAD(2) + kernel_offset(&k, "_ETHREAD", "IrpList");
    maker_ptr(&k.m, head, 0xffffc08000710200u);
    maker_ptr(&k.m, 0xffffc08000710200u, 0xffffc08000710200u); /* leads to itself */
    head = THREAD(3) + kernel_offset(&k, "_ETHREAD", "IrpList");
    maker_ptr(&k.m, head, 0x7777777777770000u);
    read_details();
    CHECK_U64(d[1].irp_count.value, 2);
    CHECK(d[1].irp_count.known);
    CHECK(!d[2].irp_count.known && d[2].irp_count.why == DS_LOOP);
    CHECK(!d[3].irp_count.known);
    CHECK(d[4].irp_count.known && d[4].irp_count.value == 0);
    finish();
}

static void names_are_read_where_there_are_any(void)
{
    uint64_t name = 0xffffc08000720000u;
    start();
    maker_ustr(&k.m, name, name + 0x100, "worker 7");
    maker_ptr(&k.m, THREAD(1) + kernel_offset(&k, "_ETHREAD", "ThreadName"), name);
    maker_ptr(&k.m, THREAD(2) + kernel_offset(&k, "_ETHREAD", "ThreadName"), 0xffffc08000f00000u);
    read_details();
    CHECK_STR(d[1].name, "worker 7");
    CHECK(d[2].name == NULL);
    CHECK(d[3].name == NULL);
    finish();
}

static void stacks_are_measured(void)
{
    start();
    maker_ptr(&k.m, THREAD(1) + kernel_offset(&k, "_KTHREAD", "KernelStack"),
              STACK_TOP(1) - 0x1000);
    maker_ptr(&k.m, THREAD(2) + kernel_offset(&k, "_KTHREAD", "KernelStack"), STACK_TOP(1));
    maker_ptr(&k.m, THREAD(4) + kernel_offset(&k, "_KTHREAD", "StackBase"), STACK_TOP(4) - 0x6000);
    maker_ptr(&k.m, THREAD(5) + kernel_offset(&k, "_KTHREAD", "StackBase"), UINT64_MAX - 7);
    maker_put(&k.m, THREAD(0) + kernel_offset(&k, "_KTHREAD", "State"), 2, 1);
    read_details();
    CHECK_U64(d[1].stack_size.value, 0x6000);
    CHECK_U64(d[1].stack_used.value, 0x1000);
    CHECK_U64(d[1].stack_free.value, 0x5000);
    CHECK(!d[2].stack_used.known && !d[2].stack_free.known); /* on another thread's stack */
    CHECK(!d[4].stack_size.known && d[4].stack_size.why == DS_CORRUPT);
    CHECK(!d[5].stack_size.known && d[5].stack_size.why == DS_CORRUPT);
    CHECK_U64(d[0].stack_used.value, 0x800); /* the crash's: by the header's context */
    finish();
}

/* A stack that grows: its control block tells the lowest limit. */
static void a_stack_that_may_grow_has_more_left(void)
{
    static const char type[] = "_KSTACK_CONTROL";
    uint64_t control = STACK_TOP(1) - 0x50, stack = STACK_TOP(1) - 0x5f00;
    start();
    maker_ptr(&k.m, THREAD(1) + kernel_offset(&k, "_KTHREAD", "KernelStack"), stack);
    maker_ptr(&k.m, THREAD(1) + kernel_offset(&k, "_KTHREAD", "InitialStack"), control);
    maker_ptr(&k.m, control + kernel_offset(&k, type, "StackBase"), STACK_TOP(1));
    maker_ptr(&k.m, control + kernel_offset(&k, type, "ActualLimit"), (STACK_TOP(1) - 0x12000) | 1);
    read_details();
    CHECK_U64(d[1].stack_free.value, 0x12000 - 0x5f00);
    ds_nt_close(nt);
    maker_ptr(&k.m, control + kernel_offset(&k, type, "ActualLimit"), STACK_TOP(1) - 0x900000);
    read_details(); /* no stack is that large */
    CHECK_U64(d[1].stack_free.value, 0x100);
    ds_nt_close(nt);
    maker_ptr(&k.m, control + kernel_offset(&k, type, "StackBase"), STACK_TOP(2));
    read_details(); /* another stack's */
    CHECK_U64(d[1].stack_free.value, 0x100);
    finish();
}

static void processes_count_their_threads(void)
{
    start();
    maker_put(&k.m, THREAD(4) + kernel_offset(&k, "_KTHREAD", "State"), 4, 1);
    maker_put(&k.m, THREAD(1) + kernel_offset(&k, "_KTHREAD", "SuspendCount"), 1, 1);
    maker_put(&k.m, THREAD(2) + kernel_offset(&k, "_KTHREAD", "SuspendCount"), 0, 1);
    read_details();
    const struct ds_process_detail *p = ds_nt_process_details(nt);
    CHECK(p != NULL);
    CHECK_U64(p[0].threads, 3);
    CHECK_U64(p[0].suspended, 1);
    CHECK(p[0].wholly_suspended.known && p[0].wholly_suspended.value == 0);
    CHECK_U64(p[1].threads, 1);
    CHECK(p[1].wholly_suspended.known && p[1].wholly_suspended.value == 1); /* its only one */
    CHECK_U64(p[2].threads, 2);
    CHECK_U64(p[2].terminated, 1);
    CHECK_U64(p[2].live, 1);
    finish();
}

TEST_MAIN(TEST(priorities_are_read_from_their_bits), TEST(times_are_in_ticks_of_this_system),
          TEST(the_tick_count_goes_round), TEST(without_a_clock_ages_are_unknown),
          TEST(irps_are_counted_and_loops_are_not), TEST(names_are_read_where_there_are_any),
          TEST(stacks_are_measured), TEST(a_stack_that_may_grow_has_more_left),
          TEST(processes_count_their_threads))
