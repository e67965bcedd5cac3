#include "dump_image.h"

/* A full dump: page n of the file is filled with the byte n + 1. */
static struct image full64(const uint64_t (*runs)[2], uint32_t count, uint64_t pages)
{
    struct image m = image_header64(1, 0x2000 + pages * 4096);
    put32(&m, 0x88, count);
    put64(&m, 0x90, pages);
    for (uint32_t i = 0; i < count && i < 42; i++) {
        put64(&m, 0x98 + 16 * i, runs[i][0]);
        put64(&m, 0xa0 + 16 * i, runs[i][1]);
    }
    for (uint64_t i = 0; i < pages; i++)
        memset(m.p + 0x2000 + i * 4096, (int)i + 1, 4096);
    return m;
}

static int byte_at(struct ds_dump *d, uint64_t pa)
{
    uint8_t b;
    return ds_dump_read_phys(d, pa, &b, 1, NULL) == DS_OK ? b : -1;
}

static void full_dump_runs_are_read(void)
{
    const uint64_t runs[][2] = {{1, 2}, {0x100, 3}};
    struct image m = full64(runs, 2, 5);
    struct ds_dump *d = image_open(&m);
    CHECK_U64(ds_dump_kind(d), DS_DUMP_FULL);
    CHECK_U64(ds_dump_integrity(d)->count, 0);
    image_print_notes(d);
    CHECK_U64(ds_dump_phys_pages(d), 5);
    CHECK_U64(ds_dump_phys_run_count(d), 2);
    struct ds_phys_run r;
    CHECK(ds_dump_phys_run(d, 1, &r) && r.pa == 0x100000 && r.size == 0x3000 &&
          r.file_offset == 0x4000);
    CHECK(!ds_dump_phys_run(d, 2, &r));
    CHECK(byte_at(d, 0x1000) == 1 && byte_at(d, 0x2fff) == 2 && byte_at(d, 0x102fff) == 5);
    uint8_t b[4096];
    uint64_t fault = 0;
    CHECK(ds_dump_read_phys(d, 0x1800, b, sizeof(b), &fault) == DS_OK && b[0] == 1 && b[4095] == 2);
    CHECK_U64(ds_dump_read_phys(d, 0x2800, b, sizeof(b), &fault), DS_NOT_IN_DUMP);
    CHECK_U64(fault, 0x3000);
    CHECK_U64(ds_dump_read_phys(d, 0, b, 1, &fault), DS_NOT_IN_DUMP);
    ds_dump_close(d);
    free(m.p);
}

static void a_short_full_dump_names_the_lost_pages(void)
{
    const uint64_t runs[][2] = {{1, 2}, {0x100, 3}};
    struct image m = full64(runs, 2, 5);
    m.size -= 4096 + 100;
    struct ds_dump *d = image_open(&m);
    const struct ds_integrity_note *n = image_note(d, "file.truncated");
    CHECK(n != NULL);
    if (n != NULL)
        CHECK(strstr(n->lost, "2 pages, from physical address 0x101000") != NULL);
    uint8_t b[8];
    uint64_t fault;
    CHECK_U64(ds_dump_read_phys(d, 0x101000, b, 8, &fault), DS_TRUNCATED);
    CHECK_U64(ds_dump_read_phys(d, 0x103000, b, 8, &fault), DS_NOT_IN_DUMP);
    CHECK(byte_at(d, 0x100000) == 3);
    CHECK_U64(ds_dump_phys_pages(d), 3);
    ds_dump_close(d);
    free(m.p);
}

static void bad_runs(const uint64_t (*runs)[2], uint32_t count, uint64_t pages, const char *check)
{
    struct image m = full64(runs, count, pages);
    struct ds_dump *d = image_open(&m);
    CHECK(d != NULL);
    if (d != NULL) {
        const struct ds_integrity_note *n = image_note(d, check);
        if (n == NULL)
            printf("    no %s\n", check);
        CHECK(n != NULL && n->level >= DS_INTEGRITY_DAMAGE);
        (void)byte_at(d, 0x1000);
        (void)ds_dump_phys_run_count(d);
    }
    ds_dump_close(d);
    free(m.p);
}

