/* `dumpscan info FILE...`: the header only. */
#include "cli/batch.h"

static enum ds_status info_file(const struct cli_args *args, struct ds_snapshot *s,
                                enum ds_format format, unsigned flags, char **text, int *rc,
                                struct ds_err *err)
{
    (void)args;
    enum ds_status status = ds_snapshot_info_string(s, format, flags, text, NULL, err);
    if (status == DS_OK)
        *rc = ds_snapshot_exit_status(s, NULL);
    return status;
}

static int info_run(const struct cli_args *args)
{
    return cli_batch_run(args, info_file, "\n", false);
}

const struct cli_command cli_info = {
    .name = "info",
    .synopsis = "FILE...",
    .summary = "what the header of each dump tells; instant",
    .detail = "Reads the header only: kind, Windows build, bugcheck, time, uptime, and what is\n"
              "wrong with the file. The kernel is not looked for and no pattern is run.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_INFLATED | CLI_OPT_RAW,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .run = info_run,
};
