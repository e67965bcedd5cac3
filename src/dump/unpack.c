#include "dump/unpack.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "dump/flattened.h"
#include "dump/impl.h"
#include "dump/vmware.h"
#include "io/zip.h"

/* Archives in archives: a .dmp.gz in a .zip is common, more than this is not. */
#define DEPTH 3
#define HEAD 12288u
#define NO_MEMBER SIZE_MAX

struct magic {
    uint8_t size;
    const char *bytes;
};

/* How the containers begin that ds_dump_open() reads, and archives. */
static const struct magic wanted[] = {
    {4, "PAGE"},
    {4, "PK\x03\x04"},
    {3, "\x1f\x8b\x08"},
    {4, "\x7f"
        "ELF"},
    {8, "KDUMP   "},
    {8, "DISKDUMP"},
    {12, "makedumpfile"},
};

static bool looks_wanted(const uint8_t *head, size_t have)
{
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (have >= wanted[i].size && memcmp(head, wanted[i].bytes, wanted[i].size) == 0)
            return true;
    if (ds_vmware_probe(head, have))
        return true;
    /* A DMP whose first word is damaged. */
    return have >= 8 && (memcmp(head + 4, "DU64", 4) == 0 || memcmp(head + 4, "DUMP", 4) == 0);
}

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

static struct ds_inflate_limits limits_of(const struct ds_unpack_options *o)
{
    return o != NULL ? o->limits : (struct ds_inflate_limits){0};
}

static enum ds_status open_gzip(struct ds_source *s, const struct ds_unpack_options *o,
                                struct ds_source **ret, struct ds_err *err)
{
    struct ds_inflate_part part = {.size = s->size, .gzip = true};
    struct ds_inflate_limits limits = limits_of(o);
    if (o == NULL || !o->any) {
        DS_AUTO_FREE uint8_t *head = malloc(HEAD);
        size_t have = 0;
        if (head == NULL)
            return ds_err_set(err, DS_NO_MEMORY, "out of memory");
        enum ds_status st = ds_inflate_peek(s, &part, head, HEAD, &have, err);
        if (st != DS_OK)
            return refuse_empty(st, "gzip", err);
        if (!looks_wanted(head, have))
            return refuse_inside(head, have, "inside the gzip archive", err);
        limits.stated = ds_dump_stated_size(head, have);
    }
    return ds_source_inflate_open(s, &part, &limits, ret, err);
}

static bool member_wanted(struct ds_source *archive, const struct ds_zip_member *m)
{
    uint8_t head[16];
    size_t have;
    /* One that cannot be looked at is no dump as far as anyone can tell. */
    return ds_zip_member_peek(archive, m, head, sizeof(head), &have, NULL) == DS_OK &&
           looks_wanted(head, have);
}

/* The only dump of an archive; NO_MEMBER when there is none or more than one (*several). */
static size_t only_dump(struct ds_source *archive, const struct ds_zip *z, bool *several)
{
    size_t found = NO_MEMBER;
    *several = false;
    for (size_t i = 0; i < z->count && !*several; i++) {
        if (!member_wanted(archive, &z->members[i]))
            continue;
        *several = found != NO_MEMBER;
        found = i;
    }
    if (found == NO_MEMBER && z->count == 1)
        return 0;
    return *several ? NO_MEMBER : found;
}

static size_t named_member(const struct ds_zip *z, const char *name)
{
    for (size_t i = 0; i < z->count; i++)
        if (strcmp(z->members[i].name, name) == 0)
            return i;
    return NO_MEMBER;
}

static enum ds_status choose_member(struct ds_source *archive, const struct ds_zip *z,
                                    const char *name, size_t *ret, struct ds_err *err)
{
    bool several = false;
    *ret = name != NULL ? named_member(z, name) : only_dump(archive, z, &several);
    if (*ret != NO_MEMBER)
        return DS_OK;
    if (name != NULL)
        return ds_err_set(err, DS_NOT_FOUND, "the zip archive has no member %s", name);
    if (several)
        return ds_err_set(err, DS_INVALID,
                          "the zip archive holds several dumps: name one as ARCHIVE!MEMBER");
    return ds_err_set(err, DS_NOT_DUMP,
                      "not a Windows kernel dump: this is a zip archive, and none of its %llu "
                      "files is a dump; give the archive that has the .dmp file in it",
                      (unsigned long long)z->count);
}

