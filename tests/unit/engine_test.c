/* The SQL engine over tables of the test's own: lookups, the sandbox, caps. */
#include "test.h"

#include "facts/engine.h"

struct row {
    uint64_t va;
    uint32_t id;
    const char *name;
    struct ds_opt maybe;
};

static const struct ds_column_spec columns[] = {
    {"va", DS_COL_ADDRESS, "", "", DS_FIELD(struct row, va)},
    {"id", DS_COL_INTEGER, "", "", DS_FIELD(struct row, id)},
    {"name", DS_COL_TEXT, "", "", DS_FIELD(struct row, name)},
    {"maybe", DS_COL_INTEGER, "", "", DS_FIELD(struct row, maybe)},
};

#define ROWS 3000
static unsigned fills;

static void things_fill(struct ds_facts *f, struct ds_rows *ret)
{
    static const char *const names[] = {"alpha", "beta", NULL};
    struct row *r = ds_facts_rows_alloc(f, ROWS, sizeof(*r));
    fills++;
    for (uint32_t i = 0; r && i < ROWS; i++) {
        r[i].va = 0xfffff80000000000u + i * 16u;
        r[i].id = i;
        r[i].name = names[i % 3];
        r[i].maybe = i % 2 ? ds_opt_known(i / 2) : ds_opt_unknown(DS_NOT_IN_DUMP);
    }
    *ret = ds_rows_cut(r, sizeof(*r), r ? ROWS : 0, DS_LOOP, "made up");
}

static DS_TABLE(things, "things", "", columns, things_fill, "va");

static struct ds_facts *open_engine(void)
{
    static const struct ds_table *const tables[] = {&ds_table_things};
    static const struct ds_engine_spec spec = {.tables = tables, .table_count = 1};
    struct ds_facts *f = NULL;
    fills = 0;
    CHECK(ds_engine_open(NULL, &spec, &f, NULL) == DS_OK);
    return f;
}

struct answer {
    uint64_t rows;
    struct ds_cell first;
    char text[64];
};

static bool keep_row(size_t n, const char *const *names, const struct ds_cell *cells, void *arg)
{
    struct answer *a = arg;
    (void)names;
    if (a->rows++ == 0 && n > 0) {
        a->first = cells[0];
        if (cells[0].kind == DS_CELL_TEXT)
            snprintf(a->text, sizeof(a->text), "%s", cells[0].text);
    }
    return true;
}

static enum ds_status ask(struct ds_facts *f, const char *sql, struct answer *a, struct ds_err *err)
{
    *a = (struct answer){0};
    return ds_facts_query(f, sql, NULL, keep_row, a, err);
}

static int64_t ask_int(struct ds_facts *f, const char *sql)
{
    struct answer a;
    struct ds_err err;
    if (ask(f, sql, &a, &err) != DS_OK) {
        printf("    %s: %s\n", sql, err.text);
        test_failures++;
        return INT64_MIN;
    }
    return a.first.kind == DS_CELL_INT ? a.first.integer : INT64_MIN;
}

static void lookups_agree_with_scans(void)
{
    struct ds_facts *f = open_engine();
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things"), ROWS);
    CHECK_U64(ask_int(f, "SELECT id FROM things WHERE va = 0xfffff80000000020"), 2);
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things WHERE name = 'beta'"), ROWS / 3);
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things WHERE name = 'BETA' COLLATE NOCASE"),
              ROWS / 3);
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things WHERE name = NULL"), 0);
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things WHERE name IS NULL"), ROWS / 3);
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things WHERE maybe IS NULL"), ROWS / 2);
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things WHERE id = '7'"), 1);
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things WHERE id = 7.0"), 1);
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things WHERE id = 7.5"), 0);
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things WHERE id IN (1, 5, 99999)"), 2);
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things a JOIN things b ON b.va = a.va"), ROWS);
    CHECK_U64(fills, 1);
    ds_facts_close(f);
}

