/*
 * Any bytes as the saved state of a VMware machine, with and without a .vmem file beside it: what
 * it tells of memory and processors must hold together. Corpus: *.vmss *.vmsn
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dump/dump.h"

#define MEMORY_BYTES 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_runs(struct ds_dump *d)
{
    uint8_t b[4096];
    uint64_t end = 0, start, length;
    for (uint64_t pa = 0; ds_dump_phys_next(d, pa, &start, &length); pa = end) {
        if (start < end || length == 0 || start + length < start)
            abort();
        end = start + length;
        if (ds_dump_read_phys(d, start, b, sizeof(b), NULL) != DS_OK)
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

static void try_open(const uint8_t *data, size_t size, const uint8_t *memory)
{
    struct ds_source *state, *beside = NULL;
    struct ds_dump *d;
    struct ds_err err;
    if (ds_source_memory_open(data, size, &state, NULL) != DS_OK)
        return;
    if (memory != NULL && ds_source_memory_open(memory, MEMORY_BYTES, &beside, NULL) != DS_OK) {
        ds_source_close(state);
        return;
    }
    if (ds_dump_open_vmware(state, beside, &d, &err) != DS_OK) {
        if (err.text[0] == '\0')
            abort();
        ds_source_close(state);
        ds_source_close(beside);
        return;
    }
    check_runs(d);
    check_processors(d);
    ds_dump_close(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t memory[MEMORY_BYTES];
    try_open(data, size, memory);
    try_open(data, size, NULL);
    return 0;
}
