/*
 * What bugcheck codes and their parameters mean. Needs no dump. The knowledge is data
 * (data/bugchecks/), turned into constant tables at build time; each entry cites its public page.
 */
#ifndef DS_NT_BUGCHECK_H
#define DS_NT_BUGCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"

/* What kind of thing a parameter is; decides how it is shown and resolved. */
enum ds_param_type {
    DS_PARAM_UNKNOWN = 0, /* the public page does not say */
    DS_PARAM_RESERVED,
    DS_PARAM_NUMBER, /* decimal or hex count, index, size */
    DS_PARAM_FLAGS,
    DS_PARAM_SUBCODE, /* selects a row of the sub-code table */
    DS_PARAM_ADDRESS, /* virtual address of data */
    DS_PARAM_CODE,    /* virtual address of an instruction */
    DS_PARAM_IRQL,
    DS_PARAM_NTSTATUS,
    DS_PARAM_ACCESS,   /* 0 read, 1 write (2 or 8 or 10: execute) */
    DS_PARAM_OBJECT,   /* pointer to a structure: `object` names its type */
    DS_PARAM_STRING,   /* pointer to text, or text packed in the value */
    DS_PARAM_PHYSICAL, /* physical address */
    DS_PARAM_PFN,      /* page frame number */
    DS_PARAM_PTE       /* contents of a page table entry */
};

struct ds_param_doc {
    enum ds_param_type type;
    const char *object; /* "_EPROCESS", "_CONTEXT", "_IRP", ...; "" otherwise */
    const char *text;   /* one clause, our own words */
};

struct ds_bugcheck_subcode {
    uint64_t value, last;          /* of the sub-code parameter: value to last, both included */
    const char *name;              /* "" when it has none */
    const char *text;              /* one clause */
    struct ds_param_doc params[4]; /* text NULL = as in the main entry */
};

/* A named value of a parameter that does not select a sub-code. */
struct ds_param_value {
    unsigned param; /* 0 to 3 */
    uint64_t value;
    const char *name; /* "" when it has none */
    const char *text; /* one clause; may be "" */
};

struct ds_bugcheck_doc {
    uint32_t code;
    const char *name; /* "IRQL_NOT_LESS_OR_EQUAL" */
    const char *text; /* what it means, one or two sentences; "" for name-only entries */
    struct ds_param_doc params[4]; /* text NULL = not documented here */
    int subcode_param;             /* 0 to 3; -1 when there is no sub-code table */
    const struct ds_bugcheck_subcode *subcodes;
    size_t subcode_count;
    const struct ds_param_value *values; /* NULL when there are none */
    size_t value_count;
    const char
        *source;    /* file name of the public page, "bug-check-0xa--irql-not-less-or-equal.md" */
    bool live;      /* a live kernel dump code: the system did not crash */
    bool also_live; /* a crash code that live kernel dumps carry too */
};

/* The code without the flags that mark variants (0x10000000 "_M", 0x40000000). */
uint32_t ds_bugcheck_base(uint32_t code);

/* NULL for an unknown code. Flags are stripped when the flagged code has no entry of its own. */
const struct ds_bugcheck_doc *ds_bugcheck_find(uint32_t code);

/* The sub-code row that fits the parameters, or NULL. */
const struct ds_bugcheck_subcode *ds_bugcheck_subcode(const struct ds_bugcheck_doc *doc,
                                                      const uint64_t params[4]);

/* The same for parameters of a dump: NULL as well when the one that selects is unknown. */
const struct ds_bugcheck_subcode *ds_bugcheck_subcode_known(const struct ds_bugcheck_doc *doc,
                                                            const struct ds_opt params[4]);

/* The named value that parameter `param` (0 to 3) has, or NULL. */
const struct ds_param_value *ds_bugcheck_value(const struct ds_bugcheck_doc *doc, unsigned param,
                                               uint64_t value);

/*
 * How parameter `param` (0 to 3) is described under these parameters: the sub-code's words where
 * it has some, else the main entry's. Never NULL; text is NULL when nothing is known.
 */
const struct ds_param_doc *ds_bugcheck_param(const struct ds_bugcheck_doc *doc,
                                             const struct ds_bugcheck_subcode *sub, unsigned param);

/* "address", "IRQL", "NTSTATUS", ...; "" for unknown. */
const char *ds_param_type_name(enum ds_param_type type);

/* Date of the table edition: "2026-11". */
const char *ds_bugcheck_edition(void);

/* All entries, ascending by code; for `explain --list` and tests. */
size_t ds_bugcheck_count(void);
const struct ds_bugcheck_doc *ds_bugcheck_at(size_t index);

#endif
