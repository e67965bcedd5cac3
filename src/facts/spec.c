/* The list of all tables: what is not here does not exist, for queries and documentation. */
#include <string.h>

#include "facts/table.h"

#define TABLES(X)                                                                                  \
    X(dump)                                                                                        \
    X(bugcheck)                                                                                    \
    X(bugcheck_parameters)                                                                         \
    X(live_dump)                                                                                   \
    X(bugcheck_facts)                                                                              \
    X(dpc_watchdog_samples)                                                                        \
    X(whea_records)                                                                                \
    X(whea_sections)                                                                               \
    X(whea_fields)                                                                                 \
    X(integrity)                                                                                   \
    X(walks)                                                                                       \
    X(fault)                                                                                       \
    X(exceptions)                                                                                  \
    X(contexts)                                                                                    \
    X(registers)                                                                                   \
    X(faulting_instruction)                                                                        \
    X(instruction_operands)                                                                        \
    X(instruction_features)                                                                        \
    X(bit_flips)                                                                                   \
    X(pte_flips)                                                                                   \
    X(code_flips)                                                                                  \
    X(stack_frames)                                                                                \
    X(bugcheck_stack_frames)                                                                       \
    X(culprit_candidates)                                                                          \
    X(windbg_keys)                                                                                 \
    X(processors)                                                                                  \
    X(queued_locks)                                                                                \
    X(dpcs)                                                                                        \
    X(timers)                                                                                      \
    X(ready_threads)                                                                               \
    X(worker_queues)                                                                               \
    X(work_items)                                                                                  \
    X(processes)                                                                                   \
    X(threads)                                                                                     \
    X(wait_edges)                                                                                  \
    X(wait_kinds)                                                                                  \
    X(wait_heads)                                                                                  \
    X(wait_chains)                                                                                 \
    X(eresources)                                                                                  \
    X(eresource_owners)                                                                            \
    X(eresource_waiters)                                                                           \
    X(wait_blocks)                                                                                 \
    X(mutants)                                                                                     \
    X(vm)                                                                                          \
    X(vm_counters)                                                                                 \
    X(system_ptes)                                                                                 \
    X(pools)                                                                                       \
    X(pool_tags)                                                                                   \
    X(objects)                                                                                     \
    X(object_types)                                                                                \
    X(handles)                                                                                     \
    X(drivers)                                                                                     \
    X(driver_dispatch)                                                                             \
    X(devices)                                                                                     \
    X(modules)                                                                                     \
    X(unloaded_modules)                                                                            \
    X(bootstrap_steps)                                                                             \
    X(physical_runs)                                                                               \
    X(virtual_ranges)                                                                              \
    X(thread_stack)                                                                                \
    X(pte)                                                                                         \
    X(vads)                                                                                        \
    X(page_sharing)                                                                                \
    X(page_frame)                                                                                  \
    X(secondary_blobs)                                                                             \
    X(system_info)                                                                                 \
    X(machine)                                                                                     \
    X(machine_evidence)                                                                            \
    X(memory_devices)                                                                              \
    X(acpi_tables)                                                                                 \
    X(pci_devices)                                                                                 \
    X(smbios_strings)                                                                              \
    X(cpuid_leaves)                                                                                \
    X(cpu_registry_values)                                                                         \
    X(ifr_logs)                                                                                    \
    X(ifr_records)                                                                                 \
    X(blackbox_fields)                                                                             \
    X(storage_requests)                                                                            \
    X(triage_data_ranges)                                                                          \
    X(wdf_drivers)                                                                                 \
    X(kdbg_fields)

#define DECLARE(name) extern const struct ds_table ds_table_##name;
TABLES(DECLARE)

#define ENTRY(name) &ds_table_##name,
const struct ds_table *const ds_tables[] = {TABLES(ENTRY)};
const size_t ds_tables_count = sizeof(ds_tables) / sizeof(ds_tables[0]);

size_t ds_table_count(void)
{
    return ds_tables_count;
}

const struct ds_table_spec *ds_table_at(size_t index)
{
    return index < ds_tables_count ? &ds_tables[index]->spec : NULL;
}

const struct ds_table_spec *ds_table_find(const char *name)
{
    for (size_t i = 0; i < ds_tables_count; i++)
        if (strcmp(ds_tables[i]->spec.name, name) == 0)
            return &ds_tables[i]->spec;
    return NULL;
}

bool ds_table_needs_layout(const char *name)
{
    for (size_t i = 0; i < ds_tables_count; i++)
        if (strcmp(ds_tables[i]->spec.name, name) == 0)
            return ds_tables[i]->needs_layout;
    return false;
}

const struct ds_column_spec *ds_column_find(const struct ds_table_spec *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

const char *ds_column_type_name(enum ds_column_type type)
{
    static const char *const names[] = {"integer", "address", "text", "real", "boolean"};
    size_t i = (size_t)type;
    return i < sizeof(names) / sizeof(names[0]) ? names[i] : "unknown";
}
