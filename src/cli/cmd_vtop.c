/* `dumpscan vtop FILE ADDRESS...`: a translation, entry by entry. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/memory.h"
#include "memory/words.h"
#include "nt/spaces.h"

static const char *page_size_text(uint64_t size)
{
    switch (size) {
    case 4096:
        return "4 KB";
    case 2u << 20:
        return "2 MB";
    case 4u << 20:
        return "4 MB";
    default:
        return "1 GB";
    }
}

static void put_page(struct cli_memory *m, const struct ds_explanation *e, struct ds_buf *b)
{
    if (e->status != DS_OK) {
        ds_buf_str(b, "no physical address: ");
        ds_fault_words(ds_space_paging(m->space), &e->fault, m->digits, b);
        return;
    }
    ds_buf_printf(b, "physical address %llx, in a page of %s", (unsigned long long)e->pa,
                  page_size_text(e->page_size));
    if (e->fault.state == DS_PTE_TRANSITION)
        ds_buf_str(b, " in transition");
    if (e->fault.prototype.known) {
        ds_buf_str(b, " through the prototype PTE at ");
        cli_put_va(m, b, e->fault.prototype.value);
    }
    uint64_t offset = ds_dump_phys_offset(m->target->dump, e->pa);
    if (offset != DS_NO_OFFSET)
        ds_buf_printf(b, ", at 0x%llx in the file", (unsigned long long)offset);
    else
        ds_buf_str(b, "; the dump does not hold it");
}

void cli_put_vad(struct cli_memory *m, const struct ds_vad *vad, struct ds_buf *b)
{
    struct ds_buf file;
    ds_buf_init(&file, 1u << 16);
    cli_put_va(m, b, vad->start);
    ds_buf_char(b, '-');
    cli_put_va(m, b, vad->end);
    ds_buf_printf(b, ", %s", ds_vad_type_name(vad));
    if (vad->protection.known)
        ds_buf_printf(b, ", %s", ds_protection_name((unsigned)vad->protection.value));
    if (ds_nt_vad_file(m->nt, vad, &file) == DS_OK && file.len > 0) {
        ds_buf_str(b, ", ");
        ds_text_for_terminal(b, ds_buf_text(&file));
    }
    ds_buf_deinit(&file);
}

void cli_walk_outcome(struct cli_memory *m, const struct cli_walk *w, const char *indent,
                      struct ds_buf *b)
{
    ds_buf_str(b, indent);
    put_page(m, &w->e, b);
    ds_buf_char(b, '\n');
    if (w->has_vad) {
        ds_buf_printf(b, "%sVAD ", indent);
        cli_put_va(m, b, w->vad.vad);
        ds_buf_str(b, ": ");
        cli_put_vad(m, &w->vad, b);
        ds_buf_char(b, '\n');
    } else if (w->e.status != DS_OK && m->eprocess.known &&
               !ds_target_is_kernel_va(m->target, w->va)) {
        struct ds_vad vad;
        enum ds_status status = ds_nt_vad_find(m->nt, m->eprocess.value, w->va, &vad);
        ds_buf_printf(b, "%sno VAD %s\n", indent,
                      status == DS_NOT_FOUND ? "holds it: it is not valid in this process"
                                             : "can be found: its tree cannot be read");
    }
}

/* The flags of a valid entry, or what one that is not valid says. */
static void put_meaning(const struct cli_memory *m, const struct ds_walk_step *s, struct ds_buf *b)
{
    enum ds_paging mode = ds_space_paging(m->space);
    char flags[DS_PTE_FLAGS_SIZE];
    if (s->state == DS_PTE_VALID) {
        ds_pte_flags_text(mode, s->entry.value, s->level > 0 ? s->level : 1, flags);
        ds_buf_str(b, flags);
        return;
    }
    for (const char *c = ds_pte_state_name(s->state); *c != '\0'; c++)
        ds_buf_char(b, *c == '_' ? ' ' : *c);
    struct ds_opt protection = ds_pte_protection(mode, s->entry.value, s->state);
    if (protection.known)
        ds_buf_printf(b, ", %s", ds_protection_name((unsigned)protection.value));
}

static void put_step(const struct cli_memory *m, const struct ds_walk_step *s, struct ds_buf *b)
{
    struct ds_buf at;
    ds_buf_init(&at, 64);
    if (s->entry_va.known)
        cli_put_va(m, &at, s->entry_va.value);
    else
        ds_buf_str(&at, "-");
    ds_buf_printf(b, "  %-5s  %-17s  ", s->level > 0 ? s->name : "proto", ds_buf_text(&at));
    ds_buf_deinit(&at);
    if (s->entry_pa.known)
        ds_buf_printf(b, "%*llx  ", (int)m->phys_digits, (unsigned long long)s->entry_pa.value);
    else
        ds_buf_printf(b, "%*s  ", (int)m->phys_digits, "-");
    if (s->entry.known) {
        ds_buf_printf(b, "%0*llx  ", ds_space_paging(m->space) == DS_PAGING_X86 ? 8 : 16,
                      (unsigned long long)s->entry.value);
        put_meaning(m, s, b);
    } else {
        ds_buf_str(b, ds_status_text(s->entry.why));
    }
    ds_buf_char(b, '\n');
}

