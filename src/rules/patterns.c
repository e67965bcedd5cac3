/* Sets of patterns: the compiled-in ones, and those of the user's folders. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/os.h"
#include "base/text.h"
#include "rules/builtin.h"
#include "rules/parse.h"

#define MAX_PATTERNS 4096 /* patterns of one set */

struct ds_patterns {
    struct ds_arena arena;
    struct ds_pattern **items; /* ascending by id */
    size_t count, cap;
    struct ds_facts *checker; /* facts over no snapshot, for the SQL compiler; on demand */
};

static enum ds_status no_memory(struct ds_err *err)
{
    return ds_err_set(err, DS_NO_MEMORY, "no memory for patterns");
}

enum ds_status ds_patterns_open_empty(struct ds_patterns **ret, struct ds_err *err)
{
    *ret = ds_alloc_array(1, sizeof(**ret));
    return *ret ? DS_OK : no_memory(err);
}

void ds_patterns_close(struct ds_patterns *p)
{
    if (p == NULL)
        return;
    ds_facts_close(p->checker);
    free(p->items);
    ds_arena_deinit(&p->arena);
    free(p);
}

size_t ds_patterns_count(const struct ds_patterns *p)
{
    return p->count;
}

const struct ds_pattern *ds_patterns_at(const struct ds_patterns *p, size_t index)
{
    return index < p->count ? p->items[index] : NULL;
}

const struct ds_pattern *ds_patterns_find(const struct ds_patterns *p, const char *id)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i]->id, id) == 0)
            return p->items[i];
    return NULL;
}

static enum ds_status set_insert(struct ds_patterns *p, const struct ds_pattern *pattern,
                                 struct ds_err *err)
{
    struct ds_pattern *copy = ds_arena_alloc(&p->arena, 1, sizeof(*copy));
    if (copy == NULL)
        return no_memory(err);
    *copy = *pattern;
    size_t i = 0;
    while (i < p->count && strcmp(p->items[i]->id, copy->id) < 0)
        i++;
    if (i < p->count && strcmp(p->items[i]->id, copy->id) == 0) {
        p->items[i] = copy;
        return DS_OK;
    }
    void *items = p->items;
    if (!ds_array_reserve(&items, &p->cap, p->count + 1, sizeof(*p->items), MAX_PATTERNS))
        return p->count == MAX_PATTERNS
                   ? ds_err_set(err, DS_LIMIT, "more than %d patterns", MAX_PATTERNS)
                   : no_memory(err);
    p->items = items;
    memmove(p->items + i + 1, p->items + i, (p->count - i) * sizeof(*p->items));
    p->items[i] = copy;
    p->count++;
    return DS_OK;
}

enum ds_status ds_patterns_open(struct ds_patterns **ret, struct ds_err *err)
{
    enum ds_status st = ds_patterns_open_empty(ret, err);
    for (size_t i = 0; st == DS_OK && i < ds_builtin_pattern_count; i++) {
        const struct ds_builtin_pattern *b = &ds_builtin_patterns[i];
        struct ds_pattern pattern;
        st = ds_pattern_parse(&(*ret)->arena, b->id, b->id, b->text, b->size, &pattern, err);
        pattern.origin = "built-in";
        if (st == DS_OK)
            st = set_insert(*ret, &pattern, err);
        else if (st == DS_INVALID)
            st = ds_err_set(err, DS_CORRUPT, "the built-in pattern %s cannot be read", b->id);
    }
    if (st != DS_OK) {
        ds_patterns_close(*ret);
        *ret = NULL;
    }
    return st;
}

/* Parses, checks and adds a pattern whose file is called `file` and whose id must be `name`. */
static enum ds_status add_checked(struct ds_patterns *p, const char *file, const char *name,
                                  const char *text, size_t size, struct ds_err *err)
{
    struct ds_pattern pattern;
    enum ds_status st = ds_pattern_parse(&p->arena, file, name, text, size, &pattern, err);
    if (st == DS_OK && p->checker == NULL)
        st = ds_facts_open(NULL, &p->checker, err);
    if (st == DS_OK)
        st = ds_pattern_check(p->checker, file, text, size, &pattern, err);
    if (st != DS_OK)
        return st;
    pattern.origin = ds_arena_strdup(&p->arena, file, strlen(file));
    return pattern.origin ? set_insert(p, &pattern, err) : no_memory(err);
}

enum ds_status ds_patterns_add_text(struct ds_patterns *p, const char *name, const char *text,
                                    size_t size, struct ds_err *err)
{
    return add_checked(p, name, name, text, size, err);
}

