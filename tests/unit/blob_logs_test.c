#include "test.h"

#include "base/bytes.h"
#include "dump/blob_blackbox.h"
#include "dump/blob_ifr.h"
#include "dump/blob_storage.h"
#include "dump/blob_triage_data.h"

/* ---- recorders ---- */

static const uint8_t trace_guid[16] = {0x9d, 0x4c, 0x4d, 0x54, 0x2c, 0x94, 0xd5, 0x46,
                                       0xbf, 0x50, 0xdf, 0x5c, 0xd9, 0x52, 0x4a, 0x50};
#define RING 160

static void put_log(uint8_t *p, uint16_t current, uint16_t previous, uint32_t sequence)
{
    memset(p, 0, 72 + RING);
    memcpy(p, trace_guid, 16);
    ds_put_le64(p + 16, UINT64_C(0xffffc08be4516048));
    ds_put_le32(p + 24, RING);
    ds_put_le16(p + 28, current);
    ds_put_le16(p + 30, previous);
    ds_put_le32(p + 32, sequence);
    memcpy(p + 36, "fabnic", 7);
}

static void put_record(uint8_t *log, size_t at, uint16_t length, uint32_t sequence, uint16_t prev)
{
    uint8_t *p = log + 72 + at;
    memcpy(p, "LR", 2);
    ds_put_le16(p + 2, length);
    ds_put_le32(p + 4, sequence);
    ds_put_le16(p + 8, prev);
    ds_put_le16(p + 10, 14);
    memcpy(p + 12, trace_guid, 16);
    memset(p + 28, 0xa5, length > 28 && at + length <= RING ? length - 28u : 0);
}

static size_t walk(const uint8_t *b, size_t size, enum ds_ifr_end *end, int32_t *oldest)
{
    struct ds_ifr_log log;
    struct ds_ifr_record r;
    size_t n = 0;
    CHECK_U64(ds_ifr_open(b, size, true, &log), DS_OK);
    struct ds_ifr_walk w = ds_ifr_walk_begin(&log);
    while (ds_ifr_next(&w, &r)) {
        *oldest = r.sequence;
        n++;
        if (n > 100)
            break;
    }
    *end = w.end;
    return n;
}

static void recorder_is_walked_back(void)
{
    uint8_t b[72 + RING];
    enum ds_ifr_end end;
    int32_t oldest = 0;
    put_log(b, 100, 64, 3);
    put_record(b, 0, 28, 1, 0);
    put_record(b, 28, 36, 2, 0);
    put_record(b, 64, 36, 3, 28);
    CHECK_U64(walk(b, sizeof(b), &end, &oldest), 3);
    CHECK(end == DS_IFR_BEGIN && oldest == 1);
    struct ds_ifr_log log;
    CHECK_U64(ds_ifr_open(b, sizeof(b), true, &log), DS_OK);
    CHECK_STR(log.name, "fabnic");
    CHECK(log.kind == DS_IFR_KMDF && log.sequence.value == 3 && log.ring_size == RING);
    struct ds_ifr_walk w = ds_ifr_walk_begin(&log);
    struct ds_ifr_record r;
    CHECK(ds_ifr_next(&w, &r) && r.sequence == 3 && r.number == 14 && r.arguments_size == 8);
    CHECK_STR(r.guid, "544d4c9d-942c-46d5-bf50-df5cd9524a50");
    /* Gone round: record 5 at 0 has overwritten the first ones; 3 and 4 stand behind it. */
    put_log(b, 40, 0, 5);
    put_record(b, 64, 36, 3, 28);
    put_record(b, 100, 40, 4, 64);
    put_record(b, 0, 40, 5, 100);
    CHECK_U64(walk(b, sizeof(b), &end, &oldest), 3);
    CHECK(end == DS_IFR_OVERWRITTEN && oldest == 3);
    put_log(b, 0, 0, 0);
    CHECK_U64(walk(b, sizeof(b), &end, &oldest), 0);
    CHECK(end == DS_IFR_EMPTY);
}

static void hostile_recorder_ends(void)
{
    uint8_t b[72 + RING];
    enum ds_ifr_end end;
    int32_t oldest = 0;
    struct ds_ifr_log log;
    put_log(b, 100, 64, 3);
    put_record(b, 64, 36, 3, 64); /* leads to itself */
    CHECK_U64(walk(b, sizeof(b), &end, &oldest), 1);
    CHECK(end == DS_IFR_BROKEN);
    put_record(b, 64, 36, 3, 28); /* sequence does not fall */
    put_record(b, 28, 36, 3, 64);
    CHECK_U64(walk(b, sizeof(b), &end, &oldest), 1);
    CHECK(end == DS_IFR_BROKEN);
    put_record(b, 64, 0xffff, 3, 28); /* leaves the ring */
    CHECK_U64(walk(b, sizeof(b), &end, &oldest), 0);
    put_record(b, 64, 27, 3, 28); /* shorter than its head */
    CHECK_U64(walk(b, sizeof(b), &end, &oldest), 0);
    put_record(b, 64, 36, 3, 0xfff0);
    CHECK_U64(walk(b, sizeof(b), &end, &oldest), 1);
    put_log(b, 100, 0xfff0, 3);
    CHECK_U64(ds_ifr_open(b, sizeof(b), true, &log), DS_CORRUPT);
    put_log(b, 100, 64, 3);
    ds_put_le32(b + 24, 0xffffffffu); /* a size that the blob does not have */
    CHECK(ds_ifr_open(b, sizeof(b), true, &log) == DS_OK && log.ring_size == RING);
    for (size_t n = 0; n < 72; n++)
        CHECK(ds_ifr_open(b, n, true, &log) != DS_OK);
    b[0] ^= 1;
    CHECK_U64(ds_ifr_open(b, sizeof(b), true, &log), DS_NOT_FOUND);
}

