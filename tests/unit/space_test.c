#include "memory/space.h"

#include "maker.h"
#include "memory/paging.h"
#include "memory/walk.h"

#define VA 0xfffff80012345000u

static struct maker m;
static struct ds_dump *dump;
static struct ds_space *space;

static void start(void)
{
    dump = maker_dump(&m);
    space = NULL;
    CHECK(ds_space_open_paged(dump, DS_PAGING_X64, m.dtb, &space, NULL) == DS_OK);
}

static void stop(void)
{
    ds_space_close(space);
    ds_dump_close(dump);
    maker_close(&m);
}

static void test_translate(void)
{
    maker_open(&m);
    maker_write(&m, VA + 0xffe, "abcd", 4);
    uint64_t want = (uint64_t)(maker_va(&m, VA) - maker_pa(&m, 0));
    start();
    uint64_t pa = 0;
    for (int i = 0; i < 2; i++) { /* walked, then cached */
        CHECK(ds_space_translate(space, VA + 0x123, &pa, NULL) == DS_OK);
        CHECK_U64(pa, want + 0x123);
    }
    char text[5] = "";
    CHECK(ds_space_read(space, VA + 0xffe, text, 4, NULL) == DS_OK);
    CHECK_STR(text, "abcd");
    uint64_t v = 0;
    CHECK(ds_space_read_uint(space, VA + 0xffe, 4, &v, NULL) == DS_OK);
    CHECK_U64(v, 0x64636261);
    CHECK(ds_space_read_uint(space, VA + 0xffe, 3, &v, NULL) == DS_INVALID);
    ds_space_set_pointer_size(space, 4);
    CHECK(ds_space_read_ptr(space, VA + 0xffe, &v, NULL) == DS_OK);
    CHECK_U64(v, 0x64636261);
    stop();
}

static void test_dtb_flags(void)
{
    maker_open(&m);
    maker_put(&m, VA, 0x77, 1);
    start();
    struct ds_space *other = NULL;
    CHECK(ds_space_open_paged(dump, DS_PAGING_X64, m.dtb | 0x8000000000000002u, &other, NULL) ==
          DS_OK);
    uint64_t v = 0;
    CHECK(ds_space_read_uint(other, VA, 1, &v, NULL) == DS_OK);
    CHECK_U64(v, 0x77);
    CHECK_U64(ds_space_dtb(other), m.dtb);
    ds_space_close(other);
    stop();
}

static void test_large_pages(void)
{
    maker_open(&m);
    uint64_t two_mb = 0xfffff90000200000u, one_gb = 0xfffff90040000000u;
    uint64_t reserved = 0xfffff98000000000u;
    ds_put_le64(maker_entry(&m, two_mb, 2), 0x10e3 | 0x8000000000000000u); /* bit 12 is PAT */
    ds_put_le64(maker_entry(&m, one_gb, 3), 0x40001083u);
    ds_put_le64(maker_entry(&m, reserved, 4), 0x2083);
    start();
    uint64_t pa = 0;
    CHECK(ds_space_translate(space, two_mb + 0x12345, &pa, NULL) == DS_OK);
    CHECK_U64(pa, 0x12345);
    CHECK(ds_space_translate(space, one_gb + 0x2345678, &pa, NULL) == DS_OK);
    CHECK_U64(pa, 0x42345678);
    struct ds_fault f;
    CHECK(ds_space_translate(space, reserved, &pa, &f) == DS_CORRUPT);
    CHECK(f.level == 4);
    stop();
}

static enum ds_status absent(uint64_t va, struct ds_fault *f)
{
    uint64_t v;
    enum ds_status status = ds_space_read_uint(space, va, 8, &v, f);
    CHECK_U64(f->va, va);
    CHECK(f->status == status);
    return status;
}

