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
    struct ds_wait_cycles cycles;
};

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

/* A cycle in its order from the lowest address on, the first once more at the end. */
static const char *cycle_text(struct scratch *s, const struct ds_wait_cycles *c)
{
    struct ds_buf b;
    char text[32];
    uint32_t left_out = c->length > CHAIN_SHOWN ? c->length - CHAIN_SHOWN : 0;
    ds_buf_init(&b, 4096);
    for (uint32_t i = 0; i < c->length - left_out; i++)
        put(&b, s->nt, s->g->nodes[c->first[(c->lowest + i) % c->length]].address);
    if (left_out != 0) {
        int len = snprintf(text, sizeof(text), " -> (%" PRIu32 " more)", left_out);
        ds_buf_add(&b, text, (size_t)len);
    }
    put(&b, s->nt, s->g->nodes[c->first[c->lowest]].address);
    return keep(s->nt, &b);
}

static const char *finish_chain(struct scratch *s, struct ds_buf *b, uint32_t left_out,
                                uint32_t last)
{
    if (left_out != 0) {
        char text[32];
        int len = snprintf(text, sizeof(text), " -> (%" PRIu32 " more)", left_out);
        ds_buf_add(b, text, (size_t)len);
    }
    put(b, s->nt, s->g->nodes[last].address);
    return keep(s->nt, b);
}

/* From a group on by the deepest owners to their end. */
static const char *deepest_text(struct scratch *s, uint32_t number)
{
    const struct ds_nt_wait_graph *g = s->g;
    const struct ds_wait_group *from = &g->groups[number], *group = from;
    struct ds_buf b;
    ds_buf_init(&b, 4096);
    for (unsigned i = 0; i < CHAIN_SHOWN && i < from->steps; i++) {
        put(&b, s->nt, g->nodes[group->from].address);
        group = &g->groups[group->next];
    }
    return finish_chain(s, &b, from->steps > CHAIN_SHOWN ? from->steps - CHAIN_SHOWN : 0,
                        from->steps == 0 ? g->order[from->first] : from->end);
}

/* From a group on by the edges of `via` to the head. */
static const char *head_text(struct scratch *s, uint32_t number)
{
    const struct ds_nt_wait_graph *g = s->g;
    struct ds_buf b;
    uint32_t last = g->order[g->groups[number].first], left_out = 0;
    ds_buf_init(&b, 4096);
    for (unsigned shown = 0; s->via[number] != DS_NO_ROW; shown++) {
        uint32_t edge = s->via[number];
        last = g->owner_node[edge];
        if (shown < CHAIN_SHOWN) {
            put(&b, s->nt, g->nodes[g->waiter_node[edge]].address);
        } else {
            left_out++;
        }
        number = g->nodes[last].group;
    }
    return finish_chain(s, &b, left_out, last);
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
    struct ds_wait_group *group = &g->groups[number];
    size_t n = g->table.head_count, count;
    void *array = g->heads;
    if (!ds_array_reserve(&array, &g->head_cap, n + 1, sizeof(*g->heads),
                          DS_ROWS_MAX(struct ds_wait_head, DS_LIMIT_WAIT_EDGES))) {
        ds_walk_stop(&g->table.head_walk, DS_LIMIT, ds_opt_unknown(DS_OK),
                     "more heads than are kept");
        return;
    }
    g->heads = array;
    if (group->cycle) { /* chains that end here are named later: owners come first */
        const struct ds_wait_cycles *c = &s->cycles;
        ds_wait_cycles_find(&s->cycles, number);
        group->address = g->nodes[c->first[c->lowest]].address;
    }
    struct ds_wait_head *h = &g->heads[g->table.head_count++];
    *h = (struct ds_wait_head){.head = group->address,
                               .kind =
                                   group->cycle ? "cycle" : g->nodes[g->order[group->first]].kind,
                               .deadlock = !group->cycle       ? NULL
                                           : s->cycles.certain ? "deadlock"
                                                               : "possible",
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
    h->chain = group->cycle ? cycle_text(s, &s->cycles) : head_text(s, from);
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
                               .head = g->groups[group->head].address,
                               .length = group->depth,
                               .cycle = g->groups[group->head].cycle,
                               .chain = deepest_text(s, number)};
}

void ds_wait_graph_heads(struct ds_nt *nt, struct ds_nt_wait_graph *g)
{
    struct scratch s = {.nt = nt, .g = g};
    s.seen = ds_alloc_array(g->group_count, sizeof(*s.seen));
    s.reached = ds_alloc_array(g->group_count, sizeof(*s.reached));
    s.distance = ds_alloc_array(g->group_count, sizeof(*s.distance));
    s.via = ds_alloc_array(g->group_count, sizeof(*s.via));
    bool room = ds_wait_cycles_open(&s.cycles, g);
    if (room && s.seen != NULL && s.reached != NULL && s.distance != NULL && s.via != NULL) {
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
    ds_wait_cycles_close(&s.cycles);
}
