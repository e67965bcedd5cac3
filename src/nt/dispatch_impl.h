/* What dpcs.c, timers.c, ready.c and work_queues.c share. Private. */
#ifndef DS_NT_DISPATCH_IMPL_H
#define DS_NT_DISPATCH_IMPL_H

#include "nt/dispatch.h"
#include "nt/impl.h"

/* _KOBJECTS (data/layouts/enums.layout); the number of threaded DPCs changed with Windows 8. */
#define DS_OBJECT_MASK 0x7fu /* of DISPATCHER_HEADER.Type: the top bit is the object's lock */
#define DS_OBJECT_QUEUE 4u
#define DS_OBJECT_THREAD 6u
#define DS_OBJECT_TIMER_NOTIFICATION 8u
#define DS_OBJECT_TIMER_SYNCHRONIZATION 9u
#define DS_OBJECT_DPC 19u
#define DS_OBJECT_PRIQUEUE 21u
#define DS_OBJECT_THREADED_DPC_BEFORE_8 24u
#define DS_OBJECT_THREADED_DPC 26u

/* Where a thread stands in ds_nt_threads(). */
struct ds_thread_place {
    uint64_t ethread;
    size_t row;
};

struct ds_nt_dispatch {
    bool have_dpcs, have_timers, have_ready, have_queues, have_places;
    struct ds_dpc *dpc_rows; /* owned, as the other rows are */
    struct ds_timer *timer_rows;
    struct ds_ready_thread *ready_rows;
    struct ds_worker_queue *queue_rows;
    struct ds_work_item *item_rows;
    struct ds_thread_place *places; /* by address */
    size_t dpc_cap, timer_cap, ready_cap, queue_cap, item_cap;
    struct ds_dpcs dpcs;
    struct ds_timers timers;
    struct ds_ready_threads ready;
    struct ds_worker_queues queues;
    struct ds_work_items items;
};

/* A member that was looked up once. */
struct ds_place {
    struct ds_field field;
    enum ds_status status;
};
struct ds_place ds_place_of(const struct ds_target *t, const char *type, const char *member);
struct ds_opt ds_place_read(const struct ds_target *t, uint64_t va, const struct ds_place *p);

/* Those of a snapshot, made on first use; NULL without memory. */
struct ds_nt_dispatch *ds_nt_dispatch_get(struct ds_nt *nt);

/* Room for one more row in *rows; false, with the reason in the walk, when there is none. */
bool ds_dispatch_room(void **rows, size_t *cap, size_t count, size_t size, size_t limit,
                      struct ds_walk *walk);

/* The entries of a singly linked list that ends in NULL, without repetition. */
void ds_entries_walk_single(struct ds_entries *e, struct ds_space *space, uint64_t head,
                            size_t limit);

/* The entries of a list, doubly or singly linked, taken out of *left: what all lists of a table may
 * have together, so that many that share a tail cost no more than one. */
void ds_dispatch_list(struct ds_entries *e, struct ds_space *space, uint64_t head, size_t *left);
void ds_dispatch_single(struct ds_entries *e, struct ds_space *space, uint64_t head, size_t *left);

/* Says in the walk how that of a list ended: where it was cut short, or that its ends disagree. */
void ds_dispatch_end(struct ds_nt *nt, const struct ds_entries *e, const char *cut,
                     struct ds_walk *walk);

/* The row of a thread in ds_nt_threads(); SIZE_MAX when it has none. */
size_t ds_dispatch_thread(struct ds_nt *nt, uint64_t ethread);

/* Whether a KDPC begins at va: what its Type says. Unknown when that cannot be read. */
struct ds_opt ds_dpc_is_one(const struct ds_target *t, uint64_t va);

#endif
