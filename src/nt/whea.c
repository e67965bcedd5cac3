/* The hardware error record that parameter 2 of bugcheck 0x124 points to. Source:
 * bug-check-0x124---whea-uncorrectable-error.md of MicrosoftDocs/windows-driver-docs. */
#include <stdlib.h>

#include "nt/bugcheck.h"
#include "nt/impl.h"

#define WHEA_UNCORRECTABLE_ERROR 0x124u
#define PAGE 0x1000u

/* Bytes from va on, until one page cannot be read. */
static size_t read_some(struct ds_space *space, uint64_t va, uint8_t *buf, size_t size)
{
    size_t got = 0;
    while (got < size) {
        uint64_t at = va + got;
        size_t n = PAGE - (size_t)(at % PAGE);
        n = n < size - got ? n : size - got;
        if (ds_space_read(space, at, buf + got, n, NULL) == DS_OK) {
            got += n;
            continue;
        }
        while (n > 1) { /* a capture may end inside the page */
            n /= 2;
            if (ds_space_read(space, va + got, buf + got, n, NULL) == DS_OK)
                got += n;
        }
        break;
    }
    return got;
}

static void stop(struct ds_whea *w, enum ds_status why, uint64_t at, const char *detail)
{
    if (!w->walk.complete)
        return;
    w->walk.complete = false;
    w->walk.stop_reason = why;
    w->walk.stop_address = ds_opt_known(at);
    w->walk.detail = detail;
}

static const char *component(struct ds_nt *nt, const struct ds_cper_section *s,
                             const struct ds_cper_field *fields, size_t count)
{
    struct ds_buf b;
    ds_buf_init(&b, 1024);
    ds_cper_component(s, fields, count, &b);
    const char *text =
        b.len != 0 && ds_buf_ok(&b) ? ds_arena_strdup(&nt->arena, ds_buf_text(&b), b.len) : NULL;
    ds_buf_deinit(&b);
    return text;
}

static void read_sections(struct ds_nt *nt, const uint8_t *data, size_t size)
{
    struct ds_whea *w = &nt->whea;
    size_t count = w->record.section_count;
    if (count > DS_LIMIT_WHEA_SECTIONS) {
        stop(w, DS_LIMIT, w->address + 10, "the record states more sections than are kept");
        count = DS_LIMIT_WHEA_SECTIONS;
    }
    struct ds_whea_section *sections =
        ds_arena_alloc(&nt->arena, count != 0 ? count : 1, sizeof(*sections));
    struct ds_whea_field *fields =
        ds_arena_alloc(&nt->arena, (count != 0 ? count : 1) * DS_CPER_FIELDS, sizeof(*fields));
    if (sections == NULL || fields == NULL) {
        stop(w, DS_NO_MEMORY, w->address, "");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct ds_whea_section *s = &sections[w->section_count];
        struct ds_cper_field found[DS_CPER_FIELDS];
        if (!ds_cper_section(data, size, i, &s->section)) {
            stop(w, DS_NOT_IN_DUMP, w->address + size, "the section list is cut short");
            break;
        }
        if (s->section.offset > size || s->section.length > size - s->section.offset)
            stop(w, DS_NOT_IN_DUMP, w->address + s->section.offset,
                 "a section lies outside the captured record");
        size_t n = ds_cper_fields(data, size, &s->section, found);
        ds_cper_preview(data, size, &s->section, s->preview);
        s->component = component(nt, &s->section, found, n);
        for (size_t k = 0; k < n; k++)
            fields[w->field_count++] =
                (struct ds_whea_field){.section = (uint32_t)w->section_count, .field = found[k]};
        w->section_count++;
    }
    w->sections = sections;
    w->fields = fields;
}

static void read_record(struct ds_nt *nt, uint64_t va)
{
    struct ds_whea *w = &nt->whea;
    struct ds_target *t = nt->target;
    uint8_t head[DS_CPER_HEADER_SIZE];
    w->address = va;
    if (t->kernel == NULL) {
        stop(w, t->kernel_why, va, t->kernel_why_text);
        return;
    }
    enum ds_status status = ds_space_read(t->kernel, va, head, sizeof(head), NULL);
    if (status != DS_OK) {
        stop(w, status, va, "the error record of parameter 2 cannot be read");
        return;
    }
    status = ds_cper_decode(head, sizeof(head), &w->record);
    if (status != DS_OK) {
        stop(w, status, va, "parameter 2 does not point to an error record");
        return;
    }
    w->known = true;
    size_t size = w->record.length;
    if (size > DS_LIMIT_WHEA_RECORD) {
        stop(w, DS_LIMIT, va + 20, "the record states more bytes than are read");
        size = DS_LIMIT_WHEA_RECORD;
    }
    uint8_t *data = ds_alloc_array(size != 0 ? size : 1, 1);
    if (data == NULL) {
        stop(w, DS_NO_MEMORY, va, "");
        return;
    }
    read_sections(nt, data, read_some(t->kernel, va, data, size));
    free(data);
}

const struct ds_whea *ds_nt_whea(struct ds_nt *nt)
{
    struct ds_whea *w = &nt->whea;
    if (nt->have_whea)
        return w;
    nt->have_whea = true;
    w->walk = (struct ds_walk){.table_name = "whea_sections",
                               .complete = true,
                               .stop_address = ds_opt_unknown(DS_OK),
                               .detail = ""};
    const struct ds_dump_header *h = ds_dump_header(nt->target->dump);
    if (!h->bugcheck_code.known)
        return w;
    if (ds_bugcheck_base((uint32_t)h->bugcheck_code.value) == WHEA_UNCORRECTABLE_ERROR)
        read_record(nt, ds_opt_or(h->bugcheck_parameter[1], 0));
    w->walk.rows = w->section_count;
    return w;
}
