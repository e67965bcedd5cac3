#include "rules/parse.h"

#include <cJSON.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "rules/applies.h"

enum key_kind {
    KEY_TEXT,     /* a string */
    KEY_LINES,    /* a string, or strings that are joined by line breaks */
    KEY_LIST,     /* strings; may be empty */
    KEY_SEVERITY, /* a name of a severity */
    KEY_VERDICT,  /* a kind of culprit; may be missing */
    KEY_APPLIES,  /* conditions; may be missing */
    KEY_COLUMN,   /* a column of the query; may be missing */
};

struct key {
    const char *name;
    enum key_kind kind;
    size_t offset, count_offset;
};

#define TEXT_KEY(name, kind)                                                                       \
    {                                                                                              \
#name, kind, offsetof(struct ds_pattern, name), 0                                          \
    }
static const struct key keys[] = {
    TEXT_KEY(id, KEY_TEXT),
    TEXT_KEY(title, KEY_TEXT),
    TEXT_KEY(severity, KEY_SEVERITY),
    TEXT_KEY(verdict, KEY_VERDICT),
    TEXT_KEY(stack_of, KEY_COLUMN),
    {"applies", KEY_APPLIES, offsetof(struct ds_pattern, applies),
     offsetof(struct ds_pattern, applies_count)},
    {"requires", KEY_LIST, offsetof(struct ds_pattern, requires_),
     offsetof(struct ds_pattern, requires_count)},
    TEXT_KEY(query, KEY_LINES),
    TEXT_KEY(message, KEY_LINES),
    TEXT_KEY(explain, KEY_LINES),
    {"next_steps", KEY_LIST, offsetof(struct ds_pattern, next_steps),
     offsetof(struct ds_pattern, next_step_count)},
    {"references", KEY_LIST, offsetof(struct ds_pattern, references),
     offsetof(struct ds_pattern, reference_count)},
    {"tests", KEY_LIST, offsetof(struct ds_pattern, tests),
     offsetof(struct ds_pattern, test_count)},
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static bool optional(enum key_kind kind)
{
    return kind == KEY_VERDICT || kind == KEY_APPLIES || kind == KEY_COLUMN;
}

struct reader {
    struct ds_arena *arena;
    const char *file, *text;
    size_t size;
    struct ds_err *err;
};

static unsigned line_at(const char *text, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

unsigned ds_pattern_line_of(const char *text, size_t size, const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 0; i + len + 2 <= size; i++)
        if (text[i] == '"' && memcmp(text + i + 1, key, len) == 0 && text[i + 1 + len] == '"')
            return line_at(text, i);
    return 1;
}

static enum ds_status bad_key(struct reader *r, const char *key, const char *what)
{
    return ds_err_set(r->err, DS_INVALID, "%s:%u: \"%.60s\" %s", r->file,
                      ds_pattern_line_of(r->text, r->size, key), key, what);
}

/* cJSON follows nesting by recursion: refuse what nests deeper than any pattern needs, and bytes
 * that are not UTF-8, before it sees the text. */
static enum ds_status check_text(struct reader *r)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < r->size;) {
        uint32_t code;
        size_t step = ds_text_decode(r->text + i, r->size - i, &code);
        if (code == 0 || (code == 0xFFFD && step != 3))
            return ds_err_set(r->err, DS_INVALID, "%s:%u: byte %llu is not UTF-8 text", r->file,
                              line_at(r->text, i), (unsigned long long)i);
        char c = r->text[i];
        if (quoted && c == '\\')
            step = i + 1 < r->size ? 2 : 1;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{') && ++depth > DS_LIMIT_JSON_DEPTH)
            return ds_err_set(r->err, DS_INVALID, "%s:%u: nested too deeply", r->file,
                              line_at(r->text, i));
        else if (!quoted && (c == ']' || c == '}') && depth > 0)
            depth--;
        i += step;
    }
    return DS_OK;
}

static const char *copy_string(struct reader *r, const char *s)
{
    return ds_arena_strdup(r->arena, s, strlen(s));
}

static enum ds_status read_lines(struct reader *r, const struct key *k, const cJSON *v,
                                 const char **ret)
{
    if (cJSON_IsString(v)) {
        *ret = copy_string(r, v->valuestring);
    } else if (cJSON_IsArray(v) && k->kind == KEY_LINES) {
        struct ds_buf b;
        ds_buf_init(&b, DS_LIMIT_PATTERN_FILE);
        const cJSON *e;
        cJSON_ArrayForEach(e, v)
        {
            if (!cJSON_IsString(e)) {
                ds_buf_deinit(&b);
                return bad_key(r, k->name, "must hold strings only");
            }
            if (b.len)
                ds_buf_char(&b, '\n');
            ds_buf_str(&b, e->valuestring);
        }
        *ret = ds_buf_ok(&b) ? ds_arena_strdup(r->arena, ds_buf_text(&b), b.len) : NULL;
        ds_buf_deinit(&b);
    } else {
        return bad_key(r, k->name,
                       k->kind == KEY_LINES ? "must be a string or a list of lines"
                                            : "must be a string");
    }
    if (*ret == NULL)
        return ds_err_set(r->err, DS_NO_MEMORY, "%s: no memory for the pattern", r->file);
    return **ret ? DS_OK : bad_key(r, k->name, "must not be empty");
}

