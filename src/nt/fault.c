/* The fault: exception, contexts, and which of them to believe. */
#include <string.h>

#include "nt/bugcheck.h"
#include "nt/impl.h"

#define UNEXPECTED_KERNEL_MODE_TRAP 0x7fu
#define DOUBLE_FAULT 8u
#define STATUS_ACCESS_VIOLATION 0xc0000005u
#define STATUS_BREAKPOINT 0x80000003u
#define STATUS_IN_PAGE_ERROR 0xc0000006u
#define ATTRIBUTE_LIVE_DUMP 0x10u /* header.Attributes, LiveDumpGenerated */
#define CONTEXT_ROOM 3000u        /* bytes that a header has for a CONTEXT record */

static const char *const param_source[4] = {"bugcheck parameter 1", "bugcheck parameter 2",
                                            "bugcheck parameter 3", "bugcheck parameter 4"};

struct inputs {
    struct ds_nt *nt;
    struct ds_fault_facts *f;
    const struct ds_fault_roles *roles; /* NULL when the code has none */
    uint32_t code;
    bool live;
    struct ds_opt code_address; /* by the parameters */
};

static struct ds_opt param(const struct inputs *in, int index)
{
    const struct ds_dump_header *h = ds_dump_header(in->nt->target->dump);
    return index >= 0 ? h->bugcheck_parameter[index] : ds_opt_unknown(DS_OK);
}

static void add_context(struct ds_fault_facts *f, const struct ds_context *c, const char *source,
                        const char *meaning)
{
    if (f->context_count < sizeof(f->contexts) / sizeof(f->contexts[0])) {
        f->contexts[f->context_count++] =
            (struct ds_context_record){.context = *c, .source = source, .meaning = meaning};
    }
}

static bool is_fault(const struct inputs *in, const struct ds_context *c)
{
    const struct ds_exception *e = &in->f->exception;
    if (in->code_address.known && in->code_address.value == c->pc) {
        return true;
    }
    return e->known && e->source != NULL && strcmp(e->source, "header") != 0 && e->address == c->pc;
}

static bool in_kernel_image(const struct ds_target *t, uint64_t va)
{
    const struct ds_module *m = ds_target_module_at(t, va);
    return m != NULL && t->kernel_base.known && m->base == t->kernel_base.value;
}

static bool is_idle(const struct ds_processor *p)
{
    return p->current_thread.known && p->idle_thread.known &&
           p->current_thread.value == p->idle_thread.value;
}

static const char *bugcheck_meaning(const struct inputs *in)
{
    return in->roles != NULL ? "KeBugCheckEx, after the fault"
                             : "KeBugCheckEx, where it was called";
}

/*
 * Whether the processor stopped in KeBugCheckEx: on x64 that stores the code and its first
 * parameter in the home area above its return address ("x64 calling convention", Microsoft Learn).
 */
static bool has_bugcheck_home(const struct inputs *in, const struct ds_context *c)
{
    struct ds_target *t = in->nt->target;
    struct ds_opt p1 = ds_dump_header(t->dump)->bugcheck_parameter[0];
    uint64_t code, first;
    return t->arch == DS_ARCH_X64 && in->code != 0 && p1.known &&
           ds_space_read_ptr(t->kernel, c->sp + 8, &code, NULL) == DS_OK &&
           ds_space_read_ptr(t->kernel, c->sp + 16, &first, NULL) == DS_OK && code == in->code &&
           first == p1.value;
}

/*
 * Memory alone, of a system that crashed: what the kernel saved of its processors when it froze
 * them. The one that called KeBugCheckEx, else the first that had work to do.
 */
static bool add_saved_context(struct inputs *in)
{
    struct ds_target *t = in->nt->target;
    const struct ds_processors *p = ds_nt_processors(in->nt);
    const struct ds_processor *chosen = NULL;
    bool sure = false;
    if (ds_dump_header_to_fill(t->dump) == NULL || t->kernel == NULL || in->code == 0) {
        return false;
    }
    for (size_t i = 0; i < p->count && !sure; i++) {
        const struct ds_processor *row = &p->rows[i];
        if (!row->has_context || row->from_hypervisor || !in_kernel_image(t, row->context.pc)) {
            continue;
        }
        sure = has_bugcheck_home(in, &row->context);
        if (sure || chosen == NULL || (is_idle(chosen) && !is_idle(row))) {
            chosen = row;
        }
    }
    if (chosen == NULL) {
        return false;
    }
    add_context(in->f, &chosen->context, chosen->context_source, bugcheck_meaning(in));
    return true;
}

