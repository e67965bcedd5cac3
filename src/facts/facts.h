/*
 * The snapshot as a relational database: documented virtual tables over the rows of src/nt and
 * src/dump, filled once per walk on first use, and a sandbox around every query.
 */
#ifndef DS_FACTS_FACTS_H
#define DS_FACTS_FACTS_H

#include "nt/nt.h"

struct ds_facts;

/* Borrows nt, which must outlive it. Errors: DS_NO_MEMORY. Fills no table. */
enum ds_status ds_facts_open(struct ds_nt *nt, struct ds_facts **ret,
                             struct ds_err *err) DS_MUST_CHECK;
void ds_facts_close(struct ds_facts *f);
struct ds_nt *ds_facts_nt(struct ds_facts *f);

/* One value of a result row. */
enum ds_cell_kind { DS_CELL_NULL, DS_CELL_INT, DS_CELL_REAL, DS_CELL_TEXT };
struct ds_cell {
    enum ds_cell_kind kind;
    bool is_address; /* the result column is a declared address column: show as hex */
    int64_t integer; /* two's complement; addresses are unsigned bit patterns */
    double real;
    const char *text; /* UTF-8, borrowed until the callback returns */
};

/* Gives each row; return false to stop. names[i] are the column names. */
typedef bool ds_row_fn(size_t columns, const char *const *names, const struct ds_cell *cells,
                       void *arg);

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

/* ---- the table specification (src/facts/spec.c is the single source of docs/TABLES.md) ---- */
enum ds_column_type { DS_COL_INTEGER, DS_COL_ADDRESS, DS_COL_TEXT, DS_COL_REAL, DS_COL_BOOL };
struct ds_column_spec {
    const char *name;
    enum ds_column_type type;
    const char *doc;    /* what it is, units, address space */
    const char *windbg; /* the WinDbg command or field that shows the same; "" when none */
};
struct ds_table_spec {
    const char *name;
    const char *doc;
    const char *windbg;
    const struct ds_column_spec *columns;
    size_t column_count;
};
size_t ds_table_count(void);
const struct ds_table_spec *ds_table_at(size_t index);
const struct ds_table_spec *ds_table_find(const char *name);

/* How the table `name` came to be, filling it first. NULL for an unknown table. */
const struct ds_walk *ds_facts_walk(struct ds_facts *f, const char *name);

#endif
