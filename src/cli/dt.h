/* What the files of `dumpscan dt` share. */
#ifndef DS_CLI_DT_H
#define DS_CLI_DT_H

#include "base/limits.h"
#include "cli/memory.h"
#include "symbols/layout_walk.h"

/* The members of a struct that were asked for, by offset; owned. */
struct dt_members {
    struct ds_member *rows;
    size_t count, cap;
    bool no_memory;
};

/* What a member holds. */
struct dt_value {
    enum ds_status status; /* DS_OK: it was read; DS_UNSUPPORTED: nothing that has a value */
    size_t count;          /* of items that were read */
    uint64_t items[DS_LIMIT_DT_ITEMS]; /* integers, pointers; both links of a _LIST_ENTRY */
    struct ds_buf words; /* name of an enumerator, symbol, text; owned; may be empty */
    bool is_text;        /* words are text that the dump holds */
};

/* Fits text against a pattern with * and ?, without case. */
bool dt_fits(const char *pattern, const char *text);

/* The members of `type` that fit. Errors: DS_NO_FIELD, DS_NO_MEMORY. */
enum ds_status dt_members_of(const struct ds_layout *l, const char *type, const char *pattern,
                             struct dt_members *ret);

/* Reads the member of the structure at va; deinit value->words. */
void dt_read(struct cli_memory *m, const char *type, const struct ds_member *member, uint64_t va,
             struct dt_value *ret);

#endif
