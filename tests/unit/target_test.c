#include "target/target.h"

#include "kernel_maker.h"

static struct kernel k;

static bool step_is(const struct ds_target *t, const char *what, const char *method,
                    enum ds_status status)
{
    const struct ds_step *s = kernel_step(t, what, method);
    return s != NULL && s->status == status && s->ok == (status == DS_OK);
}

static void test_boot(void)
{
    kernel_open(&k);
    struct ds_target *t = kernel_target(&k);
    CHECK(t->kernel != NULL);
    CHECK_U64(t->dtb.value, k.m.dtb);
    CHECK(t->kdbg.known);
    CHECK_U64(t->kdbg.value, KDBG_VA);
    CHECK_U64(t->kdbg_size, 0x380);
    CHECK_U64(t->kernel_base.value, KERNEL_BASE);
    CHECK(t->version_exact);
    CHECK_U64(t->revision.value, 804);
    CHECK_U64(t->build.value, 19041);
    CHECK(t->layout != NULL && ds_layout_trust(t->layout) == DS_TRUST_PROFILE);
    CHECK(step_is(t, "dtb", "header", DS_OK));
    CHECK(step_is(t, "kdbg", "header", DS_OK));
    CHECK(step_is(t, "invariants", "kdbg offsets", DS_OK));
    CHECK(step_is(t, "invariants", "process list", DS_OK));
    CHECK_U64(t->module_count, 3);
    CHECK(t->modules_walk.complete);
    CHECK_STR(t->modules[0].name, "ntoskrnl.exe");
    CHECK_STR(t->modules[2].name, "driver.sys");
    CHECK_STR(t->modules[2].path, "\\SystemRoot\\system32\\drivers\\driver.sys");
    CHECK_U64(t->modules[2].timestamp.value, 0x22222222);
    CHECK_U64(t->modules[2].checksum.value, 0x1236);
    CHECK_U64(t->modules[2].entry.value, ENTRY(2));
    CHECK(ds_target_module_at(t, DRIVER_BASE + 5) == &t->modules[2]);
    CHECK(ds_target_module_at(t, DRIVER_BASE + DRIVER_SIZE) == NULL);
    CHECK(ds_target_is_kernel_va(t, DRIVER_BASE));
    CHECK(!ds_target_is_kernel_va(t, 0x7ffe0000));
    CHECK(!ds_target_is_kernel_va(t, 0x8000000000000000u));
    ds_target_close(t);
    kernel_close(&k);
}

static void test_kdbg_members(void)
{
    uint64_t v = 0;
    kernel_open(&k);
    struct ds_target *t = kernel_target(&k);
    CHECK(ds_target_kdbg(t, "PsActiveProcessHead", &v) == DS_OK);
    CHECK_U64(v, PROCESS_LIST);
    CHECK(ds_target_kdbg(t, "PspCidTable", &v) == DS_NOT_FOUND); /* stored as 0 */
    CHECK(ds_target_kdbg(t, "NoSuchMember", &v) == DS_NO_FIELD);
    CHECK(ds_target_global(t, "KiProcessorBlock", &v) == DS_OK);
    CHECK_U64(v, PROCESSOR_BLOCK);
    CHECK(ds_target_global(t, "NoSuchGlobal", &v) == DS_NO_SYMBOL);
    ds_target_close(t);
    kernel_kdbg(&k, "Header.Size", 0x50); /* a short block has no later members */
    t = kernel_target(&k);
    CHECK(ds_target_kdbg(t, "PsLoadedModuleList", &v) == DS_OK);
    CHECK(ds_target_kdbg(t, "PsActiveProcessHead", &v) == DS_NO_FIELD);
    ds_target_close(t);
    kernel_close(&k);
}

