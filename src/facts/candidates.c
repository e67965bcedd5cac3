#include "facts/candidates.h"

#include <string.h>

#include "base/text.h"
#include "facts/candidates_impl.h"
#include "facts/resolve.h"
#include "nt/codes.h"
#include "nt/live.h"

#define KEEP_MAX (64u << 10)
#define DS_KERNEL_TRAP 0x7fu /* UNEXPECTED_KERNEL_MODE_TRAP */
#define DS_GS_FAILURE 0xf7u  /* DRIVER_OVERRAN_STACK_BUFFER */

const char *ds_candidate_kind_name(enum ds_candidate_kind kind)
{
    static const char *const names[] = {"driver", "kernel", "process", "hardware",
                                        "memory-corruption"};
    size_t i = (size_t)kind;
    return i < sizeof(names) / sizeof(names[0]) ? names[i] : "driver";
}

const char *ds_gather_keep(struct ds_gather *g, struct ds_buf *b)
{
    const char *text = ds_buf_ok(b) ? ds_arena_strdup(g->arena, ds_buf_text(b), b->len) : NULL;
    ds_buf_deinit(b);
    return text ? text : "";
}

const char *ds_gather_confidence(uint32_t weight)
{
    return weight >= DS_WEIGHT_CALLED_BAD ? "high" : weight > DS_WEIGHT_CALLER ? "medium" : "low";
}

static struct ds_candidate *same_as(struct ds_candidates *r, const struct ds_candidate *c)
{
    for (size_t i = 0; i < r->count; i++) {
        struct ds_candidate *have = &r->rows[i];
        if (have->kind != c->kind || (have->module == NULL) != (c->module == NULL))
            continue;
        if (c->module == NULL || ds_text_casecmp(have->module, c->module) == 0)
            return have;
    }
    return NULL;
}

void ds_gather_add(struct ds_gather *g, const struct ds_candidate *c)
{
    struct ds_candidates *r = g->ret;
    struct ds_candidate *have = same_as(r, c);
    if (have != NULL) {
        uint32_t seen = have->seen + 1;
        if (c->weight > have->weight)
            *have = *c;
        have->seen = seen;
        return;
    }
    if (r->count == DS_CANDIDATES_MAX) {
        r->dropped++;
        return;
    }
    r->rows[r->count] = *c;
    r->rows[r->count++].seen = 1;
}

/* "<words> is 0x..., <relation> <module>". */
static const char *reason_text(struct ds_gather *g, const struct ds_evidence_place *e,
                               const char *relation, const char *module)
{
    struct ds_buf b;
    ds_buf_init(&b, KEEP_MAX);
    ds_buf_printf(&b, "%s is 0x%llx, %s %s", e->words, (unsigned long long)e->va, relation, module);
    return ds_gather_keep(g, &b);
}

static const char *function_text(struct ds_gather *g, uint64_t va)
{
    struct ds_buf b;
    ds_buf_init(&b, KEEP_MAX);
    if (!ds_resolve_symbol(g->nt, va, &b)) {
        ds_buf_deinit(&b);
        return NULL;
    }
    return ds_gather_keep(g, &b);
}

static bool gather_unloaded(struct ds_gather *g, const struct ds_evidence_place *e)
{
    const struct ds_unloaded_module *u = ds_resolve_unloaded(g->nt, e->va);
    if (u == NULL)
        return false;
    const char *name = u->name ? u->name : "a module of unreadable name";
    struct ds_buf function;
    ds_buf_init(&function, KEEP_MAX);
    ds_buf_printf(&function, "%s+0x%llx", name, (unsigned long long)(e->va - u->start));
    ds_gather_add(g, &(struct ds_candidate){
                         .kind = DS_CANDIDATE_DRIVER,
                         .module = name,
                         .function = ds_gather_keep(g, &function),
                         .address = ds_opt_known(e->va),
                         .source = e->source,
                         .reason = reason_text(g, e, "which was part of the now unloaded", name),
                         .confidence = ds_gather_confidence(e->weight),
                         .weight = e->weight});
    return true;
}

/* The kernel as answer of last resort, from the first address of the fault that lies in it. */
static void gather_kernel(struct ds_gather *g, const struct ds_module *m,
                          const struct ds_evidence_place *e)
{
    if (g->kernel_seen)
        return;
    g->kernel_seen = true;
    const char *reason = reason_text(
        g, e, "and no driver that can be blamed stands on the captured stack; it lies in", m->name);
    ds_gather_add(g, &(struct ds_candidate){.kind = DS_CANDIDATE_KERNEL,
                                            .module = m->name,
                                            .function = function_text(g, e->va),
                                            .address = ds_opt_known(e->va),
                                            .source = e->source,
                                            .reason = reason,
                                            .confidence = "low",
                                            .weight = DS_WEIGHT_KERNEL});
}

