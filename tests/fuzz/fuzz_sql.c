/*
 * Query text in the sandbox, over the tables of a dump that is all header. What the query may
 * never do: run past its limits, or change anything. Corpus: none
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "facts/facts.h"

static uint8_t header[0x2000];

/* A header-only dump (type 3), as Windows SDK mindumpdef.h lays it out; the rest is filler. */
static struct ds_facts *open_facts(void)
{
    struct ds_source *source;
    struct ds_dump *dump;
    struct ds_target *target;
    struct ds_nt *nt;
    struct ds_facts *facts;
    struct ds_target_options options = {.symbol_path = NULL};
    for (size_t i = 0; i < sizeof(header); i += 4)
        ds_put_le32(header + i, 0x45474150);
    memcpy(header, "PAGEDU64", 8);
    ds_put_le32(header + 0x30, 0x8664);
    ds_put_le32(header + 0x34, 1);
    ds_put_le32(header + 0x38, 0xd1);
    ds_put_le32(header + 0xf98, 3);
    if (ds_source_memory_open(header, sizeof(header), &source, NULL) != DS_OK ||
        ds_dump_open(source, &dump, NULL) != DS_OK ||
        ds_target_open(dump, &options, &target, NULL) != DS_OK ||
        ds_nt_open(target, &nt, NULL) != DS_OK || ds_facts_open(nt, &facts, NULL) != DS_OK)
        abort();
    return facts;
}

static bool see_row(size_t columns, const char *const *names, const struct ds_cell *cells,
                    void *arg)
{
    size_t *bytes = arg;
    for (size_t i = 0; i < columns; i++) {
        *bytes += strlen(names[i]);
        if (cells[i].kind == DS_CELL_TEXT)
            *bytes += strlen(cells[i].text);
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ds_facts *facts;
    static const struct ds_query_limits limits = {.max_rows = 1000, .max_ms = 200};
    struct ds_err err = {0};
    size_t bytes = 0;
    char *sql;
    if (facts == NULL)
        facts = open_facts();
    sql = malloc(size + 1);
    if (sql == NULL)
        return 0;
    memcpy(sql, data, size);
    sql[size] = '\0';
    enum ds_status st = ds_facts_query(facts, sql, &limits, see_row, &bytes, &err);
    if (st != DS_OK && st != DS_INVALID && st != DS_LIMIT && st != DS_NO_MEMORY)
        abort();
    if (st != DS_OK && err.text[0] == '\0')
        abort();
    free(sql);
    bytes = 0;
    if (ds_facts_query(facts, "SELECT count(*) FROM bugcheck", NULL, see_row, &bytes, &err) !=
        DS_OK)
        abort();
    return 0;
}
