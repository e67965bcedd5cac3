/* Executive resources and their owners. */
#include "nt/eresources.h"

#include <stddef.h>
#include <string.h>

#include "nt/eresources_impl.h"

#define OWNED_EXCLUSIVE 0x80 /* ResourceOwnedExclusive of wdm.h */
#define OWNER_POINTER 3      /* low bits of OwnerThread: ExSetResourceOwnerPointer(), wdm.h */
#define THREAD_OBJECT 6      /* ThreadObject of KOBJECTS, data/layouts/enums.layout */
#define ROW(member) offsetof(struct ds_eresource, member)

static const struct ds_member_spec specs[] = {
    {"_ERESOURCE", "ActiveEntries", ROW(active)},
    {"_ERESOURCE", "Flag", ROW(flag)},
    {"_ERESOURCE", "ContentionCount", ROW(contention)},
    {"_ERESOURCE", "NumberOfSharedWaiters", ROW(shared_count)},
    {"_ERESOURCE", "NumberOfExclusiveWaiters", ROW(exclusive_count)},
};

struct reader {
    struct ds_nt *nt;
    struct ds_nt_locks *l;
    struct ds_member_set set;
    struct ds_field active, threads, entry, table, owner_thread, owner_count, table_size, type;
    bool have_active, have_threads, have_type;
    uint32_t owner_size;
    uint64_t entries; /* of owner tables, looked at so far */
};

static bool resolve(struct reader *r, const struct ds_target *t)
{
    ds_members_resolve(&r->set, t, specs, sizeof(specs) / sizeof(specs[0]));
    r->have_active = ds_target_member(t, "_ERESOURCE", "ActiveCount", &r->active, NULL) == DS_OK;
    r->have_threads = ds_target_member(t, "_ERESOURCE", "OwnerThreads", &r->threads, NULL) == DS_OK;
    r->have_type = ds_target_member(t, "_DISPATCHER_HEADER", "Type", &r->type, NULL) == DS_OK;
    return (r->have_threads ||
            ds_target_member(t, "_ERESOURCE", "OwnerEntry", &r->entry, NULL) == DS_OK) &&
           ds_target_member(t, "_ERESOURCE", "OwnerTable", &r->table, NULL) == DS_OK &&
           ds_target_member(t, "_OWNER_ENTRY", "OwnerThread", &r->owner_thread, NULL) == DS_OK &&
           ds_target_member(t, "_OWNER_ENTRY", "OwnerCount", &r->owner_count, NULL) == DS_OK &&
           ds_target_member(t, "_OWNER_ENTRY", "TableSize", &r->table_size, NULL) == DS_OK &&
           ds_target_size(t, "_OWNER_ENTRY", &r->owner_size) == DS_OK && r->owner_size != 0;
}

/* ---- owners ---- */

static struct ds_opt thread_of(struct reader *r, uint64_t raw)
{
    struct ds_opt type = ds_opt_unknown(DS_NO_FIELD);
    if ((raw & OWNER_POINTER) == 0) {
        return ds_opt_known(raw);
    }
    if (r->have_type) {
        type = ds_target_read_member(r->nt->target, raw & ~(uint64_t)OWNER_POINTER, &r->type);
    }
    if (!type.known) {
        return ds_opt_unknown(type.why);
    }
    return type.value == THREAD_OBJECT ? ds_opt_known(raw & ~(uint64_t)OWNER_POINTER)
                                       : ds_opt_unknown(DS_NOT_FOUND);
}

/* False when no more rows can be had. */
static bool add_owner(struct reader *r, uint32_t row, uint64_t at, const char *place,
                      uint32_t index)
{
    struct ds_nt_locks *l = r->l;
    struct ds_target *t = r->nt->target;
    uint64_t resource = l->rows[row].address;
    struct ds_opt raw = ds_target_read_member(t, at, &r->owner_thread);
    if (!raw.known) {
        ds_walk_stop(&l->table.owner_walk, raw.why, ds_opt_known(at),
                     "an owner of a resource cannot be read");
    }
    if (!raw.known || raw.value == 0) {
        return true;
    }
    void *array = l->owners;
    if (!ds_array_reserve(&array, &l->owner_cap, l->table.owner_count + 1, sizeof(*l->owners),
                          DS_ROWS_MAX(struct ds_eresource_owner, DS_LIMIT_ERESOURCES))) {
        ds_walk_stop(&l->table.owner_walk, DS_LIMIT, ds_opt_known(at), "more owners than are kept");
        return false;
    }
    l->owners = array;
    struct ds_eresource_owner *o = &l->owners[l->table.owner_count++];
    *o = (struct ds_eresource_owner){
        .row = row, .resource = resource, .raw = raw.value, .place = place, .index = index};
    o->owner_pointer = (raw.value & OWNER_POINTER) != 0;
    o->thread = thread_of(r, raw.value);
    o->count = ds_target_read_member(t, at, &r->owner_count);
    o->state = o->thread.known ? ds_nt_thread_state(r->nt, o->thread.value)
                               : ds_opt_unknown(o->thread.why);
    return true;
}

