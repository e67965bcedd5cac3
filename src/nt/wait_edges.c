/* The edges of the wait graph: executive resources, and objects that tell their owner. */
#include "nt/wait_edges.h"

#include <string.h>

#include "base/mem.h"

#define TYPE_MASK 0x7fu /* the top bit of DISPATCHER_HEADER.Type is the lock of the object */
#define TYPE_MUTANT 2u  /* KOBJECTS, data/layouts/enums.layout */

void ds_edge_stop(struct ds_edge_builder *b, enum ds_status why, struct ds_opt at,
                  const char *detail)
{
    ds_walk_stop(b->edge_walk, why, at, detail);
}

void ds_edge_add(struct ds_edge_builder *b, struct ds_wait_edge edge)
{
    void *array = b->edges;
    if (!ds_array_reserve(&array, &b->cap, b->count + 1, sizeof(edge),
                          DS_ROWS_MAX(struct ds_wait_edge, DS_LIMIT_WAIT_EDGES))) {
        b->full = true;
        ds_edge_stop(b, DS_LIMIT, ds_opt_known(edge.object), "more edges than are kept");
        return;
    }
    if (edge.owner_kind == NULL)
        edge.owner_kind = "thread";
    bool thread = strcmp(edge.owner_kind, "thread") == 0;
    edge.owner_ended =
        thread ? ds_nt_thread_ended(b->nt, ds_opt_known(edge.owner)) : ds_opt_known(0);
    edge.closes = thread && !edge.any && !edge.timeout;
    b->edges = array;
    b->edges[b->count++] = edge;
}

void ds_edge_lost(struct ds_edge_builder *b, enum ds_wait_kind_number kind, enum ds_status why,
                  uint64_t at, const char *detail)
{
    struct ds_wait_kind *k = &b->kinds[kind];
    if (k->lost_at == 0) {
        k->lost_at = at;
        k->lost = detail;
    }
    if (why != DS_NOT_FOUND)
        ds_walk_stop(b->kind_walk, why, ds_opt_known(at), detail);
}

void ds_edge_unavailable(struct ds_edge_builder *b, enum ds_wait_kind_number kind,
                         const char *lacks)
{
    b->kinds[kind].lacks = lacks;
}

struct ds_opt ds_edge_is(struct ds_edge_builder *b, uint64_t address, uint32_t type)
{
    struct ds_opt x = ds_target_field(b->nt->target, address, "_DISPATCHER_HEADER", "Type");
    return x.known ? ds_opt_known((x.value & TYPE_MASK) == type) : x;
}

/* ---- executive resources ---- */

/* Edges from one waiter to all owners; `first` has the range of owners of each resource. */
static void add_resource(struct ds_edge_builder *b, const struct ds_eresources *e,
                         const struct ds_eresource_waiter *w, const uint32_t *first)
{
    bool found = false;
    for (uint32_t o = first[w->row]; o < first[w->row + 1] && !b->full; o++) {
        const struct ds_eresource_owner *owner = &e->owners[o];
        if (owner->thread.known && owner->owns.known && owner->owns.value != 0) {
            found = true;
            ds_edge_add(b, (struct ds_wait_edge){.waiter = w->thread,
                                                 .owner = owner->thread.value,
                                                 .object = w->resource,
                                                 .kind = "eresource",
                                                 .lock = true});
        } else if (!owner->thread.known || !owner->owns.known) {
            ds_edge_stop(b, DS_NOT_FOUND, ds_opt_known(w->resource),
                         "an owner of a resource cannot be told");
        }
    }
    b->kinds[DS_WAIT_ERESOURCE].waiting++;
    b->kinds[DS_WAIT_ERESOURCE].followed += found;
}

