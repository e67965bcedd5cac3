/* Filled row stores, their cells, and hash indexes by column, private to the facts. */
#ifndef DS_FACTS_STORE_H
#define DS_FACTS_STORE_H

#include "facts/table.h"

struct ds_column_index {
    uint32_t *heads; /* bucket to row + 1; 0 ends */
    uint32_t *next;  /* row to row + 1 */
    uint32_t mask;
};

struct ds_store_table {
    const struct ds_table *table;
    bool filled;
    struct ds_rows rows;
    struct ds_column_index *indexes; /* one per column; allocated on demand */
};

/* Fills the table on first use. */
void ds_store_fill(struct ds_facts *f, struct ds_store_table *t);
void ds_store_deinit(struct ds_store_table *t);

/* The value of a cell. v->scratch must be set and is reset. */
void ds_store_cell(struct ds_facts *f, const struct ds_store_table *t, size_t row, size_t column,
                   struct ds_value *v);

/* A value to look rows up by. */
struct ds_key {
    enum ds_cell_kind kind; /* DS_CELL_INT or DS_CELL_TEXT */
    int64_t integer;
    const char *text;
};

/*
 * The first row whose cell may equal `key` (hash equal: the caller compares again), as row + 1;
 * 0 when none. Builds the index on first use; *ok is false when there is no memory for it.
 */
uint32_t ds_store_lookup(struct ds_facts *f, struct ds_store_table *t, size_t column,
                         const struct ds_key *key, struct ds_buf *scratch, bool *ok);
uint32_t ds_store_next(const struct ds_store_table *t, size_t column, uint32_t row_plus_1);

/* Whether the cell equals the key, as SQL would say for values of the same class. */
bool ds_store_cell_equals(struct ds_facts *f, const struct ds_store_table *t, size_t row,
                          size_t column, const struct ds_key *key, struct ds_buf *scratch);

#endif
