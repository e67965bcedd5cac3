/* Address spaces of processes, VADs, who shares a page, maps: on a made kernel, and made to lie. */
#include "kernel_maker.h"
#include "memory/regions.h"
#include "memory/words.h"
#include "nt/sharing.h"
#include "nt/spaces.h"

#define VAD(n) (0xffffc08000500000u + (uint64_t)(n)*0x100)
#define PROTOTYPES 0xffffc08000510000u
#define PFNS 0xffffc08000600000u
#define USER 0x0000000012340000u

static struct kernel k;
static struct ds_nt *nt;

static void vad(unsigned n, uint64_t first, uint64_t last, uint64_t left, uint64_t right)
{
    static const char type[] = "_MMVAD_SHORT";
    kernel_set(&k, VAD(n), type, "StartingVpn", first & UINT32_MAX);
    kernel_set(&k, VAD(n), type, "StartingVpnHigh", first >> 32);
    kernel_set(&k, VAD(n), type, "EndingVpn", last & UINT32_MAX);
    kernel_set(&k, VAD(n), type, "EndingVpnHigh", last >> 32);
    maker_ptr(&k.m, VAD(n) + kernel_offset(&k, type, "VadNode"), left);
    maker_ptr(&k.m, VAD(n) + kernel_offset(&k, type, "VadNode") + 8, right);
    maker_put(&k.m, VAD(n) + 0xf8, 0, 8);
}

static void root(uint64_t node)
{
    maker_ptr(&k.m, PROCESS(0) + kernel_offset(&k, "_EPROCESS", "VadRoot"), node);
}

/* Three ranges: 10-1f below, 12340-1234f on top, 7ff000000-7ff0000ff above. */
static void start(void)
{
    kernel_open(&k);
    vad(0, 0x12340, 0x1234f, VAD(1), VAD(2));
    vad(1, 0x10, 0x1f, 0, 0);
    vad(2, 0x7ff000000, 0x7ff0000ff, 0, 0);
    root(VAD(0));
}

static void stop(void)
{
    ds_nt_close(nt);
    kernel_close(&k);
}

static struct ds_walk vads_walk(uint64_t eprocess, size_t *count)
{
    struct ds_vads v;
    ds_nt_vads(nt, eprocess, &v);
    *count = v.count;
    struct ds_walk w = v.walk;
    ds_vads_deinit(&v);
    return w;
}

static void vads_come_in_order(void)
{
    start();
    kernel_set(&k, VAD(1), "_MMVAD_SHORT", "u.VadFlags.PrivateMemory", 1);
    kernel_set(&k, VAD(1), "_MMVAD_SHORT", "u.VadFlags.Protection", 4);
    nt = kernel_nt(&k);
    struct ds_vads v;
    ds_nt_vads(nt, PROCESS(0), &v);
    CHECK(v.walk.complete);
    CHECK_U64(v.count, 3);
    CHECK_U64(v.rows[0].start, 0x10000);
    CHECK_U64(v.rows[0].end, 0x1ffff);
    CHECK_U64(v.rows[0].level, 2);
    CHECK_STR(ds_vad_type_name(&v.rows[0]), "private");
    CHECK_STR(ds_protection_name((unsigned)v.rows[0].protection.value), "READWRITE");
    CHECK(!v.rows[0].first_prototype.known);
    CHECK_U64(v.rows[1].start, 0x12340000);
    CHECK_U64(v.rows[1].level, 1);
    CHECK_U64(v.rows[2].end, 0x7ff0000fffffu);
    ds_vads_deinit(&v);
    struct ds_vad found;
    CHECK(ds_nt_vad_find(nt, PROCESS(0), 0x7ff000000000u, &found) == DS_OK);
    CHECK_U64(found.vad, VAD(2));
    CHECK(ds_nt_vad_find(nt, PROCESS(0), 0x20000, &found) == DS_NOT_FOUND);
    struct ds_buf b;
    ds_buf_init(&b, 1024);
    CHECK(ds_nt_vad_find(nt, PROCESS(0), 0x10000, &found) == DS_OK);
    CHECK(ds_nt_vad_file(nt, &found, &b) == DS_NOT_FOUND && b.len == 0);
    ds_buf_deinit(&b);
    stop();
}

