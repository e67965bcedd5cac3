/* argv to struct cli_args: options before or after operands, "--", "--name=value". */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

struct parser {
    int argc, next;
    char **argv;
    struct cli_args *args;
    bool only_operands; /* after "--" */
};

const struct cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    return NULL;
}

static const char *option_name(size_t index)
{
    return cli_options[index].name;
}

static int unknown_option(const char *word, const char *name)
{
    const char *near = cli_nearest(name, option_name, cli_option_count);
    if (near != NULL)
        return cli_usage_error(NULL, "unknown option %s; did you mean --%s?", word, near);
    return cli_usage_error(NULL, "unknown option %s", word);
}

static int set_format(struct cli_args *a, const char *value)
{
    static const char *const names[] = {"text", "json", "jsonl", "csv"};
    for (unsigned i = 0; i < 4; i++) {
        if (strcmp(value, names[i]) == 0) {
            a->format = (enum cli_format)(1u << i);
            return CLI_OK;
        }
    }
    return cli_usage_error(NULL, "unknown format '%s': text, json, jsonl or csv", value);
}

static int set_colour(struct cli_args *a, const char *value)
{
    if (strcmp(value, "auto") == 0)
        a->colour = CLI_COLOUR_AUTO;
    else if (strcmp(value, "always") == 0)
        a->colour = CLI_COLOUR_ALWAYS;
    else if (strcmp(value, "never") == 0)
        a->colour = CLI_COLOUR_NEVER;
    else
        return cli_usage_error(NULL, "--color is auto, always or never, not '%s'", value);
    return CLI_OK;
}

static int set_max_inflated(struct cli_args *a, const char *value)
{
    if (!cli_parse_size(value, &a->max_inflated) || a->max_inflated == 0)
        return cli_usage_error(NULL, "--max-inflated is a size such as 500M or 64G, not '%s'",
                               value);
    return CLI_OK;
}

static int set_number(const struct cli_option *o, const char *value, uint64_t *ret)
{
    char *end;
    *ret = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end != '\0' || *ret > UINT32_MAX)
        return cli_usage_error(NULL, "--%s wants a decimal number, not '%s'", o->name, value);
    return CLI_OK;
}

static int set_address(const struct cli_option *o, const char *value, struct ds_opt *ret)
{
    uint64_t address;
    if (!cli_parse_hex(value, &address))
        return cli_usage_error(NULL, "--%s wants a %s address in hexadecimal, not '%s'", o->name,
                               o->bit == CLI_OPT_DTB ? "physical" : "virtual", value);
    *ret = ds_opt_known(address);
    return CLI_OK;
}

static int set_option(struct cli_args *a, const struct cli_option *o, const char *value)
{
    a->given |= o->bit;
    switch (o->bit) {
    case CLI_OPT_FORMAT:
        return set_format(a, value);
    case CLI_OPT_OUTPUT:
        a->output = value;
        return CLI_OK;
    case CLI_OPT_PATTERNS:
        if (a->pattern_count == CLI_PATTERNS_MAX)
            return cli_usage_error(NULL, "more than %d --patterns", CLI_PATTERNS_MAX);
        a->patterns[a->pattern_count++] = value;
        return CLI_OK;
    case CLI_OPT_SYMBOLS:
        a->symbols = value;
        return CLI_OK;
    case CLI_OPT_FAIL_ON:
        a->fail_on_set = true;
        if (!ds_severity_parse(value, &a->fail_on))
            return cli_usage_error(
                NULL, "unknown severity '%s': info, low, medium, high or critical", value);
        return CLI_OK;
    case CLI_OPT_VERBOSE:
        a->verbose = true;
        return CLI_OK;
    case CLI_OPT_LIST:
        a->list = true;
        return CLI_OK;
    case CLI_OPT_PROCESS:
        a->process = value;
        return CLI_OK;
    case CLI_OPT_TYPE:
        a->type = value;
        return CLI_OK;
    case CLI_OPT_PHYSICAL:
        a->physical = true;
        return CLI_OK;
    case CLI_OPT_BINARY:
        a->binary = true;
        return CLI_OK;
    case CLI_OPT_VIRTUAL:
        a->virtual_map = true;
        return CLI_OK;
    case CLI_OPT_DTB:
        a->dtb = value;
        return set_address(o, value, &a->dtb_value);
    case CLI_OPT_RAW:
        a->raw_memory = true;
        return CLI_OK;
    case CLI_OPT_KERNEL_BASE:
        return set_address(o, value, &a->kernel_base);
    case CLI_OPT_KDBG:
        return set_address(o, value, &a->kdbg);
    case CLI_OPT_FIND:
        a->find = value;
        return CLI_OK;
    case CLI_OPT_PROCESSOR:
        return set_number(o, value, &a->processor);
    case CLI_OPT_DEPTH:
        return set_number(o, value, &a->depth);
    case CLI_OPT_FORM:
        a->form = value;
        return CLI_OK;
    case CLI_OPT_INFLATED:
        return set_max_inflated(a, value);
    default:
        break;
    }
    if (o->value != NULL)
        return set_colour(a, value);
    a->help = a->help || o->letter == 'h';
    a->version = a->version || o->letter == 'V';
    return CLI_OK;
}

