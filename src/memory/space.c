#include "memory/space.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "memory/paging.h"

#define PAGE_CACHE 4096 /* translations kept; a power of two */
#define TABLE_CACHE 512 /* page tables (2 MB each) kept; a power of two */

struct cached {
    uint64_t key; /* page or table number + 1; 0 = empty */
    uint64_t pa;
};

struct ds_space {
    struct ds_dump *dump; /* borrowed */
    enum ds_paging mode;
    uint64_t dtb;
    unsigned pointer_size;
    struct cached *pages;  /* owned; NULL on a space of ranges */
    struct cached *tables; /* owned */
};

static enum ds_status fault_set(struct ds_fault *fault, enum ds_status status, uint64_t va,
                                uint64_t entry, int level)
{
    if (fault != NULL) {
        *fault = (struct ds_fault){.status = status, .va = va, .entry = entry, .level = level};
    }
    return status;
}

static const char *paging_name(enum ds_paging mode)
{
    switch (mode) {
    case DS_PAGING_X86:
        return "x86 two-level paging";
    case DS_PAGING_PAE:
        return "x86 PAE paging";
    case DS_PAGING_LA57:
        return "x64 five-level paging (LA57)";
    case DS_PAGING_ARM64:
        return "ARM64 paging";
    case DS_PAGING_X64:
        return "x64 four-level paging";
    case DS_PAGING_NONE:
        break;
    }
    return "no paging";
}

enum ds_status ds_space_open_paged(struct ds_dump *dump, enum ds_paging mode, uint64_t dtb,
                                   struct ds_space **ret, struct ds_err *err)
{
    if (mode != DS_PAGING_X64) {
        return ds_err_set(err, DS_UNSUPPORTED,
                          "%s is not walked by this version: virtual memory cannot be read",
                          paging_name(mode));
    }
    struct ds_space *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return ds_err_set(err, DS_NO_MEMORY, "out of memory for an address space");
    }
    s->pages = ds_alloc_array(PAGE_CACHE, sizeof(*s->pages));
    s->tables = ds_alloc_array(TABLE_CACHE, sizeof(*s->tables));
    if (s->pages == NULL || s->tables == NULL) {
        ds_space_close(s);
        return ds_err_set(err, DS_NO_MEMORY, "out of memory for a translation cache");
    }
    s->dump = dump;
    s->mode = mode;
    s->dtb = dtb & DS_PTE_ADDRESS; /* the low 12 bits are PCID or flags */
    s->pointer_size = 8;
    *ret = s;
    return DS_OK;
}

enum ds_status ds_space_open_ranges(struct ds_dump *dump, struct ds_space **ret, struct ds_err *err)
{
    struct ds_space *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return ds_err_set(err, DS_NO_MEMORY, "out of memory for an address space");
    }
    s->dump = dump;
    s->mode = DS_PAGING_NONE;
    s->pointer_size = 8;
    *ret = s;
    return DS_OK;
}

void ds_space_close(struct ds_space *s)
{
    if (s != NULL) {
        free(s->pages);
        free(s->tables);
        free(s);
    }
}

enum ds_paging ds_space_paging(const struct ds_space *s)
{
    return s->mode;
}

uint64_t ds_space_dtb(const struct ds_space *s)
{
    return s->dtb;
}

void ds_space_set_pointer_size(struct ds_space *s, unsigned bytes)
{
    s->pointer_size = bytes == 4 ? 4 : 8;
}

unsigned ds_space_pointer_size(const struct ds_space *s)
{
    return s->pointer_size;
}

static bool cache_get(const struct cached *cache, size_t slots, uint64_t number, uint64_t *pa)
{
    /* Fibonacci hashing spreads both neighbours and equal strides. */
    const struct cached *c = &cache[(number * 0x9e3779b97f4a7c15u >> 40) & (slots - 1)];
    if (c->key != number + 1) {
        return false;
    }
    *pa = c->pa;
    return true;
}

static void cache_put(struct cached *cache, size_t slots, uint64_t number, uint64_t pa)
{
    cache[(number * 0x9e3779b97f4a7c15u >> 40) & (slots - 1)] = (struct cached){number + 1, pa};
}

/* Walks from `level` with the table at `table`; on success *pa is the address of va itself. */
static enum ds_status walk_x64(struct ds_space *s, uint64_t va, int level, uint64_t table,
                               uint64_t *pa, struct ds_fault *fault)
{
    for (; level >= 1; level--) {
        uint8_t raw[8];
        uint64_t at = table + (uint64_t)ds_x64_index(va, level) * 8;
        enum ds_status status = ds_dump_read_phys(s->dump, at, raw, sizeof(raw), NULL);
        if (status != DS_OK) {
            return fault_set(fault, status, va, 0, level);
        }
        uint64_t entry = ds_le64(raw);
        if ((entry & DS_PTE_PRESENT) == 0) {
            return fault_set(fault, ds_x64_absent(entry, level), va, entry, level);
        }
        if (level > 1 && (entry & DS_PTE_LARGE) != 0) {
            if (level == 4) { /* the bit is reserved there: no processor would accept it */
                return fault_set(fault, DS_CORRUPT, va, entry, level);
            }
            *pa = ds_x64_large(entry, level, va);
            return DS_OK;
        }
        table = entry & DS_PTE_ADDRESS;
        if (level == 2) {
            cache_put(s->tables, TABLE_CACHE, va >> 21, table);
        }
    }
    *pa = table | (va & (DS_PAGE_SIZE - 1));
    return DS_OK;
}

