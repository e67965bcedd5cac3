#include <stdbool.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/err.h"
#include "io/source.h"

/* A stretch of another source, as a stored zip member is. */
struct part_source {
    struct ds_source head;
    struct ds_source *whole; /* owned once open, unless borrowed */
    uint64_t offset;
    bool borrowed;
};

static enum ds_status part_read(struct ds_source *s, uint64_t off, void *buf, size_t len,
                                size_t *got, struct ds_err *err)
{
    struct part_source *p = (struct part_source *)s;
    return ds_source_read_some(p->whole, p->offset + off, buf, len, got, err);
}

static const void *part_pointer(struct ds_source *s, uint64_t off, size_t len)
{
    struct part_source *p = (struct part_source *)s;
    return ds_source_pointer(p->whole, p->offset + off, len);
}

static void part_destroy(struct ds_source *s)
{
    struct part_source *p = (struct part_source *)s;
    if (!p->borrowed)
        ds_source_close(p->whole);
    free(s);
}

static const struct ds_source_ops part_ops = {"part", part_read, part_pointer, part_destroy};

enum ds_status ds_source_part_open(struct ds_source *whole, uint64_t offset, uint64_t size,
                                   struct ds_source **ret, struct ds_err *err)
{
    if (!ds_range_within(offset, size, whole->size))
        return ds_err_set(err, DS_TRUNCATED,
                          "file offset 0x%llx: 0x%llx bytes wanted, but the file ends at 0x%llx",
                          (unsigned long long)offset, (unsigned long long)size,
                          (unsigned long long)whole->size);
    struct part_source *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    p->head.ops = &part_ops;
    p->head.size = size;
    p->whole = whole;
    p->offset = offset;
    *ret = &p->head;
    return DS_OK;
}

enum ds_status ds_source_borrow(struct ds_source *whole, struct ds_source **ret, struct ds_err *err)
{
    enum ds_status st = ds_source_part_open(whole, 0, whole->size, ret, err);
    if (st == DS_OK)
        ((struct part_source *)*ret)->borrowed = true;
    return st;
}
