/* A pattern file's JSON to a struct ds_pattern, strictly. Private to src/rules. */
#ifndef DS_RULES_PARSE_H
#define DS_RULES_PARSE_H

#include "base/mem.h"
#include "rules/rules.h"

/*
 * Parses the JSON text of one pattern; strings go into `arena`. `file` is for messages; the id
 * must be `name`. Refused with file and line: broken JSON, unknown, missing, repeated and empty
 * keys, wrong types, bad ids and severities. Errors: DS_INVALID, DS_NO_MEMORY.
 */
enum ds_status ds_pattern_parse(struct ds_arena *arena, const char *file, const char *name,
                                const char *text, size_t size, struct ds_pattern *ret,
                                struct ds_err *err) DS_MUST_CHECK;

/* The line (from 1) on which the key stands in the text; 1 when it does not. */
unsigned ds_pattern_line_of(const char *text, size_t size, const char *key);

/*
 * Checks what needs the table specification and the SQL compiler: `requires`, the query, and the
 * placeholders of the message. `facts` may be over no snapshot. Errors: DS_INVALID.
 */
enum ds_status ds_pattern_check(struct ds_facts *facts, const char *file, const char *text,
                                size_t size, const struct ds_pattern *pattern,
                                struct ds_err *err) DS_MUST_CHECK;

/* Splits "table.column" of `requires`: the table, and the column or NULL. False when unknown. */
bool ds_requirement_split(const char *requirement, const struct ds_table_spec **table,
                          const struct ds_column_spec **column);

/*
 * The next placeholder of a message from *at on: true with its name (not NUL-terminated) and *at
 * moved after it. Text before it is [*start, *brace).
 */
struct ds_placeholder {
    const char *text_start;
    size_t text_len;
    const char *name;
    size_t name_len;
};
bool ds_message_next(const char **at, struct ds_placeholder *ret);

#endif
