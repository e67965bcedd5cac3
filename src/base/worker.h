/*
 * A process of our own in which a library works on hostile input: when it crashes, hangs or takes
 * too much memory, that process ends, not ours. Implemented in posix/worker.c; win32/worker.c
 * refuses. Requests and replies are bytes whose meaning the caller and `run` agree on.
 */
#ifndef DS_BASE_WORKER_H
#define DS_BASE_WORKER_H

#include "base/os.h"

struct ds_os_worker;

/* The worker's end of the line. */
struct ds_os_channel;

struct ds_os_worker_job {
    struct ds_os_file *file; /* borrowed; the worker has it open as well */
    /* The worker's life: it ends when this returns. `file` is its descriptor of the file. */
    void (*run)(int file, struct ds_os_channel *c);
    uint64_t memory;  /* bytes that it may take beyond what this process has */
    unsigned seconds; /* for one request */
};

/* Errors: DS_UNSUPPORTED on a system without such processes; DS_IO, DS_NO_MEMORY. */
enum ds_status ds_os_worker_start(const struct ds_os_worker_job *job, struct ds_os_worker **ret,
                                  struct ds_err *err) DS_MUST_CHECK;

/*
 * Sends a request; receives len bytes of its reply. Errors: DS_IO with how the worker ended, which
 * is then gone for good: every later call fails in the same words.
 */
enum ds_status ds_os_worker_send(struct ds_os_worker *w, const void *request, size_t len,
                                 struct ds_err *err) DS_MUST_CHECK;
enum ds_status ds_os_worker_receive(struct ds_os_worker *w, void *reply, size_t len,
                                    struct ds_err *err) DS_MUST_CHECK;

/* Ends the worker. NULL is allowed. */
void ds_os_worker_close(struct ds_os_worker *w);

/* In the worker: all len bytes, or false when there is nobody at the other end. */
bool ds_os_channel_receive(struct ds_os_channel *c, void *request, size_t len) DS_MUST_CHECK;
bool ds_os_channel_send(struct ds_os_channel *c, const void *reply, size_t len) DS_MUST_CHECK;

#endif