static void join_by_key_is_not_quadratic(void)
{
    struct ds_facts *f = open_engine();
    struct ds_query_limits limits = {.max_ms = 2000};
    struct answer a = {0};
    struct ds_err err;
    CHECK(ds_facts_query(f,
                         "SELECT count(*) FROM things a JOIN things b ON b.id = a.maybe "
                         "JOIN things c ON c.va = b.va JOIN things d ON d.id = c.id",
                         &limits, keep_row, &a, &err) == DS_OK);
    CHECK_U64(a.first.integer, ROWS / 2);
    ds_facts_close(f);
}

static void address_columns_are_known_by_declaration(void)
{
    struct ds_facts *f = open_engine();
    struct answer a;
    CHECK(ask(f, "SELECT va FROM things", &a, NULL) == DS_OK);
    CHECK(a.first.is_address);
    CHECK(ask(f, "WITH t AS (SELECT va AS x FROM things) SELECT x FROM t", &a, NULL) == DS_OK);
    CHECK(a.first.is_address);
    CHECK(ask(f, "SELECT id FROM things", &a, NULL) == DS_OK);
    CHECK(!a.first.is_address);
    CHECK(ask(f, "SELECT va + 0 FROM things", &a, NULL) == DS_OK);
    CHECK(!a.first.is_address);
    ds_facts_close(f);
}

static void text_is_always_utf8(void)
{
    struct ds_facts *f = open_engine();
    struct answer a;
    CHECK(ask(f, "SELECT CAST(x'41ff42' AS TEXT)", &a, NULL) == DS_OK);
    CHECK_STR(a.text, "A\xEF\xBF\xBD"
                      "B");
    CHECK(ask(f, "SELECT x'fe'", &a, NULL) == DS_OK);
    CHECK_STR(a.text, "\xEF\xBF\xBD");
    CHECK(ask(f, "SELECT 'gr\xC3\xBC\xC3\x9F'", &a, NULL) == DS_OK);
    CHECK_STR(a.text, "gr\xC3\xBC\xC3\x9F");
    ds_facts_close(f);
}

static void walk_says_how_the_table_came_to_be(void)
{
    struct ds_facts *f = open_engine();
    const struct ds_walk *w = ds_facts_walk(f, "things");
    CHECK(w != NULL && !w->complete && w->stop_reason == DS_LOOP);
    CHECK_U64(w->rows, ROWS);
    CHECK_STR(w->table_name, "things");
    CHECK(ds_facts_walk(f, "nothing") == NULL);
    ds_facts_close(f);
}

static void good_queries_pass(void)
{
    static const char *const good[] = {
        "SELECT 1",
        "select 1;",
        "SELECT 1; -- done",
        "SELECT 1 /* done */ ;; ",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<9) SELECT i FROM n",
        "WITH c AS (SELECT 1 AS x) SELECT count(*) FROM c",
        "SELECT row_number() OVER (ORDER BY va) FROM things LIMIT 3",
        "SELECT name, count(*) FROM things GROUP BY name HAVING count(*) > 1 ORDER BY 2",
        "VALUES (1), (2)",
        "SELECT format('%08x', id) FROM things LIMIT 1",
    };
    struct ds_facts *f = open_engine();
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct answer a;
        struct ds_err err = {0};
        if (ask(f, good[i], &a, &err) != DS_OK) {
            printf("    %s: %s\n", good[i], err.text);
            test_failures++;
        }
    }
    ds_facts_close(f);
}

