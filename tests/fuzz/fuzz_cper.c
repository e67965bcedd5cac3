/* Any bytes as a hardware error record. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nt/cper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds_cper record;
    struct ds_cper_section s;
    struct ds_cper_field fields[DS_CPER_FIELDS];
    if (ds_cper_decode(data, size, &record) == DS_OK && record.time.known && record.time.value == 0)
        __builtin_trap();
    for (size_t i = 0; i < 64 && ds_cper_section(data, size, i, &s); i++) {
        size_t n = ds_cper_fields(data, size, &s, fields);
        struct ds_buf b;
        ds_buf_init(&b, 4096);
        ds_cper_component(&s, fields, n, &b);
        if (n > DS_CPER_FIELDS || strlen(s.fru) > 20)
            __builtin_trap();
        ds_buf_deinit(&b);
    }
    return 0;
}
