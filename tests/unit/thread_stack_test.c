/* The stacks of threads that wait, run, have ended, are paged out, or lie. */
#include "nt/thread_stack.h"

#include "kernel_maker.h"

#define WAITER THREAD(1)
#define SP (STACK_TOP(1) - 0x400)
#define SWAP (KERNEL_BASE + 0x2026)
#define CALLER (KERNEL_BASE + 0x2846)
#define DRIVER_PC (DRIVER_BASE + 0x1119)

static struct kernel k;
static struct ds_thread_stack s;

/* Makes `ret` an address that a call of five bytes returns to. */
static void call_before(uint64_t ret)
{
    maker_put(&k.m, ret - 5, 0xe8, 1);
    maker_put(&k.m, ret - 4, 0x10, 4);
}

static void set(const char *member, uint64_t value)
{
    maker_put(&k.m, WAITER + kernel_offset(&k, "_KTHREAD", member), value, 8);
}

/* Thread 1 waits: a switch frame, then two return addresses. */
static void start(void)
{
    kernel_open(&k);
    call_before(SWAP);
    kernel_set(&k, WAITER, "_KTHREAD", "ContextSwitches", 7);
    call_before(CALLER);
    call_before(DRIVER_PC);
    set("KernelStack", SP);
    maker_ptr(&k.m, SP + kernel_offset(&k, "_KSWITCH_FRAME", "Return"), SWAP);
    maker_ptr(&k.m, SP + 0x50, CALLER);
    maker_ptr(&k.m, SP + 0x90, DRIVER_PC);
    for (uint64_t at = SP + 0x1000; at < STACK_TOP(1); at += 0x1000)
        maker_put(&k.m, at, 0, 1);
    maker_put(&k.m, STACK_TOP(1) - 8, 0, 8);
}

static void walk(uint64_t ethread)
{
    struct ds_nt *nt = kernel_nt(&k);
    ds_nt_thread_stack(nt, ethread, &s);
    ds_nt_close(nt);
}

static void none(enum ds_status why, const char *note)
{
    CHECK_U64(s.stack.count, 0);
    CHECK(s.why == why);
    CHECK_STR(s.note, note);
    CHECK(s.start == NULL);
}

static void a_waiting_thread_goes_on_where_it_was_switched(void)
{
    start();
    walk(WAITER);
    CHECK(s.why == DS_OK);
    CHECK_STR(s.start, "switch frame");
    CHECK_STR(s.kind, "thread stack");
    CHECK(!s.processor.known);
    CHECK_U64(s.stack.count, 3);
    CHECK_U64(s.stack.frames[0].pc, SWAP);
    CHECK_U64(s.stack.frames[0].sp, SP + 0x40);
    CHECK(s.stack.frames[0].trust == DS_FRAME_SWITCH);
    CHECK_U64(s.stack.frames[1].pc, CALLER);
    CHECK_U64(s.stack.frames[1].sp, SP + 0x50);
    CHECK_U64(s.stack.frames[2].pc, DRIVER_PC);
    kernel_close(&k);
}

static void without_a_switch_frame_the_stack_is_scanned(void)
{
    start();
    maker_ptr(&k.m, SP + kernel_offset(&k, "_KSWITCH_FRAME", "Return"), 0x1234);
    walk(WAITER);
    CHECK_STR(s.start, "saved stack pointer");
    CHECK_U64(s.stack.count, 2);
    CHECK(s.stack.frames[0].trust == DS_FRAME_SCAN);
    CHECK_U64(s.stack.frames[0].pc, CALLER);
    maker_ptr(&k.m, SP + 0x50, 0);
    maker_ptr(&k.m, SP + 0x90, 0);
    walk(WAITER);
    CHECK_U64(s.stack.count, 0);
    CHECK(s.why == DS_NOT_FOUND);
    CHECK_STR(s.note, "no return address is on its stack");
    kernel_close(&k);
}

static void a_stack_that_is_not_there_has_no_frames(void)
{
    start();
    maker_put(&k.m, WAITER + kernel_offset(&k, "_KTHREAD", "KernelStackResident"), 0, 4);
    walk(WAITER);
    none(DS_PAGED_OUT, "stack paged out");
    kernel_close(&k);
}

static void limits_that_lie_are_refused(void)
{
    static const struct {
        const char *member;
        uint64_t value;
    } lies[] = {
        {"KernelStack", STACK_TOP(1)},
        {"KernelStack", STACK_TOP(1) - 0x6008},
        {"KernelStack", SP + 1},
        {"KernelStack", 0x7fff0000},
        {"StackBase", SP},
        {"StackLimit", SP + 8},
        {"StackBase", 0xffffffffffffff00},
        {"StackBase", 0},
    };
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        start();
        set(lies[i].member, lies[i].value);
        walk(WAITER);
        none(DS_CORRUPT, "KernelStack does not lie in the stack between Limit and Base");
        kernel_close(&k);
    }
}

