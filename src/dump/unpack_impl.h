/*
 * Which members of a zip archive are dumps. Private to the unpacking in src/dump.
 */
#ifndef DS_DUMP_UNPACK_IMPL_H
#define DS_DUMP_UNPACK_IMPL_H

#include "dump/unpack.h"
#include "io/zip.h"

#define DS_UNPACK_NO_MEMBER SIZE_MAX

/* Archives in archives: a .dmp.gz in a .zip is common, more than this is not. */
#define DS_UNPACK_DEPTH 3

/* Whether a file begins as a container does that ds_dump_open() reads, or as an archive. */
bool ds_unpack_looks(const uint8_t *head, size_t have);

/* Whether a name of `len` bytes is that of raw memory, which no first bytes show. */
bool ds_unpack_raw_name(const char *name, size_t len);

/*
 * Whether a member is an input: a dump or an archive by its first bytes, raw memory by its name,
 * or by its name a dump that cannot be looked at (encrypted), so that it is refused by name. The
 * saved state of a VMware machine goes with the .vmem of the same name.
 */
bool ds_unpack_wanted(struct ds_source *archive, const struct ds_zip *z, size_t index);

/*
 * The member to open: by its name, with *rest behind the name when that goes on with "!" into an
 * archive within, else NULL; or, when `name` is NULL, the only dump. Errors: DS_NOT_FOUND,
 * DS_INVALID (several dumps), DS_NOT_DUMP (none).
 */
enum ds_status ds_unpack_choose(struct ds_source *archive, const struct ds_zip *z, const char *name,
                                size_t *ret, const char **rest, struct ds_err *err) DS_MUST_CHECK;

/* Opens PATH, or the ARCHIVE of ARCHIVE!MEMBER; *member then points into `path`, else is NULL. */
enum ds_status ds_unpack_path(const char *path, const char **member, struct ds_source **ret,
                              struct ds_err *err) DS_MUST_CHECK;

#endif
