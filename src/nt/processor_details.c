/* What the table of processors says beyond who runs, and their queued spin locks. */
#include "nt/processor_details.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "nt/impl.h"
#include "nt/live.h"
#include "nt/ticks.h"

#define ROW(member) offsetof(struct ds_processor_detail, member)
#define SPELLINGS 3
#define BUILD_WINDOWS_7 7600u
/* The low bits of KSPIN_LOCK_QUEUE.Lock (ReactOS NDK, ketypes.h: LOCK_QUEUE_WAIT, _OWNER). */
#define LOCK_WAIT 1u
#define LOCK_OWNER 2u
#define LOCK_BITS 3u

/* A member of KPRCB by its names, the newest last to be tried. */
static const struct {
    size_t row;
    const char *names[SPELLINGS];
} specs[] = {
    {ROW(cr3), {"ProcessorState.SpecialRegisters.Cr3", "ProcessorState.ArchState.Ttbr0_El1"}},
    {ROW(cr8), {"ProcessorState.SpecialRegisters.Cr8"}},
    {ROW(kernel_time), {"KernelTime"}},
    {ROW(user_time), {"UserTime"}},
    {ROW(dpc_time), {"DpcTime"}},
    {ROW(interrupt_time), {"InterruptTime"}},
    {ROW(interrupt_count), {"InterruptCount"}},
    {ROW(dpc_routine_active), {"DpcRoutineActive"}},
    {ROW(dpc_thread_active), {"DpcThreadActive"}},
    {ROW(dpc_interrupt_requested), {"DpcInterruptRequested", "DpcNormalProcessingRequested"}},
    {ROW(dpc_request_summary), {"DpcRequestSummary"}},
    {ROW(quantum_end), {"QuantumEnd"}},
    {ROW(dpc_queue_depth), {"DpcQueueDepth"}},
    {ROW(dpc_count), {"DpcCount"}},
    {ROW(dpc_last_count), {"DpcLastCount"}},
    {ROW(dpc_request_rate), {"DpcRequestRate"}},
    {ROW(dpc_queue_depth_max), {"MaximumDpcQueueDepth"}},
    {ROW(dpc_rate_min), {"MinimumDpcRate"}},
    {ROW(dpc_time_count), {"DpcTimeCount"}},
    {ROW(dpc_time_limit), {"DpcTimeLimit", "DpcTimeLimitTicks"}},
    {ROW(dpc_watchdog_count), {"DpcWatchdogCount"}},
    {ROW(dpc_watchdog_period), {"DpcWatchdogPeriod", "DpcWatchdogPeriodTicks"}},
    {ROW(current_routine), {"CurrentDpcRoutine"}},
    {ROW(group), {"Group"}},
    {ROW(group_index), {"GroupIndex"}},
    {ROW(family), {"CpuType"}},
    {ROW(ipi_frozen), {"IpiFrozen"}},
    {ROW(ready_summary), {"ReadySummary"}},
};
#define SPECS (sizeof(specs) / sizeof(specs[0]))

/* Members of DpcData, an array of two: normal DPCs and threaded ones. Server 2003 and later. */
static const struct {
    size_t normal, threaded;
    const char *name;
} queues[] = {{ROW(dpc_queue_depth), ROW(threaded_queue_depth), "DpcQueueDepth"},
              {ROW(dpc_count), ROW(threaded_count), "DpcCount"}};

/* wdm.h, and before Windows 7 the names that !qlocks shows. NULL: a spare number. */
static const struct {
    const char *now, *before;
} lock_names[] = {{NULL, "Dispatcher"},
                  {NULL, "Expansion"},
                  {NULL, "Pfn"},
                  {NULL, "SystemSpace"},
                  {"Vacb", "Vacb"},
                  {"Master", "Master"},
                  {"NonPagedPool", "NonPagedPool"},
                  {"IoCancel", "IoCancel"},
                  {NULL, "WorkQueue"},
                  {"IoVpb", "IoVpb"},
                  {"IoDatabase", "IoDatabase"},
                  {"IoCompletion", "IoCompletion"},
                  {"NtfsStruct", "NtfsStruct"},
                  {"AfdWorkQueue", "AfdWorkQueue"},
                  {"Bcb", "Bcb"},
                  {NULL, "MmNonPagedPool"}};

