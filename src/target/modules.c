/* The kernel's module list: from a triage dump's driver list, or by walking PsLoadedModuleList. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "memory/entries.h"
#include "target/impl.h"

static void walk_set(struct ds_target *t, enum ds_status reason, struct ds_opt address,
                     const char *detail)
{
    t->modules_walk = (struct ds_walk){.table_name = "modules",
                                       .complete = reason == DS_OK,
                                       .rows = t->module_count,
                                       .stop_reason = reason,
                                       .stop_address = address,
                                       .detail = detail};
}

void ds_modules_from_triage(struct ds_target *t)
{
    const struct ds_triage *tr = ds_dump_triage(t->dump);
    if (tr->driver_count != 0) {
        t->modules = ds_arena_alloc(&t->arena, tr->driver_count, sizeof(*t->modules));
        if (t->modules == NULL) {
            walk_set(t, DS_NO_MEMORY, ds_opt_unknown(DS_OK), "");
            return;
        }
    }
    for (size_t i = 0; i < tr->driver_count; i++) {
        const struct ds_triage_driver *d = &tr->drivers[i];
        const char *name = d->name != NULL ? ds_text_basename(d->name) : "";
        if (d->base == 0 || d->size == 0) {
            continue; /* an overwritten record: integrity tells of it */
        }
        t->modules[t->module_count++] = (struct ds_module){.base = d->base,
                                                           .size = d->size,
                                                           .name = name,
                                                           .path = name != d->name ? d->name : NULL,
                                                           .timestamp = ds_opt_known(d->timestamp),
                                                           .checksum = ds_opt_known(d->checksum),
                                                           .entry = ds_opt_unknown(DS_OK),
                                                           .source = "triage driver list"};
    }
    if (t->module_count < tr->driver_count) {
        walk_set(t, DS_CORRUPT, ds_opt_unknown(DS_OK), "records of the driver list are empty");
    } else if (tr->driver_count == tr->driver_count_stated && tr->driver_count != 0) {
        walk_set(t, DS_OK, ds_opt_unknown(DS_OK), "");
    } else if (tr->driver_count_stated > DS_LIMIT_DRIVERS) {
        walk_set(t, DS_LIMIT, ds_opt_unknown(DS_OK),
                 "the header states more drivers than are kept");
    } else {
        walk_set(t, tr->driver_count_stated == 0 ? DS_NOT_IN_DUMP : DS_TRUNCATED,
                 ds_opt_unknown(DS_OK), "the driver list is shorter than the header states");
    }
}

/* The members of one list entry. "_KLDR_DATA_TABLE_ENTRY" is in public symbols from Windows 10
 * on; before, "_LDR_DATA_TABLE_ENTRY" has the same members but the timestamp. */
struct entry_form {
    struct ds_field links, base, size, path, name, checksum, timestamp;
    bool has_checksum, has_timestamp;
};

static enum ds_status entry_form(const struct ds_target *t, struct entry_form *f)
{
    static const char *const types[] = {"_KLDR_DATA_TABLE_ENTRY", "_LDR_DATA_TABLE_ENTRY"};
    for (size_t i = 0; i < 2; i++) {
        const char *type = types[i];
        if (ds_target_member(t, type, "InLoadOrderLinks", &f->links, NULL) != DS_OK ||
            ds_target_member(t, type, "DllBase", &f->base, NULL) != DS_OK ||
            ds_target_member(t, type, "SizeOfImage", &f->size, NULL) != DS_OK ||
            ds_target_member(t, type, "FullDllName", &f->path, NULL) != DS_OK ||
            ds_target_member(t, type, "BaseDllName", &f->name, NULL) != DS_OK) {
            continue;
        }
        f->has_checksum = ds_target_member(t, type, "CheckSum", &f->checksum, NULL) == DS_OK;
        f->has_timestamp =
            i == 0 && ds_target_member(t, type, "TimeDateStamp", &f->timestamp, NULL) == DS_OK;
        return DS_OK;
    }
    return DS_NO_FIELD;
}

/* TimeDateStamp of the image at base: e_lfanew, then 8 bytes into the PE header (Microsoft PE/COFF
 * specification, "COFF File Header"). */
static struct ds_opt image_timestamp(struct ds_target *t, uint64_t base)
{
    uint64_t lfanew, magic, stamp;
    struct ds_fault fault;
    if (ds_space_read_uint(t->kernel, base + 0x3c, 4, &lfanew, &fault) != DS_OK) {
        return ds_opt_unknown(fault.status);
    }
    if (lfanew > 0x10000 ||
        ds_space_read_uint(t->kernel, base + lfanew, 4, &magic, &fault) != DS_OK ||
        magic != 0x4550 ||
        ds_space_read_uint(t->kernel, base + lfanew + 8, 4, &stamp, &fault) != DS_OK) {
        return ds_opt_unknown(DS_CORRUPT);
    }
    return ds_opt_known(stamp);
}