static void test_faults(void)
{
    maker_open(&m);
    maker_va(&m, VA);
    ds_put_le64(maker_entry(&m, VA + 0x1000, 1), 0x12345880);          /* transition */
    ds_put_le64(maker_entry(&m, VA + 0x2000, 1), 0xf8a000f4f9780400u); /* prototype */
    ds_put_le64(maker_entry(&m, VA + 0x3000, 1), 0x0001234500000080u); /* page file */
    ds_put_le64(maker_entry(&m, VA + 0x4000, 1), 0x0000200000000080u); /* demand zero, L1TF */
    ds_put_le64(maker_entry(&m, VA + 0x5000, 1), (uint64_t)MAKER_PAGES * 4096 | 0x63);
    ds_put_le64(maker_entry(&m, VA + 0x200000, 2), (uint64_t)MAKER_PAGES * 4096 | 0x63);
    start();
    struct ds_fault f;
    CHECK(absent(VA + 0x1000, &f) == DS_NOT_IN_DUMP); /* followed: the page is not captured */
    CHECK(f.level == 0);
    CHECK(absent(VA + 0x2000, &f) == DS_NOT_MAPPED);
    CHECK_U64(f.entry, 0xf8a000f4f9780400u);
    CHECK(f.state == DS_PTE_PROTOTYPE);
    CHECK_U64(f.prototype.value, 0xfffff8a000f4f978u);
    CHECK(absent(VA + 0x3000, &f) == DS_PAGED_OUT);
    CHECK(f.state == DS_PTE_PAGE_FILE);
    CHECK_U64(f.page_file_offset.value, 0x12345);
    CHECK(!f.page_file.known); /* the build was not told */
    CHECK(absent(VA + 0x4000, &f) == DS_NOT_MAPPED);
    CHECK(absent(VA + 0x5000, &f) == DS_NOT_IN_DUMP); /* the page */
    CHECK(f.level == 0);
    CHECK(absent(VA + 0x200000, &f) == DS_NOT_IN_DUMP); /* its table */
    CHECK(f.level == 1);
    CHECK(absent(VA + 0x40000000, &f) == DS_NOT_MAPPED);
    CHECK(f.level == 3);
    CHECK_U64(f.entry, 0);
    CHECK(absent(0x8000000000001000u, &f) == DS_NOT_MAPPED);
    CHECK(absent(VA & 0x0000ffffffffffffu, &f) == DS_NOT_MAPPED); /* not canonical: no alias */
    CHECK(absent(0xfffffffffffffffcu, &f) == DS_NOT_MAPPED);
    uint8_t big[0x2000];
    CHECK(ds_space_read(space, VA + 0x800, big, sizeof(big), &f) == DS_NOT_IN_DUMP);
    CHECK_U64(f.va, VA + 0x1000); /* the first byte that could not be read */
    stop();
}

static void test_unsupported(void)
{
    maker_open(&m);
    start();
    struct ds_space *s = NULL;
    struct ds_err err = {0};
    CHECK(ds_space_open_paged(dump, DS_PAGING_NONE, m.dtb, &s, &err) == DS_UNSUPPORTED);
    CHECK(s == NULL);
    CHECK(strstr(err.text, "page tables") != NULL);
    stop();
}

static void test_ranges(void)
{
    maker_open(&m);
    start();
    struct ds_space *s = NULL;
    uint64_t v = 0, pa;
    CHECK(ds_space_open_ranges(dump, &s, NULL) == DS_OK);
    CHECK(ds_space_read_uint(s, VA, 8, &v, NULL) != DS_OK);
    CHECK(ds_dump_virt_range_add(dump, VA, 0, 8, "test") == DS_OK);
    CHECK(ds_dump_virt_range_add(dump, VA + 8, 0x30, 4, "test") == DS_OK);
    CHECK(ds_space_read_uint(s, VA + 6, 4, &v, NULL) == DS_OK); /* across the two */
    CHECK_U64(v, 0x86643436);
    struct ds_fault f;
    CHECK(ds_space_read_uint(s, VA + 8, 8, &v, &f) != DS_OK);
    CHECK_U64(f.va, VA + 12);
    CHECK(ds_space_translate(s, VA, &pa, NULL) == DS_UNSUPPORTED);
    ds_space_close(s);
    stop();
}

