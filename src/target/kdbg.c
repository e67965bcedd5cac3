/* KDDEBUGGER_DATA64: finding it and reading from it. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "symbols/globals.h"
#include "symbols/kdbg_layout.h"
#include "target/impl.h"

#define HEADER_SIZE 0x18u /* LIST_ENTRY64, OwnerTag, Size */
#define TAG_OFFSET 0x10u
#define SIZE_OFFSET 0x14u
#define SIZE_MIN 0x40u /* below this not even PsLoadedModuleList's neighbours are there */

/* Accepts or refuses the `got` bytes in t->kdbg_bytes. */
static enum ds_status check_block(struct ds_target *t, size_t got)
{
    if (got < HEADER_SIZE) {
        return DS_TRUNCATED;
    }
    if (ds_le32(t->kdbg_bytes + TAG_OFFSET) != DS_KDBG_TAG) {
        return DS_CORRUPT;
    }
    uint32_t stated = ds_le32(t->kdbg_bytes + SIZE_OFFSET);
    if (stated < SIZE_MIN) {
        return DS_CORRUPT;
    }
    t->kdbg_size = stated < got ? stated : got;
    return DS_OK;
}

void ds_kdbg_load_region(struct ds_target *t, const struct ds_region *region, struct ds_opt va)
{
    size_t want = sizeof(t->kdbg_bytes);
    want = region->size < want ? (size_t)region->size : want;
    enum ds_status status = ds_dump_read_file(t->dump, region->offset, t->kdbg_bytes, want);
    if (status == DS_OK) {
        status = check_block(t, want);
    }
    if (status == DS_OK) {
        t->kdbg = va;
        ds_step_add(t, "kdbg", "triage record", DS_OK, va, "", "KDDEBUGGER_DATA64 of 0x%x bytes",
                    (unsigned)t->kdbg_size);
        return;
    }
    ds_step_add(t, "kdbg", "triage record", status, va, "",
                "no KDDEBUGGER_DATA64 at file offset 0x%llx: %s",
                (unsigned long long)region->offset, ds_status_text(status));
}

/* Reads as much of the block as there is, from the front. */
static enum ds_status read_front(struct ds_target *t, uint64_t va, size_t *got)
{
    struct ds_fault fault;
    size_t want = sizeof(t->kdbg_bytes);
    enum ds_status status = ds_space_read(t->kernel, va, t->kdbg_bytes, want, &fault);
    if (status != DS_OK && fault.va - va < want) {
        want = (size_t)(fault.va - va);
        if (want < HEADER_SIZE) {
            return status;
        }
        status = ds_space_read(t->kernel, va, t->kdbg_bytes, want, NULL);
    }
    *got = want;
    return status;
}

void ds_kdbg_load_va(struct ds_target *t, struct ds_opt va, const char *method)
{
    size_t got = 0;
    if (!va.known || va.value == 0) {
        ds_step_add(t, "kdbg", method, va.known ? DS_NOT_FOUND : va.why, va, "",
                    "KdDebuggerDataBlock is not recorded");
        return;
    }
    enum ds_status status = read_front(t, va.value, &got);
    if (status != DS_OK) {
        ds_step_add(t, "kdbg", method, status, va, "", "KdDebuggerDataBlock cannot be read: %s",
                    ds_status_text(status));
        return;
    }
    status = check_block(t, got);
    if (status == DS_OK) {
        t->kdbg = va;
        ds_step_add(t, "kdbg", method, DS_OK, va, "", "KDDEBUGGER_DATA64 of 0x%x bytes",
                    (unsigned)t->kdbg_size);
        return;
    }
    /* x64 since Windows 8 keeps the block encoded while no debugger is there. */
    bool encoded = t->arch == DS_ARCH_X64 && status == DS_CORRUPT;
    ds_step_add(t, "kdbg", method, encoded ? DS_UNSUPPORTED : status, va, "",
                encoded
                    ? "the block has no KDBG tag: encoded (KdpDataBlockEncoded) or overwritten; "
                      "this version does not decode it"
                    : "the block has no KDBG tag");
}

enum ds_status ds_target_kdbg(const struct ds_target *t, const char *member, uint64_t *ret)
{
    struct ds_field f;
    if (!ds_kdbg_field(member, &f) || !ds_range_within(f.offset, f.size, t->kdbg_size)) {
        return DS_NO_FIELD;
    }
    const uint8_t *p = t->kdbg_bytes + f.offset;
    uint64_t value = f.size == 8 ? ds_le64(p) : f.size == 4 ? ds_le32(p) : ds_le16(p);
    if (f.bit_len != 0 && f.bit_len < 64) {
        value = value >> f.bit_pos & (((uint64_t)1 << f.bit_len) - 1);
    }
    if (f.size == 8) {
        if (value == 0) {
            return DS_NOT_FOUND;
        }
        value = t->pointer_size == 4 ? (uint32_t)value : value; /* sign-extended there */
    }
    *ret = value;
    return DS_OK;
}

enum ds_status ds_target_global(const struct ds_target *t, const char *name, uint64_t *va)
{
    struct ds_field f;
    uint32_t rva;
    if (ds_kdbg_field(name, &f) && f.size == 8 && ds_target_kdbg(t, name, va) == DS_OK) {
        return DS_OK;
    }
    if (!t->kernel_base.known) {
        return DS_NO_SYMBOL;
    }
    if (ds_symbols_address(t->symbols, t->kernel_base.value, name, va) == DS_OK) {
        return DS_OK;
    }
    if (ds_globals_find(&t->kernel_id, name, &rva) == DS_OK) {
        *va = t->kernel_base.value + rva;
        return DS_OK;
    }
    return DS_NO_SYMBOL;
}