struct ds_nt_processor_details {
    bool have_details, have_locks;
    struct ds_processor_detail *rows; /* owned */
    struct ds_queued_lock *lock_rows; /* owned */
    size_t lock_cap;
    struct ds_queued_locks locks;
};

struct reader {
    struct ds_nt *nt;
    struct ds_field fields[SPECS];
    enum ds_status status[SPECS];
    struct ds_field pcr, pcr_irql, self, saved_irql, step, locks, data;
    enum ds_status pcr_status, pcr_irql_status, self_status, saved_status, step_status;
    enum ds_status locks_status, data_status;
    uint32_t data_size, lock_size;
    bool crashed;
    struct ds_opt crash_thread; /* the one that called KeBugCheckEx */
    uint64_t tick;              /* 100 ns; 0 when unknown */
};

static struct ds_opt *slot(struct ds_processor_detail *d, size_t row)
{
    return (struct ds_opt *)(void *)((char *)d + row);
}

/* On x86 KPCR.Prcb is a pointer, elsewhere the KPRCB itself. */
static enum ds_status prcb_in_pcr(const struct ds_target *t, struct ds_field *ret)
{
    const char *name = t->arch == DS_ARCH_X86 ? "PrcbData" : "Prcb";
    return ds_target_member(t, "_KPCR", name, ret, NULL);
}

static void reader_init(struct reader *r, struct ds_nt *nt)
{
    const struct ds_target *t = nt->target;
    const char *prcb = "_KPRCB", *unused;
    *r = (struct reader){.nt = nt};
    for (size_t i = 0; i < SPECS; i++) {
        r->status[i] = DS_NO_FIELD;
        for (size_t j = 0; j < SPELLINGS && specs[i].names[j] != NULL; j++)
            if (r->status[i] != DS_OK)
                r->status[i] = ds_target_member(t, prcb, specs[i].names[j], &r->fields[i], NULL);
    }
    r->pcr_status = prcb_in_pcr(t, &r->pcr);
    r->pcr_irql_status = ds_target_member(t, "_KPCR", "Irql", &r->pcr_irql, NULL);
    r->self_status =
        ds_target_member(t, "_KPCR", t->arch == DS_ARCH_X86 ? "SelfPcr" : "Self", &r->self, NULL);
    r->saved_status = ds_target_member(t, prcb, "DebuggerSavedIRQL", &r->saved_irql, NULL);
    r->step_status = ds_target_member(t, prcb, "CpuStep", &r->step, NULL);
    r->locks_status = ds_target_member(t, prcb, "LockQueue", &r->locks, NULL);
    if (r->locks_status == DS_OK)
        r->locks_status = ds_target_size(t, "_KSPIN_LOCK_QUEUE", &r->lock_size);
    r->data_status = ds_target_member(t, prcb, "DpcData", &r->data, NULL);
    if (r->data_status == DS_OK)
        r->data_status = ds_target_size(t, "_KDPC_DATA", &r->data_size);
    r->crashed = ds_live_by_header(ds_dump_header(t->dump), &unused).known &&
                 ds_live_by_header(ds_dump_header(t->dump), &unused).value == 0 &&
                 ds_opt_or(ds_dump_header(t->dump)->bugcheck_code, 0) != 0;
    r->crash_thread = ds_nt_fault(nt)->current_thread;
    r->tick = ds_nt_tick_length(nt, NULL);
}

static struct ds_opt milliseconds(const struct reader *r, struct ds_opt ticks)
{
    uint64_t x;
    if (!ticks.known)
        return ticks;
    if (r->tick == 0)
        return ds_opt_unknown(DS_NO_SYMBOL);
    return __builtin_mul_overflow(ticks.value, r->tick, &x) ? ds_opt_unknown(DS_CORRUPT)
                                                            : ds_opt_known(x / 10000);
}

/* A KPCR says where it is; where that is another place, this is not one. */
static struct ds_opt pcr_of(const struct reader *r, uint64_t prcb)
{
    if (r->pcr_status != DS_OK || prcb < r->pcr.offset)
        return ds_opt_unknown(r->pcr_status != DS_OK ? r->pcr_status : DS_CORRUPT);
    uint64_t pcr = prcb - r->pcr.offset;
    struct ds_opt self = r->self_status == DS_OK
                             ? ds_target_read_member(r->nt->target, pcr, &r->self)
                             : ds_opt_unknown(r->self_status);
    return self.known && self.value != 0 && self.value != pcr ? ds_opt_unknown(DS_CORRUPT)
                                                              : ds_opt_known(pcr);
}

