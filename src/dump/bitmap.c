/*
 * Bitmap dumps (types 5 and 6, 64-bit): at 0x2000 {'SDMP' or 'FDMP', 'DUMP', u32 DumpOptions, ..,
 * 0x20 u64 FirstPage, 0x28 u64 TotalPresentPages, 0x30 u64 Pages, 0x38 bitmap}. Bit n set: page
 * n is the next one in the file. Layout as decoded by several independent open readers.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "dump/impl.h"

#define BITMAP_AT 0x38u
#define RANK_BYTES (DS_BITMAP_BLOCK / 8u)

static uint64_t load_bits(const uint8_t *p)
{
    return ds_le64(p);
}

static bool is_bitmap_tag(const uint8_t *p)
{
    return memcmp(p, "SDMPDUMP", 8) == 0 || memcmp(p, "FDMPDUMP", 8) == 0;
}

bool ds_bitmap_sniff(struct ds_dump *d)
{
    uint8_t tag[8];
    return d->header.is64 &&
           ds_dump_read_file(d, d->header.body_offset, tag, sizeof(tag)) == DS_OK &&
           is_bitmap_tag(tag);
}

bool ds_bitmap_plausible(struct ds_dump *d)
{
    uint64_t at = d->header.body_offset;
    struct ds_opt first = ds_dump_file_uint(d, at + 0x20, 8);
    struct ds_opt present = ds_dump_file_uint(d, at + 0x28, 8);
    struct ds_opt pages = ds_dump_file_uint(d, at + 0x30, 8);
    return first.known && present.known && pages.known && first.value >= at + BITMAP_AT &&
           first.value < d->file_size && present.value != 0 && present.value <= pages.value;
}

/* Set bits of the block before `pfn`'s word, then within it. */
static uint64_t rank_of(const struct ds_bitmap *b, uint64_t pfn)
{
    uint64_t block = pfn / DS_BITMAP_BLOCK;
    uint64_t rank = b->rank[block];
    const uint8_t *p = b->bits + block * RANK_BYTES;
    for (uint64_t left = pfn % DS_BITMAP_BLOCK; left > 0; p += 8) {
        uint64_t w = load_bits(p);
        if (left < 64) {
            w &= (UINT64_C(1) << left) - 1;
            left = 64;
        }
        rank += (uint64_t)__builtin_popcountll(w);
        left -= 64;
    }
    return rank;
}

static bool bit_set(const struct ds_bitmap *b, uint64_t pfn)
{
    return pfn < b->pages && (b->bits[pfn / 8] >> (pfn % 8) & 1) != 0;
}

static void build_rank(struct ds_bitmap *b)
{
    uint64_t blocks = (b->pages + DS_BITMAP_BLOCK - 1) / DS_BITMAP_BLOCK;
    uint64_t total = 0;
    for (uint64_t i = 0; i < blocks; i++) {
        b->rank[i] = (uint32_t)total;
        for (unsigned w = 0; w < RANK_BYTES; w += 8)
            total += (uint64_t)__builtin_popcountll(load_bits(b->bits + i * RANK_BYTES + w));
    }
    b->set = total;
}

/* The page number of the index-th captured page (index < set). */
static uint64_t select_page(const struct ds_bitmap *b, uint64_t index)
{
    uint64_t lo = 0, hi = (b->pages + DS_BITMAP_BLOCK - 1) / DS_BITMAP_BLOCK;
    while (hi - lo > 1) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (b->rank[mid] <= index)
            lo = mid;
        else
            hi = mid;
    }
    uint64_t left = index - b->rank[lo];
    for (uint64_t pfn = lo * DS_BITMAP_BLOCK; pfn < b->pages; pfn++) {
        if (bit_set(b, pfn) && left-- == 0)
            return pfn;
    }
    return b->pages;
}

/* Bytes of bitmap that the file and the cap allow; notes what they cut off. */
static uint64_t usable_bytes(struct ds_dump *d, const struct ds_bitmap_body *x)
{
    uint64_t at = x->bits_at;
    uint64_t want = x->pages / 8 + (x->pages % 8 != 0);
    uint64_t have = ds_dump_captured(d, at, want);
    if (x->first_page > at && x->first_page - at < have)
        have = x->first_page - at;
    bool capped = have > DS_LIMIT_ALLOC / 2;
    if (capped)
        have = DS_LIMIT_ALLOC / 2;
    if (have == want)
        return have;
    struct ds_integrity_note *n =
        ds_dump_note(d, DS_INTEGRITY_DAMAGE, capped ? "bitmap.limit" : "bitmap.size", x->pages_at);
    ds_integrity_expected(n, "a bitmap of at most 0x%llx bytes", (unsigned long long)have);
    ds_integrity_found(n, "0x%llx bits", (unsigned long long)x->pages);
    ds_integrity_lost(n, "pages from physical address 0x%llx on; those below can be trusted",
                      (unsigned long long)(have * 8 * DS_PAGE_SIZE));
    return have;
}

