/* What the table of threads says beyond who is there. */
#include <stddef.h>
#include <stdlib.h>

#include "base/text.h"
#include "nt/details_impl.h"
#include "nt/ticks.h"

#define ROW(member) offsetof(struct ds_thread_detail, member)

static const struct ds_member_spec specs[] = {
    {"_KTHREAD", "WaitMode", ROW(wait_mode)},
    {"_KTHREAD", "Alertable", ROW(alertable)},
    {"_KTHREAD", "FreezeCount", ROW(freeze_count)},
    {"_KTHREAD", "PriorityDecrement", ROW(priority_decrement)},
    {"_ETHREAD", "ThreadIoPriority", ROW(io_priority)},
    {"_ETHREAD", "ThreadPagePriority", ROW(page_priority)},
    {"_KTHREAD", "KernelTime", ROW(kernel_time)},
    {"_KTHREAD", "UserTime", ROW(user_time)},
    {"_KTHREAD", "IdealProcessor", ROW(ideal_processor)},
    {"_KTHREAD", "NextProcessor", ROW(last_processor)},
    {"_ETHREAD", "Win32StartAddress", ROW(win32_start_address)},
    {"_ETHREAD", "CreateTime", ROW(create_time)},
    {"_ETHREAD", "ExitTime", ROW(exit_time)},
    {"_ETHREAD", "ActiveImpersonationInfo", ROW(impersonating)},
};

struct reader {
    struct ds_nt *nt;
    struct ds_member_set set;
    struct ds_field number, lpc_valid, irps, name;
    struct ds_field control_base, control_limit;
    enum ds_status control_status;
    enum ds_status number_status, lpc_status, irps_status, name_status;
    uint64_t tick; /* 100 ns; 0 when unknown */
    struct ds_opt now;
};

