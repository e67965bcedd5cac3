/*
 * The executive's work queues: ExWorkerQueue, where the kernel is one whose globals are known, and
 * whatever queue a thread of the System process serves (KTHREAD.Queue). To Windows 8 ExWorkerQueue
 * is an array of EX_WORK_QUEUE by WORK_QUEUE_TYPE (wdm.h), each beginning with a KQUEUE; later a
 * pointer to one that begins with a KPRIQUEUE. What is there shows in the object's type.
 */
#include "nt/details.h"
#include "nt/dispatch_impl.h"

#define PRIORITIES 32u
#define SYSTEM_PID 4u
#define WR_QUEUE 15u /* KWAIT_REASON (wdm.h) */
#define COUNT_MAX 65536u

static const char *const kinds[] = {"Critical", "Delayed", "HyperCritical"};

struct reader {
    struct ds_nt *nt;
    struct ds_nt_dispatch *keep;
    struct ds_place type, signal, queue, queue_link;
    struct ds_place entries, running, maximum, threads;                 /* _KQUEUE */
    struct ds_place pri_entries, pri_running, pri_maximum, pri_threads; /* _KPRIQUEUE */
    struct ds_place routine, parameter, link, work_item, io_routine, io_object;
    struct ds_entries walk;
    size_t items_left, threads_left;
};

static void reader_init(struct reader *r, struct ds_nt *nt, struct ds_nt_dispatch *keep)
{
    const struct ds_target *t = nt->target;
    const char *plain = "_KQUEUE", *pri = "_KPRIQUEUE", *item = "_WORK_QUEUE_ITEM";
    *r = (struct reader){.nt = nt,
                         .keep = keep,
                         .items_left = DS_LIMIT_WORK_ITEMS,
                         .threads_left = DS_LIMIT_THREADS};
    r->type = ds_place_of(t, "_DISPATCHER_HEADER", "Type");
    r->signal = ds_place_of(t, "_DISPATCHER_HEADER", "SignalState");
    r->queue = ds_place_of(t, "_KTHREAD", "Queue");
    r->queue_link = ds_place_of(t, "_KTHREAD", "QueueListEntry");
    r->entries = ds_place_of(t, plain, "EntryListHead");
    r->running = ds_place_of(t, plain, "CurrentCount");
    r->maximum = ds_place_of(t, plain, "MaximumCount");
    r->threads = ds_place_of(t, plain, "ThreadListHead");
    r->pri_entries = ds_place_of(t, pri, "EntryListHead");
    r->pri_running = ds_place_of(t, pri, "CurrentCount");
    r->pri_maximum = ds_place_of(t, pri, "MaximumCount");
    r->pri_threads = ds_place_of(t, pri, "ThreadListHead");
    r->routine = ds_place_of(t, item, "WorkerRoutine");
    r->parameter = ds_place_of(t, item, "Parameter");
    r->link = ds_place_of(t, item, "List");
    r->work_item = ds_place_of(t, "_IO_WORKITEM", "WorkItem");
    r->io_routine = ds_place_of(t, "_IO_WORKITEM", "Routine");
    r->io_object = ds_place_of(t, "_IO_WORKITEM", "IoObject");
}

/* Type of the queue at va: QUEUE, PRIQUEUE, or 0 when there is none. */
static uint64_t queue_type(const struct reader *r, uint64_t va)
{
    if (!ds_target_is_kernel_va(r->nt->target, va))
        return 0;
    struct ds_opt type = ds_place_read(r->nt->target, va, &r->type);
    uint64_t kind = type.known ? type.value & DS_OBJECT_MASK : 0;
    bool pri = kind == DS_OBJECT_PRIQUEUE && r->pri_entries.status == DS_OK;
    return pri || kind == DS_OBJECT_QUEUE ? kind : 0;
}

/* The threads that serve a queue, and what they do. */
static void read_threads(struct reader *r, struct ds_worker_queue *q, const struct ds_place *head)
{
    const struct ds_threads *all = ds_nt_threads(r->nt);
    uint64_t waiting = 0, blocked = 0;
    bool told = true;
    q->threads = q->waiting = q->blocked =
        ds_opt_unknown(head->status != DS_OK ? head->status : r->queue_link.status);
    if (head->status != DS_OK || r->queue_link.status != DS_OK)
        return;
    ds_dispatch_list(&r->walk, r->nt->target->kernel, q->queue + head->field.offset,
                     &r->threads_left);
    ds_dispatch_end(r->nt, &r->walk, "the thread list of a queue is cut short",
                    &r->keep->queues.walk);
    if (r->walk.end.status != DS_OK) {
        q->threads = q->waiting = q->blocked = ds_opt_unknown(r->walk.end.status);
        return;
    }
    for (size_t i = 0; i < r->walk.count; i++) {
        size_t row = ds_dispatch_thread(r->nt, r->walk.at[i] - r->queue_link.field.offset);
        const struct ds_thread *th = row != SIZE_MAX ? &all->rows[row] : NULL;
        told = told && th != NULL && th->state.known && th->wait_reason.known;
        if (!told || th->state.value != DS_THREAD_WAITING)
            continue;
        waiting += th->wait_reason.value == WR_QUEUE;
        blocked += th->wait_reason.value != WR_QUEUE;
    }
    q->threads = ds_opt_known(r->walk.count);
    q->waiting = told ? ds_opt_known(waiting) : ds_opt_unknown(DS_NOT_FOUND);
    q->blocked = told ? ds_opt_known(blocked) : ds_opt_unknown(DS_NOT_FOUND);
}

