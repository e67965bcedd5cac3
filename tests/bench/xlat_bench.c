/*
 * Random x64 translations a second, ours and libaddrxlat's over the same tables in memory, as
 * ratios of one run. Cold: addresses from all over 48 bits, each once, so that no cache of
 * translations helps. Warm: a thousand pages again and again.
 */
#include <time.h>

#include "../xlat/image.h"

#define COUNT 1048576u
#define WARM 1024u

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Random addresses that translate. */
static void choose(struct image *im, struct ds_space *s, uint64_t *va, size_t count)
{
    uint64_t pa;
    for (size_t i = 0; i < count;) {
        va[i] = random_va(im, &modes[2]);
        i += ds_space_translate(s, va[i], &pa, NULL) == DS_OK;
    }
    ds_space_flush(s);
}

static double ours(struct ds_space *s, const uint64_t *va, size_t mask, uint64_t *sum)
{
    double start = now();
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t pa = 0;
        if (ds_space_translate(s, va[i & mask], &pa, NULL) != DS_OK)
            abort();
        *sum += pa;
    }
    return COUNT / (now() - start);
}

static double theirs(struct referee *r, const uint64_t *va, size_t mask, uint64_t *sum)
{
    double start = now();
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t pa = 0;
        if (!referee_walk(r, va[i & mask], &pa))
            abort();
        *sum += pa;
    }
    return COUNT / (now() - start);
}

int main(void)
{
    struct image im;
    struct referee r;
    struct ds_space *s;
    uint64_t sum_a = 0, sum_b = 0;
    static uint64_t va[COUNT];
    image_open(&im, 512);
    uint64_t root = random_tables(&im, &modes[2]);
    if (ds_space_open_paged(im.dump, DS_PAGING_X64, root, &s, NULL) != DS_OK)
        abort();
    referee_open(&r, &im, &modes[2], root);
    choose(&im, s, va, COUNT);
    double cold = ours(s, va, COUNT - 1, &sum_a);
    double other = theirs(&r, va, COUNT - 1, &sum_b);
    ours(s, va, WARM - 1, &sum_a);
    double warm = ours(s, va, WARM - 1, &sum_a);
    theirs(&r, va, WARM - 1, &sum_b);
    double other_warm = theirs(&r, va, WARM - 1, &sum_b);
    printf("translations a second: cold %.1f M, warm %.1f M; libaddrxlat %.1f M, %.1f M\n",
           cold / 1e6, warm / 1e6, other / 1e6, other_warm / 1e6);
    printf("ratio to libaddrxlat: cold %.1f (goal 8), warm %.1f (goal 20)\n", cold / other,
           warm / other_warm);
    ds_space_close(s);
    referee_close(&r);
    image_close(&im);
    return sum_a == sum_b ? 0 : 1;
}
