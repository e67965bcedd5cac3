/* Drivers that the kernel names, or that parameters of the bugcheck lead to. */
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "facts/candidates_impl.h"
#include "facts/resolve.h"
#include "nt/bugcheck.h"

#define KEEP_MAX (64u << 10)
#define NAME_MAX_UNITS 260u /* of a driver's file name */
#define IO_TYPE_IRP 6u      /* wdm.h */

static uint32_t weight_of(const struct ds_lead *lead)
{
    return strcmp(lead->confidence, "high") == 0     ? DS_WEIGHT_PARAMETER
           : strcmp(lead->confidence, "medium") == 0 ? DS_WEIGHT_UNWOUND
                                                     : DS_WEIGHT_SCANNED;
}

static bool same_name(const char *module, const char *name)
{
    size_t n = strlen(name);
    const char *base = ds_text_basename(module);
    if (ds_text_casecmp(base, name) == 0)
        return true;
    char start[NAME_MAX_UNITS];
    /* A service goes by a name without suffix: "fabnic" for fabnic.sys. */
    if (n >= sizeof(start) || strlen(base) < n)
        return false;
    memcpy(start, base, n);
    start[n] = '\0';
    if (ds_text_casecmp(start, name) != 0)
        return false;
    return ds_text_casecmp(base + n, ".sys") == 0 || ds_text_casecmp(base + n, ".dll") == 0;
}

static const struct ds_module *module_named(const struct ds_target *t, const char *name)
{
    for (size_t i = 0; i < t->module_count; i++)
        if (same_name(t->modules[i].name, name))
            return &t->modules[i];
    return NULL;
}

/* What a driver did, as a candidate of the weight of its class. */
static void add_driver(struct ds_gather *g, const char *module, struct ds_opt address,
                       const char *source, const char *reason, uint32_t weight)
{
    const struct ds_skip *skip = ds_skip_find(module);
    if (skip != NULL && !ds_skip_is_framework(skip))
        return;
    if (skip != NULL && weight > DS_WEIGHT_UNWOUND - 4)
        weight = DS_WEIGHT_UNWOUND - 4;
    ds_gather_add(g, &(struct ds_candidate){.kind = DS_CANDIDATE_DRIVER,
                                            .module = module,
                                            .address = address,
                                            .source = source,
                                            .reason = reason,
                                            .confidence = ds_gather_confidence(weight),
                                            .weight = weight});
}

static void add_lead(struct ds_gather *g, const struct ds_lead *lead, const char *module,
                     uint64_t object, const char *kind)
{
    struct ds_buf b;
    ds_buf_init(&b, KEEP_MAX);
    ds_buf_printf(&b, "by bugcheck parameter %u (%s 0x%llx), %s %s", lead->parameter, kind,
                  (unsigned long long)object, module, lead->reason);
    add_driver(g, module, ds_opt_known(object), "parameter", ds_gather_keep(g, &b),
               weight_of(lead));
}

/* The text of the UNICODE_STRING at va, without the folders before it; NULL. */
static const char *name_at(struct ds_gather *g, uint64_t va)
{
    struct ds_target *t = ds_nt_target(g->nt);
    struct ds_buf b;
    ds_buf_init(&b, KEEP_MAX);
    if (t->kernel == NULL || ds_space_read_ustr(t->kernel, va, &b, NULL) != DS_OK || b.len == 0) {
        ds_buf_deinit(&b);
        return NULL;
    }
    const char *text = ds_gather_keep(g, &b);
    return *text != '\0' ? ds_text_basename(text) : NULL;
}

static void follow_driver(struct ds_gather *g, const struct ds_lead *lead, uint64_t driver,
                          uint64_t object, const char *kind)
{
    struct ds_target *t = ds_nt_target(g->nt);
    struct ds_opt start = ds_target_field(t, driver, "_DRIVER_OBJECT", "DriverStart");
    const struct ds_module *m = start.known ? ds_target_module_at(t, start.value) : NULL;
    uint64_t va;
    if (m == NULL && ds_target_field_va(t, driver, "_DRIVER_OBJECT", "DriverName", &va) == DS_OK) {
        const char *name = name_at(g, va);
        m = name != NULL ? module_named(t, name) : NULL;
    }
    if (m != NULL && *m->name != '\0')
        add_lead(g, lead, m->name, object, kind);
}

static void follow_device(struct ds_gather *g, const struct ds_lead *lead, uint64_t device,
                          uint64_t object, const char *kind)
{
    struct ds_opt driver =
        ds_target_field(ds_nt_target(g->nt), device, "_DEVICE_OBJECT", "DriverObject");
    if (driver.known && driver.value != 0)
        follow_driver(g, lead, driver.value, object, kind);
}

static void follow_irp(struct ds_gather *g, const struct ds_lead *lead, uint64_t irp)
{
    struct ds_target *t = ds_nt_target(g->nt);
    struct ds_opt type = ds_target_field(t, irp, "_IRP", "Type");
    struct ds_opt at = ds_target_field(t, irp, "_IRP", "Tail.Overlay.CurrentStackLocation");
    if (!type.known || type.value != IO_TYPE_IRP || !at.known || at.value == 0)
        return;
    struct ds_opt device = ds_target_field(t, at.value, "_IO_STACK_LOCATION", "DeviceObject");
    if (device.known && device.value != 0)
        follow_device(g, lead, device.value, irp, "IRP");
}

