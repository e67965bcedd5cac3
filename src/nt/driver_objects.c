/* Driver objects and their dispatch routines. */
#include "nt/driver_objects.h"

#include <stdlib.h>
#include <string.h>

#include "nt/driver_objects_impl.h"

const char *ds_irp_major_name(uint64_t major)
{
    static const char *const names[DS_IRP_MAJORS] = {"CREATE",
                                                     "CREATE_NAMED_PIPE",
                                                     "CLOSE",
                                                     "READ",
                                                     "WRITE",
                                                     "QUERY_INFORMATION",
                                                     "SET_INFORMATION",
                                                     "QUERY_EA",
                                                     "SET_EA",
                                                     "FLUSH_BUFFERS",
                                                     "QUERY_VOLUME_INFORMATION",
                                                     "SET_VOLUME_INFORMATION",
                                                     "DIRECTORY_CONTROL",
                                                     "FILE_SYSTEM_CONTROL",
                                                     "DEVICE_CONTROL",
                                                     "INTERNAL_DEVICE_CONTROL",
                                                     "SHUTDOWN",
                                                     "LOCK_CONTROL",
                                                     "CLEANUP",
                                                     "CREATE_MAILSLOT",
                                                     "QUERY_SECURITY",
                                                     "SET_SECURITY",
                                                     "POWER",
                                                     "SYSTEM_CONTROL",
                                                     "DEVICE_CHANGE",
                                                     "QUERY_QUOTA",
                                                     "SET_QUOTA",
                                                     "PNP"};
    return major < DS_IRP_MAJORS ? names[major] : NULL;
}

static uint64_t module_end(const struct ds_module *m)
{
    return m->base + m->size;
}

static const char *place_of(const struct ds_target *t, const struct ds_driver_object *d,
                            uint64_t routine, const struct ds_module *m)
{
    uint64_t start = ds_opt_or(d->start, 0), size = ds_opt_or(d->size, 0);
    const struct ds_module *own = ds_target_module_at(t, start);
    if (start == 0 || !d->start.known) {
        own = d->init.known ? ds_target_module_at(t, d->init.value) : NULL;
    }
    if ((start != 0 && routine >= start && routine - start < size) ||
        (own != NULL && routine >= own->base && routine < module_end(own))) {
        return "own";
    }
    if (m == NULL) { /* perhaps it is in one that the list of modules lost */
        return t->modules_walk.complete ? "no module" : NULL;
    }
    return t->kernel_base.known && m->base == t->kernel_base.value ? "kernel" : "other module";
}

static void count_place(struct ds_driver_object *d, const char *place)
{
    if (place == NULL) {
        d->astray = ds_opt_unknown(DS_NOT_FOUND);
    } else {
        d->outside.value += strcmp(place, "other module") == 0;
        d->astray.value += strcmp(place, "no module") == 0;
    }
}

static bool add_dispatch(struct ds_nt *nt, struct ds_nt_devices *k, struct ds_driver_object *d,
                         const struct ds_field *table, uint32_t major)
{
    const struct ds_target *t = nt->target;
    struct ds_field one = {.offset = table->offset + major * t->pointer_size,
                           .size = t->pointer_size};
    void *array = k->dispatches;
    size_t n = k->table.dispatch_count;
    if (!ds_array_reserve(&array, &k->dispatch_cap, n + 1, sizeof(*k->dispatches),
                          DS_ROWS_MAX(struct ds_dispatch, DS_LIMIT_DISPATCHES))) {
        ds_walk_stop(&k->table.dispatch_walk, DS_LIMIT, ds_opt_known(d->address),
                     "more dispatch routines than are kept");
        return false;
    }
    k->dispatches = array;
    struct ds_dispatch *x = &k->dispatches[n];
    *x = (struct ds_dispatch){.driver = d->address, .driver_name = d->name, .major = major};
    x->routine = ds_target_read_member(t, d->address, &one);
    if (!x->routine.known) {
        ds_walk_stop(&k->table.dispatch_walk, x->routine.why, ds_opt_known(d->address),
                     "dispatch routines of a driver cannot be read");
        d->outside = d->astray = ds_opt_unknown(x->routine.why);
    } else {
        const struct ds_module *m = ds_target_module_at(t, x->routine.value);
        x->module = m != NULL ? m->name : NULL;
        x->place = place_of(t, d, x->routine.value, m);
        count_place(d, x->place);
    }
    k->table.dispatch_count++;
    return true;
}

