/*
 * Symbol tables (ISF), plain and inflated: parsing, finishing, looking up. The first seeds are
 * small hand-made tables. Corpus: *.json *.json.xz
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/isf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"_KTHREAD", "_OUTER", "_INNER", ""};
    static const char *const paths[] = {"State", "Zed.Bits", "Array",
                                        "E",     "a.b.c.d",  "Self.Self.Self"};
    struct ds_isf isf;
    struct ds_layout *l;
    struct ds_field f;
    uint32_t start, rva;
    if (ds_isf_load_bytes(data, size, "", true, &isf, NULL) != DS_OK)
        return 0;
    for (size_t i = 0; i < isf.symbols.count; i++) {
        const struct ds_symtab_item *item = &isf.symbols.items[i];
        const char *name = ds_symtab_at(&isf.symbols, item->rva, &start);
        /* A name lies whole in the table's own strings. */
        if (name != NULL && (start != item->rva || name < isf.symbols.strings ||
                             name + strlen(name) >= isf.symbols.strings + isf.symbols.strings_len))
            abort();
        if (!ds_symtab_find(&isf.symbols, isf.symbols.strings + item->name, &rva))
            abort();
    }
    if (isf.types != NULL) {
        l = ds_isf_types_layout(isf.types, DS_TRUST_SYMBOLS, "fuzz");
        for (size_t i = 0; l != NULL && i < sizeof types / sizeof types[0]; i++) {
            for (size_t k = 0; k < sizeof paths / sizeof paths[0]; k++)
                (void)!ds_layout_field(l, types[i], paths[k], &f);
            (void)!ds_layout_size(l, types[i], &rva);
        }
        if (l != NULL)
            isf.types = NULL;
        ds_layout_close(l);
    }
    ds_isf_deinit(&isf);
    return 0;
}
