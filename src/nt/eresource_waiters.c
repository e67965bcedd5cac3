/*
 * Who waits for executive resources.
 *
 * Up to Windows 8.1 a resource points to a semaphore (shared) and an event (exclusive) that the
 * waiters' KWAIT_BLOCKs hang on. In 10240 to 14393 the sharers hang on a chain of entries that lie
 * on their own stacks, from 15063 on both kinds do. An entry holds the event that its thread waits
 * for: what KWAIT_BLOCK.Object says must be the entry's event, and the entry must lie in that
 * thread's stack. Where these hold, it is one; nothing else is believed.
 */
#include <stddef.h>

#include "nt/eresources_impl.h"

#define BUILD_SHARED_CHAIN 10240 /* data/layouts: SharedWaiters is a _KWAIT_CHAIN */
#define BUILD_BOTH_CHAINS 15063  /* data/layouts: both are pointers without a type */
#define BUILD_ENTRY 17763        /* the entry's form since, as in its public symbols */
#define ENTRY_THREAD 0x10        /* {LIST_ENTRY, KTHREAD *, KEVENT} */
#define ENTRY_EVENT 0x18

struct finder {
    struct ds_nt *nt;
    struct ds_nt_locks *l;
    struct ds_field shared, exclusive, wait_list, block_list, block_thread, block_object;
    bool have_objects; /* what wait lists need */
    bool chains[2];    /* of sharers, of exclusive waiters */
    bool have_entry;   /* the entry's form is known */
    bool have_back;    /* it has a LIST_ENTRY, and names its thread */
    uint32_t entry_event, entry_thread;
    struct ds_address_map blocks;  /* KWAIT_BLOCKs that were told apart already */
    struct ds_address_map objects; /* semaphores and events that were walked already */
    struct ds_address_map entries; /* chain entries to rows of waiters */
    struct ds_address_map passed;  /* chain entries that were gone through from their waiter */
    struct ds_address_map heads;   /* places in resources that chains hang on: 2 * row + kind */
    bool full;
};

static bool resolve(struct finder *f)
{
    const struct ds_target *t = f->nt->target;
    struct ds_field event, thread, list;
    uint64_t build = ds_opt_or(t->build, 0);
    f->chains[0] = build >= BUILD_SHARED_CHAIN;
    f->chains[1] = build >= BUILD_BOTH_CHAINS;
    f->have_objects =
        ds_target_member(t, "_DISPATCHER_HEADER", "WaitListHead", &f->wait_list, NULL) == DS_OK &&
        ds_target_member(t, "_KWAIT_BLOCK", "WaitListEntry", &f->block_list, NULL) == DS_OK &&
        ds_target_member(t, "_KWAIT_BLOCK", "Thread", &f->block_thread, NULL) == DS_OK &&
        ds_target_member(t, "_KWAIT_BLOCK", "Object", &f->block_object, NULL) == DS_OK;
    if (ds_target_member(t, "_KWAIT_CHAIN_ENTRY", "Event", &event, NULL) == DS_OK &&
        ds_target_member(t, "_KWAIT_CHAIN_ENTRY", "ListEntry", &list, NULL) == DS_OK &&
        list.offset == 0) {
        f->have_entry = true;
        f->entry_event = event.offset;
        f->have_back = ds_target_member(t, "_KWAIT_CHAIN_ENTRY", "Thread", &thread, NULL) == DS_OK;
        f->entry_thread = f->have_back ? thread.offset : 0;
    } else if (build >= BUILD_ENTRY && t->pointer_size == 8) {
        f->have_entry = f->have_back = true;
        f->entry_event = ENTRY_EVENT;
        f->entry_thread = ENTRY_THREAD;
    }
    return t->build.known &&
           ds_target_member(t, "_ERESOURCE", "SharedWaiters", &f->shared, NULL) == DS_OK &&
           ds_target_member(t, "_ERESOURCE", "ExclusiveWaiters", &f->exclusive, NULL) == DS_OK;
}

