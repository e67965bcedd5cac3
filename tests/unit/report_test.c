/* The writers over a model filled by hand, the JSON writer, the paper, and the signature. */
#include <math.h>

#include <cjson/cJSON.h>

#include "report/json_parts.h"
#include "report/paper.h"
#include "report/signature.h"
#include "test.h"

/* ---- a model: 0x7E in a driver, addresses moved by `slide` ---- */

#define HOSTILE "\x1b[31mred\n\xe2\x80\xae<b>\"\\.sys"

struct fixture {
    struct ds_report r;
    struct ds_dump_header header;
    struct ds_report_module modules[3];
    struct ds_report_frame frames[3];
    struct ds_report_finding findings[2];
    struct ds_report_instance instance;
    struct ds_report_evidence evidence[3];
    struct ds_report_note note;
    struct ds_report_walk walks[2];
};

static void fill_bugcheck(struct ds_report *r, uint64_t slide)
{
    r->bugcheck.code = ds_opt_known(0x1000007e);
    r->bugcheck.base_code = ds_opt_known(0x7e);
    r->bugcheck.name = "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M";
    r->bugcheck.text = "A system thread raised an exception.";
    r->bugcheck.edition = "2026-11";
    r->bugcheck.params[0] = (struct ds_report_param){.value = ds_opt_known(0xffffffffc0000005)};
    r->bugcheck.params[1] = (struct ds_report_param){.value = ds_opt_known(slide + 0x20334c)};
    r->bugcheck.params[2] = (struct ds_report_param){.value = ds_opt_known(slide + 0x900100)};
    r->bugcheck.params[3] = (struct ds_report_param){.value = ds_opt_unknown(DS_TRUNCATED)};
}

static void fill_findings(struct fixture *f)
{
    f->evidence[0] = (struct ds_report_evidence){"driver", {.kind = DS_CELL_TEXT, .text = HOSTILE}};
    f->evidence[1] = (struct ds_report_evidence){
        "address", {.kind = DS_CELL_INT, .is_address = true, .integer = -4096}};
    f->evidence[2] = (struct ds_report_evidence){"missing", {.kind = DS_CELL_NULL}};
    f->instance = (struct ds_report_instance){
        .message = "the driver " HOSTILE " failed", .evidence = f->evidence, .evidence_count = 3};
    f->findings[0] = (struct ds_report_finding){.id = "a-finding",
                                                .title = "A finding",
                                                .origin = "built-in",
                                                .severity = DS_SEV_HIGH,
                                                .outcome = DS_OUTCOME_MATCH,
                                                .instances = &f->instance,
                                                .instance_count = 1};
    f->findings[1] = (struct ds_report_finding){.id = "no-idea",
                                                .title = "Undecided",
                                                .origin = "built-in",
                                                .severity = DS_SEV_CRITICAL,
                                                .outcome = DS_OUTCOME_CANNOT_TELL,
                                                .cannot_tell = "table threads was cut"};
    f->r.findings = f->findings;
    f->r.finding_count = 2;
    f->note = (struct ds_report_note){"damage",  "triage.valid_marker", "TRGD", "0x0",
                                      "the end", ds_opt_known(0x13a288)};
    f->r.notes = &f->note;
    f->r.note_count = 1;
    f->r.damaged = true;
    f->walks[0] = (struct ds_report_walk){"modules", NULL, NULL, true, 3, ds_opt_unknown(DS_OK)};
    f->walks[1] = (struct ds_report_walk){
        "threads", "not_in_dump", NULL, false, 7, ds_opt_known(0xfffff80000001000)};
    f->r.walks = f->walks;
    f->r.walk_count = 2;
}

