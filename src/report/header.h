/* Names for what the dump header holds, shared by `info` and the report. */
#ifndef DS_REPORT_HEADER_H
#define DS_REPORT_HEADER_H

#include "base/buf.h"
#include "dump/dump.h"

/* The name of a bit of DUMP_HEADER.Attributes; NULL for a bit that has none. */
const char *ds_header_attribute(unsigned bit);

/* "WinNt", "LanManNt", "Server" as WinDbg's vertarget names ProductType; NULL when unlisted. */
const char *ds_header_product(uint64_t product_type);

/* The names of SuiteMask's bits as vertarget gives them, each after a space. */
void ds_header_suites(uint64_t suite_mask, struct ds_buf *out);

/* What the header alone tells, as text for a terminal (80 columns) or as JSON. */
enum ds_status ds_header_write_text(struct ds_dump *dump, const char *file, bool colour,
                                    struct ds_buf *out) DS_MUST_CHECK;
enum ds_status ds_header_write_json(struct ds_dump *dump, const char *file, bool pretty,
                                    struct ds_buf *out) DS_MUST_CHECK;

#endif
