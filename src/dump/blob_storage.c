#include "dump/blob_storage.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define HEAD 36u
#define RECORD 60u

enum ds_status ds_storage_decode(const void *blob, size_t size, struct ds_storage_log *ret)
{
    const uint8_t *p = blob;
    *ret = (struct ds_storage_log){0};
    if (size >= 4 && memcmp(p, "DSTP", 4) != 0)
        return DS_CORRUPT;
    if (size < HEAD)
        return DS_TRUNCATED;
    ret->version = ds_le32(p + 4);
    ret->size = ds_le32(p + 8);
    ret->reason = ds_le32(p + 12);
    struct ds_buf text;
    ds_buf_init(&text, sizeof(ret->driver) - 1);
    ds_text_from_bytes(&text, p + 16, 16);
    memcpy(ret->driver, ds_buf_text(&text), text.len);
    ds_buf_deinit(&text);
    ret->stated = ds_le32(p + 32);
    ret->records = p + HEAD;
    size_t room = (size - HEAD) / RECORD;
    ret->count = ret->stated < room ? ret->stated : room;
    return ret->count < ret->stated ? DS_TRUNCATED : DS_OK;
}

bool ds_storage_request_at(const struct ds_storage_log *log, size_t index,
                           struct ds_storage_request *ret)
{
    static const uint8_t zero[RECORD];
    const uint8_t *p = log->records + index * RECORD;
    if (memcmp(p, zero, RECORD) == 0)
        return false;
    *ret = (struct ds_storage_request){.start = ds_le64(p + 32),
                                       .end = ds_le64(p + 40),
                                       .status = ds_le32(p + 48),
                                       .error = ds_le32(p + 52),
                                       .specific = ds_le32(p + 56)};
    memcpy(ret->cdb, p, 16);
    memcpy(ret->command, p + 16, 16);
    return true;
}

const char *ds_scsi_operation_name(uint8_t opcode)
{
    static const struct {
        uint8_t opcode;
        const char *name;
    } names[] = {
        {0x00, "TEST UNIT READY"},
        {0x03, "REQUEST SENSE"},
        {0x12, "INQUIRY"},
        {0x1a, "MODE SENSE(6)"},
        {0x1b, "START STOP UNIT"},
        {0x1e, "PREVENT ALLOW MEDIUM REMOVAL"},
        {0x25, "READ CAPACITY(10)"},
        {0x28, "READ(10)"},
        {0x2a, "WRITE(10)"},
        {0x2f, "VERIFY(10)"},
        {0x35, "SYNCHRONIZE CACHE(10)"},
        {0x42, "UNMAP"},
        {0x4d, "LOG SENSE"},
        {0x5a, "MODE SENSE(10)"},
        {0x85, "ATA PASS-THROUGH(16)"},
        {0x88, "READ(16)"},
        {0x8a, "WRITE(16)"},
        {0x8f, "VERIFY(16)"},
        {0x91, "SYNCHRONIZE CACHE(16)"},
        {0x9e, "READ CAPACITY(16)"},
        {0xa0, "REPORT LUNS"},
        {0xa1, "ATA PASS-THROUGH(12)"},
        {0xa2, "SECURITY PROTOCOL IN"},
        {0xa8, "READ(12)"},
        {0xaa, "WRITE(12)"},
        {0xb5, "SECURITY PROTOCOL OUT"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].opcode == opcode)
            return names[i].name;
    return NULL;
}
