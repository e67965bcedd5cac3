#include "nt/explain.h"

#include <string.h>

#include "nt/codes.h"

struct irql_name {
    unsigned irql;
    const char *name;
};

/* wdm.h, "Interrupt Request Level definitions", one set per architecture. */
static const struct irql_name irqls_x86[] = {
    {27, "PROFILE_LEVEL"}, {28, "CLOCK_LEVEL"}, {29, "IPI_LEVEL"},
    {30, "POWER_LEVEL"},   {31, "HIGH_LEVEL"},
};
static const struct irql_name irqls_x64[] = {
    {13, "CLOCK_LEVEL"},
    {14, "IPI_LEVEL"},
    {15, "HIGH_LEVEL"},
};

static const char *irql_high(const struct irql_name *names, size_t count, uint64_t irql)
{
    if (irql < names[0].irql)
        return "device interrupt level";
    for (size_t i = 0; i < count; i++) {
        if (names[i].irql == irql)
            return names[i].name;
    }
    return NULL;
}

const char *ds_irql_name(enum ds_arch arch, uint64_t irql)
{
    static const char *const common[] = {"PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL"};
    if (irql < 3)
        return common[irql];
    switch (arch) {
    case DS_ARCH_X86:
        return irql_high(irqls_x86, sizeof(irqls_x86) / sizeof(irqls_x86[0]), irql);
    case DS_ARCH_X64:
    case DS_ARCH_ARM:
    case DS_ARCH_ARM64:
        return irql_high(irqls_x64, sizeof(irqls_x64) / sizeof(irqls_x64[0]), irql);
    case DS_ARCH_UNKNOWN:
        break;
    }
    return NULL;
}

const char *ds_bugcheck_access(const struct ds_bugcheck_doc *doc, unsigned param, uint64_t value)
{
    if (param > 3 || doc->params[param].type != DS_PARAM_ACCESS)
        return NULL;
    const struct ds_param_value *row = ds_bugcheck_value(doc, param, value);
    if (row != NULL && row->name[0] != '\0')
        return row->name;
    switch (value) {
    case 0:
        return "read";
    case 1:
        return "write";
    case 8:
    case 0x10:
        return "execute";
    default:
        return NULL;
    }
}

/* "NAME: text", either may be empty. */
static bool put_pair(struct ds_buf *out, const char *name, const char *text)
{
    ds_buf_str(out, name);
    if (name[0] != '\0' && text[0] != '\0')
        ds_buf_str(out, ": ");
    ds_buf_str(out, text);
    return name[0] != '\0' || text[0] != '\0';
}

static bool put_ntstatus(uint64_t value, struct ds_buf *out)
{
    /* 64-bit dumps hold the status zero- or sign-extended. */
    if ((value >> 32) != 0 && (value >> 31) != 0x1ffffffffULL) {
        ds_buf_str(out, "not an NTSTATUS: it needs more than 32 bits");
        return true;
    }
    const struct ds_code *code = ds_ntstatus_find((uint32_t)value);
    if (code == NULL)
        return false;
    return put_pair(out, code->name, code->text);
}

static bool put_irql(uint64_t value, enum ds_arch arch, struct ds_buf *out)
{
    const char *name = ds_irql_name(arch, value);
    if (name != NULL)
        ds_buf_str(out, name);
    else if (arch == DS_ARCH_UNKNOWN && value > 2 && value < 32)
        ds_buf_str(out, "above DISPATCH_LEVEL: a device or system interrupt level");
    else
        return false;
    return true;
}

/* Text packed into the value. Pool tags start at the low end, "Taskmgr" of 0x161 at the high. */
static bool put_packed_text(uint64_t value, struct ds_buf *out)
{
    char s[9] = {0}, reversed[9] = {0};
    size_t n = 0;
    for (; n < 8 && value != 0; n++, value >>= 8) {
        s[n] = (char)(value & 0xff);
        if (s[n] < 0x20 || s[n] > 0x7e)
            return false;
    }
    if (n < 3)
        return false;
    for (size_t i = 0; i < n; i++)
        reversed[i] = s[n - 1 - i];
    ds_buf_printf(out, "as text \"%s\", from the other end \"%s\"", s, reversed);
    return true;
}

