#include "test.h"

#include "base/os.h"
#include "io/source.h"

#define SIZE 1300000u /* more than the cache of a file source holds */
#define PATH "io_source_test.tmp"

static uint8_t byte_of(uint64_t off)
{
    return (uint8_t)(off * 31 + (off >> 12) * 7);
}

static bool write_file(size_t size)
{
    FILE *f = ds_os_fopen(PATH, "wb");
    if (f == NULL)
        return false;
    for (size_t i = 0; i < size; i++)
        fputc(byte_of(i), f);
    return fclose(f) == 0;
}

static size_t wrong_bytes(const uint8_t *p, uint64_t off, size_t len)
{
    size_t wrong = 0;
    for (size_t i = 0; i < len; i++)
        wrong += p[i] != byte_of(off + i);
    return wrong;
}

static void file_reads_match_at_any_place_and_size(void)
{
    struct ds_source *s;
    struct ds_err err;
    CHECK(write_file(SIZE));
    CHECK(ds_source_file_open(PATH, &s, &err) == DS_OK);
    CHECK_U64(s->size, SIZE);
    static uint8_t buf[40000];
    uint32_t seed = 1;
    for (int i = 0; i < 3000; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint64_t off = seed % SIZE;
        size_t len = seed >> 4 & 0xff;
        if (i % 50 == 0)
            len = 33000;
        if (len > SIZE - off)
            len = (size_t)(SIZE - off);
        CHECK(ds_source_read(s, off, buf, len, &err) == DS_OK);
        CHECK_U64(wrong_bytes(buf, off, len), 0);
    }
    ds_source_close(s);
    ds_os_remove(PATH);
}

/* In order from the start, in pieces that straddle pages, then backwards: what was read ahead is
 * what lies there. */
static void file_reads_in_order_match(void)
{
    struct ds_source *s;
    struct ds_err err;
    uint8_t buf[100];
    size_t wrong = 0;
    CHECK(write_file(SIZE));
    CHECK(ds_source_file_open(PATH, &s, &err) == DS_OK);
    for (uint64_t off = 0; off + 100 <= SIZE; off += 100) {
        CHECK(ds_source_read(s, off, buf, 100, &err) == DS_OK);
        wrong += wrong_bytes(buf, off, 100);
    }
    for (uint64_t off = SIZE - 100; off > 3000; off -= 3000) {
        CHECK(ds_source_read(s, off, buf, 100, &err) == DS_OK);
        wrong += wrong_bytes(buf, off, 100);
    }
    CHECK_U64(wrong, 0);
    ds_source_close(s);
    ds_os_remove(PATH);
}

static void reads_past_the_end_say_where(void)
{
    struct ds_source *s;
    struct ds_err err;
    uint8_t buf[64];
    size_t got;
    CHECK(write_file(100));
    CHECK(ds_source_file_open(PATH, &s, &err) == DS_OK);
    CHECK_U64(ds_source_read(s, 90, buf, 20, &err), DS_TRUNCATED);
    CHECK(strstr(err.text, "file offset 0x5a") != NULL);
    CHECK(ds_source_read_some(s, 90, buf, 20, &got, NULL) == DS_OK && got == 10);
    CHECK_U64(wrong_bytes(buf, 90, 10), 0);
    CHECK(ds_source_read_some(s, UINT64_MAX, buf, 20, &got, NULL) == DS_OK && got == 0);
    CHECK_U64(ds_source_read(s, UINT64_MAX - 3, buf, 20, NULL), DS_TRUNCATED);
    ds_source_close(s);
    ds_os_remove(PATH);
}

static void a_file_that_shrinks_reads_as_truncated(void)
{
    struct ds_source *s;
    struct ds_err err;
    uint8_t buf[16];
    CHECK(write_file(50000));
    CHECK(ds_source_file_open(PATH, &s, &err) == DS_OK);
    FILE *f = ds_os_fopen(PATH, "wb");
    CHECK(f != NULL && fclose(f) == 0);
    CHECK_U64(ds_source_read(s, 40000, buf, 16, &err), DS_TRUNCATED);
    ds_source_close(s);
    ds_os_remove(PATH);
}

static void files_that_are_not_there_are_not_found(void)
{
    struct ds_source *s;
    struct ds_err err;
    CHECK_U64(ds_source_file_open("no such file", &s, &err), DS_NOT_FOUND);
    CHECK_U64(ds_source_file_open(".", &s, &err), DS_UNSUPPORTED);
    ds_source_close(NULL);
}

static void memory_reads(void)
{
    struct ds_source *s;
    struct ds_err err;
    uint8_t b[4];
    CHECK(ds_source_memory_open("abcdef", 6, &s, &err) == DS_OK);
    CHECK(ds_source_read(s, 2, b, 4, &err) == DS_OK && memcmp(b, "cdef", 4) == 0);
    CHECK_U64(ds_source_read(s, 3, b, 4, &err), DS_TRUNCATED);
    CHECK(ds_source_read(s, 6, b, 0, &err) == DS_OK);
    ds_source_close(s);
}

TEST_MAIN(TEST(file_reads_match_at_any_place_and_size), TEST(file_reads_in_order_match),
          TEST(reads_past_the_end_say_where), TEST(a_file_that_shrinks_reads_as_truncated),
          TEST(files_that_are_not_there_are_not_found), TEST(memory_reads))
