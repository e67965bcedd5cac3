/*
 * The SMBIOS blob of a minidump: a header of 8 bytes {u8 method, major, minor, revision, u32
 * length} and the structure table (DMTF DSP0134). Only what names the machine's make is taken;
 * serial numbers, asset tags and the UUID are left alone, since reports get shared.
 */
#ifndef DS_DUMP_SMBIOS_H
#define DS_DUMP_SMBIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"
#include "dumpscan/status.h"

#define DS_SMBIOS_TAG "bc5c008f-1e3a-44d7-988d-86f6884c6758"

#define DS_SMBIOS_TEXT 96 /* bytes of one text, NUL included; longer ones are cut */

/* Texts are UTF-8 and "" when not stated. Of several structures of one type the first counts. */
struct ds_smbios {
    unsigned major, minor; /* version of the specification that the table follows */
    char bios_vendor[DS_SMBIOS_TEXT];
    char bios_version[DS_SMBIOS_TEXT];
    char bios_release_date[DS_SMBIOS_TEXT]; /* mm/dd/yyyy as a rule */
    char system_manufacturer[DS_SMBIOS_TEXT];
    char system_product[DS_SMBIOS_TEXT];
    char system_version[DS_SMBIOS_TEXT];
    char system_sku[DS_SMBIOS_TEXT];
    char system_family[DS_SMBIOS_TEXT];
    char board_manufacturer[DS_SMBIOS_TEXT];
    char board_product[DS_SMBIOS_TEXT];
    char board_version[DS_SMBIOS_TEXT];
    char processor_socket[DS_SMBIOS_TEXT];
    char processor_manufacturer[DS_SMBIOS_TEXT];
    char processor_version[DS_SMBIOS_TEXT];
    struct ds_opt processor_max_mhz;
    size_t processor_structures; /* type 4: one per socket */
    size_t structures;           /* read in all */
    struct ds_opt memory_bytes;  /* sum of type 17 sizes; unknown when there are none */
};

/*
 * Decodes the whole blob. DS_OK, or with what was read so far in *ret: DS_TRUNCATED (the table
 * ends within a structure), DS_CORRUPT (a structure shorter than its own header), DS_LIMIT.
 */
enum ds_status ds_smbios_decode(const void *blob, size_t size, struct ds_smbios *ret);

/* The texts as rows, in order: name "bios_vendor", .. and value. False past the last. */
bool ds_smbios_row(const struct ds_smbios *s, size_t index, const char **name, const char **value);

#endif
