/* The frames of the fault's stack and of the bugcheck's. */
#include <string.h>

#include "nt/bugcheck.h"
#include "nt/impl.h"

#define RECORDS_MAX 8u
#define EXCEPTION_RECORD_SIZE 0x98u /* winnt.h, EXCEPTION_RECORD64 */

static bool was_code(void *arg, uint64_t va)
{
    struct ds_nt *nt = arg;
    const struct ds_unloaded_modules *u = ds_nt_unloaded_modules(nt);
    for (size_t i = 0; i < u->count; i++) {
        if (va > u->rows[i].start && va < u->rows[i].end) {
            return true;
        }
    }
    return false;
}

static bool stack_of(void *arg, uint64_t sp, uint64_t *limit)
{
    struct ds_nt *nt = arg;
    struct ds_stack_place place = ds_stack_find(nt, sp);
    *limit = place.limit;
    return place.known;
}

/* The records that the parameters point to; on a stack they hold registers, not frames. */
static size_t records_of(const struct ds_nt *nt, struct ds_stack_record *r)
{
    const struct ds_target *t = nt->target;
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    const struct ds_fault_roles *roles =
        ds_fault_roles_find(ds_bugcheck_base((uint32_t)ds_opt_or(h->bugcheck_code, 0)));
    size_t n = 0;
    if (roles == NULL) {
        return 0;
    }
    if (roles->exception_record >= 0 && h->bugcheck_parameter[roles->exception_record].known) {
        r[n++] = (struct ds_stack_record){h->bugcheck_parameter[roles->exception_record].value,
                                          EXCEPTION_RECORD_SIZE};
    }
    if (roles->context >= 0 && h->bugcheck_parameter[roles->context].known) {
        r[n++] = (struct ds_stack_record){h->bugcheck_parameter[roles->context].value,
                                          ds_context_record_size(t->arch)};
    }
    return n;
}

/* A walk on the stack that ends at `limit`. */
static struct ds_stack_walk walk_of(struct ds_nt *nt, const struct ds_context *context, uint64_t sp,
                                    uint64_t limit)
{
    struct ds_target *t = nt->target;
    return (struct ds_stack_walk){.space = t->kernel,
                                  .arch = t->arch,
                                  .symbols = t->symbols,
                                  .context = context,
                                  .sp = sp,
                                  .limit = limit,
                                  .stop = limit,
                                  .was_code = was_code,
                                  .stack_of = stack_of,
                                  .arg = nt};
}

/* `stop`: where the fault's own stack begins, which is walked by itself; 0 for none. */
static void walk(struct ds_nt *nt, const struct ds_context *context, uint64_t sp, uint64_t stop,
                 struct ds_stack *ret, const char **kind)
{
    struct ds_stack_place place = ds_stack_find(nt, sp);
    struct ds_stack_record records[RECORDS_MAX];
    struct ds_stack_walk in = walk_of(nt, context, sp, place.limit);
    in.stop = stop > sp && stop < place.limit ? stop : place.limit;
    in.records = records;
    in.record_count = records_of(nt, records);
    ds_stack_walk(&in, ret);
    *kind = place.kind;
}

void ds_stack_walk_on(struct ds_nt *nt, const struct ds_context *context, bool switched,
                      uint64_t sp, const struct ds_stack_place *place, struct ds_stack *ret)
{
    struct ds_stack_walk in = walk_of(nt, context, sp, place->limit);
    in.switched = switched;
    ds_stack_walk(&in, ret);
}

void ds_nt_stack_walk(struct ds_nt *nt, const struct ds_context *context, uint64_t sp,
                      struct ds_stack *ret, const char **kind)
{
    const char *which = "unknown stack";
    (void)ds_nt_fault(nt); /* tells which thread is the current one */
    if (nt->target->kernel != NULL) {
        walk(nt, context, sp, 0, ret, &which);
    } else {
        *ret = (struct ds_stack){.end = nt->target->kernel_why, .end_sp = sp};
    }
    if (kind != NULL) {
        *kind = which;
    }
}

