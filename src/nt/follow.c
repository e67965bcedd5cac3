/*
 * What the parameters of a bugcheck lead to. Which parameter is what: the pages bug-check-0x*.md
 * of MicrosoftDocs/windows-driver-docs; each function names the code that it serves.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "memory/paging.h"
#include "nt/bugcheck.h"
#include "nt/impl.h"

#define HEX(x) (unsigned long long)(x)

void ds_follow_add(struct ds_follow *f, uint32_t parameter, const char *name, struct ds_opt value,
                   const char *fmt, ...)
{
    char text[512];
    if (f->count == DS_FOLLOW_MAX)
        return;
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

static unsigned bits_set(uint64_t x)
{
    unsigned n = 0;
    for (; x != 0; x &= x - 1)
        n++;
    return n;
}

/* 0xF7: the cookie found, the one expected, and its complement. */
static void follow_cookie(struct ds_follow *f)
{
    unsigned size = f->nt->target->pointer_size == 4 ? 4 : 8;
    uint64_t mask = size == 4 ? 0xffffffffu : UINT64_MAX;
    uint64_t found = f->p[0] & mask, expected = f->p[1] & mask;
    unsigned bits = bits_set(found ^ expected);
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

/* Length of a clock tick in 100 ns. */
static bool tick_length(struct ds_target *t, uint64_t *ret)
{
    uint64_t va;
    return t->kernel != NULL && ds_target_global(t, "KeTimeIncrement", &va) == DS_OK &&
           ds_space_read_uint(t->kernel, va, 4, ret, NULL) == DS_OK && *ret != 0 &&
           *ret <= 10000000;
}

static void follow_ticks(struct ds_follow *f, uint32_t parameter, uint64_t ticks, const char *limit)
{
    uint64_t tick;
    if (tick_length(f->nt->target, &tick) && ticks < UINT32_MAX)
        ds_follow_add(f, parameter, "ticks", ds_opt_known(ticks),
                      "0x%llx%s ticks, about %.2f s at %.3f ms", HEX(ticks), limit,
                      (double)ticks * (double)tick / 1e7, (double)tick / 1e4);
    else
        ds_follow_add(f, parameter, "ticks", ds_opt_known(ticks),
                      "0x%llx%s ticks; the length of a tick is not in the dump", HEX(ticks), limit);
}

/* 0x133: dt nt!DPC_WATCHDOG_GLOBAL_TRIAGE_BLOCK, as bug-check-0x133 shows it. */
static void follow_watchdog_block(struct ds_follow *f, uint32_t parameter)
{
    uint8_t raw[16];
    struct ds_target *t = f->nt->target;
    uint64_t va = f->p[parameter - 1];
    enum ds_status status = va == 0             ? DS_NOT_FOUND
                            : t->kernel != NULL ? ds_space_read(t->kernel, va, raw, 16, NULL)
                                                : t->kernel_why;
    if (status != DS_OK) {
        ds_follow_add(f, parameter, "triage_block", ds_opt_unknown(status),
                      va == 0 ? "no triage block was passed"
                              : "the triage block is not in the dump");
        return;
    }
    if (ds_le32(raw) != 0xaebecede) {
        ds_follow_add(f, parameter, "triage_block", ds_opt_unknown(DS_CORRUPT),
                      "there is no triage block: its signature is 0x%08lx",
                      (unsigned long)ds_le32(raw));
        return;
    }
    ds_follow_add(f, parameter, "triage_block", ds_opt_known(va), "revision %u, %u bytes",
                  (unsigned)ds_le16(raw + 4), (unsigned)ds_le16(raw + 6));
    ds_follow_add(f, parameter, "profile_offset", ds_opt_known(ds_le32(raw + 8)),
                  "bytes from each KPRCB to its profile of long DPCs");
    ds_follow_add(f, parameter, "profile_length", ds_opt_known(ds_le32(raw + 12)),
                  "bytes of that profile");
}

static void follow_watchdog(struct ds_follow *f)
{
    char limit[40];
    if (f->p[0] == 0) {
        (void)snprintf(limit, sizeof(limit), " of 0x%llx", HEX(f->p[2]));
        follow_ticks(f, 2, f->p[1], limit);
        follow_watchdog_block(f, 4);
    } else if (f->p[0] == 1) {
        follow_ticks(f, 2, f->p[1], "");
        follow_watchdog_block(f, 3);
    }
}

static void follow_thread(struct ds_follow *f, uint32_t parameter, const char *name,
                          struct ds_opt ethread)
{
    const struct ds_threads *all = ds_nt_threads(f->nt);
    const struct ds_processes *ps = ds_nt_processes(f->nt);
    const char *process = NULL;
    const struct ds_thread *t = NULL;
    for (size_t i = 0; ethread.known && i < all->count && t == NULL; i++)
        t = all->rows[i].ethread == ethread.value ? &all->rows[i] : NULL;
    for (size_t i = 0; t != NULL && t->eprocess.known && i < ps->count && process == NULL; i++)
        process = ps->rows[i].eprocess == t->eprocess.value ? ps->rows[i].name : NULL;
    if (t != NULL && t->tid.known)
        ds_follow_add(f, parameter, name, ethread, "tid 0x%llx of %s", HEX(t->tid.value),
                      process != NULL ? process : "a process of unknown name");
    else
        ds_follow_add(f, parameter, name, ethread,
                      ethread.known ? "not among the threads of the dump" : NULL);
}

/* 0x101: the processor that does not answer. */
static void follow_hung(struct ds_follow *f)
{
    const struct ds_processors *all = ds_nt_processors(f->nt);
    const struct ds_processor *cpu = NULL;
    for (size_t i = 0; i < all->count && cpu == NULL; i++)
        if (all->rows[i].prcb.known && all->rows[i].prcb.value == f->p[2])
            cpu = &all->rows[i];
    follow_ticks(f, 1, f->p[0], "");
    if (cpu == NULL) {
        ds_follow_add(f, 3, "processor", ds_opt_unknown(DS_NOT_FOUND),
                      "the control block is not one of the processors in the dump");
        return;
    }
    ds_follow_add(f, 3, "processor", ds_opt_known(cpu->number),
                  cpu->number == f->p[3] ? "as parameter 4 says" : "parameter 4 says another one");
    follow_thread(f, 3, "current_thread", cpu->current_thread);
    if (cpu->has_context) {
        const struct ds_module *m = ds_target_module_at(f->nt->target, cpu->context.pc);
        ds_follow_add(f, 3, "pc", ds_opt_known(cpu->context.pc), "%s%s from %s",
                      m != NULL ? m->name : "no module", m != NULL ? "," : "", cpu->context_source);
        ds_follow_add(f, 3, "sp", ds_opt_known(cpu->context.sp), NULL);
    } else {
        ds_follow_add(f, 3, "pc", ds_opt_unknown(DS_NOT_IN_DUMP),
                      "no context of this processor is in the dump");
    }
}

static void follow_process(struct ds_follow *f, uint32_t parameter)
{
    const struct ds_processes *all = ds_nt_processes(f->nt);
    uint64_t va = f->p[parameter - 1];
    for (size_t i = 0; i < all->count; i++)
        if (all->rows[i].eprocess == va && all->rows[i].name != NULL) {
            ds_follow_add(f, parameter, "process", ds_opt_known(va), "%s, pid %llu",
                          all->rows[i].name, HEX(ds_opt_or(all->rows[i].pid, 0)));
            return;
        }
    struct ds_target *t = f->nt->target;
    uint64_t name;
    const char *text = NULL;
    if (t->kernel != NULL &&
        ds_target_field_va(t, va, "_EPROCESS", "ImageFileName", &name) == DS_OK)
        text = ds_nt_text(f->nt, name, 15);
    if (text != NULL)
        ds_follow_add(f, parameter, "process", ds_opt_known(va), "%s", text);
    else
        ds_follow_add(f, parameter, "process", ds_opt_unknown(DS_NOT_IN_DUMP),
                      "the process object is not in the dump");
}

static void follow_critical_process(struct ds_follow *f) /* 0xEF */
{
    if (f->p[1] == 1)
        follow_thread(f, 1, "thread", ds_opt_known(f->p[0]));
    else
        follow_process(f, 1);
}

static void follow_text(struct ds_follow *f, uint32_t parameter, const char *name)
{
    struct ds_target *t = f->nt->target;
    const char *text = t->kernel != NULL ? ds_nt_text(f->nt, f->p[parameter - 1], 128) : NULL;
    if (text != NULL)
        ds_follow_add(f, parameter, name, ds_opt_known(f->p[parameter - 1]), "%s", text);
    else
        ds_follow_add(f, parameter, name, ds_opt_unknown(DS_NOT_IN_DUMP),
                      "the text is not in the dump");
}

static void follow_critical_object(struct ds_follow *f) /* 0xF4 */
{
    if (f->p[0] == 3)
        follow_process(f, 2);
    else if (f->p[0] == 6)
        follow_thread(f, 2, "thread", ds_opt_known(f->p[1]));
    follow_text(f, 3, "image_name");
    follow_text(f, 4, "explanation");
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

/* 0xBE and some sub-codes of 0x1A carry the contents of a page table entry. */
static void follow_pte(struct ds_follow *f, uint32_t parameter)
{
    struct ds_target *t = f->nt->target;
    char flags[DS_PTE_FLAGS_SIZE];
    enum ds_paging mode = t->kernel != NULL ? ds_space_paging(t->kernel) : DS_PAGING_NONE;
    if (mode == DS_PAGING_NONE)
        mode = t->arch == DS_ARCH_X64     ? DS_PAGING_X64
               : t->arch == DS_ARCH_ARM64 ? DS_PAGING_ARM64
                                          : DS_PAGING_NONE;
    if (mode == DS_PAGING_NONE)
        return;
    uint64_t pte = f->p[parameter - 1];
    ds_pte_flags_text(mode, pte, 1, flags);
    unsigned bits = bits_set(pte);
    ds_follow_add(f, parameter, "pte", ds_opt_known(pte), "%s%s", flags,
                  bits == 1 ? "; a single bit is set" : "");
}

static void follow_readonly(struct ds_follow *f)
{
    follow_pte(f, 2);
}

static void follow_memory(struct ds_follow *f)
{
    if (f->p[0] == 0x404)
        follow_pte(f, 3);
}

static const struct {
    uint32_t code;
    void (*follow)(struct ds_follow *f);
} families[] = {
    {0x1a, follow_memory},          {0x9f, ds_follow_power},
    {0xbe, follow_readonly},        {0xef, follow_critical_process},
    {0xf4, follow_critical_object}, {0xf7, follow_cookie},
    {0x101, follow_hung},           {0x124, follow_machine_check},
    {0x133, follow_watchdog},
};

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
    uint32_t code = ds_bugcheck_base((uint32_t)h->bugcheck_code.value);
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (families[i].code == code)
            families[i].follow(&f);
    r->rows = f.rows;
    r->count = f.count;
    r->walk.rows = f.count;
    return r;
}