static enum ds_status open_member(struct ds_source *archive, const struct ds_zip_member *m,
                                  const struct ds_unpack_options *o, struct ds_source **ret,
                                  struct ds_err *err)
{
    struct ds_inflate_limits limits = limits_of(o);
    if (o == NULL || !o->any) {
        DS_AUTO_FREE uint8_t *head = malloc(HEAD);
        size_t have = 0;
        if (head == NULL)
            return ds_err_set(err, DS_NO_MEMORY, "out of memory");
        enum ds_status st = ds_zip_member_peek(archive, m, head, HEAD, &have, err);
        if (st != DS_OK)
            return refuse_empty(st, "zip", err);
        if (!looks_wanted(head, have))
            return refuse_inside(head, have, "inside the zip archive", err);
        limits.stated = ds_dump_stated_size(head, have);
    }
    return ds_source_zip_member_open(archive, m, &limits, ret, err);
}

static enum ds_status open_zip(struct ds_source *s, const char *member,
                               const struct ds_unpack_options *o, struct ds_source **ret,
                               struct ds_err *err)
{
    struct ds_zip z;
    enum ds_status st = ds_zip_open(s, &z, err);
    if (st != DS_OK)
        return st;
    size_t index;
    st = choose_member(s, &z, member, &index, err);
    if (st == DS_OK)
        st = open_member(s, &z.members[index], o, ret, err);
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

enum ds_status ds_unpack_source(struct ds_source *s, const char *member,
                                const struct ds_unpack_options *o, struct ds_source **ret,
                                struct ds_err *err)
{
    for (int depth = 0;; depth++) {
        enum wrapping w = wrapping_of(s);
        if (w != WRAP_ZIP && member != NULL) {
            ds_source_close(s);
            return ds_err_set(err, DS_NOT_FOUND, "no zip archive, so it has no member %s", member);
        }
        if (w == WRAP_NONE)
            break;
        struct ds_source *inner;
        enum ds_status st;
        if (depth == DEPTH)
            st = ds_err_set(err, DS_UNSUPPORTED,
                            "more than %d archives in one another; unpack it and give the dump "
                            "inside",
                            DEPTH);
        else if (w == WRAP_ZIP)
            st = open_zip(s, member, o, &inner, err);
        else if (w == WRAP_GZIP)
            st = open_gzip(s, o, &inner, err);
        else
            st = ds_flattened_open(s, o != NULL ? &o->limits : NULL, &inner, err);
        if (st != DS_OK) {
            ds_source_close(s);
            return st;
        }
        member = NULL;
        s = inner;
    }
    *ret = s;
    return DS_OK;
}

/* Opens PATH, or the ARCHIVE of ARCHIVE!MEMBER; *member then points into `path`. */
static enum ds_status open_path(const char *path, const char **member, struct ds_source **ret,
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
                              struct ds_source **ret, struct ds_err *err)
{
    struct ds_source *s;
    const char *member;
    enum ds_status st = open_path(path, &member, &s, err);
    return st == DS_OK ? ds_unpack_source(s, member, o, ret, err) : st;
}

static size_t count_dumps(struct ds_source *s, const struct ds_zip *z)
{
    size_t dumps = 0;
    for (size_t i = 0; i < z->count; i++)
        dumps += member_wanted(s, &z->members[i]);
    return dumps;
}

static enum ds_status give_member(const char *path, const struct ds_zip_member *m,
                                  bool (*each)(const char *input, void *arg), void *arg, bool *more)
{
    struct ds_buf name;
    ds_buf_init(&name, 1u << 20);
    ds_buf_printf(&name, "%s!%s", path, m->name);
    enum ds_status st = ds_buf_ok(&name) ? DS_OK : DS_NO_MEMORY;
    if (st == DS_OK)
        *more = each(ds_buf_text(&name), arg);
    ds_buf_deinit(&name);
    return st;
}

enum ds_status ds_unpack_list(const char *path, bool (*each)(const char *input, void *arg),
                              void *arg)
{
    struct ds_source *s = NULL;
    struct ds_zip z = {0};
    const char *member;
    if (open_path(path, &member, &s, NULL) != DS_OK)
        s = NULL;
    bool several = s != NULL && member == NULL && ds_zip_probe(s) &&
                   ds_zip_open(s, &z, NULL) == DS_OK && count_dumps(s, &z) > 1;
    enum ds_status st = DS_OK;
    bool more = true;
    if (!several)
        (void)each(path, arg);
    for (size_t i = 0; several && more && st == DS_OK && i < z.count; i++)
        if (member_wanted(s, &z.members[i]))
            st = give_member(path, &z.members[i], each, arg, &more);
    ds_zip_close(&z);
    ds_source_close(s);
    return st;
}