static void add_dispatches(struct ds_nt *nt, struct ds_nt_devices *k, struct ds_driver_object *d)
{
    struct ds_field table;
    enum ds_status status =
        ds_target_member(nt->target, "_DRIVER_OBJECT", "MajorFunction", &table, NULL);
    if (status != DS_OK) {
        d->outside = d->astray = ds_opt_unknown(status);
        ds_walk_stop(&k->table.dispatch_walk, status, ds_opt_unknown(DS_OK), "no layout");
        return;
    }
    d->outside = d->astray = ds_opt_known(0);
    for (uint32_t i = 0; i < DS_IRP_MAJORS; i++) {
        if (!add_dispatch(nt, k, d, &table, i)) {
            d->outside = d->astray = ds_opt_unknown(DS_LIMIT);
            return;
        }
    }
}

static const char *text_at(struct ds_nt *nt, uint64_t va, const char *type, const char *member)
{
    uint64_t at;
    return ds_target_field_va(nt->target, va, type, member, &at) == DS_OK ? ds_nt_ustring(nt, at)
                                                                          : NULL;
}

static void describe(struct ds_nt *nt, struct ds_driver_object *d)
{
    const struct ds_target *t = nt->target;
    const char *type = "_DRIVER_OBJECT";
    d->name = text_at(nt, d->address, type, "DriverName");
    d->start = ds_target_field(t, d->address, type, "DriverStart");
    d->size = ds_target_field(t, d->address, type, "DriverSize");
    d->init = ds_target_field(t, d->address, type, "DriverInit");
    d->unload = ds_target_field(t, d->address, type, "DriverUnload");
    d->start_io = ds_target_field(t, d->address, type, "DriverStartIo");
    d->flags = ds_target_field(t, d->address, type, "Flags");
    d->section = ds_target_field(t, d->address, type, "DriverSection");
    struct ds_opt extension = ds_target_field(t, d->address, type, "DriverExtension");
    if (extension.known && extension.value != 0) {
        d->service = text_at(nt, extension.value, "_DRIVER_EXTENSION", "ServiceKeyName");
    }
    uint64_t inside = ds_opt_or(d->start, 0) != 0 ? d->start.value : ds_opt_or(d->init, 0);
    const struct ds_module *m = ds_target_module_at(t, inside);
    d->module = m != NULL ? m->name : NULL;
}

bool ds_driver_object_add(struct ds_nt *nt, struct ds_nt_devices *k, uint64_t address,
                          const char *source)
{
    struct ds_opt type = ds_target_field(nt->target, address, "_DRIVER_OBJECT", "Type");
    void *array = k->drivers;
    size_t n = k->table.driver_count;
    if (ds_address_map_get(&k->seen_drivers, address, NULL)) {
        return true;
    }
    if (!type.known || (type.value & 0xffff) != DS_IO_TYPE_DRIVER) {
        ds_walk_stop(&k->table.driver_walk, type.known ? DS_CORRUPT : type.why,
                     ds_opt_known(address),
                     type.known ? "what should be a driver object is none"
                                : "a driver object cannot be read");
        return true;
    }
    if (!ds_array_reserve(&array, &k->driver_cap, n + 1, sizeof(*k->drivers),
                          DS_ROWS_MAX(struct ds_driver_object, DS_LIMIT_DRIVER_OBJECTS)) ||
        !ds_address_map_put(&k->seen_drivers, address, (uint32_t)n)) {
        k->drivers = array;
        ds_walk_stop(&k->table.driver_walk, DS_LIMIT, ds_opt_known(address),
                     "more drivers than are kept");
        return false;
    }
    k->drivers = array;
    k->drivers[n] =
        (struct ds_driver_object){.address = address, .source = source, .listed = ds_opt_known(1)};
    if (*source != '\\') { /* in none of the directories, if they are all there */
        const struct ds_walk *w = &k->table.driver_walk;
        k->drivers[n].listed = w->complete ? ds_opt_known(0) : ds_opt_unknown(w->stop_reason);
    }
    describe(nt, &k->drivers[n]);
    add_dispatches(nt, k, &k->drivers[n]);
    k->table.driver_count++;
    return true;
}

struct search {
    struct ds_nt *nt;
    struct ds_nt_devices *k;
    const char *name, *source;
    uint64_t found;
};

