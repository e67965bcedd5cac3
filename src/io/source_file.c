#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/os.h"
#include "io/source.h"

/*
 * The file is read, not mapped: a mapping of a file that shrinks under it ends in a signal, where
 * a read ends short and says so; and random reads of pages are no slower than touching them in a
 * mapping (docs/performance.md).
 *
 * Analyses read a few bytes here and there, often again and again: a direct-mapped cache of pages
 * turns nearly all of that into memcpy. Neighbours in the file are neighbours in the cache, so
 * that one read fills several, the more the longer reads go on in order. Reads of a page or more
 * go straight to the caller. 1 MiB at most, of which only what is used is touched.
 */
#define CACHE_PAGE 4096u
#define CACHE_PAGES 256u
#define AHEAD_MAX 16u

struct file_source {
    struct ds_source head;
    struct ds_os_file *file;
    uint8_t *data; /* owned; CACHE_PAGES pages; NULL until first used */
    struct {
        uint64_t number; /* of the page, + 1; 0 = empty */
        size_t size;     /* valid bytes */
    } pages[CACHE_PAGES];
    uint64_t next;  /* page behind the last that was read */
    uint64_t ahead; /* pages to read when it is that one */
};

/* Reads page `number`, and some behind it. Errors: DS_IO. */
static enum ds_status read_pages(struct file_source *f, uint64_t number, struct ds_err *err)
{
    size_t slot = number % CACHE_PAGES, got = 0;
    f->ahead = number != f->next ? 1 : f->ahead * 2 < AHEAD_MAX ? f->ahead * 2 : AHEAD_MAX;
    size_t count = f->ahead < CACHE_PAGES - slot ? (size_t)f->ahead : CACHE_PAGES - slot;
    for (size_t i = 0; i < count; i++)
        f->pages[slot + i].number = 0;
    enum ds_status st = ds_os_file_read_at(
        f->file, number * CACHE_PAGE, f->data + slot * CACHE_PAGE, count * CACHE_PAGE, &got, err);
    for (size_t i = 0; st == DS_OK && i < count; i++) {
        size_t part = got > i * CACHE_PAGE ? got - i * CACHE_PAGE : 0;
        f->pages[slot + i].number = number + i + 1;
        f->pages[slot + i].size = part < CACHE_PAGE ? part : CACHE_PAGE;
    }
    f->next = number + count;
    return st;
}

static enum ds_status file_read(struct ds_source *s, uint64_t off, void *buf, size_t len,
                                size_t *got, struct ds_err *err)
{
    struct file_source *f = (struct file_source *)s;
    if (len < CACHE_PAGE && f->data == NULL)
        f->data = malloc((size_t)CACHE_PAGES * CACHE_PAGE);
    if (len >= CACHE_PAGE || f->data == NULL)
        return ds_os_file_read_at(f->file, off, buf, len, got, err);
    uint8_t *out = buf;
    size_t done = 0;
    while (done < len) {
        uint64_t number = (off + done) / CACHE_PAGE;
        size_t slot = number % CACHE_PAGES, at = (size_t)((off + done) % CACHE_PAGE);
        if (f->pages[slot].number != number + 1) {
            enum ds_status st = read_pages(f, number, err);
            if (st != DS_OK)
                return st;
        }
        if (at >= f->pages[slot].size)
            break; /* the file shrank after it was opened */
        size_t part = f->pages[slot].size - at;
        part = part < len - done ? part : len - done;
        memcpy(out + done, f->data + slot * CACHE_PAGE + at, part);
        done += part;
    }
    *got = done;
    return DS_OK;
}

static void file_destroy(struct ds_source *s)
{
    struct file_source *f = (struct file_source *)s;
    free(f->data);
    ds_os_file_close(f->file);
    free(f);
}

static const struct ds_source_ops file_ops = {"file", file_read, NULL, file_destroy};

enum ds_status ds_source_file_open(const char *path, struct ds_source **ret, struct ds_err *err)
{
    struct file_source *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    enum ds_status st = ds_os_file_open(path, &f->file, err);
    if (st != DS_OK) {
        free(f);
        return st;
    }
    f->ahead = 1;
    f->head.ops = &file_ops;
    f->head.size = ds_os_file_size(f->file);
    *ret = &f->head;
    return DS_OK;
}

struct ds_os_file *ds_source_file_handle(struct ds_source *s)
{
    return s->ops == &file_ops ? ((struct file_source *)s)->file : NULL;
}
