#include "symbols/functions.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"

#define MACHINE_AMD64 0x8664u
#define RECORD 12u /* RUNTIME_FUNCTION: begin, end, unwind data */
#define CHUNK (RECORD * 1024u)

static bool read_begins(const struct ds_pe_memory *m, uint64_t va, struct ds_functions *f)
{
    uint8_t raw[CHUNK];
    for (size_t i = 0; i < f->count;) {
        size_t n = f->count - i < CHUNK / RECORD ? f->count - i : CHUNK / RECORD;
        if (m->read(m->arg, va + i * RECORD, raw, n * RECORD, NULL) != DS_OK)
            return false;
        for (size_t k = 0; k < n; k++, i++) {
            f->begins[i] = ds_le32(raw + k * RECORD);
            if (i > 0 && f->begins[i] < f->begins[i - 1])
                return false;
        }
    }
    return true;
}

void ds_functions_read(const struct ds_pe_memory *memory, const struct ds_pe *pe,
                       struct ds_functions *ret)
{
    *ret = (struct ds_functions){0};
    struct ds_functions f = {.count = pe->exception_size / RECORD};
    if (pe->machine != MACHINE_AMD64 || f.count == 0 || pe->exception_size > DS_LIMIT_EXPORT_BYTES)
        return;
    f.begins = ds_alloc_array(f.count, sizeof(*f.begins));
    if (f.begins == NULL)
        return;
    if (read_begins(memory, pe->base + pe->exception_rva, &f))
        *ret = f;
    else
        free(f.begins);
}

void ds_functions_deinit(struct ds_functions *f)
{
    free(f->begins);
    *f = (struct ds_functions){0};
}

bool ds_functions_begin_between(const struct ds_functions *f, uint32_t start, uint32_t rva)
{
    size_t low = 0, high = f->count; /* the first begin above start */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (f->begins[mid] > start)
            high = mid;
        else
            low = mid + 1;
    }
    return low < f->count && f->begins[low] <= rva;
}
