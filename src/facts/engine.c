#include "facts/engine.h"

#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/os.h"
#include "base/text.h"

#define SCRATCH_MAX (64u << 10) /* bytes of one derived text cell */

enum ds_status ds_engine_open(struct ds_nt *nt, const struct ds_engine_spec *spec,
                              struct ds_facts **ret, struct ds_err *err)
{
    struct ds_facts *f = ds_alloc_array(1, sizeof(*f));
    if (f == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "no memory for the fact tables");
    f->nt = nt;
    f->spec = *spec;
    ds_buf_init(&f->scratch, SCRATCH_MAX);
    f->stores = ds_alloc_array(spec->table_count, sizeof(*f->stores));
    f->contexts = ds_alloc_array(spec->table_count, sizeof(*f->contexts));
    if (f->stores == NULL || f->contexts == NULL) {
        ds_facts_close(f);
        return ds_err_set(err, DS_NO_MEMORY, "no memory for the fact tables");
    }
    for (size_t i = 0; i < spec->table_count; i++) {
        f->stores[i].table = spec->tables[i];
        f->contexts[i] = (struct ds_vtab_context){f, i};
    }
    *ret = f;
    return DS_OK;
}

void ds_facts_close(struct ds_facts *f)
{
    if (f == NULL)
        return;
    sqlite3_close(f->db);
    for (size_t i = 0; f->stores && i < f->spec.table_count; i++)
        ds_store_deinit(&f->stores[i]);
    free(f->stores);
    free(f->contexts);
    ds_buf_deinit(&f->scratch);
    ds_arena_deinit(&f->arena);
    free(f);
}

struct ds_nt *ds_facts_nt(struct ds_facts *f)
{
    return f->nt;
}

struct ds_arena *ds_facts_arena(struct ds_facts *f)
{
    return &f->arena;
}

void *ds_facts_rows_alloc(struct ds_facts *f, size_t count, size_t size)
{
    return ds_arena_alloc(&f->arena, count ? count : 1, size);
}

struct ds_rows ds_rows_complete(const void *base, size_t stride, size_t count)
{
    return (struct ds_rows){base, stride, count, {.complete = true}};
}

struct ds_rows ds_rows_cut(const void *base, size_t stride, size_t count, enum ds_status why,
                           const char *detail)
{
    return (struct ds_rows){
        base, stride, count, {.complete = false, .stop_reason = why, .detail = detail}};
}

void ds_fill_none(struct ds_facts *f, struct ds_rows *ret)
{
    (void)f;
    *ret = ds_rows_complete(NULL, 0, 0);
}

const struct ds_rows *ds_facts_rows_peek(const struct ds_facts *f, size_t index)
{
    return f->stores[index].filled ? &f->stores[index].rows : NULL;
}

const struct ds_walk *ds_facts_walk(struct ds_facts *f, const char *name)
{
    for (size_t i = 0; i < f->spec.table_count; i++) {
        if (strcmp(f->spec.tables[i]->spec.name, name) == 0) {
            if (f->spec.tables[i]->volatile_rows)
                f->stores[i].filled = false;
            ds_store_fill(f, &f->stores[i]);
            return &f->stores[i].rows.walk;
        }
    }
    return NULL;
}

static enum ds_status connection_open(struct ds_facts *f, struct ds_err *err)
{
    if (f->db)
        return DS_OK;
    int rc = sqlite3_open_v2(":memory:", &f->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                 SQLITE_OPEN_MEMORY,
                             NULL);
    for (size_t i = 0; rc == SQLITE_OK && i < f->spec.table_count; i++)
        rc = sqlite3_create_module_v2(f->db, f->spec.tables[i]->spec.name, &ds_vtab_module,
                                      &f->contexts[i], NULL);
    if (rc == SQLITE_OK && f->spec.add_functions)
        rc = f->spec.add_functions(f->db, f);
    if (rc == SQLITE_OK)
        rc = ds_sandbox_apply(f);
    if (rc == SQLITE_OK)
        return DS_OK;
    ds_err_set(err, DS_NO_MEMORY, "the SQL engine did not open: %s", sqlite3_errstr(rc));
    sqlite3_close(f->db);
    f->db = NULL;
    return DS_NO_MEMORY;
}

