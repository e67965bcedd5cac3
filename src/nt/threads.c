/* Threads: the ThreadListHead of every process; in triage dumps the record and the processors'. */
#include <stddef.h>
#include <string.h>

#include "nt/impl.h"

#define ROW(member) offsetof(struct ds_thread, member)

static const struct ds_member_spec specs[] = {
    {"_ETHREAD", "Cid.UniqueProcess", ROW(pid)},
    {"_ETHREAD", "Cid.UniqueThread", ROW(tid)},
    {"_KTHREAD", "State", ROW(state)},
    {"_KTHREAD", "WaitReason", ROW(wait_reason)},
    {"_KTHREAD", "SuspendCount", ROW(suspend_count)},
    {"_KTHREAD", "Priority", ROW(priority)},
    {"_KTHREAD", "BasePriority", ROW(base_priority)},
    {"_KTHREAD", "WaitIrql", ROW(wait_irql)},
    {"_KTHREAD", "Teb", ROW(teb)},
    {"_KTHREAD", "StackBase", ROW(stack_base)},
    {"_KTHREAD", "StackLimit", ROW(stack_limit)},
    {"_KTHREAD", "KernelStack", ROW(kernel_stack)},
    {"_KTHREAD", "InitialStack", ROW(initial_stack)},
    {"_KTHREAD", "KernelStackResident", ROW(kernel_stack_resident)},
    {"_KTHREAD", "WaitTime", ROW(wait_time_ticks)},
    {"_KTHREAD", "ContextSwitches", ROW(context_switches)},
    {"_ETHREAD", "StartAddress", ROW(start_address)},
};

struct reader {
    struct ds_nt *nt;
    struct ds_member_set set;
    struct ds_field process;
    enum ds_status process_status;
    size_t cap;
};

static void reader_init(struct reader *r, struct ds_nt *nt)
{
    const struct ds_target *t = nt->target;
    *r = (struct reader){.nt = nt};
    ds_members_resolve(&r->set, t, specs, sizeof(specs) / sizeof(specs[0]));
    r->process_status = ds_target_member(t, "_KTHREAD", "Process", &r->process, NULL);
    if (r->process_status != DS_OK) { /* before Server 2003, and where only KDBG tells offsets */
        r->process_status = ds_target_member(t, "_KTHREAD", "ApcState.Process", &r->process, NULL);
    }
}

static bool add(struct reader *r, uint64_t ethread, struct ds_opt eprocess, const char *source)
{
    struct ds_nt *nt = r->nt;
    void *array = nt->thread_rows;
    size_t count = nt->threads.count;
    if (!ds_array_reserve(&array, &r->cap, count + 1, sizeof(*nt->thread_rows),
                          DS_ROWS_MAX(struct ds_thread, DS_LIMIT_THREADS))) {
        return false;
    }
    nt->thread_rows = array;
    struct ds_thread *th = &nt->thread_rows[count];
    *th = (struct ds_thread){.ethread = ethread, .eprocess = eprocess, .source = source};
    ds_members_read(&r->set, nt->target, ethread, th);
    if (!eprocess.known) {
        th->eprocess = r->process_status == DS_OK
                           ? ds_target_read_member(nt->target, ethread, &r->process)
                           : ds_opt_unknown(r->process_status);
    }
    nt->threads.count++;
    return true;
}

static void stop(struct ds_walk *walk, enum ds_status status, uint64_t address, const char *detail)
{
    if (walk->stop_reason == DS_OK) { /* the first reason is the one to tell */
        walk->complete = false;
        walk->stop_reason = status;
        walk->stop_address = ds_opt_known(address);
        walk->detail = detail;
    }
}

