/*
 * The SQL engine under the facts: an in-memory SQLite connection with one eponymous-only virtual
 * table per row store, and the sandbox. Private to src/facts and its tests: a test can open one
 * over tables of its own.
 */
#ifndef DS_FACTS_ENGINE_H
#define DS_FACTS_ENGINE_H

#include <sqlite3.h>

#include "facts/store.h"

/* Caps of one query, beside those of base/limits.h. */
#define DS_SQL_MAX_LENGTH (1 << 20) /* bytes of one text value or row */
#define DS_SQL_MAX_SQL (64 << 10)   /* bytes of one statement */
#define DS_SQL_MAX_MEMORY                                                                          \
    (128ll << 20) /* bytes that SQLite may grow by during one query; counted                       \
                     over all connections of the process */

struct ds_engine_spec {
    const struct ds_table *const *tables;
    size_t table_count;
    /* Registers the SQL functions; may be NULL. Returns an SQLite code. */
    int (*add_functions)(sqlite3 *db, struct ds_facts *f);
    const struct ds_function_spec *functions; /* their names, for the allow-list */
    size_t function_count;
};

/* A query that runs; queries may nest through row callbacks. */
struct ds_query_run {
    uint64_t deadline_ms; /* of ds_os_monotonic_ms */
    int64_t memory_start;
    bool out_of_time, out_of_memory;
    char refused[160]; /* why the authorizer said no; "" when it did not */
};

struct ds_facts {
    struct ds_nt *nt; /* borrowed; NULL in tests of the engine alone */
    struct ds_engine_spec spec;
    struct ds_arena arena;
    struct ds_store_table *stores; /* one per table */
    struct ds_vtab_context *contexts;
    sqlite3 *db; /* opened by the first query */
    struct ds_buf scratch;
    struct ds_query_run *run; /* NULL while no query runs */
    bool declaring;           /* a table tells SQLite its columns, by a CREATE TABLE of ours */
};

struct ds_vtab_context {
    struct ds_facts *facts;
    size_t table;
};

enum ds_status ds_engine_open(struct ds_nt *nt, const struct ds_engine_spec *spec,
                              struct ds_facts **ret, struct ds_err *err) DS_MUST_CHECK;

/* sandbox.c: limits, switches, authorizer and progress handler of a new connection. */
int ds_sandbox_apply(struct ds_facts *f);
/* Whether text after a statement holds nothing but space, comments and semicolons. */
bool ds_sandbox_is_blank(const char *sql);

/* vtab.c: the module of every table. */
extern const sqlite3_module ds_vtab_module;
/* The declared type of a column, as sqlite3_column_decltype gives it back. */
const char *ds_vtab_decltype(enum ds_column_type type);

#endif
