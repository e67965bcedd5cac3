/*
 * A unit test file is one program: static functions that use CHECK, listed in TESTS, and
 * TEST_MAIN. Each prints "ok NAME", "FAIL NAME" or "skip NAME: why"; tests/run-unit.sh counts.
 */
#ifndef DS_TESTS_UNIT_TEST_H
#define DS_TESTS_UNIT_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_failures;
static const char *test_skip;

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            printf("    %s:%d: %s\n", __FILE__, __LINE__, #cond);                                  \
            test_failures++;                                                                       \
        }                                                                                          \
    } while (0)

#define CHECK_U64(got, want)                                                                       \
    do {                                                                                           \
        unsigned long long test_g = (unsigned long long)(got);                                     \
        unsigned long long test_w = (unsigned long long)(want);                                    \
        if (test_g != test_w) {                                                                    \
            printf("    %s:%d: %s is 0x%llx, not 0x%llx\n", __FILE__, __LINE__, #got, test_g,      \
                   test_w);                                                                        \
            test_failures++;                                                                       \
        }                                                                                          \
    } while (0)

#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        const char *test_g = (got);                                                                \
        const char *test_w = (want);                                                               \
        if (test_g == NULL || strcmp(test_g, test_w) != 0) {                                       \
            printf("    %s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #got,              \
                   test_g ? test_g : "(null)", test_w);                                            \
            test_failures++;                                                                       \
        }                                                                                          \
    } while (0)

/* Ends the running test as skipped, with the reason. */
#define SKIP(why)                                                                                  \
    do {                                                                                           \
        test_skip = (why);                                                                         \
        return;                                                                                    \
    } while (0)

struct test_case {
    const char *name;
    void (*run)(void);
};

#define TEST(fn)                                                                                   \
    {                                                                                              \
#fn, fn                                                                                    \
    }

static inline int test_run_all(const struct test_case *tests, size_t count)
{
    int bad = 0;
    for (size_t i = 0; i < count; i++) {
        test_failures = 0;
        test_skip = NULL;
        tests[i].run();
        if (test_failures != 0) {
            printf("FAIL %s\n", tests[i].name);
            bad = 1;
        } else if (test_skip != NULL) {
            printf("skip %s: %s\n", tests[i].name, test_skip);
        } else {
            printf("ok %s\n", tests[i].name);
        }
        fflush(stdout);
    }
    return bad;
}

#define TEST_MAIN(...)                                                                             \
    int main(void)                                                                                 \
    {                                                                                              \
        static const struct test_case tests[] = {__VA_ARGS__};                                     \
        return test_run_all(tests, sizeof(tests) / sizeof(tests[0]));                              \
    }

#endif
