#include "symbols/symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "symbols/functions.h"
#include "symbols/isf.h"
#include "symbols/pe.h"
#include "symbols/symtab.h"

/* Twice the modules that can be loaded: the caller may declare unloaded ones too. */
#define MODULES_MAX (2u * DS_LIMIT_MODULES)

struct module {
    char *name; /* "nt" */
    uint64_t base, end;
    char wanted_pdb[48]; /* "" when not told */
    char table_pdb[48];  /* of the symbol table; "" when there is none */
    struct ds_symtab table, exports;
    struct ds_functions functions; /* how far exported names reach */
    bool has_table, has_exports;
};

/* A stretch of addresses that belongs to one module. Stretches are sorted and apart. */
struct stretch {
    uint64_t start, end;
    uint32_t module;
};

struct ds_symbols {
    struct module *modules;
    size_t count, cap;
    struct stretch *stretches;
    size_t stretch_count, stretch_cap;
};

enum ds_status ds_symbols_open(struct ds_symbols **ret, struct ds_err *err)
{
    *ret = calloc(1, sizeof **ret);
    return *ret != NULL ? DS_OK : ds_err_set(err, DS_NO_MEMORY, "no memory for symbols");
}

void ds_symbols_close(struct ds_symbols *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++) {
        free(s->modules[i].name);
        ds_symtab_deinit(&s->modules[i].table);
        ds_symtab_deinit(&s->modules[i].exports);
        ds_functions_deinit(&s->modules[i].functions);
    }
    free(s->modules);
    free(s->stretches);
    free(s);
}

/* Index of the first stretch that ends above va. */
static size_t first_above(const struct ds_symbols *s, uint64_t va)
{
    size_t low = 0, high = s->stretch_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->stretches[mid].end > va)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static struct module *module_of(const struct ds_symbols *s, uint64_t va)
{
    size_t i = first_above(s, va);
    if (i == s->stretch_count || s->stretches[i].start > va)
        return NULL;
    return &s->modules[s->stretches[i].module];
}

/* The module that begins at base, also where another covers its first byte. */
static struct module *module_at(const struct ds_symbols *s, uint64_t base)
{
    struct module *m = module_of(s, base);
    if (m != NULL && m->base == base)
        return m;
    for (size_t i = 0; i < s->count; i++) {
        if (s->modules[i].base == base)
            return &s->modules[i];
    }
    return NULL;
}

static bool insert_stretch(struct ds_symbols *s, size_t at, uint64_t start, uint64_t end)
{
    if (!ds_array_reserve((void **)&s->stretches, &s->stretch_cap, s->stretch_count + 1,
                          sizeof *s->stretches, 2u * MODULES_MAX + 1))
        return false;
    memmove(&s->stretches[at + 1], &s->stretches[at],
            (s->stretch_count - at) * sizeof *s->stretches);
    s->stretches[at] = (struct stretch){start, end, (uint32_t)s->count};
    s->stretch_count++;
    return true;
}

/* Takes back what the module that cannot be added has claimed. */
static void unclaim(struct ds_symbols *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->stretch_count; i++) {
        if (s->stretches[i].module != s->count)
            s->stretches[kept++] = s->stretches[i];
    }
    s->stretch_count = kept;
}

/* Gives the new module (number s->count) what no earlier one has of [start, end). */
static bool claim(struct ds_symbols *s, uint64_t start, uint64_t end)
{
    size_t i = first_above(s, start);
    while (start < end) {
        uint64_t stop = i < s->stretch_count ? s->stretches[i].start : end;
        if (stop > end)
            stop = end;
        if (start < stop && !insert_stretch(s, i++, start, stop))
            return false;
        if (i == s->stretch_count)
            break;
        start = s->stretches[i++].end;
    }
    return true;
}

/*
 * What WinDbg calls a module: the file name without its extension, and "nt" for every flavour of
 * the kernel (Microsoft Learn, "Symbol syntax and symbol matching"). Characters that its expression
 * evaluator would take for something else are shown as '_'.
 */