static enum ds_status load_bitmap(struct ds_dump *d, const struct ds_bitmap_body *x,
                                  struct ds_err *err)
{
    struct ds_bitmap *b = &d->bitmap;
    uint64_t bytes = usable_bytes(d, x);
    b->pages = bytes * 8 < x->pages ? bytes * 8 : x->pages;
    b->first_page = x->first_page;
    uint64_t blocks = bytes / RANK_BYTES + 1;
    b->bits = ds_alloc_array(blocks, RANK_BYTES);
    b->rank = ds_alloc_array(blocks, sizeof(*b->rank));
    if (b->bits == NULL || b->rank == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory for the page bitmap");
    enum ds_status st = ds_source_read(d->src, x->bits_at, b->bits, (size_t)bytes, err);
    if (st != DS_OK)
        return st;
    if (b->pages % 8 != 0) /* bits past Pages are noise */
        b->bits[b->pages / 8] &= (uint8_t)((1u << (b->pages % 8)) - 1);
    build_rank(b);
    d->has_bitmap = true;
    return DS_OK;
}

static void check_counts(struct ds_dump *d, const struct ds_bitmap_body *x)
{
    struct ds_bitmap *b = &d->bitmap;
    if (b->set != x->present) {
        struct ds_integrity_note *n =
            ds_dump_note(d, DS_INTEGRITY_DAMAGE, "bitmap.page_count", x->present_at);
        ds_integrity_expected(n, "%s 0x%llx, as the bitmap has bits", x->present_name,
                              (unsigned long long)b->set);
        ds_integrity_found(n, "0x%llx", (unsigned long long)x->present);
        ds_integrity_lost(n, "certainty: if a bit of the map is wrong, every page after it is off "
                             "by one; if only the total is wrong, nothing");
    }
    uint64_t need;
    if (ds_add_overflows(x->first_page, b->set * DS_PAGE_SIZE, &need))
        need = UINT64_MAX;
    b->whole_pages = ds_dump_captured(d, x->first_page, UINT64_MAX) / DS_PAGE_SIZE;
    if (b->whole_pages > b->set)
        b->whole_pages = b->set;
    d->phys_pages = b->whole_pages;
    if (b->whole_pages < b->set)
        ds_phys_note_short(d, need, b->set - b->whole_pages,
                           select_page(b, b->whole_pages) * DS_PAGE_SIZE);
    else
        ds_blobs_read(d, need, true);
    ds_tail_check_pages(d, x->first_page, need);
}

/* FirstPage must lie behind the bitmap that it follows. */
static void check_first_page(struct ds_dump *d, const struct ds_bitmap_body *x)
{
    uint64_t least = x->bits_at + x->pages / 8 + (x->pages % 8 != 0);
    if (x->first_page >= least || x->pages > UINT64_MAX / 16)
        return;
    struct ds_integrity_note *n =
        ds_dump_note(d, DS_INTEGRITY_DAMAGE, "bitmap.first_page", x->first_at);
    ds_integrity_expected(n, "%s 0x%llx or more, behind the bitmap", x->first_name,
                          (unsigned long long)least);
    ds_integrity_found(n, "0x%llx", (unsigned long long)x->first_page);
    ds_integrity_lost(n,
                      "the place of the pages, if that offset is wrong; the header can be trusted");
}

enum ds_status ds_bitmap_open_body(struct ds_dump *d, const struct ds_bitmap_body *x,
                                   struct ds_err *err)
{
    check_first_page(d, x);
    enum ds_status st = load_bitmap(d, x, err);
    if (st == DS_OK)
        check_counts(d, x);
    return st;
}

enum ds_status ds_bitmap_open(struct ds_dump *d, struct ds_err *err)
{
    uint64_t at = d->header.body_offset;
    uint8_t raw[BITMAP_AT];
    size_t have;
    enum ds_status st = ds_source_read_some(d->src, at, raw, sizeof(raw), &have, err);
    if (st != DS_OK)
        return st;
    if (have < sizeof(raw) || !is_bitmap_tag(raw)) {
        d->kind = DS_DUMP_DAMAGED;
        struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_FATAL, "bitmap.signature", at);
        ds_integrity_expected(n, "'SDMP' or 'FDMP', then 'DUMP'");
        if (have >= 8)
            ds_integrity_found(n, "0x%016llx", (unsigned long long)ds_le64(raw));
        else
            ds_integrity_found(n, "the end of the file");
        ds_integrity_lost(n, "all memory: the map of the pages is gone; the header can be trusted");
        return DS_OK;
    }
    d->kind = d->header.dump_type.known && d->header.dump_type.value == 5 ? DS_DUMP_BITMAP_FULL
                                                                          : DS_DUMP_BITMAP_KERNEL;
    struct ds_bitmap_body x = {.first_page = ds_le64(raw + 0x20),
                               .present = ds_le64(raw + 0x28),
                               .pages = ds_le64(raw + 0x30),
                               .bits_at = at + BITMAP_AT,
                               .first_at = at + 0x20,
                               .present_at = at + 0x28,
                               .pages_at = at + 0x30,
                               .first_name = "FirstPage",
                               .present_name = "TotalPresentPages"};
    return ds_bitmap_open_body(d, &x, err);
}