/* A work item that a driver made by IoAllocateWorkItem is handed over as its own parameter. */
static void read_io_item(const struct reader *r, struct ds_work_item *x)
{
    const struct ds_target *t = r->nt->target;
    x->driver_routine = x->device =
        ds_opt_unknown(r->work_item.status != DS_OK ? r->work_item.status : DS_NOT_FOUND);
    if (r->work_item.status != DS_OK || !x->parameter.known ||
        x->parameter.value != x->item - r->work_item.field.offset)
        return;
    struct ds_opt routine = ds_place_read(t, x->parameter.value, &r->io_routine);
    if (routine.known && ds_target_module_at(t, routine.value) != NULL) {
        x->driver_routine = routine;
        x->device = ds_place_read(t, x->parameter.value, &r->io_object);
    }
}

static bool add_item(struct reader *r, uint64_t queue, struct ds_opt priority, uint32_t position,
                     uint64_t item)
{
    struct ds_nt_dispatch *k = r->keep;
    void *rows = k->item_rows;
    if (!ds_dispatch_room(&rows, &k->item_cap, k->items.count, sizeof(*k->item_rows),
                          DS_ROWS_MAX(struct ds_work_item, DS_LIMIT_WORK_ITEMS), &k->items.walk))
        return false;
    k->item_rows = rows;
    struct ds_work_item *x = &k->item_rows[k->items.count++];
    *x = (struct ds_work_item){
        .queue = queue, .priority = priority, .position = position, .item = item};
    x->routine = ds_place_read(r->nt->target, item, &r->routine);
    x->parameter = ds_place_read(r->nt->target, item, &r->parameter);
    read_io_item(r, x);
    return true;
}

/* One list of a queue: how many there are, and what, when `known` says that they are work items. */
static enum ds_status read_list(struct reader *r, uint64_t queue, uint64_t head,
                                struct ds_opt priority, bool known, uint64_t *count)
{
    ds_dispatch_list(&r->walk, r->nt->target->kernel, head, &r->items_left);
    *count += r->walk.count;
    ds_dispatch_end(r->nt, &r->walk, "the entry list of a queue is cut short",
                    &r->keep->queues.walk);
    if (known && r->link.status == DS_OK) {
        ds_dispatch_end(r->nt, &r->walk, "the entry list of a queue is cut short",
                        &r->keep->items.walk);
        for (size_t i = 0; i < r->walk.count; i++)
            if (!add_item(r, queue, priority, (uint32_t)i, r->walk.at[i] - r->link.field.offset))
                break;
    }
    return r->walk.end.status;
}

static struct ds_opt read_running(const struct reader *r, uint64_t queue)
{
    struct ds_field f = r->pri_running.field;
    uint64_t sum = 0;
    f.size = 4; /* of each of 32 priorities */
    for (uint32_t i = 0; i < PRIORITIES; i++) {
        struct ds_opt n = ds_target_read_member(r->nt->target, queue + i * 4, &f);
        if (!n.known || (n.value & UINT32_MAX) > COUNT_MAX)
            return ds_opt_unknown(n.known ? DS_CORRUPT : n.why);
        sum += n.value & UINT32_MAX;
    }
    return ds_opt_known(sum);
}

static void read_priqueue(struct reader *r, struct ds_worker_queue *q)
{
    uint64_t count = 0, stride = (uint64_t)r->nt->target->pointer_size * 2;
    enum ds_status status = DS_OK;
    q->running = r->pri_running.status == DS_OK ? read_running(r, q->queue)
                                                : ds_opt_unknown(r->pri_running.status);
    q->maximum = ds_place_read(r->nt->target, q->queue, &r->pri_maximum);
    for (uint32_t i = PRIORITIES; i-- > 0;) {
        enum ds_status st =
            read_list(r, q->queue, q->queue + r->pri_entries.field.offset + i * stride,
                      ds_opt_known(i), true, &count);
        status = status == DS_OK ? st : status;
    }
    q->items = status == DS_OK ? ds_opt_known(count) : ds_opt_unknown(status);
    read_threads(r, q, &r->pri_threads);
}

static void read_kqueue(struct reader *r, struct ds_worker_queue *q, bool known)
{
    uint64_t count = 0;
    q->running = ds_place_read(r->nt->target, q->queue, &r->running);
    q->maximum = ds_place_read(r->nt->target, q->queue, &r->maximum);
    q->items = ds_opt_unknown(r->entries.status);
    if (r->entries.status == DS_OK) {
        enum ds_status st = read_list(r, q->queue, q->queue + r->entries.field.offset,
                                      ds_opt_unknown(DS_OK), known, &count);
        q->items = st == DS_OK ? ds_opt_known(count) : ds_opt_unknown(st);
    }
    read_threads(r, q, &r->threads);
}

