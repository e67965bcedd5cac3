#include "nt/wait_index.h"

#include <string.h>

#include "nt/address_map.h"
#include "nt/impl.h"

#define STATE_WAITING 5     /* KTHREAD_STATE, see data/layouts/enums.layout */
#define WAIT_ANY 1          /* WAIT_TYPE of wdm.h: WaitAll 0, WaitAny 1 */
#define BLOCKS_OF_THREAD 65 /* MAXIMUM_WAIT_OBJECTS of wdm.h, and the thread's timer */

struct ds_nt_wait_index {
    struct ds_wait_index table;
    struct ds_wait *rows; /* owned */
    size_t cap;
    struct ds_address_map threads, objects;
};

struct reader {
    struct ds_nt *nt;
    struct ds_nt_wait_index *w;
    struct ds_field list, count, next, object, thread, type, timer, timer_active;
    bool have_count, have_next, have_type, have_timer, have_timer_active;
    uint32_t block_size;
};

static bool resolve(struct reader *r, const struct ds_target *t)
{
    r->have_count = ds_target_member(t, "_KTHREAD", "WaitBlockCount", &r->count, NULL) == DS_OK;
    r->have_next = ds_target_member(t, "_KWAIT_BLOCK", "NextWaitBlock", &r->next, NULL) == DS_OK;
    r->have_type = ds_target_member(t, "_KWAIT_BLOCK", "WaitType", &r->type, NULL) == DS_OK;
    r->have_timer = ds_target_member(t, "_KTHREAD", "Timer", &r->timer, NULL) == DS_OK;
    r->have_timer_active =
        ds_target_member(t, "_KTHREAD", "TimerActive", &r->timer_active, NULL) == DS_OK;
    return (r->have_next || r->have_count) &&
           ds_target_size(t, "_KWAIT_BLOCK", &r->block_size) == DS_OK && r->block_size != 0 &&
           ds_target_member(t, "_KTHREAD", "WaitBlockList", &r->list, NULL) == DS_OK &&
           ds_target_member(t, "_KWAIT_BLOCK", "Object", &r->object, NULL) == DS_OK &&
           ds_target_member(t, "_KWAIT_BLOCK", "Thread", &r->thread, NULL) == DS_OK;
}

static void lost(struct reader *r, enum ds_status why, uint64_t at, const char *detail)
{
    struct ds_walk *walk = &r->w->table.walk;
    if (walk->complete) {
        walk->complete = false;
        walk->stop_reason = why;
        walk->stop_address = ds_opt_known(at);
        walk->detail = detail;
    }
}

static bool add(struct reader *r, uint32_t row, uint64_t block, uint64_t object, bool any)
{
    struct ds_nt_wait_index *w = r->w;
    void *array = w->rows;
    size_t n = w->table.count;
    uint32_t first = DS_NO_ROW;
    if (!ds_array_reserve(&array, &w->cap, n + 1, sizeof(*w->rows),
                          DS_ROWS_MAX(struct ds_wait, DS_LIMIT_THREADS)) ||
        !ds_address_map_put(&w->objects, object, (uint32_t)n)) {
        lost(r, DS_LIMIT, block, "more waits than are kept");
        return false;
    }
    w->rows = array;
    w->rows[n] = (struct ds_wait){block, object, row, DS_NO_ROW, any, false};
    if (ds_address_map_get(&w->objects, object, &first) && first != n) {
        w->rows[n].next = w->rows[first].next;
        w->rows[first].next = (uint32_t)n;
    }
    w->table.count++;
    return true;
}

/* Reads the blocks: a ring up to Windows 7, an array with a count since. */
static bool read_blocks(struct reader *r, uint32_t row, uint64_t ethread, uint64_t list,
                        bool *timeout)
{
    const struct ds_target *t = r->nt->target;
    uint64_t block = list;
    struct ds_opt count = r->have_next ? ds_opt_known(BLOCKS_OF_THREAD)
                                       : ds_target_read_member(t, ethread, &r->count);
    for (uint64_t i = 0; i < ds_opt_or(count, 1) && i < BLOCKS_OF_THREAD; i++) {
        struct ds_opt owner = ds_target_read_member(t, block, &r->thread);
        struct ds_opt object = ds_target_read_member(t, block, &r->object);
        struct ds_opt type = ds_opt_known(0);
        if (r->have_type) {
            type = ds_target_read_member(t, block, &r->type);
        }
        if (!owner.known || !object.known || owner.value != ethread) {
            lost(r,
                 owner.known && object.known ? DS_CORRUPT
                 : owner.known               ? object.why
                                             : owner.why,
                 block, "what a waiting thread waits for cannot be read");
            return true;
        }
        if (r->have_timer && object.value == ethread + r->timer.offset) {
            *timeout = true;
        } else if (!add(r, row, block, object.value, type.known && type.value == WAIT_ANY)) {
            return false;
        }
        struct ds_opt next = r->have_next ? ds_target_read_member(t, block, &r->next)
                                          : ds_opt_known(block + r->block_size);
        if (!next.known || (r->have_next && (next.value == list || next.value == 0))) {
            return true;
        }
        block = next.value;
    }
    return true;
}

