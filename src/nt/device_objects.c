/* Device objects, the stacks that they make, and their nodes of the device tree. */
#include <stdlib.h>

#include "base/text.h"
#include "nt/driver_objects_impl.h"

#define STATE_FIRST 0x300u /* _PNP_DEVNODE_STATE */

const char *ds_devnode_state_name(uint64_t state)
{
    static const char *const names[] = {"DeviceNodeUnspecified",
                                        "DeviceNodeUninitialized",
                                        "DeviceNodeInitialized",
                                        "DeviceNodeDriversAdded",
                                        "DeviceNodeResourcesAssigned",
                                        "DeviceNodeStartPending",
                                        "DeviceNodeStartCompletion",
                                        "DeviceNodeStartPostWork",
                                        "DeviceNodeStarted",
                                        "DeviceNodeQueryStopped",
                                        "DeviceNodeStopped",
                                        "DeviceNodeRestartCompletion",
                                        "DeviceNodeEnumeratePending",
                                        "DeviceNodeEnumerateCompletion",
                                        "DeviceNodeAwaitingQueuedDeletion",
                                        "DeviceNodeAwaitingQueuedRemoval",
                                        "DeviceNodeQueryRemoved",
                                        "DeviceNodeRemovePendingCloses",
                                        "DeviceNodeRemoved",
                                        "DeviceNodeDeletePendingCloses",
                                        "DeviceNodeDeleted"};
    return state >= STATE_FIRST && state - STATE_FIRST < sizeof(names) / sizeof(names[0])
               ? names[state - STATE_FIRST]
               : NULL;
}

const char *ds_devnode_problem_name(uint64_t problem)
{
#define P(name) "CM_PROB_" #name
    static const char *const names[] = {NULL,
                                        P(NOT_CONFIGURED),
                                        P(DEVLOADER_FAILED),
                                        P(OUT_OF_MEMORY),
                                        P(ENTRY_IS_WRONG_TYPE),
                                        P(LACKED_ARBITRATOR),
                                        P(BOOT_CONFIG_CONFLICT),
                                        P(FAILED_FILTER),
                                        P(DEVLOADER_NOT_FOUND),
                                        P(INVALID_DATA),
                                        P(FAILED_START),
                                        P(LIAR),
                                        P(NORMAL_CONFLICT),
                                        P(NOT_VERIFIED),
                                        P(NEED_RESTART),
                                        P(REENUMERATION),
                                        P(PARTIAL_LOG_CONF),
                                        P(UNKNOWN_RESOURCE),
                                        P(REINSTALL),
                                        P(REGISTRY),
                                        P(VXDLDR),
                                        P(WILL_BE_REMOVED),
                                        P(DISABLED),
                                        P(DEVLOADER_NOT_READY),
                                        P(DEVICE_NOT_THERE),
                                        P(MOVED),
                                        P(TOO_EARLY),
                                        P(NO_VALID_LOG_CONF),
                                        P(FAILED_INSTALL),
                                        P(HARDWARE_DISABLED),
                                        P(CANT_SHARE_IRQ),
                                        P(FAILED_ADD),
                                        P(DISABLED_SERVICE),
                                        P(TRANSLATION_FAILED),
                                        P(NO_SOFTCONFIG),
                                        P(BIOS_TABLE),
                                        P(IRQ_TRANSLATION_FAILED),
                                        P(FAILED_DRIVER_ENTRY),
                                        P(DRIVER_FAILED_PRIOR_UNLOAD),
                                        P(DRIVER_FAILED_LOAD),
                                        P(DRIVER_SERVICE_KEY_INVALID),
                                        P(LEGACY_SERVICE_NO_DEVICES),
                                        P(DUPLICATE_DEVICE),
                                        P(FAILED_POST_START),
                                        P(HALTED),
                                        P(PHANTOM),
                                        P(SYSTEM_SHUTDOWN),
                                        P(HELD_FOR_EJECT),
                                        P(DRIVER_BLOCKED),
                                        P(REGISTRY_TOO_LARGE),
                                        P(SETPROPERTIES_FAILED),
                                        P(WAITING_ON_DEPENDENCY),
                                        P(UNSIGNED_DRIVER),
                                        P(USED_BY_DEBUGGER),
                                        P(DEVICE_RESET),
                                        P(CONSOLE_LOCKED),
                                        P(NEED_CLASS_CONFIG),
                                        P(GUEST_ASSIGNMENT_FAILED)};
#undef P
    return problem < sizeof(names) / sizeof(names[0]) ? names[problem] : NULL;
}

