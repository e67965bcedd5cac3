/*
 * Any bytes as an offline crash dump of firmware: what it tells of memory and processors must hold
 * together. Corpus: guest-uefi-*.rawdmp
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "dump/dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_runs(struct ds_dump *d)
{
    uint8_t b[4096];
    uint64_t end = 0, start, length;
    for (uint64_t pa = 0; ds_dump_phys_next(d, pa, &start, &length); pa = end) {
        if (start < end || length == 0 || start + length < start)
            abort();
        end = start + length;
        if (ds_dump_read_phys(d, start, b, length < sizeof(b) ? (size_t)length : sizeof(b), NULL) !=
            DS_OK)
            abort();
    }
}

static void check_processors(const struct ds_dump *d)
{
    size_t count = ds_dump_cpu_count(d);
    if (count > DS_LIMIT_PROCESSORS || ds_dump_cpu(d, count) != NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        const struct ds_dump_cpu *c = ds_dump_cpu(d, i);
        if (c->number != i || (c->context != NULL) != (c->context_size != 0) ||
            (c->context != NULL && !c->pc.known))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds_source *src;
    struct ds_dump *d;
    struct ds_err err;
    if (size < 8 || memcmp(data, "Raw_Dmp!", 8) != 0 ||
        ds_source_memory_open(data, size, &src, NULL) != DS_OK)
        return 0;
    if (ds_dump_open(src, &d, &err) != DS_OK) {
        if (err.text[0] == '\0')
            abort();
        ds_source_close(src);
        return 0;
    }
    check_runs(d);
    check_processors(d);
    ds_dump_close(d);
    return 0;
}
