/* Runs patterns: match, no match, cannot tell and why, or does not apply and why. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "facts/table.h"
#include "rules/applies.h"
#include "rules/parse.h"

#define TEXT_MAX (256u << 10) /* bytes of one message or explanation */

struct ds_findings {
    struct ds_arena arena;
    struct ds_finding *items;
    size_t count;
};

/* ---- rows to instances ---- */

struct collector {
    struct ds_findings *set;
    const struct ds_pattern *pattern;
    struct ds_instance *instances; /* DS_LIMIT_FINDING_ROWS */
    size_t count, dropped;
    bool out_of_memory;
};

static void render_cell(const struct ds_cell *c, struct ds_buf *out)
{
    switch (c->kind) {
    case DS_CELL_NULL:
        ds_buf_str(out, "unknown");
        break;
    case DS_CELL_INT:
        if (c->is_address)
            ds_buf_printf(out, "0x%llx", (unsigned long long)c->integer);
        else
            ds_buf_printf(out, "%lld", (long long)c->integer);
        break;
    case DS_CELL_REAL:
        ds_buf_printf(out, "%g", c->real);
        break;
    case DS_CELL_TEXT:
        ds_buf_str(out, c->text);
        break;
    }
}

static const struct ds_cell *cell_named(const struct ds_instance *in, const char *name, size_t len)
{
    for (size_t i = 0; i < in->evidence_count; i++)
        if (strlen(in->evidence[i].name) == len && memcmp(in->evidence[i].name, name, len) == 0)
            return &in->evidence[i].cell;
    return NULL;
}

static const char *fill_message(struct collector *c, const struct ds_instance *in)
{
    struct ds_buf out;
    ds_buf_init(&out, TEXT_MAX);
    const char *at = c->pattern->message;
    struct ds_placeholder ph;
    for (bool more = true; more;) {
        more = ds_message_next(&at, &ph);
        ds_buf_add(&out, ph.text_start, ph.text_len);
        const struct ds_cell *cell = more ? cell_named(in, ph.name, ph.name_len) : NULL;
        if (cell)
            render_cell(cell, &out);
    }
    const char *text = ds_arena_strdup(&c->set->arena, ds_buf_text(&out), out.len);
    ds_buf_deinit(&out);
    return text;
}

static bool copy_evidence(struct collector *c, size_t columns, const char *const *names,
                          const struct ds_cell *cells, struct ds_instance *in)
{
    struct ds_arena *arena = &c->set->arena;
    struct ds_evidence *e = ds_arena_alloc(arena, columns, sizeof(*e));
    if (e == NULL)
        return false;
    for (size_t i = 0; i < columns; i++) {
        e[i].cell = cells[i];
        e[i].name = ds_arena_strdup(arena, names[i], strlen(names[i]));
        if (cells[i].kind == DS_CELL_TEXT)
            e[i].cell.text = ds_arena_strdup(arena, cells[i].text, strlen(cells[i].text));
        if (e[i].name == NULL || (cells[i].kind == DS_CELL_TEXT && e[i].cell.text == NULL))
            return false;
    }
    in->evidence = e;
    in->evidence_count = columns;
    in->message = fill_message(c, in);
    return in->message != NULL;
}

static bool collect_row(size_t columns, const char *const *names, const struct ds_cell *cells,
                        void *arg)
{
    struct collector *c = arg;
    if (c->count == DS_LIMIT_FINDING_ROWS) {
        c->dropped++;
        return true;
    }
    if (!copy_evidence(c, columns, names, cells, &c->instances[c->count])) {
        c->out_of_memory = true;
        return false;
    }
    c->count++;
    return true;
}

/* ---- what the answer rests on ---- */

/* The first required table whose walk was cut short, or NULL. */
static const struct ds_walk *walk_cut(struct ds_facts *facts, const struct ds_pattern *p)
{
    for (size_t i = 0; i < p->requires_count; i++) {
        const struct ds_table_spec *table;
        const struct ds_column_spec *column;
        if (!ds_requirement_split(p->requires_[i], &table, &column))
            continue;
        const struct ds_walk *w = ds_facts_walk(facts, table->name);
        if (w && !w->complete)
            return w;
    }
    return NULL;
}

