/*
 * One pass over deflated bytes: gzip members or a bare stream, block by block. Shared by the
 * first pass, which leaves checkpoints, and by the reads that start at one. Private to src/io.
 */
#ifndef DS_IO_INFLATE_STREAM_H
#define DS_IO_INFLATE_STREAM_H

#include <zlib.h>

#include "io/inflate.h"

#define DS_INFLATE_WINDOW 32768u
#define DS_INFLATE_INPUT 65536u

struct ds_inflate_stream {
    struct ds_source *archive; /* borrowed */
    const struct ds_inflate_part *part;
    z_stream z;
    bool ready;          /* z is initialised */
    bool in_member;      /* inside deflated data; else a gzip header comes next */
    bool verify;         /* compare check sums: the stream was read from its start */
    bool ended;          /* the whole part was read, or what is left is no gzip member */
    bool trailing;       /* bytes that are no gzip member follow the last one */
    uint64_t in_next;    /* archive offset of the next byte to load */
    uint64_t out;        /* bytes that came out so far, over all members */
    uint64_t member_out; /* of them, of this member */
    uint32_t crc;        /* of this member so far */
    uint8_t *input;      /* owned, DS_INFLATE_INPUT bytes */
};

/* A place to go on from. */
struct ds_inflate_checkpoint {
    uint64_t out;    /* inflated offset */
    uint64_t in;     /* archive offset of the first byte not wholly used */
    uint8_t bits;    /* bits of the byte before `in` that are still to come */
    bool in_member;  /* false: at the header of a member */
    uint16_t have;   /* bytes of the window */
    uint8_t *window; /* owned; NULL when `have` is 0 */
};

/* Starts at the first byte of the part. Errors: DS_NO_MEMORY. */
enum ds_status ds_inflate_start(struct ds_inflate_stream *s, struct ds_source *archive,
                                const struct ds_inflate_part *part, bool verify) DS_MUST_CHECK;
/* Goes on at a checkpoint. Errors: DS_NO_MEMORY, DS_IO, DS_CORRUPT. */
enum ds_status ds_inflate_resume(struct ds_inflate_stream *s,
                                 const struct ds_inflate_checkpoint *at) DS_MUST_CHECK;
/*
 * Inflates up to `len` bytes; *got says how many. With `stop_at_block` it also returns at each
 * block boundary and between members (*boundary then true). Ends with s->ended. Errors:
 * DS_TRUNCATED (the archive ends early), DS_CORRUPT (bad data, or check sums that do not fit),
 * DS_IO, DS_NO_MEMORY; what came out before stands in *got.
 */
enum ds_status ds_inflate_run(struct ds_inflate_stream *s, uint8_t *buf, size_t len,
                              bool stop_at_block, size_t *got, bool *boundary) DS_MUST_CHECK;
/* Where the stream stands now; valid at a boundary. Errors: DS_NO_MEMORY. */
enum ds_status ds_inflate_mark(struct ds_inflate_stream *s,
                               struct ds_inflate_checkpoint *ret) DS_MUST_CHECK;
void ds_inflate_stop(struct ds_inflate_stream *s);

#endif
