/*
 * What the parameters of a bugcheck lead to. Which parameter is what: the pages bug-check-0x*.md
 * of MicrosoftDocs/windows-driver-docs, whose types data/bugchecks/ has. A parameter is followed
 * by its type; the codes whose parameters say more together have a function of their own.
 */
#include "nt/follow.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HEX(x) (unsigned long long)(x)

void ds_follow_add(struct ds_follow *f, uint32_t parameter, const char *name, struct ds_opt value,
                   const char *fmt, ...)
{
    char text[512];
    if (f->count == DS_FOLLOW_MAX) {
        f->dropped = true;
        return;
    }
    struct ds_bugcheck_fact *r = &f->rows[f->count++];
    *r = (struct ds_bugcheck_fact){.parameter = parameter, .name = name, .value = value};
    if (fmt == NULL)
        return;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (n > 0)
        r->meaning = ds_arena_strdup(&f->nt->arena, text, strlen(text));
}

bool ds_follow_has(const struct ds_follow *f, uint32_t parameter)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->rows[i].parameter == parameter)
            return true;
    return false;
}

enum ds_status ds_follow_readable(const struct ds_follow *f, uint64_t va, void *buf, size_t size)
{
    struct ds_target *t = f->nt->target;
    return t->kernel != NULL ? ds_space_read(t->kernel, va, buf, size, NULL) : t->kernel_why;
}

struct ds_opt ds_follow_pointer(const struct ds_follow *f, uint64_t va)
{
    uint64_t value = 0;
    struct ds_target *t = f->nt->target;
    enum ds_status status =
        t->kernel != NULL ? ds_space_read_ptr(t->kernel, va, &value, NULL) : t->kernel_why;
    return status == DS_OK ? ds_opt_known(value) : ds_opt_unknown(status);
}

unsigned ds_bits_set(uint64_t x)
{
    unsigned n = 0;
    for (; x != 0; x &= x - 1)
        n++;
    return n;
}

void ds_follow_place(struct ds_follow *f, uint64_t va, char *text, size_t size)
{
    struct ds_buf b;
    ds_buf_init(&b, 4096);
    ds_symbols_format(f->nt->target->symbols, va, &b);
    if (b.len == 0) {
        const struct ds_unloaded_modules *u = ds_nt_unloaded_modules(f->nt);
        for (size_t i = 0; i < u->count && b.len == 0; i++)
            if (va >= u->rows[i].start && va < u->rows[i].end)
                ds_buf_printf(&b, "unloaded driver %s+0x%llx",
                              u->rows[i].name != NULL ? u->rows[i].name : "of unknown name",
                              HEX(va - u->rows[i].start));
    }
    (void)snprintf(text, size, "%s", ds_buf_text(&b));
    ds_buf_deinit(&b);
}

/* 0xF7: the cookie found, the one expected, and its complement. */
static void follow_cookie(struct ds_follow *f)
{
    unsigned size = f->nt->target->pointer_size == 4 ? 4 : 8;
    uint64_t mask = size == 4 ? 0xffffffffu : UINT64_MAX;
    uint64_t found = f->p[0] & mask, expected = f->p[1] & mask;
    unsigned bits = ds_bits_set(found ^ expected);
    bool intact = (~f->p[2] & mask) == expected;
    char text[9] = "";
    for (unsigned i = 0; i < size; i++) {
        uint8_t c = (uint8_t)(found >> 8 * i);
        if (c < ' ' || c > '~') {
            text[0] = '\0';
            break;
        }
        text[i] = (char)c;
    }
    ds_follow_add(f, 1, "bits_differ", ds_opt_known(bits),
                  bits == 0   ? "the cookie on the stack is the expected one"
                  : bits == 1 ? "one bit differs: a flipped bit rather than an overrun"
                              : "many bits differ: the value was overwritten");
    if (text[0] != '\0')
        ds_follow_add(f, 1, "as_text", ds_opt_known(found), "the value reads as \"%s\"", text);
    else if (ds_target_is_kernel_va(f->nt->target, found))
        ds_follow_add(f, 1, "as_pointer", ds_opt_known(found), "the value is a kernel address");
    ds_follow_add(f, 3, "complement_holds", ds_opt_known(intact),
                  intact ? "the expected cookie and its complement agree"
                         : "the expected cookie and its complement do not agree: the driver's own "
                           "data is damaged");
}

static void follow_critical_process(struct ds_follow *f) /* 0xEF */
{
    if (f->p[1] == 1)
        ds_follow_thread(f, 1, "thread", ds_opt_known(f->p[0]));
    else
        ds_follow_process(f, 1, f->p[0]);
}