static void say_walk(const struct ds_walk *w, struct ds_buf *out)
{
    ds_buf_printf(out, "table %s is cut short: %llu rows, then %s", w->table_name,
                  (unsigned long long)w->rows, ds_status_name(w->stop_reason));
    if (w->stop_address.known)
        ds_buf_printf(out, " at 0x%llx", (unsigned long long)w->stop_address.value);
    if (w->detail && *w->detail)
        ds_buf_printf(out, " (%s)", w->detail);
}

static bool keep_two(size_t columns, const char *const *names, const struct ds_cell *cells,
                     void *arg)
{
    (void)names;
    int64_t *counts = arg;
    for (size_t i = 0; i < 2 && i < columns; i++)
        counts[i] = cells[i].integer;
    return false;
}

/* Says which required column has unknown values, if any. */
static bool say_unknown_column(struct ds_facts *facts, const struct ds_pattern *p,
                               struct ds_buf *out)
{
    for (size_t i = 0; i < p->requires_count; i++) {
        const struct ds_table_spec *table;
        const struct ds_column_spec *column;
        if (!ds_requirement_split(p->requires_[i], &table, &column) || column == NULL)
            continue;
        char sql[256];
        int64_t counts[2] = {0, 0};
        snprintf(sql, sizeof(sql), "SELECT count(*) - count(\"%s\"), count(*) FROM \"%s\"",
                 column->name, table->name);
        if (ds_facts_query(facts, sql, NULL, keep_two, counts, NULL) != DS_OK) {
            ds_buf_printf(out, "%s could not be examined", p->requires_[i]);
            return true;
        }
        if (counts[0] > 0) {
            ds_buf_printf(out, "%s is unknown", p->requires_[i]);
            if (counts[1] > 1)
                ds_buf_printf(out, " in %lld of %lld rows", (long long)counts[0],
                              (long long)counts[1]);
            return true;
        }
    }
    return false;
}

/* Rules above `low` do not rest on another build's structure layout. */
static bool layout_is_guess(struct ds_facts *facts, const struct ds_pattern *p)
{
    const struct ds_target *t = ds_nt_target(ds_facts_nt(facts));
    if (p->severity <= DS_SEV_LOW || t->layout == NULL ||
        ds_layout_trust(t->layout) > DS_TRUST_GUESS)
        return false;
    for (size_t i = 0; i < p->requires_count; i++) {
        const struct ds_table_spec *table;
        const struct ds_column_spec *column;
        if (ds_requirement_split(p->requires_[i], &table, &column) &&
            ds_table_needs_layout(table->name))
            return true;
    }
    return false;
}

/* ---- one pattern ---- */

static enum ds_status set_cannot_tell(struct ds_findings *set, struct ds_finding *f,
                                      struct ds_buf *why)
{
    f->outcome = DS_OUTCOME_CANNOT_TELL;
    f->cannot_tell = ds_arena_strdup(&set->arena, ds_buf_text(why), why->len);
    return f->cannot_tell ? DS_OK : DS_NO_MEMORY;
}

static enum ds_status decide(struct ds_findings *set, struct ds_facts *facts, struct ds_finding *f,
                             enum ds_status ran, const struct ds_err *error)
{
    const struct ds_walk *cut = walk_cut(facts, f->pattern);
    if (f->instance_count > 0) {
        f->outcome = DS_OUTCOME_MATCH;
        f->partial = cut != NULL || ran != DS_OK;
        return DS_OK;
    }
    struct ds_buf why;
    ds_buf_init(&why, TEXT_MAX);
    enum ds_status st = DS_OK;
    if (ran != DS_OK)
        ds_buf_printf(&why, "the query failed: %s", error->text);
    else if (cut)
        say_walk(cut, &why);
    if (why.len > 0 || say_unknown_column(facts, f->pattern, &why))
        st = set_cannot_tell(set, f, &why);
    else
        f->outcome = DS_OUTCOME_NO_MATCH;
    ds_buf_deinit(&why);
    return st;
}

