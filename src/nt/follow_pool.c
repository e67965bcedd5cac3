/*
 * The pool block at an address and its neighbours in the page. Every block begins with a
 * _POOL_HEADER (public symbols): its size and that of the block before it, in units of two
 * pointers, and a tag of four characters. In a healthy page the sizes of neighbours agree; the
 * first that does not was overwritten, mostly by the block before it. Since build 18362 pool
 * lives in segment heaps, whose blocks have headers that are not chained.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "nt/follow.h"

#define HEX(x) (unsigned long long)(x)
#define PAGE 0x1000u
#define SEGMENT_HEAP_BUILD 18362u

struct block {
    uint64_t va; /* of its header */
    uint64_t previous, size, type;
    uint64_t previous_bytes, size_bytes;
    char tag[5];
};

static bool read_block(const struct ds_follow *f, uint64_t va, struct block *ret)
{
    struct ds_target *t = f->nt->target;
    uint64_t unit = 2 * (uint64_t)t->pointer_size;
    struct ds_opt previous = ds_target_field(t, va, "_POOL_HEADER", "PreviousSize");
    struct ds_opt size = ds_target_field(t, va, "_POOL_HEADER", "BlockSize");
    struct ds_opt type = ds_target_field(t, va, "_POOL_HEADER", "PoolType");
    struct ds_opt tag = ds_target_field(t, va, "_POOL_HEADER", "PoolTag");
    if (!previous.known || !size.known || !type.known || !tag.known)
        return false;
    *ret = (struct block){.va = va,
                          .previous = previous.value,
                          .size = size.value,
                          .type = type.value,
                          .previous_bytes = previous.value * unit,
                          .size_bytes = size.value * unit};
    for (unsigned i = 0; i < 4; i++) {
        uint8_t c = (uint8_t)(tag.value >> 8 * i & 0x7f); /* the top bit marks protected blocks */
        ret->tag[i] = c >= ' ' && c < 0x7f ? (char)c : '.';
    }
    return true;
}

static bool sane(const struct block *b)
{
    return b->size_bytes != 0 && b->size_bytes <= PAGE - b->va % PAGE && strspn(b->tag, ".") != 4;
}

static uint32_t header_size(const struct ds_follow *f)
{
    uint32_t size;
    return ds_target_size(f->nt->target, "_POOL_HEADER", &size) == DS_OK ? size : 0;
}

static void add_block(struct ds_follow *f, uint32_t parameter, const char *name,
                      const struct block *b)
{
    ds_follow_add(f, parameter, name, ds_opt_known(b->va),
                  "tag %s, %llu bytes, %s, block before it %llu bytes", b->tag, HEX(b->size_bytes),
                  b->type == 0 ? "free" : "in use", HEX(b->previous_bytes));
}

/* Walks the page from its start to where two neighbours disagree. */
static bool find_damage(const struct ds_follow *f, uint64_t page, struct block *before,
                        struct block *damaged)
{
    struct block b, last = {0};
    bool first = true;
    for (uint64_t at = page; at < page + PAGE && read_block(f, at, &b); at += b.size_bytes) {
        bool fits = first ? b.previous == 0 : b.previous == last.size;
        if (!fits || b.size_bytes == 0 || b.size_bytes > page + PAGE - at) {
            *before = last;
            *damaged = b;
            return !first;
        }
        last = b;
        first = false;
    }
    return false;
}

static void page_damage(struct ds_follow *f, uint32_t parameter, uint64_t page)
{
    struct block before, damaged;
    if (!find_damage(f, page, &before, &damaged))
        return;
    unsigned bits = ds_bits_set(before.size ^ damaged.previous);
    ds_follow_add(f, parameter, "pool_damage", ds_opt_known(damaged.va),
                  "the header says %llu bytes before it, the block before it has %llu%s",
                  HEX(damaged.previous_bytes), HEX(before.size_bytes),
                  bits == 1   ? ": one bit differs"
                  : bits == 0 ? "; its own size does not fit the page"
                              : "");
    add_block(f, parameter, "pool_neighbour", &before);
}

void ds_follow_pool(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    struct ds_target *t = f->nt->target;
    uint32_t header = header_size(f);
    struct block b;
    if (t->kernel == NULL || header == 0 || va < header)
        return;
    bool at = read_block(f, va, &b) && sane(&b);
    if (!at && read_block(f, va - header, &b) && sane(&b))
        at = true;
    if (!at) {
        if (read_block(f, va, &b))
            add_block(f, parameter, "pool_block", &b);
        else
            ds_follow_add(f, parameter, "pool_block", ds_opt_unknown(DS_NOT_IN_DUMP),
                          "no pool header is in the dump there");
    } else {
        add_block(f, parameter, "pool_block", &b);
    }
    uint64_t page = va & ~(uint64_t)(PAGE - 1);
    if (page != f->pool_page && t->build.known && t->build.value < SEGMENT_HEAP_BUILD)
        page_damage(f, parameter, page);
    f->pool_page = page;
}
