/*
 * The directory of a zip archive. Format: PKWARE's APPNOTE.TXT 6.3 (4.3.7 local header, 4.3.12
 * central directory, 4.3.14 to 4.3.16 its ends with and without zip64, 4.5.3 zip64 extra field).
 * All offsets are file offsets of the archive.
 */
#ifndef DS_IO_ZIP_H
#define DS_IO_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/inflate.h"

/* One entry that is a file. */
struct ds_zip_member {
    char *name;    /* UTF-8, '/' between folders, NAME#2 for the second of a name; owned by the
                      directory */
    uint64_t size; /* bytes inside, as stated */
    uint64_t packed;
    uint64_t header_offset; /* of the local header */
    uint32_t crc;
    uint16_t method; /* 0 stored, 8 deflated */
    bool encrypted;
};

struct ds_zip {
    struct ds_zip_member *members; /* owned, in directory order; folders left out */
    size_t count;
    /* The directory is missing or broken (the archive ends early): the members were found by
     * their local headers, as far as these go. */
    bool rebuilt;
};

/* Whether the source begins as a zip archive does. */
bool ds_zip_probe(struct ds_source *archive);

/*
 * Reads the directory. The archive stays the caller's. Errors: DS_CORRUPT (no member can be
 * found), DS_LIMIT, DS_IO, DS_NO_MEMORY.
 */
enum ds_status ds_zip_open(struct ds_source *archive, struct ds_zip *ret,
                           struct ds_err *err) DS_MUST_CHECK;
void ds_zip_close(struct ds_zip *z);

/*
 * Where the bytes of a member lie. Errors: DS_CORRUPT, DS_TRUNCATED, DS_IO; DS_UNSUPPORTED for
 * an encrypted member or another method than stored and deflated, which are named.
 */
enum ds_status ds_zip_member_locate(struct ds_source *archive, const struct ds_zip_member *m,
                                    struct ds_inflate_part *ret, bool *stored,
                                    struct ds_err *err) DS_MUST_CHECK;

/* A source over the bytes of a member; takes `archive` over on success only. */
enum ds_status ds_source_zip_member_open(struct ds_source *archive, const struct ds_zip_member *m,
                                         const struct ds_inflate_limits *limits,
                                         struct ds_source **ret, struct ds_err *err) DS_MUST_CHECK;
/* The first bytes of a member; *got may be short. */
enum ds_status ds_zip_member_peek(struct ds_source *archive, const struct ds_zip_member *m,
                                  void *buf, size_t len, size_t *got,
                                  struct ds_err *err) DS_MUST_CHECK;

#endif
