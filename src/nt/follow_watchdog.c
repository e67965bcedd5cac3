/* Clocks and processors: the DPC watchdog (0x133), a processor that does not answer (0x101). */
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "nt/follow.h"
#include "nt/ticks.h"

#define HEX(x) (unsigned long long)(x)
#define USUAL_TICK 156250u /* 100 ns: 64 ticks a second, what x86 and x64 clocks are set to */
#define HUNG_FRAMES 12u

static void follow_ticks(struct ds_follow *f, uint32_t parameter, uint64_t ticks, const char *limit)
{
    const char *source;
    uint64_t tick = ds_nt_tick_length(f->nt, &source);
    if (ticks >= UINT32_MAX)
        ds_follow_add(f, parameter, "ticks", ds_opt_known(ticks), "0x%llx%s ticks", HEX(ticks),
                      limit);
    else if (tick != 0)
        ds_follow_add(f, parameter, "ticks", ds_opt_known(ticks),
                      "0x%llx%s ticks, about %.2f s at %.3f ms%s", HEX(ticks), limit,
                      (double)ticks * (double)tick / 1e7, (double)tick / 1e4, source);
    else
        ds_follow_add(f, parameter, "ticks", ds_opt_known(ticks),
                      "0x%llx%s ticks; the length of a tick is not in the dump, at the usual "
                      "%.3f ms about %.2f s",
                      HEX(ticks), limit, USUAL_TICK / 1e4, (double)ticks * USUAL_TICK / 1e7);
}

#define PROFILE_NO_BLOCK ((struct profile){.status = DS_NOT_FOUND})
struct profile {
    enum ds_status status; /* DS_OK: the block was read */
    uint32_t offset;       /* of the pointer to the profile, in the KPRCB */
    uint32_t length;       /* bytes of the profile */
    uint16_t revision, size;
    uint32_t signature;
};

/* dt nt!DPC_WATCHDOG_GLOBAL_TRIAGE_BLOCK, as bug-check-0x133 shows it. */
static struct profile read_block(struct ds_target *t, uint64_t va)
{
    uint8_t raw[16];
    struct profile p = PROFILE_NO_BLOCK;
    if (va == 0)
        return p;
    p.status = t->kernel != NULL ? ds_space_read(t->kernel, va, raw, 16, NULL) : t->kernel_why;
    if (p.status != DS_OK)
        return p;
    p.signature = ds_le32(raw);
    p.revision = ds_le16(raw + 4);
    p.size = ds_le16(raw + 6);
    p.offset = ds_le32(raw + 8);
    p.length = ds_le32(raw + 12);
    if (p.signature != 0xaebecede)
        p.status = DS_CORRUPT;
    return p;
}

static void follow_block(struct ds_follow *f, uint32_t parameter)
{
    uint64_t va = f->p[parameter - 1];
    struct profile p = read_block(f->nt->target, va);
    if (p.status == DS_CORRUPT) {
        ds_follow_add(f, parameter, "triage_block", ds_opt_unknown(DS_CORRUPT),
                      "there is no triage block: its signature is 0x%08lx",
                      (unsigned long)p.signature);
        return;
    }
    if (p.status != DS_OK) {
        ds_follow_add(f, parameter, "triage_block", ds_opt_unknown(p.status),
                      va == 0 ? "no triage block was passed"
                              : "the triage block is not in the dump");
        return;
    }
    const struct ds_dpc_samples *samples = ds_nt_dpc_samples(f->nt);
    ds_follow_add(f, parameter, "triage_block", ds_opt_known(va), "revision %u, %u bytes",
                  (unsigned)p.revision, (unsigned)p.size);
    ds_follow_add(f, parameter, "profile_offset", ds_opt_known(p.offset),
                  "bytes from each KPRCB to the pointer to its profile of long DPCs");
    ds_follow_add(f, parameter, "profile_length", ds_opt_known(p.length), "bytes of that profile");
    if (samples->walk.complete && samples->count == 0)
        ds_follow_add(f, parameter, "profile_samples", ds_opt_known(0), "the profiles are empty");
    else if (samples->count != 0)
        ds_follow_add(f, parameter, "profile_samples", ds_opt_known(samples->count),
                      "addresses captured while DPCs ran long: table dpc_watchdog_samples");
    else
        ds_follow_add(f, parameter, "profile_samples", ds_opt_unknown(samples->walk.stop_reason),
                      "%s",
                      samples->walk.complete ? "the profiles are empty" : samples->walk.detail);
}

void ds_follow_watchdog(struct ds_follow *f)
{
    char limit[40];
    if (f->p[0] == 0) {
        (void)snprintf(limit, sizeof(limit), " of 0x%llx", HEX(f->p[2]));
        follow_ticks(f, 2, f->p[1], limit);
        follow_block(f, 4);
    } else if (f->p[0] == 1) {
        follow_ticks(f, 2, f->p[1], "");
        follow_block(f, 3);
    }
}