static void test_fields(void)
{
    uint32_t size = 0;
    const char *source = "";
    struct ds_field f;
    uint64_t va = 0;
    kernel_open(&k);
    struct ds_target *t = kernel_target(&k);
    struct ds_opt v = ds_target_field(t, THREAD(1), "_KTHREAD", "BasePriority");
    CHECK(v.known);
    CHECK_U64(v.value, (uint64_t)-2); /* a signed member */
    v = ds_target_field(t, THREAD(1), "_KTHREAD", "KernelStackResident");
    CHECK(v.known);
    CHECK_U64(v.value, 1); /* a bit field */
    v = ds_target_field(t, THREAD(1), "_KTHREAD", "NoSuchMember");
    CHECK(!v.known && v.why == DS_NO_FIELD);
    v = ds_target_field(t, 0xffffc08000500000u, "_KTHREAD", "State");
    CHECK(!v.known && v.why == DS_NOT_MAPPED);
    v = ds_target_field(t, UINT64_MAX - 4, "_KTHREAD", "State");
    CHECK(!v.known && v.why == DS_NOT_MAPPED);
    v = ds_target_field(t, PROCESS(0), "_EPROCESS", "ImageFileName"); /* no integer */
    CHECK(!v.known && v.why == DS_NO_FIELD);
    CHECK(ds_target_member(t, "_KTHREAD", "Teb", &f, &source) == DS_OK);
    CHECK_STR(source, "kdbg");
    CHECK(ds_target_member(t, "_KTHREAD", "WaitTime", &f, &source) == DS_OK);
    CHECK_STR(source, "layout");
    CHECK(ds_target_size(t, "_EPROCESS", &size) == DS_OK);
    CHECK_U64(size, 0xa40);
    CHECK(ds_target_field_va(t, 0x1000, "_EPROCESS", "UniqueProcessId", &va) == DS_OK);
    CHECK_U64(va, 0x1440);
    ds_target_close(t);
    kernel_close(&k);
}

/* What the kernel itself says about its offsets wins over the table, and lowers trust in it. */
static void test_kdbg_contradicts_layout(void)
{
    struct ds_field f;
    kernel_open(&k);
    kernel_kdbg(&k, "OffsetKThreadTeb", 0x123);
    struct ds_target *t = kernel_target(&k);
    CHECK(ds_target_member(t, "_KTHREAD", "Teb", &f, NULL) == DS_OK);
    CHECK_U64(f.offset, 0x123);
    CHECK(ds_layout_trust(t->layout) == DS_TRUST_NEAREST);
    CHECK(step_is(t, "invariants", "kdbg offsets", DS_CORRUPT));
    ds_target_close(t);
    kernel_close(&k);
}

static void test_wrong_system_process(void)
{
    kernel_open(&k);
    kernel_set(&k, PROCESS(0), "_EPROCESS", "UniqueProcessId", 8);
    struct ds_target *t = kernel_target(&k);
    CHECK(step_is(t, "invariants", "process list", DS_CORRUPT));
    CHECK(ds_layout_trust(t->layout) == DS_TRUST_NEAREST);
    ds_target_close(t);
    kernel_close(&k);
}

/* A build that no profile serves: its neighbour's layout is believed once the snapshot bears it
 * out, else members that move between builds stay unknown. */
static void test_unknown_build(void)
{
    kernel_open(&k);
    ds_put_le32(k.m.file + 0x0c, 19999);
    maker_put(&k.m, KERNEL_BASE + 0x88, 0x55555555, 4);
    struct ds_target *t = kernel_target(&k);
    CHECK(!t->version_exact);
    CHECK(!t->revision.known);
    CHECK(ds_layout_trust(t->layout) == DS_TRUST_GUESS);
    CHECK(!t->layout_unproven);
    CHECK(ds_target_field(t, PROCESS(1), "_EPROCESS", "UniqueProcessId").known);
    ds_target_close(t);
    kernel_set(&k, PROCESS(0), "_EPROCESS", "UniqueProcessId", 8);
    t = kernel_target(&k);
    CHECK(t->layout_unproven);
    CHECK(!ds_target_field(t, PROCESS(1), "_EPROCESS", "UniqueProcessId").known);
    CHECK(ds_target_field(t, THREAD(1), "_KTHREAD", "State").known); /* KDBG tells this one */
    CHECK_U64(t->module_count, 3); /* and the module list has kept its form */
    ds_target_close(t);
    kernel_close(&k);
}

