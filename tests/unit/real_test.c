/*
 * The published minidumps of the reference material beside the checkout, end to end. What is
 * expected was read from the x64 dump by an independent script, its stack by another tool.
 */
#include "base/os.h"
#include "nt/nt.h"
#include "test.h"

#define REAL "../shared/real/"
#define HAVE(name)                                                                                 \
    do {                                                                                           \
        if (ds_os_path_kind(REAL name) != DS_OS_PATH_FILE) {                                       \
            SKIP("no " REAL name);                                                                 \
        }                                                                                          \
    } while (0)

static struct ds_nt *open_real(const char *path, const char *symbols)
{
    struct ds_source *src = NULL;
    struct ds_dump *d = NULL;
    struct ds_target *t = NULL;
    struct ds_nt *nt = NULL;
    struct ds_target_options options = {.symbol_path = symbols};
    if (ds_source_file_open(path, &src, NULL) != DS_OK || ds_dump_open(src, &d, NULL) != DS_OK ||
        ds_target_open(d, &options, &t, NULL) != DS_OK || ds_nt_open(t, &nt, NULL) != DS_OK) {
        printf("    cannot open %s\n", path);
        abort();
    }
    return nt;
}

/* Return addresses of the published stack: RVAs in the kernel, amdppm.sys and Wdf01000.sys. */
#define NT 0xfffff8047ba00000u
#define AMD 0xfffff8048b580000u
#define WDF 0xfffff80479950000u
static const uint64_t bugcheck_frames[] = {NT + 0x40f4e1, NT + 0x3cc052, NT + 0x3fe942,
                                           NT + 0x32bf97, NT + 0x32ab86, NT + 0x407bac,
                                           NT + 0x4031f5};
static const uint64_t fault_frames[] = {
    AMD + 0x334c,  AMD + 0x313f,  AMD + 0x3234,  AMD + 0x20e8f, AMD + 0x283f6, AMD + 0x1f852,
    WDF + 0x7c027, WDF + 0x16f81, WDF + 0x7b227, WDF + 0x79e21, WDF + 0x799da, WDF + 0x7b6b1,
    WDF + 0x7b47a, WDF + 0x8299e, WDF + 0xcc5f,  WDF + 0xa866,  NT + 0x252f55, NT + 0x7548a6,
    NT + 0x2e0d1e, NT + 0x36ab7c, NT + 0x723760, NT + 0x72362f, NT + 0x726bdd, NT + 0x7bdf0c,
    NT + 0x36c2ec, NT + 0x225975, NT + 0x317e25, NT + 0x3fd0d8};

/* How many of the addresses stand among the frames, in this order. */
static size_t in_order(const struct ds_stack *s, const uint64_t *want, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < s->count && found < count; i++) {
        found += s->frames[i].pc == want[found];
    }
    return found;
}

static void test_x64_target(void)
{
    HAVE("triage_x64_19041.dmp");
    struct ds_nt *nt = open_real(REAL "triage_x64_19041.dmp", NULL);
    struct ds_target *t = ds_nt_target(nt);
    CHECK(t->version_exact);
    CHECK_U64(t->revision.value, 804);
    CHECK_U64(t->kernel_base.value, NT);
    CHECK_STR(t->build_lab, "19041.1.amd64fre.vb_release.191206-1406");
    CHECK(t->layout != NULL && ds_layout_trust(t->layout) >= DS_TRUST_NEAREST);
    CHECK_U64(t->module_count, 151);
    CHECK(t->modules_walk.complete);
    CHECK_STR(t->modules[0].name, "ntoskrnl.exe");
    CHECK_U64(t->modules[1].base, 0xfffff80479440000u);
    CHECK_STR(t->modules[1].path, "\\SystemRoot\\system32\\hal.dll");
    CHECK_STR(t->kernel_id.pdb, "5278AFF86C341677D7D7835C85B7B844-1");
    ds_nt_close(nt);
}

