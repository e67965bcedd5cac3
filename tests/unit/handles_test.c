/* Handle tables on a made kernel: levels, decoding, and tables that lie. */
#include "nt/handle_table.h"

#include "kernel_maker.h"

#define TABLE 0xffffc08000600000u
#define PAGES(n) (0xffffc08000601000u + (uint64_t)(n)*0x1000)
#define HEADER(n) (0xffffc08000700000u + (uint64_t)(n)*0x50)
#define PER_PAGE 256u

static struct kernel k;

static void put_entry(uint64_t page, unsigned index, uint64_t header, uint32_t access)
{
    /* 19041: ObjectPointerBits is bits 20 to 63, of an address without its low four. */
    maker_put(&k.m, page + index * 16, header << 16 | 1, 8);
    maker_put(&k.m, page + index * 16 + 8, access, 4);
}

static void table_is(uint64_t code, uint32_t upto)
{
    kernel_set(&k, TABLE, "_HANDLE_TABLE", "TableCode", code);
    kernel_set(&k, TABLE, "_HANDLE_TABLE", "NextHandleNeedingPool", upto);
    kernel_set(&k, PROCESS(0), "_EPROCESS", "ObjectTable", TABLE);
}

struct found {
    struct ds_handle_entry rows[8];
    size_t count;
};

static bool keep(const struct ds_handle_entry *e, void *arg)
{
    struct found *f = arg;
    f->rows[f->count++] = *e;
    return f->count < 8;
}

