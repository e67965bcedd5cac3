/*
 * Range dumps, written by a debugger (.dump /k, /ka and /f: types 8, 9 and 10; 64-bit only). At
 * 0x2000 {u32 0x40, 'RDMP', 'DUMP', u32 0, 0x10 u64 MetadataSize, 0x18 u64 FirstPage}; then, in
 * types 8 and 9, two words of unknown meaning, in type 10 {u32 NumberOfRanges, u32, u64
 * TotalPages}; from 0x30 on ranges {u64 page number, u64 pages}, whose pages stand back to back
 * from FirstPage on. Types 8 and 9 end at a range of page 0 or with the metadata, type 10 when
 * TotalPages are reached. MetadataSize counts from 0x20 on: FirstPage is right behind. Source:
 * 0vercl0k/kdmp-parser-rs, src/structs.rs and src/parse.rs, checked there on real dumps.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "dump/impl.h"

#define MARK 0x40u
#define COUNTED_FROM 0x20u /* MetadataSize begins to count here */
#define RANGES_AT 0x30u
#define RANGE_BYTES 16u
#define CHUNK_RANGES 256u

struct metadata {
    uint64_t at;  /* file offset of the marker */
    uint64_t end; /* file offset behind the last range that may be */
    uint64_t size, first_page;
    uint64_t ranges, pages; /* as stated; type 10 only */
    bool counted;           /* type 10: ends by its number of pages */
};

/* What reading the ranges added up to. */
struct sums {
    uint64_t ranges, pages;
    uint64_t need;    /* file offset behind the last page */
    uint64_t lost;    /* pages past the end of the file */
    uint64_t lost_pa; /* the first of them */
    uint64_t next;    /* page number behind the highest range so far */
    bool disorder;
    bool stopped; /* by a range that cannot be */
};

static bool has_mark(struct ds_dump *d)
{
    uint8_t tag[8];
    return d->header.is64 &&
           ds_dump_read_file(d, d->header.body_offset + 4, tag, sizeof(tag)) == DS_OK &&
           memcmp(tag, "RDMPDUMP", 8) == 0;
}

static bool range_fits(uint64_t pfn, uint64_t count)
{
    const uint64_t limit = UINT64_MAX / DS_PAGE_SIZE;
    return pfn < limit && count <= limit - pfn;
}

/* Whether TotalPages is the sum of the first NumberOfRanges ranges. */
static bool adds_up(struct ds_dump *d)
{
    uint64_t at = d->header.body_offset, sum = 0;
    struct ds_opt ranges = ds_dump_file_uint(d, at + 0x20, 4);
    struct ds_opt pages = ds_dump_file_uint(d, at + 0x28, 8);
    if (!ranges.known || !pages.known || ranges.value == 0 || ranges.value > DS_LIMIT_RUNS)
        return false;
    for (uint64_t i = 0; i < ranges.value; i++) {
        struct ds_opt n = ds_dump_file_uint(d, at + RANGES_AT + i * RANGE_BYTES + 8, 8);
        if (!n.known || ds_add_overflows(sum, n.value, &sum))
            return false;
    }
    return sum == pages.value;
}

uint32_t ds_range_sniff(struct ds_dump *d)
{
    if (!has_mark(d))
        return 0;
    return adds_up(d) ? 10 : 8;
}

static void check_metadata(struct ds_dump *d, const struct metadata *m)
{
    struct ds_opt mark = ds_dump_file_uint(d, m->at, 4);
    if (mark.known && mark.value != MARK)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "range.marker", m->at,
                    "nothing, if the ranges behind it are right", "0x40", "0x%llx",
                    (unsigned long long)mark.value);
    uint64_t behind = 0;
    bool agrees =
        !ds_add_overflows(m->at + COUNTED_FROM, m->size, &behind) && behind == m->first_page;
    if (!agrees)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "range.metadata_size", m->at + 0x10,
                    "certainty: if FirstPage is wrong, every page stands under a wrong address",
                    "MetadataSize and FirstPage that agree", "0x%llx, and pages from 0x%llx on",
                    (unsigned long long)m->size, (unsigned long long)m->first_page);
}

static bool lose_all(struct ds_dump *d, const char *check, uint64_t offset, const char *expected,
                     uint64_t found)
{
    d->kind = DS_DUMP_DAMAGED;
    ds_dump_say(d, DS_INTEGRITY_FATAL, check, offset,
                "all memory: nothing says which page stands where; the header can be trusted",
                expected, "0x%llx", (unsigned long long)found);
    return false;
}

/* False when nothing can be read by it; said. */
static bool read_metadata(struct ds_dump *d, uint32_t type, struct metadata *m)
{
    uint8_t raw[RANGES_AT];
    uint64_t at = d->header.body_offset;
    if (ds_dump_read_file(d, at, raw, sizeof(raw)) != DS_OK)
        return lose_all(d, "range.header", at, "a range header of 0x30 bytes", d->file_size);
    if (!has_mark(d))
        return lose_all(d, "range.signature", at + 4, "'RDMP', then 'DUMP'", ds_le64(raw + 4));
    *m = (struct metadata){.at = at,
                           .size = ds_le64(raw + 0x10),
                           .first_page = ds_le64(raw + 0x18),
                           .ranges = ds_le32(raw + 0x20),
                           .pages = ds_le64(raw + 0x28),
                           .counted = type == 10};
    if (m->first_page < at + RANGES_AT || m->first_page >= d->file_size)
        return lose_all(d, "range.first_page", at + 0x18,
                        "FirstPage behind the ranges and within the file", m->first_page);
    m->end = m->first_page;
    if (ds_range_within(m->size, at + COUNTED_FROM, m->first_page))
        m->end = at + COUNTED_FROM + m->size;
    return true;
}

