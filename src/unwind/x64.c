#include "unwind/x64.h"

#include <string.h>

#include "base/bytes.h"

#define FUNCTION_ENTRY 12u    /* RUNTIME_FUNCTION: begin, end, unwind data */
#define CHAIN_MAX 32u         /* chained entries of one function */
#define CODES_MAX 255u        /* CountOfCodes is one byte */
#define FLAG_CHAIN 4u         /* UNW_FLAG_CHAININFO */
#define INDIRECT 1u           /* of the unwind data: it is another function's entry */
#define MACHINE_FRAME_SIZE 40 /* rip, cs, eflags, rsp, ss */
#define VOLATILE 0x0f07u      /* rax, rcx, rdx, r8 to r11: a call keeps none of them */

enum op {
    PUSH_NONVOL = 0,
    ALLOC_LARGE = 1,
    ALLOC_SMALL = 2,
    SET_FPREG = 3,
    SAVE_NONVOL = 4,
    SAVE_NONVOL_FAR = 5,
    EPILOG = 6, /* version 2; SAVE_XMM of an early version 1 otherwise */
    SPARE = 7,
    SAVE_XMM128 = 8,
    SAVE_XMM128_FAR = 9,
    PUSH_MACHFRAME = 10
};

struct entry {
    uint32_t begin, end, unwind;
};

struct info {
    unsigned version, flags, prologue, count, frame_register, frame_offset;
    uint8_t codes[CODES_MAX * 2 + 2 + FUNCTION_ENTRY];
};

struct stepper {
    struct ds_space *space;
    const struct ds_x64_image *image;
    struct ds_x64_registers r;
    uint64_t frame; /* what the offsets of SAVE_NONVOL count from */
    struct ds_x64_step step;
};

void ds_x64_registers_of(const struct ds_context *c, struct ds_x64_registers *ret)
{
    static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    *ret = (struct ds_x64_registers){.rip = c->pc};
    for (unsigned i = 0; i < 16; i++) {
        if (ds_context_register(c, names[i], &ret->gpr[i])) {
            ret->known |= 1u << i;
        }
    }
}

static enum ds_status read_entry(struct ds_space *space, uint64_t va, struct entry *ret)
{
    uint8_t raw[FUNCTION_ENTRY];
    enum ds_status status = ds_space_read(space, va, raw, sizeof(raw), NULL);
    if (status == DS_OK) {
        *ret = (struct entry){ds_le32(raw), ds_le32(raw + 4), ds_le32(raw + 8)};
    }
    return status;
}

/* DS_NOT_FOUND when the table says that no function stands at rva: a leaf. */
static enum ds_status find_entry(struct ds_space *space, const struct ds_x64_image *image,
                                 uint32_t rva, struct entry *ret)
{
    uint32_t low = 0, high = image->exception_size / FUNCTION_ENTRY;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t va = image->base + image->exception_rva + (uint64_t)middle * FUNCTION_ENTRY;
        enum ds_status status = read_entry(space, va, ret);
        if (status != DS_OK) {
            return status;
        }
        if (rva < ret->begin) {
            high = middle;
        } else if (rva >= ret->end) {
            low = middle + 1;
        } else {
            return DS_OK;
        }
    }
    return DS_NOT_FOUND;
}

static enum ds_status read_info(struct stepper *s, uint32_t rva, struct info *ret)
{
    uint8_t head[4];
    uint64_t va = s->image->base + rva;
    enum ds_status status = ds_space_read(s->space, va, head, sizeof(head), NULL);
    if (status != DS_OK) {
        return status;
    }
    *ret = (struct info){.version = head[0] & 7u,
                         .flags = head[0] >> 3,
                         .prologue = head[1],
                         .count = head[2],
                         .frame_register = head[3] & 15u,
                         .frame_offset = (unsigned)(head[3] >> 4) * 16};
    if (ret->version != 1 && ret->version != 2) {
        return DS_CORRUPT;
    }
    size_t size = (ret->count + 1u) / 2 * 4; /* the codes are padded to an even number */
    size += (ret->flags & FLAG_CHAIN) != 0 ? FUNCTION_ENTRY : 0;
    return size == 0 ? DS_OK : ds_space_read(s->space, va + 4, ret->codes, size, NULL);
}

