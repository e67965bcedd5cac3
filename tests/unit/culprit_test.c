/* Who is named, why, and when nobody is. */
#include "kernel_maker.h"

#include "facts/skip.h"
#include "rules/rules.h"

static struct kernel k;
static struct ds_nt *nt;
static struct ds_verdict verdict;

#define RECORD_AT (STACK_TOP(0) - 0xa00)
#define CONTEXT_AT (STACK_TOP(0) - 0xf00)
#define OTHER_BASE 0xfffff80700000000u

static void begin(void)
{
    kernel_open(&k);
    for (uint64_t va = STACK_TOP(0) - 0x2000; va < STACK_TOP(0); va += 8)
        maker_ptr(&k.m, va, 0);
}

static void judge(void)
{
    nt = kernel_nt(&k);
    CHECK(ds_culprit_find(nt, &verdict) == DS_OK);
    CHECK(verdict.culprit.reason != NULL && *verdict.culprit.reason != '\0');
    CHECK(verdict.culprit.confidence != NULL);
}

static void end(void)
{
    ds_nt_close(nt);
    kernel_close(&k);
}

static void put_exception(uint32_t code, uint64_t pc)
{
    maker_put(&k.m, RECORD_AT, code, 4);
    maker_ptr(&k.m, RECORD_AT + 0x10, pc);
    maker_put(&k.m, RECORD_AT + 0x18, 2, 4);
    maker_put(&k.m, CONTEXT_AT + 0x30, 0x10001f, 4);
    maker_ptr(&k.m, CONTEXT_AT + 0x98, STACK_TOP(0) - 0x400);
    maker_ptr(&k.m, CONTEXT_AT + 0xf8, pc);
}

static void the_exception_names_the_driver(void)
{
    begin();
    put_exception(0xc0000005, DRIVER_BASE + 0x1100);
    kernel_bugcheck(&k, 0x7e, 0xffffffffc0000005u, DRIVER_BASE + 0x1100, RECORD_AT, CONTEXT_AT);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_DRIVER);
    CHECK_STR(verdict.culprit.module, "driver.sys");
    CHECK_STR(verdict.culprit.function, "driver+0x1100");
    CHECK_STR(verdict.culprit.confidence, "high");
    CHECK(strstr(verdict.culprit.reason, "STATUS_ACCESS_VIOLATION") != NULL);
    CHECK(strstr(verdict.culprit.reason, "(rip) of the fault, where") != NULL);
    CHECK(strstr(verdict.culprit.reason, "is 0xfffff80500001100, which lies in driver.sys") !=
          NULL);
    CHECK_U64(verdict.runner_up_count, 0);
    end();
}

static void a_code_parameter_names_the_driver(void)
{
    begin();
    kernel_bugcheck(&k, 0xd1, 0x28, 2, 0, DRIVER_BASE + 0x1234);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_DRIVER);
    CHECK_STR(verdict.culprit.module, "driver.sys");
    CHECK(strstr(verdict.culprit.reason, "bugcheck parameter 4") != NULL);
    end();
}

/* A parameter that is a data address blames nobody, even inside a driver's image. */
static void a_data_parameter_blames_nobody(void)
{
    begin();
    kernel_bugcheck(&k, 0xd1, DRIVER_BASE + 0x3000, 2, 0, KERNEL_BASE + 0x1000);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_KERNEL);
    CHECK_STR(verdict.culprit.module, "ntoskrnl.exe");
    CHECK_STR(verdict.culprit.confidence, "low");
    end();
}

static void an_unloaded_driver_is_named(void)
{
    begin();
    kernel_bugcheck(&k, 0xd1, 0x28, 2, 8, 0xfffff80600001234u);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_DRIVER);
    CHECK_STR(verdict.culprit.module, "older.sys");
    CHECK_STR(verdict.culprit.function, "older.sys+0x1234");
    CHECK(strstr(verdict.culprit.reason, "unloaded") != NULL);
    end();
}

