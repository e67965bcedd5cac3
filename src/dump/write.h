/*
 * Writes a DMP: the memory of any opened container behind a header of Windows' own form, so that
 * a debugger opens it. Complete dumps (type 1, 32 and 64 bits) keep their runs in the header,
 * which holds 42 of them (86 in 32 bits); bitmap dumps (type 5, 64 bits) take any layout.
 */
#ifndef DS_DUMP_WRITE_H
#define DS_DUMP_WRITE_H

#include "dump/dump.h"
#include "dumpscan/dumpscan.h"

/* Bytes to stand at a physical address instead of the container's; within one page. */
struct ds_dump_patch {
    uint64_t pa;
    const uint8_t *bytes; /* borrowed */
    size_t size;
};

struct ds_dump_writing {
    struct ds_dump_header header; /* arch, is64 and what is known; sizes and type are set here */
    bool bitmap;                  /* else a complete dump */
    const uint8_t *context;       /* CONTEXT record; NULL = none */
    size_t context_size;
    const uint8_t *exception; /* EXCEPTION_RECORD of the form's width; NULL = none */
    size_t exception_size;
    const struct ds_dump_patch *patches;
    size_t patch_count;
};

/* Whether the container's runs fit into the header of a complete dump. */
bool ds_dump_write_fits_full(struct ds_dump *d, bool is64);

/*
 * Hands the file's bytes to `put` in order. Pages that cannot be read whole are left out.
 * Errors: DS_UNSUPPORTED (no memory to write, or the form cannot hold it), DS_LIMIT (physical
 * addresses beyond DS_LIMIT_WRITE_PAGES pages), DS_IO (put returned false, or a page could be
 * read at first and not later), DS_NO_MEMORY.
 */
enum ds_status ds_dump_write(struct ds_dump *d, const struct ds_dump_writing *w, ds_write_fn *put,
                             void *arg, struct ds_err *err) DS_MUST_CHECK;

#endif
