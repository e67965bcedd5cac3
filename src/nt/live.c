#include "nt/live.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "nt/bugcheck.h"
#include "nt/impl.h"

#define LIVE_SYSTEM_DUMP 0x161u
#define BLACKSCREEN_HOTKEY 0x21c8u
#define ATTRIBUTE_LIVE 0x10u /* DUMP_FILE_ATTRIBUTES.LiveDumpGenerated */
#define FUNCTION_MAX 512u

struct ds_opt ds_live_by_header(const struct ds_dump_header *h, const char **evidence)
{
    bool marked = h->attributes.known && (h->attributes.value & ATTRIBUTE_LIVE) != 0;
    const struct ds_bugcheck_doc *doc = h->bugcheck_code.known && h->bugcheck_code.value != 0
                                            ? ds_bugcheck_find((uint32_t)h->bugcheck_code.value)
                                            : NULL;
    if (doc != NULL && doc->live) {
        *evidence = "its code is never that of a crash";
    } else if (marked) {
        *evidence = "the header's attributes say LiveDumpGenerated";
    } else if (h->bugcheck_code.known && h->bugcheck_code.value == 0) {
        *evidence = "its bugcheck code is 0";
    } else if (!h->bugcheck_code.known) {
        *evidence = "the header holds no bugcheck code";
        return ds_opt_unknown(DS_NOT_FOUND);
    } else if (doc != NULL && doc->also_live && !h->attributes.known) {
        *evidence =
            "its code is that of crashes and of live dumps, and the header has no attributes";
        return ds_opt_unknown(DS_NOT_FOUND);
    } else {
        *evidence = "its code is that of a crash";
        return ds_opt_known(0);
    }
    return ds_opt_known(1);
}

/* Text that a parameter spells, its first character in the highest byte that is not 0; false
 * when it is none. */
static bool spelled(uint64_t value, char text[9])
{
    size_t n = 0;
    for (unsigned i = 8; i-- > 0;) {
        uint8_t c = (uint8_t)(value >> (8 * i));
        if (c == 0 && n == 0)
            continue;
        if (c < 0x20 || c > 0x7e)
            return false;
        text[n++] = (char)c;
    }
    text[n] = '\0';
    return n >= 3;
}

static const char *component_of(uint32_t code)
{
    for (size_t i = 0; i < ds_live_component_count; i++)
        if (ds_live_components[i].code == code)
            return ds_live_components[i].component;
    return NULL;
}

static const char *tool_of(const char *process)
{
    for (size_t i = 0; process != NULL && i < ds_live_tool_count; i++)
        if (ds_text_casecmp(ds_live_tools[i].process, process) == 0)
            return ds_live_tools[i].tool;
    return NULL;
}

static const char *current_process(struct ds_nt *nt)
{
    struct ds_opt eprocess = ds_nt_fault(nt)->current_process;
    const struct ds_processes *p = ds_nt_processes(nt);
    for (size_t i = 0; eprocess.known && i < p->count; i++)
        if (p->rows[i].eprocess == eprocess.value)
            return p->rows[i].name;
    return NULL;
}

static const char *keep(struct ds_nt *nt, struct ds_buf *b)
{
    const char *text =
        ds_buf_ok(b) && b->len != 0 ? ds_arena_strdup(&nt->arena, ds_buf_text(b), b->len) : NULL;
    ds_buf_deinit(b);
    return text;
}

static bool is_kernel(const struct ds_target *t, const struct ds_module *m)
{
    return (t->kernel_base.known && m->base == t->kernel_base.value) ||
           ds_text_casecmp(m->name, "hal.dll") == 0;
}

/* Whether pc lies in one of the kernel's functions that take live dumps. */
static bool captures(const struct ds_target *t, uint64_t pc)
{
    struct ds_symbol s;
    return t->symbols != NULL && ds_symbols_find(t->symbols, pc, &s) && s.function != NULL &&
           (strstr(s.function, "LiveKernelDump") != NULL ||
            strstr(s.function, "CaptureLiveDump") != NULL ||
            strstr(s.function, "WerCaptureLive") != NULL);
}

static void set_function(struct ds_nt *nt, struct ds_live *l, const struct ds_module *m,
                         uint64_t pc)
{
    const struct ds_target *t = nt->target;
    struct ds_symbol s;
    struct ds_buf b;
    ds_buf_init(&b, FUNCTION_MAX);
    if (t->symbols != NULL && ds_symbols_find(t->symbols, pc, &s) && s.function != NULL)
        ds_buf_printf(&b, "%s!%s+0x%" PRIx64, s.module, s.function, s.displacement);
    else
        ds_buf_printf(&b, "%s+0x%" PRIx64, m->name, pc - m->base);
    l->function = keep(nt, &b);
}