static void contradictory_runs_are_named(void)
{
    const uint64_t overlapping[][2] = {{1, 3}, {2, 3}};
    bad_runs(overlapping, 2, 6, "physical.run_order");
    const uint64_t unsorted[][2] = {{0x100, 2}, {1, 2}};
    bad_runs(unsorted, 2, 4, "physical.run_order");
    const uint64_t total[][2] = {{1, 3}};
    bad_runs(total, 1, 4, "physical.page_count");
    const uint64_t wraps[][2] = {{1, 3}, {0x100, UINT64_MAX / 4096}};
    bad_runs(wraps, 2, 3, "physical.run_overflow");
    const uint64_t huge[][2] = {{1, 3}, {0x100, UINT64_MAX / 8192}};
    bad_runs(huge, 2, 3, "file.truncated");
    uint64_t many[42][2];
    for (uint64_t i = 0; i < 42; i++)
        many[i][0] = 1 + 2 * i, many[i][1] = 1;
    bad_runs((const uint64_t(*)[2])many, 60, 42, "physical.run_count");
    bad_runs(NULL, 0, 3, "physical.no_runs");
    bad_runs(many, 0x45474150, 42, "physical.no_runs");
}

static void overlapping_runs_give_the_first(void)
{
    const uint64_t runs[][2] = {{1, 3}, {2, 3}};
    struct image m = full64(runs, 2, 6);
    struct ds_dump *d = image_open(&m);
    CHECK(byte_at(d, 0x2000) == 2 && byte_at(d, 0x3000) == 3 && byte_at(d, 0x4000) == 6);
    ds_dump_close(d);
    free(m.p);
}

static void full_dumps_of_32_bit_use_32_bit_runs(void)
{
    struct image m = image_header32(1, 0x1000 + 3 * 4096);
    put32(&m, 0x64, 2);
    put32(&m, 0x68, 3);
    put32(&m, 0x6c, 1);
    put32(&m, 0x70, 2);
    put32(&m, 0x74, 0x200);
    put32(&m, 0x78, 1);
    memset(m.p + 0x1000, 'a', 0x2000);
    memset(m.p + 0x3000, 'b', 0x1000);
    struct ds_dump *d = image_open(&m);
    CHECK_U64(ds_dump_integrity(d)->count, 0);
    image_print_notes(d);
    CHECK(byte_at(d, 0x1000) == 'a' && byte_at(d, 0x200fff) == 'b' && byte_at(d, 0x3000) == -1);
    const struct ds_dump_header *h = ds_dump_header(d);
    CHECK_U64(h->arch, DS_ARCH_X86);
    CHECK_U64(h->ps_loaded_module_list.value, 0x808af9c8);
    CHECK(!h->pae_enabled.known);
    CHECK_U64(h->bugcheck_parameter[3].value, 3);
    ds_dump_close(d);
    free(m.p);
}

/* A bitmap dump of `pages` bits; bit n set when pick(n). FirstPage right behind the bitmap. */
static bool pick(uint64_t n)
{
    return n % 3 != 1 || (n > 600 && n < 900);
}

static struct image bitmap(uint32_t type, uint64_t bits, uint64_t first_page)
{
    uint64_t set = 0;
    for (uint64_t i = 0; i < bits; i++)
        set += pick(i);
    struct image m = image_header64(type, first_page + set * 4096);
    memset(m.p + 0x2000, 0, 0x38);
    memcpy(m.p + 0x2000, type == 5 ? "FDMPDUMP" : "SDMPDUMP", 8);
    put64(&m, 0x2020, first_page);
    put64(&m, 0x2028, set);
    put64(&m, 0x2030, bits);
    uint64_t page = 0;
    for (uint64_t i = 0; i < bits; i++) {
        if (!pick(i))
            continue;
        m.p[0x2038 + i / 8] |= (uint8_t)(1u << (i % 8));
        put64(&m, first_page + 4096 * page, 0xabc000 + i);
        put64(&m, first_page + 4096 * page + 4088, ~i);
        page++;
    }
    return m;
}