static void the_stack_is_the_last_resort(void)
{
    begin();
    kernel_bugcheck(&k, 0xd1, 0x28, 2, 0, KERNEL_BASE + 0x1000);
    maker_write(&k.m, DRIVER_BASE + 0x1205 - 5, "\xe8\x01\x02\x03\x04", 5);
    maker_ptr(&k.m, STACK_TOP(0) - 0x700, DRIVER_BASE + 0x1205);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_DRIVER);
    CHECK_STR(verdict.culprit.module, "driver.sys");
    CHECK_STR(verdict.culprit.confidence, "low");
    CHECK(strstr(verdict.culprit.reason, "scanning the stack") != NULL);
    end();
}

static void what_the_stack_shows_runs_up(void)
{
    begin();
    kernel_module(&k, 1, OTHER_BASE, 0x8000, 0x33333333, "other.sys"); /* instead of the HAL */
    kernel_image(&k, OTHER_BASE, 0x33333333, 0x8000);
    maker_write(&k.m, OTHER_BASE + 0x1205 - 5, "\xe8\x01\x02\x03\x04", 5);
    maker_ptr(&k.m, STACK_TOP(0) - 0x700, OTHER_BASE + 0x1205);
    kernel_bugcheck(&k, 0xd1, 0x28, 2, 0, DRIVER_BASE + 0x1234);
    judge();
    CHECK_STR(verdict.culprit.module, "driver.sys");
    CHECK_U64(verdict.runner_up_count, 1);
    CHECK_STR(verdict.runners_up[0].module, "other.sys");
    CHECK_STR(verdict.runners_up[0].confidence, "low");
    end();
}

static void a_requested_crash_blames_nobody(void)
{
    begin();
    kernel_bugcheck(&k, 0xe2, 0, 0, 0, DRIVER_BASE + 0x1234);
    maker_ptr(&k.m, STACK_TOP(0) - 0x700, DRIVER_BASE + 0x1205);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_UNKNOWN);
    CHECK(verdict.culprit.module == NULL && verdict.runner_up_count == 0);
    CHECK(strstr(verdict.culprit.reason, "asked for") != NULL);
    end();
}

static void no_crash_blames_nobody(void)
{
    begin();
    kernel_bugcheck(&k, 0, 0, 0, 0, DRIVER_BASE);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_UNKNOWN);
    CHECK(strstr(verdict.culprit.reason, "did not crash") != NULL);
    end();
}

static void hardware_and_corruption_have_their_kinds(void)
{
    begin();
    kernel_bugcheck(&k, 0x124, 0, 0, 0, 0);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_HARDWARE && verdict.culprit.module == NULL);
    end();
    begin();
    kernel_bugcheck(&k, 0x19, 3, 0, 0, 0);
    maker_write(&k.m, DRIVER_BASE + 0x1205 - 5, "\xe8\x01\x02\x03\x04", 5);
    maker_ptr(&k.m, STACK_TOP(0) - 0x700, DRIVER_BASE + 0x1205);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_MEMORY_CORRUPTION);
    CHECK_U64(verdict.runner_up_count, 1); /* a driver at work when it was found: a hint, no more */
    CHECK_STR(verdict.runners_up[0].module, "driver.sys");
    end();
}

static void a_critical_process_is_named(void)
{
    begin();
    kernel_bugcheck(&k, 0xef, PROCESS(1), 0, 0, 0);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_PROCESS);
    CHECK_STR(verdict.culprit.module, "smss.exe");
    end();
}

static void filler_in_the_code_is_unknown(void)
{
    begin();
    kernel_bugcheck(&k, 0x45474150, 0, 0, 0, 0);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_UNKNOWN);
    CHECK(strstr(verdict.culprit.reason, "does not say") != NULL);
    end();
}

static void the_skip_list_matches_names(void)
{
    CHECK(ds_skip_find("NTOSKRNL.EXE") != NULL);
    CHECK(ds_skip_find("Wdf01000.sys") != NULL);
    CHECK(ds_skip_find("dump_storport.sys") != NULL);
    CHECK(ds_skip_find("kd_02_10ec.dll") != NULL);
    CHECK(ds_skip_find("kd_02_10ec.sys") == NULL);
    CHECK(ds_skip_is_framework(ds_skip_find("storport.sys")));
    CHECK(!ds_skip_is_framework(ds_skip_find("hal.dll")) && !ds_skip_is_framework(NULL));
    CHECK(ds_skip_find("ntfs.sys") == NULL);
    CHECK(ds_skip_find("ntoskrnl.exe.sys") == NULL);
    CHECK(ds_skip_find("hal") == NULL);
    CHECK(ds_skip_find("") == NULL);
    CHECK(ds_blame_find(0x100000e2, 7) != NULL && ds_blame_find(0xd1, 0) == NULL);
    CHECK(ds_blame_find(0x133, 1) != NULL && ds_blame_find(0x133, 0) == NULL);
}

