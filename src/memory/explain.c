/* Translation step by step, with what Windows makes of entries that the processor refuses. */
#include <string.h>

#include "memory/impl.h"

static struct ds_walk_step *add_step(struct ds_explanation *e, int level, const char *name)
{
    struct ds_walk_step *step = &e->steps[e->count++];
    *step = (struct ds_walk_step){.level = level, .name = name};
    return step;
}

static void fail(struct ds_explanation *e, enum ds_status status, int level, uint64_t entry,
                 enum ds_pte_state state)
{
    e->status = e->fault.status = status;
    e->fault.level = level;
    e->fault.entry = entry;
    e->fault.state = state;
}

static void succeed(struct ds_explanation *e, uint64_t pa, uint64_t size, enum ds_pte_state state)
{
    e->status = e->fault.status = DS_OK;
    e->fault.state = state;
    e->pa = pa;
    e->page_size = size;
}

static enum ds_status status_of(enum ds_pte_state state)
{
    switch (state) {
    case DS_PTE_PAGE_FILE:
        return DS_PAGED_OUT;
    case DS_PTE_MAPPED_FILE:
        return DS_NOT_IN_DUMP;
    default:
        return DS_NOT_MAPPED;
    }
}

static void take_soft(struct ds_explanation *e, const struct ds_pte_soft *soft)
{
    e->fault.page_file = soft->page_file;
    e->fault.page_file_offset = soft->page_file_offset;
    e->fault.mask_missing = e->fault.mask_missing || soft->mask_missing;
}

static bool table_is_zero(struct ds_space *s, uint64_t entry_pa)
{
    static const uint8_t zeros[DS_PAGE_SIZE];
    const uint8_t *page = ds_tables_page(&s->tables, entry_pa);
    return page != NULL && memcmp(page, zeros, DS_PAGE_SIZE) == 0;
}

/* Reads the prototype PTE at va: its place, then its content. */
static enum ds_status read_prototype(struct ds_space *s, uint64_t va, struct ds_walk_step *step,
                                     struct ds_fault *fault)
{
    struct ds_space *in = s->prototypes != NULL ? s->prototypes : s;
    unsigned size = s->format->entry_size;
    uint64_t pa, entry = 0;
    step->entry_va = ds_opt_known(va);
    enum ds_status status = DS_CORRUPT;
    if (in->format != NULL && va % size == 0 && !in->following) {
        in->following = true;
        status = ds_space_translate(in, va, &pa, fault);
        in->following = false;
    }
    step->entry_pa = step->entry = ds_opt_unknown(status);
    if (status == DS_OK) {
        step->entry_pa = ds_opt_known(pa);
        status = ds_tables_entry(&s->tables, pa, size, &entry);
        step->entry = status == DS_OK ? ds_opt_known(entry) : ds_opt_unknown(status);
    }
    return status;
}

/* The page's fate through its prototype PTE. */
static void follow_prototype(struct ds_space *s, uint64_t offset, uint64_t pte,
                             struct ds_opt prototype, struct ds_explanation *e)
{
    struct ds_fault inner;
    uint64_t page;
    e->fault.prototype = prototype;
    if (!prototype.known || s->following) {
        fail(e, DS_NOT_MAPPED, 1, pte, DS_PTE_PROTOTYPE);
        return;
    }
    struct ds_walk_step *step = add_step(e, 0, "prototype PTE");
    enum ds_status status = read_prototype(s, prototype.value, step, &inner);
    if (status != DS_OK) {
        fail(e, status, 1, pte, DS_PTE_PROTOTYPE);
        return;
    }
    uint64_t entry = step->entry.value;
    if (s->format->step(entry, 1, &page) == DS_ENTRY_PAGE) {
        step->state = DS_PTE_VALID;
        succeed(e, page | offset, DS_PAGE_SIZE, DS_PTE_VALID);
        return;
    }
    struct ds_pte_soft soft = ds_pte_decode(s->mode, &s->layout, entry, true);
    step->state = soft.state;
    take_soft(e, &soft);
    if (soft.pa.known) {
        succeed(e, soft.pa.value | offset, DS_PAGE_SIZE, DS_PTE_TRANSITION);
    } else {
        fail(e, status_of(soft.state), 1, pte, soft.state);
    }
}

