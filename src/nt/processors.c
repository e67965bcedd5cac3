/* Processors: KiProcessorBlock, an array of pointers to KPRCBs. */
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "nt/impl.h"

#define VENDOR_SIZE 13 /* KPRCB.VendorString: twelve characters of CPUID leaf 0 and a NUL */
#define CONTEXT_MAX 1232u
#define ROW(member) offsetof(struct ds_processor, member)

static const struct ds_member_spec specs[] = {
    {"_KPRCB", "CurrentThread", ROW(current_thread)},
    {"_KPRCB", "IdleThread", ROW(idle_thread)},
    {"_KPRCB", "NextThread", ROW(next_thread)},
    {"_KPRCB", "MHz", ROW(mhz)},
};

/* ARM kernels keep one letter there: the implementer of MIDR (Arm Architecture Reference Manual,
 * MIDR_EL1, bits 31 to 24). */
static const struct {
    char code;
    const char *name;
} implementers[] = {{'A', "Arm"},       {'B', "Broadcom"}, {'C', "Cavium"}, {'F', "Infineon"},
                    {'H', "HiSilicon"}, {'N', "NVIDIA"},   {'P', "APM"},    {'Q', "Qualcomm"},
                    {'S', "Samsung"},   {'V', "Marvell"},  {'a', "Apple"},  {'i', "Intel"},
                    {'m', "Microsoft"}};

struct reader {
    struct ds_nt *nt;
    struct ds_member_set set;
    struct ds_field vendor, context, frame;
    enum ds_status vendor_status, context_status, frame_status;
};

static void reader_init(struct reader *r, struct ds_nt *nt)
{
    const struct ds_target *t = nt->target;
    *r = (struct reader){.nt = nt};
    ds_members_resolve(&r->set, t, specs, sizeof(specs) / sizeof(specs[0]));
    r->vendor_status = ds_target_member(t, "_KPRCB", "VendorString", &r->vendor, NULL);
    r->context_status = ds_target_member(t, "_KPRCB", "Context", &r->context, NULL);
    r->frame_status = ds_target_member(t, "_KPRCB", "ProcessorState.ContextFrame", &r->frame, NULL);
}

static bool read_context(const struct reader *r, uint64_t va, struct ds_context *ret)
{
    const struct ds_target *t = r->nt->target;
    uint8_t raw[CONTEXT_MAX];
    size_t size = ds_context_size(t->arch);
    return size != 0 && size <= sizeof(raw) &&
           ds_space_read(t->kernel, va, raw, size, NULL) == DS_OK &&
           ds_context_decode(t->arch, raw, size, ret) == DS_OK;
}

/* KPRCB.Context points to what the processor saved when it was frozen; older kernels and some
 * writers fill ProcessorState in place instead. */
static void read_contexts(const struct reader *r, struct ds_processor *p)
{
    const struct ds_target *t = r->nt->target;
    const struct ds_dump_cpu *cpu = ds_dump_cpu(t->dump, p->number);
    if (cpu != NULL && cpu->context != NULL &&
        ds_context_decode(t->arch, cpu->context, cpu->context_size, &p->context) == DS_OK) {
        p->has_context = p->from_hypervisor = true;
        p->context_source = "hypervisor";
        return;
    }
    if (r->context_status == DS_OK) {
        struct ds_opt at = ds_target_read_member(r->nt->target, p->prcb.value, &r->context);
        if (at.known && at.value != 0 && read_context(r, at.value, &p->context)) {
            p->has_context = true;
            p->context_source = "KPRCB.Context";
            return;
        }
    }
    if (r->frame_status == DS_OK && read_context(r, p->prcb.value + r->frame.offset, &p->context)) {
        p->has_context = true;
        p->context_source = "KPRCB.ProcessorState";
    }
}

static const char *vendor_of(const struct reader *r, uint64_t prcb)
{
    enum ds_arch arch = r->nt->target->arch;
    if (r->vendor_status != DS_OK) {
        return NULL;
    }
    const char *text = ds_nt_text(r->nt, prcb + r->vendor.offset, VENDOR_SIZE);
    if (text == NULL || (arch != DS_ARCH_ARM && arch != DS_ARCH_ARM64)) {
        return text;
    }
    for (size_t i = 0; i < sizeof(implementers) / sizeof(implementers[0]); i++) {
        if (text[0] == implementers[i].code && text[1] == '\0') {
            return implementers[i].name;
        }
    }
    return text;
}