/* What the evidence weighs when it is a framework that it points to: whoever it worked for comes
 * first, if there is anybody. */
static uint32_t framework_weight(const struct ds_skip *skip, uint32_t weight)
{
    bool port = strcmp(skip->class_, "port") == 0;
    if (weight > DS_WEIGHT_UNWOUND)
        return port ? DS_WEIGHT_UNWOUND - 4 : DS_WEIGHT_UNWOUND - 10;
    return weight > DS_WEIGHT_CALLER     ? DS_WEIGHT_CALLER - 12
           : weight > DS_WEIGHT_SCANNED  ? DS_WEIGHT_SCANNED - 2
           : weight > DS_CANDIDATE_NAMED ? DS_CANDIDATE_NAMED - 1
                                         : weight;
}

static bool gather_module(struct ds_gather *g, const struct ds_module *m,
                          const struct ds_evidence_place *e, const struct ds_skip *framework)
{
    if (*m->name == '\0') {
        if (g->ret->unnamed == NULL)
            g->ret->unnamed = reason_text(g, e, "in a module whose name cannot be", "read");
        return false;
    }
    uint32_t weight = framework != NULL ? framework_weight(framework, e->weight) : e->weight;
    const char *reason = reason_text(g, e, "which lies in", m->name);
    if (framework != NULL) {
        struct ds_buf b;
        ds_buf_init(&b, KEEP_MAX);
        ds_buf_printf(&b, "%s; %s", reason, framework->reason);
        reason = ds_gather_keep(g, &b);
    }
    ds_gather_add(g, &(struct ds_candidate){.kind = DS_CANDIDATE_DRIVER,
                                            .module = m->name,
                                            .function = function_text(g, e->va),
                                            .address = ds_opt_known(e->va),
                                            .source = e->source,
                                            .reason = reason,
                                            .confidence = ds_gather_confidence(weight),
                                            .weight = weight});
    return true;
}

bool ds_gather_address(struct ds_gather *g, const struct ds_evidence_place *e)
{
    const struct ds_target *t = ds_nt_target(g->nt);
    const struct ds_module *m = ds_target_module_at(t, e->va);
    if (m == NULL)
        return gather_unloaded(g, e);
    bool is_kernel = t->kernel_base.known && m->base == t->kernel_base.value;
    const struct ds_skip *skip = ds_skip_find(m->name);
    if (!is_kernel && skip == NULL)
        return gather_module(g, m, e, NULL);
    if (!is_kernel && ds_skip_is_framework(skip))
        return gather_module(g, m, e, skip);
    bool kernel =
        is_kernel || strcmp(skip->class_, "kernel") == 0 || strcmp(skip->class_, "hal") == 0;
    if (e->of_fault && kernel)
        gather_kernel(g, m, e);
    return false;
}

/* The name of the instruction pointer, as WinDbg writes it. */
static const char *pc_name(const struct ds_gather *g)
{
    switch (ds_nt_target(g->nt)->arch) {
    case DS_ARCH_X64:
        return "rip";
    case DS_ARCH_X86:
        return "eip";
    case DS_ARCH_ARM:
    case DS_ARCH_ARM64:
    case DS_ARCH_UNKNOWN:
        break;
    }
    return "pc";
}

static void gather_exception(struct ds_gather *g, const struct ds_fault_facts *ff)
{
    const struct ds_exception *e = &ff->exception;
    if (!e->known)
        return;
    const struct ds_code *c = ds_ntstatus_find(e->code);
    bool same = ff->chosen < ff->context_count && ff->contexts[ff->chosen].context.pc == e->address;
    struct ds_buf words;
    ds_buf_init(&words, KEEP_MAX);
    if (same)
        ds_buf_printf(&words,
                      "the instruction pointer (%s) of the fault, where exception 0x%08x%s%s was "
                      "raised,",
                      pc_name(g), e->code, c ? " " : "", c ? c->name : "");
    else
        ds_buf_printf(&words, "the address of exception 0x%08x%s%s", e->code, c ? " " : "",
                      c ? c->name : "");
    (void)ds_gather_address(g, &(struct ds_evidence_place){e->address, "exception",
                                                           ds_gather_keep(g, &words),
                                                           DS_WEIGHT_FAULT, true});
}

/* A double fault is mostly a stack that ran out: who used the last of it need not have used most.
 */
static uint32_t context_weight(uint32_t code)
{
    return code == DS_KERNEL_TRAP ? DS_WEIGHT_UNWOUND - 4 : DS_WEIGHT_PARAMETER - 1;
}

