/* Names of what edges lead to: each process and driver is looked up once. */
#include <string.h>

#include "nt/address_map.h"
#include "nt/follow.h"
#include "nt/wait_edges.h"

struct namer {
    struct ds_edge_builder *b;
    struct ds_address_map processes; /* to rows */
    struct ds_address_map drivers;   /* to the first edge that leads there */
};

static const char *process_name(const struct namer *n, struct ds_opt eprocess)
{
    uint32_t row;
    if (!eprocess.known || !ds_address_map_get(&n->processes, eprocess.value, &row))
        return NULL;
    return ds_nt_processes(n->b->nt)->rows[row].name;
}

static const char *driver_name(struct namer *n, size_t edge)
{
    uint64_t driver = n->b->edges[edge].owner;
    uint32_t first;
    if (ds_address_map_get(&n->drivers, driver, &first))
        return n->b->edges[first].owner_name;
    (void)ds_address_map_put(&n->drivers, driver, (uint32_t)edge); /* without memory: once more */
    return ds_driver_object_name(n->b->nt, driver);
}

static const char *name_of(struct namer *n, size_t edge)
{
    const struct ds_wait_edge *e = &n->b->edges[edge];
    if (strcmp(e->owner_kind, "driver") == 0)
        return driver_name(n, edge);
    if (strcmp(e->owner_kind, "process") == 0)
        return process_name(n, ds_opt_known(e->owner));
    uint32_t row = ds_nt_thread_row(n->b->nt, e->owner);
    return row == DS_NO_ROW ? NULL : process_name(n, ds_nt_threads(n->b->nt)->rows[row].eprocess);
}

void ds_edges_name(struct ds_edge_builder *b)
{
    const struct ds_processes *p = ds_nt_processes(b->nt);
    struct namer n = {.b = b};
    bool room = true;
    for (size_t i = 0; i < p->count && room; i++)
        room = ds_address_map_put(&n.processes, p->rows[i].eprocess, (uint32_t)i);
    for (size_t i = 0; i < b->count; i++)
        b->edges[i].owner_name = name_of(&n, i);
    ds_address_map_deinit(&n.processes);
    ds_address_map_deinit(&n.drivers);
}
