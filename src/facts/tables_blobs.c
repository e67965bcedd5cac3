/* Tables over what drivers and parts of Windows wrote into secondary data. */
#include <stdio.h>
#include <string.h>

#include "dump/blob_blackbox.h"
#include "dump/blob_ifr.h"
#include "dump/blob_storage.h"
#include "dump/blob_triage_data.h"
#include "facts/blob_rows.h"

#define ARGUMENTS_SHOWN 96u /* bytes of a record's arguments; KMDF keeps up to 256 */

static struct ds_dump *dump_of(struct ds_facts *f)
{
    return ds_nt_target(ds_facts_nt(f))->dump;
}

static void hex_of(const uint8_t *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", p[i]);
}

/* What is the worst of several blobs' states. */
static enum ds_status worse(enum ds_status a, enum ds_status b)
{
    return a == DS_OK || a == DS_NOT_FOUND ? b : a;
}

/* ---- ifr_logs, ifr_records ---- */

struct log_row {
    uint64_t number, blob;
    const char *kind, *end;
    char name[100], driver[100];
    struct ds_opt base, sequence;
    uint32_t size;
    uint64_t captured, records;
    uint16_t current, previous;
};

struct record_row {
    uint64_t log;
    char name[100];
    int64_t sequence;
    char signature[3], guid[37];
    uint16_t number;
    uint64_t offset, length, arguments_size;
    char arguments[2 * ARGUMENTS_SHOWN + 1];
};

/* The text of the blob that names the recorder of log blob `index`: its tag is one lower. */
static void name_recorder(struct ds_facts *f, size_t index, char *out, size_t room)
{
    const char *tag = ds_dump_blob(dump_of(f), index)->tag;
    const struct ds_blob *before = index > 0 ? ds_dump_blob(dump_of(f), index - 1) : NULL;
    if (before == NULL || memcmp(before->tag, tag, 9) != 0 ||
        strcmp(before->tag + 13, tag + 13) != 0 || before->captured < 32)
        return;
    uint8_t raw[32];
    if (ds_dump_read_file(dump_of(f), before->file_offset, raw, sizeof(raw)) != DS_OK)
        return;
    size_t n = 0;
    while (n < sizeof(raw) && n + 1 < room && raw[n] >= 0x20 && raw[n] < 0x7f) {
        out[n] = (char)raw[n];
        n++;
    }
}

/* Adds the log's row and, when `records` is not NULL, its records, newest first. */
static enum ds_status add_log(struct ds_facts *f, size_t index, const struct ds_ifr_log *log,
                              struct ds_row_list *logs, struct ds_row_list *records)
{
    uint64_t number = logs->count;
    struct log_row *r = ds_row_list_add(logs);
    if (r == NULL)
        return logs->status;
    *r = (struct log_row){.number = number,
                          .blob = index,
                          .kind = log->kind == DS_IFR_KMDF ? "kmdf" : "wpp",
                          .base = ds_opt_known(log->base),
                          .sequence = log->sequence,
                          .size = log->size,
                          .captured = log->ring_size,
                          .current = log->current,
                          .previous = log->previous};
    memcpy(r->name, log->name, sizeof(r->name));
    if (log->kind == DS_IFR_KMDF)
        memcpy(r->driver, log->name, sizeof(r->driver));
    else if (strcmp(log->name, "DriverLog") == 0)
        name_recorder(f, index, r->driver, sizeof(r->driver));
    struct ds_ifr_walk w = ds_ifr_walk_begin(log);
    struct ds_ifr_record one;
    while (ds_ifr_next(&w, &one)) {
        struct record_row *row = records != NULL ? ds_row_list_add(records) : NULL;
        r->records++;
        if (row == NULL)
            continue;
        *row = (struct record_row){.log = number,
                                   .sequence = one.sequence,
                                   .number = one.number,
                                   .offset = one.offset,
                                   .length = one.length,
                                   .arguments_size = one.arguments_size};
        memcpy(row->name, r->driver[0] != '\0' ? r->driver : r->name, sizeof(row->name));
        memcpy(row->signature, one.signature, sizeof(row->signature));
        memcpy(row->guid, one.guid, sizeof(row->guid));
        hex_of(one.arguments,
               one.arguments_size < ARGUMENTS_SHOWN ? one.arguments_size : ARGUMENTS_SHOWN,
               row->arguments);
    }
    r->end = ds_ifr_end_text(w.end);
    return w.end == DS_IFR_BROKEN || w.end == DS_IFR_CAP ? DS_CORRUPT : DS_OK;
}

