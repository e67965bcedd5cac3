/* The bootstrap when the header is missing, wrong or contradicted. */
#include "kernel_maker.h"
#include "target/kdbg_cipher.h"
#include "target/target.h"

static struct kernel k;

#define FLAG_VA (KERNEL_BASE + 0xc50ba0u)
#define NEVER 0x2f6e1c5a9d3b7048u
#define ALWAYS 0x51c3a7e90d4f2b86u

static bool step_is(const struct ds_target *t, const char *what, const char *method,
                    enum ds_status status)
{
    const struct ds_step *s = kernel_step(t, what, method);
    return s != NULL && s->status == status;
}

static const char *step_trust(const struct ds_target *t, const char *what, const char *method)
{
    const struct ds_step *s = kernel_step(t, what, method);
    return s != NULL ? s->trust : "no such step";
}

static void header_put(size_t offset, uint64_t value)
{
    ds_put_le64(k.m.file + offset, value);
}

#define DTB 0x10
#define MODULES 0x20
#define PROCESSES 0x28
#define KDBG 0x80

/* KUSER_SHARED_DATA as it reads in every Windows: system root, version. */
static void shared_data(void)
{
    static const uint8_t root[] = {'C', 0, ':', 0, '\\', 0};
    maker_write(&k.m, SHARED_DATA + 0x30, root, sizeof(root));
    maker_put(&k.m, SHARED_DATA + 0x260, 19041, 4);
    maker_put(&k.m, SHARED_DATA + 0x26c, 10, 4);
}

/* The name by which the export table knows a kernel. */
static void kernel_name(void)
{
    maker_put(&k.m, KERNEL_BASE + 0x98 + 112, 0x3000, 4);
    maker_put(&k.m, KERNEL_BASE + 0x98 + 116, 0x100, 4);
    maker_put(&k.m, KERNEL_BASE + 0x3000 + 12, 0x3040, 4);
    maker_write(&k.m, KERNEL_BASE + 0x3040, "ntoskrnl.exe", 13);
}

static void kernel_found_anyway(struct ds_target *t)
{
    CHECK(t->kernel_base.known);
    CHECK_U64(t->kernel_base.value, KERNEL_BASE);
    CHECK_U64(t->dtb.value, k.m.dtb);
    CHECK_U64(t->kdbg.value, KDBG_VA);
    CHECK(t->version_exact);
    CHECK_U64(t->module_count, 3);
    CHECK(t->modules_walk.complete);
    CHECK(step_is(t, "invariants", "process list", DS_OK));
}

/* Words made by the fixture builder, which has a decoder's inverse of its own. */
static void test_cipher(void)
{
    static const uint64_t encoded[] = {0x2117c82d96c7aa7fu, 0x2117c82d96c7aa7fu,
                                       0xde5c8cafd1415180u, 0x2117c82d84c7aa7fu};
    uint8_t block[32];
    struct ds_kdbg_cipher keys = ds_kdbg_cipher_of_keys(NEVER, ALWAYS, 0xfffff80613850ba0u);
    struct ds_kdbg_cipher solved = {0};
    for (size_t i = 0; i < 4; i++)
        ds_put_le64(block + i * 8, encoded[i]);
    CHECK(ds_kdbg_solve(encoded[2], encoded[3], 0xfffff80612c00000u, &solved));
    CHECK_U64(solved.rotation, keys.rotation);
    CHECK_U64(solved.key, keys.key);
    ds_kdbg_decode(&solved, block, sizeof(block));
    CHECK_U64(ds_le64(block), 0xfffff80600c00000u);
    CHECK_U64(ds_le32(block + 16), DS_KDBG_TAG);
    CHECK_U64(ds_le32(block + 20), 0x380);
    CHECK_U64(ds_le64(block + 24), 0xfffff80612c00000u);
    CHECK(!ds_kdbg_solve(encoded[2], encoded[3], 0xfffff80612c01000u, &solved));
    CHECK(!ds_kdbg_solve(encoded[2] ^ 1, encoded[3], 0xfffff80612c00000u, &solved));
    CHECK(!ds_kdbg_solve(0, 0, 0, &solved));
}

static uint64_t rotate(uint64_t v, unsigned n)
{
    return n == 0 ? v : v >> n | v << (64 - n);
}

