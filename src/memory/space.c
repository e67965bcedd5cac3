#include "memory/space.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "memory/impl.h"

enum ds_status ds_fault_set(struct ds_fault *fault, enum ds_status status, uint64_t va)
{
    if (fault != NULL) {
        *fault = (struct ds_fault){.status = status, .va = va};
    }
    return status;
}

static enum ds_status open_space(struct ds_dump *dump, enum ds_paging mode, struct ds_space **ret,
                                 struct ds_err *err)
{
    struct ds_space *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return ds_err_set(err, DS_NO_MEMORY, "out of memory for an address space");
    }
    s->dump = dump;
    s->mode = mode;
    s->pointer_size = 8;
    s->pte_base = ds_opt_unknown(DS_NOT_FOUND);
    *ret = s;
    return DS_OK;
}

enum ds_status ds_space_open_paged(struct ds_dump *dump, enum ds_paging mode, uint64_t dtb,
                                   struct ds_space **ret, struct ds_err *err)
{
    struct ds_space *s = NULL;
    const struct ds_format *format = ds_format_of(mode);
    if (format == NULL) {
        return ds_err_set(err, DS_UNSUPPORTED,
                          "no page tables can be read on this architecture: virtual memory "
                          "cannot be read");
    }
    enum ds_status status = open_space(dump, mode, &s, err);
    if (status != DS_OK) {
        return status;
    }
    s->pages = ds_alloc_array(DS_PAGE_SLOTS, sizeof(*s->pages));
    if (ds_tables_init(&s->tables, dump) != DS_OK || s->pages == NULL) {
        ds_space_close(s);
        return ds_err_set(err, DS_NO_MEMORY, "out of memory for a translation cache");
    }
    s->format = format;
    s->root = s->upper_root = ds_paging_root(mode, dtb);
    if (mode == DS_PAGING_X86 || mode == DS_PAGING_PAE) {
        s->pointer_size = 4;
    }
    *ret = s;
    return DS_OK;
}

enum ds_status ds_space_open_ranges(struct ds_dump *dump, struct ds_space **ret, struct ds_err *err)
{
    return open_space(dump, DS_PAGING_NONE, ret, err);
}

void ds_space_close(struct ds_space *s)
{
    if (s != NULL) {
        ds_tables_deinit(&s->tables);
        free(s->pages);
        free(s);
    }
}

void ds_space_flush(struct ds_space *s)
{
    if (s->format == NULL) {
        return;
    }
    if (s->pages_used) {
        memset(s->pages, 0, DS_PAGE_SLOTS * sizeof(*s->pages));
        s->pages_used = false;
    }
    ds_tables_flush(&s->tables);
}

enum ds_paging ds_space_paging(const struct ds_space *s)
{
    return s->mode;
}

uint64_t ds_space_dtb(const struct ds_space *s)
{
    return s->root;
}

void ds_space_set_pointer_size(struct ds_space *s, unsigned bytes)
{
    s->pointer_size = bytes == 4 ? 4 : 8;
}

unsigned ds_space_pointer_size(const struct ds_space *s)
{
    return s->pointer_size;
}

void ds_space_set_upper_root(struct ds_space *s, uint64_t ttbr1)
{
    if (s->mode == DS_PAGING_ARM64) {
        s->upper_root = ds_paging_root(s->mode, ttbr1);
        ds_space_flush(s);
    }
}

uint64_t ds_space_upper_root(const struct ds_space *s)
{
    return s->upper_root;
}

void ds_space_set_pte_layout(struct ds_space *s, const struct ds_pte_layout *layout)
{
    s->layout = *layout;
    ds_space_flush(s); /* pages in transition may be elsewhere now */
}

const struct ds_pte_layout *ds_space_pte_layout(const struct ds_space *s)
{
    return &s->layout;
}

void ds_space_set_pte_base(struct ds_space *s, struct ds_opt base)
{
    s->pte_base = base;
}

