/* What parameters lead to: records, objects, pool, lists, addresses, profiles; whole and broken. */
#include "kernel_maker.h"

#define AT (STACK_TOP(0) - 0x1000)
#define POOL UINT64_C(0xffffc08000700000)

static struct kernel k;

static const struct ds_bugcheck_fact *fact(struct ds_nt *nt, const char *name)
{
    static const struct ds_bugcheck_fact none = {.name = "none", .meaning = "none"};
    const struct ds_bugcheck_facts *f = ds_nt_bugcheck_facts(nt);
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->rows[i].name, name) == 0)
            return &f->rows[i];
    return &none;
}

static void begin(void)
{
    kernel_open(&k);
    for (uint64_t va = AT; va < STACK_TOP(0); va += 8)
        maker_ptr(&k.m, va, 0);
}

static struct ds_nt *with(uint32_t code, uint64_t p1, uint64_t p2, uint64_t p3, uint64_t p4)
{
    kernel_bugcheck(&k, code, p1, p2, p3, p4);
    return kernel_nt(&k);
}

static void end(struct ds_nt *nt)
{
    ds_nt_close(nt);
    kernel_close(&k);
}

static void put_exception(uint64_t va, uint32_t code, uint64_t first, uint64_t second)
{
    maker_put(&k.m, va, code, 4);
    maker_ptr(&k.m, va + 0x10, DRIVER_BASE + 0x1234);
    maker_put(&k.m, va + 0x18, 2, 4);
    maker_ptr(&k.m, va + 0x20, first);
    maker_ptr(&k.m, va + 0x28, second);
}

static void put_context(uint64_t va, uint64_t pc, uint64_t sp)
{
    for (uint64_t i = 0; i < 1232; i += 8)
        maker_ptr(&k.m, va + i, 0);
    maker_put(&k.m, va + 0x30, 0x10001f, 4);
    maker_ptr(&k.m, va + 0x98, sp);
    maker_ptr(&k.m, va + 0xf8, pc);
}

static void test_records(void)
{
    begin();
    put_exception(AT, 0xc0000005, 1, 0x30);
    put_context(AT + 0x100, DRIVER_BASE + 0x1234, AT + 0x800);
    struct ds_nt *nt = with(0x7e, 0xc0000005, DRIVER_BASE + 0x1234, AT, AT + 0x100);
    CHECK_STR(fact(nt, "exception_code")->meaning, "STATUS_ACCESS_VIOLATION");
    CHECK_STR(fact(nt, "exception_address")->meaning, "driver+0x1234");
    CHECK_U64(fact(nt, "exception_target")->value.value, 0x30);
    CHECK_STR(fact(nt, "exception_target")->meaning, "was written");
    CHECK_U64(fact(nt, "pc")->parameter, 4);
    CHECK_STR(fact(nt, "sp")->meaning, "thread stack");
    end(nt);
    begin(); /* neither is in the dump */
    nt = with(0x7e, 0xc0000005, DRIVER_BASE, 0xffffc08000777000, 0xffffc08000777000);
    CHECK(!fact(nt, "exception_record")->value.known);
    CHECK(!fact(nt, "context")->value.known);
    end(nt);
    begin(); /* exception pointers */
    put_exception(AT, 0xc0000005, 0, 0x30);
    put_context(AT + 0x100, DRIVER_BASE + 0x40, AT + 0x800);
    maker_ptr(&k.m, AT + 0x700, AT);
    maker_ptr(&k.m, AT + 0x708, AT + 0x100);
    nt = with(0x154, POOL, AT + 0x700, 0, 0);
    CHECK_U64(fact(nt, "exception_code")->value.value, 0xc0000005);
    CHECK_U64(fact(nt, "pc")->value.value, DRIVER_BASE + 0x40);
    end(nt);
}

static void put_list(uint64_t a, uint64_t b, uint64_t c)
{
    maker_ptr(&k.m, a, b);
    maker_ptr(&k.m, a + 8, c);
    maker_ptr(&k.m, b, c);
    maker_ptr(&k.m, b + 8, a);
    maker_ptr(&k.m, c, a);
    maker_ptr(&k.m, c + 8, b);
}

static void put_trap(uint64_t va, uint64_t rcx)
{
    kernel_set(&k, va, "_KTRAP_FRAME", "Rip", DRIVER_BASE + 0x1234);
    kernel_set(&k, va, "_KTRAP_FRAME", "Rsp", AT + 0x900);
    kernel_set(&k, va, "_KTRAP_FRAME", "SegCs", 0x10);
    kernel_set(&k, va, "_KTRAP_FRAME", "Rdx", rcx);
}

