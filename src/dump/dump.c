/* Opening, dispatch by type, and the accessors. */
#include "dump/dump.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "dump/impl.h"
#include "dump/vmware.h"

struct ds_integrity_note *ds_dump_note(struct ds_dump *d, enum ds_integrity_level level,
                                       const char *check, uint64_t offset)
{
    return ds_integrity_add(&d->integrity, level, check, offset);
}

void ds_dump_say(struct ds_dump *d, enum ds_integrity_level level, const char *check,
                 uint64_t offset, const char *lost, const char *expected, const char *found, ...)
{
    struct ds_integrity_note *n = ds_dump_note(d, level, check, offset);
    if (n == NULL)
        return;
    ds_integrity_lost(n, "%s", lost);
    ds_integrity_expected(n, "%s", expected);
    va_list ap;
    va_start(ap, found);
    (void)vsnprintf(n->found, sizeof(n->found), found, ap);
    va_end(ap);
}

void ds_oddity_add(struct ds_oddity *o, uint64_t offset)
{
    if (o->count++ == 0)
        o->first = offset;
}

uint64_t ds_dump_captured(const struct ds_dump *d, uint64_t off, uint64_t len)
{
    if (off >= d->file_size)
        return 0;
    return len < d->file_size - off ? len : d->file_size - off;
}

static struct ds_opt uint_of(enum ds_status st, const uint8_t *b, unsigned size)
{
    if (st != DS_OK)
        return ds_opt_unknown(st);
    switch (size) {
    case 1:
        return ds_opt_known(b[0]);
    case 2:
        return ds_opt_known(ds_le16(b));
    case 4:
        return ds_opt_known(ds_le32(b));
    default:
        return ds_opt_known(ds_le64(b));
    }
}

struct ds_opt ds_dump_file_uint(struct ds_dump *d, uint64_t off, unsigned size)
{
    uint8_t b[8];
    return uint_of(ds_source_read(d->src, off, b, size, NULL), b, size);
}

struct ds_opt ds_dump_virt_uint(struct ds_dump *d, uint64_t va, unsigned size)
{
    uint8_t b[8];
    return uint_of(ds_dump_read_virt(d, va, b, size, NULL), b, size);
}

unsigned ds_dump_pointer_size(const struct ds_dump *d)
{
    return d->header.is64 ? 8 : 4;
}

uint64_t ds_dump_va(const struct ds_dump *d, uint64_t va)
{
    return d->header.is64 ? va : va & UINT32_MAX;
}

/* Which form the file has, by its two signature words or by one of them and a known machine. */
static bool recognise(struct ds_dump *d, const uint8_t *head, size_t have)
{
    if (have < 8)
        return false;
    bool page = memcmp(head, "PAGE", 4) == 0;
    bool du64 = memcmp(head + 4, "DU64", 4) == 0;
    bool dump = memcmp(head + 4, "DUMP", 4) == 0;
    enum ds_arch a64 = have >= 0x34 ? ds_arch_from_machine(ds_le32(head + 0x30)) : 0;
    enum ds_arch a32 = have >= 0x24 ? ds_arch_from_machine(ds_le32(head + 0x20)) : 0;
    bool is64 = a64 == DS_ARCH_X64 || a64 == DS_ARCH_ARM64;
    bool is32 = a32 == DS_ARCH_X86 || a32 == DS_ARCH_ARM;
    d->header.is64 = du64 || (!dump && is64);
    if (page && (du64 || dump))
        return true;
    /* One word damaged: the other and the machine field must agree. */
    return (du64 && is64) || (dump && is32) || (page && (is64 || is32));
}

/* Header only, or damaged: nothing but the header can be used. */
static void open_as_damaged(struct ds_dump *d, uint64_t offset, const char *check,
                            const char *expected, const char *found, const char *lost)
{
    d->kind = DS_DUMP_DAMAGED;
    struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_FATAL, check, offset);
    ds_integrity_expected(n, "%s", expected);
    ds_integrity_found(n, "%s", found);
    ds_integrity_lost(n, "%s", lost);
}

static uint64_t type_offset(const struct ds_dump *d)
{
    return d->header.is64 ? 0xf98 : 0xf88;
}

/*
 * The type that the body shows where the stated one is missing, unknown or contradicted. 0 when
 * the body shows none.
 */