static bool add_table(struct reader *r, uint32_t row, uint64_t address)
{
    struct ds_target *t = r->nt->target;
    struct ds_walk *walk = &r->l->table.owner_walk;
    struct ds_opt table = ds_target_read_member(t, address, &r->table);
    struct ds_opt size = table;
    if (table.known && table.value == 0) {
        return true;
    }
    if (table.known) {
        size = ds_target_read_member(t, table.value, &r->table_size);
    }
    if (!size.known) {
        ds_walk_stop(walk, size.why, ds_opt_known(address), "an owner table cannot be read");
        return true;
    }
    /* Element 0 holds the number of elements, itself included. */
    for (uint64_t i = 1; i < size.value; i++) {
        if (i >= DS_LIMIT_OWNER_TABLE || r->entries >= DS_LIMIT_OWNER_ENTRIES) {
            ds_walk_stop(walk, DS_LIMIT, ds_opt_known(address), "an owner table is too long");
            return true;
        }
        r->entries++;
        enum ds_status before = walk->stop_reason;
        if (!add_owner(r, row, table.value + i * r->owner_size, "OwnerTable", (uint32_t)i)) {
            return false;
        }
        if (walk->stop_reason != before) {
            return true; /* what follows lies in the same hole */
        }
    }
    return true;
}

static bool add_owners(struct reader *r, uint32_t row)
{
    uint64_t address = r->l->rows[row].address;
    if (r->have_threads) {
        return add_owner(r, row, address + r->threads.offset, "OwnerThreads[0]", 0) &&
               add_owner(r, row, address + r->threads.offset + r->owner_size, "OwnerThreads[1]",
                         0) &&
               add_table(r, row, address);
    }
    return add_owner(r, row, address + r->entry.offset, "OwnerEntry", 0) &&
           add_table(r, row, address);
}

/* ---- the list ---- */

static bool add_resource(struct reader *r, uint64_t address)
{
    struct ds_nt_locks *l = r->l;
    void *array = l->rows;
    if (!ds_array_reserve(&array, &l->cap, l->table.count + 1, sizeof(*l->rows),
                          DS_ROWS_MAX(struct ds_eresource, DS_LIMIT_ERESOURCES))) {
        return false;
    }
    l->rows = array;
    struct ds_eresource *e = &l->rows[l->table.count++];
    *e = (struct ds_eresource){.address = address};
    ds_members_read(&r->set, r->nt->target, address, e);
    if (!e->active.known && e->active.why == DS_NO_FIELD && r->have_active) {
        e->active = ds_target_read_member(r->nt->target, address, &r->active);
    }
    return true;
}

static void walk_list(struct reader *r, uint64_t head, uint64_t links)
{
    struct ds_nt_locks *l = r->l;
    struct ds_entries e = {0};
    bool room = true;
    size_t limit = DS_ROWS_MAX(struct ds_eresource, DS_LIMIT_ERESOURCES);
    ds_entries_walk(&e, r->nt->target->kernel, head, limit);
    for (size_t i = 0; i < e.count && room; i++) {
        room = add_resource(r, e.at[i] - links);
    }
    const char *text = ds_nt_entries_text(r->nt, &e);
    if (e.end.status != DS_OK) {
        ds_walk_stop(&l->table.walk, e.end.status, ds_opt_known(e.end.address),
                     text[0] != '\0' ? text : "the list of resources is cut short");
    } else {
        l->table.walk.detail = text;
    }
    if (!room) {
        ds_walk_stop(&l->table.walk, DS_LIMIT, ds_opt_known(head), "more resources than are kept");
    }
    ds_entries_deinit(&e);
}

static void count_owners(struct ds_nt_locks *l)
{
    for (size_t i = 0; i < l->table.owner_count; i++) {
        struct ds_eresource *e = &l->rows[l->owners[i].row];
        if (l->owners[i].owns.known && l->owners[i].owns.value != 0) {
            e->owners++;
            e->exclusive = e->flag.known ? ds_opt_known((e->flag.value & OWNED_EXCLUSIVE) != 0)
                                         : ds_opt_unknown(e->flag.why);
        }
    }
}

/*
 * A sharer that must wait is written into the owner table before it waits. Who waits for exclusive
 * access is not: what it owns it owned before.
 */
