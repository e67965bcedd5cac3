/*
 * The bucket of a crash as !analyze spells it. The grammar was read from published debugger output
 * (the pairs in tests/unit/windbg_test.c); codes for which none was seen have no bucket here.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/md5.h"
#include "facts/windbg.h"
#include "nt/bugcheck.h"

#define STATUS_ACCESS_VIOLATION 0xc0000005u
#define BUCKET_MAX 512u
#define FAST_FAIL "FAST_FAIL_"

enum head {
    HEAD_AV,        /* AV_ */
    HEAD_EXCEPTION, /* AV_ for an access violation, else 0xCODE_STATUS_ */
    HEAD_PAGE,      /* AV_R_(null)_, AV_W_(null)_ */
    HEAD_CODE,      /* 0xCODE_ */
    HEAD_SUBCODE,   /* 0xCODE_P1_ */
    HEAD_FAST_FAIL, /* 0x139_P1_NAME_ */
    HEAD_WATCHDOG,  /* 0x133_DPC_ or 0x133_ISR_ */
    HEAD_IMAGE,     /* 0xCODE_IMAGE_image */
    HEAD_POWER      /* 0x9F_3_driver_IMAGE_lower */
};

static const struct grammar {
    uint32_t code;
    enum head head;
    bool common; /* seen often; else once or twice */
} grammars[] = {
    {0x0a, HEAD_AV, true},        {0xd1, HEAD_AV, true},        {0x1e, HEAD_EXCEPTION, true},
    {0x3b, HEAD_EXCEPTION, true}, {0x7e, HEAD_EXCEPTION, true}, {0x50, HEAD_PAGE, false},
    {0xe3, HEAD_CODE, true},      {0x13c, HEAD_CODE, false},    {0x19, HEAD_SUBCODE, false},
    {0xca, HEAD_SUBCODE, false},  {0x13a, HEAD_SUBCODE, true},  {0x139, HEAD_FAST_FAIL, true},
    {0x133, HEAD_WATCHDOG, true}, {0x116, HEAD_IMAGE, true},    {0x117, HEAD_IMAGE, true},
    {0x141, HEAD_IMAGE, true},    {0x9f, HEAD_POWER, false},
};

static const struct grammar *grammar_of(uint32_t code)
{
    for (size_t i = 0; i < sizeof(grammars) / sizeof(grammars[0]); i++)
        if (grammars[i].code == code)
            return &grammars[i];
    return NULL;
}

static bool fast_fail_head(const struct ds_windbg_crash *c, struct ds_buf *out)
{
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find(c->code);
    const struct ds_bugcheck_subcode *sub = doc != NULL ? ds_bugcheck_subcode(doc, c->p) : NULL;
    if (sub == NULL || strncmp(sub->name, FAST_FAIL, sizeof(FAST_FAIL) - 1) != 0)
        return false;
    ds_buf_printf(out, "0x%X_%llX_%s_", c->code, (unsigned long long)c->p[0],
                  sub->name + sizeof(FAST_FAIL) - 1);
    return true;
}

/* 0x50: bits 0 and 1 of the second parameter say that it was a write, 3 and 4 an execution. */
static bool page_head(const struct ds_windbg_crash *c, struct ds_buf *out)
{
    if (c->p[1] > 2)
        return false;
    ds_buf_printf(out, "AV_%c_(null)_", c->p[1] != 0 ? 'W' : 'R');
    return true;
}

