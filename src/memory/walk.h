/*
 * Bounded walks over linked structures in a dump. A walk always ends, and says why.
 */
#ifndef DS_MEMORY_WALK_H
#define DS_MEMORY_WALK_H

#include "memory/space.h"

/* How a walk ended: DS_OK = closed at its head (complete). */
struct ds_walk_end {
    enum ds_status status; /* DS_OK, a read fault, DS_LOOP, DS_LIMIT, DS_CORRUPT */
    uint64_t address;      /* where it stopped; meaningful when status != DS_OK */
    uint64_t count;        /* nodes given to the callback */
};

/*
 * Walks a LIST_ENTRY list by Flink from the head at `head`, calling `each` with the address of
 * every LIST_ENTRY (the head excluded). `each` returns false to stop early (counts as DS_OK).
 * Every node's Blink is compared with the node before: the first that disagrees is kept in
 * *bad_blink (may be NULL; 0 = none) and the walk goes on. Cycles that miss the head end in
 * DS_LOOP (Brent's algorithm, no memory); more than `limit` nodes in DS_LIMIT.
 */
struct ds_walk_end ds_walk_list(struct ds_space *s, uint64_t head, uint64_t limit,
                                bool (*each)(uint64_t entry, void *arg), void *arg,
                                uint64_t *bad_blink);

/*
 * Walks a SINGLE_LIST_ENTRY list from the head at `head` to its NULL, as ds_walk_list() does: the
 * head is not given to the callback, a list that loops ends in DS_LOOP.
 */
struct ds_walk_end ds_walk_single(struct ds_space *s, uint64_t head, uint64_t limit,
                                  bool (*each)(uint64_t entry, void *arg), void *arg);

/*
 * How many of the `count` collected entries are distinct, for a walk that ended in DS_LOOP at
 * `loop_at` (ds_walk_end.address): a loop gives some entries more than once before it is noticed.
 * The first so many entries are the list without repetition.
 */
size_t ds_walk_distinct(const uint64_t *entries, size_t count, uint64_t loop_at);

#endif