static void trees_that_lie_end(void)
{
    size_t count;
    struct ds_vad found;
    start(); /* a child that is its own parent */
    vad(1, 0x10, 0x1f, VAD(0), 0);
    nt = kernel_nt(&k);
    CHECK(vads_walk(PROCESS(0), &count).stop_reason == DS_LOOP);
    CHECK_U64(count, 0);
    CHECK(ds_nt_vad_find(nt, PROCESS(0), 0x1000, &found) == DS_LOOP);
    stop();
    start(); /* right of a node stands what belongs left of it */
    vad(2, 0x5, 0x6, 0, 0);
    nt = kernel_nt(&k);
    CHECK(vads_walk(PROCESS(0), &count).stop_reason == DS_CORRUPT);
    CHECK_U64(count, 2);
    stop();
    start(); /* a range that ends before it begins */
    vad(1, 0x1f, 0x10, 0, 0);
    nt = kernel_nt(&k);
    struct ds_walk w = vads_walk(PROCESS(0), &count);
    CHECK(w.stop_reason == DS_CORRUPT && w.stop_address.value == VAD(1));
    stop();
    start(); /* a node that is nowhere */
    vad(0, 0x12340, 0x1234f, 0xffffc0800fff0000u, VAD(2));
    nt = kernel_nt(&k);
    CHECK(vads_walk(PROCESS(0), &count).stop_reason == DS_NOT_MAPPED);
    CHECK(vads_walk(0x10, &count).stop_reason == DS_NOT_MAPPED);
    CHECK(vads_walk(UINT64_MAX - 7, &count).stop_reason != DS_OK);
    stop();
    start();
    root(0);
    nt = kernel_nt(&k);
    CHECK(vads_walk(PROCESS(0), &count).complete);
    CHECK_U64(count, 0);
    stop();
}

static void vads_say_what_page_tables_do_not(void)
{
    struct ds_explanation e;
    struct ds_vad v;
    bool has;
    start();
    kernel_set(&k, VAD(0), "_MMVAD", "FirstPrototypePte", PROTOTYPES);
    maker_put(&k.m, PROTOTYPES, 0x0000000000005860, 8); /* transition */
    maker_put(&k.m, PROTOTYPES + 8, 0x8000000000006121u, 8);
    ds_put_le64(maker_entry(&k.m, USER, 1), 0xffffffff00000480u);
    nt = kernel_nt(&k);
    struct ds_space *s = ds_nt_target(nt)->kernel;
    ds_nt_explain(nt, PROCESS(0), s, USER + 0x123, &e, &v, &has);
    CHECK(has && v.vad == VAD(0));
    CHECK(e.status == DS_OK && e.fault.state == DS_PTE_TRANSITION);
    CHECK_U64(e.pa, 0x5123);
    CHECK_U64(e.fault.prototype.value, PROTOTYPES);
    CHECK_U64(e.steps[e.count - 1].level, 0);
    ds_nt_explain(nt, PROCESS(0), s, USER + 0x1000, &e, &v, &has);
    CHECK(e.status == DS_OK);
    CHECK_U64(e.pa, 0x6000);
    ds_nt_explain(nt, PROCESS(0), s, USER + 0x2000, &e, &v, &has);
    CHECK(e.status == DS_NOT_MAPPED && e.fault.state == DS_PTE_EMPTY);
    ds_nt_explain(nt, PROCESS(0), s, 0x30000, &e, &v, &has);
    CHECK(!has && e.status != DS_OK);
    stop();
}