uint64_t ds_bitmap_offset(const struct ds_dump *d, uint64_t pa)
{
    const struct ds_bitmap *b = &d->bitmap;
    uint64_t pfn = pa / DS_PAGE_SIZE;
    uint64_t index = bit_set(b, pfn) ? rank_of(b, pfn) : b->whole_pages;
    return index < b->whole_pages ? b->first_page + index * DS_PAGE_SIZE + pa % DS_PAGE_SIZE
                                  : DS_NO_OFFSET;
}

/* The first page from `from` on whose bit is set, or is clear; b->pages when there is none. */
static uint64_t find_bit(const struct ds_bitmap *b, uint64_t from, bool set)
{
    for (uint64_t p = from; p < b->pages; p = (p / 64 + 1) * 64) {
        uint64_t w = load_bits(b->bits + p / 64 * 8);
        w = (set ? w : ~w) & UINT64_MAX << p % 64;
        if (w != 0) {
            p = p / 64 * 64 + (uint64_t)__builtin_ctzll(w);
            return p < b->pages ? p : b->pages;
        }
    }
    return b->pages;
}

/* A run of set bits from `*pfn` on; false when there is none. */
static bool next_run(const struct ds_bitmap *b, uint64_t *pfn, uint64_t *count)
{
    *pfn = find_bit(b, *pfn, true);
    *count = find_bit(b, *pfn, false) - *pfn;
    return *count != 0;
}

bool ds_bitmap_next(const struct ds_dump *d, uint64_t pa, uint64_t *start, uint64_t *size)
{
    const struct ds_bitmap *b = &d->bitmap;
    uint64_t pfn = pa / DS_PAGE_SIZE + (pa % DS_PAGE_SIZE != 0), count;
    if (!next_run(b, &pfn, &count))
        return false;
    uint64_t index = rank_of(b, pfn);
    if (index >= b->whole_pages)
        return false;
    *start = pfn * DS_PAGE_SIZE;
    *size = (count < b->whole_pages - index ? count : b->whole_pages - index) * DS_PAGE_SIZE;
    return true;
}

size_t ds_bitmap_pages(struct ds_dump *d, uint64_t pa, void *buf, uint64_t *addresses, size_t max,
                       enum ds_status *status)
{
    const struct ds_bitmap *b = &d->bitmap;
    uint64_t start, size;
    *status = DS_NOT_FOUND;
    if (!ds_bitmap_next(d, pa, &start, &size))
        return 0;
    uint64_t pfn = start / DS_PAGE_SIZE, index = rank_of(b, pfn);
    size_t count = b->whole_pages - index < max ? (size_t)(b->whole_pages - index) : max;
    *status = ds_source_read(d->src, b->first_page + index * DS_PAGE_SIZE, buf,
                             count * DS_PAGE_SIZE, NULL);
    for (size_t i = 0; i < count; i++, pfn++) {
        pfn = find_bit(b, pfn, true);
        addresses[i] = pfn * DS_PAGE_SIZE;
    }
    return *status == DS_OK ? count : 0;
}

enum ds_status ds_bitmap_read(struct ds_dump *d, uint64_t pa, void *buf, size_t len,
                              uint64_t *fault)
{
    const struct ds_bitmap *b = &d->bitmap;
    uint8_t *out = buf;
    size_t done = 0;
    enum ds_status st = DS_OK;
    while (done < len) {
        uint64_t at = pa + done, pfn = at / DS_PAGE_SIZE, skip = at % DS_PAGE_SIZE;
        if (at < pa || !bit_set(b, pfn)) {
            st = DS_NOT_IN_DUMP;
            break;
        }
        uint64_t index = rank_of(b, pfn);
        if (index >= b->whole_pages) {
            st = DS_TRUNCATED;
            break;
        }
        size_t part = len - done;
        if (part > DS_PAGE_SIZE - skip) { /* neighbours follow each other in the file */
            uint64_t end = find_bit(b, pfn, false);
            if (end - pfn > b->whole_pages - index)
                end = pfn + (b->whole_pages - index);
            uint64_t run = (end - pfn) * DS_PAGE_SIZE - skip;
            part = run < part ? (size_t)run : part;
        }
        st = ds_source_read(d->src, b->first_page + index * DS_PAGE_SIZE + skip, out + done, part,
                            NULL);
        if (st != DS_OK)
            break;
        done += part;
    }
    if (st != DS_OK && fault != NULL)
        *fault = pa + done;
    return st;
}

void ds_bitmap_list_runs(struct ds_dump *d)
{
    const struct ds_bitmap *b = &d->bitmap;
    uint64_t pfn = 0, count, index = 0;
    while (index < b->whole_pages && next_run(b, &pfn, &count)) {
        if (count > b->whole_pages - index)
            count = b->whole_pages - index;
        if (!ds_dump_add_run(d, pfn * DS_PAGE_SIZE, count * DS_PAGE_SIZE,
                             b->first_page + index * DS_PAGE_SIZE))
            return;
        index += count;
        pfn += count;
    }
}
