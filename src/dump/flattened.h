/*
 * The flattened form of a kdump, for pipes that cannot seek: QEMU's dump-guest-memory -z writes
 * it, and makedumpfile -F. It is a row of records, each with the file offset that its bytes
 * belong at; here they are put in order again, in place, as a source over the kdump (or ELF core).
 * Format: makedumpfile.h of makedumpfile, struct makedumpfile_header and
 * makedumpfile_data_header; QEMU's include/sysemu/dump.h has the same. Numbers are big-endian.
 */
#ifndef DS_DUMP_FLATTENED_H
#define DS_DUMP_FLATTENED_H

#include "io/inflate.h"

bool ds_flattened_probe(struct ds_source *s);

/*
 * A source over what the records come to; takes `flat` over on success only. What no record
 * covers reads as zero, and where two cover a byte the later one counts. A file that ends early
 * gives what it holds; ds_source.damage says so. Errors: DS_NOT_DUMP when it holds nothing;
 * DS_LIMIT when it comes to more than limits->max_inflated or has more records than
 * DS_LIMIT_FLAT_RECORDS; DS_IO, DS_NO_MEMORY.
 */
enum ds_status ds_flattened_open(struct ds_source *flat, const struct ds_inflate_limits *limits,
                                 struct ds_source **ret, struct ds_err *err) DS_MUST_CHECK;

#endif