/* Whether the blob can be a log, by its tag or its first bytes. */
static bool may_be_log(struct ds_facts *f, size_t index)
{
    const struct ds_blob *b = ds_dump_blob(dump_of(f), index);
    uint8_t raw[0x24];
    if (strcmp(b->tag, DS_IFR_TAG) == 0)
        return true;
    return b->captured >= sizeof(raw) &&
           ds_dump_read_file(dump_of(f), b->file_offset, raw, sizeof(raw)) == DS_OK &&
           (memcmp(raw + 0x1c, "WPLg", 4) == 0 || memcmp(raw + 0x20, "WPLg", 4) == 0);
}

static enum ds_status read_logs(struct ds_facts *f, struct ds_row_list *logs,
                                struct ds_row_list *records)
{
    bool is64 = ds_dump_header(dump_of(f))->is64;
    enum ds_status st = DS_NOT_IN_DUMP; /* while there is no such blob */
    for (size_t i = 0; i < ds_dump_blob_count(dump_of(f)); i++) {
        if (!may_be_log(f, i))
            continue;
        st = st == DS_NOT_IN_DUMP ? DS_OK : st;
        struct ds_blob_bytes b = ds_facts_blob_at(f, i);
        struct ds_ifr_log log;
        enum ds_status one = b.status;
        if (b.data != NULL) {
            enum ds_status opened = ds_ifr_open(b.data, b.size, is64, &log);
            if (opened == DS_OK)
                opened = add_log(f, i, &log, logs, records);
            one = worse(opened, one);
        }
        free(b.data);
        st = worse(st, one);
    }
    return st;
}

#define ROW struct log_row
static const struct ds_column_spec log_columns[] = {
    {"number", DS_COL_INTEGER, "number of the log, from 0", "", DS_FIELD(ROW, number)},
    {"kind", DS_COL_TEXT, "kmdf (in-flight recorder) or wpp (WPP recorder)", "!wdfkd.wdfcrashdump",
     DS_FIELD(ROW, kind)},
    {"driver", DS_COL_TEXT, "whose log it is; NULL when not stated", "!wdfkd.wdfcrashdump",
     DS_FIELD(ROW, driver)},
    {"name", DS_COL_TEXT, "name of the log", "!wdfkd.wdfcrashdump", DS_FIELD(ROW, name)},
    {"blob", DS_COL_INTEGER, "its number in secondary_blobs", "", DS_FIELD(ROW, blob)},
    {"base", DS_COL_ADDRESS, "where the ring was: virtual", "", DS_FIELD(ROW, base)},
    {"size", DS_COL_INTEGER, "bytes of the ring as stated", "", DS_FIELD(ROW, size)},
    {"captured", DS_COL_INTEGER, "bytes of it that the dump holds", "", DS_FIELD(ROW, captured)},
    {"current_offset", DS_COL_INTEGER, "where in the ring the next record goes", "",
     DS_FIELD(ROW, current)},
    {"previous_offset", DS_COL_INTEGER, "where in the ring the newest record stands", "",
     DS_FIELD(ROW, previous)},
    {"sequence", DS_COL_INTEGER, "number of records ever written; kmdf only", "",
     DS_FIELD(ROW, sequence)},
    {"records", DS_COL_INTEGER, "records that were found", "", DS_FIELD(ROW, records)},
    {"end", DS_COL_TEXT, "why the walk from the newest record back ended", "", DS_FIELD(ROW, end)},
};
#undef ROW

static void logs_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_row_list logs = ds_row_list_of(sizeof(struct log_row));
    enum ds_status st = read_logs(f, &logs, NULL);
    *ret = ds_row_list_finish(f, &logs, DS_OK, st, "there is none, or one is cut short or broken");
}

DS_TABLE(ifr_logs, "Logs of trace messages that drivers keep in memory, from secondary data.",
         "!wdfkd.wdflogdump", log_columns, logs_fill, NULL);

static void derive_sequence(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    v->kind = DS_CELL_INT;
    v->integer = ((const struct record_row *)row)->sequence;
}

