/* The edges of the wait graph. */
#include "nt/wait_graph.h"

#include <stddef.h>
#include <string.h>

#include "nt/wait_graph_impl.h"

#define MUTANT 2 /* KOBJECTS, data/layouts/enums.layout, as the next two */
#define PROCESS 3
#define THREAD 6

struct builder {
    struct ds_nt *nt;
    struct ds_nt_wait_graph *g;
    bool full;
};

static void stop(struct builder *b, enum ds_status why, struct ds_opt at, const char *detail)
{
    struct ds_walk *walk = &b->g->table.edge_walk;
    if (walk->complete) {
        *walk = (struct ds_walk){.table_name = walk->table_name,
                                 .stop_reason = why,
                                 .stop_address = at,
                                 .detail = detail};
    }
}

static void add(struct builder *b, struct ds_wait_edge edge)
{
    struct ds_nt_wait_graph *g = b->g;
    void *array = g->edges;
    if (!ds_array_reserve(&array, &g->edge_cap, g->table.edge_count + 1, sizeof(edge),
                          DS_ROWS_MAX(struct ds_wait_edge, DS_LIMIT_WAIT_EDGES))) {
        b->full = true;
        stop(b, DS_LIMIT, ds_opt_known(edge.object), "more edges than are kept");
        return;
    }
    bool thread = strcmp(edge.kind, "process") != 0;
    edge.owner_kind = thread ? "thread" : "process";
    edge.owner_ended =
        thread ? ds_nt_thread_ended(b->nt, ds_opt_known(edge.owner)) : ds_opt_known(0);
    edge.closes = thread && !edge.any && !edge.timeout;
    g->edges = array;
    g->edges[g->table.edge_count++] = edge;
}

/* ---- executive resources ---- */

static void add_resources(struct builder *b)
{
    const struct ds_eresources *e = ds_nt_eresources(b->nt);
    /* Owners come in the order of their resources; waiters do not when a chain was lost. */
    uint32_t *first = ds_alloc_array(e->count + 1, sizeof(*first));
    if (first == NULL) {
        stop(b, DS_NO_MEMORY, ds_opt_unknown(DS_OK), "out of memory for the resources");
        return;
    }
    for (size_t i = 0; i < e->owner_count; i++) {
        first[e->owners[i].row + 1] = (uint32_t)i + 1;
    }
    for (size_t i = 1; i <= e->count; i++) {
        first[i] = first[i] == 0 ? first[i - 1] : first[i];
    }
    for (size_t i = 0; i < e->waiter_count && !b->full; i++) {
        const struct ds_eresource_waiter *w = &e->waiters[i];
        for (uint32_t o = first[w->row]; o < first[w->row + 1] && !b->full; o++) {
            const struct ds_eresource_owner *owner = &e->owners[o];
            if (owner->thread.known && owner->owns.known && owner->owns.value != 0) {
                add(b, (struct ds_wait_edge){.waiter = w->thread,
                                             .owner = owner->thread.value,
                                             .object = w->resource,
                                             .kind = "eresource",
                                             .lock = true});
            } else if (!owner->thread.known || !owner->owns.known) {
                stop(b, DS_NOT_FOUND, ds_opt_known(w->resource),
                     "an owner of a resource cannot be told");
            }
        }
    }
    free(first);
    if (!e->walk.complete) {
        stop(b, e->walk.stop_reason, e->walk.stop_address, e->walk.detail);
    } else if (!e->owner_walk.complete) {
        stop(b, e->owner_walk.stop_reason, e->owner_walk.stop_address,
             "the owners of resources are not complete");
    } else if (!e->waiter_walk.complete) {
        stop(b, e->waiter_walk.stop_reason, e->waiter_walk.stop_address,
             "the waiters of resources are not complete");
    }
}

/* ---- dispatcher objects ---- */

static void add_wait(struct builder *b, const struct ds_wait_block *w)
{
    struct ds_wait_edge edge = {.waiter = w->ethread,
                                .owner = w->object.value,
                                .object = w->object.value,
                                .any = w->any,
                                .timeout = w->timeout};
    if (!w->object_type.known) {
        stop(b, w->object_type.why, w->object, "an object that a thread waits for cannot be read");
        return;
    }
    switch (w->object_type.value) {
    case MUTANT:
        if (!w->owner_thread.known)
            stop(b, w->owner_thread.why, w->object, "who owns a mutant cannot be told");
        if (ds_opt_or(w->owner_thread, 0) == 0)
            return;
        edge.owner = w->owner_thread.value;
        edge.kind = "mutant";
        edge.lock = true;
        break;
    case PROCESS:
        edge.kind = "process";
        break;
    case THREAD:
        edge.kind = "thread";
        break;
    default:
        return;
    }
    add(b, edge);
}

static void add_waits(struct builder *b)
{
    const struct ds_wait_blocks *waits = ds_nt_wait_blocks(b->nt);
    if (!waits->walk.complete) {
        stop(b, waits->walk.stop_reason, waits->walk.stop_address, waits->walk.detail);
    }
    for (size_t i = 0; i < waits->count && !b->full; i++) {
        add_wait(b, &waits->rows[i]);
    }
}

/* ---- nodes ---- */

