/* The crash itself: bugcheck, exception, context, process, thread, stack. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/text.h"

#define FRAMES_SHOWN 16u /* of a stack, unless verbose */

static void crash_bugcheck(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    const struct ds_report_bugcheck *b = &r->bugcheck;
    if (!b->code.known && r->dump.bare) {
        ds_paper_field(p, "Bugcheck",
                       r->system.kernel_base.known ? DS_REPORT_UNKNOWN
                           ": nt!KiBugCheckData could not be read"
                                                   : DS_REPORT_UNKNOWN ": no kernel to ask");
        return;
    }
    if (!b->code.known) {
        ds_paper_field(p, "Bugcheck", DS_REPORT_UNKNOWN ": the header does not hold a code");
        return;
    }
    if (b->code.value == 0) {
        ds_paper_field(p, "Bugcheck", "none: the code is 0");
        return;
    }
    ds_paper_fieldf(p, "Bugcheck", "%s (0x%" PRIx64 ")%s",
                    b->name != NULL ? b->name : "not a listed code", b->code.value,
                    b->live ? ", a live dump: the system did not crash" : "");
    /* The verdict quotes the first sentence. */
    if (b->text != NULL && (verbose || strstr(b->text, ". ") != NULL))
        ds_paper_field(p, "", b->text);
}

static void crash_parameter(struct ds_paper *p, const struct ds_report *r, unsigned index,
                            int verbose)
{
    const struct ds_report_param *a = &r->bugcheck.params[index];
    char label[24], number[DS_TEXT_ADDRESS];
    bool reserved = a->type != NULL && strcmp(a->type, "reserved") == 0;
    if (reserved && a->value.known && a->value.value == 0 && !verbose)
        return;
    struct ds_buf b;
    ds_buf_init(&b, 64u << 10);
    (void)snprintf(label, sizeof(label), "Parameter %u", index + 1);
    ds_buf_printf(&b, "%s", ds_text_address(r, a->value, number));
    if (a->text != NULL && a->text[0] != '\0')
        ds_buf_printf(&b, "  %s", a->text);
    if (a->resolved != NULL)
        ds_buf_printf(&b, "%s %s", a->text != NULL && a->text[0] != '\0' ? ":" : " ", a->resolved);
    ds_paper_field(p, label, ds_buf_text(&b));
    ds_buf_deinit(&b);
    for (size_t i = 0; i < r->bugcheck.followed_count; i++) {
        const struct ds_report_followed *f = &r->bugcheck.followed[i];
        if (f->parameter == index + 1)
            ds_paper_fieldf(p, "", "%s: %s%s%s", f->name, ds_text_address(r, f->value, number),
                            f->meaning != NULL ? "  " : "", f->meaning != NULL ? f->meaning : "");
    }
}

static void crash_subcode(struct ds_paper *p, const struct ds_report *r)
{
    const struct ds_report_bugcheck *b = &r->bugcheck;
    if (b->subcode_text != NULL)
        ds_paper_fieldf(p, "Sub-code", "%s%s%s", b->subcode_name ? b->subcode_name : "",
                        b->subcode_name ? ": " : "", b->subcode_text);
    else if (b->subcode_unlisted)
        ds_paper_fieldf(p, "Sub-code", "not in the table of %s", b->edition);
}

static void crash_exception(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    const struct ds_report_exception *e = &r->exception;
    char number[DS_TEXT_ADDRESS];
    if (e->known && (!e->of_bugcheck || verbose)) {
        ds_paper_fieldf(p, "Exception", "%s (0x%08" PRIx32 ") at %s%s%s",
                        e->name != NULL ? e->name : "code not listed", e->code,
                        ds_text_address(r, ds_opt_known(e->address), number),
                        e->where != NULL ? " = " : "", e->where != NULL ? e->where : "");
        ds_paper_fieldf(p, "", "from %s%s", e->source,
                        e->of_bugcheck ? ": the bugcheck itself, nothing was raised" : "");
    }
    if (r->fault_address.known)
        ds_paper_fieldf(
            p, "Fault address", "%s%s%s%s%s", ds_text_address(r, r->fault_address, number),
            r->fault_where != NULL ? " = " : "", r->fault_where != NULL ? r->fault_where : "",
            r->fault_access != NULL ? ", " : "", r->fault_access != NULL ? r->fault_access : "");
}

