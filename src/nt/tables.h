/* The generated constant tables behind bugcheck.h and codes.h; only src/nt reads them. */
#ifndef DS_NT_TABLES_H
#define DS_NT_TABLES_H

#include <stddef.h>

#include "nt/bugcheck.h"
#include "nt/codes.h"

/* From data/bugchecks by tools/gen/bugchecks.sh; ascending by code. */
extern const struct ds_bugcheck_doc ds_bugcheck_table[];
extern const size_t ds_bugcheck_table_count;
extern const char ds_bugcheck_table_edition[];

/* From data/codes by tools/gen/codes.sh; each ascending by value. */
extern const struct ds_code ds_ntstatus_table[];
extern const size_t ds_ntstatus_table_count;
extern const struct ds_code ds_hresult_table[];
extern const size_t ds_hresult_table_count;
extern const struct ds_code ds_win32_table[];
extern const size_t ds_win32_table_count;

#endif