static void test_one_page(void)
{
    struct found f = {.count = 0};
    kernel_open(&k);
    put_entry(PAGES(0), 0, HEADER(9), 1); /* never a handle */
    put_entry(PAGES(0), 1, HEADER(1), 0x1fffff);
    put_entry(PAGES(0), 255, 0xfffff80400001230u, 0x6120089); /* flags above the mask */
    table_is(PAGES(0), PER_PAGE * 4);
    struct ds_nt *nt = kernel_nt(&k);
    struct ds_walk_end end = ds_handle_table_walk(nt, TABLE, NULL, keep, &f);
    CHECK_U64(end.status, DS_OK);
    CHECK_U64(end.count, 2);
    CHECK_U64(f.rows[0].handle, 4);
    CHECK_U64(f.rows[0].object, HEADER(1));
    CHECK_U64(f.rows[0].access, 0x1fffff);
    CHECK_U64(f.rows[0].entry, PAGES(0) + 16);
    CHECK_U64(f.rows[1].handle, 1020);
    CHECK_U64(f.rows[1].object, 0xfffff80400001230u);
    CHECK_U64(f.rows[1].access, 0x120089);
    struct ds_opt count = ds_nt_handle_count(nt, PROCESS(0), NULL);
    CHECK(count.known && count.value == 2);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_two_levels(void)
{
    struct found f = {.count = 0};
    kernel_open(&k);
    maker_ptr(&k.m, PAGES(0), PAGES(1));
    maker_ptr(&k.m, PAGES(0) + 8, PAGES(2));
    maker_ptr(&k.m, PAGES(0) + 16, PAGES(3)); /* past NextHandleNeedingPool */
    put_entry(PAGES(1), 1, HEADER(1), 1);
    put_entry(PAGES(2), 1, HEADER(2), 1);
    put_entry(PAGES(3), 1, HEADER(3), 1);
    table_is(PAGES(0) | 1, 2 * PER_PAGE * 4);
    struct ds_nt *nt = kernel_nt(&k);
    struct ds_walk_end end = ds_handle_table_walk(nt, TABLE, NULL, keep, &f);
    CHECK_U64(end.status, DS_OK);
    CHECK_U64(end.count, 2);
    CHECK_U64(f.rows[1].handle, 0x404);
    ds_nt_close(nt);
    kernel_close(&k);
}

/* A page that is not there is told; what stands behind it is found all the same. */
static void test_lost_page(void)
{
    struct found f = {.count = 0};
    kernel_open(&k);
    maker_ptr(&k.m, PAGES(0), PAGES(1));
    maker_ptr(&k.m, PAGES(0) + 8, 0xffffc08000900000u);
    maker_ptr(&k.m, PAGES(0) + 16, PAGES(2));
    put_entry(PAGES(1), 1, HEADER(1), 1);
    put_entry(PAGES(2), 2, HEADER(2), 1);
    table_is(PAGES(0) | 1, 3 * PER_PAGE * 4);
    struct ds_nt *nt = kernel_nt(&k);
    struct ds_walk_end end = ds_handle_table_walk(nt, TABLE, NULL, keep, &f);
    CHECK(end.status != DS_OK);
    CHECK_U64(end.address, 0xffffc08000900000u);
    CHECK_U64(end.count, 2);
    CHECK_U64(f.rows[1].handle, (2 * PER_PAGE + 2) * 4);
    CHECK(!ds_nt_handle_count(nt, PROCESS(0), NULL).known); /* part of a count is none */
    ds_nt_close(nt);
    kernel_close(&k);
}

static struct ds_walk_end walk_of(uint64_t code, uint32_t upto, uint64_t *budget)
{
    table_is(code, upto);
    struct ds_nt *nt = kernel_nt(&k);
    struct ds_walk_end end = ds_handle_table_walk(nt, TABLE, budget, NULL, NULL);
    ds_nt_close(nt);
    return end;
}

static void test_lies(void)
{
    uint64_t budget = 5;
    kernel_open(&k); /* a page of pointers to itself, on two levels */
    for (unsigned i = 0; i < 512; i++) {
        maker_ptr(&k.m, PAGES(0) + i * 8, PAGES(0));
    }
    CHECK_U64(walk_of(PAGES(0) | 1, 0x10000, NULL).status, DS_LOOP);
    kernel_close(&k);
    kernel_open(&k);
    for (unsigned i = 0; i < 512; i++) {
        maker_ptr(&k.m, PAGES(0) + i * 8, PAGES(0));
    }
    CHECK_U64(walk_of(PAGES(0) | 2, 0x7fffffff, &budget).status, DS_CORRUPT);
    CHECK_U64(budget, 0); /* what it may read is bounded */
    kernel_close(&k);
    kernel_open(&k);
    CHECK_U64(walk_of(PAGES(0) | 3, 1024, NULL).status, DS_CORRUPT);
    kernel_close(&k);
    kernel_open(&k); /* a table in user space, and one that is no page */
    CHECK_U64(walk_of(0x10000, 1024, NULL).status, DS_CORRUPT);
    kernel_close(&k);
    kernel_open(&k);
    CHECK_U64(walk_of(PAGES(0) | 0x10, 1024, NULL).status, DS_CORRUPT);
    kernel_close(&k);
    kernel_open(&k); /* more handles than one page can hold */
    put_entry(PAGES(0), 1, HEADER(1), 1);
    struct ds_walk_end end = walk_of(PAGES(0), 0x10000, NULL);
    CHECK_U64(end.status, DS_CORRUPT);
    CHECK_U64(end.count, 1);
    kernel_close(&k);
    kernel_open(&k); /* an entry that leads to user space is none that counts */
    put_entry(PAGES(0), 1, 0x7ff612340000u, 1);
    end = walk_of(PAGES(0), 1024, NULL);
    CHECK_U64(end.status, DS_CORRUPT);
    CHECK_U64(end.count, 0);
    kernel_close(&k);
    kernel_open(&k); /* nothing allocated yet */
    end = walk_of(PAGES(0), 0, NULL);
    CHECK_U64(end.status, DS_OK);
    CHECK_U64(end.count, 0);
    kernel_close(&k);
}

static void test_cid_table(void)
{
    kernel_open(&k);
    kernel_kdbg(&k, "PspCidTable", UNLOADED_LAST);
    maker_ptr(&k.m, UNLOADED_LAST, TABLE);
    struct ds_nt *nt = kernel_nt(&k);
    struct ds_opt table = ds_nt_cid_table(nt);
    CHECK(table.known && table.value == TABLE);
    ds_nt_close(nt);
    kernel_close(&k);
}

TEST_MAIN(TEST(test_one_page), TEST(test_two_levels), TEST(test_lost_page), TEST(test_lies),
          TEST(test_cid_table))
