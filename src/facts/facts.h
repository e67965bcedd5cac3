/*
 * The snapshot as a relational database: documented virtual tables over the rows of src/nt and
 * src/dump, filled once per walk on first use, and a sandbox around every query.
 */
#ifndef DS_FACTS_FACTS_H
#define DS_FACTS_FACTS_H

#include "dumpscan/query.h"
#include "nt/nt.h"

struct ds_facts;

/* Borrows nt, which must outlive it. Errors: DS_NO_MEMORY. Fills no table. */
enum ds_status ds_facts_open(struct ds_nt *nt, struct ds_facts **ret,
                             struct ds_err *err) DS_MUST_CHECK;
void ds_facts_close(struct ds_facts *f);
struct ds_nt *ds_facts_nt(struct ds_facts *f);

struct ds_query_limits {
    uint64_t max_rows; /* 0 = DS_LIMIT_SQL_ROWS */
    uint64_t max_ms;   /* 0 = DS_LIMIT_SQL_MS */
};

/*
 * Runs one SELECT inside the sandbox. Errors: DS_INVALID (not one SELECT, syntax, refused by
 * the authorizer; the text says which), DS_LIMIT (rows or time; the rows so far were given).
 */
enum ds_status ds_facts_query(struct ds_facts *f, const char *sql,
                              const struct ds_query_limits *limits, ds_row_fn *each, void *arg,
                              struct ds_err *err) DS_MUST_CHECK;

/* ---- the table specification (src/facts/spec.c is the single source of docs/TABLES.md): its
 * types, ds_table_count, ds_table_at and ds_table_find are declared in dumpscan/query.h ---- */

/* "integer", "address", "text", "real", "boolean". */
const char *ds_column_type_name(enum ds_column_type type);
/* The column of a table; NULL when it has none of that name. */
const struct ds_column_spec *ds_column_find(const struct ds_table_spec *table, const char *name);

/* The SQL functions, for docs/TABLES.md. */
struct ds_function_spec {
    const char *name;
    const char *arguments; /* "va" */
    const char *doc;
};
size_t ds_function_count(void);
const struct ds_function_spec *ds_function_at(size_t index);

/*
 * Whether one SELECT would be accepted by the sandbox, without running it. Names its result
 * columns to `each` (may be NULL) in order. Errors: as ds_facts_query.
 */
enum ds_status ds_facts_prepare(struct ds_facts *f, const char *sql,
                                void (*each)(const char *column, void *arg), void *arg,
                                struct ds_err *err) DS_MUST_CHECK;

/* How the table `name` came to be, filling it first. NULL for an unknown table. */
const struct ds_walk *ds_facts_walk(struct ds_facts *f, const char *name);

#endif
