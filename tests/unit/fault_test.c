/* Which context is the fault, the stacks, and frames that follow a call. */
#include "kernel_maker.h"

#define FAULT_PC (DRIVER_BASE + 0x1100)
#define RETURN_1 (DRIVER_BASE + 0x1205)
#define RETURN_2 (KERNEL_BASE + 0x2310)
#define NO_CALL (DRIVER_BASE + 0x1300)
#define DATA (DRIVER_BASE + 0x40)
#define UNSEEN (KERNEL_BASE + 0x800000)
#define FAULT_SP (STACK_TOP(0) - 0x400)
#define BUGCHECK_SP (STACK_TOP(0) - 0x800)
#define CONTEXT_AT (STACK_TOP(0) - 0xf00)
#define RECORD_AT (STACK_TOP(0) - 0xa00)

static struct kernel k;

/* The stack of THREAD(0), from the bugcheck up, with code behind the return addresses. */
static void start(void)
{
    kernel_open(&k);
    for (uint64_t va = STACK_TOP(0) - 0x2000; va < STACK_TOP(0); va += 8) {
        maker_ptr(&k.m, va, 0);
    }
    maker_write(&k.m, RETURN_1 - 5, "\xe8\x01\x02\x03\x04", 5);
    maker_write(&k.m, RETURN_2 - 6, "\xff\x15\x01\x02\x03\x04", 6);
    maker_write(&k.m, NO_CALL - 7, "\x90\x90\x90\x90\x90\x90\x90", 7);
    maker_ptr(&k.m, BUGCHECK_SP, KERNEL_BASE + 0x2310);
    maker_ptr(&k.m, FAULT_SP + 0x10, RETURN_1);
    maker_ptr(&k.m, FAULT_SP + 0x18, NO_CALL);
    maker_ptr(&k.m, FAULT_SP + 0x20, DATA);
    maker_ptr(&k.m, FAULT_SP + 0x28, 0x1234);
    maker_ptr(&k.m, FAULT_SP + 0x40, UNSEEN);
    maker_ptr(&k.m, FAULT_SP + 0x80, RETURN_2);
}

static void put_context(uint64_t pc, uint64_t sp)
{
    maker_put(&k.m, CONTEXT_AT + 0x30, 0x10001f, 4);
    maker_ptr(&k.m, CONTEXT_AT + 0x98, sp);
    maker_ptr(&k.m, CONTEXT_AT + 0xf8, pc);
}

static void put_record(uint32_t code, uint64_t pc, uint64_t access, uint64_t address)
{
    maker_put(&k.m, RECORD_AT, code, 4);
    maker_ptr(&k.m, RECORD_AT + 0x10, pc);
    maker_put(&k.m, RECORD_AT + 0x18, 2, 4);
    maker_ptr(&k.m, RECORD_AT + 0x20, access);
    maker_ptr(&k.m, RECORD_AT + 0x28, address);
}

static void put_trap_frame(uint64_t va, uint64_t pc, uint64_t sp)
{
    kernel_set(&k, va, "_KTRAP_FRAME", "Rip", pc);
    kernel_set(&k, va, "_KTRAP_FRAME", "Rsp", sp);
    kernel_set(&k, va, "_KTRAP_FRAME", "SegCs", 0x10);
    kernel_set(&k, va, "_KTRAP_FRAME", "SegSs", 0x18);
    kernel_set(&k, va, "_KTRAP_FRAME", "Rax", 0xabcd);
}

static const struct ds_context_record *chosen(const struct ds_fault_facts *f)
{
    static const struct ds_context_record none = {.source = "none", .meaning = ""};
    return f->chosen == SIZE_MAX ? &none : &f->contexts[f->chosen];
}

