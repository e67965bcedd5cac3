#include "dump/write.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "dump/impl.h"

/* PHYSICAL_MEMORY_DESCRIPTOR in 700 bytes of header (Windows SDK mindumpdef.h). */
#define RUNS64 42u
#define RUNS32 86u
/* The bitmap header behind the DMP header: its own 0x38 bytes, then the bits. */
#define BITMAP_HEAD 0x38u

struct writer {
    struct ds_dump *d;
    const struct ds_dump_writing *w;
    ds_write_fn *put;
    void *arg;
    uint8_t *bits; /* one per page: it is written */
    uint64_t bit_count, pages;
    uint64_t run_base[RUNS32], run_pages[RUNS32];
    size_t run_count; /* all of them, also those that do not fit */
};

static bool has_page(const struct writer *x, uint64_t pfn)
{
    return x->bits[pfn / 8] >> pfn % 8 & 1;
}

/* Marks the pages that the container holds whole. */
static enum ds_status mark_pages(struct writer *x)
{
    size_t n = ds_dump_phys_run_count(x->d);
    struct ds_phys_run r;
    uint64_t end = 0;
    for (size_t i = 0; i < n; i++)
        if (ds_dump_phys_run(x->d, i, &r) && r.size <= UINT64_MAX - r.pa && r.pa + r.size > end)
            end = r.pa + r.size;
    x->bit_count = end / DS_PAGE_SIZE;
    if (x->bit_count == 0)
        return DS_UNSUPPORTED;
    if (x->bit_count > DS_LIMIT_WRITE_PAGES)
        return DS_LIMIT;
    x->bits = calloc(1, (size_t)(x->bit_count / 8 + 1));
    if (x->bits == NULL)
        return DS_NO_MEMORY;
    for (uint64_t pfn = 0, i = 0; i < n; i++) {
        if (!ds_dump_phys_run(x->d, (size_t)i, &r))
            continue;
        /* Pages that lie in two runs are whole only if both ends are there: read to see. */
        for (pfn = r.pa / DS_PAGE_SIZE; pfn < x->bit_count && pfn * DS_PAGE_SIZE < r.pa + r.size;
             pfn++) {
            bool inside = pfn * DS_PAGE_SIZE >= r.pa && (pfn + 1) * DS_PAGE_SIZE <= r.pa + r.size;
            uint8_t page[DS_PAGE_SIZE];
            if (inside ||
                ds_dump_read_phys(x->d, pfn * DS_PAGE_SIZE, page, DS_PAGE_SIZE, NULL) == DS_OK)
                x->bits[pfn / 8] |= (uint8_t)(1u << pfn % 8);
        }
    }
    return DS_OK;
}

/* Runs and totals of the marked pages. */
static void count_runs(struct writer *x)
{
    bool before = false;
    for (uint64_t pfn = 0; pfn < x->bit_count; pfn++) {
        bool now = has_page(x, pfn);
        if (now && !before) {
            if (x->run_count < RUNS32) {
                x->run_base[x->run_count] = pfn;
                x->run_pages[x->run_count] = 0;
            }
            x->run_count++;
        }
        if (now && x->run_count <= RUNS32)
            x->run_pages[x->run_count - 1]++;
        x->pages += now;
        before = now;
    }
}

static void put_runs(const struct writer *x, uint8_t *raw)
{
    bool is64 = x->w->header.is64;
    uint8_t *p = raw + (is64 ? 0x88 : 0x64);
    size_t room = is64 ? RUNS64 : RUNS32;
    size_t n = x->run_count < room ? x->run_count : room;
    if (x->w->bitmap)
        n = 0; /* the bitmap says it all */
    ds_put_le32(p, (uint32_t)n);
    if (!is64) {
        ds_put_le32(p + 4, (uint32_t)(n > 0 ? x->pages : 0));
        for (size_t i = 0; i < n; i++) {
            ds_put_le32(p + 8 + 8 * i, (uint32_t)x->run_base[i]);
            ds_put_le32(p + 12 + 8 * i, (uint32_t)x->run_pages[i]);
        }
        return;
    }
    ds_put_le64(p + 8, n > 0 ? x->pages : 0);
    for (size_t i = 0; i < n; i++) {
        ds_put_le64(p + 16 + 16 * i, x->run_base[i]);
        ds_put_le64(p + 24 + 16 * i, x->run_pages[i]);
    }
}

static bool put_header(const struct writer *x, uint64_t body, uint64_t bitmap_bytes)
{
    uint8_t raw[DS_HEADER64_SIZE];
    struct ds_dump_header h = x->w->header;
    size_t size = h.is64 ? DS_HEADER64_SIZE : DS_HEADER32_SIZE;
    h.dump_type = ds_opt_known(x->w->bitmap ? 5 : 1);
    h.required_dump_space = ds_opt_known(size + bitmap_bytes + body);
    ds_header_encode(&h, raw);
    put_runs(x, raw);
    size_t context = h.is64 ? 0x348 : 0x320, room = h.is64 ? 3000 : 1200;
    if (x->w->context != NULL && x->w->context_size <= room) {
        memset(raw + context, 0, room);
        memcpy(raw + context, x->w->context, x->w->context_size);
    }
    size_t exception = h.is64 ? 0xf00 : 0x7d0, exception_room = h.is64 ? 0x98 : 0x50;
    if (x->w->exception != NULL && x->w->exception_size <= exception_room)
        memcpy(raw + exception, x->w->exception, x->w->exception_size);
    return x->put((const char *)raw, size, x->arg);
}

