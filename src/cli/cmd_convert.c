/* `dumpscan convert FILE -o OUT.dmp`: any container to a DMP. */
#include <string.h>

#include "api/kernel.h"
#include "cli/batch.h"
#include "dump/dump.h"
#include "nt/nt.h"
#include "target/target.h"

static bool put(const char *data, size_t len, void *arg)
{
    struct cli_out *out = arg;
    cli_out_write(out, data, len);
    return !out->failed;
}

static bool parse_form(const char *word, enum ds_dump_form *ret)
{
    static const char *const names[] = {"auto", "full", "bitmap"};
    for (unsigned i = 0; i < 3; i++) {
        if (word == NULL || strcmp(word, names[i]) == 0) {
            *ret = (enum ds_dump_form)i;
            return true;
        }
    }
    return false;
}

/* The copy would hide that pages are missing: its own header states what is there. */
static bool is_damaged(struct ds_snapshot *s)
{
    struct ds_nt *nt;
    return ds_snapshot_nt(s, &nt, NULL) == DS_OK &&
           ds_integrity_worst(ds_dump_integrity(ds_nt_target(nt)->dump)) > DS_INTEGRITY_NOTE;
}

static int convert_snapshot(const struct cli_args *args, struct ds_snapshot *s,
                            enum ds_dump_form form)
{
    struct cli_out out;
    struct ds_err err = {.text = ""};
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    enum ds_status st = ds_snapshot_convert(s, form, put, &out, &err);
    if (st != DS_OK && !out.failed)
        cli_error_message(args->operands[0], "%s", err.text);
    rc = st == DS_OK ? CLI_OK : ds_refusal_exit_status(st);
    if (rc == CLI_OK && is_damaged(s))
        rc = CLI_DAMAGED;
    rc = cli_out_close(&out, st == DS_OK, rc);
    if (rc == CLI_DAMAGED && st == DS_OK)
        cli_error_message(args->operands[0], "damaged: what it lacks, %s lacks as well",
                          args->output);
    return rc;
}

static int convert_run(const struct cli_args *args)
{
    enum ds_dump_form form;
    if (args->output == NULL)
        return cli_usage_error(&cli_convert, "'convert' needs -o FILE to write to");
    if (!parse_form(args->form, &form))
        return cli_usage_error(&cli_convert, "--form is auto, full or bitmap, not '%s'",
                               args->form);
    struct ds_options *options = cli_kernel_options(args);
    struct ds_snapshot *s = NULL;
    struct ds_err err = {.status = DS_NO_MEMORY, .text = "out of memory"};
    if (options != NULL)
        err.status = ds_snapshot_open(args->operands[0], options, &s, &err);
    ds_options_free(options);
    if (err.status != DS_OK) {
        cli_error_message(args->operands[0], "%s", err.text);
        return ds_refusal_exit_status(err.status);
    }
    int rc = convert_snapshot(args, s, form);
    ds_snapshot_close(s);
    return rc;
}

const struct cli_command cli_convert = {
    .name = "convert",
    .synopsis = "FILE",
    .summary = "write the memory of any container as a DMP that debuggers open",
    .detail = "Writes a complete dump, or a bitmap dump when memory lies in too many runs for the\n"
              "header of a complete one (--form full or bitmap decides). The header is made of\n"
              "what was found out about the system, the context is that of the crashed\n"
              "processor, and an encoded KDDEBUGGER_DATA64 is decoded. Minidumps hold no\n"
              "memory to convert. The exit status is 4 when the input is damaged: the copy\n"
              "lacks what the input lacks.",
    .options = CLI_OPT_OUTPUT | CLI_OPT_SYMBOLS | CLI_OPT_FORM | CLI_OPT_KERNEL | CLI_OPT_INFLATED,
    .formats = CLI_TEXT,
    .operands_min = 1,
    .operands_max = 1,
    .run = convert_run,
};
