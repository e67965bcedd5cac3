/* Pattern files: what is accepted, what is refused and in which words; the three outcomes. */
#include "kernel_maker.h"

#include "base/limits.h"
#include "rules/rules.h"

static struct kernel k;
static struct ds_facts *facts;

static void start(void)
{
    kernel_open(&k);
    kernel_bugcheck(&k, 0xd1, 0x28, 2, 0, DRIVER_BASE + 0x1100);
    if (ds_facts_open(kernel_nt(&k), &facts, NULL) != DS_OK)
        abort();
}

static void stop(void)
{
    struct ds_nt *nt = ds_facts_nt(facts);
    ds_facts_close(facts);
    ds_nt_close(nt);
    kernel_close(&k);
}

#define REST                                                                                       \
    "\"message\":\"found {name}\",\"explain\":\"why\",\"next_steps\":[],\"references\":[],"        \
    "\"tests\":[]}"
#define PATTERN(requires, query)                                                                   \
    "{\"id\":\"test\",\"title\":\"t\",\"severity\":\"high\",\"requires\":[" requires "],"          \
                                                                                     "\"query\":"  \
                                                                                     "\"" query    \
                                                                                     "\"," REST

static const char good[] = PATTERN("\"modules\"", "SELECT name FROM modules");

static enum ds_status add(struct ds_patterns *p, const char *text, struct ds_err *err)
{
    *err = (struct ds_err){0};
    return ds_patterns_add_text(p, "test", text, strlen(text), err);
}

static struct ds_patterns *empty_set(void)
{
    struct ds_patterns *p;
    if (ds_patterns_open_empty(&p, NULL) != DS_OK)
        abort();
    return p;
}

static void a_good_pattern_loads(void)
{
    struct ds_patterns *p = empty_set();
    struct ds_err err;
    CHECK(add(p, good, &err) == DS_OK);
    CHECK_U64(ds_patterns_count(p), 1);
    const struct ds_pattern *t = ds_patterns_find(p, "test");
    CHECK(t != NULL && t == ds_patterns_at(p, 0));
    CHECK_STR(t->title, "t");
    CHECK(t->severity == DS_SEV_HIGH);
    CHECK_U64(t->requires_count, 1);
    CHECK_STR(t->requires_[0], "modules");
    CHECK_STR(t->query, "SELECT name FROM modules");
    CHECK(ds_patterns_find(p, "other") == NULL && ds_patterns_at(p, 1) == NULL);
    ds_patterns_close(p);
}

/* Lists of lines are joined; the same id replaces. */
static void lines_join_and_ids_replace(void)
{
    struct ds_patterns *p = empty_set();
    struct ds_err err;
    CHECK(add(p, good, &err) == DS_OK);
    CHECK(add(p,
              "{\"id\":\"test\",\"title\":\"second\",\"severity\":\"low\","
              "\"requires\":[\"modules\"],\"query\":[\"SELECT name\",\"FROM modules\"]," REST,
              &err) == DS_OK);
    CHECK_U64(ds_patterns_count(p), 1);
    CHECK_STR(ds_patterns_at(p, 0)->title, "second");
    CHECK_STR(ds_patterns_at(p, 0)->query, "SELECT name\nFROM modules");
    ds_patterns_close(p);
}