static uint32_t sniff_type(struct ds_dump *d, uint32_t stated)
{
    if (stated == 4 ? ds_triage_sniff(d) : (stated == 5 || stated == 6) && ds_bitmap_sniff(d))
        return stated;
    if (ds_triage_sniff(d))
        return 4;
    if (stated >= 8 && stated <= 10 && ds_range_sniff(d) != 0)
        return stated;
    /* A type 2 body opens with the same signature, but has other fields behind it. */
    if (ds_bitmap_sniff(d) && !ds_bitmap_plausible(d) && ds_summary_plausible(d))
        return 2;
    if (ds_bitmap_sniff(d) && (stated != 2 || ds_bitmap_plausible(d))) {
        struct ds_opt tag = ds_dump_file_uint(d, d->header.body_offset, 4);
        return tag.known && tag.value == 0x504d4446 ? 5 : 6; /* 'FDMP' : 'SDMP' */
    }
    return stated == 2 ? 0 : ds_range_sniff(d);
}

static void note_type(struct ds_dump *d, uint32_t shown)
{
    struct ds_integrity_note *n =
        ds_dump_note(d, DS_INTEGRITY_DAMAGE, "header.dump_type", type_offset(d));
    ds_integrity_expected(n, "DumpType %u, as the body shows", (unsigned)shown);
    struct ds_opt t = d->header.dump_type;
    if (t.known)
        ds_integrity_found(n, "DumpType 0x%llx", (unsigned long long)t.value);
    else
        ds_integrity_found(n, "no DumpType");
    ds_integrity_lost(n, "the header's word for the type of dump; the body was read by what it is");
}

/* Named refusals of the types that exist but are not readable here. */
static enum ds_status refuse_type(struct ds_dump *d, uint32_t type, struct ds_err *err)
{
    const char *what, *advice;
    switch (type) {
    case 7:
        what = "marked as an automatic dump (DumpType 7, a reserved value; those are written as 6)";
        advice = "check the copy: the body is no bitmap dump";
        break;
    case 8:
    case 9:
    case 10:
        what = "a 32-bit kernel range dump written by WinDbg (.dump /k, /ka or /f; DumpType 8, 9 "
               "or 10), whose form is not publicly documented";
        advice = "convert it in WinDbg with .dump /m, or analyse the machine's own MEMORY.DMP";
        break;
    default:
        return ds_err_set(err, DS_UNSUPPORTED,
                          "Windows kernel dump of unknown DumpType 0x%x (file offset 0x%llx): "
                          "check the copy, or open it with WinDbg",
                          (unsigned)type, (unsigned long long)type_offset(d));
    }
    return ds_err_set(err, DS_UNSUPPORTED, "Windows kernel dump, but %s: %s", what, advice);
}

static enum ds_status open_form32(struct ds_dump *d, uint32_t type, struct ds_err *err)
{
    switch (type) {
    case 1:
        return ds_full_open(d, err);
    case 2:
    case 5:
    case 6:
        return ds_summary_open(d, type, err);
    case 3:
        d->kind = DS_DUMP_HEADER_ONLY;
        d->end_known = d->file_size <= d->header.body_offset;
        return DS_OK;
    case 4:
        return ds_triage_open(d, err);
    default:
        return refuse_type(d, type, err);
    }
}

static enum ds_status open_form64(struct ds_dump *d, uint32_t type, struct ds_err *err)
{
    switch (type) {
    case 1:
        return ds_full_open(d, err);
    case 2:
        return ds_summary_open(d, type, err);
    case 3:
        d->kind = DS_DUMP_HEADER_ONLY;
        d->end_known = d->file_size <= d->header.body_offset;
        return DS_OK;
    case 4:
        return ds_triage_open(d, err);
    case 5:
    case 6:
        return ds_bitmap_open(d, err);
    case 8:
    case 9:
    case 10:
        return ds_range_open(d, type, err);
    default:
        return refuse_type(d, type, err);
    }
}

static enum ds_status open_body(struct ds_dump *d, struct ds_err *err)
{
    struct ds_opt t = d->header.dump_type;
    if (d->file_size <= d->header.body_offset && !(t.known && t.value == 3)) {
        d->kind = DS_DUMP_DAMAGED;
        struct ds_integrity_note *n =
            ds_dump_note(d, DS_INTEGRITY_FATAL, "file.truncated", d->file_size);
        ds_integrity_expected(n, "a header of 0x%llx bytes and a body",
                              (unsigned long long)d->header.body_offset);
        ds_integrity_found(n, "0x%llx bytes in all", (unsigned long long)d->file_size);
        ds_integrity_lost(n, "everything behind the header: drivers, stacks, memory; header fields "
                             "before the cut can be trusted; copy the file again");
        return DS_OK;
    }
    uint32_t type = t.known ? (uint32_t)t.value : 0;
    /* A full or header-only dump has no mark of its own: only a plain triage mark overrules. */
    uint32_t shown = sniff_type(d, type);
    if (shown != 0 && shown != type) {
        note_type(d, shown);
        type = shown;
    } else if (!t.known) {
        open_as_damaged(d, type_offset(d), "header.dump_type", "DumpType 1 to 6 or 8 to 10",
                        "no DumpType",
                        "the body: nothing says how to read it; the other header "
                        "fields can be trusted");
        return DS_OK;
    }
    return d->header.is64 ? open_form64(d, type, err) : open_form32(d, type, err);
}

