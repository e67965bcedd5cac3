/* The public API: lifetimes, errors, and the real dumps end to end. */
#include <cjson/cJSON.h>

#include "dumpscan/dumpscan.h"
#include "test.h"

#define REAL_X64 "../shared/real/triage_x64_19041.dmp"

static void refuses(void)
{
    struct ds_snapshot *s = (struct ds_snapshot *)&s;
    struct ds_err err;
    CHECK(ds_snapshot_open("build/there/is/no/such.dmp", NULL, &s, &err) == DS_NOT_FOUND);
    CHECK(s == (struct ds_snapshot *)&s); /* untouched */
    CHECK(ds_snapshot_open_memory("", 0, "empty", NULL, &s, &err) == DS_NOT_DUMP);
    CHECK(err.status == DS_NOT_DUMP && err.text[0] != '\0');
    CHECK(ds_snapshot_open_memory("PK\3\4abcdefgh", 12, "zip", NULL, &s, NULL) == DS_NOT_DUMP);
    CHECK_U64(ds_refusal_exit_status(DS_NOT_DUMP), 3);
    CHECK_U64(ds_refusal_exit_status(DS_UNSUPPORTED), 3);
    CHECK_U64(ds_refusal_exit_status(DS_TRUNCATED), 4);
    CHECK_U64(ds_refusal_exit_status(DS_IO), 1);
    char *text;
    CHECK(ds_refusal_string("x.zip", &err, DS_FORMAT_JSON, &text) == DS_OK);
    cJSON *j = cJSON_Parse(text);
    CHECK(cJSON_IsObject(cJSON_GetObjectItem(j, "error")));
    cJSON_Delete(j);
    ds_string_free(text);
    ds_string_free(NULL);
    ds_snapshot_close(NULL);
    ds_options_free(NULL);
}

/* A header by hand: enough for facts, a weak signature and a report without memory. */
static void header_alone(void)
{
    static uint8_t file[0x2000];
    memset(file, 0, sizeof(file));
    for (size_t i = 0; i < sizeof(file); i += 4)
        memcpy(file + i, "PAGE", 4);
    memcpy(file, "PAGEDU64", 8);
    memcpy(file + 0x0c, "\x61\x4a\0\0", 4);           /* 19041 */
    memcpy(file + 0x30, "\x64\x86\0\0\x04\0\0\0", 8); /* x64, 4 processors */
    memcpy(file + 0x38, "\xd1\0\0\0", 4);             /* bugcheck */
    memset(file + 0x40, 0, 32);
    file[0x48] = 2;
    memcpy(file + 0xf98, "\3\0\0\0", 4); /* header only */
    struct ds_snapshot *s;
    struct ds_err err;
    CHECK(ds_snapshot_open_memory(file, sizeof(file), "by hand", NULL, &s, &err) == DS_OK);
    uint64_t v = 0;
    CHECK(ds_snapshot_fact(s, DS_FACT_BUGCHECK_CODE, &v) == DS_OK);
    CHECK_U64(v, 0xd1);
    CHECK(ds_snapshot_fact(s, DS_FACT_BUGCHECK_PARAMETER2, &v) == DS_OK);
    CHECK_U64(v, 2);
    v = 77;
    CHECK(ds_snapshot_fact(s, DS_FACT_ATTRIBUTES, &v) == DS_NOT_FOUND); /* filler */
    CHECK_U64(v, 77);
    CHECK(ds_snapshot_fact(s, DS_FACT_COUNT, &v) == DS_INVALID);
    CHECK_STR(ds_snapshot_kind(s), "header");
    CHECK_STR(ds_snapshot_architecture(s), "x64");
    CHECK(ds_snapshot_read_physical(s, 0, &v, 8, NULL) == DS_NOT_IN_DUMP);
    uint64_t at = 0, address[2];
    size_t count = 5;
    CHECK(ds_snapshot_next_physical(s, 0, &v, &v) == DS_NOT_FOUND);
    CHECK(ds_snapshot_read_pages(s, &at, file, address, 2, &count) == DS_NOT_FOUND);
    CHECK(ds_snapshot_read_pages(s, &at, file, address, 0, &count) == DS_INVALID);
    CHECK(count == 5 && at == 0);
    CHECK(ds_snapshot_read_virtual(s, 0xfffff80000000000, &v, 8, NULL) != DS_OK);
    CHECK_U64(ds_snapshot_finding_count(s), 0);
    char *text;
    CHECK(ds_snapshot_report_string(s, DS_FORMAT_JSONL, 0, &text, NULL, &err) == DS_OK);
    cJSON *j = cJSON_Parse(text);
    const cJSON *signature = cJSON_GetObjectItem(j, "signature");
    CHECK(cJSON_IsTrue(cJSON_GetObjectItem(signature, "weak")));
    CHECK_STR(cJSON_GetStringValue(cJSON_GetObjectItem(signature, "text")),
              "weak 0xd1 null+0 2 0 null+0");
    cJSON_Delete(j);
    ds_string_free(text);
    ds_snapshot_close(s);
}

static bool count_rows(size_t columns, const char *const *names, const struct ds_cell *cells,
                       void *arg)
{
    (void)names;
    (void)cells;
    *(size_t *)arg += columns;
    return true;
}

