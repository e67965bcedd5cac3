/* The SQL functions of pattern authors, private to src/facts. */
#ifndef DS_FACTS_FUNCTIONS_H
#define DS_FACTS_FUNCTIONS_H

#include "facts/engine.h"

extern const struct ds_function_spec ds_functions[];
extern const size_t ds_functions_count;

/* For struct ds_engine_spec. */
int ds_functions_add(sqlite3 *db, struct ds_facts *f);

#endif