/* Queues of drivers carry what the driver likes; those in the kernel's image are its own. */
static bool is_executive(const struct reader *r, uint64_t queue)
{
    const struct ds_module *m = ds_target_module_at(r->nt->target, queue);
    return m != NULL && r->nt->target->kernel_base.known &&
           m->base == r->nt->target->kernel_base.value;
}

static void add_queue(struct reader *r, uint64_t queue, const char *kind, const char *source)
{
    struct ds_nt_dispatch *k = r->keep;
    void *rows = k->queue_rows;
    uint64_t type = queue_type(r, queue);
    for (size_t i = 0; i < k->queues.count; i++)
        if (k->queue_rows[i].queue == queue)
            return;
    if (type == 0 ||
        !ds_dispatch_room(&rows, &k->queue_cap, k->queues.count, sizeof(*k->queue_rows),
                          DS_ROWS_MAX(struct ds_worker_queue, DS_LIMIT_WORKER_QUEUES),
                          &k->queues.walk))
        return;
    k->queue_rows = rows;
    struct ds_worker_queue *q = &k->queue_rows[k->queues.count++];
    *q = (struct ds_worker_queue){
        .queue = queue, .kind = type == DS_OBJECT_PRIQUEUE ? "priority" : kind, .source = source};
    q->signaled = ds_place_read(r->nt->target, queue, &r->signal);
    if (type == DS_OBJECT_PRIQUEUE)
        read_priqueue(r, q);
    else
        read_kqueue(r, q, kind != NULL || is_executive(r, queue));
}

static void by_global(struct reader *r)
{
    const struct ds_target *t = r->nt->target;
    uint64_t at, pointer;
    uint32_t size = 0;
    if (ds_target_global(t, "ExWorkerQueue", &at) != DS_OK)
        return;
    if (queue_type(r, at) == DS_OBJECT_QUEUE &&
        ds_target_size(t, "_EX_WORK_QUEUE", &size) == DS_OK) {
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
            add_queue(r, at + i * size, kinds[i], "ExWorkerQueue");
    } else if (ds_space_read_ptr(t->kernel, at, &pointer, NULL) == DS_OK) {
        add_queue(r, pointer, NULL, "ExWorkerQueue");
    }
}

/* A thread keeps the queue that it took its last entry from. */
static void by_threads(struct reader *r)
{
    const struct ds_threads *threads = ds_nt_threads(r->nt);
    uint64_t before = 0;
    for (size_t i = 0; i < threads->count; i++) {
        const struct ds_thread *th = &threads->rows[i];
        if (ds_opt_or(th->pid, 0) != SYSTEM_PID)
            continue;
        struct ds_opt queue = ds_place_read(r->nt->target, th->ethread, &r->queue);
        if (!queue.known)
            ds_walk_stop(&r->keep->queues.walk, queue.why, ds_opt_known(th->ethread),
                         "KTHREAD.Queue");
        if (ds_opt_or(queue, 0) != 0 && queue.value != before)
            add_queue(r, queue.value, NULL, "KTHREAD.Queue");
        before = ds_opt_or(queue, before);
    }
    if (!threads->walk.complete)
        ds_walk_stop(&r->keep->queues.walk, threads->walk.stop_reason, threads->walk.stop_address,
                     "the table of threads is cut short");
}

static void fill(struct ds_nt *nt, struct ds_nt_dispatch *keep)
{
    struct reader r;
    keep->have_queues = true;
    keep->queues.walk = ds_nt_threads(nt)->walk;
    keep->queues.walk.table_name = "worker_queues";
    keep->items.walk = keep->queues.walk;
    keep->items.walk.table_name = "work_items";
    if (nt->target->kernel != NULL) {
        reader_init(&r, nt, keep);
        by_global(&r);
        by_threads(&r);
        ds_entries_deinit(&r.walk);
    }
    if (!keep->queues.walk.complete)
        ds_walk_stop(&keep->items.walk, keep->queues.walk.stop_reason,
                     keep->queues.walk.stop_address, "the table of queues is cut short");
    keep->queues.rows = keep->queue_rows;
    keep->queues.walk.rows = keep->queues.count;
    keep->items.rows = keep->item_rows;
    keep->items.walk.rows = keep->items.count;
}

const struct ds_worker_queues *ds_nt_worker_queues(struct ds_nt *nt)
{
    static const struct ds_worker_queues none = {
        .walk = {.table_name = "worker_queues", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    struct ds_nt_dispatch *keep = ds_nt_dispatch_get(nt);
    if (keep == NULL)
        return &none;
    if (!keep->have_queues)
        fill(nt, keep);
    return &keep->queues;
}

const struct ds_work_items *ds_nt_work_items(struct ds_nt *nt)
{
    static const struct ds_work_items none = {
        .walk = {.table_name = "work_items", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    struct ds_nt_dispatch *keep = ds_nt_dispatch_get(nt);
    if (keep == NULL)
        return &none;
    if (!keep->have_queues)
        fill(nt, keep);
    return &keep->items;
}
