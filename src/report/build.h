/* Filling the model. The header part needs the container only; the rest needs the facts. */
#ifndef DS_REPORT_BUILD_H
#define DS_REPORT_BUILD_H

#include "report/model.h"

struct ds_builder {
    struct ds_report *r;
    struct ds_facts *facts; /* borrowed */
    struct ds_nt *nt;
    struct ds_target *t;
    bool no_memory;
};

/* Keeps the buffer's text in the report's arena and empties the buffer; NULL when it is "". */
const char *ds_build_keep(struct ds_report *r, struct ds_buf *b);
/* A zeroed array in the report's arena; remembers a failure and then gives NULL. */
void *ds_build_array(struct ds_builder *b, size_t count, size_t size);

/* From the header alone: file, dump, bugcheck (unresolved), times, weak signature. */
enum ds_status ds_build_header(struct ds_report *r, const char *file,
                               struct ds_dump *dump) DS_MUST_CHECK;

/* The integrity notes: last, because walkers add to them. */
enum ds_status ds_build_integrity(struct ds_report *r, struct ds_dump *dump) DS_MUST_CHECK;

void ds_build_bugcheck_resolved(struct ds_builder *b);
void ds_build_hardware(struct ds_builder *b);
void ds_build_system(struct ds_builder *b);
void ds_build_fault(struct ds_builder *b);
void ds_build_cpus(struct ds_builder *b);
/* A walked stack into the model. */
void ds_build_stack(struct ds_builder *b, const struct ds_stack *from, const char *kind,
                    struct ds_report_stack *ret);
/* The stacks of the threads that the column `stack_of` of an instance names. */
void ds_build_thread_stacks(struct ds_builder *b, const char *stack_of,
                            struct ds_report_instance *in);
/* What the threads were at; of minidumps nothing. */
void ds_build_threads(struct ds_builder *b);
void ds_build_modules(struct ds_builder *b);
void ds_build_findings(struct ds_builder *b, const struct ds_findings *findings);
void ds_build_limits(struct ds_builder *b);
/* Needs the bugcheck, the fault and the system; findings may be NULL. */
void ds_build_verdict(struct ds_builder *b, const struct ds_findings *findings);

/* Whose driver a module of the target is. */
struct ds_report_owner ds_build_owner(struct ds_builder *b, const struct ds_module *m);
/* The same for the culprit, in words; needs the modules and the culprit. */
void ds_build_culprit_owner(struct ds_builder *b);

/* "amdppm+0x334c", "unloaded x.sys+0x10"; NULL when va lies in no module. */
const char *ds_build_where(struct ds_builder *b, uint64_t va);

#endif
