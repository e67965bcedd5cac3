/*
 * Makes a complete (type 1) 64-bit dump in memory, page by page, with its own page tables, so
 * that a test can say "this structure stands at that virtual address" and nothing else.
 */
#ifndef DS_TESTS_UNIT_MAKER_H
#define DS_TESTS_UNIT_MAKER_H

#include "base/bytes.h"
#include "dump/dump.h"
#include "test.h"

#define MAKER_PAGES 512
#define MAKER_BODY 0x2000
#define MAKER_SIZE (MAKER_BODY + MAKER_PAGES * 4096)

struct maker {
    uint8_t *file;     /* header and all pages */
    uint64_t next_pa;  /* first page never handed out */
    uint64_t dtb;      /* the top table */
    uint64_t captured; /* pages that the dump holds, from physical 0 on */
};

static inline uint8_t *maker_pa(struct maker *m, uint64_t pa)
{
    return m->file + MAKER_BODY + pa;
}

static inline uint64_t maker_page(struct maker *m)
{
    uint64_t pa = m->next_pa;
    if (pa + 4096 > (uint64_t)MAKER_PAGES * 4096) {
        printf("maker: out of pages\n");
        abort();
    }
    m->next_pa += 4096;
    return pa;
}

static inline void maker_open(struct maker *m)
{
    memset(m, 0, sizeof(*m));
    m->file = calloc(1, MAKER_SIZE);
    if (m->file == NULL) {
        abort();
    }
    m->captured = MAKER_PAGES;
    m->next_pa = 0x1000; /* page 0 stays empty */
    m->dtb = maker_page(m);
    for (size_t i = 0; i < MAKER_BODY; i += 4) {
        ds_put_le32(m->file + i, 0x45474150);
    }
    memcpy(m->file, "PAGEDU64", 8);
    ds_put_le32(m->file + 0x08, 15);
    ds_put_le32(m->file + 0x0c, 19041);
    ds_put_le64(m->file + 0x10, m->dtb);
    ds_put_le32(m->file + 0x30, 0x8664);
    ds_put_le32(m->file + 0x34, 1);
    ds_put_le32(m->file + 0x38, 0xd1);
    memset(m->file + 0x348, 0, 1232);
    memset(m->file + 0xf00, 0, 0x98);
    ds_put_le32(m->file + 0xf98, 1);
}

static inline void maker_close(struct maker *m)
{
    free(m->file);
}

/* Entry of `level` for va, making the tables above it; returns its place in the file. */
static inline uint8_t *maker_entry(struct maker *m, uint64_t va, int level)
{
    uint64_t table = m->dtb;
    for (int l = 4;; l--) {
        uint8_t *at = maker_pa(m, table) + (va >> (12 + 9 * (l - 1)) & 0x1ff) * 8;
        if (l == level) {
            return at;
        }
        if ((ds_le64(at) & 1) == 0) {
            ds_put_le64(at, maker_page(m) | 0x63);
        }
        table = ds_le64(at) & 0x000ffffffffff000u;
    }
}

/* The bytes behind va (its page is mapped on first use); contiguous to the end of the page. */
static inline uint8_t *maker_va(struct maker *m, uint64_t va)
{
    uint8_t *at = maker_entry(m, va, 1);
    if ((ds_le64(at) & 1) == 0) {
        ds_put_le64(at, maker_page(m) | 0x63);
    }
    return maker_pa(m, (ds_le64(at) & 0x000ffffffffff000u) + (va & 0xfff));
}

static inline void maker_write(struct maker *m, uint64_t va, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        *maker_va(m, va + i) = ((const uint8_t *)data)[i];
    }
}

static inline void maker_put(struct maker *m, uint64_t va, uint64_t value, size_t size)
{
    uint8_t raw[8];
    ds_put_le64(raw, value);
    maker_write(m, va, raw, size);
}

static inline void maker_ptr(struct maker *m, uint64_t va, uint64_t value)
{
    maker_put(m, va, value, 8);
}

/* A UNICODE_STRING at va whose text stands at text_va. */
static inline void maker_ustr(struct maker *m, uint64_t va, uint64_t text_va, const char *ascii)
{
    size_t len = strlen(ascii);
    maker_put(m, va, len * 2, 2);
    maker_put(m, va + 2, len * 2 + 2, 2);
    maker_ptr(m, va + 8, text_va);
    for (size_t i = 0; i <= len; i++) {
        maker_put(m, text_va + i * 2, (uint8_t)ascii[i], 2);
    }
}

/* Opens what was made; the maker must outlive the dump. */
static inline struct ds_dump *maker_dump(struct maker *m)
{
    struct ds_source *src;
    struct ds_dump *d;
    struct ds_err err = {0};
    size_t size = MAKER_BODY + (size_t)m->captured * 4096;
    ds_put_le32(m->file + 0x88, 1);
    ds_put_le32(m->file + 0x8c, 0);
    ds_put_le64(m->file + 0x90, m->captured);
    ds_put_le64(m->file + 0x98, 0);
    ds_put_le64(m->file + 0xa0, m->captured);
    ds_put_le64(m->file + 0xfa0, size);
    if (ds_source_memory_open(m->file, size, &src, &err) != DS_OK ||
        ds_dump_open(src, &d, &err) != DS_OK) {
        printf("maker: %s\n", err.text);
        abort();
    }
    return d;
}

#endif
