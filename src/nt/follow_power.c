/*
 * The records that the power and Plug and Play managers leave for the debugger: 0x9F. Shapes:
 * bug-check-0x9f page, dt nt!_TRIAGE_9F_POWER and nt!_TRIAGE_9F_PNP; _POP_IRP_DATA,
 * _POP_IRP_WORKER_ENTRY, _TRIAGE_EX_WORK_QUEUE, _TRIAGE_PNP_DEVICE_COMPLETION_QUEUE of Microsoft's
 * public symbols. Members before the first pointer are the same on every architecture.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "nt/follow.h"

#define HEX(x) (unsigned long long)(x)
#define TRIAGE_POWER 0x8000u
#define TRIAGE_PNP 0x8001u
#define PRIORITIES 32u /* queues of a _KPRIQUEUE */

static struct ds_target *target(const struct ds_follow *f)
{
    return f->nt->target;
}

static const char *list_broken(const struct ds_entries *e)
{
    switch (e->end.status) {
    case DS_OK:
        return e->by_flink < e->count
                   ? "entries in all, some found by backward links: a forward one is wrong"
                   : "entries in all; the last forward link is wrong";
    case DS_LOOP:
        return "entries, then the list runs in a circle";
    case DS_CORRUPT:
        return "entries, then the list is corrupt";
    default:
        return "entries, then one is not in the dump";
    }
}

/* A list, one row for each of its first entries, and a row that says how it ended. */
static void follow_list(struct ds_follow *f, uint32_t parameter, const char *name, uint64_t head,
                        void (*each)(struct ds_follow *f, uint32_t parameter, uint64_t entry))
{
    struct ds_entries e = {0};
    if (head == 0)
        return;
    ds_entries_walk(&e, target(f)->kernel, head, DS_LIMIT_POWER_LIST);
    if (e.count == 0 && e.end.status != DS_OK)
        ds_follow_add(f, parameter, name, ds_opt_unknown(e.end.status), "the list cannot be read");
    else
        ds_follow_add(f, parameter, name, ds_opt_known(e.count), "%s%s",
                      e.count == 0               ? "nothing is in the list"
                      : e.bad_link != 0          ? list_broken(&e)
                      : e.end.status == DS_OK    ? "entries in all"
                      : e.end.status == DS_LIMIT ? "entries, and more than are walked"
                                                 : "entries, then one is not in the dump",
                      e.bad_blink != 0 && e.bad_link == 0 ? "; a backward link is wrong" : "");
    for (size_t i = 0; i < e.count && i < DS_FOLLOW_LIST; i++)
        each(f, parameter, e.at[i]);
    ds_entries_deinit(&e);
}

/* _POP_IRP_DATA: an IRP that the power manager tracks. */
static void each_irp(struct ds_follow *f, uint32_t parameter, uint64_t entry)
{
    static const char *const minor[] = {"wait-wake", "power sequence", "set power", "query power"};
    struct ds_target *t = target(f);
    struct ds_opt irp = ds_target_field(t, entry, "_POP_IRP_DATA", "Irp");
    struct ds_opt device = ds_target_field(t, entry, "_POP_IRP_DATA", "CurrentDevice");
    struct ds_opt function = ds_target_field(t, entry, "_POP_IRP_DATA", "MinorFunction");
    struct ds_opt driver = device.known && device.value != 0
                               ? ds_target_field(t, device.value, "_DEVICE_OBJECT", "DriverObject")
                               : ds_opt_unknown(DS_NOT_FOUND);
    const char *name = driver.known ? ds_driver_object_name(f->nt, driver.value) : NULL;
    ds_follow_add(f, parameter, "power_irp", irp, "%s%s%s",
                  !irp.known                             ? "the entry is not in the dump"
                  : function.known && function.value < 4 ? minor[function.value]
                                                         : "power IRP",
                  name != NULL ? ", held by " : "", name != NULL ? name : "");
}

/* _POP_IRP_WORKER_ENTRY: Link, Thread, Irp, Device. */
static void each_worker(struct ds_follow *f, uint32_t parameter, uint64_t entry)
{
    unsigned size = target(f)->pointer_size;
    struct ds_opt thread = ds_follow_pointer(f, entry + 2 * size);
    struct ds_opt irp = ds_follow_pointer(f, entry + 3 * size);
    ds_follow_thread(f, parameter, "power_thread", thread);
    if (thread.known && irp.known && irp.value != 0)
        ds_follow_add(f, parameter, "power_thread_irp", irp, "IRP that this thread carries");
}

/* WORK_QUEUE_ITEM (wdm.h): List, WorkerRoutine, Parameter. */
static void each_item(struct ds_follow *f, uint32_t parameter, uint64_t entry)
{
    char place[160];
    struct ds_opt routine = ds_follow_pointer(f, entry + 2 * target(f)->pointer_size);
    if (routine.known)
        ds_follow_place(f, routine.value, place, sizeof(place));
    ds_follow_add(f, parameter, "work_item", routine, "%s",
                  !routine.known     ? "the item is not in the dump"
                  : place[0] != '\0' ? place
                                     : "its routine is in no driver");
}

