/* Modules, names, symbol tables and the search path. */
#include "symbols/symbols.h"

#include "base/os.h"
#include "base/text.h"
#include "symbols/isf.h"
#include "test.h"

#define REAL_ISF "../shared/real/symbols/ntkrnlmp.pdb/5278AFF86C341677D7D7835C85B7B844-1.json.xz"
#define REAL_ID "5278AFF86C341677D7D7835C85B7B844-1"
#define KERNEL 0xfffff8047ba00000u

static const char small_isf[] =
    "{\"metadata\":{\"format\":\"6.2.0\",\"windows\":{\"pdb\":{\"GUID\":"
    "\"00112233445566778899aabbccddeeff\",\"age\":26,\"database\":\"a.pdb\",\"machine_type\":34404}"
    "}},"
    "\"symbols\":{\"Beta\":{\"address\":4352},\"Alpha\":{\"address\":4096},"
    "\"?Mangled@@YAXXZ\":{\"address\":4096},\"AlphaLonger\":{\"address\":4096},"
    "\"handler\":{\"address\":5000,\"linkage_name\":\"_handler\"},"
    "\"??_C@_03X@abc@\":{\"address\":6000},\"Const\":{\"address\":99999999999}},"
    "\"enums\":{\"_E\":{\"base\":\"int\",\"size\":4,\"constants\":{\"A\":1}}},"
    "\"user_types\":{\"_OUTER\":{\"kind\":\"struct\",\"size\":64,\"fields\":{"
    "\"Zed\":{\"offset\":8,\"type\":{\"kind\":\"struct\",\"name\":\"_INNER\"}},"
    "\"Array\":{\"offset\":24,\"type\":{\"kind\":\"array\",\"count\":3,\"subtype\":{\"kind\":"
    "\"array\","
    "\"count\":2,\"subtype\":{\"kind\":\"base\",\"name\":\"short\"}}}},"
    "\"Ptr\":{\"offset\":0,\"type\":{\"subtype\":{\"kind\":\"struct\",\"name\":\"_INNER\"},"
    "\"kind\":\"pointer\"}},"
    "\"E\":{\"offset\":36,\"type\":{\"kind\":\"enum\",\"name\":\"_E\"}}}},"
    "\"_INNER\":{\"kind\":\"union\",\"size\":16,\"fields\":{"
    "\"Bits\":{\"offset\":4,\"type\":{\"kind\":\"bitfield\",\"bit_length\":5,\"bit_position\":3,"
    "\"type\":{\"kind\":\"base\",\"name\":\"unsigned char\"}}}}}},"
    "\"base_types\":{\"short\":{\"size\":2,\"signed\":true,\"kind\":\"int\"},"
    "\"unsigned char\":{\"size\":1,\"signed\":false,\"kind\":\"char\"},"
    "\"pointer\":{\"size\":8,\"signed\":false,\"kind\":\"int\"}}}";
#define SMALL_ID "00112233445566778899AABBCCDDEEFF-1A"

/* What a tool writes that has names only: the base types are there because the format wants them.
 */
static const char names_isf[] =
    "{\"metadata\":{\"format\":\"6.2.0\",\"windows\":{\"pdb\":{\"GUID\":"
    "\"00112233445566778899aabbccddeeff\",\"age\":26,\"database\":\"a.pdb\",\"machine_type\":34404}"
    "}},"
    "\"symbols\":{\"Alpha\":{\"address\":4096}},\"enums\":{},\"user_types\":{},"
    "\"base_types\":{\"pointer\":{\"size\":8,\"signed\":false,\"kind\":\"int\"}}}";

static const char *format(const struct ds_symbols *s, uint64_t va, char *out, size_t size)
{
    struct ds_buf b;
    ds_buf_init(&b, 4096);
    ds_symbols_format(s, va, &b);
    (void)snprintf(out, size, "%s", ds_buf_text(&b));
    ds_buf_deinit(&b);
    return out;
}

static struct ds_symbols *open_symbols(void)
{
    struct ds_symbols *s = NULL;
    CHECK(ds_symbols_open(&s, NULL) == DS_OK);
    return s;
}

static void module_names(void)
{
    static const char *const cases[][2] = {
        {"ntoskrnl.exe", "nt"},
        {"\\SystemRoot\\system32\\NTKRNLMP.EXE", "nt"},
        {"ntkrpamp.exe", "nt"},
        {"amdppm.sys", "amdppm"},
        {"\\??\\C:\\x\\my-driver.v2.sys", "my_driver_v2"},
        {"noextension", "noextension"},
        {"hal.dll", "hal"},
    };
    struct ds_symbols *s = open_symbols();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char got[64], want[64];
        uint64_t base = 0x10000 * (i + 1);
        CHECK(ds_symbols_add_module(s, cases[i][0], base, 0x1000) == DS_OK);
        (void)snprintf(want, sizeof want, "%s+0xfff", cases[i][1]);
        CHECK_STR(format(s, base + 0xfff, got, sizeof got), want);
        CHECK_STR(format(s, base + 0x1000, got, sizeof got), "");
        CHECK_STR(format(s, base - 1, got, sizeof got), "");
    }
    ds_symbols_close(s);
}

