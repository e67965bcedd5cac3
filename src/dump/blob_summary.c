#include "dump/blob_summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump/blob_acpi.h"
#include "dump/blob_ifr.h"
#include "dump/blob_pci.h"
#include "dump/blob_storage.h"
#include "dump/blob_triage_data.h"
#include "dump/blob_wdf.h"
#include "dump/cpuid.h"
#include "dump/smbios.h"

#define NVIDIA_TAG "bf2297dc-34ba-11dc-868a-e19155d89593"

struct blob {
    const uint8_t *p;
    size_t size;
    bool is64;
};

static void of_smbios(struct blob b, struct ds_buf *out)
{
    struct ds_smbios s;
    (void)ds_smbios_decode(b.p, b.size, &s);
    if (s.structures > 0)
        ds_buf_printf(out, "SMBIOS %u.%u, %zu structures", s.major, s.minor, s.structures);
}

static void of_cpuid(struct blob b, struct ds_buf *out)
{
    ds_buf_printf(out, "%zu leaves", ds_cpuid_count(b.size));
}

static void of_registry(struct blob b, struct ds_buf *out)
{
    struct ds_cpu_value v;
    size_t pos = 0, n = 0;
    while (ds_cpu_value_next(b.p, b.size, &pos, &v) == DS_OK)
        n++;
    ds_buf_printf(out, "%zu values", n);
}

static void of_acpi(struct blob b, struct ds_buf *out)
{
    struct ds_acpi_walk w = ds_acpi_walk_begin(b.p, b.size);
    struct ds_acpi_table t, first = {.length = 0};
    size_t n = 0;
    while (ds_acpi_next(&w, &t) == DS_OK)
        if (n++ == 0)
            first = t;
    if (n > 0)
        ds_buf_printf(out, "%zu tables, the first by %s %s", n, first.oem_id, first.oem_table_id);
}

static void of_pci(struct blob b, struct ds_buf *out)
{
    struct ds_pci_function f;
    size_t pos = 0, n = 0;
    while (ds_pci_next(b.p, b.size, &pos, &f) == DS_OK)
        n++;
    ds_buf_printf(out, "%zu functions", n);
}

static void of_wdf(struct blob b, struct ds_buf *out)
{
    struct ds_wdf_driver one;
    size_t n = 0;
    while (b.is64 && ds_wdf_driver_at(b.p, b.size, n, &one))
        n++;
    if (b.is64)
        ds_buf_printf(out, "%zu drivers", n);
}

static void of_log(struct blob b, struct ds_buf *out)
{
    struct ds_ifr_log log;
    if (ds_ifr_open(b.p, b.size, b.is64, &log) != DS_OK)
        return;
    struct ds_ifr_walk w = ds_ifr_walk_begin(&log);
    struct ds_ifr_record r;
    while (ds_ifr_next(&w, &r))
        continue;
    ds_buf_printf(out, "%s%s", log.name, log.name[0] != '\0' ? ": " : "");
    if (w.end == DS_IFR_EMPTY)
        ds_buf_str(out, "empty");
    else
        ds_buf_printf(out, "%zu records, back to: %s", w.seen, ds_ifr_end_text(w.end));
}

static void of_ranges(struct blob b, struct ds_buf *out)
{
    struct ds_triage_data t;
    if (!b.is64)
        return;
    (void)ds_triage_data_decode(b.p, b.size, &t);
    ds_buf_printf(out, "%zu ranges%s%s", t.count, t.name[0] != '\0' ? " of " : "", t.name);
}

static void of_storage(struct blob b, struct ds_buf *out)
{
    struct ds_storage_log log;
    enum ds_status st = ds_storage_decode(b.p, b.size, &log);
    if (st == DS_OK || st == DS_TRUNCATED)
        ds_buf_printf(out, "%s: %zu requests", log.driver, log.count);
}