static enum ds_status run_one(struct ds_findings *set, struct ds_facts *facts,
                              struct ds_instance *room, struct ds_finding *f)
{
    f->not_asked = ds_pattern_misfit(ds_facts_nt(facts), f->pattern);
    if (f->not_asked != NULL) {
        f->outcome = DS_OUTCOME_DOES_NOT_APPLY;
        return DS_OK;
    }
    if (layout_is_guess(facts, f->pattern)) {
        f->outcome = DS_OUTCOME_CANNOT_TELL;
        f->cannot_tell = "the structure layout is that of another build, too weak for this rule";
        return DS_OK;
    }
    struct collector c = {.set = set, .pattern = f->pattern, .instances = room};
    struct ds_err error = {0};
    enum ds_status ran = ds_facts_query(facts, f->pattern->query, NULL, collect_row, &c, &error);
    if (c.out_of_memory || ran == DS_NO_MEMORY)
        return DS_NO_MEMORY;
    if (c.count > 0) {
        struct ds_instance *kept = ds_arena_alloc(&set->arena, c.count, sizeof(*kept));
        if (kept == NULL)
            return DS_NO_MEMORY;
        memcpy(kept, room, c.count * sizeof(*kept));
        f->instances = kept;
        f->instance_count = c.count;
        f->instances_dropped = c.dropped;
    }
    return decide(set, facts, f, ran, &error);
}

/* Matches by severity, then cannot tell, no match, does not apply; by id within each. */
static int by_rank(const void *a, const void *b)
{
    const struct ds_finding *x = a, *y = b;
    static const int order[] = {[DS_OUTCOME_MATCH] = 0,
                                [DS_OUTCOME_CANNOT_TELL] = 1,
                                [DS_OUTCOME_NO_MATCH] = 2,
                                [DS_OUTCOME_DOES_NOT_APPLY] = 3};
    if (x->outcome != y->outcome)
        return order[x->outcome] - order[y->outcome];
    if (x->pattern->severity != y->pattern->severity)
        return (int)y->pattern->severity - (int)x->pattern->severity;
    return strcmp(x->pattern->id, y->pattern->id);
}

enum ds_status ds_findings_run(struct ds_facts *facts, const struct ds_patterns *patterns,
                               struct ds_findings **ret, struct ds_err *err)
{
    *ret = NULL;
    size_t count = ds_patterns_count(patterns);
    struct ds_findings *set = ds_alloc_array(1, sizeof(*set));
    DS_AUTO_FREE struct ds_instance *room = ds_alloc_array(DS_LIMIT_FINDING_ROWS, sizeof(*room));
    if (set == NULL || room == NULL) {
        free(set);
        return ds_err_set(err, DS_NO_MEMORY, "no memory for findings");
    }
    set->items = ds_arena_alloc(&set->arena, count ? count : 1, sizeof(*set->items));
    enum ds_status st = set->items ? DS_OK : DS_NO_MEMORY;
    for (size_t i = 0; st == DS_OK && i < count; i++) {
        set->items[i].pattern = ds_patterns_at(patterns, i);
        st = run_one(set, facts, room, &set->items[i]);
        set->count++;
    }
    if (st != DS_OK) {
        ds_findings_close(set);
        return ds_err_set(err, st, "no memory for findings");
    }
    qsort(set->items, set->count, sizeof(*set->items), by_rank);
    *ret = set;
    return DS_OK;
}

void ds_findings_close(struct ds_findings *f)
{
    if (f == NULL)
        return;
    ds_arena_deinit(&f->arena);
    free(f);
}

size_t ds_findings_count(const struct ds_findings *f)
{
    return f->count;
}

const struct ds_finding *ds_findings_at(const struct ds_findings *f, size_t index)
{
    return index < f->count ? &f->items[index] : NULL;
}
