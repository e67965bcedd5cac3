/*
 * Reading captured physical memory through the public API: `make bench-read`.
 *
 *     read_bench FOLDER
 *
 * Makes (once) a kernel bitmap dump of 65,536 pages in short runs of 1 to 32 pages with holes
 * between them, as real kernel dumps have, and an ELF dump of the same pages. Both are read from
 * the page cache. Each measurement is a child process from open to close, and rounds alternate:
 * the median of the ratios within a round is printed, and the least and greatest.
 *
 *   in order   every captured page, against `cat FILE >/dev/null`
 *   random     65,536 reads of 4096 bytes, against libkdumpfile over the ELF dump, if it was there
 *              at build time
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "dumpscan/dumpscan.h"

#if __has_include(<libkdumpfile/kdumpfile.h>)
#include <libkdumpfile/kdumpfile.h>
#define HAVE_PEER 1
#else
#define HAVE_PEER 0
#endif

#define PAGES 65536u
#define RUNS_MAX PAGES
#define ROUNDS 9
#define AT_ONCE 64u

static char dump_path[512], elf_path[512];
static struct run {
    uint64_t first, count;
} runs[RUNS_MAX];
static size_t run_count;
static uint32_t pfns[PAGES];

static uint64_t random64(void)
{
    static uint64_t seed = 0x9e3779b97f4a7c15u;
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * 0x2545f4914f6cdd1du;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void plan(void)
{
    uint64_t pfn = 1, left = PAGES;
    while (left > 0) {
        uint64_t count = 1 + random64() % 32;
        count = count < left ? count : left;
        for (uint64_t i = 0; i < count; i++)
            pfns[PAGES - left + i] = (uint32_t)(pfn + i);
        runs[run_count++] = (struct run){pfn, count};
        pfn += count + 1 + random64() % 16;
        left -= count;
    }
}

static void need(bool good, const char *what)
{
    if (!good) {
        perror(what);
        exit(1);
    }
}

static void write_pages(FILE *f)
{
    static uint64_t page[512];
    for (uint32_t i = 0; i < PAGES; i++) {
        for (size_t k = 0; k < 512; k++)
            page[k] = random64();
        page[0] = pfns[i];
        need(fwrite(page, sizeof page, 1, f) == 1, "write");
    }
}

static void make_dump(void)
{
    uint64_t bits = pfns[PAGES - 1] + 1u, size = (bits + 7) / 8;
    uint64_t first = (0x2038 + size + 4095) & ~(uint64_t)4095;
    uint8_t *head = calloc(1, first);
    FILE *f = fopen(dump_path, "wb");
    need(head != NULL && f != NULL, dump_path);
    for (size_t i = 0; i < 0x2000; i += 4)
        ds_put_le32(head + i, 0x45474150);
    memcpy(head, "PAGEDU64", 8);
    ds_put_le32(head + 0x30, 0x8664);
    ds_put_le32(head + 0xf98, 6);
    ds_put_le64(head + 0xfa0, first + (uint64_t)PAGES * 4096);
    memcpy(head + 0x2000, "SDMPDUMP", 8);
    ds_put_le64(head + 0x2020, first);
    ds_put_le64(head + 0x2028, PAGES);
    ds_put_le64(head + 0x2030, bits);
    for (uint32_t i = 0; i < PAGES; i++)
        head[0x2038 + pfns[i] / 8] |= (uint8_t)(1u << pfns[i] % 8);
    need(fwrite(head, first, 1, f) == 1, "write");
    write_pages(f);
    need(fclose(f) == 0, "close");
    free(head);
}

/* ELF64, x86-64, one PT_LOAD a run. Source: the ELF specification, "ELF-64 Object File Format". */
static void make_elf(void)
{
    size_t heads = 64 + run_count * 56, first = (heads + 4095) & ~(size_t)4095, at = first;
    uint8_t *head = calloc(1, first);
    FILE *f = fopen(elf_path, "wb");
    need(head != NULL && f != NULL, elf_path);
    memcpy(head, "\177ELF\2\1\1", 7);
    ds_put_le32(head + 16, 4 | 62 << 16); /* ET_CORE, EM_X86_64 */
    ds_put_le32(head + 20, 1);
    ds_put_le64(head + 32, 64); /* e_phoff */
    ds_put_le32(head + 52, 64 | 56 << 16);
    ds_put_le32(head + 56, (uint32_t)run_count);
    for (size_t i = 0; i < run_count; i++) {
        uint8_t *p = head + 64 + i * 56;
        ds_put_le32(p, 1); /* PT_LOAD */
        ds_put_le64(p + 8, at);
        ds_put_le64(p + 24, runs[i].first << 12);
        ds_put_le64(p + 32, runs[i].count << 12);
        ds_put_le64(p + 40, runs[i].count << 12);
        at += runs[i].count << 12;
    }
    need(fwrite(head, first, 1, f) == 1, "write");
    write_pages(f);
    need(fclose(f) == 0, "close");
    free(head);
}

