/*
 * The version resource of a PE image as it lies in a dump's memory: who made a driver, and which
 * edition it is. Sources: Microsoft Learn, "PE Format" (.rsrc section); "VS_VERSIONINFO",
 * "VS_FIXEDFILEINFO" and "StringFileInfo" of the Win32 documentation.
 */
#ifndef DS_SYMBOLS_PE_VERSION_H
#define DS_SYMBOLS_PE_VERSION_H

#include "symbols/pe.h"

/* Texts are UTF-8, cut to their room, "" where the resource does not say. */
struct ds_pe_version {
    char company[128], product[128], description[192];
    char file_version[64], product_version[64]; /* as text says, else from the numbers */
    bool has_numbers;
    uint16_t file_numbers[4]; /* 10, 0, 19041, 804 */
};

/*
 * Reads the version resource of the image that ds_pe_read() described. Errors: DS_NOT_FOUND (the
 * image has none), DS_CORRUPT (what stands there is none), or the fault of a read.
 */
enum ds_status ds_pe_read_version(const struct ds_pe_memory *memory, const struct ds_pe *pe,
                                  struct ds_pe_version *ret) DS_MUST_CHECK;

#endif
