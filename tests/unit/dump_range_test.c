/* Dumps that a debugger wrote (types 8, 9, 10), and the kernel dumps of old (type 2). */
#include "dump_image.h"

struct range {
    uint64_t pfn, count;
};

static const struct range demo[] = {{0x100, 3}, {0x200, 1}, {0x7fff00, 4}};

#define FIRST 0x3000u

/* Every page begins with its own number. */
static struct image range_image(uint32_t type, const struct range *r, size_t n)
{
    uint64_t pages = 0;
    for (size_t i = 0; i < n; i++)
        pages += r[i].count;
    struct image m = image_header64(type, FIRST + pages * 4096);
    memset(m.p + 0x2000, 0, 0x1000);
    put32(&m, 0x2000, 0x40);
    memcpy(m.p + 0x2004, "RDMPDUMP", 8);
    put64(&m, 0x2010, FIRST - 0x2020);
    put64(&m, 0x2018, FIRST);
    if (type == 10) {
        put32(&m, 0x2020, (uint32_t)n);
        put64(&m, 0x2028, pages);
        memset(m.p + 0x2030 + 16 * n, 0xee, 16); /* no range: the count has ended the list */
    }
    size_t at = FIRST;
    for (size_t i = 0; i < n; i++) {
        put64(&m, 0x2030 + 16 * i, r[i].pfn);
        put64(&m, 0x2038 + 16 * i, r[i].count);
        for (uint64_t k = 0; k < r[i].count; k++, at += 4096)
            put64(&m, at, r[i].pfn + k);
    }
    return m;
}

static uint64_t page_at(struct ds_dump *d, uint64_t pfn, enum ds_status *st)
{
    uint8_t b[8] = {0};
    *st = ds_dump_read_phys(d, pfn * 4096, b, sizeof(b), NULL);
    return ds_le64(b);
}

static void every_page_is_found(void)
{
    static const struct {
        uint32_t type;
        enum ds_dump_kind kind;
    } types[] = {
        {8, DS_DUMP_RANGE_KERNEL}, {9, DS_DUMP_RANGE_KERNEL_USER}, {10, DS_DUMP_RANGE_FULL}};
    for (size_t t = 0; t < 3; t++) {
        struct image m = range_image(types[t].type, demo, 3);
        struct ds_dump *d = image_open(&m);
        CHECK_U64(ds_dump_kind(d), types[t].kind);
        CHECK_U64(ds_dump_integrity(d)->count, 0);
        image_print_notes(d);
        CHECK_U64(ds_dump_phys_pages(d), 8);
        enum ds_status st;
        for (size_t i = 0; i < 3; i++) {
            for (uint64_t k = 0; k < demo[i].count; k++)
                CHECK(page_at(d, demo[i].pfn + k, &st) == demo[i].pfn + k && st == DS_OK);
            (void)page_at(d, demo[i].pfn + demo[i].count, &st);
            CHECK_U64(st, DS_NOT_IN_DUMP);
        }
        CHECK_U64(ds_dump_phys_run_count(d), 3);
        ds_dump_close(d);
        free(m.p);
    }
}

static void a_type_8_list_ends_at_page_0_or_with_the_metadata(void)
{
    static const struct range four[] = {{0x100, 1}, {0, 7}, {0x200, 1}};
    enum ds_status st;
    struct image m = range_image(8, four, 3);
    struct ds_dump *d = image_open(&m);
    CHECK_U64(ds_dump_phys_pages(d), 1);
    (void)page_at(d, 0x200, &st);
    CHECK_U64(st, DS_NOT_IN_DUMP);
    ds_dump_close(d);
    free(m.p);
    /* FirstPage directly behind the second range, with no end mark: the third is no range. */
    m = range_image(8, demo, 3);
    put64(&m, 0x2018, 0x2050);
    put64(&m, 0x2010, 0x30);
    d = image_open(&m);
    CHECK_U64(ds_dump_phys_pages(d), 4);
    ds_dump_close(d);
    free(m.p);
}

static void the_counted_list_takes_page_0(void)
{
    static const struct range low[] = {{0, 2}, {5, 1}};
    struct image m = range_image(10, low, 2);
    struct ds_dump *d = image_open(&m);
    enum ds_status st;
    CHECK(page_at(d, 1, &st) == 1 && st == DS_OK);
    CHECK(page_at(d, 5, &st) == 5 && st == DS_OK);
    CHECK_U64(ds_dump_integrity(d)->count, 0);
    ds_dump_close(d);
    free(m.p);
}

