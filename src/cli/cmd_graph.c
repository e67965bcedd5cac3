/* `dumpscan graph FILE`: who waits for whom, as a drawing. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "report/graph.h"

#define GRAPH_MAX (256u << 20) /* bytes of a drawing */
#define TEXT(x) #x
#define NUMBER(x) TEXT(x)
#define TAKEN "(SELECT * FROM wait_edges LIMIT " NUMBER(DS_LIMIT_GRAPH_EDGES) ")"

static const char edges_sql[] =
    "SELECT waiter, object, owner, kind, lock, wait_any, timeout FROM " TAKEN;

static const char nodes_sql[] =
    "WITH n(va, type, name) AS (SELECT va, type, max(name) FROM "
    "(SELECT waiter AS va, 'thread' AS type, NULL AS name FROM " TAKEN " UNION ALL "
    "SELECT owner, owner_kind, owner_name FROM " TAKEN ") GROUP BY va) "
    "SELECT n.va, n.type, coalesce(p.name, q.name, n.name), printf('%04x.%04x', t.pid, t.tid), "
    "t.tid, "
    "CASE t.state WHEN 2 THEN 'Running' || coalesce(' on processor ' || "
    "(SELECT min(number) FROM processors WHERE current_thread = n.va), '') "
    "WHEN 5 THEN 'Waiting' || coalesce(' (' || t.wait_reason_name || ')', '') || "
    "CASE t.kernel_stack_resident WHEN 0 THEN ', stack paged out' ELSE '' END "
    "ELSE t.state_name END, "
    "(SELECT max(h.blocked) FROM wait_heads h WHERE h.head = n.va AND h.kind <> 'cycle') "
    "FROM n LEFT JOIN threads t ON t.ethread = n.va "
    "LEFT JOIN processes p ON p.eprocess = t.eprocess "
    "LEFT JOIN processes q ON q.eprocess = n.va";

static const char objects_sql[] =
    "SELECT e.object, e.kind, CASE r.exclusive WHEN 1 THEN 'Exclusively owned' "
    "WHEN 0 THEN 'Shared ' || r.owners || ' owning threads' ELSE '' END || "
    "coalesce(char(10) || 'Contention Count = ' || r.contention_count, '') "
    "FROM (SELECT DISTINCT object, kind FROM " TAKEN " WHERE lock) e "
    "LEFT JOIN eresources r ON r.resource = e.object AND e.kind = 'eresource'";

static const char cycles_sql[] = "SELECT chain, deadlock FROM wait_heads WHERE kind = 'cycle'";

static const char state_sql[] =
    "SELECT w.complete, coalesce(nullif(w.detail, ''), w.stop_reason), "
    "(SELECT count(*) FROM wait_edges) FROM walks w WHERE w.table_name = 'wait_edges'";

/* What the queries fill. */
struct collector {
    struct ds_graph g;
    struct ds_arena arena; /* of the strings */
    size_t node_cap, object_cap, edge_cap;
    bool no_memory;
};

static bool no_memory(struct collector *c)
{
    c->no_memory = true;
    return false;
}

static const char *keep(struct collector *c, const struct ds_cell *cell)
{
    if (cell->kind != DS_CELL_TEXT)
        return NULL;
    const char *s = ds_arena_strdup(&c->arena, cell->text, strlen(cell->text));
    if (s == NULL)
        c->no_memory = true;
    return s;
}

static bool is_true(const struct ds_cell *cell)
{
    return cell->kind == DS_CELL_INT && cell->integer != 0;
}

static bool add_edge(size_t columns, const char *const *names, const struct ds_cell *v, void *arg)
{
    struct collector *c = arg;
    void *array = c->g.edges;
    (void)columns;
    (void)names;
    if (!ds_array_reserve(&array, &c->edge_cap, c->g.edge_count + 1, sizeof(*c->g.edges),
                          DS_LIMIT_GRAPH_EDGES))
        return no_memory(c);
    c->g.edges = array;
    c->g.edges[c->g.edge_count++] = (struct ds_graph_edge){.waiter = (uint64_t)v[0].integer,
                                                           .object = (uint64_t)v[1].integer,
                                                           .owner = (uint64_t)v[2].integer,
                                                           .kind = keep(c, &v[3]),
                                                           .lock = is_true(&v[4]),
                                                           .any = is_true(&v[5]),
                                                           .timeout = is_true(&v[6])};
    return !c->no_memory;
}

