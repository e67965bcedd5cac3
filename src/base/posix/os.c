#define _FILE_OFFSET_BITS 64
#define _POSIX_C_SOURCE 200809L
#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

struct ds_os_file {
    int fd;
    uint64_t size;
};

enum ds_status ds_os_file_open(const char *path, struct ds_os_file **ret, struct ds_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ds_err_set(err, errno == ENOENT ? DS_NOT_FOUND : DS_IO, "cannot open: %s",
                          strerror(errno));
    struct stat st;
    if (fstat(fd, &st) != 0) {
        int e = errno;
        close(fd);
        return ds_err_set(err, DS_IO, "cannot stat: %s", strerror(e));
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return ds_err_set(err, DS_UNSUPPORTED, "not a regular file (%s)",
                          S_ISDIR(st.st_mode) ? "a folder" : "a pipe or device");
    }
    struct ds_os_file *f = malloc(sizeof(*f));
    if (f == NULL) {
        close(fd);
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    }
    f->fd = fd;
    f->size = (uint64_t)st.st_size;
    *ret = f;
    return DS_OK;
}

void ds_os_file_close(struct ds_os_file *f)
{
    if (f == NULL)
        return;
    close(f->fd);
    free(f);
}

uint64_t ds_os_file_size(const struct ds_os_file *f)
{
    return f->size;
}

enum ds_status ds_os_file_read_at(struct ds_os_file *f, uint64_t off, void *buf, size_t len,
                                  size_t *got, struct ds_err *err)
{
    char *p = buf;
    size_t done = 0;
    while (done < len && off + done <= INT64_MAX) {
        ssize_t n = pread(f->fd, p + done, len - done, (off_t)(off + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ds_err_set(err, DS_IO, "read error at file offset 0x%llx: %s",
                              (unsigned long long)(off + done), strerror(errno));
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *got = done;
    return DS_OK;
}

int ds_os_file_descriptor(const struct ds_os_file *f)
{
    return f->fd;
}

enum ds_status ds_os_temp_open(struct ds_os_file **ret, struct ds_err *err)
{
    char big[] = "/var/tmp/dumpscan-XXXXXX", small[] = "/tmp/dumpscan-XXXXXX";
    char *name = big;
    int fd = mkstemp(name);
    if (fd < 0) {
        name = small;
        fd = mkstemp(name);
    }
    if (fd < 0)
        return ds_err_set(err, DS_IO, "cannot make a temporary file in /var/tmp or /tmp: %s",
                          strerror(errno));
    (void)unlink(name);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    struct ds_os_file *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        (void)close(fd);
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    }
    f->fd = fd;
    *ret = f;
    return DS_OK;
}

enum ds_status ds_os_temp_write(struct ds_os_file *f, uint64_t off, const void *data, size_t len,
                                struct ds_err *err)
{
    const char *p = data;
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(f->fd, p + done, len - done, (off_t)(off + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ds_err_set(err, DS_IO, "cannot write a temporary file: %s", strerror(errno));
        done += (size_t)n;
    }
    return DS_OK;
}

enum ds_status ds_os_temp_finish(struct ds_os_file *f, uint64_t size, struct ds_err *err)
{
    if (ftruncate(f->fd, (off_t)size) != 0)
        return ds_err_set(err, DS_IO, "cannot write a temporary file: %s", strerror(errno));
    f->size = size;
    return DS_OK;
}

FILE *ds_os_fopen(const char *path, const char *mode)
{
    return fopen(path, mode);
}

bool ds_os_rename(const char *from, const char *to)
{
    return rename(from, to) == 0;
}

bool ds_os_remove(const char *path)
{
    return unlink(path) == 0;
}

bool ds_os_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

enum ds_os_path_kind ds_os_path_kind(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return DS_OS_PATH_NONE;
    return S_ISDIR(st.st_mode)   ? DS_OS_PATH_FOLDER
           : S_ISREG(st.st_mode) ? DS_OS_PATH_FILE
                                 : DS_OS_PATH_DEVICE;
}

enum ds_status ds_os_folder_list(const char *path, bool (*each)(const char *name, void *arg),
                                 void *arg, struct ds_err *err)
{
    DIR *d = opendir(path);
    if (d == NULL)
        return ds_err_set(err, errno == ENOENT ? DS_NOT_FOUND : DS_IO, "cannot list %s: %s", path,
                          strerror(errno));
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (!each(e->d_name, arg))
            break;
    }
    closedir(d);
    return DS_OK;
}

uint64_t ds_os_monotonic_ms(void)
{
    struct timespec ts;
    if (clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
        return 0;
    return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

bool ds_os_is_terminal(FILE *stream)
{
    return isatty(fileno(stream)) == 1;
}

void ds_os_prepare_stdio(void)
{
}

void ds_os_args(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
}

char *ds_os_getenv(const char *name)
{
    const char *v = getenv(name);
    return v ? strdup(v) : NULL;
}
