/* Tables over executive resources, with who owns them and who waits, and the wait graph. */
#include "facts/table.h"
#include "nt/mutants.h"
#include "nt/wait_graph.h"

#define ROW struct ds_eresource
static const struct ds_column_spec eresource_columns[] = {
    {"resource", DS_COL_ADDRESS, "_ERESOURCE: virtual", "!locks (Resource @)",
     DS_FIELD(ROW, address)},
    {"exclusive", DS_COL_BOOL, "owned exclusively; NULL when nobody owns it",
     "!locks (Exclusively owned)", DS_FIELD(ROW, exclusive)},
    {"owners", DS_COL_INTEGER, "threads that own it, as found", "!locks (owning threads)",
     DS_FIELD(ROW, owners)},
    {"active", DS_COL_INTEGER, "ActiveEntries; ActiveCount before Vista", "dt nt!_ERESOURCE",
     DS_FIELD(ROW, active)},
    {"contention_count", DS_COL_INTEGER, "ContentionCount: how often somebody had to wait",
     "!locks (Contention Count)", DS_FIELD(ROW, contention)},
    {"shared_waiters", DS_COL_INTEGER, "NumberOfSharedWaiters, as it counts them",
     "!locks (NumberOfSharedWaiters)", DS_FIELD(ROW, shared_count)},
    {"exclusive_waiters", DS_COL_INTEGER, "NumberOfExclusiveWaiters, as it counts them",
     "!locks (NumberOfExclusiveWaiters)", DS_FIELD(ROW, exclusive_count)},
    {"shared_waiters_found", DS_COL_INTEGER, "of them, how many eresource_waiters names", "",
     DS_FIELD(ROW, shared_found)},
    {"exclusive_waiters_found", DS_COL_INTEGER, "of them, how many eresource_waiters names", "",
     DS_FIELD(ROW, exclusive_found)},
    {"waiters_lost", DS_COL_TEXT, "why waiters are missing; NULL when none is", "",
     DS_FIELD(ROW, waiters_why)},
    {"flag", DS_COL_INTEGER, "Flag (wdm.h): 0x80 owned exclusively, 0x10 never exclusive",
     "dt nt!_ERESOURCE", DS_FIELD(ROW, flag)},
};
#undef ROW

static void eresources_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_eresources *e = ds_nt_eresources(ds_facts_nt(f));
    *ret = (struct ds_rows){e->rows, sizeof(*e->rows), e->count, e->walk};
}

DS_TABLE_WITH_LAYOUT(eresources, "Executive resources: ExpSystemResourcesList.", "!locks -v",
                     eresource_columns, eresources_fill, "resource");

static void derive_owner_state(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    struct ds_opt s = ((const struct ds_eresource_owner *)row)->state;
    if (s.known)
        ds_value_text(v, ds_thread_state_name(s.value));
}

static void derive_owner_index(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_eresource_owner *o = row;
    if (o->index != 0)
        ds_value_u64(v, o->index);
}

#define ROW struct ds_eresource_owner
static const struct ds_column_spec eresource_owner_columns[] = {
    {"resource", DS_COL_ADDRESS, "_ERESOURCE: virtual", "!locks (Resource @)",
     DS_FIELD(ROW, resource)},
    {"thread", DS_COL_ADDRESS, "_KTHREAD; NULL when the owner pointer is no thread",
     "!locks (Threads)", DS_FIELD(ROW, thread)},
    {"owns", DS_COL_BOOL,
     "whether it owns the resource: a sharer that must wait is entered before it waits, and "
     "does not; NULL when that cannot be told",
     "!locks (<*>)", DS_FIELD(ROW, owns)},
    {"count", DS_COL_INTEGER, "OwnerCount: how many times it acquired the resource",
     "!locks (the number after the thread)", DS_FIELD(ROW, count)},
    {"thread_state", DS_COL_INTEGER, "KTHREAD_STATE of the thread; NULL when no thread is there",
     "!thread", DS_FIELD(ROW, state)},
    {"thread_state_name", DS_COL_TEXT, "its name: Waiting, Running, ...", "!thread",
     DS_DERIVED(derive_owner_state)},
    {"owner_thread", DS_COL_ADDRESS, "OwnerThread as it stands there", "dt nt!_OWNER_ENTRY",
     DS_FIELD(ROW, raw)},
    {"owner_pointer", DS_COL_BOOL,
     "its low two bits are set: somebody else's owner pointer (ExSetResourceOwnerPointer)",
     "!locks (*** Actual Thread)", DS_FIELD(ROW, owner_pointer)},
    {"place", DS_COL_TEXT, "OwnerThreads[0] (exclusive), OwnerThreads[1], OwnerEntry, OwnerTable",
     "dt nt!_ERESOURCE", DS_FIELD(ROW, place)},
    {"table_index", DS_COL_INTEGER, "element of OwnerTable, from 1; NULL outside it",
     "dt nt!_ERESOURCE", DS_DERIVED(derive_owner_index)},
};
#undef ROW

