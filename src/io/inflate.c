#include "io/inflate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "io/inflate_stream.h"

/* Inflated bytes are kept in chunks, at most 128 MiB of them; the last used ones stay. */
#define CHUNK 65536u
#define SLOTS 2048u
#define NO_SLOT 0xffffu
/* Windows of checkpoints take at most 128 MiB; when all are used, every second one goes. */
#define CHECKPOINTS 4096u
#define FIRST_SPAN (1u << 20)
/* Inflated bytes between two calls of the progress function. */
#define PROGRESS_STEP (4u << 20)
/* Chunks on the way to the wanted one that are kept too: structures lie near each other. */
#define KEEP_BEFORE 16u

struct slot {
    uint8_t *data; /* owned; NULL until first used */
    uint64_t chunk;
    bool valid;
    bool used; /* since the clock hand last passed */
};

struct inflate_source {
    struct ds_source head;
    struct ds_source *archive; /* owned once open */
    struct ds_inflate_part part;
    struct ds_inflate_stream stream;
    bool stream_good;                     /* the stream stands at stream.out and can go on */
    struct ds_inflate_checkpoint *points; /* owned, ascending */
    size_t point_count;
    uint64_t span; /* inflated bytes between two checkpoints */
    struct slot slots[SLOTS];
    size_t hand;
    uint16_t *slot_of; /* owned; per chunk, NO_SLOT = not cached */
    size_t slot_of_count;
    uint8_t *scratch; /* owned, CHUNK bytes */
    char damage[256];
};

static void inflate_destroy(struct ds_source *s)
{
    struct inflate_source *f = (struct inflate_source *)s;
    ds_inflate_stop(&f->stream);
    for (size_t i = 0; i < f->point_count; i++)
        free(f->points[i].window);
    free(f->points);
    for (size_t i = 0; i < SLOTS; i++)
        free(f->slots[i].data);
    free(f->slot_of);
    free(f->scratch);
    ds_source_close(f->archive);
    free(f);
}

/* ---- the cache ---- */

static bool slot_map_reserve(struct inflate_source *f, uint64_t chunk)
{
    if (chunk < f->slot_of_count)
        return true;
    size_t want = (size_t)chunk + 1 + f->slot_of_count;
    uint16_t *grown = realloc(f->slot_of, want * sizeof(*grown));
    if (grown == NULL)
        return false;
    for (size_t i = f->slot_of_count; i < want; i++)
        grown[i] = NO_SLOT;
    f->slot_of = grown;
    f->slot_of_count = want;
    return true;
}

static struct slot *slot_find(struct inflate_source *f, uint64_t chunk)
{
    if (chunk >= f->slot_of_count || f->slot_of[chunk] == NO_SLOT)
        return NULL;
    struct slot *s = &f->slots[f->slot_of[chunk]];
    s->used = true;
    return s;
}

/* A slot to fill: a free one, else (unless only free ones will do) one that was not used lately. */
static struct slot *slot_take(struct inflate_source *f, uint64_t chunk, bool only_free)
{
    if (!slot_map_reserve(f, chunk))
        return NULL;
    for (size_t turn = 0; turn < 2 * SLOTS + 1; turn++) {
        struct slot *s = &f->slots[f->hand];
        if (s->valid && only_free)
            return NULL;
        f->hand = (f->hand + 1) % SLOTS;
        if (s->valid && s->used) {
            s->used = false;
            continue;
        }
        if (s->data == NULL && (s->data = malloc(CHUNK)) == NULL)
            return NULL;
        if (s->valid)
            f->slot_of[s->chunk] = NO_SLOT;
        s->valid = false;
        return s;
    }
    return NULL;
}

static void slot_keep(struct inflate_source *f, struct slot *s, uint64_t chunk)
{
    s->chunk = chunk;
    s->valid = s->used = true;
    f->slot_of[chunk] = (uint16_t)(s - f->slots);
}

/* ---- the first pass ---- */

static void thin_out(struct inflate_source *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->point_count; i++) {
        if (i % 2 == 0)
            f->points[kept++] = f->points[i];
        else
            free(f->points[i].window);
    }
    f->point_count = kept;
    f->span *= 2;
}

