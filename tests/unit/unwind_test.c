/* Unwinding by an image's own data, and what a marked scan takes and leaves. The unwind codes are
 * written out by hand from Microsoft's description of them. */
#include "unwind/frame.h"
#include "unwind/x64.h"

#include "maker.h"

#define BASE 0xfffff80012340000u
#define PDATA 0x8000u
#define INFO(n) (0x9000u + (n)*0x40u)
#define OTHER 0xfffff80055550000u /* an image whose headers were not captured */
#define GONE 0xfffff80066660000u  /* where an unloaded driver was */
#define STACK 0xffffab0000004000u
#define TOP (STACK + 0x2000u)

static struct maker m;
static struct ds_dump *dump;
static struct ds_space *space;
static struct ds_symbols *symbols;
static struct ds_x64_image image;
static struct ds_x64_registers r;
static struct ds_x64_step step;
static struct ds_stack stack;

static void function(unsigned n, uint32_t begin, uint32_t end, uint32_t info)
{
    maker_put(&m, BASE + PDATA + n * 12, begin, 4);
    maker_put(&m, BASE + PDATA + n * 12 + 4, end, 4);
    maker_put(&m, BASE + PDATA + n * 12 + 8, info, 4);
}

static void info(unsigned n, const char *bytes, size_t len)
{
    maker_write(&m, BASE + INFO(n), bytes, len);
}
#define INFO_BYTES(n, text) info(n, text, sizeof(text) - 1)

static void headers(uint32_t functions)
{
    maker_write(&m, BASE, "MZ", 2);
    maker_put(&m, BASE + 0x3c, 0x80, 4);
    maker_write(&m, BASE + 0x80, "PE\0\0", 4);
    maker_put(&m, BASE + 0x84, 0x8664, 2);
    maker_put(&m, BASE + 0x86, 1, 2);
    maker_put(&m, BASE + 0x94, 0xf0, 2);
    maker_put(&m, BASE + 0x98, 0x20b, 2);
    maker_put(&m, BASE + 0x98 + 56, 0x10000, 4);
    maker_put(&m, BASE + 0x98 + 60, 0x400, 4);
    maker_put(&m, BASE + 0x98 + 108, 16, 4);
    maker_put(&m, BASE + 0x98 + 112 + 3 * 8, PDATA, 4);
    maker_put(&m, BASE + 0x98 + 116 + 3 * 8, functions * 12, 4);
    uint64_t section = BASE + 0x98 + 0xf0;
    maker_write(&m, section, ".text\0\0\0", 8);
    maker_put(&m, section + 8, 0x7000, 4);
    maker_put(&m, section + 12, 0x1000, 4);
    maker_put(&m, section + 36, 0x60000020, 4);
}

static void call(uint64_t ret, uint64_t target)
{
    maker_put(&m, ret - 5, 0xe8, 1);
    maker_put(&m, ret - 4, (uint32_t)(target - ret), 4);
}

/* Seven functions, one for each way of unwinding. */
static void begin(void)
{
    maker_open(&m);
    headers(8);
    for (uint64_t va = STACK; va < TOP; va += 8)
        maker_ptr(&m, va, 0);
    function(0, 0x1000, 0x1100, INFO(0)); /* sub rsp,28h */
    INFO_BYTES(0, "\x01\x04\x01\x00\x04\x42\x00\x00");
    function(1, 0x1100, 0x1200, INFO(1)); /* push rbp; push rbx; sub rsp,1000h; lea rbp,[rsp+20h] */
    INFO_BYTES(1, "\x01\x0e\x05\x25\x0e\x03\x09\x01\x00\x02\x02\x30\x01\x50\x00\x00");
    function(2, 0x1200, 0x1300, INFO(2)); /* mov [rsp+30h],rbx; sub rsp,20h (a save above it) */
    INFO_BYTES(2, "\x01\x0a\x04\x00\x0a\x34\x0a\x00\x05\x32\x01\x70");
    function(3, 0x1300, 0x1400, INFO(3)); /* the far part of function 0 */
    INFO_BYTES(3, "\x21\x00\x00\x00\x00\x10\x00\x00\x00\x11\x00\x00");
    maker_put(&m, BASE + INFO(3) + 12, INFO(0), 4);
    function(4, 0x1400, 0x1500, INFO(4)); /* a trap handler: error code, push rbp, sub rsp,158h */
    INFO_BYTES(4, "\x01\x08\x04\x00\x08\x01\x2b\x00\x01\x50\x00\x1a");
    function(5, 0x1500, 0x1600, INFO(5)); /* version 2: two epilog entries, then sub rsp,28h */
    INFO_BYTES(5, "\x02\x04\x03\x00\x06\x16\x00\x06\x04\x42\x00\x00");
    function(6, 0x1600, 0x1700, INFO(6)); /* no such code */
    INFO_BYTES(6, "\x01\x04\x01\x00\x04\x4c\x00\x00");
    function(7, 0x1700, 0x1800, INFO(7)); /* chained to itself */
    INFO_BYTES(7, "\x21\x00\x00\x00\x00\x17\x00\x00\x00\x18\x00\x00");
    maker_put(&m, BASE + INFO(7) + 12, INFO(7), 4);
    maker_write(&m, BASE + 0x2000, "\xcc", 1);
    image = (struct ds_x64_image){BASE, PDATA, 8 * 12};
    step = (struct ds_x64_step){0};
}

