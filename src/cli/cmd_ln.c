/* `dumpscan ln FILE ADDRESS...`: the nearest symbols, and what lies at an address. */
#include <string.h>

#include "base/text.h"
#include "cli/memory.h"
#include "memory/words.h"
#include "nt/address_place.h"
#include "symbols/pe_section.h"

#define TEXT_MAX (1u << 20)

/* What is known of one address. */
struct near {
    uint64_t va;
    bool in_module;
    struct ds_symbol before, after;
    const struct ds_module *module;
    struct ds_pe_section section;
    bool has_section;
    struct ds_place places[DS_PLACES_MAX];
    size_t place_count;
    enum ds_status status; /* of its byte */
    struct ds_fault fault;
};

static void find_section(struct cli_memory *m, struct near *n)
{
    struct ds_pe_section sections[DS_PE_SECTIONS_MAX];
    size_t count = 0;
    if (m->target->kernel == NULL ||
        ds_pe_sections(m->target->kernel, n->module->base, sections, &count) != DS_OK)
        return;
    uint64_t rva = n->va - n->module->base;
    for (size_t i = 0; i < count && !n->has_section; i++) {
        n->has_section = rva >= sections[i].rva && rva - sections[i].rva < sections[i].size;
        n->section = sections[i];
    }
}

static void find_near(struct cli_memory *m, uint64_t va, struct near *n)
{
    struct ds_target *t = m->target;
    uint8_t byte;
    *n = (struct near){.va = va, .status = t->kernel_why};
    n->module = ds_target_module_at(t, va);
    if (n->module != NULL) {
        struct ds_symbol any;
        if (t->kernel != NULL && t->symbols != NULL && ds_symbols_find(t->symbols, va, &any) &&
            any.trust != DS_NAME_SYMBOLS)
            (void)!ds_symbols_load_exports(t->symbols, n->module->base, t->kernel);
        n->in_module =
            t->symbols != NULL && ds_symbols_around(t->symbols, va, &n->before, &n->after);
        find_section(m, n);
    }
    n->place_count = ds_nt_places(m->nt, va, n->places);
    if (m->space != NULL)
        n->status = ds_space_read(m->space, va, &byte, 1, &n->fault);
}

static const char *names_from(const struct near *n)
{
    return n->before.trust == DS_NAME_SYMBOLS  ? "symbol table"
           : n->before.trust == DS_NAME_EXPORT ? "exports"
                                               : NULL;
}

static void put_symbol(struct cli_memory *m, const struct ds_symbol *s, uint64_t va, char sign,
                       struct ds_buf *b)
{
    ds_buf_char(b, '(');
    cli_put_va(m, b, va);
    ds_buf_str(b, ")  ");
    ds_text_for_terminal(b, s->module != NULL ? s->module : "?");
    ds_buf_char(b, '!');
    ds_text_for_terminal(b, s->function);
    if (s->displacement != 0)
        ds_buf_printf(b, "  (%c0x%llx)", sign, (unsigned long long)s->displacement);
    ds_buf_char(b, '\n');
}

static void put_symbols(struct cli_memory *m, const struct near *n, struct ds_buf *b)
{
    if (!n->in_module) {
        ds_buf_str(b, "    in no loaded module\n");
        return;
    }
    if (n->before.function != NULL) {
        ds_buf_str(b, n->before.displacement == 0 ? "    exactly " : "    before  ");
        put_symbol(m, &n->before, n->va - n->before.displacement, '+', b);
    }
    if (n->after.function != NULL) {
        ds_buf_str(b, "    after   ");
        put_symbol(m, &n->after, n->va + n->after.displacement, '-', b);
    }
    const char *from = names_from(n);
    ds_buf_str(b, "    ");
    ds_text_for_terminal(b, n->before.module != NULL ? n->before.module : n->module->name);
    ds_buf_printf(b, "+0x%llx", (unsigned long long)(n->va - n->module->base));
    if (n->has_section) {
        ds_buf_str(b, ", section ");
        ds_text_for_terminal(b, n->section.name);
        ds_buf_printf(b, " (%s%s)", n->section.executable ? "executable" : "not executable",
                      n->section.writable ? ", writable" : "");
    }
    if (from != NULL)
        ds_buf_printf(b, ", names by %s\n", from);
    else
        ds_buf_str(b, ", no names: neither symbol table nor exports\n");
}

static const char *owner_word(const struct ds_place *p)
{
    return p->kind[0] == 'k' ? "of thread" : p->kind[0] == 't' ? "of process" : NULL;
}

static void put_place(struct cli_memory *m, const struct ds_place *p, uint64_t va, struct ds_buf *b)
{
    const char *word = owner_word(p);
    ds_buf_printf(b, "    in %s ", p->kind);
    if (p->name != NULL) {
        ds_text_for_terminal(b, p->name);
        ds_buf_char(b, ' ');
    }
    if (p->tag[0] != '\0') {
        ds_buf_str(b, "with tag ");
        ds_text_for_terminal(b, p->tag);
        ds_buf_char(b, ' ');
    }
    if (p->owner.known && word != NULL) {
        ds_buf_printf(b, "%s ", word);
        cli_put_va(m, b, p->owner.value);
        ds_buf_char(b, ' ');
    } else if (p->owner.known) {
        ds_buf_printf(b, "%llu ", (unsigned long long)p->owner.value);
    }
    cli_put_va(m, b, p->start);
    ds_buf_str(b, " - ");
    cli_put_va(m, b, p->end);
    ds_buf_printf(b, ", at +0x%llx\n", (unsigned long long)(va - p->start));
}

