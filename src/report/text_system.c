/* The machine: dump, Windows, hardware, times, modules; and what could not be told. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "report/text.h"

static void append_part(struct ds_buf *b, const char *part)
{
    if (part == NULL || part[0] == '\0')
        return;
    if (b->len > 0)
        ds_buf_char(b, ' ');
    ds_buf_str(b, part);
}

static void field_or_unknown(struct ds_paper *p, const char *label, struct ds_buf *b)
{
    ds_paper_field(p, label, b->len > 0 ? ds_buf_text(b) : DS_REPORT_UNKNOWN);
    ds_buf_deinit(b);
}

static void system_windows(struct ds_paper *p, const struct ds_report *r)
{
    const struct ds_report_system *s = &r->system;
    char number[DS_TEXT_ADDRESS];
    struct ds_buf b;
    ds_buf_init(&b, 64u << 10);
    append_part(&b, s->windows);
    if (s->build.known)
        ds_buf_printf(&b, "%sbuild %" PRIu64, b.len > 0 ? ", " : "", s->build.value);
    if (s->build.known && s->revision.known)
        ds_buf_printf(&b, ".%" PRIu64, s->revision.value);
    if (s->build.known && !s->revision.known)
        ds_buf_str(&b, " (revision " DS_REPORT_UNKNOWN ")");
    ds_buf_printf(&b, "%s%s", b.len > 0 ? ", " : "", r->dump.arch);
    ds_buf_str(&b, s->checked_build ? ", checked build" : "");
    field_or_unknown(p, "Windows", &b);
    if (s->product != NULL)
        ds_paper_fieldf(p, "Product", "%s%s%s", s->product, s->suite != NULL ? ", suite: " : "",
                        s->suite != NULL ? s->suite : "");
    if (s->build_lab != NULL)
        ds_paper_field(p, "Build lab", s->build_lab);
    ds_paper_field(p, "Processors", ds_text_number(s->processors, number));
}

static void system_hardware(struct ds_paper *p, const struct ds_report *r)
{
    const struct ds_report_system *s = &r->system;
    struct ds_buf b;
    ds_buf_init(&b, 64u << 10);
    append_part(&b, s->cpu);
    if (s->cpu != NULL && s->cpu_mhz.known)
        ds_buf_printf(&b, ", %" PRIu64 " MHz", s->cpu_mhz.value);
    if (b.len > 0)
        ds_paper_field(p, "CPU", ds_buf_text(&b));
    ds_buf_deinit(&b);
    if (s->memory_bytes.known)
        ds_paper_fieldf(p, "Memory", "%" PRIu64 " MB fitted", s->memory_bytes.value >> 20);
    if (s->hypervisor_present.known && s->hypervisor_present.value != 0)
        ds_paper_fieldf(p, "Hypervisor", "present%s%s", s->hypervisor != NULL ? ": " : "",
                        s->hypervisor != NULL ? s->hypervisor : "");
    append_part(&b, s->manufacturer);
    append_part(&b, s->model);
    if (s->board != NULL && strcmp(s->board, ds_buf_text(&b)) != 0)
        ds_buf_printf(&b, "%sboard %s", b.len > 0 ? ", " : "", s->board);
    if (b.len > 0)
        ds_paper_field(p, "Machine", ds_buf_text(&b));
    ds_buf_deinit(&b);
    append_part(&b, s->bios_vendor);
    append_part(&b, s->bios_version);
    if (s->bios_date != NULL)
        ds_buf_printf(&b, "%sof %s", b.len > 0 ? " " : "", s->bios_date);
    if (b.len > 0)
        ds_paper_field(p, "BIOS", ds_buf_text(&b));
    ds_buf_deinit(&b);
}

static void system_times(struct ds_paper *p, const struct ds_report *r)
{
    const struct ds_report_system *s = &r->system;
    char text[DS_CLOCK_TEXT];
    if (!s->system_time.known)
        ds_paper_field(p, "Time", DS_REPORT_UNKNOWN);
    else if (s->system_time.value != 0 && ds_clock_utc(s->system_time.value, text))
        ds_paper_field(p, "Time", text);
    else
        ds_paper_fieldf(p, "Time", "0x%" PRIx64 " is not a date", s->system_time.value);
    if (s->up_time.known)
        ds_clock_span(s->up_time.value, text);
    ds_paper_field(p, "Uptime", s->up_time.known ? text : DS_REPORT_UNKNOWN);
}

/* Somebody gave a symbol path: why the kernel's names did not come from it. */
static void system_symbols(struct ds_paper *p, const struct ds_report *r)
{
    for (size_t i = 0; i < r->step_count; i++) {
        const struct ds_report_step *s = &r->steps[i];
        if (s->ok || strcmp(s->what, "symbols") != 0 || !s->value.known ||
            !r->system.kernel_base.known || s->value.value != r->system.kernel_base.value)
            continue;
        ds_paper_fieldf(p, "Symbols", "none: %s", s->detail);
        return;
    }
}

