#include "symbols/symtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "symbols/sort.h"

void ds_symtab_deinit(struct ds_symtab *t)
{
    free(t->items);
    free(t->strings);
    free(t->by_rva);
    free(t->by_name);
    memset(t, 0, sizeof *t);
}

static const char *name_of(const struct ds_symtab *t, uint32_t item)
{
    return t->strings + t->items[item].name;
}

static bool is_ascii(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)s[i] >= 0x80 || s[i] == '\0')
            return false;
    }
    return true;
}

static bool add_string(struct ds_symtab *t, const char *s, size_t len, uint32_t *at)
{
    if (len >= DS_LIMIT_SYMBOL_TEXT - t->strings_len ||
        !ds_array_reserve((void **)&t->strings, &t->strings_cap, t->strings_len + len + 1, 1,
                          DS_LIMIT_SYMBOL_TEXT))
        return false;
    *at = (uint32_t)t->strings_len;
    memcpy(t->strings + t->strings_len, s, len);
    t->strings[t->strings_len + len] = '\0';
    t->strings_len += len + 1;
    return true;
}

static bool add_clean_string(struct ds_symtab *t, const char *s, size_t len, uint32_t *at)
{
    struct ds_buf clean;
    bool ok;
    if (is_ascii(s, len))
        return add_string(t, s, len, at);
    ds_buf_init(&clean, DS_LIMIT_SYMBOL_TEXT);
    ds_text_from_bytes(&clean, s, len);
    ok = ds_buf_ok(&clean) && add_string(t, ds_buf_text(&clean), clean.len, at);
    ds_buf_deinit(&clean);
    return ok;
}

bool ds_symtab_add(struct ds_symtab *t, uint32_t rva, const char *name, size_t len,
                   enum ds_symtab_kind kind)
{
    uint32_t at = 0;
    if (!ds_array_reserve((void **)&t->items, &t->cap, t->count + 1, sizeof *t->items,
                          DS_LIMIT_SYMBOLS) ||
        !add_clean_string(t, name, len, &at))
        return false;
    t->items[t->count] = (struct ds_symtab_item){rva, at, (uint8_t)kind};
    if (t->count > 0 && strcmp(name_of(t, (uint32_t)t->count - 1), t->strings + at) >= 0)
        t->unordered = true;
    t->count++;
    return true;
}

static bool has_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* The mangled name of a literal "..." (MSVC, as llvm's MicrosoftMangle.cpp describes it). */
static bool is_literal(const char *name)
{
    return has_prefix(name, "??_C@");
}

/*
 * Of several names at one address the lowest rank is shown. Linkers fold equal functions, so an
 * innocent name may stand for another; the plainest is the least surprising.
 */
static unsigned rank_of(const struct ds_symtab *t, uint32_t item, bool is64)
{
    const char *name = name_of(t, item);
    unsigned rank = 0;
    if (is_literal(name))
        rank = 64;
    else if (name[0] == '?' || name[0] == '$')
        rank = 32;
    else if (strchr(name, '$') != NULL)
        rank = 16;
    else if (has_prefix(name, "ext_ms_") || has_prefix(name, "xHal") || has_prefix(name, "xKd"))
        rank = 8; /* stand-ins for what an extension or the HAL may provide */
    if (t->items[item].kind == (is64 ? DS_SYMTAB_STRIPPED : DS_SYMTAB_LINKAGE))
        rank += 1;
    return rank;
}

static bool is_better(const struct ds_symtab *t, uint32_t a, uint32_t b, bool is64)
{
    unsigned ra = rank_of(t, a, is64), rb = rank_of(t, b, is64);
    size_t la = strlen(name_of(t, a)), lb = strlen(name_of(t, b));
    if (ra != rb)
        return ra < rb;
    if (la != lb)
        return la < lb;
    return strcmp(name_of(t, a), name_of(t, b)) < 0;
}

/* One pass of a radix sort by 11 bits of the RVA. */
static void radix_pass(const struct ds_symtab *t, const uint32_t *from, uint32_t *to,
                       unsigned shift)
{
    uint32_t counts[2048] = {0}, sum = 0;
    for (size_t i = 0; i < t->count; i++)
        counts[t->items[from[i]].rva >> shift & 2047]++;
    for (size_t i = 0; i < 2048; i++) {
        uint32_t n = counts[i];
        counts[i] = sum;
        sum += n;
    }
    for (size_t i = 0; i < t->count; i++)
        to[counts[t->items[from[i]].rva >> shift & 2047]++] = from[i];
}

static bool sort_by_rva(struct ds_symtab *t, bool is64)
{
    DS_AUTO_FREE uint32_t *spare = ds_alloc_array(t->count, sizeof *spare);
    t->by_rva = ds_alloc_array(t->count, sizeof *t->by_rva);
    if (spare == NULL || t->by_rva == NULL)
        return false;
    for (size_t i = 0; i < t->count; i++)
        spare[i] = (uint32_t)i;
    radix_pass(t, spare, t->by_rva, 0);
    radix_pass(t, t->by_rva, spare, 11);
    radix_pass(t, spare, t->by_rva, 22);
    t->rva_count = 0;
    for (size_t i = 0; i < t->count; i++) {
        uint32_t item = t->by_rva[i];
        uint32_t *last = t->rva_count > 0 ? &t->by_rva[t->rva_count - 1] : NULL;
        if (last == NULL || t->items[*last].rva != t->items[item].rva)
            t->by_rva[t->rva_count++] = item;
        else if (is_better(t, item, *last, is64))
            *last = item;
    }
    return true;
}

static int compare_names(const void *arg, uint32_t a, uint32_t b)
{
    return strcmp(name_of(arg, a), name_of(arg, b));
}

bool ds_symtab_finish(struct ds_symtab *t, bool is64)
{
    if (t->count == 0)
        return true;
    if (!sort_by_rva(t, is64))
        return false;
    if (!t->unordered)
        return true;
    t->by_name = ds_alloc_array(t->count, sizeof *t->by_name);
    if (t->by_name == NULL)
        return false;
    for (size_t i = 0; i < t->count; i++)
        t->by_name[i] = (uint32_t)i;
    return ds_sort_indices(t->by_name, t->count, compare_names, t);
}

/* How many addresses with symbols are not above rva. */
static size_t count_to(const struct ds_symtab *t, uint32_t rva)
{
    size_t low = 0, high = t->rva_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (t->items[t->by_rva[mid]].rva <= rva)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const char *ds_symtab_after(const struct ds_symtab *t, uint32_t rva, uint32_t *start)
{
    for (size_t i = count_to(t, rva); i < t->rva_count; i++) {
        const char *name = name_of(t, t->by_rva[i]);
        if (!is_literal(name)) {
            *start = t->items[t->by_rva[i]].rva;
            return name;
        }
    }
    return NULL;
}

const char *ds_symtab_at(const struct ds_symtab *t, uint32_t rva, uint32_t *start)
{
    size_t low = count_to(t, rva);
    if (low == 0 || is_literal(name_of(t, t->by_rva[low - 1])))
        return NULL;
    *start = t->items[t->by_rva[low - 1]].rva;
    return name_of(t, t->by_rva[low - 1]);
}

bool ds_symtab_find(const struct ds_symtab *t, const char *name, uint32_t *rva)
{
    size_t low = 0, high = t->rva_count > 0 ? t->count : 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        uint32_t item = t->by_name != NULL ? t->by_name[mid] : (uint32_t)mid;
        int order = strcmp(name, name_of(t, item));
        if (order == 0) {
            *rva = t->items[item].rva;
            return true;
        }
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return false;
}
