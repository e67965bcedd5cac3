/*
 * The ACPI blob of a minidump: the beginning of every table, back to back. Of tables of AML code
 * (DSDT, SSDT, PSDT) the 36 bytes of DESCRIPTION_HEADER (ACPI 6.5, 5.2.6) are kept, of others up
 * to 8 (17134) or 32 (19041) bytes more: found by inspection of real dumps.
 */
#ifndef DS_DUMP_BLOB_ACPI_H
#define DS_DUMP_BLOB_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dumpscan/status.h"

#define DS_ACPI_TAG "e83b40d2-b0a0-4842-abea-71c9e3463dd1"
#define DS_ACPI_HEADER 36u

/* One table. Texts lose the blanks and NULs at their end and are "" when they hold nothing. */
struct ds_acpi_table {
    char signature[5];
    uint32_t length; /* bytes of the whole table in memory, as stated */
    uint8_t revision, checksum;
    char oem_id[7 * 3]; /* UTF-8 of 6 bytes */
    char oem_table_id[9 * 3];
    uint32_t oem_revision;
    char creator_id[5 * 3];
    uint32_t creator_revision;
    size_t offset; /* in the blob */
    size_t kept;   /* bytes of the table that the blob holds */
};

/* A pass over a blob. */
struct ds_acpi_walk {
    const uint8_t *blob;
    size_t size, pos, body; /* body: bytes kept behind a header */
};

struct ds_acpi_walk ds_acpi_walk_begin(const void *blob, size_t size);
/*
 * The next table. DS_NOT_FOUND at the end; DS_TRUNCATED when the blob ends within a table,
 * DS_CORRUPT where no table begins: nothing behind that is read.
 */
enum ds_status ds_acpi_next(struct ds_acpi_walk *w, struct ds_acpi_table *ret);

#endif
