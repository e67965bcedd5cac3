/*
 * Dumps made by hand for the unit tests of the dump room. The offsets are written out here a
 * second time on purpose: they share nothing with src/.
 */
#ifndef DS_TESTS_UNIT_DUMP_IMAGE_H
#define DS_TESTS_UNIT_DUMP_IMAGE_H

#include "test.h"

#include "base/bytes.h"
#include "dump/dump.h"

#define IMG_MAX 0x10000u

struct image {
    uint8_t *p;
    size_t size;
};

static inline void put32(struct image *m, size_t at, uint32_t v)
{
    ds_put_le32(m->p + at, v);
}

static inline void put64(struct image *m, size_t at, uint64_t v)
{
    ds_put_le64(m->p + at, v);
}

static inline void put_text16(struct image *m, size_t at, const char *s)
{
    for (size_t i = 0; s[i] != '\0'; i++)
        m->p[at + 2 * i] = (uint8_t)s[i];
}

#define KERNEL 0xfffff80000000000u
#define KDBG_VA (KERNEL + 0xb20)

/* A 64-bit header filled with 'PAGE', then the fields that every writer sets. */
static inline struct image image_header64(uint32_t type, size_t size)
{
    struct image m = {calloc(1, size), size};
    for (size_t i = 0; i < 0x2000; i += 4)
        memcpy(m.p + i, "PAGE", 4);
    memcpy(m.p + 4, "DU64", 4);
    put32(&m, 0x8, 15);
    put32(&m, 0xc, 19041);
    put64(&m, 0x10, 0x1ad000);
    put64(&m, 0x18, KERNEL + 0x500);
    put64(&m, 0x20, KERNEL + 0x390);
    put64(&m, 0x28, KERNEL + 0x200);
    put32(&m, 0x30, 0x8664);
    put32(&m, 0x34, 1);
    put32(&m, 0x38, 0xd1);
    for (unsigned i = 0; i < 4; i++)
        put64(&m, 0x40 + 8 * i, 0x1111111111 * (i + 1));
    put64(&m, 0x80, KDBG_VA);
    memset(m.p + 0x348, 0, 3000);
    memset(m.p + 0xf00, 0, 0x98);
    put32(&m, 0xf98, type);
    put64(&m, 0xfa0, size);
    put64(&m, 0xfa8, 0x1d707f23dbb3399);
    put64(&m, 0x1030, 37470697);
    return m;
}

static inline struct image image_header32(uint32_t type, size_t size)
{
    struct image m = {calloc(1, size), size};
    for (size_t i = 0; i < 0x1000; i += 4)
        memcpy(m.p + i, "PAGE", 4);
    memcpy(m.p + 4, "DUMP", 4);
    put32(&m, 0x8, 15);
    put32(&m, 0xc, 3790);
    put32(&m, 0x10, 0x39000);
    put32(&m, 0x14, 0x81600000);
    put32(&m, 0x18, 0x808af9c8);
    put32(&m, 0x1c, 0x808b5be8);
    put32(&m, 0x20, 0x14c);
    put32(&m, 0x24, 4);
    put32(&m, 0x28, 0x20);
    for (unsigned i = 0; i < 4; i++)
        put32(&m, 0x2c + 4 * i, i);
    put32(&m, 0x60, 0x808943e0);
    memset(m.p + 0x320, 0, 1200);
    memset(m.p + 0x7d0, 0, 0x50);
    put32(&m, 0xf88, type);
    put64(&m, 0xfa0, size);
    put64(&m, 0xfb8, 27023120000);
    put64(&m, 0xfc0, 0x1c82c1d4d6a2b00);
    return m;
}

/* Places of the records in image_triage64(). */
enum {
    T_HEAD = 0x2000,
    T_MM = 0x2080,
    T_UNLOADED = 0x20d0,
    T_PRCB = 0x2110,
    T_PROCESS = 0x2210,
    T_THREAD = 0x2290,
    T_STACK = 0x2310,
    T_KDBG = 0x2510,
    T_DRIVERS = 0x2890,
    T_POOL = 0x29b0,
    T_BLOCKS = 0x29f0,
    T_DATA = 0x2a30, /* KiProcessorBlock, NtBuildLab, KPRCB.Context, 0x100 bytes of 'x' */
    T_VALID = 0x3040,
    T_BLOB = 0x3044,
    T_END = 0x3044 + 16 + 32 + 0x40 + 32 + 0x10,
};

