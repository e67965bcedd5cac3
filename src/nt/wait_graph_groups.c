/* Strongly connected components (Tarjan), without recursion: a dump decides how deep it goes. */
#include "nt/wait_graph_impl.h"

struct visit {
    uint32_t node, edge; /* next edge to look at */
};

struct tarjan {
    struct ds_nt_wait_graph *g;
    struct visit *path;
    uint32_t *index, *low, *stack;
    bool *on_stack;
    uint32_t next, depth, height, placed;
};

/* The deepest chain from a group: its owners' groups are complete when it is. */
static void measure(struct ds_nt_wait_graph *g, uint32_t number)
{
    struct ds_wait_group *group = &g->groups[number];
    group->depth = group->count;
    group->head = number;
    group->next = DS_NO_ROW;
    group->address = UINT64_MAX;
    for (uint32_t m = 0; m < group->count; m++) {
        uint32_t node = g->order[group->first + m];
        const struct ds_wait_node *n = &g->nodes[node];
        group->address = n->address < group->address ? n->address : group->address;
        for (uint32_t e = n->first_out; e < n->first_out + n->outs; e++) {
            uint32_t to = g->nodes[g->owner_node[e]].group;
            if (to == number) {
                group->cycle = true;
                continue;
            }
            g->groups[to].blocks = true;
            if (group->next == DS_NO_ROW || g->groups[to].depth > g->groups[group->next].depth) {
                group->next = to;
                group->from = node;
                group->to = g->owner_node[e];
            }
        }
    }
    if (group->cycle) { /* nothing beyond it can end it */
        group->next = DS_NO_ROW;
    } else if (group->next != DS_NO_ROW) {
        group->depth += g->groups[group->next].depth;
        const struct ds_wait_group *next = &g->groups[group->next];
        group->head = next->head;
        group->steps = next->steps + 1;
        group->end = next->steps == 0 ? group->to : next->end;
    }
}

static void close_group(struct tarjan *t, uint32_t root)
{
    struct ds_nt_wait_graph *g = t->g;
    uint32_t number = (uint32_t)g->group_count++, node;
    g->groups[number] = (struct ds_wait_group){.first = t->placed};
    do {
        node = t->stack[--t->height];
        t->on_stack[node] = false;
        g->nodes[node].group = number;
        g->order[t->placed++] = node;
        g->groups[number].count++;
    } while (node != root);
    measure(g, number);
}

static void enter(struct tarjan *t, uint32_t node)
{
    t->index[node] = t->low[node] = ++t->next; /* 0 = not seen */
    t->stack[t->height++] = node;
    t->on_stack[node] = true;
    t->path[t->depth++] = (struct visit){node, t->g->nodes[node].first_out};
}

static void visit_from(struct tarjan *t, uint32_t start)
{
    enter(t, start);
    while (t->depth > 0) {
        struct visit *v = &t->path[t->depth - 1];
        const struct ds_wait_node *n = &t->g->nodes[v->node];
        if (v->edge < n->first_out + n->outs) {
            uint32_t to = t->g->owner_node[v->edge++];
            if (t->index[to] == 0) {
                enter(t, to);
            } else if (t->on_stack[to] && t->index[to] < t->low[v->node]) {
                t->low[v->node] = t->index[to];
            }
            continue;
        }
        uint32_t node = v->node;
        t->depth--;
        if (t->low[node] == t->index[node]) {
            close_group(t, node);
        }
        if (t->depth > 0 && t->low[node] < t->low[t->path[t->depth - 1].node]) {
            t->low[t->path[t->depth - 1].node] = t->low[node];
        }
    }
}

bool ds_wait_graph_groups(struct ds_nt_wait_graph *g)
{
    size_t n = g->node_count;
    struct tarjan t = {.g = g};
    t.path = ds_alloc_array(n, sizeof(*t.path));
    t.index = ds_alloc_array(n, sizeof(*t.index));
    t.low = ds_alloc_array(n, sizeof(*t.low));
    t.stack = ds_alloc_array(n, sizeof(*t.stack));
    t.on_stack = ds_alloc_array(n, sizeof(*t.on_stack));
    g->groups = ds_alloc_array(n, sizeof(*g->groups));
    g->order = ds_alloc_array(n, sizeof(*g->order));
    bool ok = t.path != NULL && t.index != NULL && t.low != NULL && t.stack != NULL &&
              t.on_stack != NULL && g->groups != NULL && g->order != NULL;
    for (uint32_t i = 0; i < n && ok; i++) {
        if (t.index[i] == 0) {
            visit_from(&t, i);
        }
    }
    free(t.path);
    free(t.index);
    free(t.low);
    free(t.stack);
    free(t.on_stack);
    return ok;
}
