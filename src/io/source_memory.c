#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/source.h"

struct memory_source {
    struct ds_source head;
    const uint8_t *data; /* borrowed */
};

static enum ds_status memory_read(struct ds_source *s, uint64_t off, void *buf, size_t len,
                                  size_t *got, struct ds_err *err)
{
    (void)err;
    const struct memory_source *m = (const struct memory_source *)s;
    memcpy(buf, m->data + off, len);
    *got = len;
    return DS_OK;
}

static const void *memory_pointer(struct ds_source *s, uint64_t off, size_t len)
{
    (void)len;
    return ((const struct memory_source *)s)->data + off;
}

static void memory_destroy(struct ds_source *s)
{
    free(s);
}

static const struct ds_source_ops memory_ops = {"memory", memory_read, memory_pointer,
                                                memory_destroy};

enum ds_status ds_source_memory_open(const void *data, size_t size, struct ds_source **ret,
                                     struct ds_err *err)
{
    struct memory_source *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    m->head.ops = &memory_ops;
    m->head.size = size;
    m->data = data;
    *ret = &m->head;
    return DS_OK;
}
