#include "memory/paging.h"

#include "base/limits.h"
#include "memory/space.h"
#include "sparse.h"

static struct sparse mem;
static struct ds_space *space;
static struct ds_explanation e;

static struct ds_space *open_space(enum ds_paging mode, uint64_t dtb)
{
    struct ds_space *s = NULL;
    CHECK(ds_space_open_paged(mem.dump, mode, dtb, &s, NULL) == DS_OK);
    return s;
}

static void start(enum ds_paging mode, uint64_t dtb)
{
    sparse_open(&mem);
    space = open_space(mode, dtb);
}

static void stop(void)
{
    ds_space_close(space);
    sparse_close(&mem);
}

static void check_step(unsigned i, const char *name, uint64_t entry_va, uint64_t entry,
                       const char *flags)
{
    char text[DS_PTE_FLAGS_SIZE];
    CHECK(i < e.count);
    CHECK_STR(e.steps[i].name, name);
    CHECK_U64(e.steps[i].entry.value, entry);
    CHECK_U64(ds_opt_or(e.steps[i].entry_va, 0), entry_va);
    ds_pte_flags_text(ds_space_paging(space), entry, e.steps[i].level, text);
    CHECK_STR(text, flags);
}

/* Two processes of a published walk-through: one page private to each, one shared. */
static void test_two_processes_pae(void)
{
    sparse_put64(&mem, 0x3f77b3c0, 0x0e0f5801);
    sparse_put64(&mem, 0x0e0f5000, 0x0e0fa867);
    sparse_put64(&mem, 0x0e0fa000 + 0x1ca * 8, 0x800000000c57a867u);
    sparse_put64(&mem, 0x0e0fa000 + 0x1c7 * 8, 0x28d07025);
    sparse_put64(&mem, 0x3f77b400, 0x0bd08801);
    sparse_put64(&mem, 0x0bd08000, 0x0beeb867);
    sparse_put64(&mem, 0x0beeb000 + 0x1ca * 8, 0x800000000bc2c867u);
    sparse_put64(&mem, 0x0beeb000 + 0x1c7 * 8, 0x28d07025);
    sparse_put32(&mem, 0x0c57a034, 1);
    sparse_put32(&mem, 0x0bc2c034, 0);
    sparse_put32(&mem, 0x28d0743c, 0x12345678);
    start(DS_PAGING_PAE, 0x3f77b3c0);
    struct ds_space *other = open_space(DS_PAGING_PAE, 0x3f77b400);
    ds_space_set_pte_base(space, ds_pte_base_of_build(DS_PAGING_PAE, ds_opt_unknown(DS_OK)));
    ds_space_explain(space, 0x001ca034, &e);
    CHECK(e.status == DS_OK && e.count == 3);
    check_step(0, "PDPE", 0, 0x0e0f5801, "-------KREV");
    check_step(1, "PDE", 0xc0600000, 0x0e0fa867, "---DA--UWEV");
    check_step(2, "PTE", 0xc0000e50, 0x800000000c57a867u, "---DA--UW-V");
    CHECK_U64(e.steps[0].entry_pa.value, 0x3f77b3c0);
    CHECK_U64(e.pa, 0x0c57a034);
    uint64_t pa = 0, v = 9;
    CHECK(ds_space_read_uint(space, 0x001ca034, 4, &v, NULL) == DS_OK);
    CHECK_U64(v, 1);
    CHECK(ds_space_translate(other, 0x001ca034, &pa, NULL) == DS_OK);
    CHECK_U64(pa, 0x0bc2c034);
    CHECK(ds_space_read_uint(other, 0x001ca034, 4, &v, NULL) == DS_OK);
    CHECK_U64(v, 0);
    CHECK(ds_space_translate(space, 0x001c743f, &pa, NULL) == DS_OK);
    CHECK_U64(pa, 0x28d0743f);
    CHECK(ds_space_translate(other, 0x001c743f, &pa, NULL) == DS_OK);
    CHECK_U64(pa, 0x28d0743f);
    CHECK(ds_space_translate(space, 0x1001ca034u, &pa, NULL) == DS_NOT_MAPPED);
    ds_space_close(other);
    stop();
}

