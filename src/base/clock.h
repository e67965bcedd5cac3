/* Windows times as text: FILETIME and spans, both in units of 100 ns. Pure arithmetic. */
#ifndef DS_BASE_CLOCK_H
#define DS_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define DS_CLOCK_TEXT 40

/*
 * A FILETIME (100 ns since 1601-01-01 UTC) as ISO 8601 with all its digits:
 * "2021-02-21T01:38:22.9877657Z". False, and "" in `text`, beyond the year 9999.
 */
bool ds_clock_iso(uint64_t filetime, char text[DS_CLOCK_TEXT]);

/* The same for people, to the millisecond: "2021-02-21 01:38:22.987 UTC". */
bool ds_clock_utc(uint64_t filetime, char text[DS_CLOCK_TEXT]);

/* A span as WinDbg writes it: "6 days 17:14:45.528", "0 days 0:00:03.747". */
void ds_clock_span(uint64_t ticks, char text[DS_CLOCK_TEXT]);

#endif