static void test_list_entry(void)
{
    begin();
    put_list(AT, AT + 0x10, AT + 0x20);
    put_trap(AT + 0x400, AT + 0x10);
    struct ds_nt *nt = with(0x139, 3, AT + 0x400, 0, 0);
    CHECK(!fact(nt, "list_entry")->value.known); /* the list is whole */
    end(nt);
    begin();
    put_list(AT, AT + 0x10, AT + 0x20);
    maker_ptr(&k.m, AT + 0x28, (AT + 0x10) ^ 0x100000000); /* one bit */
    put_trap(AT + 0x400, AT + 0x10);
    nt = with(0x139, 3, AT + 0x400, 0, 0);
    CHECK_U64(fact(nt, "list_entry")->value.value, AT + 0x10);
    CHECK(strstr(fact(nt, "flink")->meaning, "one bit differs") != NULL);
    CHECK_STR(fact(nt, "blink")->meaning, "points back to the entry");
    end(nt);
}

static void put_pool(uint64_t va, unsigned previous, unsigned size, const char *tag)
{
    maker_put(&k.m, va, previous | (uint64_t)size << 16 | UINT64_C(2) << 24, 4);
    maker_write(&k.m, va + 4, tag, 4);
}

static void test_pool(void)
{
    begin();
    for (uint64_t va = POOL; va < POOL + 0x1000; va += 8)
        maker_ptr(&k.m, va, 0);
    put_pool(POOL + 0x100, 0, 0x10, "FabN");
    struct ds_nt *nt = with(0xc2, 7, 0, 0, POOL + 0x110); /* the body is passed */
    CHECK_U64(fact(nt, "pool_block")->value.value, POOL + 0x100);
    CHECK(strncmp(fact(nt, "pool_block")->meaning, "tag FabN, 256 bytes", 19) == 0);
    CHECK_STR(fact(nt, "pool_damage")->name, "none"); /* segment heaps keep no chain */
    end(nt);
    begin();
    nt = with(0xc2, 7, 0, 0, POOL + 0x110);
    CHECK(!fact(nt, "pool_block")->value.known);
    end(nt);
}

static void test_references(void)
{
    begin();
    uint64_t body = AT + 0x200 + kernel_offset(&k, "_OBJECT_HEADER", "Body");
    maker_ptr(&k.m, AT + 0x200, UINT64_MAX); /* PointerCount */
    struct ds_nt *nt = with(0x18, 0, body, 0, 0);
    CHECK_STR(fact(nt, "pointer_count")->meaning, "below zero: dereferenced too often");
    end(nt);
}

static void test_objects(void)
{
    begin();
    kernel_set(&k, AT, "_IRP", "Type", 6);
    kernel_set(&k, AT, "_IRP", "StackCount", 2);
    kernel_set(&k, AT, "_IRP", "CurrentLocation", 4);
    kernel_set(&k, AT, "_IRP", "Tail.Overlay.Thread", THREAD(3));
    struct ds_nt *nt = with(0x44, AT, 0, 0, 0);
    CHECK_STR(fact(nt, "irp")->meaning,
              "stack location 4 of 2: no driver holds it, it is new or completed");
    CHECK_STR(fact(nt, "irp_thread")->meaning, "tid 4108 of smss.exe");
    CHECK_STR(fact(nt, "irp_device")->name, "none");
    end(nt);
    begin(); /* not an IRP */
    kernel_set(&k, AT, "_IRP", "Type", 5);
    nt = with(0x44, AT, 0, 0, 0);
    CHECK_U64(fact(nt, "irp")->value.why, DS_CORRUPT);
    end(nt);
    begin(); /* an idle thread and one that nobody lists */
    nt = with(0xea, THREAD(41), 0, 0, 0);
    CHECK_STR(fact(nt, "thread")->meaning, "idle thread of processor 1");
    end(nt);
    begin();
    nt = with(0xea, 0xffffc08000777000, 0, 0, 0);
    CHECK_STR(fact(nt, "thread")->meaning, "not among the threads of the dump");
    end(nt);
}

static void test_region(void)
{
    begin();
    struct ds_nt *nt = with(0x50, AT + 0x10, 0, DRIVER_BASE, 0);
    CHECK_STR(fact(nt, "region")->meaning, "kernel stack of tid 4096; the page is in memory");
    end(nt);
    begin();
    nt = with(0x50, 0xfffff80600001234, 0, DRIVER_BASE, 0);
    CHECK(strncmp(fact(nt, "region")->meaning, "unloaded driver older.sys+0x1234", 32) == 0);
    end(nt);
    begin();
    nt = with(0x50, 0x0000700000001000, 0, DRIVER_BASE, 0);
    CHECK(strncmp(fact(nt, "region")->meaning, "user address; ", 14) == 0);
    end(nt);
    begin(); /* NULL and non-canonical addresses are explained without the dump */
    nt = with(0x50, 0x28, 0, DRIVER_BASE, 0);
    CHECK_STR(fact(nt, "region")->name, "none");
    end(nt);
    begin();
    nt = with(0x50, 0x00ff800000000000, 0, DRIVER_BASE, 0);
    CHECK_STR(fact(nt, "region")->name, "none");
    end(nt);
}

