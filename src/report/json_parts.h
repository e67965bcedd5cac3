/* The parts of the JSON report (docs/report.schema.json). They see the model only. */
#ifndef DS_REPORT_JSON_PARTS_H
#define DS_REPORT_JSON_PARTS_H

#include "report/json.h"
#include "report/model.h"

/* Each writes one or more members of the report object. */
void ds_json_part_dump(struct ds_json *j, const struct ds_report *r);
void ds_json_part_bugcheck(struct ds_json *j, const struct ds_report *r);
void ds_json_part_verdict(struct ds_json *j, const struct ds_report *r);
void ds_json_part_cpus(struct ds_json *j, const struct ds_report *r);
void ds_json_part_findings(struct ds_json *j, const struct ds_report *r);
void ds_json_part_signature(struct ds_json *j, const struct ds_report *r);
void ds_json_part_integrity(struct ds_json *j, const struct ds_report *r);
void ds_json_part_system(struct ds_json *j, const struct ds_report *r);
void ds_json_part_memory(struct ds_json *j, const struct ds_report *r);
void ds_json_part_threads(struct ds_json *j, const struct ds_report *r);
void ds_json_part_crash(struct ds_json *j, const struct ds_report *r);
void ds_json_part_modules(struct ds_json *j, const struct ds_report *r);

/* Whose driver it is: members of the object that is open. */
void ds_json_part_owner(struct ds_json *j, const struct ds_report_owner *o);

/* A stack: members of the object that is open. */
void ds_json_part_stack(struct ds_json *j, const struct ds_report *r,
                        const struct ds_report_stack *s);

/* A cell of a query row or of evidence; addresses with `digits` hex digits. */
void ds_json_cell(struct ds_json *j, const struct ds_cell *cell, unsigned digits);
/* A FILETIME as ISO 8601; null when unknown or no date. */
void ds_json_key_time(struct ds_json *j, const char *key, struct ds_opt filetime);
/* schema_version and generator. */
void ds_json_part_head(struct ds_json *j);
/* What every report of a file that opened begins with: head, status, dump, bugcheck. */
void ds_json_part_opening(struct ds_json *j, const struct ds_report *r);

#endif
