/*
 * Threads that could run. Each KPRCB has a list for each of 32 priorities (Server 2003 and later)
 * and one of threads whose processor is still to be chosen; since Windows 8.1 processors share a
 * queue besides. XP has one set of lists for all, known by symbols only. Threads whose State says
 * ready and that stand in none of these are added from the table of threads. Waits and ready lists
 * use the same link, KTHREAD.WaitListEntry (ReactOS, ntoskrnl/ke/thrdschd.c).
 */
#include <stdlib.h>

#include "nt/details.h"
#include "nt/dispatch_impl.h"

#define TABLE "ready_threads"
#define PRIORITIES 32u

struct reader {
    struct ds_nt *nt;
    struct ds_nt_dispatch *keep;
    struct ds_place link, deferred_link, type, priority, state;
    struct ds_place lists, deferred, shared, shared_lists;
    struct ds_entries entries;
    size_t left;
    bool *seen; /* owned; by row of ds_nt_threads() */
};

static void reader_init(struct reader *r, struct ds_nt *nt, struct ds_nt_dispatch *keep)
{
    const struct ds_target *t = nt->target;
    *r = (struct reader){.nt = nt, .keep = keep, .left = DS_LIMIT_READY};
    r->link = ds_place_of(t, "_KTHREAD", "WaitListEntry");
    r->deferred_link = ds_place_of(t, "_KTHREAD", "SwapListEntry");
    r->type = ds_place_of(t, "_DISPATCHER_HEADER", "Type");
    r->priority = ds_place_of(t, "_KTHREAD", "Priority");
    r->state = ds_place_of(t, "_KTHREAD", "State");
    r->lists = ds_place_of(t, "_KPRCB", "DispatcherReadyListHead");
    r->deferred = ds_place_of(t, "_KPRCB", "DeferredReadyListHead");
    r->shared = ds_place_of(t, "_KPRCB", "SharedReadyQueue");
    r->shared_lists = ds_place_of(t, "_KSHARED_READY_QUEUE", "ReadyListHead");
    r->seen = ds_alloc_array(ds_nt_threads(nt)->count + 1, sizeof(*r->seen));
}

static struct ds_ready_thread *add(struct reader *r, uint64_t ethread, const char *source)
{
    struct ds_nt_dispatch *k = r->keep;
    void *rows = k->ready_rows;
    struct ds_opt unknown = ds_opt_unknown(DS_OK);
    if (!ds_dispatch_room(&rows, &k->ready_cap, k->ready.count, sizeof(*k->ready_rows),
                          DS_ROWS_MAX(struct ds_ready_thread, DS_LIMIT_READY), &k->ready.walk))
        return NULL;
    k->ready_rows = rows;
    struct ds_ready_thread *x = &k->ready_rows[k->ready.count++];
    *x = (struct ds_ready_thread){.ethread = ethread,
                                  .processor = unknown,
                                  .queue = unknown,
                                  .source = source,
                                  .eprocess = unknown,
                                  .pid = unknown,
                                  .tid = unknown,
                                  .ready_ticks = unknown,
                                  .ready_ms = unknown};
    x->priority = ds_place_read(r->nt->target, ethread, &r->priority);
    x->state = ds_place_read(r->nt->target, ethread, &r->state);
    size_t row = ds_dispatch_thread(r->nt, ethread);
    if (row != SIZE_MAX) {
        const struct ds_thread *th = &ds_nt_threads(r->nt)->rows[row];
        const struct ds_thread_detail *d = ds_nt_thread_details(r->nt);
        x->eprocess = th->eprocess;
        x->pid = th->pid;
        x->tid = th->tid;
        if (d != NULL) {
            x->ready_ticks = d[row].wait_age_ticks;
            x->ready_ms = d[row].wait_age_ms;
        }
        if (r->seen != NULL)
            r->seen[row] = true;
    }
    return x;
}

static bool is_thread(struct reader *r, uint64_t ethread)
{
    struct ds_opt type = ds_place_read(r->nt->target, ethread, &r->type);
    if (type.known && (type.value & DS_OBJECT_MASK) == DS_OBJECT_THREAD)
        return true;
    ds_walk_stop(&r->keep->ready.walk, type.known ? DS_CORRUPT : type.why, ds_opt_known(ethread),
                 type.known ? "what a ready list leads to is no thread"
                            : "a thread of a ready list cannot be read");
    return false;
}

static void add_entries(struct reader *r, uint32_t link, struct ds_opt processor,
                        struct ds_opt queue, const char *source)
{
    const struct ds_entries *e = &r->entries;
    for (size_t i = 0; i < e->count; i++) {
        if (!is_thread(r, e->at[i] - link))
            continue;
        struct ds_ready_thread *x = add(r, e->at[i] - link, source);
        if (x == NULL)
            return;
        x->processor = processor;
        x->queue = queue;
    }
    ds_dispatch_end(r->nt, e, "a ready list is cut short", &r->keep->ready.walk);
}

/* The highest priority first, as !ready shows them. */
static void walk_lists(struct reader *r, uint64_t first, struct ds_opt processor,
                       struct ds_opt queue, const char *source)
{
    uint64_t stride = (uint64_t)r->nt->target->pointer_size * 2;
    for (uint32_t i = PRIORITIES; i-- > 0;) {
        ds_dispatch_list(&r->entries, r->nt->target->kernel, first + i * stride, &r->left);
        add_entries(r, r->link.field.offset, processor, queue, source);
    }
}

