#include "dump/blob_ifr.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/text.h"

#define NAME_SIZE 32u
#define RECORD_HEAD 28u

/* WdfTraceGuid of fxifr.h. */
static const uint8_t trace_guid[16] = {0x9d, 0x4c, 0x4d, 0x54, 0x2c, 0x94, 0xd5, 0x46,
                                       0xbf, 0x50, 0xdf, 0x5c, 0xd9, 0x52, 0x4a, 0x50};

static void copy_name(const uint8_t *p, struct ds_ifr_log *ret)
{
    struct ds_buf text;
    ds_buf_init(&text, sizeof(ret->name) - 1);
    ds_text_from_bytes(&text, p, NAME_SIZE);
    memcpy(ret->name, ds_buf_text(&text), text.len);
    ds_buf_deinit(&text);
}

/* {pointer, u32 size, u16 current, u16 previous} */
static void take_ring(const uint8_t *p, bool is64, struct ds_ifr_log *ret)
{
    ret->base = is64 ? ds_le64(p) : ds_le32(p);
    p += is64 ? 8 : 4;
    ret->size = ds_le32(p);
    ret->current = ds_le16(p + 4);
    ret->previous = ds_le16(p + 6);
}

static enum ds_status set_ring(const uint8_t *blob, size_t size, size_t at, struct ds_ifr_log *ret)
{
    ret->ring = blob + at;
    ret->ring_offset = at;
    ret->ring_size = size - at < ret->size ? size - at : ret->size;
    return ret->current <= ret->size && ret->previous <= ret->size ? DS_OK : DS_CORRUPT;
}

static enum ds_status open_kmdf(const uint8_t *p, size_t size, bool is64, struct ds_ifr_log *ret)
{
    size_t name_at = 16 + (is64 ? 8u : 4u) + 12, head = is64 ? 72 : 64;
    if (size < head)
        return DS_TRUNCATED;
    ret->kind = DS_IFR_KMDF;
    take_ring(p + 16, is64, ret);
    ret->sequence = ds_opt_known(ds_le32(p + name_at - 4));
    copy_name(p + name_at, ret);
    return set_ring(p, size, head, ret);
}

/* The two forms that were seen: where the signature, the ring's words and the ring stand. */
static enum ds_status open_wpp(const uint8_t *p, size_t size, bool is64, struct ds_ifr_log *ret)
{
    static const struct {
        size_t signature, words, ring;
    } forms[] = {{0x1c, 0x90, 0xa8}, {0x20, 0x88, 0xa0}};
    for (size_t i = 0; is64 && i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (size < forms[i].signature + 4 || memcmp(p + forms[i].signature, "WPLg", 4) != 0)
            continue;
        if (size < forms[i].ring)
            return DS_TRUNCATED;
        ret->kind = DS_IFR_WPP;
        take_ring(p + forms[i].words, true, ret);
        uint8_t name[NAME_SIZE] = {0};
        memcpy(name, p, forms[i].signature < NAME_SIZE ? forms[i].signature : NAME_SIZE);
        copy_name(name, ret);
        return set_ring(p, size, forms[i].ring, ret);
    }
    return DS_NOT_FOUND;
}

enum ds_status ds_ifr_open(const void *blob, size_t size, bool is64, struct ds_ifr_log *ret)
{
    *ret = (struct ds_ifr_log){0};
    if (size >= sizeof(trace_guid) && memcmp(blob, trace_guid, sizeof(trace_guid)) == 0)
        return open_kmdf(blob, size, is64, ret);
    return open_wpp(blob, size, is64, ret);
}

static bool record_at(const struct ds_ifr_log *log, size_t at, struct ds_ifr_record *ret)
{
    if (!ds_range_within(at, RECORD_HEAD, log->ring_size))
        return false;
    const uint8_t *p = log->ring + at, *g = p + 12;
    if (p[0] != 'L' || (p[1] != 'R' && p[1] != '2'))
        return false;
    *ret = (struct ds_ifr_record){.offset = at,
                                  .signature = {'L', (char)p[1], '\0'},
                                  .length = ds_le16(p + 2),
                                  .sequence = (int32_t)ds_le32(p + 4),
                                  .number = ds_le16(p + 10),
                                  .arguments = p + RECORD_HEAD};
    if (ret->length < RECORD_HEAD || !ds_range_within(at, ret->length, log->ring_size))
        return false;
    ret->arguments_size = ret->length - RECORD_HEAD;
    (void)snprintf(ret->guid, sizeof(ret->guid),
                   "%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", (unsigned long)ds_le32(g),
                   ds_le16(g + 4), ds_le16(g + 6), g[8], g[9], g[10], g[11], g[12], g[13], g[14],
                   g[15]);
    return true;
}

struct ds_ifr_walk ds_ifr_walk_begin(const struct ds_ifr_log *log)
{
    struct ds_ifr_walk w = {.log = log, .next = log->previous, .first = true};
    if (log->current == 0 && log->previous == 0)
        w.end = DS_IFR_EMPTY;
    return w;
}

/* Sequences fall by one; WPP counts two rings together, so that one of them leaves gaps. */
static bool follows(const struct ds_ifr_walk *w, int32_t sequence)
{
    if (w->log->kind == DS_IFR_WPP)
        return sequence < w->sequence;
    return w->sequence != INT32_MIN && sequence == w->sequence - 1;
}

bool ds_ifr_next(struct ds_ifr_walk *w, struct ds_ifr_record *ret)
{
    if (w->end != DS_IFR_GOES_ON)
        return false;
    if (w->seen > w->log->ring_size / RECORD_HEAD) {
        w->end = DS_IFR_CAP;
        return false;
    }
    bool sound = record_at(w->log, w->next, ret) && (w->first || follows(w, ret->sequence));
    if (!sound) {
        /* The ring went round: what stood there has been written over by the newest ones. */
        bool over = !w->first && w->next < w->log->current && w->wrapped;
        w->end = over ? DS_IFR_OVERWRITTEN : DS_IFR_BROKEN;
        return false;
    }
    size_t before = ds_le16(w->log->ring + w->next + 8);
    w->wrapped = w->wrapped || before > w->next;
    if (w->next == 0 && before == 0)
        w->end = DS_IFR_BEGIN;
    w->sequence = ret->sequence;
    w->first = false;
    w->next = before;
    w->seen++;
    return true;
}

const char *ds_ifr_end_text(enum ds_ifr_end end)
{
    switch (end) {
    case DS_IFR_BEGIN:
        return "the first record";
    case DS_IFR_OVERWRITTEN:
        return "older records were overwritten by newer ones";
    case DS_IFR_EMPTY:
        return "nothing was recorded";
    case DS_IFR_BROKEN:
        return "no record in sequence where the next older one should stand";
    case DS_IFR_CAP:
        return "more records than fit into the log";
    case DS_IFR_GOES_ON:
    default:
        return "not walked to the end";
    }
}
