/* What a triage dump says of itself that cannot be. */
#include "dump/impl.h"

static void check_end(struct ds_dump *d)
{
    const struct ds_triage_head *h = &d->head;
    if (h->size_of_dump > d->file_size) {
        struct ds_integrity_note *n =
            ds_dump_note(d, DS_INTEGRITY_DAMAGE, "file.truncated", d->file_size);
        ds_integrity_expected(n, "SizeOfDump 0x%lx bytes", (unsigned long)h->size_of_dump);
        ds_integrity_found(n, "0x%llx bytes", (unsigned long long)d->file_size);
        ds_integrity_lost(n, "the records behind the cut and all secondary data; what lies before "
                             "can be trusted; copy the file again");
    }
    if (!d->triage.valid_marker) {
        struct ds_integrity_note *n =
            ds_dump_note(d, DS_INTEGRITY_DAMAGE, "triage.valid_marker", h->valid_offset);
        ds_integrity_expected(n, "'TRGD', the last word that the writer writes");
        struct ds_opt found = ds_dump_file_uint(d, h->valid_offset, 4);
        if (found.known)
            ds_integrity_found(n, "0x%08llx", (unsigned long long)found.value);
        else
            ds_integrity_found(n, "the file ends before it");
        ds_integrity_lost(n, "the certainty that the dump was written to its end");
    }
}

void ds_triage_check(struct ds_dump *d)
{
    check_end(d);
}