static void bad_patterns_are_refused_by_line(void)
{
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"", "not JSON"},
        {"[]", "a pattern is a JSON object"},
        {"{", "not JSON"},
        {"{}", "\"id\" is missing"},
        {"{} x", "not JSON"},
        {"\n\n{\"id\":\"test\"\n,\"colour\":1}", "test:4: \"colour\" is not a key"},
        {"{\"id\":\"test\",\n\"id\":\"test\"}", "\"id\" stands twice"},
        {"{\"id\":7}", "\"id\" must be a string"},
        {"{\"id\":\"\"}", "\"id\" must not be empty"},
        {"{\n\"severity\":\"awful\"}", "test:2: \"severity\" must be info"},
        {"{\"requires\":\"modules\"}", "\"requires\" must be a list"},
        {"{\"requires\":[1]}", "\"requires\" must hold strings"},
        {"{\"query\":[1]}", "\"query\" must hold strings"},
        {"{\"title\":[\"a\"]}", "\"title\" must be a string"},
        {"{\"applies\":[]}", "\"applies\" must name a condition"},
        {"{\"applies\":\"memory\"}", "\"applies\" must be a list"},
        {"{\"applies\":[\"kernel\"]}", "\"applies\" may hold memory, kernel-memory"},
        {"{\"applies\":[\"bugcheck-0x\"]}", "\"applies\" may hold"},
        {"{\"applies\":[\"bugcheck-0x123456789\"]}", "\"applies\" may hold"},
        {"{\"applies\":[\"bugcheck-0x1G\"]}", "\"applies\" may hold"},
        {"{\"applies\":[\"build-6000\"]}", "\"applies\" may hold"},
        {"{\"applies\":[\"build-+\"]}", "\"applies\" may hold"},
        {"{\"applies\":[\"build-600000+\"]}", "\"applies\" may hold"},
        {"\xff", "not UTF-8"},
        {PATTERN("", "SELECT 1 AS name"), "\"requires\" must name a table"},
        {PATTERN("\"nothing\"", "SELECT 1 AS name"), "unknown table or column \"nothing\""},
        {PATTERN("\"modules.nothing\"", "SELECT 1 AS name"), "unknown table or column"},
        {PATTERN("\"modules\"", "SELECT 1 AS other"), "wants {name}"},
        {"{\"stack_of\":[\"a\"]}", "\"stack_of\" must be a string"},
        {PATTERN("\"modules\"],\"stack_of\":\"thread\",\"applies\":[\"memory\"",
                 "SELECT name FROM modules"),
         "names thread, which is no column"},
        {PATTERN("\"modules\"", "SELECT name, name FROM modules"), "two columns \\\"name"},
        {PATTERN("\"modules\"", "SELEC name FROM modules"), "syntax error"},
        {PATTERN("\"modules\"", "SELECT name FROM nowhere"), "no such table"},
        {PATTERN("\"modules\"", "ATTACH 'x' AS name"), "only one SELECT"},
        {PATTERN("\"modules\"", "SELECT 1 AS name; SELECT 2"), "only one statement"},
        {PATTERN("\"modules\"", "SELECT randomblob(9) AS name"), "function not allowed"},
    };
    struct ds_patterns *p = empty_set();
    struct ds_err err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char words[128];
        size_t n = 0;
        for (const char *c = bad[i].words; *c; c++)
            if (*c != '\\')
                words[n++] = *c;
        words[n] = '\0';
        if (add(p, bad[i].text, &err) != DS_INVALID || strstr(err.text, words) == NULL) {
            printf("    %.70s...: \"%s\"\n", bad[i].text, err.text);
            test_failures++;
        }
    }
    CHECK_U64(ds_patterns_count(p), 0);
    CHECK(ds_patterns_add_text(p, "other", good, strlen(good), &err) == DS_INVALID);
    CHECK(strstr(err.text, "file's name") != NULL);
    ds_patterns_close(p);
}

static void deep_and_long_files_are_refused(void)
{
    struct ds_patterns *p = empty_set();
    struct ds_err err;
    char deep[512];
    memset(deep, '[', sizeof(deep));
    CHECK(ds_patterns_add_text(p, "test", deep, sizeof(deep), &err) == DS_INVALID);
    CHECK(strstr(err.text, "nested too deeply") != NULL);
    char *big = calloc(1, DS_LIMIT_PATTERN_FILE + 1);
    memset(big, ' ', DS_LIMIT_PATTERN_FILE + 1);
    CHECK(ds_patterns_add_text(p, "test", big, DS_LIMIT_PATTERN_FILE + 1, &err) == DS_INVALID);
    CHECK(strstr(err.text, "longer than") != NULL);
    free(big);
    ds_patterns_close(p);
}

static void note_problem(const char *file, const struct ds_pattern *pattern, const char *problem,
                         void *arg)
{
    if (problem) {
        printf("    %s: %s\n", file, problem);
        ++*(unsigned *)arg;
    }
    CHECK((pattern == NULL) == (problem != NULL));
}

