/* The machine and the fault, from the kernel's rows. */
#include <stdio.h>
#include <string.h>

#include "nt/codes.h"
#include "nt/hardware.h"
#include "report/build.h"

#define KEEP_MAX (64u << 10)

static void build_process(struct ds_builder *b, struct ds_opt eprocess)
{
    const struct ds_processes *ps = ds_nt_processes(b->nt);
    struct ds_report_process *out = &b->r->system.process;
    if (!eprocess.known)
        return;
    *out = (struct ds_report_process){.known = true, .eprocess = eprocess};
    for (size_t i = 0; i < ps->count; i++) {
        if (ps->rows[i].eprocess != eprocess.value)
            continue;
        out->pid = ps->rows[i].pid;
        out->ppid = ps->rows[i].ppid;
        out->name = ps->rows[i].name;
        return;
    }
}

/* Small dumps hold one thread: its row is there. Elsewhere the members are read directly, so
 * that naming the current thread does not walk all of them. */
static void build_thread(struct ds_builder *b, struct ds_opt ethread)
{
    struct ds_report_thread *out = &b->r->system.thread;
    if (!ethread.known)
        return;
    *out = (struct ds_report_thread){.known = true, .ethread = ethread};
    if (ds_dump_kind(b->t->dump) == DS_DUMP_TRIAGE) {
        const struct ds_threads *ts = ds_nt_threads(b->nt);
        for (size_t i = 0; i < ts->count; i++) {
            if (ts->rows[i].ethread != ethread.value)
                continue;
            out->pid = ts->rows[i].pid;
            out->tid = ts->rows[i].tid;
            out->state = ts->rows[i].state;
            out->wait_reason = ts->rows[i].wait_reason;
            out->priority = ts->rows[i].priority;
            break;
        }
    } else {
        uint64_t va = ethread.value;
        out->pid = ds_target_field(b->t, va, "_ETHREAD", "Cid.UniqueProcess");
        out->tid = ds_target_field(b->t, va, "_ETHREAD", "Cid.UniqueThread");
        out->state = ds_target_field(b->t, va, "_KTHREAD", "State");
        out->wait_reason = ds_target_field(b->t, va, "_KTHREAD", "WaitReason");
        out->priority = ds_target_field(b->t, va, "_KTHREAD", "Priority");
    }
    if (out->state.known)
        out->state_name = ds_thread_state_name(out->state.value);
    /* A wait reason is a leftover unless the thread waits (KTHREAD_STATE Waiting = 5). */
    if (out->state.known && out->state.value == 5 && out->wait_reason.known)
        out->wait_reason_name = ds_wait_reason_name(out->wait_reason.value);
}

static void build_windows(struct ds_builder *b)
{
    struct ds_report_system *s = &b->r->system;
    const struct ds_target *t = b->t;
    if (t->build.known)
        s->build = t->build;
    s->revision = t->revision;
    s->revision_exact = t->version_exact;
    s->build_lab = t->build_lab;
    bool server = s->product_type.known && s->product_type.value > 1;
    if (s->build.known)
        s->windows = ds_version_name((uint32_t)s->build.value, server);
    s->kernel_base = t->kernel_base;
    s->kdbg = t->kdbg;
    s->dtb = t->dtb;
    if (t->kernel_pe_known && t->kernel_pe.pdb_id[0] != '\0') {
        struct ds_buf words;
        ds_buf_init(&words, KEEP_MAX);
        ds_buf_printf(&words, "%s/%s", t->kernel_pe.pdb_name, t->kernel_pe.pdb_id);
        s->kernel_pdb = ds_build_keep(b->r, &words);
    }
    if (t->layout != NULL) {
        s->layout_source = ds_layout_source(t->layout);
        s->layout_trust = ds_trust_name(ds_layout_trust(t->layout));
    }
}

static void build_process_list(struct ds_builder *b)
{
    const struct ds_processes *ps = ds_nt_processes(b->nt);
    if (ds_dump_kind(b->t->dump) != DS_DUMP_TRIAGE && ps->walk.complete)
        b->r->process_total = ds_opt_known(ps->count);
    b->r->processes = ds_build_array(b, ps->count, sizeof(*b->r->processes));
    if (b->r->processes == NULL)
        return;
    b->r->process_count = ps->count;
    for (size_t i = 0; i < ps->count; i++)
        b->r->processes[i] =
            (struct ds_report_process){.known = true,
                                       .eprocess = ds_opt_known(ps->rows[i].eprocess),
                                       .pid = ps->rows[i].pid,
                                       .ppid = ps->rows[i].ppid,
                                       .name = ps->rows[i].name};
}

void ds_build_system(struct ds_builder *b)
{
    const struct ds_fault_facts *f = ds_nt_fault(b->nt);
    build_windows(b);
    build_process(b, f->current_process);
    build_thread(b, f->current_thread);
    build_process_list(b);
}

static void build_exception(struct ds_builder *b, const struct ds_exception *e)
{
    struct ds_report_exception *out = &b->r->exception;
    if (!e->known)
        return;
    const struct ds_code *code = ds_ntstatus_find(e->code);
    *out = (struct ds_report_exception){.known = true,
                                        .code = e->code,
                                        .flags = e->flags,
                                        .name = code != NULL ? code->name : NULL,
                                        .source = e->source,
                                        .where = ds_build_where(b, e->address),
                                        .address = e->address,
                                        .parameter_count =
                                            e->parameter_count < 15 ? e->parameter_count : 15};
    /* KeBugCheckEx leaves STATUS_BREAKPOINT at itself in the header when nothing was raised. */
    out->of_bugcheck = e->code == 0x80000003u && strcmp(e->source, "header") == 0;
    memcpy(out->parameters, e->parameters, sizeof(out->parameters));
}

