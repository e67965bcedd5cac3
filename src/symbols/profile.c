/* Built-in profiles: layouts read out of the constant tables made from data/layouts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "symbols/layout_impl.h"
#include "symbols/tables.h"

/* A type of data/layouts taken apart; the grammar is in data/layouts/README.md. */
struct type {
    struct ds_slice base; /* without pointers, dimensions and bits */
    bool is_pointer, is_enum;
    uint64_t count; /* elements; 1 when not an array */
    bool is_array;
    uint8_t bit_pos, bit_len;
};

static const char *pool(uint32_t at)
{
    return ds_table_strings + at;
}

static bool skip_prefix(const char **s, const char *prefix)
{
    size_t len = strlen(prefix);
    if (strncmp(*s, prefix, len) != 0)
        return false;
    *s += len;
    return true;
}

static struct type parse_type(const char *s)
{
    struct type t = {.count = 1};
    while (skip_prefix(&s, "ptr "))
        t.is_pointer = true;
    t.is_enum = skip_prefix(&s, "enum ");
    t.base = (struct ds_slice){s, strcspn(s, "[:")};
    s += t.base.len;
    while (*s == '[') {
        char *end;
        t.is_array = true;
        t.count *= strtoul(s + 1, &end, 10);
        s = end + 1;
    }
    if (*s == ':') {
        char *end;
        t.bit_pos = (uint8_t)strtoul(s + 1, &end, 10);
        t.bit_len = (uint8_t)strtoul(end + 1, NULL, 10);
    }
    return t;
}

