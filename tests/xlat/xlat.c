/*
 * Our page walk against libaddrxlat's: random page tables in every mode, all page sizes, random
 * addresses; the same answer or the same refusal for each. usage: xlat TRANSLATIONS-PER-MODE
 */
#include "image.h"

#define ROUNDS 8 /* sets of tables a mode */
#define SHOWN 10 /* mismatches printed */

struct tally {
    uint64_t done, mapped, large, bad;
};

static void check_one(struct ds_space *s, struct referee *r, const struct mode *mode, uint64_t va,
                      struct tally *t)
{
    uint64_t ours = 0, theirs = 0;
    bool arm = mode->paging == DS_PAGING_ARM64;
    bool got = ds_space_translate(s, va, &ours, NULL) == DS_OK;
    /* The referee has one root and takes the bits that index the tables only. */
    bool want = referee_walk(r, arm ? va & 0x0000ffffffffffffu : va, &theirs);
    t->done++;
    t->mapped += got;
    if (got != want || (got && ours != theirs)) {
        if (t->bad++ < SHOWN)
            printf("    %s %016llx: %s %llx, libaddrxlat %s %llx\n", mode->name,
                   (unsigned long long)va, got ? "mapped" : "refused", (unsigned long long)ours,
                   want ? "mapped" : "refused", (unsigned long long)theirs);
    }
}

/* The explaining walk comes to the same end as the fast one. */
static void check_explained(struct ds_space *s, uint64_t va, struct tally *t)
{
    struct ds_explanation e;
    uint64_t pa = 0;
    enum ds_status status = ds_space_translate(s, va, &pa, NULL);
    ds_space_explain(s, va, &e);
    t->large += e.status == DS_OK && e.page_size > 4096;
    if (e.status != status || (status == DS_OK && e.pa != pa)) {
        t->bad++;
        printf("    %016llx: explained differently\n", (unsigned long long)va);
    }
}

/* Many at once come to the same as one by one, with whatever is kept from before. */
static void check_many(struct image *im, struct ds_space *many, struct ds_space *one,
                       const struct mode *mode, struct tally *t)
{
    uint64_t va[100], pa[100], want = 0;
    enum ds_status status[100];
    size_t count = 1 + random64(im) % 100;
    if (random64(im) % 8 == 0)
        ds_space_flush(many);
    for (size_t i = 0; i < count; i++)
        va[i] = i % 4 == 3 ? va[i - 1] ^ 0x1000 : random_va(im, mode);
    ds_space_translate_many(many, va, count, pa, status);
    for (size_t i = 0; i < count; i++) {
        t->done++;
        if (ds_space_translate(one, va[i], &want, NULL) != status[i] ||
            (status[i] == DS_OK && pa[i] != want)) {
            t->bad++;
            printf("    %016llx: otherwise among many\n", (unsigned long long)va[i]);
        }
    }
}

static void run_mode(struct image *im, const struct mode *mode, uint64_t count)
{
    struct tally t = {0};
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct ds_space *s, *many;
        struct referee r;
        uint64_t root = random_tables(im, mode);
        if (ds_space_open_paged(im->dump, mode->paging, root, &s, NULL) != DS_OK ||
            ds_space_open_paged(im->dump, mode->paging, root, &many, NULL) != DS_OK)
            abort();
        referee_open(&r, im, mode, root);
        for (uint64_t i = 0; i < count / ROUNDS; i++) {
            uint64_t va = random_va(im, mode);
            check_one(s, &r, mode, va, &t);
            if (i % 4 == 0) /* a neighbour: the caches answer */
                check_one(s, &r, mode, va ^ (random64(im) & 0x1fff), &t);
            if (i % 16 == 0)
                check_explained(s, va, &t);
            if (i % 256 == 0)
                check_many(im, many, s, mode, &t);
            if (i % 64 == 0 && mode->paging != DS_PAGING_ARM64)
                check_one(s, &r, mode, va ^ (uint64_t)1 << 62, &t); /* not canonical */
        }
        referee_close(&r);
        ds_space_close(s);
        ds_space_close(many);
    }
    bool enough = t.mapped > t.done / 4 && t.mapped < t.done && t.large != 0;
    printf("%s xlat_%s: %llu translations, %llu mapped, %llu mismatches%s\n",
           t.bad == 0 && enough ? "ok" : "FAIL", mode->name, (unsigned long long)t.done,
           (unsigned long long)t.mapped, (unsigned long long)t.bad,
           enough ? "" : " (the tables do not test enough)");
}

int main(int argc, char **argv)
{
    struct image im;
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    image_open(&im, 512);
    for (size_t i = 0; i < MODES; i++)
        run_mode(&im, &modes[i], count);
    image_close(&im);
    return 0;
}