void ds_text_system(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    const struct ds_report_system *s = &r->system;
    char number[DS_TEXT_ADDRESS];
    ds_paper_heading(p, "SYSTEM");
    ds_paper_field(p, "Dump", r->dump.kind_text);
    system_windows(p, r);
    system_hardware(p, r);
    ds_text_machine(p, r, verbose);
    system_times(p, r);
    ds_paper_field(p, "Kernel base", ds_text_address(r, s->kernel_base, number));
    if (s->kernel_pdb != NULL)
        ds_paper_field(p, "Kernel PDB", s->kernel_pdb);
    if (s->layout_source != NULL)
        ds_paper_fieldf(p, "Layouts", "%s (trust: %s)", s->layout_source,
                        s->layout_trust != NULL ? s->layout_trust : DS_REPORT_UNKNOWN);
    system_symbols(p, r);
    if (r->process_total.known && r->process_total.value > 1 && !r->threads.known)
        ds_paper_fieldf(p, "Processes", "%" PRIu64, r->process_total.value);
}

/* The day of the build where the stamp is a date, else the stamp itself, marked. */
static void module_built(const struct ds_report_module *m, char text[DS_CLOCK_TEXT])
{
    const struct ds_report_owner *o = &m->owner;
    if (o->built.known && ds_clock_iso(o->built.value, text))
        (void)snprintf(text + strlen("2000-01-01"), 2, "%s",
                       strcmp(o->timestamp_kind, "date") == 0 ? "" : "?");
    else if (m->timestamp.known)
        (void)snprintf(text, DS_CLOCK_TEXT, "%08" PRIx64 "*", m->timestamp.value);
    else
        (void)snprintf(text, DS_CLOCK_TEXT, "%s", DS_REPORT_UNKNOWN);
}

static void module_row(struct ds_paper *p, const struct ds_report *r,
                       const struct ds_report_module *m)
{
    char built[DS_CLOCK_TEXT];
    const struct ds_report_owner *o = &m->owner;
    module_built(m, built);
    const char *whose = o->company;
    if (whose == NULL && o->in_box.known && o->in_box.value != 0)
        whose = "[in-box]";
    ds_paper_rowf(
        p, DS_STYLE_PLAIN, "  %0*" PRIx64 " %8" PRIx64 " %-11s %s%s%s%s%s", (int)r->digits, m->base,
        m->size, built, m->name != NULL && m->name[0] != '\0' ? m->name : DS_REPORT_UNKNOWN,
        whose != NULL ? "  " : "", whose != NULL ? whose : "", o->file_version != NULL ? " " : "",
        o->file_version != NULL ? o->file_version : "");
}