static bool add(struct finder *f, uint32_t row, bool exclusive, uint64_t thread, uint64_t object,
                const char *source)
{
    struct ds_nt_locks *l = f->l;
    void *array = l->waiters;
    size_t n = l->table.waiter_count;
    if (!ds_array_reserve(&array, &l->waiter_cap, n + 1, sizeof(*l->waiters),
                          DS_ROWS_MAX(struct ds_eresource_waiter, DS_LIMIT_ERESOURCES))) {
        f->full = true;
        return false;
    }
    l->waiters = array;
    l->waiters[n] =
        (struct ds_eresource_waiter){row, l->rows[row].address, thread, exclusive, object, source};
    l->table.waiter_count++;
    if (exclusive) {
        l->rows[row].exclusive_found++;
    } else {
        l->rows[row].shared_found++;
    }
    return true;
}

/* ---- by object ---- */

/* One KWAIT_BLOCK of the object's wait list; false when it is none. */
static bool add_block(struct finder *f, uint32_t row, bool exclusive, uint64_t block,
                      uint64_t object)
{
    const struct ds_target *t = f->nt->target;
    struct ds_opt named = ds_target_read_member(t, block, &f->block_object);
    struct ds_opt thread = ds_target_read_member(t, block, &f->block_thread);
    if (!named.known || named.value != object || !thread.known ||
        !ds_target_is_kernel_va(t, thread.value)) {
        return false;
    }
    if (!ds_address_map_get(&f->blocks, block, NULL)) {
        f->full |= !ds_address_map_put(&f->blocks, block, 0);
        (void)add(f, row, exclusive, thread.value, object, "wait list");
    }
    return true;
}

static void by_object(struct finder *f, uint32_t row, bool exclusive, uint64_t object)
{
    struct ds_entries e = {0};
    const struct ds_wait_blocks *waits = ds_nt_wait_blocks(f->nt);
    const char *why = NULL;
    if (!f->have_objects || ds_address_map_get(&f->objects, object, NULL)) {
        f->l->rows[row].waiters_why = f->have_objects
                                          ? "another resource points to the same object"
                                          : "no layout of _KWAIT_BLOCK fits this kernel";
        return;
    }
    f->full |= !ds_address_map_put(&f->objects, object, row);
    ds_entries_walk(&e, f->nt->target->kernel, object + f->wait_list.offset,
                    DS_ROWS_MAX(struct ds_wait_block, DS_LIMIT_WAIT_BLOCKS));
    for (size_t i = 0; i < e.count && why == NULL && !f->full; i++) {
        why = add_block(f, row, exclusive, e.at[i] - f->block_list.offset, object)
                  ? NULL
                  : "a wait list leads to what is no wait block";
    }
    why = why == NULL && e.end.status != DS_OK ? "a wait list is cut short" : why;
    ds_entries_deinit(&e);
    /* The threads know what they wait for, whatever became of the list. */
    for (uint32_t w = ds_nt_waits_on(f->nt, object); w != DS_NO_ROW && !f->full;
         w = waits->rows[w].next) {
        uint64_t block = ds_opt_or(waits->rows[w].block, 0);
        if (block != 0 && !ds_address_map_get(&f->blocks, block, NULL)) {
            f->full |= !ds_address_map_put(&f->blocks, block, 0);
            (void)add(f, row, exclusive, waits->rows[w].ethread, object, "wait block");
        }
    }
    if (why != NULL) {
        f->l->rows[row].waiters_why = why;
    }
}

/* ---- by chain ---- */

/* The thread whose wait the entry is part of, or DS_NO_ROW. */
static uint32_t entry_waiter(struct finder *f, uint64_t entry)
{
    const struct ds_threads *threads = ds_nt_threads(f->nt);
    uint64_t named;
    uint32_t w = ds_nt_waits_on(f->nt, entry + f->entry_event);
    if (w == DS_NO_ROW) {
        return DS_NO_ROW;
    }
    uint32_t row = ds_nt_wait_blocks(f->nt)->rows[w].thread;
    const struct ds_thread *th = &threads->rows[row];
    if (!th->stack_limit.known || !th->stack_base.known || entry < th->stack_limit.value ||
        entry >= th->stack_base.value) {
        return DS_NO_ROW;
    }
    if (f->have_back &&
        (ds_space_read_ptr(f->nt->target->kernel, entry + f->entry_thread, &named, NULL) != DS_OK ||
         named != th->ethread)) {
        return DS_NO_ROW;
    }
    return row;
}