static void real_minidump(void)
{
    struct ds_snapshot *s;
    struct ds_err err;
    struct ds_options *o;
    if (ds_snapshot_open(REAL_X64, NULL, &s, &err) != DS_OK)
        SKIP("no ../shared/real beside the checkout");
    ds_snapshot_close(s);
    CHECK(ds_options_new(&o) == DS_OK);
    CHECK(ds_options_set_symbol_path(o, "../shared/real/symbols") == DS_OK);
    CHECK(ds_snapshot_open(REAL_X64, o, &s, &err) == DS_OK);
    ds_options_free(o); /* the snapshot keeps its own */
    size_t cells = 0;
    CHECK(ds_snapshot_query(s, "SELECT name, base FROM modules", 0, 0, count_rows, &cells, &err) ==
          DS_OK);
    CHECK_U64(cells, 2 * 151);
    CHECK(ds_snapshot_query(s, "DROP TABLE modules", 0, 0, count_rows, &cells, &err) == DS_INVALID);
    uint8_t code[2] = {0};
    CHECK(ds_snapshot_read_virtual(s, 0xfffff8048b58334c, code, 2, NULL) == DS_OK);
    CHECK(code[0] != 0);
    CHECK(ds_snapshot_analyse(s, &err) == DS_OK);
    CHECK(ds_snapshot_finding_count(s) > 0);
    const struct ds_finding *f = ds_snapshot_finding(s, 0);
    CHECK(ds_finding_outcome(f) == DS_OUTCOME_MATCH);
    CHECK(strstr(ds_finding_message(f, 0), "amdppm") != NULL);
    CHECK(ds_finding_message(f, ds_finding_instances(f)) == NULL);
    CHECK(ds_snapshot_finding(s, ds_snapshot_finding_count(s)) == NULL);
    enum ds_severity high = DS_SEV_HIGH, critical = DS_SEV_CRITICAL;
    CHECK_U64(ds_snapshot_exit_status(s, &high), 10);
    CHECK_U64(ds_snapshot_exit_status(s, &critical), 0);
    CHECK_U64(ds_snapshot_exit_status(s, NULL), 0);
    ds_snapshot_close(s);
}

static bool collect(const char *data, size_t len, void *arg)
{
    (void)data;
    *(size_t *)arg += len;
    return true;
}

static bool refuse(const char *data, size_t len, void *arg)
{
    (void)data;
    (void)len;
    (void)arg;
    return false;
}

/* Two snapshots of one file, used in turns, do not disturb each other. */
static void two_at_once(void)
{
    struct ds_snapshot *a, *b;
    struct ds_err err;
    if (ds_snapshot_open(REAL_X64, NULL, &a, &err) != DS_OK)
        SKIP("no ../shared/real beside the checkout");
    CHECK(ds_snapshot_open(REAL_X64, NULL, &b, &err) == DS_OK);
    size_t la = 0, lb = 0;
    CHECK(ds_snapshot_report(a, DS_FORMAT_TEXT, 0, collect, &la, &err) == DS_OK);
    CHECK(ds_snapshot_report(b, DS_FORMAT_TEXT, DS_REPORT_VERBOSE, collect, &lb, &err) == DS_OK);
    CHECK(la > 1000 && lb > la);
    CHECK(ds_snapshot_report(a, DS_FORMAT_JSON, 0, refuse, NULL, &err) == DS_IO);
    ds_snapshot_close(a);
    char *text;
    CHECK(ds_snapshot_info_string(b, DS_FORMAT_TEXT, 0, &text, NULL, &err) == DS_OK);
    CHECK(strstr(text, "19041") != NULL);
    ds_string_free(text);
    ds_snapshot_close(b);
}

static void knowledge(void)
{
    char *text;
    uint32_t code = 0;
    uint64_t p[4] = {0xffffffffc0000005, 0, 0, 0};
    CHECK(ds_bugcheck_by_name("system_thread_exception_not_handled", &code) == DS_OK);
    CHECK_U64(code, 0x7e);
    CHECK(ds_bugcheck_by_name("NO_SUCH_CODE", &code) == DS_NOT_FOUND);
    CHECK(ds_explain_bugcheck(0x7e, p, 1, &text) == DS_OK);
    CHECK(strstr(text, "STATUS_ACCESS_VIOLATION") != NULL);
    ds_string_free(text);
    CHECK(ds_explain_bugcheck(0x7e, NULL, 0xf, &text) == DS_OK); /* none given */
    CHECK(strstr(text, "STATUS_ACCESS_VIOLATION") == NULL);
    ds_string_free(text);
    CHECK(ds_explain_bugcheck(0x0bad0bad, NULL, 0, &text) == DS_NOT_FOUND);
    ds_string_free(text);
    CHECK(ds_explain_error(0xc000000d, &text) == DS_OK);
    CHECK(strstr(text, "STATUS_INVALID_PARAMETER") != NULL);
    ds_string_free(text);
    CHECK(strchr(ds_library_version(), '.') != NULL);
    CHECK(ds_table_find("modules") != NULL && ds_table_find("nonsense") == NULL);
}

TEST_MAIN(TEST(refuses), TEST(header_alone), TEST(real_minidump), TEST(two_at_once),
          TEST(knowledge))
