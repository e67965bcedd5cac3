/* KDDEBUGGER_DATA64: finding it and reading from it. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"
#include "symbols/globals.h"
#include "symbols/kdbg_layout.h"
#include "symbols/pe_section.h"
#include "target/impl.h"
#include "target/scan.h"

#define HEADER_SIZE 0x18u /* LIST_ENTRY64, OwnerTag, Size */
#define TAG_OFFSET 0x10u
#define SIZE_OFFSET 0x14u
#define LISTS_OFFSET 0x48u /* PsLoadedModuleList, PsActiveProcessHead */
#define SIZE_MIN 0x40u     /* below this not even PsLoadedModuleList's neighbours are there */

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

/* KernBase as the block has it; 0 when it is too short for it. */
static uint64_t kern_base(const struct ds_target *t)
{
    uint64_t base;
    return ds_target_kdbg(t, "KernBase", &base) == DS_OK ? base : 0;
}

static bool list_holds(const struct ds_target *t, uint64_t head)
{
    uint64_t first, back;
    return ds_space_read_ptr(t->kernel, head, &first, NULL) == DS_OK &&
           ds_space_read_ptr(t->kernel, first + t->pointer_size, &back, NULL) == DS_OK &&
           back == head;
}

/* What of the block can be checked: it names the kernel's image, and a list that is one. */
static const char *trust_of(const struct ds_target *t)
{
    uint64_t head, base = kern_base(t);
    if (base == 0 || (t->kernel_base.known && t->kernel_base.value != base)) {
        return "unverified";
    }
    if (ds_target_kdbg(t, "PsLoadedModuleList", &head) == DS_OK && list_holds(t, head)) {
        return "verified";
    }
    return "likely";
}

static void accept(struct ds_target *t, uint64_t va, const char *method, const char *how)
{
    t->kdbg = ds_opt_known(va);
    ds_step_add(t, "kdbg", method, DS_OK, t->kdbg, trust_of(t), "KDDEBUGGER_DATA64 of 0x%x bytes%s",
                (unsigned)t->kdbg_size, how);
}

/* ---- encoded ---- */

/* An image begins at that KernBase, and the block's two lists lie in it. */
static bool base_holds(void *arg, const struct ds_kdbg_cipher *c, uint64_t base)
{
    struct ds_target *t = arg;
    uint8_t lists[16];
    struct ds_pe pe;
    base = t->pointer_size == 4 ? (uint32_t)base : base;
    memcpy(lists, t->kdbg_bytes + LISTS_OFFSET, sizeof(lists));
    ds_kdbg_decode(c, lists, sizeof(lists));
    for (size_t i = 0; i < 16; i += 8) {
        uint64_t head = t->pointer_size == 4 ? ds_le32(lists + i) : ds_le64(lists + i);
        if (head - base >= DS_LIMIT_KERNEL_SCAN) {
            return false;
        }
    }
    return ds_target_is_kernel_va(t, base) && ds_pe_read(t->kernel, base, &pe, NULL) == DS_OK;
}

/* KernBase is known: as the block may hold it, zero- or sign-extended. */
static bool solve_known(struct ds_target *t, uint64_t base, struct ds_kdbg_cipher *c)
{
    uint64_t word10 = ds_le64(t->kdbg_bytes + TAG_OFFSET);
    uint64_t word18 = ds_le64(t->kdbg_bytes + HEADER_SIZE);
    return ds_kdbg_solve(word10, word18, base, c) ||
           (t->pointer_size == 4 && ds_kdbg_solve(word10, word18, base | 0xffffffff00000000u, c));
}

/* Decodes the `got` bytes in t->kdbg_bytes, which have no tag. */
static bool decode_block(struct ds_target *t, size_t got)
{
    if (got < LISTS_OFFSET + 16) {
        return false;
    }
    bool solved = t->kernel_base.known
                      ? solve_known(t, t->kernel_base.value, &t->kdbg_cipher)
                      : ds_kdbg_solve_blind(t->kdbg_bytes, base_holds, t, &t->kdbg_cipher);
    if (!solved) {
        return false;
    }
    t->kdbg_encoded = true;
    ds_kdbg_decode(&t->kdbg_cipher, t->kdbg_bytes, got);
    return check_block(t, got) == DS_OK;
}