static void test_ustr(void)
{
    maker_open(&m);
    maker_ustr(&m, VA, VA + 0x100, "ntoskrnl.exe");
    maker_ustr(&m, VA + 0x10, VA + 0x200, "x");
    maker_put(&m, VA + 0x10, 0x4000, 2); /* Length beyond MaximumLength */
    maker_ustr(&m, VA + 0x20, VA + 0x200, "x");
    maker_put(&m, VA + 0x20, 0xfffe, 2);
    maker_put(&m, VA + 0x22, 0xffff, 2);
    maker_ustr(&m, VA + 0x30, VA + 0x200, "x");
    maker_ptr(&m, VA + 0x38, 0); /* Buffer NULL */
    start();
    struct ds_buf b;
    ds_buf_init(&b, 4096);
    CHECK(ds_space_read_ustr(space, VA, &b, NULL) == DS_OK);
    CHECK_STR(ds_buf_text(&b), "ntoskrnl.exe");
    CHECK(ds_space_read_ustr(space, VA + 0x10, &b, NULL) == DS_CORRUPT);
    CHECK(ds_space_read_ustr(space, VA + 0x20, &b, NULL) == DS_LIMIT);
    CHECK(ds_space_read_ustr(space, VA + 0x30, &b, NULL) == DS_NOT_MAPPED);
    CHECK_STR(ds_buf_text(&b), "ntoskrnl.exe");
    ds_buf_deinit(&b);
    stop();
}

static bool count_to(uint64_t entry, void *arg)
{
    uint64_t *left = arg;
    (void)entry;
    return --*left != 0;
}

static void link_nodes(size_t nodes)
{
    for (size_t i = 0; i < nodes; i++) { /* node i at VA + i * 16; node 0 is the head */
        maker_ptr(&m, VA + i * 16, VA + (i + 1) % nodes * 16);
        maker_ptr(&m, VA + i * 16 + 8, VA + (i + nodes - 1) % nodes * 16);
    }
}

static struct ds_walk_end walk(uint64_t limit, uint64_t *bad)
{
    uint64_t left = UINT64_MAX;
    return ds_walk_list(space, VA, limit, count_to, &left, bad);
}

static void test_list_closes(void)
{
    maker_open(&m);
    link_nodes(100);
    start();
    uint64_t bad = 1;
    struct ds_walk_end end = walk(1000, &bad);
    CHECK(end.status == DS_OK);
    CHECK_U64(end.count, 99);
    CHECK_U64(bad, 0);
    end = walk(50, NULL);
    CHECK(end.status == DS_LIMIT);
    CHECK_U64(end.count, 50);
    CHECK_U64(end.address, VA + 51 * 16);
    uint64_t left = 3;
    end = ds_walk_list(space, VA, 1000, count_to, &left, NULL);
    CHECK(end.status == DS_OK);
    CHECK_U64(end.count, 3);
    stop();
}

static void test_list_empty(void)
{
    maker_open(&m);
    link_nodes(1);
    start();
    struct ds_walk_end end = walk(10, NULL);
    CHECK(end.status == DS_OK);
    CHECK_U64(end.count, 0);
    stop();
}

