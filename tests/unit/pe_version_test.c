/* Version resources that are whole, absent, full of holes, or wrong. The tree is written here by
 * hand, from the public description of VS_VERSIONINFO. */
#include "symbols/pe_version.h"

#include "base/bytes.h"
#include "test.h"

#define BASE 0xfffff80012340000u
#define SIZE 0x4000u
#define RSRC 0x2000u
#define DATA 0x2100u

struct memory {
    uint8_t bytes[SIZE];
    size_t end; /* of the tree */
    bool cut;   /* nothing from the tree's page on can be read */
};

static enum ds_status read_memory(void *arg, uint64_t va, void *buf, size_t len,
                                  struct ds_fault *fault)
{
    struct memory *m = arg;
    (void)fault;
    if (va < BASE || va - BASE > SIZE || len > SIZE - (va - BASE))
        return DS_NOT_MAPPED;
    if (m->cut && va - BASE + len > RSRC)
        return DS_NOT_IN_DUMP;
    memcpy(buf, m->bytes + (va - BASE), len);
    return DS_OK;
}

static size_t put_block(struct memory *m, size_t at, uint16_t value_len, uint16_t type,
                        const char *key)
{
    ds_put_le16(m->bytes + at + 2, value_len);
    ds_put_le16(m->bytes + at + 4, type);
    at += 6;
    for (; *key != '\0'; key++, at += 2)
        ds_put_le16(m->bytes + at, (uint16_t)(uint8_t)*key);
    return (at + 2 + 3) & ~(size_t)3;
}

static void close_block(struct memory *m, size_t at, size_t end)
{
    ds_put_le16(m->bytes + at, (uint16_t)(end - at));
}

static size_t put_string(struct memory *m, size_t at, const char *key, const char *value)
{
    size_t v = put_block(m, at, (uint16_t)(strlen(value) + 1), 1, key);
    for (; *value != '\0'; value++, v += 2)
        ds_put_le16(m->bytes + v, (uint16_t)(uint8_t)*value);
    close_block(m, at, v + 2);
    return (v + 2 + 3) & ~(size_t)3;
}

static void put_directory(struct memory *m, uint32_t at, uint32_t id, uint32_t to)
{
    ds_put_le16(m->bytes + at + 14, 1);
    ds_put_le32(m->bytes + at + 16, id);
    ds_put_le32(m->bytes + at + 20, to);
}

static struct ds_pe make(struct memory *m)
{
    memset(m, 0, sizeof *m);
    put_directory(m, RSRC, 16, 0x80000018);
    put_directory(m, RSRC + 0x18, 1, 0x80000030);
    put_directory(m, RSRC + 0x30, 0x409, 0x48);
    size_t fixed = put_block(m, DATA, 52, 0, "VS_VERSION_INFO");
    ds_put_le32(m->bytes + fixed, 0xfeef04bd);
    ds_put_le32(m->bytes + fixed + 8, 10u << 16 | 1);
    ds_put_le32(m->bytes + fixed + 12, 19041u << 16 | 804);
    ds_put_le32(m->bytes + fixed + 16, 7u << 16 | 8);
    ds_put_le32(m->bytes + fixed + 20, 9u << 16);
    size_t info = fixed + 52;
    size_t table = put_block(m, info, 0, 1, "StringFileInfo");
    size_t string = put_block(m, table, 0, 1, "040904B0");
    string = put_string(m, string, "CompanyName", "Fabrikam");
    string = put_string(m, string, "FileDescription", "  A driver  ");
    string = put_string(m, string, "FileVersion", "10.1.2 (build 3)");
    string = put_string(m, string, "ProductName", "Fab\x1b[31mNic");
    close_block(m, table, string);
    close_block(m, info, string);
    close_block(m, DATA, string);
    m->end = string;
    ds_put_le32(m->bytes + RSRC + 0x48, DATA);
    ds_put_le32(m->bytes + RSRC + 0x4c, (uint32_t)(string - DATA));
    return (struct ds_pe){
        .base = BASE, .size_of_image = SIZE, .resource_rva = RSRC, .resource_size = 0x1000};
}

static enum ds_status read(struct memory *m, const struct ds_pe *pe, struct ds_pe_version *v)
{
    struct ds_pe_memory memory = {read_memory, m};
    return ds_pe_read_version(&memory, pe, v);
}

static struct memory m;

