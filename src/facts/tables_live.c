/* Who asked for a live dump. */
#include "facts/table.h"
#include "nt/live.h"

#define ROW struct ds_live
static const struct ds_column_spec live_columns[] = {
    {"live", DS_COL_BOOL,
     "whether the dump was taken of a system that went on running; NULL when the header does not "
     "say",
     "", DS_FIELD(ROW, live)},
    {"evidence", DS_COL_TEXT, "why that is believed", "", DS_FIELD(ROW, evidence)},
    {"on_request", DS_COL_BOOL, "somebody asked for it: nothing need be wrong", "",
     DS_FIELD(ROW, on_request)},
    {"component", DS_COL_TEXT, "the part of Windows that takes live dumps with this code", "",
     DS_FIELD(ROW, component)},
    {"asked_by", DS_COL_TEXT, "who asked for the dump; NULL when not known", "",
     DS_FIELD(ROW, asked_by)},
    {"asked_how", DS_COL_TEXT, "how that is known, or why not", "", DS_FIELD(ROW, asked_how)},
    {"module", DS_COL_TEXT, "file name of the driver that asked, by the stack", "",
     DS_FIELD(ROW, module)},
    {"function", DS_COL_TEXT, "where it asked", "", DS_FIELD(ROW, function)},
    {"process", DS_COL_TEXT, "process that was current when the dump was taken", "",
     DS_FIELD(ROW, process)},
};
#undef ROW

static void live_fill(struct ds_facts *f, struct ds_rows *ret)
{
    *ret = ds_rows_complete(ds_nt_live(ds_facts_nt(f)), sizeof(struct ds_live), 1);
}

DS_TABLE(live_dump,
         "One row: whether the system crashed at all, and who asked for the dump if it did not.",
         "", live_columns, live_fill, NULL);
