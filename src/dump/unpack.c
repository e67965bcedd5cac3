#include "dump/unpack.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "dump/flattened.h"
#include "dump/impl.h"
#include "dump/unpack_impl.h"

#define HEAD 12288u
#define NAME_MAX_BYTES (1u << 20)

/* What is being opened, and what it is called so far. */
struct opening {
    const struct ds_unpack_options *o; /* may be NULL */
    struct ds_buf name;                /* the path, and !MEMBER of each archive gone into */
    size_t name_len;                   /* without the .gz that was taken off */
};

static bool is_gzip(struct ds_source *s)
{
    uint8_t b[3];
    return ds_source_read(s, 0, b, 3, NULL) == DS_OK && memcmp(b, "\x1f\x8b\x08", 3) == 0;
}

/* Refuses what is inside an archive by its first bytes. */
static enum ds_status refuse_inside(const uint8_t *head, size_t have, const char *where,
                                    struct ds_err *err)
{
    struct ds_source *m;
    enum ds_status st = ds_source_memory_open(head, have, &m, err);
    if (st != DS_OK)
        return st;
    st = ds_probe_refuse(m, head, have, err);
    ds_source_close(m);
    (void)ds_err_prepend(err, "%s", where);
    return st;
}

/* An archive whose first bytes do not come out is nothing that can be read as a dump. */
static enum ds_status refuse_empty(enum ds_status st, const char *kind, struct ds_err *err)
{
    if (st != DS_TRUNCATED && st != DS_CORRUPT)
        return st;
    return ds_err_set(err, DS_NOT_DUMP,
                      "not a Windows kernel dump: this is a %s archive from which nothing comes "
                      "out (%s); fetch it again",
                      kind, ds_status_text(st));
}

static struct ds_inflate_limits limits_of(const struct opening *x)
{
    return x->o != NULL ? x->o->limits : (struct ds_inflate_limits){0};
}

/* Whether what is inside is taken unseen: the user or its name says what it is. */
static bool is_told(const struct opening *x)
{
    return (x->o != NULL && x->o->any) || ds_unpack_raw_name(ds_buf_text(&x->name), x->name_len);
}

static void strip_gz(struct opening *x)
{
    const char *end = ds_buf_text(&x->name) + x->name_len;
    if (x->name_len > 3 && memcmp(end - 3, ".gz", 3) == 0)
        x->name_len -= 3;
}

static enum ds_status open_gzip(struct opening *x, struct ds_source *s, struct ds_source **ret,
                                struct ds_err *err)
{
    struct ds_inflate_part part = {.size = s->size, .gzip = true};
    struct ds_inflate_limits limits = limits_of(x);
    strip_gz(x);
    if (!is_told(x)) {
        DS_AUTO_FREE uint8_t *head = malloc(HEAD);
        size_t have = 0;
        if (head == NULL)
            return ds_err_set(err, DS_NO_MEMORY, "out of memory");
        enum ds_status st = ds_inflate_peek(s, &part, head, HEAD, &have, err);
        if (st != DS_OK)
            return refuse_empty(st, "gzip", err);
        if (!ds_unpack_looks(head, have))
            return refuse_inside(head, have, "inside the gzip archive", err);
        limits.stated = ds_dump_stated_size(head, have);
    }
    return ds_source_inflate_open(s, &part, &limits, ret, err);
}

static enum ds_status open_member(struct opening *x, struct ds_source *archive,
                                  const struct ds_zip_member *m, struct ds_source **ret,
                                  struct ds_err *err)
{
    struct ds_inflate_limits limits = limits_of(x);
    limits.stated = m->size; /* 0 where it is not known */
    if (!is_told(x)) {
        DS_AUTO_FREE uint8_t *head = malloc(HEAD);
        size_t have = 0;
        if (head == NULL)
            return ds_err_set(err, DS_NO_MEMORY, "out of memory");
        enum ds_status st = ds_zip_member_peek(archive, m, head, HEAD, &have, err);
        if (st != DS_OK)
            return refuse_empty(st, "zip", err);
        if (!ds_unpack_looks(head, have))
            return refuse_inside(head, have, "inside the zip archive", err);
        uint64_t stated = ds_dump_stated_size(head, have);
        limits.stated = stated != 0 ? stated : limits.stated;
    }
    return ds_source_zip_member_open(archive, m, &limits, ret, err);
}