static void a_page_that_is_missing_ends_the_walk(void)
{
    start();
    set("KernelStack", STACK_TOP(1) - 0x2000);
    walk(WAITER);
    CHECK_U64(s.stack.count, 0);
    CHECK(s.why == DS_NOT_MAPPED);
    kernel_close(&k);
}

static void an_ended_thread_has_no_stack(void)
{
    start();
    set("KernelStack", 0);
    maker_put(&k.m, WAITER + kernel_offset(&k, "_KTHREAD", "State"), 4, 1);
    walk(WAITER);
    none(DS_NOT_FOUND, "it has ended and has no stack");
    kernel_close(&k);
}

static void what_is_no_thread_is_told_apart(void)
{
    start();
    maker_put(&k.m, PROCESS(1), 3, 1);
    walk(PROCESS(1));
    none(DS_CORRUPT, "no thread lies there: its dispatcher header is of another type");
    walk(0xffffc08000f00000u);
    none(DS_NOT_MAPPED, "the thread cannot be read");
    walk(0);
    CHECK_U64(s.stack.count, 0);
    CHECK(s.why != DS_OK);
    kernel_close(&k);
}

static void a_running_thread_is_where_its_processor_is(void)
{
    uint64_t at = 0xffffc08000700000u, sp = STACK_TOP(3) - 0x100;
    start();
    walk(THREAD(3));
    none(DS_NOT_IN_DUMP, "it runs, and its processor's registers are not in the dump");
    CHECK_U64(s.processor.value, 1);
    kernel_set(&k, PRCB(1), "_KPRCB", "Context", at);
    maker_put(&k.m, at + 1231, 0, 1);
    maker_put(&k.m, at + 0x30, 0x10000f, 4);
    maker_ptr(&k.m, at + 0x98, sp);
    maker_ptr(&k.m, at + 0xf8, SWAP);
    maker_ptr(&k.m, sp + 0x20, CALLER);
    walk(THREAD(3));
    CHECK(s.why == DS_OK);
    CHECK_STR(s.start, "processor context");
    CHECK_U64(s.stack.count, 2);
    CHECK(s.stack.frames[0].trust == DS_FRAME_CONTEXT);
    CHECK_U64(s.stack.frames[1].pc, CALLER);
    maker_put(&k.m, WAITER + kernel_offset(&k, "_KTHREAD", "State"), 2, 1);
    walk(WAITER);
    none(DS_NOT_FOUND, "it runs, but on no processor whose registers the dump holds");
    kernel_close(&k);
}

static void the_thread_of_the_fault_has_the_stack_of_the_fault(void)
{
    start();
    struct ds_nt *nt = kernel_nt(&k);
    maker_put(&k.m, STACK_TOP(0) - 0x800, 0, 8);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    ds_nt_thread_stack(nt, THREAD(0), &s);
    CHECK_U64(s.processor.value, 0);
    CHECK_STR(s.start, "fault");
    CHECK_U64(s.stack.count, f->stack.count);
    CHECK_U64(s.stack.frames[0].pc, KERNEL_BASE + 0x3f5a80);
    ds_nt_close(nt);
    kernel_close(&k);
}

/* KeExpandKernelStackAndCallout: the thread's limits are those of the stack of the call. */
static void an_expanded_stack_is_named(void)
{
    uint64_t control = STACK_TOP(1) - 0x80;
    start();
    maker_ptr(&k.m, WAITER + kernel_offset(&k, "_KTHREAD", "InitialStack"), control);
    maker_ptr(&k.m, control + kernel_offset(&k, "_KSTACK_CONTROL", "Previous.StackBase"),
              STACK_TOP(9));
    maker_ptr(&k.m, control + kernel_offset(&k, "_KSTACK_CONTROL", "Previous.StackLimit"),
              STACK_TOP(9) - 0x6000);
    walk(WAITER);
    CHECK_STR(s.kind, "expanded thread stack");
    CHECK_U64(s.stack.count, 3);
    kernel_close(&k);
}

TEST_MAIN(TEST(a_waiting_thread_goes_on_where_it_was_switched),
          TEST(without_a_switch_frame_the_stack_is_scanned),
          TEST(a_stack_that_is_not_there_has_no_frames), TEST(limits_that_lie_are_refused),
          TEST(a_page_that_is_missing_ends_the_walk), TEST(an_ended_thread_has_no_stack),
          TEST(what_is_no_thread_is_told_apart), TEST(a_running_thread_is_where_its_processor_is),
          TEST(the_thread_of_the_fault_has_the_stack_of_the_fault),
          TEST(an_expanded_stack_is_named))