static enum ds_status open_dump(struct ds_dump *d, struct ds_err *err)
{
    d->raw_header = calloc(1, DS_HEADER64_SIZE);
    if (d->raw_header == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    size_t have;
    enum ds_status st = ds_source_read_some(d->src, 0, d->raw_header, DS_HEADER64_SIZE, &have, err);
    if (st != DS_OK)
        return st;
    if (ds_vmware_probe(d->raw_header, have))
        return ds_vmware_open(d, d->src, NULL, err);
    if (ds_elf_probe(d->raw_header, have))
        return ds_elf_open(d, err);
    if (ds_uefi_probe(d->raw_header, have))
        return ds_uefi_open(d, err);
    if (ds_kdump_probe(d->raw_header, have))
        return ds_kdump_open(d, err);
    if (!recognise(d, d->raw_header, have))
        return ds_probe_refuse(d->src, d->raw_header, have, err);
    ds_header_decode(d, have);
    ds_header_check(d);
    return open_body(d, err);
}

enum ds_status ds_dump_open(struct ds_source *src, struct ds_dump **ret, struct ds_err *err)
{
    return ds_dump_open_with(src, NULL, ret, err);
}

bool ds_dump_is_unmarked(struct ds_source *src)
{
    uint8_t head[DS_PROBE_HEAD];
    size_t have;
    return ds_source_read_some(src, 0, head, sizeof(head), &have, NULL) == DS_OK &&
           ds_probe_unmarked(head, have);
}

enum ds_status ds_dump_open_with(struct ds_source *src, const struct ds_dump_options *options,
                                 struct ds_dump **ret, struct ds_err *err)
{
    struct ds_dump *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    d->src = src;
    d->file_size = src->size;
    bool raw = options != NULL && options->raw;
    enum ds_status st = raw ? ds_raw_open(d, options->hole, err) : open_dump(d, err);
    if (st == DS_OK && src->damage != NULL)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "archive.damaged", d->file_size,
                    "what the archive would have held from there on; fetch it again",
                    "an archive that is whole", "%s", src->damage);
    if (st != DS_OK) {
        ds_dump_release(d);
        return st;
    }
    *ret = d;
    return DS_OK;
}

bool ds_dump_is_vmware_state(struct ds_source *src)
{
    uint8_t head[16];
    size_t have;
    return ds_source_read_some(src, 0, head, sizeof(head), &have, NULL) == DS_OK &&
           ds_vmware_probe(head, have);
}

enum ds_status ds_dump_open_vmware(struct ds_source *state, struct ds_source *memory,
                                   struct ds_dump **ret, struct ds_err *err)
{
    struct ds_dump *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    d->src = state;
    d->file_size = state->size;
    enum ds_status st = ds_vmware_open(d, state, memory, err);
    if (st != DS_OK) {
        ds_dump_release(d);
        return st;
    }
    d->beside = d->src == state ? memory : state;
    *ret = d;
    return DS_OK;
}

void ds_dump_release(struct ds_dump *d)
{
    d->src = d->beside = NULL; /* stay the caller's */
    ds_dump_close(d);
}

void ds_dump_close(struct ds_dump *d)
{
    if (d == NULL)
        return;
    ds_source_close(d->pages);
    ds_source_close(d->src);
    ds_source_close(d->beside);
    free(d->raw_header);
    free(d->virt);
    free(d->bitmap.bits);
    free(d->bitmap.rank);
    free(d->runs);
    free(d->blobs);
    ds_extents_deinit(&d->virt_map);
    ds_extents_deinit(&d->phys_map);
    ds_integrity_deinit(&d->integrity);
    ds_arena_deinit(&d->arena);
    free(d);
}

