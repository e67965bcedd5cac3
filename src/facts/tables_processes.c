/* The table of processes. */
#include "facts/table.h"
#include "nt/details.h"
#include "nt/ticks.h"

static const void *detail(struct ds_facts *f, size_t i)
{
    const struct ds_process_detail *d = ds_nt_process_details(ds_facts_nt(f));
    return d != NULL ? &d[i] : NULL;
}

static void value_ms(struct ds_facts *f, struct ds_opt ticks, struct ds_value *v)
{
    uint64_t tick = ds_nt_tick_length(ds_facts_nt(f), NULL), x;
    if (ticks.known && tick != 0 && !__builtin_mul_overflow(ticks.value, tick, &x))
        ds_value_u64(v, x / 10000);
}

static void derive_kernel_ms(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_process_detail *d = detail(f, i);
    (void)row;
    if (d != NULL)
        value_ms(f, d->kernel_time, v);
}

static void derive_user_ms(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_process_detail *d = detail(f, i);
    (void)row;
    if (d != NULL)
        value_ms(f, d->user_time, v);
}

/* Frozen by its own count (Windows 8 and later), or, before, by the counts of all its threads. */
static void derive_frozen(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_process_detail *d = detail(f, i);
    (void)row;
    if (d == NULL)
        return;
    if (d->freeze_count.known)
        ds_value_u64(v, d->freeze_count.value != 0);
    else if (d->freeze_count.why == DS_NO_FIELD && d->wholly_suspended.known)
        ds_value_u64(v, d->live != 0 && d->frozen >= d->live);
}

static void derive_protected(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_process_detail *d = detail(f, i);
    (void)row;
    if (d != NULL && d->protection.known)
        ds_value_u64(v, (d->protection.value & 7) != 0);
}

static void derive_created(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_time(v, ((const struct ds_process *)row)->create_time);
}

static void derive_exited(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_time(v, ((const struct ds_process *)row)->exit_time);
}

