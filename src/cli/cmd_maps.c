/* `dumpscan maps FILE`: what memory there was, what is captured, and how it is mapped. */
#include <string.h>

#include "base/limits.h"
#include "cli/memory.h"
#include "cli/rows.h"
#include "memory/regions.h"

/* Rows on their way out. */
struct listing {
    struct cli_memory *m;
    struct cli_rows *rows;
    uint64_t count;
    bool ok;
};

static struct ds_cell address_cell(uint64_t x)
{
    return (struct ds_cell){.kind = DS_CELL_INT, .is_address = true, .integer = (int64_t)x};
}

static struct ds_cell number_cell(uint64_t x)
{
    return (struct ds_cell){.kind = DS_CELL_INT, .integer = (int64_t)x};
}

static struct ds_cell text_cell(const char *s)
{
    return (struct ds_cell){.kind = s != NULL ? DS_CELL_TEXT : DS_CELL_NULL, .text = s};
}

static bool put_row(struct listing *l, size_t columns, const char *const *names,
                    const struct ds_cell *cells)
{
    l->ok = l->ok && cli_rows_add(columns, names, cells, l->rows);
    l->count++;
    return l->ok;
}

/* A stretch that the file holds, or that the header only states. */
static bool put_stretch(struct listing *l, const char *kind, uint64_t start, uint64_t size,
                        uint64_t offset, const char *source)
{
    static const char *const names[] = {"kind", "start", "end", "size", "file_offset", "source"};
    struct ds_cell cells[6] = {
        text_cell(kind),   address_cell(start), address_cell(size > 0 ? start + (size - 1) : start),
        number_cell(size), number_cell(offset), text_cell(source)};
    if (offset == DS_NO_OFFSET)
        cells[4] = (struct ds_cell){.kind = DS_CELL_NULL};
    return put_row(l, 6, names, cells);
}

static void physical(struct listing *l)
{
    struct ds_dump *d = l->m->target->dump;
    struct ds_phys_run run;
    for (size_t i = 0; ds_dump_stated_run(d, i, &run); i++)
        if (!put_stretch(l, "stated", run.pa, run.size, DS_NO_OFFSET, "header"))
            return;
    for (size_t i = 0; ds_dump_phys_run(d, i, &run); i++)
        if (!put_stretch(l, "captured", run.pa, run.size, run.file_offset,
                         ds_dump_kind_name(ds_dump_kind(d))))
            return;
    for (size_t i = 0; i < ds_dump_virt_range_count(d); i++) {
        const struct ds_virt_range *v = ds_dump_virt_range(d, i);
        if (!put_stretch(l, "virtual", v->va, v->size, v->file_offset, v->origin))
            return;
    }
}

static bool put_region(struct listing *l, const struct ds_region_map *r)
{
    static const char *const names[] = {"start", "end", "size", "page_size", "access", "state"};
    bool valid = r->status == DS_OK && r->state == DS_PTE_VALID;
    char access[5] = {(r->rights & DS_RIGHT_USER) != 0 ? 'U' : 'K', 'R',
                      (r->rights & DS_RIGHT_WRITE) != 0 ? 'W' : '-',
                      (r->rights & DS_RIGHT_EXECUTE) != 0 ? 'E' : '-', '\0'};
    const char *state = r->status == DS_LOOP          ? "page tables"
                        : r->state == DS_PTE_NO_ENTRY ? "table not captured"
                                                      : ds_pte_state_name(r->state);
    if (r->status == DS_OK && r->state == DS_PTE_PROTOTYPE)
        state = "prototype, in memory";
    struct ds_cell cells[6] = {
        address_cell(r->va),       address_cell(r->va + (r->size - 1)), number_cell(r->size),
        number_cell(r->page_size), text_cell(valid ? access : NULL),    text_cell(state)};
    return put_row(l, 6, names, cells);
}

/* DS_OK, or DS_LIMIT where the listing was cut. */
static enum ds_status virtual_map(struct listing *l)
{
    struct ds_space_iter it = {
        .va = 0, .end = l->m->digits == 8 ? UINT32_MAX : UINT64_MAX, .limit = DS_LIMIT_MAP_ENTRIES};
    if (l->m->eprocess.known) { /* what is the process's own */
        bool large = !ds_target_is_kernel_va(l->m->target, 0x80000000u);
        it.end = l->m->digits > 8 ? INT64_MAX : large ? 0xbfffffffu : 0x7fffffffu;
    }
    struct ds_region_map r;
    enum ds_status status;
    while ((status = ds_space_next_region(l->m->space, &it, &r)) == DS_OK) {
        if (l->count >= DS_LIMIT_MAP_ROWS)
            return DS_LIMIT;
        if (!put_region(l, &r))
            return DS_OK;
    }
    return status == DS_NOT_FOUND ? DS_OK : status;
}