/* _TRIAGE_EX_WORK_QUEUE begins with the queue itself: a _KPRIQUEUE, before Windows 8 a _KQUEUE. */
static void follow_queue(struct ds_follow *f, uint32_t parameter, const char *name, uint64_t queue)
{
    struct ds_target *t = target(f);
    unsigned size = t->pointer_size, heads = PRIORITIES;
    uint64_t head;
    size_t before = f->count;
    if (queue == 0 || !t->build.known)
        return;
    if (t->build.value < 9200)
        heads = 1;
    if (ds_target_field_va(t, queue, heads == 1 ? "_KQUEUE" : "_KPRIQUEUE", "EntryListHead",
                           &head) != DS_OK)
        return;
    for (unsigned i = 0; i < heads; i++) {
        struct ds_opt first = ds_follow_pointer(f, head + 2 * (uint64_t)size * i);
        if (!first.known) {
            ds_follow_add(f, parameter, name, first, "the queue is not in the dump");
            return;
        }
        if (first.value != head + 2 * (uint64_t)size * i && first.value != 0)
            follow_list(f, parameter, name, head + 2 * (uint64_t)size * i, each_item);
    }
    if (f->count == before)
        ds_follow_add(f, parameter, name, ds_opt_known(0), "no work item waits");
}

/* _TRIAGE_PNP_DEVICE_COMPLETION_REQUEST: ListEntry, DeviceNode (a _TRIAGE_DEVICE_NODE). */
static void each_request(struct ds_follow *f, uint32_t parameter, uint64_t entry)
{
    struct ds_target *t = target(f);
    struct ds_opt node = ds_follow_pointer(f, entry + 2 * t->pointer_size);
    uint64_t name;
    if (!node.known) {
        ds_follow_add(f, parameter, "device_node", node, "the request is not in the dump");
        return;
    }
    if (ds_target_field_va(t, node.value, "_DEVICE_NODE", "InstancePath", &name) == DS_OK)
        ds_follow_unicode(f, parameter, "device_instance", name);
    if (ds_target_field_va(t, node.value, "_DEVICE_NODE", "ServiceName", &name) == DS_OK)
        ds_follow_unicode(f, parameter, "service", name);
}

/* The record's pointers from `slot` on, counted in pointers from its start. */
static uint64_t record_pointer(const struct ds_follow *f, uint32_t parameter, unsigned slot)
{
    struct ds_opt p = ds_follow_pointer(f, f->p[parameter - 1] + slot * target(f)->pointer_size);
    return p.known && ds_target_is_kernel_va(target(f), p.value) ? p.value : 0;
}

static bool check_record(struct ds_follow *f, uint32_t parameter, const char *name,
                         uint32_t signature)
{
    uint8_t raw[4];
    uint64_t va = f->p[parameter - 1];
    enum ds_status status = ds_follow_readable(f, va, raw, sizeof(raw));
    if (status == DS_OK && ds_le16(raw) != signature)
        status = DS_CORRUPT;
    if (status == DS_OK) {
        ds_follow_add(f, parameter, name, ds_opt_known(va), "revision %u",
                      (unsigned)ds_le16(raw + 2));
        return true;
    }
    ds_follow_add(f, parameter, name, ds_opt_unknown(status),
                  status == DS_CORRUPT ? "the signature of the record is wrong"
                                       : "the record is not in the dump");
    return false;
}

static void follow_triage_power(struct ds_follow *f)
{
    if (!check_record(f, 3, "triage_9f_power", TRIAGE_POWER))
        return;
    follow_list(f, 3, "irp_list", record_pointer(f, 3, 1), each_irp);
    follow_list(f, 3, "thread_list", record_pointer(f, 3, 2), each_worker);
    follow_queue(f, 3, "delayed_work_queue", record_pointer(f, 3, 3));
}

static void follow_triage_pnp(struct ds_follow *f)
{
    if (!check_record(f, 4, "triage_9f_pnp", TRIAGE_PNP))
        return;
    follow_list(f, 4, "completion_queue", record_pointer(f, 4, 1), each_request);
    follow_queue(f, 4, "delayed_work_queue", record_pointer(f, 4, 2));
}

void ds_follow_power(struct ds_follow *f)
{
    if (target(f)->kernel == NULL)
        return;
    if (f->p[0] == 3) {
        ds_follow_device(f, 2, f->p[1]);
        follow_triage_power(f);
        ds_follow_irp(f, 4, f->p[3]);
    } else if (f->p[0] == 4) {
        ds_follow_add(f, 2, "seconds", ds_opt_known(f->p[1]), "%llu s", HEX(f->p[1]));
        struct ds_opt tid = ds_target_field(target(f), f->p[2], "_ETHREAD", "Cid.UniqueThread");
        ds_follow_add(f, 3, "lock_owner_tid", tid,
                      tid.known ? "thread that holds the Plug and Play lock"
                                : "the thread is not in the dump");
        follow_triage_pnp(f);
    }
}