static bool add_node(size_t columns, const char *const *names, const struct ds_cell *v, void *arg)
{
    struct collector *c = arg;
    void *array = c->g.nodes;
    (void)columns;
    (void)names;
    if (!ds_array_reserve(&array, &c->node_cap, c->g.node_count + 1, sizeof(*c->g.nodes),
                          2 * DS_LIMIT_GRAPH_EDGES))
        return no_memory(c);
    c->g.nodes = array;
    c->g.nodes[c->g.node_count++] = (struct ds_graph_node){
        .address = (uint64_t)v[0].integer,
        .type = keep(c, &v[1]),
        .name = keep(c, &v[2]),
        .cid = v[4].kind == DS_CELL_INT ? keep(c, &v[3]) : NULL,
        .state = keep(c, &v[5]),
        .blocked = v[6].kind == DS_CELL_INT ? ds_opt_known((uint64_t)v[6].integer)
                                            : ds_opt_unknown(DS_NOT_FOUND)};
    return !c->no_memory;
}

static bool add_object(size_t columns, const char *const *names, const struct ds_cell *v, void *arg)
{
    struct collector *c = arg;
    void *array = c->g.objects;
    (void)columns;
    (void)names;
    if (!ds_array_reserve(&array, &c->object_cap, c->g.object_count + 1, sizeof(*c->g.objects),
                          DS_LIMIT_GRAPH_EDGES))
        return no_memory(c);
    c->g.objects = array;
    c->g.objects[c->g.object_count++] =
        (struct ds_graph_object){(uint64_t)v[0].integer, keep(c, &v[1]), keep(c, &v[2])};
    return !c->no_memory;
}

static bool add_cycle(size_t columns, const char *const *names, const struct ds_cell *v, void *arg)
{
    struct collector *c = arg;
    (void)columns;
    (void)names;
    bool certain = v[1].kind == DS_CELL_TEXT && strcmp(v[1].text, "deadlock") == 0;
    if (v[0].kind == DS_CELL_TEXT)
        ds_graph_mark(&c->g, v[0].text, certain ? DS_GRAPH_DEADLOCK : DS_GRAPH_POSSIBLE);
    return true;
}

static bool add_state(size_t columns, const char *const *names, const struct ds_cell *v, void *arg)
{
    struct collector *c = arg;
    (void)columns;
    (void)names;
    if (!is_true(&v[0]))
        c->g.missing = keep(c, &v[1]);
    uint64_t all = v[2].kind == DS_CELL_INT ? (uint64_t)v[2].integer : 0;
    c->g.edges_dropped = all > c->g.edge_count ? all - c->g.edge_count : 0;
    return true;
}

static int by_address(const void *a, const void *b)
{
    const struct ds_graph_node *x = a, *y = b;
    return x->address < y->address ? -1 : x->address > y->address;
}

static int by_waiter(const void *a, const void *b)
{
    const struct ds_graph_edge *x = a, *y = b;
    if (x->waiter != y->waiter)
        return x->waiter < y->waiter ? -1 : 1;
    if (x->object != y->object)
        return x->object < y->object ? -1 : 1;
    return x->owner < y->owner ? -1 : x->owner > y->owner;
}

static int by_object(const void *a, const void *b)
{
    const struct ds_graph_object *x = a, *y = b;
    return x->address < y->address ? -1 : x->address > y->address;
}