static void run_cat(void)
{
    int null = open("/dev/null", O_WRONLY);
    if (null >= 0 && dup2(null, 1) >= 0)
        execlp("cat", "cat", dump_path, (char *)NULL);
    _exit(127);
}

static struct ds_snapshot *open_dump(void)
{
    struct ds_snapshot *s;
    if (ds_snapshot_open(dump_path, NULL, &s, NULL) != DS_OK)
        _exit(1);
    return s;
}

/* By pages across all holes. */
static void run_pages(void)
{
    static uint8_t buf[AT_ONCE * 4096];
    static uint64_t addresses[AT_ONCE];
    uint64_t pa = 0, all = 0;
    size_t count;
    struct ds_snapshot *s = open_dump();
    while (ds_snapshot_read_pages(s, &pa, buf, addresses, AT_ONCE, &count) == DS_OK)
        all += count;
    ds_snapshot_close(s);
    _exit(all == PAGES ? 0 : 1);
}

/* By stretches: next_physical, then read_physical of each. */
static void run_stretches(void)
{
    static uint8_t buf[AT_ONCE * 4096];
    uint64_t start, size, all = 0;
    struct ds_snapshot *s = open_dump();
    for (uint64_t pa = 0; ds_snapshot_next_physical(s, pa, &start, &size) == DS_OK;) {
        size = size < sizeof buf ? size : sizeof buf;
        if (ds_snapshot_read_physical(s, start, buf, (size_t)size, NULL) != DS_OK)
            _exit(1);
        pa = start + size;
        all += size / 4096;
    }
    ds_snapshot_close(s);
    _exit(all == PAGES ? 0 : 1);
}

static void run_random(void)
{
    static uint64_t buf[512];
    struct ds_snapshot *s = open_dump();
    for (uint32_t i = 0; i < PAGES; i++) {
        uint32_t pfn = pfns[random64() % PAGES];
        if (ds_snapshot_read_physical(s, (uint64_t)pfn << 12, buf, 4096, NULL) != DS_OK ||
            buf[0] != pfn)
            _exit(1);
    }
    ds_snapshot_close(s);
    _exit(0);
}

#if HAVE_PEER
static void run_peer(void)
{
    static uint64_t buf[512];
    kdump_ctx_t *ctx = kdump_new();
    if (ctx == NULL || kdump_open_fd(ctx, open(elf_path, O_RDONLY)) != KDUMP_OK)
        _exit(1);
    for (uint32_t i = 0; i < PAGES; i++) {
        uint32_t pfn = pfns[random64() % PAGES];
        size_t size = 4096;
        if (kdump_read(ctx, KDUMP_MACHPHYSADDR, (uint64_t)pfn << 12, buf, &size) != KDUMP_OK ||
            buf[0] != pfn)
            _exit(1);
    }
    kdump_free(ctx);
    _exit(0);
}
#endif

static double timed(void (*what)(void))
{
    int status = 1;
    double start = now();
    pid_t pid = fork();
    if (pid == 0)
        what();
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        printf("a measurement failed\n");
        exit(1);
    }
    return (now() - start) * 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, void (*ours)(void), const char *other, void (*theirs)(void),
                    const char *goal)
{
    double ratio[ROUNDS], least = 1e9, least_theirs = 1e9;
    timed(ours); /* the page cache is full after this */
    timed(theirs);
    for (int i = 0; i < ROUNDS; i++) {
        double x = timed(ours), y = timed(theirs);
        ratio[i] = x / y;
        least = x < least ? x : least;
        least_theirs = y < least_theirs ? y : least_theirs;
    }
    qsort(ratio, ROUNDS, sizeof *ratio, by_value);
    printf("%-30s %8.1f ms  %-12s %8.1f ms %6.2fx %5.2f to %5.2f  %s\n", name, least, other,
           least_theirs, ratio[ROUNDS / 2], ratio[0], ratio[ROUNDS - 1], goal);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: read_bench FOLDER\n");
        return 2;
    }
    snprintf(dump_path, sizeof dump_path, "%s/pages.dmp", argv[1]);
    snprintf(elf_path, sizeof elf_path, "%s/pages.elf", argv[1]);
    plan();
    if (access(dump_path, R_OK) != 0)
        make_dump();
    printf("%-30s %11s  %-12s %11s %7s %14s  goal\n", "65,536 pages in runs of 1 to 32", "ours",
           "other", "", "ratio", "of the rounds");
    measure("in order, by pages", run_pages, "cat", run_cat, "at most 1.2x");
    measure("in order, by stretches", run_stretches, "cat", run_cat, "");
#if HAVE_PEER
    if (access(elf_path, R_OK) != 0)
        make_elf();
    measure("random pages", run_random, "libkdumpfile", run_peer, "");
#else
    (void)make_elf;
    (void)run_random;
    printf("libkdumpfile was not there at build time: random pages were not compared\n");
#endif
    return 0;
}
