/*
 * Torture: damages a dump in memory, byte by byte and cut by cut, and analyses each version
 * through libdumpscan. Every version must end without a crash, within two seconds of processor
 * time, without an allocation over 64 MB, in exit status 0, 3 or 4. Every cut must be named in
 * `integrity`, and so must every flip of a structural field that changes the report.
 *
 *     torture FILE FIELDS [-n BYTES] [-s SAMPLE] [-t STEP] [-m MASK] [-j JOBS] [-v]
 *
 * FIELDS is a table of structural fields (tests/torture/fields-*.txt) or "-". Bytes [0, BYTES)
 * are flipped (XOR with MASK), or only SAMPLE of them, chosen the same way each time, and all
 * structural ones. The file is cut at every multiple of STEP. Prints one summary line and one
 * line per defect; exit status 1 when there was any.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "dumpscan/dumpscan.h"

#define MAX_ALLOCATION (64u << 20)
#define MAX_SECONDS 2
#define MAX_FIELDS 64
#define MAX_NOTES 512
#define MAX_SHOWN 40

struct field {
    size_t offset, size;
    char name[40];
};

/* What the parent must know even when a worker dies. */
struct shared {
    volatile size_t at[16]; /* the case that worker i is at */
    volatile unsigned long defects, runs, unnamed_flips, unnamed_cuts, by_status[8];
    volatile unsigned long worst_us;
};

struct job {
    uint8_t *data;
    size_t size;
    struct field fields[MAX_FIELDS];
    size_t field_count;
    size_t bytes, sample, step;
    unsigned mask;
    int jobs;
    bool verbose;
    size_t *cases; /* flips: offset; cuts: offset | CUT */
    size_t case_count;
    char *baseline; /* the report of the whole file */
    uint64_t notes[MAX_NOTES];
    size_t note_count;
    struct shared *shared;
};

#define CUT ((size_t)1 << 40)

/* ---- the allocation hook: sees the shared libraries' allocations too ---- */
static volatile size_t too_big;

#if defined(__SANITIZE_ADDRESS__)
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "max_allocation_size_mb=64:allocator_may_return_null=0";
}
#define SECONDS (MAX_SECONDS * 10)
#else
#define SECONDS MAX_SECONDS
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static void note_size(size_t size)
{
    if (size > MAX_ALLOCATION && size > too_big)
        too_big = size;
}
void *malloc(size_t size)
{
    note_size(size);
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size)
{
    size_t bytes;
    note_size(__builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes);
    return __libc_calloc(count, size);
}
void *realloc(void *old, size_t size)
{
    note_size(size);
    return __libc_realloc(old, size);
}
#endif

/* ---- one analysis ---- */
struct outcome {
    int status;                /* exit status */
    char *report;              /* JSON, or the refusal's text; owned */
    uint64_t notes[MAX_NOTES]; /* hash of each integrity note */
    size_t note_count;
    bool damage; /* a note of level damage or fatal */
};

static uint64_t hash_text(uint64_t h, const char *s)
{
    for (; s && *s; s++)
        h = (h ^ (uint8_t)*s) * 1099511628211u;
    return h;
}

static bool take_note(size_t columns, const char *const *names, const struct ds_cell *cells,
                      void *arg)
{
    struct outcome *o = arg;
    (void)names;
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < columns; i++)
        h = hash_text(h, cells[i].kind == DS_CELL_TEXT ? cells[i].text : "-");
    if (o->note_count < MAX_NOTES)
        o->notes[o->note_count++] = h;
    if (columns > 0 && cells[0].kind == DS_CELL_TEXT && strcmp(cells[0].text, "note") != 0)
        o->damage = true;
    return true;
}

static struct outcome analyse(const uint8_t *data, size_t size)
{
    struct outcome o = {.status = 1};
    struct ds_snapshot *s;
    struct ds_err err = {0};
    enum ds_status st = ds_snapshot_open_memory(data, size, "dump", NULL, &s, &err);
    if (st != DS_OK) {
        o.status = ds_refusal_exit_status(st);
        o.report = strdup(err.text);
        return o;
    }
    char *text = NULL;
    st = ds_snapshot_report_string(s, DS_FORMAT_JSONL, 0, &text, NULL, &err);
    if (st == DS_OK) {
        o.status = ds_snapshot_exit_status(s, NULL);
        o.report = strdup(text);
        ds_string_free(text);
        st = ds_snapshot_query(s, "SELECT level, check_name, found, lost FROM integrity", 0, 0,
                               take_note, &o, &err);
    }
    if (st != DS_OK) {
        o.status = 1;
        free(o.report);
        o.report = strdup(err.text);
    }
    ds_snapshot_close(s);
    return o;
}

