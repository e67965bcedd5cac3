/* `dumpscan query FILE SQL|-`. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cli/rows.h"

#define SQL_MAX (1u << 20)

/* The statement: the operand itself, or stdin for "-". */
static bool read_sql(const char *operand, struct ds_buf *sql)
{
    ds_buf_init(sql, SQL_MAX);
    if (strcmp(operand, "-") != 0) {
        ds_buf_str(sql, operand);
        return ds_buf_ok(sql);
    }
    char chunk[4096];
    size_t n;
    while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
        ds_buf_add(sql, chunk, n);
    return ds_buf_ok(sql) && ferror(stdin) == 0 && memchr(ds_buf_text(sql), 0, sql->len) == NULL;
}

static int query_status(const char *file, enum ds_status status, const struct ds_err *err)
{
    if (status == DS_OK)
        return CLI_OK;
    cli_error_message(file, "%s", err->text);
    return status == DS_INVALID ? CLI_USAGE : CLI_INTERNAL;
}

static int query_snapshot(const struct cli_args *args, struct ds_snapshot *s, const char *sql)
{
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    uint64_t pointer = 8;
    if (ds_snapshot_fact(s, DS_FACT_POINTER_SIZE, &pointer) != DS_OK)
        pointer = 8;
    struct cli_rows *rows = cli_rows_new(&out, args->format, (unsigned)(2 * pointer));
    if (rows == NULL) {
        cli_error_message(NULL, "out of memory");
        return cli_out_close(&out, false, CLI_INTERNAL);
    }
    struct ds_err err = {.status = DS_OK};
    enum ds_status status = ds_snapshot_query(s, sql, 0, 0, cli_rows_add, rows, &err);
    if (!cli_rows_finish(rows)) {
        cli_error_message(NULL, "out of memory for the rows");
        return cli_out_close(&out, false, CLI_INTERNAL);
    }
    rc = query_status(args->operands[0], status, &err);
    return cli_out_close(&out, status == DS_OK || status == DS_LIMIT, rc);
}

static int query_run(const struct cli_args *args)
{
    struct ds_buf sql;
    if (!read_sql(args->operands[1], &sql)) {
        ds_buf_deinit(&sql);
        return cli_usage_error(&cli_query, "the SQL cannot be read, or is longer than %u bytes",
                               SQL_MAX);
    }
    struct ds_options *options = cli_kernel_options(args);
    struct ds_snapshot *s = NULL;
    struct ds_err err = {.status = DS_NO_MEMORY, .text = "out of memory"};
    if (options != NULL)
        err.status = ds_snapshot_open(args->operands[0], options, &s, &err);
    ds_options_free(options);
    int rc;
    if (err.status != DS_OK) {
        cli_error_message(args->operands[0], "%s", err.text);
        rc = ds_refusal_exit_status(err.status);
    } else {
        rc = query_snapshot(args, s, ds_buf_text(&sql));
        ds_snapshot_close(s);
    }
    ds_buf_deinit(&sql);
    return rc;
}

const struct cli_command cli_query = {
    .name = "query",
    .synopsis = "FILE SQL",
    .summary = "ask the tables of a dump with one SELECT",
    .detail = "SQL is one SELECT over the tables that 'dumpscan tables' lists; '-' reads it from\n"
              "stdin. In JSON, addresses are \"0x...\" strings, other integers numbers (decimal\n"
              "strings beyond 2^53), and NULL, which means unknown, is null.",
    .options =
        CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_INFLATED | CLI_OPT_SYMBOLS | CLI_OPT_KERNEL,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL | CLI_CSV,
    .operands_min = 2,
    .operands_max = 2,
    .run = query_run,
};