struct sampler {
    struct ds_nt *nt;
    struct ds_dpc_sample *rows;
    size_t count;
    uint8_t page[0x1000];
};

static void stop(struct ds_nt *nt, enum ds_status why, uint64_t at, const char *detail)
{
    struct ds_walk *w = &nt->dpc_samples.walk;
    if (!w->complete)
        return;
    *w = (struct ds_walk){.table_name = w->table_name,
                          .complete = false,
                          .stop_reason = why,
                          .stop_address = ds_opt_known(at),
                          .detail = detail};
}

/* The profile is an array of addresses; zeros part one captured stack from the next. */
static bool sample_processor(struct sampler *s, const struct ds_processor *cpu, uint64_t at,
                             uint64_t end)
{
    struct ds_target *t = s->nt->target;
    unsigned size = t->pointer_size;
    uint32_t capture = 0, depth = 0;
    while (at < end) {
        size_t n = sizeof(s->page) - (size_t)(at % sizeof(s->page));
        n = end - at < n ? (size_t)(end - at) : n;
        enum ds_status status = ds_space_read(t->kernel, at, s->page, n, NULL);
        if (status != DS_OK) {
            stop(s->nt, status, at, "a processor's profile is not whole in the dump");
            return true;
        }
        for (size_t i = 0; i + size <= n; i += size) {
            uint64_t pc = size == 8 ? ds_le64(s->page + i) : ds_le32(s->page + i);
            if (pc == 0 || !ds_target_is_kernel_va(t, pc)) {
                capture += depth != 0;
                depth = 0;
                continue;
            }
            if (s->count == DS_LIMIT_DPC_SAMPLES) {
                stop(s->nt, DS_LIMIT, at + i, "the profiles hold more samples than are kept");
                return false;
            }
            s->rows[s->count++] = (struct ds_dpc_sample){cpu->number, capture, depth++, pc};
        }
        at += n;
    }
    return true;
}

static void sample_all(struct sampler *s, const struct profile *p)
{
    struct ds_target *t = s->nt->target;
    const struct ds_processors *cpus = ds_nt_processors(s->nt);
    bool more = true;
    for (size_t i = 0; i < cpus->count && more; i++) {
        uint64_t buffer;
        if (!cpus->rows[i].prcb.known)
            continue;
        uint64_t slot = cpus->rows[i].prcb.value + p->offset;
        enum ds_status status = ds_space_read_ptr(t->kernel, slot, &buffer, NULL);
        if (status != DS_OK) {
            stop(s->nt, status, slot, "a processor's profile pointer is not in the dump");
            continue;
        }
        if (buffer != 0)
            more = sample_processor(s, &cpus->rows[i], buffer,
                                    buffer > UINT64_MAX - p->length ? buffer : buffer + p->length);
    }
}

static void take_samples(struct ds_nt *nt, uint64_t block)
{
    struct profile p = read_block(nt->target, block);
    if (p.status != DS_OK) {
        stop(nt, p.status, block, "the triage block cannot be read");
        return;
    }
    if (p.length > DS_LIMIT_DPC_PROFILE) {
        stop(nt, DS_LIMIT, block + 12, "the triage block states a longer profile than is read");
        p.length = DS_LIMIT_DPC_PROFILE;
    }
    struct sampler *s = ds_alloc_array(1, sizeof(*s));
    if (s == NULL) {
        stop(nt, DS_NO_MEMORY, block, "");
        return;
    }
    *s = (struct sampler){.nt = nt};
    size_t most = ds_nt_processors(nt)->count * (p.length / nt->target->pointer_size);
    s->rows =
        ds_arena_alloc(&nt->arena, most < DS_LIMIT_DPC_SAMPLES ? most + 1 : DS_LIMIT_DPC_SAMPLES,
                       sizeof(*s->rows));
    if (s->rows != NULL) {
        sample_all(s, &p);
        nt->dpc_samples.rows = s->rows;
        nt->dpc_samples.count = s->count;
    } else {
        stop(nt, DS_NO_MEMORY, block, "");
    }
    free(s);
}

