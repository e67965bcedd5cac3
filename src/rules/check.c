/* What a pattern says, against the tables and the SQL compiler. */
#include <string.h>

#include "base/err.h"
#include "rules/parse.h"

bool ds_requirement_split(const char *requirement, const struct ds_table_spec **table,
                          const struct ds_column_spec **column)
{
    char name[64];
    const char *dot = strchr(requirement, '.');
    size_t len = dot ? (size_t)(dot - requirement) : strlen(requirement);
    *column = NULL;
    if (len >= sizeof(name))
        return false;
    memcpy(name, requirement, len);
    name[len] = '\0';
    *table = ds_table_find(name);
    if (*table == NULL)
        return false;
    if (dot == NULL)
        return true;
    *column = ds_column_find(*table, dot + 1);
    return *column != NULL;
}

bool ds_message_next(const char **at, struct ds_placeholder *ret)
{
    const char *open = strchr(*at, '{');
    const char *close = open ? strchr(open, '}') : NULL;
    if (close == NULL) {
        *ret = (struct ds_placeholder){.text_start = *at, .text_len = strlen(*at)};
        *at += ret->text_len;
        return false;
    }
    *ret = (struct ds_placeholder){*at, (size_t)(open - *at), open + 1, (size_t)(close - open - 1)};
    *at = close + 1;
    return true;
}

#define MAX_COLUMNS 200 /* as SQLITE_LIMIT_COLUMN of the sandbox */
struct columns {
    char names[MAX_COLUMNS][64];
    size_t count;
};

static void keep_column(const char *name, void *arg)
{
    struct columns *c = arg;
    if (c->count == MAX_COLUMNS)
        return;
    size_t len = strlen(name);
    if (len >= sizeof(c->names[0]))
        len = sizeof(c->names[0]) - 1;
    memcpy(c->names[c->count], name, len);
    c->names[c->count++][len] = '\0';
}

static bool has_column(const struct columns *c, const char *name, size_t len)
{
    for (size_t i = 0; i < c->count; i++)
        if (strlen(c->names[i]) == len && memcmp(c->names[i], name, len) == 0)
            return true;
    return false;
}

static enum ds_status check_columns(const char *file, unsigned line, const struct columns *columns,
                                    const struct ds_pattern *p, struct ds_err *err)
{
    for (size_t i = 0; i < columns->count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(columns->names[i], columns->names[k]) == 0)
                return ds_err_set(err, DS_INVALID, "%s:%u: the query has two columns \"%s\"", file,
                                  line, columns->names[i]);
    if (p->verdict != NULL && !has_column(columns, "confidence", strlen("confidence")))
        return ds_err_set(err, DS_INVALID,
                          "%s:%u: a pattern with a verdict needs a column \"confidence\"", file,
                          line);
    if (p->stack_of != NULL && !has_column(columns, p->stack_of, strlen(p->stack_of)))
        return ds_err_set(err, DS_INVALID,
                          "%s:%u: \"stack_of\" names %.60s, which is no column of the query", file,
                          line, p->stack_of);
    const char *at = p->message;
    struct ds_placeholder ph;
    while (ds_message_next(&at, &ph))
        if (!has_column(columns, ph.name, ph.name_len))
            return ds_err_set(err, DS_INVALID,
                              "%s:%u: the message wants {%.*s}, which is no column of the query",
                              file, line, (int)(ph.name_len > 60 ? 60 : ph.name_len), ph.name);
    return DS_OK;
}

enum ds_status ds_pattern_check(struct ds_facts *facts, const char *file, const char *text,
                                size_t size, const struct ds_pattern *p, struct ds_err *err)
{
    for (size_t i = 0; i < p->requires_count; i++) {
        const struct ds_table_spec *table;
        const struct ds_column_spec *column;
        if (!ds_requirement_split(p->requires_[i], &table, &column))
            return ds_err_set(err, DS_INVALID, "%s:%u: requires unknown table or column \"%.60s\"",
                              file, ds_pattern_line_of(text, size, "requires"), p->requires_[i]);
    }
    struct columns *columns = ds_alloc_array(1, sizeof(*columns));
    if (columns == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "%s: no memory to check it", file);
    enum ds_status st = ds_facts_prepare(facts, p->query, keep_column, columns, err);
    if (st != DS_OK)
        ds_err_prepend(err, "%s:%u", file, ds_pattern_line_of(text, size, "query"));
    else
        st = check_columns(file, ds_pattern_line_of(text, size, "message"), columns, p, err);
    free(columns);
    return st;
}