static uint32_t node_of(struct builder *b, uint64_t address, bool process)
{
    struct ds_nt_wait_graph *g = b->g;
    uint32_t number = (uint32_t)g->node_count;
    void *array = g->nodes;
    if (ds_address_map_get(&g->map, address, &number)) {
        return number;
    }
    if (!ds_array_reserve(&array, &g->node_cap, g->node_count + 1, sizeof(*g->nodes),
                          DS_ROWS_MAX(struct ds_wait_node, 2 * DS_LIMIT_WAIT_EDGES)) ||
        !ds_address_map_put(&g->map, address, number)) {
        b->full = true;
        return DS_NO_ROW;
    }
    g->nodes = array;
    g->nodes[g->node_count++] = (struct ds_wait_node){
        .address = address, .first_in = DS_NO_ROW, .group = DS_NO_ROW, .process = process};
    return number;
}

/* Sorts the edges by their waiters, which become nodes in the order of their first edge. */
static bool sort_edges(struct builder *b)
{
    struct ds_nt_wait_graph *g = b->g;
    size_t count = g->table.edge_count;
    struct ds_wait_edge *sorted = ds_alloc_array(count, sizeof(*sorted));
    uint32_t *node = ds_alloc_array(count, sizeof(*node));
    bool ok = sorted != NULL && node != NULL;
    for (size_t i = 0; i < count && ok; i++) {
        node[i] = node_of(b, g->edges[i].waiter, false);
        ok = node[i] != DS_NO_ROW;
        if (ok) {
            g->nodes[node[i]].outs++;
        }
    }
    uint32_t at = 0;
    for (size_t i = 0; i < g->node_count && ok; i++) {
        g->nodes[i].first_out = at;
        at += g->nodes[i].outs;
        g->nodes[i].outs = 0;
    }
    for (size_t i = 0; i < count && ok; i++) {
        struct ds_wait_node *n = &g->nodes[node[i]];
        sorted[n->first_out + n->outs++] = g->edges[i];
    }
    free(node);
    if (ok) {
        free(g->edges);
        g->edges = sorted;
    } else {
        free(sorted);
    }
    return ok;
}

static bool link_edges(struct builder *b)
{
    struct ds_nt_wait_graph *g = b->g;
    size_t count = g->table.edge_count;
    g->owner_node = ds_alloc_array(count, sizeof(*g->owner_node));
    g->waiter_node = ds_alloc_array(count, sizeof(*g->waiter_node));
    g->next_in = ds_alloc_array(count, sizeof(*g->next_in));
    if (g->owner_node == NULL || g->waiter_node == NULL || g->next_in == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool process = strcmp(g->edges[i].kind, "process") == 0;
        uint32_t owner = node_of(b, g->edges[i].owner, process);
        uint32_t waiter = node_of(b, g->edges[i].waiter, false);
        if (owner == DS_NO_ROW || waiter == DS_NO_ROW) {
            return false;
        }
        g->owner_node[i] = owner;
        g->waiter_node[i] = waiter;
        g->next_in[i] = g->nodes[owner].first_in;
        g->nodes[owner].first_in = (uint32_t)i;
    }
    return true;
}

static void fill(struct ds_nt *nt, struct ds_nt_wait_graph *g)
{
    struct builder b = {.nt = nt, .g = g};
    struct ds_wait_graph *t = &g->table;
    t->edge_walk = (struct ds_walk){.table_name = "wait_edges", .complete = true, .detail = ""};
    t->edge_walk.stop_address = ds_opt_unknown(DS_OK);
    if (nt->target->kernel == NULL) {
        t->edge_walk =
            ds_walk_none("wait_edges", nt->target->kernel_why, nt->target->kernel_why_text);
    } else {
        add_resources(&b);
        add_waits(&b);
    }
    t->head_walk = t->chain_walk = t->edge_walk;
    t->head_walk.table_name = "wait_heads";
    t->chain_walk.table_name = "wait_chains";
    if (t->edge_count == 0) {
        return;
    }
    if (sort_edges(&b) && link_edges(&b) && ds_wait_graph_groups(g)) {
        ds_wait_graph_heads(nt, g);
    } else {
        t->head_walk = ds_walk_none("wait_heads", DS_NO_MEMORY, "out of memory for the graph");
        t->chain_walk = ds_walk_none("wait_chains", DS_NO_MEMORY, "out of memory for the graph");
    }
}

const struct ds_wait_graph *ds_nt_wait_graph(struct ds_nt *nt)
{
    static const struct ds_wait_graph no_memory = {
        .edge_walk = {.table_name = "wait_edges", .stop_reason = DS_NO_MEMORY, .detail = ""},
        .head_walk = {.table_name = "wait_heads", .stop_reason = DS_NO_MEMORY, .detail = ""},
        .chain_walk = {.table_name = "wait_chains", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    if (nt->wait_graph == NULL) {
        struct ds_nt_wait_graph *g = calloc(1, sizeof(*g));
        if (g == NULL) {
            return &no_memory;
        }
        fill(nt, g);
        g->table.edges = g->edges;
        g->table.heads = g->heads;
        g->table.chains = g->chains;
        g->table.edge_walk.rows = g->table.edge_count;
        g->table.head_walk.rows = g->table.head_count;
        g->table.chain_walk.rows = g->table.chain_count;
        nt->wait_graph = g;
    }
    return &nt->wait_graph->table;
}

void ds_nt_wait_graph_free(struct ds_nt_wait_graph *g)
{
    if (g != NULL) {
        free(g->edges);
        free(g->heads);
        free(g->chains);
        free(g->nodes);
        free(g->groups);
        free(g->owner_node);
        free(g->waiter_node);
        free(g->next_in);
        free(g->order);
        ds_address_map_deinit(&g->map);
        free(g);
    }
}