static void built_in_patterns_pass_their_own_check(void)
{
    unsigned problems = 0;
    struct ds_patterns *p;
    CHECK(ds_patterns_open(&p, NULL) == DS_OK);
    CHECK(ds_patterns_count(p) > 0);
    CHECK(ds_patterns_check_path("patterns", note_problem, &problems, NULL) == DS_OK);
    CHECK_U64(problems, 0);
    CHECK(ds_patterns_add_path(p, "patterns", NULL) == DS_OK);
    CHECK(strstr(ds_patterns_at(p, 0)->origin, "patterns") == ds_patterns_at(p, 0)->origin);
    struct ds_err err = {0};
    CHECK(ds_patterns_add_path(p, "patterns/no-such.json", &err) != DS_OK && err.text[0]);
    CHECK(ds_patterns_add_path(p, "tests/unit", &err) == DS_NOT_FOUND);
    ds_patterns_close(p);
}

/* The example of docs/patterns.md is a pattern that loads. */
static void the_documented_example_loads(void)
{
    static char text[32768];
    FILE *f = fopen("docs/patterns.md", "rb");
    CHECK(f != NULL);
    if (f == NULL)
        return;
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    char *from = strstr(text, "```json");
    char *to = from ? strstr(from + 7, "```") : NULL;
    struct ds_patterns *p = empty_set();
    struct ds_err err = {0};
    CHECK(to != NULL);
    if (to != NULL &&
        ds_patterns_add_text(p, "old-filter", from + 7, (size_t)(to - from - 7), &err) != DS_OK) {
        printf("    %s\n", err.text);
        test_failures++;
    }
    ds_patterns_close(p);
}

/* ---- outcomes ---- */

static struct ds_patterns *patterns;
static struct ds_findings *findings;

/* Runs one pattern and gives its finding; run_end() frees it. */
static const struct ds_finding *run(const char *text)
{
    struct ds_err err = {0};
    patterns = empty_set();
    findings = NULL;
    if (add(patterns, text, &err) != DS_OK ||
        ds_findings_run(facts, patterns, &findings, &err) != DS_OK) {
        printf("    %s\n", err.text);
        abort();
    }
    return ds_findings_at(findings, 0);
}

static void run_end(void)
{
    ds_findings_close(findings);
    ds_patterns_close(patterns);
}

static void rows_match_and_fill_the_message(void)
{
    start();
    const struct ds_finding *f =
        run(PATTERN("\"modules\"", "SELECT 'a' AS x, base AS name, size, NULL AS n FROM modules "
                                   "WHERE name = 'driver.sys'"));
    CHECK(f->outcome == DS_OUTCOME_MATCH && !f->partial && f->cannot_tell == NULL);
    CHECK_U64(f->instance_count, 1);
    CHECK_STR(f->instances[0].message, "found 0xfffff80500000000");
    CHECK_U64(f->instances[0].evidence_count, 4);
    CHECK_STR(f->instances[0].evidence[1].name, "name");
    CHECK(f->instances[0].evidence[1].cell.is_address);
    CHECK_U64(f->instances[0].evidence[2].cell.integer, DRIVER_SIZE);
    CHECK(f->instances[0].evidence[3].cell.kind == DS_CELL_NULL);
    run_end();
    f = run(PATTERN("\"modules\"", "SELECT NULL AS name"));
    CHECK_STR(f->instances[0].message, "found unknown");
    run_end();
    stop();
}

static void no_rows_over_complete_tables_is_no_match(void)
{
    start();
    const struct ds_finding *f = run(
        PATTERN("\"modules.name\",\"threads.state\"", "SELECT name FROM modules WHERE size = 7"));
    CHECK(f->outcome == DS_OUTCOME_NO_MATCH);
    CHECK(f->cannot_tell == NULL && f->instance_count == 0);
    run_end();
    stop();
}

