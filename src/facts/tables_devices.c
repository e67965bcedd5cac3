/* Tables over the I/O manager: drivers, their dispatch routines, devices. */
#include "facts/cells.h"
#include "facts/table.h"
#include "nt/driver_objects.h"

#define ROW struct ds_driver_object
static const struct ds_column_spec driver_columns[] = {
    {"driver", DS_COL_ADDRESS, "_DRIVER_OBJECT: virtual", "!drvobj", DS_FIELD(ROW, address)},
    {"name", DS_COL_TEXT, "DriverName: \\Driver\\disk, ...; NULL when unreadable", "!drvobj",
     DS_FIELD(ROW, name)},
    {"start", DS_COL_ADDRESS, "DriverStart: its image, virtual; 0 for those of the kernel itself",
     "!drvobj 7, dt nt!_DRIVER_OBJECT", DS_FIELD(ROW, start)},
    {"size", DS_COL_INTEGER, "DriverSize: bytes of its image", "dt nt!_DRIVER_OBJECT",
     DS_FIELD(ROW, size)},
    {"module", DS_COL_TEXT,
     "the loaded module at its start (at its DriverInit when that is 0); NULL when there is none",
     "lm a", DS_FIELD(ROW, module)},
    {"driver_init", DS_COL_ADDRESS, "DriverInit: virtual", "!drvobj (DriverEntry)",
     DS_FIELD(ROW, init)},
    {"driver_unload", DS_COL_ADDRESS, "DriverUnload: virtual; 0 when it cannot be unloaded",
     "!drvobj (DriverUnload)", DS_FIELD(ROW, unload)},
    {"driver_start_io", DS_COL_ADDRESS, "DriverStartIo: virtual; 0 for none",
     "!drvobj (DriverStartIo)", DS_FIELD(ROW, start_io)},
    {"device_count", DS_COL_INTEGER, "its devices, as found", "!drvobj (Device Object list)",
     DS_FIELD(ROW, devices)},
    {"dispatch_outside", DS_COL_INTEGER,
     "of its 28 dispatch routines, those in a module that is neither its own nor the kernel: often "
     "a port or class driver or a framework; NULL when one is unreadable",
     "!drvobj (Dispatch routines)", DS_FIELD(ROW, outside)},
    {"dispatch_astray", DS_COL_INTEGER,
     "of them, those in no loaded module; NULL when that cannot be told",
     "!drvobj (Dispatch routines)", DS_FIELD(ROW, astray)},
    {"service", DS_COL_TEXT, "ServiceKeyName of its extension; NULL when unreadable",
     "dt nt!_DRIVER_EXTENSION", DS_FIELD(ROW, service)},
    {"flags", DS_COL_INTEGER, "Flags: DRVO_* (2 legacy, 4 built in, ...)",
     "dt nt!_DRIVER_OBJECT (Flags)", DS_FIELD(ROW, flags)},
    {"driver_section", DS_COL_ADDRESS, "DriverSection: its entry in PsLoadedModuleList",
     "dt nt!_DRIVER_OBJECT (DriverSection)", DS_FIELD(ROW, section)},
    {"listed", DS_COL_BOOL,
     "it is in one of the two directories; NULL when they were not read to the end",
     "!object \\Driver", DS_FIELD(ROW, listed)},
    {"source", DS_COL_TEXT,
     "directory it was found in: \\Driver, \\FileSystem; device stack: in none of them",
     "!object \\Driver", DS_FIELD(ROW, source)},
};
#undef ROW

static void drivers_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_device_objects *o = ds_nt_device_objects(ds_facts_nt(f));
    *ret = (struct ds_rows){o->drivers, sizeof(*o->drivers), o->driver_count, o->driver_walk};
}

DS_TABLE_WITH_LAYOUT(drivers, "Driver objects of \\Driver and \\FileSystem.", "!drvobj",
                     driver_columns, drivers_fill, "driver");

static void derive_major_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, ds_irp_major_name(((const struct ds_dispatch *)row)->major));
}

