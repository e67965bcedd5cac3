/*
 * Replays a corpus through a fuzz target without libFuzzer: every file as it is, cut short, and
 * with bytes overwritten in a fixed pseudo-random way, so that a run repeats exactly.
 *
 * usage: TARGET [-m MUTATIONS] FILE...
 * Prints "ok" or "FAIL" once per file; a crash or sanitizer report ends the program.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_INPUT (1u << 20)
#define SLOW_SECONDS 10.0

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t next_random(uint64_t *state)
{
    /* xorshift64*: any fixed sequence would do. */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

/* The target gets a block of exactly its size, so that a read past the end is seen. */
static void run_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (copy == NULL)
        abort();
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void overwrite(uint8_t *data, size_t size, uint64_t *state)
{
    static const uint64_t awkward[] = {0,          1,          0x7fffffff,
                                       0xffffffff, UINT64_MAX, 0x8000000000000000};
    size_t count = 1 + (size_t)(next_random(state) % 4);
    for (size_t i = 0; i < count; i++) {
        /* Headers decide most; half of the writes go there. */
        size_t reach = next_random(state) % 2 && size > 8192 ? 8192 : size;
        size_t at = (size_t)(next_random(state) % reach);
        uint64_t value = next_random(state);
        if (value % 2)
            value = awkward[(value >> 8) % (sizeof(awkward) / sizeof(awkward[0]))];
        size_t width = (size_t)1 << (next_random(state) % 4);
        if (width > size - at)
            width = size - at;
        memcpy(data + at, &value, width);
    }
}

static void replay(const uint8_t *data, size_t size, unsigned mutations)
{
    uint64_t state = 0x9e3779b97f4a7c15ull ^ size;
    run_one(data, size);
    uint8_t *work = malloc(size ? size : 1);
    if (work == NULL)
        abort();
    for (unsigned i = 0; i < mutations && size != 0; i++) {
        memcpy(work, data, size);
        overwrite(work, size, &state);
        size_t end = i % 4 == 0 ? (size_t)(next_random(&state) % size) : size;
        run_one(work, end);
    }
    free(work);
}

static uint8_t *load(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = f != NULL ? malloc(MAX_INPUT) : NULL;
    if (data != NULL)
        *size = fread(data, 1, MAX_INPUT, f);
    if (f != NULL)
        fclose(f);
    return data;
}

int main(int argc, char **argv)
{
    unsigned mutations = 0;
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "-m") == 0) {
        mutations = (unsigned)strtoul(argv[2], NULL, 10);
        first = 3;
    }
    bool failed = first >= argc;
    for (int i = first; i < argc; i++) {
        size_t size = 0;
        uint8_t *data = load(argv[i], &size);
        clock_t start = clock();
        if (data != NULL)
            replay(data, size, mutations);
        double each = (double)(clock() - start) / CLOCKS_PER_SEC / (1 + mutations);
        bool bad = data == NULL || each > SLOW_SECONDS;
        printf("%s %s (%u inputs, %.1f ms each)\n", bad ? "FAIL" : "ok", argv[i], 1 + mutations,
               each * 1000);
        fflush(stdout);
        failed = failed || bad;
        free(data);
    }
    return failed;
}
