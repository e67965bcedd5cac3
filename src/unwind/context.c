#include "unwind/context.h"

#include <string.h>

#include "base/bytes.h"

/* ContextFlags name the architecture in their upper half (winnt.h CONTEXT_AMD64, CONTEXT_i386,
 * CONTEXT_ARM64, CONTEXT_ARM). Bits 27 to 31 report exception state and belong to none. */
#define FLAGS_ARCH 0x07ff0000u
#define FILLER 0x45474150u /* 'PAGE': what a dump header holds where nothing was written */

struct place {
    const char *name;
    uint16_t offset;
    uint8_t size;
};

struct form {
    enum ds_arch arch;
    uint32_t flag;
    uint16_t flags_offset, size;
    uint16_t pc, sp, fp;
    const struct place *places;
    size_t count;
};

/* winnt.h, CONTEXT for x64. */
static const struct place x64_places[] = {
    {"rax", 0x78, 8}, {"rbx", 0x90, 8}, {"rcx", 0x80, 8}, {"rdx", 0x88, 8}, {"rsi", 0xa8, 8},
    {"rdi", 0xb0, 8}, {"rip", 0xf8, 8}, {"rsp", 0x98, 8}, {"rbp", 0xa0, 8}, {"r8", 0xb8, 8},
    {"r9", 0xc0, 8},  {"r10", 0xc8, 8}, {"r11", 0xd0, 8}, {"r12", 0xd8, 8}, {"r13", 0xe0, 8},
    {"r14", 0xe8, 8}, {"r15", 0xf0, 8}, {"cs", 0x38, 2},  {"ss", 0x42, 2},  {"ds", 0x3a, 2},
    {"es", 0x3c, 2},  {"fs", 0x3e, 2},  {"gs", 0x40, 2},  {"efl", 0x44, 4},
};

/* winnt.h, CONTEXT for x86. */
static const struct place x86_places[] = {
    {"eax", 0xb0, 4}, {"ebx", 0xa4, 4}, {"ecx", 0xac, 4}, {"edx", 0xa8, 4},
    {"esi", 0xa0, 4}, {"edi", 0x9c, 4}, {"eip", 0xb8, 4}, {"esp", 0xc4, 4},
    {"ebp", 0xb4, 4}, {"cs", 0xbc, 2},  {"ss", 0xc8, 2},  {"ds", 0x98, 2},
    {"es", 0x94, 2},  {"fs", 0x90, 2},  {"gs", 0x8c, 2},  {"efl", 0xc0, 4},
};

/* winnt.h, ARM64_NT_CONTEXT. */
static const struct place arm64_places[] = {
    {"x0", 0x08, 8},  {"x1", 0x10, 8},  {"x2", 0x18, 8},  {"x3", 0x20, 8},  {"x4", 0x28, 8},
    {"x5", 0x30, 8},  {"x6", 0x38, 8},  {"x7", 0x40, 8},  {"x8", 0x48, 8},  {"x9", 0x50, 8},
    {"x10", 0x58, 8}, {"x11", 0x60, 8}, {"x12", 0x68, 8}, {"x13", 0x70, 8}, {"x14", 0x78, 8},
    {"x15", 0x80, 8}, {"x16", 0x88, 8}, {"x17", 0x90, 8}, {"x18", 0x98, 8}, {"x19", 0xa0, 8},
    {"x20", 0xa8, 8}, {"x21", 0xb0, 8}, {"x22", 0xb8, 8}, {"x23", 0xc0, 8}, {"x24", 0xc8, 8},
    {"x25", 0xd0, 8}, {"x26", 0xd8, 8}, {"x27", 0xe0, 8}, {"x28", 0xe8, 8}, {"fp", 0xf0, 8},
    {"lr", 0xf8, 8},  {"sp", 0x100, 8}, {"pc", 0x108, 8}, {"psr", 0x04, 4},
};

/* winnt.h, CONTEXT for ARM. */
static const struct place arm_places[] = {
    {"r0", 0x04, 4},  {"r1", 0x08, 4},  {"r2", 0x0c, 4},  {"r3", 0x10, 4}, {"r4", 0x14, 4},
    {"r5", 0x18, 4},  {"r6", 0x1c, 4},  {"r7", 0x20, 4},  {"r8", 0x24, 4}, {"r9", 0x28, 4},
    {"r10", 0x2c, 4}, {"r11", 0x30, 4}, {"r12", 0x34, 4}, {"sp", 0x38, 4}, {"lr", 0x3c, 4},
    {"pc", 0x40, 4},  {"psr", 0x44, 4},
};

