/* Tables over the kernel's structures: processors, processes, threads. */
#include "facts/table.h"

/* ---- processors ---- */

static void derive_pc(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_processor *p = row;
    if (p->has_context)
        ds_value_u64(v, p->context.pc);
}

static void derive_sp(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_processor *p = row;
    if (p->has_context)
        ds_value_u64(v, p->context.sp);
}

#define ROW struct ds_processor
static const struct ds_column_spec processor_columns[] = {
    {"number", DS_COL_INTEGER, "processor number, from 0", "!running", DS_FIELD(ROW, number)},
    {"prcb", DS_COL_ADDRESS, "_KPRCB: virtual", "!prcb", DS_FIELD(ROW, prcb)},
    {"current_thread", DS_COL_ADDRESS, "_KTHREAD that runs on it", "!running",
     DS_FIELD(ROW, current_thread)},
    {"next_thread", DS_COL_ADDRESS, "_KTHREAD chosen to run next; 0 when none", "!running",
     DS_FIELD(ROW, next_thread)},
    {"idle_thread", DS_COL_ADDRESS, "its idle _KTHREAD", "!running -i", DS_FIELD(ROW, idle_thread)},
    {"mhz", DS_COL_INTEGER, "clock rate in MHz", "!cpuinfo", DS_FIELD(ROW, mhz)},
    {"vendor", DS_COL_TEXT, "vendor string: AuthenticAMD", "!cpuinfo", DS_FIELD(ROW, vendor)},
    {"has_context", DS_COL_BOOL, "whether its registers were found", "",
     DS_FIELD(ROW, has_context)},
    {"pc", DS_COL_ADDRESS, "instruction pointer of that context: virtual", "~Ns; r",
     DS_DERIVED(derive_pc)},
    {"sp", DS_COL_ADDRESS, "stack pointer of that context: virtual", "~Ns; r",
     DS_DERIVED(derive_sp)},
    {"context_source", DS_COL_TEXT, "where the registers were found", "",
     DS_FIELD(ROW, context_source)},
};
#undef ROW

static void processors_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_processors *p = ds_nt_processors(ds_facts_nt(f));
    *ret = (struct ds_rows){p->rows, sizeof(*p->rows), p->count, p->walk};
}

DS_TABLE_WITH_LAYOUT(processors, "Processors, with what runs on each.", "!running -i, !cpuinfo",
                     processor_columns, processors_fill, "number");

/* ---- processes ---- */

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
    {"source", DS_COL_TEXT, "PsActiveProcessHead or triage record", "", DS_FIELD(ROW, source)},
};
#undef ROW

static void processes_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_processes *p = ds_nt_processes(ds_facts_nt(f));
    *ret = (struct ds_rows){p->rows, sizeof(*p->rows), p->count, p->walk};
}

DS_TABLE_WITH_LAYOUT(processes, "Processes, as far as the dump holds them.", "!process 0 0",
                     process_columns, processes_fill, "eprocess");

/* ---- threads ---- */

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
    {"suspend_count", DS_COL_INTEGER, "SuspendCount", "dt nt!_KTHREAD",
     DS_FIELD(ROW, suspend_count)},
    {"priority", DS_COL_INTEGER, "Priority", "!thread (Priority)", DS_FIELD(ROW, priority)},
    {"base_priority", DS_COL_INTEGER, "BasePriority", "!thread (BasePriority)",
     DS_FIELD(ROW, base_priority)},
    {"wait_irql", DS_COL_INTEGER, "WaitIrql", "dt nt!_KTHREAD", DS_FIELD(ROW, wait_irql)},
    {"teb", DS_COL_ADDRESS, "TEB: virtual, user space", "!thread (Teb)", DS_FIELD(ROW, teb)},
    {"start_address", DS_COL_ADDRESS, "StartAddress: virtual", "!thread (Start Address)",
     DS_FIELD(ROW, start_address)},
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
    {"context_switches", DS_COL_INTEGER, "ContextSwitches", "!thread (Context Switch Count)",
     DS_FIELD(ROW, context_switches)},
    {"source", DS_COL_TEXT, "ThreadListHead, triage record or KPRCB", "", DS_FIELD(ROW, source)},
};
#undef ROW

static void threads_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_threads *t = ds_nt_threads(ds_facts_nt(f));
    *ret = (struct ds_rows){t->rows, sizeof(*t->rows), t->count, t->walk};
}

DS_TABLE_WITH_LAYOUT(threads, "Threads, as far as the dump holds them.", "!process 0 2, !thread",
                     thread_columns, threads_fill, "ethread");