static void eresource_owners_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_eresources *e = ds_nt_eresources(ds_facts_nt(f));
    *ret = (struct ds_rows){e->owners, sizeof(*e->owners), e->owner_count, e->owner_walk};
}

DS_TABLE_WITH_LAYOUT(eresource_owners, "Entries in the owner tables of executive resources.",
                     "!locks", eresource_owner_columns, eresource_owners_fill, NULL);

#define ROW struct ds_eresource_waiter
static const struct ds_column_spec eresource_waiter_columns[] = {
    {"resource", DS_COL_ADDRESS, "_ERESOURCE: virtual", "!locks (Resource @)",
     DS_FIELD(ROW, resource)},
    {"thread", DS_COL_ADDRESS, "_KTHREAD that waits",
     "!locks (Threads Waiting On Exclusive Access; threads without <*>)", DS_FIELD(ROW, thread)},
    {"exclusive", DS_COL_BOOL, "it wants the resource exclusively, not shared",
     "!locks (Threads Waiting On Exclusive Access)", DS_FIELD(ROW, exclusive)},
    {"object", DS_COL_ADDRESS, "semaphore or event that its KWAIT_BLOCK names: virtual", "!thread",
     DS_FIELD(ROW, object)},
    {"source", DS_COL_TEXT,
     "how it was found: wait list of the object, its own wait block, wait chain of the resource, "
     "wait chain of another waiter",
     "", DS_FIELD(ROW, source)},
};
#undef ROW

static void eresource_waiters_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_eresources *e = ds_nt_eresources(ds_facts_nt(f));
    *ret = (struct ds_rows){e->waiters, sizeof(*e->waiters), e->waiter_count, e->waiter_walk};
}

DS_TABLE_WITH_LAYOUT(eresource_waiters, "Threads that wait for executive resources.", "!locks",
                     eresource_waiter_columns, eresource_waiters_fill, NULL);

#define ROW struct ds_mutant
static const struct ds_column_spec mutant_columns[] = {
    {"mutant", DS_COL_ADDRESS, "_KMUTANT: virtual", "!thread (Mutant)", DS_FIELD(ROW, address)},
    {"owner", DS_COL_ADDRESS, "OwnerThread: _KTHREAD; 0 when nobody owns it",
     "!thread (owning thread)", DS_FIELD(ROW, owner)},
    {"owner_ended", DS_COL_BOOL,
     "the owner has ended, or is no thread any more; 0 as well when nobody owns it", "!thread",
     DS_FIELD(ROW, owner_ended)},
    {"signal_state", DS_COL_INTEGER,
     "SignalState: 1 free, 0 owned, less by one for each further acquisition",
     "dt nt!_DISPATCHER_HEADER", DS_FIELD(ROW, signal_state)},
    {"recursion", DS_COL_INTEGER,
     "how many times its owner has acquired it; 0 when free, NULL when SignalState makes no sense",
     "dt nt!_KMUTANT", DS_FIELD(ROW, recursion)},
    {"abandoned", DS_COL_BOOL, "an owner ended without releasing it", "dt nt!_KMUTANT",
     DS_FIELD(ROW, abandoned)},
    {"apc_disable", DS_COL_INTEGER, "ApcDisable: 1 for one of kernel mode", "dt nt!_KMUTANT",
     DS_FIELD(ROW, apc_disable)},
    {"name", DS_COL_TEXT,
     "the object's name, without its directory; NULL when it has none or is no object",
     "!object (Name)", DS_FIELD(ROW, name)},
    {"waiters", DS_COL_INTEGER, "threads that wait for it, as found in wait_blocks", "!thread",
     DS_FIELD(ROW, waiters)},
    {"waited_for", DS_COL_BOOL, "found as an object that a thread waits for", "!thread",
     DS_FIELD(ROW, waited_for)},
    {"listed", DS_COL_BOOL, "found in the list of what its owner owns (KTHREAD.MutantListHead)",
     "dt nt!_KTHREAD", DS_FIELD(ROW, listed)},
};
#undef ROW