static char *name_module(const char *file)
{
    static const char *const kernels[] = {"ntoskrnl.exe", "ntkrnlmp.exe", "ntkrnlpa.exe",
                                          "ntkrpamp.exe", "ntkrla57.exe"};
    const char *base = ds_text_basename(file);
    const char *dot = strrchr(base, '.');
    size_t len = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        if (ds_text_casecmp(base, kernels[i]) == 0) {
            base = "nt";
            len = 2;
        }
    }
    char *name = malloc(len + 1);
    if (name == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        char c = base[i];
        name[i] = c == '.' || c == '-' || c == ' ' || c == '!' || c == '+' ? '_' : c;
    }
    name[len] = '\0';
    return name;
}

enum ds_status ds_symbols_add_module(struct ds_symbols *s, const char *name, uint64_t base,
                                     uint64_t size)
{
    uint64_t end;
    if (size == 0)
        return DS_INVALID;
    if (ds_add_overflows(base, size, &end))
        end = UINT64_MAX;
    if (s->count >= MODULES_MAX)
        return DS_LIMIT;
    if (!ds_array_reserve((void **)&s->modules, &s->cap, s->count + 1, sizeof *s->modules,
                          MODULES_MAX))
        return DS_NO_MEMORY;
    struct module m = {.name = name_module(name), .base = base, .end = end};
    if (m.name == NULL)
        return DS_NO_MEMORY;
    if (!claim(s, base, end)) {
        unclaim(s);
        free(m.name);
        return DS_NO_MEMORY;
    }
    s->modules[s->count++] = m;
    return DS_OK;
}

enum ds_status ds_symbols_set_pdb(struct ds_symbols *s, uint64_t base, const char *pdb_id)
{
    struct module *m = module_at(s, base);
    if (m == NULL || strlen(pdb_id) >= sizeof m->wanted_pdb)
        return DS_NOT_FOUND;
    memcpy(m->wanted_pdb, pdb_id, strlen(pdb_id) + 1);
    return DS_OK;
}

const char *ds_symbols_table_pdb(const struct ds_symbols *s, uint64_t base)
{
    const struct module *m = module_at(s, base);
    return m == NULL ? "" : m->table_pdb;
}

enum ds_status ds_symbols_load_isf(struct ds_symbols *s, uint64_t base, const char *path,
                                   struct ds_layout **layout, struct ds_err *err)
{
    struct module *m = module_at(s, base);
    struct ds_isf isf;
    char source[192];
    if (m == NULL)
        return ds_err_set(err, DS_NOT_FOUND, "there is no module at %llx",
                          (unsigned long long)base);
    enum ds_status status = ds_isf_load(path, m->wanted_pdb, layout != NULL, &isf, err);
    if (status != DS_OK)
        return status;
    if (layout != NULL && isf.types != NULL) {
        (void)snprintf(source, sizeof source, "%s/%s", isf.pdb_name, isf.pdb_id);
        *layout = ds_isf_types_layout(
            isf.types, m->wanted_pdb[0] != '\0' ? DS_TRUST_SYMBOLS : DS_TRUST_NEAREST, source);
        if (*layout == NULL) {
            ds_isf_deinit(&isf);
            return ds_err_set(err, DS_NO_MEMORY, "no memory for a layout");
        }
        isf.types = NULL;
    } else if (layout != NULL) {
        *layout = NULL;
    }
    ds_symtab_deinit(&m->table);
    m->table = isf.symbols;
    m->has_table = true;
    memcpy(m->table_pdb, isf.pdb_id, sizeof m->table_pdb);
    return DS_OK;
}

static bool add_export(void *arg, const char *name, uint32_t rva)
{
    return ds_symtab_add(arg, rva, name, strlen(name), DS_SYMTAB_PLAIN);
}

