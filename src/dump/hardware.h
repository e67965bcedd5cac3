/*
 * The machine as secondary data blobs describe it: firmware tables (SMBIOS), the processor's
 * CPUID leaves, and its values in the registry. Needs neither symbols nor the kernel. Text is
 * UTF-8 and hostile.
 */
#ifndef DS_DUMP_HARDWARE_H
#define DS_DUMP_HARDWARE_H

#include "dump/dump.h"

#define DS_HARDWARE_TEXT 128

/* "" and unknown where the dump does not say. */
struct ds_hardware {
    char bios_vendor[DS_HARDWARE_TEXT], bios_version[DS_HARDWARE_TEXT];
    char bios_date[DS_HARDWARE_TEXT]; /* as the firmware writes it: "06/08/2018" */
    char manufacturer[DS_HARDWARE_TEXT], product[DS_HARDWARE_TEXT];
    char board[DS_HARDWARE_TEXT]; /* manufacturer and product of the base board */
    char cpu[DS_HARDWARE_TEXT];   /* brand string */
    struct ds_opt cpu_mhz;
};

/* Decodes every blob of a known kind; what cannot be read stays unknown. */
void ds_hardware_read(struct ds_dump *dump, struct ds_hardware *ret);

/* The parts, over the bytes of one blob. Each fills only what is still unknown. */
void ds_hardware_smbios(struct ds_hardware *hw, const void *data, size_t size);
void ds_hardware_cpu_values(struct ds_hardware *hw, const void *data, size_t size);
void ds_hardware_cpuid(struct ds_hardware *hw, const void *data, size_t size);

/* What a blob's tag stands for; NULL when not known. Static. */
const char *ds_blob_name(const char *tag);

#endif
