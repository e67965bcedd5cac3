#include "report/json_parts.h"

#include "base/clock.h"

void ds_json_cell(struct ds_json *j, const struct ds_cell *cell, unsigned digits)
{
    switch (cell->kind) {
    case DS_CELL_INT:
        if (cell->is_address)
            ds_json_hex(j, (uint64_t)cell->integer, digits);
        else
            ds_json_signed(j, cell->integer);
        break;
    case DS_CELL_REAL:
        ds_json_real(j, cell->real);
        break;
    case DS_CELL_TEXT:
        ds_json_string(j, cell->text);
        break;
    default:
        ds_json_null(j);
    }
}

void ds_json_key_time(struct ds_json *j, const char *key, struct ds_opt filetime)
{
    char text[DS_CLOCK_TEXT];
    bool is_date = filetime.known && filetime.value != 0 && ds_clock_iso(filetime.value, text);
    ds_json_key_string(j, key, is_date ? text : NULL);
}

void ds_json_part_head(struct ds_json *j)
{
    ds_json_key_string(j, "schema_version", DS_REPORT_SCHEMA_VERSION);
    ds_json_key(j, "generator");
    ds_json_object(j);
    ds_json_key_string(j, "name", "dumpscan");
    ds_json_key_string(j, "version", DS_VERSION);
    ds_json_object_end(j);
}

