/*
 * The records of a triage dump as pieces of the file: writers put one behind the other without
 * holes, so an offset or size that is wrong leaves a gap or an overlap.
 */
#include "dump/impl.h"

struct record {
    const char *name; /* the field of the triage header that places it */
    uint64_t field;   /* file offset of that field */
    uint64_t offset, size;
    bool stated; /* the size stands in the triage header */
};

#define RECORD_COUNT 13u

static uint64_t kdbg_size(struct ds_dump *d, uint32_t member, const struct ds_region *r)
{
    struct ds_opt told = ds_kdbg_value(d, member, 2);
    return told.known && told.value != 0 ? told.value : r->size;
}

static size_t collect(struct ds_dump *d, struct record r[RECORD_COUNT])
{
    const struct ds_triage_head *h = &d->head;
    const struct ds_triage *t = &d->triage;
    bool is64 = d->header.is64;
    uint64_t at = d->header.body_offset;
    uint64_t unloaded =
        is64 ? 8 + 56 * t->unloaded_count_stated : 4 + 40 * t->unloaded_count_stated;
    uint64_t tail = is64 ? 0x68 : 0x50; /* DataPageOffset; the fields behind follow alike */
    const struct record all[RECORD_COUNT] = {
        {"the triage header", at, at, is64 ? 0x80 : 0x68, true},
        {"MmOffset", at + 0x14, h->mm_offset, t->mm.size, false},
        {"UnloadedDriversOffset", at + 0x18, h->unloaded_offset, unloaded, true},
        {"PrcbOffset", at + 0x1c, h->prcb_offset, kdbg_size(d, 0x2b0, &t->prcb), false},
        {"ProcessOffset", at + 0x20, h->process_offset, kdbg_size(d, 0x2a8, &t->process), false},
        {"ThreadOffset", at + 0x24, h->thread_offset, kdbg_size(d, 0x2c0, &t->thread), false},
        {"CallStackOffset", at + 0x28, h->call_stack_offset, h->call_stack_size, true},
        {"DriverListOffset", at + 0x30, h->driver_list_offset,
         (uint64_t)h->driver_count * d->driver_stride, true},
        {"StringPoolOffset", at + 0x38, h->string_pool_offset, h->string_pool_size, true},
        {"DataPageOffset", at + tail, h->data_page_offset, h->data_page_size, true},
        {"DebuggerDataOffset", at + tail + 8, h->debugger_data_offset, h->debugger_data_size, true},
        {"DataBlocksOffset", at + tail + 16, h->data_blocks_offset,
         (uint64_t)h->data_blocks_count * 16, true},
        {"the first data block", h->data_blocks_offset, d->blocks.first_data,
         d->blocks.next_data > d->blocks.first_data ? d->blocks.next_data - d->blocks.first_data
                                                    : 0,
         false},
    };
    size_t n = 0;
    for (size_t i = 0; i < RECORD_COUNT; i++) {
        if (all[i].offset != 0)
            r[n++] = all[i];
    }
    return n;
}

static void sort_records(struct record *r, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct record x = r[i];
        size_t k = i;
        for (; k > 0 && r[k - 1].offset > x.offset; k--)
            r[k] = r[k - 1];
        r[k] = x;
    }
}

/* An offset into the headers, or behind the end that the dump itself states. */
static bool check_place(struct ds_dump *d, const struct record *r)
{
    uint64_t end = d->head.size_of_dump;
    if (end < d->file_size)
        end = d->file_size;
    if (r->offset >= d->header.body_offset && r->offset <= end && r->size <= end - r->offset)
        return true;
    struct ds_integrity_note *n =
        ds_dump_note(d, DS_INTEGRITY_DAMAGE, "triage.record_outside", r->field);
    ds_integrity_expected(n, "%s within 0x%llx to 0x%llx", r->name,
                          (unsigned long long)d->header.body_offset, (unsigned long long)end);
    ds_integrity_found(n, "offset 0x%llx, 0x%llx bytes", (unsigned long long)r->offset,
                       (unsigned long long)r->size);
    ds_integrity_lost(n, "that record, or the part outside; the others are placed on their own");
    return false;
}

static void check_neighbours(struct ds_dump *d, const struct record *a, const struct record *b)
{
    uint64_t end = a->offset + a->size;
    /* Records start 8-aligned: up to 15 bytes between them are alignment. */
    if (b->offset >= end && b->offset - end < 16)
        return;
    bool overlap = b->offset < end;
    bool hard = overlap && a->size != 0 && (a->stated || a->offset == b->offset);
    struct ds_integrity_note *n =
        ds_dump_note(d, hard ? DS_INTEGRITY_DAMAGE : DS_INTEGRITY_NOTE,
                     overlap ? "triage.record_overlap" : "triage.record_gap", b->field);
    ds_integrity_expected(n, "%s 0x%llx, behind %s", b->name, (unsigned long long)end, a->name);
    ds_integrity_found(n, "0x%llx", (unsigned long long)b->offset);
    ds_integrity_lost(
        n, overlap ? "one of the two records: their bytes cannot both be right"
                   : "nothing, if the writer left the gap; else one of the two offsets or "
                     "the size between them is wrong");
}

static void check_absent(struct ds_dump *d)
{
    const struct ds_triage_head *h = &d->head;
    const struct {
        uint64_t at;
        uint32_t offset;
        const char *expected;
    } needed[] = {
        {0x1c, h->prcb_offset, "PrcbOffset"},
        {0x20, h->process_offset, "ProcessOffset"},
        {0x24, h->thread_offset, "ThreadOffset"},
        {0x28, h->call_stack_offset, "CallStackOffset"},
        {0x2c, h->call_stack_size, "SizeOfCallStack"},
        {0x30, h->driver_list_offset, "DriverListOffset"},
        {0x38, h->string_pool_offset, "StringPoolOffset"},
    };
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (needed[i].offset != 0 || h->size < needed[i].at + 4)
            continue;
        ds_dump_say(d, DS_INTEGRITY_NOTE, "triage.record_absent",
                    d->header.body_offset + needed[i].at,
                    "that record: the writer left it out, or the field is overwritten",
                    needed[i].expected, "0");
    }
}

void ds_triage_check_records(struct ds_dump *d)
{
    struct record r[RECORD_COUNT];
    check_absent(d);
    size_t n = collect(d, r), kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (check_place(d, &r[i]))
            r[kept++] = r[i];
    }
    sort_records(r, kept);
    for (size_t i = 0; i + 1 < kept; i++)
        check_neighbours(d, &r[i], &r[i + 1]);
}