/*
 * A hypervisor keeps registers of its own reading, a set for each processor. Which of them
 * crashed is not among them: the first that had work to do.
 */
static void add_guest_context(struct inputs *in)
{
    const struct ds_processors *p = ds_nt_processors(in->nt);
    const struct ds_processor *chosen = NULL;
    for (size_t i = 0; i < p->count; i++) {
        const struct ds_processor *row = &p->rows[i];
        if (row->from_hypervisor && (chosen == NULL || (is_idle(chosen) && !is_idle(row)))) {
            chosen = row;
        }
    }
    if (chosen == NULL && add_saved_context(in)) {
        return;
    }
    struct ds_context c;
    const struct ds_dump_cpu *cpu = ds_dump_cpu(in->nt->target->dump, 0);
    if (chosen != NULL) {
        c = chosen->context;
    } else if (cpu == NULL || cpu->context == NULL ||
               ds_context_decode(in->nt->target->arch, cpu->context, cpu->context_size, &c) !=
                   DS_OK) {
        return;
    }
    add_context(in->f, &c, "hypervisor", "a processor when the guest was dumped");
}

static void add_header_context(struct inputs *in)
{
    struct ds_target *t = in->nt->target;
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    uint8_t raw[CONTEXT_ROOM];
    struct ds_context c;
    size_t size = ds_context_size(t->arch);
    if (size == 0 || size > h->context_size || size > sizeof(raw) ||
        ds_dump_read_file(t->dump, h->context_offset, raw, size) != DS_OK ||
        ds_context_decode(t->arch, raw, size, &c) != DS_OK) {
        return;
    }
    const char *meaning = in->live                    ? "the processor that took the live dump"
                          : is_fault(in, &c)          ? "the fault itself"
                          : t->module_count == 0      ? "without a module list: whose is not known"
                          : !in_kernel_image(t, c.pc) ? "not in the kernel: whose is not known"
                                                      : bugcheck_meaning(in);
    add_context(in->f, &c, "header", meaning);
}

static void add_param_contexts(struct inputs *in)
{
    struct ds_target *t = in->nt->target;
    uint8_t raw[CONTEXT_ROOM];
    struct ds_context c;
    size_t size = ds_context_size(t->arch);
    if (in->roles == NULL || t->kernel == NULL) {
        return;
    }
    struct ds_opt at = param(in, in->roles->context);
    if (at.known && at.value != 0 && size != 0 && size <= sizeof(raw) &&
        ds_space_read(t->kernel, at.value, raw, size, NULL) == DS_OK &&
        ds_context_decode(t->arch, raw, size, &c) == DS_OK) {
        add_context(in->f, &c, param_source[in->roles->context], "the fault itself");
    }
    at = param(in, in->roles->trap_frame);
    if (at.known && at.value != 0 && ds_trap_frame_read(t, at.value, &c) == DS_OK) {
        add_context(in->f, &c, param_source[in->roles->trap_frame], "the fault itself");
    }
}

/*
 * A double fault on x64: parameter 2 points to its trap frame, 3 and 4 are the stack pointer and
 * the instruction pointer in it. Seen in published dumps, not documented; so the frame must hold
 * both, which no other block of memory does.
 */
static void add_double_fault(struct inputs *in)
{
    const struct ds_dump_header *h = ds_dump_header(in->nt->target->dump);
    const struct ds_opt *p = h->bugcheck_parameter;
    struct ds_target *t = in->nt->target;
    struct ds_context c;
    if (in->code == UNEXPECTED_KERNEL_MODE_TRAP && t->arch == DS_ARCH_X64 && t->kernel != NULL &&
        ds_opt_or(p[0], 0) == DOUBLE_FAULT && p[1].known && p[1].value != 0 && p[2].known &&
        p[3].known && ds_trap_frame_read(t, p[1].value, &c) == DS_OK && c.sp == p[2].value &&
        c.pc == p[3].value) {
        add_context(in->f, &c, param_source[1], "the fault itself");
    }
}

