#include "cli/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/json_parts.h"
#include "report/paper.h"

/* Text columns are as wide as the widest of the first rows; later rows may stick out. */
#define ROWS_HELD 1000
#define BYTES_HELD (16u << 20)
#define LINE_MAX_BYTES (16u << 20)
#define COLUMNS_MAX 2000 /* SQLite's own limit on result columns */

struct cli_rows {
    struct cli_out *out;
    enum cli_format format;
    unsigned digits;
    size_t rows, columns;
    struct ds_buf held; /* text: cells of the rows held back, each NUL-terminated */
    size_t rows_held;
    size_t *widths; /* text, one per column */
    bool flushed;   /* text: the rows held back are out */
    bool failed;
};

struct cli_rows *cli_rows_new(struct cli_out *out, enum cli_format format, unsigned digits)
{
    struct cli_rows *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    r->out = out;
    r->format = format;
    r->digits = digits;
    ds_buf_init(&r->held, BYTES_HELD + LINE_MAX_BYTES);
    return r;
}

static void cell_text(const struct cli_rows *r, const struct ds_cell *c, struct ds_buf *b)
{
    switch (c->kind) {
    case DS_CELL_INT:
        if (c->is_address)
            ds_buf_printf(b, r->format == CLI_CSV ? "0x%0*" PRIx64 : "%0*" PRIx64, (int)r->digits,
                          (uint64_t)c->integer);
        else
            ds_buf_printf(b, "%" PRId64, c->integer);
        break;
    case DS_CELL_REAL:
        ds_buf_printf(b, "%.15g", c->real);
        break;
    case DS_CELL_TEXT:
        ds_text_for_terminal(b, c->text);
        break;
    default:
        ds_buf_str(b, r->format == CLI_CSV ? "" : "NULL");
    }
}

static void write_buf(struct cli_rows *r, struct ds_buf *b)
{
    if (ds_buf_ok(b))
        cli_out_write(r->out, ds_buf_text(b), b->len);
    else
        r->failed = true;
    ds_buf_deinit(b);
}

/* One cell padded to its column; the last is not padded. */
static void pad_cell(const struct cli_rows *r, struct ds_buf *line, size_t column, const char *text)
{
    size_t columns = ds_paper_columns(text, strlen(text));
    ds_buf_str(line, text);
    if (column + 1 == r->columns)
        return;
    for (size_t i = columns; i < r->widths[column] + 2; i++)
        ds_buf_char(line, ' ');
}

static void flush_held(struct cli_rows *r)
{
    const char *cell = ds_buf_text(&r->held);
    struct ds_buf line;
    ds_buf_init(&line, BYTES_HELD + LINE_MAX_BYTES);
    for (size_t row = 0; row < r->rows_held && ds_buf_ok(&r->held); row++) {
        for (size_t i = 0; i < r->columns; i++) {
            pad_cell(r, &line, i, cell);
            cell += strlen(cell) + 1;
        }
        ds_buf_char(&line, '\n');
        if (line.len > 1u << 16) {
            write_buf(r, &line);
            ds_buf_init(&line, BYTES_HELD + LINE_MAX_BYTES);
        }
    }
    write_buf(r, &line);
    r->failed = r->failed || !ds_buf_ok(&r->held);
    ds_buf_deinit(&r->held);
    r->flushed = true;
}

static void hold_cell(struct cli_rows *r, size_t column, const char *text)
{
    size_t columns = ds_paper_columns(text, strlen(text));
    if (columns > r->widths[column])
        r->widths[column] = columns;
    ds_buf_add(&r->held, text, strlen(text) + 1);
}

static void text_names(struct cli_rows *r, const char *const *names)
{
    for (size_t i = 0; i < r->columns; i++) {
        struct ds_buf b;
        ds_buf_init(&b, LINE_MAX_BYTES);
        ds_text_for_terminal(&b, names[i]);
        hold_cell(r, i, ds_buf_text(&b));
        ds_buf_deinit(&b);
    }
    r->rows_held = 1;
}