static void follow_critical_object(struct ds_follow *f) /* 0xF4 */
{
    if (f->p[0] == 3)
        ds_follow_process(f, 2, f->p[1]);
    else if (f->p[0] == 6)
        ds_follow_thread(f, 2, "thread", ds_opt_known(f->p[1]));
    ds_follow_text(f, 3, "image_name");
    ds_follow_text(f, 4, "explanation");
}

/* 0x124: the halves of the bank's status stand in the parameters themselves. */
static void follow_machine_check(struct ds_follow *f)
{
    const struct ds_whea *w = ds_nt_whea(f->nt);
    struct ds_buf b;
    if (f->p[0] == 0) {
        uint64_t status = (f->p[2] & 0xffffffffu) << 32 | (f->p[3] & 0xffffffffu);
        ds_buf_init(&b, 1024);
        ds_mci_status_text(status, &b);
        ds_follow_add(f, 3, "mci_status", ds_opt_known(status), "%s", ds_buf_text(&b));
        ds_buf_deinit(&b);
    }
    if (!w->known) {
        ds_follow_add(f, 2, "error_record", ds_opt_unknown(w->walk.stop_reason), "%s",
                      w->walk.detail);
        return;
    }
    const char *severity = ds_cper_severity_name(w->record.severity);
    ds_follow_add(f, 2, "error_record", ds_opt_known(w->address), "%s, %s, %u sections",
                  severity != NULL ? severity : "unknown severity",
                  w->record.notify_name != NULL ? w->record.notify_name : "unknown source",
                  (unsigned)w->record.section_count);
    for (size_t i = 0; i < w->section_count && i < 8; i++)
        ds_follow_add(f, 2, "section", ds_opt_known(i), "%s%s%s",
                      w->sections[i].section.name != NULL ? w->sections[i].section.name
                                                          : w->sections[i].section.type,
                      w->sections[i].component != NULL ? ": " : "",
                      w->sections[i].component != NULL ? w->sections[i].component : "");
}

/* 0x18: the object, whose header holds the counts that do not fit. */
static void follow_reference(struct ds_follow *f)
{
    (void)ds_follow_object(f, 1, "_OBJECT_TYPE", f->p[0]);
    ds_follow_references(f, 2, f->p[1]);
}

/* 0x139: the code says what was found wrong; of a list it does not say which. */
static void follow_fail_fast(struct ds_follow *f)
{
    if (f->p[0] == 3) /* FAST_FAIL_CORRUPT_LIST_ENTRY, winnt.h */
        ds_follow_list_entry(f);
}

/* 0x154 and 0x1C7: exception information, which is an EXCEPTION_POINTERS (winnt.h) if its two
 * pointers lead to what they should. */
static void follow_exception_pointers(struct ds_follow *f)
{
    struct ds_exception e;
    struct ds_opt record = ds_follow_pointer(f, f->p[1]);
    struct ds_opt context = ds_follow_pointer(f, f->p[1] + f->nt->target->pointer_size);
    if (record.known && ds_exception_read(f->nt->target, record.value, &e)) {
        ds_follow_exception(f, 2, record.value);
        if (context.known)
            ds_follow_context(f, 2, context.value);
    } else if (ds_exception_read(f->nt->target, f->p[1], &e)) {
        ds_follow_exception(f, 2, f->p[1]);
    }
}

/* 0x109: its page calls parameter 3 reserved; the debugger says that it depends on the kind of
 * failure. Where it lies in a driver it is what was modified. */
static void follow_protection(struct ds_follow *f)
{
    char place[160];
    ds_follow_place(f, f->p[2], place, sizeof(place));
    if (place[0] != '\0')
        ds_follow_add(f, 3, "place", ds_opt_known(f->p[2]), "%s", place);
}

/* 0x7F on x64: parameter 2 of a double fault leads to the frame of the trap, if it looks so. */
static void follow_trap(struct ds_follow *f)
{
    struct ds_context c;
    if (f->p[1] != 0 && f->nt->target->kernel != NULL && f->nt->target->arch == DS_ARCH_X64 &&
        ds_trap_frame_read(f->nt->target, f->p[1], &c) == DS_OK &&
        ds_target_module_at(f->nt->target, c.pc) != NULL)
        ds_follow_trap_frame(f, 2, f->p[1]);
}