static void test_overwritten_kdbg(void)
{
    kernel_open(&k);
    maker_put(&k.m, KDBG_VA + 0x10, 0x1badf00d, 4);
    struct ds_target *t = kernel_target(&k);
    CHECK(step_is(t, "kdbg", "header", DS_CORRUPT)); /* overwritten: it does not decode */
    CHECK(step_is(t, "kdbg", "kernel image scan", DS_NOT_FOUND));
    CHECK(!t->kdbg.known);
    CHECK_U64(t->kdbg_size, 0);
    CHECK(step_is(t, "kernel_base", "module list", DS_OK)); /* the header's list leads there */
    CHECK_U64(t->kernel_base.value, KERNEL_BASE);
    CHECK_U64(t->module_count, 3);
    CHECK(t->version_exact);
    ds_target_close(t);
    kernel_close(&k);
}

static void test_nothing_leads_to_the_kernel(void)
{
    kernel_open(&k);
    ds_put_le64(k.m.file + 0x80, 0xfffff80700000000u);
    ds_put_le64(k.m.file + 0x20, 0xfffff80700000000u);
    struct ds_target *t = kernel_target(&k);
    CHECK(step_is(t, "kdbg", "header", DS_NOT_MAPPED));
    CHECK(!t->kernel_base.known);
    CHECK(!t->modules_walk.complete);
    CHECK(t->modules_walk.stop_reason == DS_NOT_MAPPED);
    CHECK_U64(t->modules_walk.stop_address.value, 0xfffff80700000000u);
    ds_target_close(t);
    ds_put_le64(k.m.file + 0x10, 0x3ff000); /* a page directory outside the dump */
    k.m.captured = 200;
    t = kernel_target(&k);
    CHECK(step_is(t, "dtb", "header", DS_NOT_IN_DUMP));
    CHECK_U64(t->module_count, 0);
    ds_target_close(t);
    kernel_close(&k);
}

static void test_module_list_hostile(void)
{
    kernel_open(&k);
    maker_ptr(&k.m, ENTRY(2), ENTRY(1)); /* misses the head */
    struct ds_target *t = kernel_target(&k);
    CHECK_U64(t->module_count, 3);
    CHECK(t->modules_walk.complete); /* Blink knows that none comes after */
    CHECK(strstr(t->modules_walk.detail, "resumed by Blink") != NULL);
    ds_target_close(t);
    maker_ptr(&k.m, ENTRY(0), 0);
    maker_ptr(&k.m, ENTRY(1) + 8, 0); /* both ways break: the first and those from the end on */
    maker_put(&k.m, ENTRY(1) + kernel_offset(&k, "_KLDR_DATA_TABLE_ENTRY", "BaseDllName"), 0xffff,
              2);
    maker_ptr(&k.m, ENTRY(2), MODULE_LIST);
    t = kernel_target(&k);
    CHECK(t->modules_walk.stop_reason == DS_CORRUPT && !t->modules_walk.complete);
    CHECK_U64(t->module_count, 3);
    CHECK_STR(t->modules[1].name, "");
    CHECK_U64(t->modules[1].base, KERNEL_BASE + 0x2000000);
    ds_target_close(t);
    kernel_close(&k);
}