static void fill(struct fixture *f, uint64_t slide)
{
    *f = (struct fixture){.r = {.file = "memory.dmp", .digits = 16}};
    f->header.is64 = true;
    f->r.dump = (struct ds_report_dump){.kind = "triage",
                                        .kind_text = "Mini Kernel Dump File",
                                        .arch = "x64",
                                        .is64 = true,
                                        .machine = ds_opt_known(0x8664),
                                        .header = &f->header};
    fill_bugcheck(&f->r, slide);
    f->modules[0] = (struct ds_report_module){
        .name = "ntkrnlmp.exe", .source = "list", .base = slide, .size = 0x100000};
    f->modules[1] = (struct ds_report_module){.name = HOSTILE,
                                              .source = "list",
                                              .base = slide + 0x100000,
                                              .size = 0x1000,
                                              .timestamp = ds_opt_known(0x0d8333e6)};
    f->modules[2] = (struct ds_report_module){
        .name = "AmdPPM.sys", .source = "list", .base = slide + 0x200000, .size = 0x40000};
    f->r.modules = f->modules;
    f->r.module_count = 3;
    f->frames[0] = (struct ds_report_frame){.sp = slide + 0x900000,
                                            .pc = slide + 0x20334c,
                                            .trust = "context",
                                            .where = "AmdPPM+0x334c"};
    f->frames[1] = (struct ds_report_frame){
        .sp = slide + 0x900008, .pc = slide + 0x1000, .trust = "scan", .where = "nt+0x1000"};
    f->frames[2] = f->frames[1];
    f->frames[2].after_call = ds_opt_known(1);
    f->frames[1].pc = slide + 0x800; /* a leftover */
    f->r.stack = (struct ds_report_stack){.frames = f->frames, .frame_count = 3};
    f->r.culprit = (struct ds_report_culprit){"driver",  "AmdPPM.sys", "AmdPPM+0x334c",
                                              "because", "high",       "exception"};
    f->r.verdict =
        (struct ds_report_verdict){"It crashed.", "AmdPPM.sys", "Because.", "high", "crash"};
    fill_findings(f);
    ds_signature_strong(&f->r, &f->r.signature);
}

/* ---- JSON writer ---- */

static void json_strings(void)
{
    struct ds_buf b;
    struct ds_json j;
    ds_buf_init(&b, 4096);
    ds_json_init(&j, &b, false);
    ds_json_array(&j);
    ds_json_string(&j, "a\"b\\c\n\t\x01\x7f\xff\xc3\xa9\xe2\x80\xae\xf0\x9f\x98\x80");
    ds_json_string(&j, NULL);
    ds_json_array_end(&j);
    CHECK_STR(ds_buf_text(&b), "[\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\xef\xbf\xbd\xc3\xa9\\u202e"
                               "\xf0\x9f\x98\x80\",null]");
    ds_buf_deinit(&b);
}

static void json_numbers(void)
{
    struct ds_buf b;
    struct ds_json j;
    ds_buf_init(&b, 4096);
    ds_json_init(&j, &b, false);
    ds_json_array(&j);
    ds_json_unsigned(&j, 9007199254740992ull);
    ds_json_unsigned(&j, 9007199254740993ull);
    ds_json_signed(&j, INT64_MIN);
    ds_json_signed(&j, -5);
    ds_json_hex(&j, 0xabc, 8);
    ds_json_real(&j, NAN);
    ds_json_bool(&j, true);
    ds_json_array_end(&j);
    CHECK_STR(ds_buf_text(&b), "[9007199254740992,\"9007199254740993\",\"-9223372036854775808\","
                               "-5,\"0x00000abc\",null,true]");
    ds_buf_deinit(&b);
}

static void json_nesting(void)
{
    struct ds_buf b;
    struct ds_json j;
    ds_buf_init(&b, 4096);
    ds_json_init(&j, &b, true);
    ds_json_object(&j);
    ds_json_key(&j, "empty");
    ds_json_array(&j);
    ds_json_array_end(&j);
    ds_json_key_opt(&j, "unknown", ds_opt_unknown(DS_PAGED_OUT));
    ds_json_object_end(&j);
    CHECK_STR(ds_buf_text(&b), "{\n  \"empty\": [],\n  \"unknown\": null\n}");
    ds_buf_deinit(&b);
    ds_buf_init(&b, 4096);
    ds_json_init(&j, &b, false);
    for (int i = 0; i <= DS_JSON_DEPTH; i++)
        ds_json_array(&j);
    CHECK(!ds_buf_ok(&b)); /* too deep is an error, not an overflow */
    ds_buf_deinit(&b);
}

/* ---- paper ---- */

static void check_lines(const char *text, size_t width)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        size_t columns = ds_paper_columns(text, len);
        CHECK(columns <= width);
        CHECK(len == 0 || text[len - 1] != ' ');
        text += len + (text[len] == '\n');
    }
}

