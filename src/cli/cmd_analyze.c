/* `dumpscan FILE...`: the report. */
#include "cli/batch.h"

static enum ds_status analyze_file(const struct cli_args *args, struct ds_snapshot *s,
                                   enum ds_format format, unsigned flags, char **text, int *rc,
                                   struct ds_err *err)
{
    enum ds_status status = ds_snapshot_report_string(s, format, flags, text, NULL, err);
    if (status == DS_OK)
        *rc = ds_snapshot_exit_status(s, args->fail_on_set ? &args->fail_on : NULL);
    return status;
}

static int analyze_run(const struct cli_args *args)
{
    return cli_batch_run(args, analyze_file);
}

const struct cli_command cli_analyze = {
    .name = "analyze",
    .synopsis = "FILE...",
    .summary = "say what went wrong in each dump (also without the word 'analyze')",
    .detail = "Prints what happened, who is probably to blame and why, then findings, the crash,\n"
              "the system, and what could not be told. Several files: text with a line between,\n"
              "-f json one array, -f jsonl one line per file. Symbol tables are also looked for\n"
              "in _NT_ALT_SYMBOL_PATH and _NT_SYMBOL_PATH; nothing is fetched from a network.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_PATTERNS | CLI_OPT_SYMBOLS |
               CLI_OPT_FAIL_ON | CLI_OPT_VERBOSE,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .run = analyze_run,
};