const struct ds_dpc_samples *ds_nt_dpc_samples(struct ds_nt *nt)
{
    struct ds_dpc_samples *r = &nt->dpc_samples;
    const struct ds_dump_header *h = ds_dump_header(nt->target->dump);
    if (nt->have_dpc_samples)
        return r;
    nt->have_dpc_samples = true;
    r->walk = (struct ds_walk){.table_name = "dpc_watchdog_samples",
                               .complete = true,
                               .stop_address = ds_opt_unknown(DS_OK),
                               .detail = ""};
    if (!h->bugcheck_code.known || ds_bugcheck_base((uint32_t)h->bugcheck_code.value) != 0x133)
        return r;
    uint64_t kind = ds_opt_or(h->bugcheck_parameter[0], 2);
    uint64_t block = ds_opt_or(h->bugcheck_parameter[kind == 0 ? 3 : 2], 0);
    if (kind <= 1 && block != 0 && nt->target->kernel != NULL)
        take_samples(nt, block);
    r->walk.rows = r->count;
    return r;
}

/* What ran on the processor, by the stack that its context is on. */
static void follow_frames(struct ds_follow *f, uint32_t parameter, const struct ds_context *c)
{
    struct ds_target *t = f->nt->target;
    struct ds_stack *stack = ds_alloc_array(1, sizeof(*stack));
    char place[160];
    if (stack == NULL)
        return;
    struct ds_stack_place at = ds_stack_find(f->nt, c->sp);
    const struct ds_stack_walk in = {.space = t->kernel,
                                     .arch = t->arch,
                                     .symbols = t->symbols,
                                     .context = c,
                                     .sp = c->sp,
                                     .limit = at.limit,
                                     .stop = at.limit};
    ds_stack_walk(&in, stack);
    for (size_t i = 1; i < stack->count && i <= HUNG_FRAMES; i++) {
        ds_follow_place(f, stack->frames[i].pc, place, sizeof(place));
        ds_follow_add(f, parameter, "frame", ds_opt_known(stack->frames[i].pc), "%s", place);
    }
    free(stack);
}

static const struct ds_processor *processor_at(struct ds_nt *nt, uint64_t prcb)
{
    const struct ds_processors *all = ds_nt_processors(nt);
    for (size_t i = 0; i < all->count; i++)
        if (all->rows[i].prcb.known && all->rows[i].prcb.value == prcb)
            return &all->rows[i];
    return NULL;
}

/* CR8 is the task priority, which Windows uses as IRQL on x64 (Intel SDM, CR8; WDK, !irql). */
static void follow_irql(struct ds_follow *f, uint32_t parameter, const struct ds_processor *cpu)
{
    struct ds_opt irql = ds_opt_unknown(DS_UNSUPPORTED);
    if (f->nt->target->arch == DS_ARCH_X64)
        irql = ds_target_field(f->nt->target, cpu->prcb.value, "_KPRCB",
                               "ProcessorState.SpecialRegisters.Cr8");
    if (irql.known && irql.value <= 15)
        ds_follow_add(f, parameter, "irql", irql, "when its registers were saved");
}

static void follow_cpu(struct ds_follow *f, uint32_t parameter, const struct ds_processor *cpu)
{
    ds_follow_thread(f, parameter, "current_thread", cpu->current_thread);
    if (!cpu->has_context) {
        ds_follow_add(f, parameter, "pc", ds_opt_unknown(DS_NOT_IN_DUMP),
                      "no context of this processor is in the dump");
        return;
    }
    char place[160];
    ds_follow_place(f, cpu->context.pc, place, sizeof(place));
    ds_follow_add(f, parameter, "pc", ds_opt_known(cpu->context.pc), "%s, from %s",
                  place[0] != '\0' ? place : "no module", cpu->context_source);
    ds_follow_add(f, parameter, "sp", ds_opt_known(cpu->context.sp), "%s",
                  ds_stack_find(f->nt, cpu->context.sp).kind);
    follow_irql(f, parameter, cpu);
    follow_frames(f, parameter, &cpu->context);
}

void ds_follow_processor(struct ds_follow *f, uint32_t parameter, uint64_t prcb)
{
    const struct ds_processor *cpu = processor_at(f->nt, prcb);
    if (cpu == NULL) {
        ds_follow_add(f, parameter, "processor", ds_opt_unknown(DS_NOT_FOUND),
                      "the control block is not one of the processors in the dump");
        return;
    }
    ds_follow_add(f, parameter, "processor", ds_opt_known(cpu->number), NULL);
    follow_cpu(f, parameter, cpu);
}

/* 0x101: the processor that does not answer. */
void ds_follow_hung(struct ds_follow *f)
{
    const struct ds_processor *cpu = processor_at(f->nt, f->p[2]);
    follow_ticks(f, 1, f->p[0], "");
    if (cpu == NULL) {
        ds_follow_add(f, 3, "processor", ds_opt_unknown(DS_NOT_FOUND),
                      "the control block is not one of the processors in the dump");
        return;
    }
    ds_follow_add(f, 3, "processor", ds_opt_known(cpu->number),
                  cpu->number == f->p[3] ? "as parameter 4 says" : "parameter 4 says another one");
    follow_cpu(f, 3, cpu);
}