static void open_space(void)
{
    struct ds_err err;
    dump = maker_dump(&m);
    CHECK(ds_space_open_paged(dump, DS_PAGING_X64, m.dtb, &space, &err) == DS_OK);
    CHECK(ds_symbols_open(&symbols, &err) == DS_OK);
    CHECK(ds_symbols_add_module(symbols, "driver.sys", BASE, 0x10000) == DS_OK);
    CHECK(ds_symbols_add_module(symbols, "other.sys", OTHER, 0x10000) == DS_OK);
}

static void end(void)
{
    ds_symbols_close(symbols);
    ds_space_close(space);
    ds_dump_close(dump);
    maker_close(&m);
}

static enum ds_status unwind(uint64_t rip, uint64_t rsp)
{
    r.rip = rip;
    r.gpr[DS_X64_RSP] = rsp;
    r.known |= 1u << DS_X64_RSP;
    return ds_x64_step(space, &image, &r, &step);
}

static void an_allocation_is_undone(void)
{
    begin();
    maker_ptr(&m, STACK + 0x28, BASE + 0x1150);
    maker_ptr(&m, STACK, BASE + 0x1160);
    open_space();
    r = (struct ds_x64_registers){.gpr[1] = 7, .gpr[3] = 8, .known = 1u << 1 | 1u << 3};
    CHECK(unwind(BASE + 0x1050, STACK) == DS_OK);
    CHECK_U64(r.rip, BASE + 0x1150);
    CHECK_U64(r.gpr[DS_X64_RSP], STACK + 0x30);
    CHECK_U64(step.slot, STACK + 0x28);
    CHECK_U64(step.function, BASE + 0x1000);
    CHECK(!step.interrupted);
    CHECK((r.known & 1u << 1) == 0); /* rcx did not survive the call, rbx did */
    CHECK((r.known & 1u << 3) != 0 && r.gpr[3] == 8);
    /* In the prologue, before the subtraction: nothing to undo. */
    CHECK(unwind(BASE + 0x1003, STACK) == DS_OK);
    CHECK_U64(r.rip, BASE + 0x1160);
    /* The far part: its codes are those of the near one. */
    CHECK(unwind(BASE + 0x1301, STACK) == DS_OK);
    CHECK_U64(r.rip, BASE + 0x1150);
    CHECK_U64(step.function, BASE + 0x1000);
    /* No entry: a leaf. */
    CHECK(unwind(BASE + 0x2000, STACK) == DS_OK);
    CHECK_U64(r.rip, BASE + 0x1160);
    CHECK_U64(step.function, 0);
    end();
}

static void a_frame_register_finds_the_frame(void)
{
    begin();
    uint64_t frame = STACK + 0x80;
    maker_ptr(&m, frame + 0x1000, 0xbbbb); /* rbx */
    maker_ptr(&m, frame + 0x1008, 0x5555); /* rbp */
    maker_ptr(&m, frame + 0x1010, BASE + 0x1050);
    maker_ptr(&m, STACK + 0x50, 0x3333);
    maker_ptr(&m, STACK + 0x20, 0x7777);
    maker_ptr(&m, STACK + 0x28, BASE + 0x1140);
    open_space();
    /* rsp was moved since (alloca): only rbp tells. */
    r = (struct ds_x64_registers){.gpr[5] = frame + 0x20, .known = 1u << 5};
    CHECK(unwind(BASE + 0x1180, STACK) == DS_OK);
    CHECK_U64(r.rip, BASE + 0x1050);
    CHECK_U64(r.gpr[3], 0xbbbb);
    CHECK_U64(r.gpr[5], 0x5555);
    CHECK_U64(r.gpr[DS_X64_RSP], frame + 0x1018);
    r = (struct ds_x64_registers){0};
    CHECK(unwind(BASE + 0x1180, STACK) == DS_NOT_FOUND);
    CHECK_U64(r.rip, BASE + 0x1180);
    /* Saved by a move, above the allocation. */
    CHECK(unwind(BASE + 0x1280, STACK) == DS_OK);
    CHECK_U64(r.gpr[3], 0x3333);
    CHECK_U64(r.gpr[7], 0x7777);
    CHECK_U64(r.rip, BASE + 0x1140);
    end();
}