static void crash_instruction(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    const struct ds_report_instruction *x = &r->instruction;
    char number[DS_TEXT_ADDRESS];
    if (!x->known)
        return;
    ds_paper_fieldf(p, "Instruction", "%s  (%s)", x->text, x->bytes);
    bool contradicts = x->agrees.known && x->agrees.value == 0;
    for (size_t i = 0; i < x->operand_count && (verbose || contradicts); i++)
        ds_paper_fieldf(p, "", "[%s] is %s%s%s", x->operands[i].registers,
                        ds_text_address(r, x->operands[i].address, number),
                        x->operands[i].access != NULL ? ", " : "",
                        x->operands[i].access != NULL ? x->operands[i].access : "");
    if (x->judgement != NULL && (verbose || contradicts))
        ds_paper_fieldf(p, "", "%s: %s",
                        contradicts       ? "it cannot have raised this fault"
                        : x->agrees.known ? "it can have raised this fault"
                                          : "whether it raised this fault cannot be told",
                        x->judgement);
}

static void context_registers(struct ds_paper *p, const struct ds_context *c)
{
    char line[160];
    size_t used = 2;
    (void)snprintf(line, sizeof(line), "  ");
    for (size_t i = 0; i < c->register_count && i < DS_CONTEXT_REGISTERS; i++) {
        const struct ds_register *g = &c->registers[i];
        char one[48];
        int n = snprintf(one, sizeof(one), "%6s=%0*" PRIx64, g->name, 2 * g->size, g->value);
        if (n < 0)
            continue;
        if (used + (size_t)n + 1 > p->width) {
            ds_paper_row(p, DS_STYLE_PLAIN, line);
            (void)snprintf(line, sizeof(line), "  ");
            used = 2;
        }
        (void)snprintf(line + used, sizeof(line) - used, "%s ", one);
        used = strlen(line);
        if (used + 48 >= sizeof(line))
            used = sizeof(line) - 1;
    }
    if (used > 2)
        ds_paper_row(p, DS_STYLE_PLAIN, line);
}

static void crash_context(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    bool any = false;
    for (size_t i = 0; i < r->context_count; i++) {
        const struct ds_report_context *c = &r->contexts[i];
        if (!c->chosen && !verbose)
            continue;
        char number[DS_TEXT_ADDRESS];
        ds_paper_fieldf(p, c->chosen ? "Context" : "Other context", "%s%s%s",
                        ds_text_address(r, ds_opt_known(c->pc), number),
                        c->where != NULL ? " = " : "", c->where != NULL ? c->where : "");
        ds_paper_fieldf(p, "", "from %s: %s", c->source,
                        c->meaning != NULL ? c->meaning : "meaning " DS_REPORT_UNKNOWN);
        if (verbose && c->context != NULL)
            context_registers(p, c->context);
        any = any || c->chosen;
    }
    if (!any)
        ds_paper_field(p, "Context", DS_REPORT_UNKNOWN ": no processor context can be believed");
}

static void crash_process(struct ds_paper *p, const struct ds_report *r)
{
    const struct ds_report_process *ps = &r->system.process;
    const struct ds_report_thread *t = &r->system.thread;
    char a[DS_TEXT_ADDRESS], b[DS_TEXT_ADDRESS];
    if (ps->known)
        ds_paper_fieldf(p, "Process", "%s, pid %s, EPROCESS %s",
                        ps->name != NULL ? ps->name : "name " DS_REPORT_UNKNOWN,
                        ds_text_number(ps->pid, a), ds_text_address(r, ps->eprocess, b));
    else
        ds_paper_field(p, "Process", DS_REPORT_UNKNOWN);
    if (t->known)
        ds_paper_fieldf(p, "Thread", "tid %s, ETHREAD %s%s%s%s%s", ds_text_number(t->tid, a),
                        ds_text_address(r, t->ethread, b), t->state_name != NULL ? ", " : "",
                        t->state_name != NULL ? t->state_name : "",
                        t->wait_reason_name != NULL ? ", " : "",
                        t->wait_reason_name != NULL ? t->wait_reason_name : "");
    else
        ds_paper_field(p, "Thread", DS_REPORT_UNKNOWN);
}

