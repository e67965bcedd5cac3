/*
 * What waiting threads wait for, by object: the KWAIT_BLOCKs of every thread whose State is
 * Waiting. For locks and the wait graph.
 */
#ifndef DS_NT_WAIT_INDEX_H
#define DS_NT_WAIT_INDEX_H

#include "nt/nt.h"

#define DS_NO_ROW UINT32_MAX

/* One object that a thread waits for. */
struct ds_wait {
    uint64_t block;      /* _KWAIT_BLOCK: virtual */
    uint64_t object;     /* dispatcher object: virtual */
    uint32_t thread_row; /* in ds_nt_threads() */
    uint32_t next;       /* the next wait for the same object; DS_NO_ROW at the end */
    bool any;            /* one of several objects, of which any ends the wait (WaitAny) */
    bool timeout;        /* the wait ends by a timer at the latest */
};
struct ds_wait_index {
    const struct ds_wait *rows;
    size_t count;
    struct ds_walk walk; /* incomplete when a thread's state or blocks could not be read */
};
const struct ds_wait_index *ds_nt_wait_index(struct ds_nt *nt);

/* The first wait for the object (a row of ds_nt_wait_index()), or DS_NO_ROW. */
uint32_t ds_nt_waits_on(struct ds_nt *nt, uint64_t object);
/* The row of a thread in ds_nt_threads(), or DS_NO_ROW. */
uint32_t ds_nt_thread_row(struct ds_nt *nt, uint64_t ethread);
/* Whether the kernel's words for why a thread waits are these: ds_wait_reason_name(). */
bool ds_thread_waits_for(const struct ds_thread *thread, const char *reason);

#endif