static void paper_wraps(void)
{
    struct ds_buf b;
    struct ds_paper p;
    ds_buf_init(&b, 1u << 20);
    ds_paper_init(&p, &b, false, 40);
    ds_paper_item(&p, 6, DS_STYLE_BOLD, "What", "one two three four five six seven eight nine ten");
    CHECK_STR(ds_buf_text(&b), "What  one two three four five six seven\n"
                               "      eight nine ten\n");
    ds_paper_item(&p, 6, DS_STYLE_BOLD, "A long label", "text");
    char longest[301];
    memset(longest, 'x', 300);
    longest[300] = '\0';
    ds_paper_item(&p, 6, DS_STYLE_PLAIN, "", longest);
    ds_paper_row(&p, DS_STYLE_PLAIN, longest);
    ds_paper_split(&p, DS_STYLE_PLAIN, "left", longest);
    ds_paper_field(&p, "Wide",
                   "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad"
                   "\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2");
    check_lines(ds_buf_text(&b), 40);
    CHECK(strchr(ds_buf_text(&b), '\033') == NULL);
    ds_buf_deinit(&b);
}

static void paper_escapes(void)
{
    struct ds_buf b;
    struct ds_paper p;
    ds_buf_init(&b, 1u << 20);
    ds_paper_init(&p, &b, false, 80);
    ds_paper_field(&p, HOSTILE, HOSTILE);
    ds_paper_row(&p, DS_STYLE_PLAIN, HOSTILE);
    CHECK(strstr(ds_buf_text(&b), "\\u{1b}[31mred\\u{a}\\u{202e}<b>\"\\.sys") != NULL);
    CHECK(strchr(ds_buf_text(&b), '\033') == NULL);
    size_t lines = 0;
    for (const char *c = ds_buf_text(&b); *c != '\0'; c++)
        lines += *c == '\n';
    CHECK_U64(lines, 3); /* label and text do not fit one line; no line was forged */
    ds_buf_deinit(&b);
}

/* ---- writers ---- */

static void text_of_model(void)
{
    static struct fixture f;
    fill(&f, 0xfffff80000000000);
    for (int verbose = 0; verbose < 2; verbose++) {
        struct ds_buf b;
        struct ds_text_options o = {.verbose = verbose};
        ds_buf_init(&b, 1u << 20);
        CHECK(ds_report_write_text(&f.r, &o, &b) == DS_OK);
        const char *t = ds_buf_text(&b);
        check_lines(t, 80);
        CHECK(strchr(t, '\033') == NULL);
        CHECK(strstr(t, "What  It crashed.") != NULL);
        CHECK(strstr(t, "DAMAGED") != NULL);
        CHECK(strstr(t, "Parameter 4   unknown") != NULL); /* not zero */
        CHECK(strstr(t, "Uptime        unknown") != NULL);
        CHECK(strstr(t, "triage.valid_marker") != NULL);
        CHECK(strstr(t, "Incomplete: threads (7 found)") != NULL);
        CHECK(strstr(t, "table threads was cut") != NULL);
        CHECK(strstr(t, "1977") == NULL); /* a build hash is no date */
        CHECK((strstr(t, "0d8333e6") != NULL) == (verbose == 1));
        ds_buf_deinit(&b);
    }
}

static void colour_adds_escapes_only(void)
{
    static struct fixture f;
    fill(&f, 0xfffff80000000000);
    struct ds_buf plain, coloured;
    struct ds_text_options o = {.verbose = 1};
    ds_buf_init(&plain, 1u << 20);
    ds_buf_init(&coloured, 1u << 20);
    CHECK(ds_report_write_text(&f.r, &o, &plain) == DS_OK);
    o.colour = true;
    CHECK(ds_report_write_text(&f.r, &o, &coloured) == DS_OK);
    char *stripped = malloc(coloured.len + 1);
    size_t n = 0;
    for (const char *c = ds_buf_text(&coloured); *c != '\0'; c++) {
        if (*c == '\033')
            c += strcspn(c, "m");
        else
            stripped[n++] = *c;
    }
    stripped[n] = '\0';
    CHECK(coloured.len > plain.len);
    CHECK_STR(stripped, ds_buf_text(&plain));
    free(stripped);
    ds_buf_deinit(&plain);
    ds_buf_deinit(&coloured);
}

static void json_of_model(void)
{
    static struct fixture f;
    fill(&f, 0xfffff80000000000);
    struct ds_buf b;
    ds_buf_init(&b, 1u << 20);
    CHECK(ds_report_write_json(&f.r, false, &b) == DS_OK);
    CHECK(strchr(ds_buf_text(&b), '\n') == NULL);
    cJSON *j = cJSON_Parse(ds_buf_text(&b));
    CHECK(j != NULL);
    const cJSON *finding = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "findings"), 0);
    const cJSON *instance = cJSON_GetArrayItem(cJSON_GetObjectItem(finding, "instances"), 0);
    const cJSON *evidence = cJSON_GetObjectItem(instance, "evidence");
    CHECK_STR(cJSON_GetStringValue(cJSON_GetObjectItem(evidence, "driver")), HOSTILE);
    CHECK_STR(cJSON_GetStringValue(cJSON_GetObjectItem(evidence, "address")), "0xfffffffffffff000");
    CHECK(cJSON_IsNull(cJSON_GetObjectItem(evidence, "missing")));
    const cJSON *dump = cJSON_GetObjectItem(j, "dump");
    CHECK(cJSON_IsNull(cJSON_GetObjectItem(dump, "attribute_names")));
    CHECK(cJSON_IsNull(cJSON_GetObjectItem(dump, "required_dump_space")));
    CHECK_U64((uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(j, "exit_status")), 4);
    cJSON_Delete(j);
    ds_buf_deinit(&b);
}

