/* PE images in memory that is whole, full of holes, or wrong. */
#include "symbols/pe.h"

#include "base/bytes.h"
#include "test.h"

#define BASE 0xfffff80012340000u
#define SIZE 0x5000u

struct memory {
    uint8_t bytes[SIZE];
    uint32_t hole; /* page index that cannot be read; UINT32_MAX: none */
};

static enum ds_status read_memory(void *arg, uint64_t va, void *buf, size_t len,
                                  struct ds_fault *fault)
{
    struct memory *m = arg;
    (void)fault;
    if (va < BASE || va - BASE > SIZE || len > SIZE - (va - BASE))
        return DS_NOT_MAPPED;
    for (uint64_t page = (va - BASE) / 4096; len > 0 && page <= (va - BASE + len - 1) / 4096;
         page++) {
        if (page == m->hole)
            return DS_NOT_IN_DUMP;
    }
    memcpy(buf, m->bytes + (va - BASE), len);
    return DS_OK;
}

static void put_text(struct memory *m, uint32_t rva, const char *s)
{
    memcpy(m->bytes + rva, s, strlen(s) + 1);
}

/* Headers in page 0, debug data in page 1, exports in pages 2 and 3. */
static void make_image(struct memory *m)
{
    uint8_t *b = m->bytes, *opt = b + 0x98;
    memset(m, 0, sizeof *m);
    m->hole = UINT32_MAX;
    ds_put_le16(b, 0x5a4d);
    ds_put_le32(b + 60, 0x80);
    ds_put_le32(b + 0x80, 0x4550);
    ds_put_le16(b + 0x84, 0x8664);
    ds_put_le32(b + 0x88, 0x12345678);
    ds_put_le16(b + 0x94, 0xf0);
    ds_put_le16(opt, 0x20b);
    ds_put_le32(opt + 56, SIZE);
    ds_put_le32(opt + 64, 0xabcd);
    ds_put_le32(opt + 108, 16);
    ds_put_le32(opt + 112, 0x2000);
    ds_put_le32(opt + 116, 0x1100);
    ds_put_le32(opt + 112 + 24, 0x4000);
    ds_put_le32(opt + 116 + 24, 0x24);
    ds_put_le32(opt + 112 + 48, 0x1000);
    ds_put_le32(opt + 116 + 48, 56);
    ds_put_le32(b + 0x1000 + 12, 2);
    ds_put_le32(b + 0x1000 + 16, 0x40);
    ds_put_le32(b + 0x1000 + 20, 0x1100);
    ds_put_le32(b + 0x101c + 12, 16);
    put_text(m, 0x1100, "RSDS");
    for (int i = 0; i < 16; i++)
        b[0x1104 + i] = (uint8_t)(i * 17);
    ds_put_le32(b + 0x1114, 0x1a);
    put_text(m, 0x1118, "d:\\build\\drv.pdb");
    ds_put_le32(b + 0x2014, 3);
    ds_put_le32(b + 0x2018, 3);
    ds_put_le32(b + 0x201c, 0x2100);
    ds_put_le32(b + 0x2020, 0x2200);
    ds_put_le32(b + 0x2024, 0x2300);
    ds_put_le32(b + 0x2100, 0x4100);
    ds_put_le32(b + 0x2104, 0x4200);
    ds_put_le32(b + 0x2108, 0x2400); /* inside the table: a forwarder */
    ds_put_le32(b + 0x2200, 0x2500);
    ds_put_le32(b + 0x2204, 0x3010); /* the second name is on page 3 */
    ds_put_le32(b + 0x2208, 0x2520);
    ds_put_le16(b + 0x2302, 1);
    ds_put_le16(b + 0x2304, 2);
    put_text(m, 0x2400, "OTHER.Name");
    put_text(m, 0x2500, "Alpha");
    put_text(m, 0x3010, "Beta");
    put_text(m, 0x2520, "Gone");
}

struct exports {
    char names[256];
    int count;
};

static bool add_export(void *arg, const char *name, uint32_t rva)
{
    struct exports *e = arg;
    size_t at = strlen(e->names);
    if (e->count < 16)
        (void)snprintf(e->names + at, sizeof e->names - at, "%s=%x ", name, (unsigned)rva);
    return ++e->count > 0;
}

