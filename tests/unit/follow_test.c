/* What bugcheck parameters lead to. */
#include "kernel_maker.h"

#define AT (STACK_TOP(0) - 0x1000)

static struct kernel k;

static const struct ds_bugcheck_fact *fact(struct ds_nt *nt, const char *name)
{
    static const struct ds_bugcheck_fact none = {.name = "none", .meaning = "none"};
    const struct ds_bugcheck_facts *f = ds_nt_bugcheck_facts(nt);
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->rows[i].name, name) == 0) {
            return &f->rows[i];
        }
    }
    return &none;
}

static struct ds_nt *start(uint32_t code, uint64_t p1, uint64_t p2, uint64_t p3, uint64_t p4)
{
    kernel_open(&k);
    for (uint64_t va = AT; va < STACK_TOP(0); va += 8) {
        maker_ptr(&k.m, va, 0);
    }
    kernel_bugcheck(&k, code, p1, p2, p3, p4);
    return kernel_nt(&k);
}

static void end(struct ds_nt *nt)
{
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_cookie(void)
{
    struct ds_nt *nt = start(0xf7, 0x2b992ddfa233, 0x2b992ddfa232, ~UINT64_C(0x2b992ddfa232), 0);
    CHECK_U64(fact(nt, "bits_differ")->value.value, 1);
    CHECK_U64(fact(nt, "complement_holds")->value.value, 1);
    CHECK_STR(fact(nt, "as_text")->name, "none");
    end(nt);
    nt = start(0xf7, 0x4847464544434241, 0x2b992ddfa232, 0, 0);
    CHECK_STR(fact(nt, "as_text")->meaning, "the value reads as \"ABCDEFGH\"");
    CHECK_U64(fact(nt, "complement_holds")->value.value, 0);
    end(nt);
}

static void test_watchdog(void)
{
    struct ds_nt *nt = start(0x133, 0, 0x283, 0x282, AT);
    CHECK(fact(nt, "ticks")->value.known);
    CHECK_U64(fact(nt, "ticks")->value.value, 0x283);
    CHECK(strncmp(fact(nt, "ticks")->meaning, "0x283 of 0x282 ticks", 20) == 0);
    CHECK(!fact(nt, "triage_block")->value.known);
    end(nt);
    kernel_open(&k);
    maker_write(&k.m, AT, "\xde\xce\xbe\xae\x01\x00\x10\x00\xa8\x84\x00\x00\x00\x82\x00\x00", 16);
    kernel_bugcheck(&k, 0x133, 1, 0x1e00, AT, 0);
    nt = kernel_nt(&k);
    CHECK_U64(fact(nt, "triage_block")->value.value, AT);
    CHECK_U64(fact(nt, "profile_offset")->value.value, 0x84a8);
    CHECK_U64(fact(nt, "profile_length")->value.value, 0x8200);
    end(nt);
}

static void test_hung(void)
{
    struct ds_nt *nt = start(0x101, 0x18, 0, PRCB(0), 0);
    CHECK(fact(nt, "processor")->value.known);
    CHECK_U64(fact(nt, "processor")->value.value, 0);
    CHECK_STR(fact(nt, "processor")->meaning, "as parameter 4 says");
    CHECK(fact(nt, "current_thread")->value.known);
    end(nt);
    nt = start(0x101, 0x18, 0, 0x1234, 0);
    CHECK(!fact(nt, "processor")->value.known);
    end(nt);
}

static void test_process(void)
{
    struct ds_nt *nt = start(0xef, PROCESS(0), 0, 0, 0);
    CHECK_U64(fact(nt, "process")->value.value, PROCESS(0));
    CHECK(fact(nt, "process")->meaning != NULL);
    end(nt);
    nt = start(0xef, 0x10, 0, 0, 0);
    CHECK(!fact(nt, "process")->value.known);
    end(nt);
}

static void put_record(uint16_t sections, uint32_t length)
{
    maker_write(&k.m, AT, "CPER\x10\x02\xff\xff\xff\xff", 10);
    maker_put(&k.m, AT + 10, sections, 2);
    maker_put(&k.m, AT + 12, 1, 4);
    maker_put(&k.m, AT + 20, length, 4);
    maker_put(&k.m, AT + 128, 200, 4);
    maker_put(&k.m, AT + 132, 64, 4);
    maker_write(&k.m, AT + 144, "\x01\x1d\x1e\x8a\xf9\x42\x57\x45\x9c\x33\x56\x5e\x5c\xc3\xf7\xe8",
                16);
    maker_put(&k.m, AT + 176, 1, 4);
    maker_put(&k.m, AT + 200 + 16, 2, 4);
    maker_put(&k.m, AT + 200 + 36, 5, 4);
    maker_ptr(&k.m, AT + 200 + 40, 0xbe00000000800400);
}

static void test_whea(void)
{
    end(start(0x124, 0, AT, 0xbe000000, 0x800400));
    kernel_open(&k);
    put_record(1, 264);
    kernel_bugcheck(&k, 0x124, 0, AT, 0xbe000000, 0x800400);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_whea *w = ds_nt_whea(nt);
    CHECK(w->known && w->walk.complete);
    CHECK_U64(w->section_count, 1);
    CHECK_STR(w->sections[0].component, "processor 2, machine check bank 5");
    CHECK_U64(fact(nt, "mci_status")->value.value, 0xbe00000000800400);
    CHECK_STR(fact(nt, "section")->meaning,
              "machine check registers: processor 2, machine check bank 5");
    end(nt);
    kernel_open(&k);
    put_record(0xffff, 0xffffffff); /* lies */
    kernel_bugcheck(&k, 0x124, 0, AT, 0xbe000000, 0x800400);
    nt = kernel_nt(&k);
    CHECK(!ds_nt_whea(nt)->walk.complete);
    CHECK_STR(ds_nt_whea(nt)->sections[0].component, "processor 2, machine check bank 5");
    end(nt);
    nt = start(0x124, 4, 0x10, 0, 0);
    CHECK(!ds_nt_whea(nt)->known && !ds_nt_whea(nt)->walk.complete);
    CHECK(!fact(nt, "error_record")->value.known);
    CHECK_STR(fact(nt, "mci_status")->name, "none");
    end(nt);
    nt = start(0xd1, 0, AT, 0, 0);
    CHECK(ds_nt_whea(nt)->walk.complete);
    CHECK_U64(ds_nt_bugcheck_facts(nt)->count, 0);
    end(nt);
}

static void test_power(void)
{
    struct ds_nt *nt = start(0x9f, 3, 0x10, AT, 0x20);
    CHECK(!fact(nt, "driver_object")->value.known);
    CHECK(!fact(nt, "triage_9f_power")->value.known);
    CHECK(!fact(nt, "irp")->value.known);
    end(nt);
    kernel_open(&k);
    maker_ptr(&k.m, AT + 0x08, 0x1111);
    maker_ptr(&k.m, AT, 0x18000);
    maker_ptr(&k.m, AT + 0x10, 0x2222);
    maker_ptr(&k.m, AT + 0x18, 0x3333);
    kernel_set(&k, AT + 0x100, "_DEVICE_OBJECT", "Type", 3);
    kernel_set(&k, AT + 0x300, "_DRIVER_OBJECT", "Type", 4);
    kernel_set(&k, AT + 0x100, "_DEVICE_OBJECT", "DriverObject", AT + 0x300);
    kernel_set(&k, AT + 0x300, "_DRIVER_OBJECT", "DriverStart", DRIVER_BASE);
    kernel_bugcheck(&k, 0x9f, 3, AT + 0x100, AT, 0x20);
    nt = kernel_nt(&k);
    CHECK_U64(fact(nt, "triage_9f_power")->value.value, AT);
    CHECK_STR(fact(nt, "irp_list")->name, "none"); /* no kernel addresses */
    CHECK_U64(fact(nt, "driver_object")->value.value, AT + 0x300);
    CHECK(fact(nt, "driver_object")->meaning != NULL);
    end(nt);
}

TEST_MAIN(TEST(test_cookie), TEST(test_watchdog), TEST(test_hung), TEST(test_process),
          TEST(test_whea), TEST(test_power))
