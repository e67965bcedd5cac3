/*
 * Wait blocks. To Windows 7 the blocks of a thread are a ring through NextWaitBlock; since
 * Windows 8 they are an array of KTHREAD.WaitBlockCount. Threads that do not wait have old ones,
 * which say nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "nt/address_map.h"
#include "nt/details.h"
#include "nt/impl.h"
#include "nt/waits.h"

#define TYPE_MASK 0x7fu /* the top bit of DISPATCHER_HEADER.Type is the lock of the object */
#define WAIT_ANY 1u     /* WAIT_TYPE of wdm.h */
#define TYPE_MUTANT 2u
#define TYPE_PROCESS 3u
#define TYPE_SEMAPHORE 5u
#define TYPE_THREAD 6u

struct member {
    struct ds_field field;
    enum ds_status status;
};

/* Objects that are part of every thread. */
static const struct {
    const char *type, *member, *is;
} parts[] = {{"_KTHREAD", "Timer", "own timer"},
             {"_KTHREAD", "SuspendSemaphore", "own suspend semaphore"},
             {"_KTHREAD", "SuspendEvent", "own suspend event"},
             {"_ETHREAD", "AlpcWaitSemaphore", "own ALPC wait semaphore"},
             {"_ETHREAD", "LpcReplySemaphore", "own LPC reply semaphore"},
             {"_ETHREAD", "KeyedWaitSemaphore", "own keyed-wait semaphore"}};
#define PARTS (sizeof(parts) / sizeof(parts[0]))
#define OWN_TIMER 0

struct ds_nt_waits {
    struct ds_wait_block *rows; /* owned */
    size_t cap;
    struct ds_wait_blocks blocks;
    struct ds_address_map threads, objects; /* to rows */
};

struct reader {
    struct ds_nt *nt;
    struct ds_nt_waits *keep;
    struct member list, count, timer_active, gate, object, thread, key, type, next;
    struct member header_type, signal, limit, owner, part[PARTS];
    uint32_t block_size;
    bool full;
    struct ds_walk walk;
};

static struct member member(const struct ds_target *t, const char *type, const char *name)
{
    struct member m = {.status = DS_OK};
    m.status = ds_target_member(t, type, name, &m.field, NULL);
    return m;
}

static struct ds_opt get(const struct reader *r, uint64_t va, const struct member *m)
{
    return m->status == DS_OK ? ds_target_read_member(r->nt->target, va, &m->field)
                              : ds_opt_unknown(m->status);
}

/* DS_OK, or the reason that there is nothing to walk. */
static enum ds_status reader_init(struct reader *r, struct ds_nt *nt, struct ds_nt_waits *keep)
{
    const struct ds_target *t = nt->target;
    *r = (struct reader){.nt = nt, .keep = keep};
    r->list = member(t, "_KTHREAD", "WaitBlockList");
    r->count = member(t, "_KTHREAD", "WaitBlockCount");
    r->timer_active = member(t, "_KTHREAD", "TimerActive");
    r->gate = member(t, "_KTHREAD", "GateObject");
    r->object = member(t, "_KWAIT_BLOCK", "Object");
    r->thread = member(t, "_KWAIT_BLOCK", "Thread");
    r->key = member(t, "_KWAIT_BLOCK", "WaitKey");
    r->type = member(t, "_KWAIT_BLOCK", "WaitType");
    r->next = member(t, "_KWAIT_BLOCK", "NextWaitBlock");
    r->header_type = member(t, "_DISPATCHER_HEADER", "Type");
    r->signal = member(t, "_DISPATCHER_HEADER", "SignalState");
    r->limit = member(t, "_KSEMAPHORE", "Limit");
    r->owner = member(t, "_KMUTANT", "OwnerThread");
    for (size_t i = 0; i < PARTS; i++)
        r->part[i] = member(t, parts[i].type, parts[i].member);
    if (r->list.status != DS_OK || r->object.status != DS_OK || r->thread.status != DS_OK)
        return DS_NO_FIELD;
    return ds_target_size(t, "_KWAIT_BLOCK", &r->block_size);
}