/* ---- judging ---- */
static const struct field *field_at(const struct job *j, size_t offset)
{
    for (size_t i = 0; i < j->field_count; i++)
        if (offset >= j->fields[i].offset && offset < j->fields[i].offset + j->fields[i].size)
            return &j->fields[i];
    return NULL;
}

static bool has_new_note(const struct job *j, const struct outcome *o)
{
    for (size_t i = 0; i < o->note_count; i++) {
        bool known = false;
        for (size_t k = 0; k < j->note_count; k++)
            known |= j->notes[k] == o->notes[i];
        if (!known)
            return true;
    }
    return false;
}

static void defect(const struct job *j, size_t at, const char *what, const char *detail)
{
    if (__sync_fetch_and_add(&j->shared->defects, 1) < MAX_SHOWN)
        printf("FAIL %s at 0x%zx: %s%s%.160s\n", at & CUT ? "cut" : "flip", at & ~CUT, what,
               *detail ? ": " : "", detail);
    fflush(stdout);
}

static void judge(const struct job *j, size_t at, const struct outcome *o)
{
    const struct field *f = at & CUT ? NULL : field_at(j, at);
    if (o->status != 0 && o->status != 3 && o->status != 4)
        defect(j, at, "exit status is not 0, 3 or 4", o->report ? o->report : "");
    if (too_big)
        defect(j, at, "an allocation over 64 MB", "");
    if ((at & CUT) && o->status != 3 && !o->damage) {
        j->shared->unnamed_cuts++;
        defect(j, at, "the cut is not named in integrity", "");
    }
    if (f && o->status != 3 && !has_new_note(j, o) && o->report &&
        strcmp(o->report, j->baseline) != 0) {
        j->shared->unnamed_flips++;
        defect(j, at, "changes the report unnamed: structural field", f->name);
    }
}

static unsigned long cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (unsigned long)t.tv_sec * 1000000u + (unsigned long)t.tv_nsec / 1000u;
}

static void run_case(const struct job *j, size_t at)
{
    unsigned long start = cpu_us();
    struct itimerval limit = {.it_value = {.tv_sec = SECONDS}}, none = {0};
    too_big = 0;
    setitimer(ITIMER_PROF, &limit, NULL);
    struct outcome o;
    if (at & CUT) {
        /* A copy of just that size, so that a sanitizer sees reads beyond it. */
        size_t size = at & ~CUT;
        uint8_t *copy = __builtin_malloc(size ? size : 1);
        memcpy(copy, j->data, size);
        o = analyse(copy, size);
        free(copy);
    } else {
        j->data[at] ^= (uint8_t)j->mask;
        o = analyse(j->data, j->size);
        j->data[at] ^= (uint8_t)j->mask;
    }
    setitimer(ITIMER_PROF, &none, NULL);
    unsigned long used = cpu_us() - start;
    if (used > j->shared->worst_us)
        j->shared->worst_us = used;
    judge(j, at, &o);
    __sync_fetch_and_add(&j->shared->runs, 1);
    __sync_fetch_and_add(&j->shared->by_status[o.status & 7], 1);
    free(o.report);
}

/* ---- workers ---- */
static void work(struct job *j, int worker, size_t from)
{
    for (size_t i = from; i < j->case_count; i += (size_t)j->jobs) {
        j->shared->at[worker] = i;
        run_case(j, j->cases[i]);
    }
    fflush(NULL);
    exit(0); /* not _exit: a sanitizer looks for leaks here */
}

static pid_t start(struct job *j, int worker, size_t from)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        work(j, worker, from);
    return pid;
}

/* Waits for the workers; one that dies is a defect, and goes on behind the case it died of. */
static void supervise(struct job *j)
{
    pid_t pids[16];
    int running = 0;
    for (int w = 0; w < j->jobs; w++, running++)
        pids[w] = start(j, w, (size_t)w);
    while (running > 0) {
        int status;
        pid_t pid = wait(&status);
        for (int w = 0; w < j->jobs; w++) {
            if (pids[w] != pid)
                continue;
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
                running--;
                continue;
            }
            size_t i = j->shared->at[w];
            char how[40];
            snprintf(how, sizeof how, "signal %d, exit %d", WTERMSIG(status), WEXITSTATUS(status));
            defect(j, j->cases[i],
                   WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF ? "over the time limit"
                                                                      : "crash",
                   how);
            pids[w] = start(j, w, i + (size_t)j->jobs);
        }
    }
}