#define PLACES(p) p, sizeof(p) / sizeof((p)[0])

static const struct form forms[] = {
    {DS_ARCH_X64, 0x00100000, 0x30, 0x100, 0xf8, 0x98, 0xa0, PLACES(x64_places)},
    {DS_ARCH_X86, 0x00010000, 0x00, 0x0cc, 0xb8, 0xc4, 0xb4, PLACES(x86_places)},
    {DS_ARCH_ARM64, 0x00400000, 0x00, 0x110, 0x108, 0x100, 0xf0, PLACES(arm64_places)},
    {DS_ARCH_ARM, 0x00200000, 0x00, 0x048, 0x40, 0x38, 0x30, PLACES(arm_places)},
};

static const struct form *form_of(enum ds_arch arch)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (forms[i].arch == arch) {
            return &forms[i];
        }
    }
    return NULL;
}

size_t ds_context_size(enum ds_arch arch)
{
    const struct form *f = form_of(arch);
    return f != NULL ? f->size : 0;
}

size_t ds_context_record_size(enum ds_arch arch)
{
    switch (arch) { /* winnt.h, sizeof(CONTEXT) of each */
    case DS_ARCH_X64:
        return 0x4d0;
    case DS_ARCH_X86:
        return 0x2cc;
    case DS_ARCH_ARM64:
        return 0x390;
    case DS_ARCH_ARM:
        return 0x1a0;
    case DS_ARCH_UNKNOWN:
        break;
    }
    return 0;
}

void ds_context_add(struct ds_context *c, const char *name, uint64_t value, unsigned size)
{
    if (c->register_count < DS_CONTEXT_REGISTERS) {
        c->registers[c->register_count++] =
            (struct ds_register){.name = name, .value = value, .size = (uint8_t)size};
    }
}

static uint64_t get(const uint8_t *p, unsigned size)
{
    return size == 8 ? ds_le64(p) : size == 4 ? ds_le32(p) : ds_le16(p);
}

/* No processor runs with a null selector in CS (Intel SDM volume 3, 5.4.1.1): zero there says that
 * whoever filled the record did not know the selectors. */
static bool saves_selectors(const struct form *f, const uint8_t *record)
{
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->places[i].name, "cs") == 0) {
            return get(record + f->places[i].offset, f->places[i].size) != 0;
        }
    }
    return false;
}

enum ds_status ds_context_decode(enum ds_arch arch, const void *record, size_t size,
                                 struct ds_context *ret)
{
    const struct form *f = form_of(arch);
    const uint8_t *p = record;
    if (f == NULL) {
        return DS_UNSUPPORTED;
    }
    if (size < f->size) {
        return DS_TRUNCATED;
    }
    uint32_t flags = ds_le32(p + f->flags_offset);
    if (flags == FILLER || (flags & FLAGS_ARCH) != f->flag) {
        return DS_CORRUPT;
    }
    unsigned word = ds_arch_pointer_size(arch);
    *ret = (struct ds_context){.arch = arch, .flags = flags};
    ret->pc = get(p + f->pc, word);
    ret->sp = get(p + f->sp, word);
    ret->fp = get(p + f->fp, word);
    bool selectors = saves_selectors(f, p);
    for (size_t i = 0; i < f->count; i++) {
        const struct place *r = &f->places[i];
        if (r->size == 2 && !selectors) {
            continue;
        }
        ds_context_add(ret, r->name, get(p + r->offset, r->size), r->size);
    }
    return DS_OK;
}

bool ds_context_register(const struct ds_context *c, const char *name, uint64_t *ret)
{
    if (c->arch == DS_ARCH_ARM64) {
        name = strcmp(name, "x29") == 0 ? "fp" : strcmp(name, "x30") == 0 ? "lr" : name;
    }
    for (size_t i = 0; i < c->register_count; i++) {
        if (strcmp(c->registers[i].name, name) == 0) {
            *ret = c->registers[i].value;
            return true;
        }
    }
    return false;
}
