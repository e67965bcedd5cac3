/* One line on what a secondary data blob holds, without anything that names a person. */
#ifndef DS_DUMP_BLOB_SUMMARY_H
#define DS_DUMP_BLOB_SUMMARY_H

#include "base/buf.h"
#include "dump/dump.h"

#define DS_BLOB_PREVIEW 32 /* bytes of a blob that are shown when nothing is known of it */

/* Appends the line; nothing when the blob's layout is not known or cannot be read. */
void ds_blob_summary(struct ds_dump *d, size_t index, struct ds_buf *out);

/* The first bytes in hex, and as ASCII with '.' for what cannot be printed; "" for no bytes. */
void ds_blob_preview(struct ds_dump *d, size_t index, char hex[2 * DS_BLOB_PREVIEW + 1],
                     char ascii[DS_BLOB_PREVIEW + 1]);

#endif
