/*
 * Who waits for whom: edges from waiting threads to the threads, processes and drivers that can end
 * their wait, what all of it hangs on (heads), and the chains in between.
 *
 * An edge is there for executive resources (to every owner), mutants, fast and guarded mutexes
 * (to the owner), push locks (to those whose lock entries name the lock), threads and processes
 * (whose end is waited for), replies to ALPC and LPC messages (to the thread that serves the
 * message, else to the process of the server's port) and IRPs (to the driver that holds it). Waits
 * for events, semaphores, timers and gates of other kinds have no owner.
 */
#ifndef DS_NT_WAIT_GRAPH_H
#define DS_NT_WAIT_GRAPH_H

#include "nt/eresources.h"

struct ds_wait_edge {
    uint64_t waiter;           /* _KTHREAD */
    uint64_t owner;            /* _KTHREAD, or _EPROCESS for kind "process" */
    uint64_t object;           /* ERESOURCE, KMUTANT, KTHREAD, EPROCESS, FAST_MUTEX, EX_PUSH_LOCK,
                                  KALPC_MESSAGE, LPCP_PORT_OBJECT or IRP: virtual */
    const char *kind;          /* static: ds_wait_kind.kind */
    const char *owner_kind;    /* static: "thread", "process", "driver" */
    const char *owner_name;    /* the driver's, or the image's of the process; NULL: unreadable */
    struct ds_opt owner_ended; /* 1: the owner is a thread that has ended, or is none any more */
    bool lock;    /* the owner holds what the waiter wants; else its end is waited for */
    bool any;     /* another of several objects can end the wait */
    bool timeout; /* the wait ends by itself at last; never of an ERESOURCE, which re-arms it */
    bool closes;  /* a cycle that it is part of is a deadlock: nothing else ends the wait */
};

/* The ways to wait that are followed. */
enum ds_wait_kind_number {
    DS_WAIT_ERESOURCE,
    DS_WAIT_MUTANT,
    DS_WAIT_FAST_MUTEX,
    DS_WAIT_GUARDED_MUTEX,
    DS_WAIT_PUSH_LOCK,
    DS_WAIT_THREAD,
    DS_WAIT_PROCESS,
    DS_WAIT_ALPC,
    DS_WAIT_LPC,
    DS_WAIT_IRP,
    DS_WAIT_KINDS
};
struct ds_wait_kind {
    const char *kind;           /* static: "eresource", "mutant", "fast mutex", "guarded mutex",
                                   "push lock", "thread", "process", "ALPC", "LPC", "IRP" */
    uint32_t waiting, followed; /* waits of this kind, and those that led to an owner */
    const char *lacks;          /* what the layout of this kernel lacks to follow any; else NULL */
    uint64_t lost_at;           /* the first wait that could not be followed; 0 when none */
    const char *lost;           /* static: why; NULL when none */
};

/* What threads are blocked by and is not blocked itself: a thread, process, driver, or a cycle. */
struct ds_wait_head {
    uint64_t head;    /* thread, process or driver; of a cycle, its member that the chain ends at */
    const char *kind; /* static: "thread", "process", "driver", "cycle" */
    const char *deadlock;   /* static, of cycles: "deadlock" when one of edges that close is in it,
                               else "possible"; NULL for others */
    uint32_t members;       /* of a cycle; 1 otherwise */
    struct ds_opt blocked;  /* threads that cannot go on because of it, members included; unknown
                               where a cap was hit */
    struct ds_opt by_locks; /* of them, those that wait for a lock */
    uint32_t depth;         /* threads in the deepest chain, head included */
    const char *chain;      /* that chain, "a -> b -> head"; of a cycle, one
                               through its members, a deadlock if there is one: "a -> b -> a"; arena */
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
    struct ds_wait_kind kinds[DS_WAIT_KINDS];
    struct ds_walk kind_walk; /* incomplete when a wait could not be followed for want of memory
                                 pages; then edges are missing */
    const struct ds_wait_head *heads; /* most blocked first */
    size_t head_count;
    struct ds_walk head_walk;
    const struct ds_wait_chain *chains;
    size_t chain_count;
    struct ds_walk chain_walk;
};
const struct ds_wait_graph *ds_nt_wait_graph(struct ds_nt *nt);

#endif
