/* The tables of processors and of the spin locks that they queue for. */
#include "facts/cells.h"
#include "facts/table.h"
#include "nt/processor_details.h"

static const void *detail(struct ds_facts *f, size_t i)
{
    const struct ds_processor_detail *d = ds_nt_processor_details(ds_facts_nt(f));
    return d != NULL ? &d[i] : NULL;
}

static void derive_dpc_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_processor_detail *d = detail(f, i);
    (void)row;
    if (d != NULL && ds_opt_or(d->current_routine, 0) != 0)
        ds_value_symbol(f, d->current_routine.value, v);
}

static void derive_pc_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    const struct ds_processor *p = row;
    if (p->has_context)
        ds_value_symbol(f, p->context.pc, v);
}

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
#define SIDE(member) DS_SIDE(detail, struct ds_processor_detail, member)
static const struct ds_column_spec processor_columns[] = {
    {"number", DS_COL_INTEGER, "processor number, from 0", "!running", DS_FIELD(ROW, number)},
    {"prcb", DS_COL_ADDRESS, "_KPRCB: virtual", "!prcb", DS_FIELD(ROW, prcb)},
    {"current_thread", DS_COL_ADDRESS, "_KTHREAD that runs on it", "!running",
     DS_FIELD(ROW, current_thread)},
    {"next_thread", DS_COL_ADDRESS, "_KTHREAD chosen to run next; 0 when none", "!running",
     DS_FIELD(ROW, next_thread)},
    {"idle_thread", DS_COL_ADDRESS, "its idle _KTHREAD", "!running -i", DS_FIELD(ROW, idle_thread)},
    {"idle", DS_COL_BOOL,
     "whether its idle thread is current; a DPC may run on that: dpc_routine_active",
     "!running -i (Idle Processors)", SIDE(idle)},
    {"pcr", DS_COL_ADDRESS,
     "_KPCR that the KPRCB is part of: virtual; NULL where another address stands in it", "!pcr",
     SIDE(pcr)},
    {"irql", DS_COL_INTEGER,
     "IRQL before the bugcheck; by KPCR.Irql (x86) the current one, which a crash has raised. NULL "
     "of a system that did not crash, and of other processors that have none saved",
     "!irql", SIDE(irql)},
    {"irql_source", DS_COL_TEXT, "KPRCB.DebuggerSavedIRQL or KPCR.Irql", "", SIDE(irql_source)},
    {"kernel_time_ticks", DS_COL_INTEGER, "KernelTime: clock ticks", "!prcb (Times, Kernel)",
     SIDE(kernel_time)},
    {"kernel_time_ms", DS_COL_INTEGER, "the same in milliseconds", "!prcb (Times, Kernel)",
     SIDE(kernel_time_ms)},
    {"user_time_ticks", DS_COL_INTEGER, "UserTime: clock ticks", "!prcb (Times, User)",
     SIDE(user_time)},
    {"user_time_ms", DS_COL_INTEGER, "the same in milliseconds", "!prcb (Times, User)",
     SIDE(user_time_ms)},
    {"dpc_time_ticks", DS_COL_INTEGER, "DpcTime: clock ticks that found a DPC running",
     "!prcb (Times, Dpc)", SIDE(dpc_time)},
    {"dpc_time_ms", DS_COL_INTEGER, "the same in milliseconds", "!prcb (Times, Dpc)",
     SIDE(dpc_time_ms)},
    {"interrupt_time_ticks", DS_COL_INTEGER,
     "InterruptTime: clock ticks that found an interrupt being served", "!prcb (Times, Interrupt)",
     SIDE(interrupt_time)},
    {"interrupt_time_ms", DS_COL_INTEGER, "the same in milliseconds", "!prcb (Times, Interrupt)",
     SIDE(interrupt_time_ms)},
    {"interrupt_count", DS_COL_INTEGER, "InterruptCount", "!prcb (Interrupt Count)",
     SIDE(interrupt_count)},
    {"dpc_routine_active", DS_COL_INTEGER, "DpcRoutineActive: not 0 while a DPC runs",
     "!prcb, dt nt!_KPRCB", SIDE(dpc_routine_active)},
    {"dpc_thread_active", DS_COL_INTEGER, "DpcThreadActive: a threaded DPC runs", "dt nt!_KPRCB",
     SIDE(dpc_thread_active)},
    {"dpc_routine", DS_COL_ADDRESS,
     "routine of the DPC that runs: virtual; 0 when none does. NULL before Windows 8.1",
     "dt nt!_KPRCB (CurrentDpcRoutine)", SIDE(current_routine)},
    {"dpc_symbol", DS_COL_TEXT, "dpc_routine as function and offset, or module and offset",
     "dt nt!_KPRCB (CurrentDpcRoutine)", DS_DERIVED(derive_dpc_symbol)},
    {"active_dpc", DS_COL_ADDRESS, "_KDPC that runs: virtual; 0 when none does",
     "dt nt!_KDPC_DATA (ActiveDpc)", SIDE(active_dpc)},
    {"dpc_interrupt_requested", DS_COL_BOOL,
     "whether the interrupt that runs DPCs has been asked for",
     "dt nt!_KPRCB (DpcInterruptRequested, DpcNormalProcessingRequested)",
     SIDE(dpc_interrupt_requested)},
    {"dpc_request_summary", DS_COL_INTEGER, "DpcRequestSummary, as it stands there (Windows 7 on)",
     "dt nt!_KPRCB", SIDE(dpc_request_summary)},
    {"quantum_end", DS_COL_BOOL, "QuantumEnd: the running thread's time is up", "dt nt!_KPRCB",
     SIDE(quantum_end)},
    {"dpc_queue_depth", DS_COL_INTEGER, "DpcQueueDepth as it counts them; dpcs has those found",
     "!dpcs", SIDE(dpc_queue_depth)},
    {"dpc_count", DS_COL_INTEGER, "DpcCount: normal DPCs queued since the start", "!prcb, !dpcs",
     SIDE(dpc_count)},
    {"threaded_dpc_queue_depth", DS_COL_INTEGER, "DpcQueueDepth of threaded DPCs", "!dpcs",
     SIDE(threaded_queue_depth)},
    {"threaded_dpc_count", DS_COL_INTEGER, "DpcCount of threaded DPCs", "dt nt!_KDPC_DATA",
     SIDE(threaded_count)},
    {"dpc_last_count", DS_COL_INTEGER, "DpcLastCount: dpc_count at the last clock tick",
     "dt nt!_KPRCB", SIDE(dpc_last_count)},
    {"dpc_request_rate", DS_COL_INTEGER, "DpcRequestRate: DPCs for each clock tick", "dt nt!_KPRCB",
     SIDE(dpc_request_rate)},
    {"maximum_dpc_queue_depth", DS_COL_INTEGER,
     "MaximumDpcQueueDepth: the depth from which the interrupt is asked for at once",
     "dt nt!_KPRCB", SIDE(dpc_queue_depth_max)},
    {"minimum_dpc_rate", DS_COL_INTEGER, "MinimumDpcRate", "dt nt!_KPRCB", SIDE(dpc_rate_min)},
    {"dpc_time_count", DS_COL_INTEGER, "DpcTimeCount: clock ticks that the current DPC has run",
     "!dpcwatchdog", SIDE(dpc_time_count)},
    {"dpc_time_limit", DS_COL_INTEGER,
     "DpcTimeLimit, DpcTimeLimitTicks: clock ticks that one DPC may run; 0 when not watched",
     "!dpcwatchdog", SIDE(dpc_time_limit)},
    {"dpc_watchdog_count", DS_COL_INTEGER,
     "DpcWatchdogCount: clock ticks that are left of dpc_watchdog_period", "!dpcwatchdog",
     SIDE(dpc_watchdog_count)},
    {"dpc_watchdog_period", DS_COL_INTEGER,
     "DpcWatchdogPeriod, DpcWatchdogPeriodTicks: clock ticks at DISPATCH_LEVEL or above in a row",
     "!dpcwatchdog", SIDE(dpc_watchdog_period)},
    {"ready_summary", DS_COL_INTEGER,
     "ReadySummary: bit N is set when a thread of priority N is ready on it", "!ready",
     SIDE(ready_summary)},
    {"queued_locks", DS_COL_TEXT,
     "its queued spin locks, by number: . not in use, O owned, W waited for",
     "!running (the last column)", SIDE(queued_locks)},
    {"locks_held", DS_COL_INTEGER, "queued spin locks that it owns", "!qlocks (O)",
     SIDE(locks_held)},
    {"locks_waited", DS_COL_INTEGER, "queued spin locks that it waits for", "!qlocks (1-n)",
     SIDE(locks_waited)},
    {"ipi_frozen", DS_COL_INTEGER, "IpiFrozen: how far freezing it has come", "dt nt!_KPRCB",
     SIDE(ipi_frozen)},
    {"processor_group", DS_COL_INTEGER, "Group", "dt nt!_KPRCB", SIDE(group)},
    {"group_index", DS_COL_INTEGER, "GroupIndex: its number in the group", "dt nt!_KPRCB",
     SIDE(group_index)},
    {"node", DS_COL_INTEGER, "number of its NUMA node", "!numa, dt nt!_KNODE", SIDE(node)},
    {"cpu_family", DS_COL_INTEGER, "CpuType: family of CPUID", "!cpuinfo (F)", SIDE(family)},
    {"cpu_model", DS_COL_INTEGER, "model of CPUID", "!cpuinfo (M)", SIDE(model)},
    {"cpu_stepping", DS_COL_INTEGER, "stepping of CPUID", "!cpuinfo (S)", SIDE(stepping)},
    {"mhz", DS_COL_INTEGER, "clock rate in MHz", "!cpuinfo", DS_FIELD(ROW, mhz)},
    {"vendor", DS_COL_TEXT, "vendor string: AuthenticAMD", "!cpuinfo", DS_FIELD(ROW, vendor)},
    {"has_context", DS_COL_BOOL, "whether its registers were found", "",
     DS_FIELD(ROW, has_context)},
    {"pc", DS_COL_ADDRESS, "instruction pointer of that context: virtual", "~Ns; r",
     DS_DERIVED(derive_pc)},
    {"sp", DS_COL_ADDRESS, "stack pointer of that context: virtual", "~Ns; r",
     DS_DERIVED(derive_sp)},
    {"pc_symbol", DS_COL_TEXT, "pc as function and offset, or module and offset", "!running -t",
     DS_DERIVED(derive_pc_symbol)},
    {"context_source", DS_COL_TEXT, "where the registers were found", "",
     DS_FIELD(ROW, context_source)},
    {"cr3", DS_COL_ADDRESS, "CR3 of ProcessorState; on ARM64 TTBR0_EL1: physical, with its flags",
     "~Ns; r cr3", SIDE(cr3)},
    {"cr8", DS_COL_INTEGER,
     "CR8 of ProcessorState (x64): of a frozen processor the IRQL of the freezing", "~Ns; r cr8",
     SIDE(cr8)},
};
#undef ROW
#undef SIDE

