#include "cli/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "cli/inputs.h"

static void join_environment(struct ds_buf *path, const char *name)
{
    char *value = ds_os_getenv(name);
    if (value != NULL && value[0] != '\0')
        ds_buf_printf(path, "%s%s", path->len > 0 ? ";" : "", value);
    free(value);
}

struct ds_options *cli_snapshot_options(const struct cli_args *args)
{
    struct ds_options *o;
    if (ds_options_new(&o) != DS_OK)
        return NULL;
    struct ds_buf path;
    ds_buf_init(&path, 1u << 20);
    if (args->symbols != NULL)
        ds_buf_str(&path, args->symbols);
    join_environment(&path, "_NT_ALT_SYMBOL_PATH");
    join_environment(&path, "_NT_SYMBOL_PATH");
    enum ds_status s = DS_OK;
    if (path.len > 0)
        s = ds_buf_ok(&path) ? ds_options_set_symbol_path(o, ds_buf_text(&path)) : DS_NO_MEMORY;
    ds_buf_deinit(&path);
    for (size_t i = 0; s == DS_OK && i < args->pattern_count; i++)
        s = ds_options_add_patterns(o, args->patterns[i]);
    ds_options_set_max_inflated(o, args->max_inflated);
    ds_options_set_raw(o, args->raw_memory);
    if (args->kernel_base.known)
        ds_options_set_kernel_base(o, args->kernel_base.value);
    if (args->kdbg.known)
        ds_options_set_kdbg(o, args->kdbg.value);
    if (ds_os_is_terminal(stderr))
        ds_options_set_progress(o, cli_progress, NULL);
    if (s == DS_OK)
        return o;
    ds_options_free(o);
    return NULL;
}

struct ds_options *cli_kernel_options(const struct cli_args *args)
{
    struct ds_options *o = cli_snapshot_options(args);
    if (o != NULL && args->dtb_value.known)
        ds_options_set_dtb(o, args->dtb_value.value);
    return o;
}

struct batch {
    const struct cli_args *args;
    cli_file_fn *each;
    const char *between; /* two texts */
    struct ds_options *options;
    struct ds_series *series; /* NULL: dumps are not compared */
    bool series_full;         /* no more are taken */
    struct cli_inputs inputs;
    struct cli_out out;
    enum ds_format format;
    unsigned flags;
    size_t done; /* files written so far */
};

/* What stands between two results. */
static void batch_separator(struct batch *b)
{
    bool several = b->inputs.count > 1;
    if (b->format == DS_FORMAT_TEXT && b->done > 0)
        cli_out_string(&b->out, b->between);
    else if (b->format == DS_FORMAT_JSON && several)
        cli_out_string(&b->out, b->done == 0 ? "[\n" : ",\n");
    b->done++;
}

/* A file that gave no result: words on stderr, and a record where a program reads. */
static int batch_refuse(struct batch *b, const char *file, const struct ds_err *err)
{
    cli_error_message(file, "%s", err->text);
    int rc = ds_refusal_exit_status(err->status);
    if (b->format == DS_FORMAT_TEXT)
        return rc;
    char *text;
    if (ds_refusal_string(file, err, b->format, &text) != DS_OK)
        return CLI_INTERNAL;
    batch_separator(b);
    cli_out_string(&b->out, text);
    if (b->format == DS_FORMAT_JSONL)
        cli_out_string(&b->out, "\n");
    ds_string_free(text);
    return rc;
}

/* What the dumps say together, as the last result. */
static int batch_compare(struct batch *b)
{
    char *text;
    enum ds_status status =
        b->series != NULL ? ds_series_string(b->series, b->format, b->flags, &text) : DS_NOT_FOUND;
    ds_series_free(b->series);
    b->series = NULL;
    if (status != DS_OK)
        return status == DS_NOT_FOUND ? CLI_OK : CLI_INTERNAL;
    batch_separator(b);
    cli_out_string(&b->out, text);
    if (b->format == DS_FORMAT_JSONL)
        cli_out_string(&b->out, "\n");
    ds_string_free(text);
    return CLI_OK;
}

/* Keeps what the comparison needs; says once from which dump on it lacks some. */
static void batch_note(struct batch *b, struct ds_snapshot *s, const char *file)
{
    struct ds_err err = {.status = DS_OK};
    if (b->series_full || ds_series_add(b->series, s, &err) == DS_OK)
        return;
    cli_error_message(file, "%s", err.text);
    b->series_full = true;
}

static int batch_file(struct batch *b, const char *file)
{
    struct ds_snapshot *s;
    struct ds_err err = {.status = DS_OK};
    char *text = NULL;
    int rc = CLI_INTERNAL;
    err.status = ds_snapshot_open(file, b->options, &s, &err);
    if (err.status != DS_OK)
        return batch_refuse(b, file, &err);
    err.status = b->each(b->args, s, b->format, b->flags, &text, &rc, &err);
    if (err.status == DS_OK && b->series != NULL)
        batch_note(b, s, file);
    ds_snapshot_close(s);
    if (err.status != DS_OK)
        return batch_refuse(b, file, &err);
    batch_separator(b);
    cli_out_string(&b->out, text);
    if (b->format == DS_FORMAT_JSONL)
        cli_out_string(&b->out, "\n");
    ds_string_free(text);
    if (b->format == DS_FORMAT_JSONL && fflush(b->out.stream) != 0)
        rc = CLI_INTERNAL;
    return rc;
}

int cli_batch_run(const struct cli_args *args, cli_file_fn *each, const char *between, bool compare)
{
    struct batch b = {.args = args, .each = each, .between = between};
    b.format = args->format == CLI_JSON    ? DS_FORMAT_JSON
               : args->format == CLI_JSONL ? DS_FORMAT_JSONL
                                           : DS_FORMAT_TEXT;
    int rc = cli_out_open(args, &b.out);
    if (rc != CLI_OK)
        return rc;
    b.flags = (cli_wants_colour(args, &b.out) ? DS_REPORT_COLOUR : 0) |
              (args->verbose ? DS_REPORT_VERBOSE : 0);
    b.options = cli_kernel_options(args);
    if (b.options == NULL || !cli_inputs_init(&b.inputs, args)) {
        ds_options_free(b.options);
        cli_error_message(NULL, "out of memory");
        return cli_out_close(&b.out, false, CLI_INTERNAL);
    }
    if (compare && b.inputs.count > 1 && ds_series_new(&b.series) != DS_OK)
        rc = CLI_INTERNAL;
    for (size_t i = 0; i < b.inputs.count; i++)
        rc = cli_worse_status(rc, batch_file(&b, b.inputs.names[i]));
    rc = cli_worse_status(rc, batch_compare(&b));
    if (b.format == DS_FORMAT_JSON && b.inputs.count > 1)
        cli_out_string(&b.out, "]\n");
    cli_inputs_deinit(&b.inputs);
    ds_options_free(b.options);
    return cli_out_close(&b.out, true, rc);
}