#define PRCB_VA (KERNEL + 0x8000)
#define THREAD_VA 0xffffa00000001000u
#define PROCESS_VA 0xffffa00000002000u
#define STACK_VA 0xffff850000001e00u
#define CONTEXT_VA 0xffff9b0000000340u
#define X_VA 0xffff900000000000u

static inline void image_context(struct image *m, size_t at)
{
    put32(m, at + 0x30, 0x10000f);
    put32(m, at + 0x38, 0x002b0010);
    put32(m, at + 0x44, 0x246);
    put64(m, at + 0x80, 0xd1); /* rcx: as KeBugCheckEx was called */
    put64(m, at + 0x88, 0x1111111111);
    put64(m, at + 0xb8, 0x2222222222);
    put64(m, at + 0xc0, 0x3333333333);
    put64(m, at + 0x98, STACK_VA);
    put64(m, at + 0xf8, KERNEL + 0x4000);
}

static inline void image_kdbg(struct image *m)
{
    memcpy(m->p + T_KDBG + 0x10, "KDBG", 4);
    put32(m, T_KDBG + 0x14, 0x380);
    put64(m, T_KDBG + 0x18, KERNEL);
    put64(m, T_KDBG + 0x48, KERNEL + 0x390);
    put64(m, T_KDBG + 0x50, KERNEL + 0x200);
    put64(m, T_KDBG + 0xc0, KERNEL + 0x500);
    put64(m, T_KDBG + 0x138, 0x1000);
    put64(m, T_KDBG + 0x208, KERNEL + 0x700);
    put64(m, T_KDBG + 0x218, KERNEL + 0x800);
    const struct {
        uint16_t at, value;
    } offsets[] = {{0x2a0, 0x20}, {0x2a8, 0x80}, {0x2ae, 0x28}, {0x2b0, 0x100},
                   {0x2b4, 8},    {0x2be, 0x24}, {0x2c0, 0x80}, {0x338, 0x40}};
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
        ds_put_le16(m->p + T_KDBG + offsets[i].at, offsets[i].value);
}

static inline void image_lists(struct image *m)
{
    put32(m, T_UNLOADED, 1);
    put32(m, T_UNLOADED + 8, 24 << 16 | 24);
    put_text16(m, T_UNLOADED + 8 + 16, "dump_storpor");
    put64(m, T_UNLOADED + 8 + 40, KERNEL + 0x3000000);
    put64(m, T_UNLOADED + 8 + 48, KERNEL + 0x300c000);
    put32(m, T_DRIVERS, T_POOL);
    put64(m, T_DRIVERS + 0x38, KERNEL);
    put32(m, T_DRIVERS + 0x48, 0x1046000);
    put32(m, T_DRIVERS + 0x80, 0xa5938c);
    put32(m, T_DRIVERS + 0x88, 0xd8333e6);
    put32(m, T_DRIVERS + 0x90, T_POOL + 0x20);
    put64(m, T_DRIVERS + 0x90 + 0x38, KERNEL + 0x2000000);
    put32(m, T_DRIVERS + 0x90 + 0x48, 0x6000);
    put32(m, T_POOL, 12);
    put_text16(m, T_POOL + 4, "ntoskrnl.exe");
    put32(m, T_POOL + 0x20, 7);
    put_text16(m, T_POOL + 0x24, "hal.dll");
    const struct {
        uint64_t va;
        uint32_t offset, size;
    } blocks[] = {{KERNEL + 0x800, T_DATA, 8},
                  {KERNEL + 0x700, T_DATA + 8, 0x20},
                  {CONTEXT_VA, T_DATA + 0x28, 0x4d0},
                  {X_VA, T_DATA + 0x4f8, 0x100}};
    for (size_t i = 0; i < 4; i++) {
        put64(m, T_BLOCKS + 16 * i, blocks[i].va);
        put32(m, T_BLOCKS + 16 * i + 8, blocks[i].offset);
        put32(m, T_BLOCKS + 16 * i + 12, blocks[i].size);
    }
    put64(m, T_DATA, PRCB_VA);
    memcpy(m->p + T_DATA + 8, "19041.1.amd64fre.vb_release", 27);
    image_context(m, T_DATA + 0x28);
    memset(m->p + T_DATA + 0x4f8, 'x', 0x100);
}

