/* Addresses as people write them for a debugger. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/memory.h"

#define DEPTH_MAX 16 /* of parentheses */
#define WORD_MAX 512

struct reader {
    struct cli_memory *m;
    const char *at;
    unsigned depth;
    char why[256]; /* "" = no error yet */
};

static bool fail(struct reader *r, const char *fmt, ...) DS_PRINTF(2, 3);

static bool fail(struct reader *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (r->why[0] == '\0')
        (void)vsnprintf(r->why, sizeof(r->why), fmt, ap);
    va_end(ap);
    return false;
}

static bool in_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("_?$@:~.!`<>", c) != NULL);
}

/* What WinDbg calls the module, or its file name, is `name`. */
static const struct ds_module *module_named(struct cli_memory *m, const char *name)
{
    for (size_t i = 0; i < m->target->module_count; i++) {
        const struct ds_module *row = &m->target->modules[i];
        struct ds_symbol s;
        if (ds_text_casecmp(row->name, name) == 0)
            return row;
        if (m->target->symbols != NULL && ds_symbols_find(m->target->symbols, row->base, &s) &&
            s.module != NULL && ds_text_casecmp(s.module, name) == 0)
            return row;
    }
    return NULL;
}

/* By symbol table, else by the exports of the image. */
static bool symbol_of(struct reader *r, uint64_t base, const char *name, uint64_t *ret)
{
    struct ds_target *t = r->m->target;
    if (t->symbols == NULL)
        return false;
    if (ds_symbols_address(t->symbols, base, name, ret) == DS_OK)
        return true;
    return t->kernel != NULL && ds_symbols_load_exports(t->symbols, base, t->kernel) == DS_OK &&
           ds_symbols_address(t->symbols, base, name, ret) == DS_OK;
}

/* module!symbol */
static bool qualified(struct reader *r, char *word, char *mark, uint64_t *ret)
{
    *mark = '\0';
    const struct ds_module *module = module_named(r->m, word);
    if (module == NULL)
        return fail(r, "no module '%.100s' is loaded", word);
    if (symbol_of(r, module->base, mark + 1, ret))
        return true;
    if (ds_text_casecmp(word, "nt") == 0 && ds_target_global(r->m->target, mark + 1, ret) == DS_OK)
        return true;
    return fail(r, "'%.100s' has no symbol '%.100s', or no symbol table for it was found", word,
                mark + 1);
}

static bool pseudo_register(struct reader *r, const char *name, uint64_t *ret)
{
    const struct ds_fault_facts *f = ds_nt_fault(r->m->nt);
    if (strcmp(name, "$proc") == 0 || strcmp(name, "$thread") == 0) {
        struct ds_opt x = name[1] == 'p' ? f->current_process : f->current_thread;
        *ret = x.value;
        return x.known || fail(r, "@%s is not known in this dump", name);
    }
    if (f->chosen >= f->context_count)
        return fail(r, "this dump holds no context: @%.40s is not known", name);
    return ds_context_register(&f->contexts[f->chosen].context, name, ret) ||
           fail(r, "there is no register '%.40s'", name);
}

/* A word: number, register, module, symbol. What can be a hexadecimal number is one. */
static bool resolve(struct reader *r, char *word, uint64_t *ret)
{
    char *mark = strchr(word, '!');
    if (word[0] == '@')
        return pseudo_register(r, word + 1, ret);
    if (mark != NULL)
        return qualified(r, word, mark, ret);
    if (cli_parse_hex(word, ret))
        return true;
    if (word[0] == '0' && word[1] == 'n') {
        char *end;
        *ret = strtoull(word + 2, &end, 10);
        return (*end == '\0' && end > word + 2) || fail(r, "'%.100s' is no decimal number", word);
    }
    const struct ds_module *module = module_named(r->m, word);
    if (module != NULL) {
        *ret = module->base;
        return true;
    }
    struct ds_opt base = r->m->target->kernel_base;
    if ((base.known && symbol_of(r, base.value, word, ret)) ||
        ds_target_global(r->m->target, word, ret) == DS_OK)
        return true;
    return fail(r, "'%.100s' is no hexadecimal number, no module and no known symbol", word);
}

static void skip_space(struct reader *r)
{
    while (*r->at == ' ' || *r->at == '\t')
        r->at++;
}

static bool sum(struct reader *r, uint64_t *ret);

static bool bracketed(struct reader *r, bool follow, uint64_t *ret)
{
    if (++r->depth > DEPTH_MAX)
        return fail(r, "more than %d parentheses within each other", DEPTH_MAX);
    r->at++;
    if (!sum(r, ret))
        return false;
    skip_space(r);
    if (*r->at != ')')
        return fail(r, "a ')' is missing");
    r->at++;
    r->depth--;
    if (!follow)
        return true;
    struct ds_fault fault;
    uint64_t at = *ret;
    if (r->m->space == NULL || ds_space_read_ptr(r->m->space, at, ret, &fault) != DS_OK)
        return fail(r, "the pointer at 0x%llx cannot be read", (unsigned long long)at);
    return true;
}

static bool term(struct reader *r, uint64_t *ret)
{
    char word[WORD_MAX];
    size_t n = 0;
    skip_space(r);
    if (*r->at == '(')
        return bracketed(r, false, ret);
    while (in_word(r->at[n]))
        n++;
    if (n == 0)
        return fail(r,
                    *r->at != '\0' ? "'%c' is not understood" : "something is missing at the end",
                    *r->at);
    if (n >= sizeof(word))
        return fail(r, "a name of more than %d characters", WORD_MAX);
    memcpy(word, r->at, n);
    word[n] = '\0';
    r->at += n;
    if (*r->at == '(' && strcmp(word, "poi") == 0)
        return bracketed(r, true, ret);
    return resolve(r, word, ret);
}

static bool sum(struct reader *r, uint64_t *ret)
{
    if (!term(r, ret))
        return false;
    for (;;) {
        uint64_t x;
        skip_space(r);
        char op = *r->at;
        if (op != '+' && op != '-')
            return true;
        r->at++;
        if (!term(r, &x))
            return false;
        *ret = op == '+' ? *ret + x : *ret - x;
    }
}

bool cli_number(struct cli_memory *m, const char *text, uint64_t *ret)
{
    struct reader r = {.m = m, .at = text};
    if (!sum(&r, ret) || *r.at != '\0') {
        if (r.why[0] == '\0')
            (void)fail(&r, "'%.40s' is not understood", r.at);
        cli_error_message(NULL, "address '%s': %s", text, r.why);
        return false;
    }
    return true;
}

bool cli_address(struct cli_memory *m, const char *text, uint64_t *va)
{
    if (!cli_number(m, text, va))
        return false;
    if (m->digits == 8 && (*va >> 32 == 0 || *va >> 31 == 0x1ffffffff))
        *va &= UINT32_MAX; /* 32-bit addresses may come sign-extended */
    return true;
}
