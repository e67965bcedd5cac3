/*
 * What is allocated by pool tag: _POOL_TRACKER_TABLE entries in PoolTrackTable, the expansion that
 * takes what it has no room for, and since Server 2003 one table for each processor
 * (ExPoolTagTables, whose first is PoolTrackTable). A block may be freed on another processor than
 * it was allocated on, so that only the sum over all tables says what is in use.
 */
#include <string.h>

#include "nt/vm_impl.h"

#define FIRST_BUILD_PER_PROCESSOR 3790u

enum { KEY, NP_ALLOCS, NP_FREES, NP_BYTES, P_ALLOCS, P_FREES, P_BYTES, FIELDS };
static const char *const field_names[FIELDS] = {"Key",           "NonPagedAllocs", "NonPagedFrees",
                                                "NonPagedBytes", "PagedAllocs",    "PagedFrees",
                                                "PagedBytes"};

struct sum {
    uint32_t tag;
    uint64_t value[FIELDS];
};

struct tags {
    struct ds_nt *nt;
    struct ds_walk *walk;
    struct ds_field field[FIELDS];
    uint32_t size;
    struct sum *sums; /* owned */
    size_t count, cap;
    uint64_t looked_at; /* entries of all tables */
    uint32_t tables;
};

static enum ds_status resolve(struct tags *g)
{
    const struct ds_target *t = g->nt->target;
    for (size_t i = 0; i < FIELDS; i++) {
        enum ds_status s =
            ds_target_member(t, "_POOL_TRACKER_TABLE", field_names[i], &g->field[i], NULL);
        if (s != DS_OK)
            return s;
    }
    enum ds_status s = ds_target_size(t, "_POOL_TRACKER_TABLE", &g->size);
    return s == DS_OK && g->size == 0 ? DS_NO_FIELD : s;
}

static bool read_entry(struct tags *g, uint64_t va, struct sum *ret)
{
    for (size_t i = 0; i < FIELDS; i++) {
        struct ds_opt o = ds_target_read_member(g->nt->target, va, &g->field[i]);
        if (!o.known) {
            ds_walk_stop(g->walk, o.why, ds_opt_known(va), "a table of pool tags cannot be read");
            return false;
        }
        ret->value[i] = o.value;
        if (i == KEY && (o.value & UINT32_MAX) == 0)
            break;
    }
    ret->tag = (uint32_t)ret->value[KEY];
    return true;
}

static bool keep(struct tags *g, const struct sum *s)
{
    void *array = g->sums;
    if (!ds_array_reserve(&array, &g->cap, g->count + 1, sizeof(*g->sums),
                          DS_ROWS_MAX(struct sum, DS_LIMIT_POOL_TAGS))) {
        ds_walk_stop(g->walk, DS_LIMIT, ds_opt_unknown(DS_OK), "too many entries of pool tags");
        return false;
    }
    g->sums = array;
    g->sums[g->count++] = *s;
    return true;
}

/* Reads what can be read: a page that is missing costs its entries only. */
static void add_table(struct tags *g, uint64_t va, uint64_t entries)
{
    g->tables++;
    for (uint64_t i = 0; i < entries; i++) {
        struct sum s = {0};
        if (g->looked_at++ >= DS_LIMIT_POOL_TAGS) {
            ds_walk_stop(g->walk, DS_LIMIT, ds_opt_known(va), "too many entries of pool tags");
            return;
        }
        if (va > UINT64_MAX - (i + 1) * g->size)
            return;
        if (read_entry(g, va + i * g->size, &s) && s.tag != 0 && !keep(g, &s))
            return;
    }
}

static struct ds_opt pointer(const struct tags *g, const char *name, uint64_t index)
{
    unsigned p = g->nt->target->pointer_size;
    return ds_vm_global(g->nt->target, name, index * p, p, NULL);
}

static struct ds_opt table_size(struct tags *g, const char *name)
{
    struct ds_opt n = pointer(g, name, 0);
    if (n.known && n.value > DS_LIMIT_POOL_TAGS) {
        ds_walk_stop(g->walk, DS_CORRUPT, ds_opt_unknown(DS_OK),
                     "the stated size of a table of pool tags cannot be");
        return ds_opt_unknown(DS_CORRUPT);
    }
    return n;
}

static bool one_table_only(struct tags *g)
{
    const struct ds_target *t = g->nt->target;
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    return (t->build.known && t->build.value < FIRST_BUILD_PER_PROCESSOR) ||
           (h->processor_count.known && h->processor_count.value == 1);
}

static void processor_tables(struct tags *g, uint64_t first, uint64_t entries)
{
    struct ds_opt at = pointer(g, "ExPoolTagTables", 0);
    if (!at.known || at.value != first) {
        add_table(g, first, entries);
        if (!one_table_only(g))
            ds_walk_stop(g->walk, at.known ? DS_CORRUPT : at.why, ds_opt_unknown(DS_OK),
                         "the tables of the other processors are not known");
        return;
    }
    for (uint64_t i = 0; i < DS_LIMIT_POOL_TABLES && at.known && at.value != 0; i++) {
        if (!ds_target_is_kernel_va(g->nt->target, at.value))
            break;
        add_table(g, at.value, entries);
        at = pointer(g, "ExPoolTagTables", i + 1);
    }
}

static void expansion(struct tags *g)
{
    struct ds_opt at = pointer(g, "PoolTrackTableExpansion", 0);
    struct ds_opt size = table_size(g, "PoolTrackTableExpansionSize");
    if (at.known && at.value != 0 && size.known)
        add_table(g, at.value, size.value);
}

static int by_tag(const void *a, const void *b)
{
    const struct sum *first = a, *second = b;
    uint32_t x = __builtin_bswap32(first->tag), y = __builtin_bswap32(second->tag);
    return (x > y) - (x < y);
}

