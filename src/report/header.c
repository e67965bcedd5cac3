#include "report/header.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "nt/bugcheck.h"
#include "nt/live.h"
#include "report/build.h"
#include "report/json_parts.h"
#include "report/paper.h"
#include "symbols/version.h"

/* Windows SDK mindumpdef.h, DUMP_FILE_ATTRIBUTES. */
const char *ds_header_attribute(unsigned bit)
{
    static const char *const names[] = {"HiberCrash",
                                        "DumpDevicePowerOff",
                                        "InsufficientDumpfileSize",
                                        "KernelGeneratedTriageDump",
                                        "LiveDumpGeneratedDump",
                                        "DumpIsGeneratedOffline",
                                        "FilterDumpFile",
                                        "EarlyBootCrash",
                                        "EncryptedDumpData",
                                        "DecryptedDump"};
    return bit < sizeof(names) / sizeof(names[0]) ? names[bit] : NULL;
}

/* VER_NT_* of winnt.h, in the words of WinDbg's vertarget. */
const char *ds_header_product(uint64_t product_type)
{
    static const char *const names[] = {NULL, "WinNt", "LanManNt", "Server"};
    return product_type < 4 ? names[product_type] : NULL;
}

/* VER_SUITE_* of winnt.h. */
void ds_header_suites(uint64_t suite_mask, struct ds_buf *out)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } suites[] = {{0x1, "SmallBusiness"},    {0x2, "Enterprise"},   {0x4, "BackOffice"},
                  {0x10, "TerminalServer"},  {0x40, "EmbeddedNT"},  {0x80, "DataCenter"},
                  {0x100, "SingleUserTS"},   {0x200, "Personal"},   {0x400, "Blade"},
                  {0x4000, "ComputeServer"}, {0x8000, "HomeServer"}};
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
        if (suite_mask & suites[i].bit)
            ds_buf_printf(out, "%s%s", out->len > 0 ? " " : "", suites[i].name);
}

static void info_bugcheck(struct ds_paper *p, const struct ds_dump_header *h)
{
    if (!h->bugcheck_code.known) {
        ds_paper_field(p, "Bugcheck", DS_REPORT_UNKNOWN);
        return;
    }
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find((uint32_t)h->bugcheck_code.value);
    const char *evidence;
    struct ds_opt live = ds_live_by_header(h, &evidence);
    ds_paper_fieldf(p, "Bugcheck", "0x%" PRIx64 " %s%s", h->bugcheck_code.value,
                    h->bugcheck_code.value == 0 ? "(none: the system did not crash)"
                    : doc != NULL               ? doc->name
                                                : "(not a listed code)",
                    h->bugcheck_code.value != 0 && live.known && live.value != 0
                        ? " (a live dump: the system did not crash)"
                        : "");
    struct ds_buf b;
    ds_buf_init(&b, 1024);
    for (unsigned i = 0; i < 4; i++) {
        ds_buf_str(&b, i > 0 ? " " : "");
        if (h->bugcheck_parameter[i].known)
            ds_buf_printf(&b, "%0*" PRIx64, h->is64 ? 16 : 8, h->bugcheck_parameter[i].value);
        else
            ds_buf_str(&b, DS_REPORT_UNKNOWN);
    }
    ds_paper_field(p, "Parameters", ds_buf_text(&b));
    ds_buf_deinit(&b);
}

static void info_windows(struct ds_paper *p, const struct ds_dump_header *h)
{
    if (h->minor_version.known) {
        bool server = h->product_type.known && h->product_type.value > 1;
        const char *name = ds_version_name((uint32_t)h->minor_version.value, server);
        ds_paper_fieldf(p, "Windows", "%s%sbuild %" PRIu64 ", %s", name != NULL ? name : "",
                        name != NULL ? ", " : "", h->minor_version.value, ds_arch_name(h->arch));
    } else {
        ds_paper_fieldf(p, "Windows", DS_REPORT_UNKNOWN ", %s", ds_arch_name(h->arch));
    }
    if (h->processor_count.known)
        ds_paper_fieldf(p, "Processors", "%" PRIu64, h->processor_count.value);
    else
        ds_paper_field(p, "Processors", DS_REPORT_UNKNOWN);
}

