/* `dumpscan explain CODE [P1..P4]`: what a bugcheck and its parameters mean. */
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "nt/bugcheck.h"
#include "report/json_knowledge.h"
#include "report/paper.h"

static const char *bugcheck_name(size_t index)
{
    return ds_bugcheck_at(index)->name;
}

static int parse_code(const char *word, uint32_t *code)
{
    uint64_t value;
    if (cli_parse_hex(word, &value)) {
        if (value > UINT32_MAX)
            return cli_usage_error(&cli_explain, "%s is no bugcheck code: they have 32 bits", word);
        *code = (uint32_t)value;
        return CLI_OK;
    }
    if (ds_bugcheck_by_name(word, code) == DS_OK)
        return CLI_OK;
    const char *near = cli_nearest(word, bugcheck_name, ds_bugcheck_count());
    return cli_usage_error(&cli_explain,
                           near != NULL ? "'%s' is neither a code nor a name; did you mean %s?"
                                        : "'%s' is neither a code nor the name of one",
                           word, near);
}

/* Begins a document; finish_json() writes it. */
static void start_json(const struct cli_args *args, struct ds_buf *b, struct ds_json *j)
{
    ds_buf_init(b, 1u << 22);
    ds_json_init(j, b, args->format == CLI_JSON);
}

static int finish_json(struct cli_out *out, struct ds_buf *b)
{
    ds_buf_char(b, '\n');
    bool whole = ds_buf_ok(b);
    if (whole)
        cli_out_write(out, ds_buf_text(b), b->len);
    else
        cli_error_message(NULL, "%s", ds_status_text(DS_NO_MEMORY));
    ds_buf_deinit(b);
    return cli_out_close(out, whole, whole ? CLI_OK : CLI_INTERNAL);
}

static int explain_list(const struct cli_args *args, struct cli_out *out)
{
    struct ds_buf b;
    struct ds_json j;
    if (args->format != CLI_TEXT) {
        start_json(args, &b, &j);
        ds_json_bugcheck_list(&j);
        return finish_json(out, &b);
    }
    ds_buf_init(&b, 1u << 22);
    for (size_t i = 0; i < ds_bugcheck_count(); i++) {
        const struct ds_bugcheck_doc *doc = ds_bugcheck_at(i);
        ds_buf_printf(&b, "0x%08x  %s%s\n", (unsigned)doc->code, doc->name,
                      doc->live ? "  (live dump)" : "");
    }
    cli_out_write(out, ds_buf_text(&b), b.len);
    ds_buf_deinit(&b);
    return cli_out_close(out, true, CLI_OK);
}

/* One line of an explanation, wrapped under its own indentation; rows of the sub-code table
 * under their text. Addresses of pages stay whole. */
static void write_line(struct ds_paper *p, const char *line)
{
    size_t indent = strspn(line, " ");
    size_t word = strcspn(line + indent, " ");
    char label[24];
    if (line[indent] == '\0') {
        ds_paper_blank(p);
    } else if (strstr(line, "://") != NULL) {
        ds_buf_printf(p->out, "%s\n", line);
    } else if (indent == 2 && line[2] == '0' && indent + word + 2 < sizeof(label)) {
        (void)snprintf(label, sizeof(label), "%.*s", (int)(indent + word), line);
        const char *text = line + indent + word;
        ds_paper_item(p, (unsigned)(indent + word + 2), DS_STYLE_PLAIN, label,
                      text + strspn(text, " "));
    } else {
        ds_paper_item(p, (unsigned)indent, DS_STYLE_PLAIN, "", line + indent);
    }
}

static void write_wrapped(struct cli_out *out, const char *text)
{
    struct ds_buf b;
    struct ds_paper p;
    ds_buf_init(&b, 1u << 22);
    ds_paper_init(&p, &b, false, 80);
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        struct ds_buf line;
        ds_buf_init(&line, 1u << 20);
        ds_buf_add(&line, text, n);
        write_line(&p, ds_buf_text(&line));
        ds_buf_deinit(&line);
        text += n + (text[n] == '\n');
    }
    cli_out_write(out, ds_buf_text(&b), b.len);
    ds_buf_deinit(&b);
}

static int explain_code(const struct cli_args *args, struct cli_out *out, uint32_t code)
{
    uint64_t params[4] = {0};
    unsigned known = 0;
    for (size_t i = 1; i < args->operand_count; i++) {
        if (!cli_parse_hex(args->operands[i], &params[i - 1])) {
            (void)cli_out_close(out, false, CLI_USAGE);
            return cli_usage_error(&cli_explain, "'%s' is not a hex number", args->operands[i]);
        }
        known |= 1u << (i - 1);
    }
    if (args->format != CLI_TEXT) {
        struct ds_buf b;
        struct ds_json j;
        start_json(args, &b, &j);
        ds_json_bugcheck(&j, code, params, known);
        return finish_json(out, &b);
    }
    char *text;
    enum ds_status s = ds_explain_bugcheck(code, params, known, &text);
    if (s != DS_OK && s != DS_NOT_FOUND) {
        cli_error_message(NULL, "%s", ds_status_text(s));
        return cli_out_close(out, false, CLI_INTERNAL);
    }
    write_wrapped(out, text);
    ds_string_free(text);
    return cli_out_close(out, true, CLI_OK);
}

static int explain_run(const struct cli_args *args)
{
    uint32_t code = 0;
    int rc = args->list ? CLI_OK : parse_code(args->operands[0], &code);
    struct cli_out out;
    if (rc == CLI_OK)
        rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    return args->list ? explain_list(args, &out) : explain_code(args, &out, code);
}

const struct cli_command cli_explain = {
    .name = "explain",
    .synopsis = "CODE [P1 [P2 [P3 [P4]]]]",
    .summary = "what a bugcheck and its parameters mean; needs no dump",
    .detail = "CODE is hexadecimal (0x7E, 7e, 1000007e) or a name (IRQL_NOT_LESS_OR_EQUAL).\n"
              "Parameters are hexadecimal too and may hold a backtick. --list names all codes.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_LIST,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL,
    .operands_min = 1,
    .operands_max = 5,
    .run = explain_run,
};
