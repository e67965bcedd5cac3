/* `dumpscan patterns list|show ID|check PATH...`. */
#include <string.h>

#include "cli/cli.h"
#include "report/paper.h"
#include "rules/rules.h"

static enum ds_status open_patterns(const struct cli_args *args, struct ds_patterns **p,
                                    struct ds_err *err)
{
    enum ds_status s = ds_patterns_open(p, err);
    for (size_t i = 0; s == DS_OK && i < args->pattern_count; i++) {
        s = ds_patterns_add_path(*p, args->patterns[i], err);
        if (s != DS_OK)
            ds_patterns_close(*p);
    }
    return s;
}

static void list_patterns(struct ds_paper *p, const struct ds_patterns *set)
{
    for (size_t i = 0; i < ds_patterns_count(set); i++) {
        const struct ds_pattern *one = ds_patterns_at(set, i);
        struct ds_buf label;
        ds_buf_init(&label, 4096);
        ds_buf_printf(&label, "%-30s %-8s", one->id, ds_severity_name(one->severity));
        ds_paper_item(p, 40, DS_STYLE_BOLD, ds_buf_text(&label), one->title);
        ds_buf_deinit(&label);
    }
}

static void show_list(struct ds_paper *p, const char *label, const char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ds_paper_field(p, i == 0 ? label : "", items[i]);
}

/* The query keeps its own lines. */
static void show_query(struct ds_paper *p, const char *query)
{
    for (bool first = true; *query != '\0' || first; first = false) {
        size_t n = strcspn(query, "\n");
        struct ds_buf line;
        ds_buf_init(&line, 1u << 20);
        ds_buf_add(&line, query, n);
        ds_paper_field(p, first ? "Query" : "", ds_buf_text(&line));
        ds_buf_deinit(&line);
        query += n + (query[n] == '\n');
    }
}

static void show_pattern(struct ds_paper *p, const struct ds_pattern *one)
{
    ds_paper_item(p, 0, DS_STYLE_BOLD, one->title, "");
    ds_paper_field(p, "Id", one->id);
    ds_paper_field(p, "Severity", ds_severity_name(one->severity));
    ds_paper_field(p, "From", one->origin);
    show_list(p, "Applies to", one->applies, one->applies_count);
    show_list(p, "Requires", one->requires_, one->requires_count);
    ds_paper_field(p, "Message", one->message);
    ds_paper_paragraphs(p, DS_PAPER_FIELD, "  Explanation",
                        one->explain != NULL ? one->explain : "");
    show_list(p, "Next steps", one->next_steps, one->next_step_count);
    show_list(p, "References", one->references, one->reference_count);
    show_query(p, one->query);
}

static void checked(const char *file, const struct ds_pattern *pattern, const char *problem,
                    void *arg)
{
    struct ds_paper *p = arg;
    if (pattern != NULL)
        ds_paper_rowf(p, DS_STYLE_GOOD, "ok    %s", file);
    else
        ds_paper_rowf(p, DS_STYLE_BAD, "wrong %s", file);
    if (pattern == NULL && problem != NULL)
        ds_paper_item_styled(p, 6, DS_STYLE_PLAIN, "", DS_STYLE_PLAIN, problem);
}

/* The built-in patterns were checked when they were loaded; here it is said. */
static int check_built_in(struct ds_paper *p)
{
    struct ds_patterns *set;
    struct ds_err err;
    if (ds_patterns_open(&set, &err) != DS_OK) {
        cli_error_message(NULL, "built-in patterns: %s", err.text);
        return CLI_INTERNAL;
    }
    for (size_t i = 0; i < ds_patterns_count(set); i++)
        ds_paper_rowf(p, DS_STYLE_GOOD, "ok    %s (built-in)", ds_patterns_at(set, i)->id);
    ds_patterns_close(set);
    return CLI_OK;
}

static int check_paths(const struct cli_args *args, struct ds_paper *p)
{
    int rc = args->operand_count == 1 ? check_built_in(p) : CLI_OK;
    for (size_t i = 1; i < args->operand_count; i++) {
        struct ds_err err = {.status = DS_OK};
        enum ds_status s = ds_patterns_check_path(args->operands[i], checked, p, &err);
        if (s == DS_OK)
            continue;
        cli_error_message(args->operands[i], "%s", err.text);
        rc = s == DS_NO_MEMORY || s == DS_IO ? CLI_INTERNAL : rc == CLI_INTERNAL ? rc : CLI_USAGE;
    }
    return rc;
}

static const struct ds_patterns *named_set; /* for cli_nearest, which takes no argument */

static const char *pattern_id(size_t index)
{
    return ds_patterns_at(named_set, index)->id;
}

static int list_or_show(const struct cli_args *args, struct ds_paper *p, bool show)
{
    struct ds_patterns *set;
    struct ds_err err;
    enum ds_status s = open_patterns(args, &set, &err);
    if (s != DS_OK) {
        cli_error_message(NULL, "%s", err.text);
        return s == DS_INVALID || s == DS_NOT_FOUND ? CLI_USAGE : CLI_INTERNAL;
    }
    int rc = CLI_OK;
    const struct ds_pattern *one = show ? ds_patterns_find(set, args->operands[1]) : NULL;
    if (!show) {
        list_patterns(p, set);
    } else if (one != NULL) {
        show_pattern(p, one);
    } else {
        named_set = set;
        const char *near = cli_nearest(args->operands[1], pattern_id, ds_patterns_count(set));
        rc = cli_usage_error(
            &cli_patterns, near != NULL ? "no pattern '%s'; did you mean '%s'?" : "no pattern '%s'",
            args->operands[1], near);
    }
    ds_patterns_close(set);
    return rc;
}

static int patterns_run(const struct cli_args *args)
{
    const char *what = args->operands[0];
    bool list = strcmp(what, "list") == 0, show = strcmp(what, "show") == 0;
    if (!list && !show && strcmp(what, "check") != 0)
        return cli_usage_error(&cli_patterns, "'patterns %s' is not list, show or check", what);
    if (list && args->operand_count > 1)
        return cli_usage_error(&cli_patterns, "'patterns list' takes no operand");
    if (show && args->operand_count != 2)
        return cli_usage_error(&cli_patterns, "'patterns show' needs one ID");
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    struct ds_buf b;
    struct ds_paper p;
    ds_buf_init(&b, 64u << 20);
    ds_paper_init(&p, &b, cli_wants_colour(args, &out), 80);
    rc = list || show ? list_or_show(args, &p, show) : check_paths(args, &p);
    cli_out_write(&out, ds_buf_text(&b), b.len);
    ds_buf_deinit(&b);
    return cli_out_close(&out, true, rc);
}

const struct cli_command cli_patterns = {
    .name = "patterns",
    .synopsis = "list | show ID | check [PATH...]",
    .summary = "list, show or check the patterns that findings come from",
    .detail = "list   all patterns with their severity\n"
              "show   everything about one pattern, with its query\n"
              "check  whether pattern files, or all *.json of folders, are well-formed; without\n"
              "       PATH, the built-in ones",
    .options = CLI_OPT_OUTPUT | CLI_OPT_PATTERNS,
    .formats = CLI_TEXT,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .run = patterns_run,
};
