#include "dump/guest_notes.h"

#include <string.h>

#include "base/bytes.h"

#define NT_PRSTATUS 1u

struct notes {
    struct ds_dump *d;
    const uint8_t *data;
    size_t size;
};

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
static bool next_note(const struct notes *e, size_t *at, struct note *ret)
{
    while (e->size - *at >= 12) {
        const uint8_t *n = e->data + *at;
        uint64_t name_size = ds_le32(n), desc_size = ds_le32(n + 4);
        uint64_t desc = 12 + ((name_size + 3) & ~UINT64_C(3));
        uint64_t next = desc + ((desc_size + 3) & ~UINT64_C(3));
        uint64_t left = e->size - *at;
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

static void read_prstatus(const struct notes *e, const struct note *n, struct ds_guest_cpu *c)
{
    if (e->d->header.arch == DS_ARCH_ARM64)
        read_prstatus_arm64(n->desc, n->size, c);
    else if (n->size >= 112 + 27 * 8)
        read_prstatus_x64(n->desc, n->size, c);
    else
        read_prstatus_x86(n->desc, n->size, c);
}

static enum ds_status add_processors(const struct notes *e, bool qemu)
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

bool ds_guest_notes_are_x86(const uint8_t *notes, size_t size)
{
    const struct notes e = {NULL, notes, size};
    struct note n;
    size_t at = 0;
    while (next_note(&e, &at, &n)) {
        if (!n.qemu)
            return n.size == 144;
    }
    return false;
}

enum ds_status ds_guest_notes_add(struct ds_dump *d, const uint8_t *notes, size_t size)
{
    const struct notes e = {d, notes, size};
    enum ds_status st = add_processors(&e, true);
    return st == DS_OK && d->cpu_count == 0 ? add_processors(&e, false) : st;
}
