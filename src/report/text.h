/* The parts of the text report, each a section on paper. They see the model only. */
#ifndef DS_REPORT_TEXT_H
#define DS_REPORT_TEXT_H

#include "report/model.h"
#include "report/paper.h"

/* Instances of one finding that are shown, unless verbose. */
#define DS_TEXT_INSTANCES 3

void ds_text_verdict(struct ds_paper *p, const struct ds_report *r);
void ds_text_findings(struct ds_paper *p, const struct ds_report *r, int verbose);
void ds_text_crash(struct ds_paper *p, const struct ds_report *r, int verbose);
void ds_text_stack(struct ds_paper *p, const struct ds_report *r, int verbose);
/* The frames of a stack, indented. */
void ds_text_frames(struct ds_paper *p, const struct ds_report *r, const struct ds_report_stack *s,
                    unsigned indent, int verbose);
/* The processors, of kernel and complete dumps; idle ones only when verbose. */
void ds_text_cpus(struct ds_paper *p, const struct ds_report *r, int verbose);
/* Counts by state, and the most of what matters; nothing for minidumps. */
void ds_text_threads(struct ds_paper *p, const struct ds_report *r, int verbose);
void ds_text_system(struct ds_paper *p, const struct ds_report *r, int verbose);
/* The head of !vm, where it is known; all of it when verbose. */
void ds_text_memory(struct ds_paper *p, const struct ds_report *r, int verbose);
/* Fields of the section before: whether the machine is virtual, its id. */
void ds_text_machine(struct ds_paper *p, const struct ds_report *r, int verbose);
/* Every blob with what it holds; only when verbose. */
void ds_text_blobs(struct ds_paper *p, const struct ds_report *r, int verbose);
void ds_text_modules(struct ds_paper *p, const struct ds_report *r, int verbose);
void ds_text_limits(struct ds_paper *p, const struct ds_report *r, int verbose);

/* An address as WinDbg takes it, with as many digits as the target's pointers have; "unknown". */
#define DS_TEXT_ADDRESS 24
const char *ds_text_address(const struct ds_report *r, struct ds_opt value,
                            char text[DS_TEXT_ADDRESS]);
/* A number, or "unknown". */
const char *ds_text_number(struct ds_opt value, char text[DS_TEXT_ADDRESS]);
/* A cell of evidence for people. */
void ds_text_cell(const struct ds_report *r, const struct ds_cell *cell, struct ds_buf *out);

#endif
