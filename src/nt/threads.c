/* Threads: both lists of every process, and other ways to them; in triage dumps the record and the
 * processors'. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "nt/address_map.h"
#include "nt/impl.h"
#include "nt/others.h"

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
    {"_ETHREAD", "Terminated", ROW(terminating)},
};

/* One of the two lists that a process has of its threads. */
struct list {
    struct ds_field head, links;
    enum ds_status status;
    const char *source, *by_blink; /* static */
};

struct reader {
    struct ds_nt *nt;
    struct ds_member_set set;
    struct ds_field process;
    enum ds_status process_status;
    struct list executive, kernel;
    size_t cap;
    struct ds_address_map rows;                /* those that are there */
    struct ds_address_map whole, kernel_whole; /* processes whose list is whole */
    bool full;
    uint64_t kernel_only, others;
};

static struct list list_of(const struct ds_target *t, const char *process, const char *thread,
                           const char *source, const char *by_blink)
{
    struct list l = {.source = source, .by_blink = by_blink};
    l.status = ds_target_member(t, process, "ThreadListHead", &l.head, NULL);
    if (l.status == DS_OK) {
        l.status = ds_target_member(t, thread, "ThreadListEntry", &l.links, NULL);
    }
    return l;
}

static void reader_init(struct reader *r, struct ds_nt *nt)
{
    const struct ds_target *t = nt->target;
    *r = (struct reader){.nt = nt};
    ds_members_resolve(&r->set, t, specs, sizeof(specs) / sizeof(specs[0]));
    r->executive = list_of(t, "_EPROCESS", "_ETHREAD", "ThreadListHead", "ThreadListHead (Blink)");
    r->kernel = list_of(t, "_KPROCESS", "_KTHREAD", "KPROCESS.ThreadListHead",
                        "KPROCESS.ThreadListHead (Blink)");
    r->process_status = ds_thread_process_field(t, &r->process);
    if (r->process_status != DS_OK) { /* where only KDBG tells offsets */
        r->process_status = ds_target_member(t, "_KTHREAD", "ApcState.Process", &r->process, NULL);
    }
}