static bool put_address(uint64_t value, enum ds_arch arch, struct ds_buf *out)
{
    uint64_t high = value >> 47;
    if (value == 0)
        ds_buf_str(out, "NULL");
    else if (value < 0x10000)
        ds_buf_str(out, "close to zero: a NULL pointer plus an offset");
    else if (arch == DS_ARCH_X64 && high != 0 && high != 0x1ffff)
        ds_buf_str(out, "not a canonical address with four-level paging");
    else
        return false;
    return true;
}

static bool put_subcode(const struct ds_bugcheck_doc *doc, const struct ds_bugcheck_subcode *sub,
                        uint64_t value, struct ds_buf *out)
{
    if (sub != NULL)
        return put_pair(out, sub->name, sub->text);
    ds_buf_printf(out, "sub-code 0x%llX is not in table edition %s of 0x%X",
                  (unsigned long long)value, ds_bugcheck_edition(), (unsigned)doc->code);
    return true;
}

bool ds_bugcheck_value_explain(const struct ds_bugcheck_doc *doc,
                               const struct ds_bugcheck_subcode *sub, unsigned param,
                               uint64_t value, enum ds_arch arch, struct ds_buf *out)
{
    if (param > 3)
        return false;
    const struct ds_param_doc *p = ds_bugcheck_param(doc, sub, param);
    const struct ds_param_value *row =
        p == &doc->params[param] ? ds_bugcheck_value(doc, param, value) : NULL;
    if (row != NULL)
        return put_pair(out, row->name, row->text);
    switch (p->type) {
    case DS_PARAM_SUBCODE:
        return put_subcode(doc, sub, value, out);
    case DS_PARAM_NTSTATUS:
        return put_ntstatus(value, out);
    case DS_PARAM_IRQL:
        return put_irql(value, arch, out);
    case DS_PARAM_ACCESS: {
        const char *access = ds_bugcheck_access(doc, param, value);
        ds_buf_str(out, access != NULL ? access : "");
        return access != NULL;
    }
    case DS_PARAM_ADDRESS:
    case DS_PARAM_CODE:
    case DS_PARAM_OBJECT:
        return put_address(value, arch, out);
    case DS_PARAM_STRING:
        return put_packed_text(value, out);
    case DS_PARAM_NUMBER:
        if (value < 10 || value > 0xffffffffu)
            return false;
        ds_buf_printf(out, "%llu in decimal", (unsigned long long)value);
        return true;
    case DS_PARAM_UNKNOWN:
    case DS_PARAM_RESERVED:
    case DS_PARAM_FLAGS:
    case DS_PARAM_PHYSICAL:
    case DS_PARAM_PFN:
    case DS_PARAM_PTE:
        break;
    }
    return false;
}

static void put_param(const struct ds_bugcheck_doc *doc, const struct ds_bugcheck_subcode *sub,
                      unsigned i, const uint64_t *value, struct ds_buf *out)
{
    const struct ds_param_doc *p = ds_bugcheck_param(doc, sub, i);
    ds_buf_printf(out, "  P%u", i + 1);
    if (value != NULL)
        ds_buf_printf(out, " = 0x%llX", (unsigned long long)*value);
    const char *type = ds_param_type_name(p->type);
    if (p->type == DS_PARAM_RESERVED || type[0] == '\0')
        type = NULL;
    if (type != NULL)
        ds_buf_printf(out, "  [%s%s%s]", type, p->type == DS_PARAM_OBJECT ? " to " : "",
                      p->type == DS_PARAM_OBJECT ? p->object : "");
    ds_buf_printf(out, "  %s\n", p->text != NULL ? p->text : "not documented");
    if (value == NULL)
        return;
    struct ds_buf meaning;
    ds_buf_init(&meaning, 1024);
    if (ds_bugcheck_value_explain(doc, sub, i, *value, DS_ARCH_UNKNOWN, &meaning))
        ds_buf_printf(out, "       %s\n", ds_buf_text(&meaning));
    ds_buf_deinit(&meaning);
}

