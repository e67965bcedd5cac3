/*
 * A copy of a dump without what is private and no reader needs: the bytes behind its last blob,
 * which belong to nothing, and on demand blobs. A plan says which pieces of the file stay, in
 * order; the chain of blobs has no count and no addresses, so that a piece can go without a trace.
 */
#ifndef DS_DUMP_STRIP_H
#define DS_DUMP_STRIP_H

#include "dump/dump.h"
#include "dumpscan/dumpscan.h"

/* Pieces of the file to keep, ascending; at most one more than there are blobs. */
struct ds_strip_plan {
    struct ds_strip_piece {
        uint64_t offset, size;
    } * pieces; /* malloc'ed */
    size_t count, cap;
    struct ds_strip_result result;
};

/*
 * Plans the copy; flags: DS_STRIP_*. Errors: DS_TRUNCATED when the dump ends before its secondary
 * data could begin or its end cannot be told, DS_UNSUPPORTED when the kind holds memory itself
 * and there is nothing to leave out, DS_NO_MEMORY. *ret is to be cleared after DS_OK only.
 */
enum ds_status ds_strip_plan_make(struct ds_dump *d, unsigned flags, struct ds_strip_plan *ret,
                                  struct ds_err *err) DS_MUST_CHECK;
void ds_strip_plan_clear(struct ds_strip_plan *p);

/* Hands the bytes that stay to `write`. Errors: DS_IO (also when write returns false). */
enum ds_status ds_strip_plan_write(struct ds_dump *d, const struct ds_strip_plan *p,
                                   ds_write_fn *write, void *arg, struct ds_err *err) DS_MUST_CHECK;

#endif