static void the_body_shows_the_type_when_the_header_does_not(void)
{
    static const struct {
        uint32_t stated, written;
        enum ds_dump_kind kind;
    } cases[] = {
        {6, 8, DS_DUMP_RANGE_KERNEL}, {6, 10, DS_DUMP_RANGE_FULL}, {7, 10, DS_DUMP_RANGE_FULL}};
    for (size_t i = 0; i < 3; i++) {
        struct image m = range_image(cases[i].written, demo, 3);
        put32(&m, 0xf98, cases[i].stated);
        struct ds_dump *d = image_open(&m);
        CHECK(d != NULL && ds_dump_kind(d) == cases[i].kind);
        CHECK(image_note(d, "header.dump_type") != NULL);
        ds_dump_close(d);
        free(m.p);
    }
}

struct change {
    uint32_t type, at;
    uint64_t value;
    const char *check;
    enum ds_integrity_level level;
    uint64_t pages; /* that can be read all the same */
};

static void contradictory_ranges_are_named(void)
{
    static const struct change changes[] = {
        {8, 0x2000, UINT64_C(0x504d445200000041), "range.marker", DS_INTEGRITY_NOTE, 8},
        {8, 0x2004, 0, "range.signature", DS_INTEGRITY_FATAL, 0},
        {8, 0x2010, 0x10, "range.metadata_size", DS_INTEGRITY_DAMAGE, 0},
        {8, 0x2010, 0x20, "range.metadata_size", DS_INTEGRITY_DAMAGE, 3},
        {8, 0x2010, UINT64_MAX, "range.metadata_size", DS_INTEGRITY_DAMAGE, 8},
        {9, 0x2018, 0, "range.first_page", DS_INTEGRITY_FATAL, 0},
        {9, 0x2018, UINT64_MAX, "range.first_page", DS_INTEGRITY_FATAL, 0},
        {8, 0x2030, 0, "range.none", DS_INTEGRITY_FATAL, 0},
        {8, 0x2038, UINT64_MAX, "range.overflow", DS_INTEGRITY_DAMAGE, 0},
        {8, 0x2048, UINT64_MAX / 4096, "range.overflow", DS_INTEGRITY_DAMAGE, 3},
        {8, 0x2048, UINT64_C(1) << 40, "file.truncated", DS_INTEGRITY_DAMAGE, 8},
        {8, 0x2040, 0x101, "range.order", DS_INTEGRITY_DAMAGE, 8},
        {10, 0x2028, 7, "range.overflow", DS_INTEGRITY_DAMAGE, 4},
        {10, 0x2028, 4, "range.count", DS_INTEGRITY_NOTE, 4},
        {10, 0x2028, 0, "range.none", DS_INTEGRITY_FATAL, 0},
        {10, 0x2028, UINT64_MAX, "range.overflow", DS_INTEGRITY_DAMAGE, 8},
        {10, 0x2020, 2, "range.count", DS_INTEGRITY_NOTE, 8},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const struct change *c = &changes[i];
        struct image m = range_image(c->type, demo, 3);
        put64(&m, c->at, c->value);
        struct ds_dump *d = image_open(&m);
        CHECK(d != NULL);
        const struct ds_integrity_note *n = d != NULL ? image_note(d, c->check) : NULL;
        if (n == NULL || n->level != c->level || ds_dump_phys_pages(d) != c->pages)
            printf("    change %zu: %s, %llu pages\n", i, n != NULL ? n->check : "no note",
                   d != NULL ? (unsigned long long)ds_dump_phys_pages(d) : 0);
        CHECK(n != NULL && n->level == c->level);
        CHECK_U64(ds_dump_phys_pages(d), c->pages);
        ds_dump_close(d);
        free(m.p);
    }
}

static void a_short_list_of_counted_ranges_is_named(void)
{
    struct image m = range_image(10, demo, 3);
    put64(&m, 0x2018, 0x2060); /* room for the three ranges and nothing else */
    put64(&m, 0x2010, 0x40);
    put64(&m, 0x2028, 9);
    struct ds_dump *d = image_open(&m);
    CHECK(image_note(d, "range.page_count") != NULL);
    CHECK_U64(ds_dump_phys_pages(d), 8);
    ds_dump_close(d);
    free(m.p);
}

static void every_cut_of_a_range_dump_is_named(void)
{
    for (uint32_t type = 8; type <= 10; type++) {
        struct image m = range_image(type, demo, 3);
        size_t whole = m.size;
        for (m.size = 512; m.size < whole; m.size += 512) {
            struct ds_dump *d = image_open(&m);
            CHECK(d != NULL);
            if (d == NULL)
                break;
            CHECK(ds_integrity_worst(ds_dump_integrity(d)) >= DS_INTEGRITY_DAMAGE);
            uint64_t whole_pages = m.size > FIRST ? (m.size - FIRST) / 4096 : 0;
            CHECK_U64(ds_dump_phys_pages(d), whole_pages);
            ds_dump_close(d);
        }
        free(m.p);
    }
}

/* ---- type 2 ---- */

#define BITS 100u

static bool pick(uint64_t n)
{
    return n % 7 < 3;
}

