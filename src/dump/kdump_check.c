/* Whether the pages of a kdump can be unpacked: a look at some, from all over the file. */
#include "dump/kdump.h"

/* Pages looked at from the end on, to see whether the file is whole. */
#define TAIL_PAGES 16u
/* Pages looked at in all; a smaller dump is looked at wholly. */
#define SAMPLES 1024u

/* Pages follow one another in the file: where the last cannot be read, it was cut off. */
static bool tail_is_whole(struct ds_dump *d)
{
    uint64_t count = 0, lost = 0, first = 0;
    for (size_t i = d->phys_map.map_count; i-- > 0 && count < TAIL_PAGES;) {
        const struct ds_extent *x = &d->phys_map.map[i];
        for (uint64_t at = x->size; at >= DS_PAGE_SIZE && count < TAIL_PAGES; count++) {
            uint8_t b[1];
            at -= DS_PAGE_SIZE;
            enum ds_status st = ds_dump_read_phys(d, x->start + at, b, 1, NULL);
            if (st == DS_OK || st == DS_IO)
                continue;
            lost++;
            first = x->start + at;
        }
    }
    if (lost == 0)
        return true;
    ds_dump_say(d, DS_INTEGRITY_DAMAGE, "file.truncated", d->file_size,
                "those pages and most likely many before them; what can be read is as the "
                "guest had it; copy the file again",
                "pages that can be unpacked, up to the last",
                "%llu of the last %llu cannot, from physical address 0x%llx on",
                (unsigned long long)lost, (unsigned long long)count, (unsigned long long)first);
    return false;
}

struct sample {
    uint64_t looked, lost, first;
};

static void look_at(struct ds_dump *d, uint64_t pa, struct sample *s)
{
    uint8_t b[1];
    enum ds_status st = ds_dump_read_phys(d, pa, b, 1, NULL);
    s->looked++;
    if (st == DS_OK || st == DS_IO) /* what ended the reader is said where it happens */
        return;
    if (s->lost++ == 0)
        s->first = pa;
}

static struct sample look_around(struct ds_dump *d)
{
    struct sample s = {0};
    uint64_t step = d->phys_pages / SAMPLES + 1, next = 0, seen = 0;
    for (size_t i = 0; i < d->phys_map.map_count && s.looked < SAMPLES; i++) {
        const struct ds_extent x = d->phys_map.map[i];
        uint64_t pages = x.size / DS_PAGE_SIZE;
        for (; next < seen + pages && s.looked < SAMPLES; next += step)
            look_at(d, x.start + (next - seen) * DS_PAGE_SIZE, &s);
        seen += pages;
    }
    return s;
}

void ds_kdump_check(struct ds_dump *d)
{
    if (!tail_is_whole(d))
        return;
    struct sample s = look_around(d);
    if (s.lost != 0)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "kdump.pages", DS_NO_OFFSET,
                    "those pages, and most likely others that were not looked at; the rest is as "
                    "the guest had it; copy the file again",
                    "pages that can be unpacked",
                    "%llu of %llu that were looked at cannot, the first at physical address 0x%llx",
                    (unsigned long long)s.lost, (unsigned long long)s.looked,
                    (unsigned long long)s.first);
}
