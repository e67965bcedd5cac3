#include "dump/guest_cpu.h"

#include "base/bytes.h"

/*
 * Where CONTEXT keeps its registers: winnt.h, CONTEXT of AMD64, I386 and ARM64. The flag words
 * name the architecture and say that control, integer (and segment) registers are valid.
 */
#define X64_SIZE 0x4d0u
#define X64_FLAGS 0x100007u
#define X86_SIZE 0x2ccu
#define X86_FLAGS 0x10007u
#define ARM64_SIZE 0x390u
#define ARM64_FLAGS 0x400003u

static void put_x64(uint8_t *p, const struct ds_guest_cpu *c)
{
    const uint16_t segments[] = {c->cs, c->ds, c->es, c->fs, c->gs, c->ss};
    ds_put_le32(p + 0x30, X64_FLAGS);
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
    ds_put_le32(p, X86_FLAGS);
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

static enum ds_status make_context(struct ds_dump *d, const struct ds_guest_cpu *c,
                                   struct ds_dump_cpu *to)
{
    size_t size;
    void (*put)(uint8_t *, const struct ds_guest_cpu *);
    switch (d->header.arch) {
    case DS_ARCH_X64:
        size = X64_SIZE;
        put = put_x64;
        break;
    case DS_ARCH_X86:
        size = X86_SIZE;
        put = put_x86;
        break;
    case DS_ARCH_ARM64:
        size = ARM64_SIZE;
        put = put_arm64;
        break;
    default:
        return DS_OK;
    }
    uint8_t *record = ds_arena_alloc(&d->arena, size, 1);
    if (record == NULL)
        return DS_NO_MEMORY;
    put(record, c);
    to->context = record;
    to->context_size = size;
    return DS_OK;
}

enum ds_status ds_guest_cpu_add(struct ds_dump *d, const struct ds_guest_cpu *c)
{
    if (d->cpus == NULL) {
        d->cpus = ds_arena_alloc(&d->arena, DS_LIMIT_PROCESSORS, sizeof(*d->cpus));
        if (d->cpus == NULL)
            return DS_NO_MEMORY;
    }
    if (d->cpu_count == DS_LIMIT_PROCESSORS)
        return DS_LIMIT;
    struct ds_dump_cpu cpu = c->cpu;
    cpu.number = (uint32_t)d->cpu_count;
    if (c->has_registers) {
        cpu.pc = ds_opt_known(c->pc);
        cpu.sp = ds_opt_known(d->header.arch == DS_ARCH_ARM64 ? c->sp : c->general[4]);
        enum ds_status st = make_context(d, c, &cpu);
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
