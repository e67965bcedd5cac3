/* Kernel objects that bugcheck parameters point to, by the structure's name. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "nt/codes.h"
#include "nt/follow.h"

#define HEX(x) (unsigned long long)(x)

/* A thread that is in no list: the idle thread of a processor, or one that ended. */
static void unlisted_thread(struct ds_follow *f, uint32_t parameter, const char *name,
                            struct ds_opt ethread)
{
    const struct ds_processors *cpus = ds_nt_processors(f->nt);
    for (size_t i = 0; i < cpus->count; i++)
        if (cpus->rows[i].idle_thread.known && cpus->rows[i].idle_thread.value == ethread.value) {
            ds_follow_add(f, parameter, name, ethread, "idle thread of processor %u",
                          (unsigned)cpus->rows[i].number);
            return;
        }
    struct ds_target *t = f->nt->target;
    struct ds_opt tid = ds_opt_unknown(DS_NOT_IN_DUMP), pid = tid;
    if (t->kernel != NULL) {
        tid = ds_target_field(t, ethread.value, "_ETHREAD", "Cid.UniqueThread");
        pid = ds_target_field(t, ethread.value, "_ETHREAD", "Cid.UniqueProcess");
    }
    if (tid.known && pid.known && tid.value <= UINT32_MAX && pid.value <= UINT32_MAX)
        ds_follow_add(f, parameter, name, ethread, "tid %llu of pid %llu, not in a thread list",
                      HEX(tid.value), HEX(pid.value));
    else
        ds_follow_add(f, parameter, name, ethread, "not among the threads of the dump");
}

void ds_follow_thread(struct ds_follow *f, uint32_t parameter, const char *name,
                      struct ds_opt ethread)
{
    const struct ds_threads *all = ds_nt_threads(f->nt);
    const struct ds_processes *ps = ds_nt_processes(f->nt);
    const char *process = NULL;
    const struct ds_thread *t = NULL;
    for (size_t i = 0; ethread.known && i < all->count && t == NULL; i++)
        t = all->rows[i].ethread == ethread.value ? &all->rows[i] : NULL;
    for (size_t i = 0; t != NULL && t->eprocess.known && i < ps->count && process == NULL; i++)
        process = ps->rows[i].eprocess == t->eprocess.value ? ps->rows[i].name : NULL;
    if (t != NULL && t->tid.known)
        ds_follow_add(f, parameter, name, ethread, "tid %llu of %s", HEX(t->tid.value),
                      process != NULL ? process : "a process of unknown name");
    else if (ethread.known)
        unlisted_thread(f, parameter, name, ethread);
    else
        ds_follow_add(f, parameter, name, ethread, NULL);
}

void ds_follow_process(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    const struct ds_processes *all = ds_nt_processes(f->nt);
    for (size_t i = 0; i < all->count; i++)
        if (all->rows[i].eprocess == va && all->rows[i].name != NULL) {
            ds_follow_add(f, parameter, "process", ds_opt_known(va), "%s, pid %llu",
                          all->rows[i].name, HEX(ds_opt_or(all->rows[i].pid, 0)));
            return;
        }
    struct ds_target *t = f->nt->target;
    uint64_t name;
    const char *text = NULL;
    if (t->kernel != NULL &&
        ds_target_field_va(t, va, "_EPROCESS", "ImageFileName", &name) == DS_OK)
        text = ds_nt_text(f->nt, name, 15);
    if (text != NULL)
        ds_follow_add(f, parameter, "process", ds_opt_known(va), "%s", text);
    else
        ds_follow_add(f, parameter, "process", ds_opt_unknown(DS_NOT_IN_DUMP),
                      "the process object is not in the dump");
}

void ds_follow_text(struct ds_follow *f, uint32_t parameter, const char *name)
{
    struct ds_target *t = f->nt->target;
    uint64_t va = f->p[parameter - 1];
    const char *text = t->kernel != NULL ? ds_nt_text(f->nt, va, 128) : NULL;
    if (text != NULL)
        ds_follow_add(f, parameter, name, ds_opt_known(va), "%s", text);
    else
        ds_follow_add(f, parameter, name, ds_opt_unknown(DS_NOT_IN_DUMP),
                      "the text is not in the dump");
}

static void unicode_at(struct ds_follow *f, uint32_t parameter, const char *name, uint64_t va,
                       const char *absent)
{
    struct ds_target *t = f->nt->target;
    struct ds_buf b;
    ds_buf_init(&b, 64u << 10);
    enum ds_status status =
        t->kernel != NULL ? ds_space_read_ustr(t->kernel, va, &b, NULL) : t->kernel_why;
    if (status == DS_OK && b.len != 0)
        ds_follow_add(f, parameter, name, ds_opt_known(va), "%s", ds_buf_text(&b));
    else if (absent != NULL)
        ds_follow_add(f, parameter, name, ds_opt_unknown(status != DS_OK ? status : DS_NOT_FOUND),
                      "%s", absent);
    ds_buf_deinit(&b);
}