static void derive_message(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct record_row *r = row;
    (void)f;
    (void)i;
    ds_buf_printf(v->scratch, "%s:%u", r->guid, r->number);
    ds_value_scratch(v);
}

#define ROW struct record_row
static const struct ds_column_spec record_columns[] = {
    {"log", DS_COL_INTEGER, "number of the log in ifr_logs", "", DS_FIELD(ROW, log)},
    {"driver", DS_COL_TEXT, "whose log it is, or the log's name", "!wdfkd.wdflogdump",
     DS_FIELD(ROW, name)},
    {"sequence", DS_COL_INTEGER, "number of the record; the newest comes first",
     "!wdfkd.wdflogdump", DS_DERIVED(derive_sequence)},
    {"message", DS_COL_TEXT, "format file and message in it: GUID:number", "!wdfkd.wdflogdump",
     DS_DERIVED(derive_message)},
    {"message_guid", DS_COL_TEXT, "GUID of the trace format file (TMF)", "", DS_FIELD(ROW, guid)},
    {"message_number", DS_COL_INTEGER, "number of the message in it", "", DS_FIELD(ROW, number)},
    {"arguments_size", DS_COL_INTEGER, "bytes of its arguments", "", DS_FIELD(ROW, arguments_size)},
    {"arguments", DS_COL_TEXT, "the first 96 of them in hex", "", DS_FIELD(ROW, arguments)},
    {"signature", DS_COL_TEXT, "LR, or L2 for a record with a time among its bytes", "",
     DS_FIELD(ROW, signature)},
    {"offset", DS_COL_INTEGER, "where in the ring it stands", "", DS_FIELD(ROW, offset)},
    {"length", DS_COL_INTEGER, "bytes of the record", "", DS_FIELD(ROW, length)},
};
#undef ROW

static void records_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_row_list logs = ds_row_list_of(sizeof(struct log_row));
    struct ds_row_list records = ds_row_list_of(sizeof(struct record_row));
    enum ds_status st = read_logs(f, &logs, &records);
    st = worse(logs.status, st);
    free(logs.rows);
    *ret = ds_row_list_finish(f, &records, DS_OK, st,
                              "there is no log, or one is cut short or broken: ifr_logs");
}

DS_TABLE(ifr_records,
         "Records of the logs of ifr_logs, newest first. The words of a message are in the "
         "driver's trace format file, which dumps do not hold.",
         "!wdfkd.wdflogdump", record_columns, records_fill, NULL);

/* ---- triage_data_ranges ---- */

struct range_row {
    uint64_t blob, va, size;
    char name[192];
    bool captured;
};

#define ROW struct range_row
static const struct ds_column_spec range_columns[] = {
    {"name", DS_COL_TEXT, "name under which the ranges were asked for", "", DS_FIELD(ROW, name)},
    {"va", DS_COL_ADDRESS, "first byte: virtual", "", DS_FIELD(ROW, va)},
    {"size", DS_COL_INTEGER, "bytes", "", DS_FIELD(ROW, size)},
    {"captured", DS_COL_BOOL, "whether the dump holds its first and last byte", "",
     DS_FIELD(ROW, captured)},
    {"blob", DS_COL_INTEGER, "its number in secondary_blobs", "", DS_FIELD(ROW, blob)},
};
#undef ROW

static bool has_range(struct ds_dump *d, uint64_t va, uint64_t size)
{
    uint8_t byte;
    return size != 0 && va <= UINT64_MAX - size &&
           ds_dump_read_virt(d, va, &byte, 1, NULL) == DS_OK &&
           ds_dump_read_virt(d, va + size - 1, &byte, 1, NULL) == DS_OK;
}

static enum ds_status add_ranges(struct ds_facts *f, size_t index, const struct ds_blob_bytes *b,
                                 struct ds_row_list *l)
{
    struct ds_triage_data t;
    enum ds_status st = ds_triage_data_decode(b->data, b->size, &t);
    for (size_t k = 0; k < t.count; k++) {
        struct range_row *row = ds_row_list_add(l);
        if (row == NULL)
            return l->status;
        row->blob = index;
        ds_triage_data_range(&t, k, &row->va, &row->size);
        memcpy(row->name, t.name, sizeof(row->name));
        row->captured = has_range(dump_of(f), row->va, row->size);
    }
    return st;
}

