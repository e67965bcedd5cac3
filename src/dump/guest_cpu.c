#include "dump/guest_cpu.h"

#include <string.h>

#include "base/bytes.h"

/*
 * Where CONTEXT keeps its registers: winnt.h, CONTEXT of AMD64, I386 and ARM64. The flag words
 * name the architecture and say that control and integer registers are valid.
 */
#define X64_SIZE 0x4d0u
#define X64_FLAGS 0x100003u
#define X86_SIZE 0x2ccu
#define X86_FLAGS 0x10003u
#define SEGMENTS_FLAG 4u
#define ARM64_SIZE 0x390u
#define ARM64_FLAGS 0x400003u

static void put_x64(uint8_t *p, const struct ds_guest_cpu *c)
{
    const uint16_t segments[] = {c->cs, c->ds, c->es, c->fs, c->gs, c->ss};
    ds_put_le32(p + 0x30, X64_FLAGS | (c->cs != 0 ? SEGMENTS_FLAG : 0));
    for (size_t i = 0; i < 6; i++)
        ds_put_le16(p + 0x38 + 2 * i, segments[i]);
    ds_put_le32(p + 0x44, (uint32_t)c->flags);
    for (size_t i = 0; i < 16; i++)
        ds_put_le64(p + 0x78 + 8 * i, c->general[i]);
    ds_put_le64(p + 0xf8, c->pc);
}

static void put_x86(uint8_t *p, const struct ds_guest_cpu *c)
{
    /* Offset of each register of the encoding's order: eax ecx edx ebx esp ebp esi edi. */
    static const uint16_t at[] = {0xb0, 0xac, 0xa8, 0xa4, 0xc4, 0xb4, 0xa0, 0x9c};
    ds_put_le32(p, X86_FLAGS | (c->cs != 0 ? SEGMENTS_FLAG : 0));
    for (size_t i = 0; i < 8; i++)
        ds_put_le32(p + at[i], (uint32_t)c->general[i]);
    ds_put_le32(p + 0x8c, c->gs);
    ds_put_le32(p + 0x90, c->fs);
    ds_put_le32(p + 0x94, c->es);
    ds_put_le32(p + 0x98, c->ds);
    ds_put_le32(p + 0xb8, (uint32_t)c->pc);
    ds_put_le32(p + 0xbc, c->cs);
    ds_put_le32(p + 0xc0, (uint32_t)c->flags);
    ds_put_le32(p + 0xc8, c->ss);
}

static void put_arm64(uint8_t *p, const struct ds_guest_cpu *c)
{
    ds_put_le32(p, ARM64_FLAGS);
    ds_put_le32(p + 4, (uint32_t)c->flags);
    for (size_t i = 0; i < 31; i++)
        ds_put_le64(p + 8 + 8 * i, c->general[i]);
    ds_put_le64(p + 0x100, c->sp);
    ds_put_le64(p + 0x108, c->pc);
}

size_t ds_guest_context_put(enum ds_arch arch, const struct ds_guest_cpu *c, uint8_t *record,
                            size_t room)
{
    size_t size = arch == DS_ARCH_X64     ? X64_SIZE
                  : arch == DS_ARCH_X86   ? X86_SIZE
                  : arch == DS_ARCH_ARM64 ? ARM64_SIZE
                                          : 0;
    if (size == 0 || size > room)
        return 0;
    memset(record, 0, size);
    if (arch == DS_ARCH_X64)
        put_x64(record, c);
    else if (arch == DS_ARCH_X86)
        put_x86(record, c);
    else
        put_arm64(record, c);
    return size;
}

static enum ds_status make_context(struct ds_dump *d, const struct ds_guest_cpu *c,
                                   struct ds_dump_cpu *to)
{
    uint8_t record[X64_SIZE];
    size_t size = ds_guest_context_put(d->header.arch, c, record, sizeof(record));
    if (size == 0)
        return DS_OK;
    uint8_t *copy = ds_arena_alloc(&d->arena, size, 1);
    if (copy == NULL)
        return DS_NO_MEMORY;
    memcpy(copy, record, size);
    to->context = copy;
    to->context_size = size;
    return DS_OK;
}

static enum ds_status make_room(struct ds_dump *d)
{
    if (d->cpus == NULL)
        d->cpus = ds_arena_alloc(&d->arena, DS_LIMIT_PROCESSORS, sizeof(*d->cpus));
    if (d->cpus == NULL)
        return DS_NO_MEMORY;
    return d->cpu_count < DS_LIMIT_PROCESSORS ? DS_OK : DS_LIMIT;
}

enum ds_status ds_guest_cpu_add_record(struct ds_dump *d, const uint8_t *record, size_t size)
{
    bool x64 = d->header.arch == DS_ARCH_X64;
    enum ds_status st = make_room(d);
    if (st != DS_OK)
        return st;
    struct ds_dump_cpu cpu = {.number = (uint32_t)d->cpu_count};
    if ((x64 || d->header.arch == DS_ARCH_ARM64) && size >= (x64 ? X64_SIZE : ARM64_SIZE)) {
        uint8_t *copy = ds_arena_alloc(&d->arena, size, 1);
        if (copy == NULL)
            return DS_NO_MEMORY;
        memcpy(copy, record, size);
        cpu.context = copy;
        cpu.context_size = size;
        cpu.pc = ds_opt_known(ds_le64(record + (x64 ? 0xf8 : 0x108)));
        cpu.sp = ds_opt_known(ds_le64(record + (x64 ? 0x98 : 0x100)));
    }
    d->cpus[d->cpu_count++] = cpu;
    return DS_OK;
}

enum ds_status ds_guest_cpu_add(struct ds_dump *d, const struct ds_guest_cpu *c)
{
    enum ds_status st = make_room(d);
    if (st != DS_OK)
        return st;
    struct ds_dump_cpu cpu = c->cpu;
    cpu.number = (uint32_t)d->cpu_count;
    if (c->has_registers) {
        cpu.pc = ds_opt_known(c->pc);
        cpu.sp = ds_opt_known(d->header.arch == DS_ARCH_ARM64 ? c->sp : c->general[4]);
        st = make_context(d, c, &cpu);
        if (st != DS_OK)
            return st;
    }
    d->cpus[d->cpu_count++] = cpu;
    return DS_OK;
}

void ds_guest_header_init(struct ds_dump *d, enum ds_arch arch)
{
    d->guest = true;
    d->header = (struct ds_dump_header){.arch = arch, .is64 = ds_arch_pointer_size(arch) == 8};
}
