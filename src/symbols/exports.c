/* The export table: Microsoft Learn, "PE Format", ".edata Section". */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "symbols/pe.h"

#define PAGE 4096u
#define NAME_MAX_BYTES 512u

/* The whole export directory, page by page, so that missing pages cost only themselves. */
struct table {
    const struct ds_pe *pe;
    uint8_t *bytes;      /* of RVAs [export_rva, export_rva + export_size) */
    uint8_t *known;      /* by page: whether it could be read */
    uint64_t first_page; /* va of the page where the table begins, in pages */
    enum ds_status fault;
};

static void read_table(const struct ds_pe_memory *m, struct table *t)
{
    uint64_t va = t->pe->base + t->pe->export_rva;
    uint64_t end = va + t->pe->export_size;
    t->first_page = va / PAGE;
    for (uint64_t at = va; at < end;) {
        uint64_t stop = (at / PAGE + 1) * PAGE;
        if (stop > end)
            stop = end;
        enum ds_status status =
            m->read(m->arg, at, t->bytes + (at - va), (size_t)(stop - at), NULL);
        if (status == DS_OK)
            t->known[at / PAGE - t->first_page] = 1;
        else if (t->fault == DS_OK)
            t->fault = status;
        at = stop;
    }
}

/* Borrows bytes by RVA; NULL when they lie outside the table or on a page that is missing. */
static const uint8_t *bytes_at(const struct table *t, uint64_t rva, uint64_t len)
{
    uint64_t off = rva - t->pe->export_rva;
    if (rva < t->pe->export_rva || !ds_range_within(off, len, t->pe->export_size) || len == 0)
        return NULL;
    uint64_t va = t->pe->base + rva;
    for (uint64_t page = va / PAGE; page <= (va + len - 1) / PAGE; page++) {
        if (!t->known[page - t->first_page])
            return NULL;
    }
    return t->bytes + off;
}

/* A name up to its NUL; "" when it cannot be read whole. */
static void name_at(const struct table *t, uint32_t rva, char *out)
{
    for (size_t i = 0; i < NAME_MAX_BYTES; i++) {
        const uint8_t *b = bytes_at(t, (uint64_t)rva + i, 1);
        if (b == NULL)
            break;
        out[i] = (char)*b;
        if (*b == 0)
            return;
    }
    out[0] = '\0';
}

struct directory {
    uint32_t functions, names;                    /* counts */
    uint32_t function_rva, name_rva, ordinal_rva; /* of the three arrays */
};

/* One name: its index in the function array, and from there its RVA. False: not readable. */
static bool export_at(const struct table *t, const struct directory *d, uint32_t i, char *name,
                      uint32_t *rva)
{
    const uint8_t *n = bytes_at(t, (uint64_t)d->name_rva + 4ull * i, 4);
    const uint8_t *o = bytes_at(t, (uint64_t)d->ordinal_rva + 2ull * i, 2);
    if (n == NULL || o == NULL || ds_le16(o) >= d->functions)
        return false;
    const uint8_t *f = bytes_at(t, (uint64_t)d->function_rva + 4ull * ds_le16(o), 4);
    if (f == NULL)
        return false;
    *rva = ds_le32(f);
    /* An RVA inside the table is a forwarder's text: "NTOSKRNL.Name". */
    if (*rva == 0 || *rva >= t->pe->size_of_image ||
        (*rva >= t->pe->export_rva && *rva - t->pe->export_rva < t->pe->export_size))
        return false;
    name_at(t, ds_le32(n), name);
    return name[0] != '\0';
}

static enum ds_status walk(const struct table *t,
                           bool (*each)(void *arg, const char *name, uint32_t rva), void *arg,
                           struct ds_err *err)
{
    const uint8_t *b = bytes_at(t, t->pe->export_rva, 40);
    char name[NAME_MAX_BYTES];
    if (b == NULL)
        return ds_err_set(err, t->fault != DS_OK ? t->fault : DS_CORRUPT,
                          "the export table at %llx cannot be read",
                          (unsigned long long)(t->pe->base + t->pe->export_rva));
    struct directory d = {ds_le32(b + 20), ds_le32(b + 24), ds_le32(b + 28), ds_le32(b + 32),
                          ds_le32(b + 36)};
    uint32_t count = d.names < DS_LIMIT_EXPORTS ? d.names : DS_LIMIT_EXPORTS;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t rva;
        if (export_at(t, &d, i, name, &rva) && !each(arg, name, rva))
            return DS_OK;
    }
    if (count < d.names)
        return ds_err_set(err, DS_LIMIT, "the export table at %llx claims %lu names",
                          (unsigned long long)(t->pe->base + t->pe->export_rva),
                          (unsigned long)d.names);
    return t->fault == DS_OK ? DS_OK
                             : ds_err_set(err, t->fault, "parts of the export table are missing");
}

enum ds_status ds_pe_exports(const struct ds_pe_memory *memory, const struct ds_pe *pe,
                             bool (*each)(void *arg, const char *name, uint32_t rva), void *arg,
                             struct ds_err *err)
{
    struct table t = {.pe = pe};
    uint64_t end;
    DS_AUTO_FREE uint8_t *bytes = NULL;
    DS_AUTO_FREE uint8_t *known = NULL;
    if (pe->export_size == 0)
        return ds_err_set(err, DS_NOT_FOUND, "the image at %llx exports nothing",
                          (unsigned long long)pe->base);
    if (pe->export_size > DS_LIMIT_EXPORT_BYTES)
        return ds_err_set(err, DS_LIMIT, "the export table at %llx claims %lu bytes",
                          (unsigned long long)(pe->base + pe->export_rva),
                          (unsigned long)pe->export_size);
    if (ds_add_overflows(pe->base, (uint64_t)pe->export_rva + pe->export_size, &end))
        return ds_err_set(err, DS_CORRUPT, "the export table leaves the address space");
    bytes = ds_alloc_array(pe->export_size, 1);
    known = ds_alloc_array(pe->export_size / PAGE + 2, 1);
    if (bytes == NULL || known == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "no memory for an export table");
    t.bytes = bytes;
    t.known = known;
    read_table(memory, &t);
    return walk(&t, each, arg, err);
}
