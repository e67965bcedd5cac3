/*
 * ELF cores of guest machines, as QEMU's dump-guest-memory, libvirt and Proxmox write them.
 * Format: the System V ABI's ELF chapters (headers, PT_LOAD, PT_NOTE).
 * Oddities that real files show: class 64 with an i386 machine, e_ehsize 8, more than 65534
 * program headers, sizes that are no multiple of a page.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "dump/guest_notes.h"

#define ET_CORE 4u
#define EM_386 3u
#define EM_X86_64 62u
#define EM_AARCH64 183u
#define PN_XNUM 0xffffu
#define PT_LOAD 1u
#define PT_NOTE 4u
#define PHYSICAL_END (UINT64_C(1) << 52) /* no processor has more address bits */

struct elf {
    struct ds_dump *d;
    bool class64;
    uint16_t machine;
    uint64_t ph_offset;
    uint32_t ph_count, ph_size;
    uint64_t pages, lost_pages, lost_pa, need; /* sums over PT_LOAD */
    uint64_t loads, at_zero;                   /* PT_LOADs with bytes; of physical address 0 */
    struct ds_oddity beyond;                   /* PT_LOADs beyond what a physical address can be */
    uint8_t *notes;                            /* arena */
    size_t notes_size;
    uint64_t notes_offset;
};

struct segment {
    uint32_t type;
    uint64_t offset, vaddr, paddr, filesz;
};

bool ds_elf_probe(const uint8_t *head, size_t have)
{
    return have >= 20 &&
           memcmp(head,
                  "\x7f"
                  "ELF",
                  4) == 0 &&
           (head[4] == 1 || head[4] == 2) && head[5] == 1 && ds_le16(head + 16) == ET_CORE &&
           (ds_le16(head + 18) == EM_386 || ds_le16(head + 18) == EM_X86_64 ||
            ds_le16(head + 18) == EM_AARCH64);
}

static enum ds_status read_head(struct elf *e, struct ds_err *err)
{
    const uint8_t *h = e->d->raw_header;
    e->class64 = h[4] == 2;
    e->machine = ds_le16(h + 18);
    e->ph_offset = e->class64 ? ds_le64(h + 32) : ds_le32(h + 28);
    e->ph_size = ds_le16(h + (e->class64 ? 54 : 42));
    e->ph_count = ds_le16(h + (e->class64 ? 56 : 44));
    uint64_t sections = e->class64 ? ds_le64(h + 40) : ds_le32(h + 32);
    /* Too many for the field: the first section header's sh_info says how many. */
    if (e->ph_count == PN_XNUM && sections != 0) {
        uint8_t b[4];
        uint64_t at;
        if (!ds_add_overflows(sections, e->class64 ? 44 : 28, &at) &&
            ds_source_read(e->d->src, at, b, 4, NULL) == DS_OK)
            e->ph_count = ds_le32(b);
    }
    if (e->ph_size < (e->class64 ? 56 : 32) || e->ph_count == 0)
        return ds_err_set(err, DS_NOT_DUMP,
                          "an ELF core without usable program headers (%u of %u bytes at file "
                          "offset 0x%llx): nothing says where memory stands; dump the guest again",
                          (unsigned)e->ph_count, (unsigned)e->ph_size,
                          (unsigned long long)e->ph_offset);
    return DS_OK;
}

static enum ds_status read_segment(const struct elf *e, uint32_t index, struct segment *ret)
{
    uint8_t b[56];
    uint64_t at;
    if (ds_add_overflows(e->ph_offset, (uint64_t)index * e->ph_size, &at))
        return DS_TRUNCATED;
    enum ds_status st = ds_source_read(e->d->src, at, b, e->class64 ? 56 : 32, NULL);
    if (st != DS_OK)
        return st;
    if (e->class64)
        *ret = (struct segment){ds_le32(b), ds_le64(b + 8), ds_le64(b + 16), ds_le64(b + 24),
                                ds_le64(b + 32)};
    else
        *ret = (struct segment){ds_le32(b), ds_le32(b + 4), ds_le32(b + 8), ds_le32(b + 12),
                                ds_le32(b + 16)};
    return DS_OK;
}

static enum ds_status add_load(struct elf *e, const struct segment *s)
{
    struct ds_dump *d = e->d;
    uint64_t end;
    uint64_t size = s->filesz;
    if (size == 0)
        return DS_OK;
    e->loads++;
    e->at_zero += s->paddr == 0;
    if (s->paddr >= PHYSICAL_END || size > PHYSICAL_END - s->paddr) {
        ds_oddity_add(&e->beyond, s->paddr);
        return DS_OK;
    }
    uint64_t have = ds_dump_captured(d, s->offset, size);
    enum ds_status st =
        ds_extents_add(&d->phys_map, s->paddr, have, s->offset, false, DS_LIMIT_RUNS);
    if (st == DS_OK)
        st = ds_extents_add(&d->phys_map, s->paddr + have, size - have, 0, true, DS_LIMIT_RUNS);
    if (have < size) {
        if (e->lost_pages == 0)
            e->lost_pa = s->paddr + have;
        e->lost_pages += (size - have + DS_PAGE_SIZE - 1) / DS_PAGE_SIZE;
    }
    e->pages += have / DS_PAGE_SIZE;
    if (ds_add_overflows(s->offset, size, &end))
        end = UINT64_MAX;
    if (end > e->need)
        e->need = end;
    return st;
}