static void stop(struct reader *r, enum ds_status why, uint64_t at, const char *detail)
{
    if (r->walk.stop_reason == DS_OK) { /* the first reason is the one to tell */
        r->walk.complete = false;
        r->walk.stop_reason = why;
        r->walk.stop_address = ds_opt_known(at);
        r->walk.detail = detail;
    }
}

static const char *part_of(const struct reader *r, uint64_t ethread, uint64_t object)
{
    for (size_t i = 0; i < PARTS; i++)
        if (r->part[i].status == DS_OK && object == ethread + r->part[i].field.offset)
            return parts[i].is;
    return NULL;
}

static void describe(const struct reader *r, struct ds_wait_block *b)
{
    uint64_t object = b->object.value;
    struct ds_opt type = get(r, object, &r->header_type);
    b->limit = b->owner_thread = ds_opt_unknown(DS_OK);
    b->object_type = type.known ? ds_opt_known(type.value & TYPE_MASK) : type;
    b->signal_state = get(r, object, &r->signal);
    uint64_t kind = ds_opt_or(b->object_type, UINT64_MAX);
    if (kind == TYPE_SEMAPHORE)
        b->limit = get(r, object, &r->limit);
    if (kind == TYPE_MUTANT)
        b->owner_thread = get(r, object, &r->owner);
    b->object_is = part_of(r, b->ethread, object);
    if (b->object_is == NULL && kind == TYPE_PROCESS)
        b->object_is = "process";
    if (b->object_is == NULL && kind == TYPE_THREAD)
        b->object_is = object == b->ethread ? "itself" : "thread";
}

static struct ds_wait_block *add(struct reader *r, uint32_t thread, uint32_t number)
{
    void *array = r->keep->rows;
    size_t limit = DS_ROWS_MAX(struct ds_wait_block, DS_LIMIT_WAIT_BLOCKS);
    size_t count = r->keep->blocks.count;
    if (!ds_array_reserve(&array, &r->keep->cap, count + 1, sizeof(*r->keep->rows), limit)) {
        r->full = true;
        stop(r, count >= limit ? DS_LIMIT : DS_NO_MEMORY,
             ds_nt_threads(r->nt)->rows[thread].ethread, "");
        return NULL;
    }
    r->keep->rows = array;
    struct ds_wait_block *b = &r->keep->rows[r->keep->blocks.count++];
    struct ds_opt unknown = ds_opt_unknown(DS_OK);
    *b = (struct ds_wait_block){.ethread = ds_nt_threads(r->nt)->rows[thread].ethread,
                                .thread = thread,
                                .next = DS_NO_ROW,
                                .number = number,
                                .block = unknown,
                                .object = unknown,
                                .object_type = unknown,
                                .signal_state = unknown,
                                .limit = unknown,
                                .owner_thread = unknown,
                                .wait_key = unknown,
                                .wait_type = unknown};
    return b;
}

/* False when the chain ends here. */
static bool read_block(struct reader *r, uint32_t row, uint64_t ethread, uint64_t at,
                       uint32_t number)
{
    struct ds_opt thread = get(r, at, &r->thread);
    struct ds_opt object = get(r, at, &r->object);
    if (!thread.known || !object.known) {
        stop(r, thread.known ? object.why : thread.why, at, "a wait block cannot be read");
        return false;
    }
    if (thread.value != ethread || !ds_target_is_kernel_va(r->nt->target, object.value)) {
        stop(r, DS_CORRUPT, at, "a wait block is not that of its thread");
        return false;
    }
    struct ds_wait_block *b = add(r, row, number);
    if (b == NULL)
        return false;
    b->block = ds_opt_known(at);
    b->object = object;
    b->wait_key = get(r, at, &r->key);
    b->wait_type = get(r, at, &r->type);
    describe(r, b);
    return true;
}

static void read_ring(struct reader *r, uint32_t row, uint64_t ethread, uint64_t first)
{
    uint64_t at = first;
    for (uint32_t i = 0; i < DS_LIMIT_THREAD_WAITS; i++) {
        if (!read_block(r, row, ethread, at, i))
            return;
        struct ds_opt next = get(r, at, &r->next);
        if (!next.known) {
            stop(r, next.why, at, "the wait blocks of a thread are cut short");
            return;
        }
        if (next.value == first || next.value == 0)
            return;
        at = next.value;
    }
    stop(r, DS_LOOP, at, "the wait blocks of a thread do not come back to the first");
}