static const char *read_text(struct ds_target *t, uint64_t va)
{
    const char *text = NULL;
    struct ds_buf b;
    ds_buf_init(&b, (size_t)DS_LIMIT_STRING * 3 + 1);
    if (ds_space_read_ustr(t->kernel, va, &b, NULL) == DS_OK && ds_buf_ok(&b)) {
        text = ds_arena_strdup(&t->arena, ds_buf_text(&b), b.len);
    }
    ds_buf_deinit(&b);
    return text;
}

struct module_walk {
    struct ds_target *t;
    struct entry_form form;
    struct ds_entries entries;
};

/* False, with the fault, when the entry does not even say where the module is. */
static bool read_module(struct module_walk *w, uint64_t links, struct ds_module *m,
                        enum ds_status *why)
{
    struct ds_target *t = w->t;
    uint64_t entry = links - w->form.links.offset;
    struct ds_opt base = ds_target_read_member(t, entry, &w->form.base);
    struct ds_opt size = ds_target_read_member(t, entry, &w->form.size);
    if (!base.known || !size.known) {
        *why = base.known ? size.why : base.why;
        return false;
    }
    const char *name = read_text(t, entry + w->form.name.offset);
    *m = (struct ds_module){.base = base.value,
                            .size = size.value,
                            .name = name != NULL ? name : "",
                            .path = read_text(t, entry + w->form.path.offset),
                            .checksum = ds_opt_unknown(DS_NO_FIELD),
                            .entry = ds_opt_known(entry),
                            .source = "PsLoadedModuleList"};
    if (w->form.has_checksum) {
        m->checksum = ds_target_read_member(t, entry, &w->form.checksum);
    }
    if (w->form.has_timestamp) {
        m->timestamp = ds_target_read_member(t, entry, &w->form.timestamp);
    } else {
        m->timestamp = image_timestamp(t, base.value);
    }
    return true;
}

/* Fills t->modules from the entries. The first one that is left out decides what the walk says,
 * where it went well so far. */
static void read_modules(struct module_walk *w, struct ds_walk_end *end)
{
    struct ds_target *t = w->t;
    size_t count = w->entries.count;
    t->module_count = 0;
    t->modules = count != 0 ? ds_arena_alloc(&t->arena, count, sizeof(*t->modules)) : NULL;
    if (count != 0 && t->modules == NULL) {
        end->status = DS_NO_MEMORY;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        enum ds_status why = DS_OK;
        if (read_module(w, w->entries.at[i], &t->modules[t->module_count], &why)) {
            t->module_count++;
        } else if (end->status == DS_OK) {
            *end = (struct ds_walk_end){.status = why, .address = w->entries.at[i]};
        }
    }
}

/* What the walk has to tell beyond its end; in the arena or static. */
static const char *modules_detail(struct ds_target *t, const struct ds_entries *e)
{
    char text[DS_ENTRIES_TEXT];
    if (t->module_count < e->count) {
        return "entries that cannot be read are left out";
    }
    ds_entries_describe(e, text);
    const char *kept = ds_arena_strdup(&t->arena, text, strlen(text));
    return kept != NULL ? kept : "";
}

void ds_modules_from_list(struct ds_target *t, struct ds_opt head, const char *method)
{
    struct module_walk w = {.t = t};
    if (!head.known || head.value == 0) {
        walk_set(t, DS_NOT_FOUND, ds_opt_unknown(DS_OK), "PsLoadedModuleList is not recorded");
        ds_step_add(t, "modules", method, DS_NOT_FOUND, head, "",
                    "PsLoadedModuleList is not recorded");
        return;
    }
    enum ds_status status = entry_form(t, &w.form);
    if (status != DS_OK) {
        walk_set(t, status, ds_opt_unknown(DS_OK), "no layout of the module list's entries");
        ds_step_add(t, "modules", method, status, head, "",
                    "no layout of _LDR_DATA_TABLE_ENTRY for this kernel");
        return;
    }
    ds_entries_walk(&w.entries, t->kernel, head.value, DS_LIMIT_MODULES);
    struct ds_walk_end end = w.entries.end;
    read_modules(&w, &end);
    const char *detail = modules_detail(t, &w.entries);
    struct ds_opt stop = end.status != DS_OK ? ds_opt_known(end.address) : ds_opt_unknown(DS_OK);
    walk_set(t, end.status, stop, detail);
    ds_step_add(t, "modules", method, end.status, head, "", "%u modules%s%s",
                (unsigned)t->module_count, detail[0] != '\0' ? "; " : "", detail);
    ds_entries_deinit(&w.entries);
}

struct ds_opt ds_modules_first_base(struct ds_target *t, uint64_t head)
{
    struct entry_form form;
    struct ds_fault fault;
    uint64_t first;
    enum ds_status status = entry_form(t, &form);
    if (status != DS_OK) {
        return ds_opt_unknown(status);
    }
    status = ds_space_read_ptr(t->kernel, head, &first, &fault);
    if (status != DS_OK) {
        return ds_opt_unknown(status);
    }
    if (first == head || first == 0) {
        return ds_opt_unknown(DS_CORRUPT);
    }
    return ds_target_read_member(t, first - form.links.offset, &form.base);
}