static void derive_routine_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    struct ds_opt routine = ((const struct ds_dispatch *)row)->routine;
    (void)i;
    if (routine.known && routine.value != 0)
        ds_value_symbol(f, routine.value, v);
}

static void derive_routine_unloaded(struct ds_facts *f, const void *row, size_t i,
                                    struct ds_value *v)
{
    const struct ds_dispatch *d = row;
    (void)i;
    if (d->routine.known && d->module == NULL)
        ds_value_unloaded(f, d->routine.value, v);
}

#define ROW struct ds_dispatch
static const struct ds_column_spec dispatch_columns[] = {
    {"driver", DS_COL_ADDRESS, "_DRIVER_OBJECT: virtual", "!drvobj", DS_FIELD(ROW, driver)},
    {"driver_name", DS_COL_TEXT, "its DriverName", "!drvobj", DS_FIELD(ROW, driver_name)},
    {"major", DS_COL_INTEGER, "major function, 0 to 27", "!drvobj (Dispatch routines)",
     DS_FIELD(ROW, major)},
    {"major_name", DS_COL_TEXT, "its name without IRP_MJ_: CREATE, READ, ...",
     "!drvobj (Dispatch routines)", DS_DERIVED(derive_major_name)},
    {"routine", DS_COL_ADDRESS, "what handles it: virtual", "!drvobj (Dispatch routines)",
     DS_FIELD(ROW, routine)},
    {"symbol", DS_COL_TEXT, "routine as function and offset, or module and offset",
     "!drvobj (Dispatch routines)", DS_DERIVED(derive_routine_symbol)},
    {"module", DS_COL_TEXT, "loaded module that holds it; NULL when none does", "lm a",
     DS_FIELD(ROW, module)},
    {"unloaded_module", DS_COL_TEXT, "without one: the unloaded driver that was there", "lm",
     DS_DERIVED(derive_routine_unloaded)},
    {"place", DS_COL_TEXT,
     "own (the driver's image), kernel, other module, no module; NULL when unreadable, or when "
     "it is in none but modules are missing",
     "", DS_FIELD(ROW, place)},
};
#undef ROW

static void driver_dispatch_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_device_objects *o = ds_nt_device_objects(ds_facts_nt(f));
    *ret = (struct ds_rows){o->dispatches, sizeof(*o->dispatches), o->dispatch_count,
                            o->dispatch_walk};
}

DS_TABLE_WITH_LAYOUT(driver_dispatch,
                     "The routines that a driver handles requests with: 28 for each driver.",
                     "!drvobj 2", dispatch_columns, driver_dispatch_fill, NULL);

static void derive_state_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    struct ds_opt state = ((const struct ds_device_object *)row)->node_state;
    (void)f;
    (void)i;
    if (state.known)
        ds_value_text(v, ds_devnode_state_name(state.value));
}

static void derive_problem_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    struct ds_opt problem = ((const struct ds_device_object *)row)->problem;
    (void)f;
    (void)i;
    if (problem.known)
        ds_value_text(v, ds_devnode_problem_name(problem.value));
}