static bool add_entry(struct finder *f, uint32_t row, bool exclusive, uint64_t entry,
                      const char *source)
{
    uint32_t thread_row = entry_waiter(f, entry);
    if (thread_row == DS_NO_ROW ||
        !add(f, row, exclusive, ds_nt_threads(f->nt)->rows[thread_row].ethread,
             entry + f->entry_event, source)) {
        return false;
    }
    f->full |= !ds_address_map_put(&f->entries, entry, (uint32_t)f->l->table.waiter_count - 1);
    return true;
}

/* One direction of a chain, up to where it ends, closes or is no chain any more. */
static void follow_chain(struct finder *f, uint32_t row, bool exclusive, uint64_t first,
                         unsigned link)
{
    uint64_t entry = first;
    while (!f->full && entry != 0 && !ds_address_map_get(&f->heads, entry, NULL)) {
        if (!ds_address_map_get(&f->entries, entry, NULL) &&
            !add_entry(f, row, exclusive, entry, "wait chain")) {
            return;
        }
        if (ds_space_read_ptr(f->nt->target->kernel, entry + link, &entry, NULL) != DS_OK ||
            ds_address_map_get(&f->entries, entry, NULL)) {
            return;
        }
    }
}

static void by_chain(struct finder *f, uint32_t row, bool exclusive, uint64_t first)
{
    if (!f->have_entry) {
        f->l->rows[row].waiters_why =
            "waiters hang on a chain of entries whose form is not known for this build";
        return;
    }
    follow_chain(f, row, exclusive, first, 0);
    if (f->have_back) {
        follow_chain(f, row, exclusive, first, f->nt->target->pointer_size);
    }
}

/* ---- from the waiters' side: no head is needed, only a neighbour that is known ---- */

/* Entries that were gone through on the way to one that is known. */
struct path {
    uint64_t *at; /* owned */
    size_t count, cap;
};

/*
 * Whose chain the entry is in: 2 * row + kind, or DS_NO_ROW. Every entry is gone through once for
 * all: who comes by later and finds it unclaimed cannot learn more.
 */
static uint32_t find_neighbour(struct finder *f, uint64_t entry, unsigned link, struct path *path)
{
    uint32_t number;
    for (;;) {
        void *array = path->at;
        if (ds_address_map_get(&f->heads, entry, &number)) {
            return number;
        }
        if (ds_address_map_get(&f->entries, entry, &number)) {
            const struct ds_eresource_waiter *w = &f->l->waiters[number];
            return 2 * w->row + (w->exclusive ? 1 : 0);
        }
        if (ds_address_map_get(&f->passed, entry, NULL) || entry_waiter(f, entry) == DS_NO_ROW ||
            !ds_address_map_put(&f->passed, entry, 0) ||
            !ds_array_reserve(&array, &path->cap, path->count + 1, sizeof(*path->at),
                              DS_LIMIT_ERESOURCES)) {
            return DS_NO_ROW;
        }
        path->at = array;
        path->at[path->count++] = entry;
        if (ds_space_read_ptr(f->nt->target->kernel, entry + link, &entry, NULL) != DS_OK) {
            return DS_NO_ROW;
        }
    }
}

/* A thread that waits for a resource by an entry that no chain led to. */
static bool place_entry(struct finder *f, uint64_t entry)
{
    struct path path = {0};
    uint64_t back;
    unsigned size = f->nt->target->pointer_size;
    uint32_t number = find_neighbour(f, entry, 0, &path);
    if (number == DS_NO_ROW && f->have_back &&
        ds_space_read_ptr(f->nt->target->kernel, entry + size, &back, NULL) == DS_OK) {
        number = find_neighbour(f, back, size, &path);
    }
    for (size_t i = 0; i < path.count && number != DS_NO_ROW && !f->full; i++) {
        (void)add_entry(f, number / 2, (number & 1) != 0, path.at[i],
                        "wait chain of another waiter");
    }
    free(path.at);
    return number != DS_NO_ROW;
}

