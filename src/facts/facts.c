#include "facts/facts.h"

#include "facts/engine.h"
#include "facts/functions.h"

enum ds_status ds_facts_open(struct ds_nt *nt, struct ds_facts **ret, struct ds_err *err)
{
    struct ds_engine_spec spec = {
        .tables = ds_tables,
        .table_count = ds_tables_count,
        .add_functions = ds_functions_add,
        .functions = ds_functions,
        .function_count = ds_functions_count,
    };
    return ds_engine_open(nt, &spec, ret, err);
}
