#include "dump_image.h"

struct sample {
    const char *bytes;
    size_t size;
    const char *words; /* that the refusal must say */
};

#define S(text, words)                                                                             \
    {                                                                                              \
        text, sizeof(text) - 1, words                                                              \
    }

static const struct sample samples[] = {
    S("\x1f\x8b\x08\x00________", "gzip"),
    S("PK\x03\x04________", "zip archive"),
    S("7z\xbc\xaf\x27\x1c____", "7-Zip"),
    S("MSCF\0\0\0\0____", "cabinet"),
    S("\xfd"
      "7zXZ\0____",
      "xz archive"),
    S("\x28\xb5\x2f\xfd______", "Zstandard"),
    S("BZh91AY&SY", "bzip2"),
    S("HIBR________", "hibernation"),
    S("wake________", "hibernation"),
    S("\x81\x81xpress____", "hibernation"),
    S("\xd2\xbe\xd2\xbe________", "VMware"),
    S("\xd3\xbe\xd3\xbe________", "VMware"),
    S("\xd1\xba\xd1\xba________", "VMware"),
    S("\x14\x20\x28\x01________", "Hyper-V"),
    S("EMiL\x01\0\0\0____", "LiME"),
    S("AVML\x02\0\0\0____", "AVML"),
    S("KDUMP   \x06\0\0\0", "kdump"),
    S("makedumpfile\0\0\0\0", "flattened"),
    S("Raw_Dmp!\x01\0\0\0", "UEFI"),
    S("MZ\x90\0\x03\0\0\0\x04\0\0\0", "program or driver"),
    S("\x7f"
      "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0\x3e\0",
      "ELF core"),
    S("\x7f"
      "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0",
      "ELF file"),
    S("<!DOCTYPE HTML><html><body>404", "web page"),
    S("\xef\xbb\xbf  <html lang=en>", "web page"),
    S("BugCheck 3B, {c0000005, 0, 0, 0}\r\n", "text file"),
    S("\xff\xfeV\0e\0r\0s\0i\0o\0n\0", "text file"),
    S("DLOGFILE\x01\0\0\0", "log of writing"),
    S("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "all zero"),
    S("\x93\xf1\x07\x55\xaa\x10\x80\xfe\xc4\x39", "unknown kind of file"),
    S("PAGEPAGEPAGEPAGEPAGE\x01", "never finished or is overwritten"),
    S("\x01\x02", "only 2 bytes"),
    S("", "empty file"),
};

static void other_files_are_named(void)
{
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct ds_err err;
        enum ds_status st = image_refusal(samples[i].bytes, samples[i].size, &err);
        if (st != DS_NOT_DUMP || strstr(err.text, samples[i].words) == NULL)
            printf("    %s: %s\n", samples[i].words, err.text);
        CHECK_U64(st, DS_NOT_DUMP);
        CHECK(strstr(err.text, samples[i].words) != NULL);
    }
}

static void user_minidumps_are_named(void)
{
    uint8_t b[64] = "MDMP\x93\xa7";
    struct ds_err err;
    ds_put_le32(b + 8, 2);
    ds_put_le32(b + 12, 0x20);
    CHECK_U64(image_refusal(b, sizeof(b), &err), DS_NOT_DUMP);
    CHECK(strstr(err.text, "user-mode minidump") && !strstr(err.text, "damaged"));
    ds_put_le32(b + 12, 0x20202020);
    CHECK_U64(image_refusal(b, sizeof(b), &err), DS_NOT_DUMP);
    CHECK(strstr(err.text, "user-mode minidump") && strstr(err.text, "damaged") &&
          strstr(err.text, "0x20202020"));
    CHECK_U64(image_refusal(b, 10, &err), DS_NOT_DUMP);
    CHECK(strstr(err.text, "ends within its header") != NULL);
}

static void a_cut_signature_is_truncation(void)
{
    struct ds_err err;
    CHECK_U64(image_refusal("PAGEDU", 6, &err), DS_TRUNCATED);
    CHECK(strstr(err.text, "cut off after 6 bytes") != NULL);
}

static void other_dump_types_are_refused_by_name(void)
{
    static const struct {
        uint32_t type;
        const char *words;
    } types[] = {{7, "DumpType 7"}, {0, "unknown DumpType 0x0"}, {0x1234, "DumpType 0x1234"}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct image m = image_header64(types[i].type, 0x4000);
        struct ds_err err;
        CHECK_U64(image_refusal(m.p, m.size, &err), DS_UNSUPPORTED);
        if (strstr(err.text, types[i].words) == NULL)
            printf("    %u: %s\n", types[i].type, err.text);
        CHECK(strstr(err.text, types[i].words) != NULL);
        free(m.p);
    }
    for (uint32_t type = 8; type <= 10; type++) {
        struct image m = image_header32(type, 0x4000);
        struct ds_err err;
        CHECK_U64(image_refusal(m.p, m.size, &err), DS_UNSUPPORTED);
        CHECK(strstr(err.text, "32-bit kernel range dump") != NULL);
        free(m.p);
    }
}

static void unknown_32_bit_forms_open_as_headers(void)
{
    static const uint32_t types[] = {2, 5, 6};
    for (size_t i = 0; i < 3; i++) {
        struct image m = image_header32(types[i], 0x4000);
        struct ds_dump *d = image_open(&m);
        CHECK(d != NULL);
        CHECK_U64(ds_dump_kind(d), DS_DUMP_DAMAGED);
        CHECK(image_note(d, types[i] == 2 ? "summary.signature" : "dump.unsupported_form") != NULL);
        CHECK_U64(ds_integrity_worst(ds_dump_integrity(d)), DS_INTEGRITY_FATAL);
        CHECK_U64(ds_dump_header(d)->minor_version.value, 3790);
        ds_dump_close(d);
        free(m.p);
    }
}

