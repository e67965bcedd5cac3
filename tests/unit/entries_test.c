/* Lists walked from both ends: loops, cuts, links that lead elsewhere, pages that are missing. */
#include "memory/entries.h"

#include "maker.h"
#include "memory/paging.h"
#include "test.h"

#define VA 0xfffff80012345000u
#define NODE(i) (VA + (uint64_t)(i)*0x20)
#define FAR(i) (VA + 0x40000 + (uint64_t)(i)*0x1000) /* each in a page of its own */
#define NODES 10                                     /* the head, and nine entries */

static struct maker m;
static struct ds_dump *dump;
static struct ds_space *space;
static struct ds_entries e;

static void link_nodes(uint64_t (*node)(int i))
{
    for (int i = 0; i < NODES; i++) {
        maker_ptr(&m, node(i), node((i + 1) % NODES));
        maker_ptr(&m, node(i) + 8, node((i + NODES - 1) % NODES));
    }
}

static uint64_t near_node(int i)
{
    return NODE(i);
}

static uint64_t far_node(int i)
{
    return FAR(i);
}

static void begin(void)
{
    maker_open(&m);
    link_nodes(near_node);
}

static void flink(int i, uint64_t to)
{
    maker_ptr(&m, NODE(i), to);
}

static void blink(int i, uint64_t to)
{
    maker_ptr(&m, NODE(i) + 8, to);
}

static const char *walk(uint64_t head, size_t limit)
{
    static char text[DS_ENTRIES_TEXT];
    dump = maker_dump(&m);
    CHECK(ds_space_open_paged(dump, DS_PAGING_X64, m.dtb, &space, NULL) == DS_OK);
    ds_entries_walk(&e, space, head, limit);
    ds_entries_describe(&e, text);
    for (size_t i = 0; i < e.count; i++) { /* no entry twice, and never the head */
        CHECK(e.at[i] != head);
        for (size_t k = 0; k < i; k++) {
            CHECK(e.at[i] != e.at[k]);
        }
    }
    CHECK(e.by_flink <= e.count);
    return text;
}

static void end(void)
{
    ds_entries_deinit(&e);
    ds_space_close(space);
    ds_dump_close(dump);
    maker_close(&m);
}

/* All nine, in order; the first `by_flink` by Flink. */
static void check_all(size_t by_flink)
{
    CHECK(e.end.status == DS_OK);
    CHECK_U64(e.count, NODES - 1);
    CHECK_U64(e.by_flink, by_flink);
    for (size_t i = 0; i < e.count && i < NODES - 1; i++) {
        CHECK_U64(e.at[i], NODE(i + 1));
    }
}

static void test_whole(void)
{
    begin();
    CHECK_STR(walk(VA, 100), "");
    check_all(9);
    CHECK(ds_entries_agree(&e) && ds_entries_close(&e));
    ds_entries_walk(&e, space, VA, 100); /* again, into the same */
    check_all(9);
    end();

    begin();
    flink(0, VA);
    blink(0, VA);
    CHECK_STR(walk(VA, 100), "");
    CHECK_U64(e.count, 0);
    CHECK(ds_entries_agree(&e));
    end();
}

static void test_flink_breaks(void)
{
    static const uint64_t bad[] = {0,      0x4141414141414141u, VA + 0x900000, NODE(4) + 1, NODE(4),
                                   NODE(2)};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        begin();
        flink(4, bad[i]);
        CHECK_STR(walk(VA, 100), "Flink breaks behind fffff80012345080; resumed by Blink from the "
                                 "other end, 5 entries");
        check_all(4);
        CHECK_U64(e.bad_link, NODE(4));
        CHECK(e.blink_closes && !ds_entries_agree(&e) && !ds_entries_close(&e));
        end();
    }
}

static void test_flink_breaks_at_the_ends(void)
{
    begin();
    flink(0, 0);
    (void)walk(VA, 100);
    check_all(0);
    CHECK_U64(e.bad_link, VA);
    end();

    begin();
    flink(9, VA + 0x900000);
    CHECK_STR(walk(VA, 100),
              "Flink breaks behind fffff80012345120; resumed by Blink from the other end, 0 "
              "entries");
    check_all(9);
    end();
}

/* What the bad link leads to reads like a list of its own, and is none of ours. */
static void test_flink_into_another_list(void)
{
    begin();
    flink(4, NODE(20));
    maker_ptr(&m, NODE(20), NODE(21));
    maker_ptr(&m, NODE(20) + 8, NODE(21));
    maker_ptr(&m, NODE(21), NODE(20));
    maker_ptr(&m, NODE(21) + 8, NODE(20));
    (void)walk(VA, 100);
    check_all(4);
    CHECK_U64(e.bad_link, NODE(4));
    end();
}