/* Encodes the block in place, by the published decoding turned around step by step. */
static void encode_kdbg(void)
{
    for (uint64_t at = 0; at < 0x380; at += 8) {
        uint8_t *p = maker_va(&k.m, KDBG_VA + at);
        uint64_t v = ds_le64(p) ^ ALWAYS, swapped = 0;
        for (unsigned i = 0; i < 8; i++)
            swapped |= (v >> (8 * i) & 0xff) << (56 - 8 * i);
        v = rotate(swapped ^ FLAG_VA, NEVER & 0x3f) ^ NEVER;
        ds_put_le64(p, v);
    }
}

static void test_encoded(void)
{
    kernel_open(&k);
    encode_kdbg();
    maker_put(&k.m, FLAG_VA, 1, 1);
    struct ds_target *t = kernel_target(&k);
    kernel_found_anyway(t);
    CHECK(t->kdbg_encoded);
    CHECK(step_is(t, "kdbg", "header", DS_OK));
    CHECK_STR(step_trust(t, "kdbg", "header"), "verified");
    CHECK(step_is(t, "kdbg", "keys", DS_OK) || !step_is(t, "kdbg", "keys", DS_CORRUPT));
    ds_target_close(t);
    header_put(KDBG, 0); /* and nobody says where */
    t = kernel_target(&k);
    kernel_found_anyway(t);
    ds_target_close(t);
    /* Of a kernel that no list knows: searched for in its image. */
    maker_put(&k.m, KERNEL_BASE + 0x88, 0x55555555, 4);
    t = kernel_target(&k);
    CHECK_U64(t->kdbg.value, KDBG_VA);
    CHECK(step_is(t, "kdbg", "kernel image scan", DS_OK));
    CHECK(t->kdbg_encoded);
    ds_target_close(t);
    kernel_close(&k);
}

static void test_no_directory(void)
{
    kernel_open(&k);
    shared_data();
    for (unsigned i = 0; i < 3; i++) {
        static const uint64_t wrong[] = {0, 0x4547415045474150u, 0x1f0000};
        header_put(DTB, wrong[i]);
        struct ds_target *t = kernel_target(&k);
        kernel_found_anyway(t);
        CHECK(step_is(t, "dtb", "shared data scan", DS_OK));
        CHECK_STR(step_trust(t, "dtb", "shared data scan"), "verified");
        bool noted =
            ds_integrity_find(ds_dump_integrity(t->dump), "header.dtb_leads_nowhere") != NULL;
        CHECK(noted == (i == 2)); /* zero and filler are no claim */
        ds_target_close(t);
    }
    ds_put_le64(maker_pa(&k.m, k.m.dtb) + 0x1f6 * 8, k.m.dtb | 0x63);
    struct ds_target *t = kernel_target(&k);
    CHECK(step_is(t, "dtb", "self-map scan", DS_OK));
    kernel_found_anyway(t);
    ds_target_close(t);
    kernel_close(&k);
}

static void test_start_block(void)
{
    kernel_open(&k);
    uint64_t pa = maker_page(&k.m);
    while (pa < 0x100000 && pa % 0x1000 != 0)
        pa = maker_page(&k.m);
    uint8_t *block = maker_pa(&k.m, pa);
    ds_put_le64(block, 0x00000001000600e9u | 0x4d00);
    ds_put_le64(block + 0x70, KERNEL_BASE + 0x99c010u);
    ds_put_le64(block + 0xa0, k.m.dtb);
    header_put(DTB, 0);
    struct ds_target *t = kernel_target(&k);
    CHECK(step_is(t, "dtb", "start block", DS_OK));
    kernel_found_anyway(t);
    ds_target_close(t);
    kernel_close(&k);
}

/* Nothing of the header is left but its form. */
static void test_no_header_at_all(void)
{
    kernel_open(&k);
    shared_data();
    kernel_name();
    header_put(DTB, 0);
    header_put(MODULES, 0);
    header_put(PROCESSES, 0);
    header_put(KDBG, 0);
    ds_put_le32(k.m.file + 0x0c, 0x45474150); /* build */
    struct ds_target *t = kernel_target(&k);
    CHECK(step_is(t, "kernel_base", "image scan", DS_OK));
    kernel_found_anyway(t);
    CHECK_U64(t->build.value, 19041);
    ds_target_close(t);
    /* Nor is there any KDDEBUGGER_DATA64, nor a kernel of the list. */
    maker_put(&k.m, KDBG_VA + 0x10, 0, 4);
    maker_put(&k.m, KERNEL_BASE + 0x88, 0x55555555, 4);
    struct ds_nt *nt = kernel_nt(&k);
    t = ds_nt_target(nt);
    CHECK(!t->kdbg.known);
    CHECK_U64(t->kernel_base.value, KERNEL_BASE);
    CHECK(step_is(t, "modules", "kernel image scan", DS_OK));
    CHECK_U64(t->module_count, 3);
    CHECK(step_is(t, "processes", "kernel image scan", DS_OK));
    CHECK_U64(ds_nt_processes(nt)->count, 3);
    CHECK(step_is(t, "processors", "kernel image scan", DS_OK));
    CHECK_U64(ds_nt_processors(nt)->count, 2);
    ds_nt_close(nt);
    kernel_close(&k);
}