static void list_values(const struct ds_bugcheck_doc *doc, unsigned param, struct ds_buf *out)
{
    for (size_t i = 0; i < doc->value_count; i++) {
        const struct ds_param_value *v = &doc->values[i];
        if (v->param != param)
            continue;
        ds_buf_printf(out, "       0x%llX  ", (unsigned long long)v->value);
        put_pair(out, v->name, v->text);
        ds_buf_char(out, '\n');
    }
}

static void list_subcodes(const struct ds_bugcheck_doc *doc, struct ds_buf *out)
{
    ds_buf_printf(out, "Sub-codes (P%d):\n", doc->subcode_param + 1);
    for (size_t i = 0; i < doc->subcode_count; i++) {
        const struct ds_bugcheck_subcode *s = &doc->subcodes[i];
        ds_buf_printf(out, "  0x%llX", (unsigned long long)s->value);
        if (s->last != s->value)
            ds_buf_printf(out, " to 0x%llX", (unsigned long long)s->last);
        ds_buf_str(out, "  ");
        put_pair(out, s->name, s->text);
        ds_buf_char(out, '\n');
    }
}

/* The pages of windows-driver-docs are published under this address. */
void ds_bugcheck_source_url(const struct ds_bugcheck_doc *doc, struct ds_buf *out)
{
    size_t len = strlen(doc->source);
    if (len > 3 && strcmp(doc->source + len - 3, ".md") == 0)
        ds_buf_printf(out, "https://learn.microsoft.com/windows-hardware/drivers/debugger/%.*s",
                      (int)(len - 3), doc->source);
    else
        ds_buf_str(out, doc->source);
}

static void put_head(uint32_t code, const struct ds_bugcheck_doc *doc, struct ds_buf *out)
{
    ds_buf_printf(out, "0x%08X %s\n", (unsigned)code, doc->name);
    if (doc->code != code)
        ds_buf_printf(out, "A variant of 0x%08X.\n", (unsigned)doc->code);
    if (doc->live)
        ds_buf_str(out, "A live kernel dump: written while the system went on running.\n");
    if (doc->also_live)
        ds_buf_str(out, "A crash, or a live kernel dump after which the system went on.\n");
    if (doc->text[0] != '\0')
        ds_buf_printf(out, "%s\n", doc->text);
    else
        ds_buf_str(out, "Its public page says no more than the name: it is very rare.\n");
}

bool ds_bugcheck_explain(uint32_t code, const uint64_t params[4], unsigned known,
                         struct ds_buf *out)
{
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find(code);
    if (doc == NULL) {
        ds_buf_printf(out, "Bugcheck 0x%08X is not in table edition %s.\n", (unsigned)code,
                      ds_bugcheck_edition());
        return false;
    }
    put_head(code, doc, out);
    bool sub_known = doc->subcode_param >= 0 && (known & (1u << doc->subcode_param)) != 0;
    const struct ds_bugcheck_subcode *sub = sub_known ? ds_bugcheck_subcode(doc, params) : NULL;
    ds_buf_str(out, "Parameters:\n");
    for (unsigned i = 0; i < 4; i++) {
        bool given = (known & (1u << i)) != 0;
        put_param(doc, sub, i, given ? &params[i] : NULL, out);
        if (!given)
            list_values(doc, i, out);
    }
    if (doc->subcode_param >= 0 && !sub_known)
        list_subcodes(doc, out);
    ds_buf_str(out, "Source: ");
    ds_bugcheck_source_url(doc, out);
    ds_buf_char(out, '\n');
    return true;
}
