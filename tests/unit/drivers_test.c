/* Whose driver is it, and whether its stamp is a date. */
#include "nt/drivers.h"

#include "kernel_maker.h"

static struct kernel k;

/* The dump's time: 2021-02-21. */
#define NOW 0x1d707f23dbb3399u
#define STAMP_2019 0x5cac6bc4u /* 2019-04-09 09:54:12 UTC */

static void set_driver(const char *name, uint32_t stamp)
{
    kernel_module(&k, 2, DRIVER_BASE, DRIVER_SIZE, stamp, name);
    ds_put_le64(k.m.file + 0xfa8, NOW);
}

/* A debug directory with one entry of the type, at RVA 0x1000. */
static void set_debug(uint32_t type)
{
    kernel_image(&k, DRIVER_BASE, STAMP_2019, DRIVER_SIZE);
    if (type == 0)
        return;
    maker_put(&k.m, DRIVER_BASE + 0x98 + 112 + 48, 0x1000, 4);
    maker_put(&k.m, DRIVER_BASE + 0x98 + 116 + 48, 28, 4);
    maker_put(&k.m, DRIVER_BASE + 0x1000 + 12, type, 4);
}

static struct ds_driver driver(struct ds_nt *nt)
{
    const struct ds_driver *all = ds_nt_drivers(nt);
    CHECK(all != NULL);
    CHECK(ds_nt_drivers(nt) == all); /* read once */
    CHECK_U64(all[2].module->base, DRIVER_BASE);
    return all[2];
}

static void expect(const char *name, uint32_t stamp, int debug, const char *kind, bool built)
{
    kernel_open(&k);
    set_driver(name, stamp);
    if (debug >= 0)
        set_debug((uint32_t)debug);
    else
        maker_put(&k.m, DRIVER_BASE, 0, 2); /* no headers there any more */
    struct ds_nt *nt = kernel_nt(&k);
    struct ds_driver d = driver(nt);
    if (strcmp(d.timestamp_kind, kind) != 0)
        printf("    %s %x: %s\n", name, (unsigned)stamp, d.timestamp_reason);
    CHECK_STR(d.timestamp_kind, kind);
    CHECK(d.timestamp_reason != NULL && d.timestamp_reason[0] != '\0');
    CHECK(d.built.known == built);
    CHECK(d.age_days.known == built);
    if (built)
        CHECK_U64(d.age_days.value, 683);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void a_stamp_is_a_date_only_where_it_can_be_one(void)
{
    expect("fab.sys", STAMP_2019, 2, "date", true);
    expect("fab.sys", STAMP_2019, 0, "date", true); /* no debug directory at all */
    expect("fab.sys", STAMP_2019, 16, "hash", false);
    expect("fab.sys", STAMP_2019, -1, "probable date", true);
    expect("tcpip.sys", STAMP_2019, -1, "unknown", false);
    expect("TCPIP.SYS", STAMP_2019, -1, "unknown", false);
    expect("dump_storport.sys", STAMP_2019, -1, "unknown", false);
    expect("tcpip.sys", STAMP_2019, 2, "date", true);
    expect("fab.sys", 0, -1, "not a date", false);
    expect("fab.sys", 0x30e7227fu, -1, "not a date", false); /* one second before 1996 */
    expect("fab.sys", 0x6034d1cfu, -1, "not a date", false); /* two days after the dump */
    expect("fab.sys", UINT32_MAX, 2, "not a date", false);
}

static void names_are_hints(void)
{
    kernel_open(&k);
    set_driver("vmci.sys", STAMP_2019);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_driver *all = ds_nt_drivers(nt);
    CHECK(all[0].in_box.known && all[0].in_box.value == 1 && all[0].in_box_source != NULL);
    CHECK(all[2].in_box.known && all[2].in_box.value == 0 && all[2].in_box_source == NULL);
    CHECK_STR(all[2].listed_maker, "VMware, Inc.");
    CHECK(all[2].company == NULL && all[2].file_version == NULL && all[2].version_why != DS_OK);
    CHECK(ds_in_box_find("afd.sys") != NULL && ds_in_box_find("AFD.SYS") != NULL);
    CHECK(ds_in_box_find("") == NULL && ds_in_box_find("afd.sys2") == NULL);
    CHECK(ds_maker_find("afd.sys") == NULL);
    ds_nt_close(nt);
    kernel_close(&k);
}

/* Both tables are searched by halves: they must ascend. */
static void the_tables_ascend(void)
{
    for (size_t i = 1; i < ds_in_box_count; i++)
        CHECK(strcmp(ds_in_box_table[i - 1].name, ds_in_box_table[i].name) < 0);
    for (size_t i = 0; i < ds_in_box_count; i++)
        CHECK(ds_in_box_find(ds_in_box_table[i].name) != NULL);
    for (size_t i = 0; i < ds_maker_count; i++)
        CHECK(ds_maker_find(ds_maker_table[i].name) == ds_maker_table[i].text);
}

static void without_memory_everything_is_unknown(void)
{
    kernel_open(&k);
    k.m.captured = 0;
    struct ds_nt *nt = kernel_nt(&k);
    CHECK(ds_nt_target(nt)->module_count != 0 || ds_nt_drivers(nt) == NULL);
    ds_nt_close(nt);
    kernel_close(&k);
}

TEST_MAIN(TEST(a_stamp_is_a_date_only_where_it_can_be_one), TEST(names_are_hints),
          TEST(the_tables_ascend), TEST(without_memory_everything_is_unknown))