static enum ds_status add_range(struct ds_dump *d, uint64_t pfn, uint64_t count, struct sums *s)
{
    uint64_t pa = pfn * DS_PAGE_SIZE, size = count * DS_PAGE_SIZE;
    uint64_t have = ds_dump_captured(d, s->need, size) / DS_PAGE_SIZE * DS_PAGE_SIZE;
    enum ds_status st = ds_extents_add(&d->phys_map, pa, have, s->need, false, DS_LIMIT_RANGES);
    if (st == DS_OK)
        st = ds_extents_add(&d->phys_map, pa + have, size - have, 0, true, DS_LIMIT_RANGES);
    if (st != DS_OK)
        return st;
    if (have < size && s->lost == 0)
        s->lost_pa = pa + have;
    s->lost += (size - have) / DS_PAGE_SIZE;
    s->disorder = s->disorder || pfn < s->next;
    s->next = pfn + count > s->next ? pfn + count : s->next;
    s->ranges++;
    d->phys_pages += have / DS_PAGE_SIZE;
    if (ds_add_overflows(s->pages, count, &s->pages))
        s->pages = UINT64_MAX;
    if (ds_add_overflows(s->need, size, &s->need))
        s->need = UINT64_MAX;
    return DS_OK;
}

/* One range; *done at the end of the list. */
static enum ds_status take_range(struct ds_dump *d, const struct metadata *m, const uint8_t *p,
                                 uint64_t offset, struct sums *s, bool *done)
{
    uint64_t pfn = ds_le64(p), count = ds_le64(p + 8);
    *done = m->counted ? s->pages >= m->pages : pfn == 0;
    if (*done)
        return DS_OK;
    uint64_t left = m->counted ? m->pages - s->pages : UINT64_MAX;
    if (!range_fits(pfn, count) || count > left) {
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "range.overflow", offset,
                    "this range and those after it, whose place in the file is unknown now; those "
                    "before it can be trusted",
                    count > left ? "ranges that add up to TotalPages" : "a range below 2^64",
                    "page 0x%llx, 0x%llx pages", (unsigned long long)pfn,
                    (unsigned long long)count);
        *done = s->stopped = true;
        return DS_OK;
    }
    return add_range(d, pfn, count, s);
}

static enum ds_status read_ranges(struct ds_dump *d, const struct metadata *m, struct sums *s)
{
    uint8_t raw[CHUNK_RANGES * RANGE_BYTES];
    uint64_t at = m->at + RANGES_AT;
    bool done = m->counted && m->pages == 0;
    while (!done && at < m->end && m->end - at >= RANGE_BYTES) {
        uint64_t left = (m->end - at) / RANGE_BYTES * RANGE_BYTES;
        size_t part = left < sizeof(raw) ? (size_t)left : sizeof(raw);
        enum ds_status st = ds_dump_read_file(d, at, raw, part);
        for (size_t i = 0; st == DS_OK && !done && i < part; i += RANGE_BYTES)
            st = take_range(d, m, raw + i, at + i, s, &done);
        if (st != DS_OK)
            return st;
        at += part;
    }
    return DS_OK;
}

static void check_sums(struct ds_dump *d, const struct metadata *m, const struct sums *s)
{
    if (s->disorder)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "range.order", m->at + RANGES_AT,
                    "where ranges overlap the first one is believed; pages may stand under a wrong "
                    "address",
                    "ranges in ascending order that do not overlap", "ranges that go back");
    if (m->counted && !s->stopped && s->pages != m->pages)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "range.page_count", m->at + 0x28,
                    "the ranges that the metadata has no room for; those before can be trusted",
                    "ranges that add up to TotalPages", "0x%llx pages of 0x%llx",
                    (unsigned long long)s->pages, (unsigned long long)m->pages);
    else if (m->counted && !s->stopped && s->ranges != m->ranges)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "range.count", m->at + 0x20,
                    "nothing: TotalPages ends the list", "as many ranges as TotalPages take",
                    "NumberOfRanges 0x%llx, and 0x%llx", (unsigned long long)m->ranges,
                    (unsigned long long)s->ranges);
    if (s->ranges == 0 && !s->stopped)
        (void)lose_all(d, "range.none", m->at + RANGES_AT, "at least one range", 0);
}

static enum ds_dump_kind kind_of(uint32_t type)
{
    return type == 8   ? DS_DUMP_RANGE_KERNEL
           : type == 9 ? DS_DUMP_RANGE_KERNEL_USER
                       : DS_DUMP_RANGE_FULL;
}

enum ds_status ds_range_open(struct ds_dump *d, uint32_t type, struct ds_err *err)
{
    struct metadata m;
    d->kind = kind_of(type);
    if (!read_metadata(d, type, &m))
        return DS_OK;
    check_metadata(d, &m);
    struct sums s = {.need = m.first_page};
    enum ds_status st = read_ranges(d, &m, &s);
    if (st == DS_LIMIT) {
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "range.limit", m.at + RANGES_AT,
                    "the memory of the ranges beyond the limit", "fewer ranges",
                    "more than %u, from page 0x%llx on", (unsigned)s.ranges,
                    (unsigned long long)s.next);
        s.stopped = true;
        st = DS_OK;
    }
    if (st == DS_OK)
        st = ds_extents_build(&d->phys_map);
    if (st != DS_OK)
        return ds_err_set(err, st, "cannot list the memory ranges: %s", ds_status_text(st));
    check_sums(d, &m, &s);
    if (s.lost != 0)
        ds_phys_note_short(d, s.need, s.lost, s.lost_pa);
    else if (!s.stopped)
        ds_blobs_read(d, s.need, true);
    ds_tail_check_pages(d, m.first_page, s.need);
    return DS_OK;
}
