#include "nt/others.h"

#include "nt/address_map.h"
#include "nt/handle_table.h"
#include "nt/impl.h"

/* DISPATCHER_HEADER.Type, an nt!_KOBJECTS (public symbols). Bit 7 of the same byte is a lock. */
#define TYPE_MASK 0x7fu
#define PROCESS_OBJECT 3u
#define THREAD_OBJECT 6u

struct search {
    struct ds_nt *nt;
    struct ds_field type, pid, process;
    bool have_process;
    ds_other_fn *each;
    void *arg;
    bool stop;
    ds_other_whole whole;
    uint64_t cid_entries, cid_others; /* all, and those that are neither process nor thread */
};

const char *ds_other_way_name(enum ds_other_way way)
{
    static const char *const names[] = {"PsInitialSystemProcess",
                                        "ProcessListEntry",
                                        "MmProcessLinks",
                                        "SessionProcessLinks",
                                        "KPRCB",
                                        "PspCidTable",
                                        "thread in PspCidTable"};
    return names[way];
}

enum ds_status ds_thread_process_field(const struct ds_target *t, struct ds_field *ret)
{
    enum ds_status status = ds_target_member(t, "_KTHREAD", "Process", ret, NULL);
    return status == DS_OK ? status : ds_target_member(t, "_ETHREAD", "ThreadsProcess", ret, NULL);
}

static bool search_init(struct search *s, struct ds_nt *nt, ds_other_fn *each, void *arg)
{
    *s = (struct search){.nt = nt, .each = each, .arg = arg};
    s->have_process = ds_thread_process_field(nt->target, &s->process) == DS_OK;
    return nt->target->kernel != NULL &&
           ds_target_member(nt->target, "_DISPATCHER_HEADER", "Type", &s->type, NULL) == DS_OK &&
           ds_target_member(nt->target, "_EPROCESS", "UniqueProcessId", &s->pid, NULL) == DS_OK;
}

static bool is_object(const struct search *s, uint64_t va, unsigned type)
{
    if (!ds_target_is_kernel_va(s->nt->target, va) || va % s->nt->target->pointer_size != 0) {
        return false;
    }
    struct ds_opt found = ds_target_read_member(s->nt->target, va, &s->type);
    return found.known && (found.value & TYPE_MASK) == type;
}

bool ds_other_is_thread(struct ds_nt *nt, uint64_t ethread)
{
    struct search s = {.nt = nt};
    return ds_target_member(nt->target, "_DISPATCHER_HEADER", "Type", &s.type, NULL) == DS_OK &&
           is_object(&s, ethread, THREAD_OBJECT);
}

static void offer_process(struct search *s, uint64_t va, enum ds_other_way way)
{
    if (!s->stop && is_object(s, va, PROCESS_OBJECT)) {
        struct ds_opt pid = ds_target_read_member(s->nt->target, va, &s->pid);
        s->stop = pid.known && pid.value != 0 && !s->each(va, way, s->arg);
    }
}

static void offer_process_of(struct search *s, uint64_t thread, enum ds_other_way way)
{
    struct ds_opt process = ds_opt_unknown(DS_NO_FIELD);
    if (s->have_process && is_object(s, thread, THREAD_OBJECT)) {
        process = ds_target_read_member(s->nt->target, thread, &s->process);
    }
    if (process.known) {
        offer_process(s, process.value, way);
    }
}

/* All but the idle threads: their process is in no list. */
static void offer_thread(struct search *s, uint64_t va, enum ds_other_way way)
{
    if (s->stop || !is_object(s, va, THREAD_OBJECT)) {
        return;
    }
    struct ds_opt process = s->have_process ? ds_target_read_member(s->nt->target, va, &s->process)
                                            : ds_opt_unknown(DS_NO_FIELD);
    struct ds_opt pid =
        process.known ? ds_target_read_member(s->nt->target, process.value, &s->pid) : process;
    if (!pid.known || pid.value != 0) {
        s->stop = !s->each(va, way, s->arg);
    }
}

/* ---- rings ---- */

struct rings {
    struct ds_address_map seen; /* nodes of rings that were walked */
    uint64_t left;              /* nodes that may still be walked: rings may run into each other */
};

