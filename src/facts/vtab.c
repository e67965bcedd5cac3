/*
 * The virtual tables: eponymous-only (no xCreate), read-only, with equality pushed down to hash
 * indexes. SQLite checks every pushed-down term again (omit stays 0): a lookup may give more
 * rows than match, never fewer, whatever affinity the other side of the comparison has.
 */
#include <stdlib.h>
#include <string.h>

#include "facts/engine.h"

struct table_vtab {
    sqlite3_vtab base;
    struct ds_facts *facts;
    size_t table;
};

struct table_cursor {
    sqlite3_vtab_cursor base;
    size_t row;
    size_t end;        /* scan: rows; lookup: unused */
    int column;        /* lookup column, or -1 for a scan */
    uint32_t chain;    /* lookup: this row + 1; 0 ends */
    struct ds_key key; /* lookup; text is a copy */
    char *key_text;
    struct ds_store_table called; /* the rows of a call; base is owned */
    uint64_t args[DS_TABLE_ARGUMENTS];
    bool given[DS_TABLE_ARGUMENTS];
};

static struct ds_store_table *store_of(sqlite3_vtab *vtab)
{
    struct table_vtab *t = (struct table_vtab *)vtab;
    return &t->facts->stores[t->table];
}

const char *ds_vtab_decltype(enum ds_column_type type)
{
    switch (type) {
    case DS_COL_INTEGER:
        return "INTEGER";
    case DS_COL_ADDRESS:
        return "ADDRESS INTEGER"; /* the INT in it gives integer affinity */
    case DS_COL_TEXT:
        return "TEXT";
    case DS_COL_REAL:
        return "REAL";
    case DS_COL_BOOL:
        return "BOOLEAN INTEGER";
    }
    return "";
}

static int table_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
                         sqlite3_vtab **ret, char **error)
{
    (void)argc;
    (void)argv;
    struct ds_vtab_context *c = aux;
    const struct ds_table_spec *spec = &c->facts->stores[c->table].table->spec;
    struct ds_buf sql;
    ds_buf_init(&sql, 64 << 10);
    ds_buf_str(&sql, "CREATE TABLE x(");
    for (size_t i = 0; i < spec->column_count; i++)
        ds_buf_printf(&sql, "%s\"%s\" %s%s", i ? "," : "", spec->columns[i].name,
                      ds_vtab_decltype(spec->columns[i].type),
                      i < spec->column_count - spec->argument_count ? "" : " HIDDEN");
    ds_buf_str(&sql, ")");
    c->facts->declaring = true;
    int rc = ds_buf_ok(&sql) ? sqlite3_declare_vtab(db, ds_buf_text(&sql)) : SQLITE_NOMEM;
    c->facts->declaring = false;
    ds_buf_deinit(&sql);
    if (rc != SQLITE_OK) {
        *error = sqlite3_mprintf("%s", sqlite3_errmsg(db));
        return rc;
    }
    struct table_vtab *t = sqlite3_malloc64(sizeof(*t));
    if (t == NULL)
        return SQLITE_NOMEM;
    memset(t, 0, sizeof(*t));
    t->facts = c->facts;
    t->table = c->table;
    *ret = &t->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *vtab)
{
    sqlite3_free(vtab);
    return SQLITE_OK;
}

static bool is_unique(const struct ds_table *t, int column)
{
    return t->unique && strcmp(t->unique, t->spec.columns[column].name) == 0;
}

/* idxNum: bit i = argument i is given. */
static int call_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    const struct ds_table_spec *spec = &store_of(vtab)->table->spec;
    int first = (int)(spec->column_count - spec->argument_count), where[DS_TABLE_ARGUMENTS];
    bool barred[DS_TABLE_ARGUMENTS] = {false};
    int argv = 0;
    memset(where, -1, sizeof(where));
    for (int i = 0; i < info->nConstraint; i++) {
        const struct sqlite3_index_constraint *c = &info->aConstraint[i];
        if (c->iColumn < first || c->op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        if (c->usable)
            where[c->iColumn - first] = i;
        else
            barred[c->iColumn - first] = true;
    }
    info->idxNum = 0;
    for (int i = 0; i < (int)spec->argument_count; i++) {
        if (where[i] >= 0) {
            info->idxNum |= 1 << i;
            info->aConstraintUsage[where[i]].argvIndex = ++argv;
        } else if (barred[i]) { /* another order of the join gives the argument */
            return SQLITE_CONSTRAINT;
        } else if (i < (int)spec->argument_needed) {
            sqlite3_free(vtab->zErrMsg);
            vtab->zErrMsg = sqlite3_mprintf("%s() needs its argument '%s'", spec->name,
                                            spec->columns[first + i].name);
            return SQLITE_ERROR;
        }
    }
    info->estimatedCost = 100.0;
    info->estimatedRows = 10;
    return SQLITE_OK;
}