static const struct {
    const char *name, *text;
} kinds[] = {
    [DS_DUMP_UNKNOWN] = {"unknown", "Unknown Dump File"},
    [DS_DUMP_FULL] = {"full", "Kernel Complete Dump File: Full address space is available"},
    [DS_DUMP_HEADER_ONLY] = {"header", "Kernel Dump File: Only the header is available"},
    [DS_DUMP_TRIAGE] = {"triage",
                        "Mini Kernel Dump File: Only registers and stack trace are available"},
    [DS_DUMP_BITMAP_FULL] = {"bitmap-full",
                             "Kernel Bitmap Dump File: Full address space is available"},
    [DS_DUMP_BITMAP_KERNEL] = {"bitmap-kernel",
                               "Kernel Bitmap Dump File: Kernel address space is available, User "
                               "address space may not be available."},
    [DS_DUMP_SUMMARY] = {"summary",
                         "Kernel Summary Dump File: Only kernel address space is available"},
    [DS_DUMP_RANGE_KERNEL] = {"range-kernel",
                              "Kernel Range Dump File: Only kernel address space is available"},
    [DS_DUMP_RANGE_KERNEL_USER] = {"range-kernel-user",
                                   "Kernel Range Dump File: Kernel and user address space are "
                                   "available"},
    [DS_DUMP_RANGE_FULL] = {"range-full",
                            "Kernel Range Dump File: Full address space is available"},
    [DS_DUMP_ELF] = {"elf", "Guest Memory (ELF core of a hypervisor): all of the guest's memory"},
    [DS_DUMP_KDUMP] = {"kdump",
                       "Guest Memory (kdump-compressed, of a hypervisor): all pages that it lists"},
    [DS_DUMP_VMWARE] = {"vmware", "Guest Memory (VMware): all of the guest's memory"},
    [DS_DUMP_UEFI] = {"uefi", "UEFI Offline Dump: all memory that the firmware wrote"},
    [DS_DUMP_RAW] = {"raw", "Raw Physical Memory: Full address space is available"},
    [DS_DUMP_DAMAGED] = {"damaged", "Damaged Kernel Dump File: Only the header is available"},
};

const char *ds_dump_kind_name(enum ds_dump_kind kind)
{
    return (size_t)kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind].name : "unknown";
}

const char *ds_dump_kind_text(enum ds_dump_kind kind)
{
    return (size_t)kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind].text : kinds[0].text;
}

enum ds_dump_kind ds_dump_kind(const struct ds_dump *d)
{
    return d->kind;
}

const struct ds_dump_header *ds_dump_header(const struct ds_dump *d)
{
    return &d->header;
}

struct ds_dump_header *ds_dump_header_to_fill(struct ds_dump *d)
{
    return d->guest ? &d->header : NULL;
}

struct ds_integrity *ds_dump_integrity(struct ds_dump *d)
{
    return &d->integrity;
}

uint64_t ds_dump_file_size(const struct ds_dump *d)
{
    return d->file_size;
}

const struct ds_triage *ds_dump_triage(const struct ds_dump *d)
{
    return d->kind == DS_DUMP_TRIAGE ? &d->triage : NULL;
}

size_t ds_dump_blob_count(const struct ds_dump *d)
{
    return d->blob_count;
}

const struct ds_blob *ds_dump_blob(const struct ds_dump *d, size_t index)
{
    return index < d->blob_count ? &d->blobs[index] : NULL;
}

size_t ds_dump_cpu_count(const struct ds_dump *d)
{
    return d->cpu_count;
}

const struct ds_dump_cpu *ds_dump_cpu(const struct ds_dump *d, size_t index)
{
    return index < d->cpu_count ? &d->cpus[index] : NULL;
}

void ds_dump_set_arch(struct ds_dump *d, enum ds_arch arch)
{
    d->header.arch = arch;
    d->header.is64 = ds_arch_pointer_size(arch) == 8;
}

uint64_t ds_dump_leftover_bytes(const struct ds_dump *d)
{
    return d->leftover;
}

bool ds_dump_leftover_known(const struct ds_dump *d)
{
    return d->end_known;
}

uint64_t ds_dump_leftover_offset(const struct ds_dump *d)
{
    return d->leftover != 0 ? d->leftover_offset : d->file_size;
}

struct ds_opt ds_dump_blobs_offset(const struct ds_dump *d)
{
    return d->blobs_offset;
}

enum ds_status ds_dump_read_file(struct ds_dump *d, uint64_t off, void *buf, size_t len)
{
    return ds_source_read(d->src, off, buf, len, NULL);
}
