#include "facts/blob_rows.h"

#include <string.h>

struct ds_blob_bytes ds_facts_blob_at(struct ds_facts *f, size_t index)
{
    struct ds_dump *d = ds_nt_target(ds_facts_nt(f))->dump;
    const struct ds_blob *blob = ds_dump_blob(d, index);
    struct ds_blob_bytes b = {.status = DS_NOT_IN_DUMP};
    if (blob == NULL)
        return b;
    b.status = ds_dump_blob_load_at(d, index, &b.data, &b.size);
    if (b.status == DS_OK && blob->captured < blob->size)
        b.status = DS_TRUNCATED;
    return b;
}

struct ds_blob_bytes ds_facts_blob(struct ds_facts *f, const char *tag)
{
    struct ds_dump *d = ds_nt_target(ds_facts_nt(f))->dump;
    size_t i = 0;
    while (i < ds_dump_blob_count(d) && strcmp(ds_dump_blob(d, i)->tag, tag) != 0)
        i++;
    return ds_facts_blob_at(f, i);
}

struct ds_row_list ds_row_list_of(size_t stride)
{
    return (struct ds_row_list){.stride = stride};
}

void *ds_row_list_add(struct ds_row_list *l)
{
    if (l->count >= DS_BLOB_ROWS_MAX) {
        l->status = DS_LIMIT;
        return NULL;
    }
    if (!ds_array_reserve(&l->rows, &l->cap, l->count + 1, l->stride, DS_BLOB_ROWS_MAX)) {
        l->status = DS_NO_MEMORY;
        return NULL;
    }
    void *row = (char *)l->rows + l->count * l->stride;
    memset(row, 0, l->stride);
    l->count++;
    return row;
}

struct ds_rows ds_row_list_finish(struct ds_facts *f, struct ds_row_list *l, enum ds_status blob,
                                  enum ds_status decoded, const char *detail)
{
    enum ds_status st = l->status != DS_OK ? l->status : blob;
    if (st == DS_OK && decoded != DS_NOT_FOUND)
        st = decoded;
    size_t n = l->count;
    void *rows = ds_facts_rows_alloc(f, n, l->stride);
    if (rows != NULL && n > 0)
        memcpy(rows, l->rows, n * l->stride);
    free(l->rows);
    *l = ds_row_list_of(l->stride);
    if (rows == NULL)
        return ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
    return st == DS_OK ? ds_rows_complete(rows, l->stride, n)
                       : ds_rows_cut(rows, l->stride, n, st, detail);
}
