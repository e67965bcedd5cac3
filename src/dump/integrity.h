/*
 * What is wrong with a file, as a list of notes. Every container adds to it while it opens;
 * walkers above may add contradictions that they meet. The table `integrity` is this list.
 */
#ifndef DS_DUMP_INTEGRITY_H
#define DS_DUMP_INTEGRITY_H

#include <stddef.h>
#include <stdint.h>

#include "dumpscan/status.h"

enum ds_integrity_level {
    DS_INTEGRITY_NOTE,   /* worth knowing; nothing is lost (leftover tail, filler fields) */
    DS_INTEGRITY_DAMAGE, /* the file contradicts itself or ends early: exit status 4 */
    DS_INTEGRITY_FATAL   /* nothing but the header can be trusted: exit status 4 */
};

#define DS_NO_OFFSET UINT64_MAX

struct ds_integrity_note {
    enum ds_integrity_level level;
    const char *check; /* stable dotted id, static: "triage.valid_marker", "file.truncated" */
    uint64_t offset;   /* file offset of the bytes at fault, or DS_NO_OFFSET */
    char expected[96]; /* what should stand there; "" when not sayable */
    char found[96];    /* what stands there */
    char lost[192];    /* what is lost by it, and what can still be trusted; one clause each */
};

struct ds_integrity {
    struct ds_integrity_note *notes; /* owned */
    size_t count, cap;
    size_t dropped; /* notes beyond DS_LIMIT_INTEGRITY */
};

/* Adds a note; the returned pointer (NULL when over the cap or out of memory) is for filling
 * expected, found and lost with snprintf; it is valid until the next call. */
struct ds_integrity_note *ds_integrity_add(struct ds_integrity *in, enum ds_integrity_level level,
                                           const char *check, uint64_t offset);

/* The worst level that any note has; DS_INTEGRITY_NOTE when there is none. */
enum ds_integrity_level ds_integrity_worst(const struct ds_integrity *in);

/* "note", "damage", "fatal". */
const char *ds_integrity_level_name(enum ds_integrity_level level);

void ds_integrity_deinit(struct ds_integrity *in);

#endif
