#include "dump/flattened.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "dump/extents.h"

#define SIGNATURE "makedumpfile\0\0\0\0"
#define SIGNATURE_SIZE 16u
#define HEADER_SIZE 32u     /* signature, type, version */
#define FIRST_RECORD 4096u  /* the header takes a page */
#define RECORD_SIZE 16u     /* offset, size */
#define END_MARK UINT64_MAX /* both fields of the last record */

struct flattened {
    struct ds_source head;
    struct ds_source *flat; /* owned once open */
    struct ds_extents map;  /* offsets of the kdump to offsets of the flattened file */
};

static struct flattened *of(struct ds_source *s)
{
    void *p = s; /* `head` is its first member */
    return p;
}

static uint64_t be64(const uint8_t *p)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

bool ds_flattened_probe(struct ds_source *s)
{
    uint8_t b[HEADER_SIZE];
    return ds_source_read(s, 0, b, sizeof(b), NULL) == DS_OK &&
           memcmp(b, SIGNATURE, SIGNATURE_SIZE) == 0 && be64(b + 16) == 1;
}

static enum ds_status flat_read(struct ds_source *s, uint64_t off, void *buf, size_t len,
                                size_t *got, struct ds_err *err)
{
    struct flattened *f = of(s);
    uint8_t *out = buf;
    size_t done = 0;
    while (done < len) {
        uint64_t at = off + done;
        const struct ds_extent *x = ds_extents_find(&f->map, at);
        size_t part = len - done;
        if (x != NULL) {
            uint64_t skip = at - x->start;
            part = x->size - skip < part ? (size_t)(x->size - skip) : part;
            enum ds_status st =
                ds_source_read(f->flat, x->file_offset + skip, out + done, part, err);
            if (st != DS_OK)
                return st;
        } else {
            const struct ds_extent *next = ds_extents_next(&f->map, at);
            if (next != NULL && next->start - at < part)
                part = (size_t)(next->start - at);
            memset(out + done, 0, part);
        }
        done += part;
    }
    *got = done;
    return DS_OK;
}

static void flat_destroy(struct ds_source *s)
{
    struct flattened *f = of(s);
    ds_extents_deinit(&f->map);
    ds_source_close(f->flat);
    free(f);
}

static const struct ds_source_ops flat_ops = {"flattened", flat_read, NULL, flat_destroy};

/* One record: its bytes as far as the file holds them. */
static enum ds_status add_record(struct flattened *f, uint64_t to, uint64_t size, uint64_t at,
                                 uint64_t max, struct ds_err *err)
{
    uint64_t have = f->flat->size - at;
    if (size > have) {
        size = have;
        f->head.damage = "the flattened kdump ends early, within a record";
    }
    if (to > max || size > max - to)
        return ds_err_set(err, DS_LIMIT,
                          "the flattened kdump comes to more than %llu bytes (the record at file "
                          "offset 0x%llx reaches to 0x%llx): raise --max-inflated if it is sound",
                          (unsigned long long)max, (unsigned long long)(at - RECORD_SIZE),
                          (unsigned long long)to);
    if (to + size > f->head.size)
        f->head.size = to + size;
    enum ds_status st = ds_extents_add(&f->map, to, size, at, false, DS_LIMIT_FLAT_RECORDS);
    if (st == DS_LIMIT)
        return ds_err_set(err, st,
                          "the flattened kdump has more than %u records: put it in order with "
                          "makedumpfile -R first",
                          (unsigned)DS_LIMIT_FLAT_RECORDS);
    return st == DS_OK ? st : ds_err_set(err, st, "out of memory");
}

static enum ds_status read_records(struct flattened *f, uint64_t max, struct ds_err *err)
{
    for (uint64_t at = FIRST_RECORD;;) {
        uint8_t b[RECORD_SIZE];
        enum ds_status st = ds_source_read(f->flat, at, b, sizeof(b), err);
        if (st == DS_TRUNCATED) {
            f->head.damage = "the flattened kdump ends early: its end mark is missing";
            return DS_OK;
        }
        if (st != DS_OK)
            return st;
        uint64_t to = be64(b), size = be64(b + 8);
        if (to == END_MARK && size == END_MARK)
            return DS_OK;
        if (to > INT64_MAX || size > INT64_MAX) { /* both are signed */
            f->head.damage = "a record of the flattened kdump has a negative offset or size";
            return DS_OK;
        }
        at += RECORD_SIZE;
        st = add_record(f, to, size, at, max, err);
        if (st != DS_OK)
            return st;
        if (f->head.damage != NULL)
            return DS_OK;
        at += size;
    }
}

enum ds_status ds_flattened_open(struct ds_source *flat, const struct ds_inflate_limits *limits,
                                 struct ds_source **ret, struct ds_err *err)
{
    uint64_t max =
        limits != NULL && limits->max_inflated != 0 ? limits->max_inflated : DS_LIMIT_INFLATED;
    struct flattened *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    f->head.ops = &flat_ops;
    f->flat = flat;
    f->map.last_wins = true;
    enum ds_status st = read_records(f, max, err);
    if (st == DS_OK && f->head.size == 0)
        st = ds_err_set(err, DS_NOT_DUMP,
                        "not a Windows kernel dump: this is a flattened kdump (makedumpfile) "
                        "without a single record; dump the guest again");
    if (st == DS_OK && ds_extents_build(&f->map) != DS_OK)
        st = ds_err_set(err, DS_NO_MEMORY, "out of memory");
    if (st != DS_OK) {
        f->flat = NULL; /* stays the caller's */
        flat_destroy(&f->head);
        return st;
    }
    if (f->head.damage == NULL)
        f->head.damage = flat->damage;
    *ret = &f->head;
    return DS_OK;
}
