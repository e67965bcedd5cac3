/*
 * Tables over row stores, private to the facts: where the rows of a table come from, and how a
 * column's value is got from a row. The rows stay what they are (structs of src/nt and
 * src/dump); nothing is copied per cell.
 */
#ifndef DS_FACTS_TABLE_H
#define DS_FACTS_TABLE_H

#include "base/buf.h"
#include "base/mem.h"
#include "facts/facts.h"

/* A value of one cell. */
struct ds_value {
    enum ds_cell_kind kind;
    int64_t integer;
    double real;
    const char *text;       /* static, owned by the row, or in scratch->data */
    struct ds_buf *scratch; /* empty; for text that is made on the spot */
};

void ds_value_null(struct ds_value *v);
void ds_value_u64(struct ds_value *v, uint64_t x);
void ds_value_opt(struct ds_value *v, struct ds_opt x);
void ds_value_text(struct ds_value *v, const char *s);          /* NULL gives NULL */
void ds_value_nonempty(struct ds_value *v, const char *s);      /* "" gives NULL as well */
void ds_value_time(struct ds_value *v, struct ds_opt filetime); /* ISO 8601; 0 gives NULL */
void ds_value_scratch(struct ds_value *v); /* the text that was put into v->scratch */

/* A derived cell; *v is NULL when called. index is the row's number from 0. */
typedef void ds_derive_fn(struct ds_facts *f, const void *row, size_t index, struct ds_value *v);

/* Another struct that belongs to the row of that number; NULL when there is none. */
typedef const void *ds_side_fn(struct ds_facts *f, size_t index);

/* The row's number, from 0. */
ds_derive_fn ds_derive_number;

enum ds_store {
    DS_STORE_U8,
    DS_STORE_U16,
    DS_STORE_U32,
    DS_STORE_U64,
    DS_STORE_BOOL,
    DS_STORE_OPT,
    DS_STORE_TEXT,   /* const char *; NULL is NULL */
    DS_STORE_CHARS,  /* char array in the row; "" is NULL */
    DS_STORE_DERIVED /* by function */
};

struct ds_column_access {
    enum ds_store store;
    size_t offset; /* of the member in the row, or in what side() gives */
    ds_derive_fn *derive;
    ds_side_fn *side; /* NULL: the row itself */
};

/* The access to a member of a row struct; its store follows from the member's type. */
#define DS_STORE_OF(type, member)                                                                  \
    _Generic(((type *)0)->member,                                                                  \
        uint8_t: DS_STORE_U8,                                                                      \
        uint16_t: DS_STORE_U16,                                                                    \
        uint32_t: DS_STORE_U32,                                                                    \
        uint64_t: DS_STORE_U64,                                                                    \
        bool: DS_STORE_BOOL,                                                                       \
        struct ds_opt: DS_STORE_OPT,                                                               \
        const char *: DS_STORE_TEXT,                                                               \
        char *: DS_STORE_CHARS)
#define DS_FIELD(type, member)                                                                     \
    &(const struct ds_column_access)                                                               \
    {                                                                                              \
        .store = DS_STORE_OF(type, member), .offset = offsetof(type, member)                       \
    }
/* The access to a member of the struct that `fn` gives for a row. */
#define DS_SIDE(fn, type, member)                                                                  \
    &(const struct ds_column_access)                                                               \
    {                                                                                              \
        .store = DS_STORE_OF(type, member), .offset = offsetof(type, member), .side = fn           \
    }
#define DS_DERIVED(fn)                                                                             \
    &(const struct ds_column_access)                                                               \
    {                                                                                              \
        .store = DS_STORE_DERIVED, .derive = fn                                                    \
    }

/* The rows of one table, filled once. */
struct ds_rows {
    const void *base; /* count rows, stride bytes apart */
    size_t stride;
    size_t count;
    struct ds_walk walk;
};

/* Fills *ret. Called once, on first use. What fails is said by ret->walk. */
typedef void ds_fill_fn(struct ds_facts *f, struct ds_rows *ret);

/*
 * Makes the rows of one call of a table with arguments. given[i] tells whether args[i] is there.
 * rows->base is malloc'ed (or NULL) and belongs to the caller; texts are static, in the row, or
 * made by derived cells.
 */
typedef void ds_call_fn(struct ds_facts *f, const uint64_t *args, const bool *given,
                        struct ds_rows *ret);

#define DS_TABLE_ARGUMENTS 4 /* at most */

/* The fill of a table that is called: no rows of its own. */
ds_fill_fn ds_fill_none;

struct ds_key;
struct ds_table {
    struct ds_table_spec spec;
    ds_fill_fn *fill;
    const char *unique; /* column whose value names a row; NULL when none */
    bool volatile_rows; /* rows change as other tables fill: filled by every query, no index */
    bool needs_layout;  /* its rows are read through structure layouts */
    ds_call_fn *call;   /* of a table with arguments; NULL for all others */
    /* Told of every equality that a query asks for; may be NULL. */
    void (*on_lookup)(struct ds_facts *f, size_t column, const struct ds_key *key);
};

#define DS_TABLE(name_, doc_, windbg_, columns_, fill_, unique_)                                   \
    const struct ds_table ds_table_##name_ = {                                                     \
        .spec = {.name = #name_,                                                                   \
                 .doc = doc_,                                                                      \
                 .windbg = windbg_,                                                                \
                 .columns = columns_,                                                              \
                 .column_count = sizeof(columns_) / sizeof((columns_)[0])},                        \
        .fill = fill_,                                                                             \
        .unique = unique_,                                                                         \
    }
#define DS_TABLE_WITH_LAYOUT(name_, doc_, windbg_, columns_, fill_, unique_)                       \
    const struct ds_table ds_table_##name_ = {                                                     \
        .spec = {.name = #name_,                                                                   \
                 .doc = doc_,                                                                      \
                 .windbg = windbg_,                                                                \
                 .columns = columns_,                                                              \
                 .column_count = sizeof(columns_) / sizeof((columns_)[0])},                        \
        .fill = fill_,                                                                             \
        .unique = unique_,                                                                         \
        .needs_layout = true,                                                                      \
    }

/* The list of spec.c: the order of docs/TABLES.md. */
extern const struct ds_table *const ds_tables[];
extern const size_t ds_tables_count;

/* Whether the rows of the table are read through structure layouts. False for unknown tables. */
bool ds_table_needs_layout(const char *name);

/* Helpers for fill functions. Rows live in the arena of the facts. */
void *ds_facts_rows_alloc(struct ds_facts *f, size_t count, size_t size);
struct ds_arena *ds_facts_arena(struct ds_facts *f);
struct ds_rows ds_rows_complete(const void *base, size_t stride, size_t count);
struct ds_rows ds_rows_cut(const void *base, size_t stride, size_t count, enum ds_status why,
                           const char *detail);

/* State of the table at `index` without filling it: NULL when it was not asked for yet. */
const struct ds_rows *ds_facts_rows_peek(const struct ds_facts *f, size_t index);

#endif
