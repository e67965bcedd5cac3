#include <string.h>

#include "base/bytes.h"
#include "dump/impl.h"
#include "test.h"

static uint8_t head[12288];

static void begin64(uint32_t type)
{
    memset(head, 0, sizeof(head));
    memcpy(head, "PAGEDU64", 8);
    memcpy(head + 0xfa0, "PAGEPAGE", 8); /* RequiredDumpSpace, never set */
    ds_put_le32(head + 0xf98, type);
}

static void complete_dumps_state_their_runs(void)
{
    begin64(1);
    ds_put_le32(head + 0x88, 2);
    ds_put_le64(head + 0x98 + 8, 3);
    ds_put_le64(head + 0x98 + 24, 4);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0x2000 + 7 * 4096);
    ds_put_le64(head + 0xfa0, 0x20000);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0x20000);
    ds_put_le64(head + 0xfa0, 0x100); /* less than the runs: these count */
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0x2000 + 7 * 4096);
    CHECK_U64(ds_dump_stated_size(head, 0x1fff), 0);
    memset(head, 0, sizeof(head));
    memcpy(head, "PAGEDUMP", 8);
    memcpy(head + 0xfa0, "PAGE", 4);
    ds_put_le32(head + 0xf88, 1);
    ds_put_le32(head + 0x64, 1);
    ds_put_le32(head + 0x6c + 4, 5);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0x1000 + 5 * 4096);
}

static void runs_that_lie_state_nothing(void)
{
    begin64(1);
    ds_put_le32(head + 0x88, 43);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0);
    ds_put_le32(head + 0x88, 2);
    ds_put_le64(head + 0x98 + 8, UINT64_MAX);
    ds_put_le64(head + 0x98 + 24, 2);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0);
    ds_put_le64(head + 0x98 + 24, 0); /* pages, but more bytes than a number holds */
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0);
}

static void bitmaps_and_minidumps_state_theirs(void)
{
    begin64(6);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0);
    memcpy(head + 0x2000, "SDMPDUMP", 8);
    ds_put_le64(head + 0x2020, 0x5000);
    ds_put_le64(head + 0x2028, 10);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0x5000 + 10 * 4096);
    begin64(4);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0);
    ds_put_le64(head + 0xfa0, 0x40000);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0x40000);
    begin64(2); /* nothing can be told of the old kinds */
    ds_put_le64(head + 0xfa0, 0x40000);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0);
}

static void cores_state_the_end_of_their_segments(void)
{
    memset(head, 0, sizeof(head));
    memcpy(head, "\177ELF\2\1\1", 7);
    ds_put_le16(head + 16, 4);
    ds_put_le16(head + 18, 62);
    ds_put_le64(head + 32, 64);
    ds_put_le16(head + 54, 56);
    ds_put_le16(head + 56, 2);
    ds_put_le64(head + 64 + 8, 0x1000);
    ds_put_le64(head + 64 + 32, 0x80000000);
    ds_put_le64(head + 120 + 8, 0x200);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0x80001000);
    CHECK_U64(ds_dump_stated_size(head, 170), 0); /* not all program headers are there */
    ds_put_le16(head + 56, 0xffff);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0);
    ds_put_le16(head + 56, 2);
    ds_put_le64(head + 64 + 8, UINT64_MAX);
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0);
}

static void other_bytes_state_nothing(void)
{
    memset(head, 0x41, sizeof(head));
    CHECK_U64(ds_dump_stated_size(head, sizeof(head)), 0);
    CHECK_U64(ds_dump_stated_size(head, 0), 0);
}

TEST_MAIN(TEST(complete_dumps_state_their_runs), TEST(runs_that_lie_state_nothing),
          TEST(bitmaps_and_minidumps_state_theirs), TEST(cores_state_the_end_of_their_segments),
          TEST(other_bytes_state_nothing))
