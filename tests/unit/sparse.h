/* A complete (type 1) 64-bit dump of a few pages, anywhere in physical memory. */
#ifndef DS_TESTS_UNIT_SPARSE_H
#define DS_TESTS_UNIT_SPARSE_H

#include "base/bytes.h"
#include "dump/dump.h"
#include "test.h"

#define SPARSE_PAGES 42 /* runs that the header has room for */
#define SPARSE_BODY 0x2000u

struct sparse {
    uint64_t pfn[SPARSE_PAGES];
    uint8_t data[SPARSE_PAGES][4096];
    size_t count;
    uint8_t *file;
    struct ds_dump *dump;
};

/* The byte at pa; its page is added on first use. */
static inline uint8_t *sparse_at(struct sparse *s, uint64_t pa)
{
    size_t i = 0;
    while (i < s->count && s->pfn[i] != pa >> 12) {
        i++;
    }
    if (i == SPARSE_PAGES) {
        abort();
    }
    if (i == s->count) {
        s->pfn[s->count++] = pa >> 12;
    }
    return s->data[i] + (pa & 0xfff);
}

static inline void sparse_put64(struct sparse *s, uint64_t pa, uint64_t value)
{
    ds_put_le64(sparse_at(s, pa), value);
}

static inline void sparse_put32(struct sparse *s, uint64_t pa, uint32_t value)
{
    ds_put_le32(sparse_at(s, pa), value);
}

static inline struct ds_dump *sparse_open(struct sparse *s)
{
    struct ds_source *src;
    size_t size = SPARSE_BODY + s->count * 4096, at = SPARSE_BODY;
    s->file = calloc(1, size);
    if (s->file == NULL) {
        abort();
    }
    for (size_t i = 0; i < SPARSE_BODY; i += 4) {
        ds_put_le32(s->file + i, 0x45474150);
    }
    memcpy(s->file, "PAGEDU64", 8);
    ds_put_le32(s->file + 0x30, 0x8664);
    ds_put_le32(s->file + 0xf98, 1);
    ds_put_le32(s->file + 0x88, (uint32_t)s->count);
    ds_put_le64(s->file + 0x90, s->count);
    uint64_t below = 0;
    for (size_t n = 0; n < s->count; n++) { /* ascending */
        size_t least = SPARSE_PAGES;
        for (size_t i = 0; i < s->count; i++) {
            if ((n == 0 || s->pfn[i] > below) &&
                (least == SPARSE_PAGES || s->pfn[i] < s->pfn[least])) {
                least = i;
            }
        }
        below = s->pfn[least];
        ds_put_le64(s->file + 0x98 + n * 16, below);
        ds_put_le64(s->file + 0xa0 + n * 16, 1);
        memcpy(s->file + at, s->data[least], 4096);
        at += 4096;
    }
    if (ds_source_memory_open(s->file, size, &src, NULL) != DS_OK ||
        ds_dump_open(src, &s->dump, NULL) != DS_OK) {
        abort();
    }
    return s->dump;
}

static inline void sparse_close(struct sparse *s)
{
    ds_dump_close(s->dump);
    free(s->file);
    memset(s, 0, sizeof(*s));
}

#endif
