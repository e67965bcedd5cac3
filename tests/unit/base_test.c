#include "test.h"

#include "base/buf.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

static void little_endian_reads_unaligned(void)
{
    const uint8_t b[] = {0xff, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
    CHECK_U64(ds_le16(b + 1), 0x7788);
    CHECK_U64(ds_le32(b + 1), 0x55667788);
    CHECK_U64(ds_le64(b + 1), 0x1122334455667788u);
    uint8_t out[8];
    ds_put_le64(out, 0x1122334455667788u);
    CHECK(memcmp(out, b + 1, 8) == 0);
}

static void cursor_fails_once_and_stays_failed(void)
{
    const uint8_t b[6] = {1, 0, 0, 0, 2, 3};
    struct ds_cursor c = ds_cursor_over(b, sizeof(b));
    CHECK_U64(ds_cursor_u32(&c), 1);
    CHECK_U64(ds_cursor_u32(&c), 0);
    CHECK(!ds_cursor_ok(&c));
    CHECK_U64(c.failed, 4);
    CHECK_U64(ds_cursor_u8(&c), 0);
    CHECK_U64(ds_cursor_left(&c), 0);
}

static void cursor_seek_accepts_the_end_only(void)
{
    const uint8_t b[4] = {0};
    struct ds_cursor c = ds_cursor_over(b, sizeof(b));
    ds_cursor_seek(&c, 4);
    CHECK(ds_cursor_ok(&c));
    ds_cursor_seek(&c, 5);
    CHECK(!ds_cursor_ok(&c));
}

static void ranges_never_overflow(void)
{
    CHECK(ds_range_within(0, 10, 10));
    CHECK(!ds_range_within(1, 10, 10));
    CHECK(!ds_range_within(UINT64_MAX, 2, 10));
    CHECK(!ds_range_within(2, UINT64_MAX, 10));
    uint64_t r;
    CHECK(ds_mul_overflows(UINT64_MAX, 2, &r));
    CHECK(ds_add_overflows(UINT64_MAX, 1, &r));
}

static void allocation_refuses_what_a_lying_count_asks_for(void)
{
    CHECK(ds_alloc_array(UINT64_MAX, 16) == NULL);
    CHECK(ds_alloc_array(DS_LIMIT_ALLOC, 2) == NULL);
    void *p = ds_alloc_array(0, 16);
    CHECK(p != NULL);
    free(p);
}

static void arena_copies_and_caps(void)
{
    struct ds_arena a = {0};
    char *s = ds_arena_strdup(&a, "KPRCB", 5);
    CHECK_STR(s, "KPRCB");
    CHECK(ds_arena_alloc(&a, UINT64_MAX / 2, 16) == NULL);
    CHECK(ds_arena_alloc(&a, 1, (size_t)DS_LIMIT_ALLOC + 1) == NULL);
    ds_arena_deinit(&a);
    CHECK(a.chunks == NULL);
}

static void buffer_stops_at_its_maximum(void)
{
    struct ds_buf b;
    ds_buf_init(&b, 8);
    ds_buf_printf(&b, "%s", "12345678");
    CHECK(ds_buf_ok(&b));
    ds_buf_char(&b, '9');
    CHECK(!ds_buf_ok(&b));
    CHECK_STR(ds_buf_text(&b), "12345678");
    ds_buf_deinit(&b);
}

static void error_text_grows_at_the_front(void)
{
    struct ds_err e;
    CHECK(ds_err_set(&e, DS_CORRUPT, "entry %d", 3) == DS_CORRUPT);
    CHECK(ds_err_prepend(&e, "%s", "a.dmp") == DS_CORRUPT);
    CHECK_STR(e.text, "a.dmp: entry 3");
    CHECK_STR(ds_status_name(DS_PAGED_OUT), "paged_out");
}

static void utf16_is_made_valid(void)
{
    static const uint8_t in[] = {'a', 0, 0xe9, 0, 0x3d, 0xd8, 0x00, 0xde, 0x00, 0xd8, 0, 0};
    struct ds_buf b;
    ds_buf_init(&b, 64);
    ds_text_from_utf16(&b, in, sizeof(in) / 2);
    CHECK_STR(ds_buf_text(&b), "a\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd");
    ds_buf_deinit(&b);
}

static void bytes_stop_at_nul_and_replace_bad_utf8(void)
{
    struct ds_buf b;
    ds_buf_init(&b, 64);
    ds_text_from_bytes(&b, "ok\xff\xc0\xaf\0rest", 10);
    CHECK_STR(ds_buf_text(&b), "ok\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    ds_buf_deinit(&b);
}

static void terminal_text_shows_controls_and_bidi(void)
{
    struct ds_buf b;
    ds_buf_init(&b, 64);
    ds_text_for_terminal(&b, "a\x1b[2J\xe2\x80\xae\xc2\x9b\xc2\xad\xf3\xa0\x81\x81");
    CHECK_STR(ds_buf_text(&b), "a\\u{1b}[2J\\u{202e}\\u{9b}\\u{ad}\\u{e0041}");
    ds_buf_deinit(&b);
}

static void names_compare_without_case(void)
{
    CHECK(ds_text_casecmp("NTOSKRNL.EXE", "ntoskrnl.exe") == 0);
    CHECK(ds_text_casecmp("a", "b") < 0);
    CHECK_STR(ds_text_basename("\\SystemRoot\\system32\\hal.dll"), "hal.dll");
}

TEST_MAIN(TEST(little_endian_reads_unaligned), TEST(cursor_fails_once_and_stays_failed),
          TEST(cursor_seek_accepts_the_end_only), TEST(ranges_never_overflow),
          TEST(allocation_refuses_what_a_lying_count_asks_for), TEST(arena_copies_and_caps),
          TEST(buffer_stops_at_its_maximum), TEST(error_text_grows_at_the_front),
          TEST(utf16_is_made_valid), TEST(bytes_stop_at_nul_and_replace_bad_utf8),
          TEST(terminal_text_shows_controls_and_bidi), TEST(names_compare_without_case))