static void mutants_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_mutants *m = ds_nt_mutants(ds_facts_nt(f));
    *ret = (struct ds_rows){m->rows, sizeof(*m->rows), m->count, m->walk};
}

DS_TABLE_WITH_LAYOUT(mutants, "Mutants that threads own or wait for.", "!thread, !object",
                     mutant_columns, mutants_fill, "mutant");

static void derive_lost_at(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_wait_kind *k = row;
    if (k->lost_at != 0)
        ds_value_u64(v, k->lost_at);
}

#define ROW struct ds_wait_edge
static const struct ds_column_spec wait_edge_columns[] = {
    {"waiter", DS_COL_ADDRESS, "_KTHREAD that waits", "!locks, !thread", DS_FIELD(ROW, waiter)},
    {"owner", DS_COL_ADDRESS,
     "what it waits for: _KTHREAD, _EPROCESS or _DRIVER_OBJECT, as owner_kind says",
     "!locks (<*>), !thread (Owning Thread)", DS_FIELD(ROW, owner)},
    {"object", DS_COL_ADDRESS,
     "_ERESOURCE, _KMUTANT, _FAST_MUTEX, _KGUARDED_MUTEX, _EX_PUSH_LOCK, _KTHREAD, _EPROCESS, "
     "_KALPC_MESSAGE, _LPCP_PORT_OBJECT or _IRP: virtual",
     "!thread, !alpc /m, !irp", DS_FIELD(ROW, object)},
    {"kind", DS_COL_TEXT, "way to wait, as in wait_kinds", "!thread", DS_FIELD(ROW, kind)},
    {"owner_kind", DS_COL_TEXT, "thread, process or driver", "", DS_FIELD(ROW, owner_kind)},
    {"owner_name", DS_COL_TEXT,
     "name of the driver; of a process or a thread's process, the image's; NULL when unreadable",
     "!drvobj, !process", DS_FIELD(ROW, owner_name)},
    {"owner_ended", DS_COL_BOOL,
     "the owner is a thread that has ended, or memory that is no thread any more", "!thread",
     DS_FIELD(ROW, owner_ended)},
    {"lock", DS_COL_BOOL, "the owner holds a lock; 0: its end is waited for", "",
     DS_FIELD(ROW, lock)},
    {"wait_any", DS_COL_BOOL, "the thread waits for any of several objects", "!thread",
     DS_FIELD(ROW, any)},
    {"timeout", DS_COL_BOOL,
     "the wait ends by itself at last; 0 for an executive resource, whose wait is begun anew", "",
     DS_FIELD(ROW, timeout)},
    {"closes", DS_COL_BOOL,
     "a cycle of such edges is a deadlock: the owner is a thread, and no other object or timeout "
     "ends the wait",
     "", DS_FIELD(ROW, closes)},
};
#undef ROW

static void wait_edges_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_wait_graph *g = ds_nt_wait_graph(ds_facts_nt(f));
    *ret = (struct ds_rows){g->edges, sizeof(*g->edges), g->edge_count, g->edge_walk};
}

DS_TABLE_WITH_LAYOUT(wait_edges, "Who waits for whom: locks, threads, processes, messages, IRPs.",
                     "!locks, !thread", wait_edge_columns, wait_edges_fill, NULL);

#define ROW struct ds_wait_kind
static const struct ds_column_spec wait_kind_columns[] = {
    {"kind", DS_COL_TEXT,
     "way to wait: eresource, mutant, fast mutex, guarded mutex, push lock, thread, process, ALPC, "
     "LPC, IRP",
     "!thread (WAIT)", DS_FIELD(ROW, kind)},
    {"waiting", DS_COL_INTEGER, "waits of this kind, as wait reasons and objects tell",
     "!thread (WAIT)", DS_FIELD(ROW, waiting)},
    {"followed", DS_COL_INTEGER, "of them, those that led to an owner in wait_edges", "",
     DS_FIELD(ROW, followed)},
    {"lacks", DS_COL_TEXT,
     "what is not known of this kernel, so that none can be followed; NULL when nothing is lacking",
     "", DS_FIELD(ROW, lacks)},
    {"lost", DS_COL_TEXT, "why the first that was not followed was not; NULL when all were", "",
     DS_FIELD(ROW, lost)},
    {"lost_at", DS_COL_ADDRESS, "which one: the thread, or the object that it waits for", "",
     DS_DERIVED(derive_lost_at)},
};
#undef ROW

