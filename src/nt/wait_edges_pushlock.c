/*
 * Push locks keep no owner. Where AutoBoost runs (Windows 8.1 on), a thread has a few lock entries:
 * one for each lock of these kinds that it holds or waits for. The entry that waits tells which
 * lock a thread is stopped at; the entries that have acquired the same lock tell who holds it.
 */
#include "nt/wait_edges.h"

#include "base/bytes.h"
#include "nt/address_map.h"

#define ENTRIES 6          /* LockEntries of KTHREAD or ETHREAD: _KLOCK_ENTRY[6] */
#define ENTRY_BYTES 128    /* at most */
#define PUSH_LOCK_LOCKED 1 /* _EX_PUSH_LOCK.Locked, as the next */
#define PUSH_LOCK_WAITING 2
/* _KLOCK_ENTRY_LOCK_STATE: the two low bits and the top one are flags beside the address. */
#define LOW_FLAGS 3u

struct holder {
    uint32_t thread; /* row */
    uint32_t next;   /* holder of the same lock, or DS_NO_ROW */
};

struct finder {
    struct ds_edge_builder *b;
    struct ds_field entries; /* in ETHREAD or KTHREAD */
    bool pointer;            /* the member points to them */
    struct ds_field lock, waiting, acquired;
    uint32_t size;
    uint64_t flags;
    struct holder *holders; /* owned */
    size_t count, cap;
    struct ds_address_map locks; /* to the first holder */
};

struct entry {
    uint64_t lock; /* 0 = not in use */
    bool waits, holds;
};

/* NULL, or what is lacking. */
static const char *resolve(struct finder *f, const struct ds_target *t)
{
    if (ds_target_size(t, "_KLOCK_ENTRY", &f->size) != DS_OK || f->size < t->pointer_size ||
        f->size > ENTRY_BYTES ||
        ds_target_member(t, "_KLOCK_ENTRY", "LockUnsafe", &f->lock, NULL) != DS_OK)
        return "_KLOCK_ENTRY";
    if (ds_target_member(t, "_KLOCK_ENTRY", "WaitingBit", &f->waiting, NULL) != DS_OK &&
        ds_target_member(t, "_KLOCK_ENTRY", "WaitingByte", &f->waiting, NULL) != DS_OK &&
        ds_target_member(t, "_KLOCK_ENTRY", "WaitingAndBusyByte", &f->waiting, NULL) != DS_OK)
        return "_KLOCK_ENTRY.WaitingBit";
    if (ds_target_member(t, "_KLOCK_ENTRY", "AcquiredByte", &f->acquired, NULL) != DS_OK)
        return "_KLOCK_ENTRY.AcquiredByte";
    if (f->lock.offset > f->size - t->pointer_size || f->waiting.offset >= f->size ||
        f->acquired.offset >= f->size)
        return "_KLOCK_ENTRY";
    f->flags = (t->pointer_size == 8 ? 1ull << 63 : 1ull << 31) | LOW_FLAGS;
    if (ds_target_member(t, "_ETHREAD", "LockEntries", &f->entries, NULL) == DS_OK)
        return NULL;
    if (ds_target_member(t, "_KTHREAD", "LockEntries", &f->entries, NULL) != DS_OK)
        return "_KTHREAD.LockEntries";
    f->pointer = f->entries.size == t->pointer_size;
    return NULL;
}

/* The entries of one thread. False when they cannot be read. */
static enum ds_status read_entries(struct finder *f, uint64_t ethread, struct entry *ret)
{
    const struct ds_target *t = f->b->nt->target;
    uint8_t raw[ENTRIES * ENTRY_BYTES];
    uint64_t at = ethread + f->entries.offset;
    enum ds_status status = DS_OK;
    if (f->pointer)
        status = ds_space_read_ptr(t->kernel, at, &at, NULL);
    if (status == DS_OK)
        status = ds_space_read(t->kernel, at, raw, (size_t)ENTRIES * f->size, NULL);
    for (size_t i = 0; i < ENTRIES && status == DS_OK; i++) {
        const uint8_t *e = raw + i * f->size;
        uint64_t lock =
            t->pointer_size == 8 ? ds_le64(e + f->lock.offset) : ds_le32(e + f->lock.offset);
        bool in_use = (lock & ~f->flags) != 0;
        ret[i] = (struct entry){.lock = in_use ? (lock | f->flags) ^ LOW_FLAGS : 0,
                                .waits = (e[f->waiting.offset] & 1) != 0,
                                .holds = (e[f->acquired.offset] & 1) != 0};
        ret[i].holds &= !ret[i].waits;
    }
    return status;
}

