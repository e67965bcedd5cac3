#include "io/inflate_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* RFC 1952, section 2.3.1: FLG bits. */
#define FLAG_HCRC 2u
#define FLAG_EXTRA 4u
#define FLAG_NAME 8u
#define FLAG_COMMENT 16u
#define FLAG_RESERVED 0xe0u

static uint64_t part_end(const struct ds_inflate_stream *s)
{
    return s->part->offset + s->part->size;
}

static bool prepare(struct ds_inflate_stream *s)
{
    if (s->ready)
        return inflateReset2(&s->z, -15) == Z_OK;
    memset(&s->z, 0, sizeof(s->z));
    s->ready = inflateInit2(&s->z, -15) == Z_OK;
    return s->ready;
}

enum ds_status ds_inflate_start(struct ds_inflate_stream *s, struct ds_source *archive,
                                const struct ds_inflate_part *part, bool verify)
{
    memset(s, 0, sizeof(*s));
    s->archive = archive;
    s->part = part;
    s->verify = verify;
    s->in_member = !part->gzip;
    s->in_next = part->offset;
    s->input = malloc(DS_INFLATE_INPUT);
    if (s->input == NULL || !prepare(s)) {
        ds_inflate_stop(s);
        return DS_NO_MEMORY;
    }
    return DS_OK;
}

void ds_inflate_stop(struct ds_inflate_stream *s)
{
    if (s->ready)
        (void)inflateEnd(&s->z);
    s->ready = false;
    free(s->input);
    s->input = NULL;
}

/* Loads more input; DS_TRUNCATED when there is none. */
static enum ds_status load(struct ds_inflate_stream *s)
{
    uint64_t left = part_end(s) - s->in_next;
    size_t want = left < DS_INFLATE_INPUT ? (size_t)left : DS_INFLATE_INPUT;
    size_t got = 0;
    enum ds_status st = ds_source_read_some(s->archive, s->in_next, s->input, want, &got, NULL);
    if (st != DS_OK)
        return st;
    s->z.next_in = s->input;
    s->z.avail_in = (uInt)got;
    s->in_next += got;
    return got == 0 ? DS_TRUNCATED : DS_OK;
}

static enum ds_status next_byte(struct ds_inflate_stream *s, uint8_t *ret)
{
    if (s->z.avail_in == 0) {
        enum ds_status st = load(s);
        if (st != DS_OK)
            return st;
    }
    *ret = *s->z.next_in++;
    s->z.avail_in--;
    return DS_OK;
}

static enum ds_status take(struct ds_inflate_stream *s, uint8_t *buf, size_t len)
{
    enum ds_status st = DS_OK;
    for (size_t i = 0; st == DS_OK && i < len; i++)
        st = next_byte(s, &buf[i]);
    return st;
}

static enum ds_status skip_string(struct ds_inflate_stream *s)
{
    uint8_t c = 1;
    enum ds_status st = DS_OK;
    while (st == DS_OK && c != 0)
        st = next_byte(s, &c);
    return st;
}

static enum ds_status skip_optional(struct ds_inflate_stream *s, uint8_t flags)
{
    uint8_t b[2];
    enum ds_status st = DS_OK;
    if (flags & FLAG_EXTRA) {
        st = take(s, b, 2);
        for (unsigned n = st == DS_OK ? ds_le16(b) : 0; st == DS_OK && n > 0; n--)
            st = next_byte(s, b);
    }
    if (st == DS_OK && (flags & FLAG_NAME))
        st = skip_string(s);
    if (st == DS_OK && (flags & FLAG_COMMENT))
        st = skip_string(s);
    if (st == DS_OK && (flags & FLAG_HCRC))
        st = take(s, b, 2);
    return st;
}

/* The header of the next member. What is no header after a whole member only ends the stream. */
static enum ds_status member_begin(struct ds_inflate_stream *s)
{
    uint8_t h[10] = {0};
    bool first = s->out == 0 && s->in_next - s->z.avail_in == s->part->offset;
    if (!first && s->z.avail_in == 0 && s->in_next == part_end(s)) {
        s->ended = true;
        return DS_OK;
    }
    enum ds_status st = take(s, h, sizeof(h));
    bool good = st == DS_OK && h[0] == 0x1f && h[1] == 0x8b && h[2] == 8 && !(h[3] & FLAG_RESERVED);
    if (!first && (st == DS_TRUNCATED || (st == DS_OK && !good))) {
        s->ended = true;
        s->trailing = h[0] != 0; /* zeros pad to a block size, as tapes want it */
        return DS_OK;
    }
    if (st != DS_OK)
        return st;
    if (!good)
        return DS_CORRUPT;
    st = skip_optional(s, h[3]);
    if (st != DS_OK)
        return st;
    Bytef *next = s->z.next_in;
    uInt avail = s->z.avail_in;
    if (!prepare(s))
        return DS_NO_MEMORY;
    s->z.next_in = next;
    s->z.avail_in = avail;
    s->in_member = true;
    s->member_out = 0;
    s->crc = 0;
    return DS_OK;
}

