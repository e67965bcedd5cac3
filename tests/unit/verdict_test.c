/* Findings against culprits: who gives way to whom. */
#include "kernel_maker.h"

#include "rules/rules.h"

static struct kernel k;
static struct ds_facts *facts;
static struct ds_patterns *patterns;
static struct ds_findings *findings;

static void start(void)
{
    kernel_open(&k);
    kernel_bugcheck(&k, 0xd1, 0x28, 2, 0, DRIVER_BASE + 0x1100);
    if (ds_facts_open(kernel_nt(&k), &facts, NULL) != DS_OK ||
        ds_patterns_open_empty(&patterns, NULL) != DS_OK)
        abort();
}

/* A pattern that matches once, with this verdict and this confidence. */
static void add(const char *id, const char *verdict, const char *confidence)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "{\"id\":\"%s\",\"title\":\"t\",\"severity\":\"high\",\"requires\":[\"bugcheck\"],"
             "\"verdict\":\"%s\",\"query\":\"SELECT name, '%s' AS confidence FROM bugcheck\","
             "\"message\":\"%s at {name}\",\"explain\":\"why\",\"next_steps\":[],"
             "\"references\":[],\"tests\":[]}",
             id, verdict, confidence, id);
    CHECK(ds_patterns_add_text(patterns, id, text, strlen(text), NULL) == DS_OK);
}

static struct ds_verdict weigh(enum ds_culprit_kind kind, const char *module,
                               const char *confidence)
{
    struct ds_verdict v = {
        .culprit = {.kind = kind, .module = module, .reason = "before", .confidence = confidence}};
    if (ds_findings_run(facts, patterns, &findings, NULL) != DS_OK)
        abort();
    ds_verdict_weigh(findings, &v);
    return v;
}