static void whole_image(void)
{
    static struct memory m;
    struct ds_pe_memory memory = {read_memory, &m};
    struct exports e = {.count = 0};
    struct ds_pe pe;
    make_image(&m);
    CHECK(ds_pe_read_from(&memory, BASE, &pe, NULL) == DS_OK);
    CHECK(pe.machine == 0x8664 && pe.is64 && pe.timestamp == 0x12345678 && pe.reproducible);
    CHECK(pe.size_of_image == SIZE && pe.checksum == 0xabcd);
    CHECK(pe.exception_rva == 0x4000 && pe.exception_size == 0x24);
    CHECK_STR(pe.pdb_name, "drv.pdb");
    CHECK_STR(pe.pdb_id, "33221100554477668899AABBCCDDEEFF-1A");
    CHECK(ds_pe_exports(&memory, &pe, add_export, &e, NULL) == DS_OK);
    CHECK_STR(e.names, "Alpha=4100 Beta=4200 ");
}

static void missing_pages(void)
{
    static struct memory m;
    struct ds_pe_memory memory = {read_memory, &m};
    struct exports e = {.count = 0};
    struct ds_err err;
    struct ds_pe pe;
    make_image(&m);
    m.hole = 0;
    CHECK(ds_pe_read_from(&memory, BASE, &pe, &err) == DS_NOT_IN_DUMP);
    m.hole = 1;
    CHECK(ds_pe_read_from(&memory, BASE, &pe, NULL) == DS_OK);
    CHECK(pe.pdb_id[0] == '\0' && !pe.reproducible && pe.export_rva == 0x2000);
    m.hole = 2;
    CHECK(ds_pe_exports(&memory, &pe, add_export, &e, &err) == DS_NOT_IN_DUMP && e.count == 0);
    m.hole = 3;
    CHECK(ds_pe_exports(&memory, &pe, add_export, &e, &err) == DS_NOT_IN_DUMP);
    CHECK_STR(e.names, "Alpha=4100 ");
}

static void wrong_images(void)
{
    static struct memory m;
    struct ds_pe_memory memory = {read_memory, &m};
    struct ds_err err;
    struct ds_pe pe;
    static const struct {
        uint32_t at;
        uint8_t value;
    } headers[] = {{0, 'X'}, {0x3e, 0xff}, {0x80, 'X'}, {0x94, 8}, {0x98, 0}};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        make_image(&m);
        m.bytes[headers[i].at] = headers[i].value;
        CHECK(ds_pe_read_from(&memory, BASE, &pe, &err) == DS_CORRUPT && err.text[0] != '\0');
    }
    CHECK(ds_pe_read_from(&memory, UINT64_MAX - 10, &pe, &err) == DS_CORRUPT);
    make_image(&m);
    m.bytes[0x98 + 108] = 0; /* no directories at all */
    CHECK(ds_pe_read_from(&memory, BASE, &pe, NULL) == DS_OK && pe.export_size == 0);
    CHECK(ds_pe_exports(&memory, &pe, add_export, &(struct exports){.count = 0}, NULL) ==
          DS_NOT_FOUND);
    make_image(&m);
    ds_put_le32(m.bytes + 0x98 + 112, 0xfffffff0); /* leaves the image */
    CHECK(ds_pe_read_from(&memory, BASE, &pe, NULL) == DS_OK && pe.export_size == 0);
}

/* Counts and pointers of the export table that lie: bounded, and never out of the table. */
static void lying_exports(void)
{
    static struct memory m;
    struct ds_pe_memory memory = {read_memory, &m};
    struct ds_err err;
    struct ds_pe pe;
    for (uint32_t at = 0x2000; at < 0x2028; at += 4) {
        static const uint32_t lies[] = {0xffffffff, 0x80000000, 0x2fff, 0x30ff, 0};
        for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
            struct exports e = {.count = 0};
            make_image(&m);
            ds_put_le32(m.bytes + at, lies[i]);
            CHECK(ds_pe_read_from(&memory, BASE, &pe, NULL) == DS_OK);
            enum ds_status status = ds_pe_exports(&memory, &pe, add_export, &e, &err);
            CHECK(status == DS_OK || status == DS_LIMIT);
            CHECK(e.count <= 65536);
        }
    }
    make_image(&m);
    pe.export_size = 0x7fffffff;
    CHECK(ds_pe_exports(&memory, &pe, add_export, &(struct exports){.count = 0}, &err) == DS_LIMIT);
}

TEST_MAIN(TEST(whole_image), TEST(missing_pages), TEST(wrong_images), TEST(lying_exports))