static void a_cut_walk_cannot_tell(void)
{
    kernel_open(&k);
    kernel_bugcheck(&k, 0xd1, 0x28, 2, 0, DRIVER_BASE + 0x1100);
    /* the second process points at a page that is not there, and Blink does not lead past it */
    uint32_t links = kernel_offset(&k, "_EPROCESS", "ActiveProcessLinks");
    maker_ptr(&k.m, PROCESS(1) + links, 0xffffc08fff000000u);
    maker_ptr(&k.m, PROCESS(2) + links + 8, 0);
    if (ds_facts_open(kernel_nt(&k), &facts, NULL) != DS_OK)
        abort();
    const struct ds_finding *f =
        run(PATTERN("\"processes\"", "SELECT name FROM processes WHERE name = 'never.exe'"));
    CHECK(f->outcome == DS_OUTCOME_CANNOT_TELL);
    CHECK(f->cannot_tell != NULL && strstr(f->cannot_tell, "processes") != NULL);
    char rows[32];
    snprintf(rows, sizeof(rows), "%llu rows",
             (unsigned long long)ds_facts_walk(facts, "processes")->rows);
    CHECK(strstr(f->cannot_tell, rows) != NULL);
    CHECK(strstr(f->cannot_tell, "0xffffc08fff000000") != NULL);
    run_end();
    f = run(PATTERN("\"processes\"", "SELECT name FROM processes WHERE name = 'smss.exe'"));
    CHECK(f->outcome == DS_OUTCOME_MATCH && f->partial);
    run_end();
    stop();
}

static void an_unknown_column_cannot_tell(void)
{
    start();
    const struct ds_finding *f =
        run(PATTERN("\"dump.attributes\"", "SELECT 1 AS name FROM dump WHERE attributes = 4"));
    CHECK(f->outcome == DS_OUTCOME_CANNOT_TELL);
    CHECK_STR(f->cannot_tell, "dump.attributes is unknown");
    run_end();
    f = run(PATTERN("\"dump\"", "SELECT 1 AS name FROM dump WHERE attributes = 4"));
    CHECK(f->outcome == DS_OUTCOME_NO_MATCH);
    run_end();
    stop();
}

static void a_failing_query_cannot_tell(void)
{
    start();
    const struct ds_finding *f = run(PATTERN("\"dump\"", "SELECT field(1, 'x') AS name FROM dump"));
    CHECK(f->outcome == DS_OUTCOME_CANNOT_TELL);
    CHECK(strstr(f->cannot_tell, "the query failed") != NULL);
    run_end();
    stop();
}

static void instances_are_capped_and_counted(void)
{
    start();
    const struct ds_finding *f = run(
        PATTERN("\"dump\"", "WITH RECURSIVE n(name) AS (SELECT 1 UNION ALL SELECT name + 1 FROM n "
                            "WHERE name < 1000) SELECT name FROM n"));
    CHECK(f->outcome == DS_OUTCOME_MATCH);
    CHECK_U64(f->instance_count, DS_LIMIT_FINDING_ROWS);
    CHECK_U64(f->instances_dropped, 1000 - DS_LIMIT_FINDING_ROWS);
    run_end();
    stop();
}

/* Another build's layout is too weak a ground for a rule above low. */
static void guessed_layouts_carry_weak_rules_only(void)
{
    start();
    struct ds_target *t = ds_nt_target(ds_facts_nt(facts));
    ds_layout_set_trust(t->layout, DS_TRUST_GUESS);
    const struct ds_finding *f = run(PATTERN("\"threads\"", "SELECT 1 AS name FROM threads"));
    CHECK(f->outcome == DS_OUTCOME_CANNOT_TELL && strstr(f->cannot_tell, "layout") != NULL);
    run_end();
    f = run(PATTERN("\"modules\"", "SELECT 1 AS name FROM modules"));
    CHECK(f->outcome == DS_OUTCOME_MATCH);
    run_end();
    stop();
}

/* The made kernel is a complete dump of x64 that crashed with 0xd1. */
static void conditions_decide_whether_it_is_asked(void)
{
    static const struct {
        const char *applies, *why;
    } cases[] = {
        {"[\"kernel-memory\",\"memory\",\"crash\",\"x64\",\"bugcheck-0xD1\"]", NULL},
        {"[\"x86\",\"x64\"]", NULL},
        {"[\"crash\",\"live-dump\"]", NULL},
        {"[\"bugcheck-0x9f\",\"bugcheck-0xd1\"]", NULL},
        {"[\"bugcheck-0x9f\",\"x64\"]", "is about other bugchecks"},
        {"[\"arm64\",\"x86\",\"crash\"]", "is about processors of another architecture"},
        {"[\"build-6000+\",\"x64\"]", NULL},
        {"[\"build-99999+\"]", "is about later versions of Windows"},
        {"[\"live-dump\"]", "is about crashes, or about live dumps, and this is the other"},
    };
    start();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), "{\"applies\":%s,%s", cases[i].applies,
                 PATTERN("\"modules\"", "SELECT name FROM modules") + 1);
        const struct ds_finding *f = run(text);
        if (cases[i].why == NULL) {
            CHECK(f->outcome == DS_OUTCOME_MATCH && f->not_asked == NULL);
        } else {
            CHECK(f->outcome == DS_OUTCOME_DOES_NOT_APPLY && f->instance_count == 0);
            CHECK_STR(f->not_asked, cases[i].why);
        }
        run_end();
    }
    stop();
}