/*
 * Who called the kernel's function that takes live dumps: the first driver outwards from it. Where
 * the function is not seen, the first driver of the stack is a hint and no more.
 */
static void find_requester(struct ds_nt *nt, const struct ds_stack *stack, struct ds_live *l,
                           const char **first)
{
    const struct ds_target *t = nt->target;
    bool capturing = false;
    for (size_t i = 0; i < stack->count && l->module == NULL; i++) {
        const struct ds_module *m = ds_target_module_at(t, stack->frames[i].pc);
        if (m == NULL || m->name[0] == '\0')
            continue;
        if (is_kernel(t, m)) {
            capturing = capturing || captures(t, stack->frames[i].pc);
            continue;
        }
        if (*first == NULL)
            *first = m->name;
        if (!capturing)
            return;
        l->module = m->name;
        l->asked_how = "that driver called the kernel's function that takes live dumps";
        set_function(nt, l, m, stack->frames[i].pc);
    }
}

/* Code 161, and no code at all: a person or a program asked. */
static void asked_on_request(struct ds_nt *nt, const struct ds_dump_header *h, struct ds_live *l)
{
    const char *tool = tool_of(l->process);
    char text[9];
    struct ds_buf b;
    bool code = h->bugcheck_code.known && h->bugcheck_code.value != 0;
    const struct ds_opt *p = h->bugcheck_parameter;
    bool zeros = p[0].known && (p[0].value | p[1].value | p[2].value | p[3].value) == 0;
    bool unmarked = !h->attributes.known || (h->attributes.value & ATTRIBUTE_LIVE) == 0;
    ds_buf_init(&b, FUNCTION_MAX);
    if (code && p[0].known && spelled(p[0].value, text)) {
        ds_buf_printf(&b, "%s", strcmp(text, "Taskmgr") == 0 ? "Task Manager" : text);
        l->asked_by = keep(nt, &b);
        ds_buf_init(&b, FUNCTION_MAX);
        ds_buf_printf(&b, "parameter 1 spells \"%s\"", text);
        l->asked_how = keep(nt, &b);
    } else if (tool != NULL) {
        l->asked_by = tool;
        l->asked_how = "its process was current when the dump was taken";
    } else if (code && zeros && unmarked && ds_dump_kind(nt->target->dump) == DS_DUMP_FULL) {
        l->asked_by = "QEMU's dump-guest-memory command, most likely";
        l->asked_how =
            "QEMU writes this code with zeros for a guest that did not crash, and Windows "
            "did not mark the header as a live dump of its own";
    } else if (code) {
        l->asked_by = "an administrator, or a program with that right";
        l->asked_how = "the code says no more";
    } else {
        l->asked_how = "a bugcheck code of 0 does not say who asked";
    }
}

static void asked_by_component(struct ds_nt *nt, struct ds_live *l, const char *first)
{
    struct ds_buf b;
    ds_buf_init(&b, FUNCTION_MAX);
    if (l->component != NULL)
        ds_buf_str(&b, l->component);
    if (l->module != NULL)
        ds_buf_printf(&b, "%s%s", b.len != 0 ? ", " : "", l->module);
    l->asked_by = keep(nt, &b);
    if (l->module != NULL)
        return;
    ds_buf_init(&b, FUNCTION_MAX);
    ds_buf_str(&b, l->component != NULL ? "the code is that component's" : "the code does not say");
    if (first != NULL)
        ds_buf_printf(&b, "; the first driver on the stack is %s", first);
    else
        ds_buf_str(&b, "; no driver stands on the stack");
    l->asked_how = keep(nt, &b);
}

static void fill(struct ds_nt *nt, struct ds_live *l)
{
    const struct ds_dump_header *h = ds_dump_header(nt->target->dump);
    l->live = ds_live_by_header(h, &l->evidence);
    if (!l->live.known || l->live.value == 0)
        return;
    uint32_t code = ds_bugcheck_base((uint32_t)ds_opt_or(h->bugcheck_code, 0));
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    l->on_request = code == 0 || code == LIVE_SYSTEM_DUMP || code == BLACKSCREEN_HOTKEY;
    l->component = component_of(code);
    l->process = current_process(nt);
    const char *first = NULL;
    find_requester(nt, &f->stack, l, &first);
    find_requester(nt, &f->bugcheck_stack, l, &first);
    if (code == 0 || code == LIVE_SYSTEM_DUMP) {
        if (l->module == NULL)
            asked_on_request(nt, h, l);
        else
            l->asked_by = l->module;
        return;
    }
    asked_by_component(nt, l, first);
}

const struct ds_live *ds_nt_live(struct ds_nt *nt)
{
    if (!nt->have_live) {
        nt->have_live = true;
        fill(nt, &nt->live);
    }
    return &nt->live;
}