static enum ds_status collect(struct collector *c, struct ds_snapshot *s, struct ds_err *err)
{
    static const struct {
        const char *sql;
        ds_row_fn *each;
    } steps[] = {{edges_sql, add_edge},
                 {nodes_sql, add_node},
                 {objects_sql, add_object},
                 {cycles_sql, add_cycle},
                 {state_sql, add_state}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum ds_status status = ds_snapshot_query(s, steps[i].sql, 0, 0, steps[i].each, c, err);
        if (status != DS_OK)
            return status;
        if (c->no_memory)
            return DS_NO_MEMORY;
        if (c->g.edge_count > 0)
            qsort(c->g.edges, c->g.edge_count, sizeof(*c->g.edges), by_waiter);
        if (c->g.node_count > 0)
            qsort(c->g.nodes, c->g.node_count, sizeof(*c->g.nodes), by_address);
        if (c->g.object_count > 0)
            qsort(c->g.objects, c->g.object_count, sizeof(*c->g.objects), by_object);
    }
    return DS_OK;
}

static int write_graph(const struct cli_args *args, struct ds_graph *g)
{
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    struct ds_buf b;
    ds_buf_init(&b, GRAPH_MAX);
    if (args->format == CLI_JSON)
        ds_graph_write_json(g, &b);
    else
        ds_graph_write_dot(g, &b);
    bool ok = ds_buf_ok(&b);
    cli_out_write(&out, ds_buf_text(&b), b.len);
    ds_buf_deinit(&b);
    if (!ok)
        cli_error_message(args->operands[0], "out of memory for the drawing");
    else if (g->edges_dropped > 0)
        cli_error_message(args->operands[0], "the graph was cut after %llu waits",
                          (unsigned long long)g->edge_count);
    return cli_out_close(&out, ok, ok && g->edges_dropped == 0 ? CLI_OK : CLI_INTERNAL);
}

static int graph_snapshot(const struct cli_args *args, struct ds_snapshot *s)
{
    struct collector c = {.g = {.title = args->operands[0], .digits = 16}};
    struct ds_err err = {.status = DS_OK};
    uint64_t pointer;
    if (ds_snapshot_fact(s, DS_FACT_POINTER_SIZE, &pointer) == DS_OK)
        c.g.digits = (unsigned)(2 * pointer);
    enum ds_status status = collect(&c, s, &err);
    int rc = CLI_INTERNAL;
    if (status == DS_OK)
        rc = write_graph(args, &c.g);
    else
        cli_error_message(args->operands[0], "%s",
                          c.no_memory ? "out of memory for the graph" : err.text);
    free(c.g.nodes);
    free(c.g.objects);
    free(c.g.edges);
    ds_arena_deinit(&c.arena);
    return rc;
}

static int graph_run(const struct cli_args *args)
{
    struct ds_options *options = cli_kernel_options(args);
    struct ds_snapshot *s = NULL;
    struct ds_err err = {.status = DS_NO_MEMORY, .text = "out of memory"};
    if (options != NULL)
        err.status = ds_snapshot_open(args->operands[0], options, &s, &err);
    ds_options_free(options);
    if (err.status != DS_OK) {
        cli_error_message(args->operands[0], "%s", err.text);
        return ds_refusal_exit_status(err.status);
    }
    int rc = graph_snapshot(args, s);
    ds_snapshot_close(s);
    return rc;
}

const struct cli_command cli_graph = {
    .name = "graph",
    .synopsis = "FILE",
    .summary = "draw who waits for whom, as Graphviz DOT",
    .detail =
        "Threads are boxes, locks are ellipses; arrows lead from who waits to the lock and on\n"
        "to its owners, dashed ones to whose end or answer is waited for. What others hang on\n"
        "is filled and says how many it blocks; deadlocks are red, possible ones orange.\n"
        "`dot -Tsvg waits.dot -o waits.svg` makes a picture. -f json gives the same as data.",
    .options =
        CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_INFLATED | CLI_OPT_SYMBOLS | CLI_OPT_KERNEL,
    .formats = CLI_TEXT | CLI_JSON,
    .operands_min = 1,
    .operands_max = 1,
    .run = graph_run,
};