/* A code that is not known fits every pattern: it then says what it misses. */
static void the_unknown_fits_every_condition(void)
{
    kernel_open(&k);
    kernel_bugcheck(&k, 0x45474150, 0, 0, 0, 0);
    if (ds_facts_open(kernel_nt(&k), &facts, NULL) != DS_OK)
        abort();
    const struct ds_finding *f = run("{\"applies\":[\"bugcheck-0x9F\"]," /* the rest of an object */
                                     "\"id\":\"test\",\"title\":\"t\",\"severity\":\"low\","
                                     "\"requires\":[\"bugcheck.code\"],\"query\":\"SELECT code AS "
                                     "name FROM bugcheck WHERE code = 0x9F\"," REST);
    CHECK(f->outcome == DS_OUTCOME_CANNOT_TELL);
    run_end();
    stop();
}

static void findings_are_ranked(void)
{
    start();
    CHECK(ds_patterns_open(&patterns, NULL) == DS_OK);
    CHECK(ds_findings_run(facts, patterns, &findings, NULL) == DS_OK);
    CHECK_U64(ds_findings_count(findings), ds_patterns_count(patterns));
    static const int order[] = {[DS_OUTCOME_MATCH] = 0,
                                [DS_OUTCOME_CANNOT_TELL] = 1,
                                [DS_OUTCOME_NO_MATCH] = 2,
                                [DS_OUTCOME_DOES_NOT_APPLY] = 3};
    for (size_t i = 1; i < ds_findings_count(findings); i++) {
        const struct ds_finding *a = ds_findings_at(findings, i - 1);
        const struct ds_finding *b = ds_findings_at(findings, i);
        CHECK(order[a->outcome] <= order[b->outcome]);
        if (a->outcome == b->outcome)
            CHECK(a->pattern->severity > b->pattern->severity ||
                  (a->pattern->severity == b->pattern->severity &&
                   strcmp(a->pattern->id, b->pattern->id) < 0));
    }
    CHECK_STR(ds_findings_at(findings, 0)->pattern->id, "faulting-driver");
    CHECK(ds_findings_at(findings, ds_findings_count(findings)) == NULL);
    run_end();
    stop();
}

static void names_read_back(void)
{
    for (int i = DS_SEV_INFO; i <= DS_SEV_CRITICAL; i++) {
        enum ds_severity s;
        CHECK(ds_severity_parse(ds_severity_name((enum ds_severity)i), &s) && (int)s == i);
    }
    enum ds_severity untouched = DS_SEV_LOW;
    CHECK(!ds_severity_parse("High", &untouched) && untouched == DS_SEV_LOW);
    CHECK_STR(ds_outcome_name(DS_OUTCOME_CANNOT_TELL), "cannot_tell");
    CHECK_STR(ds_outcome_name(DS_OUTCOME_DOES_NOT_APPLY), "does_not_apply");
    CHECK_STR(ds_culprit_kind_name(DS_CULPRIT_MEMORY_CORRUPTION), "memory-corruption");
}

TEST_MAIN(TEST(a_good_pattern_loads), TEST(lines_join_and_ids_replace),
          TEST(bad_patterns_are_refused_by_line), TEST(deep_and_long_files_are_refused),
          TEST(built_in_patterns_pass_their_own_check), TEST(the_documented_example_loads),
          TEST(rows_match_and_fill_the_message), TEST(no_rows_over_complete_tables_is_no_match),
          TEST(a_cut_walk_cannot_tell), TEST(an_unknown_column_cannot_tell),
          TEST(a_failing_query_cannot_tell), TEST(instances_are_capped_and_counted),
          TEST(guessed_layouts_carry_weak_rules_only), TEST(conditions_decide_whether_it_is_asked),
          TEST(the_unknown_fits_every_condition), TEST(findings_are_ranked), TEST(names_read_back))