/* *member is the path of what to take out, and then what is left of it. */
static enum ds_status open_zip(struct opening *x, struct ds_source *s, const char **member,
                               struct ds_source **ret, struct ds_err *err)
{
    struct ds_zip z;
    enum ds_status st = ds_zip_open(s, &z, err);
    if (st != DS_OK)
        return st;
    size_t index;
    st = ds_unpack_choose(s, &z, *member, &index, member, err);
    if (st == DS_OK) {
        ds_buf_printf(&x->name, "!%s", z.members[index].name);
        x->name_len = x->name.len;
        st = open_member(x, s, &z.members[index], ret, err);
    }
    if (st == DS_OK && z.rebuilt && (*ret)->damage == NULL)
        (*ret)->damage = "the zip archive ends early: its directory is missing";
    ds_zip_close(&z);
    return st;
}

enum wrapping { WRAP_NONE, WRAP_ZIP, WRAP_GZIP, WRAP_FLATTENED };

static enum wrapping wrapping_of(struct ds_source *s)
{
    if (ds_zip_probe(s))
        return WRAP_ZIP;
    if (is_gzip(s))
        return WRAP_GZIP;
    return ds_flattened_probe(s) ? WRAP_FLATTENED : WRAP_NONE;
}

static enum ds_status open_wrapping(struct opening *x, enum wrapping w, struct ds_source *s,
                                    const char **member, struct ds_source **ret, struct ds_err *err)
{
    switch (w) {
    case WRAP_ZIP:
        return open_zip(x, s, member, ret, err);
    case WRAP_GZIP:
        return open_gzip(x, s, ret, err);
    default:
        return ds_flattened_open(s, x->o != NULL ? &x->o->limits : NULL, ret, err);
    }
}

/* Owns `s` in any case. */
static enum ds_status unwrap(struct opening *x, struct ds_source *s, const char *member,
                             struct ds_source **ret, struct ds_err *err)
{
    for (int depth = 0;; depth++) {
        struct ds_source *inner = NULL;
        enum wrapping w = wrapping_of(s);
        enum ds_status st = DS_OK;
        if (w == WRAP_NONE && member == NULL)
            break;
        if (w == WRAP_NONE)
            st = ds_err_set(err, DS_NOT_FOUND, "no zip archive, so it has no member %s", member);
        else if (depth == DS_UNPACK_DEPTH)
            st = ds_err_set(err, DS_UNSUPPORTED,
                            "more than %d archives in one another; unpack it and give the dump "
                            "inside",
                            DS_UNPACK_DEPTH);
        else
            st = open_wrapping(x, w, s, &member, &inner, err);
        if (st != DS_OK) {
            ds_source_close(s);
            return st;
        }
        s = inner;
    }
    *ret = s;
    return DS_OK;
}

enum ds_status ds_unpack_source(struct ds_source *s, const char *member,
                                const struct ds_unpack_options *o, struct ds_source **ret,
                                struct ds_err *err)
{
    struct opening x = {.o = o};
    ds_buf_init(&x.name, NAME_MAX_BYTES);
    enum ds_status st = unwrap(&x, s, member, ret, err);
    ds_buf_deinit(&x.name);
    return st;
}

enum ds_status ds_unpack_path(const char *path, const char **member, struct ds_source **ret,
                              struct ds_err *err)
{
    *member = NULL;
    enum ds_status first = ds_source_file_open(path, ret, err);
    for (const char *bang = strchr(path, '!'); first == DS_NOT_FOUND && bang != NULL;
         bang = strchr(bang + 1, '!')) {
        struct ds_buf archive;
        ds_buf_init(&archive, 1u << 16);
        ds_buf_add(&archive, path, (size_t)(bang - path));
        enum ds_status st = ds_buf_ok(&archive)
                                ? ds_source_file_open(ds_buf_text(&archive), ret, NULL)
                                : DS_NO_MEMORY;
        ds_buf_deinit(&archive);
        if (st == DS_OK) {
            *member = bang + 1;
            return DS_OK;
        }
    }
    return first;
}

enum ds_status ds_unpack_open(const char *path, const struct ds_unpack_options *o,
                              struct ds_source **ret, char **name, struct ds_err *err)
{
    struct ds_source *s;
    const char *member;
    struct opening x = {.o = o};
    enum ds_status st = ds_unpack_path(path, &member, &s, err);
    if (st != DS_OK)
        return st;
    ds_buf_init(&x.name, NAME_MAX_BYTES);
    ds_buf_add(&x.name, path, member != NULL ? (size_t)(member - 1 - path) : strlen(path));
    x.name_len = x.name.len;
    st = unwrap(&x, s, member, &s, err);
    if (st == DS_OK && !ds_buf_ok(&x.name)) {
        ds_source_close(s);
        st = ds_err_set(err, DS_NO_MEMORY, "out of memory");
    }
    if (st == DS_OK)
        *ret = s;
    if (st == DS_OK && name != NULL) {
        *name = x.name.data; /* taken over */
        return DS_OK;
    }
    ds_buf_deinit(&x.name);
    return st;
}