static enum ds_status read_notes(struct elf *e, const struct segment *s)
{
    struct ds_dump *d = e->d;
    uint64_t size = ds_dump_captured(d, s->offset, s->filesz);
    if (size < s->filesz && e->notes == NULL)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "elf.notes", s->offset,
                    "registers of processors whose notes lie behind the end of the file",
                    "notes within the file", "%llu of their %llu bytes are there",
                    (unsigned long long)size, (unsigned long long)s->filesz);
    if (size > DS_GUEST_NOTES_MAX)
        size = DS_GUEST_NOTES_MAX;
    if (size == 0 || e->notes != NULL)
        return DS_OK;
    e->notes = ds_arena_alloc(&d->arena, size, 1);
    if (e->notes == NULL)
        return DS_NO_MEMORY;
    e->notes_offset = s->offset;
    enum ds_status st = ds_source_read(d->src, s->offset, e->notes, (size_t)size, NULL);
    e->notes_size = st == DS_OK ? (size_t)size : 0;
    return DS_OK;
}

/* Class 64 with EM_386 is a 32-bit guest with memory up to 4 GiB; the class decides nothing. */
static enum ds_arch guest_arch(const struct elf *e)
{
    if (e->machine == EM_AARCH64)
        return DS_ARCH_ARM64;
    if (e->machine == EM_X86_64)
        return DS_ARCH_X64;
    return DS_ARCH_X86;
}

static enum ds_status read_segments(struct elf *e, struct ds_err *err)
{
    for (uint32_t i = 0; i < e->ph_count; i++) {
        struct segment s;
        enum ds_status st = read_segment(e, i, &s);
        if (st == DS_TRUNCATED) {
            ds_dump_say(e->d, DS_INTEGRITY_DAMAGE, "elf.program_headers", e->ph_offset,
                        "the memory that the missing ones describe; copy the file again",
                        "program headers within the file", "%u of %u are there", (unsigned)i,
                        (unsigned)e->ph_count);
            break;
        }
        if (st == DS_OK && s.type == PT_LOAD)
            st = add_load(e, &s);
        else if (st == DS_OK && s.type == PT_NOTE)
            st = read_notes(e, &s);
        if (st == DS_LIMIT) {
            ds_dump_say(e->d, DS_INTEGRITY_DAMAGE, "elf.segment_limit", e->ph_offset,
                        "the memory of the segments beyond the limit", "fewer memory segments",
                        "more than %u", DS_LIMIT_RUNS);
            break;
        }
        if (st != DS_OK)
            return ds_err_set(err, st, "cannot list the memory of the ELF core: %s",
                              ds_status_text(st));
    }
    return DS_OK;
}

static enum ds_status refuse_empty(const struct elf *e, struct ds_err *err)
{
    if (e->ph_offset >= e->d->file_size)
        return ds_err_set(err, DS_NOT_DUMP,
                          "an ELF core whose %u program headers lie at file offset 0x%llx, behind "
                          "the end of the file (0x%llx bytes): copy it again",
                          (unsigned)e->ph_count, (unsigned long long)e->ph_offset,
                          (unsigned long long)e->d->file_size);
    return ds_err_set(err, DS_NOT_DUMP,
                      "an ELF core without memory: none of its %u program headers is a "
                      "PT_LOAD with bytes; dump the guest again",
                      (unsigned)e->ph_count);
}

static void note_beyond(const struct elf *e)
{
    if (e->beyond.count != 0)
        ds_dump_say(e->d, DS_INTEGRITY_DAMAGE, "elf.segment", e->ph_offset,
                    "the memory of those segments", "physical addresses below 2^52",
                    "%llu beyond, the first at 0x%llx", (unsigned long long)e->beyond.count,
                    (unsigned long long)e->beyond.first);
}

enum ds_status ds_elf_open(struct ds_dump *d, struct ds_err *err)
{
    struct elf e = {.d = d};
    enum ds_status st = read_head(&e, err);
    if (st != DS_OK)
        return st;
    ds_guest_header_init(d, guest_arch(&e));
    d->kind = DS_DUMP_ELF;
    d->end_known = true; /* bytes outside of segments are the container's own */
    st = read_segments(&e, err);
    if (st != DS_OK)
        return st;
    st = ds_extents_build(&d->phys_map);
    if (st == DS_OK)
        st = ds_guest_notes_add(d, e.notes, e.notes_size);
    if (st != DS_OK)
        return ds_err_set(err, st, "cannot read the ELF core: %s", ds_status_text(st));
    if (d->phys_map.piece_count == 0)
        return refuse_empty(&e, err);
    /* A guest's page 0 may be mapped twice, in a dump of what is mapped. */
    if (e.at_zero > 1 && e.at_zero == e.loads)
        return ds_err_set(err, DS_NOT_DUMP,
                          "not a Windows kernel dump: this is an ELF core of a process (%llu "
                          "segments have no physical address); give the dump of a guest machine",
                          (unsigned long long)e.at_zero);
    d->phys_pages = e.pages;
    note_beyond(&e);
    if (e.lost_pages != 0)
        ds_phys_note_short(d, e.need, e.lost_pages, e.lost_pa);
    if (d->cpu_count == 0)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "elf.processor_notes", e.notes_offset,
                    "registers of the processors; the kernel is looked for in memory",
                    "a note for each processor", "%u bytes of notes, none of a processor",
                    (unsigned)e.notes_size);
    return DS_OK;
}