static void bitmap_pages_are_found_by_rank(void)
{
    const uint64_t bits = 1500, first = 0x2038 + 188; /* an unaligned FirstPage */
    struct image m = bitmap(6, bits, first);
    m.p[0x2038 + 187] |= 0xf0; /* bits past Pages: noise */
    struct ds_dump *d = image_open(&m);
    CHECK_U64(ds_dump_kind(d), DS_DUMP_BITMAP_KERNEL);
    CHECK_U64(ds_dump_integrity(d)->count, 0);
    image_print_notes(d);
    size_t wrong = 0;
    for (uint64_t i = 0; i < bits + 600; i++) {
        uint8_t b[8];
        enum ds_status st = ds_dump_read_phys(d, i * 4096, b, 8, NULL);
        bool there = i < bits && pick(i);
        wrong += there ? st != DS_OK || ds_le64(b) != 0xabc000 + i : st != DS_NOT_IN_DUMP;
    }
    CHECK_U64(wrong, 0);
    uint8_t two[16];
    CHECK(ds_dump_read_phys(d, 2 * 4096 + 4088, two, 16, NULL) == DS_OK);
    CHECK(ds_le64(two) == ~UINT64_C(2) && ds_le64(two + 8) == 0xabc003);
    ds_dump_close(d);
    free(m.p);
}

static void bitmap_runs_cover_every_page_once(void)
{
    struct image m = bitmap(5, 1500, 0x3000);
    struct ds_dump *d = image_open(&m);
    CHECK_U64(ds_dump_kind(d), DS_DUMP_BITMAP_FULL);
    uint64_t pages = 0, wrong = 0;
    struct ds_phys_run r;
    for (size_t i = 0; ds_dump_phys_run(d, i, &r); i++) {
        for (uint64_t at = 0; at < r.size; at += 4096) {
            wrong += ds_le64(m.p + r.file_offset + at) != 0xabc000 + (r.pa + at) / 4096;
            pages++;
        }
    }
    CHECK_U64(wrong, 0);
    CHECK_U64(pages, ds_dump_phys_pages(d));
    ds_dump_close(d);
    free(m.p);
}

static void short_bitmap_dumps_name_the_lost_pages(void)
{
    struct image m = bitmap(6, 1500, 0x3000);
    struct ds_dump *d = image_open(&m);
    uint64_t pages = ds_dump_phys_pages(d);
    ds_dump_close(d);
    m.size -= 1; /* half a page is no page */
    d = image_open(&m);
    const struct ds_integrity_note *n = image_note(d, "file.truncated");
    CHECK(n != NULL && strstr(n->lost, "1 page, from physical address 0x5db000") != NULL);
    CHECK_U64(ds_dump_phys_pages(d), pages - 1);
    uint8_t b;
    CHECK_U64(ds_dump_read_phys(d, 1499 * 4096, &b, 1, NULL), DS_TRUNCATED);
    CHECK_U64(ds_dump_read_phys(d, 1497 * 4096, &b, 1, NULL), DS_OK);
    ds_dump_close(d);
    free(m.p);
}