static void put_machine_frame(uint64_t at, uint64_t rip, uint64_t cs, uint64_t rsp)
{
    maker_ptr(&m, at, rip);
    maker_ptr(&m, at + 8, cs);
    maker_ptr(&m, at + 16, 0x10246);
    maker_ptr(&m, at + 24, rsp);
    maker_ptr(&m, at + 32, 0x18);
}

static void a_trap_is_stepped_over(void)
{
    begin();
    maker_ptr(&m, STACK + 0x158, 0x5555);
    put_machine_frame(STACK + 0x168, BASE + 0x1050, 0x10, STACK + 0x1b8);
    maker_ptr(&m, STACK + 0x28, BASE + 0x1150);
    open_space();
    r = (struct ds_x64_registers){0};
    CHECK(unwind(BASE + 0x1450, STACK) == DS_OK);
    CHECK(step.interrupted);
    CHECK_U64(step.slot, STACK + 0x168);
    CHECK_U64(step.code_segment, 0x10);
    CHECK_U64(r.rip, BASE + 0x1050);
    CHECK_U64(r.gpr[5], 0x5555);
    CHECK_U64(r.gpr[DS_X64_RSP], STACK + 0x1b8);
    CHECK(unwind(BASE + 0x1580, STACK) == DS_OK); /* version 2 */
    CHECK_U64(r.rip, BASE + 0x1150);
    end();
}

static void hostile_data_is_refused(void)
{
    begin();
    open_space();
    r = (struct ds_x64_registers){0};
    CHECK(unwind(BASE + 0x1680, STACK) == DS_CORRUPT);
    CHECK(unwind(BASE + 0x1780, STACK) == DS_LOOP);
    CHECK(unwind(BASE - 1, STACK) == DS_CORRUPT);
    CHECK(unwind(BASE + 0x1050, TOP - 0x20) == DS_NOT_MAPPED);
    CHECK_U64(r.gpr[DS_X64_RSP], TOP - 0x20);
    image.exception_size = UINT32_MAX; /* far beyond what is there */
    CHECK(unwind(BASE + 0x1050, STACK) != DS_OK);
    image.exception_size = 0;
    CHECK(unwind(BASE + 0x1050, STACK) == DS_CORRUPT);
    r.known = 0;
    CHECK(ds_x64_step(space, &image, &r, &step) == DS_NOT_FOUND);
    end();
}

static bool was_code(void *arg, uint64_t va)
{
    (void)arg;
    return va > GONE && va < GONE + 0x8000;
}

static void walk(const struct ds_context *context, uint64_t sp,
                 const struct ds_stack_record *records, size_t count)
{
    struct ds_stack_walk in = {.space = space,
                               .arch = DS_ARCH_X64,
                               .symbols = symbols,
                               .context = context,
                               .sp = sp,
                               .limit = TOP,
                               .stop = TOP,
                               .records = records,
                               .record_count = count,
                               .was_code = was_code};
    ds_stack_walk(&in, &stack);
}

static struct ds_context at(uint64_t pc, uint64_t sp)
{
    struct ds_context c = {.arch = DS_ARCH_X64, .pc = pc, .sp = sp};
    ds_context_add(&c, "rsp", sp, 8);
    return c;
}

static void unwinding_jumps_over_leftovers(void)
{
    begin();
    maker_ptr(&m, STACK + 8, BASE + 0x1150);    /* a leftover that does follow a call */
    maker_ptr(&m, STACK + 0x28, BASE + 0x1580); /* the caller */
    maker_ptr(&m, STACK + 0x58, BASE + 0x1040); /* its caller, and then nothing */
    call(BASE + 0x1150, BASE + 0x1000);
    call(BASE + 0x1580, BASE + 0x1000);
    call(BASE + 0x1040, BASE + 0x1500);
    open_space();
    struct ds_context c = at(BASE + 0x1050, STACK);
    walk(&c, STACK, NULL, 0);
    CHECK_U64(stack.count, 3);
    CHECK(stack.frames[0].trust == DS_FRAME_CONTEXT && stack.frames[0].anchored);
    CHECK_U64(stack.frames[1].pc, BASE + 0x1580);
    CHECK_U64(stack.frames[1].sp, STACK + 0x28);
    CHECK(stack.frames[1].trust == DS_FRAME_UNWIND && stack.frames[1].anchored);
    CHECK(stack.frames[1].after_call.known && stack.frames[1].after_call.value == 1);
    CHECK_U64(stack.frames[2].pc, BASE + 0x1040);
    CHECK(stack.end == DS_OK);
    end();
}

