/*
 * Timers. Since Windows 7 each processor has a table of lists in its KPRCB; before, the system has
 * one, KiTimerTableListHead, which KDDEBUGGER_DATA64 does not name: only symbols do. It has 256
 * LIST_ENTRYs, from Server 2003 SP1 on 512 KTIMER_TABLE_ENTRYs (Volatility 2, timers.py; ReactOS
 * NDK, TIMER_TABLE_SIZE).
 */
#include <string.h>

#include "nt/dispatch_impl.h"
#include "target/kdbg_cipher.h"

#define TABLE "timers"
#define BUCKETS 256u
#define BUILD_XP_OR_2003 3790u
#define OLD_LISTS 256u
#define OLD_ENTRIES 512u

struct reader {
    struct ds_nt *nt;
    struct ds_nt_dispatch *keep;
    struct ds_place link, type, due, period, dpc, inserted, absolute, routine, context;
    struct ds_place thread_timer, thread_type;
    uint64_t never, always;
    bool have_keys;
    struct ds_opt now;
    struct ds_entries entries;
    size_t left;
};

struct ds_opt ds_nt_interrupt_time(struct ds_nt *nt)
{
    const struct ds_target *t = nt->target;
    struct ds_field f;
    uint64_t shared = t->pointer_size == 4 ? 0xffdf0000u : UINT64_C(0xfffff78000000000), value;
    if (t->kernel == NULL)
        return ds_opt_unknown(t->kernel_why);
    if (ds_target_member(t, "_KUSER_SHARED_DATA", "InterruptTime", &f, NULL) != DS_OK)
        return ds_opt_unknown(DS_NO_FIELD);
    enum ds_status status = ds_space_read_uint(t->kernel, shared + f.offset, 8, &value, NULL);
    if (status != DS_OK)
        return ds_opt_unknown(status);
    return value != 0 ? ds_opt_known(value) : ds_opt_unknown(DS_NOT_FOUND);
}

static bool read_key(const struct ds_target *t, const char *name, uint64_t *ret)
{
    uint64_t va;
    return ds_target_global(t, name, &va) == DS_OK &&
           ds_space_read_uint(t->kernel, va, 8, ret, NULL) == DS_OK;
}

/* DS_OK, or the reason that there is nothing to walk; *missing is static. */
static enum ds_status reader_init(struct reader *r, struct ds_nt *nt, struct ds_nt_dispatch *keep,
                                  const char **missing)
{
    const struct ds_target *t = nt->target;
    const char *timer = "_KTIMER";
    *r = (struct reader){.nt = nt, .keep = keep, .left = DS_LIMIT_TIMERS};
    r->link = ds_place_of(t, timer, "TimerListEntry");
    r->type = ds_place_of(t, timer, "Header.Type");
    r->absolute = ds_place_of(t, timer, "Header.Absolute");
    r->due = ds_place_of(t, timer, "DueTime");
    r->period = ds_place_of(t, timer, "Period");
    r->dpc = ds_place_of(t, timer, "Dpc");
    r->routine = ds_place_of(t, "_KDPC", "DeferredRoutine");
    r->context = ds_place_of(t, "_KDPC", "DeferredContext");
    r->thread_timer = ds_place_of(t, "_KTHREAD", "Timer");
    if (r->due.status == DS_OK)
        r->due.field.size = 8; /* ULARGE_INTEGER */
    r->now = ds_nt_interrupt_time(nt);
    r->have_keys = t->kernel != NULL && read_key(t, "KiWaitNever", &r->never) &&
                   read_key(t, "KiWaitAlways", &r->always) && (r->never | r->always) != 0;
    *missing = "_KTIMER.TimerListEntry";
    return r->link.status != DS_OK ? r->link.status : r->type.status;
}

/* Encoded like KDDEBUGGER_DATA64, with the timer's address in place of the flag's. */
static uint64_t decode(const struct reader *r, uint64_t ktimer, uint64_t raw)
{
    uint8_t word[8];
    struct ds_kdbg_cipher c = ds_kdbg_cipher_of_keys(r->never, r->always, ktimer);
    for (unsigned i = 0; i < 8; i++)
        word[i] = (uint8_t)(raw >> (8 * i));
    ds_kdbg_decode(&c, word, sizeof(word));
    for (unsigned i = 8; i-- > 0;)
        raw = raw << 8 | word[i];
    return raw;
}

static bool is_dpc(const struct reader *r, uint64_t va)
{
    return ds_target_is_kernel_va(r->nt->target, va) &&
           ds_opt_or(ds_dpc_is_one(r->nt->target, va), 0) != 0;
}

static bool is_unreadable(const struct reader *r, uint64_t va)
{
    return ds_target_is_kernel_va(r->nt->target, va) && va % 8 == 0 &&
           !ds_dpc_is_one(r->nt->target, va).known;
}

