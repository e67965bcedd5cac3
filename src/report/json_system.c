/* The members "system", "exception", "contexts", "stack", "modules", "unloaded_modules",
 * "processes" and "bootstrap". */
#include "base/clock.h"
#include "report/json_parts.h"

static void json_span(struct ds_json *j, const char *key, struct ds_opt ticks)
{
    char text[DS_CLOCK_TEXT];
    if (ticks.known)
        ds_clock_span(ticks.value, text);
    ds_json_key_string(j, key, ticks.known ? text : NULL);
}

static void json_process(struct ds_json *j, const struct ds_report *r,
                         const struct ds_report_process *p)
{
    if (!p->known) {
        ds_json_null(j);
        return;
    }
    ds_json_object(j);
    ds_json_key_hex(j, "eprocess", p->eprocess, r->digits);
    ds_json_key_opt(j, "pid", p->pid);
    ds_json_key_opt(j, "ppid", p->ppid);
    ds_json_key_string(j, "name", p->name);
    ds_json_object_end(j);
}

static void json_thread(struct ds_json *j, const struct ds_report *r,
                        const struct ds_report_thread *t)
{
    if (!t->known) {
        ds_json_null(j);
        return;
    }
    ds_json_object(j);
    ds_json_key_hex(j, "ethread", t->ethread, r->digits);
    ds_json_key_opt(j, "pid", t->pid);
    ds_json_key_opt(j, "tid", t->tid);
    ds_json_key_opt(j, "state", t->state);
    ds_json_key_string(j, "state_name", t->state_name);
    ds_json_key_opt(j, "wait_reason", t->wait_reason);
    ds_json_key_string(j, "wait_reason_name", t->wait_reason_name);
    ds_json_key_opt(j, "priority", t->priority);
    ds_json_object_end(j);
}

static void json_windows(struct ds_json *j, const struct ds_report_system *s)
{
    ds_json_key_string(j, "windows", s->windows);
    ds_json_key_opt(j, "build", s->build);
    ds_json_key_opt(j, "revision", s->revision);
    ds_json_key_bool(j, "revision_exact", s->revision_exact);
    ds_json_key_string(j, "build_lab", s->build_lab);
    ds_json_key_bool(j, "checked_build", s->checked_build);
    ds_json_key_opt(j, "product_type", s->product_type);
    ds_json_key_string(j, "product", s->product);
    ds_json_key_hex(j, "suite_mask", s->suite_mask, 8);
    ds_json_key_string(j, "suite", s->suite);
}

