/* What the files that read SMBIOS tables share; nothing outside src/dump includes this. */
#ifndef DS_DUMP_SMBIOS_WALK_H
#define DS_DUMP_SMBIOS_WALK_H

#include "dump/smbios.h"

/* One structure of the table, within the blob. */
struct ds_smbios_structure {
    const uint8_t *formatted; /* type, length, handle, fields */
    size_t length;            /* of the formatted area, at least 4 */
    const uint8_t *strings;
    size_t strings_size; /* of the string set, its closing double NUL included */
};

/* DS_NOT_FOUND behind the last; DS_TRUNCATED, DS_CORRUPT, DS_LIMIT. */
enum ds_status ds_smbios_structure_next(struct ds_smbios_walk *w, struct ds_smbios_structure *ret);

/* The text whose number stands at `offset`; out (DS_SMBIOS_TEXT bytes) is untouched without. */
void ds_smbios_string(const struct ds_smbios_structure *s, size_t offset, char *out);

/* Size of a memory device in bytes: 0 for an empty socket, unknown when not stated. */
struct ds_opt ds_smbios_memory_size(const struct ds_smbios_structure *s);

#endif
