/*
 * Offline crash dumps, as firmware writes them after a warm reset: a header, section headers,
 * sections of memory and of processor contexts. Format and names: Microsoft's OfflineCrashDumpUefi,
 * Include/Guid/OfflineDumpHeaders.h and OfflineDumpCpuContext.h. Structures are packed.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "dump/guest_cpu.h"

#define HEADER 56u
#define HEADER_FLAGS 12u
#define HEADER_REQUIRED 44u
#define HEADER_COUNT 52u
#define SECTION 64u
#define SECTION_TYPE 8u
#define SECTION_OFFSET 12u
#define SECTION_SIZE 20u
#define SECTION_INFO 28u
#define SECTIONS_MAX 65536u

#define FLAG_VALID 1u
#define FLAG_NO_ROOM 2u
#define FLAG_PROTECTED 4u

enum { DDR_RANGE = 1, CPU_CONTEXT = 2, DUMP_REASON = 4, SYSTEM_INFORMATION = 5 };

/* PROCESSOR_ARCHITECTURE_* of winnt.h, and what SYSTEM_INFORMATION says. */
#define PROCESSOR_AMD64 9u
#define PROCESSOR_ARM64 12u
#define SYSTEM_ARM64 0u
#define SYSTEM_X64 1u

#define PHYSICAL_END (UINT64_C(1) << 52)
#define CONTEXT_MAX 4096u

struct uefi {
    struct ds_dump *d;
    uint64_t need, lost_pages, lost_pa;
    struct ds_oddity beyond;                   /* ranges beyond what a physical address can be */
    struct ds_oddity unwritten;                /* sections without VALID */
    uint64_t contexts_at, cores, context_size; /* the first CPU_CONTEXT section */
    bool has_reason;
    uint32_t reason[4];
};

bool ds_uefi_probe(const uint8_t *head, size_t have)
{
    return have >= 8 && memcmp(head, "Raw_Dmp!", 8) == 0;
}

static enum ds_status add_range(struct uefi *u, uint64_t pa, uint64_t at, uint64_t size)
{
    struct ds_dump *d = u->d;
    uint64_t end;
    if (pa >= PHYSICAL_END || size > PHYSICAL_END - pa) {
        ds_oddity_add(&u->beyond, pa);
        return DS_OK;
    }
    uint64_t have = ds_dump_captured(d, at, size);
    enum ds_status st = ds_extents_add(&d->phys_map, pa, have, at, false, DS_LIMIT_RUNS);
    if (st == DS_OK)
        st = ds_extents_add(&d->phys_map, pa + have, size - have, 0, true, DS_LIMIT_RUNS);
    if (have < size) {
        if (u->lost_pages == 0)
            u->lost_pa = pa + have;
        u->lost_pages += (size - have + DS_PAGE_SIZE - 1) / DS_PAGE_SIZE;
    }
    d->phys_pages += have / DS_PAGE_SIZE;
    if (ds_add_overflows(at, size, &end))
        end = UINT64_MAX;
    u->need = end > u->need ? end : u->need;
    return st;
}

static void learn_arch(struct uefi *u, const uint8_t *info, uint32_t type)
{
    uint32_t code = type == CPU_CONTEXT ? ds_le16(info) : ds_le32(info + 12);
    uint32_t x64 = type == CPU_CONTEXT ? PROCESSOR_AMD64 : SYSTEM_X64;
    uint32_t arm64 = type == CPU_CONTEXT ? PROCESSOR_ARM64 : SYSTEM_ARM64;
    if (u->d->header.arch == DS_ARCH_UNKNOWN && (code == x64 || code == arm64))
        ds_dump_set_arch(u->d, code == x64 ? DS_ARCH_X64 : DS_ARCH_ARM64);
}

static enum ds_status read_section(struct uefi *u, const uint8_t *s)
{
    const uint8_t *info = s + SECTION_INFO;
    uint64_t at = ds_le64(s + SECTION_OFFSET), size = ds_le64(s + SECTION_SIZE);
    uint32_t type = ds_le32(s + SECTION_TYPE);
    if ((ds_le32(s) & FLAG_VALID) == 0)
        ds_oddity_add(&u->unwritten, at);
    if (type == DDR_RANGE && (ds_le32(s) & FLAG_NO_ROOM) == 0)
        return add_range(u, ds_le64(info), at, size);
    if (type == CPU_CONTEXT && u->contexts_at == 0) {
        u->contexts_at = at;
        u->cores = ds_le32(info + 2);
        u->context_size = ds_le32(info + 6);
        if (u->context_size != 0 && u->cores > size / u->context_size)
            u->cores = size / u->context_size;
    }
    if (type == CPU_CONTEXT || type == SYSTEM_INFORMATION)
        learn_arch(u, info, type);
    for (size_t i = 0; type == DUMP_REASON && i < 4; i++)
        u->reason[i] = ds_le32(info + 4 * i);
    u->has_reason = u->has_reason || type == DUMP_REASON;
    return DS_OK;
}