static void stop(void)
{
    struct ds_nt *nt = ds_facts_nt(facts);
    ds_findings_close(findings);
    ds_patterns_close(patterns);
    ds_facts_close(facts);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void medium_takes_the_place_of_a_driver(void)
{
    start();
    add("flip", "hardware", "medium");
    struct ds_verdict v = weigh(DS_CULPRIT_DRIVER, "driver.sys", "high");
    CHECK(v.culprit.kind == DS_CULPRIT_HARDWARE);
    CHECK(v.culprit.module == NULL);
    CHECK_STR(v.culprit.confidence, "medium");
    CHECK_STR(v.culprit.reason, "flip at DRIVER_IRQL_NOT_LESS_OR_EQUAL");
    CHECK_U64(v.runner_up_count, 1);
    CHECK_STR(v.runners_up[0].module, "driver.sys");
    stop();
}

static void low_only_raises_a_doubt(void)
{
    start();
    add("doubt", "hardware", "low");
    struct ds_verdict v = weigh(DS_CULPRIT_DRIVER, "driver.sys", "high");
    CHECK(v.culprit.kind == DS_CULPRIT_DRIVER);
    CHECK_STR(v.culprit.confidence, "medium");
    CHECK_U64(v.runner_up_count, 1);
    CHECK(v.runners_up[0].kind == DS_CULPRIT_HARDWARE);
    stop();
}

static void nobody_is_accused_of_a_crash_that_was_asked_for(void)
{
    start();
    add("flip", "hardware", "medium");
    struct ds_verdict v = weigh(DS_CULPRIT_UNKNOWN, NULL, "high");
    CHECK(v.culprit.kind == DS_CULPRIT_UNKNOWN);
    CHECK_U64(v.runner_up_count, 0);
    stop();
}

static void the_surer_of_two_findings_counts_and_hardware_before_corruption(void)
{
    start();
    add("a-corruption", "memory-corruption", "medium");
    add("b-hardware", "hardware", "medium");
    struct ds_verdict v = weigh(DS_CULPRIT_UNKNOWN, NULL, "low");
    CHECK(v.culprit.kind == DS_CULPRIT_HARDWARE);
    CHECK_U64(v.runner_up_count, 0);
    ds_findings_close(findings);
    add("c-corruption", "memory-corruption", "high");
    v = weigh(DS_CULPRIT_KERNEL, "ntoskrnl.exe", "low");
    CHECK(v.culprit.kind == DS_CULPRIT_MEMORY_CORRUPTION);
    CHECK_STR(v.culprit.confidence, "high");
    stop();
}

static void what_the_bugcheck_says_stands_against_no_more_than_that(void)
{
    start();
    add("flip", "memory-corruption", "medium");
    struct ds_verdict v = weigh(DS_CULPRIT_HARDWARE, NULL, "medium");
    CHECK(v.culprit.kind == DS_CULPRIT_HARDWARE);
    CHECK_STR(v.culprit.reason, "before");
    ds_findings_close(findings);
    v = weigh(DS_CULPRIT_MEMORY_CORRUPTION, NULL, "medium");
    CHECK_STR(v.culprit.reason, "before");
    stop();
}

static void runners_up_never_overflow(void)
{
    start();
    add("flip", "hardware", "medium");
    struct ds_verdict v = {.culprit = {DS_CULPRIT_DRIVER, "five.sys", NULL, "r", "high"},
                           .runner_up_count = DS_CULPRIT_RUNNERS_UP};
    for (size_t i = 0; i < DS_CULPRIT_RUNNERS_UP; i++)
        v.runners_up[i].module = "other.sys";
    if (ds_findings_run(facts, patterns, &findings, NULL) != DS_OK)
        abort();
    ds_verdict_weigh(findings, &v);
    CHECK_U64(v.runner_up_count, DS_CULPRIT_RUNNERS_UP);
    CHECK_STR(v.runners_up[0].module, "five.sys");
    CHECK_STR(v.runners_up[3].module, "other.sys");
    stop();
}

static void a_verdict_needs_a_confidence(void)
{
    static const char text[] =
        "{\"id\":\"x\",\"title\":\"t\",\"severity\":\"high\",\"requires\":[\"bugcheck\"],"
        "\"verdict\":\"hardware\",\"query\":\"SELECT name FROM bugcheck\",\"message\":\"m\","
        "\"explain\":\"why\",\"next_steps\":[],\"references\":[],\"tests\":[]}";
    static const char driver[] =
        "{\"id\":\"x\",\"title\":\"t\",\"severity\":\"high\",\"requires\":[\"bugcheck\"],"
        "\"verdict\":\"driver\",\"query\":\"SELECT 'low' AS confidence\",\"message\":\"m\","
        "\"explain\":\"why\",\"next_steps\":[],\"references\":[],\"tests\":[]}";
    struct ds_err err = {0};
    start();
    CHECK(ds_patterns_add_text(patterns, "x", text, sizeof(text) - 1, &err) == DS_INVALID);
    CHECK(strstr(err.text, "confidence") != NULL);
    CHECK(ds_patterns_add_text(patterns, "x", driver, sizeof(driver) - 1, &err) == DS_INVALID);
    CHECK(strstr(err.text, "must be hardware, memory-corruption, exhaustion or hang") != NULL);
    findings = NULL;
    stop();
}

static void exhaustion_is_to_blame_where_nobody_is(void)
{
    start();
    add("ptes", "exhaustion", "high");
    add("commit", "exhaustion", "medium");
    struct ds_verdict v = weigh(DS_CULPRIT_UNKNOWN, NULL, "high");
    CHECK(v.culprit.kind == DS_CULPRIT_EXHAUSTION);
    CHECK_STR(v.culprit.reason, "ptes at DRIVER_IRQL_NOT_LESS_OR_EQUAL");
    CHECK_STR(v.culprit.confidence, "high");
    ds_findings_close(findings);
    v = weigh(DS_CULPRIT_DRIVER, "driver.sys", "medium");
    CHECK(v.culprit.kind == DS_CULPRIT_DRIVER);
    CHECK_STR(v.culprit.confidence, "medium");
    CHECK_U64(v.runner_up_count, 1);
    CHECK(v.runners_up[0].kind == DS_CULPRIT_EXHAUSTION);
    CHECK_STR(ds_culprit_kind_name(v.runners_up[0].kind), "exhaustion");
    stop();
}

static void exhaustion_does_not_hide_what_is_broken(void)
{
    start();
    add("ptes", "exhaustion", "high");
    add("flip", "hardware", "medium");
    struct ds_verdict v = weigh(DS_CULPRIT_DRIVER, "driver.sys", "high");
    CHECK(v.culprit.kind == DS_CULPRIT_HARDWARE);
    CHECK_U64(v.runner_up_count, 2);
    CHECK(v.runners_up[0].kind == DS_CULPRIT_EXHAUSTION);
    stop();
}

/* A hang is told where somebody asked for the crash, and of no other crash. */
static void a_hang_is_the_answer_where_nobody_is_looked_for(void)
{
    start();
    add("chain", "hang", "medium");
    add("spin", "hang", "high");
    struct ds_verdict v = weigh(DS_CULPRIT_UNKNOWN, NULL, "high");
    CHECK(v.culprit.kind == DS_CULPRIT_HANG);
    CHECK_STR(ds_culprit_kind_name(v.culprit.kind), "hang");
    CHECK_STR(v.culprit.reason, "spin at DRIVER_IRQL_NOT_LESS_OR_EQUAL");
    CHECK_STR(v.culprit.confidence, "high");
    CHECK(v.culprit.module == NULL);
    ds_findings_close(findings);
    v = weigh(DS_CULPRIT_UNKNOWN, NULL, "low");
    CHECK(v.culprit.kind == DS_CULPRIT_UNKNOWN);
    CHECK_U64(v.runner_up_count, 0);
    ds_findings_close(findings);
    v = weigh(DS_CULPRIT_DRIVER, "driver.sys", "medium");
    CHECK(v.culprit.kind == DS_CULPRIT_DRIVER);
    CHECK_U64(v.runner_up_count, 0);
    stop();
}

static void exhaustion_comes_before_the_hang_that_it_makes(void)
{
    start();
    add("chain", "hang", "high");
    add("ptes", "exhaustion", "medium");
    struct ds_verdict v = weigh(DS_CULPRIT_UNKNOWN, NULL, "high");
    CHECK(v.culprit.kind == DS_CULPRIT_EXHAUSTION);
    CHECK_U64(v.runner_up_count, 1);
    CHECK(v.runners_up[0].kind == DS_CULPRIT_HANG);
    stop();
}

TEST_MAIN(TEST(a_hang_is_the_answer_where_nobody_is_looked_for),
          TEST(exhaustion_comes_before_the_hang_that_it_makes),
          TEST(exhaustion_is_to_blame_where_nobody_is),
          TEST(exhaustion_does_not_hide_what_is_broken), TEST(medium_takes_the_place_of_a_driver),
          TEST(low_only_raises_a_doubt), TEST(nobody_is_accused_of_a_crash_that_was_asked_for),
          TEST(the_surer_of_two_findings_counts_and_hardware_before_corruption),
          TEST(what_the_bugcheck_says_stands_against_no_more_than_that),
          TEST(runners_up_never_overflow), TEST(a_verdict_needs_a_confidence))