static void place_waiters(struct finder *f)
{
    const struct ds_wait_blocks *waits = ds_nt_wait_blocks(f->nt);
    const struct ds_threads *threads = ds_nt_threads(f->nt);
    for (size_t i = 0; i < waits->count && !f->full; i++) {
        const struct ds_wait_block *w = &waits->rows[i];
        uint64_t entry = w->object.value - f->entry_event;
        if (!ds_thread_waits_for(&threads->rows[w->thread], "WrResource") ||
            ds_address_map_get(&f->entries, entry, NULL) || entry_waiter(f, entry) == DS_NO_ROW) {
            continue;
        }
        if (!place_entry(f, entry)) {
            ds_walk_stop(&f->l->table.waiter_walk, DS_NOT_FOUND,
                         ds_opt_known(threads->rows[w->thread].ethread),
                         "this thread waits for a resource that could not be told");
        }
    }
}

/* ---- all ---- */

static void find(struct finder *f, uint32_t row, bool exclusive, const struct ds_field *field)
{
    struct ds_eresource *e = &f->l->rows[row];
    struct ds_field pointer = {.offset = field->offset, .size = f->nt->target->pointer_size};
    struct ds_opt first = ds_target_read_member(f->nt->target, e->address, &pointer);
    if (!first.known) {
        e->waiters_why = "the resource cannot be read";
    } else if (first.value != 0 && f->chains[exclusive]) {
        if (!f->have_entry && ds_opt_or(exclusive ? e->exclusive_count : e->shared_count, 1) == 0) {
            return;
        }
        by_chain(f, row, exclusive, first.value);
    } else if (first.value != 0) {
        by_object(f, row, exclusive, first.value);
    }
}

static void compare_counts(struct ds_nt_locks *l)
{
    for (size_t i = 0; i < l->table.count; i++) {
        struct ds_eresource *e = &l->rows[i];
        uint64_t shared = ds_opt_or(e->shared_count, 0),
                 exclusive = ds_opt_or(e->exclusive_count, 0);
        if (e->waiters_why == NULL &&
            (shared > e->shared_found || exclusive > e->exclusive_found)) {
            e->waiters_why = "fewer waiters were found than the resource counts";
        }
        if (e->waiters_why != NULL) {
            ds_walk_stop(&l->table.waiter_walk, DS_NOT_FOUND, ds_opt_known(e->address),
                         e->waiters_why);
        }
    }
}

void ds_eresource_waiters_fill(struct ds_nt *nt, struct ds_nt_locks *l)
{
    struct finder f = {.nt = nt, .l = l};
    if (!resolve(&f)) {
        l->table.waiter_walk =
            ds_walk_none("eresource_waiters", DS_NO_FIELD,
                         nt->target->build.known ? "no layout of _ERESOURCE fits this kernel"
                                                 : "how waiters are kept depends on the build, "
                                                   "which is not known");
        for (size_t i = 0; i < l->table.count; i++) {
            l->rows[i].waiters_why = l->table.waiter_walk.detail;
        }
        return;
    }
    for (size_t i = 0; i < l->table.count && f.chains[0]; i++) {
        f.full |= !ds_address_map_put(&f.heads, l->rows[i].address + f.shared.offset,
                                      (uint32_t)(2 * i)) ||
                  !ds_address_map_put(&f.heads, l->rows[i].address + f.exclusive.offset,
                                      (uint32_t)(2 * i + 1));
    }
    for (size_t i = 0; i < l->table.count && !f.full; i++) {
        find(&f, (uint32_t)i, false, &f.shared);
        find(&f, (uint32_t)i, true, &f.exclusive);
    }
    if (f.have_entry && f.chains[0]) {
        place_waiters(&f);
    }
    compare_counts(l);
    if (f.full) {
        ds_walk_stop(&l->table.waiter_walk, DS_LIMIT, ds_opt_unknown(DS_OK),
                     "more waiters than are kept");
    }
    ds_address_map_deinit(&f.blocks);
    ds_address_map_deinit(&f.objects);
    ds_address_map_deinit(&f.entries);
    ds_address_map_deinit(&f.passed);
    ds_address_map_deinit(&f.heads);
}
