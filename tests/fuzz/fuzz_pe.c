/*
 * PE images: the input is memory from the image's base on; its first byte says which page is
 * missing. Corpus: *.sys *.exe
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/pe.h"
#include "symbols/pe_version.h"

#define BASE 0xfffff80000000000u

struct memory {
    const uint8_t *data;
    size_t size;
    uint64_t hole; /* page index */
};

static enum ds_status read_memory(void *arg, uint64_t va, void *buf, size_t len,
                                  struct ds_fault *fault)
{
    const struct memory *m = arg;
    (void)fault;
    if (va < BASE || va - BASE > m->size || len > m->size - (va - BASE))
        return DS_NOT_MAPPED;
    for (uint64_t page = (va - BASE) / 4096; len > 0 && page <= (va - BASE + len - 1) / 4096;
         page++) {
        if (page == m->hole)
            return DS_NOT_IN_DUMP;
    }
    memcpy(buf, m->data + (va - BASE), len);
    return DS_OK;
}

static bool count_export(void *arg, const char *name, uint32_t rva)
{
    size_t *count = arg;
    if (name[0] == '\0' || strlen(name) > 511 || rva == 0)
        abort();
    return ++*count < 100000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory m = {data, size, 0};
    struct ds_pe_memory memory = {read_memory, &m};
    struct ds_pe pe;
    size_t count = 0;
    if (size < 2)
        return 0;
    m.hole = data[0] == 0 ? UINT64_MAX : data[0];
    m.data++;
    m.size--;
    if (ds_pe_read_from(&memory, BASE, &pe, NULL) != DS_OK)
        return 0;
    if (memchr(pe.pdb_id, '\0', sizeof pe.pdb_id) == NULL ||
        memchr(pe.pdb_name, '\0', sizeof pe.pdb_name) == NULL)
        abort();
    struct ds_pe_version v;
    if (ds_pe_read_version(&memory, &pe, &v) == DS_OK &&
        (memchr(v.company, '\0', sizeof v.company) == NULL ||
         memchr(v.product, '\0', sizeof v.product) == NULL ||
         memchr(v.description, '\0', sizeof v.description) == NULL ||
         memchr(v.file_version, '\0', sizeof v.file_version) == NULL ||
         memchr(v.product_version, '\0', sizeof v.product_version) == NULL))
        abort();
    if (ds_pe_exports(&memory, &pe, count_export, &count, NULL) == DS_NOT_FOUND && count != 0)
        abort();
    return 0;
}
