#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "facts/resolve.h"
#include "nt/hardware.h"
#include "report/series_impl.h"

enum ds_status ds_series_open(struct ds_series **ret)
{
    struct ds_series *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return DS_NO_MEMORY;
    *ret = s;
    return DS_OK;
}

void ds_series_close(struct ds_series *s)
{
    if (s == NULL)
        return;
    free(s->dumps);
    ds_arena_deinit(&s->arena);
    free(s);
}

/* Moves the buffer's text into the series; "" when there is no memory. */
static const char *keep(struct ds_series *s, struct ds_buf *b)
{
    const char *text = ds_buf_ok(b) ? ds_arena_strdup(&s->arena, ds_buf_text(b), b->len) : NULL;
    ds_buf_deinit(b);
    return text != NULL ? text : "";
}

static const char *keep_text(struct ds_series *s, const char *text)
{
    const char *copy = ds_arena_strdup(&s->arena, text, strlen(text));
    return copy != NULL ? copy : "";
}

static void note_flips(struct ds_series *s, struct ds_series_dump *d,
                       const struct ds_bit_flips *flips, bool bytes)
{
    for (size_t i = 0; i < flips->count && d->flip_count < DS_SERIES_FLIPS; i++) {
        const struct ds_bit_flip *f = &flips->rows[i];
        /* Pointers and entries are aligned: their bit is that of the word. */
        unsigned lane = bytes ? (unsigned)((f->place.value & 7) * 8 + f->bit) : f->bit;
        d->flips[d->flip_count++] =
            (struct ds_series_flip){lane & 63, keep_text(s, f->subject), f->value, f->expected};
    }
}

static void note_machine(struct ds_series *s, struct ds_series_dump *d, struct ds_dump *dump)
{
    struct ds_machine_id id;
    struct ds_smbios smbios;
    struct ds_buf name;
    uint8_t *blob;
    size_t size;
    ds_machine_id_read(dump, &id);
    snprintf(d->machine_id, sizeof(d->machine_id), "%s", id.id);
    ds_buf_init(&name, 1024);
    if (ds_dump_blob_load(dump, DS_SMBIOS_TAG, &blob, &size) == DS_OK) {
        if (ds_smbios_decode(blob, size, &smbios) != DS_NO_MEMORY)
            ds_buf_printf(&name, "%s%s%s", smbios.system_manufacturer,
                          smbios.system_manufacturer[0] != '\0' ? " " : "", smbios.system_product);
        free(blob);
    }
    d->machine = keep(s, &name);
}

static void note_crash(struct ds_series *s, struct ds_series_dump *d, struct ds_nt *nt)
{
    const struct ds_dump_header *h = ds_dump_header(ds_nt_target(nt)->dump);
    struct ds_opt pc = ds_nt_fault_insn(nt)->pc;
    struct ds_buf crash, where;
    ds_buf_init(&crash, 256);
    ds_buf_printf(&crash, "%" PRIx64 " %" PRIx64, ds_opt_or(h->system_time, 0),
                  ds_opt_or(h->bugcheck_code, 0));
    for (unsigned i = 0; i < 4; i++)
        ds_buf_printf(&crash, " %" PRIx64, ds_opt_or(h->bugcheck_parameter[i], 0));
    d->crash = keep(s, &crash);
    ds_buf_init(&where, 64u << 10);
    if (pc.known && !ds_resolve_symbol(nt, pc.value, &where))
        ds_buf_printf(&where, "0x%" PRIx64, pc.value);
    d->where = keep(s, &where);
    d->digits = h->is64 ? 16 : 8;
}

static bool is_copy(const struct ds_series *s, const struct ds_series_dump *d)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->dumps[i]->crash, d->crash) == 0 &&
            strcmp(s->dumps[i]->machine_id, d->machine_id) == 0)
            return true;
    return false;
}

enum ds_status ds_series_note(struct ds_series *s, const char *file, struct ds_nt *nt)
{
    void *array = s->dumps;
    if (s->count == DS_LIMIT_SERIES)
        return DS_LIMIT;
    if (!ds_array_reserve(&array, &s->cap, s->count + 1, sizeof(*s->dumps), DS_LIMIT_SERIES))
        return DS_NO_MEMORY;
    s->dumps = array;
    struct ds_series_dump *d = ds_arena_alloc(&s->arena, 1, sizeof(*d));
    if (d == NULL)
        return DS_NO_MEMORY;
    memset(d, 0, sizeof(*d));
    d->file = keep_text(s, file);
    note_machine(s, d, ds_nt_target(nt)->dump);
    note_crash(s, d, nt);
    note_flips(s, d, ds_nt_bit_flips(nt), false);
    note_flips(s, d, ds_nt_pte_flips(nt), false);
    note_flips(s, d, ds_nt_code_flips(nt), true);
    d->copy = is_copy(s, d);
    s->dumps[s->count++] = d;
    return DS_OK;
}

/* ---- what is concluded ---- */

static bool of_machine(const struct ds_series_dump *d, const struct ds_series_machine *m)
{
    return strcmp(d->machine_id, m->first->machine_id) == 0;
}

bool ds_series_machine_at(const struct ds_series *s, size_t index, struct ds_series_machine *ret)
{
    struct ds_series_machine m = {.first = s->dumps[index]};
    if (m.first->machine_id[0] == '\0')
        return false;
    for (size_t i = 0; i < s->count; i++) {
        if (!of_machine(s->dumps[i], &m))
            continue;
        if (i < index)
            return false;
        m.dumps += !s->dumps[i]->copy;
        m.copies += s->dumps[i]->copy;
    }
    *ret = m;
    return m.dumps >= 2;
}

bool ds_series_speaks(const struct ds_series *s)
{
    struct ds_series_machine m;
    for (size_t i = 0; i < s->count; i++)
        if (ds_series_machine_at(s, i, &m))
            return true;
    return false;
}

const struct ds_series_flip *ds_series_flip_in(const struct ds_series_dump *d,
                                               const struct ds_series_machine *m, unsigned lane)
{
    for (size_t i = 0; i < d->flip_count && !d->copy && of_machine(d, m); i++)
        if (d->flips[i].lane == lane)
            return &d->flips[i];
    return NULL;
}

size_t ds_series_flipped(const struct ds_series *s, const struct ds_series_machine *m)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        n += of_machine(s->dumps[i], m) && !s->dumps[i]->copy && s->dumps[i]->flip_count > 0;
    return n;
}

bool ds_series_bit_of(const struct ds_series *s, const struct ds_series_machine *m, unsigned lane,
                      struct ds_series_bit *ret)
{
    struct ds_series_bit b = {.lane = lane};
    const char *where = NULL;
    for (size_t i = 0; i < s->count; i++) {
        if (ds_series_flip_in(s->dumps[i], m, lane) == NULL)
            continue;
        b.dumps++;
        b.many_places = b.many_places || (where != NULL && strcmp(where, s->dumps[i]->where) != 0);
        where = s->dumps[i]->where;
    }
    /* Always the same code may be code that sets the bit. */
    b.confidence = b.dumps >= 3 && b.many_places ? "high" : "medium";
    *ret = b;
    return b.dumps >= 2;
}

void ds_series_sentence(const struct ds_series_machine *m, const struct ds_series_bit *b,
                        struct ds_buf *out)
{
    ds_buf_printf(out,
                  "bit %u is wrong in %llu of %llu dumps of this machine%s: this points to "
                  "hardware (memory), confidence %s",
                  b->lane, (unsigned long long)b->dumps, (unsigned long long)m->dumps,
                  b->many_places ? ", in different code" : ", always in the same code",
                  b->confidence);
}
