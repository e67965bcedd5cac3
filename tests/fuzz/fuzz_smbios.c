/* Any bytes as an SMBIOS blob. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dump/smbios.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds_smbios s;
    (void)ds_smbios_decode(data, size, &s);
    const char *name, *value;
    for (size_t i = 0; ds_smbios_row(&s, i, &name, &value); i++) {
        if (strlen(value) >= DS_SMBIOS_TEXT)
            __builtin_trap();
    }
    return 0;
}
