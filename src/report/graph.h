/*
 * The wait graph as a drawing: Graphviz DOT, or the same as JSON (docs/graph.md). Knows nothing of
 * kernels: the caller fills nodes and edges, of which it keeps the strings.
 */
#ifndef DS_REPORT_GRAPH_H
#define DS_REPORT_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/opt.h"

/* Whether a node or edge is part of a cycle. */
enum ds_graph_cycle { DS_GRAPH_NO_CYCLE, DS_GRAPH_POSSIBLE, DS_GRAPH_DEADLOCK };

/* A thread, a process or a driver: who waits, and who is waited for. */
struct ds_graph_node {
    uint64_t address;
    const char *type;      /* "thread", "process", "driver" */
    const char *name;      /* image name of its process, or its own; NULL when unknown */
    const char *cid;       /* "01e8.4054"; NULL for others than threads and when unknown */
    const char *state;     /* "Running on processor 3"; NULL when unknown */
    struct ds_opt blocked; /* threads that hang on it in the end; unknown for others than heads */
    enum ds_graph_cycle cycle;
};

/* A lock, or whatever else stands between who waits and who can end the wait. */
struct ds_graph_object {
    uint64_t address;
    const char *kind;    /* "eresource", "mutant", ... */
    const char *details; /* lines: "Exclusively owned\nContention Count = 45"; NULL for none */
};

/* `waiter` waits for `object`, which `owner` holds (`lock`), or for `owner` in person. */
struct ds_graph_edge {
    uint64_t waiter, object, owner;
    const char *kind;
    bool lock, any, timeout;
    enum ds_graph_cycle cycle;
};

struct ds_graph {
    const char *title;   /* the file's name */
    unsigned digits;     /* of an address: 8 or 16 */
    const char *missing; /* why edges are missing; NULL when none is */
    struct ds_graph_node *nodes;
    struct ds_graph_object *objects;
    struct ds_graph_edge *edges;
    size_t node_count, object_count, edge_count;
    uint64_t edges_dropped; /* beyond DS_LIMIT_GRAPH_EDGES */
};

/* Marks nodes and edges of a cycle from its chain of addresses, "a -> b -> a", hexadecimal. The
 * edges must be sorted by waiter, the nodes by address. A pair that is not there is left out. */
void ds_graph_mark(struct ds_graph *g, const char *chain, enum ds_graph_cycle cycle);

/* Leaves the edges in another order. */
void ds_graph_write_dot(struct ds_graph *g, struct ds_buf *out);
void ds_graph_write_json(const struct ds_graph *g, struct ds_buf *out);

#endif