/* One node of each ring is its head, which lies in no process: is_object() tells. */
static void walk_ring(struct search *s, struct rings *r, const struct ds_field *links,
                      uint64_t start, enum ds_other_way way)
{
    struct ds_entries e = {0};
    uint64_t at = start + links->offset;
    if (r->left == 0 || ds_address_map_get(&r->seen, at, NULL)) {
        return;
    }
    ds_entries_walk(&e, s->nt->target->kernel, at, (size_t)r->left);
    r->left -= e.count < r->left ? e.count : r->left;
    bool room = ds_address_map_put(&r->seen, at, 0);
    for (size_t i = 0; i < e.count && room && !s->stop; i++) {
        room = ds_address_map_put(&r->seen, e.at[i], 0);
        offer_process(s, e.at[i] - links->offset, way);
    }
    if (ds_entries_agree(&e) && e.count != 0 && room && !s->stop) {
        s->whole |= 1u << way;
    }
    s->stop = s->stop || !room;
    ds_entries_deinit(&e);
}

/* The rings through that member: one, or one for each session. */
static void walk_rings(struct search *s, const uint64_t *known, size_t count, enum ds_other_way way)
{
    const char *type = way == DS_WAY_KERNEL_RING ? "_KPROCESS" : "_EPROCESS";
    const char *member = ds_other_way_name(way);
    struct ds_field links;
    struct rings r = {.left = 2 * DS_ROWS_MAX(struct ds_process, DS_LIMIT_PROCESSES)};
    if (ds_target_member(s->nt->target, type, member, &links, NULL) != DS_OK) {
        return;
    }
    for (size_t i = 0; i < count && !s->stop; i++) {
        walk_ring(s, &r, &links, known[i], way);
    }
    ds_address_map_deinit(&r.seen);
}

/* ---- processors and PspCidTable ---- */

static void of_processors(struct search *s,
                          void (*offer)(struct search *, uint64_t, enum ds_other_way))
{
    const struct ds_processors *p = ds_nt_processors(s->nt);
    for (size_t i = 0; i < p->count; i++) {
        const struct ds_processor *cpu = &p->rows[i];
        const struct ds_opt runs[] = {cpu->current_thread, cpu->next_thread};
        for (size_t k = 0; k < 2; k++) {
            if (runs[k].known && runs[k].value != 0 &&
                !(cpu->idle_thread.known && cpu->idle_thread.value == runs[k].value)) {
                offer(s, runs[k].value, DS_WAY_PROCESSOR);
            }
        }
    }
}

static void count_entry(struct search *s, uint64_t object)
{
    s->cid_entries++;
    s->cid_others += !is_object(s, object, PROCESS_OBJECT) && !is_object(s, object, THREAD_OBJECT);
}

static bool cid_process(const struct ds_handle_entry *entry, void *arg)
{
    struct search *s = arg;
    count_entry(s, entry->object);
    offer_process(s, entry->object, DS_WAY_CID);
    offer_process_of(s, entry->object, DS_WAY_CID_THREAD);
    return !s->stop;
}

static bool cid_thread(const struct ds_handle_entry *entry, void *arg)
{
    struct search *s = arg;
    count_entry(s, entry->object);
    offer_thread(s, entry->object, DS_WAY_CID);
    return !s->stop;
}

static void of_cid_table(struct search *s,
                         bool (*each)(const struct ds_handle_entry *entry, void *arg))
{
    struct ds_opt table = ds_nt_cid_table(s->nt);
    if (!s->stop && table.known && table.value != 0) {
        struct ds_walk_end end = ds_handle_table_walk(s->nt, table.value, NULL, each, s);
        if (end.status == DS_OK && s->cid_entries != 0 && s->cid_others == 0 && !s->stop) {
            s->whole |= 1u << DS_WAY_CID;
        }
    }
}

ds_other_whole ds_other_processes(struct ds_nt *nt, const uint64_t *known, size_t count,
                                  ds_other_fn *each, void *arg)
{
    struct search s;
    uint64_t at, system;
    if (!search_init(&s, nt, each, arg)) {
        return 0;
    }
    if (ds_target_global(nt->target, "PsInitialSystemProcess", &at) == DS_OK &&
        ds_space_read_ptr(nt->target->kernel, at, &system, NULL) == DS_OK) {
        offer_process(&s, system, DS_WAY_INITIAL);
        walk_rings(&s, &system, count == 0, DS_WAY_MEMORY_RING);
    }
    walk_rings(&s, known, count, DS_WAY_KERNEL_RING);
    walk_rings(&s, known, count, DS_WAY_MEMORY_RING);
    walk_rings(&s, known, count, DS_WAY_SESSION_RING);
    of_processors(&s, offer_process_of);
    of_cid_table(&s, cid_process);
    s.whole &= ~(1u << DS_WAY_SESSION_RING);
    return s.whole;
}

ds_other_whole ds_other_threads(struct ds_nt *nt, ds_other_fn *each, void *arg)
{
    struct search s;
    if (!search_init(&s, nt, each, arg)) {
        return 0;
    }
    of_processors(&s, offer_thread);
    of_cid_table(&s, cid_thread);
    return s.whole;
}