#define DTB 0x1ab000u
#define SESSION_VA 0xfffff900c05e0000u
#define PROTO_VA 0xfffff8a000f4f978u

/* A published !pte of a session address, and tables that lead to its prototype PTE. */
static void make_prototype(uint64_t proto)
{
    sparse_put64(&mem, DTB + 0xf90, 0x000000076245c863u);
    sparse_put64(&mem, 0x76245c018u, 0x0000000762569863u);
    sparse_put64(&mem, 0x762569010u, 0x000000045fa17863u);
    sparse_put64(&mem, 0x45fa17f00u, 0xf8a000f4f9780400u);
    sparse_put64(&mem, DTB + 0xf88, 0x2000863);
    sparse_put64(&mem, 0x2000400, 0x2001863);
    sparse_put64(&mem, 0x2001038, 0x2002863);
    sparse_put64(&mem, 0x2002a78, 0x2003863);
    sparse_put64(&mem, 0x2003978, proto);
    sparse_put64(&mem, 0x5555123, 0x77);
    start(DS_PAGING_X64, DTB);
    ds_space_set_pte_base(space, ds_pte_base_of_build(DS_PAGING_X64, ds_opt_known(7601)));
    ds_space_explain(space, SESSION_VA + 0x123, &e);
}

static void test_prototype_x64(void)
{
    make_prototype(0x5555880); /* in transition */
    check_step(0, "PXE", 0xfffff6fb7dbedf90u, 0x000000076245c863u, "---DA--KWEV");
    check_step(1, "PPE", 0xfffff6fb7dbf2018u, 0x0000000762569863u, "---DA--KWEV");
    check_step(2, "PDE", 0xfffff6fb7e403010u, 0x000000045fa17863u, "---DA--KWEV");
    check_step(3, "PTE", 0xfffff6fc80602f00u, 0xf8a000f4f9780400u, "");
    CHECK(e.steps[3].state == DS_PTE_PROTOTYPE);
    CHECK(e.count == 5);
    CHECK_STR(e.steps[4].name, "prototype PTE");
    CHECK_U64(e.steps[4].entry_va.value, PROTO_VA);
    CHECK_U64(e.fault.prototype.value, PROTO_VA);
    CHECK(e.status == DS_OK && e.fault.state == DS_PTE_TRANSITION);
    CHECK_U64(e.pa, 0x5555123);
    uint64_t v = 0;
    CHECK(ds_space_read_uint(space, SESSION_VA + 0x123, 1, &v, NULL) == DS_OK);
    CHECK_U64(v, 0x77);
    stop();
}

static void test_prototype_fates(void)
{
    static const struct {
        uint64_t proto;
        enum ds_status status;
        enum ds_pte_state state;
    } fates[] = {
        {0x5555863, DS_OK, DS_PTE_VALID},
        {0x0001234500000080u, DS_PAGED_OUT, DS_PTE_PAGE_FILE},
        {0xfa8012345678048bu & ~(uint64_t)1, DS_NOT_IN_DUMP, DS_PTE_MAPPED_FILE},
        {0x80, DS_NOT_MAPPED, DS_PTE_DEMAND_ZERO},
        {0, DS_NOT_MAPPED, DS_PTE_EMPTY},
    };
    for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
        make_prototype(fates[i].proto);
        CHECK(e.status == fates[i].status);
        CHECK(e.fault.state == fates[i].state);
        CHECK_U64(e.fault.prototype.value, PROTO_VA);
        struct ds_fault f;
        uint64_t pa;
        CHECK(ds_space_translate(space, SESSION_VA + 0x123, &pa, &f) == fates[i].status);
        stop();
    }
}