/* 64-bit kernels since Windows 7 encode the pointer; what it is shows in where it leads. */
static void read_dpc(const struct reader *r, struct ds_timer *x)
{
    const struct ds_target *t = r->nt->target;
    struct ds_opt raw = ds_place_read(t, x->ktimer, &r->dpc);
    uint64_t plain = ds_opt_or(raw, 0);
    x->dpc = raw;
    x->dpc_state = raw.known ? "none" : NULL;
    if (plain == 0)
        return;
    uint64_t clear = r->have_keys && t->pointer_size == 8 ? decode(r, x->ktimer, plain) : 0;
    if (t->pointer_size == 4 || is_dpc(r, plain)) {
        x->dpc_state = is_dpc(r, plain) || is_unreadable(r, plain) ? "plain" : "corrupt";
    } else if (!r->have_keys) {
        x->dpc_state = is_unreadable(r, plain) ? "plain" : "encoded";
    } else {
        x->dpc_state = clear == 0                                    ? "none"
                       : is_dpc(r, clear) || is_unreadable(r, clear) ? "decoded"
                       : is_unreadable(r, plain)                     ? "plain"
                                                                     : "corrupt";
    }
    if (strcmp(x->dpc_state, "decoded") == 0 || strcmp(x->dpc_state, "none") == 0)
        x->dpc = ds_opt_known(clear);
    else if (strcmp(x->dpc_state, "plain") != 0)
        x->dpc = ds_opt_unknown(strcmp(x->dpc_state, "encoded") == 0 ? DS_NO_SYMBOL : DS_CORRUPT);
}

static struct ds_opt due_in(const struct reader *r, struct ds_opt due)
{
    if (!due.known || !r->now.known)
        return due.known ? r->now : due;
    int64_t left = (int64_t)(due.value - r->now.value);
    return ds_opt_known((uint64_t)(left / 10000));
}

/* The timer that is part of every thread ends its waits. */
static struct ds_opt thread_of(const struct reader *r, uint64_t ktimer)
{
    if (r->thread_timer.status != DS_OK || ktimer < r->thread_timer.field.offset)
        return ds_opt_unknown(r->thread_timer.status);
    uint64_t thread = ktimer - r->thread_timer.field.offset;
    return ds_dispatch_thread(r->nt, thread) != SIZE_MAX ? ds_opt_known(thread)
                                                         : ds_opt_unknown(DS_NOT_FOUND);
}

/* False when there is no room for it. */
static bool add(struct reader *r, struct ds_opt processor, uint32_t bucket, uint64_t ktimer)
{
    const struct ds_target *t = r->nt->target;
    struct ds_nt_dispatch *k = r->keep;
    void *rows = k->timer_rows;
    struct ds_opt type = ds_place_read(t, ktimer, &r->type);
    uint64_t kind = ds_opt_or(type, 0) & DS_OBJECT_MASK;
    if (kind != DS_OBJECT_TIMER_NOTIFICATION && kind != DS_OBJECT_TIMER_SYNCHRONIZATION) {
        ds_walk_stop(&k->timers.walk, type.known ? DS_CORRUPT : type.why, ds_opt_known(ktimer),
                     type.known ? "what a timer list leads to is no KTIMER"
                                : "a KTIMER cannot be read");
        return true;
    }
    if (!ds_dispatch_room(&rows, &k->timer_cap, k->timers.count, sizeof(*k->timer_rows),
                          DS_ROWS_MAX(struct ds_timer, DS_LIMIT_TIMERS), &k->timers.walk))
        return false;
    k->timer_rows = rows;
    struct ds_timer *x = &k->timer_rows[k->timers.count++];
    *x = (struct ds_timer){.processor = processor, .bucket = bucket, .ktimer = ktimer};
    x->synchronization = ds_opt_known(kind == DS_OBJECT_TIMER_SYNCHRONIZATION);
    x->absolute = ds_place_read(t, ktimer, &r->absolute);
    x->due_time = ds_place_read(t, ktimer, &r->due);
    x->due_in_ms = due_in(r, x->due_time);
    x->period = ds_place_read(t, ktimer, &r->period);
    x->thread = thread_of(r, ktimer);
    read_dpc(r, x);
    x->routine = x->context = ds_opt_unknown(x->dpc.known ? DS_NOT_FOUND : x->dpc.why);
    if (ds_opt_or(x->dpc, 0) != 0) {
        x->routine = ds_place_read(t, x->dpc.value, &r->routine);
        x->context = ds_place_read(t, x->dpc.value, &r->context);
    }
    return true;
}

/* False when the rest of the table is not to be walked. */
static bool walk_bucket(struct reader *r, struct ds_opt processor, uint32_t bucket, uint64_t head)
{
    struct ds_entries *e = &r->entries;
    ds_dispatch_list(e, r->nt->target->kernel, head, &r->left);
    for (size_t i = 0; i < e->count; i++)
        if (!add(r, processor, bucket, e->at[i] - r->link.field.offset))
            return false;
    ds_dispatch_end(r->nt, e, "a timer list is cut short", &r->keep->timers.walk);
    return true;
}

