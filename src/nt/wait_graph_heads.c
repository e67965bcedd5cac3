/* What everything hangs on, and the chains that lead there. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "nt/wait_graph_impl.h"

#define CHAIN_SHOWN 24 /* threads of a chain that are written out, besides the last */

struct scratch {
    struct ds_nt *nt;
    struct ds_nt_wait_graph *g;
    uint32_t *seen;           /* by group: number + 1 of the head that it was reached from */
    uint32_t *reached;        /* groups */
    uint32_t *distance, *via; /* by group: threads to the head; edge that leads there */
    uint64_t work;
};

static uint64_t group_address(const struct ds_nt_wait_graph *g, uint32_t number)
{
    const struct ds_wait_group *group = &g->groups[number];
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < group->count; i++) {
        uint64_t address = g->nodes[g->order[group->first + i]].address;
        least = address < least ? address : least;
    }
    return least;
}

/* ---- chains as text ---- */

static void put(struct ds_buf *b, struct ds_nt *nt, uint64_t address)
{
    char text[24];
    int len = snprintf(text, sizeof(text),
                       nt->target->pointer_size == 8 ? "%016" PRIx64 : "%08" PRIx64, address);
    if (b->len != 0) {
        ds_buf_add(b, " -> ", 4);
    }
    ds_buf_add(b, text, (size_t)len);
}

static const char *keep(struct ds_nt *nt, struct ds_buf *b)
{
    const char *text = ds_buf_ok(b) ? ds_arena_strdup(&nt->arena, ds_buf_text(b), b->len) : NULL;
    ds_buf_deinit(b);
    return text;
}

/* The members of a cycle in their order, the first once more at the end. */
static const char *cycle_text(struct scratch *s, uint32_t number)
{
    const struct ds_nt_wait_graph *g = s->g;
    const struct ds_wait_group *group = &g->groups[number];
    uint32_t node = g->order[group->first];
    struct ds_buf b;
    struct ds_address_map passed = {0};
    for (uint32_t i = 0; i < group->count; i++) {
        if (g->nodes[g->order[group->first + i]].address == group_address(g, number)) {
            node = g->order[group->first + i];
            break;
        }
    }
    ds_buf_init(&b, 4096);
    for (unsigned i = 0; i <= CHAIN_SHOWN; i++) {
        const struct ds_wait_node *n = &g->nodes[node];
        put(&b, s->nt, n->address);
        if (ds_address_map_get(&passed, n->address, NULL) ||
            !ds_address_map_put(&passed, n->address, 0)) {
            break;
        }
        for (uint32_t e = n->first_out; e < n->first_out + n->outs; e++) {
            if (g->nodes[g->owner_node[e]].group == number) {
                node = g->owner_node[e];
                break;
            }
        }
    }
    ds_address_map_deinit(&passed);
    return keep(s->nt, &b);
}

/* From a group on to its end: by the deepest owners, or by `via` when that is not NULL. */
static const char *chain_text(struct scratch *s, uint32_t number, const uint32_t *via)
{
    const struct ds_nt_wait_graph *g = s->g;
    struct ds_buf b;
    uint32_t last = DS_NO_ROW, left_out = 0;
    ds_buf_init(&b, 4096);
    for (unsigned shown = 0;; shown++) {
        const struct ds_wait_group *group = &g->groups[number];
        uint32_t edge = via == NULL ? DS_NO_ROW : via[number];
        bool end = via == NULL ? group->next == DS_NO_ROW : edge == DS_NO_ROW;
        if (end) {
            break;
        }
        uint32_t from = via == NULL ? group->from : g->waiter_node[edge];
        last = via == NULL ? group->to : g->owner_node[edge];
        if (shown < CHAIN_SHOWN) {
            put(&b, s->nt, g->nodes[from].address);
        } else {
            left_out++;
        }
        number = g->nodes[last].group;
    }
    if (left_out != 0) {
        char text[32];
        int len = snprintf(text, sizeof(text), " -> (%" PRIu32 " more)", left_out);
        ds_buf_add(&b, text, (size_t)len);
    }
    put(&b, s->nt, g->nodes[last == DS_NO_ROW ? g->order[g->groups[number].first] : last].address);
    return keep(s->nt, &b);
}

