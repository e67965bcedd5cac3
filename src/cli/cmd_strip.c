/* `dumpscan strip FILE -o OUT`: a copy of a dump without what nobody should get to see. */
#include <inttypes.h>

#include "base/os.h"
#include "cli/cli.h"

static bool write_piece(const char *data, size_t len, void *arg)
{
    struct cli_out *out = arg;
    cli_out_write(out, data, len);
    return !out->failed;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* What was done, on stdout: the copy went to a file. */
static void say_result(const struct cli_args *args, const struct ds_strip_result *r)
{
    struct ds_buf b;
    struct cli_args to_stdout = *args;
    struct cli_out out;
    to_stdout.output = NULL;
    ds_buf_init(&b, 4096);
    ds_buf_printf(&b, "%" PRIu64 " byte%s written; ", r->written, plural(r->written));
    if (r->leftover_bytes == 0 && r->blobs == 0)
        ds_buf_str(&b, "there was nothing to leave out");
    else
        ds_buf_str(&b, "left out: ");
    if (r->leftover_bytes > 0)
        ds_buf_printf(&b, "%" PRIu64 " byte%s of leftovers", r->leftover_bytes,
                      plural(r->leftover_bytes));
    if (r->blobs > 0)
        ds_buf_printf(&b, "%s%" PRIu64 " secondary data blob%s (%" PRIu64 " bytes)",
                      r->leftover_bytes > 0 ? ", " : "", r->blobs, plural(r->blobs), r->blob_bytes);
    ds_buf_char(&b, '\n');
    if (cli_out_open(&to_stdout, &out) == CLI_OK) {
        cli_out_write(&out, ds_buf_text(&b), b.len);
        (void)cli_out_close(&out, true, CLI_OK);
    }
    ds_buf_deinit(&b);
    if (r->damaged)
        cli_error_message(args->operands[0], "the dump is damaged or ends early; the copy has as "
                                             "much of it as there is ('dumpscan info' says more)");
}

static int strip_snapshot(const struct cli_args *args, struct ds_snapshot *s)
{
    struct cli_out out;
    struct ds_strip_result result;
    struct ds_err err = {.status = DS_OK};
    unsigned flags = (args->given & CLI_OPT_PATHS ? DS_STRIP_PATHS : 0) |
                     (args->given & CLI_OPT_BLOBS ? DS_STRIP_BLOBS : 0);
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    enum ds_status status = ds_snapshot_strip(s, flags, write_piece, &out, &result, &err);
    if (status != DS_OK) {
        if (!out.failed)
            cli_error_message(args->operands[0], "%s", err.text);
        return cli_out_close(&out, false,
                             status == DS_TRUNCATED ? CLI_DAMAGED : ds_refusal_exit_status(status));
    }
    rc = cli_out_close(&out, true, result.damaged ? CLI_DAMAGED : CLI_OK);
    if (rc == CLI_OK || rc == CLI_DAMAGED)
        say_result(args, &result);
    return rc;
}

static int strip_run(const struct cli_args *args)
{
    if (args->output == NULL)
        return cli_usage_error(&cli_strip, "'strip' needs -o OUT: the copy goes to a new file");
    bool force = (args->given & CLI_OPT_FORCE) != 0;
    if (!force && ds_os_path_kind(args->output) != DS_OS_PATH_NONE)
        return cli_usage_error(&cli_strip, "-o %s exists; --force replaces it", args->output);
    struct ds_options *options = cli_snapshot_options(args);
    if (options == NULL) {
        cli_error_message(NULL, "out of memory");
        return CLI_INTERNAL;
    }
    struct ds_snapshot *s;
    struct ds_err err = {.status = DS_OK};
    enum ds_status status = ds_snapshot_open(args->operands[0], options, &s, &err);
    ds_options_free(options);
    if (status != DS_OK) {
        cli_error_message(args->operands[0], "%s", err.text);
        return ds_refusal_exit_status(status);
    }
    int rc = strip_snapshot(args, s);
    ds_snapshot_close(s);
    return rc;
}

const struct cli_command cli_strip = {
    .name = "strip",
    .synopsis = "FILE -o OUT",
    .summary = "copy a minidump without leftovers of other files, for sharing",
    .detail =
        "Some minidumps are longer than what was written into them, and pieces of older files\n"
        "remain behind the end. The copy ends where the dump ends; everything in it reads\n"
        "as before. With --paths it also lacks the path of a process image,\n"
        "with --blobs all secondary data (serial numbers, drivers' logs, event buffers).\n"
        "What the minidump itself holds (stacks, names of processes and drivers) stays.\n"
        "FILE is never changed, and an existing OUT is replaced with --force only.",
    .options = CLI_OPT_OUTPUT | CLI_OPT_INFLATED | CLI_OPT_PATHS | CLI_OPT_BLOBS | CLI_OPT_FORCE,
    .formats = CLI_TEXT,
    .operands_min = 1,
    .operands_max = 1,
    .run = strip_run,
};