static enum ds_status leave_checkpoint(struct inflate_source *f)
{
    uint64_t last = f->point_count > 0 ? f->points[f->point_count - 1].out : 0;
    if (f->stream.out - last < f->span)
        return DS_OK;
    if (f->point_count == CHECKPOINTS)
        thin_out(f);
    enum ds_status st = ds_inflate_mark(&f->stream, &f->points[f->point_count]);
    if (st == DS_OK)
        f->point_count++;
    return st;
}

struct pass {
    uint64_t max;         /* inflated bytes */
    uint64_t stated;      /* what `max` comes from; 0 = another limit */
    uint64_t boundary_at; /* inflated offset of the last block boundary */
};

/* What the user says; else what the dump inside says it has, and some more. */
static void pass_init(struct pass *p, const struct ds_inflate_limits *limits)
{
    *p = (struct pass){.max = DS_LIMIT_INFLATED};
    if (limits != NULL && limits->max_inflated > 0) {
        p->max = limits->max_inflated;
    } else if (limits != NULL && limits->stated > 0 &&
               limits->stated < DS_LIMIT_INFLATED - DS_LIMIT_BEHIND_DUMP) {
        p->stated = limits->stated;
        p->max = limits->stated + DS_LIMIT_BEHIND_DUMP;
    }
}

static enum ds_status pass_limit(const struct inflate_source *f, const struct pass *p,
                                 struct ds_err *err)
{
    if (f->stream.out > p->max && p->stated != 0)
        return ds_err_set(
            err, DS_LIMIT,
            "the archive inflates to more than %llu bytes, where the dump inside says "
            "that it has %llu (stopped at archive offset 0x%llx of 0x%llx): a bomb, "
            "or a damaged header; give --max-inflated if the file can be trusted",
            (unsigned long long)p->max, (unsigned long long)p->stated,
            (unsigned long long)f->stream.in_next,
            (unsigned long long)(f->part.offset + f->part.size));
    if (f->stream.out > p->max)
        return ds_err_set(err, DS_LIMIT,
                          "the archive inflates to more than the limit of %llu bytes "
                          "(stopped at archive offset 0x%llx of 0x%llx); raise it with "
                          "--max-inflated if the file can be trusted",
                          (unsigned long long)p->max, (unsigned long long)f->stream.in_next,
                          (unsigned long long)(f->part.offset + f->part.size));
    if (f->stream.out - p->boundary_at > DS_LIMIT_DEFLATE_BLOCK)
        return ds_err_set(err, DS_LIMIT,
                          "the archive holds one deflate block of more than %u bytes before "
                          "archive offset 0x%llx, which no usual program writes: unpack it "
                          "yourself and give the file inside",
                          DS_LIMIT_DEFLATE_BLOCK, (unsigned long long)f->stream.in_next);
    return DS_OK;
}

/* One chunk of the first pass: inflated in pieces that end at block boundaries. */
static enum ds_status pass_chunk(struct inflate_source *f, uint8_t *buf, size_t *fill,
                                 struct pass *p, struct ds_err *err)
{
    enum ds_status st = DS_OK;
    *fill = 0;
    while (st == DS_OK && *fill < CHUNK && !f->stream.ended) {
        size_t got;
        bool boundary;
        st = ds_inflate_run(&f->stream, buf + *fill, CHUNK - *fill, true, &got, &boundary);
        *fill += got;
        if (st == DS_OK && boundary) {
            p->boundary_at = f->stream.out;
            st = leave_checkpoint(f);
        }
        enum ds_status limit = pass_limit(f, p, err);
        if (limit != DS_OK)
            return limit;
    }
    return st;
}