/* A summary dump of either form; page n holds n in its first bytes. */
static struct image summary(bool is64)
{
    uint64_t set = 0, at = is64 ? 0x2000 : 0x1000, first = at + 0x1000, page = 0;
    for (uint64_t i = 0; i < BITS; i++)
        set += pick(i);
    size_t size = (size_t)(first + set * 4096);
    struct image m = is64 ? image_header64(2, size) : image_header32(2, size);
    memset(m.p + at, 0, 0x40);
    memcpy(m.p + at, "SDMPDUMP", 8);
    put32(&m, at + 0x0c, (uint32_t)first);
    put32(&m, at + 0x10, BITS);
    put32(&m, at + 0x14, (uint32_t)set);
    put32(&m, at + 0x18, BITS);
    uint64_t bits = at + (is64 ? 0x28 : 0x20);
    for (uint64_t i = 0; i < BITS; i++) {
        if (!pick(i))
            continue;
        m.p[bits + i / 8] |= (uint8_t)(1u << (i % 8));
        put64(&m, first + 4096 * page++, i);
    }
    return m;
}

static void check_summary(struct ds_dump *d, enum ds_dump_kind kind)
{
    CHECK_U64(ds_dump_kind(d), kind);
    for (uint64_t i = 0; i < BITS + 10; i++) {
        enum ds_status st;
        uint64_t v = page_at(d, i, &st);
        CHECK(i < BITS && pick(i) ? st == DS_OK && v == i : st == DS_NOT_IN_DUMP);
    }
}

static void summary_dumps_of_both_forms_are_read(void)
{
    for (int is64 = 0; is64 < 2; is64++) {
        struct image m = summary(is64 != 0);
        struct ds_dump *d = image_open(&m);
        check_summary(d, DS_DUMP_SUMMARY);
        CHECK_U64(ds_dump_integrity(d)->count, 0);
        image_print_notes(d);
        ds_dump_close(d);
        free(m.p);
    }
}

static void bitmaps_of_32_bit_kernels_are_read_by_their_sums(void)
{
    for (uint32_t type = 5; type <= 6; type++) {
        struct image m = summary(false);
        put32(&m, 0xf88, type);
        struct ds_dump *d = image_open(&m);
        check_summary(d, type == 5 ? DS_DUMP_BITMAP_FULL : DS_DUMP_BITMAP_KERNEL);
        CHECK(image_note(d, "dump.form_by_sums") != NULL);
        ds_dump_close(d);
        m.p[0x1020] ^= 1; /* now the sum is off, and the form cannot be told */
        d = image_open(&m);
        CHECK_U64(ds_dump_kind(d), DS_DUMP_DAMAGED);
        CHECK(image_note(d, "dump.unsupported_form") != NULL);
        ds_dump_close(d);
        free(m.p);
    }
}

static void contradictory_summaries_are_named(void)
{
    static const struct {
        uint32_t at, value;
        const char *check;
        enum ds_integrity_level level;
    } changes[] = {
        {0x2000, 0, "summary.signature", DS_INTEGRITY_FATAL},
        {0x2010, 0, "summary.header", DS_INTEGRITY_FATAL},
        {0x2014, 0, "summary.header", DS_INTEGRITY_FATAL},
        {0x2014, 5, "bitmap.page_count", DS_INTEGRITY_DAMAGE},
        {0x200c, 0x2029, "bitmap.first_page", DS_INTEGRITY_DAMAGE},
        {0x200c, UINT32_MAX, "file.truncated", DS_INTEGRITY_DAMAGE},
        {0x2010, UINT32_MAX, "bitmap.size", DS_INTEGRITY_DAMAGE},
        {0x2018, 1, "summary.bitmap_size", DS_INTEGRITY_NOTE},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct image m = summary(true);
        put32(&m, changes[i].at, changes[i].value);
        struct ds_dump *d = image_open(&m);
        const struct ds_integrity_note *n = d != NULL ? image_note(d, changes[i].check) : NULL;
        if (n == NULL)
            printf("    0x%x: no %s\n", (unsigned)changes[i].at, changes[i].check);
        CHECK(n != NULL && n->level == changes[i].level);
        ds_dump_close(d);
        free(m.p);
    }
}

TEST_MAIN(TEST(every_page_is_found), TEST(a_type_8_list_ends_at_page_0_or_with_the_metadata),
          TEST(the_counted_list_takes_page_0),
          TEST(the_body_shows_the_type_when_the_header_does_not),
          TEST(contradictory_ranges_are_named), TEST(a_short_list_of_counted_ranges_is_named),
          TEST(every_cut_of_a_range_dump_is_named), TEST(summary_dumps_of_both_forms_are_read),
          TEST(bitmaps_of_32_bit_kernels_are_read_by_their_sums),
          TEST(contradictory_summaries_are_named))
