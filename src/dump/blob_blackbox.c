#include "dump/blob_blackbox.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/text.h"

struct bytes {
    const uint8_t *p;
    size_t size;
};

static struct ds_blackbox_field *add(struct ds_blackbox *b, const char *box, const char *name)
{
    if (b->count >= DS_BLACKBOX_FIELDS)
        return NULL;
    struct ds_blackbox_field *f = &b->fields[b->count++];
    *f = (struct ds_blackbox_field){.box = box, .name = name};
    return f;
}

/* A field of a fixed place: bits of it when `bits` is not 0. */
struct place {
    const char *name;
    uint16_t offset;
    uint8_t size; /* 1, 2, 4 or 8; 8 is a FILETIME */
    uint8_t shift, bits;
};

static bool add_places(struct ds_blackbox *b, const char *box, struct bytes in,
                       const struct place *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct place *a = &places[i];
        if (!ds_range_within(a->offset, a->size, in.size))
            return false;
        const uint8_t *p = in.p + a->offset;
        uint64_t v = a->size == 8   ? ds_le64(p)
                     : a->size == 4 ? ds_le32(p)
                     : a->size == 2 ? ds_le16(p)
                                    : *p;
        struct ds_blackbox_field *f = add(b, box, a->name);
        if (f == NULL)
            return false;
        f->kind = a->size == 8 ? DS_BLACKBOX_TIME : DS_BLACKBOX_NUMBER;
        f->number = a->bits != 0 ? v >> a->shift & ((1u << a->bits) - 1) : v;
    }
    return true;
}