struct ds_opt ds_space_pte_base(const struct ds_space *s)
{
    return s->pte_base;
}

void ds_space_set_prototypes(struct ds_space *s, struct ds_space *kernel)
{
    s->prototypes = kernel;
    ds_space_flush(s);
}

/* Where an entry of a table above the PTEs leads, as its shadow has it: 0 for nowhere. */
static ds_shadow shadow_of(struct ds_space *s, enum ds_entry_kind kind, int level, uint64_t next)
{
    if (kind == DS_ENTRY_PAGE) {
        return next | 1;
    }
    if (kind != DS_ENTRY_TABLE) {
        return 0;
    }
    return level == 2 ? (uintptr_t)ds_tables_page(&s->tables, next)
                      : (uintptr_t)ds_tables_shadow(&s->tables, next, level - 1,
                                                    s->format->index_mask[level - 1] + 1u);
}

const uint8_t *ds_space_reach(struct ds_space *s, uint64_t va, uint64_t *found)
{
    const struct ds_format *f = s->format;
    struct ds_tables *t = &s->tables;
    uint64_t table = ds_space_root(s, va), next = 0;
    *found = 0;
    ds_tables_reserve(t);
    ds_shadow *shadow = ds_tables_shadow(t, table, f->levels, f->index_mask[f->levels] + 1u);
    if (shadow != NULL) {
        t->top[va >> 63] = shadow;
    }
    for (int level = f->levels; shadow != NULL; level--, table = next) {
        const uint8_t *page = ds_tables_page(t, table);
        if (page == NULL) {
            return NULL;
        }
        uint64_t entry = ds_format_load(f, va, level, page + (table & DS_PAGE_MASK));
        enum ds_entry_kind kind = f->step(entry, level, &next);
        ds_shadow to = shadow_of(s, kind, level, next);
        shadow[(va >> f->shift[level]) & f->index_mask[level]] = to;
        if (kind == DS_ENTRY_PAGE) {
            uint64_t span = (uint64_t)1 << f->shift[level];
            *found = next | (va & (span - 1) & ~DS_PAGE_MASK) | 1;
        }
        if (kind != DS_ENTRY_TABLE || level == 2) {
            return kind == DS_ENTRY_TABLE ? (const uint8_t *)(uintptr_t)to : NULL;
        }
        shadow = (ds_shadow *)(uintptr_t)to;
    }
    return NULL;
}

enum ds_status ds_space_translate_slow(struct ds_space *s, uint64_t va, uint64_t *pa,
                                       struct ds_fault *fault)
{
    const struct ds_format *f = s->format;
    uint64_t found;
    if (!f->canonical(va)) {
        return ds_fault_set(fault, DS_NOT_MAPPED, va);
    }
    const uint8_t *leaf = ds_space_reach(s, va, &found);
    if (leaf != NULL) {
        uint64_t entry = ds_format_load(f, va, 1, leaf);
        found = (entry & f->page_bits) == f->page_bits ? (entry & f->page_address) | 1 : 0;
    }
    if (found == 0) {
        struct ds_explanation e;
        ds_space_explain(s, va, &e);
        if (e.status != DS_OK) {
            if (fault != NULL) {
                *fault = e.fault;
            }
            return e.status;
        }
        found = (e.pa & ~DS_PAGE_MASK) | 1;
    }
    ds_space_keep(s, va, found - 1);
    *pa = (found - 1) | (va & DS_PAGE_MASK);
    return DS_OK;
}

enum ds_status ds_space_translate(struct ds_space *s, uint64_t va, uint64_t *pa,
                                  struct ds_fault *fault)
{
    if (s->format == NULL) {
        return ds_fault_set(fault, DS_UNSUPPORTED, va);
    }
    const struct ds_cached *page = ds_space_kept(s, va);
    if (page != NULL) {
        *pa = page->pa | (va & DS_PAGE_MASK);
        return DS_OK;
    }
    return s->format->translate(s, va, pa, fault);
}

