#include "nt/nt.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "nt/details.h"
#include "nt/dispatch.h"
#include "nt/driver_objects.h"
#include "nt/impl.h"
#include "nt/mutants.h"
#include "nt/objects.h"
#include "nt/processor_details.h"
#include "nt/vm.h"
#include "nt/waits.h"
#include "symbols/layout.h"

enum ds_status ds_nt_open(struct ds_target *target, struct ds_nt **ret, struct ds_err *err)
{
    struct ds_nt *nt = calloc(1, sizeof(*nt));
    if (nt == NULL) {
        ds_target_close(target);
        return ds_err_set(err, DS_NO_MEMORY, "out of memory for the kernel's tables");
    }
    nt->target = target;
    *ret = nt;
    return DS_OK;
}

void ds_nt_close(struct ds_nt *nt)
{
    if (nt != NULL) {
        ds_nt_wait_graph_free(nt->wait_graph);
        ds_nt_spaces_close(nt->spaces);
        free(nt->process_rows);
        free(nt->thread_rows);
        free(nt->processor_rows);
        free(nt->unloaded_rows);
        ds_hardware_free(nt->hardware);
        ds_nt_locks_free(nt->locks);
        ds_nt_details_free(nt->details);
        ds_nt_waits_free(nt->waits);
        ds_nt_mutants_free(nt->mutants);
        ds_nt_vm_free(nt->vm);
        ds_nt_types_free(nt->types);
        ds_nt_objects_free(nt->objects);
        ds_nt_devices_free(nt->devices);
        ds_nt_processor_details_free(nt->processor_details);
        ds_nt_dispatch_free(nt->dispatch);
        ds_arena_deinit(&nt->arena);
        ds_target_close(nt->target);
        free(nt);
    }
}

struct ds_target *ds_nt_target(struct ds_nt *nt)
{
    return nt->target;
}

void ds_members_resolve(struct ds_member_set *set, const struct ds_target *t,
                        const struct ds_member_spec *specs, size_t count)
{
    set->specs = specs;
    set->count = count < DS_MEMBERS_MAX ? count : DS_MEMBERS_MAX;
    for (size_t i = 0; i < set->count; i++) {
        set->status[i] = ds_target_member(t, specs[i].type, specs[i].member, &set->fields[i], NULL);
    }
}

void ds_members_read(const struct ds_member_set *set, const struct ds_target *t, uint64_t va,
                     void *row)
{
    for (size_t i = 0; i < set->count; i++) {
        struct ds_opt *out = (struct ds_opt *)(void *)((char *)row + set->specs[i].row_offset);
        *out = set->status[i] == DS_OK ? ds_target_read_member(t, va, &set->fields[i])
                                       : ds_opt_unknown(set->status[i]);
    }
}

const char *ds_nt_entries_text(struct ds_nt *nt, const struct ds_entries *e)
{
    char text[DS_ENTRIES_TEXT];
    ds_entries_describe(e, text);
    const char *kept = text[0] != '\0' ? ds_arena_strdup(&nt->arena, text, strlen(text)) : "";
    return kept != NULL ? kept : "";
}

const char *ds_nt_text(struct ds_nt *nt, uint64_t va, size_t len)
{
    uint8_t raw[64];
    struct ds_buf b;
    const char *text = NULL;
    len = len < sizeof(raw) ? len : sizeof(raw);
    if (nt->target->kernel == NULL ||
        ds_space_read(nt->target->kernel, va, raw, len, NULL) != DS_OK || raw[0] == 0) {
        return NULL;
    }
    ds_buf_init(&b, sizeof(raw) * 3 + 1);
    ds_text_from_bytes(&b, raw, len);
    if (ds_buf_ok(&b) && b.len != 0) {
        text = ds_arena_strdup(&nt->arena, ds_buf_text(&b), b.len);
    }
    ds_buf_deinit(&b);
    return text;
}

void ds_walk_stop(struct ds_walk *walk, enum ds_status why, struct ds_opt at, const char *detail)
{
    if (walk->stop_reason == DS_OK) {
        walk->complete = false;
        walk->stop_reason = why;
        walk->stop_address = at;
        walk->detail = detail;
    }
}

struct ds_walk ds_walk_none(const char *table, enum ds_status why, const char *detail)
{
    return (struct ds_walk){.table_name = table,
                            .stop_reason = why,
                            .stop_address = ds_opt_unknown(DS_OK),
                            .detail = detail};
}

/* The enums are public; values were only ever appended, so the newest names serve all builds. */
const char *ds_thread_state_name(uint64_t state)
{
    return state > INT32_MAX ? NULL : ds_enum_name("_KTHREAD_STATE", UINT32_MAX, (int32_t)state);
}

const char *ds_wait_reason_name(uint64_t reason)
{
    return reason > INT32_MAX ? NULL : ds_enum_name("_KWAIT_REASON", UINT32_MAX, (int32_t)reason);
}
