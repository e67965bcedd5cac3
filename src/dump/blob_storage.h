/*
 * The last requests of a storage port driver: DEVICEDUMP_STORAGESTACK_PUBLIC_DUMP of ntddstor.h
 * {'DSTP', u32 version, u32 size, u32 reason, char cDriverName[16], u32 uiNumRecords} and records
 * of 60 bytes {Cdb[16], Command[16], u64 StartTime, u64 EndTime, u32 OperationStatus, u32
 * OperationError, u32 specific to the stack}.
 */
#ifndef DS_DUMP_BLOB_STORAGE_H
#define DS_DUMP_BLOB_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dumpscan/status.h"

#define DS_STORAGE_TAG "da82441d-7142-4bc1-b844-0807c5a4b67f"

struct ds_storage_log {
    char driver[16 * 3 + 1]; /* UTF-8: "storport.sys" */
    uint32_t version, size, reason;
    uint32_t stated; /* records as stated */
    size_t count;    /* records that the blob holds */
    const uint8_t *records;
};

struct ds_storage_request {
    uint8_t cdb[16];     /* SCSI command block */
    uint8_t command[16]; /* registers of the ATA or NVMe command, by the driver */
    uint64_t start, end; /* FILETIME; end is 0 while the request is out */
    uint32_t status;     /* SRB status as stated */
    uint32_t error;
    uint32_t specific; /* tag of the request, or what the driver puts there */
};

/* DS_OK; DS_TRUNCATED with what there is; DS_CORRUPT for another signature. */
enum ds_status ds_storage_decode(const void *blob, size_t size, struct ds_storage_log *ret);
/* The record at `index`, below count. False for one that was never filled. */
bool ds_storage_request_at(const struct ds_storage_log *log, size_t index,
                           struct ds_storage_request *ret);
/* "READ(10)" of the first byte of a command block (SPC-5, SBC-4); NULL. Static. */
const char *ds_scsi_operation_name(uint8_t opcode);

#endif