/* ---- heads ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Groups that hang on this one, itself the first. False when the work is too much. */
static bool reach(struct scratch *s, uint32_t head, uint32_t mark, size_t *count)
{
    const struct ds_nt_wait_graph *g = s->g;
    size_t n = 0;
    s->reached[n++] = head;
    s->seen[head] = mark;
    for (size_t at = 0; at < n; at++) {
        const struct ds_wait_group *group = &g->groups[s->reached[at]];
        for (uint32_t m = 0; m < group->count; m++) {
            uint32_t e = g->nodes[g->order[group->first + m]].first_in;
            for (; e != DS_NO_ROW; e = g->next_in[e]) {
                uint32_t from = g->nodes[g->waiter_node[e]].group;
                if (++s->work > DS_LIMIT_WAIT_WORK) {
                    return false;
                }
                if (s->seen[from] != mark) {
                    s->seen[from] = mark;
                    s->reached[n++] = from;
                }
            }
        }
    }
    *count = n;
    return true;
}

/* Distances of what was reached; owners have lower numbers than who waits for them. Gives the
 * group that is farthest from the head. */
static uint32_t farthest(struct scratch *s, uint32_t head, uint32_t mark, size_t count)
{
    const struct ds_nt_wait_graph *g = s->g;
    uint32_t best = head;
    qsort(s->reached, count, sizeof(*s->reached), by_number);
    for (size_t i = 0; i < count; i++) {
        uint32_t number = s->reached[i], behind = 0;
        const struct ds_wait_group *group = &g->groups[number];
        s->via[number] = DS_NO_ROW;
        for (uint32_t m = 0; m < group->count && number != head; m++) {
            const struct ds_wait_node *n = &g->nodes[g->order[group->first + m]];
            for (uint32_t e = n->first_out; e < n->first_out + n->outs; e++) {
                uint32_t to = g->nodes[g->owner_node[e]].group;
                if (to != number && s->seen[to] == mark && s->distance[to] > behind) {
                    behind = s->distance[to];
                    s->via[number] = e;
                }
            }
        }
        s->distance[number] = group->count + behind;
        best = s->distance[number] > s->distance[best] ? number : best;
    }
    return best;
}

static bool waits_for_lock(const struct ds_nt_wait_graph *g, const struct ds_wait_node *n)
{
    for (uint32_t e = n->first_out; e < n->first_out + n->outs; e++) {
        if (g->edges[e].lock) {
            return true;
        }
    }
    return false;
}

/* A cycle that nothing can end by itself: no wait in it is for any of several, or ends in time. */
static const char *judge(const struct ds_nt_wait_graph *g, uint32_t number)
{
    const struct ds_wait_group *group = &g->groups[number];
    for (uint32_t m = 0; m < group->count; m++) {
        const struct ds_wait_node *n = &g->nodes[g->order[group->first + m]];
        for (uint32_t e = n->first_out; e < n->first_out + n->outs; e++) {
            if (g->nodes[g->owner_node[e]].group == number &&
                (g->edges[e].any || g->edges[e].timeout)) {
                return "possible";
            }
        }
    }
    return "deadlock";
}

static void count_blocked(struct scratch *s, uint32_t head, size_t count, struct ds_wait_head *ret)
{
    const struct ds_nt_wait_graph *g = s->g;
    uint64_t blocked = 0, locks = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ds_wait_group *group = &g->groups[s->reached[i]];
        for (uint32_t m = 0; m < group->count; m++) {
            if (s->reached[i] != head || group->cycle) {
                blocked++;
                locks += waits_for_lock(g, &g->nodes[g->order[group->first + m]]);
            }
        }
    }
    ret->blocked = ds_opt_known(blocked);
    ret->by_locks = ds_opt_known(locks);
}