void ds_space_translate_many(struct ds_space *s, const uint64_t *va, size_t count, uint64_t *pa,
                             enum ds_status *status)
{
    for (size_t i = 0; i < count; i += DS_WALK_BATCH) {
        size_t part = count - i < DS_WALK_BATCH ? count - i : DS_WALK_BATCH;
        if (s->format != NULL) {
            s->format->batch(s, va + i, part, pa + i, status + i);
            continue;
        }
        for (size_t k = i; k < i + part; k++) {
            status[k] = DS_UNSUPPORTED;
        }
    }
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
        return ds_fault_set(fault, status, va + (bad - pa));
    }
    return DS_OK;
}

/* Splits [va, va + len) at page borders, as far as one batch goes; gives the number of bytes. */
static size_t split(uint64_t va, size_t len, uint64_t *at, size_t *count)
{
    size_t done = 0;
    for (*count = 0; *count < DS_WALK_BATCH && done < len; (*count)++) {
        at[*count] = va + done;
        done += DS_PAGE_SIZE - (size_t)(at[*count] & DS_PAGE_MASK);
    }
    return done < len ? done : len;
}

/* Across pages: translates many at once, and reads what is contiguous in physical memory in one. */
static enum ds_status read_pages(struct ds_space *s, uint64_t va, uint8_t *out, size_t len,
                                 struct ds_fault *fault)
{
    uint64_t at[DS_WALK_BATCH], pa[DS_WALK_BATCH];
    enum ds_status status[DS_WALK_BATCH];
    size_t count;
    while (len > 0) {
        size_t part = split(va, len, at, &count);
        ds_space_translate_many(s, at, count, pa, status);
        for (size_t i = 0, next; i < count; i = next) {
            for (next = i + 1; next < count && status[i] == DS_OK && status[next] == DS_OK &&
                               pa[next] - pa[i] == at[next] - at[i];
                 next++) {
            }
            uint64_t end = next < count ? at[next] : va + part, bad = pa[i];
            if (status[i] != DS_OK) { /* once more, for the reason */
                return ds_space_translate(s, at[i], &pa[i], fault);
            }
            status[i] =
                ds_dump_read_phys(s->dump, pa[i], out + (at[i] - va), (size_t)(end - at[i]), &bad);
            if (status[i] != DS_OK) {
                return ds_fault_set(fault, status[i], at[i] + (bad - pa[i]));
            }
        }
        va += part;
        out += part;
        len -= part;
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
        return ds_fault_set(fault, DS_NOT_MAPPED, va);
    }
    if (s->mode == DS_PAGING_NONE) {
        uint64_t bad = va;
        enum ds_status status = ds_dump_read_virt(s->dump, va, buf, len, &bad);
        return status == DS_OK ? DS_OK : ds_fault_set(fault, status, bad);
    }
    size_t first = DS_PAGE_SIZE - (size_t)(va & DS_PAGE_MASK);
    return len <= first ? read_page(s, va, buf, len, fault) : read_pages(s, va, buf, len, fault);
}

enum ds_status ds_space_read_uint(struct ds_space *s, uint64_t va, unsigned size, uint64_t *ret,
                                  struct ds_fault *fault)
{
    uint8_t raw[8] = {0};
    if (size != 1 && size != 2 && size != 4 && size != 8) {
        return ds_fault_set(fault, DS_INVALID, va);
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
        return ds_fault_set(fault, DS_CORRUPT, va);
    }
    if (bytes > (size_t)DS_LIMIT_STRING * 2) {
        return ds_fault_set(fault, DS_LIMIT, va);
    }
    uint8_t text[DS_LIMIT_STRING * 2];
    status = ds_space_read(s, text_va, text, bytes, fault);
    if (status == DS_OK) {
        ds_text_from_utf16(out, text, bytes / 2);
    }
    return status;
}
