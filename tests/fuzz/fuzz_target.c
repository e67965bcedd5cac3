/*
 * From bytes to every table of the kernel: container, bootstrap, lists, fault, stack scan. Checks
 * what must hold whatever the input is. Corpus: *.dmp *.core
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "nt/nt.h"

static void check_walk(const struct ds_walk *w, const char *name, size_t rows)
{
    if (strcmp(w->table_name, name) != 0 || w->rows != rows || w->detail == NULL ||
        w->complete != (w->stop_reason == DS_OK))
        abort();
}

static void check_fault(struct ds_nt *nt)
{
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    if (f->chosen != SIZE_MAX && (f->chosen >= f->context_count || !f->contexts[f->chosen].chosen))
        abort();
    if (f->exception.parameter_count > 15 || f->stack.count > DS_LIMIT_FRAMES ||
        f->stack_kind == NULL || (f->exception.known && f->exception.source == NULL))
        abort();
    check_walk(&f->stack_walk, "stack_frames", f->stack.count);
    for (size_t i = 0; i < f->stack.count; i++) {
        struct ds_buf b;
        ds_buf_init(&b, 4096);
        ds_symbols_format(ds_nt_target(nt)->symbols, f->stack.frames[i].pc, &b);
        ds_buf_deinit(&b);
    }
}

static void check_tables(struct ds_nt *nt)
{
    const struct ds_target *t = ds_nt_target(nt);
    const struct ds_processes *p = ds_nt_processes(nt);
    const struct ds_threads *th = ds_nt_threads(nt);
    const struct ds_processors *c = ds_nt_processors(nt);
    const struct ds_unloaded_modules *u = ds_nt_unloaded_modules(nt);
    check_walk(&t->modules_walk, "modules", t->module_count);
    check_walk(&p->walk, "processes", p->count);
    check_walk(&th->walk, "threads", th->count);
    check_walk(&c->walk, "processors", c->count);
    check_walk(&u->walk, "unloaded_modules", u->count);
    for (size_t i = 0; i < t->module_count; i++) {
        if (t->modules[i].name == NULL)
            abort();
    }
    for (size_t i = 0; i < t->step_count; i++) {
        if (t->steps[i].detail == NULL || t->steps[i].ok != (t->steps[i].status == DS_OK))
            abort();
    }
    check_fault(nt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds_source *src;
    struct ds_dump *d;
    struct ds_target *t;
    struct ds_nt *nt;
    if (ds_source_memory_open(data, size, &src, NULL) != DS_OK)
        return 0;
    /* What is no dump is memory without a header: nothing but its contents leads to a kernel. */
    const struct ds_dump_options raw = {.raw = true};
    if (ds_dump_open(src, &d, NULL) != DS_OK && ds_dump_open_with(src, &raw, &d, NULL) != DS_OK) {
        ds_source_close(src);
        return 0;
    }
    if (ds_target_open(d, NULL, &t, NULL) != DS_OK || ds_nt_open(t, &nt, NULL) != DS_OK)
        return 0;
    check_tables(nt);
    ds_nt_close(nt);
    return 0;
}
