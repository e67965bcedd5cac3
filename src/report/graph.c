/* The wait graph as Graphviz DOT (graphviz.org/doc/info/lang.html) and as JSON. */
#include "report/graph.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/json.h"

/* ---- cycles ---- */

/* The address that a chain has at *at, moving behind it and its arrow. */
static bool chain_next(const char **at, uint64_t *ret)
{
    const char *c = *at;
    uint64_t x = 0;
    unsigned digits = 0;
    for (; digits < 16; c++, digits++) {
        bool letter = *c >= 'a' && *c <= 'f';
        if (!letter && (*c < '0' || *c > '9'))
            break;
        x = x << 4 | (uint64_t)(letter ? *c - 'a' + 10 : *c - '0');
    }
    if (digits == 0)
        return false;
    while (*c == ' ' || *c == '-' || *c == '>')
        c++;
    *at = c;
    *ret = x;
    return true;
}

static void mark_node(struct ds_graph *g, uint64_t address, enum ds_graph_cycle cycle)
{
    size_t low = 0, high = g->node_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (g->nodes[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < g->node_count && g->nodes[low].address == address)
        g->nodes[low].cycle = cycle;
}

static void mark_edges(struct ds_graph *g, uint64_t waiter, uint64_t owner,
                       enum ds_graph_cycle cycle)
{
    size_t low = 0, high = g->edge_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (g->edges[middle].waiter < waiter)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < g->edge_count && g->edges[low].waiter == waiter; low++)
        if (g->edges[low].owner == owner)
            g->edges[low].cycle = cycle;
}

void ds_graph_mark(struct ds_graph *g, const char *chain, enum ds_graph_cycle cycle)
{
    uint64_t from, to;
    if (!chain_next(&chain, &from))
        return;
    mark_node(g, from, cycle);
    while (chain_next(&chain, &to)) {
        mark_node(g, to, cycle);
        mark_edges(g, from, to, cycle);
        from = to;
    }
}

/* ---- DOT ---- */

/* Text inside a quoted string of DOT, where a backslash begins an escape of its own. */
static void put_text(struct ds_buf *b, const char *text)
{
    struct ds_buf safe;
    ds_buf_init(&safe, 64u << 10);
    ds_text_for_terminal(&safe, text);
    for (const char *c = ds_buf_text(&safe); *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            ds_buf_char(b, '\\');
        ds_buf_char(b, *c);
    }
    ds_buf_deinit(&safe);
}

/* One more line of a label. */
static void put_line(struct ds_buf *b, const char *text)
{
    ds_buf_str(b, "\\n");
    put_text(b, text);
}

static void put_id(const struct ds_graph *g, struct ds_buf *b, char letter, uint64_t address)
{
    ds_buf_printf(b, "%c%0*" PRIx64, letter, (int)g->digits, address);
}

static const char *colour_of(enum ds_graph_cycle cycle)
{
    return cycle == DS_GRAPH_DEADLOCK ? "red" : cycle == DS_GRAPH_POSSIBLE ? "orange" : NULL;
}

static void put_node(const struct ds_graph *g, const struct ds_graph_node *n, struct ds_buf *b)
{
    const char *what = strcmp(n->type, "thread") == 0    ? "THREAD"
                       : strcmp(n->type, "process") == 0 ? "PROCESS"
                                                         : "DRIVER";
    const char *colour = colour_of(n->cycle);
    ds_buf_str(b, "    ");
    put_id(g, b, 'n', n->address);
    ds_buf_printf(b, " [label=\"%s %0*" PRIx64, what, (int)g->digits, n->address);
    if (n->cid != NULL) {
        ds_buf_str(b, "\\nCid ");
        put_text(b, n->cid);
        if (n->name != NULL) {
            ds_buf_char(b, ' ');
            put_text(b, n->name);
        }
    } else if (n->name != NULL) {
        put_line(b, n->name);
    }
    if (n->state != NULL)
        put_line(b, n->state);
    if (n->blocked.known)
        ds_buf_printf(b, "\\nblocks %" PRIu64, n->blocked.value);
    ds_buf_char(b, '"');
    if (colour != NULL)
        ds_buf_printf(b, ", color=%s, penwidth=2", colour);
    if (n->blocked.known)
        ds_buf_str(b, ", style=filled, fillcolor=lightyellow");
    ds_buf_str(b, "];\n");
}

