#include "nt/thread_stack.h"

#include "nt/details.h"
#include "nt/impl.h"
#include "symbols/pe_section.h"

#define THREAD_OBJECT 6u /* KOBJECTS, ThreadObject, as public symbols have it */
#define SAVED_WORDS 4u   /* x86: ebp, edi, esi, ebx, as whoever called the switch pushed them */

struct thread {
    struct ds_nt *nt;
    struct ds_target *t;
    uint64_t va, sp;
    struct ds_opt state, base, limit;
};

/* Where a walk begins. */
struct start {
    struct ds_context context;
    uint64_t sp;
};

/* Whether va may be code of a module. */
static bool is_code(const struct ds_target *t, uint64_t va)
{
    struct ds_symbol symbol;
    if (!ds_symbols_find(t->symbols, va, &symbol) || va == symbol.module_base)
        return false;
    struct ds_opt code = ds_pe_executable(t->kernel, symbol.module_base, va);
    return !code.known || code.value != 0;
}

/* Whether va may be a return address: code that was not captured proves nothing. */
static bool is_return(const struct ds_target *t, uint64_t va)
{
    return is_code(t, va) && ds_opt_or(ds_code_after_call(t->kernel, t->arch, va), 1) == 1;
}

/* Whether a thread can go on at pc: after a call, or, if it never ran, where it starts. */
static bool goes_on(const struct thread *th, uint64_t pc)
{
    return is_return(th->t, pc) ||
           (is_code(th->t, pc) &&
            ds_opt_or(ds_target_field(th->t, th->va, "_KTHREAD", "ContextSwitches"), 0) == 0);
}

static bool word_at(const struct ds_target *t, uint64_t va, uint64_t *ret)
{
    return ds_space_read_uint(t->kernel, va, t->pointer_size, ret, NULL) == DS_OK;
}

static void set_start(struct start *s, enum ds_arch arch, uint64_t pc, uint64_t sp, uint64_t fp)
{
    s->context = (struct ds_context){.arch = arch, .pc = pc, .sp = sp, .fp = fp};
    s->sp = sp;
    if (arch == DS_ARCH_X64) {
        ds_context_add(&s->context, "rip", pc, 8);
        ds_context_add(&s->context, "rsp", sp, 8);
        ds_context_add(&s->context, "rbp", fp, 8);
    }
}

/* The saved ebp: the word that leads to a frame of this stack. Where it lies among the saved
 * registers is not in the symbols, so each is tried; 0 when none does. */
static uint64_t saved_ebp(const struct thread *th, uint64_t first)
{
    for (unsigned i = 0; i < SAVED_WORDS; i++) {
        uint64_t fp, pc;
        if (word_at(th->t, first + 4 * i, &fp) && fp % 4 == 0 &&
            fp >= first + (uint64_t)4 * (SAVED_WORDS + 1) && fp < th->base.value &&
            word_at(th->t, fp + 4, &pc) && is_return(th->t, pc))
            return fp;
    }
    return 0;
}

static bool start_x86(const struct thread *th, struct start *ret)
{
    struct ds_field field;
    uint32_t size;
    uint64_t pc, back;
    if (ds_target_member(th->t, "_KSWITCHFRAME", "RetAddr", &field, NULL) != DS_OK ||
        ds_target_size(th->t, "_KSWITCHFRAME", &size) != DS_OK ||
        !word_at(th->t, th->sp + field.offset, &pc) || !goes_on(th, pc))
        return false;
    uint64_t after = th->sp + size;
    set_start(ret, DS_ARCH_X86, pc, after, saved_ebp(th, after));
    /* The function that switched has no frame: its return address follows what it saved. */
    if (word_at(th->t, after + 4 * SAVED_WORDS, &back) && is_return(th->t, back))
        ret->sp = after + 4 * SAVED_WORDS;
    return true;
}

/* From the _KSWITCH_FRAME at va, with the stack pointer `sp`. */
static bool start_frame(const struct thread *th, uint64_t va, const char *fp_name, uint64_t sp,
                        struct start *ret)
{
    static const char type[] = "_KSWITCH_FRAME";
    struct ds_opt pc = ds_target_field(th->t, va, type, "Return");
    struct ds_opt fp = ds_target_field(th->t, va, type, fp_name);
    if (!pc.known)
        return false;
    if (th->t->arch == DS_ARCH_ARM64 && (pc.value >> 55 & 1) != 0)
        pc.value |= 0xffff000000000000u; /* without a pointer signature */
    if (!goes_on(th, pc.value))
        return false;
    set_start(ret, th->t->arch, pc.value, sp, ds_opt_or(fp, 0));
    return true;
}

static bool start_of(const struct thread *th, struct start *ret)
{
    uint32_t size;
    uint64_t at;
    if (th->t->arch == DS_ARCH_X86)
        return start_x86(th, ret);
    if (ds_target_size(th->t, "_KSWITCH_FRAME", &size) != DS_OK)
        return false;
    if (th->t->arch == DS_ARCH_X64)
        return start_frame(th, th->sp, "Rbp", th->sp + size, ret);
    return (ds_target_field_va(th->t, th->va, "_KTHREAD", "SwitchFrame", &at) == DS_OK &&
            start_frame(th, at, "Fp", th->sp, ret)) ||
           start_frame(th, th->sp, "Fp", th->sp + size, ret);
}

static void none(struct ds_thread_stack *ret, enum ds_status why, const char *note)
{
    ret->why = ret->stack.end = why;
    ret->note = note;
}

