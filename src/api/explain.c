/* Knowledge that needs no dump. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/text.h"
#include "dumpscan/dumpscan.h"
#include "nt/bugcheck.h"
#include "nt/codes.h"
#include "nt/explain.h"

#define EXPLAIN_MAX (1u << 20)

const char *ds_library_version(void)
{
    return DS_VERSION;
}

void ds_string_free(char *s)
{
    free(s);
}

/* Gives the buffer's text to the caller. */
static enum ds_status give_text(struct ds_buf *b, char **ret, bool found)
{
    if (!ds_buf_ok(b) || b->data == NULL) {
        ds_buf_deinit(b);
        return DS_NO_MEMORY;
    }
    *ret = b->data;
    return found ? DS_OK : DS_NOT_FOUND;
}

enum ds_status ds_explain_bugcheck(uint32_t code, const uint64_t parameters[4], unsigned known,
                                   char **ret)
{
    static const uint64_t none[4];
    struct ds_buf b;
    ds_buf_init(&b, EXPLAIN_MAX);
    bool found = ds_bugcheck_explain(code, parameters != NULL ? parameters : none,
                                     parameters != NULL ? known : 0, &b);
    return give_text(&b, ret, found);
}

enum ds_status ds_bugcheck_by_name(const char *name, uint32_t *ret)
{
    for (size_t i = 0; i < ds_bugcheck_count(); i++) {
        const struct ds_bugcheck_doc *doc = ds_bugcheck_at(i);
        if (ds_text_casecmp(doc->name, name) == 0) {
            *ret = doc->code;
            return DS_OK;
        }
    }
    return DS_NOT_FOUND;
}

enum ds_status ds_explain_error(uint32_t code, char **ret)
{
    struct ds_buf b;
    ds_buf_init(&b, EXPLAIN_MAX);
    unsigned lines = ds_code_explain(code, &b);
    if (lines == 0)
        ds_buf_printf(&b, "0x%08X is listed neither as NTSTATUS, HRESULT nor Win32 code\n",
                      (unsigned)code);
    return give_text(&b, ret, lines > 0);
}