static void put_object(const struct ds_graph *g, const struct ds_graph_object *o, struct ds_buf *b)
{
    ds_buf_str(b, "    ");
    put_id(g, b, 'o', o->address);
    ds_buf_str(b, " [shape=ellipse, label=\"");
    put_text(b, o->kind);
    ds_buf_printf(b, " %0*" PRIx64, (int)g->digits, o->address);
    for (const char *line = o->details; line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        struct ds_buf one;
        ds_buf_init(&one, 4096);
        ds_buf_add(&one, line, len);
        put_line(b, ds_buf_text(&one));
        ds_buf_deinit(&one);
        line += len + (line[len] == '\n');
    }
    ds_buf_str(b, "\"];\n");
}

static void put_arrow(const struct ds_graph *g, struct ds_buf *b, char from_letter, uint64_t from,
                      char to_letter, uint64_t to)
{
    ds_buf_str(b, "    ");
    put_id(g, b, from_letter, from);
    ds_buf_str(b, " -> ");
    put_id(g, b, to_letter, to);
}

static void put_attributes(struct ds_buf *b, const char *label, bool dashed,
                           enum ds_graph_cycle cycle)
{
    const char *colour = colour_of(cycle);
    ds_buf_str(b, " [label=\"");
    put_text(b, label);
    ds_buf_char(b, '"');
    if (dashed)
        ds_buf_str(b, ", style=dashed");
    if (colour != NULL)
        ds_buf_printf(b, ", color=%s, penwidth=2", colour);
    ds_buf_str(b, "];\n");
}

static const char *waits(const struct ds_graph_edge *e)
{
    return e->any && e->timeout ? "waits, for any, with a timeout"
           : e->any             ? "waits, for any"
           : e->timeout         ? "waits, with a timeout"
                                : "waits";
}

/* Whether an edge before this one drew the same arrow: of several owners, that to the lock. */
static bool drawn_before(const struct ds_graph *g, size_t index)
{
    const struct ds_graph_edge *e = &g->edges[index];
    for (size_t i = index; i > 0 && g->edges[i - 1].waiter == e->waiter; i--)
        if (g->edges[i - 1].lock && g->edges[i - 1].object == e->object)
            return true;
    return false;
}

static enum ds_graph_cycle worst_of_arrow(const struct ds_graph *g, size_t index)
{
    const struct ds_graph_edge *e = &g->edges[index];
    enum ds_graph_cycle worst = e->cycle;
    for (size_t i = index + 1; i < g->edge_count && g->edges[i].waiter == e->waiter; i++)
        if (g->edges[i].object == e->object && g->edges[i].cycle > worst)
            worst = g->edges[i].cycle;
    return worst;
}

static void put_waits(const struct ds_graph *g, struct ds_buf *b)
{
    for (size_t i = 0; i < g->edge_count; i++) {
        const struct ds_graph_edge *e = &g->edges[i];
        if (!e->lock) {
            struct ds_buf label;
            ds_buf_init(&label, 4096);
            ds_buf_printf(&label, "%s: %s", e->kind, waits(e));
            put_arrow(g, b, 'n', e->waiter, 'n', e->owner);
            put_attributes(b, ds_buf_text(&label), true, e->cycle);
            ds_buf_deinit(&label);
        } else if (!drawn_before(g, i)) {
            put_arrow(g, b, 'n', e->waiter, 'o', e->object);
            put_attributes(b, waits(e), false, worst_of_arrow(g, i));
        }
    }
}

static int by_lock(const void *a, const void *b)
{
    const struct ds_graph_edge *x = a, *y = b;
    if (x->object != y->object)
        return x->object < y->object ? -1 : 1;
    return x->owner < y->owner ? -1 : x->owner > y->owner;
}

/* From each lock to each of its owners, once. Sorts the edges for that. */
static void put_owners(struct ds_graph *g, struct ds_buf *b)
{
    if (g->edge_count > 0) { /* qsort wants an array even of nothing */
        qsort(g->edges, g->edge_count, sizeof(*g->edges), by_lock);
    }
    for (size_t i = 0; i < g->edge_count;) {
        const struct ds_graph_edge *e = &g->edges[i];
        enum ds_graph_cycle worst = DS_GRAPH_NO_CYCLE;
        bool lock = false;
        for (; i < g->edge_count && by_lock(&g->edges[i], e) == 0; i++) {
            lock = lock || g->edges[i].lock;
            worst = g->edges[i].cycle > worst ? g->edges[i].cycle : worst;
        }
        if (lock) {
            put_arrow(g, b, 'o', e->object, 'n', e->owner);
            put_attributes(b, "owned by", false, worst);
        }
    }
}

