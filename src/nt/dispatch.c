/* What the walks of DPCs, timers, ready threads and work queues have in common. */
#include <stdlib.h>

#include "nt/dispatch_impl.h"

struct ds_place ds_place_of(const struct ds_target *t, const char *type, const char *member)
{
    struct ds_place p = {.status = DS_OK};
    p.status = ds_target_member(t, type, member, &p.field, NULL);
    return p;
}

struct ds_opt ds_place_read(const struct ds_target *t, uint64_t va, const struct ds_place *p)
{
    return p->status == DS_OK ? ds_target_read_member(t, va, &p->field) : ds_opt_unknown(p->status);
}

struct ds_nt_dispatch *ds_nt_dispatch_get(struct ds_nt *nt)
{
    if (nt->dispatch == NULL)
        nt->dispatch = calloc(1, sizeof(*nt->dispatch));
    return nt->dispatch;
}

bool ds_dispatch_room(void **rows, size_t *cap, size_t count, size_t size, size_t limit,
                      struct ds_walk *walk)
{
    if (ds_array_reserve(rows, cap, count + 1, size, limit))
        return true;
    ds_walk_stop(walk, count >= limit ? DS_LIMIT : DS_NO_MEMORY, ds_opt_unknown(DS_OK), "");
    return false;
}

struct collector {
    struct ds_entries *entries;
    size_t limit;
    bool failed;
};

static bool collect(uint64_t entry, void *arg)
{
    struct collector *c = arg;
    void *array = c->entries->at;
    c->failed = !ds_array_reserve(&array, &c->entries->cap, c->entries->count + 1, sizeof(uint64_t),
                                  c->limit);
    if (c->failed)
        return false;
    c->entries->at = array;
    c->entries->at[c->entries->count++] = entry;
    return true;
}

void ds_entries_walk_single(struct ds_entries *e, struct ds_space *space, uint64_t head,
                            size_t limit)
{
    struct collector c = {.entries = e, .limit = limit};
    e->count = 0;
    e->bad_link = e->bad_blink = 0;
    e->blink_closes = false;
    e->end = ds_walk_single(space, head, limit, collect, &c);
    if (c.failed) {
        e->end.status = DS_NO_MEMORY;
        e->end.address = head;
    }
    if (e->end.status == DS_LOOP)
        e->count = ds_walk_distinct(e->at, e->count, e->end.address);
}

static void take(struct ds_entries *e, size_t *left)
{
    *left = e->end.status == DS_LIMIT || e->count >= *left ? 0 : *left - e->count;
}

void ds_dispatch_list(struct ds_entries *e, struct ds_space *space, uint64_t head, size_t *left)
{
    ds_entries_walk(e, space, head, *left);
    take(e, left);
}

void ds_dispatch_single(struct ds_entries *e, struct ds_space *space, uint64_t head, size_t *left)
{
    ds_entries_walk_single(e, space, head, *left);
    take(e, left);
}

void ds_dispatch_end(struct ds_nt *nt, const struct ds_entries *e, const char *cut,
                     struct ds_walk *walk)
{
    if (e->end.status != DS_OK)
        ds_walk_stop(walk, e->end.status, ds_opt_known(e->end.address), cut);
    else if (!ds_entries_agree(e) && walk->detail[0] == '\0')
        walk->detail = ds_nt_entries_text(nt, e);
}

static int by_address(const void *a, const void *b)
{
    const struct ds_thread_place *x = a, *y = b;
    return (x->ethread > y->ethread) - (x->ethread < y->ethread);
}

size_t ds_dispatch_thread(struct ds_nt *nt, uint64_t ethread)
{
    const struct ds_threads *threads = ds_nt_threads(nt);
    struct ds_nt_dispatch *keep = ds_nt_dispatch_get(nt);
    struct ds_thread_place key = {ethread, 0};
    if (keep == NULL || threads->count == 0)
        return SIZE_MAX;
    if (!keep->have_places) {
        keep->have_places = true;
        keep->places = ds_alloc_array(threads->count, sizeof(*keep->places));
        for (size_t i = 0; keep->places != NULL && i < threads->count; i++)
            keep->places[i] = (struct ds_thread_place){threads->rows[i].ethread, i};
        if (keep->places != NULL)
            qsort(keep->places, threads->count, sizeof(*keep->places), by_address);
    }
    if (keep->places == NULL)
        return SIZE_MAX;
    const struct ds_thread_place *at =
        bsearch(&key, keep->places, threads->count, sizeof(key), by_address);
    return at != NULL ? at->row : SIZE_MAX;
}

void ds_nt_dispatch_free(struct ds_nt_dispatch *d)
{
    if (d != NULL) {
        free(d->dpc_rows);
        free(d->timer_rows);
        free(d->ready_rows);
        free(d->queue_rows);
        free(d->item_rows);
        free(d->places);
        free(d);
    }
}