/* A module in the place of the HAL. */
static void put_module(const char *name)
{
    kernel_module(&k, 1, OTHER_BASE, 0x8000, 0x33333333, name);
    kernel_image(&k, OTHER_BASE, 0x33333333, 0x8000);
    maker_write(&k.m, OTHER_BASE + 0x1205 - 5, "\xe8\x01\x02\x03\x04", 5);
    maker_write(&k.m, DRIVER_BASE + 0x1205 - 5, "\xe8\x01\x02\x03\x04", 5);
}

/* A port driver works for the driver above it: nearer to the fault, and yet second. */
static void a_port_driver_comes_after_its_client(void)
{
    begin();
    put_module("storport.sys");
    maker_ptr(&k.m, STACK_TOP(0) - 0x700, OTHER_BASE + 0x1205);
    maker_ptr(&k.m, STACK_TOP(0) - 0x600, DRIVER_BASE + 0x1205);
    kernel_bugcheck(&k, 0xd1, 0x28, 2, 0, OTHER_BASE + 0x1234);
    judge();
    CHECK_STR(verdict.culprit.module, "storport.sys"); /* the fault itself beats a scan */
    CHECK_STR(verdict.culprit.confidence, "medium");
    end();
    begin();
    put_module("storport.sys");
    maker_ptr(&k.m, STACK_TOP(0) - 0x700, OTHER_BASE + 0x1205);
    maker_ptr(&k.m, STACK_TOP(0) - 0x600, DRIVER_BASE + 0x1205);
    kernel_bugcheck(&k, 0xa, 0x28, 2, 0, KERNEL_BASE + 0x1000);
    judge();
    CHECK_STR(verdict.culprit.module, "driver.sys");
    CHECK_U64(verdict.runner_up_count, 1);
    CHECK_STR(verdict.runners_up[0].module, "storport.sys");
    end();
}

/* Evidence from the fault itself outweighs that the code speaks of corruption; the stack does not.
 */
static void corruption_ranks_between_fault_and_stack(void)
{
    begin();
    kernel_bugcheck(&k, 0xc5, 0x28, 2, 0, DRIVER_BASE + 0x1234);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_DRIVER);
    CHECK_U64(verdict.runner_up_count, 1);
    CHECK(verdict.runners_up[0].kind == DS_CULPRIT_MEMORY_CORRUPTION);
    end();
    begin();
    put_module("storport.sys");
    kernel_bugcheck(&k, 0xc5, 0x28, 2, 0,
                    OTHER_BASE + 0x1234); /* a port driver: corruption first */
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_MEMORY_CORRUPTION);
    CHECK_STR(verdict.runners_up[0].module, "storport.sys");
    end();
    begin();
    put_module("other.sys");
    kernel_bugcheck(&k, 0x1a, 0x41792, 0, 0, 0);
    maker_ptr(&k.m, STACK_TOP(0) - 0x700, OTHER_BASE + 0x1205);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_MEMORY_CORRUPTION);
    CHECK_STR(verdict.runners_up[0].module, "other.sys");
    CHECK_STR(verdict.runners_up[0].confidence, "low");
    end();
}

static void the_watchdogs_stack_blames_nobody(void)
{
    begin();
    put_module("other.sys");
    kernel_bugcheck(&k, 0x101, 0x18, 0, PRCB(1), 1);
    maker_ptr(&k.m, STACK_TOP(0) - 0x700, OTHER_BASE + 0x1205);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_UNKNOWN);
    CHECK_U64(verdict.runner_up_count, 0);
    CHECK(strstr(verdict.culprit.reason, "noticed") != NULL);
    end();
    begin();
    put_module("other.sys");
    kernel_bugcheck(&k, 0x133, 1, 0x1e00, 0, 0);
    maker_ptr(&k.m, STACK_TOP(0) - 0x700, OTHER_BASE + 0x1205);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_KERNEL || verdict.culprit.kind == DS_CULPRIT_UNKNOWN);
    CHECK_STR(verdict.runners_up[0].module, "other.sys"); /* a hint */
    end();
}

