/* The wait graph: edges of every kind, and the nodes between them. */
#include "nt/wait_graph.h"

#include <stddef.h>

#include "nt/wait_edges.h"
#include "nt/wait_graph_impl.h"

/* ---- nodes ---- */

static uint32_t node_of(struct ds_nt_wait_graph *g, uint64_t address, const char *kind)
{
    uint32_t number = (uint32_t)g->node_count;
    void *array = g->nodes;
    if (ds_address_map_get(&g->map, address, &number)) {
        return number;
    }
    if (!ds_array_reserve(&array, &g->node_cap, g->node_count + 1, sizeof(*g->nodes),
                          DS_ROWS_MAX(struct ds_wait_node, 2 * DS_LIMIT_WAIT_EDGES)) ||
        !ds_address_map_put(&g->map, address, number)) {
        return DS_NO_ROW;
    }
    g->nodes = array;
    g->nodes[g->node_count++] = (struct ds_wait_node){
        .address = address, .first_in = DS_NO_ROW, .group = DS_NO_ROW, .kind = kind};
    return number;
}

/* Sorts the edges by their waiters, which become nodes in the order of their first edge. */
static bool sort_edges(struct ds_nt_wait_graph *g)
{
    size_t count = g->table.edge_count;
    struct ds_wait_edge *sorted = ds_alloc_array(count, sizeof(*sorted));
    uint32_t *node = ds_alloc_array(count, sizeof(*node));
    bool ok = sorted != NULL && node != NULL;
    for (size_t i = 0; i < count && ok; i++) {
        node[i] = node_of(g, g->edges[i].waiter, "thread");
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

static bool link_edges(struct ds_nt_wait_graph *g)
{
    size_t count = g->table.edge_count;
    g->owner_node = ds_alloc_array(count, sizeof(*g->owner_node));
    g->waiter_node = ds_alloc_array(count, sizeof(*g->waiter_node));
    g->next_in = ds_alloc_array(count, sizeof(*g->next_in));
    if (g->owner_node == NULL || g->waiter_node == NULL || g->next_in == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t owner = node_of(g, g->edges[i].owner, g->edges[i].owner_kind);
        uint32_t waiter = node_of(g, g->edges[i].waiter, "thread");
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

static struct ds_walk begin(const char *name)
{
    return (struct ds_walk){
        .table_name = name, .complete = true, .detail = "", .stop_address = ds_opt_unknown(DS_OK)};
}

static void fill_edges(struct ds_nt *nt, struct ds_nt_wait_graph *g)
{
    static const char *const names[DS_WAIT_KINDS] = {
        [DS_WAIT_ERESOURCE] = "eresource",
        [DS_WAIT_MUTANT] = "mutant",
        [DS_WAIT_FAST_MUTEX] = "fast mutex",
        [DS_WAIT_GUARDED_MUTEX] = "guarded mutex",
        [DS_WAIT_PUSH_LOCK] = "push lock",
        [DS_WAIT_THREAD] = "thread",
        [DS_WAIT_PROCESS] = "process",
        [DS_WAIT_ALPC] = "ALPC",
        [DS_WAIT_LPC] = "LPC",
        [DS_WAIT_IRP] = "IRP",
    };
    struct ds_wait_graph *t = &g->table;
    struct ds_edge_builder b = {
        .nt = nt, .kinds = t->kinds, .edge_walk = &t->edge_walk, .kind_walk = &t->kind_walk};
    for (unsigned i = 0; i < DS_WAIT_KINDS; i++)
        t->kinds[i].kind = names[i];
    t->edge_walk = begin("wait_edges");
    t->kind_walk = begin("wait_kinds");
    ds_edges_of_resources(&b);
    ds_edges_of_objects(&b);
    ds_edges_of_mutexes(&b);
    ds_edges_of_push_locks(&b);
    ds_edges_of_messages(&b);
    ds_edges_of_irps(&b);
    ds_edges_name(&b);
    g->edges = b.edges;
    t->edge_count = b.count;
    if (!t->edge_walk.complete) /* then not every wait may have been counted */
        ds_walk_stop(&t->kind_walk, t->edge_walk.stop_reason, t->edge_walk.stop_address,
                     t->edge_walk.detail);
}

static void fill(struct ds_nt *nt, struct ds_nt_wait_graph *g)
{
    struct ds_wait_graph *t = &g->table;
    const struct ds_target *target = nt->target;
    if (target->kernel == NULL) {
        t->edge_walk = ds_walk_none("wait_edges", target->kernel_why, target->kernel_why_text);
        t->kind_walk = ds_walk_none("wait_kinds", target->kernel_why, target->kernel_why_text);
    } else {
        fill_edges(nt, g);
    }
    t->head_walk = t->chain_walk = t->edge_walk;
    t->head_walk.table_name = "wait_heads";
    t->chain_walk.table_name = "wait_chains";
    if (t->edge_count == 0) {
        return;
    }
    if (sort_edges(g) && link_edges(g) && ds_wait_graph_groups(g)) {
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
        .kind_walk = {.table_name = "wait_kinds", .stop_reason = DS_NO_MEMORY, .detail = ""},
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
        g->table.kind_walk.rows = g->table.kinds[0].kind == NULL ? 0 : DS_WAIT_KINDS;
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