#define ROW struct ds_process
static const struct ds_column_spec process_columns[] = {
    {"eprocess", DS_COL_ADDRESS, "_EPROCESS: virtual", "!process 0 0", DS_FIELD(ROW, eprocess)},
    {"pid", DS_COL_INTEGER, "UniqueProcessId", "!process (Cid)", DS_FIELD(ROW, pid)},
    {"ppid", DS_COL_INTEGER, "InheritedFromUniqueProcessId", "!process (ParentCid)",
     DS_FIELD(ROW, ppid)},
    {"name", DS_COL_TEXT, "ImageFileName, 14 characters at most; NULL when unreadable",
     "!process (Image)", DS_FIELD(ROW, name)},
    {"dtb", DS_COL_ADDRESS, "DirectoryTableBase: physical, flag bits included",
     "!process (DirBase)", DS_FIELD(ROW, dtb)},
    {"peb", DS_COL_ADDRESS, "PEB: virtual, user space", "!process (Peb)", DS_FIELD(ROW, peb)},
    {"session_id", DS_COL_INTEGER, "session", "!process (SessionId)", DS_FIELD(ROW, session_id)},
    {"wow64", DS_COL_BOOL, "a 32-bit process on 64-bit Windows", "!process (WOW64)",
     DS_FIELD(ROW, wow64)},
    {"active_threads", DS_COL_INTEGER, "ActiveThreads as the process counts them", "!process",
     DS_FIELD(ROW, active_threads)},
    {"create_time", DS_COL_INTEGER, "start: 100 ns since 1601, UTC", "!process (CreateTime)",
     DS_FIELD(ROW, create_time)},
    {"create_time_utc", DS_COL_TEXT, "create_time as ISO 8601", "", DS_DERIVED(derive_created)},
    {"exit_time", DS_COL_INTEGER, "end: 100 ns since 1601, UTC; 0 while it runs", "!process",
     DS_FIELD(ROW, exit_time)},
    {"exit_time_utc", DS_COL_TEXT, "exit_time as ISO 8601; NULL while it runs", "",
     DS_DERIVED(derive_exited)},
    {"exit_status", DS_COL_INTEGER, "ExitStatus, an NTSTATUS; 0x103 while it runs", "!process",
     DS_FIELD(ROW, exit_status)},
    {"path", DS_COL_TEXT, "path of its image, as an NT path; NULL when unreadable",
     "!process (Image)", DS_SIDE(detail, struct ds_process_detail, path)},
    {"user_dtb", DS_COL_ADDRESS, "UserDirectoryTableBase: physical; NULL without KVA shadow",
     "dt nt!_KPROCESS", DS_SIDE(detail, struct ds_process_detail, user_dtb)},
    {"machine", DS_COL_INTEGER,
     "machine its program is for: 0x14c x86, 0x8664 x64, 0xaa64 ARM64 (IMAGE_FILE_MACHINE)",
     "dt nt!_EPROCESS", DS_SIDE(detail, struct ds_process_detail, machine)},
    {"peb32", DS_COL_ADDRESS,
     "PEB of the 32-bit side: virtual, user space; NULL when there is none", "!wow64exts.info",
     DS_SIDE(detail, struct ds_process_detail, peb32)},
    {"handle_count", DS_COL_INTEGER,
     "open handles: HandleCount of its table, from Windows 8 on its entries, counted",
     "!process (HandleCount)", DS_SIDE(detail, struct ds_process_detail, handle_count)},
    {"commit_charge", DS_COL_INTEGER, "CommitCharge: pages", "!process (CommitCharge)",
     DS_SIDE(detail, struct ds_process_detail, commit_charge)},
    {"working_set", DS_COL_INTEGER, "WorkingSetSize: pages", "!process (Working Set Sizes)",
     DS_SIDE(detail, struct ds_process_detail, working_set)},
    {"peak_working_set", DS_COL_INTEGER, "PeakWorkingSetSize: pages",
     "!process (PeakWorkingSetSize)", DS_SIDE(detail, struct ds_process_detail, peak_working_set)},
    {"kernel_time_ms", DS_COL_INTEGER, "KernelTime, of threads that have ended, in milliseconds",
     "!process (KernelTime)", DS_DERIVED(derive_kernel_ms)},
    {"user_time_ms", DS_COL_INTEGER, "UserTime, of threads that have ended, in milliseconds",
     "!process (UserTime)", DS_DERIVED(derive_user_ms)},
    {"protection", DS_COL_INTEGER,
     "PS_PROTECTION.Level; before Windows 8.1, 1 for a protected process", "dt nt!_EPROCESS",
     DS_SIDE(detail, struct ds_process_detail, protection)},
    {"protected", DS_COL_BOOL, "whether it is a protected process, light or full",
     "dt nt!_EPROCESS", DS_DERIVED(derive_protected)},
    {"freeze_count", DS_COL_INTEGER, "KPROCESS.FreezeCount (Windows 8 and later)",
     "dt nt!_KPROCESS", DS_SIDE(detail, struct ds_process_detail, freeze_count)},
    {"frozen", DS_COL_BOOL,
     "whether it is frozen: by that count, before Windows 8 by those of its threads", "!process",
     DS_DERIVED(derive_frozen)},
    {"deep_freeze", DS_COL_BOOL,
     "KPROCESS.DeepFreeze (Windows 8 and later): an app that the system put away",
     "!process (DeepFreeze)", DS_SIDE(detail, struct ds_process_detail, deep_freeze)},
    {"threads", DS_COL_INTEGER, "rows of threads that are its own", "!process 0 2",
     DS_SIDE(detail, struct ds_process_detail, threads)},
    {"threads_waiting", DS_COL_INTEGER, "of these, those that wait", "!process 0 2",
     DS_SIDE(detail, struct ds_process_detail, waiting)},
    {"threads_ready", DS_COL_INTEGER,
     "of these, those that could run: ready, standby, in transition", "!process 0 2",
     DS_SIDE(detail, struct ds_process_detail, ready)},
    {"threads_running", DS_COL_INTEGER, "of these, those that run", "!process 0 2",
     DS_SIDE(detail, struct ds_process_detail, running)},
    {"threads_terminated", DS_COL_INTEGER, "of these, those that have ended", "!process 0 2",
     DS_SIDE(detail, struct ds_process_detail, terminated)},
    {"threads_suspended", DS_COL_INTEGER, "of these, those with a suspend count", "!process 0 2",
     DS_SIDE(detail, struct ds_process_detail, suspended)},
    {"threads_frozen", DS_COL_INTEGER, "of these, those with a freeze count", "!process 0 2",
     DS_SIDE(detail, struct ds_process_detail, frozen)},
    {"wholly_suspended", DS_COL_BOOL,
     "whether all its live threads are suspended or frozen; NULL when not all are known", "",
     DS_SIDE(detail, struct ds_process_detail, wholly_suspended)},
    {"listed", DS_COL_BOOL,
     "whether it is in the list of PsActiveProcessHead; NULL when that list is damaged or cut "
     "short",
     "!process 0 0", DS_FIELD(ROW, listed)},
    {"other_ways", DS_COL_INTEGER,
     "how many other ways lead to it: ProcessListEntry, MmProcessLinks, SessionProcessLinks, "
     "PsInitialSystemProcess, KPRCB, PspCidTable, threads in that; NULL when none was walked to "
     "its "
     "end",
     "", DS_FIELD(ROW, other_ways)},
    {"in_cid_table", DS_COL_BOOL,
     "whether PspCidTable has it; NULL when not all of that table could be read", "!handle",
     DS_FIELD(ROW, in_cid_table)},
    {"source", DS_COL_TEXT,
     "the first way that led to it: PsActiveProcessHead (by Blink only), ProcessListEntry, "
     "MmProcessLinks, SessionProcessLinks, PsInitialSystemProcess, KPRCB, PspCidTable, triage "
     "record",
     "", DS_FIELD(ROW, source)},
};
#undef ROW

static void processes_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_processes *p = ds_nt_processes(ds_facts_nt(f));
    *ret = (struct ds_rows){p->rows, sizeof(*p->rows), p->count, p->walk};
}

DS_TABLE_WITH_LAYOUT(processes, "Processes, as far as the dump holds them.", "!process 0 0",
                     process_columns, processes_fill, "eprocess");
