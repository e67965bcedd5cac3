/* `dumpscan share FILE ADDRESS [PROCESS...]`: who has the page at an address. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/memory.h"
#include "cli/rows.h"
#include "memory/words.h"
#include "nt/sharing.h"

/* The processes that are compared, in order. */
struct share_list {
    struct ds_page_view *views; /* owned */
    size_t count;
};

static struct ds_cell text_cell(const char *s)
{
    return (struct ds_cell){.kind = s != NULL ? DS_CELL_TEXT : DS_CELL_NULL, .text = s};
}

static struct ds_cell opt_cell(struct ds_opt x, bool address)
{
    return (struct ds_cell){.kind = x.known ? DS_CELL_INT : DS_CELL_NULL,
                            .is_address = address,
                            .integer = (int64_t)x.value};
}

static struct ds_opt physical(const struct ds_page_view *v)
{
    return v->space_status == DS_OK && v->e.status == DS_OK ? ds_opt_known(v->e.pa)
                                                            : ds_opt_unknown(DS_NOT_FOUND);
}

/* One process against the first. */
static bool put_row(struct cli_memory *m, struct cli_rows *rows, const struct share_list *l,
                    size_t i)
{
    static const char *const names[] = {
        "process",     "pid",      "eprocess",       "state",
        "pte",         "physical", "prototype",      "copy_on_write",
        "share_count", "vad_type", "vad_protection", "against_first"};
    const struct ds_page_view *v = &l->views[i];
    const struct ds_process *p = cli_process_row(m, v->eprocess);
    struct ds_opt none = ds_opt_unknown(DS_NOT_FOUND);
    bool protection = v->has_vad && v->vad.protection.known;
    struct ds_share s = ds_nt_share(&l->views[0], v);
    struct ds_cell cells[] = {
        text_cell(p != NULL ? p->name : NULL),
        opt_cell(p != NULL ? p->pid : none, false),
        opt_cell(ds_opt_known(v->eprocess), true),
        text_cell(v->space_status != DS_OK ? ds_status_name(v->space_status)
                                           : ds_pte_state_name(v->e.fault.state)),
        opt_cell(v->pte, true),
        opt_cell(physical(v), true),
        opt_cell(v->prototype, true),
        opt_cell(v->copy_on_write, false),
        opt_cell(v->pfn.share_count, false),
        text_cell(v->has_vad ? ds_vad_type_name(&v->vad) : NULL),
        text_cell(protection ? ds_protection_name((unsigned)v->vad.protection.value) : NULL),
        text_cell(i > 0 ? ds_sharing_name(s.verdict) : NULL)};
    return cli_rows_add(sizeof(cells) / sizeof(cells[0]), names, cells, rows);
}

/* "notepad.exe (pid 2320)" */
static void put_name(struct cli_memory *m, const struct ds_page_view *v, struct ds_buf *b)
{
    const struct ds_process *p = cli_process_row(m, v->eprocess);
    ds_text_for_terminal(b, p != NULL && p->name != NULL ? p->name : "the process at ");
    if (p != NULL && p->pid.known)
        ds_buf_printf(b, " (pid %llu)", (unsigned long long)p->pid.value);
    else
        cli_put_va(m, b, v->eprocess);
}

/* The answer for two processes, in a sentence. */
static void put_sentence(struct cli_memory *m, const struct share_list *l, struct cli_out *out)
{
    struct ds_buf a, b, text;
    ds_buf_init(&a, 4096);
    ds_buf_init(&b, 4096);
    ds_buf_init(&text, 16384);
    put_name(m, &l->views[0], &a);
    put_name(m, &l->views[1], &b);
    struct ds_share s = ds_nt_share(&l->views[0], &l->views[1]);
    ds_buf_printf(&text, "\n%s and %s: ", ds_buf_text(&a), ds_buf_text(&b));
    ds_share_words(&s, ds_buf_text(&a), ds_buf_text(&b), &text);
    ds_buf_str(&text, ".\n");
    cli_out_write(out, ds_buf_text(&text), text.len);
    ds_buf_deinit(&text);
    ds_buf_deinit(&b);
    ds_buf_deinit(&a);
}

