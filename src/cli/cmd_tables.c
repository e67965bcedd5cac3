/* `dumpscan tables [NAME]`: what `query` and patterns can ask. */
#include "cli/cli.h"
#include "facts/facts.h"
#include "report/json.h"
#include "report/paper.h"

static const char *table_name(size_t index)
{
    return ds_table_at(index)->name;
}

static void tables_text(struct ds_paper *p)
{
    for (size_t i = 0; i < ds_table_count(); i++)
        ds_paper_item(p, 20, DS_STYLE_BOLD, ds_table_at(i)->name, ds_table_at(i)->doc);
}

static void table_text(struct ds_paper *p, const struct ds_table_spec *t)
{
    ds_paper_item(p, 0, DS_STYLE_BOLD, t->name, "");
    ds_paper_item(p, 2, DS_STYLE_PLAIN, "", t->doc);
    if (t->windbg[0] != '\0')
        ds_paper_item(p, 10, DS_STYLE_DIM, "  WinDbg:", t->windbg);
    ds_paper_blank(p);
    for (size_t i = 0; i < t->column_count; i++) {
        struct ds_buf label;
        ds_buf_init(&label, 256);
        ds_buf_printf(&label, "  %-22s %-8s", t->columns[i].name,
                      ds_column_type_name(t->columns[i].type));
        ds_paper_item(p, 35, DS_STYLE_PLAIN, ds_buf_text(&label), t->columns[i].doc);
        ds_buf_deinit(&label);
    }
}

static void table_json(struct ds_json *j, const struct ds_table_spec *t)
{
    ds_json_object(j);
    ds_json_key_string(j, "name", t->name);
    ds_json_key_string(j, "doc", t->doc);
    ds_json_key_string(j, "windbg", t->windbg);
    ds_json_key(j, "columns");
    ds_json_array(j);
    for (size_t i = 0; i < t->column_count; i++) {
        ds_json_object(j);
        ds_json_key_string(j, "name", t->columns[i].name);
        ds_json_key_string(j, "type", ds_column_type_name(t->columns[i].type));
        ds_json_key_string(j, "doc", t->columns[i].doc);
        ds_json_key_string(j, "windbg", t->columns[i].windbg);
        ds_json_key_bool(j, "argument", i >= t->column_count - t->argument_count);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_object_end(j);
}

static void write_json(struct ds_buf *b, const struct ds_table_spec *t)
{
    struct ds_json j;
    ds_json_init(&j, b, true);
    if (t != NULL) {
        table_json(&j, t);
    } else {
        ds_json_array(&j);
        for (size_t i = 0; i < ds_table_count(); i++)
            table_json(&j, ds_table_at(i));
        ds_json_array_end(&j);
    }
    ds_buf_char(b, '\n');
}

static int tables_run(const struct cli_args *args)
{
    const struct ds_table_spec *t = NULL;
    if (args->operand_count == 1) {
        t = ds_table_find(args->operands[0]);
        const char *near = cli_nearest(args->operands[0], table_name, ds_table_count());
        if (t == NULL)
            return cli_usage_error(
                &cli_tables, near != NULL ? "no table '%s'; did you mean '%s'?" : "no table '%s'",
                args->operands[0], near);
    }
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    struct ds_buf b;
    struct ds_paper p;
    ds_buf_init(&b, 16u << 20);
    ds_paper_init(&p, &b, cli_wants_colour(args, &out), 80);
    if (args->format == CLI_JSON)
        write_json(&b, t);
    else if (t != NULL)
        table_text(&p, t);
    else
        tables_text(&p);
    cli_out_write(&out, ds_buf_text(&b), b.len);
    ds_buf_deinit(&b);
    return cli_out_close(&out, true, CLI_OK);
}

const struct cli_command cli_tables = {
    .name = "tables",
    .synopsis = "[NAME]",
    .summary = "the tables that queries and patterns can ask",
    .detail = "Without NAME lists the tables; with it, the table's columns. No dump is needed.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT,
    .formats = CLI_TEXT | CLI_JSON,
    .operands_max = 1,
    .run = tables_run,
};