/* UTF-16 from `offset` to a NUL or the end. */
static void add_text(struct ds_blackbox *b, const char *box, const char *name, struct bytes in,
                     size_t offset, char *room)
{
    if (offset > in.size)
        return;
    size_t units = 0, most = (in.size - offset) / 2;
    while (units < most && ds_le16(in.p + offset + 2 * units) != 0)
        units++;
    struct ds_buf text;
    ds_buf_init(&text, DS_BLACKBOX_TEXT - 1);
    if (units > 0)
        ds_text_from_utf16(&text, in.p + offset, units);
    memcpy(room, ds_buf_text(&text), text.len);
    room[text.len] = '\0';
    ds_buf_deinit(&text);
    struct ds_blackbox_field *f = add(b, box, name);
    if (f != NULL) {
        f->kind = DS_BLACKBOX_STRING;
        f->text = room;
    }
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static enum ds_status decode_pnp(struct bytes in, struct ds_blackbox *b)
{
    static const struct place places[] = {
        {"activity_time", 0x10, 8, 0, 0},     {"event_information", 0x18, 4, 0, 0},
        {"event_in_progress", 0x1c, 1, 0, 0}, {"problem_code", 0x20, 4, 0, 0},
        {"veto_type", 0x24, 4, 0, 0},
    };
    if (!add_places(b, "pnp", in, places, COUNT(places)) || in.size < 0x2c)
        return DS_TRUNCATED;
    add_text(b, "pnp", "device_id", in, 0x2c, b->texts[0]);
    size_t veto = ds_le32(in.p + 0x28);
    if (veto >= 0x2c && veto < in.size)
        add_text(b, "pnp", "veto", in, veto, b->texts[1]);
    return DS_OK;
}

static enum ds_status decode_winlogon(struct bytes in, struct ds_blackbox *b)
{
    static const struct place places[] = {{"operation_pending", 0x8, 4, 0, 0}};
    if (in.size < 0xc)
        return DS_TRUNCATED;
    if (ds_le32(in.p) != 1)
        return DS_UNSUPPORTED;
    (void)add_places(b, "winlogon", in, places, COUNT(places));
    add_text(b, "winlogon", "state", in, 0xc, b->texts[0]);
    return ds_le32(in.p + 4) > in.size ? DS_TRUNCATED : DS_OK;
}

static enum ds_status decode_boot_status(struct bytes in, struct ds_blackbox *b)
{
    static const struct place places[] = {
        {"version", 0x00, 4, 0, 0},
        {"product_type", 0x04, 4, 0, 0},
        {"auto_advanced_boot", 0x08, 1, 0, 0},
        {"advanced_boot_menu_timeout", 0x09, 1, 0, 0},
        {"last_boot_succeeded", 0x0a, 1, 0, 0},
        {"last_boot_shutdown", 0x0b, 1, 0, 0},
        {"sleep_in_progress", 0x0c, 1, 0, 0},
        {"power_button_timestamp", 0x10, 8, 0, 0},
        {"system_running", 0x18, 1, 0, 1},
        {"connected_standby_in_progress", 0x18, 1, 1, 1},
        {"user_shutdown_in_progress", 0x18, 1, 2, 1},
        {"system_shutdown_in_progress", 0x18, 1, 3, 1},
        {"sleep_state_in_progress", 0x18, 1, 4, 4},
        {"connected_standby_scenario_instance_id", 0x19, 1, 0, 0},
        {"connected_standby_entry_reason", 0x1a, 1, 0, 0},
        {"connected_standby_exit_reason", 0x1b, 1, 0, 0},
        {"system_sleep_transitions_to_on", 0x1c, 2, 0, 0},
        {"last_reference_time", 0x20, 8, 0, 0},
        {"last_update_boot_id", 0x2c, 4, 0, 0},
        {"boot_attempt_count", 0x30, 1, 0, 0},
        {"last_boot_checkpoint", 0x31, 1, 0, 0},
        {"last_boot_id", 0x34, 4, 0, 0},
        {"last_successful_shutdown_boot_id", 0x38, 4, 0, 0},
        {"last_reported_abnormal_shutdown_boot_id", 0x3c, 4, 0, 0},
        {"error_info_boot_id", 0x40, 4, 0, 0},
        {"error_info_repeat_count", 0x44, 4, 0, 0},
        {"error_info_other_error_count", 0x48, 4, 0, 0},
        {"error_info_code", 0x4c, 4, 0, 0},
        {"power_button_last_press_time", 0x58, 8, 0, 0},
        {"power_button_cumulative_press_count", 0x60, 4, 0, 0},
        {"power_button_last_press_boot_id", 0x64, 2, 0, 0},
        {"power_button_last_power_watchdog_stage", 0x66, 1, 0, 0},
        {"power_button_watchdog_armed", 0x67, 1, 0, 1},
        {"power_button_shutdown_in_progress", 0x67, 1, 1, 1},
        {"power_button_last_release_time", 0x68, 8, 0, 0},
        {"power_button_cumulative_release_count", 0x70, 4, 0, 0},
        {"power_button_last_release_boot_id", 0x74, 2, 0, 0},
        {"power_button_error_count", 0x76, 2, 0, 0},
    };
    if (in.size < 8)
        return DS_TRUNCATED;
    /* The version is the size of the record: an older one ends earlier, which is no damage. */
    size_t version = ds_le32(in.p);
    if (version < 0x40)
        return DS_UNSUPPORTED;
    struct bytes part = {in.p, version < in.size ? version : in.size};
    (void)add_places(b, "boot_status", part, places, COUNT(places));
    return version > in.size ? DS_TRUNCATED : DS_OK;
}

/* Slots of 32 bytes {IRP, SCB, thread}: a request that took too long. */
static enum ds_status decode_ntfs(struct bytes in, struct ds_blackbox *b)
{
    static const struct place places[] = {{"time", 0x8, 8, 0, 0}, {"slots", 0x10, 2, 0, 0}};
    if (in.size < 0x14)
        return DS_TRUNCATED;
    if (ds_le16(in.p) != 0)
        return DS_UNSUPPORTED;
    (void)add_places(b, "ntfs", in, places, COUNT(places));
    size_t slots = ds_le16(in.p + 0x10), at = ds_le16(in.p + 0x12), used = 0;
    for (size_t i = 0; i < slots && ds_range_within(at, 32, in.size); i++, at += 32)
        used += ds_le64(in.p + at) != 0 || ds_le64(in.p + at + 8) != 0;
    struct ds_blackbox_field *f = add(b, "ntfs", "slow_requests");
    if (f != NULL)
        f->number = used;
    return ds_le16(in.p + 2) > in.size ? DS_TRUNCATED : DS_OK;
}

static enum ds_status decode_path(struct bytes in, struct ds_blackbox *b)
{
    if (in.size < 2)
        return DS_TRUNCATED;
    add_text(b, "image_path", "path", in, 0, b->texts[0]);
    return DS_OK;
}

static const struct {
    const char *tag;
    enum ds_status (*decode)(struct bytes in, struct ds_blackbox *b);
} boxes[] = {{DS_BLACKBOX_PNP_TAG, decode_pnp},
             {DS_BLACKBOX_WINLOGON_TAG, decode_winlogon},
             {DS_BLACKBOX_BSD_TAG, decode_boot_status},
             {DS_BLACKBOX_NTFS_TAG, decode_ntfs},
             {DS_IMAGE_PATH_TAG, decode_path}};

bool ds_blackbox_is(const char *tag)
{
    for (size_t i = 0; i < COUNT(boxes); i++)
        if (strcmp(boxes[i].tag, tag) == 0)
            return true;
    return false;
}

enum ds_status ds_blackbox_decode(const char *tag, const void *blob, size_t size,
                                  struct ds_blackbox *ret)
{
    ret->count = 0;
    for (size_t i = 0; i < COUNT(boxes); i++)
        if (strcmp(boxes[i].tag, tag) == 0)
            return boxes[i].decode((struct bytes){blob, size}, ret);
    return DS_NOT_FOUND;
}
