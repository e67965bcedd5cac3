/* The signature of a crash; docs/signature.md describes the algorithm. Works on the model. */
#ifndef DS_REPORT_SIGNATURE_H
#define DS_REPORT_SIGNATURE_H

#include "report/model.h"

/* Fills both forms from the header's facts: bugcheck code and typed parameters. */
void ds_signature_weak(const struct ds_report *r, struct ds_signature *ret);

/*
 * Fills the strong form too when the report knows where the crash happened or who is to blame.
 * Needs the bugcheck, exception, contexts, stack, modules and culprit.
 */
void ds_signature_strong(const struct ds_report *r, struct ds_signature *ret);

#endif
