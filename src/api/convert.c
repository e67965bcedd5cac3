/* Any container to a DMP: the header from what the bootstrap found, contexts, decoded KDBG. */
#include "api/impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "dump/guest_cpu.h"
#include "dump/write.h"

#define PATCHES 2

struct conversion {
    struct ds_dump_writing w;
    struct ds_dump_patch patches[PATCHES];
    uint8_t header_context[3000], header_exception[0x98];
};

/* KDDEBUGGER_DATA64 stands plain in a dump that a debugger is to read. */
static void patch_kdbg(const struct ds_target *t, struct conversion *c)
{
    size_t done = 0;
    while (t->kdbg_encoded && t->kernel != NULL && t->kdbg.known && done < t->kdbg_size &&
           c->w.patch_count < PATCHES) {
        uint64_t va = t->kdbg.value + done, pa;
        size_t part = 0x1000 - (size_t)(va & 0xfff);
        if (part > t->kdbg_size - done)
            part = t->kdbg_size - done;
        if (ds_space_translate(t->kernel, va, &pa, NULL) != DS_OK)
            return;
        c->patches[c->w.patch_count++] =
            (struct ds_dump_patch){.pa = pa, .bytes = t->kdbg_bytes + done, .size = part};
        done += part;
    }
    c->w.patches = c->patches;
}

/* The registers that Windows itself saved in KPRCB, where the container has none. */
static void choose_saved(struct ds_snapshot *s, struct conversion *c)
{
    static const char *const x64[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    static const char *const x86[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
    const struct ds_fault_facts *f = ds_nt_fault(s->nt);
    const struct ds_context *saved = NULL;
    for (size_t i = 0; i < f->context_count && saved == NULL; i++)
        if (strncmp(f->contexts[i].source, "KPRCB.", 6) == 0)
            saved = &f->contexts[i].context;
    if (saved == NULL)
        return;
    struct ds_guest_cpu g = {.sp = saved->sp, .pc = saved->pc};
    const char *const *names = saved->arch == DS_ARCH_X64 ? x64 : x86;
    size_t count = saved->arch == DS_ARCH_X64 ? 16 : 8;
    for (size_t i = 0; saved->arch != DS_ARCH_ARM64 && i < count; i++)
        (void)ds_context_register(saved, names[i], &g.general[i]);
    for (size_t i = 0; saved->arch == DS_ARCH_ARM64 && i < 31; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "x%u", (unsigned)i);
        (void)ds_context_register(saved, name, &g.general[i]);
    }
    (void)ds_context_register(saved, saved->arch == DS_ARCH_ARM64 ? "psr" : "efl", &g.flags);
    uint16_t *selectors[] = {&g.cs, &g.ds, &g.es, &g.fs, &g.gs, &g.ss};
    static const char *const selector_names[] = {"cs", "ds", "es", "fs", "gs", "ss"};
    for (size_t i = 0; i < 6; i++) {
        uint64_t value = 0;
        (void)ds_context_register(saved, selector_names[i], &value);
        *selectors[i] = (uint16_t)value;
    }
    c->w.context = c->header_context;
    c->w.context_size =
        ds_guest_context_put(saved->arch, &g, c->header_context, sizeof(c->header_context));
}

/* Of a DMP its own records; else the processor that the analysis takes for the crashed one. */
static void choose_context(struct ds_snapshot *s, struct conversion *c)
{
    const struct ds_dump_header *h = ds_dump_header(s->dump);
    if (h->context_size != 0 && h->context_size <= sizeof(c->header_context) &&
        ds_dump_read_file(s->dump, h->context_offset, c->header_context, h->context_size) ==
            DS_OK) {
        c->w.context = c->header_context;
        c->w.context_size = h->context_size;
        if (h->exception_size <= sizeof(c->header_exception) &&
            ds_dump_read_file(s->dump, h->exception_offset, c->header_exception,
                              h->exception_size) == DS_OK) {
            c->w.exception = c->header_exception;
            c->w.exception_size = h->exception_size;
        }
        return;
    }
    const struct ds_fault_facts *f = ds_nt_fault(s->nt);
    const struct ds_dump_cpu *cpu = ds_dump_cpu(s->dump, 0);
    for (size_t i = 0; f->context_count > 0 && i < ds_dump_cpu_count(s->dump); i++) {
        const struct ds_dump_cpu *one = ds_dump_cpu(s->dump, i);
        if (one->context != NULL && one->sp.known && one->sp.value == f->contexts[0].context.sp)
            cpu = one;
    }
    if (cpu != NULL && cpu->context != NULL) {
        c->w.context = cpu->context;
        c->w.context_size = cpu->context_size;
    } else {
        choose_saved(s, c);
    }
}

/* What debuggers look for and neither guests nor damaged headers tell. */
static void complete_header(struct ds_snapshot *s, struct ds_dump_header *h)
{
    const struct ds_target *t = ds_nt_target(s->nt);
    const struct ds_processors *p = ds_nt_processors(s->nt);
    uint64_t va, value;
    h->is64 = t->pointer_size == 8;
    h->arch = t->arch;
    if (!h->machine.known)
        h->machine = ds_arch_machine(t->arch);
    if (!h->major_version.known)
        h->major_version = ds_opt_known(15); /* free build */
    if (!h->minor_version.known)
        h->minor_version = t->build;
    if (t->dtb.known)
        h->dtb = t->dtb;
    if (t->kdbg.known)
        h->kd_debugger_data_block = t->kdbg;
    if (!h->processor_count.known && p->count > 0)
        h->processor_count = ds_opt_known(p->count);
    if (!h->pfn_database.known && t->kernel != NULL &&
        ds_target_kdbg(t, "MmPfnDatabase", &va) == DS_OK &&
        ds_space_read_ptr(t->kernel, va, &value, NULL) == DS_OK)
        h->pfn_database = ds_opt_known(value);
}

enum ds_status ds_snapshot_convert(struct ds_snapshot *s, enum ds_dump_form form,
                                   ds_write_fn *write, void *arg, struct ds_err *err)
{
    enum ds_status status = ds_snapshot_need_facts(s, err);
    if (status != DS_OK)
        return status;
    if (!ds_dump_has_physical(s->dump))
        return ds_err_set(err, DS_UNSUPPORTED,
                          "a %s dump holds no physical memory: there is nothing to convert",
                          ds_snapshot_kind(s));
    struct conversion *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    c->w.header = *ds_dump_header(s->dump);
    complete_header(s, &c->w.header);
    choose_context(s, c);
    patch_kdbg(ds_nt_target(s->nt), c);
    c->w.bitmap = form == DS_FORM_BITMAP ||
                  (form == DS_FORM_AUTO && !ds_dump_write_fits_full(s->dump, c->w.header.is64));
    status = ds_dump_write(s->dump, &c->w, write, arg, err);
    free(c);
    return status;
}