/* Bits of the software entries, by hand. */
static void test_software_states(void)
{
    struct ds_pte_layout before = {.page_file_known = true, .page_file_shift = 1};
    struct ds_pte_layout after = {.page_file_known = true,
                                  .page_file_shift = 12,
                                  .has_swizzle = true,
                                  .mask_known = true,
                                  .invalid_mask = 0x0000200000000000u};
    struct ds_pte_layout blind = {
        .page_file_known = true, .page_file_shift = 12, .has_swizzle = true};
    struct ds_pte_soft s = ds_pte_decode(DS_PAGING_X64, &before, 0x0001234500000086u, false);
    CHECK(s.state == DS_PTE_PAGE_FILE);
    CHECK_U64(s.page_file.value, 3);
    CHECK_U64(s.page_file_offset.value, 0x12345);
    s = ds_pte_decode(DS_PAGING_X64, &after, 0x0001234500002090u, false); /* swizzle bit set */
    CHECK_U64(s.page_file.value, 2);
    CHECK_U64(s.page_file_offset.value, 0x12345);
    s = ds_pte_decode(DS_PAGING_X64, &after, 0x0001234500002080u, false);
    CHECK_U64(s.page_file_offset.value, 0x10345);
    s = ds_pte_decode(DS_PAGING_X64, &after, 0x0000200000000080u, false);
    CHECK(s.state == DS_PTE_DEMAND_ZERO && !s.mask_missing);
    s = ds_pte_decode(DS_PAGING_X64, &blind, 0x0000200000000080u, false);
    CHECK(s.state == DS_PTE_SOFTWARE && s.mask_missing);
    s = ds_pte_decode(DS_PAGING_X64, &blind, 0x0001234500002080u, false);
    CHECK(s.state == DS_PTE_PAGE_FILE && s.mask_missing && !s.page_file_offset.known);
    s = ds_pte_decode(DS_PAGING_X64, &after, 0x0000200012345880u, false);
    CHECK(s.state == DS_PTE_TRANSITION);
    CHECK_U64(s.pa.value, 0x12345000);
    s = ds_pte_decode(DS_PAGING_X64, &after, 0xffffffff00000480u, false);
    CHECK(s.state == DS_PTE_VAD);
    s = ds_pte_decode(DS_PAGING_PAE, &before, 0xe1234560000004a0u, false);
    CHECK(s.state == DS_PTE_PROTOTYPE);
    CHECK_U64(s.prototype.value, 0xe1234560);
    s = ds_pte_decode(DS_PAGING_PAE, &before, 0x000001230000008au, false);
    CHECK_U64(s.page_file.value, 5);
    CHECK_U64(s.page_file_offset.value, 0x123);
    s = ds_pte_decode(DS_PAGING_X86, &before, 0x12345884, false);
    CHECK(s.state == DS_PTE_TRANSITION);
    CHECK_U64(s.pa.value, 0x12345000);
    s = ds_pte_decode(DS_PAGING_X86, &before, 0x00123084, false);
    CHECK_U64(s.page_file.value, 2);
    CHECK_U64(s.page_file_offset.value, 0x123);
    s = ds_pte_decode(DS_PAGING_ARM64, &after, 0x1234, false);
    CHECK(s.state == DS_PTE_SOFTWARE && !s.pa.known);
    after.file_form = true;
    s = ds_pte_decode(DS_PAGING_X64, &after, 0xffff9a0012345680u, false);
    CHECK(s.state == DS_PTE_MAPPED_FILE);
}

