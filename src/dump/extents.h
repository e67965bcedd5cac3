/*
 * A map from addresses (physical or virtual) to file offsets, made of pieces that may overlap in
 * any hostile way: where several cover an address, the one added first wins, or with last_wins
 * (set before the first is added) the one added last. Pieces that the
 * file no longer holds take part too, so that "cut off" and "never captured" stay apart, but
 * they never hide a piece that is there. Building costs O(n log n), a lookup O(log n).
 */
#ifndef DS_DUMP_EXTENTS_H
#define DS_DUMP_EXTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dumpscan/status.h"
#include "io/source.h"

/* A piece, or after the build a stretch that one piece alone answers for. */
struct ds_extent {
    uint64_t start; /* address of the first byte */
    uint64_t size;  /* bytes; start + size never wraps */
    uint64_t file_offset;
    uint32_t rank; /* lowest wins: the order of addition; DS_EXTENT_LOST set when the bytes are not
                      in the file */
};

#define DS_EXTENT_LOST 0x80000000u

struct ds_extents {
    struct ds_extent *pieces; /* owned; in the order of addition */
    size_t piece_count, piece_cap;
    struct ds_extent *map; /* owned; ascending and disjoint; valid while !stale */
    size_t map_count;
    size_t last; /* stretch that answered last */
    bool stale;
    bool last_wins;
};

/*
 * Adds a piece, at most `max` in all. A piece that wraps around the end of the address space is
 * cut there. Empty pieces are ignored. Returns DS_OK, DS_LIMIT or DS_NO_MEMORY.
 */
enum ds_status ds_extents_add(struct ds_extents *e, uint64_t start, uint64_t size,
                              uint64_t file_offset, bool lost, size_t max) DS_MUST_CHECK;

/* Builds the map if pieces came since the last build. DS_OK or DS_NO_MEMORY. */
enum ds_status ds_extents_build(struct ds_extents *e) DS_MUST_CHECK;

/* The stretch that holds the address, or NULL. Call after a successful build. */
const struct ds_extent *ds_extents_find(struct ds_extents *e, uint64_t address);

/* The first stretch that the file holds and that ends behind the address, or NULL. Call after a
 * successful build. */
const struct ds_extent *ds_extents_next(const struct ds_extents *e, uint64_t address);

/*
 * Reads across stretches. DS_OK, or with *fault (may be NULL) the first address not read:
 * DS_NOT_IN_DUMP, DS_TRUNCATED, DS_IO, DS_NO_MEMORY.
 */
enum ds_status ds_extents_read(struct ds_extents *e, struct ds_source *src, uint64_t address,
                               void *buf, size_t len, uint64_t *fault) DS_MUST_CHECK;

void ds_extents_deinit(struct ds_extents *e);

#endif