/*
 * A bugcheck saves the IRQL that was; CR8 and KPCR.Irql are then those of the freezing. Processors
 * that were merely frozen need not have saved any: a zero of theirs says nothing. Of a system that
 * went on running only KPCR.Irql (x86) says anything.
 */
static void read_irql(const struct reader *r, const struct ds_processor *p,
                      struct ds_processor_detail *d)
{
    const struct ds_target *t = r->nt->target;
    uint64_t prcb = p->prcb.value;
    d->irql = ds_opt_unknown(r->crashed ? r->saved_status : DS_OK);
    if (r->crashed && r->saved_status == DS_OK)
        d->irql = ds_target_read_member(t, prcb, &r->saved_irql);
    if (d->irql.known && d->irql.value == 0 &&
        (!r->crash_thread.known || ds_opt_or(p->current_thread, 0) != r->crash_thread.value))
        d->irql = ds_opt_unknown(DS_NOT_FOUND);
    d->irql_source = "KPRCB.DebuggerSavedIRQL";
    if (!d->irql.known && t->arch == DS_ARCH_X86 && d->pcr.known && r->pcr_irql_status == DS_OK) {
        d->irql = ds_target_read_member(t, d->pcr.value, &r->pcr_irql);
        d->irql_source = "KPCR.Irql";
    }
    if (d->irql.known && d->irql.value > (t->arch == DS_ARCH_X86 ? 31u : 15u))
        d->irql = ds_opt_unknown(DS_CORRUPT);
    if (!d->irql.known)
        d->irql_source = NULL;
}

/* CpuStep is the model above the stepping (ntddk.h, PROCESSOR_ARCHITECTURE_INTEL). */
static void read_model(const struct reader *r, uint64_t prcb, struct ds_processor_detail *d)
{
    const struct ds_target *t = r->nt->target;
    d->model = d->stepping = ds_opt_unknown(r->step_status);
    if (t->arch != DS_ARCH_X86 && t->arch != DS_ARCH_X64)
        d->family = d->model = d->stepping = ds_opt_unknown(DS_NO_FIELD);
    else if (r->step_status == DS_OK) {
        struct ds_opt step = ds_target_read_member(t, prcb, &r->step);
        d->model = step.known ? ds_opt_known(step.value >> 8 & 0xff) : step;
        d->stepping = step.known ? ds_opt_known(step.value & 0xff) : step;
    }
}

static void read_queues(const struct reader *r, uint64_t prcb, struct ds_processor_detail *d)
{
    const struct ds_target *t = r->nt->target;
    d->threaded_queue_depth = d->threaded_count = ds_opt_unknown(r->data_status);
    if (r->data_status != DS_OK)
        return;
    uint64_t data = prcb + r->data.offset;
    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        *slot(d, queues[i].normal) = ds_target_field(t, data, "_KDPC_DATA", queues[i].name);
        *slot(d, queues[i].threaded) =
            ds_target_field(t, data + r->data_size, "_KDPC_DATA", queues[i].name);
    }
}

/* CurrentDpcRoutine is of Windows 10 20H1 and later; Windows 8.1 and later have ActiveDpc. */
static void read_running(const struct reader *r, uint64_t prcb, struct ds_processor_detail *d)
{
    const struct ds_target *t = r->nt->target;
    d->active_dpc = ds_opt_unknown(r->data_status);
    if (r->data_status == DS_OK)
        d->active_dpc = ds_target_field(t, prcb + r->data.offset, "_KDPC_DATA", "ActiveDpc");
    if (!d->current_routine.known && d->active_dpc.known)
        d->current_routine = d->active_dpc.value == 0 ? ds_opt_known(0)
                                                      : ds_target_field(t, d->active_dpc.value,
                                                                        "_KDPC", "DeferredRoutine");
}