static void put_totals(struct cli_memory *m, struct cli_out *out)
{
    struct ds_dump *d = m->target->dump;
    struct ds_phys_run run;
    uint64_t stated = 0, virt = 0, pages = ds_dump_phys_pages(d);
    for (size_t i = 0; ds_dump_stated_run(d, i, &run); i++)
        stated = stated + run.size < stated ? UINT64_MAX : stated + run.size;
    for (size_t i = 0; i < ds_dump_virt_range_count(d); i++)
        virt += ds_dump_virt_range(d, i)->size;
    struct ds_buf b;
    ds_buf_init(&b, 4096);
    if (stated > 0)
        ds_buf_printf(&b, "The header states %llu pages (%llu KB) of physical memory.\n",
                      (unsigned long long)(stated >> 12), (unsigned long long)(stated >> 10));
    if (ds_dump_has_physical(d))
        ds_buf_printf(&b, "%llu pages (%llu KB) are captured.\n", (unsigned long long)pages,
                      (unsigned long long)pages * 4);
    if (ds_dump_virt_range_count(d) > 0)
        ds_buf_printf(&b, "%llu pieces of virtual memory are captured, %llu bytes in all.\n",
                      (unsigned long long)ds_dump_virt_range_count(d), (unsigned long long)virt);
    if (b.len == 0)
        ds_buf_str(&b, "This dump holds no memory.\n");
    ds_buf_char(&b, '\n');
    cli_out_write(out, ds_buf_text(&b), b.len);
    ds_buf_deinit(&b);
}

static int maps_write(const struct cli_args *args, struct cli_memory *m)
{
    if (args->virtual_map && (m->space == NULL || ds_space_paging(m->space) == DS_PAGING_NONE)) {
        cli_error_message(args->operands[0], "this dump holds no page tables%s",
                          m->space != NULL ? ": `maps` without --virtual lists what it has" : "");
        return CLI_NOT_DUMP;
    }
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    struct listing l = {.m = m, .ok = true, .rows = cli_rows_new(&out, args->format, m->digits)};
    if (l.rows == NULL) {
        cli_error_message(NULL, "out of memory");
        return cli_out_close(&out, false, CLI_INTERNAL);
    }
    enum ds_status status = DS_OK;
    if (args->virtual_map) {
        status = virtual_map(&l);
    } else {
        if (args->format == CLI_TEXT)
            put_totals(m, &out);
        physical(&l);
    }
    bool ok = cli_rows_finish(l.rows) && l.ok;
    if (!ok)
        cli_error_message(NULL, "out of memory for the rows");
    else if (status != DS_OK)
        cli_error_message(args->operands[0], "the map was cut after %llu rows: %s",
                          (unsigned long long)l.count, ds_status_text(status));
    return cli_out_close(&out, ok, ok && status == DS_OK ? CLI_OK : CLI_INTERNAL);
}

static int maps_run(const struct cli_args *args)
{
    struct cli_memory m;
    if (!args->virtual_map && (args->process != NULL || args->dtb != NULL))
        return cli_usage_error(&cli_maps, "--process and --dtb go with --virtual");
    int rc = cli_memory_open(args, &m);
    if (rc != CLI_OK)
        return rc;
    rc = maps_write(args, &m);
    cli_memory_close(&m);
    return rc;
}

const struct cli_command cli_maps = {
    .name = "maps",
    .synopsis = "FILE",
    .summary = "what memory the dump holds, and how it is mapped",
    .detail =
        "Lists the physical memory that the header states and the stretches that are captured,\n"
        "with their place in the file; of a minidump, the captured pieces of virtual memory and\n"
        "what each is. --virtual lists the mapped stretches of kernel memory instead, or with\n"
        "--process or --dtb of that address space: neighbours of the same page size, rights\n"
        "(User or Kernel, Read, Write, Execute) and state are one row.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_VIRTUAL | CLI_OPT_PROCESS |
               CLI_OPT_KERNEL | CLI_OPT_SYMBOLS | CLI_OPT_INFLATED,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL | CLI_CSV,
    .operands_min = 1,
    .operands_max = 1,
    .run = maps_run,
};