/* A directory that is all zero, a table that was not captured, an entry that is just empty. */
static void test_absent_tables(void)
{
    sparse_put64(&mem, DTB, 0x2000063);
    sparse_put64(&mem, 0x2000000, 0x2001063);
    sparse_put64(&mem, 0x2000008, 0x9999063); /* not captured */
    sparse_put64(&mem, 0x2000010, 0x2004063);
    sparse_put64(&mem, 0x2001000, 0x2002063);
    sparse_put64(&mem, 0x2002008, 0x2003063);
    sparse_at(&mem, 0x2003000)[0] = 1;
    sparse_at(&mem, 0x2004000)[0] = 0;
    start(DS_PAGING_X64, DTB);
    uint64_t pa;
    struct ds_fault f;
    CHECK(ds_space_translate(space, 0, &pa, &f) == DS_NOT_MAPPED);
    CHECK(f.state == DS_PTE_EMPTY && f.level == 1);
    CHECK(ds_space_translate(space, 0x40000000, &pa, &f) == DS_NOT_IN_DUMP);
    CHECK(f.state == DS_PTE_NO_ENTRY && f.level == 2);
    CHECK(ds_space_translate(space, 0x80000000u, &pa, &f) == DS_NOT_IN_DUMP);
    CHECK(f.state == DS_PTE_EMPTY_TABLE && f.level == 2);
    struct ds_space_iter it = {.va = 0, .end = UINT64_MAX};
    struct ds_space_run run;
    CHECK(ds_space_next_run(space, &it, &run) == DS_OK);
    CHECK(run.status == DS_NOT_MAPPED && run.size == 0x1000);
    CHECK(ds_space_next_run(space, &it, &run) == DS_OK);
    CHECK(run.status == DS_OK && run.va == 0x1000 && run.pa == 0x2003000 && run.size == 0x1000);
    uint64_t runs = 2;
    while (ds_space_next_run(space, &it, &run) == DS_OK) {
        runs++;
    }
    CHECK(it.done && runs < 10 && it.entries < 10000);
    stop();
}

/* A paged-out table answers for all that it would map; one in transition is gone on with. */
static void test_absent_tables_are_passed_at_once(void)
{
    sparse_put64(&mem, DTB, 0x2000063);
    sparse_put64(&mem, DTB + 8, 0x123400000080u); /* page file */
    sparse_put64(&mem, 0x2000000, 0x2001860);     /* in transition */
    sparse_put64(&mem, 0x2001008, 0x345600000080u);
    start(DS_PAGING_X64, DTB);
    struct ds_space_iter it = {.va = 0, .end = UINT64_C(0xffffffffff)};
    struct ds_space_run run;
    CHECK(ds_space_next_run(space, &it, &run) == DS_OK);
    CHECK(run.status != DS_PAGED_OUT && run.size == 0x200000);
    CHECK(ds_space_next_run(space, &it, &run) == DS_OK);
    CHECK(run.status == DS_PAGED_OUT && run.va == 0x200000);
    CHECK_U64(run.size, 0x200000);
    while (!it.done && ds_space_next_run(space, &it, &run) == DS_OK) {
    }
    CHECK(run.status == DS_PAGED_OUT && run.va == 0x8000000000u);
    CHECK_U64(run.size, 0x8000000000u);
    CHECK(it.done && it.entries < 5000);
    stop();
}

/* Everything leads to one page: the walk through the space ends at its cap, self-maps are holes. */
static void test_self_maps(void)
{
    for (uint64_t i = 0; i < 512; i++) {
        sparse_put64(&mem, DTB + i * 8, DTB | 0x63);
    }
    start(DS_PAGING_X64, DTB);
    struct ds_space_iter it = {.va = 0, .end = UINT64_MAX};
    struct ds_space_run run;
    CHECK(ds_space_next_run(space, &it, &run) == DS_OK);
    CHECK(run.status == DS_LOOP);
    CHECK_U64(run.size, 0x800000000000u);
    CHECK(ds_space_next_run(space, &it, &run) == DS_OK);
    CHECK_U64(run.va, 0xffff800000000000u);
    CHECK(ds_space_next_run(space, &it, &run) == DS_NOT_FOUND);
    CHECK(!ds_space_self_map(space).known); /* 256 candidates are none */
    stop();
    sparse_put64(&mem, DTB + 0x1ed * 8, DTB | 0x63);
    start(DS_PAGING_X64, DTB);
    CHECK_U64(ds_space_self_map(space).value, 0xfffff68000000000u);
    stop();
}

/* Fills a table whose entries all lead to one place. */
static void fill_table(uint64_t table, uint64_t to)
{
    for (uint64_t i = 0; i < 512; i++) {
        sparse_put64(&mem, table + i * 8, to | 0x63);
    }
}