static struct ds_opt field(struct ds_nt *nt, uint64_t va, const char *member)
{
    return ds_target_field(nt->target, va, "_DEVICE_OBJECT", member);
}

static bool is_device(struct ds_nt *nt, uint64_t va)
{
    struct ds_opt type = field(nt, va, "Type");
    return type.known && (type.value & 0xffff) == DS_IO_TYPE_DEVICE;
}

/* The device below: DEVOBJ_EXTENSION.AttachedTo. */
static struct ds_opt below(struct ds_nt *nt, uint64_t device)
{
    struct ds_opt more = field(nt, device, "DeviceObjectExtension");
    return !more.known || more.value == 0
               ? more
               : ds_target_field(nt->target, more.value, "_DEVOBJ_EXTENSION", "AttachedTo");
}

/* The last device in one direction; *steps = devices gone over. */
static struct ds_opt last(struct ds_nt *nt, uint64_t device, bool up, uint64_t *steps)
{
    for (*steps = 0; *steps < DS_LIMIT_DEVICE_STACK; ++*steps) {
        struct ds_opt next = up ? field(nt, device, "AttachedDevice") : below(nt, device);
        if (!next.known || next.value == 0) {
            return next.known ? ds_opt_known(device) : next;
        }
        if (!is_device(nt, next.value)) {
            return ds_opt_unknown(DS_CORRUPT);
        }
        device = next.value;
    }
    return ds_opt_unknown(DS_LOOP); /* no stack is that deep */
}

static void read_stack(struct ds_nt *nt, struct ds_device_object *d)
{
    uint64_t up, down;
    d->attached = field(nt, d->address, "AttachedDevice");
    d->attached_to = below(nt, d->address);
    d->stack_top = last(nt, d->address, true, &up);
    d->stack_bottom = last(nt, d->address, false, &down);
    d->stack_depth = !d->stack_top.known      ? ds_opt_unknown(d->stack_top.why)
                     : !d->stack_bottom.known ? ds_opt_unknown(d->stack_bottom.why)
                                              : ds_opt_known(up + down + 1);
}

static const char *text_at(struct ds_nt *nt, uint64_t va, const char *type, const char *member)
{
    uint64_t at;
    return ds_target_field_va(nt->target, va, type, member, &at) == DS_OK ? ds_nt_ustring(nt, at)
                                                                          : NULL;
}

/* The node is the bus driver's device's, which is the bottom of the stack. */
static void read_node(struct ds_nt *nt, struct ds_device_object *d)
{
    const struct ds_target *t = nt->target;
    d->node = d->node_state = d->problem = ds_opt_unknown(d->stack_bottom.why);
    if (!d->stack_bottom.known) {
        return;
    }
    struct ds_opt more = field(nt, d->stack_bottom.value, "DeviceObjectExtension");
    d->node = !more.known || more.value == 0
                  ? more
                  : ds_target_field(t, more.value, "_DEVOBJ_EXTENSION", "DeviceNode");
    if (!d->node.known || d->node.value == 0) {
        d->node_state = d->problem = ds_opt_unknown(d->node.known ? DS_NOT_FOUND : d->node.why);
        return;
    }
    d->node_state = ds_target_field(t, d->node.value, "_DEVICE_NODE", "State");
    d->problem = ds_target_field(t, d->node.value, "_DEVICE_NODE", "Problem");
    d->instance = text_at(nt, d->node.value, "_DEVICE_NODE", "InstancePath");
    d->node_service = text_at(nt, d->node.value, "_DEVICE_NODE", "ServiceName");
}

static void read_volume(struct ds_nt *nt, struct ds_device_object *d)
{
    const struct ds_target *t = nt->target;
    uint64_t label;
    d->vpb = field(nt, d->address, "Vpb");
    d->vpb_device = ds_opt_unknown(d->vpb.known ? DS_NOT_FOUND : d->vpb.why);
    if (!d->vpb.known || d->vpb.value == 0) {
        return;
    }
    d->vpb_device = ds_target_field(t, d->vpb.value, "_VPB", "DeviceObject");
    struct ds_opt length = ds_target_field(t, d->vpb.value, "_VPB", "VolumeLabelLength");
    struct ds_buf b;
    ds_buf_init(&b, 256);
    if (length.known && length.value != 0 && length.value <= 64 && length.value % 2 == 0 &&
        ds_target_field_va(t, d->vpb.value, "_VPB", "VolumeLabel", &label) == DS_OK) {
        uint8_t raw[64];
        if (ds_space_read(t->kernel, label, raw, (size_t)length.value, NULL) == DS_OK) {
            ds_text_from_utf16(&b, raw, (size_t)length.value / 2);
        }
    }
    if (ds_buf_ok(&b) && b.len != 0) {
        d->label = ds_arena_strdup(&nt->arena, ds_buf_text(&b), b.len);
    }
    ds_buf_deinit(&b);
}

