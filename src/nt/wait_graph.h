/*
 * Who waits for whom: edges from waiting threads to the threads and processes that can end their
 * wait, what all of it hangs on (heads), and the chains in between.
 *
 * An edge is there for executive resources (to every owner), mutants (to the owner), threads and
 * processes (whose end is waited for). Other waits are not followed.
 */
#ifndef DS_NT_WAIT_GRAPH_H
#define DS_NT_WAIT_GRAPH_H

#include "nt/eresources.h"

struct ds_wait_edge {
    uint64_t waiter;           /* _KTHREAD */
    uint64_t owner;            /* _KTHREAD, or _EPROCESS for kind "process" */
    uint64_t object;           /* ERESOURCE, KMUTANT, KTHREAD or EPROCESS: virtual */
    const char *kind;          /* static: "eresource", "mutant", "thread", "process" */
    const char *owner_kind;    /* static: "thread", "process" */
    struct ds_opt owner_ended; /* 1: the owner is a thread that has ended, or is none any more */
    bool lock;    /* the owner holds what the waiter wants; else its end is waited for */
    bool any;     /* another of several objects can end the wait */
    bool timeout; /* the wait ends by itself at last; never of an ERESOURCE, which re-arms it */
    bool closes;  /* a cycle that it is part of is a deadlock: nothing else ends the wait */
};

/* What threads are blocked by and is not blocked itself: a thread, a process, or a cycle. */
struct ds_wait_head {
    uint64_t head;          /* thread or process; of a cycle, its member that the chain ends at */
    const char *kind;       /* static: "thread", "process", "cycle" */
    const char *deadlock;   /* static, of cycles: "deadlock", "possible"; NULL for others */
    uint32_t members;       /* of a cycle; 1 otherwise */
    struct ds_opt blocked;  /* threads that cannot go on because of it, members included; unknown
                               where a cap was hit */
    struct ds_opt by_locks; /* of them, those that wait for a lock */
    uint32_t depth;         /* threads in the deepest chain, head included */
    const char *chain; /* that chain, "a -> b -> head"; of a cycle itself: "a -> b -> a"; arena */
};

/* From a blocked thread that blocks nobody to what it hangs on in the end. */
struct ds_wait_chain {
    uint64_t waiter;
    uint64_t blocker;  /* the next one: of several owners, the one with the deepest chain */
    uint64_t head;     /* as ds_wait_head.head */
    uint32_t length;   /* threads, both ends included */
    bool cycle;        /* the head is a cycle */
    const char *chain; /* "a -> b -> head"; arena */
};

struct ds_wait_graph {
    const struct ds_wait_edge *edges;
    size_t edge_count;
    struct ds_walk edge_walk;
    const struct ds_wait_head *heads; /* most blocked first */
    size_t head_count;
    struct ds_walk head_walk;
    const struct ds_wait_chain *chains;
    size_t chain_count;
    struct ds_walk chain_walk;
};
const struct ds_wait_graph *ds_nt_wait_graph(struct ds_nt *nt);

#endif
