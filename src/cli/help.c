/* `dumpscan help`, --help and --version: made from the tables, so that they cannot be wrong. */
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"

static void print_options(struct ds_buf *b, unsigned mask)
{
    for (size_t i = 0; i < cli_option_count; i++) {
        const struct cli_option *o = &cli_options[i];
        if (!(o->bit & mask))
            continue;
        struct ds_buf label;
        ds_buf_init(&label, 256);
        if (o->letter != 0)
            ds_buf_printf(&label, "-%c, ", o->letter);
        else
            ds_buf_str(&label, "    ");
        ds_buf_printf(&label, "--%s%s%s", o->name, o->value != NULL ? " " : "",
                      o->value != NULL ? o->value : "");
        ds_buf_printf(b, "  %-24s %s\n", ds_buf_text(&label), o->help);
        ds_buf_deinit(&label);
    }
}

static void help_all(struct ds_buf *b)
{
    ds_buf_str(b, "dumpscan: what went wrong in a Windows kernel crash dump\n\n"
                  "  dumpscan [OPTIONS] FILE...          analyse dumps\n"
                  "  dumpscan COMMAND [OPTIONS] ...\n\nCommands\n");
    for (size_t i = 0; i < cli_command_count; i++)
        ds_buf_printf(b, "  %-10s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    ds_buf_str(b, "\nOptions of an analysis\n");
    print_options(b, cli_analyze.options | CLI_OPT_EVERYWHERE);
    ds_buf_str(b, "\nExit status\n"
                  "  0  analysed                  3  not a kernel dump, or unsupported\n"
                  "  1  could not read or write   4  the file is damaged or ends early\n"
                  "  2  wrong usage              10  a finding at or above --fail-on\n\n"
                  "'dumpscan help COMMAND' tells more; so does the manual, dumpscan(1).\n");
}

static void help_one(struct ds_buf *b, const struct cli_command *c)
{
    ds_buf_printf(b, "dumpscan %s %s\n\n%s.\n\n%s\n\nOptions\n", c->name, c->synopsis, c->summary,
                  c->detail);
    print_options(b, c->options | CLI_OPT_EVERYWHERE);
}

int cli_print_help(const struct cli_command *command, const struct cli_args *args)
{
    struct cli_args to_stdout = *args;
    to_stdout.output = NULL;
    struct cli_out out;
    int rc = cli_out_open(&to_stdout, &out);
    if (rc != CLI_OK)
        return rc;
    struct ds_buf b;
    ds_buf_init(&b, 1u << 20);
    if (command != NULL)
        help_one(&b, command);
    else
        help_all(&b);
    cli_out_write(&out, ds_buf_text(&b), b.len);
    ds_buf_deinit(&b);
    return cli_out_close(&out, true, CLI_OK);
}

static const char *command_name(size_t index)
{
    return cli_commands[index]->name;
}

static int help_run(const struct cli_args *args)
{
    if (args->operand_count == 0)
        return cli_print_help(NULL, args);
    const struct cli_command *c = cli_command_find(args->operands[0]);
    if (c != NULL)
        return cli_print_help(c, args);
    const char *near = cli_nearest(args->operands[0], command_name, cli_command_count);
    return cli_usage_error(NULL,
                           near != NULL ? "no command '%s'; did you mean '%s'?" : "no command '%s'",
                           args->operands[0], near);
}

const struct cli_command cli_help = {
    .name = "help",
    .synopsis = "[COMMAND]",
    .summary = "show help, also of one command",
    .detail = "Without COMMAND, lists the commands and options.",
    .options = 0,
    .formats = CLI_TEXT,
    .operands_max = 1,
    .run = help_run,
};
