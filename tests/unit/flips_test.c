/* Wrong bits: what is found, and that values of no meaning are not. */
#include "kernel_maker.h"

#include "nt/hardware.h"

/* The flips of a crash that touched `address`, in a kernel with a stack. */
static size_t medium_flips(uint64_t address, struct ds_bit_flip *first)
{
    struct kernel k;
    kernel_open(&k);
    kernel_bugcheck(&k, 0xd1, address, 2, 0, DRIVER_BASE + 0x1100);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_bit_flips *f = ds_nt_bit_flips(nt);
    size_t n = 0;
    CHECK(f->walk.complete);
    for (size_t i = 0; i < f->count; i++) {
        CHECK_U64(f->rows[i].value ^ f->rows[i].expected, (uint64_t)1 << f->rows[i].bit);
        CHECK(f->rows[i].chance > 0 && f->rows[i].chance <= 1);
        if (strcmp(f->rows[i].confidence, "medium") == 0 && n++ == 0 && first != NULL)
            *first = f->rows[i];
    }
    ds_nt_close(nt);
    kernel_close(&k);
    return n;
}

static void a_bit_of_an_address_that_is_mapped_is_found(void)
{
    struct ds_bit_flip f;
    CHECK_U64(medium_flips(PROCESS(0) ^ 0x40000000000, &f), 1);
    CHECK_U64(f.bit, 42);
    CHECK_U64(f.expected, PROCESS(0));
    CHECK_STR(f.kind, "mapped");
    CHECK_STR(f.subject, "fault address");
}

static void two_bits_low_bits_and_null_are_not(void)
{
    CHECK_U64(medium_flips(PROCESS(0) ^ 0x60000000000, NULL), 0);
    CHECK_U64(medium_flips(PROCESS(0) ^ 0x40000000, NULL), 0);
    CHECK_U64(medium_flips(PROCESS(0) ^ 0x100000000, NULL), 1); /* nothing within 1 GB of it */
    CHECK_U64(medium_flips(0x28, NULL), 0);
    CHECK_U64(medium_flips(UINT64_MAX, NULL), 0);
    CHECK_U64(medium_flips(PROCESS(0), NULL), 0);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Values of no meaning: kernel addresses, any bits, and text. */
static void values_of_no_meaning_have_no_neighbour(void)
{
    uint64_t state = 0x9e3779b97f4a7c15;
    size_t found = 0;
    for (unsigned i = 0; i < 1000; i++) {
        found += medium_flips(next_random(&state) | 0xffff800000000000, NULL) > 0;
        found += medium_flips(next_random(&state), NULL) > 0;
        found +=
            medium_flips((next_random(&state) & 0x0f0f0f0f0f0f0f0f) | 0x4040404040404040, NULL) > 0;
    }
    CHECK_U64(found, 0);
}

TEST_MAIN(TEST(a_bit_of_an_address_that_is_mapped_is_found),
          TEST(two_bits_low_bits_and_null_are_not), TEST(values_of_no_meaning_have_no_neighbour))