static void module_rows(struct ds_paper *p, const struct ds_report *r)
{
    ds_paper_item_styled(p, 2, DS_STYLE_PLAIN, "", DS_STYLE_DIM,
                         "Company and version are the image's own word; [in-box]: Microsoft ships "
                         "a file of that name. Built: a date with ? may be a build hash; * marks a "
                         "stamp that is no date or may be none.");
    ds_paper_rowf(p, DS_STYLE_DIM, "  %-*s %8s %-11s name, company, version", (int)r->digits,
                  "base", "size", "built");
    for (size_t i = 0; i < r->module_count; i++)
        module_row(p, r, &r->modules[i]);
}

static void unloaded_rows(struct ds_paper *p, const struct ds_report *r)
{
    ds_paper_row(p, DS_STYLE_DIM, "  Unloaded:");
    for (size_t i = 0; i < r->unloaded_count; i++) {
        const struct ds_report_unloaded *u = &r->unloaded[i];
        char when[DS_CLOCK_TEXT] = "";
        if (u->unload_time.known && u->unload_time.value != 0)
            (void)ds_clock_utc(u->unload_time.value, when);
        ds_paper_rowf(p, DS_STYLE_PLAIN, "  %0*" PRIx64 " %0*" PRIx64 "  %s%s%s%s", (int)r->digits,
                      u->start, (int)r->digits, u->end,
                      u->name != NULL ? u->name : DS_REPORT_UNKNOWN, u->name_cut ? "..." : "",
                      when[0] != '\0' ? "  " : "", when);
    }
}

/* Whether an earlier one of the first `index` has the same name. */
static bool named_before(const struct ds_report *r, size_t index)
{
    const char *name = r->unloaded[index].name;
    for (size_t i = 0; name != NULL && i < index; i++)
        if (r->unloaded[i].name != NULL && strcmp(r->unloaded[i].name, name) == 0)
            return true;
    return false;
}

/* Why a list is not the whole truth: "" when it is complete. */
static const char *cut_note(const struct ds_report *r, const char *table)
{
    for (size_t i = 0; i < r->walk_count; i++)
        if (strcmp(r->walks[i].table_name, table) == 0 && !r->walks[i].complete)
            return ", then the list is cut short";
    return "";
}

static void unloaded_names(struct ds_paper *p, const struct ds_report *r)
{
    struct ds_buf b;
    size_t shown = 0;
    const char *cut = cut_note(r, "unloaded_modules");
    if (r->unloaded_count == 0 && *cut != '\0') {
        ds_paper_field(p, "Unloaded", DS_REPORT_UNKNOWN);
        return;
    }
    ds_buf_init(&b, 64u << 10);
    ds_buf_printf(&b, "%zu", r->unloaded_count);
    for (size_t i = 0; i < r->unloaded_count && shown < 8; i++) {
        if (named_before(r, i))
            continue;
        ds_buf_printf(&b, "%s%s%s", shown == 0 ? ": " : ", ",
                      r->unloaded[i].name != NULL ? r->unloaded[i].name : DS_REPORT_UNKNOWN,
                      r->unloaded[i].name_cut ? "..." : "");
        shown++;
    }
    ds_buf_str(&b, shown == 8 && r->unloaded_count > 8 ? ", more with -v" : "");
    ds_buf_str(&b, cut);
    ds_paper_field(p, "Unloaded", ds_buf_text(&b));
    ds_buf_deinit(&b);
}

void ds_text_modules(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    if (!verbose) {
        const char *cut = cut_note(r, "modules");
        if (r->module_count == 0)
            ds_paper_field(p, "Drivers", *cut != '\0' ? DS_REPORT_UNKNOWN : "0");
        else
            ds_paper_fieldf(p, "Drivers", "%zu loaded%s (listed with -v)", r->module_count, cut);
        unloaded_names(p, r);
        return;
    }
    ds_paper_heading(p, "DRIVERS");
    module_rows(p, r);
    if (r->unloaded_count > 0)
        unloaded_rows(p, r);
}