/* One SELECT, compiled; the caller finalizes it. */
static enum ds_status select_prepare(struct ds_facts *f, const char *sql, sqlite3_stmt **ret,
                                     struct ds_err *err)
{
    const char *tail = "";
    *ret = NULL;
    if (strlen(sql) > DS_SQL_MAX_SQL)
        return ds_err_set(err, DS_INVALID, "the query is longer than %d bytes", DS_SQL_MAX_SQL);
    int rc = sqlite3_prepare_v2(f->db, sql, -1, ret, &tail);
    if (rc == SQLITE_NOMEM)
        return ds_err_set(err, DS_NO_MEMORY, "no memory to compile the query");
    if (rc != SQLITE_OK) {
        const char *why = f->run->refused[0] ? f->run->refused : sqlite3_errmsg(f->db);
        int at = sqlite3_error_offset(f->db);
        if (at >= 0 && !f->run->refused[0])
            return ds_err_set(err, DS_INVALID, "SQL: %s (at character %d)", why, at + 1);
        return ds_err_set(err, DS_INVALID, "SQL: %s", why);
    }
    const char *why = NULL;
    if (*ret == NULL)
        why = "there is no statement";
    else if (!ds_sandbox_is_blank(tail))
        why = "only one statement is allowed";
    else if (sqlite3_stmt_isexplain(*ret))
        why = "EXPLAIN is not allowed";
    else if (!sqlite3_stmt_readonly(*ret) || sqlite3_column_count(*ret) == 0)
        why = "only SELECT is allowed";
    return why ? ds_err_set(err, DS_INVALID, "SQL: %s", why) : DS_OK;
}

/* The result columns of a query and the row at hand. */
struct result {
    size_t columns;
    const char **names;    /* owned array; the names are SQLite's */
    struct ds_cell *cells; /* owned */
    struct ds_buf *clean;  /* owned; per column, for text that is not UTF-8 as it comes */
};

static bool is_utf8(const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t code;
        if ((uint8_t)s[i] < 0x80) {
            i++;
            continue;
        }
        size_t step = ds_text_decode(s + i, len - i, &code);
        if (code == 0xFFFD && step != 3)
            return false;
        i += step;
    }
    return true;
}

/* CAST(x'ff' AS TEXT) is text for SQLite; callers are promised UTF-8. */
static const char *utf8_text(sqlite3_stmt *stmt, int column, struct ds_buf *clean)
{
    const char *s = (const char *)sqlite3_column_text(stmt, column);
    if (s == NULL)
        return "";
    size_t len = strlen(s);
    if (is_utf8(s, len))
        return s;
    ds_buf_deinit(clean);
    ds_buf_init(clean, 3u * DS_SQL_MAX_LENGTH + 1);
    ds_text_from_bytes(clean, s, len);
    return ds_buf_text(clean);
}

static void cells_read(sqlite3_stmt *stmt, struct result *r)
{
    for (size_t i = 0; i < r->columns; i++) {
        struct ds_cell *c = &r->cells[i];
        bool is_address = c->is_address;
        *c = (struct ds_cell){.is_address = is_address};
        switch (sqlite3_column_type(stmt, (int)i)) {
        case SQLITE_INTEGER:
            c->kind = DS_CELL_INT;
            c->integer = sqlite3_column_int64(stmt, (int)i);
            break;
        case SQLITE_FLOAT:
            c->kind = DS_CELL_REAL;
            c->real = sqlite3_column_double(stmt, (int)i);
            break;
        case SQLITE_TEXT:
        case SQLITE_BLOB:
            c->kind = DS_CELL_TEXT;
            c->text = utf8_text(stmt, (int)i, &r->clean[i]);
            break;
        default:
            c->kind = DS_CELL_NULL;
            break;
        }
    }
}

static void result_deinit(struct result *r)
{
    for (size_t i = 0; r->clean && i < r->columns; i++)
        ds_buf_deinit(&r->clean[i]);
    free(r->clean);
    free(r->cells);
    free(r->names);
}