static void put_text(struct cli_memory *m, const struct near *n, struct ds_buf *b)
{
    cli_put_va(m, b, n->va);
    ds_buf_char(b, '\n');
    put_symbols(m, n, b);
    for (size_t i = 0; i < n->place_count; i++)
        put_place(m, &n->places[i], n->va, b);
    if (n->place_count == 0)
        ds_buf_str(b, ds_target_is_kernel_va(m->target, n->va)
                          ? "    in nothing of the kernel's that is known\n"
                          : "    in user space: see maps, or vtop with --process\n");
    if (n->status != DS_OK)
        ds_buf_printf(b, "    cannot be read: %s\n", ds_status_text(n->status));
}

static void json_symbol(struct ds_json *j, struct cli_memory *m, const char *key,
                        const struct ds_symbol *s, uint64_t va)
{
    ds_json_key(j, key);
    if (s->function == NULL) {
        ds_json_null(j);
        return;
    }
    ds_json_object(j);
    ds_json_key_string(j, "name", s->function);
    ds_json_key_hex(j, "address", ds_opt_known(va), m->digits);
    ds_json_key_unsigned(j, "distance", s->displacement);
    ds_json_object_end(j);
}

static void json_place(struct ds_json *j, struct cli_memory *m, const struct ds_place *p)
{
    ds_json_object(j);
    ds_json_key_string(j, "kind", p->kind);
    ds_json_key_string(j, "name", p->name);
    ds_json_key_string(j, "tag", p->tag[0] != '\0' ? p->tag : NULL);
    ds_json_key_hex(j, "start", ds_opt_known(p->start), m->digits);
    ds_json_key_hex(j, "end", ds_opt_known(p->end), m->digits);
    if (owner_word(p) != NULL)
        ds_json_key_hex(j, "owner", p->owner, m->digits);
    else
        ds_json_key_opt(j, "owner", p->owner);
    ds_json_object_end(j);
}

static void put_json(struct ds_json *j, struct cli_memory *m, const struct near *n)
{
    bool inside = n->module != NULL;
    ds_json_object(j);
    ds_json_key_hex(j, "address", ds_opt_known(n->va), m->digits);
    ds_json_key_string(j, "module", inside ? n->module->name : NULL);
    ds_json_key_opt(j, "module_offset",
                    inside ? ds_opt_known(n->va - n->module->base) : ds_opt_unknown(DS_OK));
    ds_json_key_string(j, "section", n->has_section ? n->section.name : NULL);
    ds_json_key(j, "executable");
    if (n->has_section)
        ds_json_bool(j, n->section.executable);
    else
        ds_json_null(j);
    ds_json_key_string(j, "names", names_from(n));
    json_symbol(j, m, "before", &n->before, n->va - n->before.displacement);
    json_symbol(j, m, "after", &n->after, n->va + n->after.displacement);
    ds_json_key(j, "in");
    ds_json_array(j);
    for (size_t i = 0; i < n->place_count; i++)
        json_place(j, m, &n->places[i]);
    ds_json_array_end(j);
    ds_json_key_string(j, "error", n->status != DS_OK ? ds_status_name(n->status) : NULL);
    ds_json_object_end(j);
}

static bool write_near(const struct cli_args *args, struct cli_memory *m, uint64_t va, size_t index,
                       struct cli_out *out)
{
    struct near n;
    struct ds_buf b;
    ds_buf_init(&b, TEXT_MAX);
    find_near(m, va, &n);
    if (args->format == CLI_TEXT) {
        if (index > 0)
            ds_buf_char(&b, '\n');
        put_text(m, &n, &b);
    } else {
        struct ds_json j;
        if (args->format == CLI_JSON)
            ds_buf_str(&b, index > 0 ? ",\n" : "[\n");
        ds_json_init(&j, &b, args->format == CLI_JSON);
        put_json(&j, m, &n);
        if (args->format == CLI_JSONL)
            ds_buf_char(&b, '\n');
    }
    bool ok = ds_buf_ok(&b);
    cli_out_write(out, ds_buf_text(&b), b.len);
    ds_buf_deinit(&b);
    return ok;
}

static int ln_memory(const struct cli_args *args, struct cli_memory *m)
{
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    for (size_t i = 1; rc == CLI_OK && i < args->operand_count; i++) {
        uint64_t va;
        if (!cli_address(m, args->operands[i], &va))
            rc = CLI_USAGE;
        else if (!write_near(args, m, va, i - 1, &out))
            rc = CLI_INTERNAL;
    }
    if (rc == CLI_OK && args->format == CLI_JSON)
        cli_out_string(&out, "\n]\n");
    return cli_out_close(&out, rc == CLI_OK, rc);
}

static int ln_run(const struct cli_args *args)
{
    struct cli_memory m;
    int rc = cli_memory_open(args, &m);
    if (rc != CLI_OK)
        return rc;
    rc = ln_memory(args, &m);
    cli_memory_close(&m);
    return rc;
}

const struct cli_command cli_ln = {
    .name = "ln",
    .synopsis = "FILE ADDRESS...",
    .summary = "the nearest symbols to an address, and what lies there",
    .detail =
        "ADDRESS is as for vtop. Shown are the symbol at or before it and the one after it, by\n"
        "symbol table, else by the exports of the image, however far they are; module, offset\n"
        "and section; and what else the address lies in: an unloaded driver, a kernel stack, a\n"
        "thread, process or processor, or a pool block with its tag.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_SYMBOLS | CLI_OPT_PROCESS |
               CLI_OPT_INFLATED | CLI_OPT_KERNEL,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL,
    .operands_min = 2,
    .operands_max = 4096,
    .run = ln_run,
};
