#include <stdio.h>

#include "base/os.h"
#include "cli/cli.h"

static int print_version(const struct cli_args *args)
{
    struct cli_args to_stdout = *args;
    to_stdout.output = NULL;
    struct cli_out out;
    int rc = cli_out_open(&to_stdout, &out);
    if (rc != CLI_OK)
        return rc;
    cli_out_string(&out, "dumpscan ");
    cli_out_string(&out, ds_library_version());
    cli_out_string(&out, "\n");
    return cli_out_close(&out, true, CLI_OK);
}

int main(int argc, char **argv)
{
    ds_os_args(&argc, &argv);
    ds_os_prepare_stdio();
    struct cli_args args;
    const struct cli_command *command;
    int rc = cli_parse(argc, argv, &args, &command);
    if (rc == CLI_OK && args.version)
        rc = print_version(&args);
    else if (rc == CLI_OK && args.help)
        rc = cli_print_help(command, &args);
    else if (rc == CLI_OK)
        rc = command->run(&args);
    cli_args_deinit(&args);
    return rc;
}
