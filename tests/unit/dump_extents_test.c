#include "test.h"

#include "dump/extents.h"

/* Against the plain rule, byte by byte: the first piece that holds an address answers; one that
 * is lost answers only where no other does. */
#define SPACE 256u

static uint32_t seed = 12345;

static uint32_t next_random(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

struct oracle {
    uint64_t offset[SPACE];
    uint8_t state[SPACE]; /* 0 none, 1 lost, 2 there */
};

static void oracle_add(struct oracle *o, uint32_t start, uint32_t size, uint64_t off, bool lost)
{
    for (uint32_t a = start; a < start + size && a < SPACE; a++) {
        if (o->state[a] == 2 || (lost && o->state[a] == 1))
            continue;
        o->state[a] = lost ? 1 : 2;
        o->offset[a] = off + (a - start);
    }
}

static size_t count_wrong(struct ds_extents *e, const struct oracle *o)
{
    size_t wrong = 0;
    for (uint32_t a = 0; a < SPACE; a++) {
        const struct ds_extent *x = ds_extents_find(e, a);
        int state = x == NULL ? 0 : x->rank & DS_EXTENT_LOST ? 1 : 2;
        wrong += state != o->state[a];
        if (state == 2 && o->state[a] == 2)
            wrong += x->file_offset + (a - x->start) != o->offset[a];
    }
    return wrong;
}

static void random_overlaps_follow_the_rule(void)
{
    for (int round = 0; round < 2000; round++) {
        struct ds_extents e = {0};
        struct oracle o = {0};
        uint32_t n = 1 + next_random(12);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t start = next_random(SPACE), size = next_random(80);
            if (size > SPACE - start)
                size = SPACE - start;
            bool lost = next_random(4) == 0;
            oracle_add(&o, start, size, 1000u * i, lost);
            CHECK(ds_extents_add(&e, start, size, 1000u * i, lost, 100) == DS_OK);
        }
        CHECK(ds_extents_build(&e) == DS_OK);
        CHECK_U64(count_wrong(&e, &o), 0);
        for (size_t i = 1; i < e.map_count; i++)
            CHECK(e.map[i - 1].start + e.map[i - 1].size <= e.map[i].start);
        CHECK(e.map_count <= 2 * e.piece_count);
        ds_extents_deinit(&e);
    }
}

static void pieces_are_capped_and_never_wrap(void)
{
    struct ds_extents e = {0};
    CHECK(ds_extents_add(&e, UINT64_MAX - 10, UINT64_MAX, 0, false, 2) == DS_OK);
    CHECK(ds_extents_add(&e, 5, 0, 0, false, 2) == DS_OK);
    CHECK_U64(e.piece_count, 1);
    CHECK(ds_extents_add(&e, 5, 1, 0, false, 2) == DS_OK);
    CHECK(ds_extents_add(&e, 6, 1, 0, false, 2) == DS_LIMIT);
    CHECK(ds_extents_build(&e) == DS_OK);
    CHECK(ds_extents_find(&e, UINT64_MAX - 1) != NULL);
    CHECK(ds_extents_find(&e, UINT64_MAX) == NULL);
    CHECK(ds_extents_find(&e, 4) == NULL && ds_extents_find(&e, 5) != NULL);
    ds_extents_deinit(&e);
}

static void an_empty_map_answers(void)
{
    struct ds_extents e = {0};
    uint8_t b;
    uint64_t fault = 0;
    CHECK(ds_extents_read(&e, NULL, 7, &b, 1, &fault) == DS_NOT_IN_DUMP && fault == 7);
    ds_extents_deinit(&e);
}

TEST_MAIN(TEST(random_overlaps_follow_the_rule), TEST(pieces_are_capped_and_never_wrap),
          TEST(an_empty_map_answers))
