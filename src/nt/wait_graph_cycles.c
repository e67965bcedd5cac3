/* One cycle out of a strongly connected component, if there is one a certain one. */
#include "nt/wait_graph_impl.h"

bool ds_wait_cycles_open(struct ds_wait_cycles *c, const struct ds_nt_wait_graph *g)
{
    *c = (struct ds_wait_cycles){.g = g};
    c->left = ds_alloc_array(g->node_count, sizeof(*c->left));
    c->place = ds_alloc_array(g->node_count, sizeof(*c->place));
    c->list = ds_alloc_array(g->node_count, sizeof(*c->list));
    return c->left != NULL && c->place != NULL && c->list != NULL;
}

void ds_wait_cycles_close(struct ds_wait_cycles *c)
{
    free(c->left);
    free(c->place);
    free(c->list);
}

/*
 * Takes away, one after another, the nodes that no edge leads on from that certainly blocks. What
 * is left leads to a cycle of such edges; true when something is.
 */
static bool peel(struct ds_wait_cycles *c, uint32_t number)
{
    const struct ds_nt_wait_graph *g = c->g;
    const struct ds_wait_group *group = &g->groups[number];
    uint32_t taken = 0, done = 0;
    for (uint32_t m = 0; m < group->count; m++) {
        uint32_t node = g->order[group->first + m];
        const struct ds_wait_node *n = &g->nodes[node];
        c->left[node] = 0;
        for (uint32_t e = n->first_out; e < n->first_out + n->outs; e++)
            c->left[node] += g->nodes[g->owner_node[e]].group == number && g->edges[e].closes;
        if (c->left[node] == 0)
            c->list[taken++] = node;
    }
    while (done < taken) {
        const struct ds_wait_node *n = &g->nodes[c->list[done++]];
        for (uint32_t e = n->first_in; e != DS_NO_ROW; e = g->next_in[e]) {
            uint32_t from = g->waiter_node[e];
            if (g->nodes[from].group == number && g->edges[e].closes && --c->left[from] == 0)
                c->list[taken++] = from;
        }
    }
    return taken < group->count;
}

/* Where the way goes on from a node. */
static uint32_t step(const struct ds_wait_cycles *c, uint32_t number, uint32_t node)
{
    const struct ds_nt_wait_graph *g = c->g;
    const struct ds_wait_node *n = &g->nodes[node];
    for (uint32_t e = n->first_out; e < n->first_out + n->outs; e++) {
        uint32_t to = g->owner_node[e];
        if (g->nodes[to].group == number &&
            (!c->certain || (g->edges[e].closes && c->left[to] != 0)))
            return to;
    }
    return node; /* never in a group with a cycle */
}

void ds_wait_cycles_find(struct ds_wait_cycles *c, uint32_t number)
{
    const struct ds_nt_wait_graph *g = c->g;
    const struct ds_wait_group *group = &g->groups[number];
    uint32_t node = DS_NO_ROW, length = 0;
    c->certain = peel(c, number);
    for (uint32_t m = 0; m < group->count; m++) {
        uint32_t at = g->order[group->first + m];
        if ((!c->certain || c->left[at] != 0) &&
            (node == DS_NO_ROW || g->nodes[at].address < g->nodes[node].address))
            node = at;
    }
    for (; c->place[node] == 0; node = step(c, number, node)) {
        c->list[length++] = node;
        c->place[node] = length;
    }
    uint32_t first = c->place[node] - 1; /* what came before only led here */
    for (uint32_t i = 0; i < length; i++)
        c->place[c->list[i]] = 0;
    c->first = c->list + first;
    c->length = length - first;
    c->lowest = 0;
    for (uint32_t i = 1; i < c->length; i++)
        if (g->nodes[c->first[i]].address < g->nodes[c->first[c->lowest]].address)
            c->lowest = i;
}