/* "--name", "--name=value", "--name value". */
static int parse_long(struct parser *p, const char *word)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    for (size_t i = 0; i < cli_option_count; i++) {
        const struct cli_option *o = &cli_options[i];
        if (strncmp(o->name, name, len) != 0 || o->name[len] != '\0')
            continue;
        if (o->value == NULL && value != NULL)
            return cli_usage_error(NULL, "--%s takes no value", o->name);
        if (o->value != NULL && value == NULL) {
            if (p->next == p->argc)
                return cli_usage_error(NULL, "--%s needs %s", o->name, o->value);
            value = p->argv[p->next++];
        }
        return set_option(p->args, o, value);
    }
    return unknown_option(word, name);
}

/* "-v", "-fjson", "-f json", "-vf json". */
static int parse_short(struct parser *p, const char *word)
{
    for (const char *c = word + 1; *c != '\0'; c++) {
        const struct cli_option *o = NULL;
        for (size_t i = 0; i < cli_option_count && o == NULL; i++)
            if (cli_options[i].letter == *c)
                o = &cli_options[i];
        if (o == NULL)
            return unknown_option(word, word + 1);
        const char *value = NULL;
        if (o->value != NULL && c[1] != '\0')
            value = c + 1;
        else if (o->value != NULL && p->next == p->argc)
            return cli_usage_error(NULL, "-%c needs %s", *c, o->value);
        else if (o->value != NULL)
            value = p->argv[p->next++];
        int rc = set_option(p->args, o, value);
        if (rc != CLI_OK || o->value != NULL)
            return rc;
    }
    return CLI_OK;
}

/* "-" is stdin and "-5" a number; both are operands. */
static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9');
}

static int parse_words(struct parser *p)
{
    while (p->next < p->argc) {
        const char *word = p->argv[p->next++];
        int rc = CLI_OK;
        if (p->only_operands || !is_option(word))
            p->args->operands[p->args->operand_count++] = word;
        else if (strcmp(word, "--") == 0)
            p->only_operands = true;
        else if (word[1] == '-')
            rc = parse_long(p, word);
        else
            rc = parse_short(p, word);
        if (rc != CLI_OK)
            return rc;
    }
    return CLI_OK;
}

static int check_command(const struct cli_args *a, const struct cli_command *c)
{
    unsigned allowed = c->options | CLI_OPT_EVERYWHERE;
    /* Every command that looks for symbols opens dumps, which may come in archives. */
    if (c->options & CLI_OPT_SYMBOLS)
        allowed |= CLI_OPT_INFLATED;
    unsigned wrong = a->given & ~allowed;
    for (size_t i = 0; i < cli_option_count; i++)
        if (wrong & cli_options[i].bit)
            return cli_usage_error(c, "--%s does not go with '%s'", cli_options[i].name, c->name);
    if ((a->given & CLI_OPT_FORMAT) && !(c->formats & (unsigned)a->format))
        return cli_usage_error(c, "'%s' does not write that format", c->name);
    if (a->operand_count < c->operands_min && !a->list)
        return cli_usage_error(c, "'%s' needs %s", c->name, c->synopsis);
    if (a->operand_count > c->operands_max)
        return cli_usage_error(c, "too many operands, from '%s' on", a->operands[c->operands_max]);
    return CLI_OK;
}

int cli_parse(int argc, char **argv, struct cli_args *args, const struct cli_command **command)
{
    *args = (struct cli_args){.format = CLI_TEXT};
    *command = NULL;
    args->operands = calloc((size_t)argc + 1, sizeof(*args->operands));
    if (args->operands == NULL) {
        cli_error_message(NULL, "out of memory");
        return CLI_INTERNAL;
    }
    struct parser p = {.argc = argc, .next = 1, .argv = argv, .args = args};
    int rc = parse_words(&p);
    if (rc != CLI_OK)
        return rc;
    if (args->operand_count > 0)
        *command = cli_command_find(args->operands[0]);
    if (*command != NULL) {
        args->operand_count--;
        memmove(args->operands, args->operands + 1, args->operand_count * sizeof(*args->operands));
    }
    if (args->help || args->version)
        return CLI_OK;
    if (*command == NULL)
        *command = &cli_analyze;
    return check_command(args, *command);
}

void cli_args_deinit(struct cli_args *args)
{
    free((void *)args->operands);
    args->operands = NULL;
}