/* Inflates all once. What stopped it comes back in *ended; only limits and memory are errors. */
static enum ds_status first_pass(struct inflate_source *f, const struct ds_inflate_limits *limits,
                                 enum ds_status *ended, struct ds_err *err)
{
    struct pass p;
    uint64_t said = 0;
    pass_init(&p, limits);
    enum ds_status st = ds_inflate_mark(&f->stream, &f->points[f->point_count++]);
    while (st == DS_OK && !f->stream.ended) {
        uint64_t chunk = f->stream.out / CHUNK;
        struct slot *s = slot_take(f, chunk, true);
        size_t fill;
        st = pass_chunk(f, s != NULL ? s->data : f->scratch, &fill, &p, err);
        if (st == DS_LIMIT || st == DS_NO_MEMORY)
            break;
        if (s != NULL && fill > 0)
            slot_keep(f, s, chunk);
        if (limits != NULL && limits->progress != NULL && f->stream.out - said >= PROGRESS_STEP) {
            said = f->stream.out;
            limits->progress(f->stream.in_next - f->part.offset, f->part.size, said,
                             limits->progress_arg);
        }
    }
    if (said > 0)
        limits->progress(f->part.size, f->part.size, f->stream.out, limits->progress_arg);
    if (st == DS_LIMIT || st == DS_NO_MEMORY)
        return st;
    *ended = st;
    f->head.size = f->stream.out;
    return DS_OK;
}

static void describe_damage(struct inflate_source *f, enum ds_status ended)
{
    const char *what = f->part.gzip ? "gzip" : "zip";
    unsigned long long in = f->stream.in_next - f->stream.z.avail_in, out = f->head.size;
    if (ended == DS_TRUNCATED)
        (void)snprintf(f->damage, sizeof(f->damage),
                       "the %s data ends early, at archive offset 0x%llx; 0x%llx bytes came out",
                       what, in, out);
    else if (ended == DS_IO)
        (void)snprintf(f->damage, sizeof(f->damage),
                       "the %s data cannot be read at archive offset 0x%llx; 0x%llx bytes came out",
                       what, in, out);
    else if (ended != DS_OK)
        (void)snprintf(f->damage, sizeof(f->damage),
                       "the %s data is damaged before archive offset 0x%llx, or its check sum "
                       "does not fit; 0x%llx bytes came out",
                       what, in, out);
    else if (f->stream.trailing)
        (void)snprintf(f->damage, sizeof(f->damage),
                       "bytes that are no %s data follow at archive offset 0x%llx", what, in);
    if (f->damage[0] != '\0')
        f->head.damage = f->damage;
}

/* ---- reading ---- */

/* The last checkpoint at or before an inflated offset; there is one at 0. */
static const struct ds_inflate_checkpoint *point_before(const struct inflate_source *f,
                                                        uint64_t out)
{
    size_t low = 0, high = f->point_count;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (f->points[mid].out <= out)
            low = mid;
        else
            high = mid;
    }
    return &f->points[low];
}

/* Brings the stream to stand at or before `out`, as near as it can be had. */
static enum ds_status seek(struct inflate_source *f, uint64_t out)
{
    const struct ds_inflate_checkpoint *p = point_before(f, out);
    if (f->stream_good && f->stream.out <= out && f->stream.out >= p->out)
        return DS_OK;
    f->stream_good = false;
    enum ds_status st = ds_inflate_resume(&f->stream, p);
    f->stream_good = st == DS_OK;
    return st;
}

/* `len` more bytes; fewer are an error here, since the first pass got them. */
static enum ds_status inflate_exactly(struct inflate_source *f, uint8_t *buf, size_t len)
{
    size_t got;
    bool boundary;
    enum ds_status st = ds_inflate_run(&f->stream, buf, len, false, &got, &boundary);
    if (got == len)
        return DS_OK; /* a check that fails behind these bytes was said at the open */
    f->stream_good = false;
    return st != DS_OK ? st : DS_CORRUPT;
}

static size_t chunk_size(const struct inflate_source *f, uint64_t chunk)
{
    uint64_t left = f->head.size - chunk * CHUNK;
    return left < CHUNK ? (size_t)left : CHUNK;
}