static void header_only_dumps_open(void)
{
    struct image m = image_header64(3, 0x2000);
    struct ds_dump *d = image_open(&m);
    CHECK(d != NULL);
    CHECK_U64(ds_dump_kind(d), DS_DUMP_HEADER_ONLY);
    CHECK_U64(ds_dump_integrity(d)->count, 0);
    image_print_notes(d);
    CHECK(!ds_dump_has_physical(d) && ds_dump_triage(d) == NULL);
    ds_dump_close(d);
    free(m.p);
}

static void a_cut_header_gives_what_it_holds(void)
{
    struct image m = image_header64(4, 0x2000);
    m.size = 0x200;
    struct ds_dump *d = image_open(&m);
    CHECK(d != NULL);
    CHECK_U64(ds_dump_kind(d), DS_DUMP_DAMAGED);
    const struct ds_dump_header *h = ds_dump_header(d);
    CHECK_U64(h->bugcheck_code.value, 0xd1);
    CHECK(!h->dump_type.known && h->dump_type.why == DS_TRUNCATED);
    CHECK(!h->system_time.known);
    CHECK(image_note(d, "file.truncated") != NULL);
    ds_dump_close(d);
    free(m.p);
}

static void filler_is_absent_everywhere(void)
{
    struct image m = image_header64(3, 0x2000);
    for (size_t i = 8; i < 0x2000; i += 4)
        memcpy(m.p + i, "PAGE", 4);
    put32(&m, 0xf98, 3);
    put32(&m, 0x30, 0xaa64);
    struct ds_dump *d = image_open(&m);
    const struct ds_dump_header *h = ds_dump_header(d);
    CHECK(!h->dtb.known && !h->major_version.known && !h->processor_count.known &&
          !h->bugcheck_code.known && !h->bugcheck_parameter[2].known && !h->system_time.known &&
          !h->attributes.known && !h->boot_id.known && !h->product_type.known &&
          !h->kd_secondary_version.known && !h->kd_debugger_data_block.known);
    CHECK_STR(h->version_user, "");
    CHECK_STR(h->comment, "");
    CHECK_U64(h->arch, DS_ARCH_ARM64);
    ds_dump_close(d);
    free(m.p);
}

static void zeros_are_no_answer(void)
{
    struct image m = image_header64(3, 0x2000);
    memset(m.p + 8, 0, 0x60 - 8);
    struct ds_dump *d = image_open(&m);
    const struct ds_dump_header *h = ds_dump_header(d);
    CHECK(!h->machine.known && !h->processor_count.known && !h->minor_version.known &&
          !h->ps_loaded_module_list.known);
    CHECK(!h->bugcheck_code.known && !h->bugcheck_parameter[0].known);
    CHECK(image_note(d, "header.processor_count") != NULL);
    ds_dump_close(d);
    free(m.p);

    m = image_header64(3, 0x2000); /* a live dump: code 0 in a header that is filled in */
    put32(&m, 0x38, 0);
    d = image_open(&m);
    h = ds_dump_header(d);
    CHECK(h->bugcheck_code.known && h->bugcheck_code.value == 0);
    ds_dump_close(d);
    free(m.p);
}

static void hostile_header_texts_become_utf8(void)
{
    struct image m = image_header64(3, 0x2000);
    memset(m.p + 0x60, 0xff, 32);
    memcpy(m.p + 0xfb0, "disk \xc3\xa9 full", 13);
    struct ds_dump *d = image_open(&m);
    const char *v = ds_dump_header(d)->version_user;
    CHECK(strlen(v) <= 32 && strncmp(v, "\xef\xbf\xbd", 3) == 0);
    CHECK_STR(ds_dump_header(d)->comment, "disk \xc3\xa9 full");
    ds_dump_close(d);
    free(m.p);
}

static void a_wrong_machine_is_told_by_the_context(void)
{
    struct image m = image_header64(3, 0x2000);
    put32(&m, 0x30, 0x14c); /* a 32-bit machine in a 64-bit header */
    put32(&m, 0x348, 0x400007);
    struct ds_dump *d = image_open(&m);
    CHECK_U64(ds_dump_header(d)->arch, DS_ARCH_ARM64);
    CHECK_U64(ds_dump_header(d)->machine.value, 0x14c);
    CHECK(image_note(d, "header.machine") != NULL);
    ds_dump_close(d);
    free(m.p);
}

static void a_machine_that_is_not_there_is_unknown(void)
{
    struct image m = image_header64(3, 0x2000);
    memcpy(m.p + 0x30, "PAGE", 4);
    struct ds_dump *d = image_open(&m);
    CHECK(!ds_dump_header(d)->machine.known);
    CHECK(image_note(d, "header.machine") != NULL);
    ds_dump_close(d);
    m.size = 0x30; /* ends right before it */
    d = image_open(&m);
    CHECK(!ds_dump_header(d)->machine.known);
    CHECK(ds_dump_header(d)->machine.why == DS_TRUNCATED);
    ds_dump_close(d);
    free(m.p);
}

TEST_MAIN(TEST(other_files_are_named), TEST(user_minidumps_are_named),
          TEST(a_cut_signature_is_truncation), TEST(other_dump_types_are_refused_by_name),
          TEST(unknown_32_bit_forms_open_as_headers), TEST(header_only_dumps_open),
          TEST(a_cut_header_gives_what_it_holds), TEST(filler_is_absent_everywhere),
          TEST(zeros_are_no_answer), TEST(hostile_header_texts_become_utf8),
          TEST(a_wrong_machine_is_told_by_the_context),
          TEST(a_machine_that_is_not_there_is_unknown))