/* The tables that user mode runs on map little of the kernel: say what they do with va. */
static void put_shadow(struct cli_memory *m, uint64_t va, struct ds_buf *b)
{
    struct ds_opt dtb = m->eprocess.known ? ds_nt_user_dtb(m->nt, m->eprocess.value) : m->eprocess;
    struct ds_space *user;
    if (!dtb.known || ds_nt_space_at(m->nt, dtb.value, &user) != DS_OK || user == m->space)
        return;
    struct ds_explanation e;
    ds_space_explain(user, va, &e);
    struct cli_memory shadow = *m;
    shadow.space = user;
    ds_buf_printf(b, "  in the tables of user mode (KVA shadow, directory base %llx): ",
                  (unsigned long long)dtb.value);
    put_page(&shadow, &e, b);
    ds_buf_char(b, '\n');
}

static void vtop_text(struct cli_memory *m, const struct cli_walk *w, struct ds_buf *b)
{
    cli_put_va(m, b, w->va);
    ds_buf_str(b, ": ");
    cli_put_space_name(m, b);
    ds_buf_printf(b, ", %s, directory base %llx\n\n", ds_paging_name(ds_space_paging(m->space)),
                  (unsigned long long)ds_space_dtb(m->space));
    if (w->e.count > 0)
        ds_buf_printf(b, "  entry  %-17s  %*s  contents\n", "at", (int)m->phys_digits, "physical");
    for (unsigned i = 0; i < w->e.count; i++)
        put_step(m, &w->e.steps[i], b);
    ds_buf_str(b, w->e.count > 0 ? "\n" : "");
    cli_walk_outcome(m, w, "  ", b);
    put_shadow(m, w->va, b);
}

static void walk_at(struct cli_memory *m, uint64_t va, struct cli_walk *w)
{
    w->va = va;
    w->has_vad = false;
    if (m->eprocess.known)
        ds_nt_explain(m->nt, m->eprocess.value, m->space, va, &w->e, &w->vad, &w->has_vad);
    else
        ds_space_explain(m->space, va, &w->e);
}

static bool walk_all(const struct cli_args *args, struct cli_memory *m, const uint64_t *va,
                     struct ds_buf *b, cli_walk_fn *text)
{
    size_t count = args->operand_count - 1;
    struct ds_json j;
    ds_json_init(&j, b, args->format == CLI_JSON);
    bool array = args->format == CLI_JSON && count > 1;
    if (array)
        ds_json_array(&j);
    for (size_t i = 0; i < count; i++) {
        struct cli_walk w;
        walk_at(m, va[i], &w);
        if (args->format == CLI_TEXT) {
            ds_buf_str(b, i > 0 ? "\n" : "");
            text(m, &w, b);
        } else {
            if (args->format == CLI_JSONL)
                ds_json_init(&j, b, false);
            cli_walk_json(&j, m, &w);
            ds_buf_str(b, args->format == CLI_JSONL ? "\n" : "");
        }
    }
    if (array)
        ds_json_array_end(&j);
    if (args->format == CLI_JSON)
        ds_buf_char(b, '\n');
    return ds_buf_ok(b);
}

/* All addresses are understood before anything is written. */
static int walk_operands(const struct cli_args *args, struct cli_memory *m, uint64_t *va,
                         cli_walk_fn *text)
{
    if (m->space == NULL || ds_space_paging(m->space) == DS_PAGING_NONE) {
        cli_error_message(args->operands[0],
                          m->space != NULL
                              ? "a minidump holds no page tables: nothing can be translated"
                              : "this dump gives no virtual memory: %s",
                          m->target->kernel_why_text);
        return CLI_NOT_DUMP;
    }
    for (size_t i = 1; i < args->operand_count; i++)
        if (!cli_address(m, args->operands[i], &va[i - 1]))
            return CLI_USAGE;
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    struct ds_buf b;
    ds_buf_init(&b, 64u << 20);
    bool ok = walk_all(args, m, va, &b, text);
    if (ok)
        cli_out_write(&out, ds_buf_text(&b), b.len);
    else
        cli_error_message(NULL, "out of memory for the translations");
    ds_buf_deinit(&b);
    return cli_out_close(&out, ok, ok ? CLI_OK : CLI_INTERNAL);
}

int cli_walk_run(const struct cli_args *args, cli_walk_fn *text)
{
    struct cli_memory m;
    int rc = cli_memory_open(args, &m);
    if (rc != CLI_OK)
        return rc;
    uint64_t *va = calloc(args->operand_count, sizeof(*va));
    if (va == NULL) {
        cli_error_message(NULL, "out of memory");
        rc = CLI_INTERNAL;
    } else {
        rc = walk_operands(args, &m, va, text);
    }
    free(va);
    cli_memory_close(&m);
    return rc;
}

static int vtop_run(const struct cli_args *args)
{
    return cli_walk_run(args, vtop_text);
}

const struct cli_command cli_vtop = {
    .name = "vtop",
    .synopsis = "FILE ADDRESS...",
    .summary = "translate a virtual address, entry by entry",
    .detail =
        "ADDRESS is hexadecimal (0n for decimal), module, module!symbol, a symbol of the\n"
        "kernel, @register, @$proc, @$thread, poi(...), or a sum of these. It is looked up in\n"
        "the kernel's page tables, or in those that --process or --dtb names. Shown are every\n"
        "entry with its place, content and flags as !pte writes them, then the physical\n"
        "address and where the file holds it, or why there is none. The exit status is 0\n"
        "either way; 3 when the dump has no page tables (minidumps).",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_SYMBOLS | CLI_OPT_PROCESS |
               CLI_OPT_KERNEL | CLI_OPT_INFLATED,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL,
    .operands_min = 2,
    .operands_max = 4096,
    .run = vtop_run,
};
