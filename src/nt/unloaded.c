/* Unloaded drivers: the triage list, or MmUnloadedDrivers. */
#include <string.h>

#include "base/buf.h"
#include "nt/impl.h"

/* MmUnloadedDrivers has room for this many since Windows XP (WDD, "lm (List Loaded Modules)",
 * shows the last 50). */
#define UNLOADED_SLOTS 50u

static struct ds_unloaded_module *reserve(struct ds_nt *nt, size_t count)
{
    nt->unloaded_rows = count != 0 ? ds_alloc_array(count, sizeof(*nt->unloaded_rows)) : NULL;
    return nt->unloaded_rows;
}

static struct ds_walk from_triage(struct ds_nt *nt, const struct ds_triage *tr)
{
    struct ds_walk walk = {.table_name = "unloaded_modules",
                           .complete = tr->unloaded_count == tr->unloaded_count_stated,
                           .stop_address = ds_opt_unknown(DS_OK),
                           .detail = ""};
    if (!walk.complete) {
        walk.stop_reason = tr->unloaded_count_stated > DS_LIMIT_UNLOADED ? DS_LIMIT : DS_TRUNCATED;
        walk.detail = "the list is shorter than its count";
    }
    if (tr->unloaded_count == 0) {
        return walk;
    }
    if (reserve(nt, tr->unloaded_count) == NULL) {
        return ds_walk_none("unloaded_modules", DS_NO_MEMORY, "");
    }
    for (size_t i = 0; i < tr->unloaded_count; i++) {
        const struct ds_triage_unloaded *u = &tr->unloaded[i];
        nt->unloaded_rows[nt->unloaded.count++] =
            (struct ds_unloaded_module){.name = u->name,
                                        .name_cut = u->name_cut,
                                        .start = u->start,
                                        .end = u->end,
                                        .unload_time = ds_opt_unknown(DS_OK),
                                        .source = "triage unloaded list"};
    }
    return walk;
}

struct form {
    struct ds_field name, start, end, time;
    uint32_t size;
};

static enum ds_status form_of(const struct ds_target *t, struct form *f)
{
    static const char type[] = "_UNLOADED_DRIVERS";
    if (ds_target_member(t, type, "Name", &f->name, NULL) != DS_OK ||
        ds_target_member(t, type, "StartAddress", &f->start, NULL) != DS_OK ||
        ds_target_member(t, type, "EndAddress", &f->end, NULL) != DS_OK ||
        ds_target_member(t, type, "CurrentTime", &f->time, NULL) != DS_OK ||
        ds_target_size(t, type, &f->size) != DS_OK || f->size == 0) {
        return DS_NO_FIELD;
    }
    return DS_OK;
}

/* False when the slot was never used. */
static bool read_slot(struct ds_nt *nt, const struct form *f, uint64_t va, struct ds_walk *walk)
{
    struct ds_target *t = nt->target;
    struct ds_opt start = ds_target_read_member(t, va, &f->start);
    struct ds_opt end = ds_target_read_member(t, va, &f->end);
    struct ds_buf b;
    if (!start.known || !end.known) {
        walk->complete = false;
        walk->stop_reason = start.known ? end.why : start.why;
        walk->stop_address = ds_opt_known(va);
        return false;
    }
    if (start.value == 0 && end.value == 0) {
        return false;
    }
    struct ds_unloaded_module *row = &nt->unloaded_rows[nt->unloaded.count++];
    *row = (struct ds_unloaded_module){.start = start.value,
                                       .end = end.value,
                                       .unload_time = ds_target_read_member(t, va, &f->time),
                                       .source = "MmUnloadedDrivers"};
    ds_buf_init(&b, (size_t)DS_LIMIT_STRING * 3 + 1);
    if (ds_space_read_ustr(t->kernel, va + f->name.offset, &b, NULL) == DS_OK && ds_buf_ok(&b)) {
        row->name = ds_arena_strdup(&nt->arena, ds_buf_text(&b), b.len);
    }
    ds_buf_deinit(&b);
    return true;
}

static struct ds_walk from_memory(struct ds_nt *nt)
{
    struct ds_target *t = nt->target;
    uint64_t pointer, array, last_va, last = 0;
    struct ds_fault fault;
    struct form f;
    struct ds_walk walk = {.table_name = "unloaded_modules",
                           .complete = true,
                           .stop_address = ds_opt_unknown(DS_OK),
                           .detail = ""};
    if (ds_target_global(t, "MmUnloadedDrivers", &pointer) != DS_OK) {
        return ds_walk_none("unloaded_modules", DS_NO_SYMBOL, "MmUnloadedDrivers is not known");
    }
    if (form_of(t, &f) != DS_OK) {
        return ds_walk_none("unloaded_modules", DS_NO_FIELD, "no layout of _UNLOADED_DRIVERS");
    }
    enum ds_status status = ds_space_read_ptr(t->kernel, pointer, &array, &fault);
    if (status != DS_OK) {
        walk = ds_walk_none("unloaded_modules", status, "MmUnloadedDrivers cannot be read");
        walk.stop_address = ds_opt_known(fault.va);
        return walk;
    }
    if (array == 0) { /* nothing was ever unloaded */
        return walk;
    }
    if (ds_target_global(t, "MmLastUnloadedDriver", &last_va) == DS_OK &&
        ds_space_read_uint(t->kernel, last_va, 4, &last, NULL) != DS_OK) {
        last = 0;
    }
    if (reserve(nt, UNLOADED_SLOTS) == NULL) {
        return ds_walk_none("unloaded_modules", DS_NO_MEMORY, "");
    }
    for (uint64_t i = 1; i <= UNLOADED_SLOTS; i++) { /* the newest first */
        uint64_t slot = (last % UNLOADED_SLOTS + UNLOADED_SLOTS - i) % UNLOADED_SLOTS;
        (void)read_slot(nt, &f, array + slot * f.size, &walk);
    }
    return walk;
}

const struct ds_unloaded_modules *ds_nt_unloaded_modules(struct ds_nt *nt)
{
    if (nt->have_unloaded) {
        return &nt->unloaded;
    }
    nt->have_unloaded = true;
    const struct ds_triage *tr = ds_dump_triage(nt->target->dump);
    if (tr != NULL) {
        nt->unloaded.walk = from_triage(nt, tr);
    } else if (nt->target->kernel != NULL) {
        nt->unloaded.walk = from_memory(nt);
    } else {
        nt->unloaded.walk =
            ds_walk_none("unloaded_modules", nt->target->kernel_why, nt->target->kernel_why_text);
    }
    nt->unloaded.walk.rows = nt->unloaded.count;
    nt->unloaded.rows = nt->unloaded_rows;
    return &nt->unloaded;
}
