/* What the triage header says of itself and of the file's end. */
#include <stdio.h>

#include "dump/impl.h"

#define TRIAGE_OVERFLOW 0x100u /* TriageOptions: data blocks were left out for lack of room */
#define TRIAGE_SEEN 0x1ffu

/* The records that begin behind the cut, as a list for people. */
static void list_lost(const struct ds_dump *d, char *out, size_t size)
{
    const struct ds_triage_head *h = &d->head;
    const struct {
        uint32_t offset;
        const char *name;
    } records[] = {
        {h->prcb_offset, "PRCB"},
        {h->process_offset, "process"},
        {h->thread_offset, "thread"},
        {h->call_stack_offset, "call stack"},
        {h->debugger_data_offset, "debugger data"},
        {h->driver_list_offset, "drivers"},
        {h->string_pool_offset, "driver names"},
        {h->data_blocks_offset, "data blocks"},
    };
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        if (records[i].offset < d->file_size || used >= size)
            continue;
        int n = snprintf(out + used, size - used, "%s%s", used ? ", " : "", records[i].name);
        used += n > 0 ? (size_t)n : 0;
    }
}

/* Where the kernel wrote the file itself, RequiredDumpSpace is its size to the byte; where it was
 * written after the restart, the field says nothing. */
static void check_tail(struct ds_dump *d)
{
    struct ds_opt space = d->header.required_dump_space;
    if (!d->triage.kernel_written || !space.known || space.value <= d->file_size)
        return;
    ds_dump_say(d, DS_INTEGRITY_DAMAGE, "file.truncated", d->file_size,
                "the end of the secondary data, or leftovers behind it; the minidump itself is "
                "complete; copy the file again",
                "RequiredDumpSpace bytes, as the kernel wrote them", "0x%llx of 0x%llx bytes",
                (unsigned long long)d->file_size, (unsigned long long)space.value);
}

static void check_truncated(struct ds_dump *d)
{
    const struct ds_triage_head *h = &d->head;
    struct ds_integrity_note *n =
        ds_dump_note(d, DS_INTEGRITY_DAMAGE, "file.truncated", d->file_size);
    if (h->size < 8)
        ds_integrity_expected(n, "a triage header behind the dump header");
    else
        ds_integrity_expected(n, "SizeOfDump 0x%lx bytes", (unsigned long)h->size_of_dump);
    ds_integrity_found(n, "0x%llx bytes", (unsigned long long)d->file_size);
    char lost[128];
    list_lost(d, lost, sizeof(lost));
    ds_integrity_lost(n, "%s%s and all secondary data; what lies before can be trusted; copy again",
                      lost, lost[0] ? ", later data" : "the last data blocks");
}

static void check_end(struct ds_dump *d)
{
    const struct ds_triage_head *h = &d->head;
    if (h->size < 8 || h->size_of_dump > d->file_size)
        check_truncated(d);
    else
        check_tail(d);
    if (h->size >= 12 && h->size_of_dump - 4u != h->valid_offset)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "triage.size_of_dump", d->header.body_offset + 4,
                    "where the minidump ends and secondary data begins; the records themselves "
                    "are found by their own offsets",
                    "SizeOfDump 4 above ValidOffset", "0x%lx and 0x%lx",
                    (unsigned long)h->size_of_dump, (unsigned long)h->valid_offset);
    if (d->triage.valid_marker)
        return;
    struct ds_opt found = ds_dump_file_uint(d, h->valid_offset, 4);
    static const char lost[] = "certainty that the dump was written to its end; records that check "
                               "out can be used";
    static const char expected[] = "'TRGD', the last word that the writer writes";
    if (found.known)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "triage.valid_marker", h->valid_offset, lost, expected,
                    "0x%08llx", (unsigned long long)found.value);
    else
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "triage.valid_marker", h->valid_offset, lost, expected,
                    "the file ends before it");
}

static void check_fixed_offset(struct ds_dump *d, const char *check, uint64_t at, uint64_t found,
                               uint64_t expected)
{
    if (found == expected || d->head.size < 0x14)
        return;
    struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_DAMAGE, check, at);
    ds_integrity_expected(n, "0x%llx, its place in the dump header", (unsigned long long)expected);
    ds_integrity_found(n, "0x%llx", (unsigned long long)found);
    ds_integrity_lost(n, "nothing: the record is read from its fixed place");
}

static void check_head(struct ds_dump *d)
{
    const struct ds_triage_head *h = &d->head;
    uint64_t at = d->header.body_offset;
    check_fixed_offset(d, "triage.context_offset", at + 0xc, h->context_offset,
                       d->header.context_offset);
    check_fixed_offset(d, "triage.exception_offset", at + 0x10, h->exception_offset,
                       d->header.exception_offset);
    /* Windows 8 (build 9200) and later have no service packs. */
    bool later = ds_opt_or(d->header.minor_version, 0) >= 9200;
    if (h->service_pack_build > (later ? 0u : 0xffffu))
        ds_dump_say(d, DS_INTEGRITY_NOTE, "triage.service_pack_build", at,
                    "the service pack, nothing else",
                    later ? "ServicePackBuild 0 since build 9200" : "ServicePackBuild below 65536",
                    "0x%lx", (unsigned long)h->service_pack_build);
    bool some = h->data_page_address != 0 || h->data_page_offset != 0 || h->data_page_size != 0;
    bool all = h->data_page_address != 0 && h->data_page_offset != 0 && h->data_page_size != 0;
    if (some && !all)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "triage.data_page", at + (d->header.is64 ? 0x60 : 0x4c),
                    "the extra page, if there was one",
                    "address, offset and size of the data page, or none of them",
                    "0x%llx, 0x%lx, 0x%lx", (unsigned long long)h->data_page_address,
                    (unsigned long)h->data_page_offset, (unsigned long)h->data_page_size);
    struct ds_opt o = d->triage.triage_options;
    if (o.known && (o.value & TRIAGE_OVERFLOW) != 0)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "triage.overflow", at + 0x44,
                    "data blocks that did not fit into the dump; what is there can be trusted",
                    "TriageOptions without bit 8 (overflow)", "0x%llx",
                    (unsigned long long)o.value);
    if (o.known && (o.value & ~(uint64_t)TRIAGE_SEEN) != 0)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "triage.options", at + 0x44, "nothing known",
                    "TriageOptions with known bits only", "0x%llx", (unsigned long long)o.value);
}

void ds_triage_check(struct ds_dump *d)
{
    check_end(d);
    check_head(d);
    ds_triage_check_records(d);
    ds_triage_check_lists(d);
    ds_triage_check_drivers(d);
    ds_triage_check_kdbg(d);
    ds_triage_check_context(d);
    ds_tail_check_triage(d);
}
