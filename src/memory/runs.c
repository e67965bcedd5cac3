/* Going through a whole address space, and what its top table tells of itself. */
#include "base/limits.h"
#include "memory/impl.h"

struct ds_opt ds_space_self_map(struct ds_space *s)
{
    struct ds_opt found = ds_opt_unknown(DS_NOT_FOUND);
    if (s->format == NULL || s->format->levels < 4) {
        return found;
    }
    int top = s->format->levels;
    for (uint64_t i = 256; i < 512; i++) {
        uint64_t entry, next;
        enum ds_status status =
            ds_tables_entry(&s->tables, s->upper_root + i * 8, s->format->entry_size, &entry);
        if (status != DS_OK) {
            return ds_opt_unknown(status);
        }
        if (s->format->step(entry, top, &next) == DS_ENTRY_TABLE && next == s->upper_root) {
            if (found.known) {
                return ds_opt_unknown(DS_CORRUPT);
            }
            unsigned high = s->format->shift[top] + 9u;
            found = ds_opt_known(i << s->format->shift[top] | UINT64_MAX << high);
        }
    }
    return found;
}

/* Whether the table was already met on the way down to `level`. */
static bool met(const uint64_t *tables, int top, int level, uint64_t table)
{
    for (int l = top; l >= level; l--) {
        if (tables[l] == table) {
            return true;
        }
    }
    return false;
}

/* The stretch that the walk at va ends in: an entry, of whatever level. */
static void stretch_at(struct ds_space *s, uint64_t va, struct ds_space_iter *it,
                       struct ds_space_run *run)
{
    const struct ds_format *f = s->format;
    uint64_t tables[DS_MAX_LEVELS + 1];
    uint64_t table = ds_space_root(s, va);
    int level = f->levels;
    for (;; level--) {
        uint64_t entry = 0, next = 0;
        tables[level] = table;
        it->entries++;
        uint64_t span = (uint64_t)1 << f->shift[level];
        *run = (struct ds_space_run){.va = va, .size = span - (va & (span - 1))};
        run->status = ds_tables_entry(&s->tables, ds_format_entry_pa(f, va, level, table),
                                      f->entry_size, &entry);
        if (run->status != DS_OK) {
            /* The whole table is out of reach. */
            span = (f->index_mask[level] + (uint64_t)1) << f->shift[level];
            run->size = span - (va & (span - 1));
            return;
        }
        enum ds_entry_kind kind = f->step(entry, level, &next);
        if (kind == DS_ENTRY_TABLE && met(tables, f->levels, level, next)) {
            run->status = DS_LOOP;
            return;
        }
        if (kind == DS_ENTRY_TABLE) {
            table = next;
            continue;
        }
        run->state = DS_PTE_VALID;
        run->pa = next | (va & (span - 1));
        if (kind != DS_ENTRY_PAGE) {
            struct ds_explanation e;
            ds_space_explain(s, va, &e);
            run->status = e.status;
            run->state = e.fault.state;
            run->pa = e.pa;
            run->size = ds_explanation_size(s, &e, va);
        }
        return;
    }
}

/* The first address past va that the mode can translate; false at the end of the space. */
static bool next_canonical(const struct ds_format *f, uint64_t *va)
{
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

static bool joins(const struct ds_space_run *run, const struct ds_space_run *next)
{
    return run->va + run->size == next->va && run->status == next->status &&
           run->state == next->state && (run->status != DS_OK || run->pa + run->size == next->pa);
}

enum ds_status ds_space_next_run(struct ds_space *s, struct ds_space_iter *it,
                                 struct ds_space_run *run)
{
    bool started = false;
    if (s->format == NULL) {
        return DS_UNSUPPORTED;
    }
    while (!it->done) {
        struct ds_space_run next;
        if (!next_canonical(s->format, &it->va) || it->va > it->end) {
            it->done = true;
            break;
        }
        if (it->entries >= (it->limit != 0 ? it->limit : DS_LIMIT_RUN_ENTRIES)) {
            return started ? DS_OK : DS_LIMIT;
        }
        stretch_at(s, it->va, it, &next);
        if (next.size - 1 > it->end - it->va) {
            next.size = it->end - it->va + 1;
        }
        if (started && !joins(run, &next)) {
            return DS_OK; /* it is looked at again as the start of the one that follows */
        }
        if (started) {
            run->size += next.size;
        } else {
            *run = next;
        }
        started = true;
        it->done = it->end - it->va < next.size;
        it->va += it->done ? 0 : next.size;
    }
    return started ? DS_OK : DS_NOT_FOUND;
}