static void info_times(struct ds_paper *p, const struct ds_dump_header *h)
{
    char text[DS_CLOCK_TEXT];
    bool dated = h->system_time.known && h->system_time.value != 0 &&
                 ds_clock_utc(h->system_time.value, text);
    ds_paper_field(p, "Time", dated ? text : DS_REPORT_UNKNOWN);
    if (h->system_up_time.known)
        ds_clock_span(h->system_up_time.value, text);
    ds_paper_field(p, "Uptime", h->system_up_time.known ? text : DS_REPORT_UNKNOWN);
}

static void info_attributes(struct ds_paper *p, const struct ds_dump_header *h)
{
    if (!h->attributes.known)
        return;
    struct ds_buf b;
    ds_buf_init(&b, 1024);
    ds_buf_printf(&b, "0x%" PRIx64, h->attributes.value);
    for (unsigned bit = 0; bit < 32; bit++)
        if (h->attributes.value >> bit & 1 && ds_header_attribute(bit) != NULL)
            ds_buf_printf(&b, " %s", ds_header_attribute(bit));
    ds_paper_field(p, "Attributes", ds_buf_text(&b));
    ds_buf_deinit(&b);
}

static void info_integrity(struct ds_paper *p, const struct ds_integrity *in)
{
    for (size_t i = 0; i < in->count; i++) {
        const struct ds_integrity_note *n = &in->notes[i];
        if (n->level == DS_INTEGRITY_NOTE)
            continue;
        struct ds_buf b;
        ds_buf_init(&b, 4096);
        ds_buf_str(&b, n->check);
        if (n->offset != DS_NO_OFFSET)
            ds_buf_printf(&b, " at file offset 0x%" PRIx64, n->offset);
        ds_buf_printf(&b, "%s%s", n->found[0] != '\0' ? ": " : "", n->found);
        ds_buf_printf(&b, "%s%s", n->lost[0] != '\0' ? "; " : "", n->lost);
        ds_paper_field(p, "Damage", ds_buf_text(&b));
        ds_buf_deinit(&b);
    }
}

enum ds_status ds_header_write_text(struct ds_dump *dump, const char *file, bool colour,
                                    struct ds_buf *out)
{
    const struct ds_dump_header *h = ds_dump_header(dump);
    struct ds_paper p;
    ds_paper_init(&p, out, colour, 80);
    ds_paper_split(&p, DS_STYLE_BOLD, file, "");
    ds_paper_field(&p, "Dump", ds_dump_kind_text(ds_dump_kind(dump)));
    ds_paper_fieldf(&p, "Size", "%" PRIu64 " bytes", ds_dump_file_size(dump));
    info_windows(&p, h);
    info_bugcheck(&p, h);
    info_times(&p, h);
    info_attributes(&p, h);
    if (h->comment[0] != '\0')
        ds_paper_field(&p, "Comment", h->comment);
    info_integrity(&p, ds_dump_integrity(dump));
    return ds_buf_ok(out) ? DS_OK : DS_LIMIT;
}

enum ds_status ds_header_write_json(struct ds_dump *dump, const char *file, bool pretty,
                                    struct ds_buf *out)
{
    struct ds_report *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return DS_NO_MEMORY;
    enum ds_status status = ds_build_header(r, file, dump);
    if (status == DS_OK)
        status = ds_build_integrity(r, dump);
    if (status != DS_OK) {
        ds_report_close(r);
        return status;
    }
    struct ds_json j;
    ds_json_init(&j, out, pretty);
    ds_json_object(&j);
    ds_json_part_opening(&j, r);
    ds_json_part_signature(&j, r);
    ds_json_part_integrity(&j, r);
    ds_json_object_end(&j);
    if (pretty)
        ds_buf_char(out, '\n');
    ds_report_close(r);
    return ds_buf_ok(out) ? DS_OK : DS_LIMIT;
}
