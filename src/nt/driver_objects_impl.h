/* What driver_objects.c and device_objects.c share. Private. */
#ifndef DS_NT_DRIVER_OBJECTS_IMPL_H
#define DS_NT_DRIVER_OBJECTS_IMPL_H

#include "nt/address_map.h"
#include "nt/details_impl.h"
#include "nt/driver_objects.h"
#include "nt/objects.h"

/* Object types: wdm.h, IO_TYPE_*. */
#define DS_IO_TYPE_DEVICE 3u
#define DS_IO_TYPE_DRIVER 4u

struct ds_nt_devices {
    struct ds_device_objects table;
    struct ds_driver_object *drivers; /* owned, with what follows */
    struct ds_dispatch *dispatches;
    struct ds_device_object *devices;
    size_t driver_cap, dispatch_cap, device_cap;
    struct ds_address_map seen_drivers, seen_devices;
};

/* Adds the driver unless it is there, or no driver; false when no more can be had. */
bool ds_driver_object_add(struct ds_nt *nt, struct ds_nt_devices *d, uint64_t address,
                          const char *source);
/* Adds the devices of driver row `row`, and drivers that only their stacks lead to. */
void ds_device_objects_walk(struct ds_nt *nt, struct ds_nt_devices *d, size_t row);

#endif
