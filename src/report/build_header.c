/* What the container alone tells. */
#include <string.h>

#include "dump/blob_names.h"
#include "dump/blob_summary.h"
#include "nt/bugcheck.h"
#include "nt/explain.h"
#include "nt/live.h"
#include "report/build.h"
#include "report/header.h"
#include "report/signature.h"
#include "symbols/version.h"

#define KEEP_MAX (64u << 10)

const char *ds_build_keep(struct ds_report *r, struct ds_buf *b)
{
    const char *text = b->len > 0 ? ds_arena_strdup(&r->arena, b->data, b->len) : NULL;
    ds_buf_deinit(b);
    return text;
}

static const char *keep_text(struct ds_report *r, const char *text)
{
    return text[0] != '\0' ? ds_arena_strdup(&r->arena, text, strlen(text)) : NULL;
}

static bool build_blobs(struct ds_report *r, struct ds_dump *dump)
{
    size_t count = ds_dump_blob_count(dump);
    if (count == 0)
        return true;
    r->dump.blobs = ds_arena_alloc(&r->arena, count, sizeof(*r->dump.blobs));
    if (r->dump.blobs == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct ds_blob *b = ds_dump_blob(dump, i);
        char hex[2 * DS_BLOB_PREVIEW + 1], ascii[DS_BLOB_PREVIEW + 1];
        struct ds_buf summary;
        ds_buf_init(&summary, 512);
        ds_blob_summary(dump, i, &summary);
        ds_blob_preview(dump, i, hex, ascii);
        r->dump.blobs[i] = (struct ds_report_blob){.tag = b->tag,
                                                   .name = ds_blob_name(b->tag),
                                                   .summary = ds_build_keep(r, &summary),
                                                   .preview = keep_text(r, hex),
                                                   .preview_text = keep_text(r, ascii),
                                                   .file_offset = b->file_offset,
                                                   .size = b->size,
                                                   .captured = b->captured};
    }
    r->dump.blob_count = count;
    return true;
}

static bool build_dump(struct ds_report *r, struct ds_dump *dump)
{
    const struct ds_dump_header *h = ds_dump_header(dump);
    struct ds_report_dump *d = &r->dump;
    d->kind = ds_dump_kind_name(ds_dump_kind(dump));
    d->kind_text = ds_dump_kind_text(ds_dump_kind(dump));
    d->arch = ds_arch_name(h->arch);
    d->file_size = ds_dump_file_size(dump);
    d->is64 = h->is64;
    d->machine = h->machine;
    d->header = h;
    d->physical_pages =
        ds_dump_has_physical(dump) ? ds_opt_known(ds_dump_phys_pages(dump)) : ds_opt_unknown(DS_OK);
    d->leftover_bytes = ds_dump_leftover_known(dump) ? ds_opt_known(ds_dump_leftover_bytes(dump))
                                                     : ds_opt_unknown(DS_OK);
    d->bare = ds_dump_header_to_fill(dump) != NULL;
    const char *evidence;
    struct ds_opt live = ds_live_by_header(h, &evidence);
    d->live = live.known && live.value != 0;
    r->digits = h->is64 ? 16 : 8;
    return build_blobs(r, dump);
}

/* The sub-code row that applies, and whether the table misses the value. */
static const struct ds_bugcheck_subcode *build_subcode(struct ds_report_bugcheck *b,
                                                       const struct ds_bugcheck_doc *doc,
                                                       const struct ds_opt params[4])
{
    const struct ds_bugcheck_subcode *sub = ds_bugcheck_subcode_known(doc, params);
    bool selects = doc->subcode_param >= 0 && doc->subcode_param < 4 && doc->subcode_count > 0;
    if (sub != NULL) {
        b->subcode_name = sub->name[0] != '\0' ? sub->name : NULL;
        b->subcode_text = sub->text;
    } else if (selects && b->params[doc->subcode_param].value.known) {
        b->subcode_unlisted = true;
    }
    return sub;
}