bool ds_kdbg_load_va(struct ds_target *t, struct ds_opt va, const char *method)
{
    size_t got = 0;
    if (!va.known || va.value == 0) {
        ds_step_add(t, "kdbg", method, va.known || va.why == DS_OK ? DS_NOT_FOUND : va.why, va, "",
                    "KdDebuggerDataBlock is not recorded");
        return false;
    }
    enum ds_status status = read_front(t, va.value, &got);
    if (status != DS_OK) {
        ds_step_add(t, "kdbg", method, status, va, "", "KdDebuggerDataBlock cannot be read: %s",
                    ds_status_text(status));
        return false;
    }
    status = check_block(t, got);
    if (status == DS_OK) {
        accept(t, va.value, method, "");
        return true;
    }
    if (status == DS_CORRUPT && decode_block(t, got)) {
        accept(t, va.value, method, ", decoded: its own header gives the key away");
        return true;
    }
    ds_step_add(t, "kdbg", method, status, va, "",
                t->kernel_base.known
                    ? "the block has no KDBG tag, and does not decode to one with this kernel's "
                      "base: overwritten, or another address"
                    : "the block has no KDBG tag: encoded or overwritten");
    return false;
}

/* ---- by search ---- */

struct kdbg_scan {
    struct ds_target *t;
    bool encoded; /* look for encoded blocks */
    uint64_t va;  /* found; 0 = not */
    uint64_t base, base_extended;
};

static bool looks_encoded(const struct kdbg_scan *s, uint64_t word10, uint64_t word18)
{
    struct ds_kdbg_cipher c;
    return ds_kdbg_solve(word10, word18, s->base, &c) ||
           (s->base_extended != s->base && ds_kdbg_solve(word10, word18, s->base_extended, &c));
}

/* A block may begin at any multiple of 8; its header must lie in what is shown. */
static bool scan_page(void *arg, uint64_t va, const uint8_t *page, size_t len)
{
    struct kdbg_scan *s = arg;
    for (size_t at = 0; at < DS_SCAN_PAGE && at + 0x20 <= len; at += 8) {
        uint64_t word10 = ds_le64(page + at + 0x10), word18 = ds_le64(page + at + 0x18);
        bool holds = s->encoded ? word10 != word18 && looks_encoded(s, word10, word18)
                                : ds_kdbg_header_holds(word10) &&
                                      (word18 == s->base || word18 == s->base_extended);
        if (holds && ds_kdbg_load_va(s->t, ds_opt_known(va + at), "kernel image scan")) {
            s->va = va + at;
            return false;
        }
    }
    return true;
}

/* Data first: there it is, and there is little of it. */
static enum ds_status scan_sections(struct ds_target *t, struct kdbg_scan *s)
{
    struct ds_pe_section sections[DS_PE_SECTIONS_MAX];
    size_t count = 0;
    enum ds_status status = DS_OK;
    if (ds_pe_sections(t->kernel, s->base, sections, &count) != DS_OK) {
        return ds_scan_virtual(t->kernel, s->base, t->kernel_pe.size_of_image, scan_page, s);
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count && s->va == 0; i++) {
            bool data = sections[i].writable && !sections[i].executable;
            if (data == (pass == 0)) {
                enum ds_status one = ds_scan_virtual(t->kernel, s->base + sections[i].rva,
                                                     sections[i].size, scan_page, s);
                status = one != DS_OK ? one : status;
            }
        }
    }
    return status;
}

static void scan_image(struct ds_target *t)
{
    struct kdbg_scan s = {.t = t, .base = t->kernel_base.value};
    s.base_extended = t->pointer_size == 4 ? s.base | 0xffffffff00000000u : s.base;
    enum ds_status status = scan_sections(t, &s);
    if (s.va == 0) {
        s.encoded = true;
        enum ds_status again = scan_sections(t, &s);
        status = again != DS_OK ? again : status;
    }
    if (s.va == 0) {
        ds_step_add(t, "kdbg", "kernel image scan", status == DS_OK ? DS_NOT_FOUND : status,
                    ds_opt_unknown(DS_NOT_FOUND), "",
                    "no block, plain or encoded, in what was captured of the kernel's image");
    }
}