/* Four full tables map every address to one page: 2^36 runs that nobody lists. */
static void test_everything_is_one_page(void)
{
    struct ds_space_iter it = {.va = 0, .end = UINT64_MAX, .limit = 100000};
    struct ds_space_run run;
    uint64_t runs = 0, pa;
    fill_table(DTB, DTB + 0x1000);
    fill_table(DTB + 0x1000, DTB + 0x2000);
    fill_table(DTB + 0x2000, DTB + 0x3000);
    fill_table(DTB + 0x3000, 0x9000);
    sparse_put64(&mem, 0x9ff8, 0x1122334455667788u);
    start(DS_PAGING_X64, DTB);
    enum ds_status status;
    while ((status = ds_space_next_run(space, &it, &run)) == DS_OK) {
        CHECK(run.status == DS_OK && run.pa == 0x9000 && run.size == 4096);
        runs++;
    }
    CHECK(status == DS_LIMIT && !it.done);
    CHECK(it.entries >= 100000 && it.entries <= 100005 && runs >= 12000 && runs <= 25000);
    CHECK(ds_space_next_run(space, &it, &run) == DS_LIMIT); /* until the caller counts anew */
    uint64_t at = it.va;
    it.entries = 0;
    CHECK(ds_space_next_run(space, &it, &run) == DS_OK && run.va == at);
    it = (struct ds_space_iter){.va = 0xffff800000000000u, .end = UINT64_MAX};
    while ((status = ds_space_next_run(space, &it, &run)) == DS_OK) {
    }
    CHECK(status == DS_LIMIT && it.entries <= DS_LIMIT_RUN_ENTRIES + 5);
    for (uint64_t va = 0xff8; va < 0x7ff000000000; va += 0x3333333000) {
        uint64_t value = 0;
        CHECK(ds_space_translate(space, va, &pa, NULL) == DS_OK && pa == 0x9ff8);
        CHECK(ds_space_read_uint(space, va, 8, &value, NULL) == DS_OK);
        CHECK_U64(value, 0x1122334455667788u);
    }
    stop();
}

/* Two tables that lead to each other, at every level: translated as the processor would, and
 * passed over in a listing. */
static void test_cycles(void)
{
    struct ds_space_iter it = {.va = 0, .end = UINT64_MAX};
    struct ds_space_run run;
    uint64_t pa, runs = 0;
    fill_table(DTB, DTB + 0x1000);
    fill_table(DTB + 0x1000, DTB);
    start(DS_PAGING_X64, DTB);
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t va = i * 0x1f3c5a7000 % 0x800000000000;
        CHECK(ds_space_translate(space, va, &pa, NULL) == DS_OK && pa == DTB);
    }
    while (ds_space_next_run(space, &it, &run) == DS_OK) {
        CHECK(run.status == DS_LOOP);
        runs++;
    }
    CHECK(it.done && runs == 2 && it.entries < 2 * 512 * 512 * 3);
    stop();
}

/* Entries that lead out of the dump: tables are told from pages. */
static void test_beyond_the_dump(void)
{
    struct ds_space_iter it = {.va = 0, .end = UINT64_MAX};
    struct ds_space_run run;
    struct ds_fault fault;
    uint64_t pa = 0;
    uint8_t byte;
    fill_table(DTB, 0xffffffffff000u);
    sparse_put64(&mem, DTB, (DTB + 0x1000) | 0x63);
    sparse_put64(&mem, DTB + 0x1000, (DTB + 0x2000) | 0x63);
    sparse_put64(&mem, DTB + 0x2000, (DTB + 0x3000) | 0x63);
    fill_table(DTB + 0x3000, 0xffffffffff000u);
    start(DS_PAGING_X64, DTB);
    CHECK(ds_space_translate(space, 0x8000000000u, &pa, &fault) == DS_NOT_IN_DUMP);
    CHECK_U64(fault.level, 3);
    CHECK(ds_space_translate(space, 0x5123, &pa, &fault) == DS_OK);
    CHECK_U64(pa, 0xffffffffff123u);
    CHECK(ds_space_read(space, 0x5123, &byte, 1, &fault) == DS_NOT_IN_DUMP);
    CHECK(fault.level == 0 && fault.va == 0x5123);
    uint64_t lost = 0, runs = 0;
    while (ds_space_next_run(space, &it, &run) == DS_OK) {
        lost += run.status == DS_NOT_IN_DUMP ? run.size : 0;
        runs++;
    }
    CHECK(it.done && it.entries < 10000);
    CHECK_U64(lost, (uint64_t)511 << 39);
    CHECK(runs < 520);
    stop();
}

