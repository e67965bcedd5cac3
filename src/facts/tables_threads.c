/* The tables of threads and of what they wait for. */
#include "facts/cells.h"
#include "facts/table.h"
#include "nt/details.h"
#include "nt/waits.h"

static const void *detail(struct ds_facts *f, size_t i)
{
    const struct ds_thread_detail *d = ds_nt_thread_details(ds_facts_nt(f));
    return d != NULL ? &d[i] : NULL;
}

static void derive_created(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_thread_detail *d = detail(f, i);
    (void)row;
    if (d != NULL)
        ds_value_time(v, d->create_time);
}

static void derive_wait_mode_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_thread_detail *d = detail(f, i);
    (void)row;
    if (d != NULL && d->wait_mode.known && d->wait_mode.value <= 1)
        ds_value_text(v, d->wait_mode.value == 0 ? "KernelMode" : "UserMode");
}

/* IO_PRIORITY_HINT (wdm.h). */
static void derive_io_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    static const char *const names[] = {"VeryLow", "Low", "Normal", "High", "Critical"};
    const struct ds_thread_detail *d = detail(f, i);
    (void)row;
    if (d != NULL && d->io_priority.known &&
        d->io_priority.value < sizeof(names) / sizeof(names[0]))
        ds_value_text(v, names[d->io_priority.value]);
}

static void derive_start_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    struct ds_opt start = ((const struct ds_thread *)row)->start_address;
    if (start.known && start.value != 0)
        ds_value_symbol(f, start.value, v);
}

static void derive_state_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    struct ds_opt s = ((const struct ds_thread *)row)->state;
    if (s.known)
        ds_value_text(v, ds_thread_state_name(s.value));
}

static void derive_wait_reason_name(struct ds_facts *f, const void *row, size_t i,
                                    struct ds_value *v)
{
    (void)f;
    (void)i;
    struct ds_opt r = ((const struct ds_thread *)row)->wait_reason;
    if (r.known)
        ds_value_text(v, ds_wait_reason_name(r.value));
}