static void wait_kinds_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_wait_graph *g = ds_nt_wait_graph(ds_facts_nt(f));
    *ret = (struct ds_rows){g->kinds, sizeof(g->kinds[0]), g->kind_walk.rows, g->kind_walk};
}

DS_TABLE_WITH_LAYOUT(wait_kinds, "How threads wait, and which waits could be followed to an owner.",
                     "!thread", wait_kind_columns, wait_kinds_fill, "kind");

#define ROW struct ds_wait_head
static const struct ds_column_spec wait_head_columns[] = {
    {"head", DS_COL_ADDRESS,
     "what others are blocked by and is not blocked itself: _KTHREAD, _EPROCESS for kind process, "
     "_DRIVER_OBJECT for kind driver; of a cycle, the first in chain: the one with the lowest "
     "address",
     "!locks", DS_FIELD(ROW, head)},
    {"kind", DS_COL_TEXT, "thread, process, driver or cycle", "", DS_FIELD(ROW, kind)},
    {"deadlock", DS_COL_TEXT,
     "of a cycle: deadlock; possible when a wait in it is for any of several objects or has a "
     "timeout; NULL for others",
     "!deadlock", DS_FIELD(ROW, deadlock)},
    {"members", DS_COL_INTEGER, "threads of the cycle; 1 for others", "", DS_FIELD(ROW, members)},
    {"blocked", DS_COL_INTEGER,
     "threads that cannot go on because of it, a cycle's members included; NULL past a cap", "",
     DS_FIELD(ROW, blocked)},
    {"blocked_by_locks", DS_COL_INTEGER, "of them, those that wait for a lock", "",
     DS_FIELD(ROW, by_locks)},
    {"depth", DS_COL_INTEGER, "threads in the deepest chain, the head included", "",
     DS_FIELD(ROW, depth)},
    {"chain", DS_COL_TEXT,
     "that chain, from its first waiter to the head; of a cycle, the cycle itself", "",
     DS_FIELD(ROW, chain)},
};
#undef ROW

static void wait_heads_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_wait_graph *g = ds_nt_wait_graph(ds_facts_nt(f));
    *ret = (struct ds_rows){g->heads, sizeof(*g->heads), g->head_count, g->head_walk};
}

DS_TABLE_WITH_LAYOUT(wait_heads, "What blocked threads hang on in the end, most blocked first.",
                     "!locks", wait_head_columns, wait_heads_fill, NULL);

#define ROW struct ds_wait_chain
static const struct ds_column_spec wait_chain_columns[] = {
    {"waiter", DS_COL_ADDRESS, "_KTHREAD that is blocked and blocks nobody", "!locks",
     DS_FIELD(ROW, waiter)},
    {"blocker", DS_COL_ADDRESS,
     "the next of the chain; of several owners the one with the deepest chain, the others are in "
     "wait_edges",
     "!locks", DS_FIELD(ROW, blocker)},
    {"head", DS_COL_ADDRESS, "what it ends in, as in wait_heads", "!locks", DS_FIELD(ROW, head)},
    {"length", DS_COL_INTEGER, "threads, both ends included; a cycle counts all its members", "",
     DS_FIELD(ROW, length)},
    {"cycle", DS_COL_BOOL, "whether it ends in a cycle", "", DS_FIELD(ROW, cycle)},
    {"chain", DS_COL_TEXT, "all of it, 24 threads and the last at most", "", DS_FIELD(ROW, chain)},
};
#undef ROW

static void wait_chains_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_wait_graph *g = ds_nt_wait_graph(ds_facts_nt(f));
    *ret = (struct ds_rows){g->chains, sizeof(*g->chains), g->chain_count, g->chain_walk};
}

DS_TABLE_WITH_LAYOUT(wait_chains, "One chain for each blocked thread that blocks nobody.", "!locks",
                     wait_chain_columns, wait_chains_fill, NULL);
