#include "dump/strip.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "dump/blob_blackbox.h"

#define PIECES_MAX 4096u
#define CHUNK (64u << 10)

static bool keep(struct ds_strip_plan *p, uint64_t from, uint64_t to)
{
    if (from >= to)
        return true;
    struct ds_strip_piece *last = p->count > 0 ? &p->pieces[p->count - 1] : NULL;
    p->result.written += to - from;
    if (last != NULL && last->offset + last->size == from) {
        last->size += to - from;
        return true;
    }
    void *array = p->pieces;
    bool room = ds_array_reserve(&array, &p->cap, p->count + 1, sizeof(*p->pieces), PIECES_MAX);
    p->pieces = array;
    if (room)
        p->pieces[p->count++] = (struct ds_strip_piece){from, to - from};
    return room;
}

/* Whether something that the dump's lists point to lies at or behind `end`. */
static bool holds_records(struct ds_dump *d, uint64_t end)
{
    for (size_t i = 0; i < ds_dump_virt_range_count(d); i++) {
        const struct ds_virt_range *r = ds_dump_virt_range(d, i);
        uint64_t captured =
            ds_dump_file_size(d) > r->file_offset ? ds_dump_file_size(d) - r->file_offset : 0;
        if (r->size < captured)
            captured = r->size;
        if (captured > 0 && r->file_offset + captured > end)
            return true;
    }
    return false;
}

static bool is_damaged(struct ds_dump *d)
{
    const struct ds_integrity *in = ds_dump_integrity(d);
    for (size_t i = 0; i < in->count; i++)
        if (in->notes[i].level != DS_INTEGRITY_NOTE)
            return true;
    return false;
}

static bool plan_blobs(struct ds_dump *d, unsigned flags, uint64_t end, struct ds_strip_plan *p)
{
    struct ds_opt chain = ds_dump_blobs_offset(d);
    uint64_t from = 0;
    if ((flags & DS_STRIP_BLOBS) && chain.known) {
        p->result.blobs = ds_dump_blob_count(d);
        p->result.blob_bytes = end - chain.value;
        return keep(p, 0, chain.value);
    }
    for (size_t i = 0; i < ds_dump_blob_count(d); i++) {
        const struct ds_blob *b = ds_dump_blob(d, i);
        if (!(flags & DS_STRIP_PATHS) || strcmp(b->tag, DS_IMAGE_PATH_TAG) != 0)
            continue;
        p->result.blobs++;
        p->result.blob_bytes += b->end - b->begin;
        if (!keep(p, from, b->begin))
            return false;
        from = b->end;
    }
    return keep(p, from, end);
}

enum ds_status ds_strip_plan_make(struct ds_dump *d, unsigned flags, struct ds_strip_plan *ret,
                                  struct ds_err *err)
{
    const struct ds_triage *t = ds_dump_triage(d);
    uint64_t end = ds_dump_leftover_offset(d);
    *ret = (struct ds_strip_plan){.pieces = NULL};
    if (t != NULL && !t->valid_marker && !ds_dump_blobs_offset(d).known)
        return ds_err_set(err, DS_TRUNCATED,
                          "where the minidump ends cannot be told: its end marker is not where it "
                          "must be; nothing was written; copy the file again from where it came");
    if (holds_records(d, end))
        return ds_err_set(err, DS_TRUNCATED,
                          "records of the dump lie among the bytes behind its end, from file "
                          "offset 0x%llx on; nothing was written",
                          (unsigned long long)end);
    ret->result.leftover_bytes = ds_dump_leftover_bytes(d);
    ret->result.damaged = is_damaged(d);
    if (!plan_blobs(d, flags, end, ret)) {
        ds_strip_plan_clear(ret);
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    }
    if (t == NULL && ret->result.leftover_bytes == 0 && ret->result.blobs == 0) {
        ds_strip_plan_clear(ret);
        return ds_err_set(err, DS_UNSUPPORTED,
                          "there is nothing in it that can be left out: a dump of kind %s holds "
                          "memory itself or the header alone; nothing was written; share a "
                          "minidump instead",
                          ds_dump_kind_name(ds_dump_kind(d)));
    }
    return DS_OK;
}

void ds_strip_plan_clear(struct ds_strip_plan *p)
{
    free(p->pieces);
    *p = (struct ds_strip_plan){.pieces = NULL};
}

enum ds_status ds_strip_plan_write(struct ds_dump *d, const struct ds_strip_plan *p,
                                   ds_write_fn *write, void *arg, struct ds_err *err)
{
    DS_AUTO_FREE char *buf = malloc(CHUNK);
    if (buf == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < p->count; i++) {
        uint64_t at = p->pieces[i].offset, left = p->pieces[i].size;
        while (left > 0) {
            size_t n = left < CHUNK ? (size_t)left : CHUNK;
            enum ds_status st = ds_dump_read_file(d, at, buf, n);
            if (st != DS_OK)
                return ds_err_set(err, DS_IO, "cannot read %llu bytes at file offset 0x%llx: %s",
                                  (unsigned long long)n, (unsigned long long)at,
                                  ds_status_text(st));
            if (!write(buf, n, arg))
                return ds_err_set(err, DS_IO, "the copy could not be written");
            at += n;
            left -= n;
        }
    }
    return DS_OK;
}
