/* Memory management in the report: the head of !vm, where its counters are known. */
#ifndef DS_REPORT_MEMORY_H
#define DS_REPORT_MEMORY_H

#include "nt/vm.h"
#include "report/build.h"

/* Fills r->memory; NULL when no counter of the whole system is known. */
void ds_build_memory(struct ds_builder *b);

#endif
