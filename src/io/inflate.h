/*
 * Deflated data read in place: a source over the inflated bytes of a part of another source.
 * Opening inflates everything once, to learn the size and to leave checkpoints (a place in the
 * deflate stream and the 32 KiB before it, from which inflating can go on); reads inflate from
 * the nearest checkpoint and keep what they passed in a cache. Memory is bounded whatever the
 * file says: checkpoints get sparser as the data grows, and the cache has a fixed size.
 *
 * The method, restarting inside a deflate stream at a block boundary with a preset dictionary,
 * is what zlib's manual describes for inflatePrime() and inflateSetDictionary().
 * Formats: RFC 1951 (deflate), RFC 1952 (gzip).
 */
#ifndef DS_IO_INFLATE_H
#define DS_IO_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/source.h"

/* How far an archive may be followed. */
struct ds_inflate_limits {
    /* Bytes that one input may inflate to; 0 = what `stated` allows, at most DS_LIMIT_INFLATED. */
    uint64_t max_inflated;
    /* Bytes that what is inside says it has, 0 when it does not: DS_LIMIT_BEHIND_DUMP more may
     * come out. */
    uint64_t stated;
    /* Called now and then while a stream is inflated for the first time: bytes of the archive
     * done, of how many, and bytes that came out; at the end once with all done. May be NULL. */
    void (*progress)(uint64_t done, uint64_t total, uint64_t out, void *arg);
    void *progress_arg;
};

/* Which bytes of the archive are deflated, and what they should come to. */
struct ds_inflate_part {
    uint64_t offset, size; /* in the archive */
    bool gzip;             /* framed as gzip members; else one bare deflate stream */
    bool check;            /* expected_size and expected_crc below are stated */
    uint64_t expected_size;
    uint32_t expected_crc;
};

/*
 * Takes ownership of `archive` on success only. A stream that ends early or breaks gives what
 * it held until there; ds_source_damage() then says so. Errors: DS_CORRUPT when nothing at all
 * comes out, DS_LIMIT when it inflates to more than its limits allow, DS_IO, DS_NO_MEMORY.
 */
enum ds_status ds_source_inflate_open(struct ds_source *archive, const struct ds_inflate_part *part,
                                      const struct ds_inflate_limits *limits,
                                      struct ds_source **ret, struct ds_err *err) DS_MUST_CHECK;

/* The first bytes that a part inflates to, without reading the rest; *got may be short. */
enum ds_status ds_inflate_peek(struct ds_source *archive, const struct ds_inflate_part *part,
                               void *buf, size_t len, size_t *got,
                               struct ds_err *err) DS_MUST_CHECK;

#endif
