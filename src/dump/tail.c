/*
 * Zero bytes where data belongs: a copy that was broken off after its space was reserved, or a
 * hole left by a failed disk or a sparse copy.
 */
#include "dump/impl.h"

#define LOOK_MAX (UINT64_C(64) << 20) /* bytes that one search reads */
#define HOLE_MIN (UINT64_C(64) << 10) /* shorter zero stretches occur in sound dumps */

static bool is_zero(struct ds_dump *d, uint64_t at, size_t len)
{
    uint8_t raw[4096];
    if (len > sizeof(raw) || ds_dump_read_file(d, at, raw, len) != DS_OK)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (raw[i] != 0)
            return false;
    }
    return true;
}

/* Grows [*from, *to), known to be zero, by whole steps within [low, high). */
static void grow(struct ds_dump *d, uint64_t low, uint64_t high, uint64_t *from, uint64_t *to)
{
    static const size_t steps[] = {4096, 256, 16, 1};
    uint64_t budget = LOOK_MAX;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        size_t s = steps[i];
        while (*from - low >= s && budget >= s && is_zero(d, *from - s, s)) {
            *from -= s;
            budget -= s;
        }
        while (high - *to >= s && budget >= s && is_zero(d, *to, s)) {
            *to += s;
            budget -= s;
        }
    }
}

static void say_zero(struct ds_dump *d, enum ds_integrity_level level, const char *check,
                     uint64_t from, uint64_t to, const char *lost)
{
    ds_dump_say(d, level, check, from, lost, "data",
                "only zero bytes from 0x%llx to 0x%llx (%llu KB)", (unsigned long long)from,
                (unsigned long long)to, (unsigned long long)((to - from) >> 10));
}

void ds_tail_check_triage(struct ds_dump *d)
{
    uint64_t low = d->header.body_offset, high = ds_triage_end(d);
    if (!d->triage.valid_marker && high - low >= 4096 && is_zero(d, high - 256, 256)) {
        uint64_t from = high - 256, to = high;
        grow(d, low, high, &from, &to);
        if (to - from >= 4096) {
            say_zero(d, DS_INTEGRITY_DAMAGE, "file.zeroed_tail", from, to,
                     "everything in that range: the copy was broken off after its space was "
                     "reserved; what lies before can be trusted; copy again");
            high = from;
        }
    }
    if (high - low > LOOK_MAX)
        high = low + LOOK_MAX;
    /* Any hole of HOLE_MIN bytes covers at least one of these points. */
    for (uint64_t at = low + HOLE_MIN; at < high && high - at >= 256; at += HOLE_MIN) {
        if (!is_zero(d, at, 256))
            continue;
        uint64_t from = at, to = at + 256;
        grow(d, low, high, &from, &to);
        if (to - from >= HOLE_MIN)
            say_zero(d, DS_INTEGRITY_DAMAGE, "file.zeroed_block", from, to,
                     "what should stand there: a hole of the copy or the disk; records outside "
                     "of it can be trusted");
        at = to / HOLE_MIN * HOLE_MIN;
    }
}

#define SAMPLES 64u

void ds_tail_check_pages(struct ds_dump *d, uint64_t from, uint64_t to)
{
    if (to > d->file_size)
        to = d->file_size;
    if (to < from || to - from < (uint64_t)SAMPLES * DS_PAGE_SIZE)
        return;
    uint64_t step = (to - from) / SAMPLES / DS_PAGE_SIZE * DS_PAGE_SIZE;
    unsigned zero = 0;
    while (zero < SAMPLES && is_zero(d, to - DS_PAGE_SIZE - zero * step, DS_PAGE_SIZE))
        zero++;
    /* An eighth of all memory, in one piece at the end, is more than chance. */
    if (zero < SAMPLES / 8)
        return;
    say_zero(d, DS_INTEGRITY_NOTE, "file.zeroed_tail", to - (zero - 1) * step - DS_PAGE_SIZE, to,
             "nothing, if that memory was unused; else the copy was broken off after its space "
             "was reserved, and pages there read as zero");
}
