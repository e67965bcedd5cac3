#include "facts/store.h"

#include <string.h>

#include "base/clock.h"

void ds_value_null(struct ds_value *v)
{
    v->kind = DS_CELL_NULL;
    v->text = NULL;
}

void ds_value_u64(struct ds_value *v, uint64_t x)
{
    v->kind = DS_CELL_INT;
    v->integer = (int64_t)x;
}

void ds_value_opt(struct ds_value *v, struct ds_opt x)
{
    if (x.known)
        ds_value_u64(v, x.value);
    else
        ds_value_null(v);
}

void ds_value_text(struct ds_value *v, const char *s)
{
    v->kind = s ? DS_CELL_TEXT : DS_CELL_NULL;
    v->text = s;
}

void ds_value_nonempty(struct ds_value *v, const char *s)
{
    ds_value_text(v, s && *s ? s : NULL);
}

void ds_value_time(struct ds_value *v, struct ds_opt filetime)
{
    char text[DS_CLOCK_TEXT];
    if (!filetime.known || filetime.value == 0 || !ds_clock_iso(filetime.value, text))
        return;
    ds_buf_str(v->scratch, text);
    ds_value_scratch(v);
}

void ds_value_scratch(struct ds_value *v)
{
    ds_value_text(v, ds_buf_text(v->scratch));
}

void ds_derive_number(struct ds_facts *f, const void *row, size_t index, struct ds_value *v)
{
    (void)f;
    (void)row;
    ds_value_u64(v, index);
}

void ds_store_fill(struct ds_facts *f, struct ds_store_table *t)
{
    if (t->filled)
        return;
    t->filled = true; /* before filling: a table that asks for itself sees no rows */
    t->table->fill(f, &t->rows);
    if (t->rows.count > UINT32_MAX - 1) {
        t->rows.count = UINT32_MAX - 1;
        t->rows.walk.complete = false;
        t->rows.walk.stop_reason = DS_LIMIT;
    }
    t->rows.walk.table_name = t->table->spec.name;
    t->rows.walk.rows = t->rows.count;
    if (t->rows.walk.detail == NULL)
        t->rows.walk.detail = "";
}

void ds_store_deinit(struct ds_store_table *t)
{
    for (size_t i = 0; t->indexes && i < t->table->spec.column_count; i++) {
        free(t->indexes[i].heads);
        free(t->indexes[i].next);
    }
    free(t->indexes);
    t->indexes = NULL;
}

static void read_stored(const struct ds_column_access *a, const char *row, struct ds_value *v)
{
    const void *p = row + a->offset;
    switch (a->store) {
    case DS_STORE_U8:
        ds_value_u64(v, *(const uint8_t *)p);
        break;
    case DS_STORE_U16:
        ds_value_u64(v, *(const uint16_t *)p);
        break;
    case DS_STORE_U32:
        ds_value_u64(v, *(const uint32_t *)p);
        break;
    case DS_STORE_U64:
        ds_value_u64(v, *(const uint64_t *)p);
        break;
    case DS_STORE_BOOL:
        ds_value_u64(v, *(const bool *)p);
        break;
    case DS_STORE_OPT:
        ds_value_opt(v, *(const struct ds_opt *)p);
        break;
    case DS_STORE_TEXT:
        ds_value_text(v, *(const char *const *)p);
        break;
    case DS_STORE_CHARS:
        ds_value_nonempty(v, p);
        break;
    case DS_STORE_DERIVED:
        break;
    }
}

void ds_store_cell(struct ds_facts *f, const struct ds_store_table *t, size_t row, size_t column,
                   struct ds_value *v)
{
    ds_value_null(v);
    if (row >= t->rows.count || column >= t->table->spec.column_count)
        return;
    const struct ds_column_access *a = t->table->spec.columns[column].access;
    const char *p = t->rows.base;
    if (p != NULL)
        p += row * t->rows.stride;
    if (a->side != NULL)
        p = a->side(f, row);
    if (a->store == DS_STORE_DERIVED) {
        v->scratch->len = 0;
        v->scratch->failed = false;
        a->derive(f, p, row, v);
    } else if (p != NULL) {
        read_stored(a, p, v);
    }
}

/* FNV-1a (Fowler, Noll, Vo) over text, a multiplicative hash (Knuth) over integers. */
static uint32_t hash_key(enum ds_cell_kind kind, int64_t integer, const char *text)
{
    if (kind == DS_CELL_INT)
        return (uint32_t)(((uint64_t)integer * 0x9E3779B97F4A7C15u) >> 32);
    uint32_t h = 2166136261u;
    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 16777619u;
    return h;
}

static bool index_build(struct ds_facts *f, struct ds_store_table *t, size_t column,
                        struct ds_buf *scratch)
{
    struct ds_column_index *ix = &t->indexes[column];
    uint32_t buckets = 16;
    while (buckets < t->rows.count && buckets < 1u << 24)
        buckets *= 2;
    ix->heads = ds_alloc_array(buckets, sizeof(*ix->heads));
    ix->next = ds_alloc_array(t->rows.count, sizeof(*ix->next));
    if (ix->heads == NULL || ix->next == NULL) {
        free(ix->heads);
        free(ix->next);
        *ix = (struct ds_column_index){0};
        return false;
    }
    ix->mask = buckets - 1;
    for (size_t row = t->rows.count; row-- > 0;) { /* backwards: chains ascend by row */
        struct ds_value v = {.scratch = scratch};
        ds_store_cell(f, t, row, column, &v);
        if (v.kind != DS_CELL_INT && v.kind != DS_CELL_TEXT)
            continue;
        uint32_t h = hash_key(v.kind, v.integer, v.text) & ix->mask;
        ix->next[row] = ix->heads[h];
        ix->heads[h] = (uint32_t)row + 1;
    }
    return true;
}

uint32_t ds_store_lookup(struct ds_facts *f, struct ds_store_table *t, size_t column,
                         const struct ds_key *key, struct ds_buf *scratch, bool *ok)
{
    *ok = false;
    if (t->indexes == NULL)
        t->indexes = ds_alloc_array(t->table->spec.column_count, sizeof(*t->indexes));
    if (t->indexes == NULL)
        return 0;
    if (t->indexes[column].heads == NULL && !index_build(f, t, column, scratch))
        return 0;
    *ok = true;
    const struct ds_column_index *ix = &t->indexes[column];
    return ix->heads[hash_key(key->kind, key->integer, key->text) & ix->mask];
}

uint32_t ds_store_next(const struct ds_store_table *t, size_t column, uint32_t row_plus_1)
{
    return t->indexes[column].next[row_plus_1 - 1];
}

bool ds_store_cell_equals(struct ds_facts *f, const struct ds_store_table *t, size_t row,
                          size_t column, const struct ds_key *key, struct ds_buf *scratch)
{
    struct ds_value v = {.scratch = scratch};
    ds_store_cell(f, t, row, column, &v);
    if (v.kind != key->kind)
        return false;
    if (v.kind == DS_CELL_INT)
        return v.integer == key->integer;
    return strcmp(v.text, key->text) == 0;
}
