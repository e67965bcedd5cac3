/* Which stack a stack pointer is on. */
#include "nt/impl.h"

#include "base/bytes.h"

/* Kernel stacks: 24 KB on x64 and ARM64, 12 KB on 32-bit systems (WDD, "Using the Kernel Stack"
 * and KERNEL_STACK_SIZE of wdm.h). DPC, interrupt and exception stacks are no larger. */
static uint64_t stack_size(const struct ds_target *t)
{
    return t->pointer_size == 8 ? 0x6000 : 0x3000;
}

/* Takes the stack that ends at `top`, if sp lies on it and no nearer end was found. */
static void consider(const struct ds_target *t, struct ds_stack_place *place, uint64_t sp,
                     struct ds_opt top, const char *kind)
{
    bool on = top.known && top.value != 0 && sp < top.value && top.value - sp <= stack_size(t);
    if (on && (place->kind == NULL || top.value < place->limit)) {
        place->kind = kind;
        place->limit = top.value;
    }
}

/* Vectors that x64 Windows gives a stack of their own (Intel SDM volume 3, "Interrupt Stack
 * Table"; WDD, "!idt" shows which). */
static const struct {
    unsigned vector;
    const char *kind;
} exception_stacks[] = {{2, "NMI stack"},
                        {8, "double-fault stack"},
                        {18, "machine-check stack"},
                        {1, "debug-trap stack"}};

/* The stacks that the processor itself switches to: from the gate's index into the TSS. */
static void consider_exceptions(const struct ds_target *t, struct ds_stack_place *place,
                                uint64_t sp, uint64_t prcb)
{
    struct ds_field in_pcr, ist;
    if (t->arch != DS_ARCH_X64 || ds_target_member(t, "_KPCR", "Prcb", &in_pcr, NULL) != DS_OK ||
        ds_target_member(t, "_KTSS64", "Ist", &ist, NULL) != DS_OK || prcb < in_pcr.offset) {
        return;
    }
    struct ds_opt idt = ds_target_field(t, prcb - in_pcr.offset, "_KPCR", "IdtBase");
    struct ds_opt tss = ds_target_field(t, prcb - in_pcr.offset, "_KPCR", "TssBase");
    if (!idt.known || !tss.known) {
        return;
    }
    for (size_t i = 0; i < sizeof(exception_stacks) / sizeof(exception_stacks[0]); i++) {
        uint64_t gate, top;
        uint64_t at = idt.value + (uint64_t)exception_stacks[i].vector * 16 + 4;
        if (ds_space_read_uint(t->kernel, at, 1, &gate, NULL) == DS_OK && (gate & 7) != 0 &&
            ds_space_read_uint(t->kernel, tss.value + ist.offset + (gate & 7) * 8, 8, &top, NULL) ==
                DS_OK) {
            consider(t, place, sp, ds_opt_known(top), exception_stacks[i].kind);
        }
    }
}

static void consider_processors(struct ds_nt *nt, struct ds_stack_place *place, uint64_t sp)
{
    const struct ds_processors *p = ds_nt_processors(nt);
    for (size_t i = 0; i < p->count; i++) {
        if (!p->rows[i].prcb.known) {
            continue;
        }
        uint64_t prcb = p->rows[i].prcb.value;
        consider(nt->target, place, sp, ds_target_field(nt->target, prcb, "_KPRCB", "DpcStack"),
                 "DPC stack");
        consider(nt->target, place, sp, ds_target_field(nt->target, prcb, "_KPRCB", "IsrStack"),
                 "interrupt stack");
        consider_exceptions(nt->target, place, sp, prcb);
    }
}

static struct ds_opt thread_field(struct ds_nt *nt, uint64_t thread, const char *member)
{
    return ds_target_field(nt->target, thread, "_KTHREAD", member);
}

/*
 * KeExpandKernelStackAndCallout gives a thread another stack for the time of a call; a control
 * block at its top keeps the one before (public symbols, _KSTACK_CONTROL).
 */
