#include "nt/bugcheck.h"

#include "nt/tables.h"

/* The variants WinDbg shows as "_M" carry 0x10000000; 0x40000000 is seen in real headers. */
#define VARIANT_FLAGS 0x50000000u

uint32_t ds_bugcheck_base(uint32_t code)
{
    /* 0xDEADDEAD and the 0xC0000xxx codes are NTSTATUS-like numbers, not flagged codes. */
    if ((code & 0x80000000u) != 0)
        return code;
    return code & ~VARIANT_FLAGS;
}

static const struct ds_bugcheck_doc *find_exact(uint32_t code)
{
    size_t lo = 0, hi = ds_bugcheck_table_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (ds_bugcheck_table[mid].code < code)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < ds_bugcheck_table_count && ds_bugcheck_table[lo].code == code)
        return &ds_bugcheck_table[lo];
    return NULL;
}

const struct ds_bugcheck_doc *ds_bugcheck_find(uint32_t code)
{
    const struct ds_bugcheck_doc *doc = find_exact(code);
    return doc != NULL ? doc : find_exact(ds_bugcheck_base(code));
}

const struct ds_bugcheck_subcode *ds_bugcheck_subcode(const struct ds_bugcheck_doc *doc,
                                                      const uint64_t params[4])
{
    if (doc->subcode_param < 0)
        return NULL;
    uint64_t value = params[doc->subcode_param];
    size_t lo = 0, hi = doc->subcode_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (doc->subcodes[mid].last < value)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < doc->subcode_count && doc->subcodes[lo].value <= value)
        return &doc->subcodes[lo];
    return NULL;
}

const struct ds_bugcheck_subcode *ds_bugcheck_subcode_known(const struct ds_bugcheck_doc *doc,
                                                            const struct ds_opt params[4])
{
    if (doc->subcode_param < 0 || !params[doc->subcode_param].known)
        return NULL;
    uint64_t values[4];
    for (unsigned i = 0; i < 4; i++)
        values[i] = ds_opt_or(params[i], 0);
    return ds_bugcheck_subcode(doc, values);
}

const struct ds_param_value *ds_bugcheck_value(const struct ds_bugcheck_doc *doc, unsigned param,
                                               uint64_t value)
{
    for (size_t i = 0; i < doc->value_count; i++) {
        if (doc->values[i].param == param && doc->values[i].value == value)
            return &doc->values[i];
    }
    return NULL;
}

const struct ds_param_doc *ds_bugcheck_param(const struct ds_bugcheck_doc *doc,
                                             const struct ds_bugcheck_subcode *sub, unsigned param)
{
    if (sub != NULL && sub->params[param & 3].text != NULL)
        return &sub->params[param & 3];
    return &doc->params[param & 3];
}

const char *ds_param_type_name(enum ds_param_type type)
{
    static const char names[][20] = {
        [DS_PARAM_UNKNOWN] = "",
        [DS_PARAM_RESERVED] = "reserved",
        [DS_PARAM_NUMBER] = "number",
        [DS_PARAM_FLAGS] = "flags",
        [DS_PARAM_SUBCODE] = "sub-code",
        [DS_PARAM_ADDRESS] = "address",
        [DS_PARAM_CODE] = "code address",
        [DS_PARAM_IRQL] = "IRQL",
        [DS_PARAM_NTSTATUS] = "NTSTATUS",
        [DS_PARAM_ACCESS] = "access",
        [DS_PARAM_OBJECT] = "pointer",
        [DS_PARAM_STRING] = "string",
        [DS_PARAM_PHYSICAL] = "physical address",
        [DS_PARAM_PFN] = "page frame number",
        [DS_PARAM_PTE] = "page table entry",
    };
    if ((size_t)type >= sizeof(names) / sizeof(names[0]))
        return "";
    return names[type];
}

const char *ds_bugcheck_edition(void)
{
    return ds_bugcheck_table_edition;
}

size_t ds_bugcheck_count(void)
{
    return ds_bugcheck_table_count;
}

const struct ds_bugcheck_doc *ds_bugcheck_at(size_t index)
{
    return index < ds_bugcheck_table_count ? &ds_bugcheck_table[index] : NULL;
}
