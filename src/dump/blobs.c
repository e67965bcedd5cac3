/*
 * Secondary data: a file header {'Dump', 'Blob', u32 16, u32 BuildNumber}, then blobs
 * {u32 32, GUID, u32 DataSize, u32 PrePad, u32 PostPad} + pads + data, with no count. Layout as
 * found in real dumps; the tags are the GUIDs of KBUGCHECK_SECONDARY_DUMP_DATA (wdm.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dump/impl.h"

#define FILE_HEADER 16u
#define BLOB_HEADER 32u
#define LEFTOVER_LOOK (1u << 20) /* bytes of a tail that are looked at */

static void tag_text(const uint8_t *g, char out[40])
{
    (void)snprintf(out, 40, "%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   (unsigned long)ds_le32(g), ds_le16(g + 4), ds_le16(g + 6), g[8], g[9], g[10],
                   g[11], g[12], g[13], g[14], g[15]);
}

static bool add_blob(struct ds_dump *d, const struct ds_blob *b)
{
    void *array = d->blobs;
    bool room = ds_array_reserve(&array, &d->blob_cap, d->blob_count + 1, sizeof(*d->blobs),
                                 DS_LIMIT_BLOBS);
    d->blobs = array;
    if (room)
        d->blobs[d->blob_count++] = *b;
    return room;
}

/* Bytes from `off` on that are zero, as far as was looked. */
static uint64_t zero_bytes(struct ds_dump *d, uint64_t off)
{
    uint8_t raw[4096];
    uint64_t zero = 0;
    while (zero < LEFTOVER_LOOK) {
        size_t got;
        if (ds_source_read_some(d->src, off + zero, raw, sizeof(raw), &got, NULL) != DS_OK ||
            got == 0)
            break;
        for (size_t i = 0; i < got; i++, zero++) {
            if (raw[i] != 0)
                return zero;
        }
    }
    return zero;
}

static void note_leftover(struct ds_dump *d, uint64_t off)
{
    uint64_t left = d->file_size - off, looked = zero_bytes(d, off);
    bool zero = looked == left;
    d->leftover = zero ? 0 : left;
    d->leftover_offset = off;
    d->end_known = true;
    struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_NOTE, "file.leftover_tail", off);
    ds_integrity_expected(n, "the end of the file after the last blob");
    if (!zero && looked >= LEFTOVER_LOOK)
        ds_integrity_found(n,
                           "%llu more bytes, the first %llu of them zero, the rest not looked at",
                           (unsigned long long)left, (unsigned long long)looked);
    else
        ds_integrity_found(n, "%llu more bytes, %s", (unsigned long long)left,
                           zero ? "all zero" : "not all zero");
    ds_integrity_lost(n, zero ? "nothing: room that the writer did not use"
                              : "nothing of the dump; the bytes are leftovers of other files and "
                                "may be private: 'dumpscan strip' makes a copy without "
                                "them");
}

/* Whether the file ends within a blob's header: what is left begins like one. */
static bool header_cut(struct ds_dump *d, uint64_t off)
{
    static const uint8_t begin[4] = {BLOB_HEADER, 0, 0, 0};
    uint8_t raw[4];
    uint64_t left = d->file_size - off;
    size_t n = left < sizeof(raw) ? (size_t)left : sizeof(raw);
    return left < BLOB_HEADER && ds_dump_read_file(d, off, raw, n) == DS_OK &&
           memcmp(raw, begin, n) == 0;
}