static void walk_table(struct reader *r, struct ds_opt processor, uint64_t first, uint64_t count,
                       uint64_t stride)
{
    if (count > DS_LIMIT_TIMER_BUCKETS) {
        ds_walk_stop(&r->keep->timers.walk, DS_LIMIT, ds_opt_known(first),
                     "lists of a timer table");
        count = DS_LIMIT_TIMER_BUCKETS;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!walk_bucket(r, processor, i, first + i * stride))
            return;
}

static void walk_processors(struct reader *r, uint64_t offset)
{
    const struct ds_target *t = r->nt->target;
    const struct ds_processors *cpus = ds_nt_processors(r->nt);
    struct ds_place entries = ds_place_of(t, "_KTIMER_TABLE", "TimerEntries");
    struct ds_place list = ds_place_of(t, "_KTIMER_TABLE_ENTRY", "Entry");
    uint32_t size = 0;
    if (entries.status != DS_OK || list.status != DS_OK ||
        ds_target_size(t, "_KTIMER_TABLE_ENTRY", &size) != DS_OK || size == 0) {
        ds_walk_stop(&r->keep->timers.walk, DS_NO_FIELD, ds_opt_unknown(DS_OK),
                     "_KTIMER_TABLE.TimerEntries");
        return;
    }
    uint64_t count = entries.field.size / size;
    for (size_t i = 0; i < cpus->count; i++) {
        const struct ds_processor *p = &cpus->rows[i];
        if (p->prcb.known)
            walk_table(r, ds_opt_known(p->number),
                       p->prcb.value + offset + entries.field.offset + list.field.offset,
                       count < BUCKETS ? BUCKETS : count, size);
        else
            ds_walk_stop(&r->keep->timers.walk, p->prcb.why, p->prcb, "a KPRCB is not known");
    }
}

static void walk_shared(struct reader *r)
{
    const struct ds_target *t = r->nt->target;
    struct ds_walk *walk = &r->keep->timers.walk;
    struct ds_opt none = ds_opt_unknown(DS_NOT_FOUND);
    uint64_t head;
    uint32_t size = 0;
    struct ds_place list = ds_place_of(t, "_KTIMER_TABLE_ENTRY", "Entry");
    struct ds_place hand = ds_place_of(t, "_DISPATCHER_HEADER", "Hand");
    if (ds_target_global(t, "KiTimerTableListHead", &head) != DS_OK)
        ds_walk_stop(walk, DS_NO_SYMBOL, ds_opt_unknown(DS_OK),
                     "KiTimerTableListHead is not known without the kernel's symbols");
    else if (list.status == DS_OK && ds_target_size(t, "_KTIMER_TABLE_ENTRY", &size) == DS_OK)
        walk_table(r, none, head + list.field.offset, OLD_ENTRIES, size);
    else if (ds_opt_or(t->build, UINT64_MAX) <= BUILD_XP_OR_2003 && hand.status != DS_OK)
        walk_table(r, none, head, OLD_LISTS, (uint64_t)t->pointer_size * 2);
    else
        ds_walk_stop(walk, DS_NO_FIELD, ds_opt_unknown(DS_OK), "_KTIMER_TABLE_ENTRY.Entry");
}

static void walk_timers(struct ds_nt *nt, struct ds_nt_dispatch *keep)
{
    struct ds_place table = ds_place_of(nt->target, "_KPRCB", "TimerTable");
    const char *missing;
    struct reader r;
    enum ds_status status = reader_init(&r, nt, keep, &missing);
    if (status != DS_OK) {
        ds_walk_stop(&keep->timers.walk, status, ds_opt_unknown(DS_OK), missing);
        return;
    }
    if (table.status == DS_OK)
        walk_processors(&r, table.field.offset);
    else
        walk_shared(&r);
    ds_entries_deinit(&r.entries);
}

const struct ds_timers *ds_nt_timers(struct ds_nt *nt)
{
    static const struct ds_timers none = {
        .walk = {.table_name = TABLE, .stop_reason = DS_NO_MEMORY, .detail = ""}};
    const struct ds_processors *cpus = ds_nt_processors(nt);
    struct ds_nt_dispatch *keep = ds_nt_dispatch_get(nt);
    if (keep == NULL)
        return &none;
    if (keep->have_timers)
        return &keep->timers;
    keep->have_timers = true;
    keep->timers.walk = cpus->walk;
    keep->timers.walk.table_name = TABLE;
    if (cpus->count != 0)
        walk_timers(nt, keep);
    keep->timers.rows = keep->timer_rows;
    keep->timers.walk.rows = keep->timers.count;
    return &keep->timers;
}
