/*
 * The WDF client drivers of a minidump: an array of FX_DUMP_DRIVER_INFO_ENTRY {pointer to the
 * driver's globals, WDF_VERSION of three u32, 32 characters of name}; 56 bytes on 64-bit Windows.
 * Source: microsoft/Windows-Driver-Frameworks (MIT), fxbugcheck.h and fxifr.h (WdfDumpGuid2).
 */
#ifndef DS_DUMP_BLOB_WDF_H
#define DS_DUMP_BLOB_WDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DS_WDF_DRIVERS_TAG "f87e4a4c-c5a1-4d2f-bff0-d5de63a5e4c3"

struct ds_wdf_driver {
    uint64_t globals; /* virtual; 0 for the framework itself */
    uint32_t major, minor, build;
    char name[100]; /* UTF-8; service name, without ".sys" */
};

/* The entry at `index` of a 64-bit dump; false past the last whole one. */
bool ds_wdf_driver_at(const void *blob, size_t size, size_t index, struct ds_wdf_driver *ret);

#endif