static bool is_named(uint64_t object, void *arg)
{
    struct search *s = arg;
    struct ds_object_info info;
    struct ds_opt header = ds_nt_object_header(s->nt, object);
    if (!header.known) {
        return false;
    }
    ds_nt_object_info(s->nt, header.value, &info);
    const char *name = ds_nt_object_name(s->nt, &info);
    if (name != NULL && strcmp(name, s->name) == 0) {
        s->found = object;
    }
    return s->found == 0;
}

/* \FileSystem holds directories and devices besides. */
static bool take(uint64_t object, void *arg)
{
    struct search *s = arg;
    struct ds_object_info info;
    struct ds_opt header = ds_nt_object_header(s->nt, object);
    ds_nt_object_info(s->nt, ds_opt_or(header, 0), &info);
    if (info.type.known && !ds_nt_object_is(s->nt, &info, "Driver")) {
        return true;
    }
    return ds_driver_object_add(s->nt, s->k, object, s->source);
}

static void walk_directory(struct ds_nt *nt, struct ds_nt_devices *k, uint64_t root,
                           const char *path)
{
    struct search s = {.nt = nt, .k = k, .name = path + 1, .source = path};
    struct ds_walk_end end = ds_object_directory_walk(nt, root, is_named, &s);
    if (s.found != 0) {
        end = ds_object_directory_walk(nt, s.found, take, &s);
    } else if (end.status == DS_OK) {
        end = (struct ds_walk_end){.status = DS_NOT_FOUND, .address = root};
    }
    if (end.status != DS_OK) {
        ds_walk_stop(&k->table.driver_walk, end.status, ds_opt_known(end.address),
                     s.found != 0 ? "part of a directory of drivers cannot be read"
                                  : "a directory of drivers is not found");
    }
}

static void none(struct ds_device_objects *t, enum ds_status why, const char *detail)
{
    t->driver_walk = ds_walk_none("drivers", why, detail);
    t->dispatch_walk = ds_walk_none("driver_dispatch", why, detail);
    t->device_walk = ds_walk_none("devices", why, detail);
}

static struct ds_walk begin(const char *name)
{
    return (struct ds_walk){.table_name = name, .complete = true, .detail = ""};
}

static void fill(struct ds_nt *nt, struct ds_nt_devices *k)
{
    struct ds_device_objects *t = &k->table;
    if (nt->target->kernel == NULL) {
        none(t, nt->target->kernel_why, nt->target->kernel_why_text);
        return;
    }
    struct ds_opt root = ds_nt_root_directory(nt);
    if (!root.known) {
        none(t, root.why, "the root of the object manager's names is not known");
        return;
    }
    t->driver_walk = begin("drivers");
    t->dispatch_walk = begin("driver_dispatch");
    t->device_walk = begin("devices");
    walk_directory(nt, k, root.value, "\\Driver");
    walk_directory(nt, k, root.value, "\\FileSystem");
    for (size_t i = 0; i < t->driver_count; i++) { /* grows on the way */
        ds_device_objects_walk(nt, k, i);
    }
    const struct ds_walk *w = &t->driver_walk;
    if (!w->complete) { /* what the list lacks, the others lack */
        ds_walk_stop(&t->dispatch_walk, w->stop_reason, w->stop_address, w->detail);
        ds_walk_stop(&t->device_walk, w->stop_reason, w->stop_address, w->detail);
    }
}

const struct ds_device_objects *ds_nt_device_objects(struct ds_nt *nt)
{
    static const struct ds_device_objects no_memory = {
        .driver_walk = {.table_name = "drivers", .stop_reason = DS_NO_MEMORY, .detail = ""},
        .dispatch_walk = {.table_name = "driver_dispatch",
                          .stop_reason = DS_NO_MEMORY,
                          .detail = ""},
        .device_walk = {.table_name = "devices", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    if (nt->devices == NULL) {
        struct ds_nt_devices *k = calloc(1, sizeof(*k));
        if (k == NULL) {
            return &no_memory;
        }
        nt->devices = k;
        fill(nt, k);
        k->table.drivers = k->drivers;
        k->table.dispatches = k->dispatches;
        k->table.devices = k->devices;
        k->table.driver_walk.rows = k->table.driver_count;
        k->table.dispatch_walk.rows = k->table.dispatch_count;
        k->table.device_walk.rows = k->table.device_count;
    }
    return &nt->devices->table;
}

void ds_nt_devices_free(struct ds_nt_devices *d)
{
    if (d != NULL) {
        free(d->drivers);
        free(d->dispatches);
        free(d->devices);
        ds_address_map_deinit(&d->seen_drivers);
        ds_address_map_deinit(&d->seen_devices);
        free(d);
    }
}
