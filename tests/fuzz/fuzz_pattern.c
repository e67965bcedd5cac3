/*
 * Pattern files: JSON text, its keys, the check of its query. Corpus: none
 */
#include <stdint.h>
#include <stdlib.h>

#include "rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds_patterns *patterns;
    struct ds_err err = {0};
    if (ds_patterns_open_empty(&patterns, NULL) != DS_OK)
        return 0;
    enum ds_status st = ds_patterns_add_text(patterns, "test", (const char *)data, size, &err);
    if (st != DS_OK && err.text[0] == '\0')
        abort();
    if (st == DS_OK) {
        const struct ds_pattern *p = ds_patterns_find(patterns, "test");
        if (p == NULL || p->requires_count == 0 || *p->query == '\0')
            abort();
    }
    ds_patterns_close(patterns);
    return 0;
}