/* idxNum: 0 = scan, else the lookup column + 1. */
static int table_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    const struct ds_store_table *s = store_of(vtab);
    if (s->table->call)
        return call_best_index(vtab, info);
    int best = -1;
    bool best_unique = false;
    for (int i = 0; i < info->nConstraint; i++) {
        const struct sqlite3_index_constraint *c = &info->aConstraint[i];
        if (!c->usable || c->op != SQLITE_INDEX_CONSTRAINT_EQ || c->iColumn < 0)
            continue;
        enum ds_column_type type = s->table->spec.columns[c->iColumn].type;
        if (type == DS_COL_REAL)
            continue;
        if (type == DS_COL_TEXT && strcmp(sqlite3_vtab_collation(info, i), "BINARY") != 0)
            continue;
        bool unique = is_unique(s->table, c->iColumn);
        if (best < 0 || (unique && !best_unique)) {
            best = i;
            best_unique = unique;
        }
    }
    double rows = s->filled ? (double)s->rows.count : 1000.0;
    if (best >= 0) {
        info->idxNum = info->aConstraint[best].iColumn + 1;
        info->aConstraintUsage[best].argvIndex = 1;
        info->estimatedCost = best_unique ? 1.0 : 2.0 + rows / 50.0;
        info->estimatedRows = best_unique ? 1 : 1 + (sqlite3_int64)(rows / 50.0);
        info->idxFlags = best_unique ? SQLITE_INDEX_SCAN_UNIQUE : 0;
    } else {
        info->idxNum = 0;
        info->estimatedCost = 10.0 + rows;
        info->estimatedRows = 1 + (sqlite3_int64)rows;
    }
    return SQLITE_OK;
}

static int table_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **ret)
{
    (void)vtab;
    struct table_cursor *c = sqlite3_malloc64(sizeof(*c));
    if (c == NULL)
        return SQLITE_NOMEM;
    memset(c, 0, sizeof(*c));
    *ret = &c->base;
    return SQLITE_OK;
}

static int table_close(sqlite3_vtab_cursor *cursor)
{
    struct table_cursor *c = (struct table_cursor *)cursor;
    sqlite3_free(c->key_text);
    free((void *)c->called.rows.base);
    sqlite3_free(c);
    return SQLITE_OK;
}

/* The lookup key of a value, or false where only a scan gives SQL's answer. */
static bool key_from_value(struct table_cursor *c, enum ds_column_type type, sqlite3_value *value)
{
    int have = sqlite3_value_type(value);
    if (type == DS_COL_TEXT) {
        const char *text = (const char *)sqlite3_value_text(value);
        if (have != SQLITE_TEXT || text == NULL)
            return false;
        c->key_text = sqlite3_mprintf("%s", text);
        c->key = (struct ds_key){.kind = DS_CELL_TEXT, .text = c->key_text};
        return c->key_text != NULL && strlen(text) == (size_t)sqlite3_value_bytes(value);
    }
    if (have != SQLITE_INTEGER)
        return false;
    c->key = (struct ds_key){.kind = DS_CELL_INT, .integer = sqlite3_value_int64(value)};
    return true;
}

static void skip_to_match(struct table_cursor *c)
{
    struct table_vtab *t = (struct table_vtab *)c->base.pVtab;
    struct ds_store_table *s = &t->facts->stores[t->table];
    while (c->chain != 0 && !ds_store_cell_equals(t->facts, s, c->chain - 1, (size_t)c->column,
                                                  &c->key, &t->facts->scratch))
        c->chain = ds_store_next(s, (size_t)c->column, c->chain);
}

/* Makes the rows of a call; the table's own state tells of the latest. */
static int call_filter(struct table_cursor *c, int given, int argc, sqlite3_value **argv)
{
    struct table_vtab *t = (struct table_vtab *)c->base.pVtab;
    struct ds_store_table *s = &t->facts->stores[t->table];
    bool known = true;
    free((void *)c->called.rows.base);
    c->called = (struct ds_store_table){.table = s->table, .filled = true};
    c->column = -1;
    c->row = c->end = 0;
    memset(c->given, 0, sizeof(c->given));
    for (int i = 0, next = 0; i < (int)s->table->spec.argument_count; i++) {
        if (((given >> i) & 1) == 0 || next >= argc)
            continue;
        sqlite3_value *v = argv[next++];
        c->given[i] = sqlite3_value_numeric_type(v) == SQLITE_INTEGER;
        known = known && c->given[i];
        c->args[i] = (uint64_t)sqlite3_value_int64(v);
    }
    if (!known) /* an unknown argument gives no rows */
        return SQLITE_OK;
    s->table->call(t->facts, c->args, c->given, &c->called.rows);
    c->end = c->called.rows.count;
    s->filled = true;
    s->rows = (struct ds_rows){NULL, 0, 0, c->called.rows.walk};
    s->rows.walk.table_name = s->table->spec.name;
    s->rows.walk.rows = s->rows.count = c->end;
    if (s->rows.walk.detail == NULL)
        s->rows.walk.detail = "";
    return SQLITE_OK;
}

