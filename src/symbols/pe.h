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
    bool debug_known;   /* the debug directory was read whole, or there is none */
    bool reproducible;  /* debug directory entry of type 16: timestamp is a hash, not a date */
    char pdb_name[128]; /* file name part, UTF-8; "" when unknown */
    char pdb_id[48];    /* "5278AFF86C341677D7D7835C85B7B844-1"; "" when unknown */
    uint32_t export_rva, export_size;       /* 0 when none */
    uint32_t exception_rva, exception_size; /* .pdata directory */
    uint32_t resource_rva, resource_size;   /* .rsrc directory */
};

/* Where an image's bytes come from: all `len` bytes at va, or a fault (which may be NULL). */
struct ds_pe_memory {
    enum ds_status (*read)(void *arg, uint64_t va, void *buf, size_t len, struct ds_fault *fault);
    void *arg;
};

/* Reads headers at base; debug directory best effort. Errors: a read fault, DS_CORRUPT. */
enum ds_status ds_pe_read(struct ds_space *space, uint64_t base, struct ds_pe *ret,
                          struct ds_err *err) DS_MUST_CHECK;

/* The same from any memory. */
enum ds_status ds_pe_read_from(const struct ds_pe_memory *memory, uint64_t base, struct ds_pe *ret,
                               struct ds_err *err) DS_MUST_CHECK;

/* Adapts a space; borrows it. */
struct ds_pe_memory ds_pe_memory_of_space(struct ds_space *space);

/*
 * Calls `each` with every exported name and RVA that can be read (forwarders and exports by number
 * only are left out), until it returns false. Names are at most 511 bytes, NUL-terminated, raw.
 * Errors: DS_NOT_FOUND (the image exports nothing), DS_CORRUPT (no export table stands there), or
 * the read fault that kept the table, or any part of it, from being read; names may have been
 * given all the same.
 */
enum ds_status ds_pe_exports(const struct ds_pe_memory *memory, const struct ds_pe *pe,
                             bool (*each)(void *arg, const char *name, uint32_t rva), void *arg,
                             struct ds_err *err) DS_MUST_CHECK;

#endif