static void test_both_break(void)
{
    begin();
    flink(3, 0);
    blink(7, 0);
    CHECK_STR(walk(VA, 100), "Flink breaks behind fffff80012345060; Blink led to 3 more and broke "
                             "before it came there");
    CHECK(e.end.status == DS_CORRUPT);
    CHECK_U64(e.count, 6);
    CHECK_U64(e.by_flink, 3);
    CHECK_U64(e.at[3], NODE(7));
    CHECK_U64(e.at[5], NODE(9));
    CHECK(!e.blink_closes);
    end();

    begin(); /* Blink lies and leads behind the break: what is between is still missing */
    flink(3, 0);
    blink(7, NODE(2));
    (void)walk(VA, 100);
    CHECK(e.end.status == DS_CORRUPT);
    CHECK_U64(e.count, 6);
    end();

    begin(); /* two that loop in themselves */
    flink(3, NODE(3));
    blink(7, NODE(7));
    (void)walk(VA, 100);
    CHECK(e.end.status == DS_LOOP);
    CHECK_U64(e.count, 6);
    end();

    begin(); /* two Flinks break: the Blinks are whole */
    flink(3, 0);
    flink(6, 0);
    (void)walk(VA, 100);
    check_all(3);
    end();
}

static void test_blink_only(void)
{
    begin(); /* Flink passes node 5 by; Blink does not */
    flink(4, NODE(6));
    CHECK_STR(walk(VA, 100), "1 found by Blink only: Flink passes it by");
    CHECK(e.end.status == DS_OK);
    CHECK_U64(e.count, 9);
    CHECK_U64(e.by_flink, 8);
    CHECK_U64(e.at[8], NODE(5));
    CHECK_U64(e.bad_blink, NODE(6));
    CHECK(!ds_entries_agree(&e) && ds_entries_close(&e));
    end();

    begin(); /* taken out of both */
    flink(4, NODE(6));
    blink(6, NODE(4));
    CHECK_STR(walk(VA, 100), "");
    CHECK_U64(e.count, 8);
    CHECK(ds_entries_agree(&e));
    end();

    begin(); /* a Blink that lies hides and adds nothing */
    blink(6, NODE(30));
    maker_ptr(&m, NODE(30), NODE(31));
    CHECK_STR(walk(VA, 100), "a Blink in the list does not point back");
    check_all(9);
    CHECK(!ds_entries_close(&e));
    end();

    begin();
    blink(6, VA + 0x900000);
    CHECK_STR(walk(VA, 100), "a Blink in the list does not point back");
    check_all(9);
    end();
}

/* Pages that exist and were not captured: the addresses of their entries are known all the same. */
static void test_page_missing(void)
{
    maker_open(&m);
    link_nodes(far_node);
    ds_put_le64(maker_entry(&m, FAR(4), 1), 0x7ffff000 | 0x63);
    (void)walk(FAR(0), 100);
    CHECK(e.end.status == DS_OK);
    CHECK_U64(e.count, 9);
    CHECK_U64(e.by_flink, 4);
    CHECK_U64(e.at[3], FAR(4));
    CHECK_U64(e.at[4], FAR(5));
    CHECK_U64(e.bad_link, FAR(4));
    end();

    maker_open(&m);
    link_nodes(far_node);
    ds_put_le64(maker_entry(&m, FAR(4), 1), 0x7ffff000 | 0x63);
    ds_put_le64(maker_entry(&m, FAR(6), 1), 0x7fffe000 | 0x63);
    (void)walk(FAR(0), 100);
    CHECK(e.end.status == DS_NOT_IN_DUMP);
    CHECK_U64(e.end.address, FAR(4));
    CHECK_U64(e.count, 8); /* 5 lies between the two */
    CHECK_U64(e.at[4], FAR(6));
    end();
}

static void test_limit(void)
{
    begin();
    (void)walk(VA, 5);
    CHECK(e.end.status == DS_LIMIT);
    CHECK_U64(e.count, 5);
    end();

    begin();
    flink(2, 0);
    (void)walk(VA, 5);
    CHECK(e.end.status != DS_OK);
    CHECK(e.count <= 5);
    end();
}

/* Every single link of every node, bent in every way: what is found are entries of the list, and
 * one bad link loses none. */
static void test_one_bad_link(void)
{
    for (int node = 0; node < NODES; node++) {
        for (int back = 0; back < 2; back++) {
            for (int to = 0; to < NODES + 2; to++) {
                begin();
                uint64_t target = to < NODES ? NODE(to) : to == NODES ? 0 : VA + 0x900000;
                (back ? blink : flink)(node, target);
                (void)walk(VA, 100);
                CHECK(e.end.status == DS_OK);
                CHECK_U64(e.count, NODES - 1);
                end();
            }
        }
    }
}

/* Two bad links anywhere: bounded, no entry twice, none that is not in the list. */
static void test_two_bad_links(void)
{
    for (int first = 0; first < 2 * NODES; first++) {
        for (int second = 0; second < 2 * NODES; second++) {
            begin();
            (first % 2 ? blink : flink)(first / 2, NODE((first * 7 + second) % NODES));
            (second % 2 ? blink : flink)(second / 2, NODE((second * 3 + first) % NODES));
            (void)walk(VA, 100);
            CHECK(e.count <= NODES - 1);
            end();
        }
    }
}

TEST_MAIN(TEST(test_whole), TEST(test_flink_breaks), TEST(test_flink_breaks_at_the_ends),
          TEST(test_flink_into_another_list), TEST(test_both_break), TEST(test_blink_only),
          TEST(test_page_missing), TEST(test_limit), TEST(test_one_bad_link),
          TEST(test_two_bad_links))
