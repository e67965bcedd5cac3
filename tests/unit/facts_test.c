/* The tables over a kernel in memory: every column, the fixed names, functions, walks. */
#include "kernel_maker.h"

#include "facts/facts.h"

static struct kernel k;
static struct ds_facts *facts;

static void start(void)
{
    kernel_open(&k);
    kernel_bugcheck(&k, 0x100000d1, 0x28, 2, 0, DRIVER_BASE + 0x1100);
    struct ds_nt *nt = kernel_nt(&k);
    if (ds_facts_open(nt, &facts, NULL) != DS_OK)
        abort();
}

static void stop(void)
{
    struct ds_nt *nt = ds_facts_nt(facts);
    ds_facts_close(facts);
    ds_nt_close(nt);
    kernel_close(&k);
}

struct text {
    char cell[256];
    bool is_address;
    unsigned rows;
};

static bool first_cell(size_t columns, const char *const *names, const struct ds_cell *cells,
                       void *arg)
{
    struct text *t = arg;
    (void)names;
    if (t->rows++ > 0 || columns == 0)
        return true;
    t->is_address = cells[0].is_address;
    switch (cells[0].kind) {
    case DS_CELL_NULL:
        snprintf(t->cell, sizeof(t->cell), "NULL");
        break;
    case DS_CELL_INT:
        snprintf(t->cell, sizeof(t->cell), "%lld", (long long)cells[0].integer);
        break;
    case DS_CELL_REAL:
        snprintf(t->cell, sizeof(t->cell), "%g", cells[0].real);
        break;
    case DS_CELL_TEXT:
        snprintf(t->cell, sizeof(t->cell), "%s", cells[0].text);
        break;
    }
    return true;
}

/* The first cell of the answer as text. */
static const char *ask(const char *sql)
{
    static struct text t;
    struct ds_err err = {0};
    t = (struct text){.cell = "(no row)"};
    if (ds_facts_query(facts, sql, NULL, first_cell, &t, &err) != DS_OK) {
        printf("    %s: %s\n", sql, err.text);
        return "(error)";
    }
    return t.cell;
}

static bool count_columns(size_t columns, const char *const *names, const struct ds_cell *cells,
                          void *arg)
{
    (void)names;
    (void)cells;
    *(size_t *)arg = columns;
    return true;
}