static bool read_thread(struct reader *r, uint32_t row, const struct ds_thread *th)
{
    struct ds_nt_wait_index *w = r->w;
    size_t before = w->table.count;
    bool timeout = false;
    if (!th->state.known || th->state.value != STATE_WAITING) {
        if (!th->state.known) {
            lost(r, th->state.why, th->ethread, "whether a thread waits cannot be read");
        }
        return true;
    }
    struct ds_opt list = ds_target_read_member(r->nt->target, th->ethread, &r->list);
    if (!list.known) {
        lost(r, list.why, th->ethread, "what a waiting thread waits for cannot be read");
    }
    if (!list.known || list.value == 0) {
        return true;
    }
    bool room = read_blocks(r, row, th->ethread, list.value, &timeout);
    if (r->have_timer_active) {
        timeout |=
            ds_opt_or(ds_target_read_member(r->nt->target, th->ethread, &r->timer_active), 0) != 0;
    }
    for (size_t i = before; i < w->table.count; i++) {
        w->rows[i].timeout = timeout;
        w->rows[i].any &= w->table.count - before > 1; /* one object is always waited for so */
    }
    return room;
}

static void fill(struct ds_nt *nt, struct ds_nt_wait_index *w)
{
    struct reader r = {.nt = nt, .w = w};
    const struct ds_threads *threads = ds_nt_threads(nt);
    w->table.walk = (struct ds_walk){.table_name = "wait_index", .complete = true, .detail = ""};
    for (size_t i = 0; i < threads->count; i++) {
        if (!ds_address_map_put(&w->threads, threads->rows[i].ethread, (uint32_t)i)) {
            lost(&r, DS_NO_MEMORY, threads->rows[i].ethread, "out of memory for the threads");
            return;
        }
    }
    if (!resolve(&r, nt->target)) {
        w->table.walk =
            ds_walk_none("wait_index", DS_NO_FIELD, "no layout of _KWAIT_BLOCK fits this kernel");
        return;
    }
    if (!threads->walk.complete) {
        lost(&r, threads->walk.stop_reason, ds_opt_or(threads->walk.stop_address, 0),
             "the list of threads is not complete");
        w->table.walk.stop_address = threads->walk.stop_address;
    }
    bool room = true;
    for (size_t i = 0; i < threads->count && room; i++) {
        room = read_thread(&r, (uint32_t)i, &threads->rows[i]);
    }
    w->table.walk.rows = w->table.count;
    w->table.rows = w->rows;
}

static struct ds_nt_wait_index *index_of(struct ds_nt *nt)
{
    if (nt->wait_index == NULL) {
        nt->wait_index = calloc(1, sizeof(*nt->wait_index));
        if (nt->wait_index != NULL) {
            fill(nt, nt->wait_index);
        }
    }
    return nt->wait_index;
}

const struct ds_wait_index *ds_nt_wait_index(struct ds_nt *nt)
{
    static const struct ds_wait_index none = {
        .walk = {.table_name = "wait_index", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    const struct ds_nt_wait_index *w = index_of(nt);
    return w == NULL ? &none : &w->table;
}

uint32_t ds_nt_waits_on(struct ds_nt *nt, uint64_t object)
{
    const struct ds_nt_wait_index *w = index_of(nt);
    uint32_t row = DS_NO_ROW;
    return w != NULL && ds_address_map_get(&w->objects, object, &row) ? row : DS_NO_ROW;
}

uint32_t ds_nt_thread_row(struct ds_nt *nt, uint64_t ethread)
{
    const struct ds_nt_wait_index *w = index_of(nt);
    uint32_t row = DS_NO_ROW;
    return w != NULL && ds_address_map_get(&w->threads, ethread, &row) ? row : DS_NO_ROW;
}

bool ds_thread_waits_for(const struct ds_thread *thread, const char *reason)
{
    const char *name =
        thread->wait_reason.known ? ds_wait_reason_name(thread->wait_reason.value) : NULL;
    return name != NULL && strcmp(name, reason) == 0;
}

void ds_nt_wait_index_free(struct ds_nt_wait_index *w)
{
    if (w != NULL) {
        free(w->rows);
        ds_address_map_deinit(&w->threads);
        ds_address_map_deinit(&w->objects);
        free(w);
    }
}