/* The end of a deflate stream: the trailer of a gzip member, or the end of all. */
static enum ds_status member_end(struct ds_inflate_stream *s)
{
    s->in_member = false;
    if (!s->part->gzip) {
        s->ended = true;
        if (s->verify && s->part->check &&
            (s->out != s->part->expected_size || s->crc != s->part->expected_crc))
            return DS_CORRUPT;
        return DS_OK;
    }
    uint8_t t[8];
    enum ds_status st = take(s, t, sizeof(t));
    if (st != DS_OK)
        return st;
    if (s->verify && (ds_le32(t) != s->crc || ds_le32(t + 4) != (uint32_t)s->member_out))
        return DS_CORRUPT;
    return DS_OK;
}

static enum ds_status inflate_some(struct ds_inflate_stream *s, uint8_t *buf, size_t len,
                                   bool stop_at_block, size_t *got, bool *boundary)
{
    enum ds_status more = s->z.avail_in == 0 ? load(s) : DS_OK;
    /* The last bits may still be in zlib's hands: let it say whether the stream is over. */
    if (more != DS_OK && more != DS_TRUNCATED)
        return more;
    s->z.next_out = buf;
    s->z.avail_out = (uInt)len;
    int rc = inflate(&s->z, stop_at_block ? Z_BLOCK : Z_NO_FLUSH);
    *got = len - s->z.avail_out;
    s->out += *got;
    s->member_out += *got;
    if (s->verify)
        s->crc = (uint32_t)crc32(s->crc, buf, (uInt)*got);
    if (rc == Z_STREAM_END) {
        enum ds_status st = member_end(s);
        *boundary = st == DS_OK && stop_at_block && !s->ended;
        return st;
    }
    if (rc == Z_MEM_ERROR)
        return DS_NO_MEMORY;
    if (rc == Z_BUF_ERROR)
        return more;
    if (rc != Z_OK)
        return DS_CORRUPT;
    /* data_type: 128 = just past a block, 64 = inside the last one. */
    *boundary = stop_at_block && (s->z.data_type & 128) && !(s->z.data_type & 64);
    return DS_OK;
}

enum ds_status ds_inflate_run(struct ds_inflate_stream *s, uint8_t *buf, size_t len,
                              bool stop_at_block, size_t *got, bool *boundary)
{
    *got = 0;
    *boundary = false;
    while (*got < len && !s->ended && !*boundary) {
        if (!s->in_member) {
            enum ds_status st = member_begin(s);
            if (st != DS_OK)
                return st;
            continue;
        }
        size_t part = 0;
        size_t want = len - *got < UINT32_MAX ? len - *got : UINT32_MAX;
        enum ds_status st = inflate_some(s, buf + *got, want, stop_at_block, &part, boundary);
        *got += part;
        if (st != DS_OK)
            return st;
    }
    return DS_OK;
}

enum ds_status ds_inflate_mark(struct ds_inflate_stream *s, struct ds_inflate_checkpoint *ret)
{
    struct ds_inflate_checkpoint c = {
        .out = s->out, .in = s->in_next - s->z.avail_in, .in_member = s->in_member};
    if (s->in_member) {
        uint8_t window[DS_INFLATE_WINDOW];
        uInt have = 0;
        if (inflateGetDictionary(&s->z, window, &have) != Z_OK)
            return DS_NO_MEMORY;
        c.bits = (uint8_t)(s->z.data_type & 7);
        c.have = (uint16_t)have;
        c.window = have > 0 ? malloc(have) : NULL;
        if (have > 0 && c.window == NULL)
            return DS_NO_MEMORY;
        if (have > 0)
            memcpy(c.window, window, have);
    }
    *ret = c;
    return DS_OK;
}

enum ds_status ds_inflate_resume(struct ds_inflate_stream *s,
                                 const struct ds_inflate_checkpoint *at)
{
    if (!prepare(s))
        return DS_NO_MEMORY;
    s->z.avail_in = 0;
    s->ended = s->trailing = s->verify = false;
    s->in_member = at->in_member;
    s->in_next = at->in;
    s->out = at->out;
    s->member_out = 0;
    if (!at->in_member)
        return DS_OK;
    if (at->bits > 0) {
        uint8_t b;
        enum ds_status st = ds_source_read(s->archive, at->in - 1, &b, 1, NULL);
        if (st != DS_OK)
            return st;
        if (inflatePrime(&s->z, at->bits, b >> (8 - at->bits)) != Z_OK)
            return DS_CORRUPT;
    }
    if (at->have > 0 && inflateSetDictionary(&s->z, at->window, at->have) != Z_OK)
        return DS_CORRUPT;
    return DS_OK;
}