/* Adds entries of the same tag up; the rest is left behind. */
static void merge(struct tags *g)
{
    size_t n = 0;
    if (g->count != 0)
        qsort(g->sums, g->count, sizeof(*g->sums), by_tag);
    for (size_t i = 0; i < g->count; i++) {
        if (n == 0 || g->sums[n - 1].tag != g->sums[i].tag) {
            g->sums[n++] = g->sums[i];
            continue;
        }
        for (size_t k = 1; k < FIELDS; k++)
            g->sums[n - 1].value[k] += g->sums[i].value[k];
    }
    g->count = n;
}

/* A sum wraps as its counters do. */
static uint64_t wrapped(const struct tags *g, unsigned field, uint64_t value)
{
    return g->field[field].size == 4 ? value & UINT32_MAX : value;
}

static struct ds_opt in_use(const struct tags *g, const struct sum *s, unsigned allocs,
                            unsigned frees)
{
    uint64_t n = wrapped(g, allocs, s->value[allocs] - s->value[frees]);
    uint64_t sign = g->field[allocs].size == 4 ? UINT64_C(1) << 31 : UINT64_C(1) << 63;
    return (n & sign) == 0 ? ds_opt_known(n) : ds_opt_unknown(DS_CORRUPT);
}

static void tag_text(uint32_t tag, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < 4; i++) {
        uint8_t c = (uint8_t)(tag >> 8 * i);
        c = i == 3 ? c & 0x7f : c; /* the top bit marks protected blocks (wdm.h) */
        if (c >= ' ' && c < 0x7f) {
            *out++ = (char)c;
        } else {
            *out++ = '\\';
            *out++ = 'x';
            *out++ = digits[c >> 4];
            *out++ = digits[c & 15];
        }
    }
    *out = '\0';
}

static void finish(struct tags *g, struct ds_nt_vm *v)
{
    bool whole = g->walk->stop_reason == DS_OK;
    enum ds_status why = g->walk->stop_reason;
    v->tag_rows = g->count != 0 ? ds_alloc_array(g->count, sizeof(*v->tag_rows)) : NULL;
    if (v->tag_rows == NULL)
        return;
    for (size_t i = 0; i < g->count; i++) {
        const struct sum *s = &g->sums[i];
        struct ds_pool_tag *row = &v->tag_rows[i];
        row->tag = s->tag;
        tag_text(s->tag, row->text);
        row->nonpaged_allocs = ds_opt_known(wrapped(g, NP_ALLOCS, s->value[NP_ALLOCS]));
        row->nonpaged_frees = ds_opt_known(wrapped(g, NP_FREES, s->value[NP_FREES]));
        row->paged_allocs = ds_opt_known(wrapped(g, P_ALLOCS, s->value[P_ALLOCS]));
        row->paged_frees = ds_opt_known(wrapped(g, P_FREES, s->value[P_FREES]));
        row->nonpaged_bytes =
            whole ? ds_opt_known(wrapped(g, NP_BYTES, s->value[NP_BYTES])) : ds_opt_unknown(why);
        row->paged_bytes =
            whole ? ds_opt_known(wrapped(g, P_BYTES, s->value[P_BYTES])) : ds_opt_unknown(why);
        row->nonpaged_in_use = whole ? in_use(g, s, NP_ALLOCS, NP_FREES) : ds_opt_unknown(why);
        row->paged_in_use = whole ? in_use(g, s, P_ALLOCS, P_FREES) : ds_opt_unknown(why);
    }
    v->tags.rows = v->tag_rows;
    v->tags.count = g->count;
}

static void fill(struct ds_nt *nt, struct ds_nt_vm *v)
{
    struct tags g = {.nt = nt, .walk = &v->tags.walk};
    const struct ds_target *t = nt->target;
    if (t->kernel == NULL || ds_dump_triage(t->dump) != NULL) {
        v->tags.walk = ds_walk_none("pool_tags", t->kernel == NULL ? t->kernel_why : DS_NOT_IN_DUMP,
                                    "the table of pool tags is not kept");
        return;
    }
    if (resolve(&g) != DS_OK) {
        v->tags.walk = ds_walk_none("pool_tags", DS_NO_FIELD, "no layout of _POOL_TRACKER_TABLE");
        return;
    }
    v->tags.walk = (struct ds_walk){.table_name = "pool_tags",
                                    .complete = true,
                                    .stop_address = ds_opt_unknown(DS_OK),
                                    .detail = ""};
    struct ds_opt first = pointer(&g, "PoolTrackTable", 0);
    struct ds_opt entries = table_size(&g, "PoolTrackTableSize");
    if (!first.known)
        ds_walk_stop(g.walk, first.why, ds_opt_unknown(DS_OK), "PoolTrackTable is not known");
    else if (!entries.known)
        ds_walk_stop(g.walk, entries.why, ds_opt_unknown(DS_OK), "PoolTrackTableSize is not known");
    else
        processor_tables(&g, first.value, entries.value);
    if (first.known && entries.known)
        expansion(&g);
    merge(&g);
    finish(&g, v);
    v->tags.tables = g.tables;
    v->tags.walk.rows = v->tags.count;
    free(g.sums);
}

const struct ds_pool_tags *ds_nt_pool_tags(struct ds_nt *nt)
{
    static const struct ds_pool_tags none = {
        .walk = {.table_name = "pool_tags", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    struct ds_nt_vm *v = ds_nt_vm_state(nt);
    if (v == NULL)
        return &none;
    if (!v->have_tags) {
        v->have_tags = true;
        fill(nt, v);
    }
    return &v->tags;
}
