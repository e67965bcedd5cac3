/*
 * Result rows of SQL queries, and the specification of the tables that they can ask.
 */
#ifndef DUMPSCAN_QUERY_H
#define DUMPSCAN_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dumpscan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The type of one value of a row. DS_CELL_NULL means "unknown", never zero. */
enum ds_cell_kind { DS_CELL_NULL, DS_CELL_INT, DS_CELL_REAL, DS_CELL_TEXT };

/** One value of a result row. */
struct ds_cell {
    enum ds_cell_kind kind; /**< which of the members below holds the value */
    bool is_address;        /**< the column is a declared address column: show as hex */
    int64_t integer;        /**< two's complement; addresses are unsigned bit patterns */
    double real;            /**< of DS_CELL_REAL */
    const char *text;       /**< UTF-8; borrowed until the callback returns */
};

/**
 * Gives one row. names[i] is the name of column i; names and cells are borrowed until the call
 * returns. Return false to stop the query early, which is not an error.
 */
typedef bool ds_row_fn(size_t columns, const char *const *names, const struct ds_cell *cells,
                       void *arg);

/** The declared type of a table's column. */
enum ds_column_type { DS_COL_INTEGER, DS_COL_ADDRESS, DS_COL_TEXT, DS_COL_REAL, DS_COL_BOOL };

struct ds_column_access; /* private to the library */

/** One column of a table. All strings are constant. */
struct ds_column_spec {
    const char *name;         /**< snake_case */
    enum ds_column_type type; /**< what its values are */
    const char *doc;          /**< what it is, units, address space */
    const char *windbg;       /**< the WinDbg command or field that shows the same; "" for none */
    const struct ds_column_access *access; /**< private to the library */
};

/** One table. All strings are constant. */
struct ds_table_spec {
    const char *name;                     /**< plural, snake_case */
    const char *doc;                      /**< what one row is */
    const char *windbg;                   /**< its WinDbg twin; "" for none */
    const struct ds_column_spec *columns; /**< in order */
    size_t column_count;                  /**< how many */
    size_t argument_count;  /**< the last so many are its arguments, as in pte(va, eprocess); 0 but
                                 for tables that are called */
    size_t argument_needed; /**< the first so many of them must be given */
};

/** How many tables there are. */
size_t ds_table_count(void);
/** The table at `index`; NULL when out of range. Constant. */
const struct ds_table_spec *ds_table_at(size_t index);
/** The table of that exact name, or NULL. Constant. */
const struct ds_table_spec *ds_table_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