static struct ds_opt member(const struct thread *th, const char *name)
{
    return ds_target_field(th->t, th->va, "_KTHREAD", name);
}

/* Where the thread's stack lies and its saved pointer on it; false after saying why not. */
static bool locate(struct thread *th, struct ds_thread_stack *ret, struct ds_stack_place *place)
{
    struct ds_opt sp = member(th, "KernelStack");
    th->base = member(th, "StackBase");
    th->limit = member(th, "StackLimit");
    if (!sp.known || !th->base.known || !th->limit.known) {
        none(ret,
             !sp.known         ? sp.why
             : !th->base.known ? th->base.why
                               : th->limit.why,
             "where its stack lies cannot be read");
        return false;
    }
    if (sp.value == 0 && ds_opt_or(th->state, 0) == DS_THREAD_TERMINATED) {
        none(ret, DS_NOT_FOUND, "it has ended and has no stack");
        return false;
    }
    th->sp = sp.value;
    bool on = ds_stack_find_on(th->nt, ds_opt_known(th->va), th->sp, place) &&
              ds_target_is_kernel_va(th->t, th->sp) && th->sp % th->t->pointer_size == 0 &&
              place->limit - th->sp <= DS_LIMIT_STACK_BYTES;
    if (!on)
        none(ret, DS_CORRUPT, "KernelStack does not lie in the stack between Limit and Base");
    return on;
}

/* The stack of a thread that no processor runs. */
static void waiting_stack(struct thread *th, struct ds_thread_stack *ret)
{
    struct ds_stack_place place;
    struct start start;
    struct ds_opt resident = member(th, "KernelStackResident");
    if (resident.known && resident.value == 0) {
        none(ret, DS_PAGED_OUT, "stack paged out");
        return;
    }
    if (!locate(th, ret, &place))
        return;
    if (ds_opt_or(th->state, DS_THREAD_WAITING) == DS_THREAD_RUNNING) {
        none(ret, DS_NOT_FOUND, "it runs, but on no processor whose registers the dump holds");
        return;
    }
    th->base.value = place.limit;
    bool switched = start_of(th, &start);
    ret->kind = place.kind;
    ret->start = switched ? "switch frame" : "saved stack pointer";
    ds_stack_walk_on(th->nt, switched ? &start.context : NULL, switched,
                     switched ? start.sp : th->sp, &place, &ret->stack);
    ret->why = ret->stack.end;
    if (ret->stack.count == 0 && ret->why == DS_OK)
        none(ret, DS_NOT_FOUND, "no return address is on its stack");
}

/* The processor that runs the thread; NULL when none does. */
static const struct ds_processor *runs_on(struct ds_nt *nt, uint64_t ethread)
{
    const struct ds_processors *p = ds_nt_processors(nt);
    for (size_t i = 0; i < p->count; i++)
        if (p->rows[i].current_thread.known && p->rows[i].current_thread.value == ethread)
            return &p->rows[i];
    return NULL;
}

static void running_stack(struct ds_nt *nt, const struct ds_processor *cpu,
                          struct ds_thread_stack *ret)
{
    if (!cpu->has_context) {
        none(ret, DS_NOT_IN_DUMP, "it runs, and its processor's registers are not in the dump");
        return;
    }
    struct ds_stack_place place;
    if (!ds_stack_find_on(nt, cpu->current_thread, cpu->context.sp, &place))
        place = ds_stack_find(nt, cpu->context.sp);
    ret->kind = place.kind;
    ret->start = "processor context";
    ds_stack_walk_on(nt, &cpu->context, false, cpu->context.sp, &place, &ret->stack);
    ret->why = ret->stack.end;
    if (!place.known && ret->why == DS_OK)
        ret->note = "where the stack ends is not known";
}

static void fault_stack(const struct ds_fault_facts *f, struct ds_thread_stack *ret)
{
    ret->stack = f->stack;
    ret->kind = f->stack_kind;
    ret->start = "fault";
    ret->why = f->stack.end;
    ret->note = f->stack.count == 0 ? f->stack_walk.detail : "";
}

void ds_nt_thread_stack(struct ds_nt *nt, uint64_t ethread, struct ds_thread_stack *ret)
{
    struct thread th = {.nt = nt, .t = nt->target, .va = ethread};
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    ret->stack.count = ret->stack.dropped = ret->stack.residue = 0;
    ret->stack.end = DS_OK;
    ret->stack.end_sp = 0;
    ret->kind = ret->start = NULL;
    ret->processor = ds_opt_unknown(DS_OK);
    ret->why = DS_OK;
    ret->note = "";
    if (nt->target->kernel == NULL) {
        none(ret, nt->target->kernel_why, nt->target->kernel_why_text);
        return;
    }
    const struct ds_processor *cpu = runs_on(nt, ethread);
    struct ds_opt type = ds_target_field(th.t, ethread, "_DISPATCHER_HEADER", "Type");
    th.state = ds_target_field(th.t, ethread, "_KTHREAD", "State");
    if (cpu != NULL)
        ret->processor = ds_opt_known(cpu->number);
    if (f->current_thread.known && f->current_thread.value == ethread && f->stack.count > 0)
        fault_stack(f, ret);
    else if (cpu != NULL)
        running_stack(nt, cpu, ret);
    else if (!th.state.known)
        none(ret, th.state.why, "the thread cannot be read");
    else if (type.known && (type.value & 0x7f) != THREAD_OBJECT)
        none(ret, DS_CORRUPT, "no thread lies there: its dispatcher header is of another type");
    else
        waiting_stack(&th, ret);
    ds_stack_names(nt, &ret->stack);
}
