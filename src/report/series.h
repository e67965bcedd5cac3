/*
 * Several dumps together: does the same bit go wrong again and again on one machine? Memory is
 * wired by bit: a bad cell, line or pin spoils the same bit of every 64-bit word that passes it.
 * docs/hardware.md has the reasoning and the odds.
 */
#ifndef DS_REPORT_SERIES_H
#define DS_REPORT_SERIES_H

#include "report/report.h"

struct ds_series;

enum ds_status ds_series_open(struct ds_series **ret) DS_MUST_CHECK;
void ds_series_close(struct ds_series *s); /* NULL is allowed */

/* Notes what the dump says of its machine and of wrong bits; nothing of it is kept open. Errors:
 * DS_NO_MEMORY, DS_LIMIT (more than DS_LIMIT_SERIES dumps). */
enum ds_status ds_series_note(struct ds_series *s, const char *file,
                              struct ds_nt *nt) DS_MUST_CHECK;

/* Whether there is something to say: two dumps at least are of one machine. */
bool ds_series_speaks(const struct ds_series *s);

enum ds_status ds_series_write_text(const struct ds_series *s, const struct ds_text_options *o,
                                    struct ds_buf *out) DS_MUST_CHECK;
/* One object, as docs/report.schema.json describes it under `series`. */
enum ds_status ds_series_write_json(const struct ds_series *s, bool pretty,
                                    struct ds_buf *out) DS_MUST_CHECK;

#endif