static void test_pte(void)
{
    begin();
    struct ds_nt *nt = with(0xbe, DRIVER_BASE, 0x8000000012345021, 0, 0);
    CHECK(fact(nt, "pte")->value.known);
    CHECK_U64(fact(nt, "pfn")->value.value, 0x12345);
    end(nt);
    begin();
    nt = with(0xbe, DRIVER_BASE, 0x40000000, 0, 0);
    CHECK(strstr(fact(nt, "pte")->meaning, "a single bit is set") != NULL);
    CHECK_STR(fact(nt, "pfn")->name, "none");
    end(nt);
}

static void put_profile(uint32_t length)
{
    maker_write(&k.m, AT, "\xde\xce\xbe\xae\x01\x00\x10\x00", 8);
    maker_put(&k.m, AT + 8, kernel_offset(&k, "_KPRCB", "DpcWatchdogProfile"), 4);
    maker_put(&k.m, AT + 12, length, 4);
    kernel_set(&k, PRCB(1), "_KPRCB", "DpcWatchdogProfile", AT + 0x100);
    maker_ptr(&k.m, AT + 0x100, DRIVER_BASE + 0x10);
    maker_ptr(&k.m, AT + 0x108, KERNEL_BASE + 0x1000);
    maker_ptr(&k.m, AT + 0x118, DRIVER_BASE + 0x20);
}

static void test_samples(void)
{
    begin();
    put_profile(0x40);
    struct ds_nt *nt = with(0x133, 0, 0x501, 0x500, AT);
    const struct ds_dpc_samples *s = ds_nt_dpc_samples(nt);
    CHECK(s->walk.complete);
    CHECK_U64(s->count, 3);
    CHECK_U64(s->rows[0].processor, 1);
    CHECK_U64(s->rows[1].depth, 1);
    CHECK_U64(s->rows[2].capture, 1);
    CHECK_U64(s->rows[2].pc, DRIVER_BASE + 0x20);
    CHECK_U64(fact(nt, "profile_samples")->value.value, 3);
    end(nt);
    begin();
    put_profile(0xffffffff); /* more than is there */
    nt = with(0x133, 1, 0x1e00, AT, 0);
    s = ds_nt_dpc_samples(nt);
    CHECK(!s->walk.complete);
    CHECK(s->count >= 3);
    end(nt);
    begin(); /* another bugcheck has none */
    put_profile(0x40);
    nt = with(0xd1, 0, 2, 0, AT);
    CHECK(ds_nt_dpc_samples(nt)->walk.complete);
    CHECK_U64(ds_nt_dpc_samples(nt)->count, 0);
    end(nt);
}

static void test_ticks(void)
{
    begin(); /* neither KeTimeIncrement nor shared data: by the uptime */
    ds_put_le64(k.m.file + 0x1030, 1000 * UINT64_C(156250));
    kernel_set(&k, PRCB(0), "_KPRCB", "LastTick", 1000);
    struct ds_nt *nt = with(0x101, 64, 0, PRCB(0), 0);
    CHECK_STR(fact(nt, "ticks")->meaning, "0x40 ticks, about 1.00 s at 15.625 ms (by the uptime)");
    end(nt);
    begin(); /* nothing at all: said so */
    nt = with(0x101, 64, 0, PRCB(0), 0);
    CHECK(strstr(fact(nt, "ticks")->meaning,
                 "not in the dump, at the usual 15.625 ms about 1.00 s") != NULL);
    end(nt);
    begin(); /* shared data */
    kernel_set(&k, SHARED_DATA, "_KUSER_SHARED_DATA", "TickCountMultiplier", 0x0fa00000);
    nt = with(0x101, 64, 0, PRCB(0), 0);
    CHECK(strstr(fact(nt, "ticks")->meaning, "(by the shared user data)") != NULL);
    end(nt);
}

/* More than DS_FOLLOW_MAX rows are cut, and said to be. */
static void test_power_lists(void)
{
    begin();
    uint64_t heads[2] = {AT + 0x100, AT + 0x110}, entries[40];
    for (unsigned i = 0; i < 40; i++)
        entries[i] = AT + 0x200 + 0x20 * i;
    kernel_list(&k, heads[0], entries, 40);
    kernel_list(&k, heads[1], NULL, 0);
    maker_ptr(&k.m, AT, 0x18000);
    maker_ptr(&k.m, AT + 8, heads[0]);
    maker_ptr(&k.m, AT + 16, heads[1]);
    struct ds_nt *nt = with(0x9f, 3, 0, AT, 0);
    CHECK_U64(fact(nt, "irp_list")->value.value, 40);
    CHECK_STR(fact(nt, "irp_list")->meaning, "entries in all");
    CHECK_STR(fact(nt, "thread_list")->meaning, "nothing is in the list");
    size_t shown = 0;
    for (size_t i = 0; i < ds_nt_bugcheck_facts(nt)->count; i++)
        shown += strcmp(ds_nt_bugcheck_facts(nt)->rows[i].name, "power_irp") == 0;
    CHECK_U64(shown, 16);
    end(nt);
}

TEST_MAIN(TEST(test_records), TEST(test_list_entry), TEST(test_pool), TEST(test_references),
          TEST(test_objects), TEST(test_region), TEST(test_pte), TEST(test_samples),
          TEST(test_ticks), TEST(test_power_lists))