/* Every page below `end` that can be read, by stretches, by pages and one by one: the same. */
static void check_all_pages(struct ds_dump *d, uint64_t end, uint64_t want)
{
    static uint8_t buf[64 * 4096], one[4096];
    uint64_t addresses[64], start, size, wrong = 0, pages = 0, stretches = 0;
    enum ds_status st;
    for (uint64_t at = 0; ds_dump_phys_next(d, at, &start, &size); at = start + size) {
        CHECK(start >= at && size != 0 && (start | size) % 4096 == 0);
        for (uint64_t pa = at; pa < start; pa += 4096)
            wrong += ds_dump_read_phys(d, pa, one, 4096, NULL) == DS_OK;
        stretches += size / 4096;
        if (size <= sizeof(buf)) { /* all of it in one read, and no byte more */
            wrong += ds_dump_read_phys(d, start, buf, (size_t)size, NULL) != DS_OK;
            wrong += ds_dump_read_phys(d, start + size - 4096, one, 4096, NULL) != DS_OK;
            wrong += memcmp(one, buf + size - 4096, 4096) != 0;
        }
        wrong += start + size > end;
    }
    for (size_t max = 1; max <= 64; max = max * 7 + 1) {
        uint64_t at = 0, last = 0;
        size_t count;
        for (pages = 0; (count = ds_dump_read_pages(d, &at, buf, addresses, max, &st)) != 0;) {
            for (size_t i = 0; i < count; i++) {
                wrong += (pages + i != 0 && addresses[i] <= last) ||
                         ds_dump_read_phys(d, addresses[i], one, 4096, NULL) != DS_OK ||
                         memcmp(one, buf + i * 4096, 4096) != 0;
                last = addresses[i];
            }
            pages += count;
        }
        CHECK(st == DS_NOT_FOUND);
        CHECK_U64(pages, want);
    }
    CHECK_U64(stretches, want);
    CHECK_U64(wrong, 0);
}

static void all_pages_are_read_in_order(void)
{
    const uint64_t apart[][2] = {{1, 2}, {0x100, 3}}, overlapping[][2] = {{1, 4}, {3, 4}},
                   neighbours[][2] = {{2, 3}, {5, 2}};
    struct image m = bitmap(6, 1500, 0x2038 + 188);
    struct ds_dump *d = image_open(&m);
    check_all_pages(d, 1500 * 4096, ds_dump_phys_pages(d));
    ds_dump_close(d);
    m.size -= 5000; /* two pages less */
    d = image_open(&m);
    check_all_pages(d, 1500 * 4096, ds_dump_phys_pages(d));
    ds_dump_close(d);
    free(m.p);
    m = full64(apart, 2, 5);
    d = image_open(&m);
    check_all_pages(d, 0x103000, 5);
    ds_dump_close(d);
    m.size -= 4096 + 100;
    d = image_open(&m);
    check_all_pages(d, 0x103000, 3);
    ds_dump_close(d);
    free(m.p);
    m = full64(overlapping, 2, 8);
    d = image_open(&m);
    check_all_pages(d, 0x7000, 6);
    ds_dump_close(d);
    free(m.p);
    m = full64(neighbours, 2, 5);
    d = image_open(&m);
    uint64_t start, size;
    CHECK(ds_dump_phys_next(d, 0x2001, &start, &size) && start == 0x3000 && size == 0x4000);
    CHECK(!ds_dump_phys_next(d, UINT64_MAX, &start, &size));
    check_all_pages(d, 0x7000, 5);
    ds_dump_close(d);
    free(m.p);
}

struct change {
    uint32_t at;
    uint64_t value;
    const char *check;
};