static void check_fault_stack(const struct ds_fault_facts *f)
{
    CHECK_U64(f->stack.count, 4);
    CHECK_U64(f->stack.frames[0].pc, FAULT_PC);
    CHECK(f->stack.frames[0].trust == DS_FRAME_CONTEXT);
    CHECK_U64(f->stack.frames[1].pc, RETURN_1);
    CHECK_U64(f->stack.frames[1].sp, FAULT_SP + 0x10);
    CHECK(f->stack.frames[1].trust == DS_FRAME_SCAN);
    CHECK(f->stack.frames[1].after_call.known && f->stack.frames[1].after_call.value == 1);
    CHECK_U64(f->stack.frames[2].pc, UNSEEN); /* its code was not captured: it stays */
    CHECK(!f->stack.frames[2].after_call.known);
    CHECK_U64(f->stack.frames[3].pc, RETURN_2);
    CHECK_U64(f->stack.dropped, 2);
    CHECK(f->stack_walk.complete);
    CHECK_STR(f->stack_kind, "thread stack");
}

static void test_7e(void)
{
    start();
    put_context(FAULT_PC, FAULT_SP);
    put_record(0xc0000005, FAULT_PC, 1, 0x10);
    kernel_bugcheck(&k, 0x1000007e, 0xffffffffc0000005u, FAULT_PC, RECORD_AT, CONTEXT_AT);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK_STR(chosen(f)->source, "bugcheck parameter 4");
    CHECK_STR(chosen(f)->meaning, "the fault itself");
    CHECK(chosen(f)->chosen);
    CHECK_STR(f->contexts[0].source, "header");
    CHECK_STR(f->contexts[0].meaning, "KeBugCheckEx, after the fault");
    CHECK(f->exception.known);
    CHECK_U64(f->exception.code, 0xc0000005);
    CHECK_STR(f->exception.source, "bugcheck parameter 3");
    CHECK_U64(f->fault_address.value, 0x10);
    CHECK_STR(f->fault_access, "write");
    CHECK_U64(f->current_thread.value, THREAD(0));
    CHECK_U64(f->current_process.value, PROCESS(0));
    check_fault_stack(f);
    CHECK_U64(f->bugcheck_stack.frames[0].pc, KERNEL_BASE + 0x3f5a80);
    CHECK_U64(f->bugcheck_stack.frames[1].pc, RETURN_2);
    ds_nt_close(nt);
    kernel_header_context(&k, FAULT_PC, FAULT_SP); /* the writer put the fault there */
    nt = kernel_nt(&k);
    f = ds_nt_fault(nt);
    CHECK_STR(chosen(f)->source, "header");
    CHECK_STR(chosen(f)->meaning, "the fault itself");
    check_fault_stack(f);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_3b_and_unreadable_context(void)
{
    start();
    put_context(FAULT_PC, FAULT_SP);
    kernel_bugcheck(&k, 0x3b, 0xc0000005, FAULT_PC, CONTEXT_AT, 0);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK_STR(chosen(f)->source, "bugcheck parameter 3");
    CHECK_STR(f->exception.source, "bugcheck parameters");
    CHECK_U64(f->exception.address, FAULT_PC);
    CHECK(!f->fault_address.known); /* nothing says it */
    check_fault_stack(f);
    ds_nt_close(nt);
    kernel_bugcheck(&k, 0x3b, 0xc0000005, FAULT_PC, 0xffffc08000900000u, 0);
    nt = kernel_nt(&k);
    f = ds_nt_fault(nt);
    CHECK_STR(chosen(f)->source, "header"); /* what is left */
    CHECK_U64(f->stack.frames[0].pc, KERNEL_BASE + 0x3f5a80);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_d1_trap_frame_on_stack(void)
{
    uint64_t frame = STACK_TOP(0) - 0x600;
    start();
    put_trap_frame(frame, FAULT_PC, FAULT_SP);
    kernel_bugcheck(&k, 0xd1, 0x28, 2, 0, FAULT_PC);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    uint64_t v = 0;
    CHECK_STR(chosen(f)->source, "trap frame on the stack");
    CHECK_U64(chosen(f)->context.sp, FAULT_SP);
    CHECK(ds_context_register(&chosen(f)->context, "rax", &v));
    CHECK_U64(v, 0xabcd);
    CHECK(!ds_context_register(&chosen(f)->context, "rbx", &v)); /* not saved there */
    CHECK_U64(f->fault_address.value, 0x28);
    CHECK_STR(f->fault_access, "read");
    check_fault_stack(f);
    ds_nt_close(nt);
    kernel_set(&k, frame, "_KTRAP_FRAME", "Rsp", STACK_TOP(0) + 8); /* of another stack */
    nt = kernel_nt(&k);
    CHECK_STR(chosen(ds_nt_fault(nt))->source, "header");
    ds_nt_close(nt);
    kernel_set(&k, frame, "_KTRAP_FRAME", "Rsp", FAULT_SP);
    kernel_set(&k, frame, "_KTRAP_FRAME", "SegCs", 0x21); /* 0x31: no longer a kernel frame */
    nt = kernel_nt(&k);
    f = ds_nt_fault(nt);
    CHECK_STR(chosen(f)->source, "header");
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_139(void)
{
    uint64_t frame = STACK_TOP(0) - 0x600;
    start();
    put_trap_frame(frame, FAULT_PC, FAULT_SP);
    put_record(0xc0000409, FAULT_PC, 3, 0);
    kernel_bugcheck(&k, 0x139, 3, frame, RECORD_AT, 0);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK_STR(chosen(f)->source, "bugcheck parameter 2");
    CHECK_U64(f->exception.code, 0xc0000409);
    CHECK_U64(f->exception.parameters[0], 3);
    CHECK(!f->fault_address.known);
    check_fault_stack(f);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_access(void)
{
    static const struct {
        uint32_t code;
        uint64_t p[4];
        uint64_t address;
        const char *access; /* NULL: not documented */
    } cases[] = {
        {0x0a, {0x18, 2, 8, 5}, 0x18, "execute"}, {0x0a, {0x18, 2, 1, 5}, 0x18, "write"},
        {0x50, {0x99, 2, 5, 0}, 0x99, "write"},   {0x50, {0x99, 0x10, 5, 0}, 0x99, "execute"},
        {0xd1, {0x99, 2, 8, 5}, 0x99, "execute"}, {0xbe, {0x77, 0, 0, 0}, 0x77, "write"},
        {0xfc, {0x77, 0, 0, 0}, 0x77, "execute"}, {0x1e, {0xc0000005, 5, 1, 0x66}, 0x66, "write"},
        {0x50, {0x99, 0x77, 5, 0}, 0x99, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kernel_open(&k);
        kernel_bugcheck(&k, cases[i].code, cases[i].p[0], cases[i].p[1], cases[i].p[2],
                        cases[i].p[3]);
        struct ds_nt *nt = kernel_nt(&k);
        const struct ds_fault_facts *f = ds_nt_fault(nt);
        CHECK_U64(f->fault_address.value, cases[i].address);
        if (cases[i].access == NULL) {
            CHECK(f->fault_access == NULL);
        } else {
            CHECK_STR(f->fault_access, cases[i].access);
        }
        ds_nt_close(nt);
        kernel_close(&k);
    }
}

static void header_exception(uint32_t code, uint64_t address)
{
    ds_put_le32(k.m.file + 0xf00, code);
    ds_put_le64(k.m.file + 0xf10, address);
}

static void test_header_exception(void)
{
    kernel_open(&k);
    header_exception(0x80000003, KERNEL_BASE + 0x3f5a80); /* the writer's own breakpoint */
    struct ds_nt *nt = kernel_nt(&k);
    CHECK(!ds_nt_fault(nt)->exception.known);
    ds_nt_close(nt);
    header_exception(0x80000003, FAULT_PC); /* a driver's */
    nt = kernel_nt(&k);
    CHECK(ds_nt_fault(nt)->exception.known);
    CHECK_STR(ds_nt_fault(nt)->exception.source, "header");
    ds_nt_close(nt);
    header_exception(0xc0000094, KERNEL_BASE + 0x3f5a80);
    ds_put_le32(k.m.file + 0xf18, 16); /* more parameters than a record has */
    nt = kernel_nt(&k);
    CHECK(!ds_nt_fault(nt)->exception.known);
    ds_nt_close(nt);
    kernel_close(&k);
}

/* Part of the stack was not captured: the frame beyond it is found all the same. */
static void test_trap_frame_beyond_a_hole(void)
{
    start();
    put_trap_frame(STACK_TOP(0) - 0x600, FAULT_PC, FAULT_SP);
    kernel_bugcheck(&k, 0xd1, 0x28, 2, 0, FAULT_PC);
    kernel_header_context(&k, KERNEL_BASE + 0x3f5a80, STACK_TOP(0) - 0x3ff8);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK_STR(chosen(f)->source, "trap frame on the stack");
    CHECK_U64(chosen(f)->context.sp, FAULT_SP);
    check_fault_stack(f);
    ds_nt_close(nt);
    kernel_close(&k);
}

#define IDT 0xffff850200000000u
#define TSS 0xffff850200002000u

/* The trap frame counts where the other parameters agree with it, and only there. */
static void test_double_fault_frame(void)
{
    uint64_t frame = STACK_TOP(0) - 0x600;
    for (unsigned i = 0; i < 4; i++) {
        start();
        put_trap_frame(frame, FAULT_PC, FAULT_SP);
        kernel_bugcheck(&k, 0x7f, i == 1 ? 0xd : 8, frame, FAULT_SP + (i == 2 ? 8 : 0),
                        FAULT_PC + (i == 3));
        struct ds_nt *nt = kernel_nt(&k);
        const struct ds_fault_facts *f = ds_nt_fault(nt);
        CHECK((strcmp(chosen(f)->source, "bugcheck parameter 2") == 0) == (i == 0));
        if (i == 0) {
            CHECK_U64(chosen(f)->context.pc, FAULT_PC);
            CHECK_U64(chosen(f)->context.sp, FAULT_SP);
            CHECK_STR(chosen(f)->meaning, "the fault itself");
        }
        ds_nt_close(nt);
        kernel_close(&k);
    }
}

/* The stack that the processor switches to for a double fault: by the gate's index in the TSS. */
static void test_double_fault_stack(void)
{
    uint64_t top = 0xffff850100006000u, kpcr = PRCB(0) - 0x180;
    start();
    for (uint64_t va = top - 0x200; va < top; va += 8) {
        maker_ptr(&k.m, va, 0);
    }
    for (unsigned vector = 0; vector < 32; vector++) {
        maker_put(&k.m, IDT + vector * 16 + 4, vector == 8 ? 3 : 0, 1);
    }
    maker_ptr(&k.m, TSS + 0x1c + 3 * 8, top); /* Ist[3] (Intel SDM: IST1 stands at 24h) */
    kernel_set(&k, kpcr, "_KPCR", "IdtBase", IDT);
    kernel_set(&k, kpcr, "_KPCR", "TssBase", TSS);
    kernel_header_context(&k, KERNEL_BASE + 0x3f5a80, top - 0x200);
    maker_ptr(&k.m, top - 0x100, RETURN_2);
    struct ds_nt *nt = kernel_nt(&k);
    CHECK_STR(ds_nt_fault(nt)->stack_kind, "double-fault stack");
    CHECK_U64(ds_nt_fault(nt)->stack.count, 2);
    ds_nt_close(nt);
    maker_put(&k.m, IDT + 8 * 16 + 4, 0, 1); /* no stack of its own */
    nt = kernel_nt(&k);
    CHECK_STR(ds_nt_fault(nt)->stack_kind, "unknown stack");
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_idle_and_expanded_stacks(void)
{
    uint64_t control = STACK_TOP(0) - 0x50;
    start();
    kernel_header_context(&k, KERNEL_BASE + 0x3f5a80, STACK_TOP(0) - 0x800);
    kernel_set(&k, PRCB(0), "_KPRCB", "IdleThread", THREAD(0));
    struct ds_nt *nt = kernel_nt(&k);
    CHECK_STR(ds_nt_fault(nt)->stack_kind, "idle thread stack");
    ds_nt_close(nt);
    kernel_set(&k, PRCB(0), "_KPRCB", "IdleThread", THREAD(40));
    kernel_set(&k, THREAD(0), "_KTHREAD", "InitialStack", control);
    kernel_set(&k, control, "_KSTACK_CONTROL", "Previous.StackBase", STACK_TOP(3));
    kernel_set(&k, control, "_KSTACK_CONTROL", "Previous.StackLimit", STACK_TOP(3) - 0x6000);
    nt = kernel_nt(&k);
    CHECK_STR(ds_nt_fault(nt)->stack_kind, "expanded thread stack");
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_dpc_stack(void)
{
    uint64_t top = 0xffff850100006000u;
    start();
    for (uint64_t va = top - 0x200; va < top; va += 8) {
        maker_ptr(&k.m, va, 0);
    }
    kernel_set(&k, PRCB(0), "_KPRCB", "DpcStack", top);
    kernel_header_context(&k, KERNEL_BASE + 0x3f5a80, top - 0x200);
    maker_ptr(&k.m, top - 0x100, RETURN_2);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK_STR(f->stack_kind, "DPC stack");
    CHECK_U64(f->stack.count, 2);
    CHECK(f->stack_walk.complete);
    ds_nt_close(nt);
    kernel_header_context(&k, KERNEL_BASE + 0x3f5a80, 0xffff860000000000u); /* nobody's stack */
    nt = kernel_nt(&k);
    f = ds_nt_fault(nt);
    CHECK_STR(f->stack_kind, "unknown stack");
    CHECK(f->stack_walk.stop_reason == DS_NOT_MAPPED);
    CHECK(!f->stack_walk.complete);
    ds_nt_close(nt);
    kernel_header_context(&k, KERNEL_BASE, UINT64_MAX - 3); /* a stack pointer at the very end */
    nt = kernel_nt(&k);
    CHECK_U64(ds_nt_fault(nt)->stack.count, 1);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_call_forms(void)
{
    static const struct {
        const char *code; /* the eight bytes before the address */
        int after;
    } cases[] = {
        {"\x90\x90\x90\xe8\x01\x02\x03\x04", 1}, {"\x90\x90\x90\x90\x90\x41\xff\xd0", 1},
        {"\x90\x90\x90\x90\x90\x90\xff\x10", 1}, {"\x90\x90\x90\x90\x90\xff\x14\x24", 1},
        {"\x90\x90\x90\x90\x90\xff\x50\x18", 1}, {"\x90\x90\x90\x90\xff\x54\x24\x20", 1},
        {"\x90\x90\xff\x15\x01\x02\x03\x04", 1}, {"\x90\xff\x14\x25\x01\x02\x03\x04", 1},
        {"\x90\x90\xff\x90\x01\x02\x03\x04", 1}, {"\x90\xff\x94\x24\x01\x02\x03\x04", 1},
        {"\x90\x90\x90\x90\x90\x90\x90\x90", 0}, {"\x90\x90\x90\xe9\x01\x02\x03\x04", 0},
        {"\x90\x90\x90\x90\x90\x90\xff\xe0", 0}, {"\x90\x90\x90\x90\x90\x90\xff\x14", 0},
    };
    uint64_t page = DRIVER_BASE + 0x4000;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kernel_open(&k);
        maker_write(&k.m, page + 0x100 - 8, cases[i].code, 8);
        struct ds_target *t = kernel_target(&k);
        struct ds_opt after = ds_code_after_call(t->kernel, DS_ARCH_X64, page + 0x100);
        CHECK(after.known);
        CHECK_U64(after.value, (uint64_t)cases[i].after);
        ds_target_close(t);
        kernel_close(&k);
    }
    kernel_open(&k);
    maker_write(&k.m, page, "\xff\xd0\x90\x90", 4);
    maker_put(&k.m, DRIVER_BASE + 0x5000, 0x94000001u, 4);
    maker_put(&k.m, DRIVER_BASE + 0x5004, 0xd63f0100u, 4);
    maker_put(&k.m, DRIVER_BASE + 0x5008, 0xd65f03c0u, 4);
    struct ds_target *t = kernel_target(&k);
    struct ds_opt cut = ds_code_after_call(t->kernel, DS_ARCH_X64, page + 2);
    CHECK(cut.known && cut.value == 1); /* a call that begins where the captured bytes begin */
    cut = ds_code_after_call(t->kernel, DS_ARCH_X64, page + 4);
    CHECK(!cut.known && cut.why == DS_NOT_MAPPED); /* a longer one could begin before them */
    CHECK(!ds_code_after_call(t->kernel, DS_ARCH_X64, page).known);
    CHECK(!ds_code_after_call(t->kernel, DS_ARCH_X64, 3).known);
    CHECK(ds_code_after_call(t->kernel, DS_ARCH_ARM64, DRIVER_BASE + 0x5004).value == 1);
    CHECK(ds_code_after_call(t->kernel, DS_ARCH_ARM64, DRIVER_BASE + 0x5008).value == 1);
    cut = ds_code_after_call(t->kernel, DS_ARCH_ARM64, DRIVER_BASE + 0x500c);
    CHECK(cut.known && cut.value == 0); /* RET */
    CHECK(ds_code_after_call(t->kernel, DS_ARCH_ARM, DRIVER_BASE).why == DS_UNSUPPORTED);
    ds_target_close(t);
    kernel_close(&k);
}

static void test_frame_limit(void)
{
    start();
    for (uint64_t va = STACK_TOP(0) - 0x2000; va < STACK_TOP(0); va += 8) {
        maker_ptr(&k.m, va, RETURN_1);
    }
    kernel_header_context(&k, KERNEL_BASE + 0x3f5a80, STACK_TOP(0) - 0x2000);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK_U64(f->stack.count, 256);
    CHECK(f->stack_walk.stop_reason == DS_LIMIT);
    CHECK(!f->stack_walk.complete);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_8e(void)
{
    uint64_t frame = STACK_TOP(0) - 0x600;
    start();
    put_trap_frame(frame, FAULT_PC, FAULT_SP);
    kernel_bugcheck(&k, 0x1000008e, 0xc0000005, FAULT_PC, frame, 0);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK_STR(chosen(f)->source, "bugcheck parameter 3");
    CHECK_U64(f->exception.code, 0xc0000005);
    CHECK_U64(f->exception.address, FAULT_PC);
    check_fault_stack(f);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_1e_with_an_unknown_parameter(void)
{
    kernel_open(&k);
    kernel_bugcheck(&k, 0x1e, 0xc0000005, FAULT_PC, 1, 0x66);
    memcpy(k.m.file + 0x58, "PAGEPAGE", 8); /* parameter 4 was never set */
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK(f->exception.known);
    CHECK_U64(f->exception.parameter_count, 0);
    CHECK(!f->fault_address.known);
    CHECK(f->fault_access == NULL);
    ds_nt_close(nt);
    kernel_close(&k);
}

/* A stack that nobody could look for is no empty stack. */
static void test_no_context(void)
{
    kernel_open(&k);
    memset(k.m.file + 0x348, 0, 1232);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK(f->chosen == SIZE_MAX);
    CHECK_U64(f->stack.count, 0);
    CHECK(!f->stack_walk.complete);
    CHECK(f->stack_walk.stop_reason == DS_NOT_IN_DUMP);
    CHECK(f->stack.end == DS_NOT_IN_DUMP);
    CHECK(f->bugcheck_stack.end == DS_NOT_IN_DUMP);
    ds_nt_close(nt);
    ds_put_le32(k.m.file + 0xf98, 3); /* header only: no memory at all */
    nt = kernel_nt(&k);
    f = ds_nt_fault(nt);
    CHECK(!f->stack_walk.complete);
    CHECK(f->stack.end == DS_NOT_IN_DUMP);
    CHECK(f->bugcheck_stack.end == DS_NOT_IN_DUMP);
    ds_nt_close(nt);
    kernel_close(&k);
}

TEST_MAIN(TEST(test_8e), TEST(test_1e_with_an_unknown_parameter), TEST(test_no_context),
          TEST(test_7e), TEST(test_3b_and_unreadable_context), TEST(test_d1_trap_frame_on_stack),
          TEST(test_139), TEST(test_access), TEST(test_header_exception), TEST(test_dpc_stack),
          TEST(test_trap_frame_beyond_a_hole), TEST(test_double_fault_stack),
          TEST(test_double_fault_frame), TEST(test_idle_and_expanded_stacks), TEST(test_call_forms),
          TEST(test_frame_limit))
