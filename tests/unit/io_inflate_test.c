#include "test.h"

#include <zlib.h>

#include "base/err.h"
#include "base/limits.h"
#include "io/inflate.h"
#include "io/zip.h"

/* Enough for several checkpoints (1 MiB apart) and more chunks than one read touches. */
#define SIZE (7u << 20)

static uint8_t *plain, *packed;
static size_t packed_size;

static void make_data(void)
{
    if (plain != NULL)
        return;
    plain = malloc(SIZE);
    packed = malloc(SIZE + 4096);
    uint32_t seed = 7;
    for (size_t i = 0; i < SIZE; i++) {
        seed = seed * 1664525u + 1013904223u;
        plain[i] = (uint8_t)(i % 97 < 40 ? seed >> 24 : i >> 9);
    }
    z_stream z = {0};
    (void)deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = plain;
    z.avail_in = SIZE;
    z.next_out = packed;
    z.avail_out = SIZE + 4096;
    (void)deflate(&z, Z_FINISH);
    packed_size = z.total_out;
    (void)deflateEnd(&z);
}

static struct ds_source *open_packed(size_t size, const struct ds_inflate_limits *limits,
                                     enum ds_status want)
{
    struct ds_source *archive, *s;
    struct ds_err err = {.text = ""};
    make_data();
    struct ds_inflate_part part = {.size = size, .gzip = true};
    if (ds_source_memory_open(packed, size, &archive, &err) != DS_OK)
        return NULL;
    enum ds_status st = ds_source_inflate_open(archive, &part, limits, &s, &err);
    CHECK_U64(st, want);
    if (st == DS_OK)
        return s;
    ds_source_close(archive);
    return NULL;
}

static void reads_at_any_place_match(void)
{
    make_data();
    struct ds_source *s = open_packed(packed_size, NULL, DS_OK);
    static uint8_t buf[300000];
    uint32_t seed = 3;
    CHECK_U64(s->size, SIZE);
    CHECK(s->damage == NULL);
    for (int i = 0; i < 400; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint64_t off = seed % SIZE;
        size_t len = i % 40 == 0 ? sizeof(buf) : seed >> 20;
        if (len > SIZE - off)
            len = (size_t)(SIZE - off);
        CHECK(ds_source_read(s, off, buf, len, NULL) == DS_OK);
        CHECK(memcmp(buf, plain + off, len) == 0);
    }
    CHECK(ds_source_read(s, SIZE - 4, buf, 8, NULL) == DS_TRUNCATED);
    ds_source_close(s);
}

static void a_cut_archive_gives_what_it_holds(void)
{
    make_data();
    struct ds_source *s = open_packed(packed_size / 2, NULL, DS_OK);
    uint8_t b[64];
    CHECK(s->size > SIZE / 4 && s->size < SIZE);
    CHECK(s->damage != NULL && strstr(s->damage, "ends early") != NULL);
    CHECK(ds_source_read(s, s->size - 64, b, 64, NULL) == DS_OK);
    CHECK(memcmp(b, plain + s->size - 64, 64) == 0);
    ds_source_close(s);
    CHECK(open_packed(9, NULL, DS_CORRUPT) == NULL);
}

static uint64_t last_done, last_total;

static void note_progress(uint64_t done, uint64_t total, uint64_t out, void *arg)
{
    (void)arg;
    CHECK(done >= last_done && done <= total && out <= SIZE);
    last_done = done;
    last_total = total;
}

static void limits_and_progress_are_kept(void)
{
    make_data();
    struct ds_inflate_limits limits = {.max_inflated = SIZE - 1};
    CHECK(open_packed(packed_size, &limits, DS_LIMIT) == NULL);
    limits = (struct ds_inflate_limits){.max_inflated = SIZE, .progress = note_progress};
    struct ds_source *s = open_packed(packed_size, &limits, DS_OK);
    CHECK_U64(last_total, packed_size);
    CHECK_U64(last_done, packed_size);
    ds_source_close(s);
}

/* A bare stream of one block: nothing to go on from for longer than the limit allows. */
static void an_endless_block_is_refused(void)
{
    /* RFC 1951, 3.2.6: BFINAL 1, BTYPE 01; a literal 0 (00110000), then length 258 (11000101),
     * distance 1 (00000), over and over; bits are packed from the lowest. */
    size_t size = 500000;
    uint8_t *bare = calloc(1, size);
    size_t bit = 0;
    const char *first = "110" /* BFINAL, BTYPE from the low bit */ "00110000";
    const char *again = "11000101"
                        "00000";
    for (const char *c = first; *c != '\0'; c++, bit++)
        bare[bit / 8] |= (uint8_t)((*c == '1') << bit % 8);
    while (bit + 13 < size * 8)
        for (const char *c = again; *c != '\0'; c++, bit++)
            bare[bit / 8] |= (uint8_t)((*c == '1') << bit % 8);
    struct ds_source *archive, *s;
    struct ds_err err = {.text = ""};
    struct ds_inflate_part part = {.size = size};
    CHECK(ds_source_memory_open(bare, size, &archive, &err) == DS_OK);
    CHECK_U64(ds_source_inflate_open(archive, &part, NULL, &s, &err), DS_LIMIT);
    CHECK(strstr(err.text, "one deflate block") != NULL);
    ds_source_close(archive);
    free(bare);
}

static void a_part_keeps_to_its_bounds(void)
{
    struct ds_source *whole, *s;
    static const uint8_t data[] = "0123456789";
    uint8_t b[4];
    CHECK(ds_source_memory_open(data, 10, &whole, NULL) == DS_OK);
    CHECK(ds_source_part_open(whole, 8, 3, &s, NULL) == DS_TRUNCATED);
    CHECK(ds_source_part_open(whole, 3, 4, &s, NULL) == DS_OK);
    CHECK(ds_source_read(s, 0, b, 4, NULL) == DS_OK && memcmp(b, "3456", 4) == 0);
    CHECK(ds_source_read(s, 1, b, 4, NULL) == DS_TRUNCATED);
    CHECK(ds_source_pointer(s, 2, 2) == data + 5 && ds_source_pointer(s, 2, 3) == NULL);
    ds_source_close(s);
}

TEST_MAIN(TEST(reads_at_any_place_match), TEST(a_cut_archive_gives_what_it_holds),
          TEST(limits_and_progress_are_kept), TEST(an_endless_block_is_refused),
          TEST(a_part_keeps_to_its_bounds))