static void read_array(struct reader *r, uint32_t row, uint64_t ethread, uint64_t first)
{
    struct ds_opt count = get(r, ethread, &r->count);
    if (!count.known || count.value > DS_LIMIT_THREAD_WAITS) {
        stop(r, count.known ? DS_CORRUPT : count.why, ethread,
             "how many wait blocks a thread has is not to be known");
        return;
    }
    for (uint32_t i = 0; i < count.value; i++)
        if (!read_block(r, row, ethread, first + (uint64_t)i * r->block_size, i))
            return;
}

/* Server 2003 and Vista wait for a gate without a wait block. */
static void read_gate(struct reader *r, uint32_t row, uint64_t ethread)
{
    struct ds_opt gate = get(r, ethread, &r->gate);
    if (!gate.known || !ds_target_is_kernel_va(r->nt->target, gate.value)) {
        stop(r, gate.known ? DS_CORRUPT : gate.why, ethread, "the gate of a thread is not known");
        return;
    }
    struct ds_wait_block *b = add(r, row, 0);
    if (b != NULL) {
        b->object = gate;
        describe(r, b);
    }
}

/* What ends the wait besides: another object, or time. */
static void read_end(struct reader *r, uint64_t ethread, size_t first)
{
    struct ds_wait_block *rows = r->keep->rows;
    size_t count = r->keep->blocks.count, objects = 0;
    bool timeout = ds_opt_or(get(r, ethread, &r->timer_active), 0) != 0;
    for (size_t i = first; i < count; i++)
        if (rows[i].object_is == parts[OWN_TIMER].is)
            timeout = true;
        else
            objects++;
    for (size_t i = first; i < count; i++) {
        rows[i].timeout = timeout;
        /* A single object is always waited for so. */
        rows[i].any = objects > 1 && ds_opt_or(rows[i].wait_type, 0) == WAIT_ANY;
    }
}

static void read_thread(struct reader *r, uint32_t row)
{
    const struct ds_thread *th = &ds_nt_threads(r->nt)->rows[row];
    if (!th->state.known) {
        stop(r, th->state.why, th->ethread, "of a thread is not known whether it waits");
        return;
    }
    if (th->state.value == DS_THREAD_GATE_WAIT) {
        read_gate(r, row, th->ethread);
        return;
    }
    if (th->state.value != DS_THREAD_WAITING)
        return;
    struct ds_opt first = get(r, th->ethread, &r->list);
    size_t before = r->keep->blocks.count;
    if (!first.known)
        stop(r, first.why, th->ethread, "the wait blocks of a thread are not known");
    else if (r->next.status == DS_OK && first.value != 0)
        read_ring(r, row, th->ethread, first.value);
    else if (first.value != 0)
        read_array(r, row, th->ethread, first.value);
    read_end(r, th->ethread, before);
}

/* Threads, and objects to the first row that names them; false without memory. */
static bool make_index(struct ds_nt *nt, struct ds_nt_waits *keep)
{
    const struct ds_threads *threads = ds_nt_threads(nt);
    for (size_t i = 0; i < threads->count; i++)
        if (!ds_address_map_put(&keep->threads, threads->rows[i].ethread, (uint32_t)i))
            return false;
    for (size_t i = 0; i < keep->blocks.count; i++) {
        struct ds_wait_block *b = &keep->rows[i];
        uint32_t first = DS_NO_ROW;
        if (!ds_address_map_put(&keep->objects, b->object.value, (uint32_t)i))
            return false;
        if (ds_address_map_get(&keep->objects, b->object.value, &first) && first != i) {
            b->next = keep->rows[first].next;
            keep->rows[first].next = (uint32_t)i;
        }
    }
    return true;
}