static void a_whole_resource_is_read(void)
{
    struct ds_pe pe = make(&m);
    struct ds_pe_version v;
    CHECK_U64(read(&m, &pe, &v), DS_OK);
    CHECK_STR(v.company, "Fabrikam");
    CHECK_STR(v.description, "A driver");
    CHECK_STR(v.product, "Fab\x1b[31mNic"); /* raw: writers escape */
    CHECK_STR(v.file_version, "10.1.2 (build 3)");
    CHECK_STR(v.product_version, "7.8.9.0"); /* no text: the numbers */
    CHECK(v.has_numbers && v.file_numbers[0] == 10 && v.file_numbers[1] == 1 &&
          v.file_numbers[2] == 19041 && v.file_numbers[3] == 804);
}

static void what_is_missing_says_why(void)
{
    struct ds_pe_version v;
    struct ds_pe pe = make(&m);
    m.cut = true;
    CHECK_U64(read(&m, &pe, &v), DS_NOT_IN_DUMP);
    pe = make(&m);
    pe.resource_size = 0;
    CHECK_U64(read(&m, &pe, &v), DS_NOT_FOUND);
    pe = make(&m);
    ds_put_le32(m.bytes + RSRC + 16, 3); /* icons only */
    CHECK_U64(read(&m, &pe, &v), DS_NOT_FOUND);
}

static void wrong_resources_are_corrupt(void)
{
    static const struct {
        uint32_t at, value;
    } changes[] = {
        {RSRC + 12, 0xffffffff},        /* 65535 named and 65535 numbered entries */
        {RSRC + 20, 0x18},              /* a leaf where a directory must be */
        {RSRC + 20, 0xffffffff},        /* a directory outside of the section */
        {RSRC + 0x18 + 20, 0x80001000}, /* right behind its end */
        {RSRC + 0x30 + 20, 0x80000000}, /* a fourth level: the first again */
        {RSRC + 0x48, SIZE - 8},        /* data past the image */
        {RSRC + 0x48, 0xfffffff0},
        {RSRC + 0x4c, 0},
        {RSRC + 0x4c, 0x7fffffff},
        {DATA, 0x00340005},     /* a block shorter than its header */
        {DATA, 0x0034ffff},     /* and longer than the resource */
        {DATA + 6, 0x00580058}, /* another key */
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct ds_pe_version v;
        struct ds_pe pe = make(&m);
        ds_put_le32(m.bytes + changes[i].at, changes[i].value);
        enum ds_status st = read(&m, &pe, &v);
        if (st != DS_CORRUPT)
            printf("    change %zu: %s\n", i, ds_status_name(st));
        CHECK_U64(st, DS_CORRUPT);
    }
}

/* Any length word may lie: what is read ends, stays within the resource, and is closed by NUL. */
static void lying_lengths_end(void)
{
    for (uint32_t at = DATA; at + 2 <= DATA + 0x140; at += 2) {
        static const uint16_t lies[] = {0, 1, 6, 7, 0x7fff, 0xffff};
        for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
            struct ds_pe_version v;
            struct ds_pe pe = make(&m);
            ds_put_le16(m.bytes + at, lies[i]);
            if (read(&m, &pe, &v) == DS_OK)
                CHECK(memchr(v.company, 0, sizeof v.company) != NULL &&
                      memchr(v.product, 0, sizeof v.product) != NULL &&
                      memchr(v.description, 0, sizeof v.description) != NULL);
        }
    }
}

static void long_text_is_cut_at_a_character(void)
{
    struct ds_pe pe = make(&m);
    memset(m.bytes + DATA, 0, SIZE - DATA);
    size_t fixed = put_block(&m, DATA, 0, 0, "VS_VERSION_INFO");
    size_t table = put_block(&m, fixed, 0, 1, "StringFileInfo");
    size_t string = put_block(&m, table, 0, 1, "040904B0");
    size_t v = put_block(&m, string, 200, 1, "CompanyName");
    for (int i = 0; i < 200; i++, v += 2)
        ds_put_le16(m.bytes + v, 0x20ac); /* three bytes each in UTF-8 */
    ds_put_le16(m.bytes + v, 0);
    close_block(&m, string, v + 2);
    close_block(&m, table, v + 2);
    close_block(&m, fixed, v + 2);
    close_block(&m, DATA, v + 2);
    ds_put_le32(m.bytes + RSRC + 0x4c, (uint32_t)(v + 2 - DATA));
    struct ds_pe_version got;
    CHECK_U64(read(&m, &pe, &got), DS_OK);
    CHECK_U64(strlen(got.company), 126);
    CHECK(!got.has_numbers && got.file_version[0] == '\0');
}

TEST_MAIN(TEST(a_whole_resource_is_read), TEST(what_is_missing_says_why),
          TEST(wrong_resources_are_corrupt), TEST(lying_lengths_end),
          TEST(long_text_is_cut_at_a_character))
