/* How the edges of the wait graph are found, kind by kind. Private. */
#ifndef DS_NT_WAIT_EDGES_H
#define DS_NT_WAIT_EDGES_H

#include "nt/impl.h"
#include "nt/wait_graph.h"
#include "nt/waits.h"

struct ds_edge_builder {
    struct ds_nt *nt;
    struct ds_wait_edge *edges; /* owned by whom takes them */
    size_t count, cap;
    struct ds_wait_kind *kinds; /* DS_WAIT_KINDS of them */
    struct ds_walk *edge_walk, *kind_walk;
    bool full;
};

/* Adds an edge: owner_ended and closes are set here, owner_kind is "thread" when it is NULL. The
 * kind's counters are the caller's. */
void ds_edge_add(struct ds_edge_builder *b, struct ds_wait_edge edge);
/* Edges are missing: the first reason is kept. */
void ds_edge_stop(struct ds_edge_builder *b, enum ds_status why, struct ds_opt at,
                  const char *detail);
/* A thread that waits so was not followed: the first reason is kept with the kind. A read that
 * failed makes the walk over the kinds incomplete. */
void ds_edge_lost(struct ds_edge_builder *b, enum ds_wait_kind_number kind, enum ds_status why,
                  uint64_t at, const char *detail);
/* The kind cannot be followed at all: `lacks` is the member or structure. */
void ds_edge_unavailable(struct ds_edge_builder *b, enum ds_wait_kind_number kind,
                         const char *lacks);

/* An object of this type (KOBJECTS) lies at the address; unknown when it cannot be read. */
struct ds_opt ds_edge_is(struct ds_edge_builder *b, uint64_t address, uint32_t type);
#define DS_EDGE_PROCESS 3u
#define DS_EDGE_THREAD 6u

void ds_edges_of_resources(struct ds_edge_builder *b);
void ds_edges_of_objects(struct ds_edge_builder *b);    /* mutants, threads, processes */
void ds_edges_of_mutexes(struct ds_edge_builder *b);    /* fast and guarded */
void ds_edges_of_push_locks(struct ds_edge_builder *b); /* by AutoBoost's lock entries */
void ds_edges_of_messages(struct ds_edge_builder *b);   /* ALPC and LPC */
void ds_edges_of_irps(struct ds_edge_builder *b);
/* Fills owner_name of all edges. */
void ds_edges_name(struct ds_edge_builder *b);

#endif