static struct ds_opt node_of(const struct reader *r, uint64_t prcb)
{
    const struct ds_target *t = r->nt->target;
    struct ds_opt node = ds_target_field(t, prcb, "_KPRCB", "ParentNode");
    if (!node.known || !ds_target_is_kernel_va(t, node.value))
        return ds_opt_unknown(node.known ? DS_CORRUPT : node.why);
    return ds_target_field(t, node.value, "_KNODE", "NodeNumber");
}

/* How many entries the array has; 0 when that is not known. */
static size_t lock_count(const struct reader *r)
{
    if (r->locks_status != DS_OK || r->lock_size == 0)
        return 0;
    size_t count = r->locks.size / r->lock_size;
    return count < DS_LOCK_QUEUES_MAX ? count : DS_LOCK_QUEUES_MAX;
}

static struct ds_opt lock_at(const struct reader *r, uint64_t prcb, size_t i, const char *member)
{
    return ds_target_field(r->nt->target, prcb + r->locks.offset + i * r->lock_size,
                           "_KSPIN_LOCK_QUEUE", member);
}

static void read_locks(const struct reader *r, uint64_t prcb, struct ds_processor_detail *d)
{
    char text[DS_LOCK_QUEUES_MAX];
    size_t count = lock_count(r);
    uint64_t held = 0, waited = 0;
    d->locks_held = d->locks_waited = ds_opt_unknown(r->locks_status);
    for (size_t i = 0; i < count; i++) {
        struct ds_opt lock = lock_at(r, prcb, i, "Lock");
        if (!lock.known) {
            d->locks_held = d->locks_waited = lock;
            return;
        }
        bool owner = (lock.value & LOCK_OWNER) != 0, wait = (lock.value & LOCK_WAIT) != 0;
        text[i] = owner ? 'O' : wait ? 'W' : '.';
        held += owner;
        waited += wait && !owner;
    }
    if (count == 0)
        return;
    d->queued_locks = ds_arena_strdup(&r->nt->arena, text, count);
    d->locks_held = ds_opt_known(held);
    d->locks_waited = ds_opt_known(waited);
}

static void read_one(const struct reader *r, const struct ds_processor *p,
                     struct ds_processor_detail *d)
{
    const struct ds_target *t = r->nt->target;
    struct ds_opt unknown = ds_opt_unknown(p->prcb.why);
    uint64_t prcb = p->prcb.value;
    d->pcr = d->idle = d->irql = d->node = d->model = d->stepping = unknown;
    d->threaded_queue_depth = d->threaded_count = d->active_dpc = unknown;
    d->locks_held = d->locks_waited = unknown;
    for (size_t i = 0; i < SPECS; i++) {
        struct ds_opt *out = slot(d, specs[i].row);
        *out = !p->prcb.known          ? unknown
               : r->status[i] == DS_OK ? ds_target_read_member(t, prcb, &r->fields[i])
                                       : ds_opt_unknown(r->status[i]);
    }
    if (p->prcb.known) {
        d->pcr = pcr_of(r, prcb);
        d->idle = !p->current_thread.known ? p->current_thread : p->idle_thread;
        if (d->idle.known)
            d->idle = ds_opt_known(p->current_thread.value == p->idle_thread.value);
        if (d->cr3.known && d->cr3.value == 0) /* no state was saved: page tables are never at 0 */
            d->cr3 = d->cr8 = ds_opt_unknown(DS_NOT_FOUND);
        read_irql(r, p, d);
        read_model(r, prcb, d);
        read_queues(r, prcb, d);
        read_running(r, prcb, d);
        d->node = node_of(r, prcb);
        read_locks(r, prcb, d);
    }
    d->kernel_time_ms = milliseconds(r, d->kernel_time);
    d->user_time_ms = milliseconds(r, d->user_time);
    d->dpc_time_ms = milliseconds(r, d->dpc_time);
    d->interrupt_time_ms = milliseconds(r, d->interrupt_time);
}

static struct ds_nt_processor_details *keeper(struct ds_nt *nt)
{
    if (nt->processor_details == NULL)
        nt->processor_details = calloc(1, sizeof(*nt->processor_details));
    return nt->processor_details;
}

