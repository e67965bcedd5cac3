/*
 * Zero bytes where data belongs: a copy that was broken off after its space was reserved, or a
 * hole left by a failed disk or a sparse copy.
 */
#include "dump/impl.h"

/* Bytes from `from` on, within [from, to), that are zero; whole chunks are read at a time. */
static uint64_t zero_run(struct ds_dump *d, uint64_t from, uint64_t to)
{
    uint8_t raw[4096];
    uint64_t at = from;
    while (at < to) {
        size_t want = to - at < sizeof(raw) ? (size_t)(to - at) : sizeof(raw), got;
        if (ds_source_read_some(d->src, at, raw, want, &got, NULL) != DS_OK || got == 0)
            break;
        for (size_t i = 0; i < got; i++) {
            if (raw[i] != 0)
                return at + i - from;
        }
        at += got;
    }
    return at - from;
}

void ds_tail_check(struct ds_dump *d, uint64_t from, uint64_t to)
{
    (void)zero_run(d, from, to);
}