static void ranges_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_row_list l = ds_row_list_of(sizeof(struct range_row));
    enum ds_status st = DS_NOT_IN_DUMP; /* while there is no such blob */
    bool is64 = ds_dump_header(dump_of(f))->is64;
    for (size_t i = 0; i < ds_dump_blob_count(dump_of(f)); i++) {
        if (strcmp(ds_dump_blob(dump_of(f), i)->tag, DS_TRIAGE_DATA_TAG) != 0)
            continue;
        st = st == DS_NOT_IN_DUMP ? DS_OK : st;
        struct ds_blob_bytes b = ds_facts_blob_at(f, i);
        if (b.data != NULL && is64)
            st = worse(st, add_ranges(f, i, &b, &l));
        st = worse(st, is64 ? b.status : DS_UNSUPPORTED);
        free(b.data);
    }
    *ret = ds_row_list_finish(f, &l, DS_OK, st, "the blob is absent, cut, or of 32-bit Windows");
}

DS_TABLE(triage_data_ranges,
         "Ranges of memory that drivers asked to have in the dump (KeAddTriageDumpDataBlock).", "",
         range_columns, ranges_fill, NULL);

/* ---- blackbox_fields ---- */

struct field_row {
    const char *box, *name, *text;
    struct ds_opt number, time;
};

static void derive_time(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_time(v, ((const struct field_row *)row)->time);
}

#define ROW struct field_row
static const struct ds_column_spec field_columns[] = {
    {"box", DS_COL_TEXT, "pnp, winlogon, boot_status, ntfs or image_path", "!blackboxpnp",
     DS_FIELD(ROW, box)},
    {"name", DS_COL_TEXT, "the field", "!blackboxbsd", DS_FIELD(ROW, name)},
    {"number", DS_COL_INTEGER, "of numbers; of times: 100 ns since 1601, 0 for never",
     "!blackboxbsd", DS_FIELD(ROW, number)},
    {"time_utc", DS_COL_TEXT, "of times: as ISO 8601", "", DS_DERIVED(derive_time)},
    {"text", DS_COL_TEXT, "of texts; a path may hold a person's name", "!blackboxpnp",
     DS_FIELD(ROW, text)},
};
#undef ROW

static void add_fields(struct ds_facts *f, const struct ds_blackbox *box, struct ds_row_list *l)
{
    for (size_t i = 0; i < box->count; i++) {
        const struct ds_blackbox_field *x = &box->fields[i];
        struct field_row *row = ds_row_list_add(l);
        if (row == NULL)
            return;
        *row = (struct field_row){.box = x->box, .name = x->name};
        if (x->kind == DS_BLACKBOX_STRING)
            row->text = ds_arena_strdup(ds_facts_arena(f), x->text, strlen(x->text));
        else
            row->number = ds_opt_known(x->number);
        if (x->kind == DS_BLACKBOX_TIME)
            row->time = row->number;
    }
}

static void fields_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_row_list l = ds_row_list_of(sizeof(struct field_row));
    struct ds_blackbox *box = ds_alloc_array(1, sizeof(*box));
    enum ds_status st = box != NULL ? DS_NOT_IN_DUMP : DS_NO_MEMORY;
    for (size_t i = 0; box != NULL && i < ds_dump_blob_count(dump_of(f)); i++) {
        const char *tag = ds_dump_blob(dump_of(f), i)->tag;
        if (!ds_blackbox_is(tag))
            continue;
        st = st == DS_NOT_IN_DUMP ? DS_OK : st;
        struct ds_blob_bytes b = ds_facts_blob_at(f, i);
        if (b.data != NULL) {
            st = worse(st, ds_blackbox_decode(tag, b.data, b.size, box));
            add_fields(f, box, &l);
        }
        st = worse(st, b.status);
        free(b.data);
    }
    free(box);
    *ret = ds_row_list_finish(f, &l, DS_OK, st,
                              "there is none, or one is cut or of an unknown version");
}

DS_TABLE(blackbox_fields,
         "Fields of the black boxes: what Plug and Play, winlogon, NTFS and the boot status data "
         "wrote down for the case of a crash, and the path of a process image.",
         "!blackboxpnp, !blackboxwinlogon, !blackboxbsd, !blackboxntfs", field_columns, fields_fill,
         NULL);

