/* Device objects, drivers, IRPs and memory descriptor lists that parameters point to. */
#include <stdio.h>

#include "nt/driver_objects.h"
#include "nt/follow.h"

#define HEX(x) (unsigned long long)(x)

/* Object types: wdm.h, IO_TYPE_*. */
#define IO_TYPE_DEVICE 3u
#define IO_TYPE_DRIVER 4u
#define IO_TYPE_IRP 6u

/* wdm.h: the minor functions of IRP_MJ_POWER. */
static const char *const power_names[] = {"WAIT_WAKE", "POWER_SEQUENCE", "SET_POWER",
                                          "QUERY_POWER"};
#define MAJOR_POWER 0x16u

const char *ds_driver_object_name(struct ds_nt *nt, uint64_t driver)
{
    struct ds_target *t = nt->target;
    uint64_t va;
    struct ds_buf b;
    const char *text = NULL;
    ds_buf_init(&b, 64u << 10);
    if (ds_target_field_va(t, driver, "_DRIVER_OBJECT", "DriverName", &va) == DS_OK &&
        ds_space_read_ustr(t->kernel, va, &b, NULL) == DS_OK && b.len != 0)
        text = ds_arena_strdup(&nt->arena, ds_buf_text(&b), b.len);
    ds_buf_deinit(&b);
    if (text != NULL)
        return text;
    struct ds_opt start = ds_target_field(t, driver, "_DRIVER_OBJECT", "DriverStart");
    const struct ds_module *m = start.known ? ds_target_module_at(t, start.value) : NULL;
    return m != NULL ? m->name : NULL;
}

/* Why there is no object of this type at va; DS_OK when there is one. */
static enum ds_status check_type(const struct ds_target *t, uint64_t va, const char *name,
                                 uint64_t want)
{
    struct ds_opt type = ds_target_field(t, va, name, "Type");
    return !type.known ? type.why : (type.value & 0xffff) != want ? DS_CORRUPT : DS_OK;
}

void ds_follow_driver(struct ds_follow *f, uint32_t parameter, uint64_t driver)
{
    struct ds_target *t = f->nt->target;
    if (t->kernel == NULL || driver == 0)
        return;
    enum ds_status status = check_type(t, driver, "_DRIVER_OBJECT", IO_TYPE_DRIVER);
    if (status == DS_CORRUPT) {
        ds_follow_add(f, parameter, "driver_object", ds_opt_unknown(status),
                      "there is no driver object at this address");
        return;
    }
    const char *name = ds_driver_object_name(f->nt, driver);
    ds_follow_add(f, parameter, "driver_object", ds_opt_known(driver), "%s",
                  name != NULL ? name : "the driver's name is not in the dump");
}

void ds_follow_device(struct ds_follow *f, uint32_t parameter, uint64_t device)
{
    struct ds_target *t = f->nt->target;
    if (t->kernel == NULL || device == 0)
        return;
    enum ds_status status = check_type(t, device, "_DEVICE_OBJECT", IO_TYPE_DEVICE);
    if (status != DS_OK) {
        ds_follow_add(f, parameter, "driver_object", ds_opt_unknown(status),
                      status == DS_CORRUPT ? "there is no device object at this address"
                                           : "the device object is not in the dump");
        return;
    }
    struct ds_opt driver = ds_target_field(t, device, "_DEVICE_OBJECT", "DriverObject");
    if (driver.known)
        ds_follow_driver(f, parameter, driver.value);
}

static void irp_request(struct ds_follow *f, uint32_t parameter, uint64_t location)
{
    struct ds_target *t = f->nt->target;
    struct ds_opt major = ds_target_field(t, location, "_IO_STACK_LOCATION", "MajorFunction");
    struct ds_opt minor = ds_target_field(t, location, "_IO_STACK_LOCATION", "MinorFunction");
    if (!major.known || !minor.known)
        return;
    const char *name = ds_irp_major_name(major.value);
    if (name == NULL)
        ds_follow_add(f, parameter, "irp_request", major, "not a major function of wdm.h");
    else if (major.value == MAJOR_POWER && minor.value < 4)
        ds_follow_add(f, parameter, "irp_request", major, "IRP_MJ_%s, IRP_MN_%s", name,
                      power_names[minor.value]);
    else
        ds_follow_add(f, parameter, "irp_request", major, "IRP_MJ_%s, minor function 0x%llx", name,
                      HEX(minor.value));
}

