/* Times and flags as people read them. */
#ifndef DS_FACTS_RENDER_H
#define DS_FACTS_RENDER_H

#include "base/buf.h"

/*
 * A FILETIME (100 ns since 1601-01-01 UTC) as "2021-02-21T01:38:22.9877657Z". Dates past the
 * year 9999 cannot be real and give false, with nothing added.
 */
bool ds_render_filetime(uint64_t filetime, struct ds_buf *out);
/* Seconds since 1970-01-01 UTC (TimeDateStamp) as "2021-02-21T01:38:22Z". */
void ds_render_unix_time(uint32_t seconds, struct ds_buf *out);
/* A span of 100 ns ticks as WinDbg shows uptimes: "0 days 0:00:03.747". */
void ds_render_span(uint64_t ticks, struct ds_buf *out);
/* The header's Attributes as named bits: "live dump generated, bit 12"; "none" for 0.
 * Source: Windows SDK mindumpdef.h, DUMP_FILE_ATTRIBUTES. */
void ds_render_attributes(uint32_t attributes, struct ds_buf *out);

#endif