static void bad_queries_are_refused(void)
{
    static const char *const bad[] = {
        "",
        ";",
        "SELECT",
        "SELECT 1; SELECT 2",
        "ATTACH ':memory:' AS x",
        "PRAGMA user_version",
        "CREATE TABLE t(x)",
        "CREATE TEMP TABLE t(x)",
        "INSERT INTO things VALUES (1,2,3,4)",
        "DELETE FROM things",
        "UPDATE things SET id = 1",
        "DROP TABLE things",
        "VACUUM",
        "VACUUM INTO '/tmp/x'",
        "BEGIN",
        "EXPLAIN SELECT 1",
        "EXPLAIN QUERY PLAN SELECT 1",
        "SELECT * FROM sqlite_master",
        "SELECT count(*) FROM sqlite_schema",
        "SELECT * FROM pragma_database_list",
        "SELECT count(*) FROM pragma_compile_options",
        "SELECT * FROM json_each('[1]')",
        "SELECT load_extension('x')",
        "SELECT randomblob(10)",
        "SELECT random()",
        "SELECT zeroblob(1000000)",
        "SELECT readfile('/etc/passwd')",
        "SELECT fts3_tokenizer('x')",
        "SELECT sqlite_version()",
        "SELECT last_insert_rowid()",
        "SELECT changes()",
        "SELECT ?1",
        "SELECT no_such_column FROM things",
        "SELECT * FROM no_such_table",
        "WITH x AS (SELECT 1) DELETE FROM things",
        "REINDEX",
        "ANALYZE",
        "DETACH main",
    };
    struct ds_facts *f = open_engine();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct answer a;
        struct ds_err err = {0};
        enum ds_status st = ask(f, bad[i], &a, &err);
        if (st != DS_INVALID || a.rows != 0 || err.text[0] == '\0') {
            printf("    %s: %s, %llu rows\n", bad[i], ds_status_name(st),
                   (unsigned long long)a.rows);
            test_failures++;
        }
    }
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things"), ROWS);
    ds_facts_close(f);
}

static void caps_end_a_query(void)
{
    struct ds_facts *f = open_engine();
    struct ds_query_limits rows = {.max_rows = 10};
    struct answer a = {0};
    struct ds_err err = {0};
    CHECK(ds_facts_query(f, "SELECT id FROM things", &rows, keep_row, &a, &err) == DS_LIMIT);
    CHECK_U64(a.rows, 10);
    struct ds_query_limits time = {.max_ms = 50};
    CHECK(ds_facts_query(f,
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
                         "SELECT count(*) FROM n",
                         &time, keep_row, &a, &err) == DS_LIMIT);
    CHECK(ds_facts_query(f, "SELECT count(*) FROM things a, things b, things c WHERE a.id<>b.id",
                         &time, keep_row, &a, &err) == DS_LIMIT);
    CHECK(ds_facts_query(f,
                         "SELECT length(group_concat(hex(name))||group_concat(name||name)) "
                         "FROM (SELECT printf('%1000d',a.id) AS name FROM things a)",
                         NULL, keep_row, &a, &err) != DS_OK);
    CHECK(ds_facts_query(f,
                         "SELECT t FROM (SELECT printf('%900000d', a.id) AS t FROM things a "
                         "LIMIT 300) ORDER BY t",
                         NULL, keep_row, &a, &err) == DS_LIMIT);
    CHECK(strstr(err.text, "memory") != NULL);
    a = (struct answer){0};
    if (ds_facts_query(f, "SELECT length(format('%2000000d', 1))", NULL, keep_row, &a, &err) ==
        DS_OK)
        CHECK(a.first.kind == DS_CELL_NULL || a.first.integer < DS_SQL_MAX_LENGTH);
    CHECK_U64(ask_int(f, "SELECT count(*) FROM things"), ROWS);
    ds_facts_close(f);
}

static bool keep_none(size_t n, const char *const *names, const struct ds_cell *cells, void *arg)
{
    (void)n;
    (void)names;
    (void)cells;
    ++*(unsigned *)arg;
    return false;
}

static void a_callback_can_stop(void)
{
    struct ds_facts *f = open_engine();
    unsigned calls = 0;
    CHECK(ds_facts_query(f, "SELECT id FROM things", NULL, keep_none, &calls, NULL) == DS_OK);
    CHECK_U64(calls, 1);
    ds_facts_close(f);
}

TEST_MAIN(TEST(lookups_agree_with_scans), TEST(join_by_key_is_not_quadratic),
          TEST(address_columns_are_known_by_declaration), TEST(text_is_always_utf8),
          TEST(walk_says_how_the_table_came_to_be), TEST(good_queries_pass),
          TEST(bad_queries_are_refused), TEST(caps_end_a_query), TEST(a_callback_can_stop))