static void overlapping_modules(void)
{
    struct ds_symbols *s = open_symbols();
    struct ds_symbol sym;
    CHECK(ds_symbols_add_module(s, "b.sys", 0x2000, 0x1000) == DS_OK);
    CHECK(ds_symbols_add_module(s, "d.sys", 0x5000, 0x1000) == DS_OK);
    CHECK(ds_symbols_add_module(s, "all.sys", 0x1000, 0x8000) == DS_OK);
    CHECK(ds_symbols_add_module(s, "late.sys", 0x1800, 0x100) == DS_OK);
    CHECK(ds_symbols_add_module(s, "wrap.sys", UINT64_MAX - 0xfff, UINT64_MAX) == DS_OK);
    CHECK(ds_symbols_add_module(s, "none.sys", 0x20000, 0) == DS_INVALID);
    static const struct {
        uint64_t va;
        const char *module;
    } cases[] = {{0x0fff, NULL},  {0x1000, "all"}, {0x1850, "all"}, {0x2000, "b"},
                 {0x2fff, "b"},   {0x3000, "all"}, {0x4fff, "all"}, {0x5000, "d"},
                 {0x6000, "all"}, {0x8fff, "all"}, {0x9000, NULL},  {UINT64_MAX - 1, "wrap"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool found = ds_symbols_find(s, cases[i].va, &sym);
        CHECK(found == (cases[i].module != NULL));
        if (found && cases[i].module != NULL)
            CHECK_STR(sym.module, cases[i].module);
    }
    CHECK(ds_symbols_find(s, 0x3000, &sym) && sym.displacement == 0x2000 &&
          sym.trust == DS_NAME_MODULE && sym.function == NULL);
    ds_symbols_close(s);
}

static void many_modules_end(void)
{
    struct ds_symbols *s = open_symbols();
    enum ds_status status = DS_OK;
    uint64_t i;
    for (i = 0; i < 100000 && status == DS_OK; i++)
        status = ds_symbols_add_module(s, "m.sys", i * 0x100, 0x10000);
    CHECK(status == DS_LIMIT && i > 8192);
    ds_symbols_close(s);
}

static bool write_file(const char *path, const char *text, size_t len)
{
    FILE *f = ds_os_fopen(path, "wb");
    if (f == NULL)
        return false;
    bool ok = fwrite(text, 1, len, f) == len;
    return fclose(f) == 0 && ok;
}

static void small_table(void)
{
    struct ds_symbols *s = open_symbols();
    struct ds_layout *l = NULL;
    struct ds_field f;
    struct ds_err err;
    struct ds_symbol sym;
    char got[128];
    uint64_t va = 0;
    uint32_t size = 0;
    CHECK(write_file("build/symbols_test.json", small_isf, sizeof small_isf - 1));
    CHECK(ds_symbols_add_module(s, "a.sys", 0x100000, 0x10000) == DS_OK);
    CHECK(ds_symbols_set_pdb(s, 0x100000, REAL_ID) == DS_OK);
    CHECK(ds_symbols_load_isf(s, 0x100000, "build/symbols_test.json", &l, &err) == DS_INVALID);
    CHECK(strstr(err.text, SMALL_ID) != NULL);
    CHECK(ds_symbols_set_pdb(s, 0x100000, SMALL_ID) == DS_OK);
    CHECK(ds_symbols_load_isf(s, 0x100000, "build/symbols_test.json", &l, NULL) == DS_OK);
    CHECK_STR(ds_symbols_table_pdb(s, 0x100000), SMALL_ID);
    CHECK_STR(format(s, 0x101000, got, sizeof got), "a!Alpha");
    CHECK_STR(format(s, 0x1010ff, got, sizeof got), "a!Alpha+0xff");
    CHECK_STR(format(s, 0x101100, got, sizeof got), "a!Beta");
    CHECK_STR(format(s, 0x101388, got, sizeof got), "a!_handler");
    CHECK_STR(format(s, 0x100fff, got, sizeof got), "a+0xfff");
    CHECK_STR(format(s, 0x101780, got, sizeof got), "a+0x1780"); /* behind a string literal */
    CHECK(ds_symbols_find(s, 0x101101, &sym) && sym.trust == DS_NAME_SYMBOLS &&
          sym.displacement == 1 && sym.module_base == 0x100000);
    CHECK(ds_symbols_address(s, 0x100000, "AlphaLonger", &va) == DS_OK && va == 0x101000);
    CHECK(ds_symbols_address(s, 0x100000, "handler", &va) == DS_OK && va == 0x101388);
    CHECK(ds_symbols_address(s, 0x100000, "Const", &va) == DS_NO_SYMBOL);
    CHECK(ds_symbols_address(s, 0x200000, "Alpha", &va) == DS_NO_SYMBOL);
    CHECK(ds_layout_trust(l) == DS_TRUST_SYMBOLS);
    CHECK_STR(ds_layout_source(l), "a.pdb/" SMALL_ID);
    CHECK(ds_layout_field(l, "_OUTER", "Zed.Bits", &f) == DS_OK);
    CHECK(f.offset == 12 && f.size == 1 && f.bit_pos == 3 && f.bit_len == 5 && !f.is_signed);
    CHECK(ds_layout_field(l, "_OUTER", "Array", &f) == DS_OK);
    CHECK(f.offset == 24 && f.size == 12 && f.is_signed);
    CHECK(ds_layout_field(l, "_OUTER", "Ptr", &f) == DS_OK && f.size == 8 && f.offset == 0);
    CHECK(ds_layout_field(l, "_OUTER", "E", &f) == DS_OK && f.size == 4 && f.is_signed);
    CHECK(ds_layout_field(l, "_OUTER", "Ptr.Bits", &f) == DS_NO_FIELD);
    CHECK(ds_layout_field(l, "_OUTER", "Array.x", &f) == DS_NO_FIELD);
    CHECK(ds_layout_size(l, "_OUTER", &size) == DS_OK && size == 64);
    CHECK(ds_layout_size(l, "_E", &size) == DS_NO_FIELD);
    ds_layout_close(l);
    ds_symbols_close(s);
    CHECK(ds_os_remove("build/symbols_test.json"));
}

/* Every truncation, and every byte put wrong, is refused or read, never worse. */
static void damaged_tables(void)
{
    char copy[sizeof small_isf];
    struct ds_isf isf;
    struct ds_err err;
    for (size_t len = 0; len < sizeof small_isf - 1; len++)
        CHECK(ds_isf_load_bytes(small_isf, len, "", true, &isf, &err) == DS_CORRUPT);
    for (size_t i = 0; i < sizeof small_isf - 1; i++) {
        static const char wrong[] = {'\0', '"', '9', '{', ']', '\xff'};
        for (size_t k = 0; k < sizeof wrong; k++) {
            memcpy(copy, small_isf, sizeof copy);
            copy[i] = wrong[k];
            if (ds_isf_load_bytes(copy, sizeof copy - 1, "", true, &isf, &err) == DS_OK)
                ds_isf_deinit(&isf);
            else
                CHECK(err.text[0] != '\0');
        }
    }
}

static void real_table(void)
{
    static const struct {
        uint32_t rva;
        const char *name;
    } cases[] = {{0x3f5a80, "nt!KeBugCheckEx"},
                 {0x3cc052, "nt!__C_specific_handler+0xa2"},
                 {0x4031f5, "nt!KiSegmentNotPresentFault+0x335"},
                 {0x317e25, "nt!PspSystemThreadStartup+0x55"},
                 {0x40f4e1, "nt+0x40f4e1"}};
    struct ds_symbols *s;
    struct ds_layout *l = NULL;
    struct ds_field f;
    char got[256];
    uint64_t va = 0;
    if (ds_os_path_kind(REAL_ISF) != DS_OS_PATH_FILE)
        SKIP("no " REAL_ISF);
    s = open_symbols();
    CHECK(ds_symbols_add_module(s, "ntoskrnl.exe", KERNEL, 0x1046000) == DS_OK);
    CHECK(ds_symbols_set_pdb(s, KERNEL, REAL_ID) == DS_OK);
    uint64_t started = ds_os_monotonic_ms();
    CHECK(ds_symbols_load_isf(s, KERNEL, REAL_ISF, &l, NULL) == DS_OK);
    printf("    loaded in %llu ms\n", (unsigned long long)(ds_os_monotonic_ms() - started));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_STR(format(s, KERNEL + cases[i].rva, got, sizeof got), cases[i].name);
    CHECK(ds_symbols_address(s, KERNEL, "KiSystemServiceCopyEnd", &va) == DS_OK);
    CHECK_STR(format(s, va, got, sizeof got), "nt!KiSystemServiceCopyEnd");
    CHECK(ds_layout_trust(l) == DS_TRUST_SYMBOLS);
    CHECK_STR(ds_layout_source(l), "ntkrnlmp.pdb/" REAL_ID);
    CHECK(ds_layout_field(l, "_ETHREAD", "Tcb.Header.Lock", &f) == DS_OK && f.size == 4);
    CHECK(ds_layout_field(l, "_MMPFN", "u4.PteFrame", &f) == DS_OK && f.bit_len == 36);
    CHECK(ds_layout_field(l, "_EPROCESS", "ImageFileName", &f) == DS_OK && f.offset == 0x5a8);
    ds_layout_close(l);
    ds_symbols_close(s);
}

/* Folders for the search; a name that exists already is fine. */
static void make_folder(const char *path)
{
    char command[256];
    (void)snprintf(command, sizeof command, "mkdir \"%s\"", path);
    if (ds_os_path_kind(path) == DS_OS_PATH_NONE)
        CHECK(system(command) == 0);
}

static void expect_found(const char *search_path, const char *pdb, const char *want)
{
    char *found = NULL;
    enum ds_status status = ds_symbols_search(search_path, pdb, SMALL_ID, &found, NULL);
    if (want == NULL) {
        CHECK(status == DS_NOT_FOUND);
        return;
    }
    CHECK(status == DS_OK && found != NULL);
    /* Windows finds a name in any case as it was asked for, others as it is spelt. */
    if (found != NULL && ds_text_casecmp(found, want) != 0)
        CHECK_STR(found, want);
    free(found);
}

static void searching(void)
{
    static const char flat[] = "build/symsearch/" SMALL_ID ".json";
    static const char deep[] = "build/symsearch/A.PDB/00112233445566778899AABBCCDDEEFF-1a.JSON";
    static const char store[] =
        "build/symsearch/b.pdb/00112233445566778899AABBCCDDEEFF1A/b.pdb.json";
    make_folder("build/symsearch");
    make_folder("build/symsearch/A.PDB");
    make_folder("build/symsearch/b.pdb");
    make_folder("build/symsearch/b.pdb/00112233445566778899AABBCCDDEEFF1A");
    CHECK(write_file(flat, small_isf, sizeof small_isf - 1));
    expect_found("build/symsearch", "c.pdb", flat);
    expect_found("build/symsearch/A.PDB", "..", NULL); /* a dump's name leads out of no folder */
    expect_found("build/nosuch;build/symsearch", "c.pdb", flat);
    expect_found("srv*https://example.org/x*build/symsearch", "c.pdb", flat);
    expect_found("cache*build/symsearch", "c.pdb", flat);
    expect_found("SymSrv*symsrv.dll*build/nosuch*build/symsearch", "", flat);
    expect_found("symsrv*build/symsearch", "c.pdb", NULL);
    expect_found(flat, "c.pdb", flat);
    struct ds_err err;
    char *found = NULL;
    CHECK(ds_symbols_search(flat, "c.pdb", REAL_ID, &found, &err) == DS_NOT_FOUND);
    CHECK(strstr(err.text, "is for " SMALL_ID) != NULL);
    CHECK(write_file(deep, small_isf, sizeof small_isf - 1));
    expect_found("build/symsearch", "a.pdb", deep);
    CHECK(write_file(store, small_isf, sizeof small_isf - 1));
    expect_found("build/symsearch", "b.pdb", store);
    expect_found("", "c.pdb", NULL);
    expect_found(";;*;srv;srv*", "c.pdb", NULL);
    expect_found("https://example.org/x", "c.pdb", NULL);
    expect_found("build/symsearch", "../symsearch/a.pdb", NULL);
    CHECK(ds_os_remove(flat) && ds_os_remove(deep) && ds_os_remove(store));
    expect_found("build/symsearch", "a.pdb", NULL);
}

static void names_are_no_layout(void)
{
    struct ds_symbols *s = open_symbols();
    struct ds_layout *l = (struct ds_layout *)s;
    char got[128];
    CHECK(write_file("build/symbols_names.json", names_isf, sizeof names_isf - 1));
    CHECK(ds_symbols_add_module(s, "a.sys", 0x100000, 0x10000) == DS_OK);
    CHECK(ds_symbols_set_pdb(s, 0x100000, SMALL_ID) == DS_OK);
    CHECK(ds_symbols_load_isf(s, 0x100000, "build/symbols_names.json", &l, NULL) == DS_OK);
    CHECK(l == NULL);
    CHECK_STR(format(s, 0x101000, got, sizeof got), "a!Alpha");
    ds_symbols_close(s);
}

TEST_MAIN(TEST(names_are_no_layout), TEST(module_names), TEST(overlapping_modules),
          TEST(many_modules_end), TEST(small_table), TEST(damaged_tables), TEST(real_table),
          TEST(searching))
