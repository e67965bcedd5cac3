/* `dumpscan error CODE`: NTSTATUS, HRESULT and Win32 codes. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "nt/codes.h"
#include "report/json_knowledge.h"

/* A code as typed can be read in one way or two ("80070026": decimal or hex; a name that stands
 * for different values in two tables). */
struct readings {
    struct ds_code_reading rows[2];
    unsigned count;
};

static bool parse_decimal(const char *word, uint32_t *ret)
{
    bool negative = word[0] == '-';
    uint64_t value = 0;
    const char *c = word + negative;
    if (*c == '\0')
        return false;
    for (; *c >= '0' && *c <= '9'; c++) {
        value = value * 10 + (uint64_t)(*c - '0');
        if (value > UINT32_MAX)
            return false;
    }
    if (*c != '\0' || (negative && value > UINT64_C(1) << 31))
        return false;
    *ret = negative ? (uint32_t)(0 - value) : (uint32_t)value;
    return true;
}

/* An NTSTATUS is often seen sign-extended to 64 bits. */
static bool parse_hex(const char *word, uint32_t *ret)
{
    uint64_t value;
    if (!cli_parse_hex(word, &value))
        return false;
    if (value > UINT32_MAX && value < UINT64_C(0xffffffff80000000))
        return false;
    *ret = (uint32_t)value;
    return true;
}

static void add_reading(struct readings *r, uint32_t value, const char *how)
{
    if (r->count == 0 || r->rows[0].value != value)
        r->rows[r->count++] = (struct ds_code_reading){value, how};
}

static struct readings read_code(const char *word)
{
    struct readings r = {.count = 0};
    uint32_t v, named[2];
    if (parse_decimal(word, &v))
        add_reading(&r, v, "decimal");
    if (parse_hex(word, &v))
        add_reading(&r, v, "hexadecimal");
    unsigned names = r.count == 0 ? ds_code_by_name(word, named) : 0;
    for (unsigned i = 0; i < names; i++)
        add_reading(&r, named[i], "name");
    return r;
}

static const char *code_name(size_t index)
{
    return ds_code_at(index)->name;
}

static int no_such_code(const char *word)
{
    size_t count = 0;
    while (ds_code_at(count) != NULL)
        count++;
    const char *near = cli_nearest(word, code_name, count);
    return cli_usage_error(
        &cli_error,
        near != NULL ? "'%s' is neither a 32-bit code in hex or decimal nor the name of one; did "
                       "you mean %s?"
                     : "'%s' is neither a 32-bit code in hex or decimal nor the name of one",
        word, near);
}

static int error_json(const struct cli_args *args, struct cli_out *out, const struct readings *r)
{
    struct ds_buf b;
    struct ds_json j;
    ds_buf_init(&b, 1u << 20);
    ds_json_init(&j, &b, args->format == CLI_JSON);
    ds_json_error_code(&j, args->operands[0], r->rows, r->count);
    ds_buf_char(&b, '\n');
    cli_out_write(out, ds_buf_text(&b), b.len);
    ds_buf_deinit(&b);
    return cli_out_close(out, true, CLI_OK);
}

/* Writes what the reading means; returns whether it is listed anywhere. */
static bool explain_reading(struct cli_out *out, const struct readings *r, unsigned index,
                            bool only_listed)
{
    char *text;
    enum ds_status s = ds_explain_error(r->rows[index].value, &text);
    if (s != DS_OK && s != DS_NOT_FOUND) {
        cli_error_message(NULL, "%s", ds_status_text(s));
        out->failed = true;
        return false;
    }
    if (s == DS_OK || !only_listed) {
        if (r->count > 1) {
            cli_out_string(out, "read as ");
            cli_out_string(out, r->rows[index].how);
            cli_out_string(out, ":\n");
        }
        cli_out_string(out, text);
    }
    ds_string_free(text);
    return s == DS_OK;
}

static int error_run(const struct cli_args *args)
{
    struct readings r = read_code(args->operands[0]);
    if (r.count == 0)
        return no_such_code(args->operands[0]);
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    if (args->format != CLI_TEXT)
        return error_json(args, &out, &r);
    bool listed = false;
    for (unsigned i = 0; i < r.count; i++)
        listed = explain_reading(&out, &r, i, r.count > 1) || listed;
    if (!listed && r.count > 1)
        for (unsigned i = 0; i < r.count; i++)
            (void)explain_reading(&out, &r, i, false);
    return cli_out_close(&out, true, CLI_OK);
}

const struct cli_command cli_error = {
    .name = "error",
    .synopsis = "CODE|NAME",
    .summary = "what an NTSTATUS, HRESULT or Win32 code means; needs no dump",
    .detail = "CODE is hexadecimal (0xC000000D, c000000d), decimal, or negative decimal\n"
              "(-1073741811). Digits that can be both are read both ways.\n"
              "NAME is symbolic: STATUS_ACCESS_VIOLATION, E_FAIL, ERROR_FILE_NOT_FOUND.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL,
    .operands_min = 1,
    .operands_max = 1,
    .run = error_run,
};