static void text_row(struct cli_rows *r, const struct ds_cell *cells)
{
    struct ds_buf line;
    ds_buf_init(&line, LINE_MAX_BYTES);
    for (size_t i = 0; i < r->columns; i++) {
        struct ds_buf b;
        ds_buf_init(&b, LINE_MAX_BYTES);
        cell_text(r, &cells[i], &b);
        if (r->flushed)
            pad_cell(r, &line, i, ds_buf_text(&b));
        else
            hold_cell(r, i, ds_buf_text(&b));
        ds_buf_deinit(&b);
    }
    if (r->flushed) {
        ds_buf_char(&line, '\n');
        write_buf(r, &line);
        return;
    }
    ds_buf_deinit(&line);
    if (++r->rows_held > ROWS_HELD || r->held.len > BYTES_HELD)
        flush_held(r);
}

static void csv_field(struct ds_buf *line, const char *text)
{
    if (strpbrk(text, "\",\r\n") == NULL) {
        ds_buf_str(line, text);
        return;
    }
    ds_buf_char(line, '"');
    for (; *text != '\0'; text++)
        ds_buf_str(line, *text == '"' ? "\"\"" : (char[2]){*text, '\0'});
    ds_buf_char(line, '"');
}

/* RFC 4180, but with LF; NULL is an empty field. */
static void csv_row(struct cli_rows *r, const char *const *names, const struct ds_cell *cells)
{
    struct ds_buf line;
    ds_buf_init(&line, LINE_MAX_BYTES);
    for (size_t i = 0; i < r->columns; i++) {
        struct ds_buf b;
        ds_buf_init(&b, LINE_MAX_BYTES);
        if (cells != NULL)
            cell_text(r, &cells[i], &b);
        else
            ds_text_for_terminal(&b, names[i]);
        ds_buf_str(&line, i > 0 ? "," : "");
        csv_field(&line, ds_buf_text(&b));
        ds_buf_deinit(&b);
    }
    ds_buf_char(&line, '\n');
    write_buf(r, &line);
}

/* Result columns may share a name; the keys of an object may not. */
static void json_key(struct ds_json *j, const char *const *names, size_t index)
{
    unsigned same = 1;
    for (size_t i = 0; i < index; i++)
        same += strcmp(names[i], names[index]) == 0;
    if (same == 1) {
        ds_json_key(j, names[index]);
        return;
    }
    struct ds_buf b;
    ds_buf_init(&b, LINE_MAX_BYTES);
    ds_buf_printf(&b, "%s_%u", names[index], same);
    ds_json_key(j, ds_buf_text(&b));
    ds_buf_deinit(&b);
}

static void json_row(struct cli_rows *r, const char *const *names, const struct ds_cell *cells)
{
    struct ds_buf line;
    struct ds_json j;
    ds_buf_init(&line, LINE_MAX_BYTES);
    if (r->format == CLI_JSON)
        ds_buf_str(&line, r->rows > 0 ? ",\n  " : "[\n  ");
    ds_json_init(&j, &line, false);
    ds_json_object(&j);
    for (size_t i = 0; i < r->columns; i++) {
        json_key(&j, names, i);
        ds_json_cell(&j, &cells[i], r->digits);
    }
    ds_json_object_end(&j);
    if (r->format == CLI_JSONL)
        ds_buf_char(&line, '\n');
    write_buf(r, &line);
}

static bool rows_begin(struct cli_rows *r, size_t columns, const char *const *names)
{
    r->columns = columns;
    r->widths = calloc(columns + 1, sizeof(*r->widths));
    if (r->widths == NULL || columns > COLUMNS_MAX) {
        r->failed = true;
        return false;
    }
    if (r->format == CLI_TEXT)
        text_names(r, names);
    else if (r->format == CLI_CSV)
        csv_row(r, names, NULL);
    return true;
}

bool cli_rows_add(size_t columns, const char *const *names, const struct ds_cell *cells, void *arg)
{
    struct cli_rows *r = arg;
    if (r->rows == 0 && !rows_begin(r, columns, names))
        return false;
    if (r->format == CLI_TEXT)
        text_row(r, cells);
    else if (r->format == CLI_CSV)
        csv_row(r, names, cells);
    else
        json_row(r, names, cells);
    r->rows++;
    return !r->failed && !r->out->failed;
}

bool cli_rows_finish(struct cli_rows *r)
{
    if (r->format == CLI_TEXT && r->rows > 0 && !r->flushed)
        flush_held(r);
    if (r->format == CLI_JSON)
        cli_out_string(r->out, r->rows > 0 ? "\n]\n" : "[]\n");
    bool ok = !r->failed;
    ds_buf_deinit(&r->held);
    free(r->widths);
    free(r);
    return ok;
}