/* Slots of a code; 0 for one that does not exist. */
static unsigned code_slots(const struct info *u, unsigned op, unsigned arg)
{
    switch (op) {
    case PUSH_NONVOL:
    case ALLOC_SMALL:
    case SET_FPREG:
    case PUSH_MACHFRAME:
        return 1;
    case ALLOC_LARGE:
        return arg == 0 ? 2 : arg == 1 ? 3 : 0;
    case SAVE_NONVOL:
    case SAVE_XMM128:
        return 2;
    case SAVE_NONVOL_FAR:
    case SAVE_XMM128_FAR:
        return 3;
    case EPILOG:
        return u->version == 2 ? 1 : 2;
    case SPARE:
        return 3;
    default:
        return 0;
    }
}

static enum ds_status load(struct stepper *s, uint64_t va, unsigned reg)
{
    uint64_t value;
    enum ds_status status = ds_space_read_uint(s->space, va, 8, &value, NULL);
    if (status == DS_OK) {
        s->r.gpr[reg] = value;
        s->r.known |= 1u << reg;
    }
    return status;
}

static enum ds_status machine_frame(struct stepper *s, bool error_code)
{
    uint8_t raw[MACHINE_FRAME_SIZE];
    uint64_t at = s->r.gpr[DS_X64_RSP] + (error_code ? 8 : 0);
    enum ds_status status = ds_space_read(s->space, at, raw, sizeof(raw), NULL);
    if (status == DS_OK) {
        s->r.rip = ds_le64(raw);
        s->r.gpr[DS_X64_RSP] = ds_le64(raw + 24);
        s->step.slot = at;
        s->step.interrupted = true;
        s->step.code_segment = ds_le64(raw + 8) & 0xffff;
    }
    return status;
}

/* Undoes one code. */
static enum ds_status undo(struct stepper *s, const struct info *u, const uint8_t *code,
                           unsigned op, unsigned arg)
{
    uint64_t *rsp = &s->r.gpr[DS_X64_RSP];
    uint64_t offset;
    enum ds_status status;
    switch (op) {
    case PUSH_NONVOL:
        status = load(s, *rsp, arg);
        if (arg != DS_X64_RSP && status == DS_OK) {
            *rsp += 8;
        }
        return status;
    case ALLOC_LARGE:
        *rsp += arg == 0 ? (uint64_t)ds_le16(code + 2) * 8 : ds_le32(code + 2);
        return DS_OK;
    case ALLOC_SMALL:
        *rsp += (uint64_t)arg * 8 + 8;
        return DS_OK;
    case SET_FPREG:
        if ((s->r.known & 1u << u->frame_register) == 0) {
            return DS_NOT_FOUND;
        }
        *rsp = s->r.gpr[u->frame_register] - u->frame_offset;
        return DS_OK;
    case SAVE_NONVOL:
    case SAVE_NONVOL_FAR:
        offset = op == SAVE_NONVOL ? (uint64_t)ds_le16(code + 2) * 8 : ds_le32(code + 2);
        return load(s, s->frame + offset, arg);
    case PUSH_MACHFRAME:
        return arg > 1 ? DS_CORRUPT : machine_frame(s, arg == 1);
    default: /* the vector registers lead nowhere */
        return DS_OK;
    }
}

/* The codes are stored in reverse: the last instruction of the prologue comes first. */
static enum ds_status undo_all(struct stepper *s, const struct info *u, uint64_t done)
{
    for (unsigned i = 0; i < u->count;) {
        const uint8_t *code = u->codes + (size_t)i * 2;
        unsigned op = code[1] & 15u, arg = code[1] >> 4, slots = code_slots(u, op, arg);
        if (slots == 0 || slots > u->count - i) {
            return DS_CORRUPT;
        }
        if (code[0] <= done && !s->step.interrupted) {
            enum ds_status status = undo(s, u, code, op, arg);
            if (status != DS_OK) {
                return status;
            }
        }
        i += slots;
    }
    return DS_OK;
}