static void processors_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_processors *p = ds_nt_processors(ds_facts_nt(f));
    *ret = (struct ds_rows){p->rows, sizeof(*p->rows), p->count, p->walk};
}

DS_TABLE_WITH_LAYOUT(processors, "Processors, with what runs on each.",
                     "!running -i, !pcr, !prcb, !dpcwatchdog, !cpuinfo", processor_columns,
                     processors_fill, "number");

#define ROW struct ds_queued_lock
static const struct ds_column_spec queued_lock_columns[] = {
    {"processor", DS_COL_INTEGER, "number of the processor", "!qlocks (Processor Number)",
     DS_FIELD(ROW, processor)},
    {"number", DS_COL_INTEGER, "KSPIN_LOCK_QUEUE_NUMBER: index into KPRCB.LockQueue", "!qlocks",
     DS_FIELD(ROW, number)},
    {"name", DS_COL_TEXT, "name of that number (wdm.h); NULL for spare numbers",
     "!qlocks (Lock Name)", DS_FIELD(ROW, name)},
    {"lock", DS_COL_ADDRESS, "KSPIN_LOCK: virtual", "dt nt!_KSPIN_LOCK_QUEUE", DS_FIELD(ROW, lock)},
    {"held", DS_COL_BOOL, "the processor owns it; 0: it waits", "!qlocks (O, 1-n)",
     DS_FIELD(ROW, held)},
    {"next", DS_COL_ADDRESS, "_KSPIN_LOCK_QUEUE of who waits behind it; 0 when nobody does",
     "!qlocks (wait order)", DS_FIELD(ROW, next)},
};
#undef ROW

static void queued_locks_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_queued_locks *l = ds_nt_queued_locks(ds_facts_nt(f));
    *ret = (struct ds_rows){l->rows, sizeof(*l->rows), l->count, l->walk};
}

DS_TABLE_WITH_LAYOUT(queued_locks, "Queued spin locks that a processor owns or waits for.",
                     "!qlocks", queued_lock_columns, queued_locks_fill, NULL);