void ds_follow_unicode(struct ds_follow *f, uint32_t parameter, const char *name, uint64_t va)
{
    unicode_at(f, parameter, name, va, "the text is not in the dump");
}

void ds_follow_exception(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    struct ds_exception e;
    char place[160];
    if (!ds_exception_read(f->nt->target, va, &e)) {
        ds_follow_add(f, parameter, "exception_record", ds_opt_unknown(DS_NOT_IN_DUMP),
                      "the record is not in the dump, or is none");
        return;
    }
    const struct ds_code *code = ds_ntstatus_find(e.code);
    ds_follow_place(f, e.address, place, sizeof(place));
    ds_follow_add(f, parameter, "exception_code", ds_opt_known(e.code), "%s",
                  code != NULL ? code->name : "not a listed status");
    ds_follow_add(f, parameter, "exception_address", ds_opt_known(e.address),
                  place[0] != '\0' ? "%s" : "in no driver%s", place);
    bool memory = e.code == 0xc0000005u || e.code == 0xc0000006u; /* access, in-page I/O */
    if (memory && e.parameter_count >= 2)
        ds_follow_add(f, parameter, "exception_target", ds_opt_known(e.parameters[1]), "%s",
                      e.parameters[0] == 0   ? "was read"
                      : e.parameters[0] == 1 ? "was written"
                      : e.parameters[0] == 8 ? "was executed"
                                             : "was accessed");
    if (e.code == 0xc0000006u && e.parameter_count >= 3) {
        code = ds_ntstatus_find((uint32_t)e.parameters[2]);
        ds_follow_add(f, parameter, "io_status", ds_opt_known(e.parameters[2] & UINT32_MAX),
                      "%s: why the page could not be read", code != NULL ? code->name : "unknown");
    }
}

static void registers(struct ds_follow *f, uint32_t parameter, const struct ds_context *c)
{
    char place[160];
    ds_follow_place(f, c->pc, place, sizeof(place));
    ds_follow_add(f, parameter, "pc", ds_opt_known(c->pc),
                  place[0] != '\0' ? "%s" : "in no driver%s", place);
    ds_follow_add(f, parameter, "sp", ds_opt_known(c->sp), "%s", ds_stack_find(f->nt, c->sp).kind);
}

void ds_follow_context(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    uint8_t raw[3000]; /* what a dump header has room for */
    struct ds_context c;
    size_t size = ds_context_size(f->nt->target->arch);
    enum ds_status status =
        size == 0 || size > sizeof(raw) ? DS_UNSUPPORTED : ds_follow_readable(f, va, raw, size);
    if (status == DS_OK)
        status = ds_context_decode(f->nt->target->arch, raw, size, &c);
    if (status == DS_OK)
        registers(f, parameter, &c);
    else
        ds_follow_add(f, parameter, "context", ds_opt_unknown(status),
                      "the context record is not in the dump, or is none");
}

void ds_follow_trap_frame(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    struct ds_context c;
    struct ds_target *t = f->nt->target;
    enum ds_status status = t->kernel != NULL ? ds_trap_frame_read(t, va, &c) : t->kernel_why;
    if (status == DS_OK)
        registers(f, parameter, &c);
    else
        ds_follow_add(f, parameter, "trap_frame", ds_opt_unknown(status),
                      "the trap frame is not in the dump, or is none");
}

void ds_follow_references(struct ds_follow *f, uint32_t parameter, uint64_t object)
{
    struct ds_target *t = f->nt->target;
    uint64_t body;
    if (t->kernel == NULL || ds_target_field_va(t, 0, "_OBJECT_HEADER", "Body", &body) != DS_OK)
        return;
    struct ds_opt pointers = ds_target_field(t, object - body, "_OBJECT_HEADER", "PointerCount");
    struct ds_opt handles = ds_target_field(t, object - body, "_OBJECT_HEADER", "HandleCount");
    ds_follow_add(f, parameter, "pointer_count", pointers, "%s",
                  !pointers.known               ? "the object is not in the dump"
                  : pointers.value == 0         ? "nobody refers to the object any more"
                  : (int64_t)pointers.value < 0 ? "below zero: dereferenced too often"
                                                : "references to the object");
    if (handles.known)
        ds_follow_add(f, parameter, "handle_count", handles, "handles to the object%s",
                      pointers.known && handles.value > pointers.value
                          ? "; more than references, which cannot be"
                          : "");
}

