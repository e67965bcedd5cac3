/* `dumpscan pte FILE ADDRESS...`: the entries of an address as WinDbg's !pte lays them out. */
#include <stdarg.h>
#include <string.h>

#include "cli/memory.h"
#include "memory/words.h"

#define COLUMN 27 /* characters, the two between columns included */

/* Lines of one column below the third. */
#define NOTES 4
struct column {
    char line[3 + NOTES][64];
    unsigned count;
};

static void note(struct column *c, const char *fmt, ...) DS_PRINTF(2, 3);

static void note(struct column *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (c->count < 3 + NOTES)
        (void)vsnprintf(c->line[c->count++], sizeof(c->line[0]), fmt, ap);
    va_end(ap);
}

/* What an entry that is not valid says, line by line. */
static void put_invalid(const struct cli_memory *m, const struct ds_walk_step *s, struct column *c)
{
    enum ds_paging mode = ds_space_paging(m->space);
    struct ds_pte_soft soft =
        ds_pte_decode(mode, ds_space_pte_layout(m->space), s->entry.value, s->level == 0);
    struct ds_opt protection = ds_pte_protection(mode, s->entry.value, s->state);
    switch (s->state) {
    case DS_PTE_TRANSITION:
        note(c, " Transition: %llx", (unsigned long long)(soft.pa.value >> 12));
        break;
    case DS_PTE_PROTOTYPE:
        if (soft.prototype.known)
            note(c, " Proto: %0*llX", (int)m->digits, (unsigned long long)soft.prototype.value);
        else
            note(c, " Proto: not known");
        break;
    case DS_PTE_VAD:
        note(c, " Proto: VAD");
        break;
    case DS_PTE_PAGE_FILE:
        if (soft.page_file.known)
            note(c, " PageFile:  %llu", (unsigned long long)soft.page_file.value);
        else
            note(c, " PageFile:  not known");
        if (soft.page_file_offset.known)
            note(c, " Offset: %llx", (unsigned long long)soft.page_file_offset.value);
        else
            note(c, " Offset: not known");
        break;
    case DS_PTE_DEMAND_ZERO:
        note(c, " DemandZero");
        break;
    case DS_PTE_EMPTY_TABLE:
        note(c, " its table is all zero");
        break;
    case DS_PTE_MAPPED_FILE:
        note(c, " in a mapped file");
        break;
    case DS_PTE_RESERVED:
        note(c, " a reserved bit is set");
        break;
    case DS_PTE_SOFTWARE:
        note(c, " Software: not decoded");
        break;
    default:
        break;
    }
    if (protection.known)
        note(c, " Protect: %llx - %s", (unsigned long long)protection.value,
             ds_protection_name((unsigned)protection.value));
}

static void fill_column(const struct cli_memory *m, const struct ds_walk_step *s, struct column *c)
{
    enum ds_paging mode = ds_space_paging(m->space);
    bool narrow = mode == DS_PAGING_X86;
    char flags[DS_PTE_FLAGS_SIZE];
    uint64_t entry = s->entry.value;
    *c = (struct column){.count = 0};
    if (s->entry_va.known)
        note(c, "%s at %0*llX", s->name, (int)m->digits, (unsigned long long)s->entry_va.value);
    else
        note(c, "%s at # %llX", s->name, (unsigned long long)s->entry_pa.value);
    if (!s->entry.known) {
        note(c, "Unable to read");
        note(c, "%s",
             s->entry.why == DS_NOT_IN_DUMP ? "not in the dump"
             : s->entry.why == DS_TRUNCATED ? "behind the file's end"
                                            : ds_status_name(s->entry.why));
        return;
    }
    note(c, "contains %0*llX", narrow ? 8 : 16, (unsigned long long)entry);
    if (s->state == DS_PTE_VALID) {
        uint64_t mask = mode == DS_PAGING_ARM64 ? 0x0000fffffffff000u : 0x000ffffffffff000u;
        ds_pte_flags_text(mode, entry, s->level > 0 ? s->level : 1, flags);
        note(c, "pfn %-10llx%s", (unsigned long long)((entry & mask) >> 12), flags);
        return;
    }
    note(c, "not valid");
    put_invalid(m, s, c);
}

static void put_line(struct ds_buf *b, const struct column *columns, unsigned count, unsigned line)
{
    struct ds_buf text;
    ds_buf_init(&text, 4096);
    for (unsigned i = 0; i < count; i++)
        ds_buf_printf(&text, "%-*s", COLUMN, columns[i].line[line]);
    size_t len = text.len;
    while (len > 0 && ds_buf_text(&text)[len - 1] == ' ')
        len--;
    ds_buf_add(b, ds_buf_text(&text), len);
    ds_buf_deinit(&text);
    ds_buf_char(b, '\n');
}

static void pte_text(struct cli_memory *m, const struct cli_walk *w, struct ds_buf *b)
{
    const struct ds_explanation *e = &w->e;
    struct column columns[DS_WALK_STEPS];
    unsigned count = 0, lines = 3;
    bool physical = false;
    for (; count < e->count && e->steps[count].level > 0; count++) {
        fill_column(m, &e->steps[count], &columns[count]);
        lines = columns[count].count > lines ? columns[count].count : lines;
        physical = physical || !e->steps[count].entry_va.known;
    }
    ds_buf_printf(b, "%*sVA %0*llx\n", count > 2 ? 43 : 20, "", (int)m->digits,
                  (unsigned long long)w->va);
    for (unsigned i = 0; count > 0 && i < lines; i++)
        put_line(b, columns, count, i);
    if (count < e->count) {
        struct column proto;
        fill_column(m, &e->steps[count], &proto);
        ds_buf_char(b, '\n');
        for (unsigned i = 0; i < proto.count; i++)
            put_line(b, &proto, 1, i);
    }
    ds_buf_char(b, '\n');
    cli_walk_outcome(m, w, "", b);
    if (physical)
        ds_buf_str(b, "(# is physical: not known to be mapped at a virtual address)\n");
}

static int pte_run(const struct cli_args *args)
{
    return cli_walk_run(args, pte_text);
}

const struct cli_command cli_pte = {
    .name = "pte",
    .synopsis = "FILE ADDRESS...",
    .summary = "the page-table entries of an address, as !pte shows them",
    .detail = "ADDRESS, --process and --dtb as for vtop. Each entry has the virtual address where\n"
              "Windows maps it, its content, page frame number and flags: copy on write, Global,\n"
              "Large, Dirty, Accessed, No cache, write-Through, User or Kernel, Write or Read,\n"
              "Execute, Valid. JSON is that of vtop.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_SYMBOLS | CLI_OPT_PROCESS |
               CLI_OPT_KERNEL | CLI_OPT_INFLATED,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL,
    .operands_min = 2,
    .operands_max = 4096,
    .run = pte_run,
};
