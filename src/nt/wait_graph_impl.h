/* What the files of the wait graph share. Private. */
#ifndef DS_NT_WAIT_GRAPH_IMPL_H
#define DS_NT_WAIT_GRAPH_IMPL_H

#include "nt/address_map.h"
#include "nt/impl.h"
#include "nt/wait_graph.h"

/* A thread, process or driver, and what it is part of. Numbers are of nodes, DS_NO_ROW for none. */
struct ds_wait_node {
    uint64_t address;
    uint32_t first_out, first_in; /* edges: first_out is consecutive, first_in chained */
    uint32_t outs;
    uint32_t group;   /* strongly connected component */
    const char *kind; /* static: ds_wait_edge.owner_kind */
};

/* A strongly connected component: a node, or the members of a cycle. */
struct ds_wait_group {
    uint32_t first, count; /* in `order` */
    uint32_t next;         /* group that the deepest chain goes on in */
    uint32_t from, to;     /* nodes: the edge that it goes on by */
    uint32_t depth;        /* threads from here to the head */
    uint32_t head;         /* group that the deepest chain ends in */
    uint32_t steps, end;   /* edges on the way there, and the node that the last of them leads to */
    uint64_t address;      /* the lowest of its members, at last of the cycle that is shown */
    bool cycle, blocks;    /* somebody outside waits for it */
};

struct ds_nt_wait_graph {
    struct ds_wait_graph table;
    struct ds_wait_edge *edges; /* owned, as all below; sorted by waiter's node */
    struct ds_wait_head *heads;
    struct ds_wait_chain *chains;
    struct ds_wait_node *nodes;
    struct ds_wait_group *groups;
    uint32_t *owner_node, *waiter_node, *next_in, *order;
    size_t head_cap, chain_cap, node_cap, node_count, group_count;
    struct ds_address_map map;
};

/* Strongly connected components with the deepest chain from each. False when out of memory. */
bool ds_wait_graph_groups(struct ds_nt_wait_graph *g);

/* One cycle at a time. */
struct ds_wait_cycles {
    const struct ds_nt_wait_graph *g;
    uint32_t *left, *place, *list; /* owned; by node, by node, nodes */
    bool certain;          /* a cycle of edges of which none ends by itself: ds_wait_edge.closes */
    const uint32_t *first; /* its nodes, each waits for the next, in `list` */
    uint32_t length, lowest; /* which of them has the lowest address */
};
/* False without memory; close in every case. */
bool ds_wait_cycles_open(struct ds_wait_cycles *c, const struct ds_nt_wait_graph *g);
void ds_wait_cycles_close(struct ds_wait_cycles *c);
/* A cycle of the group, which must have one: a certain one if there is one. Linear in its edges. */
void ds_wait_cycles_find(struct ds_wait_cycles *c, uint32_t number);

/* Heads and chains. */
void ds_wait_graph_heads(struct ds_nt *nt, struct ds_nt_wait_graph *g);

#endif