static void contradictory_bitmaps_are_named(void)
{
    static const struct change changes[] = {
        {0x2028, 7, "bitmap.page_count"},
        {0x2038, 0, "bitmap.page_count"},
        {0x2020, 0x2040, "bitmap.first_page"},
        {0x2020, UINT64_MAX - 5, "file.truncated"},
        {0x2030, UINT64_C(1) << 62, "bitmap.size"},
        {0x2030, UINT64_MAX, "bitmap.size"},
        {0x2000, 0, "bitmap.signature"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct image m = bitmap(6, 1500, 0x3000);
        put64(&m, changes[i].at, changes[i].value);
        struct ds_dump *d = image_open(&m);
        CHECK(d != NULL);
        const struct ds_integrity_note *n = d ? image_note(d, changes[i].check) : NULL;
        if (n == NULL)
            printf("    0x%x: no %s\n", changes[i].at, changes[i].check);
        CHECK(n != NULL && n->level >= DS_INTEGRITY_DAMAGE);
        if (d != NULL) {
            (void)byte_at(d, 0x5000);
            (void)ds_dump_phys_run_count(d);
        }
        ds_dump_close(d);
        free(m.p);
    }
}

static void every_truncation_of_a_bitmap_dump_is_named(void)
{
    struct image m = bitmap(6, 40, 0x3000);
    size_t whole = m.size;
    for (m.size = 512; m.size < whole; m.size += 512) {
        struct ds_dump *d = image_open(&m);
        CHECK(d != NULL);
        if (d == NULL)
            break;
        if (ds_integrity_worst(ds_dump_integrity(d)) < DS_INTEGRITY_DAMAGE)
            printf("    cut at 0x%zx\n", m.size);
        CHECK(ds_integrity_worst(ds_dump_integrity(d)) >= DS_INTEGRITY_DAMAGE);
        ds_dump_close(d);
    }
    free(m.p);
}

static void a_zeroed_tail_of_pages_is_noted(void)
{
    struct image m = bitmap(6, 1500, 0x3000);
    for (size_t at = 0x2000; at + 8 <= m.size - 0x1000; at += 8)
        if (at >= 0x3000 && at % 4096 == 8)
            put64(&m, at, 1);
    memset(m.p + m.size / 2, 0, m.size - m.size / 2);
    struct ds_dump *d = image_open(&m);
    CHECK(image_note(d, "file.zeroed_tail") != NULL);
    CHECK_U64(ds_integrity_worst(ds_dump_integrity(d)), DS_INTEGRITY_NOTE);
    ds_dump_close(d);
    free(m.p);
}

/* A source that claims a size far above 4 GiB and makes up its bytes: run pages hold their number.
 */
struct big_source {
    struct ds_source head;
    struct image image;
};

static enum ds_status big_read(struct ds_source *s, uint64_t off, void *buf, size_t len,
                               size_t *got, struct ds_err *err)
{
    (void)err;
    struct big_source *b = (struct big_source *)s;
    uint8_t *out = buf;
    for (size_t i = 0; i < len; i++, off++) {
        uint64_t page = (off - 0x2000) / 4096;
        out[i] = (uint8_t)(off < 0x2000 ? b->image.p[off] : page >> (8 * (off % 8)));
    }
    *got = len;
    return DS_OK;
}

static void big_destroy(struct ds_source *s)
{
    (void)s;
}

static void dumps_over_4_gib_are_read(void)
{
    static const struct ds_source_ops ops = {"made up", big_read, NULL, big_destroy};
    struct big_source b = {.head = {&ops, 0x2000 + UINT64_C(0x300000) * 4096},
                           .image = image_header64(1, 0x2000)};
    put32(&b.image, 0x88, 2);
    put64(&b.image, 0x90, 0x300000);
    put64(&b.image, 0x98, 0);
    put64(&b.image, 0xa0, 0xc0000);
    put64(&b.image, 0xa8, 0x100000);
    put64(&b.image, 0xb0, 0x240000);
    struct ds_dump *d;
    struct ds_err err;
    CHECK(ds_dump_open(&b.head, &d, &err) == DS_OK);
    CHECK_U64(ds_dump_integrity(d)->count, 0);
    uint8_t v[8];
    CHECK(ds_dump_read_phys(d, UINT64_C(0x33ffff) * 4096, v, 8, NULL) == DS_OK);
    CHECK_U64(ds_le64(v), 0x2fffff);
    CHECK(ds_dump_read_phys(d, UINT64_C(0x340000) * 4096, v, 8, NULL) == DS_NOT_IN_DUMP);
    ds_dump_close(d);
    free(b.image.p);
}

TEST_MAIN(TEST(full_dump_runs_are_read), TEST(a_short_full_dump_names_the_lost_pages),
          TEST(contradictory_runs_are_named), TEST(overlapping_runs_give_the_first),
          TEST(full_dumps_of_32_bit_use_32_bit_runs), TEST(bitmap_pages_are_found_by_rank),
          TEST(bitmap_runs_cover_every_page_once), TEST(all_pages_are_read_in_order),
          TEST(short_bitmap_dumps_name_the_lost_pages), TEST(contradictory_bitmaps_are_named),
          TEST(every_truncation_of_a_bitmap_dump_is_named), TEST(a_zeroed_tail_of_pages_is_noted),
          TEST(dumps_over_4_gib_are_read))