static void spaces_are_kept_and_bounded(void)
{
    struct ds_space *s, *again;
    start();
    nt = kernel_nt(&k);
    struct ds_space *kernel = ds_nt_target(nt)->kernel;
    CHECK(ds_nt_space_of(nt, PROCESS(1), &s) == DS_OK && s == kernel);
    CHECK(ds_nt_space_at(nt, k.m.dtb | 0x8000000000000002u, &s) == DS_OK && s == kernel);
    for (unsigned i = 1; i < 40; i++) {
        CHECK(ds_nt_space_at(nt, i * 0x1000000ull, &s) == DS_OK);
        CHECK_U64(ds_space_dtb(s), i * 0x1000000ull);
        CHECK(ds_nt_space_at(nt, i * 0x1000000ull | 0xfff, &again) == DS_OK && s == again);
    }
    CHECK(ds_nt_space_of(nt, 16, &s) == DS_NOT_MAPPED);
    CHECK(!ds_nt_user_dtb(nt, PROCESS(0)).known);
    CHECK(ds_nt_user_dtb(nt, PROCESS(0)).why == DS_NOT_FOUND);
    stop();
}

static struct ds_share shared(uint64_t va, struct ds_page_view *a, struct ds_page_view *b)
{
    ds_nt_page_view(nt, PROCESS(0), va, a);
    ds_nt_page_view(nt, PROCESS(1), va, b);
    return ds_nt_share(a, b);
}

/* A second address space that has only its own page for USER. */
static uint64_t other_space(uint64_t entry)
{
    uint64_t top = maker_page(&k.m), dtb = k.m.dtb;
    memcpy(maker_pa(&k.m, top) + 2048, maker_pa(&k.m, dtb) + 2048, 2048);
    k.m.dtb = top;
    ds_put_le64(maker_entry(&k.m, USER, 1), entry);
    k.m.dtb = dtb;
    kernel_set(&k, PROCESS(1), "_KPROCESS", "DirectoryTableBase", top);
    return top;
}

static void sharing_is_told_by_evidence(void)
{
    struct ds_page_view a, b;
    start();
    kernel_kdbg(&k, "MmPfnDatabase", PFNS);
    maker_ptr(&k.m, PFNS, PFNS + 0x1000);
    kernel_set(&k, VAD(0), "_MMVAD", "FirstPrototypePte", PROTOTYPES);
    maker_ptr(&k.m, PROCESS(1) + kernel_offset(&k, "_EPROCESS", "VadRoot"), VAD(0));
    ds_put_le64(maker_entry(&k.m, USER, 1), 0x8000000000004225u); /* copy on write */
    kernel_set(&k, PFNS + 0x1000 + 4 * 48, "_MMPFN", "u2.ShareCount", 2);
    maker_put(&k.m, PFNS + 0x1000 + 5 * 48, 0, 8);
    other_space(0x8000000000004225u);
    nt = kernel_nt(&k);
    struct ds_share s = shared(USER, &a, &b);
    CHECK(s.verdict == DS_SHARING_SAME && s.copy_pending);
    CHECK_U64(a.pfn.share_count.value, 2);
    CHECK_U64(a.frame.value, 4);
    ds_nt_close(nt);
    other_space(0x8000000000005867u); /* b wrote: frame 5 is its own */
    maker_put(&k.m, PFNS + 0x1000 + 4 * 48 + kernel_offset(&k, "_MMPFN", "u4.PrototypePte"),
              1ull << 63, 8);
    kernel_set(&k, PFNS + 0x1000 + 4 * 48, "_MMPFN", "PteAddress", PROTOTYPES);
    nt = kernel_nt(&k);
    s = shared(USER, &a, &b);
    CHECK(s.verdict == DS_SHARING_COPIED && !s.copied_a && s.copied_b);
    struct ds_buf words;
    ds_buf_init(&words, 1024);
    ds_share_words(&s, "one", "two", &words);
    CHECK_STR(ds_buf_text(&words),
              "copy on write done: two has a copy of its own, one the section's page");
    ds_buf_deinit(&words);
    ds_nt_close(nt);
    other_space(0x00012345000000a0u); /* b's copy is in the page file */
    nt = kernel_nt(&k);
    s = shared(USER, &a, &b);
    CHECK(s.verdict == DS_SHARING_COPIED && s.copied_b && !b.frame.known);
    ds_nt_close(nt);
    other_space(0); /* b has nothing yet, but the same prototype PTE */
    nt = kernel_nt(&k);
    CHECK(shared(USER, &a, &b).verdict == DS_SHARING_SECTION);
    CHECK(shared(0x20000, &a, &b).verdict == DS_SHARING_ABSENT);
    ds_nt_page_view(nt, 16, USER, &b);
    CHECK(b.space_status == DS_NOT_MAPPED);
    CHECK(ds_nt_share(&a, &b).verdict == DS_SHARING_UNKNOWN);
    CHECK(!ds_nt_pfn(nt, UINT64_MAX).address.known);
    CHECK(ds_nt_pfn(nt, 1 << 20).address.known && !ds_nt_pfn(nt, 1 << 20).share_count.known);
    stop();
}