/* What a directory base carries beside the address: PCID, flags, "no flush", ASID. */
static void test_directory_bases(void)
{
    CHECK_U64(ds_paging_root(DS_PAGING_X86, 0x12345fffu), 0x12345000);
    CHECK_U64(ds_paging_root(DS_PAGING_X86, 0xffffffff12345018u), 0x12345000);
    CHECK_U64(ds_paging_root(DS_PAGING_PAE, 0xffffffff3f77b3dfu), 0x3f77b3c0); /* 32-byte aligned */
    CHECK_U64(ds_paging_root(DS_PAGING_X64, 0x80000000006d4002u), 0x6d4000);
    CHECK_U64(ds_paging_root(DS_PAGING_X64, 0xffffffffffffffffu), 0xffffffffff000u);
    CHECK_U64(ds_paging_root(DS_PAGING_LA57, 0xfff0000012345fffu), 0x12345000);
    CHECK_U64(ds_paging_root(DS_PAGING_ARM64, 0x0123000080229801u), 0x80229000u);
    CHECK_U64(ds_paging_root(DS_PAGING_NONE, 0x1000), 0);
}

static void test_large_pages(void)
{
    sparse_put32(&mem, DTB + 0x200 * 4, 0x12401000u | 0x2000 | 0x1e3); /* PSE-36, PAT */
    start(DS_PAGING_X86, DTB);
    uint64_t pa = 0;
    CHECK(ds_space_translate(space, 0x80012345u, &pa, NULL) == DS_OK);
    CHECK_U64(pa, 0x112412345u);
    ds_space_explain(space, 0x80012345u, &e);
    CHECK_U64(e.page_size, 0x400000);
    stop();
    /* One table for both halves of ARM64; the upper half in a table of its own. */
    sparse_put64(&mem, DTB + 0x1f0 * 8, 0x2000003);
    sparse_put64(&mem, 0x2000000, 0x00600000c0000701u); /* 1 GB block */
    sparse_put64(&mem, 0x3000000 + 0x1f0 * 8, 0x2001003);
    sparse_put64(&mem, 0x2001000, 0x0060000080000701u);
    start(DS_PAGING_ARM64, 0x0042000000000001u | DTB);
    CHECK(ds_space_translate(space, 0xfffff80000012345u, &pa, NULL) == DS_OK);
    CHECK_U64(pa, 0xc0012345u);
    ds_space_set_upper_root(space, 0x3000001);
    CHECK(ds_space_translate(space, 0xfffff80000012345u, &pa, NULL) == DS_OK);
    CHECK_U64(pa, 0x80012345u);
    CHECK(ds_space_translate(space, 0x0001f80000012345u, &pa, NULL) == DS_NOT_MAPPED);
    char text[DS_PTE_FLAGS_SIZE];
    ds_pte_flags_text(DS_PAGING_ARM64, 0x00600000c0000701u, 3, text);
    CHECK_STR(text, "-GLDA--KW-V");
    stop();
}

TEST_MAIN(TEST(test_two_processes_pae), TEST(test_prototype_x64), TEST(test_prototype_fates),
          TEST(test_software_states), TEST(test_absent_tables),
          TEST(test_absent_tables_are_passed_at_once), TEST(test_self_maps),
          TEST(test_everything_is_one_page), TEST(test_cycles), TEST(test_beyond_the_dump),
          TEST(test_directory_bases), TEST(test_large_pages))
