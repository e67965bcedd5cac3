#define _FILE_OFFSET_BITS 64
#define _POSIX_C_SOURCE 200809L
#include "base/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

/* A limit on address space and the shadow memory of the sanitizers exclude each other. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

struct ds_os_channel {
    int fd;
    unsigned seconds;
};

struct ds_os_worker {
    pid_t pid; /* 0 = gone */
    int fd;
    unsigned seconds;
    char end[128]; /* how it ended */
};

/* ---- in the worker ---- */

/* Nothing of the parent's is in reach but the two descriptors. */
static void close_others(int keep_a, int keep_b)
{
    struct rlimit r;
    int max = getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < 65536 ? (int)r.rlim_cur : 65536;
    for (int fd = 3; fd < max; fd++)
        if (fd != keep_a && fd != keep_b)
            (void)close(fd);
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; null >= 0 && fd < 3; fd++)
        (void)dup2(null, fd);
    if (null >= 3)
        (void)close(null);
}

static void limit(int what, uint64_t most)
{
    struct rlimit r = {(rlim_t)most, (rlim_t)most};
    (void)setrlimit(what, &r);
}

/* Bytes of address space in use; 0 when the system does not say. */
static uint64_t address_space(void)
{
    char text[64] = {0};
    int fd = open("/proc/self/statm", O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    if (fd >= 0)
        (void)close(fd);
    return n > 0 ? (uint64_t)strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void confine(const struct ds_os_worker_job *job)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGTERM};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        (void)signal(own[i], SIG_DFL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    uint64_t used = address_space();
    if (!SANITIZED && used != 0)
        limit(RLIMIT_AS, used + job->memory);
}

/* Waiting for a request takes no time off the clock; all that is done for it does. */
bool ds_os_channel_receive(struct ds_os_channel *c, void *request, size_t len)
{
    uint8_t *p = request;
    (void)alarm(0);
    for (size_t done = 0; done < len;) {
        ssize_t n = recv(c->fd, p + done, len - done, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    (void)alarm(c->seconds);
    return true;
}

static bool send_all(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (size_t done = 0; done < len;) {
        ssize_t n = send(fd, p + done, len - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

bool ds_os_channel_send(struct ds_os_channel *c, const void *reply, size_t len)
{
    return send_all(c->fd, reply, len);
}

/* ---- in this process ---- */

enum ds_status ds_os_worker_start(const struct ds_os_worker_job *job, struct ds_os_worker **ret,
                                  struct ds_err *err)
{
    int line[2];
    struct ds_os_worker *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, line) != 0) {
        free(w);
        return ds_err_set(err, DS_IO, "cannot start a worker: %s", strerror(errno));
    }
    (void)fcntl(line[0], F_SETFD, FD_CLOEXEC);
    int file = ds_os_file_descriptor(job->file);
    pid_t pid = fork();
    if (pid == 0) {
        struct ds_os_channel c = {line[1], job->seconds};
        close_others(line[1], file);
        confine(job);
        job->run(file, &c);
        _exit(0);
    }
    (void)close(line[1]);
    if (pid < 0) {
        int e = errno;
        (void)close(line[0]);
        free(w);
        return ds_err_set(err, DS_IO, "cannot start a worker: %s", strerror(e));
    }
    w->pid = pid;
    w->fd = line[0];
    w->seconds = job->seconds;
    *ret = w;
    return DS_OK;
}

/* Ends the process and learns how it ended, if it had not been ended by `why`. */
static void reap(struct ds_os_worker *w, const char *why)
{
    int status = 0;
    if (w->pid == 0)
        return;
    (void)kill(w->pid, SIGKILL);
    pid_t got;
    while ((got = waitpid(w->pid, &status, 0)) < 0 && errno == EINTR)
        ;
    struct ds_err e;
    if (why != NULL)
        (void)ds_err_set(&e, DS_IO, "%s", why);
    else if (got == w->pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        (void)ds_err_set(&e, DS_IO, "took longer than %u seconds", w->seconds);
    else if (got == w->pid && WIFSIGNALED(status))
        (void)ds_err_set(&e, DS_IO, "was ended by signal %d", WTERMSIG(status));
    else
        (void)ds_err_set(&e, DS_IO, "ended by itself");
    size_t len = strlen(e.text);
    len = len < sizeof(w->end) ? len : sizeof(w->end) - 1;
    memcpy(w->end, e.text, len);
    w->end[len] = '\0';
    w->pid = 0;
    (void)close(w->fd);
    w->fd = -1;
}

static enum ds_status gone(struct ds_os_worker *w, const char *why, struct ds_err *err)
{
    reap(w, why);
    return err == NULL ? DS_IO : ds_err_set(err, DS_IO, "the worker process %s", w->end);
}

enum ds_status ds_os_worker_send(struct ds_os_worker *w, const void *request, size_t len,
                                 struct ds_err *err)
{
    return w->pid != 0 && send_all(w->fd, request, len) ? DS_OK : gone(w, NULL, err);
}

enum ds_status ds_os_worker_receive(struct ds_os_worker *w, void *reply, size_t len,
                                    struct ds_err *err)
{
    uint8_t *p = reply;
    /* A little more than the worker gives itself. */
    uint64_t end = ds_os_monotonic_ms() + ((uint64_t)w->seconds + 1) * 1000;
    for (size_t done = 0; done < len;) {
        if (w->pid == 0)
            return gone(w, NULL, err);
        uint64_t now = ds_os_monotonic_ms();
        struct pollfd f = {.fd = w->fd, .events = POLLIN};
        int ready = now < end ? poll(&f, 1, (int)(end - now)) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return gone(w, "did not answer in time", err);
        ssize_t n = ready > 0 ? recv(w->fd, p + done, len - done, 0) : -1;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return gone(w, NULL, err);
        done += (size_t)n;
    }
    return DS_OK;
}

void ds_os_worker_close(struct ds_os_worker *w)
{
    if (w == NULL)
        return;
    reap(w, NULL);
    free(w);
}
