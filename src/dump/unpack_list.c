/* Which inputs a path stands for. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "dump/unpack_impl.h"

/* What archives within may inflate to, all together, only to see what is in them. */
#define LOOK_INSIDE (64u << 20)
#define LOOK_INSIDE_TIMES 16u

struct listing {
    char **names; /* owned, each and all */
    size_t count, cap;
    uint64_t budget; /* bytes that archives within may still inflate to */
};

static enum ds_status add_name(struct listing *l, const char *prefix, const char *member)
{
    struct ds_buf name;
    void *grown = l->names;
    if (!ds_array_reserve(&grown, &l->cap, l->count + 1, sizeof(*l->names), DS_LIMIT_ZIP_MEMBERS))
        return l->count >= DS_LIMIT_ZIP_MEMBERS ? DS_LIMIT : DS_NO_MEMORY;
    l->names = grown;
    ds_buf_init(&name, 1u << 20);
    ds_buf_printf(&name, "%s!%s", prefix, member);
    if (!ds_buf_ok(&name)) {
        ds_buf_deinit(&name);
        return DS_NO_MEMORY;
    }
    l->names[l->count++] = name.data; /* taken over */
    return DS_OK;
}

static enum ds_status list_zip(struct listing *l, struct ds_source *archive, const char *prefix,
                               unsigned depth);

/* The member itself, or when it is a zip archive its dumps. */
static enum ds_status list_member(struct listing *l, struct ds_source *archive,
                                  const struct ds_zip_member *m, const char *prefix, unsigned depth)
{
    struct ds_source *inner = NULL, *part = NULL;
    struct ds_inflate_limits limits = {.max_inflated = l->budget};
    size_t before = l->count, have;
    uint8_t head[4];
    enum ds_status st = add_name(l, prefix, m->name);
    if (st != DS_OK || depth + 1 >= DS_UNPACK_DEPTH || l->budget == 0 ||
        ds_zip_member_peek(archive, m, head, sizeof(head), &have, NULL) != DS_OK || have < 4 ||
        memcmp(head, "PK\x03\x04", 4) != 0)
        return st;
    if (ds_source_borrow(archive, &part, NULL) != DS_OK)
        return DS_OK;
    if (ds_source_zip_member_open(part, m, &limits, &inner, NULL) != DS_OK) {
        ds_source_close(part);
        l->budget -= l->budget / 4; /* as if it had come to that */
        return DS_OK;
    }
    l->budget -= inner->size < l->budget ? inner->size : l->budget;
    char *name = l->names[before];
    l->count = before;
    st = list_zip(l, inner, name, depth + 1);
    ds_source_close(inner);
    /* Nothing in it: opening it says why. */
    if (l->count == before && st == DS_OK)
        l->names[l->count++] = name;
    else
        free(name);
    return st;
}

static enum ds_status list_zip(struct listing *l, struct ds_source *archive, const char *prefix,
                               unsigned depth)
{
    struct ds_zip z;
    if (ds_zip_open(archive, &z, NULL) != DS_OK)
        return DS_OK;
    enum ds_status st = DS_OK;
    for (size_t i = 0; st == DS_OK && i < z.count; i++)
        if (ds_unpack_wanted(archive, &z, i))
            st = list_member(l, archive, &z.members[i], prefix, depth);
    ds_zip_close(&z);
    return st;
}

static enum ds_status list_path(struct listing *l, const char *path)
{
    struct ds_source *s = NULL;
    const char *member;
    enum ds_status st = DS_OK;
    if (ds_unpack_path(path, &member, &s, NULL) != DS_OK)
        return DS_OK;
    l->budget = LOOK_INSIDE + LOOK_INSIDE_TIMES * (s->size < UINT32_MAX ? s->size : UINT32_MAX);
    if (member == NULL && ds_zip_probe(s))
        st = list_zip(l, s, path, 0);
    ds_source_close(s);
    return st;
}

enum ds_status ds_unpack_list(const char *path, bool (*each)(const char *input, void *arg),
                              void *arg)
{
    struct listing l = {0};
    enum ds_status st = list_path(&l, path);
    bool more = true;
    /* Too many to list, or one that need not be named. */
    if (st == DS_LIMIT || (st == DS_OK && l.count <= 1))
        (void)each(path, arg);
    for (size_t i = 0; i < l.count; i++) {
        if (st == DS_OK && l.count > 1 && more)
            more = each(l.names[i], arg);
        free(l.names[i]);
    }
    free(l.names);
    return st == DS_LIMIT ? DS_OK : st;
}