static void build_contexts(struct ds_builder *b, const struct ds_fault_facts *f)
{
    for (size_t i = 0; i < f->context_count && i < 8; i++) {
        const struct ds_context_record *c = &f->contexts[i];
        b->r->contexts[b->r->context_count++] =
            (struct ds_report_context){.source = c->source,
                                       .meaning = c->meaning,
                                       .where = ds_build_where(b, c->context.pc),
                                       .chosen = i == f->chosen,
                                       .pc = c->context.pc,
                                       .sp = c->context.sp,
                                       .context = &c->context};
    }
}

void ds_build_stack(struct ds_builder *b, const struct ds_stack *from, const char *kind,
                    struct ds_report_stack *s)
{
    s->kind = kind;
    s->complete = from->end == DS_OK;
    s->end = s->complete ? NULL : ds_status_text(from->end);
    s->end_sp =
        s->complete || from->count == 0 ? ds_opt_unknown(DS_OK) : ds_opt_known(from->end_sp);
    s->frames = ds_build_array(b, from->count, sizeof(*s->frames));
    if (s->frames == NULL)
        return;
    s->frame_count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        const struct ds_frame *in = &from->frames[i];
        const struct ds_module *m = ds_target_module_at(b->t, in->pc);
        s->frames[i] = (struct ds_report_frame){.sp = in->sp,
                                                .pc = in->pc,
                                                .trust = ds_frame_trust_name(in->trust),
                                                .where = ds_build_where(b, in->pc),
                                                .module = m != NULL ? m->name : NULL,
                                                .after_call = in->after_call,
                                                .interrupted = in->interrupted,
                                                .anchored = in->anchored};
    }
}

static const char *operand_registers(struct ds_builder *b, const struct ds_insn_memory *m)
{
    struct ds_buf words;
    ds_buf_init(&words, KEEP_MAX);
    if (m->segment[0] != '\0')
        ds_buf_printf(&words, "%s:", m->segment);
    ds_buf_str(&words, m->base);
    if (m->index[0] != '\0')
        ds_buf_printf(&words, "%s%s*%u", m->base[0] != '\0' ? " + " : "", m->index,
                      (unsigned)m->scale << m->shift);
    bool alone = m->base[0] == '\0' && m->index[0] == '\0';
    if (m->displacement < 0 && !alone)
        ds_buf_printf(&words, " - 0x%llx", (unsigned long long)-(uint64_t)m->displacement);
    else if (m->displacement != 0 || alone)
        ds_buf_printf(&words, "%s0x%llx", alone ? "" : " + ", (unsigned long long)m->displacement);
    return ds_build_keep(b->r, &words);
}

static void build_instruction(struct ds_builder *b)
{
    const struct ds_fault_insn *x = ds_nt_fault_insn(b->nt);
    struct ds_report_instruction *out = &b->r->instruction;
    struct ds_buf bytes;
    if (!x->known)
        return;
    ds_buf_init(&bytes, KEEP_MAX);
    for (unsigned i = 0; i < x->insn.size; i++)
        ds_buf_printf(&bytes, "%02x", x->insn.bytes[i]);
    *out = (struct ds_report_instruction){.known = true,
                                          .address = x->insn.va,
                                          .text = x->insn.text,
                                          .bytes = ds_build_keep(b->r, &bytes),
                                          .judgement = x->judgement,
                                          .agrees = x->agrees};
    out->operands = ds_build_array(b, x->operand_count, sizeof(*out->operands));
    for (size_t i = 0; out->operands != NULL && i < x->operand_count; i++)
        out->operands[out->operand_count++] =
            (struct ds_report_operand){.registers = operand_registers(b, &x->operands[i].memory),
                                       .access = ds_insn_access_name(x->operands[i].memory.access),
                                       .address = x->operands[i].address};
}

void ds_build_fault(struct ds_builder *b)
{
    const struct ds_fault_facts *f = ds_nt_fault(b->nt);
    build_exception(b, &f->exception);
    b->r->fault_address = f->fault_address;
    b->r->fault_access = f->fault_access;
    if (f->fault_address.known)
        b->r->fault_where = ds_build_where(b, f->fault_address.value);
    build_instruction(b);
    build_contexts(b, f);
    ds_build_stack(b, &f->stack, f->stack_kind, &b->r->stack);
}

void ds_build_modules(struct ds_builder *b)
{
    struct ds_report *r = b->r;
    const struct ds_target *t = b->t;
    r->modules = ds_build_array(b, t->module_count, sizeof(*r->modules));
    for (size_t i = 0; r->modules != NULL && i < t->module_count; i++) {
        const struct ds_module *m = &t->modules[i];
        struct ds_report_module *o = &r->modules[r->module_count++];
        *o = (struct ds_report_module){.name = m->name[0] != '\0' ? m->name : NULL,
                                       .path = m->path,
                                       .source = m->source,
                                       .base = m->base,
                                       .size = m->size,
                                       .timestamp = m->timestamp,
                                       .checksum = m->checksum,
                                       .owner = ds_build_owner(b, m)};
    }
    const struct ds_unloaded_modules *u = ds_nt_unloaded_modules(b->nt);
    r->unloaded = ds_build_array(b, u->count, sizeof(*r->unloaded));
    for (size_t i = 0; r->unloaded != NULL && i < u->count; i++)
        r->unloaded[r->unloaded_count++] =
            (struct ds_report_unloaded){.name = u->rows[i].name,
                                        .name_cut = u->rows[i].name_cut,
                                        .start = u->rows[i].start,
                                        .end = u->rows[i].end,
                                        .unload_time = u->rows[i].unload_time};
}
