/* Whose driver is it, and whether its stamp is a date. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "nt/drivers.h"
#include "report/build.h"

#define KEEP_MAX (64u << 10)

static void add_age(struct ds_buf *b, const struct ds_report_owner *o)
{
    char when[DS_CLOCK_TEXT];
    if (!o->built.known || !ds_clock_iso(o->built.value, when))
        return;
    ds_buf_str(b, strcmp(o->timestamp_kind, "date") == 0 ? "; built " : "; probably built ");
    ds_buf_add(b, when, strlen("2000-01-01"));
    if (o->age_days.known)
        ds_buf_printf(b, ", %" PRIu64 " day%s before the dump", o->age_days.value,
                      o->age_days.value == 1 ? "" : "s");
}

static void add_version(struct ds_buf *b, const struct ds_report_owner *o)
{
    ds_buf_str(b, o->company != NULL ? o->company : "company unknown");
    if (o->product != NULL)
        ds_buf_printf(b, ", %s", o->product);
    else if (o->description != NULL)
        ds_buf_printf(b, ", %s", o->description);
    if (o->file_version != NULL)
        ds_buf_printf(b, ", version %s", o->file_version);
    ds_buf_str(b, " (the image's own word)");
}

/* One clause after another; for the line under the culprit. */
static const char *owner_text(struct ds_builder *b, const struct ds_report_owner *o)
{
    struct ds_buf words;
    ds_buf_init(&words, KEEP_MAX);
    bool told = o->company != NULL || o->product != NULL || o->file_version != NULL;
    if (told)
        add_version(&words, o);
    else
        ds_buf_printf(&words, "unknown: %s",
                      o->has_no_version ? "the image has no version resource"
                                        : "the image's version resource was not captured");
    if (!told && o->listed_maker == NULL && o->in_box_source == NULL)
        ds_buf_str(&words, ", and its name is on no list");
    if (o->in_box_source != NULL)
        ds_buf_printf(&words, "; %s (a hint by name, no proof)", o->in_box_source);
    if (o->listed_maker != NULL && !told)
        ds_buf_printf(&words, "; files of this name are listed as made by %s (a hint by name)",
                      o->listed_maker);
    add_age(&words, o);
    const char *text = ds_build_keep(b->r, &words);
    if (text == NULL)
        b->no_memory = true;
    return text;
}

struct ds_report_owner ds_build_owner(struct ds_builder *b, const struct ds_module *m)
{
    struct ds_report_owner o = {.timestamp_kind = "unknown"};
    const struct ds_driver *all = ds_nt_drivers(b->nt);
    if (all == NULL || m < b->t->modules || m >= b->t->modules + b->t->module_count) {
        b->no_memory = b->no_memory || b->t->module_count != 0;
        return o;
    }
    const struct ds_driver *d = &all[m - b->t->modules];
    return (struct ds_report_owner){.known = true,
                                    .has_no_version = d->version_why == DS_NOT_FOUND,
                                    .company = d->company,
                                    .product = d->product,
                                    .description = d->description,
                                    .file_version = d->file_version,
                                    .product_version = d->product_version,
                                    .in_box_source = d->in_box_source,
                                    .listed_maker = d->listed_maker,
                                    .timestamp_kind = d->timestamp_kind,
                                    .timestamp_reason = d->timestamp_reason,
                                    .in_box = d->in_box,
                                    .built = d->built,
                                    .age_days = d->age_days,
                                    .reproducible = d->reproducible};
}

void ds_build_culprit_owner(struct ds_builder *b)
{
    struct ds_report *r = b->r;
    for (size_t i = 0; r->culprit.module != NULL && i < r->module_count; i++) {
        struct ds_report_module *m = &r->modules[i];
        if (m->name == NULL || !m->owner.known || ds_text_casecmp(m->name, r->culprit.module) != 0)
            continue;
        m->owner.text = owner_text(b, &m->owner);
        r->culprit_owner = &m->owner;
        return;
    }
}
