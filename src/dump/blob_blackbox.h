/*
 * Black boxes: what parts of Windows wrote down for the case of a crash, as named fields.
 *
 * - PnP (!blackboxpnp): {GUID activity, FILETIME, u32 information, u8 in progress, u32 problem at
 *   0x20, u32 veto type, u32 offset of a veto text, UTF-16 device id at 0x2c}; winlogon
 *   (!blackboxwinlogon): {u32 1, u32 size, u32 pending, UTF-16 name}; NTFS (!blackboxntfs): {u16
 *   version, u16 size, u16 first record, FILETIME at 8, u16 slots, u16 their offset}. Layouts
 *   found by inspection of real dumps and from public descriptions of these commands.
 * - boot status data: the file bootstat.dat; fields and their order as !blackboxbsd's page in
 *   windows-driver-docs shows them, widths by RTL_BSD_DATA_POWER_TRANSITION,
 *   RTL_BSD_DATA_ERROR_INFO and RTL_BSD_POWER_BUTTON_PRESS_INFO of phnt (ntrtl.h, MIT).
 * - the NT path of a process image: UTF-16. It may hold a person's name.
 */
#ifndef DS_DUMP_BLOB_BLACKBOX_H
#define DS_DUMP_BLOB_BLACKBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"
#include "dumpscan/status.h"

#define DS_BLACKBOX_PNP_TAG "b7631941-532a-4cd6-b1b1-edb5917d4557"
#define DS_BLACKBOX_WINLOGON_TAG "80cc79cf-a719-4af1-bf97-fe29ff76ebc1"
#define DS_BLACKBOX_BSD_TAG "f57308df-cc45-4e01-ad76-29a4ebb010ec"
#define DS_BLACKBOX_NTFS_TAG "00afe9c4-940d-4213-8016-cd3719b5bc20"
#define DS_IMAGE_PATH_TAG "be84d651-a550-4367-8e63-ab792b631f94"

#define DS_BLACKBOX_TEXT 1024 /* bytes of one text, NUL included; longer ones are cut */
#define DS_BLACKBOX_FIELDS 48 /* fields that one black box has at most */

enum ds_blackbox_kind { DS_BLACKBOX_NUMBER, DS_BLACKBOX_TIME, DS_BLACKBOX_STRING };

struct ds_blackbox_field {
    const char *box;  /* "pnp", "winlogon", "boot_status", "ntfs", "image_path"; static */
    const char *name; /* static */
    enum ds_blackbox_kind kind;
    uint64_t number;  /* of a number, or FILETIME of a time; 0: never */
    const char *text; /* of a string: UTF-8 in the storage that was passed */
};

/* Room for one black box. */
struct ds_blackbox {
    struct ds_blackbox_field fields[DS_BLACKBOX_FIELDS];
    size_t count;
    char texts[2][DS_BLACKBOX_TEXT]; /* what string fields point into */
};

/* Whether the tag is one of the above. */
bool ds_blackbox_is(const char *tag);

/*
 * Decodes a blob by its tag. DS_OK; DS_NOT_FOUND for a tag that is no black box; DS_TRUNCATED
 * with what there is; DS_UNSUPPORTED for a version whose layout is not known.
 */
enum ds_status ds_blackbox_decode(const char *tag, const void *blob, size_t size,
                                  struct ds_blackbox *ret);

#endif
