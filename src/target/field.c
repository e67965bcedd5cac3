/* Members of kernel structures: which source tells where they lie, and reading them. */
#include <string.h>

#include "target/impl.h"

struct kdbg_member {
    const char *kdbg, *type, *member;
    uint8_t size; /* bytes of the member; 0 = a pointer */
};

/* The members whose offsets the kernel writes into KDDEBUGGER_DATA64 (wdbgexts.h). */
static const struct kdbg_member members[] = {
    {"OffsetKThreadTeb", "_KTHREAD", "Teb", 0},
    {"OffsetKThreadKernelStack", "_KTHREAD", "KernelStack", 0},
    {"OffsetKThreadInitialStack", "_KTHREAD", "InitialStack", 0},
    {"OffsetKThreadApcProcess", "_KTHREAD", "ApcState.Process", 0},
    {"OffsetKThreadState", "_KTHREAD", "State", 1},
    {"OffsetKThreadStackLimit", "_KTHREAD", "StackLimit", 0},
    {"OffsetKThreadStackBase", "_KTHREAD", "StackBase", 0},
    {"OffsetKThreadWaitReason", "_KTHREAD", "WaitReason", 1},
    {"OffsetEprocessPeb", "_EPROCESS", "Peb", 0},
    {"OffsetEprocessParentCID", "_EPROCESS", "InheritedFromUniqueProcessId", 0},
    {"OffsetEprocessDirectoryTableBase", "_KPROCESS", "DirectoryTableBase", 0},
    {"OffsetPrcbCurrentThread", "_KPRCB", "CurrentThread", 0},
    {"OffsetPrcbIdleThread", "_KPRCB", "IdleThread", 0},
    {"OffsetPrcbMhz", "_KPRCB", "MHz", 4},
    {"OffsetPrcbNumber", "_KPRCB", "Number", 4},
    {"OffsetPrcbContext", "_KPRCB", "Context", 0},
    {"OffsetPrcbProcStateContext", "_KPRCB", "ProcessorState.ContextFrame", 4},
    {"OffsetPrcbVendorString", "_KPRCB", "VendorString", 4},
    {"OffsetPrcbDpcStack", "_KPRCB", "DpcStack", 0},
    {"OffsetPrcbIsrStack", "_KPRCB", "IsrStack", 0},
};

static const struct {
    const char *kdbg, *type;
} sizes[] = {{"SizeEProcess", "_EPROCESS"}, {"SizeEThread", "_ETHREAD"}, {"SizePrcb", "_KPRCB"}};

static bool from_kdbg(const struct ds_target *t, const char *type, const char *member,
                      struct ds_field *ret)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const struct kdbg_member *m = &members[i];
        uint64_t offset;
        if (strcmp(m->type, type) == 0 && strcmp(m->member, member) == 0) {
            if (ds_target_kdbg(t, m->kdbg, &offset) != DS_OK || offset == 0) {
                return false;
            }
            *ret = (struct ds_field){.offset = (uint32_t)offset,
                                     .size = m->size == 0 ? t->pointer_size : m->size};
            return true;
        }
    }
    return false;
}

/* Structures that are rearranged from build to build; the others have been still for long. */
static bool moves(const char *type)
{
    static const char *const types[] = {"_EPROCESS", "_KPROCESS", "_ETHREAD", "_KTHREAD", "_KPRCB"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i], type) == 0) {
            return true;
        }
    }
    return false;
}

enum ds_status ds_target_member(const struct ds_target *t, const char *type, const char *member,
                                struct ds_field *ret, const char **source)
{
    struct ds_field told;
    bool in_layout = t->layout != NULL && ds_layout_field(t->layout, type, member, ret) == DS_OK;
    const char *from = "layout";
    if (in_layout && t->layout_unproven && moves(type)) {
        in_layout = false;
    }
    if (in_layout && ds_layout_trust(t->layout) == DS_TRUST_SYMBOLS) {
        from = "symbols";
    } else if (from_kdbg(t, type, member, &told)) {
        if (in_layout) { /* the block tells the offset only: the kind of member stays */
            ret->offset = told.offset;
        } else {
            *ret = told;
        }
        from = "kdbg";
    } else if (!in_layout) {
        return DS_NO_FIELD;
    }
    if (source != NULL) {
        *source = from;
    }
    return DS_OK;
}