/* One blob at *off; false when the chain ends there. */
static bool read_blob(struct ds_dump *d, uint64_t *off)
{
    uint8_t raw[BLOB_HEADER];
    if (ds_dump_read_file(d, *off, raw, sizeof(raw)) != DS_OK || ds_le32(raw) != BLOB_HEADER)
        return false;
    uint64_t pre = ds_le32(raw + 24), post = ds_le32(raw + 28), size = ds_le32(raw + 20);
    struct ds_blob b = {.file_offset = *off + BLOB_HEADER + pre, .size = size, .begin = *off};
    tag_text(raw + 4, b.tag);
    b.captured = ds_dump_captured(d, b.file_offset, size);
    b.end = b.file_offset + size + post < d->file_size ? b.file_offset + size + post : d->file_size;
    if (!add_blob(d, &b)) {
        struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_NOTE, "blob.limit", *off);
        ds_integrity_expected(n, "at most %u blobs", (unsigned)DS_LIMIT_BLOBS);
        ds_integrity_found(n, "more");
        ds_integrity_lost(n, "the blobs from here on are not listed; those before are");
        *off = d->file_size;
        return false;
    }
    if (b.file_offset > d->file_size || b.captured < size ||
        post > d->file_size - b.file_offset - size) {
        struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_DAMAGE, "blob.past_end", *off);
        ds_integrity_expected(n, "blob %s: %llu bytes + %llu of padding", b.tag,
                              (unsigned long long)size, (unsigned long long)post);
        ds_integrity_found(n, "%llu bytes before the file ends", (unsigned long long)b.captured);
        ds_integrity_lost(n, "the rest of this blob and all that followed it; the blobs before and "
                             "the minidump itself are complete");
        d->end_known = false;
        *off = d->file_size;
        return false;
    }
    *off = b.file_offset + size + post;
    d->end_known = *off == d->file_size;
    return true;
}

void ds_blobs_read(struct ds_dump *d, uint64_t off, bool required)
{
    uint8_t raw[FILE_HEADER] = {0};
    size_t have;
    d->end_known = off == d->file_size;
    if (off >= d->file_size ||
        ds_source_read_some(d->src, off, raw, sizeof(raw), &have, NULL) != DS_OK || have == 0)
        return;
    if (memcmp(raw, "DumpBlob", have < 8 ? have : 8) != 0) {
        if (required)
            note_leftover(d, off);
        return;
    }
    if (have < FILE_HEADER) {
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "blob.past_end", off,
                    "all secondary data; the minidump itself is complete",
                    "the header of the secondary data, 16 bytes", "%u bytes before the file ends",
                    (unsigned)have);
        return;
    }
    d->blobs_offset = ds_opt_known(off);
    d->blob_build = ds_opt_known(ds_le32(raw + 12));
    uint32_t header = ds_le32(raw + 8);
    if (header != FILE_HEADER) {
        struct ds_integrity_note *n =
            ds_dump_note(d, DS_INTEGRITY_DAMAGE, "blob.file_header", off + 8);
        ds_integrity_expected(n, "header size 16");
        ds_integrity_found(n, "0x%lx", (unsigned long)header);
        ds_integrity_lost(n, "nothing, if the first blob follows as usual; else all blobs");
    }
    off += FILE_HEADER;
    d->end_known = off == d->file_size;
    while (read_blob(d, &off))
        continue;
    if (off >= d->file_size)
        return;
    if (header_cut(d, off))
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "blob.past_end", off,
                    "this blob and all that followed it; the blobs before and the minidump itself "
                    "are complete",
                    "a blob header of 32 bytes", "%llu bytes before the file ends",
                    (unsigned long long)(d->file_size - off));
    else
        note_leftover(d, off);
}

enum ds_status ds_dump_blob_load_at(struct ds_dump *d, size_t index, uint8_t **ret, size_t *size)
{
    if (index >= d->blob_count)
        return DS_NOT_FOUND;
    const struct ds_blob *b = &d->blobs[index];
    if (b->captured > DS_LIMIT_BLOB)
        return DS_LIMIT;
    uint8_t *p = ds_alloc_array(b->captured, 1);
    if (p == NULL)
        return DS_NO_MEMORY;
    enum ds_status st = ds_dump_read_file(d, b->file_offset, p, (size_t)b->captured);
    if (st != DS_OK) {
        free(p);
        return st;
    }
    *ret = p;
    *size = (size_t)b->captured;
    return DS_OK;
}

enum ds_status ds_dump_blob_load(struct ds_dump *d, const char *tag, uint8_t **ret, size_t *size)
{
    for (size_t i = 0; i < d->blob_count; i++)
        if (strcmp(d->blobs[i].tag, tag) == 0)
            return ds_dump_blob_load_at(d, i, ret, size);
    return DS_NOT_FOUND;
}
