/* Prints docs/TABLES.md from the table specification. */
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "facts/facts.h"

/* Text of a Markdown table cell. */
static void cell(const char *s)
{
    for (; *s; s++) {
        if (*s == '|' || *s == '*' || *s == '<' || *s == '_')
            putchar('\\');
        putchar(*s);
    }
}

static void head(void)
{
    puts(
        "# Tables and functions\n\n"
        "Everything that dumpscan knows about a dump can be asked with one `SELECT`:\n"
        "`dumpscan query FILE \"SELECT …\"`. This page is made from the table specification\n"
        "(`make docs/TABLES.md`); `make check-tables` fails when it is out of step.\n\n"
        "- Unknown is `NULL`, never 0. Whether a table is whole is said by `walks`.\n"
        "- Addresses are 64-bit integers in two's complement, 32-bit ones zero-extended. Compare\n"
        "  them with `=` or with `addr_lt()` and its sisters, not with `<`; show them with\n"
        "  `addr()`. Columns of type *address* are written as `0x…` in JSON.\n"
        "- Times are 100 ns ticks since 1601, UTC; the column with `_utc` in its name is the same\n"
        "  for people.\n"
        "- A table is filled when it is first asked for. Equality with a column (`pid = 4`) is\n"
        "  looked up, not searched.\n"
        "- Queries run in a sandbox: one `SELECT` (or `WITH … SELECT`, or `VALUES`), these "
        "tables,\n"
        "  the functions below and SQLite's own pure ones, with limits on time, memory and "
        "rows.\n");
}

static void table(const struct ds_table_spec *t)
{
    size_t plain = t->column_count - t->argument_count;
    printf("## %s\n%s\n", t->name, t->doc);
    if (t->argument_count > 0) {
        printf("Called as `%s(", t->name);
        for (size_t i = 0; i < t->argument_count; i++)
            printf("%s%s%s", i >= t->argument_needed ? "[" : "", i > 0 ? ", " : "",
                   t->columns[plain + i].name);
        for (size_t i = t->argument_needed; i < t->argument_count; i++)
            putchar(']');
        puts(")`; the arguments are columns as well, which `SELECT *` leaves out.");
    }
    if (*t->windbg)
        printf("WinDbg: `%s`.\n", t->windbg);
    puts("\n| column | type | what | WinDbg |\n|---|---|---|---|");
    for (size_t i = 0; i < t->column_count; i++) {
        const struct ds_column_spec *c = &t->columns[i];
        printf("| `%s` | %s | ", c->name, ds_column_type_name(c->type));
        if (i >= plain)
            fputs("argument: ", stdout);
        cell(c->doc);
        printf(" | %s%s%s |\n", *c->windbg ? "`" : "", c->windbg, *c->windbg ? "`" : "");
    }
    puts("");
}

int main(void)
{
    ds_os_prepare_stdio();
    head();
    for (size_t i = 0; i < ds_table_count(); i++)
        printf("- [%s](#%s)\n", ds_table_at(i)->name, ds_table_at(i)->name);
    puts("");
    for (size_t i = 0; i < ds_table_count(); i++)
        table(ds_table_at(i));
    puts("## Functions\nA read that fails, an unknown argument and an absent name give `NULL`.\n\n"
         "| function | what |\n|---|---|");
    for (size_t i = 0; i < ds_function_count(); i++) {
        const struct ds_function_spec *f = ds_function_at(i);
        printf("| `%s(%s)` | ", f->name, f->arguments);
        cell(f->doc);
        puts(" |");
    }
    return 0;
}
