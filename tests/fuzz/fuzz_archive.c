/*
 * Archives: gzip files and zip archives, opened, listed and read back in a strange order; what is
 * read twice must be the same. Corpus: *.gz *.zip
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dump/unpack.h"
#include "io/zip.h"

#define MAX_INFLATED (8u << 20)

static uint32_t sum_of(struct ds_source *s, uint64_t off, size_t len)
{
    static uint8_t buf[70000];
    size_t got;
    uint32_t sum = 1;
    if (ds_source_read_some(s, off, buf, len, &got, NULL) != DS_OK)
        return 0;
    for (size_t i = 0; i < got; i++)
        sum = sum * 31 + buf[i];
    return sum;
}

static void read_back(struct ds_source *s)
{
    uint64_t size = s->size;
    uint64_t at[4] = {0, size / 2, size - 1, size / 3};
    uint32_t sums[4];
    if (size > MAX_INFLATED + 70000)
        abort();
    for (int i = 0; i < 4; i++)
        sums[i] = sum_of(s, at[i], 70000);
    for (int i = 3; i >= 0; i--)
        if (sum_of(s, at[i], 70000) != sums[i])
            abort();
}

static struct ds_source *source_over(const uint8_t *data, size_t size)
{
    struct ds_source *s;
    return ds_source_memory_open(data, size, &s, NULL) == DS_OK ? s : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds_unpack_options o = {.limits = {.max_inflated = MAX_INFLATED}, .any = true};
    struct ds_source *archive = source_over(data, size), *s;
    struct ds_zip z = {0};
    struct ds_err err;
    if (archive == NULL)
        return 0;
    if (ds_zip_probe(archive) && ds_zip_open(archive, &z, &err) == DS_OK) {
        for (size_t i = 0; i < z.count && i < 8; i++) {
            struct ds_source *again = source_over(data, size);
            if (again == NULL)
                continue;
            if (ds_source_zip_member_open(again, &z.members[i], &o.limits, &s, &err) != DS_OK) {
                ds_source_close(again);
                continue;
            }
            if (s->size > 0)
                read_back(s);
            ds_source_close(s);
        }
        ds_zip_close(&z);
    }
    if (ds_unpack_source(archive, NULL, &o, &s, &err) == DS_OK) {
        if (s->size > 0 && s->size <= MAX_INFLATED)
            read_back(s);
        ds_source_close(s);
    }
    return 0;
}
