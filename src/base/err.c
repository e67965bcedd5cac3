#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *text;
} status_names[DS_STATUS_COUNT] = {
    [DS_OK] = {"ok", "success"},
    [DS_NOT_MAPPED] = {"not_mapped", "no valid translation for the address"},
    [DS_PAGED_OUT] = {"paged_out", "the page is in a page file, not in the dump"},
    [DS_NOT_IN_DUMP] = {"not_in_dump", "the page was not captured in the dump"},
    [DS_TRUNCATED] = {"truncated", "the file ends before the data"},
    [DS_CORRUPT] = {"corrupt", "the data contradicts itself"},
    [DS_LOOP] = {"loop", "the list came back to a node already seen"},
    [DS_LIMIT] = {"limit", "a safety limit was reached"},
    [DS_NO_FIELD] = {"no_field", "the structure layout of this kernel lacks the field"},
    [DS_NO_SYMBOL] = {"no_symbol", "no such symbol is known"},
    [DS_NOT_FOUND] = {"not_found", "not found"},
    [DS_NOT_DUMP] = {"not_dump", "not a Windows kernel dump"},
    [DS_UNSUPPORTED] = {"unsupported", "recognised, but this version cannot read it"},
    [DS_IO] = {"io", "the operating system reported an error"},
    [DS_NO_MEMORY] = {"no_memory", "out of memory"},
    [DS_INVALID] = {"invalid", "invalid argument"},
};

const char *ds_status_name(enum ds_status status)
{
    if ((unsigned)status >= DS_STATUS_COUNT)
        return "unknown";
    return status_names[status].name;
}

const char *ds_status_text(enum ds_status status)
{
    if ((unsigned)status >= DS_STATUS_COUNT)
        return "unknown status";
    return status_names[status].text;
}

enum ds_status ds_err_set(struct ds_err *err, enum ds_status status, const char *fmt, ...)
{
    if (err == NULL)
        return status;
    err->status = status;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    return status;
}

enum ds_status ds_err_prepend(struct ds_err *err, const char *fmt, ...)
{
    if (err == NULL)
        return DS_OK;
    char old[DS_ERR_TEXT];
    memcpy(old, err->text, sizeof(old));
    old[sizeof(old) - 1] = '\0';
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    size_t used = n < 0 ? 0 : (size_t)n;
    if (used + 2 < sizeof(err->text)) {
        size_t room = sizeof(err->text) - used - 3;
        size_t keep = strlen(old) < room ? strlen(old) : room;
        memcpy(err->text + used, ": ", 2);
        memcpy(err->text + used + 2, old, keep);
        err->text[used + 2 + keep] = '\0';
    }
    return err->status;
}
