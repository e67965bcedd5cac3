/*
 * The I/O manager's objects: drivers in \Driver and \FileSystem, what their dispatch routines lead
 * to, and the devices of each driver with their stacks and nodes of the device tree. Members by the
 * names of wdm.h and of Microsoft's public symbols. Every value may be unknown, with the reason.
 */
#ifndef DS_NT_DRIVER_OBJECTS_H
#define DS_NT_DRIVER_OBJECTS_H

#include "nt/nt.h"

#define DS_IRP_MAJORS 28u /* IRP_MJ_MAXIMUM_FUNCTION + 1 (wdm.h) */

/* A _DRIVER_OBJECT. */
struct ds_driver_object {
    uint64_t address;           /* virtual */
    const char *name;           /* DriverName: "\Driver\fabnic"; NULL when unreadable */
    const char *service;        /* DriverExtension.ServiceKeyName; NULL when unreadable */
    struct ds_opt start, size;  /* of its image: virtual, bytes; 0 for those of the kernel itself */
    struct ds_opt init, unload; /* DriverInit, DriverUnload: virtual */
    struct ds_opt start_io, flags, section;
    const char *module; /* that holds its image, or its DriverInit; NULL when none is known */
    uint32_t devices;   /* rows of its own in ds_device_objects */
    struct ds_opt outside, astray; /* dispatch routines in other modules; in no module at all */
    struct ds_opt listed;          /* 1 when in one of the two directories; unknown when they were
                                      not read to the end */
    const char *source;            /* static: "\Driver", "\FileSystem", "device stack" */
};

/* One dispatch routine of a driver. */
struct ds_dispatch {
    uint64_t driver; /* _DRIVER_OBJECT */
    const char *driver_name;
    uint32_t major; /* IRP_MJ_* */
    struct ds_opt routine;
    const char *module; /* that holds the routine; NULL when none does */
    const char *place;  /* static: "own", "kernel", "other module"; "no module" when the list of
                           modules is complete; NULL when it cannot be told */
};

/* A _DEVICE_OBJECT. */
struct ds_device_object {
    uint64_t address; /* virtual */
    uint64_t driver;  /* whose list it is in */
    const char *driver_name;
    const char *name; /* "\Device\Harddisk0\DR0"; NULL when it has none or is unreadable */
    struct ds_opt type, flags, characteristics, reference_count, stack_size, current_irp;
    struct ds_opt extension, vpb;
    struct ds_opt attached, attached_to; /* the next above and below; 0 for none */
    struct ds_opt stack_top, stack_bottom, stack_depth;
    struct ds_opt node; /* _DEVICE_NODE of the bottom of the stack; 0 for none */
    struct ds_opt node_state, problem;
    const char *instance; /* InstancePath: "PCI\VEN_8086&…"; NULL when unreadable or none */
    const char *node_service;
    struct ds_opt vpb_device; /* the file system's device that is mounted on it */
    const char *label;        /* of the volume */
};

struct ds_device_objects {
    const struct ds_driver_object *drivers;
    size_t driver_count;
    const struct ds_dispatch *dispatches;
    size_t dispatch_count;
    const struct ds_device_object *devices;
    size_t device_count;
    struct ds_walk driver_walk, dispatch_walk, device_walk;
};
const struct ds_device_objects *ds_nt_device_objects(struct ds_nt *nt);

/* "CREATE", "DEVICE_CONTROL", ... (IRP_MJ_* of wdm.h); NULL when there is none. */
const char *ds_irp_major_name(uint64_t major);
/* "DeviceNodeStarted", ... (_PNP_DEVNODE_STATE of the public symbols); NULL when there is none. */
const char *ds_devnode_state_name(uint64_t state);
/* "CM_PROB_FAILED_START", ... (cfg.h); NULL when there is none. */
const char *ds_devnode_problem_name(uint64_t problem);

/* Frees what this keeps; NULL is allowed. */
struct ds_nt_devices;
void ds_nt_devices_free(struct ds_nt_devices *d);

#endif