/* ---- storage_requests ---- */

struct request_row {
    struct ds_storage_request r;
    uint64_t number;
    char driver[49], cdb[33], command[33];
    const char *operation;
    struct ds_opt start, end, duration;
};

static void derive_start(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_time(v, ((const struct request_row *)row)->start);
}

#define ROW struct request_row
static const struct ds_column_spec request_columns[] = {
    {"driver", DS_COL_TEXT, "the port driver: storport.sys, ...", "", DS_FIELD(ROW, driver)},
    {"number", DS_COL_INTEGER, "place in the driver's ring; times give the order", "",
     DS_FIELD(ROW, number)},
    {"operation", DS_COL_TEXT, "SCSI operation; NULL when it has no name here", "",
     DS_FIELD(ROW, operation)},
    {"cdb", DS_COL_TEXT, "SCSI command block in hex", "", DS_FIELD(ROW, cdb)},
    {"command", DS_COL_TEXT, "registers of the command in hex; NULL when all are zero", "",
     DS_FIELD(ROW, command)},
    {"start_time", DS_COL_INTEGER, "when it was sent: 100 ns since 1601, UTC", "",
     DS_FIELD(ROW, start)},
    {"start_time_utc", DS_COL_TEXT, "start_time as ISO 8601", "", DS_DERIVED(derive_start)},
    {"end_time", DS_COL_INTEGER, "when it was done; NULL while it was out", "", DS_FIELD(ROW, end)},
    {"duration", DS_COL_INTEGER, "between them: 100 ns ticks; NULL when the times do not tell", "",
     DS_FIELD(ROW, duration)},
    {"status", DS_COL_INTEGER, "SRB status as stored: 1 is success", "", DS_FIELD(ROW, r.status)},
    {"error", DS_COL_INTEGER, "error as stored", "", DS_FIELD(ROW, r.error)},
    {"specific", DS_COL_INTEGER, "tag of the request, or what the port driver keeps there", "",
     DS_FIELD(ROW, r.specific)},
};
#undef ROW

static void request_row_of(const struct ds_storage_log *log, const struct ds_storage_request *r,
                           size_t number, struct request_row *row)
{
    static const uint8_t zero[16];
    *row = (struct request_row){.r = *r, .number = number};
    memcpy(row->driver, log->driver, sizeof(row->driver));
    row->operation = ds_scsi_operation_name(r->cdb[0]);
    hex_of(r->cdb, sizeof(r->cdb), row->cdb);
    if (memcmp(r->command, zero, sizeof(zero)) != 0)
        hex_of(r->command, sizeof(r->command), row->command);
    if (r->start != 0)
        row->start = ds_opt_known(r->start);
    if (r->end != 0)
        row->end = ds_opt_known(r->end);
    if (r->start != 0 && r->end >= r->start)
        row->duration = ds_opt_known(r->end - r->start);
}

static void requests_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_row_list l = ds_row_list_of(sizeof(struct request_row));
    enum ds_status st = DS_NOT_IN_DUMP; /* while there is no such blob */
    for (size_t i = 0; i < ds_dump_blob_count(dump_of(f)); i++) {
        if (strcmp(ds_dump_blob(dump_of(f), i)->tag, DS_STORAGE_TAG) != 0)
            continue;
        st = st == DS_NOT_IN_DUMP ? DS_OK : st;
        struct ds_blob_bytes b = ds_facts_blob_at(f, i);
        struct ds_storage_log log = {0};
        struct ds_storage_request r;
        if (b.data != NULL)
            st = worse(st, ds_storage_decode(b.data, b.size, &log));
        for (size_t k = 0; k < log.count; k++) {
            if (!ds_storage_request_at(&log, k, &r))
                continue;
            struct request_row *row = ds_row_list_add(&l);
            if (row != NULL)
                request_row_of(&log, &r, k, row);
        }
        st = worse(st, b.status);
        free(b.data);
    }
    *ret = ds_row_list_finish(f, &l, DS_OK, st, "the blob is absent, cut or has another signature");
}

DS_TABLE(storage_requests,
         "The last requests of storage port drivers (DEVICEDUMP_STORAGESTACK_PUBLIC_DUMP).",
         "!storagekd.storunit", request_columns, requests_fill, NULL);
