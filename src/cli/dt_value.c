/* Members of structures and what they hold. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/dt.h"
#include "facts/resolve.h"
#include "nt/waits.h"

#define TEXT_MAX 512u /* bytes of one text */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool dt_fits(const char *pattern, const char *text)
{
    const char *star = NULL, *mark = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            mark = text;
        } else if (*pattern == '?' || lower(*pattern) == lower(*text)) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

struct search {
    struct dt_members *members;
    const char *pattern;
};

static bool keep(const struct ds_member *m, void *arg)
{
    struct search *s = arg;
    struct dt_members *all = s->members;
    if (s->pattern != NULL && !dt_fits(s->pattern, m->name))
        return true;
    if (!ds_array_reserve((void **)&all->rows, &all->cap, all->count + 1, sizeof(*all->rows),
                          DS_LIMIT_DT_MEMBERS)) {
        all->no_memory = true;
        return false;
    }
    all->rows[all->count++] = *m;
    return true;
}

/* By offset; the whole before its parts, then by bits. */
static int by_offset(const void *a, const void *b)
{
    const struct ds_member *x = a, *y = b;
    if (x->field.offset != y->field.offset)
        return x->field.offset < y->field.offset ? -1 : 1;
    if ((x->field.bit_len == 0) != (y->field.bit_len == 0))
        return x->field.bit_len == 0 ? -1 : 1;
    if (x->field.bit_pos != y->field.bit_pos)
        return x->field.bit_pos < y->field.bit_pos ? -1 : 1;
    return strcmp(x->name, y->name);
}

enum ds_status dt_members_of(const struct ds_layout *l, const char *type, const char *pattern,
                             struct dt_members *ret)
{
    struct search s = {.members = ret, .pattern = pattern};
    *ret = (struct dt_members){0};
    enum ds_status status = ds_layout_members(l, type, keep, &s);
    if (status == DS_OK && ret->no_memory)
        status = DS_NO_MEMORY;
    if (ret->count > 1)
        qsort(ret->rows, ret->count, sizeof(*ret->rows), by_offset);
    return status;
}

/* Members whose values an enum of the kernel names, though their type is an integer. */
static const struct {
    const char *type, *member, *of;
} named[] = {{"_KTHREAD", "State", "_KTHREAD_STATE"},
             {"_KTHREAD", "WaitReason", "_KWAIT_REASON"},
             {"_DISPATCHER_HEADER", "Type", "_KOBJECTS"},
             {"_KPROCESS", "State", "_KPROCESS_STATE"}};

static const char *enumerator(const struct cli_memory *m, const char *type,
                              const struct ds_member *member, uint64_t value)
{
    const char *of = member->kind == DS_MEMBER_ENUM ? member->base : NULL;
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]) && of == NULL; i++)
        if (strcmp(named[i].type, type) == 0 && strcmp(named[i].member, member->name) == 0)
            of = named[i].of;
    if (of != NULL && of[0] == 'e')
        of = strchr(of, ' ') != NULL ? strchr(of, ' ') + 1 : of;
    uint32_t build = (uint32_t)ds_opt_or(m->target->build, 0);
    return of != NULL ? ds_enum_name(of, build, (int32_t)value) : NULL;
}

static enum ds_status read_uint(struct cli_memory *m, uint64_t va, uint32_t size, uint64_t *ret)
{
    struct ds_fault fault = {.status = DS_NOT_MAPPED};
    if (m->space == NULL)
        return m->target->kernel_why != DS_OK ? m->target->kernel_why : DS_NOT_IN_DUMP;
    return ds_space_read_uint(m->space, va, size, ret, &fault) == DS_OK ? DS_OK : fault.status;
}

static uint64_t extended(uint64_t value, uint32_t size, bool is_signed)
{
    unsigned bits = size * 8;
    if (is_signed && bits > 0 && bits < 64 && (value >> (bits - 1) & 1) != 0)
        value |= UINT64_MAX << bits;
    return value;
}

static void put_symbol(struct cli_memory *m, struct dt_value *v)
{
    if (v->items[0] != 0)
        (void)ds_resolve_symbol(m->nt, v->items[0], &v->words);
}

