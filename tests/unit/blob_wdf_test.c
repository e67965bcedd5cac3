#include "test.h"

#include "base/bytes.h"
#include "dump/blob_wdf.h"

static void entries_are_whole_or_not_there(void)
{
    uint8_t b[2 * 56];
    memset(b, 'x', sizeof(b)); /* names without an end */
    ds_put_le64(b + 56, UINT64_C(0xffffc08bde1cfd80));
    ds_put_le32(b + 64, 1);
    ds_put_le32(b + 68, 15);
    ds_put_le32(b + 72, 7);
    memcpy(b + 76, "acpiex", 7);
    struct ds_wdf_driver d;
    CHECK(ds_wdf_driver_at(b, sizeof(b), 1, &d));
    CHECK_U64(d.globals, UINT64_C(0xffffc08bde1cfd80));
    CHECK(d.major == 1 && d.minor == 15 && d.build == 7);
    CHECK_STR(d.name, "acpiex");
    CHECK(ds_wdf_driver_at(b, sizeof(b), 0, &d) && strlen(d.name) == 32);
    CHECK(!ds_wdf_driver_at(b, sizeof(b), 2, &d));
    CHECK(!ds_wdf_driver_at(b, sizeof(b) - 1, 1, &d));
    CHECK(!ds_wdf_driver_at(b, 0, 0, &d));
    memset(b + 20, 0xff, 32); /* each byte becomes U+FFFD, three bytes */
    CHECK(ds_wdf_driver_at(b, sizeof(b), 0, &d) && strlen(d.name) == 96);
}

TEST_MAIN(TEST(entries_are_whole_or_not_there))