/* Where the frame's saved registers are counted from: its frame register, once it is set. */
static enum ds_status frame_base(struct stepper *s, const struct info *u, uint64_t done)
{
    bool set = u->frame_register != 0 && (done >= u->prologue || (u->flags & FLAG_CHAIN) != 0);
    for (unsigned i = 0; u->frame_register != 0 && !set && i < u->count;) {
        const uint8_t *code = u->codes + (size_t)i * 2;
        unsigned slots = code_slots(u, code[1] & 15u, code[1] >> 4);
        if (slots == 0) {
            return DS_CORRUPT;
        }
        set = (code[1] & 15u) == SET_FPREG && code[0] <= done;
        i += slots;
    }
    s->frame = s->r.gpr[DS_X64_RSP];
    if (set) {
        if ((s->r.known & 1u << u->frame_register) == 0) {
            return DS_NOT_FOUND;
        }
        s->frame = s->r.gpr[u->frame_register] - u->frame_offset;
    }
    return DS_OK;
}

/* An entry may stand for another, which has the unwind data. */
static enum ds_status follow_indirect(struct stepper *s, struct entry *e)
{
    for (unsigned i = 0; (e->unwind & INDIRECT) != 0; i++) {
        if (i == CHAIN_MAX) {
            return DS_LOOP;
        }
        enum ds_status status = read_entry(s->space, s->image->base + (e->unwind & ~INDIRECT), e);
        if (status != DS_OK) {
            return status;
        }
    }
    return DS_OK;
}

static enum ds_status step_function(struct stepper *s, struct entry e)
{
    uint32_t rva = (uint32_t)(s->r.rip - s->image->base);
    struct info u;
    for (unsigned i = 0; i < CHAIN_MAX; i++) {
        enum ds_status status = follow_indirect(s, &e);
        if (status == DS_OK) {
            status = read_info(s, e.unwind, &u);
        }
        /* Of a chained part the prologue is done. */
        uint64_t done = i == 0 ? rva - e.begin : UINT64_MAX;
        if (status == DS_OK && i == 0) {
            status = frame_base(s, &u, done);
        }
        if (status == DS_OK) {
            status = undo_all(s, &u, done);
        }
        if (status != DS_OK) {
            return status;
        }
        s->step.function = s->image->base + e.begin;
        if ((u.flags & FLAG_CHAIN) == 0) {
            return DS_OK;
        }
        const uint8_t *next = u.codes + (size_t)(u.count + 1u) / 2 * 4;
        e = (struct entry){ds_le32(next), ds_le32(next + 4), ds_le32(next + 8)};
    }
    return DS_LOOP;
}

enum ds_status ds_x64_step(struct ds_space *space, const struct ds_x64_image *image,
                           struct ds_x64_registers *r, struct ds_x64_step *ret)
{
    struct stepper s = {.space = space, .image = image, .r = *r};
    struct entry e;
    uint64_t rva = r->rip - image->base;
    if ((r->known & 1u << DS_X64_RSP) == 0) {
        return DS_NOT_FOUND;
    }
    if (rva > UINT32_MAX || image->exception_size == 0) {
        return DS_CORRUPT;
    }
    enum ds_status status = find_entry(space, image, (uint32_t)rva, &e);
    if (status == DS_OK) {
        status = step_function(&s, e);
    } else if (status == DS_NOT_FOUND) {
        status = DS_OK;
    }
    if (status != DS_OK) {
        return status;
    }
    if (!s.step.interrupted) {
        s.step.slot = s.r.gpr[DS_X64_RSP];
        status = ds_space_read_uint(space, s.step.slot, 8, &s.r.rip, NULL);
        if (status != DS_OK) {
            return status;
        }
        s.r.gpr[DS_X64_RSP] += 8;
    }
    s.r.known &= ~VOLATILE;
    *r = s.r;
    *ret = s.step;
    return DS_OK;
}