/* Inflates up to the chunk and into it, keeping what lies just before. */
static enum ds_status chunk_load(struct inflate_source *f, uint64_t chunk, struct slot **ret)
{
    enum ds_status st = seek(f, chunk * CHUNK);
    while (st == DS_OK) {
        uint64_t here = f->stream.out / CHUNK;
        size_t skip = (size_t)(f->stream.out % CHUNK);
        bool keep = skip == 0 && chunk - here <= KEEP_BEFORE && slot_find(f, here) == NULL;
        struct slot *s = keep ? slot_take(f, here, false) : NULL;
        if (here == chunk && s == NULL)
            return DS_NO_MEMORY;
        st = inflate_exactly(f, s != NULL ? s->data : f->scratch, chunk_size(f, here) - skip);
        if (st == DS_OK && s != NULL)
            slot_keep(f, s, here);
        if (here == chunk) {
            *ret = s;
            return st;
        }
    }
    return st;
}

static enum ds_status inflate_read(struct ds_source *src, uint64_t off, void *buf, size_t len,
                                   size_t *got, struct ds_err *err)
{
    struct inflate_source *f = (struct inflate_source *)src;
    uint8_t *out = buf;
    while (*got < len) {
        uint64_t chunk = (off + *got) / CHUNK;
        struct slot *s = slot_find(f, chunk);
        enum ds_status st = s != NULL ? DS_OK : chunk_load(f, chunk, &s);
        if (st != DS_OK)
            return ds_err_set(err, st == DS_TRUNCATED || st == DS_CORRUPT ? DS_IO : st,
                              "inflated offset 0x%llx: the archive no longer inflates as it did "
                              "when it was opened (did it change?)",
                              (unsigned long long)(off + *got));
        size_t at = (size_t)((off + *got) % CHUNK);
        size_t part = chunk_size(f, chunk) - at;
        if (part > len - *got)
            part = len - *got;
        memcpy(out + *got, s->data + at, part);
        *got += part;
    }
    return DS_OK;
}

static const struct ds_source_ops inflate_ops = {"inflated", inflate_read, NULL, inflate_destroy};

enum ds_status ds_source_inflate_open(struct ds_source *archive, const struct ds_inflate_part *part,
                                      const struct ds_inflate_limits *limits,
                                      struct ds_source **ret, struct ds_err *err)
{
    struct inflate_source *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    f->head.ops = &inflate_ops;
    f->part = *part;
    f->span = FIRST_SPAN;
    f->points = calloc(CHECKPOINTS, sizeof(*f->points));
    f->scratch = malloc(CHUNK);
    enum ds_status ended = DS_OK, st = DS_NO_MEMORY;
    if (f->points != NULL && f->scratch != NULL)
        st = ds_inflate_start(&f->stream, archive, &f->part, true);
    if (st == DS_OK)
        st = first_pass(f, limits, &ended, err);
    if (st == DS_NO_MEMORY)
        (void)ds_err_set(err, st, "out of memory");
    if (st == DS_OK && f->head.size == 0)
        st = ds_err_set(err, DS_CORRUPT,
                        "the archive is empty or damaged: nothing inflates from archive offset "
                        "0x%llx; fetch it again",
                        (unsigned long long)part->offset);
    if (st != DS_OK) {
        inflate_destroy(&f->head);
        return st;
    }
    describe_damage(f, ended);
    f->archive = archive;
    *ret = &f->head;
    return DS_OK;
}

enum ds_status ds_inflate_peek(struct ds_source *archive, const struct ds_inflate_part *part,
                               void *buf, size_t len, size_t *got, struct ds_err *err)
{
    struct ds_inflate_stream s;
    enum ds_status st = ds_inflate_start(&s, archive, part, false);
    if (st != DS_OK)
        return ds_err_set(err, st, "out of memory");
    bool boundary;
    *got = 0;
    st = ds_inflate_run(&s, buf, len, false, got, &boundary);
    ds_inflate_stop(&s);
    if (st == DS_OK || (*got > 0 && st != DS_IO))
        return DS_OK;
    return ds_err_set(err, st, "archive offset 0x%llx: nothing inflates (%s); fetch it again",
                      (unsigned long long)part->offset, ds_status_text(st));
}