/* ---- set-up ---- */
static void add_case(struct job *j, size_t at)
{
    j->cases[j->case_count++] = at;
}

static void list_cases(struct job *j)
{
    if (j->bytes > j->size)
        j->bytes = j->size;
    size_t cuts = j->step ? j->size / j->step + 1 : 0;
    j->cases = calloc(j->bytes + cuts + MAX_FIELDS * 8, sizeof *j->cases);
    size_t stride = j->sample && j->sample < j->bytes ? j->bytes / j->sample : 1;
    for (size_t at = 0; at < j->bytes; at++) {
        /* Sampled runs spread by a multiplicative hash, the same each time. */
        bool chosen = stride == 1 || (at * 2654435761u >> 7) % stride == 0;
        if (chosen || field_at(j, at))
            add_case(j, at);
    }
    size_t cut_stride = j->sample && cuts > j->sample / 4 + 1 ? cuts / (j->sample / 4 + 1) : 1;
    for (size_t i = 0; i < cuts; i += cut_stride)
        if (i * j->step < j->size)
            add_case(j, i * j->step | CUT);
}

static bool read_all(struct job *j, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0)
        return false;
    long size = ftell(f);
    rewind(f);
    j->size = size > 0 ? (size_t)size : 0;
    j->data = malloc(j->size ? j->size : 1);
    bool ok = fread(j->data, 1, j->size, f) == j->size;
    fclose(f);
    return ok;
}

static bool read_fields(struct job *j, const char *path)
{
    FILE *f = fopen(path, "r");
    char line[200];
    if (!f)
        return false;
    while (fgets(line, sizeof line, f) && j->field_count < MAX_FIELDS) {
        struct field *field = &j->fields[j->field_count];
        if (sscanf(line, "%zx %zu %39s", &field->offset, &field->size, field->name) == 3)
            j->field_count++;
    }
    fclose(f);
    return j->field_count > 0;
}

static bool options(struct job *j, int argc, char **argv)
{
    int c;
    while ((c = getopt(argc, argv, "n:s:t:m:j:v")) != -1) {
        size_t v = optarg ? strtoul(optarg, NULL, 0) : 0;
        switch (c) {
        case 'n':
            j->bytes = v;
            break;
        case 's':
            j->sample = v;
            break;
        case 't':
            j->step = v;
            break;
        case 'm':
            j->mask = (unsigned)v;
            break;
        case 'j':
            j->jobs = v < 1 ? 1 : v > 16 ? 16 : (int)v;
            break;
        case 'v':
            j->verbose = true;
            break;
        default:
            return false;
        }
    }
    return argc - optind == 2;
}

int main(int argc, char **argv)
{
    struct job j = {.bytes = 65536, .step = 512, .mask = 0xff, .jobs = 2};
    if (!options(&j, argc, argv)) {
        fprintf(stderr, "usage: torture FILE FIELDS [-n BYTES] [-s SAMPLE] [-t STEP] [-m MASK] "
                        "[-j JOBS]\n");
        return 2;
    }
    if (!read_all(&j, argv[optind]) ||
        (strcmp(argv[optind + 1], "-") != 0 && !read_fields(&j, argv[optind + 1]))) {
        fprintf(stderr, "torture: cannot read %s or %s\n", argv[optind], argv[optind + 1]);
        return 2;
    }
    j.shared =
        mmap(NULL, sizeof *j.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (j.shared == MAP_FAILED)
        return 2;
    struct outcome whole = analyse(j.data, j.size);
    if (whole.status != 0 || !whole.report) {
        printf("FAIL %s: the undamaged file gives exit status %d: %.200s\n", argv[optind],
               whole.status, whole.report ? whole.report : "");
        return 1;
    }
    j.baseline = whole.report;
    j.note_count = whole.note_count;
    memcpy(j.notes, whole.notes, sizeof j.notes);
    list_cases(&j);
    supervise(&j);
    printf("%s %s: %lu runs, %lu defects (%lu flips and %lu cuts unnamed), exit 0: %lu, 3: %lu, "
           "4: %lu, slowest %.1f ms\n",
           j.shared->defects ? "FAIL" : "ok", argv[optind], j.shared->runs, j.shared->defects,
           j.shared->unnamed_flips, j.shared->unnamed_cuts, j.shared->by_status[0],
           j.shared->by_status[3], j.shared->by_status[4], (double)j.shared->worst_us / 1000);
    free(j.data);
    free(j.cases);
    free(j.baseline);
    return j.shared->defects != 0;
}
