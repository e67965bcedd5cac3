/* What dpcs.c, timers.c, ready.c and work_queues.c share. Private. */
#ifndef DS_NT_DISPATCH_IMPL_H
#define DS_NT_DISPATCH_IMPL_H

#include "nt/dispatch.h"
#include "nt/impl.h"

/* _KOBJECTS (data/layouts/enums.layout); the number of threaded DPCs changed with Windows 8. */
#define DS_OBJECT_MASK 0x7fu /* of DISPATCHER_HEADER.Type: the top bit is the object's lock */
#define DS_OBJECT_QUEUE 4u
#define DS_OBJECT_TIMER_NOTIFICATION 8u
#define DS_OBJECT_TIMER_SYNCHRONIZATION 9u
#define DS_OBJECT_DPC 19u
#define DS_OBJECT_PRIQUEUE 21u
#define DS_OBJECT_THREADED_DPC_BEFORE_8 24u
#define DS_OBJECT_THREADED_DPC 26u

struct ds_nt_dispatch {
    bool have_dpcs;
    struct ds_dpc *dpc_rows; /* owned */
    size_t dpc_cap;
    struct ds_dpcs dpcs;
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

/* Whether a KDPC begins at va: what its Type says. Unknown when that cannot be read. */
struct ds_opt ds_dpc_is_one(const struct ds_target *t, uint64_t va);

#endif