static struct ds_target *with(struct ds_opt dtb, struct ds_opt base, struct ds_opt kdbg)
{
    struct ds_target *t = NULL;
    struct ds_target_options o = {.overrides = {dtb, base, kdbg}};
    CHECK(ds_target_open(maker_dump(&k.m), &o, &t, NULL) == DS_OK);
    return t;
}

static void test_overrides(void)
{
    const struct ds_opt none = ds_opt_unknown(DS_OK);
    kernel_open(&k);
    header_put(DTB, 0x1f0000);
    struct ds_target *t = with(ds_opt_known(k.m.dtb | 2), none, none);
    kernel_found_anyway(t);
    CHECK_STR(step_trust(t, "dtb", "option"), "verified");
    CHECK(ds_integrity_find(ds_dump_integrity(t->dump), "option.dtb") == NULL);
    ds_target_close(t);
    header_put(DTB, k.m.dtb);
    t = with(ds_opt_known(0x1f0000), none, none); /* used all the same */
    CHECK_U64(t->dtb.value, 0x1f0000);
    CHECK_STR(step_trust(t, "dtb", "option"), "unverified");
    CHECK(ds_integrity_find(ds_dump_integrity(t->dump), "option.dtb") != NULL);
    CHECK(ds_integrity_worst(ds_dump_integrity(t->dump)) == DS_INTEGRITY_NOTE ||
          ds_integrity_find(ds_dump_integrity(t->dump), "option.dtb")->level == DS_INTEGRITY_NOTE);
    ds_target_close(t);
    header_put(KDBG, 0xfffff80700000000u);
    t = with(none, ds_opt_known(KERNEL_BASE), ds_opt_known(KDBG_VA));
    kernel_found_anyway(t);
    CHECK_STR(step_trust(t, "kdbg", "option"), "verified");
    CHECK_STR(step_trust(t, "kernel_base", "option"), "likely"); /* an image without a name */
    ds_target_close(t);
    t = with(none, ds_opt_known(DRIVER_BASE + 0x1000), none);
    CHECK_U64(t->kernel_base.value, DRIVER_BASE + 0x1000);
    CHECK_STR(step_trust(t, "kernel_base", "option"), "unverified");
    CHECK(ds_integrity_find(ds_dump_integrity(t->dump), "option.kernel_base") != NULL);
    ds_target_close(t);
    t = with(none, none, ds_opt_known(PROCESS(0)));
    CHECK_U64(t->kdbg.value, PROCESS(0));
    CHECK(ds_integrity_find(ds_dump_integrity(t->dump), "option.kdbg") != NULL);
    ds_target_close(t);
    kernel_close(&k);
}

/* Thousands of pages that look like page directories, images and debugger data. */
static void test_hostile_memory(void)
{
    kernel_open(&k);
    shared_data();
    kernel_name();
    header_put(DTB, 0);
    header_put(KDBG, 0);
    header_put(MODULES, 0);
    for (uint64_t va = KERNEL_BASE - 0x40000; va < KERNEL_BASE; va += 0x1000) {
        uint8_t *entry = maker_entry(&k.m, va, 1); /* images of nothing */
        ds_put_le64(entry, ds_le64(maker_entry(&k.m, DRIVER_BASE, 1)));
    }
    while (k.m.next_pa + 4096 <= (uint64_t)MAKER_PAGES * 4096) {
        uint64_t pa = maker_page(&k.m);
        uint8_t *page = maker_pa(&k.m, pa);
        for (size_t i = 0; i < 512; i++) /* every entry leads back to the page */
            ds_put_le64(page + i * 8, pa | 0x63);
    }
    struct ds_target *t = kernel_target(&k);
    CHECK_U64(t->kernel_base.value, KERNEL_BASE);
    CHECK_U64(t->dtb.value, k.m.dtb);
    ds_target_close(t);
    kernel_close(&k);
}

TEST_MAIN(TEST(test_cipher), TEST(test_encoded), TEST(test_no_directory), TEST(test_start_block),
          TEST(test_no_header_at_all), TEST(test_overrides), TEST(test_hostile_memory))
