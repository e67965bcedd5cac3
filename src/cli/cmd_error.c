/* `dumpscan error CODE`: NTSTATUS, HRESULT and Win32 codes. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* A code as typed can be read in one way or two ("80070026": decimal or hex). */
struct readings {
    uint32_t values[2];
    const char *how[2];
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

static struct readings read_code(const char *word)
{
    struct readings r = {.count = 0};
    uint32_t v;
    if (parse_decimal(word, &v)) {
        r.values[r.count] = v;
        r.how[r.count++] = "read as decimal";
    }
    if (parse_hex(word, &v) && (r.count == 0 || r.values[0] != v)) {
        r.values[r.count] = v;
        r.how[r.count++] = "read as hexadecimal";
    }
    return r;
}

/* Writes what the reading means; returns whether it is listed anywhere. */
static bool explain_reading(struct cli_out *out, const struct readings *r, unsigned index,
                            bool only_listed)
{
    char *text;
    enum ds_status s = ds_explain_error(r->values[index], &text);
    if (s != DS_OK && s != DS_NOT_FOUND) {
        cli_error_message(NULL, "%s", ds_status_text(s));
        out->failed = true;
        return false;
    }
    if (s == DS_OK || !only_listed) {
        if (r->count > 1) {
            cli_out_string(out, r->how[index]);
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
        return cli_usage_error(&cli_error, "'%s' is not a 32-bit code in hex or decimal",
                               args->operands[0]);
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
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
    .synopsis = "CODE",
    .summary = "what an NTSTATUS, HRESULT or Win32 code means; needs no dump",
    .detail = "CODE is hexadecimal (0xC000000D, c000000d), decimal, or negative decimal\n"
              "(-1073741811). Digits that can be both are read both ways.",
    .options = CLI_OPT_OUTPUT,
    .formats = CLI_TEXT,
    .operands_min = 1,
    .operands_max = 1,
    .run = error_run,
};
