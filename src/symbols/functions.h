/*
 * Where the functions of an x64 image begin, from its exception directory: how far an exported
 * name reaches. Private to this room. Source: Microsoft PE/COFF specification, ".pdata Section".
 */
#ifndef DS_SYMBOLS_FUNCTIONS_H
#define DS_SYMBOLS_FUNCTIONS_H

#include "symbols/pe.h"

struct ds_functions {
    uint32_t *begins; /* owned; ascending RVAs; NULL when not to be had */
    size_t count;
};

/* All or nothing: a part would place code in the wrong function. */
void ds_functions_read(const struct ds_pe_memory *memory, const struct ds_pe *pe,
                       struct ds_functions *ret);
void ds_functions_deinit(struct ds_functions *f);

/* Whether a function begins in (start, rva]: then what begins at `start` does not hold rva. */
bool ds_functions_begin_between(const struct ds_functions *f, uint32_t start, uint32_t rva);

#endif
