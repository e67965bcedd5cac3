/* Which stack a stack pointer is on, and the scans of the fault's and the bugcheck's stack. */
#include <stdio.h>
#include <string.h>

#include "nt/impl.h"

/* Kernel stacks: 24 KB on x64 and ARM64, 12 KB on 32-bit systems (WDD, "Using the Kernel Stack"
 * and KERNEL_STACK_SIZE of wdm.h). DPC and interrupt stacks are no larger. */
static uint64_t stack_size(const struct ds_target *t)
{
    return t->pointer_size == 8 ? 0x6000 : 0x3000;
}

/* Whether sp lies on the stack that ends at the address in a KPRCB member. */
static bool on_prcb_stack(struct ds_nt *nt, const struct ds_processor *p, const char *member,
                          uint64_t sp, uint64_t *limit)
{
    struct ds_opt top = ds_target_field(nt->target, p->prcb.value, "_KPRCB", member);
    if (!top.known || top.value == 0 || sp >= top.value ||
        top.value - sp > stack_size(nt->target)) {
        return false;
    }
    *limit = top.value;
    return true;
}

static bool on_processor_stack(struct ds_nt *nt, uint64_t sp, struct ds_stack_place *place)
{
    const struct ds_processors *p = ds_nt_processors(nt);
    for (size_t i = 0; i < p->count; i++) {
        if (!p->rows[i].prcb.known) {
            continue;
        }
        if (on_prcb_stack(nt, &p->rows[i], "DpcStack", sp, &place->limit)) {
            place->kind = "DPC stack";
            return true;
        }
        if (on_prcb_stack(nt, &p->rows[i], "IsrStack", sp, &place->limit)) {
            place->kind = "interrupt stack";
            return true;
        }
    }
    return false;
}

static bool on_thread_stack(struct ds_nt *nt, struct ds_opt thread, uint64_t sp, uint64_t *limit)
{
    if (!thread.known || nt->target->kernel == NULL) {
        return false;
    }
    struct ds_opt base = ds_target_field(nt->target, thread.value, "_KTHREAD", "StackBase");
    struct ds_opt low = ds_target_field(nt->target, thread.value, "_KTHREAD", "StackLimit");
    if (!base.known || !low.known || sp < low.value || sp >= base.value) {
        return false;
    }
    *limit = base.value;
    return true;
}

struct ds_stack_place ds_stack_find(struct ds_nt *nt, uint64_t sp)
{
    struct ds_stack_place place = {.kind = "unknown stack", .known = true};
    const struct ds_triage *tr = ds_dump_triage(nt->target->dump);
    if (on_thread_stack(nt, nt->fault.current_thread, sp, &place.limit)) {
        place.kind = "thread stack";
        return place;
    }
    if (nt->target->kernel != NULL && on_processor_stack(nt, sp, &place)) {
        return place;
    }
    if (tr != NULL && tr->call_stack.size != 0 && tr->top_of_stack.known &&
        sp - tr->top_of_stack.value < tr->call_stack.size) {
        place.kind = "captured stack";
        place.limit = tr->top_of_stack.value + tr->call_stack.size;
        return place;
    }
    place.known = false;
    uint64_t size = stack_size(nt->target);
    place.limit = sp > UINT64_MAX - size ? UINT64_MAX : sp + size;
    return place;
}

static void scan(struct ds_nt *nt, const struct ds_context *context, uint64_t sp,
                 struct ds_stack *ret, const char **kind)
{
    struct ds_target *t = nt->target;
    struct ds_stack_place place = ds_stack_find(nt, sp);
    ds_stack_scan(t->kernel, t->arch, t->symbols, context, sp, place.limit, ret);
    *kind = place.kind;
}

/* Names by export table for the modules of the frames: few modules, so a few reads. */
static void load_exports(struct ds_nt *nt, const struct ds_stack *s)
{
    uint64_t done[32];
    size_t count = 0;
    for (size_t i = 0; i < s->count && count < sizeof(done) / sizeof(done[0]); i++) {
        const struct ds_module *m = ds_target_module_at(nt->target, s->frames[i].pc);
        bool seen = m == NULL;
        for (size_t k = 0; k < count && !seen; k++) {
            seen = done[k] == m->base;
        }
        if (!seen) {
            done[count++] = m->base;
            /* Best effort: without export names a frame stays module+offset. */
            if (ds_symbols_load_exports(nt->target->symbols, m->base, nt->target->kernel) !=
                DS_OK) {
                continue;
            }
        }
    }
}

static void describe(struct ds_nt *nt, struct ds_fault_facts *f)
{
    char text[128];
    bool known = f->stack.count == 0 || ds_stack_find(nt, f->stack.frames[0].sp).known;
    const struct ds_stack *s = &f->stack;
    (void)snprintf(text, sizeof(text),
                   "found by scanning; %zu values that follow no call left out%s", s->dropped,
                   known ? "" : "; where the stack ends is not known");
    const char *detail = ds_arena_strdup(&nt->arena, text, strlen(text));
    f->stack_walk = (struct ds_walk){.table_name = "stack_frames",
                                     .complete = s->end == DS_OK,
                                     .rows = s->count,
                                     .stop_reason = s->end,
                                     .stop_address = s->end == DS_OK ? ds_opt_unknown(DS_OK)
                                                                     : ds_opt_known(s->end_sp),
                                     .detail = detail != NULL ? detail : ""};
}

/* The context that KeBugCheckEx ran with, when the chosen one is another. */
static const struct ds_context *bugcheck_context(const struct ds_fault_facts *f)
{
    for (size_t i = 0; i < f->context_count; i++) {
        if (i != f->chosen && f->contexts[i].context.sp != f->contexts[f->chosen].context.sp) {
            return &f->contexts[i].context;
        }
    }
    return NULL;
}

/* Neither stack was looked at. */
static void no_stack(struct ds_fault_facts *f, enum ds_status why, const char *detail)
{
    f->stack_walk = ds_walk_none("stack_frames", why, detail);
    f->stack.end = f->bugcheck_stack.end = why;
}

void ds_fault_stacks(struct ds_nt *nt, struct ds_fault_facts *f)
{
    const struct ds_triage *tr = ds_dump_triage(nt->target->dump);
    const char *other_kind = "unknown stack";
    f->stack_kind = "unknown stack";
    if (nt->target->kernel == NULL) {
        no_stack(f, nt->target->kernel_why, nt->target->kernel_why_text);
        return;
    }
    const struct ds_context *other = NULL;
    if (f->chosen != SIZE_MAX) {
        const struct ds_context *c = &f->contexts[f->chosen].context;
        scan(nt, c, c->sp, &f->stack, &f->stack_kind);
        other = bugcheck_context(f);
    }
    if (other != NULL) {
        scan(nt, other, other->sp, &f->bugcheck_stack, &other_kind);
    } else if (tr != NULL && tr->call_stack.size != 0 && tr->top_of_stack.known) {
        scan(nt, NULL, tr->top_of_stack.value, &f->bugcheck_stack, &other_kind);
    } else if (f->chosen == SIZE_MAX) {
        no_stack(f, DS_NOT_IN_DUMP, "no context record can be read");
        return;
    }
    /* Of the fault's stack nothing but its context: what led to the bugcheck has to do. */
    if (f->chosen == SIZE_MAX || (f->stack.count <= 1 && f->bugcheck_stack.count > 1)) {
        f->stack = f->bugcheck_stack;
        f->stack_kind = other_kind;
    }
    load_exports(nt, &f->stack);
    load_exports(nt, &f->bugcheck_stack);
    describe(nt, f);
}
