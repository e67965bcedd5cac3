/*
 * Physical memory for tests of translation: a complete 64-bit dump in memory whose pages run
 * from physical address 0 on, random tables for every paging mode in it, and libaddrxlat set up
 * to walk the same bytes.
 */
#ifndef DS_TESTS_XLAT_IMAGE_H
#define DS_TESTS_XLAT_IMAGE_H

#include <libkdumpfile/addrxlat.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "memory/space.h"

#define BODY 0x2000u

struct image {
    uint8_t *file;
    uint64_t pages;
    uint64_t seed;
    struct ds_dump *dump;
};

/* What the referee is told of a mode. Levels' table counts make the shape of the random tables. */
struct mode {
    const char *name;
    enum ds_paging paging;
    addrxlat_paging_form_t form;
    unsigned levels, entry_size, entries_on_top;
    unsigned tables[6]; /* [level] */
};

static const struct mode modes[] = {
    {"x86", DS_PAGING_X86, {ADDRXLAT_PTE_IA32, 3, {12, 10, 10}}, 2, 4, 1024, {0, 256, 1}},
    {"PAE", DS_PAGING_PAE, {ADDRXLAT_PTE_IA32_PAE, 4, {12, 9, 9, 2}}, 3, 8, 4, {0, 256, 4, 1}},
    {"x64",
     DS_PAGING_X64,
     {ADDRXLAT_PTE_X86_64, 5, {12, 9, 9, 9, 9}},
     4,
     8,
     512,
     {0, 256, 64, 8, 1}},
    {"LA57",
     DS_PAGING_LA57,
     {ADDRXLAT_PTE_X86_64, 6, {12, 9, 9, 9, 9, 9}},
     5,
     8,
     512,
     {0, 256, 64, 8, 4, 1}},
    {"ARM64",
     DS_PAGING_ARM64,
     {ADDRXLAT_PTE_AARCH64, 5, {12, 9, 9, 9, 9}},
     4,
     8,
     512,
     {0, 256, 64, 8, 1}},
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

static inline uint64_t random64(struct image *im)
{
    im->seed ^= im->seed >> 12;
    im->seed ^= im->seed << 25;
    im->seed ^= im->seed >> 27;
    return im->seed * 0x2545f4914f6cdd1du;
}

static inline void image_open(struct image *im, uint64_t pages)
{
    struct ds_source *src;
    size_t size = BODY + (size_t)pages * 4096;
    *im = (struct image){.file = calloc(1, size), .pages = pages, .seed = 0x1234567};
    if (im->file == NULL)
        abort();
    for (size_t i = 0; i < BODY; i += 4)
        ds_put_le32(im->file + i, 0x45474150);
    memcpy(im->file, "PAGEDU64", 8);
    ds_put_le32(im->file + 0x30, 0x8664);
    ds_put_le64(im->file + 0x88, 1);
    ds_put_le64(im->file + 0x90, pages);
    ds_put_le64(im->file + 0x98, 0);
    ds_put_le64(im->file + 0xa0, pages);
    ds_put_le32(im->file + 0xf98, 1);
    ds_put_le64(im->file + 0xfa0, size);
    if (ds_source_memory_open(im->file, size, &src, NULL) != DS_OK ||
        ds_dump_open(src, &im->dump, NULL) != DS_OK)
        abort();
}

static inline void image_close(struct image *im)
{
    ds_dump_close(im->dump);
    free(im->file);
}

static addrxlat_status get_page(const addrxlat_cb_t *cb, addrxlat_buffer_t *buf)
{
    struct image *im = cb->priv;
    uint64_t page = buf->addr.addr >> 12;
    if (page >= im->pages)
        return ADDRXLAT_ERR_NODATA;
    buf->addr.addr = page << 12;
    buf->ptr = im->file + BODY + (page << 12);
    buf->size = 4096;
    buf->byte_order = ADDRXLAT_LITTLE_ENDIAN;
    return ADDRXLAT_OK;
}

static unsigned long read_caps(const addrxlat_cb_t *cb)
{
    (void)cb;
    return ADDRXLAT_CAPS(ADDRXLAT_MACHPHYSADDR);
}

struct referee {
    addrxlat_ctx_t *ctx;
    addrxlat_meth_t meth;
};

static inline void referee_open(struct referee *r, struct image *im, const struct mode *mode,
                                uint64_t root)
{
    r->ctx = addrxlat_ctx_new();
    addrxlat_cb_t *cb = r->ctx != NULL ? addrxlat_ctx_add_cb(r->ctx) : NULL;
    if (cb == NULL)
        abort();
    cb->priv = im;
    cb->get_page = get_page;
    cb->read_caps = read_caps;
    memset(&r->meth, 0, sizeof(r->meth));
    r->meth.kind = ADDRXLAT_PGT;
    r->meth.target_as = ADDRXLAT_MACHPHYSADDR;
    r->meth.param.pgt.root = (addrxlat_fulladdr_t){root, ADDRXLAT_MACHPHYSADDR};
    r->meth.param.pgt.pf = mode->form;
}

static inline void referee_close(struct referee *r)
{
    addrxlat_ctx_decref(r->ctx);
}

static inline bool referee_walk(struct referee *r, uint64_t va, uint64_t *pa)
{
    addrxlat_step_t step;
    memset(&step, 0, sizeof(step));
    step.ctx = r->ctx;
    step.meth = &r->meth;
    step.base.addr = va;
    if (addrxlat_walk(&step) != ADDRXLAT_OK) {
        addrxlat_ctx_clear_err(r->ctx);
        return false;
    }
    *pa = step.base.addr;
    return true;
}

/* A random entry of `level` that leads to one of `count` tables from page `first` on. */
static inline uint64_t random_entry(struct image *im, const struct mode *mode, unsigned level,
                                    uint64_t first, unsigned count)
{
    bool arm = mode->paging == DS_PAGING_ARM64;
    uint64_t r = random64(im), noise = random64(im);
    uint64_t table = (first + random64(im) % count) << 12;
    uint64_t high = mode->paging == DS_PAGING_X86 ? 0
                    : arm                         ? 0xfff8000000000000u
                                                  : 0xfff0000000000000u;
    uint64_t address = arm                             ? 0x0000fffffffff000u
                       : mode->paging == DS_PAGING_X86 ? 0xfffff000u
                                                       : 0x000ffffffffff000u;
    bool can_be_large = level == 2 || (level == 3 && mode->paging != DS_PAGING_PAE);
    uint64_t flags = (noise & (high | 0xf1e)) | 1;
    if (r % 10 == 0) /* absent, with a page file's number and offset; not in transition */
        return noise & (mode->paging == DS_PAGING_X86 ? 0xfffff03eu : 0xfffff0000000003eu) &
               (arm ? ~(uint64_t)1 : UINT64_MAX);
    if (level == 1)
        return arm ? (noise & (high | 0xffc | address)) | 3
                   : (noise & (high | 0xffe | address)) | 1;
    if (can_be_large && r % 10 <= 2) {
        if (arm)
            return (noise & (high | 0xffc | address)) | 1;
        /* PAT and, but for bit 21 of PSE-36, the reserved bits are to be masked off. */
        uint64_t large = noise & (high | 0xf7e | address);
        return (mode->paging == DS_PAGING_X86 ? large & ~(uint64_t)0x200000 : large) | 0x81;
    }
    return table | (arm ? (noise & (high | 0xffc)) | 3 : flags & ~(uint64_t)0x80);
}

/* Fills the image with tables; returns the root. */
static inline uint64_t random_tables(struct image *im, const struct mode *mode)
{
    uint64_t page = 1;
    uint64_t first[7] = {0};
    for (unsigned level = 1; level <= mode->levels; level++) {
        unsigned entries = level == mode->levels ? mode->entries_on_top : 4096 / mode->entry_size;
        first[level] = page;
        for (unsigned t = 0; t < mode->tables[level]; t++, page++) {
            uint8_t *at = im->file + BODY + (page << 12);
            memset(at, 0, 4096);
            for (unsigned i = 0; i < entries; i++) {
                uint64_t e = random_entry(im, mode, level, first[level - 1],
                                          level > 1 ? mode->tables[level - 1] : 1);
                if (mode->entry_size == 8)
                    ds_put_le64(at + i * 8, e);
                else
                    ds_put_le32(at + i * 4, (uint32_t)e);
            }
        }
    }
    if (page > im->pages)
        abort();
    uint64_t root = first[mode->levels] << 12;
    if (mode->paging == DS_PAGING_PAE) { /* 32-byte aligned, not at the start of its page */
        memcpy(im->file + BODY + root + 0x3c0, im->file + BODY + root, 32);
        root += 0x3c0;
    }
    return root;
}

static inline uint64_t random_va(struct image *im, const struct mode *mode)
{
    uint64_t va = random64(im);
    switch (mode->paging) {
    case DS_PAGING_X86:
    case DS_PAGING_PAE:
        return va & 0xffffffffu;
    case DS_PAGING_ARM64:
        return va >> 63 != 0 ? va | 0xffff000000000000u : va & 0x0000ffffffffffffu;
    default: {
        unsigned drop = mode->paging == DS_PAGING_X64 ? 16 : 7;
        uint64_t low = va >> drop; /* bits of address, sign extended */
        return low >> (63 - drop) != 0 ? low | ~(UINT64_MAX >> drop) : low;
    }
    }
}

#endif