static void object_type(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    uint64_t name;
    if (ds_target_field_va(f->nt->target, va, "_OBJECT_TYPE", "Name", &name) == DS_OK)
        ds_follow_unicode(f, parameter, "object_type", name);
}

static void file_object(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    uint64_t name;
    if (ds_target_field_va(f->nt->target, va, "_FILE_OBJECT", "FileName", &name) == DS_OK)
        ds_follow_unicode(f, parameter, "file_name", name);
    struct ds_opt device = ds_target_field(f->nt->target, va, "_FILE_OBJECT", "DeviceObject");
    if (device.known)
        ds_follow_device(f, parameter, device.value);
}

static void device_node(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    uint64_t name;
    if (ds_target_field_va(f->nt->target, va, "_DEVICE_NODE", "InstancePath", &name) == DS_OK)
        ds_follow_unicode(f, parameter, "device_instance", name);
    if (ds_target_field_va(f->nt->target, va, "_DEVICE_NODE", "ServiceName", &name) == DS_OK)
        unicode_at(f, parameter, "service", name, NULL);
}

/* The routine that an object calls, which names its driver. */
static void routine(struct ds_follow *f, uint32_t parameter, uint64_t va, const char *type,
                    const char *member, const char *name)
{
    char place[160];
    struct ds_opt at = ds_target_field(f->nt->target, va, type, member);
    if (at.known)
        ds_follow_place(f, at.value, place, sizeof(place));
    ds_follow_add(f, parameter, name, at, "%s",
                  !at.known          ? "the object is not in the dump"
                  : place[0] != '\0' ? place
                                     : "in no driver");
}

static void resource(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    struct ds_target *t = f->nt->target;
    struct ds_opt count = ds_target_field(t, va, "_ERESOURCE", "ActiveCount");
    struct ds_opt owner = ds_target_field(t, va, "_ERESOURCE", "OwnerEntry.OwnerThread");
    ds_follow_add(f, parameter, "active_count", count, "%s",
                  !count.known       ? "the resource is not in the dump"
                  : count.value == 0 ? "nobody holds the resource"
                                     : "the resource is held");
    /* The low two bits are flags (WDD, -locks). */
    if (owner.known && (owner.value & ~UINT64_C(3)) != 0)
        ds_follow_thread(f, parameter, "owner_thread", ds_opt_known(owner.value & ~UINT64_C(3)));
}

static void mutant(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    struct ds_opt owner = ds_target_field(f->nt->target, va, "_KMUTANT", "OwnerThread");
    if (owner.known && owner.value == 0)
        ds_follow_add(f, parameter, "owner_thread", owner, "nobody holds the mutex");
    else
        ds_follow_thread(f, parameter, "owner_thread", owner);
}

static const struct {
    const char *type;
    void (*follow)(struct ds_follow *f, uint32_t parameter, uint64_t va);
} objects[] = {
    {"_CONTEXT", ds_follow_context},
    {"_DEVICE_NODE", device_node},
    {"_DEVICE_OBJECT", ds_follow_device},
    {"_DRIVER_OBJECT", ds_follow_driver},
    {"_EPROCESS", ds_follow_process},
    {"_ERESOURCE", resource},
    {"_EXCEPTION_RECORD", ds_follow_exception},
    {"_FILE_OBJECT", file_object},
    {"_IRP", ds_follow_irp},
    {"_KMUTANT", mutant},
    {"_KPRCB", ds_follow_processor},
    {"_KPROCESS", ds_follow_process},
    {"_KTRAP_FRAME", ds_follow_trap_frame},
    {"_MDL", ds_follow_mdl},
    {"_MMPTE", ds_follow_pte_at},
    {"_OBJECT_TYPE", object_type},
    {"_POOL_HEADER", ds_follow_pool},
};

bool ds_follow_object(struct ds_follow *f, uint32_t parameter, const char *type, uint64_t va)
{
    if (f->nt->target->kernel == NULL || va == 0)
        return true;
    if (strcmp(type, "_KTHREAD") == 0 || strcmp(type, "_ETHREAD") == 0)
        ds_follow_thread(f, parameter, "thread", ds_opt_known(va));
    else if (strcmp(type, "_UNICODE_STRING") == 0)
        ds_follow_unicode(f, parameter, "text", va);
    else if (strcmp(type, "_KDPC") == 0)
        routine(f, parameter, va, type, "DeferredRoutine", "dpc_routine");
    else if (strcmp(type, "_KINTERRUPT") == 0)
        routine(f, parameter, va, type, "ServiceRoutine", "service_routine");
    else if (strcmp(type, "_KAPC") == 0)
        routine(f, parameter, va, type, "KernelRoutine", "apc_routine");
    else {
        for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
            if (strcmp(type, objects[i].type) == 0) {
                objects[i].follow(f, parameter, va);
                return true;
            }
        return false;
    }
    return true;
}