/* Names by export table for the modules of the frames: few modules, so a few reads. */
void ds_stack_names(struct ds_nt *nt, const struct ds_stack *s)
{
    const struct ds_target *t = nt->target;
    if (nt->exports_read == NULL)
        nt->exports_read = ds_arena_alloc(&nt->arena, t->module_count, sizeof(*nt->exports_read));
    for (size_t i = 0; nt->exports_read != NULL && i < s->count; i++) {
        const struct ds_module *m = ds_target_module_at(t, s->frames[i].pc);
        size_t at = m != NULL ? (size_t)(m - t->modules) : t->module_count;
        if (at < t->module_count && !nt->exports_read[at]) {
            nt->exports_read[at] = true;
            /* Best effort: without export names a frame stays module+offset. */
            (void)!ds_symbols_load_exports(t->symbols, m->base, t->kernel);
        }
    }
}

/* "5 unwound, 2 by scanning; 11 values that follow no call left out". */
static const char *walk_detail(struct ds_nt *nt, const struct ds_stack *s)
{
    struct ds_buf b;
    bool known = s->count == 0 || ds_stack_find(nt, s->frames[0].sp).known;
    size_t scanned = 0, first = s->count > 0 && s->frames[0].trust == DS_FRAME_CONTEXT ? 1 : 0;
    for (size_t i = first; i < s->count; i++) {
        scanned += s->frames[i].trust == DS_FRAME_SCAN;
    }
    ds_buf_init(&b, 512);
    ds_buf_printf(&b, "%zu frames unwound, %zu found by scanning", s->count - first - scanned,
                  scanned);
    if (s->dropped != 0) {
        ds_buf_printf(&b, "; %zu values that follow no call left out", s->dropped);
    }
    if (s->residue != 0) {
        ds_buf_printf(&b, "; %zu values in records of the exception left out", s->residue);
    }
    if (!known) {
        ds_buf_str(&b, "; where the stack ends is not known");
    }
    const char *text = ds_buf_ok(&b) ? ds_arena_strdup(&nt->arena, ds_buf_text(&b), b.len) : NULL;
    ds_buf_deinit(&b);
    return text != NULL ? text : "";
}

static void describe(struct ds_nt *nt, struct ds_fault_facts *f)
{
    const struct ds_stack *s = &f->stack;
    f->stack_walk = (struct ds_walk){.table_name = "stack_frames",
                                     .complete = s->end == DS_OK,
                                     .rows = s->count,
                                     .stop_reason = s->end,
                                     .stop_address = s->end == DS_OK ? ds_opt_unknown(DS_OK)
                                                                     : ds_opt_known(s->end_sp),
                                     .detail = walk_detail(nt, s)};
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
        walk(nt, c, c->sp, 0, &f->stack, &f->stack_kind);
        other = bugcheck_context(f);
    }
    if (other != NULL) {
        walk(nt, other, other->sp, f->contexts[f->chosen].context.sp, &f->bugcheck_stack,
             &other_kind);
    } else if (tr != NULL && tr->call_stack.size != 0 && tr->top_of_stack.known) {
        walk(nt, NULL, tr->top_of_stack.value, 0, &f->bugcheck_stack, &other_kind);
    } else if (f->chosen == SIZE_MAX) {
        no_stack(f, DS_NOT_IN_DUMP, "no context record can be read");
        return;
    }
    /* Of the fault's stack nothing but its context: what led to the bugcheck has to do. */
    if (f->chosen == SIZE_MAX || (f->stack.count <= 1 && f->bugcheck_stack.count > 1)) {
        f->stack = f->bugcheck_stack;
        f->stack_kind = other_kind;
    }
    ds_stack_names(nt, &f->stack);
    ds_stack_names(nt, &f->bugcheck_stack);
    describe(nt, f);
}