static enum ds_status file_load(struct ds_patterns *p, const char *path, struct ds_err *err)
{
    struct ds_os_file *f;
    enum ds_status st = ds_os_file_open(path, &f, err);
    if (st != DS_OK)
        return st;
    uint64_t size = ds_os_file_size(f);
    size_t got = 0;
    DS_AUTO_FREE char *text = size <= DS_LIMIT_PATTERN_FILE ? ds_alloc_array(size + 1, 1) : NULL;
    if (size > DS_LIMIT_PATTERN_FILE)
        st = ds_err_set(err, DS_INVALID, "%s: longer than %u bytes", path, DS_LIMIT_PATTERN_FILE);
    else if (text == NULL)
        st = no_memory(err);
    else
        st = ds_os_file_read_at(f, 0, text, (size_t)size, &got, err);
    ds_os_file_close(f);
    if (st != DS_OK)
        return st;
    char name[128];
    const char *base = ds_text_basename(path);
    size_t len = strlen(base);
    if (len > 5 && ds_text_casecmp(base + len - 5, ".json") == 0)
        len -= 5;
    snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name) - 1), base);
    return add_checked(p, path, name, text, got, err);
}

/* ---- folders ---- */

struct listing {
    char **names; /* full paths, malloc'ed */
    size_t count, cap;
    const char *folder;
    bool failed;
};

static bool listing_add(struct listing *l, const char *path)
{
    void *names = l->names;
    size_t size = strlen(path) + 1;
    char *copy = malloc(size);
    if (copy == NULL ||
        !ds_array_reserve(&names, &l->cap, l->count + 1, sizeof(*l->names), MAX_PATTERNS)) {
        free(copy);
        l->failed = true;
        return false;
    }
    memcpy(copy, path, size);
    l->names = names;
    l->names[l->count++] = copy;
    return true;
}

static bool listing_see(const char *name, void *arg)
{
    struct listing *l = arg;
    size_t len = strlen(name);
    if (len <= 5 || ds_text_casecmp(name + len - 5, ".json") != 0)
        return true;
    struct ds_buf path;
    ds_buf_init(&path, 64 << 10);
    ds_buf_printf(&path, "%s/%s", l->folder, name);
    bool ok = ds_buf_ok(&path) && listing_add(l, ds_buf_text(&path));
    ds_buf_deinit(&path);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void listing_deinit(struct listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->names[i]);
    free(l->names);
}

/* The pattern files of a folder, by name, or the one file. */
static enum ds_status listing_make(struct listing *l, const char *path, struct ds_err *err)
{
    *l = (struct listing){.folder = path};
    enum ds_status st = DS_OK;
    if (ds_os_path_kind(path) == DS_OS_PATH_FOLDER)
        st = ds_os_folder_list(path, listing_see, l, err);
    else
        listing_add(l, path);
    if (st == DS_OK && l->failed)
        st = no_memory(err);
    if (st == DS_OK && l->count == 0)
        st = ds_err_set(err, DS_NOT_FOUND, "%s: there is no *.json in this folder", path);
    if (st == DS_OK)
        qsort(l->names, l->count, sizeof(*l->names), by_name);
    return st;
}

enum ds_status ds_patterns_add_path(struct ds_patterns *p, const char *path, struct ds_err *err)
{
    struct listing l;
    enum ds_status st = listing_make(&l, path, err);
    for (size_t i = 0; st == DS_OK && i < l.count; i++)
        st = file_load(p, l.names[i], err);
    listing_deinit(&l);
    return st;
}

enum ds_status ds_patterns_check_path(const char *path, ds_pattern_check_fn *each, void *arg,
                                      struct ds_err *err)
{
    struct listing l = {0};
    struct ds_patterns *p;
    size_t bad = 0;
    enum ds_status st = ds_patterns_open_empty(&p, err);
    if (st != DS_OK)
        return st;
    st = listing_make(&l, path, err);
    for (size_t i = 0; st == DS_OK && i < l.count; i++) {
        struct ds_err why = {0};
        size_t before = p->count;
        enum ds_status one = file_load(p, l.names[i], &why);
        const struct ds_pattern *added = NULL;
        for (size_t k = 0; one == DS_OK && k < p->count; k++)
            if (strcmp(p->items[k]->origin, l.names[i]) == 0)
                added = p->items[k];
        if (one == DS_OK && p->count == before) /* two spellings of one name */
            added = NULL;
        each(l.names[i], added, added ? NULL : why.text[0] ? why.text : "its id is taken", arg);
        bad += added == NULL;
        if (one == DS_NO_MEMORY)
            st = ds_err_set(err, one, "%s", why.text);
    }
    if (st == DS_OK && bad)
        st = ds_err_set(err, DS_INVALID, "%llu of %llu pattern files are wrong",
                        (unsigned long long)bad, (unsigned long long)l.count);
    listing_deinit(&l);
    ds_patterns_close(p);
    return st;
}
