/*
 * Threads that wait for an IRP. A thread's list (ETHREAD.IrpList) has all that it has sent and that
 * are not completed, most of which nobody waits for. It waits for one when the object of its wait
 * is the IRP's event (UserEvent), or the event of the file that the IRP is for. Who holds an IRP is
 * the driver of the device in its current stack location.
 */
#include "nt/wait_edges.h"

#define IO_TYPE_IRP 6u /* wdm.h, as the next two */
#define IO_TYPE_DEVICE 3u
#define IO_TYPE_DRIVER 4u

struct finder {
    struct ds_edge_builder *b;
    struct ds_field list, links, type, event, file, file_event, location, count, current, device;
    struct ds_field device_type, driver, driver_type;
    uint64_t work;
};

static const char *resolve(struct finder *f, const struct ds_target *t)
{
    const struct {
        const char *type, *member, *both;
        struct ds_field *field;
    } all[] = {
        {"_ETHREAD", "IrpList", "_ETHREAD.IrpList", &f->list},
        {"_IRP", "ThreadListEntry", "_IRP.ThreadListEntry", &f->links},
        {"_IRP", "Type", "_IRP.Type", &f->type},
        {"_IRP", "UserEvent", "_IRP.UserEvent", &f->event},
        {"_IRP", "Tail.Overlay.OriginalFileObject", "_IRP.Tail.Overlay.OriginalFileObject",
         &f->file},
        {"_FILE_OBJECT", "Event", "_FILE_OBJECT.Event", &f->file_event},
        {"_IRP", "CurrentLocation", "_IRP.CurrentLocation", &f->location},
        {"_IRP", "StackCount", "_IRP.StackCount", &f->count},
        {"_IRP", "Tail.Overlay.CurrentStackLocation", "_IRP.Tail.Overlay.CurrentStackLocation",
         &f->current},
        {"_IO_STACK_LOCATION", "DeviceObject", "_IO_STACK_LOCATION.DeviceObject", &f->device},
        {"_DEVICE_OBJECT", "Type", "_DEVICE_OBJECT.Type", &f->device_type},
        {"_DEVICE_OBJECT", "DriverObject", "_DEVICE_OBJECT.DriverObject", &f->driver},
        {"_DRIVER_OBJECT", "Type", "_DRIVER_OBJECT.Type", &f->driver_type},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (ds_target_member(t, all[i].type, all[i].member, all[i].field, NULL) != DS_OK)
            return all[i].both;
    return NULL;
}

static struct ds_opt get(const struct finder *f, uint64_t va, const struct ds_field *field)
{
    return ds_target_read_member(f->b->nt->target, va, field);
}

/* The wait of the thread, of the `count` at w, that the end of the IRP ends; NULL for none. */
static const struct ds_wait_block *find_wait(struct finder *f, uint64_t irp,
                                             const struct ds_wait_block *w, size_t count)
{
    uint64_t event = ds_opt_or(get(f, irp, &f->event), 0);
    uint64_t file = ds_opt_or(get(f, irp, &f->file), 0);
    for (size_t i = 0; i < count; i++) {
        f->work++;
        if ((event != 0 && w[i].object.value == event) ||
            (file != 0 && w[i].object.value == file + f->file_event.offset))
            return &w[i];
    }
    return NULL;
}

/* The driver that holds the IRP; 0 when it cannot be told, with the reason. */
static uint64_t driver_of(struct finder *f, uint64_t irp, const char **why, enum ds_status *status)
{
    struct ds_opt location = get(f, irp, &f->location), count = get(f, irp, &f->count);
    struct ds_opt current = get(f, irp, &f->current), device = current, driver = current;
    *why = "the driver that holds its IRP cannot be read";
    if (!location.known || !count.known || !current.known) {
        *status = current.known ? DS_NOT_FOUND : current.why;
        return 0;
    }
    *status = DS_NOT_FOUND;
    if ((location.value & 0xff) > (count.value & 0xff) || (location.value & 0xff) == 0) {
        *why = "no driver holds its IRP: it is new or completed";
        return 0;
    }
    device = get(f, current.value, &f->device);
    if (device.known)
        driver = get(f, device.value, &f->driver);
    if (!device.known || !driver.known) {
        *status = device.known ? driver.why : device.why;
        return 0;
    }
    struct ds_opt type = get(f, driver.value, &f->driver_type);
    return (ds_opt_or(get(f, device.value, &f->device_type), 0) & 0xffff) == IO_TYPE_DEVICE &&
                   (ds_opt_or(type, 0) & 0xffff) == IO_TYPE_DRIVER
               ? driver.value
               : 0;
}

static void follow(struct finder *f, uint64_t irp, const struct ds_wait_block *w)
{
    const char *why;
    enum ds_status status;
    uint64_t driver = driver_of(f, irp, &why, &status);
    f->b->kinds[DS_WAIT_IRP].waiting++;
    if (driver == 0) {
        ds_edge_lost(f->b, DS_WAIT_IRP, status, irp, why);
        return;
    }
    f->b->kinds[DS_WAIT_IRP].followed++;
    ds_edge_add(f->b, (struct ds_wait_edge){.waiter = w->ethread,
                                            .owner = driver,
                                            .owner_kind = "driver",
                                            .object = irp,
                                            .kind = "IRP",
                                            .any = w->any,
                                            .timeout = w->timeout});
}

/* One thread and its waits. */
static void read_list(struct finder *f, const struct ds_wait_block *w, size_t count)
{
    struct ds_space *space = f->b->nt->target->kernel;
    struct ds_entries e = {0};
    uint64_t head = w->ethread + f->list.offset, first;
    enum ds_status status = ds_space_read_ptr(space, head, &first, NULL);
    if (status == DS_OK && first == head)
        return;
    if (status == DS_OK) {
        ds_entries_walk(&e, space, head, DS_LIMIT_THREAD_IRPS);
        status = e.end.status;
    }
    for (size_t i = 0; i < e.count && !f->b->full && f->work < DS_LIMIT_WAIT_WORK; i++) {
        uint64_t irp = e.at[i] - f->links.offset;
        struct ds_opt type = get(f, irp, &f->type);
        if (!type.known || (type.value & 0xffff) != IO_TYPE_IRP) {
            status = type.known ? DS_CORRUPT : type.why;
            break;
        }
        const struct ds_wait_block *of = find_wait(f, irp, w, count);
        if (of != NULL)
            follow(f, irp, of);
    }
    if (status == DS_OK && f->work >= DS_LIMIT_WAIT_WORK)
        status = DS_LIMIT;
    if (status != DS_OK)
        ds_edge_lost(f->b, DS_WAIT_IRP, status, w->ethread,
                     "the IRPs of a thread cannot all be read");
    ds_entries_deinit(&e);
}

void ds_edges_of_irps(struct ds_edge_builder *b)
{
    const struct ds_wait_blocks *waits = ds_nt_wait_blocks(b->nt);
    struct finder f = {.b = b};
    const char *lacks = resolve(&f, b->nt->target);
    if (lacks != NULL) {
        ds_edge_unavailable(b, DS_WAIT_IRP, lacks);
        return;
    }
    for (size_t i = 0, n; i < waits->count && !b->full; i += n) {
        for (n = 1; i + n < waits->count && waits->rows[i + n].thread == waits->rows[i].thread; n++)
            ;
        read_list(&f, &waits->rows[i], n);
    }
}
