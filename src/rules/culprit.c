/*
 * Who is probably to blame. In order of belief: the exception record, what the bugcheck's
 * parameters say about the instruction, the context of the fault, then the stack. The kernel,
 * the HAL, driver frameworks and what runs after the fault are stepped over
 * (data/culprit/skip.txt); "unknown" is an answer.
 */
#include <string.h>

#include "base/text.h"
#include "facts/resolve.h"
#include "facts/skip.h"
#include "nt/codes.h"
#include "rules/rules.h"

#define MAX_SUSPECTS (1 + DS_CULPRIT_RUNNERS_UP)

struct search {
    struct ds_nt *nt;
    struct ds_arena *arena;
    struct ds_culprit suspects[MAX_SUSPECTS];
    size_t count;
    bool kernel_seen;    /* an address of the fault itself lies in the kernel or the HAL */
    const char *unnamed; /* why no name can be given although an address lies in a module */
    struct ds_culprit kernel;
};

static const char *keep(struct search *s, struct ds_buf *b)
{
    const char *text = ds_buf_ok(b) ? ds_arena_strdup(s->arena, ds_buf_text(b), b->len) : NULL;
    ds_buf_deinit(b);
    return text ? text : "";
}

static bool known_suspect(const struct search *s, const char *module)
{
    for (size_t i = 0; i < s->count; i++)
        if (ds_text_casecmp(s->suspects[i].module, module) == 0)
            return true;
    return false;
}

static const char *function_text(struct search *s, uint64_t va)
{
    struct ds_buf b;
    ds_buf_init(&b, 64 << 10);
    if (!ds_resolve_symbol(s->nt, va, &b)) {
        ds_buf_deinit(&b);
        return NULL;
    }
    return keep(s, &b);
}

static void suspect_add(struct search *s, const char *module, const char *function,
                        const char *reason, const char *confidence)
{
    if (s->count == MAX_SUSPECTS || known_suspect(s, module))
        return;
    s->suspects[s->count++] =
        (struct ds_culprit){DS_CULPRIT_DRIVER, module, function, reason, confidence};
}

/* "<evidence> is 0x..., <rest>" as a sentence of the arena. Evidence is a noun clause. */
static const char *reason_text(struct search *s, const char *evidence, uint64_t va,
                               const char *relation, const char *module)
{
    struct ds_buf b;
    ds_buf_init(&b, 1024);
    ds_buf_printf(&b, "%s is 0x%llx, %s %s", evidence, (unsigned long long)va, relation, module);
    return keep(s, &b);
}

static void suspect_unloaded(struct search *s, uint64_t va, const char *evidence,
                             const char *confidence)
{
    const struct ds_unloaded_module *u = ds_resolve_unloaded(s->nt, va);
    if (u == NULL)
        return;
    const char *name = u->name ? u->name : "a module of unreadable name";
    struct ds_buf function;
    ds_buf_init(&function, 1024);
    ds_buf_printf(&function, "%s+0x%llx", name, (unsigned long long)(va - u->start));
    suspect_add(s, name, keep(s, &function),
                reason_text(s, evidence, va, "which was part of the now unloaded", name),
                confidence);
}

/* The kernel as answer of last resort, from the first address of the fault that lies in it. */
static void kernel_note(struct search *s, const struct ds_module *m, uint64_t va,
                        const char *evidence)
{
    if (s->kernel_seen)
        return;
    s->kernel_seen = true;
    s->kernel = (struct ds_culprit){
        DS_CULPRIT_KERNEL, m->name, function_text(s, va),
        reason_text(s, evidence, va,
                    "and no driver that can be blamed stands on the captured stack; it lies in",
                    m->name),
        "low"};
}