static void add_exception(struct inputs *in)
{
    struct ds_target *t = in->nt->target;
    struct ds_exception *e = &in->f->exception;
    if (in->roles != NULL && in->roles->exception_record >= 0) {
        struct ds_opt at = param(in, in->roles->exception_record);
        if (at.known && ds_exception_read(t, at.value, e)) {
            e->source = param_source[in->roles->exception_record];
            return;
        }
    }
    if (in->roles != NULL && in->roles->exception_code >= 0) {
        struct ds_opt code = param(in, in->roles->exception_code);
        if (code.known && code.value != 0 && in->code_address.known) {
            *e = (struct ds_exception){.known = true,
                                       .code = (uint32_t)code.value,
                                       .address = in->code_address.value,
                                       .source = "bugcheck parameters"};
            struct ds_opt first = param(in, 2), second = param(in, 3);
            if (in->code == 0x1e && first.known && second.known) {
                e->parameters[0] = first.value; /* P3 and P4 are those of the record */
                e->parameters[1] = second.value;
                e->parameter_count = 2;
            }
            return;
        }
    }
    if (ds_exception_read_header(t, e)) {
        e->source = "header";
        /* Whoever writes the dump fills in a breakpoint at KeBugCheckEx: no exception happened. */
        if (e->code == STATUS_BREAKPOINT && in_kernel_image(t, e->address)) {
            *e = (struct ds_exception){0};
        }
    }
}

/* ExceptionInformation of an access violation: 0 read, 1 write, 8 execute; then the address
 * (winbase.h, EXCEPTION_RECORD). */
static void fault_address(struct inputs *in)
{
    struct ds_fault_facts *f = in->f;
    const struct ds_exception *e = &f->exception;
    f->fault_address = ds_opt_unknown(DS_OK);
    if (in->roles != NULL && in->roles->fault_address >= 0) {
        f->fault_address = param(in, in->roles->fault_address);
        struct ds_opt access = param(in, in->roles->access);
        if (access.known || in->roles->access < 0) {
            f->fault_access = ds_fault_access_name(in->code, access.value);
        }
        return;
    }
    bool data = e->known && (e->code == STATUS_ACCESS_VIOLATION || e->code == STATUS_IN_PAGE_ERROR);
    if (data && e->parameter_count >= 2) {
        f->fault_address = ds_opt_known(e->parameters[1]);
        f->fault_access = e->parameters[0] == 0   ? "read"
                          : e->parameters[0] == 1 ? "write"
                          : e->parameters[0] == 8 ? "execute"
                                                  : NULL;
    }
}

static bool same_stack(struct ds_nt *nt, uint64_t thread, uint64_t sp)
{
    struct ds_opt base = ds_target_field(nt->target, thread, "_KTHREAD", "StackBase");
    struct ds_opt low = ds_target_field(nt->target, thread, "_KTHREAD", "StackLimit");
    return base.known && low.known && sp >= low.value && sp < base.value;
}

/* The processor that the header's context was running on. */
static const struct ds_processor *crash_processor(struct inputs *in)
{
    const struct ds_processors *p = ds_nt_processors(in->nt);
    const struct ds_triage *tr = ds_dump_triage(in->nt->target->dump);
    for (size_t i = 0; i < p->count && tr != NULL && tr->prcb.va.known; i++) {
        if (p->rows[i].prcb.known && p->rows[i].prcb.value == tr->prcb.va.value) {
            return &p->rows[i];
        }
    }
    for (size_t i = 0; i < p->count && in->f->context_count != 0; i++) {
        const struct ds_context *c = &in->f->contexts[0].context;
        if (p->rows[i].has_context && p->rows[i].context.sp == c->sp &&
            p->rows[i].context.pc == c->pc) {
            return &p->rows[i];
        }
        if (p->rows[i].current_thread.known &&
            same_stack(in->nt, p->rows[i].current_thread.value, c->sp)) {
            return &p->rows[i];
        }
    }
    return p->count == 1 ? &p->rows[0] : NULL;
}