void ds_graph_write_dot(struct ds_graph *g, struct ds_buf *out)
{
    ds_buf_str(out, "digraph waits {\n    graph [rankdir=LR, labelloc=t, label=\"Who waits for "
                    "whom in ");
    put_text(out, g->title);
    if (g->edge_count == 0)
        ds_buf_str(out, "\\nNobody waits for anybody, as far as it can be followed");
    if (g->edges_dropped > 0)
        ds_buf_printf(out, "\\nCut: %" PRIu64 " more waits are not drawn", g->edges_dropped);
    if (g->missing != NULL) {
        ds_buf_str(out, "\\nIncomplete: ");
        put_text(out, g->missing);
    }
    ds_buf_str(out, "\"];\n    node [shape=box];\n");
    for (size_t i = 0; i < g->node_count; i++)
        put_node(g, &g->nodes[i], out);
    for (size_t i = 0; i < g->object_count; i++)
        put_object(g, &g->objects[i], out);
    put_waits(g, out);
    put_owners(g, out);
    ds_buf_str(out, "}\n");
}

/* ---- JSON ---- */

static const char *cycle_name(enum ds_graph_cycle cycle)
{
    return cycle == DS_GRAPH_DEADLOCK ? "deadlock" : cycle == DS_GRAPH_POSSIBLE ? "possible" : NULL;
}

static void json_address(struct ds_json *j, const struct ds_graph *g, const char *key, uint64_t va)
{
    ds_json_key_hex(j, key, ds_opt_known(va), g->digits);
}

static void json_nodes(const struct ds_graph *g, struct ds_json *j)
{
    ds_json_key(j, "nodes");
    ds_json_array(j);
    for (size_t i = 0; i < g->node_count; i++) {
        const struct ds_graph_node *n = &g->nodes[i];
        ds_json_object(j);
        json_address(j, g, "address", n->address);
        ds_json_key_string(j, "type", n->type);
        ds_json_key_string(j, "name", n->name);
        ds_json_key_string(j, "cid", n->cid);
        ds_json_key_string(j, "state", n->state);
        ds_json_key_opt(j, "blocked", n->blocked);
        ds_json_key_string(j, "cycle", cycle_name(n->cycle));
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
}

static void json_objects(const struct ds_graph *g, struct ds_json *j)
{
    ds_json_key(j, "objects");
    ds_json_array(j);
    for (size_t i = 0; i < g->object_count; i++) {
        ds_json_object(j);
        json_address(j, g, "address", g->objects[i].address);
        ds_json_key_string(j, "kind", g->objects[i].kind);
        ds_json_key_string(j, "details", g->objects[i].details);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
}

static void json_edges(const struct ds_graph *g, struct ds_json *j)
{
    ds_json_key(j, "edges");
    ds_json_array(j);
    for (size_t i = 0; i < g->edge_count; i++) {
        const struct ds_graph_edge *e = &g->edges[i];
        ds_json_object(j);
        json_address(j, g, "waiter", e->waiter);
        json_address(j, g, "object", e->object);
        json_address(j, g, "owner", e->owner);
        ds_json_key_string(j, "kind", e->kind);
        ds_json_key_bool(j, "lock", e->lock);
        ds_json_key_bool(j, "wait_any", e->any);
        ds_json_key_bool(j, "timeout", e->timeout);
        ds_json_key_string(j, "cycle", cycle_name(e->cycle));
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
}

void ds_graph_write_json(const struct ds_graph *g, struct ds_buf *out)
{
    struct ds_json j;
    ds_json_init(&j, out, true);
    ds_json_object(&j);
    ds_json_key_string(&j, "file", g->title);
    ds_json_key_string(&j, "incomplete", g->missing);
    ds_json_key_unsigned(&j, "edges_dropped", g->edges_dropped);
    json_nodes(g, &j);
    json_objects(g, &j);
    json_edges(g, &j);
    ds_json_object_end(&j);
    ds_buf_char(out, '\n');
}
