/*
 * Prints how long the program takes and how much memory it uses: `make bench`.
 *
 *     bench PROGRAM REAL_DUMP BUILT_DIR [RUNS]
 *
 * Each line gives the least and the median wall time over the runs, the least processor time and
 * the peak resident memory, measured from a small process (a big parent would be counted in).
 * Compare ratios within one run: machines and their load differ. Nothing is asserted.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_RUNS 1000
#define LONG_MS 300 /* what takes longer is run FEW times */
#define FEW 5

struct line {
    const char *what, *arguments[4], *goal; /* "@": the minidump; "/x": a built dump */
};

struct sample {
    double wall, cpu; /* milliseconds */
    long peak;        /* KiB */
    int status;
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms(struct timeval t)
{
    return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static struct sample run(char *const *argv)
{
    struct sample s = {.status = 127};
    struct rusage usage;
    int status;
    double start = now_ms();
    pid_t pid = vfork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null >= 0 && dup2(null, 0) >= 0 && dup2(null, 1) >= 0 && dup2(null, 2) >= 0)
            execv(argv[0], argv);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
        return s;
    s.wall = now_ms() - start;
    s.cpu = ms(usage.ru_utime) + ms(usage.ru_stime);
    s.peak = usage.ru_maxrss;
    s.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return s;
}

static int by_wall(const void *a, const void *b)
{
    double x = ((const struct sample *)a)->wall, y = ((const struct sample *)b)->wall;
    return (x > y) - (x < y);
}

static double measure(const struct line *l, const char *program, const char *dump,
                      const char *folder, size_t runs, double base)
{
    static struct sample s[MAX_RUNS];
    char built[512], *argv[6] = {NULL};
    size_t n = 0;
    argv[n++] = strdup(program);
    for (size_t i = 0; i < 4 && l->arguments[i] != NULL; i++) {
        const char *a = l->arguments[i];
        snprintf(built, sizeof built, "%s%s", folder, a);
        argv[n++] = strdup(strcmp(a, "@") == 0 ? dump : *a == '/' ? built : a);
    }
    if (run(argv).wall > LONG_MS && runs > FEW) /* fills the page cache */
        runs = FEW;
    double cpu = 1e9;
    long peak = 0;
    for (size_t i = 0; i < runs; i++) {
        s[i] = run(argv);
        cpu = s[i].cpu < cpu ? s[i].cpu : cpu;
        peak = s[i].peak > peak ? s[i].peak : peak;
    }
    qsort(s, runs, sizeof *s, by_wall);
    if (base == 0)
        base = s[0].wall;
    printf("%-28s %7.2f ms %7.2f ms %7.2f ms %6.1f MB %4d %6.1fx  %s\n", l->what, s[0].wall,
           s[runs / 2].wall, cpu, (double)peak / 1024, s[0].status, s[0].wall / base, l->goal);
    while (n > 0)
        free(argv[--n]);
    return base;
}

int main(int argc, char **argv)
{
    static const struct line lines[] = {
        {"--version", {"--version"}, "under 3 ms"},
        {"info, minidump", {"info", "@"}, "under 10 ms"},
        {"analysis, minidump", {"@"}, "under 100 ms, 32 MB"},
        {"JSON, minidump", {"-f", "json", "@"}, ""},
        {"analysis, kernel dump", {"/demo.dmp"}, ""},
        {"info, dump of 4.5 GB", {"info", "/full-big.dmp"}, ""},
        {"analysis, dump of 4.5 GB", {"/full-big.dmp"}, ""},
        {"info, bitmap of 64 GiB", {"info", "/../bench/sparse-64g.dmp"}, "under 50 ms"},
        {"analysis, bitmap of 64 GiB", {"/../bench/sparse-64g.dmp"}, "under 1 s, 200 MB"},
        {"1,000 threads", {"/../bench/herd-1k.dmp"}, ""},
        {"10,000 threads", {"/../bench/herd-10k.dmp"}, "at most 10 times the line before"},
        {"100,000 threads", {"/../bench/herd-100k.dmp"}, "at most 10 times that, under 2 s"},
        {"... in chains of 30,000", {"/../bench/herd-deep.dmp"}, "as the line before"},
    };
    if (argc < 4) {
        fprintf(stderr, "usage: bench PROGRAM REAL_DUMP BUILT_DIR [RUNS]\n");
        return 2;
    }
    size_t runs = argc > 4 ? strtoul(argv[4], NULL, 10) : 40;
    runs = runs < 1 ? 1 : runs > MAX_RUNS ? MAX_RUNS : runs;
    char built[512];
    const char *dump = argv[2];
    if (access(dump, R_OK) != 0) {
        snprintf(built, sizeof built, "%s/triage-c.dmp", argv[3]);
        printf("%s is absent: a built minidump stands in for the real one\n", dump);
        dump = built;
    }
    printf("%-28s %10s %10s %10s %9s %4s %7s  goal\n", "what", "least", "median", "cpu", "peak",
           "exit", "ratio");
    double base = 0;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        base = measure(&lines[i], argv[1], dump, argv[3], runs, base);
    return 0;
}