static void test_list_hostile(void)
{
    maker_open(&m);
    link_nodes(100);
    maker_ptr(&m, VA + 99 * 16, VA + 40 * 16); /* misses the head */
    maker_ptr(&m, VA + 7 * 16 + 8, VA);        /* a Blink that lies */
    start();
    uint64_t bad = 0;
    struct ds_walk_end end = walk(1000000, &bad);
    CHECK(end.status == DS_LOOP);
    CHECK(end.count < 400);
    CHECK_U64(bad, VA + 7 * 16);
    stop();

    maker_open(&m);
    link_nodes(10);
    maker_ptr(&m, VA + 5 * 16, VA + 5 * 16); /* points at itself */
    start();
    end = walk(1000000, NULL);
    CHECK(end.status == DS_LOOP);
    CHECK(end.count < 20);
    stop();

    maker_open(&m);
    link_nodes(10);
    maker_ptr(&m, VA + 5 * 16, 0);
    start();
    end = walk(1000000, NULL);
    CHECK(end.status == DS_CORRUPT);
    CHECK_U64(end.count, 5);
    stop();

    maker_open(&m);
    link_nodes(10);
    maker_ptr(&m, VA + 5 * 16, VA + 0x100000);
    start();
    end = walk(1000000, NULL);
    CHECK(end.status == DS_NOT_MAPPED);
    CHECK_U64(end.address, VA + 0x100000);
    stop();
}

static void test_cache_collisions(void)
{
    maker_open(&m);
    for (uint64_t i = 0; i < 200; i++) {
        maker_put(&m, VA + i * 0x1000, i * 3 + 1, 8);
    }
    start();
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t i = 0; i < 200; i++) {
            uint64_t v = 0;
            CHECK(ds_space_read_uint(space, VA + i * 0x1000, 8, &v, NULL) == DS_OK);
            CHECK_U64(v, i * 3 + 1);
        }
    }
    stop();
}

#define MANY 70u /* pages: more than two batches */

/* Pages that follow each other in the dump, pages that do not, and what ends the read. */
static void test_read_across(void)
{
    static uint8_t want[MANY * 0x1000], got[MANY * 0x1000];
    maker_open(&m);
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t page = i % 9 == 4 ? i + 1 : i % 9 == 5 ? i - 1 : i; /* some change places */
        maker_va(&m, VA + (page < MANY ? page : i) * 0x1000);
    }
    for (uint64_t i = 0; i < sizeof(want); i++) {
        want[i] = (uint8_t)(i * 7 + (i >> 12));
        *maker_va(&m, VA + i) = want[i];
    }
    start();
    struct ds_fault f;
    for (size_t len = 0x1000; len <= sizeof(want) - 0x123; len += 0x4777) {
        memset(got, 0xee, sizeof(got));
        CHECK(ds_space_read(space, VA + 0x123, got, len, &f) == DS_OK);
        CHECK(memcmp(got, want + 0x123, len) == 0);
        CHECK(got[len] == 0xee);
    }
    CHECK(ds_space_read(space, VA + 0x123, got, sizeof(got), &f) == DS_NOT_MAPPED);
    CHECK_U64(f.va, VA + sizeof(want));
    CHECK(f.level == 1);
    stop();
    maker_open(&m);
    for (uint64_t i = 0; i < MANY; i++) {
        maker_va(&m, VA + i * 0x1000);
    }
    ds_put_le64(maker_entry(&m, VA + 0x28000, 1), (uint64_t)MAKER_PAGES * 4096 | 0x63);
    ds_put_le64(maker_entry(&m, VA + 0x2a000, 1), 0x0001234500000080u);
    start();
    CHECK(ds_space_read(space, VA + 8, got, sizeof(got) - 8, &f) == DS_NOT_IN_DUMP);
    CHECK_U64(f.va, VA + 0x28000);
    CHECK(ds_space_read(space, VA + 0x29008, got, 0x3000, &f) == DS_PAGED_OUT);
    CHECK_U64(f.va, VA + 0x2a000);
    CHECK_U64(f.page_file_offset.value, 0x12345);
    stop();
}

TEST_MAIN(TEST(test_read_across), TEST(test_translate), TEST(test_dtb_flags),
          TEST(test_large_pages), TEST(test_faults), TEST(test_unsupported), TEST(test_ranges),
          TEST(test_ustr), TEST(test_list_closes), TEST(test_list_empty), TEST(test_list_hostile),
          TEST(test_cache_collisions))
