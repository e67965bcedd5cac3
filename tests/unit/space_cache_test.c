/*
 * Translations with more tables than a space keeps copies of. The dump is made up as it is read:
 * 64 GB of addresses, every eighth 2 MB a large page, every sixteenth page absent.
 */
#include "base/bytes.h"
#include "memory/space.h"
#include "test.h"

#define BODY 0x2000u
#define FIRST_LEAF 4096u
#define LEAVES 32768u
#define PAGES (FIRST_LEAF + LEAVES)
#define COUNT 60000u

static uint64_t page_of_pte(uint64_t table, uint64_t index)
{
    return (((table - FIRST_LEAF) * 512 + index) * 0x9e3779b97f4a7c15u >> 28) << 12;
}

static uint64_t entry_of(uint64_t page, uint64_t i)
{
    if (page >= FIRST_LEAF) {
        return i % 16 == 3 ? 0 : page_of_pte(page, i) | 0x63;
    }
    if (page >= 16 && page < 16 + LEAVES / 512) {
        uint64_t n = (page - 16) * 512 + i;
        return n % 8 == 7 ? n << 21 | 0xe3 : (FIRST_LEAF + n) << 12 | 0x63;
    }
    if (page == 2) {
        return i < LEAVES / 512 ? (16 + i) << 12 | 0x63 : 0;
    }
    if (page == 4) { /* the second directory first */
        return i == 0 ? 17 << 12 | 0x63 : 0;
    }
    return (page == 1 || page == 3) && i == 0 ? (page + 1) << 12 | 0x63 : 0;
}

static uint64_t word_of(uint64_t off)
{
    if (off >= BODY) {
        return entry_of((off - BODY) >> 12, (off & 0xfff) / 8);
    }
    switch (off) {
    case 0:
        return 0x3436554445474150u; /* "PAGEDU64" */
    case 0x30:
        return 0x8664;
    case 0x88:
        return 1;
    case 0x90:
    case 0xa0:
        return PAGES;
    case 0x98:
        return 0;
    case 0xf98:
        return 1;
    default:
        return 0x4547415045474150u;
    }
}

static uint64_t reads;

static enum ds_status made_read(struct ds_source *s, uint64_t off, void *buf, size_t len,
                                size_t *got, struct ds_err *err)
{
    uint8_t *out = buf;
    (void)s;
    (void)err;
    reads++;
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(word_of((off + i) & ~(uint64_t)7) >> ((off + i) % 8 * 8));
    }
    *got = len;
    return DS_OK;
}

static void made_destroy(struct ds_source *s)
{
    (void)s;
}

static const struct ds_source_ops made_ops = {"made", made_read, NULL, made_destroy};
static struct ds_source made = {.ops = &made_ops, .size = BODY + (uint64_t)PAGES * 4096};
static struct ds_dump *dump;
static struct ds_space *one, *many;

static void start(void)
{
    CHECK(ds_dump_open(&made, &dump, NULL) == DS_OK);
    CHECK(ds_space_open_paged(dump, DS_PAGING_X64, 0x1000, &one, NULL) == DS_OK);
    CHECK(ds_space_open_paged(dump, DS_PAGING_X64, 0x1000, &many, NULL) == DS_OK);
}

static void stop(void)
{
    ds_space_close(one);
    ds_space_close(many);
    ds_dump_close(dump);
}

static enum ds_status expected(uint64_t va, uint64_t *pa)
{
    uint64_t n = va >> 21, i = va >> 12 & 511;
    if (va >> 36 != 0 || (n % 8 != 7 && i % 16 == 3)) {
        return DS_NOT_MAPPED;
    }
    *pa = (n % 8 == 7 ? n << 21 | i << 12 : page_of_pte(FIRST_LEAF + n, i)) | (va & 0xfff);
    return DS_OK;
}

static uint64_t next_random(void)
{
    static uint64_t seed = 88172645463325252u;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static void test_more_tables_than_are_kept(void)
{
    static uint64_t va[COUNT], pa[COUNT];
    static enum ds_status status[COUNT];
    size_t bad_one = 0, bad_many = 0, mapped = 0;
    start();
    for (size_t i = 0; i < COUNT; i++) {
        va[i] = i % 512 == 5 ? next_random() >> 8 : next_random() >> 28;
    }
    for (size_t i = 0; i < COUNT;) {
        size_t part = 1 + next_random() % 100;
        part = part < COUNT - i ? part : COUNT - i;
        ds_space_translate_many(many, va + i, part, pa + i, status + i);
        i += part;
    }
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t want = 0, got = 0;
        enum ds_status good = expected(va[i], &want);
        enum ds_status single = ds_space_translate(one, va[i], &got, NULL);
        mapped += good == DS_OK;
        bad_one += single != good || (good == DS_OK && got != want);
        bad_many += status[i] != good || (good == DS_OK && pa[i] != want);
    }
    CHECK(mapped > COUNT / 2);
    CHECK_U64(bad_one, 0);
    CHECK_U64(bad_many, 0);
    stop();
}

/* A page that was translated costs no read again, nor one whose table was seen. */
static void test_tables_are_kept(void)
{
    uint64_t pa;
    start();
    CHECK(ds_space_translate(one, 0x200000, &pa, NULL) == DS_OK);
    uint64_t before = reads;
    CHECK(ds_space_translate(one, 0x200000, &pa, NULL) == DS_OK);
    CHECK(ds_space_translate(one, 0x201000, &pa, NULL) == DS_OK);
    CHECK(ds_space_translate(one, 0x3ff000, &pa, NULL) == DS_OK);
    CHECK_U64(reads, before);
    ds_space_flush(one);
    CHECK(ds_space_translate(one, 0x200000, &pa, NULL) == DS_OK);
    CHECK(reads > before);
    stop();
}

/* Two spaces over one dump answer each by its own table; neither answers for ranges. */
static void test_spaces_are_apart(void)
{
    struct ds_space *other, *ranges;
    uint64_t pa[2], va[2] = {0x5000, 0x6000};
    enum ds_status status[2];
    start();
    CHECK(ds_space_open_paged(dump, DS_PAGING_X64, 3 << 12, &other, NULL) == DS_OK);
    CHECK(ds_space_open_ranges(dump, &ranges, NULL) == DS_OK);
    for (int round = 0; round < 2; round++) {
        CHECK(ds_space_translate(one, 0x5000, pa, NULL) == DS_OK);
        CHECK_U64(pa[0], page_of_pte(FIRST_LEAF, 5));
        CHECK(ds_space_translate(other, 0x5000, pa, NULL) == DS_OK);
        CHECK_U64(pa[0], page_of_pte(FIRST_LEAF + 512, 5));
    }
    ds_space_translate_many(ranges, va, 2, pa, status);
    CHECK(status[0] == DS_UNSUPPORTED && status[1] == DS_UNSUPPORTED);
    ds_space_close(other);
    ds_space_close(ranges);
    stop();
}

TEST_MAIN(TEST(test_more_tables_than_are_kept), TEST(test_tables_are_kept),
          TEST(test_spaces_are_apart))