const struct ds_processor_detail *ds_nt_processor_details(struct ds_nt *nt)
{
    const struct ds_processors *cpus = ds_nt_processors(nt);
    struct ds_nt_processor_details *keep = keeper(nt);
    struct reader r;
    if (keep == NULL || keep->have_details || cpus->count == 0)
        return keep != NULL ? keep->rows : NULL;
    keep->have_details = true;
    keep->rows = ds_alloc_array(cpus->count, sizeof(*keep->rows));
    if (keep->rows == NULL)
        return NULL;
    reader_init(&r, nt);
    for (size_t i = 0; i < cpus->count; i++)
        read_one(&r, &cpus->rows[i], &keep->rows[i]);
    return keep->rows;
}

/* ---- queued spin locks ---- */

static const char *lock_name(const struct reader *r, size_t number)
{
    struct ds_opt build = r->nt->target->build;
    size_t named = sizeof(lock_names) / sizeof(lock_names[0]);
    if (!build.known)
        return NULL;
    if (number < named)
        return build.value < BUILD_WINDOWS_7 ? lock_names[number].before : lock_names[number].now;
    return number > named && build.value < BUILD_WINDOWS_7 ? "TimerTable" : NULL;
}

static void add_lock(const struct reader *r, struct ds_nt_processor_details *keep,
                     const struct ds_processor *p, size_t i, uint64_t lock)
{
    void *array = keep->lock_rows;
    size_t most = DS_ROWS_MAX(struct ds_queued_lock, DS_LIMIT_PROCESSORS * DS_LOCK_QUEUES_MAX);
    if (!ds_array_reserve(&array, &keep->lock_cap, keep->locks.count + 1, sizeof(*keep->lock_rows),
                          most)) {
        ds_walk_stop(&keep->locks.walk, keep->locks.count >= most ? DS_LIMIT : DS_NO_MEMORY,
                     p->prcb, "");
        return;
    }
    keep->lock_rows = array;
    keep->lock_rows[keep->locks.count++] =
        (struct ds_queued_lock){.processor = p->number,
                                .number = (uint32_t)i,
                                .name = lock_name(r, i),
                                .lock = lock & ~(uint64_t)LOCK_BITS,
                                .held = (lock & LOCK_OWNER) != 0,
                                .next = lock_at(r, p->prcb.value, i, "Next")};
}

static void walk_locks(const struct reader *r, struct ds_nt_processor_details *keep)
{
    const struct ds_processors *cpus = ds_nt_processors(r->nt);
    size_t count = lock_count(r);
    if (count == 0)
        ds_walk_stop(&keep->locks.walk, r->locks_status != DS_OK ? r->locks_status : DS_NO_FIELD,
                     ds_opt_unknown(DS_OK), "_KPRCB.LockQueue");
    for (size_t p = 0; p < cpus->count && count != 0; p++)
        for (size_t i = 0; i < count; i++) {
            struct ds_opt prcb = cpus->rows[p].prcb;
            struct ds_opt lock =
                prcb.known ? lock_at(r, prcb.value, i, "Lock") : ds_opt_unknown(prcb.why);
            if (!lock.known) {
                ds_walk_stop(&keep->locks.walk, lock.why, prcb, "a KPRCB cannot be read");
                break;
            }
            if ((lock.value & LOCK_BITS) != 0)
                add_lock(r, keep, &cpus->rows[p], i, lock.value);
        }
}

const struct ds_queued_locks *ds_nt_queued_locks(struct ds_nt *nt)
{
    static const struct ds_queued_locks none = {
        .walk = {.table_name = "queued_locks", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    const struct ds_processors *cpus = ds_nt_processors(nt);
    struct ds_nt_processor_details *keep = keeper(nt);
    struct reader r;
    if (keep == NULL)
        return &none;
    if (keep->have_locks)
        return &keep->locks;
    keep->have_locks = true;
    keep->locks.walk = cpus->walk;
    keep->locks.walk.table_name = "queued_locks";
    if (cpus->count != 0) {
        reader_init(&r, nt);
        walk_locks(&r, keep);
    }
    keep->locks.rows = keep->lock_rows;
    keep->locks.walk.rows = keep->locks.count;
    return &keep->locks;
}

void ds_nt_processor_details_free(struct ds_nt_processor_details *d)
{
    if (d != NULL) {
        free(d->rows);
        free(d->lock_rows);
        free(d);
    }
}
