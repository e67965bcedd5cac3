/*
 * A PE image as it lies in a dump's memory: headers, the CodeView (RSDS) debug id, exports,
 * whether its timestamp is a reproducible-build hash. Source: Microsoft PE/COFF specification.
 */
#ifndef DS_SYMBOLS_PE_H
#define DS_SYMBOLS_PE_H

#include "memory/space.h"

struct ds_pe {
    uint64_t base;
    uint16_t machine;
    uint32_t timestamp;
    uint32_t size_of_image;
    uint32_t checksum;
    bool is64;
    bool reproducible;  /* debug directory entry of type 16: timestamp is a hash, not a date */
    char pdb_name[128]; /* file name part, UTF-8; "" when unknown */
    char pdb_id[48];    /* "5278AFF86C341677D7D7835C85B7B844-1"; "" when unknown */
    uint32_t export_rva, export_size;       /* 0 when none */
    uint32_t exception_rva, exception_size; /* .pdata directory */
};

/* Reads headers at base; debug directory best effort. Errors: a read fault, DS_CORRUPT. */
enum ds_status ds_pe_read(struct ds_space *space, uint64_t base, struct ds_pe *ret,
                          struct ds_err *err) DS_MUST_CHECK;

#endif