static void a_scan_bridges_what_cannot_be_unwound(void)
{
    begin();
    maker_ptr(&m, STACK + 0x10, OTHER + 0x1234); /* no code captured: cannot be told */
    maker_ptr(&m, STACK + 0x20, GONE + 0x100);   /* code that is no more */
    maker_ptr(&m, STACK + 0x28, BASE + 0x9000);  /* data */
    maker_ptr(&m, STACK + 0x30, BASE + 0x1180);  /* follows no call */
    maker_ptr(&m, STACK + 0x40, BASE + 0x1050);  /* follows one: unwinding goes on */
    maker_ptr(&m, STACK + 0x50, BASE + 0x1555);  /* skipped by it */
    maker_ptr(&m, STACK + 0x70, BASE + 0x1560);
    maker_ptr(&m, STACK + 0x100, BASE + 0x1010); /* follows one, but what it leads to does not */
    maker_ptr(&m, STACK + 0x108, BASE + 0x1560); /* call another function: it is not stepped over */
    call(BASE + 0x1050, BASE + 0x7000);
    call(BASE + 0x1555, BASE + 0x1000);
    call(BASE + 0x1560, BASE + 0x1000);
    call(BASE + 0x1010, BASE + 0x7000);
    open_space();
    struct ds_context c = at(OTHER + 0x1000, STACK);
    walk(&c, STACK, NULL, 0);
    static const struct {
        uint64_t pc;
        enum ds_frame_trust trust;
    } want[] = {{OTHER + 0x1000, DS_FRAME_CONTEXT}, {OTHER + 0x1234, DS_FRAME_SCAN},
                {GONE + 0x100, DS_FRAME_SCAN},      {BASE + 0x1050, DS_FRAME_SCAN},
                {BASE + 0x1560, DS_FRAME_UNWIND},   {BASE + 0x1010, DS_FRAME_SCAN},
                {BASE + 0x1560, DS_FRAME_SCAN}};
    CHECK_U64(stack.count, sizeof(want) / sizeof(want[0]));
    for (size_t i = 0; i < stack.count && i < sizeof(want) / sizeof(want[0]); i++) {
        CHECK_U64(stack.frames[i].pc, want[i].pc);
        CHECK(stack.frames[i].trust == want[i].trust);
        CHECK(stack.frames[i].anchored == (i == 0));
    }
    CHECK_U64(stack.dropped, 2);
    CHECK(!stack.frames[1].after_call.known);
    end();
}

static void leftovers_of_an_exception_are_no_frames(void)
{
    begin();
    uint64_t context = STACK + 0x200, table = STACK + 0x800, trap = STACK + 0xa00;
    maker_ptr(&m, STACK + 0x100, OTHER + 0x100); /* in a record that was told */
    maker_put(&m, context + 0x30, 0x10001f, 4);
    maker_put(&m, context + 0x34, 0x1f80, 4);
    maker_put(&m, context + 0x38, 0x10, 2);
    maker_ptr(&m, context + 0x90, OTHER + 0x200); /* rbx and rip of a context */
    maker_ptr(&m, context + 0xf8, OTHER + 0x300);
    maker_ptr(&m, table, OTHER); /* ImageBase, FunctionEntry */
    maker_ptr(&m, table + 8, OTHER + 0x400);
    maker_ptr(&m, table + 0x40, OTHER + 0x500); /* ControlPc, ImageBase, FunctionEntry */
    maker_ptr(&m, table + 0x48, OTHER);
    maker_ptr(&m, table + 0x50, OTHER + 0x600);
    maker_ptr(&m, trap + 0x100, OTHER + 0x700); /* a register of a trap frame */
    put_machine_frame(trap + 0x168, OTHER + 0x800, 0x10, trap + 0x1a0);
    maker_ptr(&m, trap + 0x170 + 0x28, OTHER + 0x900); /* between it and the stack below */
    maker_ptr(&m, trap + 0x1a0, OTHER + 0xa00);
    open_space();
    struct ds_stack_record record = {STACK + 0xf8, 0x98};
    walk(NULL, STACK, &record, 1);
    CHECK_U64(stack.residue, 7);
    CHECK_U64(stack.count, 2);
    CHECK_U64(stack.frames[0].pc, OTHER + 0x800);
    CHECK(stack.frames[0].interrupted && !stack.frames[0].after_call.known);
    CHECK_U64(stack.frames[1].pc, OTHER + 0xa00);
    end();
}