/* The table as a query names it: with arguments where it needs them. */
static const char *from_of(const struct ds_table_spec *t)
{
    static char text[256];
    size_t at = (size_t)snprintf(text, sizeof(text), "%s", t->name);
    for (size_t i = 0; i < t->argument_count; i++) {
        const char *name = t->columns[t->column_count - t->argument_count + i].name;
        unsigned long long value = strncmp(name, "eprocess", 8) == 0 ? PROCESS(0)
                                   : strcmp(name, "pfn") == 0        ? 1
                                                                     : KERNEL_BASE;
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s0x%llx", i > 0 ? "," : "(", value);
    }
    if (t->argument_count > 0)
        snprintf(text + at, sizeof(text) - at, ")");
    return text;
}

static void every_column_of_every_table_answers(void)
{
    start();
    for (size_t i = 0; i < ds_table_count(); i++) {
        const struct ds_table_spec *t = ds_table_at(i);
        char sql[256];
        size_t columns = t->column_count;
        CHECK(t->column_count > 0 && *t->doc != '\0');
        columns -= t->argument_count;
        snprintf(sql, sizeof(sql), "SELECT * FROM %s", from_of(t));
        CHECK(ds_facts_query(facts, sql, NULL, count_columns, &columns, NULL) == DS_OK);
        CHECK_U64(columns, t->column_count - t->argument_count);
        for (size_t c = 0; c < t->column_count; c++) {
            struct text answer = {.cell = ""};
            CHECK(*t->columns[c].doc != '\0');
            CHECK(ds_column_find(t, t->columns[c].name) == &t->columns[c]);
            /* unquoted: no column name may be a keyword of SQL */
            snprintf(sql, sizeof(sql), "SELECT %s FROM %s", t->columns[c].name, from_of(t));
            if (ds_facts_query(facts, sql, NULL, first_cell, &answer, NULL) != DS_OK)
                printf("    %s\n", sql), test_failures++;
            if (answer.rows > 0)
                CHECK(answer.is_address == (t->columns[c].type == DS_COL_ADDRESS));
        }
        CHECK(ds_facts_walk(facts, t->name) != NULL);
    }
    stop();
}

/* Every equality must find what a scan with the same comparison finds. */
static void lookups_find_every_value(void)
{
    start();
    for (size_t i = 0; i < ds_table_count(); i++) {
        const struct ds_table_spec *t = ds_table_at(i);
        if (strcmp(t->name, "walks") == 0)
            continue;
        for (size_t c = 0; c < t->column_count; c++) {
            char sql[512];
            const char *n = t->columns[c].name;
            snprintf(sql, sizeof(sql),
                     "SELECT count(*) FROM %s a WHERE %s IS NOT NULL AND NOT EXISTS "
                     "(SELECT 1 FROM %s b WHERE b.%s = a.%s)",
                     from_of(t), n, from_of(t), n, n);
            CHECK_STR(ask(sql), "0");
        }
    }
    stop();
}

static void tables_with_arguments_want_them(void)
{
    start();
    CHECK_STR(ask("SELECT count(*) FROM pte"), "(error)");
    CHECK_STR(ask("SELECT count(*) FROM page_sharing(1, 2)"), "(error)");
    CHECK_STR(ask("SELECT count(*) FROM pte(NULL)"), "0");
    CHECK_STR(ask("SELECT count(*) FROM pte('no address')"), "0");
    CHECK_STR(ask("SELECT count(*) FROM pte(0xfffff80400000000)"), "4");
    CHECK_STR(ask("SELECT group_concat(name, ' ') FROM pte(0xfffff80400000000)"),
              "PXE PPE PDE PTE");
    CHECK_STR(ask("SELECT physical_address = phys(0xfffff80400000000) FROM "
                  "pte(0xfffff80400000000) WHERE level = 1"),
              "1");
    CHECK_STR(ask("SELECT count(*) FROM modules m, pte(m.base) p WHERE p.level = 1"), "2");
    CHECK_STR(ask("SELECT count(*) FROM pte(p.base) p1, modules p WHERE p1.level = 1"), "2");
    CHECK_STR(ask("SELECT va = 0xfffff80400000000 AND eprocess IS NULL FROM "
                  "pte(0xfffff80400000000) LIMIT 1"),
              "1");
    CHECK_STR(ask("SELECT reason FROM pte(0x1000) LIMIT 1"),
              "the entry is zero: nothing is mapped, unless a VAD describes it (at the PXE)");
    CHECK_STR(ask("SELECT complete FROM walks WHERE table_name = 'pte'"), "1");
    CHECK_STR(ask("SELECT count(*) FROM vads(0xffffc08000300000)"), "0");
    CHECK_STR(ask("SELECT count(*) FROM vads(16)"), "0");
    CHECK_STR(ask("SELECT stop_reason FROM walks WHERE table_name = 'vads'"), "not_mapped");
    CHECK_STR(ask("SELECT count(*) FROM page_frame(5)"), "0");
    CHECK_STR(ask("SELECT phys(16) IS NULL AND u8(16, 16) IS NULL AND phys(1, NULL) IS NULL"), "1");
    stop();
}

static void names_others_rely_on(void)
{
    start();
    CHECK_STR(ask("SELECT pid FROM processes WHERE name = 'smss.exe'"), "256");
    CHECK_STR(ask("SELECT ppid FROM processes WHERE pid = 256"), "4");
    CHECK_STR(ask("SELECT count(*) FROM processes WHERE eprocess IS NOT NULL"), "3");
    CHECK_STR(ask("SELECT suspend_count FROM threads WHERE tid = 0x1008"), "2");
    CHECK_STR(ask("SELECT count(*) FROM threads WHERE eprocess = 0xffffc08000300000"), "3");
    CHECK_STR(ask("SELECT state_name FROM threads WHERE state = 5 AND wait_reason = 15"),
              "Waiting");
    CHECK_STR(ask("SELECT wait_reason_name FROM threads WHERE wait_reason = 15"), "WrQueue");
    CHECK_STR(ask("SELECT size FROM modules WHERE base = 0xfffff80500000000"), "65536");
    CHECK_STR(ask("SELECT name FROM modules WHERE number = 0"), "ntoskrnl.exe");
    CHECK_STR(ask("SELECT code FROM bugcheck"), "268435665");
    CHECK_STR(ask("SELECT base_code FROM bugcheck"), "209");
    CHECK_STR(ask("SELECT p1 = 0x28 AND p2 = 2 AND p3 = 0 AND p4 = 0xfffff80500001100 "
                  "FROM bugcheck"),
              "1");
    CHECK_STR(ask("SELECT name FROM unloaded_modules WHERE start_address = 0xfffff80600000000"),
              "older.sys");
    CHECK_STR(ask("SELECT resolved FROM bugcheck_parameters WHERE number = 4"), "driver+0x1100");
    CHECK_STR(ask("SELECT module FROM bugcheck_parameters WHERE number = 4"), "driver.sys");
    CHECK_STR(ask("SELECT value_name FROM bugcheck_parameters WHERE number = 3"), "read");
    CHECK_STR(ask("SELECT type FROM bugcheck_parameters WHERE number = 4"), "code address");
    CHECK_STR(ask("SELECT skip_reason IS NULL FROM modules WHERE name = 'driver.sys'"), "1");
    CHECK_STR(ask("SELECT skip_reason IS NULL FROM modules WHERE name = 'hal.dll'"), "0");
    CHECK_STR(ask("SELECT count(*) FROM processors WHERE current_thread IS NOT NULL"), "2");
    CHECK_STR(ask("SELECT t.tid FROM processors p JOIN threads t ON t.ethread = p.current_thread "
                  "WHERE p.number = 1"),
              "4108");
    stop();
}

static void walks_fill_only_what_is_asked(void)
{
    start();
    char tables[16];
    snprintf(tables, sizeof(tables), "%zu", ds_table_count());
    CHECK_STR(ask("SELECT count(*) FROM walks"), tables);
    CHECK_STR(ask("SELECT asked FROM walks w WHERE w.table_name || '' = 'threads'"), "0");
    CHECK_STR(ask("SELECT complete FROM walks w WHERE w.table_name || '' = 'threads'"), "NULL");
    CHECK_STR(ask("SELECT asked FROM walks WHERE table_name = 'threads'"), "1");
    CHECK_STR(ask("SELECT complete FROM walks WHERE table_name = 'threads'"), "1");
    CHECK_STR(ask("SELECT rows FROM walks WHERE table_name = 'threads'"), "6");
    CHECK_STR(ask("SELECT asked FROM walks w WHERE w.table_name || '' = 'processors'"), "0");
    CHECK_STR(ask("SELECT count(*) FROM walks WHERE table_name = 'nothing'"), "0");
    stop();
}

static void the_debugger_block_is_a_table(void)
{
    start();
    CHECK_STR(ask("SELECT addr(value) FROM kdbg_fields WHERE name = 'KernBase'"),
              "0xfffff80400000000");
    CHECK_STR(ask("SELECT value FROM kdbg_fields WHERE name = 'PspCidTable'"), "NULL");
    CHECK_STR(ask("SELECT complete FROM walks WHERE table_name = 'kdbg_fields'"), "1");
    stop();
}

/* A complete dump has no secondary data: unknown, not empty. */
static void absent_blobs_are_said(void)
{
    static const char *const tables[] = {
        "system_info",    "smbios_strings",  "cpuid_leaves",     "cpu_registry_values",
        "memory_devices", "acpi_tables",     "pci_devices",      "ifr_logs",
        "ifr_records",    "blackbox_fields", "storage_requests", "triage_data_ranges"};
    start();
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        const struct ds_walk *w = ds_facts_walk(facts, tables[i]);
        CHECK(!w->complete && w->rows == 0 && w->stop_reason == DS_NOT_IN_DUMP);
    }
    stop();
}