static void build_parameters(struct ds_report *r, const struct ds_dump_header *h,
                             const struct ds_bugcheck_doc *doc)
{
    struct ds_report_bugcheck *b = &r->bugcheck;
    const struct ds_bugcheck_subcode *sub = build_subcode(b, doc, h->bugcheck_parameter);
    for (unsigned i = 0; i < 4; i++) {
        const struct ds_param_doc *p = ds_bugcheck_param(doc, sub, i);
        const char *type = ds_param_type_name(p->type);
        b->params[i].type = type[0] != '\0' ? type : NULL;
        b->params[i].text = p->text;
        if (!b->params[i].value.known)
            continue;
        struct ds_buf words;
        ds_buf_init(&words, KEEP_MAX);
        (void)ds_bugcheck_value_explain(doc, sub, i, b->params[i].value.value, h->arch, &words);
        b->params[i].resolved = ds_build_keep(r, &words);
    }
}

static void build_bugcheck(struct ds_report *r, const struct ds_dump_header *h)
{
    struct ds_report_bugcheck *b = &r->bugcheck;
    b->code = h->bugcheck_code;
    b->edition = ds_bugcheck_edition();
    for (unsigned i = 0; i < 4; i++)
        b->params[i].value = h->bugcheck_parameter[i];
    if (!b->code.known)
        return;
    b->base_code = ds_opt_known(ds_bugcheck_base((uint32_t)b->code.value));
    /* Code 0 is no bugcheck: the dump was taken of a system that ran. */
    const struct ds_bugcheck_doc *doc =
        b->code.value != 0 ? ds_bugcheck_find((uint32_t)b->code.value) : NULL;
    if (doc == NULL)
        return;
    b->name = doc->name;
    b->text = doc->text[0] != '\0' ? doc->text : NULL;
    b->source = doc->source;
    b->live = r->dump.live;
    build_parameters(r, h, doc);
}

static void build_header_system(struct ds_report *r, const struct ds_dump_header *h)
{
    struct ds_report_system *s = &r->system;
    s->build = h->minor_version;
    s->processors = h->processor_count;
    s->system_time = h->system_time;
    s->up_time = h->system_up_time;
    s->product_type = h->product_type;
    s->suite_mask = h->suite_mask;
    s->checked_build = h->major_version.known && h->major_version.value == 0xc;
    if (s->product_type.known)
        s->product = ds_header_product(s->product_type.value);
    if (s->suite_mask.known) {
        struct ds_buf b;
        ds_buf_init(&b, KEEP_MAX);
        ds_header_suites(s->suite_mask.value, &b);
        s->suite = ds_build_keep(r, &b);
    }
    bool server = s->product_type.known && s->product_type.value > 1;
    if (s->build.known)
        s->windows = ds_version_name((uint32_t)s->build.value, server);
}

static bool build_notes(struct ds_report *r, const struct ds_integrity *in)
{
    r->notes_dropped = in->dropped;
    r->note_count = 0;
    if (in->count == 0)
        return true;
    r->notes = ds_arena_alloc(&r->arena, in->count, sizeof(*r->notes));
    if (r->notes == NULL)
        return false;
    r->note_count = in->count;
    for (size_t i = 0; i < in->count; i++) {
        const struct ds_integrity_note *n = &in->notes[i];
        struct ds_report_note *out = &r->notes[i];
        out->level = ds_integrity_level_name(n->level);
        out->check = n->check;
        out->offset = n->offset != DS_NO_OFFSET ? ds_opt_known(n->offset) : ds_opt_unknown(DS_OK);
        out->expected = ds_arena_strdup(&r->arena, n->expected, strlen(n->expected));
        out->found = ds_arena_strdup(&r->arena, n->found, strlen(n->found));
        out->lost = ds_arena_strdup(&r->arena, n->lost, strlen(n->lost));
        if (out->expected == NULL || out->found == NULL || out->lost == NULL)
            return false;
        if (n->level != DS_INTEGRITY_NOTE)
            r->damaged = true;
    }
    return true;
}

enum ds_status ds_build_integrity(struct ds_report *r, struct ds_dump *dump)
{
    return build_notes(r, ds_dump_integrity(dump)) ? DS_OK : DS_NO_MEMORY;
}

enum ds_status ds_build_header(struct ds_report *r, const char *file, struct ds_dump *dump)
{
    const struct ds_dump_header *h = ds_dump_header(dump);
    r->file = ds_arena_strdup(&r->arena, file, strlen(file));
    if (r->file == NULL || !build_dump(r, dump))
        return DS_NO_MEMORY;
    build_bugcheck(r, h);
    build_header_system(r, h);
    ds_signature_weak(r, &r->signature);
    return DS_OK;
}
