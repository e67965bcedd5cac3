#include <stdlib.h>
#include <string.h>

#include "dump/flattened.h"
#include "test.h"

/* A flattened file in the making. */
struct flat {
    uint8_t b[16384];
    size_t size;
};

static void put_be64(uint8_t *p, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        p[i] = (uint8_t)v;
}

static void begin(struct flat *f)
{
    memset(f, 0, sizeof(*f));
    memcpy(f->b, "makedumpfile", 12);
    put_be64(f->b + 16, 1);
    put_be64(f->b + 24, 1);
    f->size = 4096;
}

static void record(struct flat *f, uint64_t offset, uint64_t size, const char *data)
{
    put_be64(f->b + f->size, offset);
    put_be64(f->b + f->size + 8, size);
    memcpy(f->b + f->size + 16, data, strlen(data));
    f->size += 16 + strlen(data);
}

static void end(struct flat *f)
{
    record(f, UINT64_MAX, UINT64_MAX, "");
}

static enum ds_status open_flat(const struct flat *f, uint64_t max, struct ds_source **ret,
                                struct ds_err *err)
{
    struct ds_inflate_limits limits = {.max_inflated = max};
    struct ds_source *s;
    CHECK_U64(ds_source_memory_open(f->b, f->size, &s, NULL), DS_OK);
    CHECK(ds_flattened_probe(s));
    enum ds_status st = ds_flattened_open(s, &limits, ret, err);
    if (st != DS_OK)
        ds_source_close(s);
    return st;
}

static void holds(const struct flat *f, const char *want, size_t size, const char *damage)
{
    struct ds_source *s = NULL;
    uint8_t b[64];
    struct ds_err err;
    CHECK_U64(open_flat(f, 0, &s, &err), DS_OK);
    CHECK_U64(s->size, size);
    for (size_t from = 0; from < size; from++)
        for (size_t len = 1; len <= size - from; len++) {
            CHECK_U64(ds_source_read(s, from, b, len, NULL), DS_OK);
            CHECK(memcmp(b, want + from, len) == 0);
        }
    CHECK_U64(ds_source_read(s, 1, b, size, NULL), DS_TRUNCATED);
    CHECK((damage == NULL) == (s->damage == NULL));
    CHECK(damage == NULL || strstr(s->damage, damage) != NULL);
    ds_source_close(s);
}

static void records_go_where_they_say(void)
{
    struct flat f;
    begin(&f);
    record(&f, 8, 4, "last");
    record(&f, 0, 5, "first");
    end(&f);
    holds(&f, "first\0\0\0last", 12, NULL);
}

static void later_records_overwrite(void)
{
    struct flat f;
    begin(&f);
    record(&f, 0, 10, "aaaaaaaaaa");
    record(&f, 2, 4, "bbbb");
    record(&f, 4, 3, "ccc");
    record(&f, 9, 3, "ddd");
    record(&f, 0, 1, "e");
    end(&f);
    holds(&f, "eabbcccaaddd", 12, NULL);
}

static void a_cut_file_gives_what_it_holds(void)
{
    struct flat f;
    begin(&f);
    record(&f, 0, 4, "head");
    holds(&f, "head", 4, "end mark is missing");
    record(&f, 4, 1000, "tail");
    holds(&f, "headtail", 8, "within a record");
}

static void lies_are_bounded(void)
{
    struct flat f;
    struct ds_source *s;
    struct ds_err err;
    begin(&f);
    record(&f, 0, 4, "head");
    record(&f, UINT64_C(1) << 62, 4, "far!");
    end(&f);
    CHECK_U64(open_flat(&f, 0, &s, &err), DS_LIMIT);
    CHECK(strstr(err.text, "--max-inflated") != NULL && strstr(err.text, "0x1014") != NULL);
    begin(&f);
    record(&f, 0, 4, "head");
    record(&f, 97, 4, "four");
    end(&f);
    CHECK_U64(open_flat(&f, 100, &s, &err), DS_LIMIT);
    CHECK_U64(open_flat(&f, 101, &s, &err), DS_OK);
    ds_source_close(s);
    begin(&f);
    record(&f, 0, 4, "head");
    record(&f, UINT64_MAX - 1, 4, "back");
    holds(&f, "head", 4, "negative");
    begin(&f);
    record(&f, 0, 4, "head");
    record(&f, 4, INT64_MAX, "");
    holds(&f, "head", 4, "within a record");
}

static void nothing_inside_is_refused(void)
{
    struct flat f;
    struct ds_source *s;
    struct ds_err err;
    begin(&f);
    CHECK_U64(open_flat(&f, 0, &s, &err), DS_NOT_DUMP);
    end(&f);
    CHECK_U64(open_flat(&f, 0, &s, &err), DS_NOT_DUMP);
    CHECK(strstr(err.text, "without a single record") != NULL);
}

TEST_MAIN(TEST(records_go_where_they_say), TEST(later_records_overwrite),
          TEST(a_cut_file_gives_what_it_holds), TEST(lies_are_bounded),
          TEST(nothing_inside_is_refused))
