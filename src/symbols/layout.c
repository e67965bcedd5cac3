#include "symbols/layout_impl.h"

#include <stdlib.h>
#include <string.h>

/* Nesting of "Tcb.Header.Lock"; no kernel structure comes near it. */
#define MAX_NESTING 16

const char *ds_trust_name(enum ds_trust trust)
{
    switch (trust) {
    case DS_TRUST_GUESS:
        return "guess";
    case DS_TRUST_NEAREST:
        return "nearest";
    case DS_TRUST_PROFILE:
        return "profile";
    case DS_TRUST_SYMBOLS:
        return "symbols";
    case DS_TRUST_NONE:
        break;
    }
    return "none";
}

int ds_slice_cmp(struct ds_slice a, const char *b)
{
    int order = strncmp(a.s, b, a.len);
    if (order != 0)
        return order;
    return b[a.len] == '\0' ? 0 : -1;
}

/*
 * Names of unnamed inner structures contain dots themselves ("u4.PteFrame"), so the longest
 * leading part that is a member is taken, and the rest is looked up in that member's struct.
 */
static bool find_leading(const struct ds_layout *l, struct ds_slice type, struct ds_slice path,
                         struct ds_layout_member *m, size_t *used)
{
    size_t len = path.len;
    for (;;) {
        if (l->ops->member(l, type, (struct ds_slice){path.s, len}, m)) {
            *used = len;
            return true;
        }
        while (len > 0 && path.s[len - 1] != '.')
            len--;
        if (len == 0)
            return false;
        len--;
    }
}

enum ds_status ds_layout_field(const struct ds_layout *l, const char *type, const char *path,
                               struct ds_field *ret)
{
    struct ds_slice in = {type, strlen(type)};
    struct ds_slice rest = {path, strlen(path)};
    uint32_t base = 0;
    bool unverified = false;
    if (l == NULL || rest.len == 0)
        return DS_NO_FIELD;
    for (int depth = 0; depth < MAX_NESTING; depth++) {
        struct ds_layout_member m;
        size_t used;
        if (!find_leading(l, in, rest, &m, &used))
            return DS_NO_FIELD;
        unverified = unverified || m.field.unverified;
        if (__builtin_add_overflow(base, m.field.offset, &base))
            return DS_NO_FIELD;
        if (used == rest.len) {
            *ret = m.field;
            ret->offset = base;
            ret->unverified = unverified;
            return DS_OK;
        }
        if (m.type.len == 0)
            return DS_NO_FIELD;
        in = m.type;
        rest.s += used + 1;
        rest.len -= used + 1;
    }
    return DS_NO_FIELD;
}

enum ds_status ds_layout_size(const struct ds_layout *l, const char *type, uint32_t *ret)
{
    if (l == NULL || !l->ops->size(l, (struct ds_slice){type, strlen(type)}, ret) || *ret == 0)
        return DS_NO_FIELD;
    return DS_OK;
}

enum ds_trust ds_layout_trust(const struct ds_layout *l)
{
    return l == NULL ? DS_TRUST_NONE : l->trust;
}

void ds_layout_set_trust(struct ds_layout *l, enum ds_trust trust)
{
    l->trust = trust;
}

const char *ds_layout_source(const struct ds_layout *l)
{
    return l == NULL ? "" : l->source;
}

void ds_layout_close(struct ds_layout *l)
{
    if (l == NULL)
        return;
    if (l->ops->close != NULL)
        l->ops->close(l);
    free(l);
}
