/* Which section of an image an address lies in, as far as the section table was captured. */
#ifndef DS_SYMBOLS_PE_SECTION_H
#define DS_SYMBOLS_PE_SECTION_H

#include "base/opt.h"
#include "memory/space.h"

/*
 * Whether va lies in executable memory of the image at base: 1 or 0, or unknown with the reason
 * (the headers were not captured, or are damaged). An address in the headers or between sections
 * is not executable. Source: Microsoft PE/COFF specification, "Section Table".
 */
struct ds_opt ds_pe_executable(struct ds_space *space, uint64_t base, uint64_t va);

#endif