static enum ds_status read_list(struct reader *r, const struct key *k, const cJSON *v,
                                const char *const **ret, size_t *count)
{
    if (!cJSON_IsArray(v))
        return bad_key(r, k->name, "must be a list of strings");
    size_t n = (size_t)cJSON_GetArraySize(v);
    const char **list = ds_arena_alloc(r->arena, n ? n : 1, sizeof(*list));
    if (list == NULL)
        return ds_err_set(r->err, DS_NO_MEMORY, "%s: no memory for the pattern", r->file);
    size_t i = 0;
    const cJSON *e;
    cJSON_ArrayForEach(e, v)
    {
        if (!cJSON_IsString(e) || *e->valuestring == '\0')
            return bad_key(r, k->name, "must hold strings only, none of them empty");
        list[i] = copy_string(r, e->valuestring);
        if (list[i++] == NULL)
            return ds_err_set(r->err, DS_NO_MEMORY, "%s: no memory for the pattern", r->file);
    }
    *ret = list;
    *count = n;
    return DS_OK;
}

/* A list like the others, of the conditions of applies.h. */
static enum ds_status read_applies(struct reader *r, const struct key *k, const cJSON *v,
                                   struct ds_pattern *p)
{
    enum ds_status st = read_list(r, k, v, &p->applies, &p->applies_count);
    if (st == DS_OK && p->applies_count == 0)
        return bad_key(r, k->name, "must name a condition");
    for (size_t i = 0; st == DS_OK && i < p->applies_count; i++)
        if (!ds_condition_known(p->applies[i]))
            return bad_key(r, k->name,
                           "may hold memory, kernel-memory, crash, live-dump, x86, x64, arm64, "
                           "bugcheck-0x... and build-N+ only");
    return st;
}

/* The name as a static text; NULL when it is none. */
static const char *verdict_named(const char *name)
{
    static const char *const names[] = {"hardware", "memory-corruption", "exhaustion", "hang"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return names[i];
    return NULL;
}

static enum ds_status read_key(struct reader *r, const struct key *k, const cJSON *v,
                               struct ds_pattern *p)
{
    char *base = (char *)p;
    switch (k->kind) {
    case KEY_TEXT:
    case KEY_COLUMN:
    case KEY_LINES:
        return read_lines(r, k, v, (const char **)(void *)(base + k->offset));
    case KEY_LIST:
        return read_list(r, k, v, (const char *const **)(void *)(base + k->offset),
                         (size_t *)(void *)(base + k->count_offset));
    case KEY_SEVERITY:
        if (!cJSON_IsString(v) || !ds_severity_parse(v->valuestring, &p->severity))
            return bad_key(r, k->name, "must be info, low, medium, high or critical");
        return DS_OK;
    case KEY_VERDICT:
        p->verdict = cJSON_IsString(v) ? verdict_named(v->valuestring) : NULL;
        return p->verdict != NULL
                   ? DS_OK
                   : bad_key(r, k->name, "must be hardware, memory-corruption, exhaustion or hang");
    case KEY_APPLIES:
        return read_applies(r, k, v, p);
    }
    return DS_INVALID;
}

static enum ds_status check_id(struct reader *r, const char *id, const char *name)
{
    for (const char *c = id; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || (*c == '-' && c != id)))
            return bad_key(r, "id", "may hold lower-case letters, digits and inner dashes only");
    if (strlen(id) > 64)
        return bad_key(r, "id", "must not be longer than 64 characters");
    if (strcmp(id, name) != 0)
        return bad_key(r, "id", "must be the file's name without .json");
    return DS_OK;
}

static enum ds_status read_object(struct reader *r, const cJSON *root, const char *name,
                                  struct ds_pattern *ret)
{
    bool seen[KEYS] = {false};
    if (!cJSON_IsObject(root))
        return ds_err_set(r->err, DS_INVALID, "%s:1: a pattern is a JSON object", r->file);
    const cJSON *v;
    cJSON_ArrayForEach(v, root)
    {
        size_t i = 0;
        while (i < KEYS && strcmp(keys[i].name, v->string) != 0)
            i++;
        if (i == KEYS)
            return bad_key(r, v->string, "is not a key of a pattern");
        if (seen[i])
            return bad_key(r, v->string, "stands twice");
        seen[i] = true;
        enum ds_status st = read_key(r, &keys[i], v, ret);
        if (st != DS_OK)
            return st;
    }
    for (size_t i = 0; i < KEYS; i++)
        if (!seen[i] && !optional(keys[i].kind))
            return ds_err_set(r->err, DS_INVALID, "%s:1: \"%s\" is missing", r->file, keys[i].name);
    if (ret->requires_count == 0)
        return bad_key(r, "requires", "must name a table");
    return check_id(r, ret->id, name);
}

enum ds_status ds_pattern_parse(struct ds_arena *arena, const char *file, const char *name,
                                const char *text, size_t size, struct ds_pattern *ret,
                                struct ds_err *err)
{
    struct reader r = {arena, file, text, size, err};
    *ret = (struct ds_pattern){0};
    if (size > DS_LIMIT_PATTERN_FILE)
        return ds_err_set(err, DS_INVALID, "%s: longer than %u bytes", file, DS_LIMIT_PATTERN_FILE);
    enum ds_status st = check_text(&r);
    if (st != DS_OK)
        return st;
    const char *end = NULL;
    DS_AUTO_FREE char *copy = ds_alloc_array((uint64_t)size + 1, 1);
    if (copy == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "%s: no memory to read it", file);
    memcpy(copy, text, size);
    cJSON *root = cJSON_ParseWithLengthOpts(copy, size + 1, &end, 1);
    if (root == NULL) {
        size_t at = end && end >= copy ? (size_t)(end - copy) : 0;
        if (at > size)
            at = size;
        return ds_err_set(err, DS_INVALID, "%s:%u: not JSON at byte %llu", file, line_at(text, at),
                          (unsigned long long)at);
    }
    st = read_object(&r, root, name, ret);
    cJSON_Delete(root);
    return st;
}