#define BLOCK 0xffffc08000510000u
#define PROFILE 0xffffc08000511000u

/* Three stacks; the driver stands in two of them, a port driver in all. */
static void put_profile(void)
{
    static const uint64_t pcs[] = {
        KERNEL_BASE + 0x1000,
        DRIVER_BASE + 0x1205,
        DRIVER_BASE + 0x1305,
        OTHER_BASE + 0x1205,
        0,
        KERNEL_BASE + 0x1000,
        OTHER_BASE + 0x1205,
        0,
        KERNEL_BASE + 0x2000,
        DRIVER_BASE + 0x1205,
        OTHER_BASE + 0x1305,
        0,
    };
    maker_write(&k.m, BLOCK, "\xde\xce\xbe\xae\x01\x00\x10\x00\xa8\x84\x00\x00\x60\x00\x00\x00",
                16);
    maker_ptr(&k.m, PRCB(0) + 0x84a8, PROFILE);
    for (size_t i = 0; i < sizeof(pcs) / sizeof(pcs[0]); i++)
        maker_ptr(&k.m, PROFILE + 8 * i, pcs[i]);
}

static void the_watchdogs_profile_names_the_driver(void)
{
    begin();
    put_module("storport.sys");
    put_profile();
    kernel_bugcheck(&k, 0x133, 1, 0x1e00, BLOCK, 0);
    judge();
    CHECK_STR(verdict.culprit.module, "driver.sys");
    CHECK_STR(verdict.culprit.confidence, "medium");
    CHECK_STR(verdict.culprit.source, "profile");
    CHECK(strstr(verdict.culprit.reason, "driver.sys in 2 of 3 captured stacks") != NULL);
    CHECK_STR(verdict.runners_up[0].module, "storport.sys");
    CHECK_STR(verdict.runners_up[0].confidence, "low");
    end();
    begin(); /* one long DPC: it stands on the stack, whatever ran long before */
    put_profile();
    kernel_bugcheck(&k, 0x133, 0, 0x501, 0x500, BLOCK);
    judge();
    CHECK(verdict.culprit.module == NULL || strcmp(verdict.culprit.source, "profile") != 0);
    end();
}

/* Any code may mark a live dump: who stands on its stack asked for it, or just ran. */
static void the_stack_of_a_live_dump_blames_nobody(void)
{
    for (unsigned live = 0; live < 2; live++) {
        begin();
        put_module("other.sys");
        kernel_bugcheck(&k, 0x144, 0x3003, 0, 0, 0);
        ds_put_le32(k.m.file + 0x1050, live ? 0x10 : 0);
        kernel_header_context(&k, KERNEL_BASE + 0x1000, STACK_TOP(0) - 0x800);
        maker_ptr(&k.m, STACK_TOP(0) - 0x800, OTHER_BASE + 0x1205);
        judge();
        if (live) {
            CHECK(verdict.culprit.module == NULL);
            CHECK_U64(verdict.runner_up_count, 0);
            CHECK(strstr(verdict.culprit.reason, "asked for the dump") != NULL);
        } else {
            CHECK_STR(verdict.culprit.module, "other.sys");
        }
        end();
    }
}

#define DRIVER_OBJECT 0xffffc08000500000u
#define DEVICE_OBJECT 0xffffc08000501000u
#define REQUEST 0xffffc08000502000u
#define LOCATION 0xffffc08000503000u

static void put_request(uint64_t type)
{
    kernel_set(&k, DRIVER_OBJECT, "_DRIVER_OBJECT", "DriverStart", DRIVER_BASE);
    kernel_set(&k, DEVICE_OBJECT, "_DEVICE_OBJECT", "DriverObject", DRIVER_OBJECT);
    kernel_set(&k, LOCATION, "_IO_STACK_LOCATION", "DeviceObject", DEVICE_OBJECT);
    kernel_set(&k, REQUEST, "_IRP", "Type", type);
    kernel_set(&k, REQUEST, "_IRP", "Tail.Overlay.CurrentStackLocation", LOCATION);
    maker_ptr(&k.m, STACK_TOP(0) - 0x700, OTHER_BASE + 0x1205);
}

