/* Processor architectures that Windows dumps come from. */
#ifndef DS_BASE_ARCH_H
#define DS_BASE_ARCH_H

#include <stdint.h>

#include "base/opt.h"

enum ds_arch { DS_ARCH_UNKNOWN = 0, DS_ARCH_X86, DS_ARCH_X64, DS_ARCH_ARM, DS_ARCH_ARM64 };

/* IMAGE_FILE_MACHINE_* of an architecture; unknown for DS_ARCH_UNKNOWN. */
struct ds_opt ds_arch_machine(enum ds_arch arch);
/* From IMAGE_FILE_MACHINE_* (Microsoft PE/COFF specification, "Machine Types"). */
enum ds_arch ds_arch_from_machine(uint32_t machine);

/* "x86", "x64", "arm", "arm64", "unknown". */
const char *ds_arch_name(enum ds_arch arch);

/* Bytes of a pointer: 4 or 8; 0 for unknown. */
unsigned ds_arch_pointer_size(enum ds_arch arch);

#endif
