/* Names and one-clause meanings of NTSTATUS, HRESULT and Win32 error codes ([MS-ERREF]). */
#ifndef DS_NT_CODES_H
#define DS_NT_CODES_H

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

/*
 * Explains a code in every space it can belong to, one line each, the likeliest first:
 * "NTSTATUS 0xC000000D STATUS_INVALID_PARAMETER ...", HRESULT_FROM_NT and HRESULT_FROM_WIN32
 * wrappings undone (0xD0000147, 0x80070026). A code in no table is taken apart: severity,
 * facility, code. Returns the number of lines, at least 1.
 */
unsigned ds_code_explain(uint32_t value, struct ds_buf *out);

#endif