static bool add_holder(struct finder *f, uint64_t lock, uint32_t thread)
{
    void *array = f->holders;
    uint32_t first = DS_NO_ROW;
    size_t limit = DS_ROWS_MAX(struct holder, DS_LIMIT_WAIT_BLOCKS);
    if (!ds_array_reserve(&array, &f->cap, f->count + 1, sizeof(*f->holders), limit) ||
        !ds_address_map_put(&f->locks, lock, (uint32_t)f->count))
        return false;
    f->holders = array;
    f->holders[f->count] = (struct holder){thread, DS_NO_ROW};
    if (ds_address_map_get(&f->locks, lock, &first) && first != f->count) {
        f->holders[f->count].next = f->holders[first].next;
        f->holders[first].next = (uint32_t)f->count;
    }
    f->count++;
    return true;
}

static void find_holders(struct finder *f)
{
    const struct ds_threads *threads = ds_nt_threads(f->b->nt);
    struct entry e[ENTRIES];
    for (uint32_t i = 0; i < threads->count; i++) {
        enum ds_status status = read_entries(f, threads->rows[i].ethread, e);
        if (status != DS_OK)
            ds_edge_lost(f->b, DS_WAIT_PUSH_LOCK, status, threads->rows[i].ethread,
                         "the lock entries of a thread cannot be read");
        for (size_t n = 0; n < ENTRIES && status == DS_OK; n++)
            if (e[n].lock != 0 && e[n].holds && !add_holder(f, e[n].lock, i)) {
                ds_edge_lost(f->b, DS_WAIT_PUSH_LOCK, DS_LIMIT, threads->rows[i].ethread,
                             "more lock entries than are kept");
                return;
            }
    }
}

/* The lock that a thread is stopped at; 0 when its entries do not tell. */
static uint64_t waited_for(struct finder *f, uint64_t ethread)
{
    struct entry e[ENTRIES];
    uint64_t lock = 0, value;
    if (read_entries(f, ethread, e) != DS_OK)
        return 0;
    for (size_t i = 0; i < ENTRIES; i++)
        if (e[i].lock != 0 && e[i].waits) {
            if (lock != 0)
                return 0; /* a thread waits for one lock at a time */
            lock = e[i].lock;
        }
    if (lock == 0 || ds_space_read_ptr(f->b->nt->target->kernel, lock, &value, NULL) != DS_OK)
        return 0;
    uint64_t contended = PUSH_LOCK_LOCKED | PUSH_LOCK_WAITING;
    return (value & contended) == contended ? lock : 0;
}

static void follow(struct finder *f, const struct ds_wait_block *w)
{
    const struct ds_threads *threads = ds_nt_threads(f->b->nt);
    uint64_t lock = waited_for(f, w->ethread);
    uint32_t holder = DS_NO_ROW;
    if (lock == 0) {
        ds_edge_lost(f->b, DS_WAIT_PUSH_LOCK, DS_NOT_FOUND, w->ethread,
                     "its lock entries do not tell which lock it waits for");
        return;
    }
    if (!ds_address_map_get(&f->locks, lock, &holder)) {
        ds_edge_lost(f->b, DS_WAIT_PUSH_LOCK, DS_NOT_FOUND, w->ethread,
                     "no thread's lock entries tell who holds the lock");
        return;
    }
    f->b->kinds[DS_WAIT_PUSH_LOCK].followed++;
    for (; holder != DS_NO_ROW && !f->b->full; holder = f->holders[holder].next)
        ds_edge_add(f->b,
                    (struct ds_wait_edge){.waiter = w->ethread,
                                          .owner = threads->rows[f->holders[holder].thread].ethread,
                                          .object = lock,
                                          .kind = "push lock",
                                          .lock = true,
                                          .timeout = w->timeout});
}

void ds_edges_of_push_locks(struct ds_edge_builder *b)
{
    const struct ds_wait_blocks *waits = ds_nt_wait_blocks(b->nt);
    const struct ds_threads *threads = ds_nt_threads(b->nt);
    struct finder f = {.b = b};
    const char *lacks = resolve(&f, b->nt->target);
    bool have_holders = false;
    if (lacks != NULL)
        ds_edge_unavailable(b, DS_WAIT_PUSH_LOCK, lacks);
    for (size_t i = 0; i < waits->count && !b->full; i++) {
        const struct ds_wait_block *w = &waits->rows[i];
        if (w->number != 0 || !ds_thread_waits_for(&threads->rows[w->thread], "WrPushLock"))
            continue;
        b->kinds[DS_WAIT_PUSH_LOCK].waiting++;
        if (lacks != NULL)
            continue;
        if (!have_holders)
            find_holders(&f);
        have_holders = true;
        follow(&f, w);
    }
    free(f.holders);
    ds_address_map_deinit(&f.locks);
}
