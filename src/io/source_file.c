#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/os.h"
#include "io/source.h"

/*
 * Analyses read a few bytes here and there, often again and again: a direct-mapped cache of
 * blocks turns nearly all of that into memcpy. 1 MiB at most, taken block by block.
 */
#define BLOCK_SIZE 16384u
#define BLOCK_COUNT 64u

struct cached_block {
    uint8_t *data;  /* owned; NULL until first used */
    uint64_t index; /* which block of the file */
    size_t size;    /* valid bytes */
};

struct file_source {
    struct ds_source head;
    struct ds_os_file *file;
    struct cached_block blocks[BLOCK_COUNT];
};

/* The cached block, or NULL with *st set (DS_OK and NULL: no memory for a cache). */
static const struct cached_block *file_block(struct file_source *f, uint64_t index,
                                             enum ds_status *st, struct ds_err *err)
{
    struct cached_block *b = &f->blocks[index % BLOCK_COUNT];
    *st = DS_OK;
    if (b->data != NULL && b->index == index && b->size != 0)
        return b;
    if (b->data == NULL && (b->data = malloc(BLOCK_SIZE)) == NULL)
        return NULL;
    b->size = 0;
    b->index = index;
    *st = ds_os_file_read_at(f->file, index * BLOCK_SIZE, b->data, BLOCK_SIZE, &b->size, err);
    if (*st != DS_OK) {
        b->size = 0;
        return NULL;
    }
    return b;
}

static enum ds_status file_read(struct ds_source *s, uint64_t off, void *buf, size_t len,
                                size_t *got, struct ds_err *err)
{
    struct file_source *f = (struct file_source *)s;
    if (len >= BLOCK_SIZE)
        return ds_os_file_read_at(f->file, off, buf, len, got, err);
    uint8_t *out = buf;
    size_t done = 0;
    while (done < len) {
        enum ds_status st;
        const struct cached_block *b = file_block(f, (off + done) / BLOCK_SIZE, &st, err);
        if (st != DS_OK)
            return st;
        size_t part = 0;
        if (b == NULL) {
            st = ds_os_file_read_at(f->file, off + done, out + done, len - done, &part, err);
            *got = done + part;
            return st;
        }
        size_t at = (size_t)((off + done) % BLOCK_SIZE);
        if (at >= b->size)
            break; /* the file shrank after it was opened */
        part = b->size - at < len - done ? b->size - at : len - done;
        memcpy(out + done, b->data + at, part);
        done += part;
    }
    *got = done;
    return DS_OK;
}

static void file_destroy(struct ds_source *s)
{
    struct file_source *f = (struct file_source *)s;
    for (size_t i = 0; i < BLOCK_COUNT; i++)
        free(f->blocks[i].data);
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
    f->head.ops = &file_ops;
    f->head.size = ds_os_file_size(f->file);
    *ret = &f->head;
    return DS_OK;
}