static void gather_context(struct ds_gather *g, const struct ds_fault_facts *ff, uint32_t code)
{
    if (ff->chosen >= ff->context_count)
        return;
    const struct ds_context_record *r = &ff->contexts[ff->chosen];
    struct ds_buf words;
    ds_buf_init(&words, KEEP_MAX);
    ds_buf_printf(&words, "the instruction pointer (%s) of the context from %s", pc_name(g),
                  r->source);
    (void)ds_gather_address(g, &(struct ds_evidence_place){r->context.pc, "context",
                                                           ds_gather_keep(g, &words),
                                                           context_weight(code), true});
}

/* Parameters that the documentation calls the address of an instruction. */
static void gather_parameters(struct ds_gather *g, const struct ds_dump_header *h)
{
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find((uint32_t)h->bugcheck_code.value);
    for (unsigned i = 0; i < 4; i++) {
        struct ds_opt value = h->bugcheck_parameter[i];
        const struct ds_param_doc *p = ds_resolve_param_doc(doc, h->bugcheck_parameter, i);
        if (!value.known || p == NULL || p->type != DS_PARAM_CODE)
            continue;
        struct ds_buf words;
        ds_buf_init(&words, KEEP_MAX);
        ds_buf_printf(&words, "bugcheck parameter %u (%s)", i + 1, p->text);
        (void)ds_gather_address(g, &(struct ds_evidence_place){value.value, "parameter",
                                                               ds_gather_keep(g, &words),
                                                               DS_WEIGHT_PARAMETER, true});
    }
}

static uint32_t frame_weight(const struct ds_frame *f, size_t rank)
{
    bool proven = f->interrupted || f->trust != DS_FRAME_SCAN ||
                  (f->after_call.known && f->after_call.value == 1);
    uint32_t down = (uint32_t)(rank < 7 ? rank : 7); /* who is further from the fault */
    return f->anchored ? DS_WEIGHT_UNWOUND - 2 * down
           : proven    ? DS_WEIGHT_CALLER - down
                       : DS_WEIGHT_SCANNED - down / 2;
}

static const char *frame_words(struct ds_gather *g, const struct ds_frame *f, const char *of)
{
    const char *what = f->trust == DS_FRAME_CONTEXT ? "the instruction pointer on"
                       : f->interrupted             ? "an interrupted address on"
                       : f->anchored                ? "a return address of"
                       : f->after_call.known && f->after_call.value == 1
                           ? "a return address found by scanning"
                           : "a value found by scanning, not proven to be a return address, on";
    struct ds_buf b;
    ds_buf_init(&b, KEEP_MAX);
    ds_buf_printf(&b, "%s %s", what, of);
    return ds_gather_keep(g, &b);
}

void ds_gather_stack(struct ds_gather *g, const struct ds_stack *stack, size_t first,
                     const char *source, const char *of, uint32_t cap)
{
    size_t rank = 0;
    for (size_t i = first; i < stack->count; i++) {
        const struct ds_frame *f = &stack->frames[i];
        uint32_t weight = frame_weight(f, rank);
        struct ds_evidence_place e = {f->pc, source, frame_words(g, f, of),
                                      weight < cap ? weight : cap, false};
        rank += ds_gather_address(g, &e);
    }
}

/* Frame 1 says more than a caller does: it called KeBugCheckEx, or an address without code. */
static void gather_first_caller(struct ds_gather *g, const struct ds_fault_facts *ff, uint32_t code)
{
    const struct ds_target *t = ds_nt_target(g->nt);
    const struct ds_stack *s = &ff->stack;
    if (ff->chosen >= ff->context_count || s->count < 2 || s->frames[0].trust != DS_FRAME_CONTEXT ||
        s->frames[1].interrupted)
        return;
    const struct ds_context_record *r = &ff->contexts[ff->chosen];
    const struct ds_frame *f = &s->frames[1];
    bool fault = strcmp(r->meaning, "the fault itself") == 0;
    bool top = f->sp == r->context.sp; /* the callee has not touched the stack yet */
    bool called = f->anchored || (top && f->after_call.known && f->after_call.value == 1);
    const struct ds_module *at = ds_target_module_at(t, r->context.pc);
    if (fault && at == NULL && called && top) {
        (void)ds_gather_address(g, &(struct ds_evidence_place){
                                       f->pc, "stack",
                                       "the return address of a call to an address without code",
                                       DS_WEIGHT_CALLED_BAD, false});
    } else if (!fault && at != NULL && t->kernel_base.known && at->base == t->kernel_base.value &&
               strstr(r->meaning, "KeBugCheckEx") != NULL && called) {
        bool overrun = code == DS_GS_FAILURE;
        (void)ds_gather_address(
            g, &(struct ds_evidence_place){
                   f->pc, "stack",
                   overrun ? "the return address of the call that reports the overrun stack buffer "
                             "of its own function"
                           : "the return address of the call for this bugcheck",
                   overrun ? DS_WEIGHT_KERNEL_SAYS : DS_WEIGHT_REPORTED, false});
    }
}