#define ROW struct ds_device_object
static const struct ds_column_spec device_columns[] = {
    {"device", DS_COL_ADDRESS, "_DEVICE_OBJECT: virtual", "!devobj", DS_FIELD(ROW, address)},
    {"driver", DS_COL_ADDRESS, "_DRIVER_OBJECT: virtual", "!devobj (DriverObject)",
     DS_FIELD(ROW, driver)},
    {"driver_name", DS_COL_TEXT, "its DriverName", "!devobj (DriverObject)",
     DS_FIELD(ROW, driver_name)},
    {"name", DS_COL_TEXT, "its path, or name; NULL when it has none or is unreadable", "!devobj",
     DS_FIELD(ROW, name)},
    {"device_type", DS_COL_INTEGER, "FILE_DEVICE_* (wdm.h): 7 disk, 0x22 unknown, ...",
     "!devobj (Type)", DS_FIELD(ROW, type)},
    {"flags", DS_COL_INTEGER, "DO_* (wdm.h)", "!devobj (Flags)", DS_FIELD(ROW, flags)},
    {"characteristics", DS_COL_INTEGER, "FILE_*: 1 removable, 0x100 secure open, ...",
     "!devobj (Characteristics)", DS_FIELD(ROW, characteristics)},
    {"reference_count", DS_COL_INTEGER, "open handles to it", "!devobj (RefCount)",
     DS_FIELD(ROW, reference_count)},
    {"stack_size", DS_COL_INTEGER, "stack locations that an IRP to it needs",
     "dt nt!_DEVICE_OBJECT (StackSize)", DS_FIELD(ROW, stack_size)},
    {"current_irp", DS_COL_ADDRESS, "CurrentIrp: virtual; 0 for none", "!devobj (CurrentIrp)",
     DS_FIELD(ROW, current_irp)},
    {"attached_device", DS_COL_ADDRESS, "the device attached above it; 0 for none",
     "!devobj (AttachedDevice (Upper))", DS_FIELD(ROW, attached)},
    {"attached_to", DS_COL_ADDRESS, "the device below that it is attached to; 0 for none",
     "!devobj (AttachedTo (Lower))", DS_FIELD(ROW, attached_to)},
    {"stack_top", DS_COL_ADDRESS, "the topmost device of its stack", "!devstack",
     DS_FIELD(ROW, stack_top)},
    {"stack_bottom", DS_COL_ADDRESS, "the lowest: the bus driver's device, where there is a bus",
     "!devstack", DS_FIELD(ROW, stack_bottom)},
    {"stack_depth", DS_COL_INTEGER, "devices of its stack, itself included", "!devstack",
     DS_FIELD(ROW, stack_depth)},
    {"device_node", DS_COL_ADDRESS, "_DEVICE_NODE of the stack's lowest device; 0 for none",
     "!devobj (DevNode), !devstack (!DevNode)", DS_FIELD(ROW, node)},
    {"instance_path", DS_COL_TEXT, "InstancePath of the node: PCI\\VEN_...; NULL without one",
     "!devnode (InstancePath)", DS_FIELD(ROW, instance)},
    {"service", DS_COL_TEXT, "ServiceName of the node; NULL without one", "!devnode (ServiceName)",
     DS_FIELD(ROW, node_service)},
    {"node_state", DS_COL_INTEGER, "State of the node: 0x308 started; NULL without one",
     "!devnode (State)", DS_FIELD(ROW, node_state)},
    {"node_state_name", DS_COL_TEXT, "its name: DeviceNodeStarted, ...", "!devnode (State)",
     DS_DERIVED(derive_state_name)},
    {"problem", DS_COL_INTEGER, "Problem of the node, as Device Manager says Code; 0 for none",
     "!devnode (Problem)", DS_FIELD(ROW, problem)},
    {"problem_name", DS_COL_TEXT, "its name: CM_PROB_FAILED_START, ...; NULL for none",
     "!devnode (Problem)", DS_DERIVED(derive_problem_name)},
    {"vpb", DS_COL_ADDRESS, "_VPB: virtual; 0 for none", "!devobj (Vpb), !vpb", DS_FIELD(ROW, vpb)},
    {"vpb_device", DS_COL_ADDRESS, "the file system's device that is mounted; 0 for none",
     "!vpb (DeviceObject)", DS_FIELD(ROW, vpb_device)},
    {"volume_label", DS_COL_TEXT, "of the mounted volume; NULL for none", "!vpb (Volume Label)",
     DS_FIELD(ROW, label)},
    {"device_extension", DS_COL_ADDRESS, "DeviceExtension: the driver's own data, virtual",
     "!devobj (DevExt)", DS_FIELD(ROW, extension)},
};
#undef ROW

static void devices_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_device_objects *o = ds_nt_device_objects(ds_facts_nt(f));
    *ret = (struct ds_rows){o->devices, sizeof(*o->devices), o->device_count, o->device_walk};
}

DS_TABLE_WITH_LAYOUT(devices, "Devices of each driver, with their stacks and device nodes.",
                     "!devobj, !devstack, !devnode 0 1", device_columns, devices_fill, "device");