static void wpp_recorder_is_read_in_both_forms(void)
{
    static const struct {
        size_t signature, words, ring;
    } forms[] = {{0x1c, 0x90, 0xa8}, {0x20, 0x88, 0xa0}};
    for (size_t i = 0; i < 2; i++) {
        uint8_t b[512] = "DriverLog";
        struct ds_ifr_log log;
        struct ds_ifr_record r;
        memcpy(b + forms[i].signature, "WPLg", 4);
        ds_put_le32(b + forms[i].words + 8, 200);
        ds_put_le16(b + forms[i].words + 12, 64);
        ds_put_le16(b + forms[i].words + 14, 28);
        put_record(b + forms[i].ring - 72, 0, 28, 7, 0);
        put_record(b + forms[i].ring - 72, 28, 36, 9, 0); /* 8 went to the other ring */
        CHECK_U64(ds_ifr_open(b, sizeof(b), true, &log), DS_OK);
        CHECK(log.kind == DS_IFR_WPP && strcmp(log.name, "DriverLog") == 0);
        struct ds_ifr_walk w = ds_ifr_walk_begin(&log);
        CHECK(ds_ifr_next(&w, &r) && r.sequence == 9);
        CHECK(ds_ifr_next(&w, &r) && r.sequence == 7);
        CHECK(!ds_ifr_next(&w, &r) && w.end == DS_IFR_BEGIN);
        CHECK_U64(ds_ifr_open(b, sizeof(b), false, &log), DS_NOT_FOUND);
    }
}

/* ---- ranges, storage ---- */

static void ranges_end_with_the_blob(void)
{
    uint8_t b[8 + 32 + 5] = {2, 0, 0, 0, 5, 0, 0, 0};
    struct ds_triage_data t;
    uint64_t va, size;
    ds_put_le64(b + 24, UINT64_C(0xffffc08bde2f7000));
    ds_put_le64(b + 32, 3608);
    memcpy(b + 40, "Acme", 5);
    CHECK_U64(ds_triage_data_decode(b, sizeof(b), &t), DS_OK);
    CHECK(t.count == 2 && strcmp(t.name, "Acme") == 0);
    ds_triage_data_range(&t, 1, &va, &size);
    CHECK(va == UINT64_C(0xffffc08bde2f7000) && size == 3608);
    CHECK(ds_triage_data_decode(b, 30, &t) == DS_TRUNCATED && t.count == 1 && t.name[0] == '\0');
    CHECK(ds_triage_data_decode(b, 42, &t) == DS_TRUNCATED && strcmp(t.name, "Ac") == 0);
    CHECK(ds_triage_data_decode(b, 7, &t) == DS_TRUNCATED && t.count == 0);
    memset(b, 0xff, 8); /* counts that lie */
    CHECK(ds_triage_data_decode(b, sizeof(b), &t) == DS_TRUNCATED && t.count == 2);
    uint8_t name[8 + 300];
    memset(name, 0xff, sizeof(name));
    ds_put_le32(name, 0);
    CHECK(ds_triage_data_decode(name, sizeof(name), &t) == DS_TRUNCATED && strlen(t.name) == 189);
}

static void storage_requests_are_those_that_were_made(void)
{
    uint8_t b[36 + 120] = "DSTP";
    struct ds_storage_log log;
    struct ds_storage_request r;
    memcpy(b + 16, "storport.sys", 12);
    ds_put_le32(b + 32, 2);
    b[36] = 0x28;
    ds_put_le64(b + 36 + 32, 1000);
    ds_put_le64(b + 36 + 40, 1500);
    ds_put_le32(b + 36 + 48, 1);
    CHECK_U64(ds_storage_decode(b, sizeof(b), &log), DS_OK);
    CHECK(log.count == 2 && strcmp(log.driver, "storport.sys") == 0);
    CHECK(ds_storage_request_at(&log, 0, &r) && r.start == 1000 && r.end == 1500 && r.status == 1);
    CHECK_STR(ds_scsi_operation_name(r.cdb[0]), "READ(10)");
    CHECK(!ds_storage_request_at(&log, 1, &r));
    CHECK(ds_scsi_operation_name(0xff) == NULL);
    CHECK(ds_storage_decode(b, sizeof(b) - 1, &log) == DS_TRUNCATED && log.count == 1);
    CHECK(ds_storage_decode(b, 35, &log) == DS_TRUNCATED && log.count == 0);
    b[0] = 'X';
    CHECK_U64(ds_storage_decode(b, sizeof(b), &log), DS_CORRUPT);
}