static void add_head(struct scratch *s, uint32_t number)
{
    struct ds_nt_wait_graph *g = s->g;
    const struct ds_wait_group *group = &g->groups[number];
    size_t n = g->table.head_count, count;
    void *array = g->heads;
    if (!ds_array_reserve(&array, &g->head_cap, n + 1, sizeof(*g->heads),
                          DS_ROWS_MAX(struct ds_wait_head, DS_LIMIT_WAIT_EDGES))) {
        ds_walk_stop(&g->table.head_walk, DS_LIMIT, ds_opt_unknown(DS_OK),
                     "more heads than are kept");
        return;
    }
    g->heads = array;
    struct ds_wait_head *h = &g->heads[g->table.head_count++];
    *h = (struct ds_wait_head){.head = group_address(g, number),
                               .kind =
                                   group->cycle ? "cycle" : g->nodes[g->order[group->first]].kind,
                               .deadlock = group->cycle ? judge(g, number) : NULL,
                               .members = group->count,
                               .depth = group->depth};
    if (s->work > DS_LIMIT_WAIT_WORK || !reach(s, number, (uint32_t)n + 1, &count)) {
        h->blocked = h->by_locks = ds_opt_unknown(DS_LIMIT);
        ds_walk_stop(&g->table.head_walk, DS_LIMIT, ds_opt_known(h->head),
                     "too many threads to count who hangs on what, from this head on");
        return;
    }
    uint32_t from = farthest(s, number, (uint32_t)n + 1, count);
    h->depth = s->distance[from];
    h->chain = group->cycle ? cycle_text(s, number) : chain_text(s, from, s->via);
    count_blocked(s, number, count, h);
}

static int most_blocked(const void *a, const void *b)
{
    const struct ds_wait_head *x = a, *y = b;
    uint64_t m = ds_opt_or(x->blocked, 0), n = ds_opt_or(y->blocked, 0);
    return m != n ? (m < n) - (m > n) : (x->head > y->head) - (x->head < y->head);
}

/* ---- chains ---- */

static void add_chain(struct scratch *s, uint32_t number)
{
    struct ds_nt_wait_graph *g = s->g;
    const struct ds_wait_group *group = &g->groups[number];
    void *array = g->chains;
    if (!ds_array_reserve(&array, &g->chain_cap, g->table.chain_count + 1, sizeof(*g->chains),
                          DS_ROWS_MAX(struct ds_wait_chain, DS_LIMIT_WAIT_EDGES))) {
        ds_walk_stop(&g->table.chain_walk, DS_LIMIT, ds_opt_unknown(DS_OK),
                     "more chains than are kept");
        return;
    }
    g->chains = array;
    g->chains[g->table.chain_count++] =
        (struct ds_wait_chain){.waiter = g->nodes[group->from].address,
                               .blocker = g->nodes[group->to].address,
                               .head = group_address(g, group->head),
                               .length = group->depth,
                               .cycle = g->groups[group->head].cycle,
                               .chain = chain_text(s, number, NULL)};
}

void ds_wait_graph_heads(struct ds_nt *nt, struct ds_nt_wait_graph *g)
{
    struct scratch s = {.nt = nt, .g = g};
    s.seen = ds_alloc_array(g->group_count, sizeof(*s.seen));
    s.reached = ds_alloc_array(g->group_count, sizeof(*s.reached));
    s.distance = ds_alloc_array(g->group_count, sizeof(*s.distance));
    s.via = ds_alloc_array(g->group_count, sizeof(*s.via));
    if (s.seen != NULL && s.reached != NULL && s.distance != NULL && s.via != NULL) {
        for (uint32_t i = 0; i < g->group_count; i++) {
            const struct ds_wait_group *group = &g->groups[i];
            if (group->cycle || (group->next == DS_NO_ROW && group->blocks)) {
                add_head(&s, i);
            } else if (!group->blocks && group->next != DS_NO_ROW) {
                add_chain(&s, i);
            }
        }
        qsort(g->heads, g->table.head_count, sizeof(*g->heads), most_blocked);
    } else {
        g->table.head_walk = ds_walk_none("wait_heads", DS_NO_MEMORY, "out of memory for heads");
        g->table.chain_walk = ds_walk_none("wait_chains", DS_NO_MEMORY, "out of memory for chains");
    }
    free(s.seen);
    free(s.reached);
    free(s.distance);
    free(s.via);
}