static bool walked_before(const struct reader *r, size_t upto, uint64_t queue)
{
    const struct ds_processors *cpus = ds_nt_processors(r->nt);
    for (size_t i = 0; i < upto; i++)
        if (cpus->rows[i].prcb.known &&
            ds_opt_or(ds_place_read(r->nt->target, cpus->rows[i].prcb.value, &r->shared), 0) ==
                queue)
            return true;
    return false;
}

static void walk_shared(struct reader *r, size_t row)
{
    struct ds_opt prcb = ds_nt_processors(r->nt)->rows[row].prcb;
    struct ds_opt queue = ds_place_read(r->nt->target, prcb.value, &r->shared);
    if (!queue.known || queue.value == 0 || walked_before(r, row, queue.value)) {
        if (!queue.known)
            ds_walk_stop(&r->keep->ready.walk, queue.why, prcb, "a KPRCB cannot be read");
        return;
    }
    if (r->shared_lists.status != DS_OK || !ds_target_is_kernel_va(r->nt->target, queue.value)) {
        ds_walk_stop(&r->keep->ready.walk,
                     r->shared_lists.status != DS_OK ? r->shared_lists.status : DS_CORRUPT, queue,
                     "KPRCB.SharedReadyQueue");
        return;
    }
    walk_lists(r, queue.value + r->shared_lists.field.offset, ds_opt_unknown(DS_OK), queue,
               "SharedReadyQueue");
}

static void walk_processor(struct reader *r, size_t row)
{
    const struct ds_processor *p = &ds_nt_processors(r->nt)->rows[row];
    struct ds_opt number = ds_opt_known(p->number);
    if (!p->prcb.known) {
        ds_walk_stop(&r->keep->ready.walk, p->prcb.why, p->prcb, "a KPRCB is not known");
        return;
    }
    walk_lists(r, p->prcb.value + r->lists.field.offset, number, ds_opt_unknown(DS_OK),
               "DispatcherReadyListHead");
    if (r->deferred.status == DS_OK && r->deferred_link.status == DS_OK) {
        ds_dispatch_single(&r->entries, r->nt->target->kernel,
                           p->prcb.value + r->deferred.field.offset, &r->left);
        add_entries(r, r->deferred_link.field.offset, number, ds_opt_unknown(DS_OK),
                    "DeferredReadyListHead");
    }
    if (r->shared.status == DS_OK)
        walk_shared(r, row);
}

static void walk_queues(struct reader *r)
{
    const struct ds_target *t = r->nt->target;
    const struct ds_processors *cpus = ds_nt_processors(r->nt);
    uint64_t head;
    if (r->link.status != DS_OK || r->type.status != DS_OK)
        ds_walk_stop(&r->keep->ready.walk, DS_NO_FIELD, ds_opt_unknown(DS_OK),
                     "_KTHREAD.WaitListEntry");
    else if (r->lists.status == DS_OK)
        for (size_t i = 0; i < cpus->count; i++)
            walk_processor(r, i);
    else if (ds_target_global(t, "KiDispatcherReadyListHead", &head) == DS_OK)
        walk_lists(r, head, ds_opt_unknown(DS_OK), ds_opt_unknown(DS_OK),
                   "KiDispatcherReadyListHead");
}

static bool is_idle_thread(const struct reader *r, uint64_t ethread)
{
    const struct ds_processors *cpus = ds_nt_processors(r->nt);
    for (size_t i = 0; i < cpus->count; i++)
        if (ds_opt_or(cpus->rows[i].idle_thread, 0) == ethread)
            return true;
    return false;
}

/* On XP, and of processes that are not in memory, the state of the thread is all there is. */
static void add_by_state(struct reader *r)
{
    const struct ds_threads *threads = ds_nt_threads(r->nt);
    for (size_t i = 0; r->seen != NULL && i < threads->count; i++) {
        const struct ds_thread *th = &threads->rows[i];
        bool ready = th->state.known && (th->state.value == DS_THREAD_READY ||
                                         th->state.value == DS_THREAD_DEFERRED_READY);
        if (ready && !r->seen[i] && !is_idle_thread(r, th->ethread) &&
            add(r, th->ethread, "KTHREAD.State") == NULL)
            return;
    }
    if (!threads->walk.complete)
        ds_walk_stop(&r->keep->ready.walk, threads->walk.stop_reason, threads->walk.stop_address,
                     "the table of threads is cut short");
}

const struct ds_ready_threads *ds_nt_ready_threads(struct ds_nt *nt)
{
    static const struct ds_ready_threads none = {
        .walk = {.table_name = TABLE, .stop_reason = DS_NO_MEMORY, .detail = ""}};
    struct ds_nt_dispatch *keep = ds_nt_dispatch_get(nt);
    struct reader r;
    if (keep == NULL)
        return &none;
    if (keep->have_ready)
        return &keep->ready;
    keep->have_ready = true;
    keep->ready.walk = ds_nt_processors(nt)->walk;
    keep->ready.walk.table_name = TABLE;
    reader_init(&r, nt, keep);
    if (nt->target->kernel != NULL) {
        walk_queues(&r);
        add_by_state(&r);
    }
    free(r.seen);
    ds_entries_deinit(&r.entries);
    keep->ready.rows = keep->ready_rows;
    keep->ready.walk.rows = keep->ready.count;
    return &keep->ready;
}
