/*
 * Fast and guarded mutexes. Who waits for one waits for the event or gate inside it; Owner is the
 * thread that holds it (0 while it is handed over). KWAIT_REASON says WrFastMutex or WrGuardedMutex
 * where the kernel knows them. Before, what the object lies in must look like a mutex: an owner
 * that is a listed thread, and a count of contentions.
 */
#include "nt/wait_edges.h"

#define TYPE_SYNCHRONIZATION_EVENT 1u /* KOBJECTS, data/layouts/enums.layout */
#define TYPE_GATE 7u
#define BUILD_REASONS 6000 /* data/layouts/enums.layout: from here on, reasons name the mutexes */

struct form {
    struct ds_field owner, contention;
    uint32_t event; /* offset of the event or gate */
    bool known;
};

struct finder {
    struct ds_edge_builder *b;
    struct form fast, guarded;
    uint64_t build;
};

static struct form form_of(const struct ds_target *t, const char *type)
{
    struct form f = {.known = false};
    struct ds_field event;
    if (ds_target_member(t, type, "Owner", &f.owner, NULL) != DS_OK ||
        ds_target_member(t, type, "Contention", &f.contention, NULL) != DS_OK)
        return f;
    if (ds_target_member(t, type, "Event", &event, NULL) != DS_OK &&
        ds_target_member(t, type, "Gate", &event, NULL) != DS_OK)
        return f;
    f.event = event.offset;
    f.known = true;
    return f;
}

static void add(struct finder *f, const struct ds_wait_block *w, enum ds_wait_kind_number kind,
                uint64_t mutex, uint64_t owner)
{
    f->b->kinds[kind].followed++;
    ds_edge_add(f->b, (struct ds_wait_edge){.waiter = w->ethread,
                                            .owner = owner,
                                            .object = mutex,
                                            .kind = kind == DS_WAIT_FAST_MUTEX ? "fast mutex"
                                                                               : "guarded mutex",
                                            .lock = true,
                                            .any = w->any,
                                            .timeout = w->timeout});
}

/* The wait reason says that it is one. */
static void follow(struct finder *f, const struct ds_wait_block *w, enum ds_wait_kind_number kind)
{
    const struct form *form =
        kind == DS_WAIT_GUARDED_MUTEX && f->guarded.known ? &f->guarded : &f->fast;
    f->b->kinds[kind].waiting++;
    if (!form->known) {
        ds_edge_unavailable(f->b, kind, "_FAST_MUTEX.Owner");
        return;
    }
    uint64_t mutex = w->object.value - form->event;
    struct ds_opt owner = ds_target_read_member(f->b->nt->target, mutex, &form->owner);
    struct ds_opt thread = owner;
    if (owner.known && owner.value != 0)
        thread = ds_edge_is(f->b, owner.value, DS_EDGE_THREAD);
    if (!thread.known)
        ds_edge_lost(f->b, kind, thread.why, mutex, "who owns a mutex cannot be read");
    else if (thread.value == 0)
        ds_edge_lost(f->b, kind, DS_NOT_FOUND, mutex, "no thread is named as its owner");
    else
        add(f, w, kind, mutex, owner.value);
}

/* No wait reason says so: it must look like a mutex in every way. */
static void guess(struct finder *f, const struct ds_wait_block *w)
{
    const struct ds_target *t = f->b->nt->target;
    uint64_t mutex = w->object.value - f->fast.event;
    struct ds_opt owner = ds_target_read_member(t, mutex, &f->fast.owner);
    struct ds_opt contention = ds_target_read_member(t, mutex, &f->fast.contention);
    if (owner.known && contention.known && contention.value != 0 &&
        ds_nt_thread_row(f->b->nt, owner.value) != DS_NO_ROW) {
        f->b->kinds[DS_WAIT_FAST_MUTEX].waiting++;
        add(f, w, DS_WAIT_FAST_MUTEX, mutex, owner.value);
    }
}

void ds_edges_of_mutexes(struct ds_edge_builder *b)
{
    const struct ds_target *t = b->nt->target;
    const struct ds_wait_blocks *waits = ds_nt_wait_blocks(b->nt);
    const struct ds_threads *threads = ds_nt_threads(b->nt);
    struct finder f = {.b = b, .build = ds_opt_or(t->build, UINT64_MAX)};
    f.fast = form_of(t, "_FAST_MUTEX");
    f.guarded = form_of(t, "_KGUARDED_MUTEX");
    if (!f.fast.known)
        ds_edge_unavailable(b, DS_WAIT_FAST_MUTEX, "_FAST_MUTEX.Owner");
    if (!f.fast.known && !f.guarded.known)
        ds_edge_unavailable(b, DS_WAIT_GUARDED_MUTEX, "_KGUARDED_MUTEX.Owner");
    for (size_t i = 0; i < waits->count && !b->full; i++) {
        const struct ds_wait_block *w = &waits->rows[i];
        const struct ds_thread *th = &threads->rows[w->thread];
        uint64_t type = ds_opt_or(w->object_type, UINT64_MAX);
        if (type != TYPE_SYNCHRONIZATION_EVENT && type != TYPE_GATE)
            continue;
        if (ds_thread_waits_for(th, "WrFastMutex"))
            follow(&f, w, DS_WAIT_FAST_MUTEX);
        else if (ds_thread_waits_for(th, "WrGuardedMutex"))
            follow(&f, w, DS_WAIT_GUARDED_MUTEX);
        else if (f.build < BUILD_REASONS && f.fast.known && !ds_thread_waits_for(th, "WrPushLock"))
            guess(&f, w);
    }
}