void ds_text_crash(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    ds_paper_heading(p, r->bugcheck.live || r->dump.live ? "SITUATION" : "CRASH");
    crash_bugcheck(p, r, verbose);
    if (r->bugcheck.code.known && (r->bugcheck.code.value != 0 || verbose))
        for (unsigned i = 0; i < 4; i++)
            crash_parameter(p, r, i, verbose);
    if (r->live.live.known && r->live.live.value != 0) {
        ds_paper_field(p, "Asked for by",
                       r->live.asked_by != NULL ? r->live.asked_by : DS_REPORT_UNKNOWN);
        if (r->live.function != NULL)
            ds_paper_field(p, "at", r->live.function);
    }
    crash_subcode(p, r);
    crash_exception(p, r, verbose);
    crash_instruction(p, r, verbose);
    crash_context(p, r, verbose);
    crash_process(p, r);
    ds_paper_field(p, "Signature", r->signature.hash);
    ds_paper_field(p, "", r->signature.text);
    if (r->signature.weak)
        ds_paper_field(p, "", "weak: from the header alone");
}

static void stack_frame(struct ds_paper *p, const struct ds_report *r,
                        const struct ds_report_stack *s, unsigned indent, size_t index)
{
    const struct ds_report_frame *f = &s->frames[index];
    bool scanned = strcmp(f->trust, "scan") == 0;
    bool doubt = scanned && !f->interrupted && !(f->after_call.known && f->after_call.value == 1);
    const char *mark = f->interrupted ? "!" : !scanned ? " " : doubt ? "?" : "~";
    ds_paper_rowf(p,
                  index == 0 ? DS_STYLE_BOLD
                  : doubt    ? DS_STYLE_DIM
                             : DS_STYLE_PLAIN,
                  "%*s%3zu %s %0*" PRIx64 "  %s", (int)indent, "", index, mark, (int)r->digits,
                  f->sp, f->where != NULL ? f->where : DS_REPORT_UNKNOWN);
}

void ds_text_frames(struct ds_paper *p, const struct ds_report *r, const struct ds_report_stack *s,
                    unsigned indent, int verbose)
{
    size_t shown = verbose || s->frame_count <= FRAMES_SHOWN ? s->frame_count : FRAMES_SHOWN;
    for (size_t i = 0; i < shown; i++)
        stack_frame(p, r, s, indent, i);
    if (shown < s->frame_count)
        ds_paper_rowf(p, DS_STYLE_DIM, "%*s%zu more (shown with -v)", (int)indent + 4, "",
                      s->frame_count - shown);
    if (s->end != NULL && !s->complete && s->frame_count > 0) {
        char number[DS_TEXT_ADDRESS];
        ds_paper_rowf(p, DS_STYLE_DIM, "%*sends at %s: %s", (int)indent + 4, "",
                      ds_text_address(r, s->end_sp, number), s->end);
    }
}

void ds_text_stack(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    const struct ds_report_stack *s = &r->stack;
    if (s->frame_count == 0)
        return;
    char title[96];
    (void)snprintf(title, sizeof(title), "STACK (%s)", s->kind != NULL ? s->kind : "unknown stack");
    ds_paper_heading(p, title);
    size_t shown = verbose || s->frame_count <= FRAMES_SHOWN ? s->frame_count : FRAMES_SHOWN;
    bool scanned = false, interrupted = false;
    for (size_t i = 0; i < s->frame_count; i++) {
        scanned = scanned || strcmp(s->frames[i].trust, "scan") == 0;
        interrupted = interrupted || (i < shown && s->frames[i].interrupted);
    }
    if (scanned)
        ds_paper_item_styled(p, 2, DS_STYLE_PLAIN, "", DS_STYLE_DIM,
                             "Found by scanning: ~ follows a call instruction, ? may be a "
                             "leftover of an older call.");
    if (interrupted)
        ds_paper_item_styled(p, 2, DS_STYLE_PLAIN, "", DS_STYLE_DIM,
                             "! was left by a trap or an interrupt, not by a call.");
    ds_paper_rowf(p, DS_STYLE_DIM, "    #   %-*s  where", (int)r->digits, "stack slot");
    ds_text_frames(p, r, s, 2, verbose);
}