/* Layout as read by open parsers (FDMP header): first page, pages present, bits. */
static bool put_bitmap(const struct writer *x, uint64_t bytes)
{
    uint8_t head[BITMAP_HEAD] = {0};
    memcpy(head, "FDMPDUMP", 8);
    ds_put_le64(head + 0x20, DS_HEADER64_SIZE + bytes);
    ds_put_le64(head + 0x28, x->pages);
    ds_put_le64(head + 0x30, x->bit_count);
    if (!x->put((const char *)head, sizeof(head), x->arg))
        return false;
    size_t size = (size_t)(x->bit_count / 8 + (x->bit_count % 8 != 0));
    if (!x->put((const char *)x->bits, size, x->arg))
        return false;
    static const char zeros[DS_PAGE_SIZE];
    return x->put(zeros, (size_t)(bytes - BITMAP_HEAD - size), x->arg);
}

static void patch_page(const struct writer *x, uint64_t pa, uint8_t *page)
{
    for (size_t i = 0; i < x->w->patch_count; i++) {
        const struct ds_dump_patch *p = &x->w->patches[i];
        if (p->pa / DS_PAGE_SIZE == pa / DS_PAGE_SIZE &&
            p->pa % DS_PAGE_SIZE + p->size <= DS_PAGE_SIZE)
            memcpy(page + p->pa % DS_PAGE_SIZE, p->bytes, p->size);
    }
}

static enum ds_status put_pages(const struct writer *x, struct ds_err *err)
{
    for (uint64_t pfn = 0; pfn < x->bit_count; pfn++) {
        uint8_t page[DS_PAGE_SIZE];
        uint64_t pa = pfn * DS_PAGE_SIZE;
        if (!has_page(x, pfn))
            continue;
        enum ds_status st = ds_dump_read_phys(x->d, pa, page, sizeof(page), NULL);
        if (st != DS_OK)
            return ds_err_set(err, DS_IO, "physical address 0x%llx cannot be read: %s",
                              (unsigned long long)pa, ds_status_text(st));
        patch_page(x, pa, page);
        if (!x->put((const char *)page, sizeof(page), x->arg))
            return ds_err_set(err, DS_IO, "the output cannot be written");
    }
    return DS_OK;
}

static enum ds_status say(enum ds_status st, struct ds_err *err)
{
    switch (st) {
    case DS_UNSUPPORTED:
        return ds_err_set(err, st, "the input holds no physical memory that could be written");
    case DS_LIMIT:
        return ds_err_set(err, st,
                          "the input has memory at physical addresses beyond %llu pages; no "
                          "header can be believed that says so",
                          (unsigned long long)DS_LIMIT_WRITE_PAGES);
    default:
        return ds_err_set(err, st, "out of memory");
    }
}

static enum ds_status write_all(struct writer *x, struct ds_err *err)
{
    bool is64 = x->w->header.is64;
    count_runs(x);
    if (!x->w->bitmap && x->run_count > (is64 ? RUNS64 : RUNS32))
        return ds_err_set(err, DS_UNSUPPORTED,
                          "memory lies in %llu runs, and the header of a complete dump holds %u; "
                          "write a bitmap dump",
                          (unsigned long long)x->run_count, is64 ? RUNS64 : RUNS32);
    if (!is64 && (x->w->bitmap || x->bit_count > UINT32_MAX))
        return ds_err_set(err, DS_UNSUPPORTED, "32-bit dumps can only be written as complete ones");
    uint64_t bytes = BITMAP_HEAD + x->bit_count / 8 + 1;
    bytes = x->w->bitmap ? (bytes + DS_PAGE_SIZE - 1) / DS_PAGE_SIZE * DS_PAGE_SIZE : 0;
    if (!put_header(x, x->pages * DS_PAGE_SIZE, bytes) || (x->w->bitmap && !put_bitmap(x, bytes)))
        return ds_err_set(err, DS_IO, "the output cannot be written");
    return put_pages(x, err);
}

enum ds_status ds_dump_write(struct ds_dump *d, const struct ds_dump_writing *w, ds_write_fn *put,
                             void *arg, struct ds_err *err)
{
    struct writer x = {.d = d, .w = w, .put = put, .arg = arg};
    enum ds_status st = mark_pages(&x);
    st = st != DS_OK ? say(st, err) : write_all(&x, err);
    free(x.bits);
    return st;
}

bool ds_dump_write_fits_full(struct ds_dump *d, bool is64)
{
    struct writer x = {.d = d};
    bool fits = mark_pages(&x) == DS_OK;
    if (fits) {
        count_runs(&x);
        fits = x.run_count <= (is64 ? RUNS64 : RUNS32);
    }
    free(x.bits);
    return fits;
}
