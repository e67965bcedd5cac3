/* The Windows debugger's names for what was found. */
#include "facts/cells.h"
#include "facts/windbg.h"

#define ROW struct ds_windbg_key
static const struct ds_column_spec key_columns[] = {
    {"name", DS_COL_TEXT, "the debugger's name of the key", "!analyze -v", DS_FIELD(ROW, name)},
    {"value", DS_COL_TEXT, "its value in the debugger's notation", "!analyze -v",
     DS_FIELD(ROW, value)},
};
#undef ROW

static void keys_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_windbg *w = ds_facts_rows_alloc(f, 1, sizeof(*w));
    if (w == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
        return;
    }
    ds_windbg_find(ds_facts_nt(f), w);
    *ret = ds_rows_complete(w->rows, sizeof(w->rows[0]), w->count);
}

DS_TABLE(windbg_keys,
         "What !analyze -v would call things, as far as it follows from the dump; see "
         "docs/windbg-keys.md.",
         "!analyze -v", key_columns, keys_fill, NULL);