static void read_processor(const struct reader *r, uint32_t number, struct ds_opt prcb,
                           struct ds_processor *p)
{
    *p = (struct ds_processor){.number = number, .prcb = prcb, .context_source = ""};
    if (!prcb.known) {
        p->current_thread = p->idle_thread = p->next_thread = p->mhz = ds_opt_unknown(prcb.why);
        return;
    }
    ds_members_read(&r->set, r->nt->target, prcb.value, p);
    p->vendor = vendor_of(r, prcb.value);
    read_contexts(r, p);
}

/* The address of the array's element, read; unknown also where it holds no kernel address. */
static struct ds_opt prcb_at(struct ds_nt *nt, uint64_t array, size_t index, uint64_t *stop)
{
    struct ds_target *t = nt->target;
    struct ds_fault fault;
    uint64_t prcb;
    enum ds_status status =
        ds_space_read_ptr(t->kernel, array + index * t->pointer_size, &prcb, &fault);
    if (status != DS_OK) {
        *stop = fault.va;
        return ds_opt_unknown(status);
    }
    *stop = array + index * t->pointer_size;
    return ds_target_is_kernel_va(t, prcb) ? ds_opt_known(prcb) : ds_opt_unknown(DS_CORRUPT);
}

static void set_stop(struct ds_walk *walk, enum ds_status status, uint64_t stop, const char *detail)
{
    walk->complete = false;
    walk->stop_reason = status;
    walk->stop_address = ds_opt_known(stop);
    walk->detail = detail;
}

static void read_array(struct reader *r, uint64_t array, size_t count, bool stated,
                       struct ds_walk *walk)
{
    struct ds_nt *nt = r->nt;
    for (size_t i = 0; i < count; i++) {
        uint64_t stop, raw;
        struct ds_opt prcb = prcb_at(nt, array, i, &stop);
        if (!stated && !prcb.known &&
            ds_space_read_ptr(nt->target->kernel, stop, &raw, NULL) == DS_OK &&
            raw == 0) { /* unused slots are zero */
            return;
        }
        if (!prcb.known) {
            set_stop(walk, prcb.why, stop, "KiProcessorBlock is cut short");
            return;
        }
        read_processor(r, (uint32_t)i, prcb, &nt->processor_rows[nt->processors.count++]);
    }
}

/* Without KiProcessorBlock a triage dump still has the record of the processor that crashed. */
static void read_triage_record(struct reader *r, const struct ds_triage *tr)
{
    struct ds_nt *nt = r->nt;
    if (nt->processors.count != 0 || nt->processor_rows == NULL || !tr->prcb.va.known) {
        return;
    }
    struct ds_opt number = ds_target_field(nt->target, tr->prcb.va.value, "_KPRCB", "Number");
    read_processor(r, (uint32_t)ds_opt_or(number, 0), tr->prcb.va,
                   &nt->processor_rows[nt->processors.count++]);
}

static void fill(struct ds_nt *nt, struct ds_walk *walk)
{
    struct ds_target *t = nt->target;
    struct ds_opt stated = ds_dump_header(t->dump)->processor_count;
    const struct ds_triage *tr = ds_dump_triage(t->dump);
    struct reader r;
    uint64_t array;
    *walk = (struct ds_walk){.table_name = "processors",
                             .complete = true,
                             .stop_address = ds_opt_unknown(DS_OK),
                             .detail = ""};
    size_t most = DS_ROWS_MAX(struct ds_processor, DS_LIMIT_PROCESSORS);
    size_t count = ds_opt_or(stated, most) < most ? (size_t)stated.value : most;
    nt->processor_rows = ds_alloc_array(count != 0 ? count : 1, sizeof(*nt->processor_rows));
    if (nt->processor_rows == NULL) {
        *walk = ds_walk_none("processors", DS_NO_MEMORY, "");
        return;
    }
    reader_init(&r, nt);
    if (ds_target_global(t, "KiProcessorBlock", &array) != DS_OK) {
        *walk = ds_walk_none("processors", DS_NO_SYMBOL, "KiProcessorBlock is not known");
    } else {
        read_array(&r, array, count, stated.known, walk);
    }
    if (tr != NULL) {
        read_triage_record(&r, tr);
    }
    if (walk->complete && ds_opt_or(stated, count) != count) {
        set_stop(walk, DS_LIMIT, array, "the header states more processors than are kept");
    }
}

const struct ds_processors *ds_nt_processors(struct ds_nt *nt)
{
    struct ds_walk walk;
    if (nt->have_processors) {
        return &nt->processors;
    }
    nt->have_processors = true;
    if (nt->target->kernel == NULL) {
        walk = ds_walk_none("processors", nt->target->kernel_why, nt->target->kernel_why_text);
    } else {
        fill(nt, &walk);
    }
    walk.rows = nt->processors.count;
    nt->processors.walk = walk;
    nt->processors.rows = nt->processor_rows;
    return &nt->processors;
}