static void test_x64_tables(void)
{
    HAVE("triage_x64_19041.dmp");
    struct ds_nt *nt = open_real(REAL "triage_x64_19041.dmp", NULL);
    const struct ds_processes *p = ds_nt_processes(nt);
    CHECK(p->count >= 1);
    CHECK_STR(p->rows[0].name, "System");
    CHECK_U64(p->rows[0].pid.value, 4);
    CHECK_U64(p->rows[0].eprocess, 0xffffc08bdce94180u);
    CHECK_U64(p->rows[0].dtb.value, 0x1ad000);
    const struct ds_threads *t = ds_nt_threads(nt);
    CHECK_U64(t->rows[0].ethread, 0xffffc08bde9e1640u);
    CHECK_U64(t->rows[0].tid.value, 264);
    CHECK_U64(t->rows[0].stack_base.value, 0xffff850429893000u);
    CHECK_U64(t->rows[0].stack_limit.value, 0xffff85042988d000u);
    CHECK_U64(t->rows[0].state.value, 2);
    CHECK_STR(t->rows[0].source, "triage record");
    const struct ds_processors *c = ds_nt_processors(nt);
    CHECK_U64(c->count, 16);
    CHECK(c->walk.complete);
    CHECK_U64(c->rows[0].mhz.value, 3593);
    CHECK_STR(c->rows[0].vendor, "AuthenticAMD");
    CHECK_U64(c->rows[5].current_thread.value, 0xffffc08bdfbac080u);
    CHECK_U64(c->rows[5].context.pc, 0xfffff8047bc5c26eu);
    CHECK_U64(c->rows[15].prcb.value, 0xffff9b00030c0180u);
    const struct ds_unloaded_modules *u = ds_nt_unloaded_modules(nt);
    CHECK_U64(u->count, 4);
    CHECK_STR(u->rows[0].name, "dam.sys");
    CHECK_U64(u->rows[1].end, 0xfffff80479d42000u);
    ds_nt_close(nt);
}

static void test_x64_fault(void)
{
    HAVE("triage_x64_19041.dmp");
    struct ds_nt *nt = open_real(REAL "triage_x64_19041.dmp", NULL);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK(f->chosen == 0);
    CHECK_STR(f->contexts[0].source, "header");
    CHECK_STR(f->contexts[0].meaning, "the fault itself");
    CHECK_U64(f->contexts[0].context.pc, AMD + 0x334c);
    CHECK_U64(f->exception.code, 0xc0000005);
    CHECK_U64(f->exception.address, AMD + 0x334c);
    CHECK_STR(f->fault_access, "write");
    CHECK_U64(f->fault_address.value, UINT64_MAX); /* a non-canonical address is not told */
    CHECK_U64(f->current_thread.value, 0xffffc08bde9e1640u);
    CHECK_U64(f->current_process.value, 0xffffc08bdce94180u);
    CHECK_STR(f->stack_kind, "thread stack");
    size_t count = sizeof(fault_frames) / sizeof(fault_frames[0]);
    CHECK_U64(in_order(&f->stack, fault_frames, count), count);
    CHECK_U64(f->bugcheck_stack.frames[0].pc, NT + 0x3f5a80);
    count = sizeof(bugcheck_frames) / sizeof(bugcheck_frames[0]);
    CHECK_U64(in_order(&f->bugcheck_stack, bugcheck_frames, count), count);
    ds_nt_close(nt);
}