static enum ds_status read_sections(struct uefi *u, struct ds_err *err)
{
    struct ds_dump *d = u->d;
    uint32_t count = ds_le32(d->raw_header + HEADER_COUNT);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t s[SECTION];
        enum ds_status st =
            i < SECTIONS_MAX
                ? ds_source_read(d->src, HEADER + (uint64_t)i * SECTION, s, SECTION, NULL)
                : DS_LIMIT;
        if (st == DS_OK)
            st = read_section(u, s);
        if (st == DS_TRUNCATED || st == DS_LIMIT) {
            ds_dump_say(d, DS_INTEGRITY_DAMAGE, "uefi.sections", HEADER,
                        "the memory that the missing section headers describe; copy it again",
                        st == DS_LIMIT ? "fewer sections" : "section headers within the file",
                        "%u of %u could be used", (unsigned)i, (unsigned)count);
            return DS_OK;
        }
        if (st != DS_OK)
            return ds_err_set(err, st, "cannot list the memory of the offline dump: %s",
                              ds_status_text(st));
    }
    return DS_OK;
}

static enum ds_status read_contexts(struct uefi *u)
{
    if (u->contexts_at == 0 || u->context_size == 0)
        return DS_OK;
    size_t size = u->context_size < CONTEXT_MAX ? (size_t)u->context_size : CONTEXT_MAX;
    for (uint64_t i = 0; i < u->cores && i < DS_LIMIT_PROCESSORS; i++) {
        uint8_t record[CONTEXT_MAX];
        uint64_t at;
        if (ds_add_overflows(u->contexts_at, i * u->context_size, &at) ||
            ds_source_read(u->d->src, at, record, size, NULL) != DS_OK)
            break;
        enum ds_status st = ds_guest_cpu_add_record(u->d, record, size);
        if (st != DS_OK)
            return st;
    }
    return DS_OK;
}

static void say_flags(struct uefi *u)
{
    struct ds_dump *d = u->d;
    uint32_t flags = ds_le32(d->raw_header + HEADER_FLAGS);
    if ((flags & FLAG_NO_ROOM) != 0)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "uefi.storage", HEADER_FLAGS,
                    "memory that the firmware had no room for; give its storage more room",
                    "room for all of memory", "0x%llx bytes would have been needed",
                    (unsigned long long)ds_le64(d->raw_header + HEADER_REQUIRED));
    else if ((flags & FLAG_VALID) == 0)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "uefi.valid", HEADER_FLAGS,
                    "maybe the last sections: the firmware did not finish", "the flag DUMP_VALID",
                    "flags 0x%x", (unsigned)flags);
    if ((flags & FLAG_PROTECTED) != 0)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "uefi.protected", HEADER_FLAGS,
                    "memory of the hypervisor and the secure kernel: removed or encrypted",
                    "all memory as it was", "flag IS_HYPERV_DATA_PROTECTED");
    if (u->unwritten.count != 0)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "uefi.section_valid", u->unwritten.first,
                    "what should stand in those sections", "the flag DUMP_VALID in every section",
                    "%llu without", (unsigned long long)u->unwritten.count);
    if (u->beyond.count != 0)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "uefi.range", HEADER, "the memory of those ranges",
                    "physical addresses below 2^52", "%llu beyond, the first at 0x%llx",
                    (unsigned long long)u->beyond.count, (unsigned long long)u->beyond.first);
    if (u->has_reason)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "uefi.reason", HEADER,
                    "nothing: it is what the firmware says of why it wrote the dump",
                    "a section with the reason", "parameters 0x%x 0x%x 0x%x 0x%x",
                    (unsigned)u->reason[0], (unsigned)u->reason[1], (unsigned)u->reason[2],
                    (unsigned)u->reason[3]);
}

enum ds_status ds_uefi_open(struct ds_dump *d, struct ds_err *err)
{
    struct uefi u = {.d = d};
    if (d->file_size < HEADER)
        return ds_err_set(err, DS_NOT_DUMP,
                          "a UEFI offline crash dump that ends within its header: copy it again");
    ds_guest_header_init(d, DS_ARCH_UNKNOWN);
    d->kind = DS_DUMP_UEFI;
    d->end_known = true; /* bytes outside of sections are the container's own */
    enum ds_status st = read_sections(&u, err);
    if (st != DS_OK)
        return st;
    st = ds_extents_build(&d->phys_map);
    if (st == DS_OK)
        st = read_contexts(&u);
    if (st != DS_OK)
        return ds_err_set(err, st, "cannot read the offline dump: %s", ds_status_text(st));
    if (d->phys_map.map_count == 0)
        return ds_err_set(err, DS_NOT_DUMP,
                          "a UEFI offline crash dump without memory: none of its %u sections is a "
                          "DDR_RANGE with bytes; copy it again",
                          (unsigned)ds_le32(d->raw_header + HEADER_COUNT));
    say_flags(&u);
    if (u.lost_pages != 0)
        ds_phys_note_short(d, u.need, u.lost_pages, u.lost_pa);
    return DS_OK;
}
