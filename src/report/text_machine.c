/* Which machine it was, and what the secondary data hold. */
#include <inttypes.h>
#include <string.h>

#include "report/text.h"

/* The first piece of evidence for what was found, in brackets. */
static void append_evidence(struct ds_buf *b, const struct ds_report_machine *m)
{
    for (size_t i = 0; i < m->evidence_count; i++) {
        if (strcmp(m->evidence[i].is_virtual, m->is_virtual) != 0)
            continue;
        ds_buf_printf(b, " (%s: %s)", m->evidence[i].source, m->evidence[i].found);
        return;
    }
}

void ds_text_machine(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    const struct ds_report_machine *m = &r->system.machine;
    bool known = m->is_virtual != NULL && strcmp(m->is_virtual, DS_REPORT_UNKNOWN) != 0;
    struct ds_buf b;
    if (r->system.bios_vendor == NULL && r->system.bios_version == NULL && m->firmware_oem != NULL)
        ds_paper_fieldf(p, "Firmware", "by %s (ACPI; no SMBIOS table)", m->firmware_oem);
    ds_buf_init(&b, 4096);
    if (known || verbose) {
        ds_buf_str(&b, known ? m->is_virtual : DS_REPORT_UNKNOWN);
        if (m->platform != NULL)
            ds_buf_printf(&b, ", %s", m->platform);
        if (!verbose)
            append_evidence(&b, m);
        ds_paper_field(p, "Virtual", ds_buf_text(&b));
    }
    ds_buf_deinit(&b);
    if (!verbose)
        return;
    for (size_t i = 0; i < m->evidence_count; i++)
        ds_paper_fieldf(p, "", "%s: %s (%s)", m->evidence[i].source, m->evidence[i].found,
                        m->evidence[i].is_virtual);
    if (m->id != NULL)
        ds_paper_fieldf(p, "Machine id", "%s (%s)", m->id, m->id_basis);
    else
        ds_paper_fieldf(p, "Machine id", "%s: %s", DS_REPORT_UNKNOWN,
                        m->id_note != NULL ? m->id_note : "not looked for");
    if (m->chassis != NULL)
        ds_paper_field(p, "Chassis", m->chassis);
}

void ds_text_blobs(struct ds_paper *p, const struct ds_report *r, int verbose)
{
    if (!verbose || r->dump.blob_count == 0)
        return;
    ds_paper_heading(p, "SECONDARY DATA");
    for (size_t i = 0; i < r->dump.blob_count; i++) {
        const struct ds_report_blob *b = &r->dump.blobs[i];
        ds_paper_rowf(p, DS_STYLE_PLAIN, "  %s %8" PRIu64 "  %s", b->tag, b->size,
                      b->name != NULL ? b->name : DS_REPORT_UNKNOWN);
        if (b->captured < b->size)
            ds_paper_rowf(p, DS_STYLE_DIM, "      cut: %" PRIu64 " bytes captured", b->captured);
        if (b->summary != NULL)
            ds_paper_rowf(p, DS_STYLE_DIM, "      %s", b->summary);
        else if (b->preview != NULL)
            ds_paper_rowf(p, DS_STYLE_DIM, "      %.32s  %.16s", b->preview, b->preview_text);
    }
}