void ds_boot_kdbg_late(struct ds_target *t)
{
    uint64_t va;
    struct ds_opt header = ds_dump_header(t->dump)->kd_debugger_data_block;
    if (t->kdbg_size != 0 || !t->kernel_base.known || t->option.kdbg.known) {
        return;
    }
    /* What the header's address holds may decode now that the kernel's base is known. */
    size_t got;
    bool tried = header.known && read_front(t, header.value, &got) == DS_OK &&
                 ds_kdbg_load_va(t, header, "header");
    if (!tried && ds_target_global(t, "KdDebuggerDataBlock", &va) == DS_OK &&
        !(header.known && header.value == va)) {
        tried = ds_kdbg_load_va(t, ds_opt_known(va), "symbols");
    }
    if (!tried && t->kernel_pe_known) {
        scan_image(t);
    }
}

/* The kernel's own keys must come to what the block gave away. */
void ds_boot_kdbg_keys(struct ds_target *t)
{
    uint64_t never_va, always_va, flag_va, never, always;
    if (!t->kdbg_encoded) {
        return;
    }
    if (ds_target_global(t, "KiWaitNever", &never_va) != DS_OK ||
        ds_target_global(t, "KiWaitAlways", &always_va) != DS_OK ||
        ds_target_global(t, "KdpDataBlockEncoded", &flag_va) != DS_OK) {
        ds_step_add(t, "kdbg", "keys", DS_NO_SYMBOL, ds_opt_unknown(DS_NO_SYMBOL), "",
                    "KiWaitNever and KiWaitAlways are not known: the block was decoded without");
        return;
    }
    struct ds_fault fault;
    if (ds_space_read_uint(t->kernel, never_va, 8, &never, &fault) != DS_OK ||
        ds_space_read_uint(t->kernel, always_va, 8, &always, &fault) != DS_OK) {
        ds_step_add(t, "kdbg", "keys", fault.status, ds_opt_known(fault.va), "",
                    "KiWaitNever and KiWaitAlways cannot be read: the block was decoded without");
        return;
    }
    struct ds_kdbg_cipher c = ds_kdbg_cipher_of_keys(never, always, flag_va);
    bool same = c.rotation == t->kdbg_cipher.rotation && c.key == t->kdbg_cipher.key;
    ds_step_add(t, "kdbg", "keys", same ? DS_OK : DS_CORRUPT, ds_opt_known(never_va),
                same ? "verified" : "unverified",
                same ? "KiWaitNever and KiWaitAlways decode the block as well"
                     : "KiWaitNever and KiWaitAlways do not decode the block as its header does");
}

/* An override that can be read is used even when nothing bears it out. */
void ds_boot_kdbg_option(struct ds_target *t)
{
    size_t got = 0;
    struct ds_opt va = t->option.kdbg;
    if (!va.known || ds_kdbg_load_va(t, va, "option")) {
        return;
    }
    bool used = va.value != 0 && read_front(t, va.value, &got) == DS_OK;
    ds_boot_warn_option(t, "option.kdbg", va.value, "a KDDEBUGGER_DATA64 with the tag KDBG",
                        used ? "it is used all the same: globals and structure offsets may be wrong"
                             : "it cannot be read: the block is looked for elsewhere");
    if (used) {
        t->kdbg = va;
        t->kdbg_size = got < DS_KDBG_MAX ? got : DS_KDBG_MAX;
        ds_step_add(t, "kdbg", "option", DS_OK, va, "unverified",
                    "used without a tag, as the option says");
    }
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
    /* wdbgexts.h spells one member another way than the symbol. */
    const char *member = strcmp(name, "KiBugCheckData") == 0 ? "KiBugcheckData" : name;
    if (ds_kdbg_field(member, &f) && f.size == 8 && ds_target_kdbg(t, member, va) == DS_OK) {
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
    for (size_t i = 0; i < t->found_count; i++) {
        if (strcmp(t->found[i].name, name) == 0) {
            *va = t->found[i].va;
            return DS_OK;
        }
    }
    return DS_NO_SYMBOL;
}
