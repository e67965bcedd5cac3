#include "memory/regions.h"

#include "base/limits.h"
#include "memory/impl.h"

/* Rights that one entry leaves. Tables of ARM64 withhold nothing in Windows. */
static unsigned rights_of(const struct ds_space *s, uint64_t entry, int level)
{
    char flags[DS_PTE_FLAGS_SIZE];
    bool top_of_pae = s->mode == DS_PAGING_PAE && level == 3;
    bool table_of_arm = s->mode == DS_PAGING_ARM64 && level > 1 && (entry & 2) != 0;
    if (top_of_pae || table_of_arm) {
        return DS_RIGHT_WRITE | DS_RIGHT_EXECUTE | DS_RIGHT_USER;
    }
    ds_pte_flags_text(s->mode, entry, level, flags);
    return (flags[7] == 'U' ? DS_RIGHT_USER : 0u) | (flags[8] == 'W' ? DS_RIGHT_WRITE : 0u) |
           (flags[9] == 'E' ? DS_RIGHT_EXECUTE : 0u);
}

static bool met(const uint64_t *tables, int top, int level, uint64_t table)
{
    for (int l = top; l >= level; l--) {
        if (tables[l] == table) {
            return true;
        }
    }
    return false;
}

/* What ends the walk at va. */
static void entry_at(struct ds_space *s, uint64_t va, struct ds_space_iter *it,
                     struct ds_region_map *r)
{
    const struct ds_format *f = s->format;
    uint64_t tables[DS_MAX_LEVELS + 1], table = ds_space_root(s, va);
    unsigned rights = DS_RIGHT_WRITE | DS_RIGHT_EXECUTE | DS_RIGHT_USER;
    for (int level = f->levels;; level--) {
        uint64_t entry = 0, next = 0, span = (uint64_t)1 << f->shift[level];
        tables[level] = table;
        it->entries++;
        *r = (struct ds_region_map){.va = va, .size = span - (va & (span - 1)), .page_size = span};
        r->status = ds_tables_entry(&s->tables, ds_format_entry_pa(f, va, level, table),
                                    f->entry_size, &entry);
        if (r->status != DS_OK) { /* the whole table is out of reach */
            span = (f->index_mask[level] + (uint64_t)1) << f->shift[level];
            r->size = span - (va & (span - 1));
            return;
        }
        enum ds_entry_kind kind = f->step(entry, level, &next);
        r->state = DS_PTE_EMPTY;
        r->status = DS_NOT_MAPPED;
        if (kind == DS_ENTRY_ABSENT && entry == 0) {
            return;
        }
        if (kind == DS_ENTRY_TABLE && met(tables, f->levels, level, next)) {
            r->status = DS_LOOP;
            r->state = DS_PTE_VALID;
            return;
        }
        rights &= kind == DS_ENTRY_ABSENT ? 0 : rights_of(s, entry, level);
        if (kind == DS_ENTRY_TABLE) {
            table = next;
            continue;
        }
        r->status = DS_OK;
        r->state = DS_PTE_VALID;
        r->rights = rights;
        if (kind != DS_ENTRY_PAGE) {
            struct ds_explanation e;
            ds_space_explain(s, va, &e);
            r->status = e.status;
            r->state = e.status == DS_OK && e.fault.state == DS_PTE_VALID ? DS_PTE_PROTOTYPE
                                                                          : e.fault.state;
            r->size = ds_explanation_size(s, &e, va);
            r->page_size = DS_PAGE_SIZE;
        }
        return;
    }
}

static bool next_canonical(const struct ds_space *s, uint64_t *va)
{
    const struct ds_format *f = s->format;
    /* One table for both halves of ARM64: each shows the other's again, shifted. */
    if (f == &ds_format_arm64 && s->root == s->upper_root && *va >> 47 != 0 &&
        *va >> 47 != 0x1ffff) {
        *va = UINT64_MAX << 47;
        return true;
    }
    if (f->canonical(*va)) {
        return true;
    }
    if (*va >> 63 != 0 || f->levels < 4) {
        return false;
    }
    unsigned bits = f->shift[f->levels] + 9u;
    *va = UINT64_MAX << (f == &ds_format_arm64 ? bits : bits - 1);
    return true;
}

static bool joins(const struct ds_region_map *r, const struct ds_region_map *next)
{
    return r->va + r->size == next->va && r->status == next->status && r->state == next->state &&
           r->rights == next->rights && r->page_size == next->page_size;
}

static void advance(struct ds_space_iter *it, uint64_t size)
{
    it->done = it->end - it->va < size;
    it->va += it->done ? 0 : size;
}

enum ds_status ds_space_next_region(struct ds_space *s, struct ds_space_iter *it,
                                    struct ds_region_map *ret)
{
    bool started = false;
    if (s->format == NULL) {
        return DS_UNSUPPORTED;
    }
    while (!it->done) {
        struct ds_region_map next;
        if (!next_canonical(s, &it->va) || it->va > it->end) {
            it->done = true;
            break;
        }
        if (it->entries >= (it->limit != 0 ? it->limit : DS_LIMIT_RUN_ENTRIES)) {
            return started ? DS_OK : DS_LIMIT;
        }
        entry_at(s, it->va, it, &next);
        if (next.size - 1 > it->end - it->va) {
            next.size = it->end - it->va + 1;
        }
        if (next.state == DS_PTE_EMPTY) {
            if (started) {
                return DS_OK;
            }
            advance(it, next.size);
            continue;
        }
        if (started && !joins(ret, &next)) {
            return DS_OK; /* it is looked at again as the start of the one that follows */
        }
        if (started) {
            ret->size += next.size;
        } else {
            *ret = next;
        }
        started = true;
        advance(it, next.size);
    }
    return started ? DS_OK : DS_NOT_FOUND;
}