/* What stands before the module; false when it is not known. */
static bool head_add(const struct ds_windbg_crash *c, enum head head, struct ds_buf *out)
{
    unsigned long long p1 = c->p[0];
    switch (head) {
    case HEAD_AV:
        ds_buf_str(out, "AV_");
        return c->code != 0xd1 || c->p[2] <= 1; /* an execution is spelt in other ways */
    case HEAD_EXCEPTION:
        if (c->exception == STATUS_ACCESS_VIOLATION)
            ds_buf_str(out, "AV_");
        else
            ds_buf_printf(out, "0x%X_%X_", c->code, c->exception);
        return c->exception != 0;
    case HEAD_PAGE:
        return page_head(c, out);
    case HEAD_CODE:
        ds_buf_printf(out, "0x%X_", c->code);
        return true;
    case HEAD_SUBCODE:
        ds_buf_printf(out, "0x%X_%llx_", c->code, p1);
        return true;
    case HEAD_FAST_FAIL:
        return fast_fail_head(c, out);
    case HEAD_WATCHDOG:
        ds_buf_printf(out, "0x133_%s_", p1 == 0 ? "DPC" : "ISR");
        return p1 <= 1;
    case HEAD_IMAGE:
        ds_buf_printf(out, "%s0x%X_", c->live ? "LKD_" : "", c->code);
        return true;
    case HEAD_POWER:
        ds_buf_str(out, "0x9F_3_");
        return p1 == 3;
    }
    return false;
}

static bool tail_add(const struct ds_windbg_crash *c, const struct ds_windbg_blame *b,
                     enum head head, struct ds_buf *out)
{
    if (head == HEAD_IMAGE) {
        ds_buf_printf(out, "IMAGE_%s", b->image);
        return b->image != NULL;
    }
    if (head == HEAD_POWER) {
        ds_buf_printf(out, "%s_IMAGE_%s", b->module, c->lower_driver ? c->lower_driver : "");
        return c->lower_driver != NULL;
    }
    ds_buf_printf(out, "%s!%s", b->module, b->function ? b->function : "unknown_function");
    return true;
}

bool ds_windbg_bucket(const struct ds_windbg_crash *c, const struct ds_windbg_blame *b,
                      struct ds_buf *out, const char **confidence, const char **reason)
{
    const struct grammar *g = grammar_of(c->code);
    struct ds_buf text;
    *confidence = NULL;
    *reason = g == NULL ? "how the debugger spells the bucket of this code is not known"
                        : "nobody is blamed, or the parameters do not tell the rest";
    if (g == NULL || b->module == NULL)
        return false;
    ds_buf_init(&text, BUCKET_MAX);
    bool ok = head_add(c, g->head, &text) && tail_add(c, b, g->head, &text) && ds_buf_ok(&text);
    bool by_image = g->head == HEAD_IMAGE || g->head == HEAD_POWER;
    if (ok) {
        ds_buf_add(out, ds_buf_text(&text), text.len);
        if (!by_image && b->function == NULL && b->symbols_public) {
            *confidence = "low";
            *reason = "the debugger finds the function's name in public symbols";
        } else if (g->common && b->sure) {
            *confidence = "high";
            *reason = "the form is common, and the fault or a parameter names the module";
        } else {
            *confidence = g->common ? "medium" : "low";
            *reason = g->common ? "the module is the first on the stack that can be blamed"
                                : "the form was seen seldom";
        }
    }
    ds_buf_deinit(&text);
    return ok;
}

void ds_windbg_hash(const char *bucket, char text[DS_WINDBG_HASH])
{
    static const char prefix[] = "km:";
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    static const char digits[] = "0123456789abcdef";
    uint8_t wide[2 * (sizeof(prefix) + BUCKET_MAX)] = {0}, digest[DS_MD5_SIZE];
    size_t n = 0, used = 0;
    for (const char *p = prefix; *p != '\0'; p++)
        wide[2 * n++] = (uint8_t)*p;
    for (const char *p = bucket; *p != '\0' && 2 * n + 1 < sizeof(wide); p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
        wide[2 * n++] = (uint8_t)c;
    }
    ds_md5(wide, 2 * n, digest);
    text[used++] = '{';
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[used++] = '-';
        text[used++] = digits[digest[order[i]] >> 4];
        text[used++] = digits[digest[order[i]] & 15];
    }
    text[used++] = '}';
    text[used] = '\0';
}