/* ---- black boxes ---- */

static const struct ds_blackbox_field *field(const struct ds_blackbox *b, const char *name)
{
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->fields[i].name, name) == 0)
            return &b->fields[i];
    static const struct ds_blackbox_field none = {.name = "", .text = ""};
    CHECK(false);
    return &none;
}

static void black_boxes_name_their_fields(void)
{
    struct ds_blackbox box;
    uint8_t pnp[0x40] = {0};
    ds_put_le64(pnp + 0x10, 131753889072046807u);
    ds_put_le32(pnp + 0x20, 24);
    ds_put_le16(pnp + 0x2c, 'D');
    ds_put_le32(pnp + 0x28, 0x30);
    ds_put_le16(pnp + 0x30, 'V');
    CHECK_U64(ds_blackbox_decode(DS_BLACKBOX_PNP_TAG, pnp, sizeof(pnp), &box), DS_OK);
    CHECK_U64(field(&box, "activity_time")->number, 131753889072046807u);
    CHECK_U64(field(&box, "problem_code")->number, 24);
    CHECK_STR(field(&box, "device_id")->text, "D");
    CHECK_STR(field(&box, "veto")->text, "V");
    uint8_t bsd[0x88] = {0x88, 0, 0, 0, 1, 0, 0, 0, 0, 30, 1};
    bsd[0x18] = 0x35;
    ds_put_le32(bsd + 0x34, 6);
    ds_put_le16(bsd + 0x74, 5);
    CHECK_U64(ds_blackbox_decode(DS_BLACKBOX_BSD_TAG, bsd, sizeof(bsd), &box), DS_OK);
    CHECK_U64(field(&box, "advanced_boot_menu_timeout")->number, 30);
    CHECK_U64(field(&box, "system_running")->number, 1);
    CHECK_U64(field(&box, "user_shutdown_in_progress")->number, 1);
    CHECK_U64(field(&box, "sleep_state_in_progress")->number, 3);
    CHECK_U64(field(&box, "last_boot_id")->number, 6);
    CHECK_U64(field(&box, "power_button_last_release_boot_id")->number, 5);
    size_t all = box.count;
    ds_put_le32(bsd, 0x40); /* an older, shorter record */
    CHECK_U64(ds_blackbox_decode(DS_BLACKBOX_BSD_TAG, bsd, sizeof(bsd), &box), DS_OK);
    CHECK(box.count < all && field(&box, "last_boot_id")->number == 6);
    ds_put_le32(bsd, 0x10);
    CHECK_U64(ds_blackbox_decode(DS_BLACKBOX_BSD_TAG, bsd, sizeof(bsd), &box), DS_UNSUPPORTED);
    uint8_t logon[16] = {1, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 'U', 0, 'i', 0};
    CHECK_U64(ds_blackbox_decode(DS_BLACKBOX_WINLOGON_TAG, logon, 16, &box), DS_OK);
    CHECK_STR(field(&box, "state")->text, "Ui");
    CHECK_U64(ds_blackbox_decode("nothing", logon, 16, &box), DS_NOT_FOUND);
    CHECK(ds_blackbox_is(DS_IMAGE_PATH_TAG) && !ds_blackbox_is("nothing"));
}

static void hostile_black_boxes_are_cut(void)
{
    static const char *const tags[] = {DS_BLACKBOX_PNP_TAG, DS_BLACKBOX_WINLOGON_TAG,
                                       DS_BLACKBOX_BSD_TAG, DS_BLACKBOX_NTFS_TAG,
                                       DS_IMAGE_PATH_TAG};
    static const uint8_t seeds[] = {0, 1, 0x44, 0xff};
    struct ds_blackbox *box = malloc(sizeof(*box));
    for (size_t t = 0; t < 5; t++)
        for (size_t n = 0; n < 300; n++)
            for (size_t k = 0; k < sizeof(seeds); k++) {
                uint8_t *p = malloc(n ? n : 1); /* of that size, so that the sanitizer watches */
                memset(p, seeds[k], n);
                (void)ds_blackbox_decode(tags[t], p, n, box);
                CHECK(box->count <= DS_BLACKBOX_FIELDS);
                for (size_t i = 0; i < box->count; i++)
                    CHECK(box->fields[i].text == NULL ||
                          strlen(box->fields[i].text) < DS_BLACKBOX_TEXT);
                free(p);
            }
    static uint8_t path[8000];
    memset(path, 'a', sizeof(path));
    CHECK_U64(ds_blackbox_decode(DS_IMAGE_PATH_TAG, path, sizeof(path), box), DS_OK);
    CHECK(strlen(box->fields[0].text) > 900);
    free(box);
}

TEST_MAIN(TEST(recorder_is_walked_back), TEST(hostile_recorder_ends),
          TEST(wpp_recorder_is_read_in_both_forms), TEST(ranges_end_with_the_blob),
          TEST(storage_requests_are_those_that_were_made), TEST(black_boxes_name_their_fields),
          TEST(hostile_black_boxes_are_cut))