enum ds_status ds_symbols_load_exports(struct ds_symbols *s, uint64_t base, struct ds_space *space)
{
    struct module *m = module_at(s, base);
    struct ds_pe_memory memory = ds_pe_memory_of_space(space);
    struct ds_pe pe;
    struct ds_symtab exports = {0};
    if (m == NULL)
        return DS_NOT_FOUND;
    enum ds_status status = ds_pe_read_from(&memory, base, &pe, NULL);
    if (status != DS_OK)
        return status;
    status = ds_pe_exports(&memory, &pe, add_export, &exports, NULL);
    if (exports.count == 0) {
        ds_symtab_deinit(&exports);
        return status == DS_OK ? DS_NOT_FOUND : status;
    }
    if (!ds_symtab_finish(&exports, pe.is64)) {
        ds_symtab_deinit(&exports);
        return DS_NO_MEMORY;
    }
    ds_symtab_deinit(&m->exports);
    m->exports = exports;
    m->has_exports = true;
    ds_functions_deinit(&m->functions);
    ds_functions_read(&memory, &pe, &m->functions);
    return DS_OK;
}

#define EXPORT_REACH 0x1000u /* bytes of code that an export names on its own word */

bool ds_symbols_find(const struct ds_symbols *s, uint64_t va, struct ds_symbol *ret)
{
    const struct module *m = module_of(s, va);
    uint32_t start = 0;
    if (m == NULL) {
        *ret = (struct ds_symbol){0};
        return false;
    }
    *ret =
        (struct ds_symbol){.module = m->name, .displacement = va - m->base, .module_base = m->base};
    if (va - m->base > UINT32_MAX)
        return true;
    uint32_t rva = (uint32_t)(va - m->base);
    ret->trust = m->has_table ? DS_NAME_SYMBOLS : m->has_exports ? DS_NAME_EXPORT : DS_NAME_MODULE;
    if (m->has_table)
        ret->function = ds_symtab_at(&m->table, rva, &start);
    else if (m->has_exports)
        ret->function = ds_symtab_at(&m->exports, rva, &start);
    /* Most functions are not exported: another one may begin between the name and here. */
    if (!m->has_table && ds_functions_begin_between(&m->functions, start, rva))
        ret->function = NULL;
    /* Where the list of functions was not captured, a far export names somebody else's code. */
    if (!m->has_table && m->functions.count == 0 && rva - start >= EXPORT_REACH)
        ret->function = NULL;
    if (ret->function != NULL)
        ret->displacement = rva - start;
    else
        ret->trust = DS_NAME_MODULE;
    return true;
}

bool ds_symbols_around(const struct ds_symbols *s, uint64_t va, struct ds_symbol *before,
                       struct ds_symbol *after)
{
    const struct module *m = module_of(s, va);
    uint32_t start = 0, next = 0;
    *before = *after = (struct ds_symbol){0};
    if (m == NULL)
        return false;
    *before = (struct ds_symbol){.module = m->name,
                                 .module_base = m->base,
                                 .trust = m->has_table     ? DS_NAME_SYMBOLS
                                          : m->has_exports ? DS_NAME_EXPORT
                                                           : DS_NAME_MODULE};
    *after = *before;
    if (va - m->base > UINT32_MAX)
        return true;
    uint32_t rva = (uint32_t)(va - m->base);
    const struct ds_symtab *t = m->has_table ? &m->table : &m->exports;
    before->function = ds_symtab_at(t, rva, &start);
    before->displacement = before->function != NULL ? rva - start : 0;
    after->function = ds_symtab_after(t, rva, &next);
    after->displacement = after->function != NULL ? next - rva : 0;
    return true;
}

void ds_symbols_format(const struct ds_symbols *s, uint64_t va, struct ds_buf *out)
{
    struct ds_symbol sym;
    if (!ds_symbols_find(s, va, &sym))
        return;
    ds_buf_str(out, sym.module);
    if (sym.function != NULL)
        ds_buf_printf(out, "!%s", sym.function);
    if (sym.function == NULL || sym.displacement != 0)
        ds_buf_printf(out, "+0x%llx", (unsigned long long)sym.displacement);
}

enum ds_status ds_symbols_address(const struct ds_symbols *s, uint64_t base, const char *name,
                                  uint64_t *va)
{
    const struct module *m = module_at(s, base);
    uint32_t rva = 0;
    if (m == NULL ||
        !(ds_symtab_find(&m->table, name, &rva) || ds_symtab_find(&m->exports, name, &rva)))
        return DS_NO_SYMBOL;
    *va = base + rva;
    return DS_OK;
}
