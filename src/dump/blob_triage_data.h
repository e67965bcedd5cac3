/*
 * The ranges that one driver asked to have in the dump (KeAddTriageDumpDataBlock, ntddk.h):
 * {u32 ranges, u32 bytes of the name, ranges of {u64 address, u64 bytes}, ASCII name with NUL};
 * 64-bit Windows. Layout found by inspection of real dumps. Several blobs may have the tag.
 */
#ifndef DS_DUMP_BLOB_TRIAGE_DATA_H
#define DS_DUMP_BLOB_TRIAGE_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "dumpscan/status.h"

#define DS_TRIAGE_DATA_TAG "2b4ae195-a64d-4f04-8ede-7e4f981bd42a"

struct ds_triage_data {
    uint32_t stated; /* ranges as stated */
    size_t count;    /* ranges that the blob holds */
    char name[192];  /* whose they are: "IoTriageDumpData"; UTF-8, "" when not stated or cut off */
    const uint8_t *ranges; /* borrowed from the blob */
};

/* DS_OK; DS_TRUNCATED with what there is (nothing for a blob without its counts). */
enum ds_status ds_triage_data_decode(const void *blob, size_t size, struct ds_triage_data *ret);
/* The range at `index`, below count. */
void ds_triage_data_range(const struct ds_triage_data *t, size_t index, uint64_t *va,
                          uint64_t *size);

#endif