/* Whether a process that was not asked for has anything at the address. */
static bool has_something(const struct ds_page_view *v)
{
    return v->space_status == DS_OK &&
           (v->has_vad || v->e.status == DS_OK ||
            (v->pte.known && v->pte.value != 0 && v->e.count > 0 && v->e.fault.level <= 1));
}

static bool collect(const struct cli_args *args, struct cli_memory *m, uint64_t va,
                    struct share_list *l, int *rc)
{
    const struct ds_processes *p = ds_nt_processes(m->nt);
    size_t asked = args->operand_count - 2, most = asked > 0 ? asked : p->count;
    l->views = calloc(most + 1, sizeof(*l->views));
    if (l->views == NULL) {
        cli_error_message(NULL, "out of memory for %llu processes", (unsigned long long)most);
        *rc = CLI_INTERNAL;
        return false;
    }
    for (size_t i = 0; i < most; i++) {
        uint64_t eprocess = asked > 0 ? 0 : p->rows[i].eprocess;
        if (asked > 0 && !cli_process_find(m, args->operands[2 + i], &eprocess)) {
            *rc = CLI_USAGE;
            return false;
        }
        ds_nt_page_view(m->nt, eprocess, va, &l->views[l->count]);
        l->count += asked > 0 || has_something(&l->views[l->count]);
    }
    return true;
}

static int write_list(const struct cli_args *args, struct cli_memory *m, const struct share_list *l)
{
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    struct cli_rows *rows = cli_rows_new(&out, args->format, m->digits);
    if (rows == NULL) {
        cli_error_message(NULL, "out of memory");
        return cli_out_close(&out, false, CLI_INTERNAL);
    }
    bool ok = true;
    for (size_t i = 0; i < l->count && ok; i++)
        ok = put_row(m, rows, l, i);
    ok = cli_rows_finish(rows) && ok;
    if (ok && args->format == CLI_TEXT && l->count == 2)
        put_sentence(m, l, &out);
    if (ok && args->format == CLI_TEXT && l->count == 0)
        cli_out_string(&out, "No process that is known has anything at this address.\n");
    return cli_out_close(&out, ok, ok ? CLI_OK : CLI_INTERNAL);
}

static int share_memory(const struct cli_args *args, struct cli_memory *m)
{
    uint64_t va;
    struct share_list l = {NULL, 0};
    int rc = CLI_OK;
    if (m->space == NULL || ds_space_paging(m->space) == DS_PAGING_NONE) {
        cli_error_message(args->operands[0], "this dump holds no page tables: who shares a page "
                                             "cannot be told");
        return CLI_NOT_DUMP;
    }
    if (!cli_address(m, args->operands[1], &va))
        return CLI_USAGE;
    if (collect(args, m, va, &l, &rc))
        rc = write_list(args, m, &l);
    free(l.views);
    return rc;
}

static int share_run(const struct cli_args *args)
{
    struct cli_memory m;
    int rc = cli_memory_open(args, &m);
    if (rc != CLI_OK)
        return rc;
    rc = share_memory(args, &m);
    cli_memory_close(&m);
    return rc;
}

const struct cli_command cli_share = {
    .name = "share",
    .synopsis = "FILE ADDRESS [PROCESS...]",
    .summary = "which processes share the page at an address",
    .detail =
        "One row for each PROCESS (PID, EPROCESS or name), or without one for every process\n"
        "that has something there: its page-table entry, page and prototype PTE, how many\n"
        "entries map the page, and what it is against the first process: 'same', 'copied'\n"
        "(copy on write done), 'same_section' (one prototype PTE, but not both have a page),\n"
        "'private', 'different', 'absent' or 'unknown'.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_SYMBOLS | CLI_OPT_KERNEL_BASE |
               CLI_OPT_KDBG | CLI_OPT_RAW | CLI_OPT_INFLATED,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL | CLI_CSV,
    .operands_min = 2,
    .operands_max = 1024,
    .run = share_run,
};