void ds_edges_of_resources(struct ds_edge_builder *b)
{
    const struct ds_eresources *e = ds_nt_eresources(b->nt);
    /* Owners come in the order of their resources; waiters do not when a chain was lost. */
    uint32_t *first = ds_alloc_array(e->count + 1, sizeof(*first));
    if (first == NULL) {
        ds_edge_stop(b, DS_NO_MEMORY, ds_opt_unknown(DS_OK), "out of memory for the resources");
        return;
    }
    for (size_t i = 0; i < e->owner_count; i++)
        first[e->owners[i].row + 1] = (uint32_t)i + 1;
    for (size_t i = 1; i <= e->count; i++)
        first[i] = first[i] == 0 ? first[i - 1] : first[i];
    for (size_t i = 0; i < e->waiter_count && !b->full; i++)
        add_resource(b, e, &e->waiters[i], first);
    free(first);
    if (!e->walk.complete)
        ds_edge_stop(b, e->walk.stop_reason, e->walk.stop_address, e->walk.detail);
    else if (!e->owner_walk.complete)
        ds_edge_stop(b, e->owner_walk.stop_reason, e->owner_walk.stop_address,
                     "the owners of resources are not complete");
    else if (!e->waiter_walk.complete)
        ds_edge_stop(b, e->waiter_walk.stop_reason, e->waiter_walk.stop_address,
                     "the waiters of resources are not complete");
    if (!e->walk.complete && e->count == 0)
        ds_edge_unavailable(b, DS_WAIT_ERESOURCE, e->walk.detail);
}

/* ---- mutants, threads, processes ---- */

static void add_mutant(struct ds_edge_builder *b, const struct ds_wait_block *w,
                       struct ds_wait_edge edge)
{
    b->kinds[DS_WAIT_MUTANT].waiting++;
    if (!w->owner_thread.known) {
        ds_edge_stop(b, w->owner_thread.why, w->object, "who owns a mutant cannot be told");
        ds_edge_lost(b, DS_WAIT_MUTANT, w->owner_thread.why, w->object.value,
                     "who owns a mutant cannot be told");
    } else if (w->owner_thread.value == 0) {
        ds_edge_lost(b, DS_WAIT_MUTANT, DS_NOT_FOUND, w->object.value, "nobody owns it");
    } else {
        edge.owner = w->owner_thread.value;
        edge.kind = "mutant";
        edge.lock = true;
        b->kinds[DS_WAIT_MUTANT].followed++;
        ds_edge_add(b, edge);
    }
}

static void add_object(struct ds_edge_builder *b, const struct ds_wait_block *w)
{
    struct ds_wait_edge edge = {.waiter = w->ethread,
                                .owner = w->object.value,
                                .object = w->object.value,
                                .any = w->any,
                                .timeout = w->timeout};
    if (!w->object_type.known) {
        ds_edge_stop(b, w->object_type.why, w->object,
                     "an object that a thread waits for cannot be read");
        return;
    }
    switch (w->object_type.value) {
    case TYPE_MUTANT:
        add_mutant(b, w, edge);
        break;
    case DS_EDGE_PROCESS:
        edge.kind = edge.owner_kind = "process";
        b->kinds[DS_WAIT_PROCESS].waiting++;
        b->kinds[DS_WAIT_PROCESS].followed++;
        ds_edge_add(b, edge);
        break;
    case DS_EDGE_THREAD:
        edge.kind = "thread";
        b->kinds[DS_WAIT_THREAD].waiting++;
        b->kinds[DS_WAIT_THREAD].followed++;
        ds_edge_add(b, edge);
        break;
    default:
        break;
    }
}

void ds_edges_of_objects(struct ds_edge_builder *b)
{
    const struct ds_wait_blocks *waits = ds_nt_wait_blocks(b->nt);
    struct ds_field owner;
    if (ds_target_member(b->nt->target, "_KMUTANT", "OwnerThread", &owner, NULL) != DS_OK)
        ds_edge_unavailable(b, DS_WAIT_MUTANT, "_KMUTANT.OwnerThread");
    if (!waits->walk.complete)
        ds_edge_stop(b, waits->walk.stop_reason, waits->walk.stop_address, waits->walk.detail);
    for (size_t i = 0; i < waits->count && !b->full; i++)
        add_object(b, &waits->rows[i]);
}
