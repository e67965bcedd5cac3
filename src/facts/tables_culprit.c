/* Who may be to blame. */
#include <string.h>

#include "facts/candidates.h"
#include "facts/cells.h"

static void candidate_kind(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, ds_candidate_kind_name(((const struct ds_candidate *)row)->kind));
}

#define ROW struct ds_candidate
static const struct ds_column_spec candidate_columns[] = {
    {"rank", DS_COL_INTEGER, "from 0: the strongest evidence first", "",
     DS_DERIVED(ds_derive_number)},
    {"kind", DS_COL_TEXT, "driver, kernel, process, hardware or memory-corruption", "",
     DS_DERIVED(candidate_kind)},
    {"module", DS_COL_TEXT, "file name of the driver, or the process's name",
     "!analyze (IMAGE_NAME)", DS_FIELD(ROW, module)},
    {"function", DS_COL_TEXT, "the place in it as module!symbol+offset", "!analyze (SYMBOL_NAME)",
     DS_FIELD(ROW, function)},
    {"address", DS_COL_ADDRESS, "what points to it: an address in its code, or the object named",
     "", DS_FIELD(ROW, address)},
    {"source", DS_COL_TEXT,
     "where that was found: exception, parameter, context, stack, thread, processor, "
     "profile, kernel, bugcheck code",
     "", DS_FIELD(ROW, source)},
    {"confidence", DS_COL_TEXT, "high, medium or low", "", DS_FIELD(ROW, confidence)},
    {"weight", DS_COL_INTEGER, "how strong the evidence is; below 20 it names nobody", "",
     DS_FIELD(ROW, weight)},
    {"seen", DS_COL_INTEGER, "places that point to it", "", DS_FIELD(ROW, seen)},
    {"reason", DS_COL_TEXT, "the evidence in words", "", DS_FIELD(ROW, reason)},
};
#undef ROW

static void candidates_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_candidates *c = ds_facts_rows_alloc(f, 1, sizeof(*c));
    if (c == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
        return;
    }
    ds_candidates_find(ds_facts_nt(f), c);
    if (c->dropped > 0)
        *ret = ds_rows_cut(c->rows, sizeof(c->rows[0]), c->count, DS_LIMIT, "more were found");
    else
        *ret = ds_rows_complete(c->rows, sizeof(c->rows[0]), c->count);
}

DS_TABLE(culprit_candidates,
         "Who may be to blame, by strength of the evidence; the culprit is the first that is more "
         "than a hint.",
         "!analyze", candidate_columns, candidates_fill, "rank");