static bool on_expanded(struct ds_nt *nt, uint64_t thread, uint64_t sp, bool on_current,
                        struct ds_stack_place *place)
{
    static const char type[] = "_KSTACK_CONTROL";
    struct ds_opt control = thread_field(nt, thread, "InitialStack");
    if (!control.known) {
        return false;
    }
    struct ds_opt base = ds_target_field(nt->target, control.value, type, "Previous.StackBase");
    struct ds_opt low = ds_target_field(nt->target, control.value, type, "Previous.StackLimit");
    if (!base.known || !low.known || low.value >= base.value ||
        !ds_target_is_kernel_va(nt->target, low.value)) {
        return false;
    }
    if (on_current) {
        place->kind = "expanded thread stack";
        return true;
    }
    if (sp < low.value || sp >= base.value) {
        return false;
    }
    place->kind = "thread stack below an expanded one";
    place->limit = base.value;
    return true;
}

static bool on_thread(struct ds_nt *nt, struct ds_opt thread, uint64_t sp, const char *kind,
                      struct ds_stack_place *place)
{
    if (!thread.known) {
        return false;
    }
    struct ds_opt base = thread_field(nt, thread.value, "StackBase");
    struct ds_opt low = thread_field(nt, thread.value, "StackLimit");
    bool on = base.known && low.known && sp >= low.value && sp < base.value;
    if (on) {
        place->kind = kind;
        place->limit = base.value;
    }
    return on_expanded(nt, thread.value, sp, on, place) || on;
}

/* The stacks of the threads that processors were running. */
static bool on_running_thread(struct ds_nt *nt, uint64_t sp, struct ds_stack_place *place)
{
    const struct ds_processors *p = ds_nt_processors(nt);
    for (size_t i = 0; i < p->count; i++) {
        if (on_thread(nt, p->rows[i].idle_thread, sp, "idle thread stack", place) ||
            on_thread(nt, p->rows[i].current_thread, sp, "stack of another processor's thread",
                      place)) {
            return true;
        }
    }
    return false;
}

static bool is_idle(struct ds_nt *nt, struct ds_opt thread)
{
    const struct ds_processors *p = ds_nt_processors(nt);
    for (size_t i = 0; i < p->count; i++) {
        if (thread.known && p->rows[i].idle_thread.known &&
            p->rows[i].idle_thread.value == thread.value) {
            return true;
        }
    }
    return false;
}

bool ds_stack_find_on(struct ds_nt *nt, struct ds_opt thread, uint64_t sp,
                      struct ds_stack_place *ret)
{
    struct ds_stack_place place = {.known = true};
    const char *kind = is_idle(nt, thread) ? "idle thread stack" : "thread stack";
    if (!on_thread(nt, thread, sp, kind, &place)) {
        return false;
    }
    *ret = place;
    return true;
}

struct ds_stack_place ds_stack_find(struct ds_nt *nt, uint64_t sp)
{
    struct ds_stack_place place = {.known = true};
    const struct ds_triage *tr = ds_dump_triage(nt->target->dump);
    if (nt->target->kernel != NULL) {
        if (ds_stack_find_on(nt, nt->fault.current_thread, sp, &place)) {
            return place;
        }
        consider_processors(nt, &place, sp);
        if (place.kind != NULL || on_running_thread(nt, sp, &place)) {
            return place;
        }
    }
    if (tr != NULL && tr->call_stack.size != 0 && tr->top_of_stack.known &&
        sp - tr->top_of_stack.value < tr->call_stack.size) {
        place.kind = "captured stack";
        place.limit = tr->top_of_stack.value + tr->call_stack.size;
        return place;
    }
    uint64_t size = stack_size(nt->target);
    place.kind = "unknown stack";
    place.known = false;
    place.limit = sp > UINT64_MAX - size ? UINT64_MAX : sp + size;
    return place;
}
