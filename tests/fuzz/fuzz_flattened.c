/*
 * Flattened kdumps: put in order and read back in pieces of many sizes; what is read twice must be
 * the same. Corpus: *flat*.kdump *flat*.core
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dump/flattened.h"

#define MAX_INFLATED (8u << 20)
#define PIECE 70000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t whole[PIECE], parts[PIECE];
    struct ds_inflate_limits limits = {.max_inflated = MAX_INFLATED};
    struct ds_source *flat, *s;
    struct ds_err err;
    if (ds_source_memory_open(data, size, &flat, NULL) != DS_OK)
        return 0;
    if (!ds_flattened_probe(flat) || ds_flattened_open(flat, &limits, &s, &err) != DS_OK) {
        ds_source_close(flat);
        return 0;
    }
    if (s->size == 0 || s->size > MAX_INFLATED)
        abort();
    uint64_t at[3] = {0, s->size / 2, s->size - s->size / 8};
    for (int i = 0; i < 3; i++) {
        size_t got, done = 0, n;
        if (ds_source_read_some(s, at[i], whole, PIECE, &got, &err) != DS_OK)
            abort();
        while (done < got) {
            size_t part = 1 + (done * 7 + 13) % 5000;
            if (ds_source_read_some(s, at[i] + done, parts, part, &n, &err) != DS_OK || n == 0)
                abort();
            n = n < got - done ? n : got - done;
            if (memcmp(parts, whole + done, n) != 0)
                abort();
            done += n;
        }
    }
    ds_source_close(s);
    return 0;
}