#define ROW struct ds_thread
static const struct ds_column_spec thread_columns[] = {
    {"ethread", DS_COL_ADDRESS, "_ETHREAD: virtual", "!thread", DS_FIELD(ROW, ethread)},
    {"eprocess", DS_COL_ADDRESS, "_EPROCESS it belongs to", "!thread (Owning Process)",
     DS_FIELD(ROW, eprocess)},
    {"pid", DS_COL_INTEGER, "UniqueProcess of its client id", "!thread (Cid)", DS_FIELD(ROW, pid)},
    {"tid", DS_COL_INTEGER, "UniqueThread of its client id", "!thread (Cid)", DS_FIELD(ROW, tid)},
    {"state", DS_COL_INTEGER, "KTHREAD_STATE", "!thread", DS_FIELD(ROW, state)},
    {"state_name", DS_COL_TEXT, "name of state: Waiting, Running, ...", "!thread",
     DS_DERIVED(derive_state_name)},
    {"wait_reason", DS_COL_INTEGER, "KWAIT_REASON; meaningful while waiting", "!thread",
     DS_FIELD(ROW, wait_reason)},
    {"wait_reason_name", DS_COL_TEXT, "name of wait_reason: Executive, WrQueue, ...", "!thread",
     DS_DERIVED(derive_wait_reason_name)},
    {"wait_mode", DS_COL_INTEGER, "WaitMode: 0 kernel, 1 user; meaningful while waiting", "!thread",
     DS_SIDE(detail, struct ds_thread_detail, wait_mode)},
    {"wait_mode_name", DS_COL_TEXT, "KernelMode or UserMode", "!thread",
     DS_DERIVED(derive_wait_mode_name)},
    {"alertable", DS_COL_BOOL, "whether the wait ends for an APC", "!thread (Alertable)",
     DS_SIDE(detail, struct ds_thread_detail, alertable)},
    {"suspend_count", DS_COL_INTEGER, "SuspendCount", "dt nt!_KTHREAD",
     DS_FIELD(ROW, suspend_count)},
    {"freeze_count", DS_COL_INTEGER, "FreezeCount; since Windows 8 a bit", "!thread (FreezeCount)",
     DS_SIDE(detail, struct ds_thread_detail, freeze_count)},
    {"priority", DS_COL_INTEGER, "Priority", "!thread (Priority)", DS_FIELD(ROW, priority)},
    {"base_priority", DS_COL_INTEGER, "BasePriority", "!thread (BasePriority)",
     DS_FIELD(ROW, base_priority)},
    {"priority_decrement", DS_COL_INTEGER,
     "PriorityDecrement: the boost that is still to be taken back", "!thread (PriorityDecrement)",
     DS_SIDE(detail, struct ds_thread_detail, priority_decrement)},
    {"io_priority", DS_COL_INTEGER, "ThreadIoPriority: 0 very low to 4 critical (Vista and later)",
     "!thread (IoPriority)", DS_SIDE(detail, struct ds_thread_detail, io_priority)},
    {"io_priority_name", DS_COL_TEXT, "VeryLow, Low, Normal, High, Critical",
     "!thread (IoPriority)", DS_DERIVED(derive_io_name)},
    {"page_priority", DS_COL_INTEGER,
     "ThreadPagePriority: 1 the first to lose its pages, 5 normal (Vista and later)",
     "!thread (PagePriority)", DS_SIDE(detail, struct ds_thread_detail, page_priority)},
    {"wait_irql", DS_COL_INTEGER, "WaitIrql", "dt nt!_KTHREAD", DS_FIELD(ROW, wait_irql)},
    {"teb", DS_COL_ADDRESS, "TEB: virtual, user space", "!thread (Teb)", DS_FIELD(ROW, teb)},
    {"start_address", DS_COL_ADDRESS, "StartAddress: virtual", "!thread (Start Address)",
     DS_FIELD(ROW, start_address)},
    {"start_symbol", DS_COL_TEXT, "start_address as function and offset, or module and offset",
     "!thread (Start Address)", DS_DERIVED(derive_start_symbol)},
    {"win32_start_address", DS_COL_ADDRESS,
     "Win32StartAddress: virtual; NULL where the member holds an LPC message id",
     "!thread (Win32 Start Address)",
     DS_SIDE(detail, struct ds_thread_detail, win32_start_address)},
    {"stack_base", DS_COL_ADDRESS, "StackBase, first byte above the stack: virtual",
     "!thread (Base)", DS_FIELD(ROW, stack_base)},
    {"stack_limit", DS_COL_ADDRESS, "StackLimit, lowest byte of the stack: virtual",
     "!thread (Limit)", DS_FIELD(ROW, stack_limit)},
    {"kernel_stack", DS_COL_ADDRESS, "KernelStack, its saved stack pointer: virtual",
     "!thread (Current)", DS_FIELD(ROW, kernel_stack)},
    {"initial_stack", DS_COL_ADDRESS, "InitialStack: virtual", "!thread (Stack Init)",
     DS_FIELD(ROW, initial_stack)},
    {"kernel_stack_resident", DS_COL_BOOL, "whether its kernel stack is in memory", "!thread",
     DS_FIELD(ROW, kernel_stack_resident)},
    {"wait_time_ticks", DS_COL_INTEGER, "WaitTime: tick count at which the wait began", "!thread",
     DS_FIELD(ROW, wait_time_ticks)},
    {"stack_size", DS_COL_INTEGER, "bytes of the kernel stack", "!thread (Base, Limit)",
     DS_SIDE(detail, struct ds_thread_detail, stack_size)},
    {"stack_used", DS_COL_INTEGER,
     "bytes in use below its base; NULL when its stack pointer is not on it",
     "!thread (Base, Current)", DS_SIDE(detail, struct ds_thread_detail, stack_used)},
    {"stack_free", DS_COL_INTEGER,
     "bytes left above its limit, or above the lowest that it may grow to, where its control block "
     "says so (Windows 8 and later)",
     "!thread (Current, Limit)", DS_SIDE(detail, struct ds_thread_detail, stack_free)},
    {"wait_age_ticks", DS_COL_INTEGER, "clock ticks since wait_time_ticks", "!thread (Ticks)",
     DS_SIDE(detail, struct ds_thread_detail, wait_age_ticks)},
    {"wait_age_ms", DS_COL_INTEGER,
     "the same in milliseconds, by the length of a tick in this dump", "!thread (Ticks)",
     DS_SIDE(detail, struct ds_thread_detail, wait_age_ms)},
    {"kernel_time_ticks", DS_COL_INTEGER, "KernelTime: clock ticks", "!thread (KernelTime)",
     DS_SIDE(detail, struct ds_thread_detail, kernel_time)},
    {"kernel_time_ms", DS_COL_INTEGER, "the same in milliseconds", "!thread (KernelTime)",
     DS_SIDE(detail, struct ds_thread_detail, kernel_time_ms)},
    {"user_time_ticks", DS_COL_INTEGER, "UserTime: clock ticks", "!thread (UserTime)",
     DS_SIDE(detail, struct ds_thread_detail, user_time)},
    {"user_time_ms", DS_COL_INTEGER, "the same in milliseconds", "!thread (UserTime)",
     DS_SIDE(detail, struct ds_thread_detail, user_time_ms)},
    {"context_switches", DS_COL_INTEGER, "ContextSwitches", "!thread (Context Switch Count)",
     DS_FIELD(ROW, context_switches)},
    {"ideal_processor", DS_COL_INTEGER, "IdealProcessor", "!thread (IdealProcessor)",
     DS_SIDE(detail, struct ds_thread_detail, ideal_processor)},
    {"last_processor", DS_COL_INTEGER, "NextProcessor: where it runs, ran last, or will run",
     "!thread", DS_SIDE(detail, struct ds_thread_detail, last_processor)},
    {"impersonating", DS_COL_BOOL, "whether it acts for somebody else",
     "!thread (Impersonation token)", DS_SIDE(detail, struct ds_thread_detail, impersonating)},
    {"irp_count", DS_COL_INTEGER, "IRPs in its list", "!thread (IRP List)",
     DS_SIDE(detail, struct ds_thread_detail, irp_count)},
    {"create_time", DS_COL_INTEGER, "start: 100 ns since 1601, UTC", "dt nt!_ETHREAD",
     DS_SIDE(detail, struct ds_thread_detail, create_time)},
    {"create_time_utc", DS_COL_TEXT, "create_time as ISO 8601", "", DS_DERIVED(derive_created)},
    {"name", DS_COL_TEXT, "its description (SetThreadDescription); NULL when it has none",
     "!thread", DS_SIDE(detail, struct ds_thread_detail, name)},
    {"terminating", DS_COL_BOOL, "ETHREAD.Terminated: it has begun to end, or has ended",
     "dt nt!_ETHREAD", DS_FIELD(ROW, terminating)},
    {"listed", DS_COL_BOOL,
     "whether it is in EPROCESS.ThreadListHead, which keeps ended threads while somebody refers to "
     "them; NULL when that list is damaged or cut short",
     "!process 0 2", DS_FIELD(ROW, listed)},
    {"kernel_listed", DS_COL_BOOL,
     "whether it is in KPROCESS.ThreadListHead, which has those that have begun and not ended; "
     "NULL "
     "when that list is damaged or cut short",
     "dt nt!_KPROCESS", DS_FIELD(ROW, kernel_listed)},
    {"in_cid_table", DS_COL_BOOL,
     "whether PspCidTable has it; NULL when not all of that table could be read", "!handle",
     DS_FIELD(ROW, in_cid_table)},
    {"source", DS_COL_TEXT,
     "the first way that led to it: ThreadListHead or KPROCESS.ThreadListHead (by Blink only), "
     "KPRCB, PspCidTable, triage record",
     "", DS_FIELD(ROW, source)},
};
#undef ROW

