/*
 * Random x64 translations, ours and libaddrxlat's over the same tables in memory, as ratios of
 * one run: `make bench-xlat`. Two sets of tables:
 *
 *   machine    a region of virtual memory as a kernel maps it: 256 MiB of tables (65,536 tables of
 *              PTEs, scattered over physical memory) that map 128 GiB, an eighth of it in 2 MiB
 *              pages, a sixteenth of the PTEs not present;
 *   scattered  256 tables of PTEs that random entries of 73 upper tables lead to, again and again:
 *              the tables stay in the processor's cache, and hardly two addresses out of 48 bits
 *              have a table in common, so that every one is walked nearly from the top.
 *
 * Cold: before the pass every cache is emptied, theirs by a new context; each address comes once.
 * Warm: 1,024 pages again and again, after a pass over them. Passes alternate, ours and theirs; a
 * line gives the median of the ratios of the rounds, and the least and greatest.
 */
#include <time.h>

#include "../xlat/image.h"

#define COUNT 1048576u
#define WARM 1024u
#define BATCH 256u
#define ROUNDS 9
#define LEAVES 65536u /* tables of PTEs on the machine */

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* What is measured: our space and the referee over one image. */
struct pair {
    struct image *im;
    struct ds_space *s;
    struct referee r;
    uint64_t root;
    uint64_t *va;
};

static void open_pair(struct pair *p, struct image *im, uint64_t root)
{
    *p = (struct pair){.im = im, .root = root, .va = malloc(COUNT * sizeof(uint64_t))};
    if (p->va == NULL || ds_space_open_paged(im->dump, DS_PAGING_X64, root, &p->s, NULL) != DS_OK)
        abort();
    referee_open(&p->r, im, &modes[2], root);
}

static void close_pair(struct pair *p)
{
    ds_space_close(p->s);
    referee_close(&p->r);
    free(p->va);
    image_close(p->im);
}

static double single(struct pair *p, size_t mask, uint64_t *sum)
{
    double start = now();
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t pa = 0;
        if (ds_space_translate(p->s, p->va[i & mask], &pa, NULL) != DS_OK)
            abort();
        *sum += pa;
    }
    return COUNT / (now() - start);
}

static double batches(struct pair *p, size_t mask, uint64_t *sum)
{
    static uint64_t pa[BATCH];
    static enum ds_status status[BATCH];
    double start = now();
    for (size_t i = 0; i < COUNT; i += BATCH) {
        ds_space_translate_many(p->s, p->va + (i & mask), BATCH, pa, status);
        for (size_t k = 0; k < BATCH; k++) {
            if (status[k] != DS_OK)
                abort();
            *sum += pa[k];
        }
    }
    return COUNT / (now() - start);
}

static double theirs(struct pair *p, size_t mask, uint64_t *sum)
{
    double start = now();
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t pa = 0;
        if (!referee_walk(&p->r, p->va[i & mask], &pa))
            abort();
        *sum += pa;
    }
    return COUNT / (now() - start);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef double pass_fn(struct pair *p, size_t mask, uint64_t *sum);

static void measure(struct pair *p, pass_fn *ours, const char *what, const char *goal, size_t count,
                    bool cold)
{
    double ratio[ROUNDS], best = 0, other = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t a = 0, b = 0;
        if (cold) {
            ds_space_flush(p->s);
            referee_close(&p->r);
            referee_open(&p->r, p->im, &modes[2], p->root);
        } else {
            ours(p, count - 1, &a);
            theirs(p, count - 1, &b);
        }
        double x = ours(p, count - 1, &a), y = theirs(p, count - 1, &b);
        ratio[i] = x / y;
        best = x > best ? x : best;
        other = y > other ? y : other;
        if (a != b) {
            printf("the translations differ\n");
            exit(1);
        }
    }
    qsort(ratio, ROUNDS, sizeof *ratio, by_value);
    printf("%-28s %8.1f M/s %8.1f M/s %7.1fx %5.1f to %5.1f  %s\n", what, best / 1e6, other / 1e6,
           ratio[ROUNDS / 2], ratio[0], ratio[ROUNDS - 1], goal);
}

/* The machine's tables: pages 0 to LEAVES - 1 in a random order are those of PTEs, and behind
 * them the directories, one after the other. Returns the root. */
static uint64_t machine_tables(struct image *im)
{
    uint32_t *order = malloc(LEAVES * sizeof *order);
    uint64_t directories = LEAVES / 512, top = LEAVES + directories;
    if (order == NULL)
        abort();
    for (uint32_t i = 0; i < LEAVES; i++) {
        uint32_t j = (uint32_t)(random64(im) % (i + 1u));
        order[i] = order[j];
        order[j] = i;
    }
    uint8_t *file = im->file + BODY;
    for (uint64_t i = 0; i < LEAVES; i++) {
        uint64_t entry = (uint64_t)order[i] << 12 | 0x63;
        if (random64(im) % 8 == 0)
            entry = (random64(im) & 0xfffe00000u) | 0xe3;
        ds_put_le64(file + LEAVES * 4096u + i * 8, entry);
        for (unsigned k = 0; k < 512; k++) {
            uint64_t r = random64(im);
            ds_put_le64(file + i * 4096 + k * 8,
                        (r & 0xffffff000u) | (r >> 60 == 0 ? 0x80u : 0x8000000000000063u));
        }
    }
    for (uint64_t i = 0; i < directories; i++)
        ds_put_le64(file + top * 4096 + i * 8, (LEAVES + i) << 12 | 0x63);
    ds_put_le64(file + (top + 1) * 4096 + 0x1c0 * 8, top << 12 | 0x63);
    free(order);
    return (top + 1) << 12;
}

/* Random addresses that translate. */
static void choose(struct pair *p, bool machine)
{
    uint64_t pa;
    for (size_t i = 0; i < COUNT;) {
        p->va[i] = machine ? 0xffffe00000000000u | random64(p->im) % ((uint64_t)LEAVES << 21)
                           : random_va(p->im, &modes[2]);
        i += ds_space_translate(p->s, p->va[i], &pa, NULL) == DS_OK;
    }
}

int main(void)
{
    struct image im;
    struct pair p;
    printf("%-28s %12s %12s %8s %14s  %s\n", "x64 translations", "ours", "libaddrxlat", "ratio",
           "of the rounds", "goal");
    image_open(&im, LEAVES + LEAVES / 512 + 2);
    open_pair(&p, &im, machine_tables(&im));
    choose(&p, true);
    measure(&p, single, "machine, cold, one by one", "at least 8x", COUNT, true);
    measure(&p, batches, "machine, cold, batches", "at least 8x", COUNT, true);
    measure(&p, single, "machine, warm", "at least 20x", WARM, false);
    close_pair(&p);
    image_open(&im, 512);
    open_pair(&p, &im, random_tables(&im, &modes[2]));
    choose(&p, false);
    measure(&p, single, "scattered, cold, one by one", "", COUNT, true);
    measure(&p, batches, "scattered, cold, batches", "", COUNT, true);
    measure(&p, single, "scattered, warm", "", WARM, false);
    close_pair(&p);
    return 0;
}