/* Looks at one address of the fault or of the stack. */
static void address_consider(struct search *s, uint64_t va, const char *evidence,
                             const char *confidence, bool is_fault)
{
    const struct ds_target *t = ds_nt_target(s->nt);
    const struct ds_module *m = ds_target_module_at(t, va);
    if (m == NULL) {
        suspect_unloaded(s, va, evidence, confidence);
        return;
    }
    bool is_kernel = t->kernel_base.known && m->base == t->kernel_base.value;
    const struct ds_skip *skip = ds_skip_find(m->name);
    if (is_kernel || skip) {
        if (is_fault &&
            (is_kernel || strcmp(skip->class_, "kernel") == 0 || strcmp(skip->class_, "hal") == 0))
            kernel_note(s, m, va, evidence);
        return;
    }
    if (*m->name == '\0') {
        if (s->unnamed == NULL)
            s->unnamed = reason_text(s, evidence, va, "in a module whose name cannot be", "read");
        return;
    }
    if (known_suspect(s, m->name))
        return;
    suspect_add(s, m->name, function_text(s, va),
                reason_text(s, evidence, va, "which lies in", m->name), confidence);
}

/* The name of the instruction pointer, as WinDbg writes it. */
static const char *pc_name(const struct search *s)
{
    switch (ds_nt_target(s->nt)->arch) {
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

static void consider_exception(struct search *s, const struct ds_fault_facts *ff)
{
    const struct ds_exception *e = &ff->exception;
    if (!e->known)
        return;
    const struct ds_code *c = ds_ntstatus_find(e->code);
    bool same = ff->chosen < ff->context_count && ff->contexts[ff->chosen].context.pc == e->address;
    struct ds_buf evidence;
    ds_buf_init(&evidence, 512);
    if (same)
        ds_buf_printf(&evidence,
                      "the instruction pointer (%s) of the fault, where exception 0x%08x%s%s was "
                      "raised,",
                      pc_name(s), e->code, c ? " " : "", c ? c->name : "");
    else
        ds_buf_printf(&evidence, "the address of exception 0x%08x%s%s", e->code, c ? " " : "",
                      c ? c->name : "");
    address_consider(s, e->address, keep(s, &evidence), "high", true);
}

static void consider_context(struct search *s, const struct ds_fault_facts *ff)
{
    if (ff->chosen >= ff->context_count)
        return;
    const struct ds_context_record *r = &ff->contexts[ff->chosen];
    struct ds_buf evidence;
    ds_buf_init(&evidence, 512);
    ds_buf_printf(&evidence, "the instruction pointer (%s) of the context from %s", pc_name(s),
                  r->source);
    address_consider(s, r->context.pc, keep(s, &evidence), "high", true);
}

/* Parameters that the documentation calls the address of an instruction. */
static void consider_parameters(struct search *s, const struct ds_dump_header *h)
{
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find((uint32_t)h->bugcheck_code.value);
    for (unsigned i = 0; i < 4; i++) {
        struct ds_opt value = h->bugcheck_parameter[i];
        const struct ds_param_doc *p = ds_resolve_param_doc(doc, h->bugcheck_parameter, i);
        if (!value.known || p == NULL || p->type != DS_PARAM_CODE)
            continue;
        struct ds_buf evidence;
        ds_buf_init(&evidence, 512);
        ds_buf_printf(&evidence, "bugcheck parameter %u (%s)", i + 1, p->text);
        address_consider(s, value.value, keep(s, &evidence), "high", true);
    }
}

static void consider_stack(struct search *s, const struct ds_fault_facts *ff)
{
    for (size_t i = 0; i < ff->stack.count; i++) {
        const struct ds_frame *f = &ff->stack.frames[i];
        bool after_call = f->after_call.known && f->after_call.value;
        if (f->trust != DS_FRAME_SCAN)
            address_consider(s, f->pc, "a return address of the unwound stack", "medium", false);
        else if (after_call)
            address_consider(s, f->pc, "a return address found by scanning the stack", "low",
                             false);
        else
            address_consider(s, f->pc,
                             "a value found by scanning the stack, not proven to be a return "
                             "address,",
                             "low", false);
    }
}

static struct ds_culprit unknown(const char *reason, const char *confidence)
{
    return (struct ds_culprit){DS_CULPRIT_UNKNOWN, NULL, NULL, reason, confidence};
}

/* The process that parameters of 0xEF and 0xF4 point to. */
static struct ds_culprit process_culprit(struct search *s, const struct ds_blame *b,
                                         const uint64_t params[4])
{
    const struct ds_processes *p = ds_nt_processes(s->nt);
    for (unsigned k = 0; k < 2; k++)
        for (size_t i = 0; i < p->count; i++)
            if (p->rows[i].eprocess == params[k] && p->rows[i].name)
                return (struct ds_culprit){DS_CULPRIT_PROCESS, p->rows[i].name, NULL, b->reason,
                                           "medium"};
    return (struct ds_culprit){DS_CULPRIT_PROCESS, NULL, NULL, b->reason, "low"};
}

/* The answer that the bugcheck code gives before any module is looked at; false when none. A
 * suspect from the fault itself outweighs "memory was corrupted". */
static bool blame_by_code(struct search *s, const struct ds_blame *b, const uint64_t params[4],
                          size_t direct, struct ds_culprit *ret)
{
    switch (b->kind) {
    case DS_BLAME_REQUESTED:
    case DS_BLAME_LIVE:
        *ret = unknown(b->reason, "high");
        return true;
    case DS_BLAME_HARDWARE:
        *ret = (struct ds_culprit){DS_CULPRIT_HARDWARE, NULL, NULL, b->reason, "medium"};
        return true;
    case DS_BLAME_MEMORY_CORRUPTION:
        *ret = (struct ds_culprit){DS_CULPRIT_MEMORY_CORRUPTION, NULL, NULL, b->reason, "medium"};
        return direct == 0;
    case DS_BLAME_PROCESS:
        *ret = process_culprit(s, b, params);
        return true;
    }
    return false;
}

static const char *nothing_found(const struct search *s)
{
    if (s->unnamed)
        return s->unnamed;
    if (ds_nt_target(s->nt)->module_count == 0)
        return "the module list cannot be read, so no address can be put to a driver";
    return "no address of the fault or of the captured stack lies in a driver that can be blamed";
}

static void verdict_fill(const struct search *s, bool decided, struct ds_culprit culprit,
                         struct ds_verdict *ret)
{
    size_t first = 0;
    if (decided)
        ret->culprit = culprit;
    else if (s->count > 0)
        ret->culprit = s->suspects[first++];
    else if (s->kernel_seen && s->unnamed == NULL)
        ret->culprit = s->kernel;
    else
        ret->culprit = unknown(nothing_found(s), "low");
    for (size_t i = first; i < s->count && ret->runner_up_count < DS_CULPRIT_RUNNERS_UP; i++)
        ret->runners_up[ret->runner_up_count++] = s->suspects[i];
}

enum ds_status ds_culprit_find(struct ds_nt *nt, struct ds_verdict *ret)
{
    struct ds_target *t = ds_nt_target(nt);
    struct search s = {.nt = nt, .arena = &t->arena};
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    const struct ds_fault_facts *ff = ds_nt_fault(nt);
    *ret = (struct ds_verdict){0};
    if (!h->bugcheck_code.known) {
        ret->culprit = unknown("the header does not say which bugcheck it was", "low");
        return DS_OK;
    }
    uint32_t code = (uint32_t)h->bugcheck_code.value;
    if (code == 0) {
        ret->culprit = unknown("the bugcheck code is 0: the system did not crash", "high");
        return DS_OK;
    }
    uint64_t params[4];
    for (unsigned i = 0; i < 4; i++)
        params[i] = ds_opt_or(h->bugcheck_parameter[i], 0);
    const struct ds_blame *b = ds_blame_find(code);
    bool asked_for = b && (b->kind == DS_BLAME_REQUESTED || b->kind == DS_BLAME_LIVE);
    if (!asked_for) { /* nobody is suspect where nothing went wrong */
        consider_exception(&s, ff);
        consider_parameters(&s, h);
        consider_context(&s, ff);
    }
    size_t direct = s.count;
    if (!asked_for)
        consider_stack(&s, ff);
    struct ds_culprit culprit = {0};
    bool decided = b && blame_by_code(&s, b, params, direct, &culprit);
    verdict_fill(&s, decided, culprit, ret);
    return DS_OK;
}
