#include "base/worker.h"

#include "base/err.h"

enum ds_status ds_os_worker_start(const struct ds_os_worker_job *job, struct ds_os_worker **ret,
                                  struct ds_err *err)
{
    (void)job;
    (void)ret;
    return ds_err_set(err, DS_UNSUPPORTED, "no worker processes on this system");
}

enum ds_status ds_os_worker_send(struct ds_os_worker *w, const void *request, size_t len,
                                 struct ds_err *err)
{
    (void)w;
    (void)request;
    (void)len;
    return ds_err_set(err, DS_UNSUPPORTED, "no worker processes on this system");
}

enum ds_status ds_os_worker_receive(struct ds_os_worker *w, void *reply, size_t len,
                                    struct ds_err *err)
{
    (void)w;
    (void)reply;
    (void)len;
    return ds_err_set(err, DS_UNSUPPORTED, "no worker processes on this system");
}

void ds_os_worker_close(struct ds_os_worker *w)
{
    (void)w;
}

bool ds_os_channel_receive(struct ds_os_channel *c, void *request, size_t len)
{
    (void)c;
    (void)request;
    (void)len;
    return false;
}

bool ds_os_channel_send(struct ds_os_channel *c, const void *reply, size_t len)
{
    (void)c;
    (void)reply;
    (void)len;
    return false;
}
