#include "unwind/context.h"

#include "base/bytes.h"
#include "test.h"

static void test_x64(void)
{
    uint8_t raw[1232] = {0};
    struct ds_context c;
    ds_put_le32(raw + 0x30, 0x10001f);
    ds_put_le32(raw + 0x44, 0x50246);
    ds_put_le16(raw + 0x38, 0x10);
    ds_put_le64(raw + 0x78, 0xffffc08be4da6240u);
    ds_put_le64(raw + 0x98, 0xffff850429892120u);
    ds_put_le64(raw + 0xa0, 0xfffff8048b58f598u);
    ds_put_le64(raw + 0xf8, 0xfffff8048b58334cu);
    CHECK(ds_context_decode(DS_ARCH_X64, raw, sizeof(raw), &c) == DS_OK);
    CHECK_U64(c.pc, 0xfffff8048b58334cu);
    CHECK_U64(c.sp, 0xffff850429892120u);
    CHECK_U64(c.fp, 0xfffff8048b58f598u);
    CHECK_U64(c.flags, 0x10001f);
    CHECK_STR(c.registers[0].name, "rax");
    CHECK_STR(c.registers[1].name, "rbx");
    CHECK_U64(c.register_count, 24);
    uint64_t v = 0;
    CHECK(ds_context_register(&c, "rax", &v));
    CHECK_U64(v, 0xffffc08be4da6240u);
    CHECK(ds_context_register(&c, "cs", &v));
    CHECK_U64(v, 0x10);
    CHECK(ds_context_register(&c, "efl", &v));
    CHECK_U64(v, 0x50246);
    CHECK(!ds_context_register(&c, "eax", &v));
}

static void test_x86(void)
{
    uint8_t raw[716] = {0};
    struct ds_context c;
    uint64_t v = 0;
    ds_put_le32(raw, 0x1003f);
    ds_put_le32(raw + 0xb8, 0x806e4a37);
    ds_put_le32(raw + 0xc4, 0xa07be200);
    ds_put_le32(raw + 0xb4, 0xa07be210);
    ds_put_le32(raw + 0xb0, 0xffffffff);
    CHECK(ds_context_decode(DS_ARCH_X86, raw, sizeof(raw), &c) == DS_OK);
    CHECK_U64(c.pc, 0x806e4a37);
    CHECK_U64(c.sp, 0xa07be200);
    CHECK_U64(c.fp, 0xa07be210);
    CHECK(ds_context_register(&c, "eax", &v));
    CHECK_U64(v, 0xffffffff); /* zero-extended */
}

static void test_arm64(void)
{
    uint8_t raw[912] = {0};
    struct ds_context c;
    uint64_t v = 0;
    ds_put_le32(raw, 0x400007);
    ds_put_le32(raw + 4, 0x60000084);
    ds_put_le64(raw + 0x08 + 8 * 28, 28);
    ds_put_le64(raw + 0xf0, 29);
    ds_put_le64(raw + 0xf8, 30);
    ds_put_le64(raw + 0x100, 31);
    ds_put_le64(raw + 0x108, 0xfffff801bcd52de8u);
    CHECK(ds_context_decode(DS_ARCH_ARM64, raw, sizeof(raw), &c) == DS_OK);
    CHECK_U64(c.pc, 0xfffff801bcd52de8u);
    CHECK_U64(c.sp, 31);
    CHECK(ds_context_register(&c, "x28", &v));
    CHECK_U64(v, 28);
    CHECK(ds_context_register(&c, "x29", &v));
    CHECK_U64(v, 29);
    CHECK(ds_context_register(&c, "x30", &v));
    CHECK_U64(v, 30);
    CHECK(ds_context_register(&c, "psr", &v));
    CHECK_U64(v, 0x60000084);
}

static void test_arm(void)
{
    uint8_t raw[416] = {0};
    struct ds_context c;
    ds_put_le32(raw, 0x20000f);
    ds_put_le32(raw + 0x38, 0x80a75cd0);
    ds_put_le32(raw + 0x40, 0x83edaf2d);
    CHECK(ds_context_decode(DS_ARCH_ARM, raw, sizeof(raw), &c) == DS_OK);
    CHECK_U64(c.pc, 0x83edaf2d);
    CHECK_U64(c.sp, 0x80a75cd0);
    CHECK_STR(c.registers[12].name, "r12");
}

static void test_refused(void)
{
    uint8_t raw[1232] = {0};
    struct ds_context c;
    CHECK(ds_context_decode(DS_ARCH_X64, raw, sizeof(raw), &c) == DS_CORRUPT);
    for (size_t i = 0; i < sizeof(raw); i += 4) {
        memcpy(raw + i, "PAGE", 4);
    }
    CHECK(ds_context_decode(DS_ARCH_X64, raw, sizeof(raw), &c) == DS_CORRUPT);
    CHECK(ds_context_decode(DS_ARCH_X86, raw, sizeof(raw), &c) == DS_CORRUPT);
    ds_put_le32(raw + 0x30, 0x400007); /* another architecture's flags */
    CHECK(ds_context_decode(DS_ARCH_X64, raw, sizeof(raw), &c) == DS_CORRUPT);
    ds_put_le32(raw + 0x30, 0xd810001f); /* exception state bits do not hide the architecture */
    CHECK(ds_context_decode(DS_ARCH_X64, raw, sizeof(raw), &c) == DS_OK);
    CHECK(ds_context_decode(DS_ARCH_X64, raw, ds_context_size(DS_ARCH_X64) - 1, &c) ==
          DS_TRUNCATED);
    CHECK(ds_context_decode(DS_ARCH_UNKNOWN, raw, sizeof(raw), &c) == DS_UNSUPPORTED);
    CHECK_U64(ds_context_size(DS_ARCH_UNKNOWN), 0);
}

static void test_add_is_bounded(void)
{
    struct ds_context c = {.arch = DS_ARCH_X64};
    for (unsigned i = 0; i < DS_CONTEXT_REGISTERS + 10; i++) {
        ds_context_add(&c, "r", i, 8);
    }
    CHECK_U64(c.register_count, DS_CONTEXT_REGISTERS);
}

TEST_MAIN(TEST(test_x64), TEST(test_x86), TEST(test_arm64), TEST(test_arm), TEST(test_refused),
          TEST(test_add_is_bounded))
