/*
 * What codes mean, as JSON (docs/explain.schema.json). Needs no dump: the knowledge of
 * nt/bugcheck.h and nt/codes.h for programs.
 */
#ifndef DS_REPORT_JSON_KNOWLEDGE_H
#define DS_REPORT_JSON_KNOWLEDGE_H

#include "report/json.h"

/* One document about a bugcheck code. Bit i of `known` says that params[i] was given. A code
 * without an entry gives a document as well, with "listed": false. */
void ds_json_bugcheck(struct ds_json *j, uint32_t code, const uint64_t params[4], unsigned known);
/* All codes: number, name, whether live dumps carry it, public page. */
void ds_json_bugcheck_list(struct ds_json *j);

/* One way to read what the user typed. */
struct ds_code_reading {
    uint32_t value;
    const char *how; /* static: "decimal", "hexadecimal", "name" */
};
/* One document about an error code, read in one way or several. */
void ds_json_error_code(struct ds_json *j, const char *asked, const struct ds_code_reading *r,
                        size_t count);

#endif