/* 0x19 and 0xC2: the blocks, with what stands around them. */
static void follow_pool_blocks(struct ds_follow *f)
{
    for (unsigned i = 1; i < 4 && f->doc != NULL; i++) {
        const struct ds_param_doc *d = ds_bugcheck_param(f->doc, f->sub, i);
        bool block = d->type == DS_PARAM_ADDRESS ||
                     (d->type == DS_PARAM_OBJECT && strcmp(d->object, "_POOL_HEADER") == 0);
        if (block && ds_target_is_kernel_va(f->nt->target, f->p[i]))
            ds_follow_pool(f, i + 1, f->p[i]);
    }
}

static const struct {
    uint32_t code;
    void (*follow)(struct ds_follow *f);
} families[] = {
    {0x18, follow_reference},
    {0x19, follow_pool_blocks},
    {0x7f, follow_trap},
    {0x9f, ds_follow_power},
    {0xc2, follow_pool_blocks},
    {0xef, follow_critical_process},
    {0xf4, follow_critical_object},
    {0xf7, follow_cookie},
    {0x101, ds_follow_hung},
    {0x109, follow_protection},
    {0x124, follow_machine_check},
    {0x133, ds_follow_watchdog},
    {0x139, follow_fail_fast},
    {0x154, follow_exception_pointers},
    {0x1c7, follow_exception_pointers},
};

/* What the documented type of a parameter alone leads to. */
static void follow_by_type(struct ds_follow *f, uint32_t parameter, const struct ds_param_doc *d)
{
    uint64_t value = f->p[parameter - 1];
    switch (d->type) {
    case DS_PARAM_OBJECT:
        if (!ds_follow_object(f, parameter, d->object, value))
            ds_follow_region(f, parameter, value);
        break;
    case DS_PARAM_ADDRESS:
        ds_follow_region(f, parameter, value);
        break;
    case DS_PARAM_PTE:
        ds_follow_pte(f, parameter, value);
        break;
    case DS_PARAM_STRING:
        if (ds_target_is_kernel_va(f->nt->target, value))
            ds_follow_text(f, parameter, "text");
        break;
    default:
        break;
    }
}

static void follow_all(struct ds_follow *f)
{
    (void)ds_nt_fault(f->nt); /* whose thread crashed tells stacks apart */
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (families[i].code == f->code)
            families[i].follow(f);
    for (uint32_t i = 1; i <= 4 && f->doc != NULL; i++)
        if (f->p[i - 1] != 0 && !ds_follow_has(f, i))
            follow_by_type(f, i, ds_bugcheck_param(f->doc, f->sub, i - 1));
}

/* Rows in the order of the parameters, each parameter's as they were found. */
static struct ds_bugcheck_fact *sort_rows(struct ds_follow *f)
{
    struct ds_bugcheck_fact *sorted =
        ds_arena_alloc(&f->nt->arena, f->count != 0 ? f->count : 1, sizeof(*sorted));
    size_t at = 0;
    for (uint32_t p = 1; p <= 4 && sorted != NULL; p++)
        for (size_t i = 0; i < f->count; i++)
            if (f->rows[i].parameter == p)
                sorted[at++] = f->rows[i];
    return sorted != NULL ? sorted : f->rows;
}

const struct ds_bugcheck_facts *ds_nt_bugcheck_facts(struct ds_nt *nt)
{
    struct ds_bugcheck_facts *r = &nt->followed;
    const struct ds_dump_header *h = ds_dump_header(nt->target->dump);
    if (nt->have_followed)
        return r;
    nt->have_followed = true;
    r->walk = (struct ds_walk){.table_name = "bugcheck_facts",
                               .complete = true,
                               .stop_address = ds_opt_unknown(DS_OK),
                               .detail = ""};
    if (!h->bugcheck_code.known)
        return r;
    struct ds_follow f = {.nt = nt};
    for (size_t i = 0; i < 4; i++) {
        if (!h->bugcheck_parameter[i].known)
            return r;
        f.p[i] = h->bugcheck_parameter[i].value;
    }
    f.rows = ds_arena_alloc(&nt->arena, DS_FOLLOW_MAX, sizeof(*f.rows));
    if (f.rows == NULL) {
        r->walk = ds_walk_none("bugcheck_facts", DS_NO_MEMORY, "");
        return r;
    }
    f.code = ds_bugcheck_base((uint32_t)h->bugcheck_code.value);
    f.doc = ds_bugcheck_find(f.code);
    f.sub = f.doc != NULL ? ds_bugcheck_subcode(f.doc, f.p) : NULL;
    follow_all(&f);
    r->rows = sort_rows(&f);
    r->count = f.count;
    r->walk.rows = f.count;
    if (f.dropped) {
        r->walk.complete = false;
        r->walk.stop_reason = DS_LIMIT;
        r->walk.detail = "the parameters lead to more than is kept";
    }
    return r;
}