/* The process that parameters of 0xEF and 0xF4 point to. */
static const char *process_named(struct ds_gather *g, const struct ds_dump_header *h)
{
    const struct ds_processes *p = ds_nt_processes(g->nt);
    for (unsigned k = 0; k < 2; k++)
        for (size_t i = 0; i < p->count; i++)
            if (h->bugcheck_parameter[k].known && p->rows[i].name != NULL &&
                p->rows[i].eprocess == h->bugcheck_parameter[k].value)
                return p->rows[i].name;
    return NULL;
}

/* The answer that the bugcheck code gives before any module is looked at. */
static void gather_by_code(struct ds_gather *g, const struct ds_dump_header *h)
{
    const struct ds_blame *b = g->ret->blame;
    struct ds_candidate c = {.source = "bugcheck code"};
    if (b == NULL)
        return;
    c.reason = b->reason;
    c.confidence = "medium";
    c.weight = DS_WEIGHT_KIND;
    switch (b->kind) {
    case DS_BLAME_HARDWARE:
        c.kind = DS_CANDIDATE_HARDWARE;
        break;
    case DS_BLAME_MEMORY_CORRUPTION:
        c.kind = DS_CANDIDATE_MEMORY_CORRUPTION;
        c.weight = DS_WEIGHT_CORRUPTION;
        break;
    case DS_BLAME_PROCESS:
        c.kind = DS_CANDIDATE_PROCESS;
        c.module = process_named(g, h);
        c.confidence = c.module != NULL ? "medium" : "low";
        break;
    case DS_BLAME_REQUESTED:
    case DS_BLAME_LIVE:
    case DS_BLAME_WEAK_STACK:
    case DS_BLAME_OTHER_STACK:
        return;
    }
    ds_gather_add(g, &c);
}

/* How much the stack of the report is worth. */
static uint32_t stack_cap(struct ds_gather *g)
{
    const struct ds_blame *b = g->ret->blame;
    struct ds_opt live = ds_nt_live(g->nt)->live;
    if (live.known && live.value == 1) {
        g->ret->stack_note = "a live dump: its stack is that of whoever asked for the dump";
        return 0;
    }
    if (b == NULL)
        return UINT32_MAX;
    if (b->kind == DS_BLAME_OTHER_STACK || b->kind == DS_BLAME_WEAK_STACK)
        g->ret->stack_note = b->reason;
    return b->kind == DS_BLAME_OTHER_STACK ? 0
           : b->kind == DS_BLAME_WEAK_STACK || b->kind == DS_BLAME_MEMORY_CORRUPTION ||
                   b->kind == DS_BLAME_HARDWARE
               ? DS_WEIGHT_WEAK
               : UINT32_MAX;
}

/* By weight; those of the same weight keep their order. */
static void rank_all(struct ds_candidates *r)
{
    for (size_t i = 1; i < r->count; i++) {
        struct ds_candidate c = r->rows[i];
        size_t k = i;
        for (; k > 0 && r->rows[k - 1].weight < c.weight; k--)
            r->rows[k] = r->rows[k - 1];
        r->rows[k] = c;
    }
}

void ds_candidates_find(struct ds_nt *nt, struct ds_candidates *ret)
{
    struct ds_target *t = ds_nt_target(nt);
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    struct ds_gather g = {.nt = nt, .arena = &t->arena, .ret = ret};
    *ret = (struct ds_candidates){.no_crash = true};
    if (!h->bugcheck_code.known || h->bugcheck_code.value == 0)
        return;
    uint32_t code = (uint32_t)h->bugcheck_code.value;
    ret->blame = ds_blame_find(code, ds_opt_or(h->bugcheck_parameter[0], 0));
    if (ret->blame != NULL &&
        (ret->blame->kind == DS_BLAME_REQUESTED || ret->blame->kind == DS_BLAME_LIVE))
        return; /* nobody is suspect where nothing went wrong */
    ret->no_crash = false;
    const struct ds_fault_facts *ff = ds_nt_fault(nt);
    gather_by_code(&g, h);
    ds_gather_kernels_word(&g);
    gather_exception(&g, ff);
    gather_parameters(&g, h);
    ds_gather_leads(&g, h);
    ds_gather_profile(&g, h);
    uint32_t cap = stack_cap(&g);
    if (cap > 0) {
        gather_context(&g, ff, ds_bugcheck_base(code));
        if (cap == UINT32_MAX)
            gather_first_caller(&g, ff, ds_bugcheck_base(code));
        ds_gather_stack(&g, &ff->stack, 0, "stack", "the stack", cap);
    }
    rank_all(ret);
}