static void threads_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_threads *t = ds_nt_threads(ds_facts_nt(f));
    *ret = (struct ds_rows){t->rows, sizeof(*t->rows), t->count, t->walk};
}

DS_TABLE_WITH_LAYOUT(threads, "Threads, as far as the dump holds them.", "!process 0 2, !thread",
                     thread_columns, threads_fill, "ethread");

/* ---- wait blocks ---- */

static void derive_object_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_wait_block *b = row;
    (void)i;
    if (b->object_type.known)
        ds_value_text(v, ds_kernel_object_name(ds_nt_target(ds_facts_nt(f)), b->object_type.value));
}

static void derive_wait_type_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_wait_block *b = row;
    (void)f;
    (void)i;
    if (b->wait_type.known)
        ds_value_text(v, ds_wait_type_name(b->wait_type.value));
}

#define ROW struct ds_wait_block
static const struct ds_column_spec wait_block_columns[] = {
    {"ethread", DS_COL_ADDRESS, "_ETHREAD that waits", "!thread", DS_FIELD(ROW, ethread)},
    {"number", DS_COL_INTEGER, "of the block, from 0 in each thread", "", DS_FIELD(ROW, number)},
    {"block", DS_COL_ADDRESS, "_KWAIT_BLOCK: virtual; NULL where a gate is waited for without one",
     "dt nt!_KWAIT_BLOCK", DS_FIELD(ROW, block)},
    {"object", DS_COL_ADDRESS, "dispatcher object that is waited for: virtual", "!thread",
     DS_FIELD(ROW, object)},
    {"object_type", DS_COL_INTEGER, "KOBJECTS, by its dispatcher header", "!thread",
     DS_FIELD(ROW, object_type)},
    {"object_type_name", DS_COL_TEXT, "name of object_type: MutantObject, SemaphoreObject, ...",
     "!thread", DS_DERIVED(derive_object_name)},
    {"object_is", DS_COL_TEXT,
     "what is known of it: own suspend semaphore, own timer, thread, process, ...; NULL: nothing",
     "!thread", DS_FIELD(ROW, object_is)},
    {"signal_state", DS_COL_INTEGER, "SignalState of its header", "dt nt!_DISPATCHER_HEADER",
     DS_FIELD(ROW, signal_state)},
    {"semaphore_limit", DS_COL_INTEGER, "Limit of a semaphore; NULL for others", "!thread (Limit)",
     DS_FIELD(ROW, limit)},
    {"owner_thread", DS_COL_ADDRESS,
     "OwnerThread of a mutant: _KTHREAD; 0 when nobody owns it; NULL for others",
     "!thread (owning thread)", DS_FIELD(ROW, owner_thread)},
    {"wait_key", DS_COL_INTEGER, "WaitKey: status the wait ends with", "dt nt!_KWAIT_BLOCK",
     DS_FIELD(ROW, wait_key)},
    {"wait_type", DS_COL_INTEGER, "WAIT_TYPE: 0 all, 1 any", "dt nt!_KWAIT_BLOCK",
     DS_FIELD(ROW, wait_type)},
    {"wait_type_name", DS_COL_TEXT, "all, any, notification, dequeue, DPC", "",
     DS_DERIVED(derive_wait_type_name)},
    {"wait_any", DS_COL_BOOL, "the object is one of several, of which any ends the wait", "!thread",
     DS_FIELD(ROW, any)},
    {"timeout", DS_COL_BOOL, "the wait ends by the thread's timer at the latest", "!thread",
     DS_FIELD(ROW, timeout)},
};
#undef ROW

static void wait_blocks_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_wait_blocks *w = ds_nt_wait_blocks(ds_facts_nt(f));
    *ret = (struct ds_rows){w->rows, sizeof(*w->rows), w->count, w->walk};
}

DS_TABLE_WITH_LAYOUT(wait_blocks, "What waiting threads wait for, one row for each object.",
                     "!thread", wait_block_columns, wait_blocks_fill, NULL);
