/*
 * From the path that a user gives to the bytes of a dump: opens the file and takes off gzip and
 * zip. A member of a zip archive is named ARCHIVE!MEMBER, one of a zip archive within it
 * ARCHIVE!INNER!MEMBER. Nothing is written anywhere.
 */
#ifndef DS_DUMP_UNPACK_H
#define DS_DUMP_UNPACK_H

#include "io/inflate.h"

struct ds_unpack_options {
    struct ds_inflate_limits limits;
    bool any; /* take what is inside for what the user says it is: do not look at its first bytes */
};

/*
 * A source over the dump itself; `o` may be NULL. *name (may be NULL) becomes the path with !MEMBER
 * of each zip archive that was gone into, malloc'ed. What is inside an archive is looked at before
 * it is inflated as a whole, so that a bomb or a wrong file costs nothing. Errors: those of
 * ds_source_file_open() and ds_source_inflate_open(); DS_NOT_DUMP when what is inside is no
 * dump (named); DS_INVALID when a zip archive holds several dumps and the path names none.
 */
enum ds_status ds_unpack_open(const char *path, const struct ds_unpack_options *o,
                              struct ds_source **ret, char **name,
                              struct ds_err *err) DS_MUST_CHECK;

/*
 * The same over an open source, which it owns in any case. `member` names the one to take out
 * of a zip archive; NULL = the only dump.
 */
enum ds_status ds_unpack_source(struct ds_source *s, const char *member,
                                const struct ds_unpack_options *o, struct ds_source **ret,
                                struct ds_err *err) DS_MUST_CHECK;

/*
 * Gives each input that a path stands for, as a path for ds_unpack_open(): ARCHIVE!MEMBER for
 * every dump in a zip archive with several of them, also of zip archives within, else the path
 * itself. `each` returns false to stop. Archives within that inflate to much more than their
 * packed size, or lie deeper than ds_unpack_open() goes, are given as they are.
 * Errors: DS_NO_MEMORY only; what cannot be opened is given as it is.
 */
enum ds_status ds_unpack_list(const char *path, bool (*each)(const char *input, void *arg),
                              void *arg) DS_MUST_CHECK;

#endif