static void json_followed(struct ds_json *j, const struct ds_report *r)
{
    const struct ds_report_bugcheck *b = &r->bugcheck;
    ds_json_key(j, "facts");
    ds_json_array(j);
    for (size_t i = 0; i < b->followed_count; i++) {
        ds_json_object(j);
        ds_json_key_unsigned(j, "parameter", b->followed[i].parameter);
        ds_json_key_string(j, "name", b->followed[i].name);
        ds_json_key_hex(j, "value", b->followed[i].value, r->digits);
        ds_json_key_string(j, "meaning", b->followed[i].meaning);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
}

void ds_json_part_bugcheck(struct ds_json *j, const struct ds_report *r)
{
    const struct ds_report_bugcheck *b = &r->bugcheck;
    ds_json_key(j, "bugcheck");
    ds_json_object(j);
    ds_json_key_hex(j, "code", b->code, 8);
    ds_json_key_hex(j, "base_code", b->base_code, 8);
    ds_json_key_string(j, "name", b->name);
    ds_json_key_string(j, "text", b->text);
    ds_json_key_bool(j, "live", b->live);
    ds_json_key(j, "parameters");
    ds_json_array(j);
    for (size_t i = 0; i < 4; i++) {
        ds_json_object(j);
        ds_json_key_hex(j, "value", b->params[i].value, r->digits);
        ds_json_key_string(j, "type", b->params[i].type);
        ds_json_key_string(j, "text", b->params[i].text);
        ds_json_key_string(j, "resolved", b->params[i].resolved);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    json_followed(j, r);
    ds_json_key_string(j, "subcode_name", b->subcode_name);
    ds_json_key_string(j, "subcode_text", b->subcode_text);
    ds_json_key_bool(j, "subcode_unlisted", b->subcode_unlisted);
    ds_json_key_string(j, "source", b->source);
    ds_json_key_string(j, "table_edition", b->edition);
    ds_json_object_end(j);
}

static void json_culprit_members(struct ds_json *j, const struct ds_report_culprit *c)
{
    ds_json_key_string(j, "kind", c->kind);
    ds_json_key_string(j, "module", c->module);
    ds_json_key_string(j, "function", c->function);
    ds_json_key_string(j, "reason", c->reason);
    ds_json_key_string(j, "confidence", c->confidence);
    ds_json_key_string(j, "source", c->source);
}

static void key_flag(struct ds_json *j, const char *key, struct ds_opt flag)
{
    ds_json_key(j, key);
    if (flag.known)
        ds_json_bool(j, flag.value != 0);
    else
        ds_json_null(j);
}

void ds_json_part_owner(struct ds_json *j, const struct ds_report_owner *o)
{
    key_flag(j, "reproducible", o->reproducible);
    ds_json_key_string(j, "timestamp_kind", o->timestamp_kind);
    ds_json_key_string(j, "timestamp_reason", o->timestamp_reason);
    ds_json_key_time(j, "built", o->built);
    ds_json_key_opt(j, "age_days", o->age_days);
    ds_json_key_string(j, "company", o->company);
    ds_json_key_string(j, "product", o->product);
    ds_json_key_string(j, "description", o->description);
    ds_json_key_string(j, "file_version", o->file_version);
    ds_json_key_string(j, "product_version", o->product_version);
    key_flag(j, "in_box", o->in_box);
    ds_json_key_string(j, "in_box_source", o->in_box_source);
    ds_json_key_string(j, "listed_maker", o->listed_maker);
}

/* Who asked for a live dump; null for a crash. */
static void json_live(struct ds_json *j, const struct ds_report *r)
{
    const struct ds_report_live *l = &r->live;
    ds_json_key(j, "live_dump");
    if (!l->live.known || l->live.value == 0) {
        ds_json_null(j);
        return;
    }
    ds_json_object(j);
    ds_json_key_string(j, "evidence", l->evidence);
    ds_json_key_bool(j, "on_request", l->on_request);
    ds_json_key_string(j, "component", l->component);
    ds_json_key_string(j, "asked_by", l->asked_by);
    ds_json_key_string(j, "asked_how", l->asked_how);
    ds_json_key_string(j, "module", l->module);
    ds_json_key_string(j, "function", l->function);
    ds_json_key_string(j, "process", l->process);
    ds_json_object_end(j);
}

static void json_culprit_owner(struct ds_json *j, const struct ds_report_owner *o)
{
    ds_json_key(j, "driver");
    if (o == NULL) {
        ds_json_null(j);
        return;
    }
    ds_json_object(j);
    ds_json_key_string(j, "text", o->text);
    ds_json_part_owner(j, o);
    ds_json_object_end(j);
}

void ds_json_part_verdict(struct ds_json *j, const struct ds_report *r)
{
    ds_json_key(j, "verdict");
    ds_json_object(j);
    ds_json_key_string(j, "kind", r->verdict.kind);
    ds_json_key_string(j, "what", r->verdict.what);
    ds_json_key_string(j, "who", r->verdict.who);
    ds_json_key_string(j, "why", r->verdict.why);
    ds_json_key_string(j, "severity", r->verdict.severity);
    json_live(j, r);
    ds_json_object_end(j);
    ds_json_key(j, "culprit");
    ds_json_object(j);
    json_culprit_members(j, &r->culprit);
    json_culprit_owner(j, r->culprit_owner);
    ds_json_key(j, "runners_up");
    ds_json_array(j);
    for (size_t i = 0; i < r->runner_up_count; i++) {
        ds_json_object(j);
        json_culprit_members(j, &r->runners_up[i]);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_object_end(j);
}

void ds_json_part_signature(struct ds_json *j, const struct ds_report *r)
{
    ds_json_key(j, "signature");
    ds_json_object(j);
    ds_json_key_string(j, "hash", r->signature.hash);
    ds_json_key_string(j, "text", r->signature.text);
    ds_json_key_bool(j, "weak", r->signature.weak);
    ds_json_key_string(j, "weak_hash", r->signature.weak_hash);
    ds_json_key_string(j, "weak_text", r->signature.weak_text);
    ds_json_object_end(j);
}

/* The Windows debugger's own names, each only where it can be derived. */
static void json_windbg(struct ds_json *j, const struct ds_report *r)
{
    const struct ds_windbg *w = r->windbg;
    ds_json_key(j, "windbg");
    ds_json_object(j);
    ds_json_key_string(j, "bucket_confidence", w != NULL ? w->bucket_confidence : NULL);
    ds_json_key_string(j, "bucket_reason", w != NULL ? w->bucket_reason : NULL);
    ds_json_key(j, "keys");
    ds_json_object(j);
    for (size_t i = 0; w != NULL && i < w->count; i++)
        ds_json_key_string(j, w->rows[i].name, w->rows[i].value);
    ds_json_object_end(j);
    ds_json_object_end(j);
}

static void json_stacks(struct ds_json *j, const struct ds_report *r,
                        const struct ds_report_instance *in)
{
    ds_json_key(j, "stacks");
    ds_json_array(j);
    for (size_t i = 0; i < in->stack_count; i++) {
        const struct ds_report_thread_stack *s = &in->stacks[i];
        ds_json_object(j);
        ds_json_key_hex(j, "ethread", ds_opt_known(s->ethread), r->digits);
        ds_json_key_string(j, "start", s->start);
        ds_json_key_string(j, "note", s->note);
        ds_json_part_stack(j, r, &s->stack);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
}

static void json_instances(struct ds_json *j, const struct ds_report *r,
                           const struct ds_report_finding *f)
{
    ds_json_key(j, "instances");
    ds_json_array(j);
    for (size_t i = 0; i < f->instance_count; i++) {
        const struct ds_report_instance *in = &f->instances[i];
        ds_json_object(j);
        ds_json_key_string(j, "message", in->message);
        ds_json_key(j, "evidence");
        ds_json_object(j);
        for (size_t k = 0; k < in->evidence_count; k++) {
            ds_json_key(j, in->evidence[k].name);
            ds_json_cell(j, &in->evidence[k].cell, r->digits);
        }
        ds_json_object_end(j);
        if (in->has_stacks)
            json_stacks(j, r, in);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_key_unsigned(j, "instances_dropped", f->instances_dropped);
}

static void json_strings(struct ds_json *j, const char *key, const char *const *list, size_t count)
{
    ds_json_key(j, key);
    ds_json_array(j);
    for (size_t i = 0; i < count; i++)
        ds_json_string(j, list[i]);
    ds_json_array_end(j);
}

static void json_finding(struct ds_json *j, const struct ds_report *r,
                         const struct ds_report_finding *f)
{
    ds_json_object(j);
    ds_json_key_string(j, "id", f->id);
    ds_json_key_string(j, "title", f->title);
    ds_json_key_string(j, "severity", ds_severity_name(f->severity));
    ds_json_key_string(j, "outcome", ds_outcome_name(f->outcome));
    if (f->outcome == DS_OUTCOME_MATCH) {
        ds_json_key_bool(j, "partial", f->partial);
        json_instances(j, r, f);
        ds_json_key_string(j, "explain", f->explain);
        json_strings(j, "next_steps", f->next_steps, f->next_step_count);
        json_strings(j, "references", f->references, f->reference_count);
    } else if (f->outcome == DS_OUTCOME_CANNOT_TELL) {
        ds_json_key_string(j, "reason", f->cannot_tell);
    } else if (f->outcome == DS_OUTCOME_DOES_NOT_APPLY) {
        ds_json_key_string(j, "reason", f->not_asked);
    }
    ds_json_key_string(j, "origin", f->origin);
    ds_json_object_end(j);
}

static void json_findings_of(struct ds_json *j, const struct ds_report *r, const char *key,
                             enum ds_outcome outcome)
{
    ds_json_key(j, key);
    ds_json_array(j);
    for (size_t i = 0; i < r->finding_count; i++)
        if (r->findings[i].outcome == outcome)
            json_finding(j, r, &r->findings[i]);
    ds_json_array_end(j);
}

void ds_json_part_findings(struct ds_json *j, const struct ds_report *r)
{
    json_findings_of(j, r, "findings", DS_OUTCOME_MATCH);
    json_findings_of(j, r, "cannot_tell", DS_OUTCOME_CANNOT_TELL);
    json_findings_of(j, r, "no_match", DS_OUTCOME_NO_MATCH);
    json_findings_of(j, r, "does_not_apply", DS_OUTCOME_DOES_NOT_APPLY);
}

void ds_json_part_integrity(struct ds_json *j, const struct ds_report *r)
{
    ds_json_key(j, "integrity");
    ds_json_array(j);
    for (size_t i = 0; i < r->note_count; i++) {
        const struct ds_report_note *n = &r->notes[i];
        ds_json_object(j);
        ds_json_key_string(j, "level", n->level);
        ds_json_key_string(j, "check", n->check);
        ds_json_key_hex(j, "offset", n->offset, 16);
        ds_json_key_string(j, "expected", n->expected[0] != '\0' ? n->expected : NULL);
        ds_json_key_string(j, "found", n->found[0] != '\0' ? n->found : NULL);
        ds_json_key_string(j, "lost", n->lost[0] != '\0' ? n->lost : NULL);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_key_unsigned(j, "integrity_dropped", r->notes_dropped);
}

static void json_walks(struct ds_json *j, const struct ds_report *r)
{
    ds_json_key(j, "walks");
    ds_json_array(j);
    for (size_t i = 0; i < r->walk_count; i++) {
        const struct ds_report_walk *w = &r->walks[i];
        ds_json_object(j);
        ds_json_key_string(j, "table_name", w->table_name);
        ds_json_key_bool(j, "complete", w->complete);
        ds_json_key_unsigned(j, "rows", w->rows);
        ds_json_key_string(j, "stop_reason", w->stop_reason);
        ds_json_key_hex(j, "stop_address", w->stop_address, r->digits);
        ds_json_key_string(j, "detail", w->detail);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
}

void ds_json_part_opening(struct ds_json *j, const struct ds_report *r)
{
    ds_json_part_head(j);
    ds_json_key(j, "error");
    ds_json_null(j);
    ds_json_key_unsigned(j, "exit_status", (uint64_t)ds_report_exit_status(r));
    ds_json_part_dump(j, r);
    ds_json_part_bugcheck(j, r);
}

enum ds_status ds_report_write_json(const struct ds_report *r, bool pretty, struct ds_buf *out)
{
    struct ds_json j;
    ds_json_init(&j, out, pretty);
    ds_json_object(&j);
    ds_json_part_opening(&j, r);
    ds_json_part_verdict(&j, r);
    ds_json_part_signature(&j, r);
    json_windbg(&j, r);
    ds_json_part_findings(&j, r);
    ds_json_part_integrity(&j, r);
    json_walks(&j, r);
    ds_json_part_system(&j, r);
    ds_json_part_cpus(&j, r);
    ds_json_part_memory(&j, r);
    ds_json_part_threads(&j, r);
    ds_json_part_crash(&j, r);
    ds_json_part_modules(&j, r);
    ds_json_object_end(&j);
    if (pretty)
        ds_buf_char(out, '\n');
    return ds_buf_ok(out) ? DS_OK : DS_LIMIT;
}

enum ds_status ds_report_write_refusal(const char *file, const struct ds_err *why, int exit_status,
                                       bool pretty, struct ds_buf *out)
{
    struct ds_json j;
    ds_json_init(&j, out, pretty);
    ds_json_object(&j);
    ds_json_part_head(&j);
    ds_json_key(&j, "error");
    ds_json_object(&j);
    ds_json_key_string(&j, "status", ds_status_name(why->status));
    ds_json_key_string(&j, "text", why->text);
    ds_json_object_end(&j);
    ds_json_key_unsigned(&j, "exit_status", (uint64_t)exit_status);
    ds_json_key(&j, "dump");
    ds_json_object(&j);
    ds_json_key_string(&j, "file", file);
    ds_json_object_end(&j);
    ds_json_object_end(&j);
    if (pretty)
        ds_buf_char(out, '\n');
    return ds_buf_ok(out) ? DS_OK : DS_LIMIT;
}
