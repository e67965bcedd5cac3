/* Any bytes as an SMBIOS blob.
 * Carve: bc5c008f-1e3a-44d7-988d-86f6884c6758 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dump/machine.h"
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
    struct ds_smbios_identity identity;
    (void)ds_smbios_identify(data, size, &identity);
    struct ds_machine_id id;
    ds_machine_id_make(&identity, &id);
    if ((id.id[0] == '\0') != (id.basis == NULL) || (id.id[0] == '\0' && id.why_not[0] == '\0'))
        __builtin_trap();
    struct ds_smbios_walk w;
    struct ds_smbios_memory m;
    if (ds_smbios_walk_begin(data, size, &w) == DS_OK)
        while (ds_smbios_memory_next(&w, &m) == DS_OK)
            if (strlen(m.part_number) >= DS_SMBIOS_TEXT)
                __builtin_trap();
    return 0;
}