/* False when no more rows can be had. */
static bool walk_process(struct reader *r, uint64_t eprocess, uint64_t head_offset,
                         uint64_t links_offset, struct ds_walk *walk)
{
    struct ds_nt *nt = r->nt;
    size_t limit = DS_ROWS_MAX(struct ds_thread, DS_LIMIT_THREADS);
    struct ds_entries e = {0};
    bool room = true;
    ds_entries_walk(&e, nt->target->kernel, eprocess + head_offset, limit);
    for (size_t i = 0; i < e.count && room; i++) {
        room = add(r, e.at[i] - links_offset, ds_opt_known(eprocess), "ThreadListHead");
    }
    if (!room) {
        stop(walk, nt->threads.count >= limit ? DS_LIMIT : DS_NO_MEMORY, eprocess, "");
    } else if (e.end.status != DS_OK) {
        stop(walk, e.end.status, e.end.address,
             e.by_flink < e.count ? ds_nt_entries_text(nt, &e)
                                  : "the thread list of a process is cut short");
    } else if (!ds_entries_agree(&e) && walk->detail[0] == '\0') {
        walk->detail = ds_nt_entries_text(nt, &e);
    }
    ds_entries_deinit(&e);
    return room;
}

static void walk_lists(struct reader *r, struct ds_walk *walk)
{
    struct ds_nt *nt = r->nt;
    struct ds_field head, links;
    const struct ds_processes *p = ds_nt_processes(nt);
    enum ds_status status =
        ds_target_member(nt->target, "_EPROCESS", "ThreadListHead", &head, NULL);
    if (status == DS_OK) {
        status = ds_target_member(nt->target, "_ETHREAD", "ThreadListEntry", &links, NULL);
    }
    if (status != DS_OK) {
        *walk = ds_walk_none("threads", status, "no layout of _ETHREAD fits this kernel");
        return;
    }
    *walk = (struct ds_walk){.table_name = "threads", .complete = true, .detail = ""};
    walk->stop_address = ds_opt_unknown(DS_OK);
    if (!p->walk.complete) {
        stop(walk, p->walk.stop_reason, ds_opt_or(p->walk.stop_address, 0),
             "the process list is cut short");
        walk->stop_address = p->walk.stop_address;
    }
    for (size_t i = 0; i < p->count; i++) {
        if (!walk_process(r, p->rows[i].eprocess, head.offset, links.offset, walk)) {
            return;
        }
    }
}

static bool have(const struct ds_nt *nt, uint64_t ethread)
{
    for (size_t i = 0; i < nt->threads.count; i++) {
        if (nt->thread_rows[i].ethread == ethread) {
            return true;
        }
    }
    return false;
}

/* The record of a triage dump, then what the processors ran. */
static void read_triage(struct reader *r, const struct ds_triage *tr, struct ds_walk *walk)
{
    struct ds_nt *nt = r->nt;
    const struct ds_processors *p = ds_nt_processors(nt);
    bool room = true;
    *walk = ds_walk_none("threads", DS_NOT_IN_DUMP,
                         "a minidump keeps the current thread only; of the others that were "
                         "running, their address");
    if (tr->thread.va.known) {
        room = add(r, tr->thread.va.value, ds_opt_unknown(DS_OK), "triage record");
    }
    for (size_t i = 0; i < p->count && room; i++) {
        struct ds_opt running = p->rows[i].current_thread;
        if (running.known && running.value != 0 && !have(nt, running.value)) {
            room = add(r, running.value, ds_opt_unknown(DS_OK), "KPRCB");
        }
    }
    if (!room) {
        walk->stop_reason = DS_NO_MEMORY;
    }
}

const struct ds_threads *ds_nt_threads(struct ds_nt *nt)
{
    struct reader r;
    struct ds_walk walk;
    if (nt->have_threads) {
        return &nt->threads;
    }
    nt->have_threads = true;
    if (nt->target->kernel == NULL) {
        nt->threads.walk =
            ds_walk_none("threads", nt->target->kernel_why, nt->target->kernel_why_text);
        return &nt->threads;
    }
    reader_init(&r, nt);
    const struct ds_triage *tr = ds_dump_triage(nt->target->dump);
    if (tr != NULL) {
        read_triage(&r, tr, &walk);
    } else {
        walk_lists(&r, &walk);
    }
    walk.rows = nt->threads.count;
    nt->threads.walk = walk;
    nt->threads.rows = nt->thread_rows;
    return &nt->threads;
}