/* An entry that is not present; true when it is a table in transition, to go on with. */
static bool absent(struct ds_space *s, uint64_t va, struct ds_walk_step *step, uint64_t *table,
                   struct ds_explanation *e)
{
    uint64_t entry = step->entry.value, offset = va & DS_PAGE_MASK;
    struct ds_pte_soft soft = ds_pte_decode(s->mode, &s->layout, entry, false);
    enum ds_status status = status_of(soft.state);
    step->state = soft.state;
    take_soft(e, &soft);
    if (soft.state == DS_PTE_EMPTY && table_is_zero(s, step->entry_pa.value)) {
        /* Windows keeps no directory that leads nowhere; empty tables of PTEs it does keep. */
        step->state = DS_PTE_EMPTY_TABLE;
        status = step->level > 1 ? DS_NOT_IN_DUMP : status;
    }
    if (soft.state == DS_PTE_TRANSITION && step->level > 1) {
        *table = soft.pa.value;
        return true;
    }
    if (soft.state == DS_PTE_TRANSITION) {
        succeed(e, soft.pa.value | offset, DS_PAGE_SIZE, DS_PTE_TRANSITION);
    } else if (soft.state == DS_PTE_PROTOTYPE && step->level == 1) {
        follow_prototype(s, offset, entry, soft.prototype, e);
    } else {
        fail(e, status, step->level, entry, step->state);
    }
    return false;
}

/* One level; true to go on with *table. */
static bool explain_level(struct ds_space *s, uint64_t va, int level, uint64_t *table,
                          struct ds_explanation *e)
{
    const struct ds_format *f = s->format;
    struct ds_walk_step *step = add_step(e, level, f->entry_name[level]);
    uint64_t entry = 0, next = 0, span = (uint64_t)1 << f->shift[level];
    uint64_t at = ds_format_entry_pa(f, va, level, *table);
    step->entry_pa = ds_opt_known(at);
    step->entry_va = ds_pte_address(s->mode, s->pte_base, va, level);
    enum ds_status status = ds_tables_entry(&s->tables, at, f->entry_size, &entry);
    step->entry = status == DS_OK ? ds_opt_known(entry) : ds_opt_unknown(status);
    if (status != DS_OK) {
        fail(e, status, level, 0, DS_PTE_NO_ENTRY);
        return false;
    }
    step->state = DS_PTE_VALID;
    switch (f->step(entry, level, &next)) {
    case DS_ENTRY_TABLE:
        *table = next;
        return true;
    case DS_ENTRY_PAGE:
        succeed(e, next | (va & (span - 1)), span, DS_PTE_VALID);
        return false;
    case DS_ENTRY_RESERVED:
        step->state = DS_PTE_RESERVED;
        fail(e, DS_CORRUPT, level, entry, DS_PTE_RESERVED);
        return false;
    case DS_ENTRY_ABSENT:
        break;
    }
    return absent(s, va, step, table, e);
}

void ds_space_explain(struct ds_space *s, uint64_t va, struct ds_explanation *e)
{
    memset(e, 0, sizeof(*e));
    e->fault.va = va;
    if (s->format == NULL || !s->format->canonical(va)) {
        fail(e, s->format == NULL ? DS_UNSUPPORTED : DS_NOT_MAPPED, 0, 0, DS_PTE_NO_ENTRY);
        return;
    }
    uint64_t table = ds_space_root(s, va);
    int level = s->format->levels;
    while (explain_level(s, va, level, &table, e)) {
        level--; /* the lowest level never goes on */
    }
}

uint64_t ds_explanation_size(const struct ds_space *s, const struct ds_explanation *e, uint64_t va)
{
    uint64_t span = DS_PAGE_SIZE;
    if (e->status == DS_OK) {
        span = e->page_size;
    } else if (e->fault.level > 1) {
        span = (uint64_t)1 << s->format->shift[e->fault.level];
    }
    return span - (va & (span - 1));
}

void ds_space_explain_prototype(struct ds_space *s, uint64_t va, uint64_t prototype,
                                struct ds_explanation *e)
{
    if (s->format == NULL || e->count == 0 || e->count == DS_WALK_STEPS) {
        return;
    }
    follow_prototype(s, va & DS_PAGE_MASK, e->fault.entry, ds_opt_known(prototype), e);
}
