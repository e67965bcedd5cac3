/*
 * What patterns come to: severities and outcomes.
 */
#ifndef DUMPSCAN_FINDING_H
#define DUMPSCAN_FINDING_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How much a finding matters, in ascending order. */
enum ds_severity { DS_SEV_INFO, DS_SEV_LOW, DS_SEV_MEDIUM, DS_SEV_HIGH, DS_SEV_CRITICAL };

/** "info", "low", "medium", "high", "critical". */
const char *ds_severity_name(enum ds_severity severity);
/** The severity of that name into *ret; false (and *ret untouched) for any other text. */
bool ds_severity_parse(const char *name, enum ds_severity *ret);

/** How a pattern ended. */
enum ds_outcome {
    DS_OUTCOME_MATCH,         /**< the situation is there */
    DS_OUTCOME_NO_MATCH,      /**< everything needed was read, and it is not there */
    DS_OUTCOME_CANNOT_TELL,   /**< something needed could not be read */
    DS_OUTCOME_DOES_NOT_APPLY /**< not asked: the question makes no sense for a dump of this sort */
};

/** "match", "no_match", "cannot_tell", "does_not_apply". */
const char *ds_outcome_name(enum ds_outcome outcome);

#ifdef __cplusplus
}
#endif
#endif
