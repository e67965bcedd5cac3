#include "io/source.h"

#include "base/checked.h"
#include "base/err.h"

void ds_source_close(struct ds_source *s)
{
    if (s != NULL)
        s->ops->destroy(s);
}

enum ds_status ds_source_read_some(struct ds_source *s, uint64_t off, void *buf, size_t len,
                                   size_t *got, struct ds_err *err)
{
    *got = 0;
    if (off >= s->size || len == 0)
        return DS_OK;
    if (len > s->size - off)
        len = (size_t)(s->size - off);
    return s->ops->read(s, off, buf, len, got, err);
}

enum ds_status ds_source_read(struct ds_source *s, uint64_t off, void *buf, size_t len,
                              struct ds_err *err)
{
    size_t got;
    enum ds_status st = ds_source_read_some(s, off, buf, len, &got, err);
    if (st != DS_OK || got == len)
        return st;
    if (err == NULL)
        return DS_TRUNCATED;
    return ds_err_set(err, DS_TRUNCATED,
                      "file offset 0x%llx: %llu bytes wanted, %llu there (the file has %llu)",
                      (unsigned long long)off, (unsigned long long)len, (unsigned long long)got,
                      (unsigned long long)s->size);
}

const void *ds_source_pointer(struct ds_source *s, uint64_t off, size_t len)
{
    if (s->ops->pointer == NULL || !ds_range_within(off, len, s->size))
        return NULL;
    return s->ops->pointer(s, off, len);
}