static void decide_owners(struct ds_nt *nt, struct ds_nt_locks *l)
{
    struct ds_address_map waiting = {0};
    bool room = true;
    for (size_t i = 0; i < l->table.waiter_count && room; i++) {
        room = l->waiters[i].exclusive ||
               ds_address_map_put(&waiting, l->waiters[i].thread, (uint32_t)i);
    }
    for (size_t i = 0; i < l->table.owner_count && room; i++) {
        struct ds_eresource_owner *o = &l->owners[i];
        uint32_t w, th = DS_NO_ROW;
        if (o->thread.known) {
            th = ds_nt_thread_row(nt, o->thread.value);
        }
        if (o->thread.known && ds_address_map_get(&waiting, o->thread.value, &w) &&
            l->waiters[w].row == o->row) {
            o->owns = ds_opt_known(0);
        } else if (l->rows[o->row].waiters_why != NULL && th != DS_NO_ROW &&
                   !ds_address_map_get(&waiting, o->thread.value, &w) &&
                   ds_thread_waits_for(&ds_nt_threads(nt)->rows[th], "WrResource")) {
            o->owns = ds_opt_unknown(DS_NOT_FOUND); /* it waits, perhaps for this very resource */
        } else {
            o->owns = ds_opt_known(!o->count.known || o->count.value != 0);
        }
    }
    ds_address_map_deinit(&waiting);
    count_owners(l);
}

static void none(struct ds_eresources *t, enum ds_status why, const char *detail)
{
    t->walk = ds_walk_none("eresources", why, detail);
    t->owner_walk = ds_walk_none("eresource_owners", why, detail);
    t->waiter_walk = ds_walk_none("eresource_waiters", why, detail);
}

static struct ds_walk begin(const char *name)
{
    return (struct ds_walk){.table_name = name, .complete = true, .detail = ""};
}

static void fill(struct ds_nt *nt, struct ds_nt_locks *l)
{
    struct ds_eresources *table = &l->table;
    struct reader r = {.nt = nt, .l = l};
    struct ds_field links;
    uint64_t head;
    if (nt->target->kernel == NULL) {
        none(table, nt->target->kernel_why, nt->target->kernel_why_text);
        return;
    }
    if (ds_target_global(nt->target, "ExpSystemResourcesList", &head) != DS_OK) {
        none(table, DS_NO_SYMBOL, "ExpSystemResourcesList is not known");
        return;
    }
    if (ds_target_member(nt->target, "_ERESOURCE", "SystemResourcesList", &links, NULL) != DS_OK ||
        !resolve(&r, nt->target)) {
        none(table, DS_NO_FIELD, "no layout of _ERESOURCE fits this kernel");
        return;
    }
    table->walk = begin("eresources");
    table->owner_walk = begin("eresource_owners");
    table->waiter_walk = begin("eresource_waiters");
    walk_list(&r, head, links.offset);
    bool room = true;
    for (size_t i = 0; i < table->count && room; i++) {
        room = add_owners(&r, (uint32_t)i);
    }
    ds_eresource_waiters_fill(nt, l);
    decide_owners(nt, l);
    const struct ds_walk *w = &table->walk;
    if (!w->complete) { /* what the list lacks, its owners and waiters lack */
        ds_walk_stop(&table->owner_walk, w->stop_reason, w->stop_address, w->detail);
        ds_walk_stop(&table->waiter_walk, w->stop_reason, w->stop_address, w->detail);
    }
}

const struct ds_eresources *ds_nt_eresources(struct ds_nt *nt)
{
    static const struct ds_eresources no_memory = {
        .walk = {.table_name = "eresources", .stop_reason = DS_NO_MEMORY, .detail = ""},
        .owner_walk = {.table_name = "eresource_owners", .stop_reason = DS_NO_MEMORY, .detail = ""},
        .waiter_walk = {
            .table_name = "eresource_waiters", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    if (nt->locks == NULL) {
        struct ds_nt_locks *l = calloc(1, sizeof(*l));
        if (l == NULL) {
            return &no_memory;
        }
        fill(nt, l);
        l->table.rows = l->rows;
        l->table.owners = l->owners;
        l->table.waiters = l->waiters;
        l->table.walk.rows = l->table.count;
        l->table.owner_walk.rows = l->table.owner_count;
        l->table.waiter_walk.rows = l->table.waiter_count;
        nt->locks = l;
    }
    return &nt->locks->table;
}

void ds_nt_locks_free(struct ds_nt_locks *l)
{
    if (l != NULL) {
        free(l->rows);
        free(l->owners);
        free(l->waiters);
        free(l);
    }
}