/* Characters as text, as long as they look like it. */
static void put_characters(struct cli_memory *m, const struct ds_member *member, uint64_t va,
                           struct dt_value *v)
{
    uint8_t bytes[64];
    size_t size = member->count < sizeof(bytes) ? member->count : sizeof(bytes), n = 0;
    if (m->space == NULL || ds_space_read(m->space, va, bytes, size, NULL) != DS_OK)
        return;
    while (n < size && bytes[n] >= 0x20 && bytes[n] < 0x7f)
        n++;
    if (n > 0 && (n == size || bytes[n] == 0)) {
        ds_text_from_bytes(&v->words, bytes, n);
        v->is_text = true;
    }
}

static void read_items(struct cli_memory *m, const struct ds_member *member, uint64_t va,
                       struct dt_value *v)
{
    bool sized = member->element == 1 || member->element == 2 || member->element == 4 ||
                 member->element == 8;
    uint32_t count = member->count < DS_LIMIT_DT_ITEMS ? member->count : DS_LIMIT_DT_ITEMS;
    if (!sized) {
        v->status = DS_UNSUPPORTED;
        return;
    }
    for (uint32_t i = 0; i < count && v->status == DS_OK; i++) {
        v->status = read_uint(m, va + (uint64_t)i * member->element, member->element, &v->items[i]);
        if (v->status == DS_OK) {
            if (member->kind == DS_MEMBER_INTEGER || member->kind == DS_MEMBER_ENUM)
                v->items[i] = extended(v->items[i], member->element, member->field.is_signed);
            v->count++;
        }
    }
    if (member->is_array && member->element == 1 && v->count > 0)
        put_characters(m, member, va, v);
    else if (member->kind == DS_MEMBER_POINTER && !member->is_array && v->count == 1)
        put_symbol(m, v);
}

static void read_bits(struct cli_memory *m, const struct ds_member *member, uint64_t va,
                      struct dt_value *v)
{
    uint64_t unit, mask = UINT64_MAX >> (64 - member->field.bit_len);
    v->status = read_uint(m, va, member->element, &unit);
    if (v->status == DS_OK) {
        v->items[0] = unit >> member->field.bit_pos & mask;
        v->count = 1;
    }
}

/* The structures that are values themselves. */
static void read_struct(struct cli_memory *m, const struct ds_member *member, uint64_t va,
                        struct dt_value *v)
{
    unsigned word = m->target->pointer_size;
    v->status = DS_UNSUPPORTED;
    if (member->is_array)
        return;
    if (strcmp(member->base, "_LIST_ENTRY") == 0) {
        v->status = read_uint(m, va, word, &v->items[0]);
        if (v->status == DS_OK)
            v->status = read_uint(m, va + word, word, &v->items[1]);
        v->count = v->status == DS_OK ? 2 : 0;
    } else if (strcmp(member->base, "_UNICODE_STRING") == 0) {
        struct ds_fault fault = {.status = DS_NOT_IN_DUMP};
        v->status = m->space != NULL ? ds_space_read_ustr(m->space, va, &v->words, &fault)
                                     : m->target->kernel_why;
        v->is_text = true;
    } else if (strcmp(member->base, "_LARGE_INTEGER") == 0 ||
               strcmp(member->base, "_ULARGE_INTEGER") == 0) {
        v->status = read_uint(m, va, 8, &v->items[0]);
        v->count = v->status == DS_OK;
    }
}

void dt_read(struct cli_memory *m, const char *type, const struct ds_member *member, uint64_t va,
             struct dt_value *ret)
{
    *ret = (struct dt_value){.status = DS_OK};
    ds_buf_init(&ret->words, (size_t)TEXT_MAX * 64);
    uint64_t at = va + member->field.offset;
    if (m->target->pointer_size == 4)
        at &= UINT32_MAX;
    if (member->field.bit_len != 0 && member->field.bit_len <= 64)
        read_bits(m, member, at, ret);
    else if (member->kind == DS_MEMBER_STRUCT)
        read_struct(m, member, at, ret);
    else if (member->kind == DS_MEMBER_UNKNOWN)
        ret->status = DS_UNSUPPORTED;
    else
        read_items(m, member, at, ret);
    if (ret->count == 1 && !member->is_array && member->kind != DS_MEMBER_POINTER) {
        const char *name = enumerator(m, type, member, ret->items[0]);
        if (name != NULL)
            ds_buf_str(&ret->words, name);
    }
}
