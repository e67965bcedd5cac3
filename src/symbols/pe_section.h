/* The sections of an image, as far as its section table was captured. */
#ifndef DS_SYMBOLS_PE_SECTION_H
#define DS_SYMBOLS_PE_SECTION_H

#include "base/opt.h"
#include "memory/space.h"

#define DS_PE_SECTIONS_MAX 96u /* the loader of Windows takes no more */

struct ds_pe_section {
    char name[9]; /* raw, NUL-terminated */
    uint32_t rva, size;
    bool executable, writable;
};

/*
 * The section table of the image at base, in its own order. Errors: a read fault, DS_CORRUPT.
 * Source: Microsoft PE/COFF specification, "Section Table".
 */
enum ds_status ds_pe_sections(struct ds_space *space, uint64_t base,
                              struct ds_pe_section ret[DS_PE_SECTIONS_MAX],
                              size_t *count) DS_MUST_CHECK;

/*
 * Whether va lies in executable memory of the image at base: 1 or 0, or unknown with the reason
 * (the headers were not captured, or are damaged). An address in the headers or between sections
 * is not executable.
 */
struct ds_opt ds_pe_executable(struct ds_space *space, uint64_t base, uint64_t va);

#endif