static void reader_init(struct reader *r, struct ds_nt *nt)
{
    const struct ds_target *t = nt->target;
    *r = (struct reader){.nt = nt};
    ds_members_resolve(&r->set, t, specs, sizeof(specs) / sizeof(specs[0]));
    r->number_status = ds_target_member(t, "_KTHREAD", "NextProcessorNumber", &r->number, NULL);
    r->lpc_status = ds_target_member(t, "_ETHREAD", "LpcReceivedMsgIdValid", &r->lpc_valid, NULL);
    r->irps_status = ds_target_member(t, "_ETHREAD", "IrpList", &r->irps, NULL);
    r->name_status = ds_target_member(t, "_ETHREAD", "ThreadName", &r->name, NULL);
    r->control_status = ds_target_member(t, "_KSTACK_CONTROL", "StackBase", &r->control_base, NULL);
    if (r->control_status == DS_OK)
        r->control_status =
            ds_target_member(t, "_KSTACK_CONTROL", "ActualLimit", &r->control_limit, NULL);
    r->tick = ds_nt_tick_length(nt, NULL);
    r->now = ds_nt_tick_count(nt);
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

/* KTHREAD.WaitTime has 32 bits, and so has the difference. One from the future is no time. */
static struct ds_opt wait_age(const struct reader *r, struct ds_opt since)
{
    if (!since.known || !r->now.known)
        return since.known ? r->now : since;
    uint32_t age = (uint32_t)r->now.value - (uint32_t)since.value;
    return age <= INT32_MAX ? ds_opt_known(age) : ds_opt_unknown(DS_CORRUPT);
}

static bool count_one(uint64_t entry, void *arg)
{
    (void)entry;
    (void)arg;
    return true;
}

static struct ds_opt irp_count(const struct reader *r, uint64_t ethread)
{
    if (r->irps_status != DS_OK)
        return ds_opt_unknown(r->irps_status);
    struct ds_walk_end end = ds_walk_list(r->nt->target->kernel, ethread + r->irps.offset,
                                          DS_LIMIT_THREAD_IRPS, count_one, NULL, NULL);
    return end.status == DS_OK ? ds_opt_known(end.count) : ds_opt_unknown(end.status);
}

static const char *thread_name(const struct reader *r, uint64_t ethread)
{
    if (r->name_status != DS_OK)
        return NULL;
    struct ds_opt at = ds_target_read_member(r->nt->target, ethread, &r->name);
    return at.known && at.value != 0 ? ds_nt_ustring(r->nt, at.value) : NULL;
}

/* Where a running thread's stack pointer is: in the context of its processor, if that lies there.
 */
static struct ds_opt running_sp(struct ds_nt *nt, const struct ds_thread *th)
{
    const struct ds_processors *cpus = ds_nt_processors(nt);
    for (size_t i = 0; i < cpus->count; i++) {
        const struct ds_processor *p = &cpus->rows[i];
        if (p->current_thread.known && p->current_thread.value == th->ethread && p->has_context)
            return ds_opt_known(p->context.sp);
    }
    return ds_opt_unknown(DS_OK);
}

/*
 * How far down the stack may grow: a control block at its top says so (public symbols,
 * _KSTACK_CONTROL), when it is that of this stack. Unknown otherwise.
 */
static struct ds_opt growth_limit(const struct reader *r, const struct ds_thread *th)
{
    const struct ds_target *t = r->nt->target;
    if (r->control_status != DS_OK || !th->initial_stack.known ||
        th->initial_stack.value >= th->stack_base.value ||
        th->stack_base.value - th->initial_stack.value > 0x1000)
        return ds_opt_unknown(DS_NOT_FOUND);
    struct ds_opt base = ds_target_read_member(t, th->initial_stack.value, &r->control_base);
    struct ds_opt low = ds_target_read_member(t, th->initial_stack.value, &r->control_limit);
    if (!base.known || !low.known || base.value != th->stack_base.value)
        return ds_opt_unknown(DS_NOT_FOUND);
    low.value &= ~(uint64_t)0xfff; /* its lowest bit is StackExpansion */
    bool fits = low.value < th->stack_limit.value &&
                th->stack_base.value - low.value <= DS_LIMIT_STACK_BYTES;
    return fits ? low : ds_opt_unknown(DS_NOT_FOUND);
}

/* Where the pointer of the crash's thread is, when its processor's context is not to be had. */
static struct ds_opt fault_sp(struct ds_nt *nt, uint64_t ethread)
{
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    bool its = f->current_thread.known && f->current_thread.value == ethread &&
               f->chosen < f->context_count;
    return its ? ds_opt_known(f->contexts[f->chosen].context.sp) : ds_opt_unknown(DS_OK);
}

static void stack_extent(const struct reader *r, const struct ds_thread *th,
                         struct ds_thread_detail *d)
{
    struct ds_opt unknown = ds_opt_unknown(DS_OK);
    d->stack_size = d->stack_used = d->stack_free = unknown;
    if (!th->stack_base.known || !th->stack_limit.known) {
        d->stack_size = th->stack_base.known ? th->stack_limit : th->stack_base;
        return;
    }
    uint64_t base = th->stack_base.value, limit = th->stack_limit.value;
    if (base <= limit || base - limit > DS_LIMIT_STACK_BYTES) {
        d->stack_size = ds_opt_unknown(DS_CORRUPT);
        return;
    }
    d->stack_size = ds_opt_known(base - limit);
    struct ds_opt sp = th->kernel_stack;
    if (ds_opt_or(th->state, DS_THREAD_RUNNING) == DS_THREAD_RUNNING)
        sp = running_sp(r->nt, th);
    if (!sp.known && ds_opt_or(th->state, 0) == DS_THREAD_RUNNING)
        sp = fault_sp(r->nt, th->ethread);
    if (sp.known && sp.value > limit && sp.value <= base) {
        d->stack_used = ds_opt_known(base - sp.value);
        d->stack_free = ds_opt_known(sp.value - ds_opt_or(growth_limit(r, th), limit));
    }
}

static void read_one(const struct reader *r, const struct ds_thread *th, struct ds_thread_detail *d)
{
    const struct ds_target *t = r->nt->target;
    ds_members_read(&r->set, t, th->ethread, d);
    if (r->number_status == DS_OK)
        d->last_processor = ds_target_read_member(t, th->ethread, &r->number);
    /* To Server 2003 the member is shared with the id of the LPC message that was received. */
    if (r->lpc_status == DS_OK && d->win32_start_address.known) {
        struct ds_opt lpc = ds_target_read_member(t, th->ethread, &r->lpc_valid);
        if (!lpc.known || lpc.value != 0)
            d->win32_start_address = ds_opt_unknown(lpc.why);
    }
    d->kernel_time_ms = milliseconds(r, d->kernel_time);
    d->user_time_ms = milliseconds(r, d->user_time);
    d->wait_age_ticks = wait_age(r, th->wait_time_ticks);
    d->wait_age_ms = milliseconds(r, d->wait_age_ticks);
    d->irp_count = irp_count(r, th->ethread);
    d->name = thread_name(r, th->ethread);
    stack_extent(r, th, d);
}

const struct ds_thread_detail *ds_nt_thread_details(struct ds_nt *nt)
{
    const struct ds_threads *threads = ds_nt_threads(nt);
    struct ds_nt_details *keep = ds_nt_details_get(nt);
    struct reader r;
    if (keep == NULL || keep->have_threads || threads->count == 0)
        return keep != NULL ? keep->threads : NULL;
    keep->have_threads = true;
    keep->threads = ds_alloc_array(threads->count, sizeof(*keep->threads));
    if (keep->threads == NULL)
        return NULL;
    reader_init(&r, nt);
    for (size_t i = 0; i < threads->count; i++)
        read_one(&r, &threads->rows[i], &keep->threads[i]);
    return keep->threads;
}
