/* The pull parser: what it takes, what it refuses, and that pieces of any size give the same. */
#include "base/json.h"

#include "test.h"

struct piecewise {
    const char *data;
    size_t len, at, piece;
};

static enum ds_status read_pieces(void *arg, void *buf, size_t len, size_t *got, struct ds_err *err)
{
    struct piecewise *p = arg;
    size_t n = p->len - p->at;
    (void)err;
    if (n > p->piece)
        n = p->piece;
    if (n > len)
        n = len;
    memcpy(buf, p->data + p->at, n);
    p->at += n;
    *got = n;
    return DS_OK;
}

/* The events as letters, with texts: {"a":[1,true]} is "{k(a)[n(1)t]}." and '!' is an error. */
static void trace(const char *text, size_t len, size_t piece, char *out, size_t size)
{
    static const char letters[] = "!.{}[]ksntf0";
    struct piecewise p = {text, len, 0, piece};
    struct ds_json j;
    size_t at = 0;
    enum ds_json_event e;
    CHECK(ds_json_open(&j, read_pieces, &p) == DS_OK);
    do {
        e = ds_json_next(&j);
        at += (size_t)snprintf(out + at, size - at, "%c", letters[e]);
        if (e == DS_JSON_KEY || e == DS_JSON_STRING || e == DS_JSON_NUMBER)
            at += (size_t)snprintf(out + at, size - at, "(%s)", j.text);
    } while (e != DS_JSON_ERROR && e != DS_JSON_END && at + 128 < size);
    if (e == DS_JSON_ERROR) {
        CHECK(j.err.status != DS_OK && j.err.text[0] != '\0');
        CHECK(ds_json_next(&j) == DS_JSON_ERROR);
    }
    ds_json_close(&j);
}

static void documents(void)
{
    static const struct {
        const char *text, *events;
    } cases[] = {
        {"{\"a\": [1, true, false, null], \"b\":{}}", "{k(a)[n(1)tf0]k(b){}}."},
        {" [ ] ", "[]."},
        {"\"x\"", "s(x)."},
        {"-0.5e+3 ", "n(-0.5e+3)."},
        {"7", "n(7)."},
        {"[\"\\u0041\\n\\\"\\\\\\u00e9\\ud83d\\ude00\\ud800x\"]",
         "[s(A\n\"\\\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbdx)]."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t piece = 1; piece < 64; piece = piece * 2 + 1) {
            char got[512];
            trace(cases[i].text, strlen(cases[i].text), piece, got, sizeof got);
            CHECK_STR(got, cases[i].events);
        }
    }
}

static void refusals(void)
{
    static const char *const bad[] = {
        "",          " ",         "{",        "[1",         "[1,]",    "{\"a\"}",  "{\"a\":}",
        "{a:1}",     "{\"a\" 1}", "[1 2]",    "tru",        "trux",    "01",       "-",
        "1.",        "1e",        "[1}",      "{\"a\":1]",  "\"abc",   "\"a\\x\"", "\"\\u12\"",
        "[1] 2",     "]",         "\"a\nb\"", "{\"a\":1,}", "{,}",     "[,1]",     "\"\\",
        "{\"a\":1,", "nul",       "+1",       "'a'",        "\"\\ud8", "1x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char got[512];
        trace(bad[i], strlen(bad[i]), 3, got, sizeof got);
        if (strchr(got, '!') == NULL)
            printf("    taken: %s -> %s\n", bad[i], got);
        CHECK(strchr(got, '!') != NULL);
    }
}

static void limits(void)
{
    size_t size = 4 * DS_LIMIT_JSON_TOKEN;
    char *text = malloc(size);
    char *got = malloc(2 * size);
    CHECK(text != NULL && got != NULL);
    if (text != NULL && got != NULL) {
        memset(text, '[', size);
        trace(text, size, 1000, got, 2 * size);
        CHECK(strlen(got) == DS_LIMIT_JSON_DEPTH + 1 && strchr(got, '!') != NULL);
        memset(text, 'x', size);
        text[0] = '"';
        trace(text, size, 1000, got, 2 * size);
        CHECK_STR(got, "!");
        memset(text, '1', size);
        trace(text, size, 1000, got, 2 * size);
        CHECK_STR(got, "!");
        memset(text, ' ', size);
        text[size - 1] = '5';
        trace(text, size, 1000, got, 2 * size);
        CHECK_STR(got, "n(5).");
    }
    free(text);
    free(got);
}

/* A string that spans the end of the buffer is moved, not cut. */
static void string_across_the_buffer(void)
{
    size_t pad = 2 * DS_LIMIT_JSON_TOKEN - 10, size = pad + 64;
    char *text = malloc(size);
    char got[256];
    CHECK(text != NULL);
    if (text == NULL)
        return;
    memset(text, ' ', size);
    memcpy(text + pad, "[\"abcdefghijklmnopqrstuvwxyz\"]", 30);
    trace(text, size, size, got, sizeof got);
    CHECK_STR(got, "[s(abcdefghijklmnopqrstuvwxyz)].");
    free(text);
}

static void skipping(void)
{
    static const char text[] =
        "{\"a\":{\"x\":[1,{\"y\":2}]},\"b\":3,\"c\":\"s\",\"d\":18446744073709551615,"
        "\"e\":18446744073709551616}";
    struct piecewise p = {text, sizeof text - 1, 0, 5};
    struct ds_json j;
    uint64_t v = 0;
    CHECK(ds_json_open(&j, read_pieces, &p) == DS_OK);
    CHECK(ds_json_next(&j) == DS_JSON_OBJECT);
    CHECK(ds_json_next(&j) == DS_JSON_KEY && ds_json_is(&j, "a") && ds_json_skip(&j));
    CHECK(ds_json_next(&j) == DS_JSON_KEY && ds_json_is(&j, "b") && ds_json_skip(&j));
    CHECK(ds_json_next(&j) == DS_JSON_KEY && ds_json_is(&j, "c") && ds_json_skip(&j));
    CHECK(ds_json_next(&j) == DS_JSON_KEY && ds_json_is(&j, "d"));
    CHECK(ds_json_next(&j) == DS_JSON_NUMBER && ds_json_u64(&j, &v) && v == UINT64_MAX);
    CHECK(ds_json_next(&j) == DS_JSON_KEY && ds_json_is(&j, "e"));
    CHECK(ds_json_next(&j) == DS_JSON_NUMBER && !ds_json_u64(&j, &v));
    CHECK(ds_json_next(&j) == DS_JSON_OBJECT_END);
    CHECK(ds_json_next(&j) == DS_JSON_END);
    ds_json_close(&j);
}

TEST_MAIN(TEST(documents), TEST(refusals), TEST(limits), TEST(string_across_the_buffer),
          TEST(skipping))
