/*
 * ELF cores of guest machines, as QEMU's dump-guest-memory, libvirt and Proxmox write them.
 * Format: the System V ABI's ELF chapters (headers, PT_LOAD, PT_NOTE); QEMU's note is struct
 * QEMUCPUState of the public target/i386/arch_dump.c; NT_PRSTATUS is struct elf_prstatus.
 * Oddities that real files show: class 64 with an i386 machine, e_ehsize 8, more than 65534
 * program headers, sizes that are no multiple of a page.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "dump/guest_cpu.h"

#define ET_CORE 4u
#define EM_386 3u
#define EM_X86_64 62u
#define EM_AARCH64 183u
#define PN_XNUM 0xffffu
#define PT_LOAD 1u
#define PT_NOTE 4u
#define NT_PRSTATUS 1u

/* All notes of a machine with the most processors fit many times over. */
#define NOTES_MAX (16u << 20)

struct elf {
    struct ds_dump *d;
    bool class64;
    uint16_t machine;
    uint64_t ph_offset;
    uint32_t ph_count, ph_size;
    uint64_t pages, lost_pages, lost_pa, need; /* sums over PT_LOAD */
    uint64_t at_zero;                          /* PT_LOADs of physical address 0 */
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
    e->at_zero += s->paddr == 0;
    if (size > UINT64_MAX - s->paddr)
        size = UINT64_MAX - s->paddr;
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
    if (size > NOTES_MAX)
        size = NOTES_MAX;
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

/* ---- notes ---- */

/* One QEMUCPUState: version, size, 16 registers in QEMU's order, rip, rflags, ten segments of 24
 * bytes {selector, limit, flags, pad, base}, cr0 to cr4, and the other GS base. */
#define QEMU_GENERAL 8u
#define QEMU_RIP 136u
#define QEMU_SEGMENTS 152u
#define QEMU_CR 392u
#define QEMU_KERNEL_GS 432u

static void read_qemu(const uint8_t *p, size_t size, struct ds_guest_cpu *c)
{
    /* QEMU: rax rbx rcx rdx rsi rdi rsp rbp r8 to r15; where each goes. */
    static const uint8_t place[] = {0, 3, 1, 2, 6, 7, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};
    uint16_t *segments[] = {&c->cs, &c->ds, &c->es, &c->fs, &c->gs, &c->ss};
    if (size < QEMU_CR + 40)
        return;
    for (size_t i = 0; i < 16; i++)
        c->general[place[i]] = ds_le64(p + QEMU_GENERAL + 8 * i);
    c->pc = ds_le64(p + QEMU_RIP);
    c->flags = ds_le64(p + QEMU_RIP + 8);
    c->sp = c->general[4];
    for (size_t i = 0; i < 6; i++)
        *segments[i] = ds_le16(p + QEMU_SEGMENTS + 24 * i);
    c->cpu.fs_base = ds_opt_known(ds_le64(p + QEMU_SEGMENTS + 24 * 3 + 16));
    c->cpu.gs_base = ds_opt_known(ds_le64(p + QEMU_SEGMENTS + 24 * 4 + 16));
    c->cpu.idt_base = ds_opt_known(ds_le64(p + QEMU_SEGMENTS + 24 * 9 + 16));
    c->cpu.cr3 = ds_opt_known(ds_le64(p + QEMU_CR + 8 * 3));
    c->cpu.cr4 = ds_opt_known(ds_le64(p + QEMU_CR + 8 * 4));
    if (size >= QEMU_KERNEL_GS + 8)
        c->cpu.kernel_gs_base = ds_opt_known(ds_le64(p + QEMU_KERNEL_GS));
    c->has_registers = true;
}

/* elf_prstatus.pr_reg: 112 bytes in on 64-bit systems, 72 on 32-bit ones. */
static void read_prstatus_x64(const uint8_t *p, size_t size, struct ds_guest_cpu *c)
{
    /* r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi */
    static const uint8_t place[] = {15, 14, 13, 12, 5, 3, 11, 10, 9, 8, 0, 1, 2, 6, 7};
    if (size < 112 + 27 * 8)
        return;
    p += 112;
    for (size_t i = 0; i < 15; i++)
        c->general[place[i]] = ds_le64(p + 8 * i);
    c->pc = ds_le64(p + 16 * 8);
    c->cs = ds_le16(p + 17 * 8);
    c->flags = ds_le64(p + 18 * 8);
    c->general[4] = c->sp = ds_le64(p + 19 * 8);
    c->ss = ds_le16(p + 20 * 8);
    c->ds = ds_le16(p + 23 * 8);
    c->es = ds_le16(p + 24 * 8);
    c->fs = ds_le16(p + 25 * 8);
    c->gs = ds_le16(p + 26 * 8);
    c->has_registers = true;
}

static void read_prstatus_x86(const uint8_t *p, size_t size, struct ds_guest_cpu *c)
{
    /* ebx ecx edx esi edi ebp eax */
    static const uint8_t place[] = {3, 1, 2, 6, 7, 5, 0};
    if (size < 72 + 17 * 4)
        return;
    p += 72;
    for (size_t i = 0; i < 7; i++)
        c->general[place[i]] = ds_le32(p + 4 * i);
    c->ds = ds_le16(p + 28);
    c->es = ds_le16(p + 32);
    c->fs = ds_le16(p + 36);
    c->gs = ds_le16(p + 40);
    c->pc = ds_le32(p + 48);
    c->cs = ds_le16(p + 52);
    c->flags = ds_le32(p + 56);
    c->general[4] = c->sp = ds_le32(p + 60);
    c->ss = ds_le16(p + 64);
    c->has_registers = true;
}

static void read_prstatus_arm64(const uint8_t *p, size_t size, struct ds_guest_cpu *c)
{
    if (size < 112 + 34 * 8)
        return;
    p += 112;
    for (size_t i = 0; i < 31; i++)
        c->general[i] = ds_le64(p + 8 * i);
    c->sp = ds_le64(p + 31 * 8);
    c->pc = ds_le64(p + 32 * 8);
    c->flags = ds_le64(p + 33 * 8);
    c->has_registers = true;
}

struct note {
    bool qemu;
    const uint8_t *desc;
    size_t size;
};

/* The next note that tells of a processor; false at the end or where the notes stop making sense.
 */
static bool next_note(const struct elf *e, size_t *at, struct note *ret)
{
    while (e->notes_size - *at >= 12) {
        const uint8_t *n = e->notes + *at;
        uint64_t name_size = ds_le32(n), desc_size = ds_le32(n + 4);
        uint64_t desc = 12 + ((name_size + 3) & ~UINT64_C(3));
        uint64_t next = desc + ((desc_size + 3) & ~UINT64_C(3));
        uint64_t left = e->notes_size - *at;
        if (desc > left || desc_size > left - desc)
            return false;
        *at += next < left ? (size_t)next : (size_t)left;
        bool qemu = name_size >= 4 && memcmp(n + 12, "QEMU", 4) == 0;
        bool core = name_size >= 4 && memcmp(n + 12, "CORE", 4) == 0;
        if (qemu || (core && ds_le32(n + 8) == NT_PRSTATUS)) {
            *ret = (struct note){qemu, n + desc, (size_t)desc_size};
            return true;
        }
    }
    return false;
}

static void read_prstatus(const struct elf *e, const struct note *n, struct ds_guest_cpu *c)
{
    if (e->d->header.arch == DS_ARCH_ARM64)
        read_prstatus_arm64(n->desc, n->size, c);
    else if (n->size >= 112 + 27 * 8)
        read_prstatus_x64(n->desc, n->size, c);
    else
        read_prstatus_x86(n->desc, n->size, c);
}

/* QEMU's own notes say more; where there are none, the portable ones must do. */
static enum ds_status add_processors(struct elf *e, bool qemu)
{
    struct note n;
    size_t at = 0;
    enum ds_status st = DS_OK;
    while (st == DS_OK && next_note(e, &at, &n)) {
        struct ds_guest_cpu c = {0};
        if (n.qemu != qemu)
            continue;
        if (qemu)
            read_qemu(n.desc, n.size, &c);
        else
            read_prstatus(e, &n, &c);
        if (c.has_registers)
            st = ds_guest_cpu_add(e->d, &c);
    }
    return st == DS_LIMIT ? DS_OK : st;
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
        st = add_processors(&e, true);
    if (st == DS_OK && d->cpu_count == 0)
        st = add_processors(&e, false);
    if (st != DS_OK)
        return ds_err_set(err, st, "cannot read the ELF core: %s", ds_status_text(st));
    if (d->phys_map.piece_count == 0)
        return ds_err_set(err, DS_NOT_DUMP,
                          "an ELF core without memory: none of its %u program headers is a "
                          "PT_LOAD with bytes; dump the guest again",
                          (unsigned)e.ph_count);
    if (e.at_zero > 1)
        return ds_err_set(err, DS_NOT_DUMP,
                          "not a Windows kernel dump: this is an ELF core of a process (%llu "
                          "segments have no physical address); give the dump of a guest machine",
                          (unsigned long long)e.at_zero);
    d->phys_pages = e.pages;
    if (e.lost_pages != 0)
        ds_phys_note_short(d, e.need, e.lost_pages, e.lost_pa);
    if (d->cpu_count == 0)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "elf.processor_notes", e.notes_offset,
                    "registers of the processors; the kernel is looked for in memory",
                    "a note for each processor", "%u bytes of notes, none of a processor",
                    (unsigned)e.notes_size);
    return DS_OK;
}