static int table_filter(sqlite3_vtab_cursor *cursor, int number, const char *unused, int argc,
                        sqlite3_value **argv)
{
    (void)unused;
    struct table_cursor *c = (struct table_cursor *)cursor;
    struct table_vtab *t = (struct table_vtab *)cursor->pVtab;
    struct ds_store_table *s = &t->facts->stores[t->table];
    if (s->table->call)
        return call_filter(c, number, argc, argv);
    if (s->table->volatile_rows)
        s->filled = false;
    ds_store_fill(t->facts, s);
    sqlite3_free(c->key_text);
    c->key_text = NULL;
    c->column = -1;
    c->row = 0;
    c->end = s->rows.count;
    if (number == 0 || argc != 1)
        return SQLITE_OK;
    size_t column = (size_t)number - 1;
    if (sqlite3_value_type(argv[0]) == SQLITE_NULL) {
        c->end = 0; /* = NULL is never true */
        return SQLITE_OK;
    }
    if (!key_from_value(c, s->table->spec.columns[column].type, argv[0]))
        return SQLITE_OK;
    if (s->table->on_lookup)
        s->table->on_lookup(t->facts, column, &c->key);
    if (s->table->volatile_rows || s->rows.count <= 16)
        return SQLITE_OK;
    bool ok;
    c->chain = ds_store_lookup(t->facts, s, column, &c->key, &t->facts->scratch, &ok);
    if (ok) {
        c->column = (int)column;
        skip_to_match(c);
    }
    return SQLITE_OK;
}

static int table_next(sqlite3_vtab_cursor *cursor)
{
    struct table_cursor *c = (struct table_cursor *)cursor;
    if (c->column < 0) {
        c->row++;
        return SQLITE_OK;
    }
    c->chain = ds_store_next(store_of(cursor->pVtab), (size_t)c->column, c->chain);
    skip_to_match(c);
    return SQLITE_OK;
}

static int table_eof(sqlite3_vtab_cursor *cursor)
{
    const struct table_cursor *c = (const struct table_cursor *)cursor;
    return c->column < 0 ? c->row >= c->end : c->chain == 0;
}

static size_t cursor_row(const struct table_cursor *c)
{
    return c->column < 0 ? c->row : c->chain - 1;
}

static int table_column(sqlite3_vtab_cursor *cursor, sqlite3_context *out, int column)
{
    struct table_cursor *c = (struct table_cursor *)cursor;
    struct table_vtab *t = (struct table_vtab *)cursor->pVtab;
    struct ds_value v = {.scratch = &t->facts->scratch};
    const struct ds_store_table *s = store_of(cursor->pVtab);
    size_t first = s->table->spec.column_count - s->table->spec.argument_count;
    if ((size_t)column >= first) {
        if (c->given[(size_t)column - first])
            sqlite3_result_int64(out, (int64_t)c->args[(size_t)column - first]);
        return SQLITE_OK;
    }
    ds_store_cell(t->facts, s->table->call ? &c->called : s, cursor_row(c), (size_t)column, &v);
    switch (v.kind) {
    case DS_CELL_NULL:
        sqlite3_result_null(out);
        break;
    case DS_CELL_INT:
        sqlite3_result_int64(out, v.integer);
        break;
    case DS_CELL_REAL:
        sqlite3_result_double(out, v.real);
        break;
    case DS_CELL_TEXT:
        sqlite3_result_text(out, v.text, -1, SQLITE_TRANSIENT);
        break;
    }
    return SQLITE_OK;
}

static int table_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *ret)
{
    *ret = (sqlite3_int64)cursor_row((const struct table_cursor *)cursor) + 1;
    return SQLITE_OK;
}

const sqlite3_module ds_vtab_module = {
    .iVersion = 0,
    .xConnect = table_connect,
    .xBestIndex = table_best_index,
    .xDisconnect = table_disconnect,
    .xOpen = table_open,
    .xClose = table_close,
    .xFilter = table_filter,
    .xNext = table_next,
    .xEof = table_eof,
    .xColumn = table_column,
    .xRowid = table_rowid,
};