/* Names and declared types of the columns. Deinit in every case. */
static bool result_init(sqlite3_stmt *stmt, struct result *r)
{
    *r = (struct result){.columns = (size_t)sqlite3_column_count(stmt)};
    r->names = ds_alloc_array(r->columns, sizeof(*r->names));
    r->cells = ds_alloc_array(r->columns, sizeof(*r->cells));
    r->clean = ds_alloc_array(r->columns, sizeof(*r->clean));
    if (r->names == NULL || r->cells == NULL || r->clean == NULL)
        return false;
    for (size_t i = 0; i < r->columns; i++) {
        const char *type = sqlite3_column_decltype(stmt, (int)i);
        r->names[i] = sqlite3_column_name(stmt, (int)i);
        r->cells[i].is_address = type && strcmp(type, ds_vtab_decltype(DS_COL_ADDRESS)) == 0;
        if (r->names[i] == NULL)
            return false;
    }
    return true;
}

static enum ds_status step_failed(struct ds_facts *f, int rc, struct ds_err *err)
{
    if (f->run->out_of_time)
        return ds_err_set(err, DS_LIMIT, "the query took longer than its time allows");
    if (f->run->out_of_memory)
        return ds_err_set(err, DS_LIMIT, "the query needs more than %d MB of memory",
                          (int)(DS_SQL_MAX_MEMORY >> 20));
    if (rc == SQLITE_NOMEM)
        return ds_err_set(err, DS_NO_MEMORY, "no memory to run the query");
    if (rc == SQLITE_TOOBIG)
        return ds_err_set(err, DS_LIMIT, "a value of the query is longer than %d bytes",
                          DS_SQL_MAX_LENGTH);
    return ds_err_set(err, DS_INVALID, "SQL: %s", sqlite3_errmsg(f->db));
}

static enum ds_status rows_give(struct ds_facts *f, sqlite3_stmt *stmt, uint64_t max_rows,
                                ds_row_fn *each, void *arg, struct ds_err *err)
{
    struct result r;
    enum ds_status st = DS_OK;
    if (!result_init(stmt, &r))
        st = ds_err_set(err, DS_NO_MEMORY, "no memory for the result columns");
    for (uint64_t row = 0; st == DS_OK; row++) {
        int rc = sqlite3_step(stmt);
        if (rc == SQLITE_DONE)
            break;
        if (rc != SQLITE_ROW) {
            st = step_failed(f, rc, err);
        } else if (row >= max_rows) {
            st = ds_err_set(err, DS_LIMIT, "the query gives more than %llu rows",
                            (unsigned long long)max_rows);
        } else {
            cells_read(stmt, &r);
            if (!each(r.columns, r.names, r.cells, arg))
                break;
        }
    }
    result_deinit(&r);
    return st;
}

static void run_begin(struct ds_facts *f, struct ds_query_run *run, uint64_t max_ms)
{
    *run = (struct ds_query_run){.deadline_ms = ds_os_monotonic_ms() + max_ms,
                                 .memory_start = sqlite3_memory_used()};
    f->run = run;
}

enum ds_status ds_facts_query(struct ds_facts *f, const char *sql,
                              const struct ds_query_limits *limits, ds_row_fn *each, void *arg,
                              struct ds_err *err)
{
    enum ds_status st = connection_open(f, err);
    if (st != DS_OK)
        return st;
    uint64_t max_rows = limits && limits->max_rows ? limits->max_rows : DS_LIMIT_SQL_ROWS;
    uint64_t max_ms = limits && limits->max_ms ? limits->max_ms : DS_LIMIT_SQL_MS;
    struct ds_query_run *outer = f->run;
    struct ds_query_run run;
    run_begin(f, &run, max_ms);
    sqlite3_stmt *stmt;
    st = select_prepare(f, sql, &stmt, err);
    if (st == DS_OK)
        st = rows_give(f, stmt, max_rows, each, arg, err);
    sqlite3_finalize(stmt);
    f->run = outer;
    return st;
}

enum ds_status ds_facts_prepare(struct ds_facts *f, const char *sql,
                                void (*each)(const char *column, void *arg), void *arg,
                                struct ds_err *err)
{
    enum ds_status st = connection_open(f, err);
    if (st != DS_OK)
        return st;
    struct ds_query_run *outer = f->run;
    struct ds_query_run run;
    run_begin(f, &run, DS_LIMIT_SQL_MS);
    sqlite3_stmt *stmt;
    st = select_prepare(f, sql, &stmt, err);
    for (int i = 0; st == DS_OK && each && i < sqlite3_column_count(stmt); i++) {
        const char *name = sqlite3_column_name(stmt, i);
        each(name ? name : "", arg);
    }
    sqlite3_finalize(stmt);
    f->run = outer;
    return st;
}
