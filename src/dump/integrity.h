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
    size_t dropped;                /* notes beyond DS_LIMIT_INTEGRITY */
    enum ds_integrity_level worst; /* of all notes, the dropped ones too */
};

/* Adds a note; the returned pointer (NULL when over the cap or out of memory) is for filling
 * expected, found and lost with snprintf; it is valid until the next call. */
struct ds_integrity_note *ds_integrity_add(struct ds_integrity *in, enum ds_integrity_level level,
                                           const char *check, uint64_t offset);

/* Fill one text of a note as printf does, cut to its room; nothing happens when n is NULL. */
void ds_integrity_expected(struct ds_integrity_note *n, const char *fmt, ...) DS_PRINTF(2, 3);
void ds_integrity_found(struct ds_integrity_note *n, const char *fmt, ...) DS_PRINTF(2, 3);
void ds_integrity_lost(struct ds_integrity_note *n, const char *fmt, ...) DS_PRINTF(2, 3);

/* The first note with that check id, or NULL. Borrowed until the next ds_integrity_add(). */
const struct ds_integrity_note *ds_integrity_find(const struct ds_integrity *in, const char *check);

/* The worst level that any note has; DS_INTEGRITY_NOTE when there is none. */
enum ds_integrity_level ds_integrity_worst(const struct ds_integrity *in);

/* "note", "damage", "fatal". */
const char *ds_integrity_level_name(enum ds_integrity_level level);

void ds_integrity_deinit(struct ds_integrity *in);

#endif
