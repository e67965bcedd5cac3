/* Copies without leftovers: what stays, what goes, and that the real dumps come back whole. */
#include "dump_image.h"

#include "base/os.h"
#include "dump/blob_blackbox.h"
#include "dump/strip.h"

#define REAL "../shared/real/"

struct copy {
    uint8_t *p;
    size_t size, cap;
};

static bool take(const char *data, size_t len, void *arg)
{
    struct copy *c = arg;
    if (len > c->cap - c->size)
        return false;
    memcpy(c->p + c->size, data, len);
    c->size += len;
    return true;
}

static enum ds_status strip(struct ds_dump *d, unsigned flags, struct copy *c,
                            struct ds_strip_result *r)
{
    struct ds_strip_plan plan;
    c->size = 0;
    enum ds_status st = ds_strip_plan_make(d, flags, &plan, NULL);
    if (st != DS_OK)
        return st;
    st = ds_strip_plan_write(d, &plan, take, c, NULL);
    *r = plan.result;
    CHECK(st != DS_OK || r->written == c->size);
    ds_strip_plan_clear(&plan);
    return st;
}

static size_t put_blob(uint8_t *p, const char *tag, const char *text, uint32_t pre, uint32_t post)
{
    unsigned g[11];
    size_t n = strlen(text);
    sscanf(tag, "%8x-%4x-%4x-%2x%2x-%2x%2x%2x%2x%2x%2x", &g[0], &g[1], &g[2], &g[3], &g[4], &g[5],
           &g[6], &g[7], &g[8], &g[9], &g[10]);
    ds_put_le32(p, 32);
    ds_put_le32(p + 4, g[0]);
    ds_put_le16(p + 8, (uint16_t)g[1]);
    ds_put_le16(p + 10, (uint16_t)g[2]);
    for (unsigned i = 0; i < 8; i++)
        p[12 + i] = (uint8_t)g[3 + i];
    ds_put_le32(p + 20, (uint32_t)n);
    ds_put_le32(p + 24, pre);
    ds_put_le32(p + 28, post);
    memset(p + 32, 0, pre + n + post);
    memcpy(p + 32 + pre, text, n);
    return 32 + pre + n + post;
}

/* image_triage64() has two blobs; two more follow, a path first, and leftovers last. */
static void pieces_go_without_a_trace(void)
{
    struct image m = image_triage64();
    size_t end = m.size;
    m.p = realloc(m.p, m.size + 4096);
    m.size += put_blob(m.p + m.size, DS_IMAGE_PATH_TAG, "P\0A\0T\0H", 8, 3);
    size_t path_end = m.size;
    m.size += put_blob(m.p + m.size, "11111111-2222-3333-4444-555555555555", "other", 0, 3);
    size_t chain_end = m.size;
    memcpy(m.p + m.size, "leftovers of another file", 25);
    m.size += 25;
    struct ds_dump *d = image_open(&m);
    CHECK_U64(ds_dump_blob_count(d), 4);
    struct copy c = {.p = malloc(m.size), .cap = m.size};
    struct ds_strip_result r;
    CHECK_U64(strip(d, 0, &c, &r), DS_OK);
    CHECK(c.size == chain_end && memcmp(c.p, m.p, chain_end) == 0);
    CHECK(r.leftover_bytes == 25 && r.blobs == 0 && !r.damaged);
    CHECK_U64(strip(d, DS_STRIP_PATHS, &c, &r), DS_OK);
    CHECK(r.blobs == 1 && r.blob_bytes == path_end - end);
    CHECK_U64(c.size, chain_end - (path_end - end));
    CHECK(memcmp(c.p, m.p, end) == 0 &&
          memcmp(c.p + end, m.p + path_end, chain_end - path_end) == 0);
    struct image again = {c.p, c.size};
    struct ds_dump *e = image_open(&again);
    CHECK(ds_dump_blob_count(e) == 3 && ds_dump_leftover_bytes(e) == 0);
    CHECK_STR(ds_dump_blob(e, 2)->tag, "11111111-2222-3333-4444-555555555555");
    ds_dump_close(e);
    CHECK_U64(strip(d, DS_STRIP_BLOBS, &c, &r), DS_OK);
    CHECK(r.blobs == 4 && c.size == ds_dump_blobs_offset(d).value);
    c.cap = 100; /* a target that is full */
    CHECK_U64(strip(d, 0, &c, &r), DS_IO);
    ds_dump_close(d);
    free(c.p);
    free(m.p);
}

static void the_end_must_be_known(void)
{
    struct image m = image_triage64();
    struct copy c = {.p = malloc(m.size), .cap = m.size};
    struct ds_strip_result r;
    for (size_t cut = 0x2100; cut < m.size; cut += 64) {
        struct image part = {m.p, cut};
        struct ds_dump *d;
        struct ds_source *src;
        CHECK(ds_source_memory_open(part.p, part.size, &src, NULL) == DS_OK);
        if (ds_dump_open(src, &d, NULL) != DS_OK) {
            ds_source_close(src);
            continue;
        }
        enum ds_status st = strip(d, DS_STRIP_PATHS, &c, &r);
        CHECK(st == DS_TRUNCATED || (st == DS_OK && r.leftover_bytes == 0 && c.size == cut));
        ds_dump_close(d);
    }
    free(c.p);
    free(m.p);
}

/* A published minidump with leftovers behind it becomes what it was, byte for byte. */
static void real_dumps_come_back(void)
{
    static const char *const names[] = {"triage_x64_19041.dmp", "triage_arm64_17134.dmp"};
    for (size_t i = 0; i < 2; i++) {
        char name[128];
        struct ds_os_file *f;
        snprintf(name, sizeof(name), REAL "%s", names[i]);
        if (ds_os_file_open(name, &f, NULL) != DS_OK)
            SKIP("no reference material beside the checkout");
        size_t size = (size_t)ds_os_file_size(f), got;
        struct image m = {malloc(size + 4096), size + 4096};
        CHECK(ds_os_file_read_at(f, 0, m.p, size, &got, NULL) == DS_OK && got == size);
        ds_os_file_close(f);
        memset(m.p + size, 'j', 4096);
        struct ds_dump *d = image_open(&m);
        struct copy c = {.p = malloc(m.size), .cap = m.size};
        struct ds_strip_result r;
        CHECK_U64(ds_dump_leftover_bytes(d), 4096);
        CHECK_U64(strip(d, 0, &c, &r), DS_OK);
        CHECK(c.size == size && memcmp(c.p, m.p, size) == 0);
        ds_dump_close(d);
        free(c.p);
        free(m.p);
    }
}

TEST_MAIN(TEST(pieces_go_without_a_trace), TEST(the_end_must_be_known), TEST(real_dumps_come_back))
