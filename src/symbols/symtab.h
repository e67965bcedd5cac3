/*
 * The symbols of one module: RVA to name and back. Filled from a symbol table or an export table,
 * then finished once, then only read. Private to this room.
 */
#ifndef DS_SYMBOLS_SYMTAB_H
#define DS_SYMBOLS_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a name is, where that matters for showing it. */
enum ds_symtab_kind {
    DS_SYMTAB_PLAIN,
    DS_SYMTAB_LINKAGE, /* a name as the linker saw it, given beside a stripped one */
    DS_SYMTAB_STRIPPED /* the one that lost a leading underscore */
};

struct ds_symtab_item {
    uint32_t rva;
    uint32_t name; /* in strings */
    uint8_t kind;  /* enum ds_symtab_kind */
};

struct ds_symtab {
    struct ds_symtab_item *items;
    size_t count, cap;
    char *strings;
    size_t strings_len, strings_cap;
    uint32_t *by_rva; /* the best item of each address, ascending */
    size_t rva_count;
    uint32_t *by_name; /* NULL: the items themselves are in order */
    bool unordered;    /* a name came that is not above the one before */
};

void ds_symtab_deinit(struct ds_symtab *t);

/* Copies the name (made valid UTF-8). False: out of memory or over DS_LIMIT_SYMBOLS. */
bool ds_symtab_add(struct ds_symtab *t, uint32_t rva, const char *name, size_t len,
                   enum ds_symtab_kind kind);

/* Sorts. is64: names have no decoration to strip, so the linker's are right. False: no memory. */
bool ds_symtab_finish(struct ds_symtab *t, bool is64);

/*
 * The symbol at or before rva, and where it begins. NULL when there is none, or when what is
 * there is only a compiler's string literal, which names nothing.
 */
const char *ds_symtab_at(const struct ds_symtab *t, uint32_t rva, uint32_t *start);

/* The first symbol after rva, and where it begins; NULL when there is none. */
const char *ds_symtab_after(const struct ds_symtab *t, uint32_t rva, uint32_t *start);

bool ds_symtab_find(const struct ds_symtab *t, const char *name, uint32_t *rva);

#endif
