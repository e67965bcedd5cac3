/*
 * The process that calls libkdumpfile. It trusts the file in nothing but its own survival, and is
 * not trusted in turn: kdump.c checks what it says.
 * libkdumpfile 0.5: a page before a segment behind a gap of an ELF file reads as zero although it
 * is not there, so file.pagemap is asked first (kdump.c reads what it lists only); a large
 * cache.size is slow, as the cache is searched in a row; reading is faster than mapping.
 */
#include "dump/kdump.h"

#ifndef DS_KDUMPFILE

ds_kdump_worker_fn *ds_kdump_worker(void)
{
    return NULL;
}

#else

#include <stdlib.h>
#include <string.h>

#include <libkdumpfile/kdumpfile.h>

#include "base/bytes.h"

#define CACHE_PAGES 32

struct worker {
    kdump_ctx_t *ctx;
    kdump_bmp_t *map;
    unsigned shift; /* of the file's pages */
    uint8_t *reply; /* room for the largest */
};

static bool open_file(struct worker *w, int file, const char **words)
{
    kdump_num_t shift;
    kdump_attr_t map = {.type = KDUMP_BITMAP};
    *words = "out of memory";
    w->ctx = kdump_new();
    if (w->ctx == NULL)
        return false;
    (void)kdump_set_number_attr(w->ctx, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER);
    if (kdump_open_fd(w->ctx, file) != KDUMP_OK) {
        *words = kdump_get_err(w->ctx);
        return false;
    }
    (void)kdump_set_number_attr(w->ctx, "cache.size", CACHE_PAGES);
    if (kdump_get_number_attr(w->ctx, KDUMP_ATTR_PAGE_SHIFT, &shift) != KDUMP_OK ||
        kdump_get_attr(w->ctx, KDUMP_ATTR_FILE_PAGEMAP, &map) != KDUMP_OK) {
        *words = kdump_get_err(w->ctx);
        return false;
    }
    if (shift < 12 || shift > 24) {
        *words = "its pages are of no size that any processor has";
        return false;
    }
    w->shift = (unsigned)shift;
    w->map = map.val.bitmap;
    return true;
}

static bool answer_open(struct worker *w, int file, struct ds_os_channel *c)
{
    uint8_t reply[4 + DS_KDUMP_WORDS] = {0};
    const char *words = NULL;
    if (!open_file(w, file, &words)) {
        ds_put_le32(reply, 1);
        size_t len = words != NULL ? strlen(words) : 0;
        memcpy(reply + 4, words != NULL ? words : "",
               len < DS_KDUMP_WORDS - 1 ? len : DS_KDUMP_WORDS - 1);
    }
    return ds_os_channel_send(c, reply, sizeof(reply));
}

static bool answer_runs(struct worker *w, uint64_t first, uint32_t max, struct ds_os_channel *c)
{
    uint8_t *reply = w->reply;
    uint32_t count = 0;
    kdump_addr_t at = first >> w->shift;
    while (count < max && kdump_bmp_find_set(w->map, &at) == KDUMP_OK &&
           at <= UINT64_MAX >> w->shift) {
        kdump_addr_t end = at;
        if (kdump_bmp_find_clear(w->map, &end) != KDUMP_OK || end <= at)
            break;
        if (end > UINT64_MAX >> w->shift)
            end = UINT64_MAX >> w->shift;
        uint8_t *run = reply + 4 + 16 * count++;
        ds_put_le64(run, at << w->shift);
        ds_put_le64(run + 8, (end - at) << w->shift);
        at = end;
    }
    ds_put_le32(reply, count);
    return ds_os_channel_send(c, reply, 4 + 16 * (size_t)count);
}

static bool answer_read(struct worker *w, uint64_t first, uint32_t count, struct ds_os_channel *c)
{
    uint8_t *reply = w->reply;
    for (uint32_t i = 0; i < count; i++) {
        size_t len = DS_PAGE_SIZE;
        uint8_t *page = reply + count + (size_t)i * DS_PAGE_SIZE;
        kdump_status st =
            kdump_read(w->ctx, KDUMP_MACHPHYSADDR, first + (uint64_t)i * DS_PAGE_SIZE, page, &len);
        reply[i] = (uint8_t)(st == KDUMP_OK           ? DS_OK
                             : st == KDUMP_ERR_EOF    ? DS_TRUNCATED
                             : st == KDUMP_ERR_NODATA ? DS_NOT_IN_DUMP
                                                      : DS_CORRUPT);
        if (st != KDUMP_OK)
            memset(page, 0, DS_PAGE_SIZE);
    }
    return ds_os_channel_send(c, reply, (size_t)count * (1 + DS_PAGE_SIZE));
}

static void live(int file, struct ds_os_channel *c)
{
    struct worker w = {.reply = malloc(DS_KDUMP_PAGES_MAX * (1 + DS_PAGE_SIZE))};
    uint8_t b[DS_KDUMP_REQUEST];
    bool more = w.reply != NULL;
    while (more && ds_os_channel_receive(c, b, sizeof(b))) {
        uint32_t what = ds_le32(b), count = ds_le32(b + 4);
        if (what == DS_KDUMP_OPEN && w.ctx == NULL)
            more = answer_open(&w, file, c);
        else if (what == DS_KDUMP_RUNS && w.map != NULL && count <= DS_KDUMP_RUNS_MAX)
            more = answer_runs(&w, ds_le64(b + 8), count, c);
        else if (what == DS_KDUMP_READ && w.map != NULL && count <= DS_KDUMP_PAGES_MAX)
            more = answer_read(&w, ds_le64(b + 8), count, c);
        else
            more = false;
    }
}

ds_kdump_worker_fn *ds_kdump_worker(void)
{
    return live;
}

#endif
