/* Opens any bytes as a dump and reads through everything that it publishes. Corpus: *.dmp *.core */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "dump/dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_ranges(struct ds_dump *d)
{
    uint8_t b[256];
    uint64_t fault;
    size_t count = ds_dump_virt_range_count(d);
    for (size_t i = 0; i < count && i < 4096; i++) {
        const struct ds_virt_range *r = ds_dump_virt_range(d, i);
        size_t n = r->size < sizeof(b) ? (size_t)r->size : sizeof(b);
        (void)!ds_dump_read_virt(d, r->va, b, n, &fault);
        (void)!ds_dump_read_virt(d, r->va + r->size - 4, b, 8, &fault);
    }
    struct ds_phys_run run;
    for (size_t i = 0; i < 4096 && ds_dump_phys_run(d, i, &run); i++) {
        (void)!ds_dump_read_phys(d, run.pa, b, sizeof(b), &fault);
        (void)!ds_dump_read_phys(d, run.pa + run.size - 4, b, 8, &fault);
    }
}

/* A name has to end within its memory, and be UTF-8. */
static void touch(const char *name)
{
    uint32_t code;
    size_t len = name != NULL ? strlen(name) : 0;
    for (size_t at = 0; at < len;)
        at += ds_text_decode(name + at, len - at, &code);
}

static void read_lists(struct ds_dump *d)
{
    const struct ds_triage *t = ds_dump_triage(d);
    for (size_t i = 0; t != NULL && i < t->driver_count; i++)
        touch(t->drivers[i].name);
    for (size_t i = 0; t != NULL && i < t->unloaded_count; i++)
        touch(t->unloaded[i].name);
    uint8_t b[64];
    for (size_t i = 0; i < ds_dump_blob_count(d); i++)
        (void)!ds_dump_read_file(d, ds_dump_blob(d, i)->file_offset, b, sizeof(b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds_source *src;
    struct ds_dump *d;
    struct ds_err err;
    if (ds_source_memory_open(data, size, &src, &err) != DS_OK)
        return 0;
    if (ds_dump_open(src, &d, &err) != DS_OK) {
        ds_source_close(src);
        return 0;
    }
    read_ranges(d);
    read_lists(d);
    ds_dump_close(d);
    return 0;
}