static void current(struct inputs *in, const struct ds_processor *cpu)
{
    struct ds_fault_facts *f = in->f;
    struct ds_target *t = in->nt->target;
    const struct ds_triage *tr = ds_dump_triage(t->dump);
    f->current_thread = ds_opt_unknown(DS_NOT_FOUND);
    f->current_process = ds_opt_unknown(DS_NOT_FOUND);
    if (tr != NULL && tr->thread.va.known) {
        f->current_thread = tr->thread.va;
    } else if (cpu != NULL) {
        f->current_thread = cpu->current_thread;
    }
    if (tr != NULL && tr->process.va.known) {
        f->current_process = tr->process.va;
    } else if (f->current_thread.known && t->kernel != NULL) {
        f->current_process =
            ds_target_field(t, f->current_thread.value, "_KTHREAD", "ApcState.Process");
    }
}

/* Page faults at a raised IRQL and their like leave no context but the trap frame on the stack. */
static void add_stack_trap_frame(struct inputs *in)
{
    struct ds_fault_facts *f = in->f;
    struct ds_target *t = in->nt->target;
    uint64_t va;
    struct ds_context c;
    if (!in->code_address.known || t->kernel == NULL) {
        return;
    }
    for (size_t i = 0; i < f->context_count; i++) {
        if (is_fault(in, &f->contexts[i].context)) {
            return;
        }
    }
    const struct ds_triage *tr = ds_dump_triage(t->dump);
    uint64_t sp = f->context_count != 0 ? f->contexts[0].context.sp
                  : tr != NULL          ? ds_opt_or(tr->top_of_stack, 0)
                                        : 0;
    struct ds_stack_place place = ds_stack_find(in->nt, sp);
    if (sp != 0 && ds_trap_frame_find(t, sp, place.limit, in->code_address.value, &va) == DS_OK &&
        ds_trap_frame_read(t, va, &c) == DS_OK) {
        add_context(f, &c, "trap frame on the stack", "the fault itself");
        f->contexts[f->context_count - 1].at = ds_opt_known(va);
    }
}

static void choose(struct ds_fault_facts *f)
{
    size_t chosen = f->context_count != 0 ? 0 : SIZE_MAX;
    for (size_t i = f->context_count; i-- > 0;) { /* the header's first where it agrees */
        if (strcmp(f->contexts[i].meaning, "the fault itself") == 0) {
            chosen = i;
        }
    }
    f->chosen = chosen;
    if (chosen != SIZE_MAX) {
        f->contexts[chosen].chosen = true;
    }
}

const struct ds_fault_facts *ds_nt_fault(struct ds_nt *nt)
{
    struct ds_fault_facts *f = &nt->fault;
    struct ds_target *t = nt->target;
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    if (nt->have_fault) {
        return f;
    }
    nt->have_fault = true;
    struct inputs in = {.nt = nt, .f = f};
    in.code = ds_bugcheck_base((uint32_t)ds_opt_or(h->bugcheck_code, 0));
    in.live = (ds_opt_or(h->attributes, 0) & ATTRIBUTE_LIVE_DUMP) != 0;
    in.roles = ds_fault_roles_find(in.code);
    in.code_address = in.roles != NULL ? param(&in, in.roles->code_address) : ds_opt_unknown(DS_OK);
    add_exception(&in);
    add_header_context(&in);
    add_guest_context(&in);
    const struct ds_processor *cpu = crash_processor(&in);
    current(&in, cpu);
    add_param_contexts(&in);
    add_double_fault(&in);
    add_stack_trap_frame(&in);
    if (cpu != NULL && cpu->has_context && !cpu->from_hypervisor) {
        add_context(f, &cpu->context, cpu->context_source,
                    in.live                        ? "the processor that took the live dump"
                    : is_fault(&in, &cpu->context) ? "the fault itself"
                                                   : "the processor that crashed, when it stopped");
    }
    fault_address(&in);
    choose(f);
    ds_fault_stacks(nt, f);
    return f;
}