static struct ds_walk fill(struct ds_nt *nt, struct ds_nt_waits *keep)
{
    const struct ds_threads *threads = ds_nt_threads(nt);
    struct reader r;
    if (nt->target->kernel == NULL)
        return ds_walk_none("wait_blocks", nt->target->kernel_why, nt->target->kernel_why_text);
    enum ds_status status = reader_init(&r, nt, keep);
    if (status != DS_OK)
        return ds_walk_none("wait_blocks", status, "no layout of _KWAIT_BLOCK fits this kernel");
    r.walk = (struct ds_walk){.table_name = "wait_blocks",
                              .complete = threads->walk.complete,
                              .stop_reason = threads->walk.stop_reason,
                              .stop_address = threads->walk.stop_address,
                              .detail = threads->walk.complete ? "" : threads->walk.detail};
    for (uint32_t i = 0; i < threads->count && !r.full; i++)
        read_thread(&r, i);
    r.walk.rows = keep->blocks.count;
    return r.walk;
}

static struct ds_nt_waits *waits_of(struct ds_nt *nt)
{
    if (nt->waits != NULL)
        return nt->waits;
    nt->waits = calloc(1, sizeof(*nt->waits));
    if (nt->waits == NULL)
        return NULL;
    struct ds_wait_blocks *b = &nt->waits->blocks;
    b->walk = fill(nt, nt->waits);
    b->rows = nt->waits->rows;
    if (!make_index(nt, nt->waits))
        ds_walk_stop(&b->walk, DS_NO_MEMORY, ds_opt_unknown(DS_OK), "out of memory for the index");
    return nt->waits;
}

const struct ds_wait_blocks *ds_nt_wait_blocks(struct ds_nt *nt)
{
    static const struct ds_wait_blocks none = {
        .walk = {.table_name = "wait_blocks", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    const struct ds_nt_waits *w = waits_of(nt);
    return w == NULL ? &none : &w->blocks;
}

uint32_t ds_nt_waits_on(struct ds_nt *nt, uint64_t object)
{
    const struct ds_nt_waits *w = waits_of(nt);
    uint32_t row = DS_NO_ROW;
    return w != NULL && ds_address_map_get(&w->objects, object, &row) ? row : DS_NO_ROW;
}

uint32_t ds_nt_thread_row(struct ds_nt *nt, uint64_t ethread)
{
    const struct ds_nt_waits *w = waits_of(nt);
    uint32_t row = DS_NO_ROW;
    return w != NULL && ds_address_map_get(&w->threads, ethread, &row) ? row : DS_NO_ROW;
}

struct ds_opt ds_nt_thread_state(struct ds_nt *nt, uint64_t ethread)
{
    uint32_t row = ds_nt_thread_row(nt, ethread);
    if (row != DS_NO_ROW)
        return ds_nt_threads(nt)->rows[row].state;
    if (nt->target->kernel == NULL)
        return ds_opt_unknown(nt->target->kernel_why);
    struct ds_opt type = ds_target_field(nt->target, ethread, "_DISPATCHER_HEADER", "Type");
    if (!type.known)
        return type;
    return (type.value & TYPE_MASK) == TYPE_THREAD
               ? ds_target_field(nt->target, ethread, "_KTHREAD", "State")
               : ds_opt_unknown(DS_CORRUPT);
}

struct ds_opt ds_nt_thread_ended(struct ds_nt *nt, struct ds_opt ethread)
{
    if (!ethread.known || ethread.value == 0)
        return ethread;
    struct ds_opt state = ds_nt_thread_state(nt, ethread.value);
    if (state.known)
        return ds_opt_known(state.value == DS_THREAD_TERMINATED);
    return state.why == DS_CORRUPT ? ds_opt_known(1) : state;
}

bool ds_thread_waits_for(const struct ds_thread *thread, const char *reason)
{
    const char *name =
        thread->wait_reason.known ? ds_wait_reason_name(thread->wait_reason.value) : NULL;
    return name != NULL && strcmp(name, reason) == 0;
}

void ds_nt_waits_free(struct ds_nt_waits *w)
{
    if (w != NULL) {
        free(w->rows);
        ds_address_map_deinit(&w->threads);
        ds_address_map_deinit(&w->objects);
        free(w);
    }
}

const char *ds_kernel_object_name(const struct ds_target *t, uint64_t type)
{
    uint32_t build = (uint32_t)ds_opt_or(t->build, UINT32_MAX);
    return type > INT32_MAX ? NULL : ds_enum_name("_KOBJECTS", build, (int32_t)type);
}

const char *ds_wait_type_name(uint64_t type)
{
    static const char *const names[] = {"all", "any", "notification", "dequeue", "DPC"};
    return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}