static const struct ds_table_struct *find_struct(struct ds_slice name)
{
    uint32_t low = 0, high = ds_table_struct_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = ds_slice_cmp(name, pool(ds_table_structs[mid].name));
        if (order == 0)
            return &ds_table_structs[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static const struct ds_table_member *find_member(const struct ds_table_struct *in,
                                                 struct ds_slice name)
{
    uint32_t low = in[0].member, high = in[1].member;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = ds_slice_cmp(name, pool(ds_table_members[mid].name));
        if (order == 0)
            return &ds_table_members[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* The value that the profile has; NULL when it has none. */
static const struct ds_table_run *find_run(const struct ds_table_member *m, uint32_t profile)
{
    for (uint32_t i = m[0].run; i < m[1].run; i++) {
        if (ds_table_runs[i].first <= profile && profile <= ds_table_runs[i].last)
            return &ds_table_runs[i];
    }
    return NULL;
}

static const struct ds_table_run *find_size(const struct ds_layout *l, struct ds_slice type)
{
    const struct ds_table_struct *s = find_struct(type);
    const struct ds_table_member *m = s == NULL ? NULL : find_member(s, (struct ds_slice){"", 0});
    return m == NULL ? NULL : find_run(m, l->profile);
}

static bool profile_size(const struct ds_layout *l, struct ds_slice type, uint32_t *ret)
{
    const struct ds_table_run *run = find_size(l, type);
    if (run == NULL)
        return false;
    *ret = run->value;
    return true;
}

/* Bytes of one element; 0 when not known. */
static uint32_t element_size(const struct ds_layout *l, const struct type *t, bool *is_signed)
{
    char kind = t->base.s[0];
    uint32_t size = 0;
    *is_signed = false;
    if (t->is_pointer)
        return l->pointer_size;
    if (t->is_enum) { /* the compiler's enums are ints */
        *is_signed = true;
        return 4;
    }
    if (kind == '_' && profile_size(l, t->base, &size))
        return size;
    /* "u8" to "u64", "s8" to "s64", "f64"; "struct", "union" and "?" have no digit there. */
    if ((kind == 'u' || kind == 's' || kind == 'f') && t->base.s[1] >= '0' && t->base.s[1] <= '9') {
        *is_signed = kind != 'u';
        return (uint32_t)strtoul(t->base.s + 1, NULL, 10) / 8;
    }
    return 0;
}

static bool profile_member(const struct ds_layout *l, struct ds_slice type, struct ds_slice name,
                           struct ds_layout_member *ret)
{
    const struct ds_table_struct *s = find_struct(type);
    const struct ds_table_member *m = s == NULL || name.len == 0 ? NULL : find_member(s, name);
    const struct ds_table_run *run = m == NULL ? NULL : find_run(m, l->profile);
    const struct ds_table_run *size = run == NULL ? NULL : find_size(l, type);
    if (run == NULL)
        return false;
    struct type t = parse_type(pool(ds_table_types[run->kind]));
    uint64_t bytes = element_size(l, &t, &ret->field.is_signed) * t.count;
    ret->field.offset = run->value;
    ret->field.size = bytes > UINT32_MAX ? 0 : (uint32_t)bytes;
    ret->field.bit_pos = t.bit_pos;
    ret->field.bit_len = t.bit_len;
    ret->field.unverified = size != NULL && size->kind == 1;
    ret->type = (struct ds_slice){NULL, 0};
    if (!t.is_pointer && !t.is_enum && !t.is_array && t.base.s[0] == '_')
        ret->type = t.base;
    return true;
}

static enum ds_member_kind kind_of(const struct type *t)
{
    char c = t->base.s[0];
    bool digits = t->base.len > 1 && t->base.s[1] >= '0' && t->base.s[1] <= '9';
    if (t->is_pointer)
        return DS_MEMBER_POINTER;
    if (t->is_enum)
        return DS_MEMBER_ENUM;
    if (c == '_')
        return DS_MEMBER_STRUCT;
    if (digits && (c == 'u' || c == 's'))
        return DS_MEMBER_INTEGER;
    return digits && c == 'f' ? DS_MEMBER_FLOAT : DS_MEMBER_UNKNOWN;
}

static void describe(const struct ds_layout *l, const struct ds_table_member *m,
                     const struct ds_table_run *run, bool unverified, struct ds_member *ret)
{
    const char *words = pool(ds_table_types[run->kind]);
    struct type t = parse_type(words);
    *ret = (struct ds_member){.name = pool(m->name), .is_array = t.is_array};
    ret->element = element_size(l, &t, &ret->field.is_signed);
    ret->count = t.count <= UINT32_MAX ? (uint32_t)t.count : 0;
    uint64_t bytes = ret->element * t.count;
    ret->field.offset = run->value;
    ret->field.size = bytes > UINT32_MAX ? 0 : (uint32_t)bytes;
    ret->field.bit_pos = t.bit_pos;
    ret->field.bit_len = t.bit_len;
    ret->field.unverified = unverified;
    ret->kind = kind_of(&t);
    if (ret->kind >= DS_MEMBER_POINTER && strncmp(t.base.s, "void", t.base.len) != 0) {
        /* "ptr ptr void": one of them was said by the kind. */
        size_t deep = skip_prefix(&words, "ptr ptr ") ? 1 : 0;
        (void)snprintf(ret->base, sizeof(ret->base), "%s%.*s", deep ? "Ptr to " : "",
                       t.base.len < 100 ? (int)t.base.len : 100, t.base.s);
    }
    ds_member_words(ret, l->pointer_size);
}

static bool profile_members(const struct ds_layout *l, struct ds_slice type, ds_member_fn *each,
                            void *arg)
{
    const struct ds_table_struct *s = find_struct(type);
    const struct ds_table_run *size = find_size(l, type);
    if (s == NULL || size == NULL)
        return false;
    for (uint32_t i = s[0].member; i < s[1].member; i++) {
        const struct ds_table_member *m = &ds_table_members[i];
        const struct ds_table_run *run = find_run(m, l->profile);
        struct ds_member member;
        if (pool(m->name)[0] == '\0' || run == NULL)
            continue;
        describe(l, m, run, size->kind == 1, &member);
        if (!each(&member, arg))
            break;
    }
    return true;
}

static void profile_types(const struct ds_layout *l, ds_type_fn *each, void *arg)
{
    for (uint32_t i = 0; i < ds_table_struct_count; i++) {
        const char *name = pool(ds_table_structs[i].name);
        const struct ds_table_run *size = find_size(l, (struct ds_slice){name, strlen(name)});
        if (size != NULL && !each(name, size->value, arg))
            return;
    }
}

static const struct ds_layout_ops profile_ops = {.member = profile_member,
                                                 .size = profile_size,
                                                 .members = profile_members,
                                                 .types = profile_types};

uint32_t ds_profile_count(void)
{
    return ds_table_profile_count;
}

bool ds_profile_get(uint32_t index, struct ds_profile *ret)
{
    if (index >= ds_table_profile_count)
        return false;
    const struct ds_table_profile *p = &ds_table_profiles[index];
    *ret = (struct ds_profile){
        .arch = (enum ds_arch)p->arch,
        .build_min = p->build_min,
        .build_max = p->build_max,
        .revision = p->rev_first,
        .name = pool(p->name),
    };
    return true;
}

static enum ds_status open_profile(uint32_t index, enum ds_trust trust, struct ds_layout **ret,
                                   struct ds_err *err)
{
    struct ds_profile p;
    struct ds_layout *l;
    if (!ds_profile_get(index, &p))
        return ds_err_set(err, DS_NOT_FOUND, "there is no built-in profile %lu",
                          (unsigned long)index);
    l = calloc(1, sizeof *l);
    if (l == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "no memory for a layout");
    l->ops = &profile_ops;
    l->trust = trust;
    l->profile = index;
    l->pointer_size = ds_arch_pointer_size(p.arch);
    (void)snprintf(l->source, sizeof l->source, "profile %s", p.name);
    *ret = l;
    return DS_OK;
}

enum ds_status ds_layout_open_profile(uint32_t index, struct ds_layout **ret, struct ds_err *err)
{
    return open_profile(index, DS_TRUST_NEAREST, ret, err);
}

/*
 * Windows 10 1909, 20H2 to 22H2 and Windows 11 25H2 are small "enablement packages" upon the
 * build before: same kernel file, same revision numbers, another build number shown. Older
 * Windows versions that share a profile do not share revisions. Source: Microsoft Learn,
 * "Windows 10 release information" and KB4517245, KB4562830, KB5054156.
 */
static bool shares_revisions(const struct ds_table_profile *p, uint32_t build)
{
    return build >= 18362 && p->build_min <= build && build <= p->build_max;
}

static bool find_exact(const struct ds_kernel_id *id, uint32_t *profile)
{
    for (uint32_t i = 0; i < ds_table_kernel_count; i++) {
        const struct ds_table_kernel *k = &ds_table_kernels[i];
        const struct ds_table_profile *p = &ds_table_profiles[k->profile];
        bool same = !id->la57 && id->build != 0 && id->revision != 0 &&
                    k->revision == id->revision &&
                    (k->build == id->build || shares_revisions(p, id->build));
        if (id->pdb[0] != '\0' && pool(k->pdb)[0] != '\0')
            same = ds_text_casecmp(pool(k->pdb), id->pdb) == 0;
        if (same && p->arch == (uint8_t)id->arch) {
            *profile = k->profile;
            return true;
        }
    }
    return false;
}

static uint32_t build_distance(const struct ds_table_profile *p, uint32_t build)
{
    if (build < p->build_min)
        return p->build_min - build;
    return build > p->build_max ? build - p->build_max : 0;
}

/*
 * Profiles are sorted by version: of the nearest build, the last whose revision is not above. An
 * unknown revision takes the newest, since most machines are updated.
 */
static bool find_nearest(const struct ds_kernel_id *id, uint32_t *profile, uint32_t *distance)
{
    bool found = false;
    for (uint32_t i = 0; i < ds_table_profile_count; i++) {
        const struct ds_table_profile *p = &ds_table_profiles[i];
        uint32_t away = build_distance(p, id->build);
        if (p->arch != (uint8_t)id->arch || (found && away > *distance))
            continue;
        bool above =
            away == 0 ? id->revision != 0 && p->rev_first > id->revision : id->build < p->build_min;
        if (found && away == *distance && above)
            continue;
        *profile = i;
        *distance = away;
        found = true;
    }
    return found;
}

enum ds_status ds_layout_open_builtin(const struct ds_kernel_id *id, struct ds_layout **ret,
                                      struct ds_err *err)
{
    uint32_t profile = 0, distance = 0;
    if (find_exact(id, &profile))
        return open_profile(profile, DS_TRUST_PROFILE, ret, err);
    if (id->build == 0)
        return ds_err_set(err, DS_NOT_FOUND,
                          "the kernel's build is not known, so no layout can be chosen");
    if (!find_nearest(id, &profile, &distance))
        return ds_err_set(err, DS_NOT_FOUND, "there is no built-in layout for %s kernels",
                          ds_arch_name(id->arch));
    return open_profile(profile, distance == 0 ? DS_TRUST_NEAREST : DS_TRUST_GUESS, ret, err);
}

/* Sets *known when the build of that column has the enum at all. */
static const char *enum_name_in(const char *type, uint32_t column, int32_t value, bool *known)
{
    for (uint32_t i = 0; i < ds_table_enumerator_count; i++) {
        const struct ds_table_enumerator *e = &ds_table_enumerators[i];
        if (column < e->first || column > e->last || strcmp(pool(e->type), type) != 0)
            continue;
        *known = true;
        if (e->value == value)
            return pool(e->name);
    }
    return NULL;
}

const char *ds_enum_name(const char *type, uint32_t build, int32_t value)
{
    uint32_t column = 0;
    const char *name = NULL;
    bool known = false;
    for (uint32_t i = 0; i < ds_table_enum_build_count; i++) {
        if (ds_table_enum_builds[i] <= build)
            column = i;
    }
    /* Some public PDBs lack an enum that the next one has. */
    for (; column < ds_table_enum_build_count && !known; column++)
        name = enum_name_in(type, column, value, &known);
    return name;
}