static void irp_location(struct ds_follow *f, uint32_t parameter, uint64_t irp, struct ds_opt at,
                         struct ds_opt count)
{
    struct ds_target *t = f->nt->target;
    struct ds_opt stack = ds_target_field(t, irp, "_IRP", "Tail.Overlay.CurrentStackLocation");
    if (!stack.known || (at.known && count.known && at.value > count.value))
        return;
    irp_request(f, parameter, stack.value);
    struct ds_opt device = ds_target_field(t, stack.value, "_IO_STACK_LOCATION", "DeviceObject");
    ds_follow_add(f, parameter, "irp_device", device,
                  device.known ? "device that holds the IRP" : "not in the dump");
    if (device.known)
        ds_follow_device(f, parameter, device.value);
}

void ds_follow_irp(struct ds_follow *f, uint32_t parameter, uint64_t irp)
{
    struct ds_target *t = f->nt->target;
    if (t->kernel == NULL || irp == 0)
        return;
    enum ds_status status = check_type(t, irp, "_IRP", IO_TYPE_IRP);
    if (status != DS_OK) {
        ds_follow_add(f, parameter, "irp", ds_opt_unknown(status),
                      status == DS_CORRUPT ? "there is no IRP at this address"
                                           : "the IRP is not in the dump");
        return;
    }
    struct ds_opt at = ds_target_field(t, irp, "_IRP", "CurrentLocation");
    struct ds_opt count = ds_target_field(t, irp, "_IRP", "StackCount");
    at.value &= 0xff;
    count.value &= 0xff;
    if (at.known && count.known)
        ds_follow_add(f, parameter, "irp", ds_opt_known(irp), "stack location %llu of %llu%s",
                      HEX(at.value), HEX(count.value),
                      at.value > count.value ? ": no driver holds it, it is new or completed" : "");
    irp_location(f, parameter, irp, at, count);
    struct ds_opt thread = ds_target_field(t, irp, "_IRP", "Tail.Overlay.Thread");
    if (thread.known && thread.value != 0)
        ds_follow_thread(f, parameter, "irp_thread", thread);
}

/* wdm.h, MDL_*: the flags that tell whether pages are locked and mapped. */
static void mdl_flags(uint64_t flags, char *text, size_t size)
{
    (void)snprintf(text, size, "%s%s%s%s", (flags & 1) != 0 ? ", mapped" : "",
                   (flags & 2) != 0 ? ", pages locked" : "",
                   (flags & 4) != 0 ? ", of nonpaged pool" : "",
                   (flags & 0x10) != 0 ? ", partial" : "");
}

void ds_follow_mdl(struct ds_follow *f, uint32_t parameter, uint64_t mdl)
{
    struct ds_target *t = f->nt->target;
    char flags[80];
    if (t->kernel == NULL || mdl == 0)
        return;
    struct ds_opt start = ds_target_field(t, mdl, "_MDL", "StartVa");
    struct ds_opt offset = ds_target_field(t, mdl, "_MDL", "ByteOffset");
    struct ds_opt bytes = ds_target_field(t, mdl, "_MDL", "ByteCount");
    struct ds_opt bits = ds_target_field(t, mdl, "_MDL", "MdlFlags");
    if (!start.known || !offset.known || !bytes.known || !bits.known) {
        ds_follow_add(f, parameter, "mdl", ds_opt_unknown(start.known ? bytes.why : start.why),
                      "the memory descriptor list is not in the dump");
        return;
    }
    mdl_flags(bits.value, flags, sizeof(flags));
    ds_follow_add(f, parameter, "mdl_address", ds_opt_known(start.value + offset.value),
                  "%llu bytes%s", HEX(bytes.value), flags);
    struct ds_opt process = ds_target_field(t, mdl, "_MDL", "Process");
    if (process.known && process.value != 0)
        ds_follow_process(f, parameter, process.value);
}