static void maps_join_and_end(void)
{
    struct ds_space_iter it = {.va = 0, .end = 0x7fffffffffffu};
    struct ds_region_map r;
    start();
    for (unsigned i = 0; i < 4; i++) { /* equal rights, places that do not follow */
        ds_put_le64(maker_entry(&k.m, USER + i * 0x1000, 1), (0x9000 - i * 0x2000) | 0x67);
    }
    ds_put_le64(maker_entry(&k.m, USER + 0x4000, 1), 0xa025);
    ds_put_le64(maker_entry(&k.m, USER + 0x5000, 1), 0x80);
    for (int level = 4; level > 1; level--) {
        uint8_t *at = maker_entry(&k.m, USER, level);
        ds_put_le64(at, ds_le64(at) | 4);
    }
    nt = kernel_nt(&k);
    struct ds_space *s = ds_nt_target(nt)->kernel;
    CHECK(ds_space_next_region(s, &it, &r) == DS_OK);
    CHECK_U64(r.va, USER);
    CHECK_U64(r.size, 0x4000);
    CHECK_U64(r.rights, DS_RIGHT_WRITE | DS_RIGHT_EXECUTE | DS_RIGHT_USER);
    CHECK(ds_space_next_region(s, &it, &r) == DS_OK);
    CHECK_U64(r.size, 0x1000);
    CHECK_U64(r.rights, DS_RIGHT_EXECUTE | DS_RIGHT_USER);
    CHECK(ds_space_next_region(s, &it, &r) == DS_OK);
    CHECK(r.state == DS_PTE_DEMAND_ZERO && r.rights == 0);
    CHECK(ds_space_next_region(s, &it, &r) == DS_NOT_FOUND);
    ds_nt_close(nt);
    /* Two tables that lead to each other: every way through them is cut at its first return, and
     * what is left over at the limit. */
    uint64_t one = maker_page(&k.m), two = maker_page(&k.m);
    for (unsigned i = 0; i < 512; i++) {
        ds_put_le64(maker_pa(&k.m, one) + i * 8, two | 0x67);
        ds_put_le64(maker_pa(&k.m, two) + i * 8, one | 0x67);
    }
    ds_put_le64(maker_entry(&k.m, 0x8000000000u, 4), one | 0x67);
    nt = kernel_nt(&k);
    s = ds_nt_target(nt)->kernel;
    it = (struct ds_space_iter){.va = 0x8000000000u, .end = 0x7fffffffffffu, .limit = 10000};
    CHECK(ds_space_next_region(s, &it, &r) == DS_OK);
    CHECK(r.status == DS_LOOP);
    while (ds_space_next_region(s, &it, &r) == DS_OK) {
        CHECK(it.entries < 20000);
    }
    stop();
}

TEST_MAIN(TEST(vads_come_in_order), TEST(trees_that_lie_end),
          TEST(vads_say_what_page_tables_do_not), TEST(spaces_are_kept_and_bounded),
          TEST(sharing_is_told_by_evidence), TEST(maps_join_and_end))