static void test_x64_symbols(void)
{
    struct ds_symbol s;
    struct ds_opt type;
    HAVE("triage_x64_19041.dmp");
    HAVE("symbols/ntkrnlmp.pdb/5278AFF86C341677D7D7835C85B7B844-1.json.xz");
    struct ds_nt *nt = open_real(REAL "triage_x64_19041.dmp", REAL "symbols");
    struct ds_target *t = ds_nt_target(nt);
    CHECK(ds_layout_trust(t->layout) == DS_TRUST_SYMBOLS);
    CHECK(ds_symbols_find(t->symbols, NT + 0x3f5a80, &s));
    CHECK_STR(s.function, "KeBugCheckEx");
    type = ds_target_field(t, 0xffffc08bdce94180u, "_EPROCESS", "UniqueProcessId");
    CHECK(type.known && type.value == 4);
    ds_nt_close(nt);
}

static void test_arm64(void)
{
    HAVE("triage_arm64_17134.dmp");
    struct ds_nt *nt = open_real(REAL "triage_arm64_17134.dmp", NULL);
    struct ds_target *t = ds_nt_target(nt);
    CHECK(t->arch == DS_ARCH_ARM64);
    CHECK_U64(t->build.value, 17134);
    CHECK(t->revision.known && t->revision.value == 112);
    CHECK_STR(t->build_lab, "17134.1.arm64fre.rs4_release.180410-1804");
    CHECK(t->layout == NULL || ds_layout_trust(t->layout) == DS_TRUST_GUESS);
    CHECK_U64(t->module_count, 228);
    const struct ds_processors *c = ds_nt_processors(nt);
    CHECK_U64(c->count, 8);
    CHECK(c->walk.complete);
    CHECK_STR(c->rows[0].vendor, "Qualcomm");
    CHECK(c->rows[0].has_context);
    const struct ds_threads *th = ds_nt_threads(nt);
    CHECK_U64(th->rows[0].ethread, c->rows[0].current_thread.value);
    CHECK(th->rows[0].stack_base.known); /* KDDEBUGGER_DATA64 tells this offset */
    CHECK(!th->rows[0].tid.known);       /* nothing tells this one */
    CHECK(th->rows[0].tid.why == DS_NO_FIELD);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK_U64(f->contexts[0].context.pc, 0xfffff801bcd52de8u);
    CHECK_STR(f->stack_kind, "idle thread stack");
    CHECK(f->stack.count > 20);
    ds_nt_close(nt);
}

static void test_arm32(void)
{
    HAVE("triage_arm32_17134.dmp");
    struct ds_nt *nt = open_real(REAL "triage_arm32_17134.dmp", NULL);
    struct ds_target *t = ds_nt_target(nt);
    CHECK(t->arch == DS_ARCH_ARM);
    CHECK_U64(t->pointer_size, 4);
    CHECK(t->layout == NULL);
    CHECK_U64(t->module_count, 136);
    CHECK_U64(t->kernel_base.value, 0x80c06000);
    CHECK_U64(ds_nt_processors(nt)->count, 4);
    CHECK(!ds_nt_processes(nt)->walk.complete);
    CHECK(ds_nt_threads(nt)->count >= 1);
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    CHECK_U64(f->contexts[0].context.pc, 0x83edaf2d);
    CHECK_STR(f->contexts[0].meaning, "the processor that took the live dump");
    CHECK(f->stack.count > 1);
    ds_nt_close(nt);
}

static void test_time(void)
{
    HAVE("triage_x64_19041.dmp");
    uint64_t start = ds_os_monotonic_ms();
    for (int i = 0; i < 5; i++) {
        struct ds_nt *nt = open_real(REAL "triage_x64_19041.dmp", NULL);
        (void)ds_nt_processes(nt);
        (void)ds_nt_threads(nt);
        (void)ds_nt_processors(nt);
        (void)ds_nt_unloaded_modules(nt);
        (void)ds_nt_fault(nt);
        ds_nt_close(nt);
    }
    CHECK(ds_os_monotonic_ms() - start < 5 * 200); /* ten times what it takes, for slow machines */
}

TEST_MAIN(TEST(test_x64_target), TEST(test_x64_tables), TEST(test_x64_fault),
          TEST(test_x64_symbols), TEST(test_arm64), TEST(test_arm32), TEST(test_time))
