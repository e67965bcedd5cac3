#include <stdlib.h>
#include <string.h>

#include "base/worker.h"
#include "dumpscan/status.h"
#include "test.h"

/* What the worker is asked for, one byte each. */
enum { TWICE = 1, CRASH, HANG, LEAVE, EAT };

static void live(int file, struct ds_os_channel *c)
{
    uint8_t b[2];
    (void)file;
    while (ds_os_channel_receive(c, b, 2)) {
        volatile int forever = 1;
        if (b[0] == CRASH)
            abort();
        while (b[0] == HANG && forever)
            ;
        if (b[0] == LEAVE)
            return;
        if (b[0] == EAT) {
            volatile char *p = malloc(512u << 20);
            b[1] = p == NULL ? 1 : 0;
        } else {
            b[1] = (uint8_t)(b[1] * 2);
        }
        if (!ds_os_channel_send(c, b, 2))
            return;
    }
}

static struct ds_os_worker *begin(struct ds_os_file **file)
{
    struct ds_os_worker *w = NULL;
    struct ds_err err;
    *file = NULL;
    if (ds_os_temp_open(file, &err) == DS_UNSUPPORTED)
        return NULL;
    CHECK(*file != NULL);
    struct ds_os_worker_job job = {*file, live, 64u << 20, 1};
    CHECK_U64(ds_os_worker_start(&job, &w, &err), DS_OK);
    return w;
}

static enum ds_status ask(struct ds_os_worker *w, uint8_t what, uint8_t value, uint8_t *reply,
                          struct ds_err *err)
{
    uint8_t b[2] = {what, value};
    enum ds_status st = ds_os_worker_send(w, b, 2, err);
    return st == DS_OK ? ds_os_worker_receive(w, reply, 2, err) : st;
}

static void it_answers(void)
{
    struct ds_os_file *f;
    struct ds_os_worker *w = begin(&f);
    uint8_t r[2];
    for (uint8_t i = 0; w != NULL && i < 100; i++) {
        CHECK_U64(ask(w, TWICE, i, r, NULL), DS_OK);
        CHECK_U64(r[1], i * 2);
    }
    ds_os_worker_close(w);
    ds_os_file_close(f);
}

/* However it ends, the next call and all later ones say so. */
static void ended(uint8_t how, const char *words, const char *or_words)
{
    struct ds_os_file *f;
    struct ds_os_worker *w = begin(&f);
    struct ds_err err = {0};
    uint8_t r[2];
    if (w != NULL) {
        CHECK_U64(ask(w, how, 0, r, &err), DS_IO);
        if (strstr(err.text, words) == NULL && strstr(err.text, or_words) == NULL)
            printf("    %s: %s\n", words, err.text);
        CHECK(strstr(err.text, words) != NULL || strstr(err.text, or_words) != NULL);
        err.text[0] = '\0';
        CHECK_U64(ask(w, TWICE, 1, r, &err), DS_IO);
        CHECK(strstr(err.text, words) != NULL || strstr(err.text, or_words) != NULL);
    }
    ds_os_worker_close(w);
    ds_os_file_close(f);
}

static void a_crash_is_told(void)
{
    ended(CRASH, "was ended by signal 6", "was ended by signal 6");
}

static void a_hang_is_ended(void)
{
    ended(HANG, "took longer than 1 seconds", "did not answer in time");
}

static void leaving_is_told(void)
{
    ended(LEAVE, "ended by itself", "ended by itself");
}

static void memory_is_limited(void)
{
    struct ds_os_file *f;
    struct ds_os_worker *w = begin(&f);
    uint8_t r[2] = {0, 0};
    if (w != NULL) {
        CHECK_U64(ask(w, EAT, 0, r, NULL), DS_OK);
#if !defined(__SANITIZE_ADDRESS__)
        CHECK_U64(r[1], 1);
#endif
    }
    ds_os_worker_close(w);
    ds_os_file_close(f);
}

static void files_without_a_name_keep_their_bytes(void)
{
    struct ds_os_file *f = NULL;
    uint8_t b[8];
    size_t got = 0;
    if (ds_os_temp_open(&f, NULL) == DS_UNSUPPORTED)
        return;
    CHECK_U64(ds_os_temp_write(f, 4096, "page", 4, NULL), DS_OK);
    CHECK_U64(ds_os_temp_finish(f, 8192, NULL), DS_OK);
    CHECK_U64(ds_os_file_size(f), 8192);
    CHECK_U64(ds_os_file_read_at(f, 4094, b, 8, &got, NULL), DS_OK);
    CHECK_U64(got, 8);
    CHECK(memcmp(b, "\0\0page\0\0", 8) == 0);
    ds_os_file_close(f);
}

TEST_MAIN(TEST(it_answers), TEST(a_crash_is_told), TEST(a_hang_is_ended), TEST(leaving_is_told),
          TEST(memory_is_limited), TEST(files_without_a_name_keep_their_bytes))
