#include "report/signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/md5.h"
#include "base/text.h"
#include "nt/bugcheck.h"

#define PAGE_MASK 0xfffu
#define NULL_AREA 0x10000u /* the low 64 KB, which nothing is ever mapped in */

struct signature_text {
    char *text;
    size_t size, used;
};

static void add_text(struct signature_text *s, const char *text)
{
    int n = snprintf(s->text + s->used, s->size - s->used, "%s%s", s->used > 0 ? " " : "", text);
    if (n > 0)
        s->used = (size_t)n < s->size - s->used ? s->used + (size_t)n : s->size - 1;
}

static void add_hex(struct signature_text *s, const char *prefix, uint64_t value)
{
    char word[64];
    (void)snprintf(word, sizeof(word), "%s%" PRIx64, prefix, value);
    add_text(s, word);
}

static void hash_text(const char *text, char hash[33])
{
    ds_md5_hex(text, strlen(text), hash);
}

static const struct ds_bugcheck_doc *signature_doc(const struct ds_report *r)
{
    if (!r->bugcheck.code.known)
        return NULL;
    return ds_bugcheck_find((uint32_t)r->bugcheck.code.value);
}

static void add_code(struct signature_text *s, const struct ds_report *r)
{
    if (r->bugcheck.base_code.known)
        add_hex(s, "0x", r->bugcheck.base_code.value);
    else
        add_text(s, "no-code");
}

/* What of a parameter is the same on every boot. */
static void add_parameter(struct signature_text *s, const struct ds_param_doc *doc,
                          struct ds_opt value)
{
    enum ds_param_type type = doc != NULL ? doc->type : DS_PARAM_UNKNOWN;
    bool address = type == DS_PARAM_ADDRESS || type == DS_PARAM_CODE || type == DS_PARAM_OBJECT;
    if (!value.known)
        add_text(s, "-");
    else if (type == DS_PARAM_SUBCODE || type == DS_PARAM_IRQL || type == DS_PARAM_ACCESS)
        add_hex(s, "", value.value);
    else if (type == DS_PARAM_NTSTATUS)
        add_hex(s, "", value.value & UINT32_MAX);
    else if (address && value.value < NULL_AREA)
        add_hex(s, "null+", value.value);
    else if (type == DS_PARAM_CODE)
        add_hex(s, "page+", value.value & PAGE_MASK);
    else
        add_text(s, "-");
}

void ds_signature_weak(const struct ds_report *r, struct ds_signature *ret)
{
    *ret = (struct ds_signature){.weak = true};
    struct signature_text s = {ret->weak_text, sizeof(ret->weak_text), 0};
    const struct ds_bugcheck_doc *doc = signature_doc(r);
    struct ds_opt params[4];
    for (unsigned i = 0; i < 4; i++)
        params[i] = r->bugcheck.params[i].value;
    const struct ds_bugcheck_subcode *sub =
        doc != NULL ? ds_bugcheck_subcode_known(doc, params) : NULL;
    add_text(&s, "weak");
    add_code(&s, r);
    for (unsigned i = 0; i < 4; i++)
        add_parameter(&s, doc != NULL ? ds_bugcheck_param(doc, sub, i) : NULL,
                      r->bugcheck.params[i].value);
    hash_text(ret->weak_text, ret->weak_hash);
    memcpy(ret->text, ret->weak_text, sizeof(ret->text));
    memcpy(ret->hash, ret->weak_hash, sizeof(ret->hash));
}