static void integrity_shows_notes_that_come_later(void)
{
    start();
    struct ds_dump *d = ds_nt_target(ds_facts_nt(facts))->dump;
    CHECK_STR(ask("SELECT count(*) FROM integrity WHERE check_name = 'test.note'"), "0");
    struct ds_integrity_note *n =
        ds_integrity_add(ds_dump_integrity(d), DS_INTEGRITY_DAMAGE, "test.note", 0x1234);
    snprintf(n->expected, sizeof(n->expected), "more");
    CHECK_STR(ask("SELECT level FROM integrity WHERE check_name = 'test.note'"), "damage");
    CHECK_STR(ask("SELECT file_offset FROM integrity WHERE check_name = 'test.note'"), "4660");
    CHECK_STR(ask("SELECT expected FROM integrity WHERE check_name = 'test.note'"), "more");
    CHECK_STR(ask("SELECT found FROM integrity WHERE check_name = 'test.note'"), "NULL");
    stop();
}

static void functions_read_memory(void)
{
    start();
    CHECK_STR(ask("SELECT addr(0xfffff80400000000)"), "0xfffff80400000000");
    CHECK_STR(ask("SELECT addr(NULL)"), "NULL");
    CHECK_STR(ask("SELECT symbol(0xfffff80500001100)"), "driver+0x1100");
    CHECK_STR(ask("SELECT symbol(0x1234)"), "NULL");
    CHECK_STR(ask("SELECT u16(0xfffff80500000000)"), "23117"); /* MZ */
    CHECK_STR(ask("SELECT u8(0xfffff80500000000)"), "77");
    CHECK_STR(ask("SELECT u32(0xfffff80500000080)"), "17744"); /* PE */
    CHECK_STR(ask("SELECT u64(0xfffff80500000080) & 0xffffffff"), "17744");
    CHECK_STR(ask("SELECT u8(0xfffff80700000000)"), "NULL"); /* not mapped */
    CHECK_STR(ask("SELECT u8('text')"), "NULL");
    CHECK_STR(ask("SELECT addr(ptr(0xfffff80400c2a390))"), "0xffffc08000200000");
    CHECK_STR(ask("SELECT field(eprocess, '_EPROCESS.UniqueProcessId') FROM processes LIMIT 1"),
              "4");
    CHECK_STR(ask("SELECT count(*) FROM threads WHERE field(ethread, '_KTHREAD.SuspendCount') "
                  "<> suspend_count"),
              "0");
    CHECK_STR(ask("SELECT field(0xfffff80500000000, '_NO_SUCH.Member')"), "NULL");
    CHECK_STR(ask("SELECT ntstatus(0xc0000005)"), "STATUS_ACCESS_VIOLATION");
    CHECK_STR(ask("SELECT ntstatus(-1073741819)"), "STATUS_ACCESS_VIOLATION");
    CHECK_STR(ask("SELECT bugcheck_name(0xd1)"), "DRIVER_IRQL_NOT_LESS_OR_EQUAL");
    CHECK_STR(ask("SELECT bugcheck_base(0x1000007e)"), "126");
    CHECK_STR(ask("SELECT filetime(132583451029877657)"), "2021-02-21T01:38:22.9877657Z");
    stop();
}

