#include "base/clock.h"
#include "base/md5.h"
#include "test.h"

/* RFC 1321, appendix A.5. */
static void md5_test_suite(void)
{
    static const struct {
        const char *in, *out;
    } t[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
    };
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        char hex[2 * DS_MD5_SIZE + 1];
        ds_md5_hex(t[i].in, strlen(t[i].in), hex);
        CHECK_STR(hex, t[i].out);
    }
}

/* Lengths around the padding boundary; each digest must differ from its neighbour's. */
static void md5_padding(void)
{
    char text[130], last[33] = "", hex[33];
    memset(text, 'x', sizeof(text));
    for (size_t n = 54; n < 130; n++) {
        ds_md5_hex(text, n, hex);
        CHECK(strcmp(hex, last) != 0);
        memcpy(last, hex, sizeof(last));
    }
}

static void filetime(void)
{
    char s[DS_CLOCK_TEXT];
    CHECK(ds_clock_iso(0, s));
    CHECK_STR(s, "1601-01-01T00:00:00.0000000Z");
    CHECK(ds_clock_iso(116444736000000000ull, s));
    CHECK_STR(s, "1970-01-01T00:00:00.0000000Z");
    CHECK(ds_clock_iso(0x1d707f23dbb3399ull, s));
    CHECK_STR(s, "2021-02-21T01:38:22.9877657Z");
    CHECK(ds_clock_utc(0x1d707f23dbb3399ull, s));
    CHECK_STR(s, "2021-02-21 01:38:22.987 UTC");
    CHECK(ds_clock_iso(125961696000000000ull, s)); /* a leap day of a 400-year */
    CHECK_STR(s, "2000-02-28T00:00:00.0000000Z");
    CHECK(ds_clock_iso(125961696000000000ull + 864000000000ull, s));
    CHECK_STR(s, "2000-02-29T00:00:00.0000000Z");
    CHECK(ds_clock_iso(2650467743999999999ull, s));
    CHECK_STR(s, "9999-12-31T23:59:59.9999999Z");
    CHECK(!ds_clock_iso(2650467744000000000ull, s));
    CHECK_STR(s, "");
    CHECK(!ds_clock_utc(UINT64_MAX, s));
}

static void span(void)
{
    char s[DS_CLOCK_TEXT];
    ds_clock_span(37470697, s);
    CHECK_STR(s, "0 days 0:00:03.747");
    ds_clock_span(5804855280000ull, s);
    CHECK_STR(s, "6 days 17:14:45.528");
    ds_clock_span(UINT64_MAX, s);
    CHECK_STR(s, "21350398 days 5:36:10.955");
}

TEST_MAIN(TEST(md5_test_suite), TEST(md5_padding), TEST(filetime), TEST(span))
