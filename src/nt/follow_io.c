/* Device objects, IRPs and the triage records of the power manager that parameters point to. */
#include "base/bytes.h"
#include "nt/impl.h"

#define HEX(x) (unsigned long long)(x)
/* Signatures: dt nt!_TRIAGE_9F_POWER and _TRIAGE_9F_PNP, bug-check-0x9f page. */
#define TRIAGE_POWER 0x8000u
#define TRIAGE_PNP 0x8001u

/* "\Driver\fabnic", else the module that holds the driver's image; NULL when neither is there. */
static const char *driver_name(struct ds_nt *nt, uint64_t driver)
{
    struct ds_target *t = nt->target;
    uint64_t va;
    struct ds_buf b;
    const char *text = NULL;
    ds_buf_init(&b, 4096);
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

void ds_follow_device(struct ds_follow *f, uint32_t parameter, uint64_t device)
{
    struct ds_target *t = f->nt->target;
    if (t->kernel == NULL || device == 0)
        return;
    struct ds_opt driver = ds_target_field(t, device, "_DEVICE_OBJECT", "DriverObject");
    if (!driver.known) {
        ds_follow_add(f, parameter, "driver_object", driver,
                      "the device object is not in the dump");
        return;
    }
    const char *name = driver_name(f->nt, driver.value);
    ds_follow_add(f, parameter, "driver_object", driver, "%s",
                  name != NULL ? name : "the driver's name is not in the dump");
}

void ds_follow_irp(struct ds_follow *f, uint32_t parameter, uint64_t irp)
{
    struct ds_target *t = f->nt->target;
    if (t->kernel == NULL || irp == 0)
        return;
    struct ds_opt type = ds_target_field(t, irp, "_IRP", "Type");
    if (!type.known || type.value != 6) { /* IO_TYPE_IRP, wdm.h */
        ds_follow_add(f, parameter, "irp", ds_opt_unknown(type.known ? DS_CORRUPT : type.why),
                      type.known ? "there is no IRP at this address"
                                 : "the IRP is not in the dump");
        return;
    }
    struct ds_opt at = ds_target_field(t, irp, "_IRP", "CurrentLocation");
    struct ds_opt count = ds_target_field(t, irp, "_IRP", "StackCount");
    if (at.known && count.known)
        ds_follow_add(f, parameter, "irp", ds_opt_known(irp), "stack location %llu of %llu",
                      HEX(at.value & 0xff), HEX(count.value & 0xff));
    struct ds_opt stack = ds_target_field(t, irp, "_IRP", "Tail.Overlay.CurrentStackLocation");
    if (!stack.known)
        return;
    struct ds_opt device = ds_target_field(t, stack.value, "_IO_STACK_LOCATION", "DeviceObject");
    ds_follow_add(f, parameter, "irp_device", device,
                  device.known ? "device that holds the IRP" : "not in the dump");
    if (device.known)
        ds_follow_device(f, parameter, device.value);
}

static void follow_triage(struct ds_follow *f, uint32_t parameter, const char *name,
                          uint32_t signature)
{
    struct ds_target *t = f->nt->target;
    uint8_t raw[0x20];
    uint64_t va = f->p[parameter - 1];
    if (t->kernel == NULL || t->pointer_size != 8)
        return;
    enum ds_status status = ds_space_read(t->kernel, va, raw, sizeof(raw), NULL);
    if (status == DS_OK && ds_le16(raw) != signature)
        status = DS_CORRUPT;
    if (status != DS_OK) {
        ds_follow_add(f, parameter, name, ds_opt_unknown(status),
                      status == DS_CORRUPT ? "the signature of the record is wrong"
                                           : "the record is not in the dump");
        return;
    }
    ds_follow_add(f, parameter, name, ds_opt_known(va), "revision %u", (unsigned)ds_le16(raw + 2));
    if (signature == TRIAGE_POWER) {
        ds_follow_add(f, parameter, "irp_list", ds_opt_known(ds_le64(raw + 8)), NULL);
        ds_follow_add(f, parameter, "thread_list", ds_opt_known(ds_le64(raw + 16)), NULL);
        ds_follow_add(f, parameter, "delayed_work_queue", ds_opt_known(ds_le64(raw + 24)), NULL);
    }
}

void ds_follow_power(struct ds_follow *f)
{
    if (f->p[0] == 1 || f->p[0] == 2 || f->p[0] == 3 || f->p[0] == 5)
        ds_follow_device(f, 2, f->p[1]);
    if (f->p[0] == 2)
        ds_follow_device(f, 3, f->p[2]);
    if (f->p[0] == 3) {
        follow_triage(f, 3, "triage_9f_power", TRIAGE_POWER);
        ds_follow_irp(f, 4, f->p[3]);
    }
    if (f->p[0] == 4) {
        ds_follow_add(f, 2, "seconds", ds_opt_known(f->p[1]), "%llu s", HEX(f->p[1]));
        struct ds_opt tid =
            f->nt->target->kernel != NULL
                ? ds_target_field(f->nt->target, f->p[2], "_ETHREAD", "Cid.UniqueThread")
                : ds_opt_unknown(DS_NOT_IN_DUMP);
        ds_follow_add(f, 3, "lock_owner_tid", tid,
                      tid.known ? "thread that holds the Plug and Play lock"
                                : "the thread is not in the dump");
        follow_triage(f, 4, "triage_9f_pnp", TRIAGE_PNP);
    }
}
