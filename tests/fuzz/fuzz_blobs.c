/* Any bytes as the secondary data of a minidump: a made header stands before them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dump/cpuid.h"
#include "dump/dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY 0x2084u /* header, triage header, 'TRGD' */

static uint8_t *wrap(const uint8_t *data, size_t size)
{
    uint8_t *p = calloc(1, BODY + 16 + size);
    if (p == NULL)
        return NULL;
    memcpy(p, "PAGEDU64", 8);
    ds_put_le32(p + 0x30, 0x8664);
    ds_put_le32(p + 0xf98, 4);
    ds_put_le32(p + 0x2004, BODY);
    ds_put_le32(p + 0x2008, BODY - 4);
    ds_put_le32(p + 0x200c, 0x348);
    ds_put_le32(p + 0x2010, 0xf00);
    memcpy(p + BODY - 4, "TRGD", 4);
    memcpy(p + BODY, "DumpBlob\x10\0\0\0\x61\x4a\0\xf0", 16);
    memcpy(p + BODY + 16, data, size);
    return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t pos = 0;
    struct ds_cpu_value v;
    while (ds_cpu_value_next(data, size, &pos, &v) == DS_OK)
        continue;
    struct ds_cpuid c;
    (void)ds_cpuid_decode(data, size, &c);
    if (size > (1u << 20))
        return 0;
    uint8_t *p = wrap(data, size);
    struct ds_source *src;
    struct ds_dump *d;
    if (p == NULL || ds_source_memory_open(p, BODY + 16 + size, &src, NULL) != DS_OK) {
        free(p);
        return 0;
    }
    if (ds_dump_open(src, &d, NULL) != DS_OK) {
        ds_source_close(src);
        free(p);
        return 0;
    }
    for (size_t i = 0; i < ds_dump_blob_count(d); i++) {
        uint8_t *blob = NULL;
        size_t n;
        if (ds_dump_blob_load(d, ds_dump_blob(d, i)->tag, &blob, &n) == DS_OK)
            free(blob);
    }
    ds_dump_close(d);
    free(p);
    return 0;
}