/* Where one bit keeps a record from being one, its values are frames like any other. */
static void what_is_no_record_is_scanned(void)
{
    begin();
    uint64_t context = STACK + 0x200;
    maker_put(&m, context + 0x30, 0x20001f, 4); /* another architecture's flags */
    maker_put(&m, context + 0x38, 0x10, 2);
    maker_ptr(&m, context + 0xf8, OTHER + 0x300);
    put_machine_frame(STACK + 0x800, OTHER + 0x800, 0x10, STACK); /* goes down: no machine frame */
    open_space();
    walk(NULL, STACK, NULL, 0);
    CHECK_U64(stack.residue, 0);
    CHECK_U64(stack.count, 2);
    CHECK(!stack.frames[1].interrupted);
    end();
}

#define LOW 0x80500000u /* a 32-bit kernel */

static void walk_x86(uint32_t cs)
{
    maker_open(&m);
    for (uint64_t va = 0xf7a00000u; va < 0xf7a01000u; va += 4)
        maker_put(&m, va, 0, 4);
    for (uint32_t ret = LOW + 0x100; ret <= LOW + 0x400; ret += 0x100)
        maker_put(&m, ret - 5, 0xe8, 1);
    maker_write(&m, LOW + 0x5f0, "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90",
                16);
    const uint32_t words[][2] = {
        {0xf7a00100, LOW + 0x100}, /* on top: what a function without a frame returns to */
        {0xf7a00110, LOW + 0x400}, /* a leftover between the frames */
        {0xf7a00120, 0xf7a00140},  {0xf7a00124, LOW + 0x200}, {0xf7a00140, 0xf7a00180},
        {0xf7a00144, LOW + 0x600}, {0xf7a001a8, LOW + 0x600}, /* a trap frame: eip, cs */
        {0xf7a001ac, cs},          {0xf7a00180, 0xf7a00130},  {0xf7a00184, LOW + 0x300}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        maker_put(&m, words[i][0], words[i][1], 4);
    open_space();
    ds_space_set_pointer_size(space, 4);
    CHECK(ds_symbols_add_module(symbols, "ntoskrnl.exe", LOW, 0x10000) == DS_OK);
    struct ds_context c = {
        .arch = DS_ARCH_X86, .pc = LOW + 0x50, .sp = 0xf7a00100, .fp = 0xf7a00120};
    struct ds_stack_walk in = {.space = space,
                               .arch = DS_ARCH_X86,
                               .symbols = symbols,
                               .context = &c,
                               .sp = c.sp,
                               .limit = 0xf7a01000,
                               .stop = 0xf7a01000};
    ds_stack_walk(&in, &stack);
}

static void frame_pointers_lead_on_x86(void)
{
    walk_x86(8);
    CHECK_U64(stack.count, 5); /* then the chain turns back, and a scan finds nothing more */
    CHECK_U64(stack.frames[1].pc, LOW + 0x100);
    CHECK(stack.frames[1].trust == DS_FRAME_SCAN && stack.frames[1].after_call.value == 1);
    CHECK_U64(stack.frames[2].pc, LOW + 0x200);
    CHECK(stack.frames[2].trust == DS_FRAME_FP && !stack.frames[2].interrupted);
    CHECK_U64(stack.frames[3].pc, LOW + 0x600);
    CHECK(stack.frames[3].trust == DS_FRAME_FP && stack.frames[3].interrupted);
    CHECK_U64(stack.frames[4].pc, LOW + 0x300);
    CHECK(stack.frames[4].trust == DS_FRAME_FP);
    end();
    walk_x86(0x1b); /* no kernel trap frame: the chain breaks there, a scan goes on */
    CHECK_U64(stack.frames[2].pc, LOW + 0x200);
    CHECK_U64(stack.count, 4);
    CHECK_U64(stack.frames[3].pc, LOW + 0x300);
    CHECK(stack.frames[3].trust == DS_FRAME_SCAN);
    end();
}

TEST_MAIN(TEST(an_allocation_is_undone), TEST(a_frame_register_finds_the_frame),
          TEST(a_trap_is_stepped_over), TEST(hostile_data_is_refused),
          TEST(unwinding_jumps_over_leftovers), TEST(a_scan_bridges_what_cannot_be_unwound),
          TEST(leftovers_of_an_exception_are_no_frames), TEST(what_is_no_record_is_scanned),
          TEST(frame_pointers_lead_on_x86))