static void refusal_record(void)
{
    struct ds_err err = {DS_NOT_DUMP, "not a dump: \"zip\""};
    struct ds_buf b;
    ds_buf_init(&b, 4096);
    CHECK(ds_report_write_refusal("a\nb.zip", &err, 3, false, &b) == DS_OK);
    cJSON *j = cJSON_Parse(ds_buf_text(&b));
    CHECK_STR(cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(j, "error"), "status")),
              "not_dump");
    CHECK_STR(cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(j, "dump"), "file")),
              "a\nb.zip");
    cJSON_Delete(j);
    ds_buf_deinit(&b);
}

/* ---- signature ---- */

static void signature_is_documented(void)
{
    static struct fixture f;
    fill(&f, 0xfffff80000000000);
    CHECK(!f.r.signature.weak);
    CHECK_STR(f.r.signature.text, "0x7e c0000005 amdppm.sys+0x334c");
    CHECK_STR(f.r.signature.weak_text, "weak 0x7e c0000005 page+34c - -");
    CHECK_U64(strlen(f.r.signature.hash), 32);
    CHECK(strcmp(f.r.signature.hash, f.r.signature.weak_hash) != 0);
}

/* Another boot, another build of an unrelated module: the same signature, and no address. */
static void signature_survives_relocation(void)
{
    static struct fixture a, b;
    fill(&a, 0xfffff80000000000);
    fill(&b, 0xfffff80612340000);
    b.modules[1].size = 0x5000;
    b.modules[1].timestamp = ds_opt_known(1);
    ds_signature_strong(&b.r, &b.r.signature);
    CHECK_STR(a.r.signature.hash, b.r.signature.hash);
    CHECK_STR(a.r.signature.weak_hash, b.r.signature.weak_hash);
    CHECK(strstr(a.r.signature.text, "fffff8") == NULL);
    CHECK(strstr(a.r.signature.weak_text, "fffff8") == NULL);
    b.modules[2].base -= 0x10; /* another build of the culprit: another offset */
    ds_signature_strong(&b.r, &b.r.signature);
    CHECK(strcmp(a.r.signature.hash, b.r.signature.hash) != 0);
}

static void signature_falls_back(void)
{
    static struct fixture f;
    fill(&f, 0xfffff80000000000);
    f.r.module_count = 0;
    f.r.culprit = (struct ds_report_culprit){.kind = "unknown"};
    ds_signature_strong(&f.r, &f.r.signature);
    CHECK(f.r.signature.weak);
    CHECK_STR(f.r.signature.text, "weak 0x7e c0000005 page+34c - -");
    CHECK_STR(f.r.signature.hash, f.r.signature.weak_hash);
    /* Without a culprit, the module of the crash address is the place. */
    fill(&f, 0xfffff80000000000);
    f.r.culprit = (struct ds_report_culprit){.kind = "unknown"};
    ds_signature_strong(&f.r, &f.r.signature);
    CHECK_STR(f.r.signature.text, "0x7e c0000005 amdppm.sys+0x334c");
    /* A culprit that the crash address is not in: its first frame that is no leftover. */
    f.r.culprit = (struct ds_report_culprit){.kind = "kernel", .module = "ntoskrnl.exe"};
    f.modules[0].name = "ntkrnlmp.exe";
    ds_signature_strong(&f.r, &f.r.signature);
    CHECK_STR(f.r.signature.text, "0x7e c0000005 nt+0x1000");
}

TEST_MAIN(TEST(json_strings), TEST(json_numbers), TEST(json_nesting), TEST(paper_wraps),
          TEST(paper_escapes), TEST(text_of_model), TEST(colour_adds_escapes_only),
          TEST(json_of_model), TEST(refusal_record), TEST(signature_is_documented),
          TEST(signature_survives_relocation), TEST(signature_falls_back))