/* An entry whose links stand on one page and whose base and size on the next, which is gone. */
static void test_unreadable_module_entry(void)
{
    const uint64_t entry = 0xffffc08000700fe0u;
    kernel_open(&k);
    maker_ptr(&k.m, ENTRY(2), entry);
    maker_ptr(&k.m, entry, MODULE_LIST);
    maker_ptr(&k.m, entry + 8, ENTRY(2));
    maker_ptr(&k.m, MODULE_LIST + 8, entry);
    struct ds_target *t = kernel_target(&k);
    CHECK_U64(t->module_count, 3);
    CHECK(!t->modules_walk.complete);
    CHECK(t->modules_walk.stop_reason == DS_NOT_MAPPED);
    CHECK_U64(t->modules_walk.stop_address.value, entry);
    CHECK(strstr(t->modules_walk.detail, "left out") != NULL);
    for (size_t i = 0; i < t->module_count; i++)
        CHECK(t->modules[i].base != 0);
    ds_target_close(t);
    kernel_close(&k);
}

static const struct ds_integrity_note *note_of(struct ds_target *t, const char *check)
{
    return ds_integrity_find(ds_dump_integrity(t->dump), check);
}

static void test_contradictions_are_noted(void)
{
    kernel_open(&k);
    struct ds_target *t = kernel_target(&k);
    CHECK(note_of(t, "header.ps_loaded_module_list") == NULL);
    CHECK(note_of(t, "header.dtb_leads_nowhere") == NULL);
    CHECK(note_of(t, "kdbg.tag") == NULL);
    ds_target_close(t);
    ds_put_le64(k.m.file + 0x20, MODULE_LIST ^ 0x10);
    ds_put_le64(k.m.file + 0x28, PROCESS_LIST ^ 0x100);
    t = kernel_target(&k);
    const struct ds_integrity_note *n = note_of(t, "header.ps_loaded_module_list");
    CHECK(n != NULL && n->level == DS_INTEGRITY_DAMAGE);
    CHECK_U64(n->offset, 0x20);
    CHECK_STR(n->found, "0xfffff80400c2a380");
    CHECK(note_of(t, "header.ps_active_process_head") != NULL);
    CHECK_U64(t->module_count, 3); /* by the debugger data */
    ds_target_close(t);
    maker_put(&k.m, KDBG_VA + 0x10, 0, 4);
    t = kernel_target(&k);
    n = note_of(t, "kdbg.tag");
    CHECK(n != NULL && n->level == DS_INTEGRITY_NOTE); /* it may be encoded */
    ds_target_close(t);
    ds_put_le64(k.m.file + 0x80, 0xfffff80700000000u);
    t = kernel_target(&k);
    n = note_of(t, "kdbg.address");
    CHECK(n != NULL && n->level == DS_INTEGRITY_DAMAGE);
    ds_target_close(t);
    ds_put_le64(k.m.file + 0x10, 0); /* a page without tables */
    t = kernel_target(&k);
    CHECK(note_of(t, "header.dtb_leads_nowhere") != NULL);
    ds_target_close(t);
    kernel_close(&k);
}

static void test_header_only_and_other_machines(void)
{
    kernel_open(&k);
    ds_put_le32(k.m.file + 0xf98, 3);
    struct ds_target *t = kernel_target(&k);
    CHECK(t->kernel == NULL);
    CHECK(t->kernel_why == DS_NOT_IN_DUMP);
    CHECK(t->layout != NULL);
    CHECK(!ds_target_field(t, PROCESS(0), "_EPROCESS", "UniqueProcessId").known);
    ds_target_close(t);
    ds_put_le32(k.m.file + 0xf98, 1);
    ds_put_le32(k.m.file + 0x30, 0xaa64); /* these tables read as descriptors all the same */
    t = kernel_target(&k);
    CHECK(t->kernel != NULL && ds_space_paging(t->kernel) == DS_PAGING_ARM64);
    ds_target_close(t);
    kernel_close(&k);
}

TEST_MAIN(TEST(test_boot), TEST(test_kdbg_members), TEST(test_fields),
          TEST(test_kdbg_contradicts_layout), TEST(test_wrong_system_process),
          TEST(test_unknown_build), TEST(test_overwritten_kdbg),
          TEST(test_nothing_leads_to_the_kernel), TEST(test_module_list_hostile),
          TEST(test_unreadable_module_entry), TEST(test_header_only_and_other_machines),
          TEST(test_contradictions_are_noted))