static void follow_name(struct ds_gather *g, const struct ds_lead *lead, uint64_t va)
{
    const char *name = name_at(g, va);
    const struct ds_module *m = name != NULL ? module_named(ds_nt_target(g->nt), name) : NULL;
    if (m != NULL)
        add_lead(g, lead, m->name, va, "name at");
    else if (name != NULL) /* the driver need not be loaded any more */
        add_lead(g, lead, name, va, "name at");
}

/* "the stack of thread 0x..., which holds the lock". */
static void follow_stack(struct ds_gather *g, const struct ds_lead *lead,
                         const struct ds_context *context, uint64_t sp, const char *what)
{
    struct ds_stack *stack = ds_arena_alloc(g->arena, 1, sizeof(*stack));
    const char *kind;
    struct ds_buf b;
    if (stack == NULL)
        return;
    ds_nt_stack_walk(g->nt, context, sp, stack, &kind);
    ds_buf_init(&b, KEEP_MAX);
    ds_buf_printf(&b, "the stack of the %s of bugcheck parameter %u", what, lead->parameter);
    ds_gather_stack(g, stack, 0, what, ds_gather_keep(g, &b), weight_of(lead));
}

static void follow_thread(struct ds_gather *g, const struct ds_lead *lead, uint64_t thread)
{
    struct ds_target *t = ds_nt_target(g->nt);
    struct ds_opt sp = ds_target_field(t, thread, "_KTHREAD", "KernelStack");
    const struct ds_processors *p = ds_nt_processors(g->nt);
    for (size_t i = 0; i < p->count; i++) {
        const struct ds_processor *cpu = &p->rows[i];
        if (cpu->has_context && cpu->current_thread.known && cpu->current_thread.value == thread) {
            follow_stack(g, lead, &cpu->context, cpu->context.sp, "thread");
            return;
        }
    }
    if (sp.known && sp.value != 0)
        follow_stack(g, lead, NULL, sp.value, "thread");
}

static void follow_processor(struct ds_gather *g, const struct ds_lead *lead, uint64_t prcb)
{
    const struct ds_processors *p = ds_nt_processors(g->nt);
    for (size_t i = 0; i < p->count; i++) {
        const struct ds_processor *cpu = &p->rows[i];
        if (cpu->prcb.known && cpu->prcb.value == prcb && cpu->has_context)
            follow_stack(g, lead, &cpu->context, cpu->context.sp, "processor");
    }
}

static void follow(struct ds_gather *g, const struct ds_lead *lead, uint64_t va)
{
    switch (lead->how) {
    case DS_LEAD_DEVICE:
        follow_device(g, lead, va, va, "device object");
        break;
    case DS_LEAD_DRIVER:
        follow_driver(g, lead, va, va, "driver object");
        break;
    case DS_LEAD_IRP:
        follow_irp(g, lead, va);
        break;
    case DS_LEAD_NAME:
        follow_name(g, lead, va);
        break;
    case DS_LEAD_THREAD:
        follow_thread(g, lead, va);
        break;
    case DS_LEAD_PROCESSOR:
        follow_processor(g, lead, va);
        break;
    }
}

void ds_gather_leads(struct ds_gather *g, const struct ds_dump_header *h)
{
    uint32_t code = (uint32_t)h->bugcheck_code.value;
    if (ds_nt_target(g->nt)->kernel == NULL)
        return;
    for (size_t i = 0; i < ds_lead_count; i++) {
        const struct ds_lead *lead = &ds_lead_table[i];
        struct ds_opt value = h->bugcheck_parameter[lead->parameter - 1];
        if (value.known && value.value != 0 &&
            ds_lead_applies(lead, code, ds_opt_or(h->bugcheck_parameter[0], 0)))
            follow(g, lead, value.value);
    }
}

/* A counted string of a minidump: u32 UTF-16 units, then the units; like the names of drivers. */
static const char *record_name(struct ds_gather *g, uint64_t offset)
{
    struct ds_target *t = ds_nt_target(g->nt);
    uint8_t raw[4 + NAME_MAX_UNITS * 2];
    struct ds_buf b;
    if (offset == 0 || ds_dump_read_file(t->dump, offset, raw, 4) != DS_OK)
        return NULL;
    uint32_t units = ds_le32(raw);
    if (units == 0 || units > NAME_MAX_UNITS ||
        ds_dump_read_file(t->dump, offset + 4, raw, (size_t)units * 2) != DS_OK)
        return NULL;
    ds_buf_init(&b, KEEP_MAX);
    ds_text_from_utf16(&b, raw, units);
    return ds_text_basename(ds_gather_keep(g, &b));
}

void ds_gather_kernels_word(struct ds_gather *g)
{
    struct ds_target *t = ds_nt_target(g->nt);
    const struct ds_triage *tr = ds_dump_triage(t->dump);
    const struct ds_module *m = NULL;
    uint64_t at, string;
    if (tr != NULL && tr->broken_driver_offset.known) {
        const char *name = record_name(g, tr->broken_driver_offset.value);
        m = name != NULL ? module_named(t, name) : NULL;
    }
    /* A pointer to a UNICODE_STRING: WDD, bug-check-0x9f--driver-power-state-failure.md. */
    if (m == NULL && t->kernel != NULL && ds_target_global(t, "KiBugCheckDriver", &at) == DS_OK &&
        ds_space_read_ptr(t->kernel, at, &string, NULL) == DS_OK && string != 0) {
        const char *name = name_at(g, string);
        m = name != NULL ? module_named(t, name) : NULL;
    }
    if (m != NULL && *m->name != '\0')
        add_driver(g, m->name, ds_opt_known(m->base), "kernel",
                   "the kernel itself named it when it stopped, as on the blue screen",
                   DS_WEIGHT_KERNEL_SAYS);
}