static void describe(struct ds_nt *nt, struct ds_device_object *d)
{
    struct ds_object_info info;
    struct ds_opt header = ds_nt_object_header(nt, d->address);
    d->type = field(nt, d->address, "DeviceType");
    d->flags = field(nt, d->address, "Flags");
    d->characteristics = field(nt, d->address, "Characteristics");
    d->reference_count = field(nt, d->address, "ReferenceCount");
    d->stack_size = field(nt, d->address, "StackSize");
    d->current_irp = field(nt, d->address, "CurrentIrp");
    d->extension = field(nt, d->address, "DeviceExtension");
    d->name = ds_nt_object_path(nt, d->address);
    if (d->name == NULL && header.known) {
        ds_nt_object_info(nt, header.value, &info);
        d->name = ds_nt_object_name(nt, &info);
    }
    read_stack(nt, d);
    read_node(nt, d);
    read_volume(nt, d);
}

static struct ds_device_object *new_row(struct ds_nt_devices *k, uint64_t address)
{
    void *array = k->devices;
    size_t n = k->table.device_count;
    if (!ds_array_reserve(&array, &k->device_cap, n + 1, sizeof(*k->devices),
                          DS_ROWS_MAX(struct ds_device_object, DS_LIMIT_DEVICES)) ||
        !ds_address_map_put(&k->seen_devices, address, (uint32_t)n)) {
        ds_walk_stop(&k->table.device_walk, DS_LIMIT, ds_opt_known(address),
                     "more devices than are kept");
        return NULL;
    }
    k->devices = array;
    k->table.device_count++;
    k->devices[n] = (struct ds_device_object){.address = address};
    return &k->devices[n];
}

/* A driver that is in no directory, but whose device is attached to one that is known. */
static void take_attached(struct ds_nt *nt, struct ds_nt_devices *k, struct ds_opt device)
{
    if (device.known && device.value != 0 && is_device(nt, device.value)) {
        struct ds_opt driver = field(nt, device.value, "DriverObject");
        if (driver.known && driver.value != 0) {
            (void)ds_driver_object_add(nt, k, driver.value, "device stack");
        }
    }
}

static enum ds_status take_device(struct ds_nt *nt, struct ds_nt_devices *k, size_t row,
                                  uint64_t at, const char **detail)
{
    struct ds_opt type = field(nt, at, "Type");
    struct ds_opt driver = field(nt, at, "DriverObject");
    *detail = "a driver's list of devices cannot be read on";
    if (!type.known || !driver.known) {
        return type.known ? driver.why : type.why;
    }
    if ((type.value & 0xffff) != DS_IO_TYPE_DEVICE) {
        *detail = "what should be a device object is none";
        return DS_CORRUPT;
    }
    if (driver.value != k->drivers[row].address) {
        *detail = "a driver's list has a device of another driver";
        return DS_CORRUPT;
    }
    struct ds_device_object *d = new_row(k, at);
    if (d == NULL) {
        *detail = "more devices than are kept";
        return DS_LIMIT;
    }
    d->driver = k->drivers[row].address;
    d->driver_name = k->drivers[row].name;
    describe(nt, d);
    k->drivers[row].devices++;
    struct ds_opt up = d->attached, down = d->attached_to;
    take_attached(nt, k, up); /* may move the rows */
    take_attached(nt, k, down);
    return DS_OK;
}

void ds_device_objects_walk(struct ds_nt *nt, struct ds_nt_devices *k, size_t row)
{
    struct ds_opt next =
        ds_target_field(nt->target, k->drivers[row].address, "_DRIVER_OBJECT", "DeviceObject");
    uint64_t at = k->drivers[row].address;
    const char *detail = "a driver's list of devices cannot be read";
    while (next.known && next.value != 0) {
        enum ds_status status = DS_LOOP;
        at = next.value;
        if (ds_address_map_get(&k->seen_devices, at, NULL)) {
            detail = "a device stands in the lists twice";
        } else {
            status = take_device(nt, k, row, at, &detail);
        }
        if (status != DS_OK) {
            ds_walk_stop(&k->table.device_walk, status, ds_opt_known(at), detail);
            return;
        }
        next = field(nt, at, "NextDevice");
    }
    if (!next.known) {
        ds_walk_stop(&k->table.device_walk, next.why, ds_opt_known(at), detail);
    }
}