static void ustr_reads_counted_text(void)
{
    start();
    uint64_t at = ENTRY(2) + kernel_offset(&k, "_KLDR_DATA_TABLE_ENTRY", "BaseDllName");
    char sql[64];
    snprintf(sql, sizeof(sql), "SELECT ustr(0x%llx)", (unsigned long long)at);
    CHECK_STR(ask(sql), "driver.sys");
    CHECK_STR(ask("SELECT ustr(0xfffff80700000000)"), "NULL");
    stop();
}

static void ticks_need_a_tick_length(void)
{
    kernel_open(&k);
    maker_put(&k.m, SHARED_DATA + 4, 0x0fa00000, 4); /* 15.625 ms, as Windows sets it */
    if (ds_facts_open(kernel_nt(&k), &facts, NULL) != DS_OK)
        abort();
    CHECK_STR(ask("SELECT ticks_ms(643)"), "10046");
    CHECK_STR(ask("SELECT ticks_ms(NULL)"), "NULL");
    stop();
    start(); /* a multiplier of 0 was never set */
    CHECK_STR(ask("SELECT ticks_ms(643)"), "NULL");
    stop();
}

static void addresses_compare_unsigned(void)
{
    start();
    CHECK_STR(ask("SELECT addr_lt(0x1000, 0xfffff80400000000)"), "1");
    CHECK_STR(ask("SELECT 0x1000 < 0xfffff80400000000"), "0"); /* why the function is there */
    CHECK_STR(ask("SELECT addr_gt(0xfffff80400000000, 0x7fffffffffffffff)"), "1");
    CHECK_STR(ask("SELECT addr_le(5, 5) AND addr_ge(5, 5)"), "1");
    CHECK_STR(ask("SELECT addr_lt(5, 5) OR addr_gt(5, 5)"), "0");
    CHECK_STR(ask("SELECT addr_lt(NULL, 5)"), "NULL");
    stop();
}

static void field_wants_a_type_and_a_member(void)
{
    start();
    struct text t = {.cell = ""};
    struct ds_err err = {0};
    CHECK(ds_facts_query(facts, "SELECT field(1, 'nonsense')", NULL, first_cell, &t, &err) ==
          DS_INVALID);
    CHECK(strstr(err.text, "_TYPE.Member") != NULL);
    stop();
}

/* Without a snapshot behind it, SQL can still be checked. */
static void queries_can_be_checked_without_a_dump(void)
{
    struct ds_facts *f;
    struct ds_err err = {0};
    CHECK(ds_facts_open(NULL, &f, NULL) == DS_OK);
    CHECK(ds_facts_prepare(f, "SELECT name, base FROM modules", NULL, NULL, &err) == DS_OK);
    CHECK(ds_facts_prepare(f, "SELECT nope FROM modules", NULL, NULL, &err) == DS_INVALID);
    CHECK(ds_facts_prepare(f, "DROP TABLE modules", NULL, NULL, &err) == DS_INVALID);
    ds_facts_close(f);
}

TEST_MAIN(TEST(every_column_of_every_table_answers), TEST(lookups_find_every_value),
          TEST(tables_with_arguments_want_them), TEST(names_others_rely_on),
          TEST(walks_fill_only_what_is_asked), TEST(the_debugger_block_is_a_table),
          TEST(absent_blobs_are_said), TEST(integrity_shows_notes_that_come_later),
          TEST(functions_read_memory), TEST(ustr_reads_counted_text),
          TEST(ticks_need_a_tick_length), TEST(addresses_compare_unsigned),
          TEST(field_wants_a_type_and_a_member), TEST(queries_can_be_checked_without_a_dump))
