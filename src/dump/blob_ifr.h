/*
 * Logs in memory that drivers keep of their trace messages, as secondary data has them.
 *
 * KMDF's in-flight recorder, one log a driver: WDF_IFR_HEADER {GUID WdfTraceGuid, pointer Base,
 * u32 Size, u16 Current, u16 Previous, i32 Sequence, char DriverName[32]}, 72 bytes with padding
 * (64 on 32-bit Windows), then the ring. Source: microsoft/Windows-Driver-Frameworks (MIT),
 * fxifr.h and fxifrkm.h.
 * WPP recorder: text of 32 bytes, 'WPLg', state, and {pointer, u32 size, u16 current, u16
 * previous} before the ring; 64-bit Windows; found by inspection of real dumps.
 *
 * Both rings hold WDF_IFR_RECORD {u16 'LR', u16 Length, i32 Sequence, u16 PrevOffset, u16
 * MessageNumber, GUID MessageGuid} and the message's arguments. GUID and number name the message
 * in the driver's trace format file (TMF), which dumps do not have.
 */
#ifndef DS_DUMP_BLOB_IFR_H
#define DS_DUMP_BLOB_IFR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"
#include "dumpscan/status.h"

#define DS_IFR_TAG "54c84888-01d1-4c1e-bed6-282c98241303"

enum ds_ifr_kind { DS_IFR_KMDF, DS_IFR_WPP };

struct ds_ifr_log {
    enum ds_ifr_kind kind;
    char name[100];         /* UTF-8: the driver's, of a WPP recorder the log's */
    uint64_t base;          /* virtual address of the ring as stated */
    uint32_t size;          /* bytes of the ring as stated */
    uint16_t current;       /* where the next record goes */
    uint16_t previous;      /* where the newest record stands */
    struct ds_opt sequence; /* of the newest record; KMDF only */
    const uint8_t *ring;    /* borrowed from the blob */
    size_t ring_size;       /* bytes that the blob holds */
    size_t ring_offset;     /* in the blob */
};

/*
 * Reads the log's head. DS_OK; DS_NOT_FOUND when the blob is neither kind, DS_TRUNCATED when it
 * ends within the head, DS_CORRUPT when the offsets lie outside of the ring.
 */
enum ds_status ds_ifr_open(const void *blob, size_t size, bool is64, struct ds_ifr_log *ret);

struct ds_ifr_record {
    size_t offset;     /* in the ring */
    char signature[3]; /* "LR" or "L2" */
    uint16_t length;   /* bytes, head included */
    int32_t sequence;
    uint16_t number;          /* of the message in its format file */
    char guid[37];            /* of the format file */
    const uint8_t *arguments; /* borrowed; length - 28 bytes */
    size_t arguments_size;
};

/* Why a walk ended. */
enum ds_ifr_end {
    DS_IFR_GOES_ON,
    DS_IFR_BEGIN,       /* at the first record ever written */
    DS_IFR_OVERWRITTEN, /* older records made room for newer ones */
    DS_IFR_EMPTY,       /* nothing was written */
    DS_IFR_BROKEN,      /* no record in sequence where the one before should stand */
    DS_IFR_CAP          /* more records than fit */
};

/* From the newest record back. */
struct ds_ifr_walk {
    const struct ds_ifr_log *log;
    size_t next;
    int32_t sequence;
    bool first, wrapped;
    size_t seen;
    enum ds_ifr_end end;
};

struct ds_ifr_walk ds_ifr_walk_begin(const struct ds_ifr_log *log);
/* The next older record; false at the end, which w->end explains. */
bool ds_ifr_next(struct ds_ifr_walk *w, struct ds_ifr_record *ret);
/* In a few words: "the first record", "overwritten by newer records", .. Static. */
const char *ds_ifr_end_text(enum ds_ifr_end end);

#endif