/* NULL when no more rows can be had. */
static struct ds_thread *add(struct reader *r, uint64_t ethread, struct ds_opt eprocess,
                             const char *source)
{
    struct ds_nt *nt = r->nt;
    void *array = nt->thread_rows;
    size_t count = nt->threads.count;
    if (!ds_array_reserve(&array, &r->cap, count + 1, sizeof(*nt->thread_rows),
                          DS_ROWS_MAX(struct ds_thread, DS_LIMIT_THREADS)) ||
        !ds_address_map_put(&r->rows, ethread, (uint32_t)count)) {
        r->full = true;
        return NULL;
    }
    nt->thread_rows = array;
    struct ds_thread *th = &nt->thread_rows[count];
    *th = (struct ds_thread){.ethread = ethread, .eprocess = eprocess, .source = source};
    th->listed = th->in_cid_table = ds_opt_unknown(DS_NOT_IN_DUMP);
    th->kernel_listed =
        ds_opt_unknown(r->kernel.status != DS_OK ? r->kernel.status : DS_NOT_IN_DUMP);
    ds_members_read(&r->set, nt->target, ethread, th);
    if (!eprocess.known) {
        th->eprocess = r->process_status == DS_OK
                           ? ds_target_read_member(nt->target, ethread, &r->process)
                           : ds_opt_unknown(r->process_status);
    }
    nt->threads.count++;
    return th;
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

/* What the executive's list has: it keeps threads that have ended as long as they are referenced.
 */
static void walk_executive(struct reader *r, uint64_t eprocess, struct ds_entries *e,
                           struct ds_walk *walk)
{
    struct ds_nt *nt = r->nt;
    size_t limit = DS_ROWS_MAX(struct ds_thread, DS_LIMIT_THREADS);
    ds_entries_walk(e, nt->target->kernel, eprocess + r->executive.head.offset, limit);
    for (size_t i = 0; i < e->count && !r->full; i++) {
        uint64_t ethread = e->at[i] - r->executive.links.offset;
        struct ds_thread *th =
            ds_address_map_get(&r->rows, ethread, NULL)
                ? NULL /* a list that runs into another process's */
                : add(r, ethread, ds_opt_known(eprocess),
                      i < e->by_flink ? r->executive.source : r->executive.by_blink);
        if (th != NULL) {
            th->listed = ds_entries_listed(e, i);
        }
    }
    if (e->end.status != DS_OK) {
        stop(walk, e->end.status, e->end.address,
             e->by_flink < e->count ? ds_nt_entries_text(nt, e)
                                    : "the thread list of a process is cut short");
    } else if (!ds_entries_agree(e) && walk->detail[0] == '\0') {
        walk->detail = ds_nt_entries_text(nt, e);
    }
}

/* What the kernel's list has: those that have begun and not ended. */
static void walk_kernel(struct reader *r, uint64_t eprocess, const struct ds_entries *executive,
                        size_t first)
{
    struct ds_nt *nt = r->nt;
    struct ds_entries e = {0};
    size_t limit = DS_ROWS_MAX(struct ds_thread, DS_LIMIT_THREADS);
    ds_entries_walk(&e, nt->target->kernel, eprocess + r->kernel.head.offset, limit);
    size_t own = nt->threads.count;
    r->full |= ds_entries_close(&e) && !ds_address_map_put(&r->kernel_whole, eprocess, 0);
    struct ds_opt absent = ds_entries_close(&e) ? ds_opt_known(0) : ds_opt_unknown(DS_CORRUPT);
    for (size_t i = first; i < own; i++) {
        nt->thread_rows[i].kernel_listed = absent;
    }
    for (size_t i = 0; i < e.count && !r->full; i++) {
        uint32_t row;
        uint64_t ethread = e.at[i] - r->kernel.links.offset;
        struct ds_thread *th = NULL;
        if (ds_address_map_get(&r->rows, ethread, &row)) {
            th = row >= first ? &nt->thread_rows[row] : NULL;
        } else if (ds_other_is_thread(nt, ethread)) {
            th = add(r, ethread, ds_opt_known(eprocess),
                     i < e.by_flink ? r->kernel.source : r->kernel.by_blink);
            r->kernel_only += th != NULL;
            if (th != NULL) {
                th->listed =
                    ds_entries_close(executive) ? ds_opt_known(0) : ds_opt_unknown(DS_CORRUPT);
            }
        }
        if (th != NULL) {
            th->kernel_listed = ds_entries_listed(&e, i);
        }
    }
    ds_entries_deinit(&e);
}

static void walk_process(struct reader *r, uint64_t eprocess, struct ds_walk *walk)
{
    struct ds_entries e = {0};
    size_t first = r->nt->threads.count;
    walk_executive(r, eprocess, &e, walk);
    if (r->kernel.status == DS_OK && !r->full) {
        walk_kernel(r, eprocess, &e, first);
    }
    if (ds_entries_close(&e) && !ds_address_map_put(&r->whole, eprocess, 0)) {
        r->full = true;
    }
    if (r->full) {
        stop(walk,
             r->nt->threads.count >= DS_ROWS_MAX(struct ds_thread, DS_LIMIT_THREADS) ? DS_LIMIT
                                                                                     : DS_NO_MEMORY,
             eprocess, "");
    }
    ds_entries_deinit(&e);
}

static struct ds_opt absent_from(const struct reader *r, const struct ds_address_map *whole,
                                 const struct ds_thread *th)
{
    return r->process_status == DS_OK && th->eprocess.known &&
                   ds_address_map_get(whole, th->eprocess.value, NULL)
               ? ds_opt_known(0)
               : ds_opt_unknown(DS_CORRUPT);
}

static bool add_other(uint64_t ethread, enum ds_other_way way, void *arg)
{
    struct reader *r = arg;
    uint32_t row = (uint32_t)r->nt->threads.count;
    if (!ds_address_map_get(&r->rows, ethread, &row)) { /* what no list has */
        struct ds_thread *th = add(r, ethread, ds_opt_unknown(DS_OK), ds_other_way_name(way));
        if (th == NULL) {
            return false;
        }
        th->listed = absent_from(r, &r->whole, th);
        th->kernel_listed = absent_from(r, &r->kernel_whole, th);
        r->others++;
    }
    if (way == DS_WAY_CID) {
        r->nt->thread_rows[row].in_cid_table = ds_opt_known(1);
    }
    return true;
}

/* Who is not in PspCidTable can be told when all of that was seen. */
static void tell_cid(struct reader *r, ds_other_whole whole)
{
    for (size_t i = 0; i < r->nt->threads.count && (whole >> DS_WAY_CID & 1) != 0; i++) {
        struct ds_thread *th = &r->nt->thread_rows[i];
        th->in_cid_table = th->in_cid_table.known ? th->in_cid_table : ds_opt_known(0);
    }
}

static void walk_others(struct reader *r, struct ds_walk *walk)
{
    char text[DS_ENTRIES_TEXT + 120];
    tell_cid(r, ds_other_threads(r->nt, add_other, r));
    if (r->kernel_only == 0 && r->others == 0) {
        return;
    }
    snprintf(text, sizeof(text), "%s%s%llu by KPROCESS.ThreadListHead only, %llu by no list",
             walk->detail, walk->detail[0] != '\0' ? "; " : "", (unsigned long long)r->kernel_only,
             (unsigned long long)r->others);
    const char *kept = ds_arena_strdup(&r->nt->arena, text, strlen(text));
    walk->detail = kept != NULL ? kept : walk->detail;
}

static void walk_lists(struct reader *r, struct ds_walk *walk)
{
    struct ds_nt *nt = r->nt;
    const struct ds_processes *p = ds_nt_processes(nt);
    if (r->executive.status != DS_OK) {
        *walk =
            ds_walk_none("threads", r->executive.status, "no layout of _ETHREAD fits this kernel");
        return;
    }
    *walk = (struct ds_walk){.table_name = "threads", .complete = true, .detail = ""};
    walk->stop_address = ds_opt_unknown(DS_OK);
    if (!p->walk.complete) {
        stop(walk, p->walk.stop_reason, ds_opt_or(p->walk.stop_address, 0),
             "the process list is cut short");
        walk->stop_address = p->walk.stop_address;
    }
    for (size_t i = 0; i < p->count && !r->full; i++) {
        walk_process(r, p->rows[i].eprocess, walk);
    }
    if (!r->full) {
        walk_others(r, walk);
    }
}

/* The record of a triage dump, then what the processors ran. */
static void read_triage(struct reader *r, const struct ds_triage *tr, struct ds_walk *walk)
{
    struct ds_nt *nt = r->nt;
    const struct ds_processors *p = ds_nt_processors(nt);
    *walk = ds_walk_none("threads", DS_NOT_IN_DUMP,
                         "a minidump keeps the current thread only; of the others that were "
                         "running, their address");
    if (tr->thread.va.known) {
        (void)add(r, tr->thread.va.value, ds_opt_unknown(DS_OK), "triage record");
    }
    for (size_t i = 0; i < p->count && !r->full; i++) {
        struct ds_opt running = p->rows[i].current_thread;
        if (running.known && running.value != 0 &&
            !ds_address_map_get(&r->rows, running.value, NULL)) {
            (void)add(r, running.value, ds_opt_unknown(DS_OK), "KPRCB");
        }
    }
    if (r->full) {
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
    ds_address_map_deinit(&r.rows);
    ds_address_map_deinit(&r.whole);
    ds_address_map_deinit(&r.kernel_whole);
    walk.rows = nt->threads.count;
    nt->threads.walk = walk;
    nt->threads.rows = nt->thread_rows;
    return &nt->threads;
}
