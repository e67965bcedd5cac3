/*
 * The report: a model built from facts, findings and culprit, and its writers. Writers escape;
 * the model holds raw UTF-8.
 */
#ifndef DS_REPORT_REPORT_H
#define DS_REPORT_REPORT_H

#include "rules/rules.h"

struct ds_report;

struct ds_report_input {
    const char *file;                   /* as the user named it */
    struct ds_facts *facts;             /* borrowed; must outlive the report */
    const struct ds_findings *findings; /* borrowed */
};

enum ds_status ds_report_build(const struct ds_report_input *in, struct ds_report **ret,
                               struct ds_err *err) DS_MUST_CHECK;
void ds_report_close(struct ds_report *r);

struct ds_text_options {
    bool colour;
    int verbose;    /* 0 verdict and findings; 1 adds registers, all drivers, no-match rules */
    unsigned width; /* columns to wrap at; 0 = 80 */
};
enum ds_status ds_report_write_text(const struct ds_report *r, const struct ds_text_options *o,
                                    struct ds_buf *out) DS_MUST_CHECK;
/* pretty: indented; otherwise one line (jsonl). docs/report.schema.json is the contract. */
enum ds_status ds_report_write_json(const struct ds_report *r, bool pretty,
                                    struct ds_buf *out) DS_MUST_CHECK;

/* The JSON record of a file that cannot be analysed: schema_version, generator, error,
 * exit_status and dump.file. */
enum ds_status ds_report_write_refusal(const char *file, const struct ds_err *why, int exit_status,
                                       bool pretty, struct ds_buf *out) DS_MUST_CHECK;

/* The worst severity among matching findings; false when nothing matched. */
bool ds_report_worst(const struct ds_report *r, enum ds_severity *ret);
/* Exit status of this report: 0, or 4 when the file contradicts itself or ends early. */
int ds_report_exit_status(const struct ds_report *r);

/* ---- signature (docs/signature.md documents the algorithm) ---- */
struct ds_signature {
    char text[256];      /* "0x7e c0000005 amdppm+0x334c" : readable, what is hashed */
    char hash[33];       /* 32 hex digits */
    bool weak;           /* built from the header alone: then text and hash equal the weak ones */
    char weak_text[256]; /* what the header alone gives; the same for every copy of the crash */
    char weak_hash[33];
};
#endif
