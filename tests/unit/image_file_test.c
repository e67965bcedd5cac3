/* Code of a dump held against the image's file. */
#include "kernel_maker.h"

#include "base/os.h"
#include "nt/hardware.h"
#include "symbols/image_file.h"
#include "symbols/symbols.h"

#define FOLDER "build/imagesearch"
#define IMAGE FOLDER "/driver.sys/2222222210000/driver.sys"
#define STAMP 0x22222222u
#define FILE_SIZE 0x1600u
#define TEXT 0x400u   /* file offset of RVA 0x1000 */
#define RELOC 0x1400u /* of RVA 0x3000 */
#define PC 0x1100u

static uint8_t file[FILE_SIZE];

static void make_folder(const char *path)
{
    char command[256];
    (void)snprintf(command, sizeof command, "mkdir \"%s\"", path);
    if (ds_os_path_kind(path) == DS_OS_PATH_NONE)
        CHECK(system(command) == 0);
}

static void put_section(uint8_t *s, uint32_t rva, uint32_t size, uint32_t at, uint32_t flags)
{
    ds_put_le32(s + 8, size);
    ds_put_le32(s + 12, rva);
    ds_put_le32(s + 16, size);
    ds_put_le32(s + 20, at);
    ds_put_le32(s + 36, flags);
}

/* An image with code, and one address to relocate at RVA 0x1200. */
static void make_file(void)
{
    memset(file, 0, sizeof(file));
    memcpy(file, "MZ", 2);
    ds_put_le32(file + 0x3c, 0x80);
    memcpy(file + 0x80, "PE", 2);
    ds_put_le16(file + 0x86, 2);
    ds_put_le32(file + 0x88, STAMP);
    ds_put_le16(file + 0x94, 0xf0);
    ds_put_le16(file + 0x98, 0x20b);
    ds_put_le32(file + 0x98 + 56, DRIVER_SIZE);
    ds_put_le32(file + 0x98 + 108, 16);
    ds_put_le32(file + 0x98 + 112 + 40, 0x3000);
    ds_put_le32(file + 0x98 + 112 + 44, 12);
    put_section(file + 0x188, 0x1000, 0x1000, TEXT, 0x60000020);
    put_section(file + 0x188 + 40, 0x3000, 0x200, RELOC, 0x42000040);
    for (uint32_t i = 0; i < 0x1000; i++)
        file[TEXT + i] = (uint8_t)(i * 7 + (i >> 8));
    memcpy(file + TEXT + PC - 0x1000, "\x8b\x41\x28", 3); /* mov eax, [rcx+28h] */
    ds_put_le32(file + RELOC, 0x1000);
    ds_put_le32(file + RELOC + 4, 12);
    ds_put_le16(file + RELOC + 8, 0xa200); /* IMAGE_REL_BASED_DIR64 */
}

static void save(size_t size)
{
    make_folder(FOLDER);
    make_folder(FOLDER "/driver.sys");
    make_folder(FOLDER "/driver.sys/2222222210000");
    FILE *f = ds_os_fopen(IMAGE, "wb");
    CHECK(f != NULL && fwrite(file, 1, size, f) == size && fclose(f) == 0);
}

/* The flips of a crash whose code in memory is that of the file as made, but for `mask` at `rva`
 * and `mask2` at `rva2`. */
static size_t flips(uint32_t rva, uint8_t mask, uint32_t rva2, uint8_t mask2,
                    struct ds_bit_flip *first)
{
    static struct kernel k;
    static uint8_t code[0x1000];
    struct ds_target_options options = {.symbol_path = "build/nosuch;" FOLDER};
    struct ds_target *t = NULL;
    struct ds_nt *nt = NULL;
    uint8_t kept[FILE_SIZE];
    memcpy(kept, file, sizeof(kept));
    make_file();
    memcpy(code, file + TEXT, sizeof(code));
    memcpy(file, kept, sizeof(kept));
    code[rva - 0x1000] ^= mask;
    code[rva2 - 0x1000] ^= mask2;
    options.overrides = (struct ds_target_overrides){ds_opt_unknown(DS_OK), ds_opt_unknown(DS_OK),
                                                     ds_opt_unknown(DS_OK)};
    kernel_open(&k);
    maker_write(&k.m, DRIVER_BASE + 0x1000, code, sizeof(code));
    kernel_bugcheck(&k, 0xd1, 0x28, 2, 0, DRIVER_BASE + PC);
    CHECK(ds_target_open(maker_dump(&k.m), &options, &t, NULL) == DS_OK);
    CHECK(ds_nt_open(t, &nt, NULL) == DS_OK);
    const struct ds_bit_flips *f = ds_nt_code_flips(nt);
    size_t n = f->count;
    if (n > 0 && first != NULL) {
        *first = f->rows[0];
        first->subject = strcmp(f->rows[0].subject, "the byte at driver.sys+0x1340") == 0
                             ? "elsewhere"
                         : strcmp(f->rows[0].subject, "byte 2 of the instruction") == 0 ? "inside"
                                                                                        : "?";
    }
    ds_nt_close(nt);
    kernel_close(&k);
    return n;
}

