/* Names and one-clause meanings of NTSTATUS, HRESULT and Win32 error codes ([MS-ERREF]). */
#ifndef DS_NT_CODES_H
#define DS_NT_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct ds_code {
    uint32_t value;
    const char *name; /* "STATUS_ACCESS_VIOLATION" */
    const char *text; /* one clause; may be "" */
};

/* NULL when not listed. */
const struct ds_code *ds_ntstatus_find(uint32_t value);
const struct ds_code *ds_hresult_find(uint32_t value);
const struct ds_code *ds_win32_find(uint32_t value);

/* What one code is in one space. */
struct ds_code_meaning {
    const char *space;          /* static: "NTSTATUS", "HRESULT", "Win32" */
    uint32_t value;             /* in that space; another number than asked for when `wrapped` */
    bool wrapped;               /* HRESULT_FROM_NT or HRESULT_FROM_WIN32 was undone */
    const struct ds_code *code; /* NULL: a Win32 error without a name, in an HRESULT */
};
#define DS_CODE_MEANINGS 4u

/* The meanings of a code, the likeliest first; returns their number, 0 when it is in no table. */
unsigned ds_code_meanings(uint32_t value, struct ds_code_meaning ret[DS_CODE_MEANINGS]);

/* All names of the three tables, from 0; NULL past the end. */
const struct ds_code *ds_code_at(size_t index);

/*
 * The values that a symbolic name ("STATUS_ACCESS_VIOLATION", "E_FAIL") stands for, without regard
 * to case: names can differ between the tables. Returns how many there are, at most two are given.
 */
unsigned ds_code_by_name(const char *name, uint32_t ret[2]);

/*
 * Explains a code in every space it can belong to, one line each, the likeliest first:
 * "NTSTATUS 0xC000000D STATUS_INVALID_PARAMETER ...", HRESULT_FROM_NT and HRESULT_FROM_WIN32
 * wrappings undone (0xD0000147, 0x80070026). A code in no table is taken apart: severity,
 * facility, code. Returns the number of lines, at least 1.
 */
unsigned ds_code_explain(uint32_t value, struct ds_buf *out);

#endif
