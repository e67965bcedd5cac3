/* A series as text and as JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "report/json_parts.h"
#include "report/paper.h"
#include "report/series_impl.h"

/* ---- text ---- */

static void text_bit(struct ds_paper *p, const struct ds_series *s,
                     const struct ds_series_machine *m, const struct ds_series_bit *b)
{
    struct ds_buf words;
    ds_buf_init(&words, 4096);
    ds_series_sentence(m, b, &words);
    ds_paper_field(p, "Same bit", ds_buf_text(&words));
    ds_buf_deinit(&words);
    for (size_t i = 0; i < s->count; i++) {
        const struct ds_series_dump *d = s->dumps[i];
        const struct ds_series_flip *f = ds_series_flip_in(d, m, b->lane);
        if (f != NULL)
            ds_paper_fieldf(p, "", "%s: %s is %0*" PRIx64 ", not %0*" PRIx64 "%s%s", d->file,
                            f->subject, (int)d->digits, f->value, (int)d->digits, f->expected,
                            d->where[0] != '\0' ? ", at " : "", d->where);
    }
}

static void text_machine(struct ds_paper *p, const struct ds_series *s,
                         const struct ds_series_machine *m)
{
    struct ds_series_bit b;
    size_t found = 0, flipped = ds_series_flipped(s, m);
    ds_paper_fieldf(p, "Machine", "%s%s%s", m->first->machine,
                    m->first->machine[0] != '\0' ? ", id " : "id ", m->first->machine_id);
    ds_paper_fieldf(p, "Dumps", "%zu of different crashes%s", m->dumps,
                    m->copies > 0 ? "; copies of one crash are left out" : "");
    for (unsigned lane = 0; lane < DS_SERIES_BITS; lane++) {
        if (!ds_series_bit_of(s, m, lane, &b))
            continue;
        text_bit(p, s, m, &b);
        found++;
    }
    if (found == 0)
        ds_paper_fieldf(p, "Same bit",
                        "none: %zu of them show%s a value that is one bit away from "
                        "a plausible one",
                        flipped, flipped == 1 ? "s" : "");
}

enum ds_status ds_series_write_text(const struct ds_series *s, const struct ds_text_options *o,
                                    struct ds_buf *out)
{
    struct ds_paper p;
    struct ds_series_machine m;
    ds_paper_init(&p, out, o->colour, o->width != 0 ? o->width : 80);
    ds_paper_row(&p, DS_STYLE_BOLD, "SEVERAL DUMPS OF ONE MACHINE");
    for (size_t i = 0; i < s->count; i++)
        if (ds_series_machine_at(s, i, &m))
            text_machine(&p, s, &m);
    return ds_buf_ok(out) ? DS_OK : DS_LIMIT;
}

/* ---- JSON ---- */

static void json_bit(struct ds_json *j, const struct ds_series *s,
                     const struct ds_series_machine *m, const struct ds_series_bit *b)
{
    struct ds_buf words;
    ds_buf_init(&words, 4096);
    ds_series_sentence(m, b, &words);
    ds_json_object(j);
    ds_json_key_unsigned(j, "bit", b->lane);
    ds_json_key_unsigned(j, "dumps", b->dumps);
    ds_json_key_bool(j, "different_code", b->many_places);
    ds_json_key_string(j, "points_to", "hardware");
    ds_json_key_string(j, "confidence", b->confidence);
    ds_json_key_string(j, "message", ds_buf_text(&words));
    ds_buf_deinit(&words);
    ds_json_key(j, "values");
    ds_json_array(j);
    for (size_t i = 0; i < s->count; i++) {
        const struct ds_series_dump *d = s->dumps[i];
        const struct ds_series_flip *f = ds_series_flip_in(d, m, b->lane);
        if (f == NULL)
            continue;
        ds_json_object(j);
        ds_json_key_string(j, "file", d->file);
        ds_json_key_string(j, "subject", f->subject);
        ds_json_key_hex(j, "value", ds_opt_known(f->value), d->digits);
        ds_json_key_hex(j, "expected", ds_opt_known(f->expected), d->digits);
        ds_json_key_string(j, "instruction", d->where[0] != '\0' ? d->where : NULL);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
    ds_json_object_end(j);
}

static void json_machine(struct ds_json *j, const struct ds_series *s,
                         const struct ds_series_machine *m)
{
    struct ds_series_bit b;
    ds_json_object(j);
    ds_json_key_string(j, "machine_id", m->first->machine_id);
    ds_json_key_string(j, "name", m->first->machine[0] != '\0' ? m->first->machine : NULL);
    ds_json_key_unsigned(j, "dumps", m->dumps);
    ds_json_key_unsigned(j, "copies", m->copies);
    ds_json_key_unsigned(j, "dumps_with_wrong_bits", ds_series_flipped(s, m));
    ds_json_key(j, "same_bits");
    ds_json_array(j);
    for (unsigned lane = 0; lane < DS_SERIES_BITS; lane++)
        if (ds_series_bit_of(s, m, lane, &b))
            json_bit(j, s, m, &b);
    ds_json_array_end(j);
    ds_json_object_end(j);
}

enum ds_status ds_series_write_json(const struct ds_series *s, bool pretty, struct ds_buf *out)
{
    struct ds_json j;
    struct ds_series_machine m;
    size_t unknown = 0;
    for (size_t i = 0; i < s->count; i++)
        unknown += s->dumps[i]->machine_id[0] == '\0';
    ds_json_init(&j, out, pretty);
    ds_json_object(&j);
    ds_json_part_head(&j);
    ds_json_key(&j, "series");
    ds_json_object(&j);
    ds_json_key_unsigned(&j, "dumps", s->count);
    ds_json_key_unsigned(&j, "of_unknown_machines", unknown);
    ds_json_key(&j, "machines");
    ds_json_array(&j);
    for (size_t i = 0; i < s->count; i++)
        if (ds_series_machine_at(s, i, &m))
            json_machine(&j, s, &m);
    ds_json_array_end(&j);
    ds_json_object_end(&j);
    ds_json_object_end(&j);
    if (pretty)
        ds_buf_char(out, '\n');
    return ds_buf_ok(out) ? DS_OK : DS_LIMIT;
}
