/*
 * The SMBIOS blob of a minidump: a header of 8 bytes {u8 method, major, minor, revision, u32
 * length} and the structure table (DMTF DSP0134). Texts that name one machine of its make (serial
 * numbers, the UUID) are kept apart in struct ds_smbios_identity: reports get shared.
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
    char chassis_manufacturer[DS_SMBIOS_TEXT];
    char chassis_version[DS_SMBIOS_TEXT];
    char processor_socket[DS_SMBIOS_TEXT];
    char processor_manufacturer[DS_SMBIOS_TEXT];
    char processor_version[DS_SMBIOS_TEXT];
    struct ds_opt processor_max_mhz;
    size_t processor_structures;          /* type 4: one per socket */
    size_t structures;                    /* read in all */
    struct ds_opt memory_bytes;           /* sum of type 17 sizes; unknown when there are none */
    struct ds_opt bios_major, bios_minor; /* release of the firmware; unknown when not stated */
    struct ds_opt ec_major, ec_minor;     /* release of the embedded controller's firmware */
    struct ds_opt uefi;                   /* 1: the firmware says that it is UEFI */
    struct ds_opt virtual_machine;        /* 1: the table says that it describes one */
    struct ds_opt chassis_type;           /* DSP0134 7.4.1, without the lock bit */
};

/* What tells one machine from another of its make; private, goes into a hash only. */
struct ds_smbios_identity {
    bool has_uuid; /* there is a system structure that has room for it */
    uint8_t uuid[16];
    char board_serial[DS_SMBIOS_TEXT];
};

/*
 * Decodes the whole blob. DS_OK, or with what was read so far in *ret: DS_TRUNCATED (the table
 * ends within a structure), DS_CORRUPT (a structure shorter than its own header), DS_LIMIT.
 */
enum ds_status ds_smbios_decode(const void *blob, size_t size, struct ds_smbios *ret);

/* The identity; what the table lacks stays empty. Errors as ds_smbios_decode. */
enum ds_status ds_smbios_identify(const void *blob, size_t size, struct ds_smbios_identity *ret);

/* "laptop" of a chassis type (DSP0134 7.4.1); NULL when unknown or not in it. Static. */
const char *ds_smbios_chassis_name(struct ds_opt type);

/* One memory device (type 17). Texts are "" and numbers unknown when not stated. */
struct ds_smbios_memory {
    uint16_t handle;
    char locator[DS_SMBIOS_TEXT]; /* "DIMM 0" */
    char bank[DS_SMBIOS_TEXT];
    struct ds_opt installed;  /* 0: an empty socket; unknown when the size is */
    struct ds_opt size_bytes; /* known when installed and stated */
    const char *type;         /* "DDR4"; static; NULL when unknown or not in DSP0134 3.7 */
    const char *form_factor;  /* "DIMM"; likewise */
    struct ds_opt type_code, form_factor_code;
    struct ds_opt speed;      /* megatransfers a second that it can do */
    struct ds_opt configured; /* that it is run at */
    struct ds_opt voltage;    /* configured, millivolts */
    struct ds_opt ranks;
    struct ds_opt data_bits, total_bits; /* widths; total with error correction bits */
    char manufacturer[DS_SMBIOS_TEXT];
    char serial[DS_SMBIOS_TEXT];
    char part_number[DS_SMBIOS_TEXT];
};

/* A pass over the structures of a blob, in order; copy to keep a position. */
struct ds_smbios_walk {
    const uint8_t *p;
    size_t left, seen;
    bool cut, ended; /* cut: the blob is shorter than its table */
};

/* Errors: DS_TRUNCATED for a blob without its header. */
enum ds_status ds_smbios_walk_begin(const void *blob, size_t size, struct ds_smbios_walk *ret);
/* The next memory device. DS_NOT_FOUND at the end; errors as ds_smbios_decode. */
enum ds_status ds_smbios_memory_next(struct ds_smbios_walk *w, struct ds_smbios_memory *ret);

/* The texts as rows, in order: name "bios_vendor", .. and value. False past the last. */
bool ds_smbios_row(const struct ds_smbios *s, size_t index, const char **name, const char **value);

#endif
