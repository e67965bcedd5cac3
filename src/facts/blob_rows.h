/* Rows out of secondary data blobs, shared by the tables that show them. */
#ifndef DS_FACTS_BLOB_ROWS_H
#define DS_FACTS_BLOB_ROWS_H

#include "facts/table.h"

#define DS_BLOB_ROWS_MAX 65536u /* rows of one table; hitting it is said by the walk */

/* A blob in memory. */
struct ds_blob_bytes {
    uint8_t *data; /* malloc'ed, the caller frees; NULL when there is none */
    size_t size;
    enum ds_status status; /* why it is not there, or not whole: DS_NOT_IN_DUMP, DS_TRUNCATED, .. */
};

/* The blob at `index` of the dump; the first one with that tag. */
struct ds_blob_bytes ds_facts_blob_at(struct ds_facts *f, size_t index);
struct ds_blob_bytes ds_facts_blob(struct ds_facts *f, const char *tag);

/* Rows that grow, then move into the arena of the facts. */
struct ds_row_list {
    void *rows; /* malloc'ed */
    size_t stride, count, cap;
    enum ds_status status; /* DS_NO_MEMORY or DS_LIMIT once a row had no room */
};

struct ds_row_list ds_row_list_of(size_t stride);
/* A new zeroed row, or NULL (status says why). */
void *ds_row_list_add(struct ds_row_list *l);
/*
 * The rows, with the walk that the blob and its decoding allow; frees the list. `decoded` is why
 * the rows are not all: DS_OK and DS_NOT_FOUND mean that they are.
 */
struct ds_rows ds_row_list_finish(struct ds_facts *f, struct ds_row_list *l, enum ds_status blob,
                                  enum ds_status decoded, const char *detail);

#endif
