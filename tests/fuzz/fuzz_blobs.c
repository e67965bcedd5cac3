/* Any bytes as the secondary data of a minidump: a made header stands before them.
 * Carve: chain */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dump/blob_acpi.h"
#include "dump/blob_blackbox.h"
#include "dump/blob_ifr.h"
#include "dump/blob_pci.h"
#include "dump/blob_storage.h"
#include "dump/blob_summary.h"
#include "dump/blob_triage_data.h"
#include "dump/blob_wdf.h"
#include "dump/cpuid.h"
#include "dump/machine.h"
#include "dump/strip.h"

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

static void read_logs(const uint8_t *p, size_t size)
{
    struct ds_ifr_log log;
    struct ds_ifr_record r;
    struct ds_storage_log storage;
    struct ds_storage_request request;
    for (unsigned is64 = 0; is64 < 2; is64++) {
        if (ds_ifr_open(p, size, is64 != 0, &log) != DS_OK)
            continue;
        struct ds_ifr_walk w = ds_ifr_walk_begin(&log);
        size_t n = 0;
        while (ds_ifr_next(&w, &r)) {
            if (r.offset + r.length > log.ring_size || n++ > log.ring_size)
                __builtin_trap();
        }
        if (w.end == DS_IFR_GOES_ON)
            __builtin_trap();
    }
    if (ds_storage_decode(p, size, &storage) != DS_CORRUPT)
        for (size_t i = 0; i < storage.count; i++)
            (void)ds_storage_request_at(&storage, i, &request);
}

static void read_tables(const uint8_t *p, size_t size)
{
    struct ds_acpi_walk w = ds_acpi_walk_begin(p, size);
    struct ds_acpi_table table;
    while (ds_acpi_next(&w, &table) == DS_OK)
        if (table.offset + table.kept > size)
            __builtin_trap();
    struct ds_pci_function f;
    size_t pos = 0;
    while (ds_pci_next(p, size, &pos, &f) == DS_OK)
        if (pos > size)
            __builtin_trap();
    struct ds_triage_data t;
    uint64_t va, bytes;
    (void)ds_triage_data_decode(p, size, &t);
    for (size_t i = 0; i < t.count; i++)
        ds_triage_data_range(&t, i, &va, &bytes);
    struct ds_wdf_driver one;
    for (size_t i = 0; ds_wdf_driver_at(p, size, i, &one); i++)
        continue;
}

/* Every decoder on the same bytes, whatever their tag. */
static void read_blob(const char *tag, const uint8_t *p, size_t size)
{
    static struct ds_blackbox box;
    struct ds_cpuid c;
    struct ds_cpu_value v;
    size_t pos = 0;
    (void)ds_blackbox_decode(tag, p, size, &box);
    while (ds_cpu_value_next(p, size, &pos, &v) == DS_OK)
        continue;
    (void)ds_cpuid_decode(p, size, &c);
    read_tables(p, size);
    read_logs(p, size);
}

static bool count_bytes(const char *data, size_t len, void *arg)
{
    (void)data;
    *(uint64_t *)arg += len;
    return true;
}

static void strip_all(struct ds_dump *d)
{
    for (unsigned flags = 0; flags < 4; flags++) {
        struct ds_strip_plan plan;
        uint64_t written = 0;
        if (ds_strip_plan_make(d, flags, &plan, NULL) != DS_OK)
            continue;
        if (ds_strip_plan_write(d, &plan, count_bytes, &written, NULL) == DS_OK &&
            (written != plan.result.written || written > ds_dump_file_size(d)))
            __builtin_trap();
        ds_strip_plan_clear(&plan);
    }
}

static void read_dump(struct ds_dump *d)
{
    char hex[2 * DS_BLOB_PREVIEW + 1], ascii[DS_BLOB_PREVIEW + 1];
    struct ds_machine machine;
    struct ds_machine_id id;
    for (size_t i = 0; i < ds_dump_blob_count(d) && i < 64; i++) {
        uint8_t *blob = NULL;
        size_t n;
        struct ds_buf b;
        ds_buf_init(&b, 512);
        ds_blob_summary(d, i, &b);
        ds_blob_preview(d, i, hex, ascii);
        ds_buf_deinit(&b);
        if (ds_dump_blob_load_at(d, i, &blob, &n) == DS_OK) {
            read_blob(ds_dump_blob(d, i)->tag, blob, n);
            free(blob);
        }
    }
    ds_machine_read(d, &machine);
    ds_machine_id_read(d, &id);
    strip_all(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > (1u << 20))
        return 0;
    read_blob("", data, size);
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
    read_dump(d);
    ds_dump_close(d);
    free(p);
    return 0;
}
