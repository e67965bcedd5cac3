/* Opening a dump for a look at its memory; which process. */
#include "cli/memory.h"

#include <string.h>

#include "base/text.h"
#include "nt/spaces.h"

const struct ds_process *cli_process_row(struct cli_memory *m, uint64_t eprocess)
{
    const struct ds_processes *p = ds_nt_processes(m->nt);
    for (size_t i = 0; i < p->count; i++)
        if (p->rows[i].eprocess == eprocess)
            return &p->rows[i];
    return NULL;
}

/* Decimal digits alone. */
static bool parse_decimal(const char *text, uint64_t *ret)
{
    uint64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (unsigned)(*text - '0');
    }
    *ret = value;
    return true;
}

static const struct ds_process *by_pid(struct cli_memory *m, uint64_t pid)
{
    const struct ds_processes *p = ds_nt_processes(m->nt);
    for (size_t i = 0; i < p->count; i++)
        if (p->rows[i].pid.known && p->rows[i].pid.value == pid)
            return &p->rows[i];
    return NULL;
}

/* How many processes are called so; *ret is the first. */
static size_t by_name(struct cli_memory *m, const char *name, const struct ds_process **ret)
{
    const struct ds_processes *p = ds_nt_processes(m->nt);
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (p->rows[i].name == NULL || ds_text_casecmp(p->rows[i].name, name) != 0)
            continue;
        if (count++ == 0)
            *ret = &p->rows[i];
    }
    return count;
}

bool cli_process_find(struct cli_memory *m, const char *word, uint64_t *eprocess)
{
    uint64_t decimal = 0, hex = 0;
    const struct ds_process *row = NULL;
    bool is_decimal = parse_decimal(word, &decimal), is_hex = cli_parse_hex(word, &hex);
    if (is_hex)
        row = cli_process_row(m, hex);
    if (row == NULL && is_decimal)
        row = by_pid(m, decimal);
    else if (row == NULL && is_hex)
        row = by_pid(m, hex);
    if (row == NULL && is_hex && ds_target_is_kernel_va(m->target, hex)) {
        *eprocess = hex; /* unlinked from the list, or the list was not captured */
        return true;
    }
    size_t namesakes = row == NULL ? by_name(m, word, &row) : 1;
    if (namesakes > 1) {
        cli_error_message(NULL, "%llu processes are called '%s': name one by its PID or EPROCESS",
                          (unsigned long long)namesakes, word);
        return false;
    }
    if (row == NULL) {
        cli_error_message(NULL,
                          "no process '%s' is known: a decimal PID, a hexadecimal one with 0x, the "
                          "address of an EPROCESS, or a name",
                          word);
        return false;
    }
    *eprocess = row->eprocess;
    return true;
}

static int no_space(const struct cli_args *args, enum ds_status status, const char *what)
{
    if (status == DS_UNSUPPORTED) {
        cli_error_message(args->operands[0],
                          "%s: a minidump holds pieces of kernel memory, no page tables", what);
        return CLI_NOT_DUMP;
    }
    cli_error_message(args->operands[0], "%s: %s", what, ds_status_text(status));
    return CLI_INTERNAL;
}

static int choose_process(const struct cli_args *args, struct cli_memory *m)
{
    uint64_t eprocess;
    if (!cli_process_find(m, args->process, &eprocess))
        return CLI_USAGE;
    const struct ds_process *row = cli_process_row(m, eprocess);
    m->eprocess = ds_opt_known(eprocess);
    if (row != NULL) {
        m->name = row->name;
        m->pid = row->pid;
    }
    enum ds_status status = ds_nt_space_of(m->nt, eprocess, &m->space);
    return status == DS_OK
               ? CLI_OK
               : no_space(args, status, "the address space of the process is not known");
}

static int choose_space(const struct cli_args *args, struct cli_memory *m)
{
    m->space = m->target->kernel;
    if (args->process != NULL && args->dtb != NULL)
        return cli_usage_error(NULL, "--process and --dtb each name an address space: give one");
    if (args->process != NULL)
        return choose_process(args, m);
    if (args->dtb == NULL)
        return CLI_OK;
    enum ds_status status = ds_nt_space_at(m->nt, args->dtb_value.value, &m->space);
    return status == DS_OK ? CLI_OK : no_space(args, status, "no address space can be opened");
}

/* Opens the dump with these options, which are freed. */
static enum ds_status open_with(struct cli_memory *m, const char *file, struct ds_options *options,
                                struct ds_err *err)
{
    enum ds_status status = DS_NO_MEMORY;
    if (options != NULL)
        status = ds_snapshot_open(file, options, &m->snapshot, err);
    ds_options_free(options);
    if (status == DS_OK)
        status = ds_snapshot_nt(m->snapshot, &m->nt, err);
    if (status == DS_OK)
        m->target = ds_nt_target(m->nt);
    return status;
}

int cli_memory_open(const struct cli_args *args, struct cli_memory *m)
{
    *m = (struct cli_memory){.eprocess = ds_opt_unknown(DS_NOT_FOUND),
                             .pid = ds_opt_unknown(DS_NOT_FOUND)};
    struct ds_err err = {.status = DS_NO_MEMORY, .text = "out of memory"};
    enum ds_status status = open_with(m, args->operands[0], cli_snapshot_options(args), &err);
    if (status == DS_OK && m->target->kernel == NULL && args->dtb_value.known) {
        /* Without a kernel the directory that was named is all there is. */
        cli_memory_close(m);
        status = open_with(m, args->operands[0], cli_kernel_options(args), &err);
    }
    if (status != DS_OK) {
        cli_error_message(args->operands[0], "%s", err.text);
        cli_memory_close(m);
        return ds_refusal_exit_status(status);
    }
    m->digits = 2 * m->target->pointer_size;
    m->phys_digits = m->target->arch == DS_ARCH_X86 ? 8 : 10;
    int rc = choose_space(args, m);
    if (rc != CLI_OK)
        cli_memory_close(m);
    return rc;
}

void cli_memory_close(struct cli_memory *m)
{
    ds_snapshot_close(m->snapshot);
    m->snapshot = NULL;
}

void cli_put_va(const struct cli_memory *m, struct ds_buf *b, uint64_t va)
{
    if (m->digits > 8)
        ds_buf_printf(b, "%08llx`%08llx", (unsigned long long)(va >> 32),
                      (unsigned long long)(va & UINT32_MAX));
    else
        ds_buf_printf(b, "%08llx", (unsigned long long)va);
}

void cli_put_space_name(const struct cli_memory *m, struct ds_buf *b)
{
    if (!m->eprocess.known) {
        ds_buf_str(b, m->space == m->target->kernel ? "kernel" : "page directory");
        return;
    }
    ds_text_for_terminal(b, m->name != NULL ? m->name : "process of unknown name");
    ds_buf_str(b, " (");
    if (m->pid.known)
        ds_buf_printf(b, "pid %llu, ", (unsigned long long)m->pid.value);
    ds_buf_str(b, "EPROCESS ");
    cli_put_va(m, b, m->eprocess.value);
    ds_buf_char(b, ')');
}
