/* `dumpscan FILE...`: the report. */
#include "cli/batch.h"
#include "rules/rules.h"

static enum ds_status analyze_file(const struct cli_args *args, struct ds_snapshot *s,
                                   enum ds_format format, unsigned flags, char **text, int *rc,
                                   struct ds_err *err)
{
    enum ds_status status = ds_snapshot_report_string(s, format, flags, text, NULL, err);
    if (status == DS_OK)
        *rc = ds_snapshot_exit_status(s, args->fail_on_set ? &args->fail_on : NULL);
    return status;
}

/* A wrong pattern file is said once, before any dump is read. */
static int check_patterns(const struct cli_args *args)
{
    struct ds_patterns *set;
    struct ds_err err = {.text = "out of memory"};
    enum ds_status s = ds_patterns_open_empty(&set, &err);
    if (s != DS_OK) {
        cli_error_message(NULL, "%s", err.text);
        return CLI_INTERNAL;
    }
    for (size_t i = 0; s == DS_OK && i < args->pattern_count; i++)
        s = ds_patterns_add_path(set, args->patterns[i], &err);
    ds_patterns_close(set);
    if (s == DS_OK)
        return CLI_OK;
    cli_error_message(NULL, "--patterns: %s", err.text);
    return s == DS_NO_MEMORY ? CLI_INTERNAL : CLI_USAGE;
}

static int analyze_run(const struct cli_args *args)
{
    int rc = args->pattern_count > 0 ? check_patterns(args) : CLI_OK;
    if (rc != CLI_OK)
        return rc;
    return cli_batch_run(
        args, analyze_file,
        "\n================================================================================\n\n",
        true);
}

const struct cli_command cli_analyze = {
    .name = "analyze",
    .synopsis = "FILE...",
    .summary = "say what went wrong in each dump (also without the word 'analyze')",
    .detail =
        "Prints what happened, who is probably to blame and why, then findings, the crash,\n"
        "the system, and what could not be told. Several files: text with a line between,\n"
        "-f json one array, -f jsonl one line per file; dumps of one machine are compared, and\n"
        "what they show together comes last. Symbol tables are also looked for\n"
        "in _NT_ALT_SYMBOL_PATH and _NT_SYMBOL_PATH; nothing is fetched from a network.\n"
        "--dtb, --kernel-base and --kdbg say where the kernel is when the dump does not;\n"
        "they are used even where nothing bears them out, and the report says so.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_INFLATED | CLI_OPT_KERNEL |
               CLI_OPT_PATTERNS | CLI_OPT_SYMBOLS | CLI_OPT_FAIL_ON | CLI_OPT_VERBOSE,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .run = analyze_run,
};