static inline void image_records(struct image *m)
{
    put32(m, T_MM, 1);
    put32(m, T_MM + 4, 0x50);
    put64(m, T_PRCB + 8, THREAD_VA);
    put64(m, T_PRCB + 0x40, CONTEXT_VA);
    put64(m, T_THREAD + 8, THREAD_VA + 8); /* an empty wait list */
    put64(m, T_THREAD + 16, THREAD_VA + 8);
    put64(m, T_THREAD + 0x20, PROCESS_VA);
    put64(m, T_PROCESS + 8, PROCESS_VA + 8);
    put64(m, T_PROCESS + 16, PROCESS_VA + 8);
    put64(m, T_PROCESS + 0x28, 0x1ad000);
    put64(m, T_STACK + 0x28, 0x4444444444);
}

/* A minidump with one of everything, and nothing wrong with it. */
static inline struct image image_triage64(void)
{
    struct image m = image_header64(4, T_END);
    const uint32_t head[] = {
        0,        T_VALID + 4, T_VALID, 0x348,     0xf00, T_MM,   T_UNLOADED, T_PRCB, T_PROCESS,
        T_THREAD, T_STACK,     0x200,   T_DRIVERS, 2,     T_POOL, 0x40,       0,      0xffffffff,
    };
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        put32(&m, T_HEAD + 4 * i, head[i]);
    put64(&m, T_HEAD + 0x48, STACK_VA);
    put32(&m, T_HEAD + 0x70, T_KDBG);
    put32(&m, T_HEAD + 0x74, 0x380);
    put32(&m, T_HEAD + 0x78, T_BLOCKS);
    put32(&m, T_HEAD + 0x7c, 4);
    image_context(&m, 0x348);
    put32(&m, 0xf00, 0x80000003);
    put64(&m, 0xf10, KERNEL + 0x4000);
    image_records(&m);
    image_kdbg(&m);
    image_lists(&m);
    memcpy(m.p + T_VALID, "TRGD", 4);
    memcpy(m.p + T_BLOB, "DumpBlob", 8);
    put32(&m, T_BLOB + 8, 16);
    put32(&m, T_BLOB + 12, 0xf0000000 | 19041);
    size_t at = T_BLOB + 16;
    put32(&m, at, 32);
    put32(&m, at + 4, 0xbc5c008f);
    put32(&m, at + 20, 0x40);
    at += 32 + 0x40;
    put32(&m, at, 32);
    put32(&m, at + 4, 0x6c7ac389);
    put32(&m, at + 20, 6);
    put32(&m, at + 24, 2);
    put32(&m, at + 28, 8);
    return m;
}

/* Opens an image; NULL after a failed CHECK. Close with ds_dump_close(), free(m.p). */
static inline struct ds_dump *image_open(const struct image *m)
{
    struct ds_source *src;
    struct ds_dump *d = NULL;
    struct ds_err err;
    if (ds_source_memory_open(m->p, m->size, &src, &err) != DS_OK)
        return NULL;
    if (ds_dump_open(src, &d, &err) != DS_OK) {
        printf("    open: %s\n", err.text);
        ds_source_close(src);
        return NULL;
    }
    return d;
}

/* The status of a refused open; its text in *err. */
static inline enum ds_status image_refusal(const void *data, size_t size, struct ds_err *err)
{
    struct ds_source *src;
    struct ds_dump *d;
    *err = (struct ds_err){0};
    if (ds_source_memory_open(data, size, &src, err) != DS_OK)
        return DS_NO_MEMORY;
    enum ds_status st = ds_dump_open(src, &d, err);
    if (st == DS_OK)
        ds_dump_close(d);
    else
        ds_source_close(src);
    return st;
}

static inline const struct ds_integrity_note *image_note(struct ds_dump *d, const char *check)
{
    return ds_integrity_find(ds_dump_integrity(d), check);
}

static inline void image_print_notes(struct ds_dump *d)
{
    const struct ds_integrity *in = ds_dump_integrity(d);
    for (size_t i = 0; i < in->count; i++)
        printf("    [%s] %s: expected %s; found %s\n", ds_integrity_level_name(in->notes[i].level),
               in->notes[i].check, in->notes[i].expected, in->notes[i].found);
}

#endif
