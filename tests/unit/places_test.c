/* What lies at an address, the symbols around it, and structures listed member by member. */
#include "nt/address_place.h"

#include "kernel_maker.h"
#include "symbols/layout_walk.h"

#define POOL 0xffffc08000800000u

static struct kernel k;
static struct ds_place places[DS_PLACES_MAX];

static size_t look(uint64_t va)
{
    struct ds_nt *nt = kernel_nt(&k);
    size_t count = ds_nt_places(nt, va, places);
    ds_nt_close(nt);
    return count;
}

static void addresses_are_placed(void)
{
    static const struct {
        uint64_t va;
        const char *kind;
        uint64_t start;
    } cases[] = {
        {DRIVER_BASE + 0x10, "module", DRIVER_BASE},
        {0xfffff80600000000u, "unloaded module", 0xfffff80600000000u},
        {ENTRY(1) + 8, "loader entry", ENTRY(1)},
        {PROCESS(1) + 0x20, "process", PROCESS(1)},
        {PRCB(1) + 8, "processor", PRCB(1)},
        {THREAD(2) + 0x40, "thread", THREAD(2)},
        {STACK_TOP(2) - 8, "kernel stack", STACK_TOP(2) - 0x6000},
        {SHARED_DATA + 4, "shared user data", SHARED_DATA},
    };
    kernel_open(&k);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_U64(look(cases[i].va), 1);
        CHECK_STR(places[0].kind, cases[i].kind);
        CHECK_U64(places[0].start, cases[i].start);
        CHECK(places[0].end > cases[i].va);
    }
    CHECK_U64(look(STACK_TOP(2)), 0); /* the first byte past it */
    CHECK_U64(look(0x1000), 0);
    CHECK_U64(look(DRIVER_BASE + DRIVER_SIZE), 0);
    CHECK_U64(look(THREAD(2) + 0x40), 1);
    CHECK_U64(places[0].owner.value, PROCESS(0));
    kernel_close(&k);
}

/* A block of `size` bytes after one of `previous`. */
static void block(uint64_t va, uint64_t previous, uint64_t size, uint32_t tag)
{
    maker_put(&k.m, va, 0, 8);
    maker_put(&k.m, va + 8, 0, 8);
    kernel_set(&k, va, "_POOL_HEADER", "PreviousSize", previous / 16);
    kernel_set(&k, va, "_POOL_HEADER", "BlockSize", size / 16);
    kernel_set(&k, va, "_POOL_HEADER", "PoolTag", tag);
}

static void pool_blocks_are_found_by_their_chain(void)
{
    kernel_open(&k);
    maker_put(&k.m, POOL + 0xff8, 0, 8);
    block(POOL, 0, 0x200, 0x6b6e7546);
    block(POOL + 0x200, 0x200, 0x400, 0x6d6d614b);
    block(POOL + 0x600, 0x400, 0xa00, 0x20202041);
    CHECK_U64(look(POOL + 0x250), 1);
    CHECK_STR(places[0].kind, "pool block");
    CHECK_STR(places[0].tag, "Kamm");
    CHECK_U64(places[0].start, POOL + 0x200);
    CHECK_U64(places[0].end, POOL + 0x600);
    block(POOL + 0x600, 0x300, 0xa00, 0x20202041); /* says that the one before is shorter */
    CHECK_U64(look(POOL + 0x700), 0);
    block(POOL + 0x600, 0x400, 0, 0x20202041); /* does not end */
    CHECK_U64(look(POOL + 0x700), 0);
    block(POOL + 0x600, 0x400, 0xb00, 0x20202041); /* goes past the page */
    CHECK_U64(look(POOL + 0x700), 0);
    kernel_close(&k);
}

static void nothing_is_placed_without_memory(void)
{
    kernel_open(&k);
    for (size_t i = 0; i < 8; i++)
        k.m.file[0x10 + i] = 0x55; /* a page directory that is not there */
    (void)look(THREAD(1));
    (void)look(UINT64_MAX);
    kernel_close(&k);
}

struct compare {
    const struct ds_layout *layout;
    const char *type;
    size_t members, differences, types;
};

static bool compare_member(const struct ds_member *m, void *arg)
{
    struct compare *c = arg;
    struct ds_field f;
    bool same = ds_layout_field(c->layout, c->type, m->name, &f) == DS_OK &&
                f.offset == m->field.offset && f.size == m->field.size &&
                f.bit_pos == m->field.bit_pos && f.bit_len == m->field.bit_len &&
                f.is_signed == m->field.is_signed && f.unverified == m->field.unverified;
    c->members++;
    c->differences += !same || m->type[0] == '\0' || m->count == 0;
    return true;
}

static bool compare_type(const char *name, uint32_t size, void *arg)
{
    struct compare *c = arg;
    (void)size;
    c->type = name;
    c->types++;
    c->differences += ds_layout_members(c->layout, name, compare_member, c) != DS_OK;
    return true;
}

static void members_are_those_that_are_found_by_name(void)
{
    for (uint32_t i = 0; i < ds_profile_count(); i++) {
        struct compare c = {0};
        struct ds_layout *l;
        CHECK(ds_layout_open_profile(i, &l, NULL) == DS_OK);
        c.layout = l;
        ds_layout_types(l, compare_type, &c);
        CHECK(c.types > 50 && c.members > 1000);
        CHECK_U64(c.differences, 0);
        ds_layout_close(l);
    }
}

struct words {
    const char *member, *type;
    bool found;
};

static bool check_words(const struct ds_member *m, void *arg)
{
    struct words *w = arg;
    if (strcmp(m->name, w->member) == 0) {
        w->found = true;
        CHECK_STR(m->type, w->type);
    }
    return true;
}

static void types_are_in_the_debuggers_words(void)
{
    struct words cases[] = {{"Header", "_DISPATCHER_HEADER", false},
                            {"State", "UChar", false},
                            {"SuspendCount", "Char", false},
                            {"KernelTime", "Uint4B", false},
                            {"WaitStatus", "Int8B", false},
                            {"Process", "Ptr64 _KPROCESS", false},
                            {"KernelStack", "Ptr64 Void", false},
                            {"WaitBlock", "[4] _KWAIT_BLOCK", false},
                            {"KernelStackResident", "Pos 17, 1 Bit", false}};
    kernel_open(&k);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(ds_layout_members(k.layout, "_KTHREAD", check_words, &cases[i]) == DS_OK);
        CHECK(cases[i].found);
    }
    CHECK(ds_layout_members(k.layout, "_NOTHING", check_words, cases) == DS_NO_FIELD);
    CHECK(ds_layout_members(NULL, "_KTHREAD", check_words, cases) == DS_NO_FIELD);
    kernel_close(&k);
}

TEST_MAIN(TEST(addresses_are_placed), TEST(pool_blocks_are_found_by_their_chain),
          TEST(nothing_is_placed_without_memory), TEST(members_are_those_that_are_found_by_name),
          TEST(types_are_in_the_debuggers_words))