enum ds_status ds_target_size(const struct ds_target *t, const char *type, uint32_t *ret)
{
    uint64_t told;
    if (t->layout != NULL && ds_layout_trust(t->layout) == DS_TRUST_SYMBOLS &&
        ds_layout_size(t->layout, type, ret) == DS_OK) {
        return DS_OK;
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (strcmp(sizes[i].type, type) == 0 && ds_target_kdbg(t, sizes[i].kdbg, &told) == DS_OK &&
            told != 0) {
            *ret = (uint32_t)told;
            return DS_OK;
        }
    }
    if (t->layout == NULL || (t->layout_unproven && moves(type))) {
        return DS_NO_FIELD;
    }
    return ds_layout_size(t->layout, type, ret);
}

struct ds_opt ds_target_read_member(const struct ds_target *t, uint64_t va,
                                    const struct ds_field *f)
{
    struct ds_fault fault;
    uint64_t value;
    if (f->size != 1 && f->size != 2 && f->size != 4 && f->size != 8) {
        return ds_opt_unknown(DS_NO_FIELD);
    }
    if (t->kernel == NULL) {
        return ds_opt_unknown(DS_NOT_IN_DUMP);
    }
    if (va > UINT64_MAX - f->offset) {
        return ds_opt_unknown(DS_NOT_MAPPED);
    }
    enum ds_status status = ds_space_read_uint(t->kernel, va + f->offset, f->size, &value, &fault);
    if (status != DS_OK) {
        return ds_opt_unknown(status);
    }
    unsigned bits = f->size * 8;
    if (f->bit_len != 0 && (unsigned)f->bit_pos + f->bit_len <= bits) {
        bits = f->bit_len;
        value >>= f->bit_pos;
    }
    if (bits < 64) {
        uint64_t mask = ((uint64_t)1 << bits) - 1;
        value &= mask;
        if (f->is_signed && (value >> (bits - 1) & 1) != 0) {
            value |= ~mask;
        }
    }
    return ds_opt_known(value);
}

struct ds_opt ds_target_field(const struct ds_target *t, uint64_t va, const char *type,
                              const char *member)
{
    struct ds_field f;
    enum ds_status status = ds_target_member(t, type, member, &f, NULL);
    return status == DS_OK ? ds_target_read_member(t, va, &f) : ds_opt_unknown(status);
}

enum ds_status ds_target_field_va(const struct ds_target *t, uint64_t va, const char *type,
                                  const char *member, uint64_t *ret)
{
    struct ds_field f;
    enum ds_status status = ds_target_member(t, type, member, &f, NULL);
    if (status != DS_OK) {
        return status;
    }
    *ret = va + f.offset;
    return DS_OK;
}

static void compare(struct ds_agreement *a, const char *name, uint64_t told, uint64_t layout)
{
    if (told == layout) {
        a->agree++;
    } else {
        a->differ++;
        a->first_differing = a->first_differing == NULL ? name : a->first_differing;
    }
}

struct ds_agreement ds_layout_agreement(const struct ds_target *t, const struct ds_layout *l)
{
    struct ds_agreement a = {0, 0, NULL};
    uint64_t told;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct ds_field f;
        if (ds_target_kdbg(t, members[i].kdbg, &told) == DS_OK && told != 0 &&
            ds_layout_field(l, members[i].type, members[i].member, &f) == DS_OK) {
            compare(&a, members[i].kdbg, told, f.offset);
        }
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint32_t size;
        if (ds_target_kdbg(t, sizes[i].kdbg, &told) == DS_OK && told != 0 &&
            ds_layout_size(l, sizes[i].type, &size) == DS_OK && size != 0) {
            compare(&a, sizes[i].kdbg, told, size);
        }
    }
    return a;
}