enum ds_status ds_space_translate(struct ds_space *s, uint64_t va, uint64_t *pa,
                                  struct ds_fault *fault)
{
    if (s->mode != DS_PAGING_X64) {
        return fault_set(fault, DS_UNSUPPORTED, va, 0, 0);
    }
    if (!ds_x64_canonical(va)) {
        return fault_set(fault, DS_NOT_MAPPED, va, 0, 0);
    }
    uint64_t page;
    if (cache_get(s->pages, PAGE_CACHE, va >> 12, &page)) {
        *pa = page | (va & (DS_PAGE_SIZE - 1));
        return DS_OK;
    }
    uint64_t table;
    enum ds_status status;
    if (cache_get(s->tables, TABLE_CACHE, va >> 21, &table)) {
        status = walk_x64(s, va, 1, table, pa, fault);
    } else {
        status = walk_x64(s, va, 4, s->dtb, pa, fault);
    }
    if (status == DS_OK) {
        cache_put(s->pages, PAGE_CACHE, va >> 12, *pa & ~(uint64_t)(DS_PAGE_SIZE - 1));
    }
    return status;
}

/* Reads within one page. */
static enum ds_status read_page(struct ds_space *s, uint64_t va, uint8_t *buf, size_t len,
                                struct ds_fault *fault)
{
    uint64_t pa;
    enum ds_status status = ds_space_translate(s, va, &pa, fault);
    if (status != DS_OK) {
        return status;
    }
    uint64_t bad = pa;
    status = ds_dump_read_phys(s->dump, pa, buf, len, &bad);
    if (status != DS_OK) {
        return fault_set(fault, status, va + (bad - pa), 0, 0);
    }
    return DS_OK;
}

enum ds_status ds_space_read(struct ds_space *s, uint64_t va, void *buf, size_t len,
                             struct ds_fault *fault)
{
    uint64_t last;
    if (len == 0) {
        return DS_OK;
    }
    if (ds_add_overflows(va, len - 1, &last)) {
        return fault_set(fault, DS_NOT_MAPPED, va, 0, 0);
    }
    if (s->mode == DS_PAGING_NONE) {
        uint64_t bad = va;
        enum ds_status status = ds_dump_read_virt(s->dump, va, buf, len, &bad);
        return status == DS_OK ? DS_OK : fault_set(fault, status, bad, 0, 0);
    }
    uint8_t *out = buf;
    while (len > 0) {
        size_t part = DS_PAGE_SIZE - (size_t)(va & (DS_PAGE_SIZE - 1));
        part = part < len ? part : len;
        enum ds_status status = read_page(s, va, out, part, fault);
        if (status != DS_OK) {
            return status;
        }
        va += part;
        out += part;
        len -= part;
    }
    return DS_OK;
}

enum ds_status ds_space_read_uint(struct ds_space *s, uint64_t va, unsigned size, uint64_t *ret,
                                  struct ds_fault *fault)
{
    uint8_t raw[8] = {0};
    if (size != 1 && size != 2 && size != 4 && size != 8) {
        return fault_set(fault, DS_INVALID, va, 0, 0);
    }
    enum ds_status status = ds_space_read(s, va, raw, size, fault);
    if (status == DS_OK) {
        *ret = ds_le64(raw);
    }
    return status;
}

enum ds_status ds_space_read_ptr(struct ds_space *s, uint64_t va, uint64_t *ret,
                                 struct ds_fault *fault)
{
    return ds_space_read_uint(s, va, s->pointer_size, ret, fault);
}

enum ds_status ds_space_read_ustr(struct ds_space *s, uint64_t va, struct ds_buf *out,
                                  struct ds_fault *fault)
{
    uint8_t head[16];
    size_t head_size = s->pointer_size == 4 ? 8 : 16;
    enum ds_status status = ds_space_read(s, va, head, head_size, fault);
    if (status != DS_OK) {
        return status;
    }
    size_t bytes = ds_le16(head) & ~(size_t)1;
    uint64_t text_va = s->pointer_size == 4 ? ds_le32(head + 4) : ds_le64(head + 8);
    if (bytes > ds_le16(head + 2)) { /* Length beyond MaximumLength */
        return fault_set(fault, DS_CORRUPT, va, 0, 0);
    }
    if (bytes > (size_t)DS_LIMIT_STRING * 2) {
        return fault_set(fault, DS_LIMIT, va, 0, 0);
    }
    uint8_t text[DS_LIMIT_STRING * 2];
    status = ds_space_read(s, text_va, text, bytes, fault);
    if (status == DS_OK) {
        ds_text_from_utf16(out, text, bytes / 2);
    }
    return status;
}