/* The kernel goes by one name, whichever of its images was booted. */
static void normal_name(const char *name, char *out, size_t size)
{
    static const char *const kernels[] = {"ntoskrnl.exe", "ntkrnlmp.exe", "ntkrnlpa.exe",
                                          "ntkrpamp.exe", "ntkrla57.exe"};
    const char *base = ds_text_basename(name);
    for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
        if (ds_text_casecmp(base, kernels[i]) == 0)
            base = "nt";
    (void)snprintf(out, size, "%s", base);
    for (char *c = out; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
}

#define NAME_SIZE 128

static const struct ds_report_module *module_named(const struct ds_report *r, const char *name)
{
    char want[NAME_SIZE], have[NAME_SIZE];
    normal_name(name, want, sizeof(want));
    for (size_t i = 0; i < r->module_count; i++) {
        if (r->modules[i].name == NULL)
            continue;
        normal_name(r->modules[i].name, have, sizeof(have));
        if (strcmp(want, have) == 0)
            return &r->modules[i];
    }
    return NULL;
}

static bool module_holds(const struct ds_report_module *m, uint64_t va)
{
    return va >= m->base && va - m->base < m->size;
}

static const struct ds_report_module *module_at(const struct ds_report *r, uint64_t va)
{
    for (size_t i = 0; i < r->module_count; i++)
        if (module_holds(&r->modules[i], va))
            return &r->modules[i];
    return NULL;
}

/* The addresses that say where the crash happened, most telling first; at most `max`. */
static size_t crash_addresses(const struct ds_report *r, uint64_t *out, size_t max)
{
    size_t n = 0;
    if (r->exception.known && !r->exception.of_bugcheck && n < max)
        out[n++] = r->exception.address;
    const struct ds_bugcheck_doc *doc = signature_doc(r);
    for (unsigned i = 0; doc != NULL && i < 4 && n < max; i++)
        if (r->bugcheck.params[i].value.known && doc->params[i].type == DS_PARAM_CODE)
            out[n++] = r->bugcheck.params[i].value.value;
    return n;
}

/* Offset in the module of the first crash address or trusted frame inside it. */
static bool offset_in(const struct ds_report *r, const struct ds_report_module *m, uint64_t *ret)
{
    uint64_t at[8];
    size_t n = crash_addresses(r, at, 8);
    for (size_t i = 0; i < n; i++) {
        if (module_holds(m, at[i])) {
            *ret = at[i] - m->base;
            return true;
        }
    }
    for (size_t i = 0; i < r->stack.frame_count; i++) {
        const struct ds_report_frame *f = &r->stack.frames[i];
        bool sure = strcmp(f->trust, "scan") != 0 || (f->after_call.known && f->after_call.value);
        if (sure && module_holds(m, f->pc)) {
            *ret = f->pc - m->base;
            return true;
        }
    }
    return false;
}

static bool add_location(struct signature_text *s, const struct ds_report *r)
{
    const struct ds_report_module *m = NULL;
    char name[NAME_SIZE], word[NAME_SIZE + 32];
    uint64_t at[8], offset = 0;
    if (r->culprit.module != NULL)
        m = module_named(r, r->culprit.module);
    size_t n = crash_addresses(r, at, 8);
    for (size_t i = 0; i < n && m == NULL && r->culprit.module == NULL; i++)
        m = module_at(r, at[i]);
    if (r->culprit.module == NULL && (m == NULL || m->name == NULL))
        return false; /* a driver whose name was lost places nothing */
    normal_name(m != NULL ? m->name : r->culprit.module, name, sizeof(name));
    if (m != NULL && offset_in(r, m, &offset))
        (void)snprintf(word, sizeof(word), "%s+0x%" PRIx64, name, offset);
    else
        (void)snprintf(word, sizeof(word), "%s", name);
    add_text(s, word);
    return true;
}

void ds_signature_strong(const struct ds_report *r, struct ds_signature *ret)
{
    ds_signature_weak(r, ret);
    char text[sizeof(ret->text)] = "";
    struct signature_text s = {text, sizeof(text), 0};
    const struct ds_bugcheck_doc *doc = signature_doc(r);
    add_code(&s, r);
    bool coded = false;
    for (unsigned i = 0; doc != NULL && i < 4; i++) {
        enum ds_param_type type = doc->params[i].type;
        if (!r->bugcheck.params[i].value.known)
            continue;
        coded = coded || type == DS_PARAM_NTSTATUS;
        if (type == DS_PARAM_SUBCODE || type == DS_PARAM_NTSTATUS)
            add_hex(&s, "", r->bugcheck.params[i].value.value & UINT32_MAX);
    }
    if (!coded && r->exception.known && !r->exception.of_bugcheck)
        add_hex(&s, "", r->exception.code);
    if (!add_location(&s, r))
        return;
    ret->weak = false;
    memcpy(ret->text, text, sizeof(ret->text));
    hash_text(ret->text, ret->hash);
}