static void json_machine(struct ds_json *j, const struct ds_report_machine *m)
{
    ds_json_key(j, "machine");
    ds_json_object(j);
    ds_json_key_string(j, "id", m->id);
    ds_json_key_string(j, "id_basis", m->id_basis);
    ds_json_key_string(j, "id_note", m->id_note);
    ds_json_key_string(j, "virtual", m->is_virtual);
    ds_json_key_string(j, "platform", m->platform);
    ds_json_key_string(j, "firmware_oem", m->firmware_oem);
    ds_json_key_string(j, "chassis", m->chassis);
    ds_json_key_string(j, "version", m->version);
    ds_json_key_string(j, "family", m->family);
    ds_json_key_string(j, "sku", m->sku);
    ds_json_key_string(j, "board_version", m->board_version);
    ds_json_key_opt(j, "bios_major", m->bios_major);
    ds_json_key_opt(j, "bios_minor", m->bios_minor);
    ds_json_key(j, "uefi");
    if (m->uefi.known)
        ds_json_bool(j, m->uefi.value != 0);
    else
        ds_json_null(j);
    ds_json_key(j, "evidence");
    ds_json_array(j);
    for (size_t i = 0; i < m->evidence_count; i++) {
        ds_json_object(j);
        ds_json_key_string(j, "source", m->evidence[i].source);
        ds_json_key_string(j, "found", m->evidence[i].found);
        ds_json_key_string(j, "virtual", m->evidence[i].is_virtual);
        ds_json_key_string(j, "platform", m->evidence[i].platform);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_object_end(j);
}

void ds_json_part_system(struct ds_json *j, const struct ds_report *r)
{
    const struct ds_report_system *s = &r->system;
    ds_json_key(j, "system");
    ds_json_object(j);
    json_windows(j, s);
    ds_json_key_opt(j, "processors", s->processors);
    ds_json_key_string(j, "cpu", s->cpu);
    ds_json_key_opt(j, "cpu_mhz", s->cpu_mhz);
    ds_json_key(j, "hypervisor_present");
    if (s->hypervisor_present.known)
        ds_json_bool(j, s->hypervisor_present.value != 0);
    else
        ds_json_null(j);
    ds_json_key_string(j, "hypervisor", s->hypervisor);
    ds_json_key_opt(j, "memory_bytes", s->memory_bytes);
    ds_json_key_string(j, "manufacturer", s->manufacturer);
    ds_json_key_string(j, "model", s->model);
    ds_json_key_string(j, "board", s->board);
    ds_json_key_string(j, "bios_vendor", s->bios_vendor);
    ds_json_key_string(j, "bios_version", s->bios_version);
    ds_json_key_string(j, "bios_date", s->bios_date);
    json_machine(j, &s->machine);
    ds_json_key_time(j, "time", s->system_time);
    ds_json_key_hex(j, "filetime", s->system_time, 16);
    json_span(j, "uptime", s->up_time);
    ds_json_key_opt(j, "uptime_ticks", s->up_time);
    ds_json_key_hex(j, "kernel_base", s->kernel_base, r->digits);
    ds_json_key_hex(j, "kdbg", s->kdbg, r->digits);
    ds_json_key_hex(j, "dtb", s->dtb, r->digits);
    ds_json_key_string(j, "kernel_pdb", s->kernel_pdb);
    ds_json_key_string(j, "layout_source", s->layout_source);
    ds_json_key_string(j, "layout_trust", s->layout_trust);
    ds_json_key(j, "process");
    json_process(j, r, &s->process);
    ds_json_key(j, "thread");
    json_thread(j, r, &s->thread);
    ds_json_object_end(j);
}

static void json_exception(struct ds_json *j, const struct ds_report *r)
{
    const struct ds_report_exception *e = &r->exception;
    ds_json_key(j, "exception");
    if (!e->known) {
        ds_json_null(j);
        return;
    }
    ds_json_object(j);
    ds_json_key_hex(j, "code", ds_opt_known(e->code), 8);
    ds_json_key_string(j, "name", e->name);
    ds_json_key_hex(j, "flags", ds_opt_known(e->flags), 8);
    ds_json_key_hex(j, "address", ds_opt_known(e->address), r->digits);
    ds_json_key_string(j, "where", e->where);
    ds_json_key(j, "parameters");
    ds_json_array(j);
    for (uint32_t i = 0; i < e->parameter_count && i < 15; i++)
        ds_json_hex(j, e->parameters[i], r->digits);
    ds_json_array_end(j);
    ds_json_key_string(j, "source", e->source);
    ds_json_key_bool(j, "of_bugcheck", e->of_bugcheck);
    ds_json_object_end(j);
}

static void json_context(struct ds_json *j, const struct ds_report *r,
                         const struct ds_report_context *c)
{
    ds_json_object(j);
    ds_json_key_string(j, "source", c->source);
    ds_json_key_string(j, "meaning", c->meaning);
    ds_json_key_bool(j, "chosen", c->chosen);
    ds_json_key_hex(j, "pc", ds_opt_known(c->pc), r->digits);
    ds_json_key_hex(j, "sp", ds_opt_known(c->sp), r->digits);
    ds_json_key_string(j, "where", c->where);
    ds_json_key(j, "registers");
    ds_json_object(j);
    for (size_t i = 0; c->context != NULL && i < c->context->register_count; i++) {
        const struct ds_register *g = &c->context->registers[i];
        ds_json_key_hex(j, g->name, ds_opt_known(g->value), 2u * g->size);
    }
    ds_json_object_end(j);
    ds_json_object_end(j);
}

static void json_frame(struct ds_json *j, const struct ds_report *r,
                       const struct ds_report_frame *f)
{
    ds_json_object(j);
    ds_json_key_hex(j, "sp", ds_opt_known(f->sp), r->digits);
    ds_json_key_hex(j, "pc", ds_opt_known(f->pc), r->digits);
    ds_json_key_string(j, "module", f->module);
    ds_json_key_string(j, "where", f->where);
    ds_json_key_string(j, "trust", f->trust);
    ds_json_key(j, "after_call");
    if (f->after_call.known)
        ds_json_bool(j, f->after_call.value != 0);
    else
        ds_json_null(j);
    ds_json_key_bool(j, "interrupted", f->interrupted);
    ds_json_key_bool(j, "anchored", f->anchored);
    ds_json_object_end(j);
}

/* null when the code was not captured, or no instruction failed. */
void ds_json_part_stack(struct ds_json *j, const struct ds_report *r,
                        const struct ds_report_stack *s)
{
    ds_json_key_string(j, "kind", s->kind);
    ds_json_key_bool(j, "complete", s->complete);
    ds_json_key_string(j, "end", s->end);
    ds_json_key_hex(j, "end_sp", s->end_sp, r->digits);
    ds_json_key(j, "frames");
    ds_json_array(j);
    for (size_t i = 0; i < s->frame_count; i++)
        json_frame(j, r, &s->frames[i]);
    ds_json_array_end(j);
}

static void json_instruction(struct ds_json *j, const struct ds_report *r)
{
    const struct ds_report_instruction *x = &r->instruction;
    ds_json_key(j, "instruction");
    if (!x->known) {
        ds_json_null(j);
        return;
    }
    ds_json_object(j);
    ds_json_key_hex(j, "address", ds_opt_known(x->address), r->digits);
    ds_json_key_string(j, "text", x->text);
    ds_json_key_string(j, "bytes", x->bytes);
    ds_json_key(j, "agrees");
    if (x->agrees.known)
        ds_json_bool(j, x->agrees.value != 0);
    else
        ds_json_null(j);
    ds_json_key_string(j, "judgement", x->judgement);
    ds_json_key(j, "operands");
    ds_json_array(j);
    for (size_t i = 0; i < x->operand_count; i++) {
        ds_json_object(j);
        ds_json_key_string(j, "registers", x->operands[i].registers);
        ds_json_key_hex(j, "address", x->operands[i].address, r->digits);
        ds_json_key_string(j, "access", x->operands[i].access);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_object_end(j);
}

void ds_json_part_crash(struct ds_json *j, const struct ds_report *r)
{
    json_exception(j, r);
    ds_json_key(j, "fault");
    ds_json_object(j);
    ds_json_key_hex(j, "address", r->fault_address, r->digits);
    ds_json_key_string(j, "access", r->fault_access);
    ds_json_key_string(j, "where", r->fault_where);
    json_instruction(j, r);
    ds_json_object_end(j);
    ds_json_key(j, "contexts");
    ds_json_array(j);
    for (size_t i = 0; i < r->context_count; i++)
        json_context(j, r, &r->contexts[i]);
    ds_json_array_end(j);
    ds_json_key(j, "stack");
    ds_json_object(j);
    ds_json_part_stack(j, r, &r->stack);
    ds_json_object_end(j);
}

static void json_module(struct ds_json *j, const struct ds_report *r,
                        const struct ds_report_module *m)
{
    ds_json_object(j);
    ds_json_key_string(j, "name", m->name);
    ds_json_key_string(j, "path", m->path);
    ds_json_key_hex(j, "base", ds_opt_known(m->base), r->digits);
    ds_json_key_unsigned(j, "size", m->size);
    ds_json_key_hex(j, "timestamp", m->timestamp, 8);
    ds_json_key_hex(j, "checksum", m->checksum, 8);
    ds_json_part_owner(j, &m->owner);
    ds_json_key_string(j, "source", m->source);
    ds_json_object_end(j);
}

static void json_steps(struct ds_json *j, const struct ds_report *r)
{
    ds_json_key(j, "bootstrap");
    ds_json_array(j);
    for (size_t i = 0; i < r->step_count; i++) {
        const struct ds_report_step *s = &r->steps[i];
        ds_json_object(j);
        ds_json_key_string(j, "what", s->what);
        ds_json_key_string(j, "method", s->method);
        ds_json_key_bool(j, "ok", s->ok);
        ds_json_key_string(j, "status", s->ok ? NULL : s->status);
        ds_json_key_hex(j, "value", s->value, r->digits);
        ds_json_key_string(j, "trust", s->trust[0] != '\0' ? s->trust : NULL);
        ds_json_key_string(j, "detail", s->detail[0] != '\0' ? s->detail : NULL);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
}

void ds_json_part_modules(struct ds_json *j, const struct ds_report *r)
{
    ds_json_key(j, "modules");
    ds_json_array(j);
    for (size_t i = 0; i < r->module_count; i++)
        json_module(j, r, &r->modules[i]);
    ds_json_array_end(j);
    ds_json_key(j, "unloaded_modules");
    ds_json_array(j);
    for (size_t i = 0; i < r->unloaded_count; i++) {
        const struct ds_report_unloaded *u = &r->unloaded[i];
        ds_json_object(j);
        ds_json_key_string(j, "name", u->name);
        ds_json_key_bool(j, "name_cut", u->name_cut);
        ds_json_key_hex(j, "start", ds_opt_known(u->start), r->digits);
        ds_json_key_hex(j, "end", ds_opt_known(u->end), r->digits);
        ds_json_key_time(j, "unload_time", u->unload_time);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_key_opt(j, "process_total", r->process_total);
    ds_json_key(j, "processes");
    ds_json_array(j);
    for (size_t i = 0; i < r->process_count; i++)
        json_process(j, r, &r->processes[i]);
    ds_json_array_end(j);
    json_steps(j, r);
}
