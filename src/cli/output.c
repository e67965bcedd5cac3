/* Results to stdout or to a file that appears only when it is complete. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "cli/cli.h"

/* Overwriting one of the dumps with its own report would be a costly slip. */
static bool is_input(const struct cli_args *args, const char *path)
{
    for (size_t i = 0; i < args->operand_count; i++)
        if (ds_os_same_file(args->operands[i], path))
            return true;
    return false;
}

/* Devices and pipes are written to; a file in their place would take them from everybody. */
static int open_device(const char *path, struct cli_out *out)
{
    out->path = path;
    out->stream = ds_os_fopen(path, "wb");
    if (out->stream != NULL)
        return CLI_OK;
    cli_error_message(path, "cannot write: %s", strerror(errno));
    return CLI_INTERNAL;
}

int cli_out_open(const struct cli_args *args, struct cli_out *out)
{
    *out = (struct cli_out){.stream = stdout};
    if (args->output == NULL)
        return CLI_OK;
    if (is_input(args, args->output))
        return cli_usage_error(NULL, "-o %s would overwrite the input", args->output);
    if (ds_os_path_kind(args->output) == DS_OS_PATH_DEVICE)
        return open_device(args->output, out);
    struct ds_buf name;
    ds_buf_init(&name, 1u << 20);
    ds_buf_printf(&name, "%s.tmp", args->output);
    if (!ds_buf_ok(&name)) {
        ds_buf_deinit(&name);
        cli_error_message(NULL, "out of memory");
        return CLI_INTERNAL;
    }
    if (is_input(args, name.data)) {
        ds_buf_deinit(&name);
        return cli_usage_error(NULL, "-o %s would be written by way of %s.tmp, the input",
                               args->output, args->output);
    }
    out->path = args->output;
    out->temporary = name.data;
    out->stream = ds_os_fopen(out->temporary, "wb");
    if (out->stream != NULL)
        return CLI_OK;
    cli_error_message(out->path, "cannot write: %s", strerror(errno));
    free(out->temporary);
    return CLI_INTERNAL;
}

static void out_failed(struct cli_out *out)
{
    if (!out->failed && errno != EPIPE)
        cli_error_message(out->path, "cannot write%s: %s", out->path == NULL ? " the output" : "",
                          strerror(errno));
    out->failed = true;
}

void cli_out_write(struct cli_out *out, const char *data, size_t len)
{
    if (!out->failed && fwrite(data, 1, len, out->stream) != len)
        out_failed(out);
}

void cli_out_string(struct cli_out *out, const char *s)
{
    cli_out_write(out, s, strlen(s));
}

int cli_out_close(struct cli_out *out, bool keep, int status)
{
    if (!out->failed && fflush(out->stream) != 0)
        out_failed(out);
    if (out->path == NULL)
        return out->failed ? CLI_INTERNAL : status;
    if (fclose(out->stream) != 0)
        out_failed(out);
    if (out->temporary == NULL)
        return out->failed ? CLI_INTERNAL : status;
    if (keep && !out->failed && !ds_os_rename(out->temporary, out->path))
        out_failed(out);
    if (!keep || out->failed)
        (void)ds_os_remove(out->temporary);
    free(out->temporary);
    out->temporary = NULL;
    return out->failed ? CLI_INTERNAL : status;
}

static bool environment_has(const char *name)
{
    char *value = ds_os_getenv(name);
    bool has = value != NULL && value[0] != '\0';
    free(value);
    return has;
}

bool cli_wants_colour(const struct cli_args *args, const struct cli_out *out)
{
    if (args->colour != CLI_COLOUR_AUTO)
        return args->colour == CLI_COLOUR_ALWAYS;
    return out->path == NULL && !environment_has("NO_COLOR") && ds_os_is_terminal(out->stream);
}