static void a_request_leads_to_its_driver(void)
{
    begin();
    put_module("other.sys");
    put_request(6);
    kernel_bugcheck(&k, 0x9f, 3, 0, 0, REQUEST);
    judge();
    CHECK_STR(verdict.culprit.module, "driver.sys");
    CHECK_STR(verdict.culprit.confidence, "high");
    CHECK_STR(verdict.culprit.source, "parameter");
    CHECK_U64(verdict.runner_up_count, 0);
    end();
    begin();
    put_module("other.sys");
    put_request(7); /* no IRP any more */
    kernel_bugcheck(&k, 0x9f, 3, 0, 0, REQUEST);
    judge();
    CHECK(verdict.culprit.kind == DS_CULPRIT_UNKNOWN);
    end();
}

static void a_name_leads_to_its_driver(void)
{
    begin();
    maker_ustr(&k.m, DRIVER_OBJECT, DRIVER_OBJECT + 0x100, "Driver"); /* without its suffix */
    kernel_bugcheck(&k, 0xea, THREAD(1), 0, DRIVER_OBJECT, 1);
    judge();
    CHECK_STR(verdict.culprit.module, "driver.sys");
    CHECK_STR(verdict.culprit.confidence, "high");
    end();
    begin();
    maker_ustr(&k.m, DRIVER_OBJECT, DRIVER_OBJECT + 0x100, "gone.sys"); /* not loaded any more */
    kernel_bugcheck(&k, 0xea, THREAD(1), 0, DRIVER_OBJECT, 1);
    judge();
    CHECK_STR(verdict.culprit.module, "gone.sys");
    end();
}

/* KeBugCheckEx was called from a driver: of the cookie check by the function that overran. */
static void who_calls_for_the_bugcheck_is_named(void)
{
    static const struct {
        uint32_t code;
        const char *confidence;
    } cases[] = {{0xf7, "high"}, {0xe3, "medium"}};
    for (size_t i = 0; i < 2; i++) {
        begin();
        put_module("other.sys");
        kernel_bugcheck(&k, cases[i].code, 1, 2, 3, 4);
        kernel_header_context(&k, KERNEL_BASE + 0x1000, STACK_TOP(0) - 0x800);
        maker_ptr(&k.m, STACK_TOP(0) - 0x800, DRIVER_BASE + 0x1205);
        maker_ptr(&k.m, STACK_TOP(0) - 0x700, OTHER_BASE + 0x1205);
        judge();
        CHECK_STR(verdict.culprit.module, "driver.sys");
        CHECK_STR(verdict.culprit.confidence, cases[i].confidence);
        CHECK_STR(verdict.runners_up[0].module, "other.sys");
        end();
    }
}

static void an_unloaded_driver_on_the_stack_is_seen(void)
{
    begin();
    kernel_bugcheck(&k, 0xa, 0x28, 2, 0, KERNEL_BASE + 0x1000);
    maker_ptr(&k.m, STACK_TOP(0) - 0x700, 0xfffff80600001234u);
    judge();
    CHECK_STR(verdict.culprit.module, "older.sys");
    CHECK_STR(verdict.culprit.confidence, "low");
    end();
}

TEST_MAIN(TEST(a_port_driver_comes_after_its_client),
          TEST(corruption_ranks_between_fault_and_stack),
          TEST(the_watchdogs_profile_names_the_driver),
          TEST(the_stack_of_a_live_dump_blames_nobody), TEST(the_watchdogs_stack_blames_nobody),
          TEST(a_request_leads_to_its_driver), TEST(a_name_leads_to_its_driver),
          TEST(who_calls_for_the_bugcheck_is_named), TEST(an_unloaded_driver_on_the_stack_is_seen),
          TEST(the_exception_names_the_driver), TEST(a_code_parameter_names_the_driver),
          TEST(a_data_parameter_blames_nobody), TEST(an_unloaded_driver_is_named),
          TEST(the_stack_is_the_last_resort), TEST(what_the_stack_shows_runs_up),
          TEST(a_requested_crash_blames_nobody), TEST(no_crash_blames_nobody),
          TEST(hardware_and_corruption_have_their_kinds), TEST(a_critical_process_is_named),
          TEST(filler_in_the_code_is_unknown), TEST(the_skip_list_matches_names))