static void one_bit_beside_the_file_is_found(void)
{
    struct ds_bit_flip f;
    make_file();
    save(FILE_SIZE);
    CHECK_U64(flips(PC, 0, PC, 0, NULL), 0);
    CHECK_U64(flips(0x1340, 0x10, PC, 0, &f), 1);
    CHECK_STR(f.kind, "image file");
    CHECK_STR(f.subject, "elsewhere");
    CHECK_STR(f.confidence, "medium");
    CHECK_U64(f.bit, 4);
    CHECK_U64(f.place.value, DRIVER_BASE + 0x1340);
    CHECK_U64(f.value ^ f.expected, 0x10);
    CHECK_U64(flips(PC + 2, 0x20, PC, 0, &f), 1);
    CHECK_STR(f.subject, "inside");
}

static void what_is_patched_or_relocated_is_no_wrong_bit(void)
{
    make_file();
    save(FILE_SIZE);
    CHECK_U64(flips(0x1340, 0x11, PC, 0, NULL), 0);     /* two bits */
    CHECK_U64(flips(0x1340, 0x10, 0x1350, 1, NULL), 0); /* two bytes */
    CHECK_U64(flips(0x1203, 0x10, PC, 0, NULL), 0);     /* the loader's own */
    CHECK_U64(flips(0x1208, 0x10, PC, 0, NULL), 1);     /* behind it */
    CHECK_U64(flips(0x1203, 0x10, 0x1340, 1, NULL), 1); /* of two, one is the loader's */
    CHECK_U64(flips(0x1f00, 0x10, PC, 0, NULL), 0);     /* too far from the fault */
}

static void other_and_damaged_files_say_nothing(void)
{
    static const struct {
        uint32_t at, value;
    } damage[] = {
        {0, 0},                   /* no image */
        {0x3c, 0xfffffff0},       /* headers outside */
        {0x86, 0xffff},           /* sections without number */
        {0x88, STAMP + 1},        /* another image */
        {0x98 + 56, 0x20000},     /* another size */
        {0x188 + 20, 0xfffff000}, /* code outside */
        {0x188 + 16, 0},          /* no code */
        {0x188 + 12, 0xfffff000}, /* code that wraps */
        {0x188 + 36, 0xe0000020}, /* code that changes itself */
        {RELOC + 4, 0},           /* a list that does not go on */
        {RELOC + 4, 0xffffffff},
        {0x98 + 112 + 40, 0x9000}, /* no such place */
        {0x98 + 112 + 44, 0xffffffff},
    };
    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        make_file();
        ds_put_le32(file + damage[i].at, damage[i].value);
        save(FILE_SIZE);
        CHECK_U64(flips(0x1340, 0x10, PC, 0, NULL), 0);
    }
    for (size_t size = 0; size < RELOC + 12; size += 0x55) {
        make_file();
        save(size);
        CHECK_U64(flips(0x1340, 0x10, PC, 0, NULL), 0);
    }
    CHECK(ds_os_remove(IMAGE));
    CHECK_U64(flips(0x1340, 0x10, PC, 0, NULL), 0);
}

static void the_name_leads_out_of_no_folder(void)
{
    char *found = NULL;
    make_file();
    save(FILE_SIZE);
    CHECK(ds_symbols_search_image(FOLDER, "DRIVER.sys", STAMP, DRIVER_SIZE, &found) == DS_OK);
    free(found);
    CHECK(ds_symbols_search_image("srv*" FOLDER, "driver.sys", STAMP, DRIVER_SIZE, &found) ==
          DS_OK);
    free(found);
    CHECK(ds_symbols_search_image(FOLDER, "driver.sys", STAMP + 1, DRIVER_SIZE, &found) ==
          DS_NOT_FOUND);
    CHECK(ds_symbols_search_image(IMAGE, "driver.sys", STAMP, DRIVER_SIZE, &found) == DS_NOT_FOUND);
    CHECK(ds_symbols_search_image(FOLDER, "../imagesearch/driver.sys", STAMP, DRIVER_SIZE,
                                  &found) == DS_NOT_FOUND);
    CHECK(ds_os_remove(IMAGE));
}

TEST_MAIN(TEST(one_bit_beside_the_file_is_found),
          TEST(what_is_patched_or_relocated_is_no_wrong_bit),
          TEST(other_and_damaged_files_say_nothing), TEST(the_name_leads_out_of_no_folder))
