/*
 * A random-access source of bytes: a file, a block of memory, later a gzip stream or a zip
 * member. Containers read through it and never know which. Offsets are file offsets of the
 * bytes as the container sees them (after any decompression).
 */
#ifndef DS_IO_SOURCE_H
#define DS_IO_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "dumpscan/status.h"

struct ds_source;

struct ds_source_ops {
    const char *kind; /* "file", "memory" */
    /* Reads up to len bytes; *got is short at the end only. */
    enum ds_status (*read)(struct ds_source *s, uint64_t off, void *buf, size_t len, size_t *got,
                           struct ds_err *err);
    /* The bytes themselves where they are in memory for good; NULL as a member: never. */
    const void *(*pointer)(struct ds_source *s, uint64_t off, size_t len);
    void (*destroy)(struct ds_source *s);
};

/* The common head of every source; implementations embed it as their first member. */
struct ds_source {
    const struct ds_source_ops *ops;
    uint64_t size; /* bytes; fixed at open */
    /* What is wrong with the archive that the bytes come out of, as one clause ("the gzip data
     * ends early ..."); NULL = nothing. Lives as long as the source. */
    const char *damage;
};

/* Opens a file (path in UTF-8). Errors: DS_NOT_FOUND, DS_IO, DS_UNSUPPORTED, DS_NO_MEMORY. */
enum ds_status ds_source_file_open(const char *path, struct ds_source **ret,
                                   struct ds_err *err) DS_MUST_CHECK;

struct ds_os_file;
/* The open file when the source is one, as it is on the disk; NULL for any other. */
struct ds_os_file *ds_source_file_handle(struct ds_source *s);

/* A source over memory that the caller keeps alive. Errors: DS_NO_MEMORY. */
enum ds_status ds_source_memory_open(const void *data, size_t size, struct ds_source **ret,
                                     struct ds_err *err) DS_MUST_CHECK;

/*
 * A source over [offset, offset + size) of another, which it takes over on success only.
 * Errors: DS_TRUNCATED when that reaches past the end, DS_NO_MEMORY.
 */
enum ds_status ds_source_part_open(struct ds_source *whole, uint64_t offset, uint64_t size,
                                   struct ds_source **ret, struct ds_err *err) DS_MUST_CHECK;

/* A source over all of another, which stays the caller's and must live longer. Errors:
 * DS_NO_MEMORY. */
enum ds_status ds_source_borrow(struct ds_source *whole, struct ds_source **ret,
                                struct ds_err *err) DS_MUST_CHECK;

/* NULL is allowed. */
void ds_source_close(struct ds_source *s);

/*
 * Exactly len bytes, or DS_TRUNCATED (with "file offset 0x.. " in the text) when the source ends
 * first, or DS_IO. The fast path fills no text when err is NULL.
 */
enum ds_status ds_source_read(struct ds_source *s, uint64_t off, void *buf, size_t len,
                              struct ds_err *err) DS_MUST_CHECK;

/* The len bytes at off without a copy, good until the source is closed; NULL where they must be
 * read. */
const void *ds_source_pointer(struct ds_source *s, uint64_t off, size_t len);

/* Up to len bytes; *got says how many there were. */
enum ds_status ds_source_read_some(struct ds_source *s, uint64_t off, void *buf, size_t len,
                                   size_t *got, struct ds_err *err) DS_MUST_CHECK;

#endif