/* A counted text of digits and dots, then one that begins with r: "461.09", "r460_94-8". */
static void of_nvidia(struct blob b, struct ds_buf *out)
{
    for (size_t i = 0; i + 2 < b.size && i < 4096; i++) {
        size_t n = b.p[i + 1], k = 0;
        if (b.p[i] != 0x12 || n < 5 || n > 8 || b.size - i - 2 < n + 2)
            continue;
        const uint8_t *text = b.p + i + 2;
        size_t dots = 0;
        while (k < n && ((text[k] >= '0' && text[k] <= '9') || text[k] == '.'))
            dots += text[k++] == '.';
        if (k < n || dots != 1 || text[0] == '.' || text[n - 1] == '.')
            continue;
        ds_buf_printf(out, "driver %.*s", (int)n, (const char *)text);
        size_t m = text[n + 1];
        const uint8_t *branch = text + n + 2;
        if (text[n] != 0x1a || m < 3 || m > 24 || b.size - (size_t)(branch - b.p) < m ||
            branch[0] != 'r')
            return;
        for (k = 0; k < m && branch[k] > 0x20 && branch[k] < 0x7f; k++)
            continue;
        if (k == m)
            ds_buf_printf(out, ", branch %.*s", (int)m, (const char *)branch);
        return;
    }
}

/* Recorders name themselves in their first 32 bytes: a name, then NULs. */
static void of_name(struct blob b, struct ds_buf *out)
{
    size_t n = 0;
    while (n < b.size && n < 32 && b.p[n] > 0x20 && b.p[n] < 0x7f)
        n++;
    if (n >= 4 && n < 28 && b.size >= 32 && b.p[n] == 0 && b.p[27] == 0)
        ds_buf_printf(out, "%.*s", (int)n, (const char *)b.p);
}

static const struct {
    const char *tag;
    void (*say)(struct blob b, struct ds_buf *out);
} summaries[] = {
    {DS_SMBIOS_TAG, of_smbios},
    {DS_CPUID_TAG, of_cpuid},
    {DS_CPU_REGISTRY_TAG, of_registry},
    {DS_ACPI_TAG, of_acpi},
    {DS_PCI_TAG, of_pci},
    {DS_WDF_DRIVERS_TAG, of_wdf},
    {DS_IFR_TAG, of_log},
    {DS_TRIAGE_DATA_TAG, of_ranges},
    {DS_STORAGE_TAG, of_storage},
    {NVIDIA_TAG, of_nvidia},
};

void ds_blob_summary(struct ds_dump *d, size_t index, struct ds_buf *out)
{
    const struct ds_blob *blob = ds_dump_blob(d, index);
    uint8_t *data;
    size_t size, k = 0;
    if (blob == NULL || blob->captured == 0 ||
        ds_dump_blob_load_at(d, index, &data, &size) != DS_OK)
        return;
    struct blob b = {data, size, ds_dump_header(d)->is64};
    while (k < sizeof(summaries) / sizeof(summaries[0]) && strcmp(summaries[k].tag, blob->tag) != 0)
        k++;
    if (k < sizeof(summaries) / sizeof(summaries[0]))
        summaries[k].say(b, out);
    else if (size >= 0x24 &&
             (memcmp(data + 0x1c, "WPLg", 4) == 0 || memcmp(data + 0x20, "WPLg", 4) == 0))
        of_log(b, out);
    else
        of_name(b, out);
    free(data);
}

void ds_blob_preview(struct ds_dump *d, size_t index, char hex[2 * DS_BLOB_PREVIEW + 1],
                     char ascii[DS_BLOB_PREVIEW + 1])
{
    const struct ds_blob *b = ds_dump_blob(d, index);
    uint8_t raw[DS_BLOB_PREVIEW];
    hex[0] = ascii[0] = '\0';
    size_t n = b == NULL                       ? 0
               : b->captured < DS_BLOB_PREVIEW ? (size_t)b->captured
                                               : DS_BLOB_PREVIEW;
    if (n == 0 || ds_dump_read_file(d, b->file_offset, raw, n) != DS_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", raw[i]);
        ascii[i] = raw[i] >= 0x20 && raw[i] < 0x7f ? (char)raw[i] : '.';
    }
    ascii[n] = '\0';
}
