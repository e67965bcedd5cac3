/*
 * What keeps a query from a stranger's file harmless: it may read the documented tables and call
 * pure functions, for a bounded time and memory, and nothing else.
 * Source: sqlite.org/security.html, "Untrusted SQL Inputs".
 */
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "facts/engine.h"

/* SQLite's own functions that neither reach outside nor produce large values from small ones
 * beyond SQLITE_LIMIT_LENGTH, nor give another answer each time. */
static const char *const built_in_functions[] = {
    "abs",          "avg",        "char",         "coalesce",    "count",  "cume_dist",
    "date",         "datetime",   "dense_rank",   "first_value", "format", "glob",
    "group_concat", "hex",        "ifnull",       "iif",         "instr",  "julianday",
    "lag",          "last_value", "lead",         "length",      "like",   "likelihood",
    "likely",       "lower",      "ltrim",        "max",         "min",    "nth_value",
    "ntile",        "nullif",     "percent_rank", "printf",      "quote",  "rank",
    "replace",      "round",      "row_number",   "rtrim",       "sign",   "strftime",
    "substr",       "substring",  "sum",          "time",        "total",  "trim",
    "typeof",       "unicode",    "unlikely",     "upper",
};

static bool function_allowed(const struct ds_facts *f, const char *name)
{
    if (name == NULL)
        return false;
    for (size_t i = 0; i < sizeof(built_in_functions) / sizeof(built_in_functions[0]); i++)
        if (sqlite3_stricmp(name, built_in_functions[i]) == 0)
            return true;
    for (size_t i = 0; i < f->spec.function_count; i++)
        if (sqlite3_stricmp(name, f->spec.functions[i].name) == 0)
            return true;
    return false;
}

static bool table_known(const struct ds_facts *f, const char *name)
{
    for (size_t i = 0; i < f->spec.table_count; i++)
        if (sqlite3_stricmp(name, f->spec.tables[i]->spec.name) == 0)
            return true;
    return false;
}

/* Tables that SQLite brings along: its schema, pragmas and JSON as tables. */
static bool table_is_sqlites(const char *name)
{
    static const char *const prefixes[] = {"sqlite_",    "pragma_",     "json_", "dbstat",
                                           "bytecode",   "tables_used", "fts",   "rtree",
                                           "completion", "generate_"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (sqlite3_strnicmp(name, prefixes[i], (int)strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static int refuse(struct ds_facts *f, const char *what, const char *name)
{
    if (f->run && f->run->refused[0] == '\0')
        snprintf(f->run->refused, sizeof(f->run->refused), "%s%s%.80s", what, name ? " " : "",
                 name ? name : "");
    return SQLITE_DENY;
}

static int authorize(void *arg, int action, const char *first, const char *second,
                     const char *database, const char *trigger)
{
    (void)database;
    (void)trigger;
    struct ds_facts *f = arg;
    if (f->declaring)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ:
        /* a table of which no column is read may be a name from a WITH clause */
        if (first &&
            (table_known(f, first) || (second && *second == '\0' && !table_is_sqlites(first))))
            return SQLITE_OK;
        return refuse(f, "no such table here:", first);
    case SQLITE_FUNCTION:
        if (function_allowed(f, second))
            return SQLITE_OK;
        return refuse(f, "function not allowed:", second);
    default:
        return refuse(f, "only one SELECT over the documented tables is allowed", NULL);
    }
}

static int progress(void *arg)
{
    struct ds_query_run *run = ((struct ds_facts *)arg)->run;
    if (run == NULL)
        return 0;
    if (ds_os_monotonic_ms() >= run->deadline_ms)
        run->out_of_time = true;
    if (sqlite3_memory_used() - run->memory_start > DS_SQL_MAX_MEMORY)
        run->out_of_memory = true;
    return run->out_of_time || run->out_of_memory;
}

static void apply_limits(sqlite3 *db)
{
    static const struct {
        int limit, value;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, DS_SQL_MAX_LENGTH},
        {SQLITE_LIMIT_SQL_LENGTH, DS_SQL_MAX_SQL},
        {SQLITE_LIMIT_COLUMN, 200},
        {SQLITE_LIMIT_EXPR_DEPTH, 200},
        {SQLITE_LIMIT_COMPOUND_SELECT, 50},
        {SQLITE_LIMIT_VDBE_OP, 50000},
        {SQLITE_LIMIT_FUNCTION_ARG, 32},
        {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 0},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 0},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        sqlite3_limit(db, limits[i].limit, limits[i].value);
}

int ds_sandbox_apply(struct ds_facts *f)
{
    /* sorting stays in memory (bounded by the progress handler), never in a temporary file */
    int rc = sqlite3_exec(f->db, "PRAGMA temp_store=MEMORY", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(f->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(f->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(f->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(f->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_set_authorizer(f->db, authorize, f);
    if (rc != SQLITE_OK)
        return rc;
    apply_limits(f->db);
    sqlite3_progress_handler(f->db, 1000, progress, f);
    return SQLITE_OK;
}

bool ds_sandbox_is_blank(const char *sql)
{
    while (*sql) {
        if (*sql == ' ' || *sql == '\t' || *sql == '\n' || *sql == '\r' || *sql == '\f' ||
            *sql == ';') {
            sql++;
        } else if (sql[0] == '-' && sql[1] == '-') {
            while (*sql && *sql != '\n')
                sql++;
        } else if (sql[0] == '/' && sql[1] == '*') {
            const char *end = strstr(sql + 2, "*/");
            sql = end ? end + 2 : sql + strlen(sql);
        } else {
            return false;
        }
    }
    return true;
}
