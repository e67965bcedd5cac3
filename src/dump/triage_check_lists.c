/* The driver list with its names, the unloaded drivers, the data blocks: what cannot be. */
#include "base/bytes.h"
#include "base/checked.h"
#include "dump/impl.h"

#define UNLOADED_MAX 50u              /* MmUnloadedDrivers has 50 entries */
#define IMAGE_MAX (UINT64_C(1) << 30) /* no image is larger by far */

static void say_oddity(struct ds_dump *d, enum ds_integrity_level level, const char *check,
                       const struct ds_oddity *o, const char *expected, const char *found,
                       const char *lost)
{
    if (o->count != 0)
        ds_dump_say(d, level, check, o->first, lost, expected, "%llu %s, the first here",
                    (unsigned long long)o->count, found);
}

static void check_blocks(struct ds_dump *d)
{
    const struct ds_block_stats *s = &d->blocks;
    uint64_t at = d->header.body_offset + (d->header.is64 ? 0x7c : 0x64);
    if (d->head.data_blocks_count > DS_LIMIT_DATA_BLOCKS)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "triage.block_limit", at,
                    "the data blocks beyond the limit", "at most 262144 data blocks", "%lu",
                    (unsigned long)d->head.data_blocks_count);
    if (s->outside.count != 0) {
        struct ds_integrity_note *n =
            ds_dump_note(d, DS_INTEGRITY_DAMAGE, "triage.block_outside", s->outside.first);
        ds_integrity_expected(n, "data blocks within the file's 0x%llx bytes",
                              (unsigned long long)d->file_size);
        ds_integrity_found(n, "%llu reach beyond, the first is listed here",
                           (unsigned long long)s->outside.count);
        ds_integrity_lost(n,
                          "%llu bytes of captured memory; the blocks before the end can be "
                          "trusted",
                          (unsigned long long)s->lost_bytes);
    }
    say_oddity(d, DS_INTEGRITY_DAMAGE, "triage.block_misplaced", &s->misplaced,
               "data blocks between the headers and SizeOfDump", "lie elsewhere",
               "those blocks: their bytes belong to something else");
    say_oddity(d, DS_INTEGRITY_NOTE, "triage.block_order", &s->broken,
               "each data block behind the one before", "do not follow",
               "nothing, if the writer did so; else the offset or size of that block is wrong");
    say_oddity(d, DS_INTEGRITY_NOTE, "triage.block_address", &s->bad_va,
               "data blocks at canonical addresses", "have impossible addresses",
               "those blocks: no address leads to them");
    say_oddity(d, DS_INTEGRITY_NOTE, "triage.block_empty", &s->empty, "data blocks of some bytes",
               "are empty", "nothing: an empty block holds no memory");
}

/* The recorded length and the 12 characters that were kept must fit each other. */
static bool unloaded_name_fits(struct ds_dump *d, const struct ds_triage_unloaded *u)
{
    uint8_t raw[40];
    size_t name = d->header.is64 ? 16 : 8, kept = 0;
    if (ds_dump_read_file(d, u->file_offset, raw, name + 24) != DS_OK)
        return false;
    while (kept < 12 && ds_le16(raw + name + 2 * kept) != 0)
        kept++;
    unsigned bytes = ds_le16(raw), room = ds_le16(raw + 2);
    size_t units = bytes / 2u < 12 ? bytes / 2u : 12;
    return bytes % 2 == 0 && units == kept && bytes <= room;
}

static void check_unloaded(struct ds_dump *d)
{
    const struct ds_triage *t = &d->triage;
    uint64_t at = d->head.unloaded_offset;
    if (t->unloaded_count_stated > UNLOADED_MAX)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "triage.unloaded_count", at,
                    "the unloaded drivers: the count or their place is wrong",
                    "at most 50 unloaded drivers", "%llu",
                    (unsigned long long)t->unloaded_count_stated);
    else if (t->unloaded_count < t->unloaded_count_stated)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "triage.unloaded_count", at,
                    "the unloaded drivers behind the end of the file", "all unloaded drivers",
                    "%llu of %llu", (unsigned long long)t->unloaded_count,
                    (unsigned long long)t->unloaded_count_stated);
    struct ds_oddity bad = {0};
    for (size_t i = 0; i < t->unloaded_count; i++) {
        const struct ds_triage_unloaded *u = &t->unloaded[i];
        if (u->name == NULL || !unloaded_name_fits(d, u) || u->start > u->end ||
            !ds_va_kernel(d, u->start) || !ds_va_kernel(d, u->end) ||
            u->start % DS_PAGE_SIZE != 0 || u->end - u->start > IMAGE_MAX)
            ds_oddity_add(&bad, u->file_offset);
    }
    say_oddity(d, DS_INTEGRITY_NOTE, "triage.unloaded_entry", &bad,
               "unloaded drivers with a name and a kernel address range", "have not",
               "those entries; the others can be trusted");
}

static bool in_pool(const struct ds_triage_head *h, uint64_t off)
{
    return off >= h->string_pool_offset && off - h->string_pool_offset < h->string_pool_size;
}

static void check_driver_count(struct ds_dump *d)
{
    const struct ds_triage_head *h = &d->head;
    const struct ds_triage *t = &d->triage;
    uint64_t at = d->header.body_offset + 0x34;
    uint64_t room = (uint64_t)h->string_pool_offset - h->driver_list_offset;
    bool ordered = h->string_pool_offset > h->driver_list_offset;
    if (h->driver_count != 0 && ordered && room != (uint64_t)h->driver_count * d->driver_stride) {
        struct ds_integrity_note *n =
            ds_dump_note(d, DS_INTEGRITY_DAMAGE, "triage.driver_stride", at);
        ds_integrity_expected(n, "DriverCount records of 0x%lx bytes up to StringPoolOffset",
                              (unsigned long)d->driver_stride);
        ds_integrity_found(n, "%lu records in 0x%llx bytes", (unsigned long)h->driver_count,
                           (unsigned long long)room);
        ds_integrity_lost(n, "certainty about the last drivers of the list");
    }
    if (h->driver_count == 0 && h->size >= 0x38)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "triage.driver_count", at,
                    "all drivers; addresses show as no module's",
                    "DriverCount of 1 or more: the kernel is always listed", "0");
    if (t->driver_count < t->driver_count_stated)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "triage.driver_count", at,
                    "the drivers that cannot be read; addresses in them show as no module's",
                    "all drivers of the list", "%llu of %llu", (unsigned long long)t->driver_count,
                    (unsigned long long)t->driver_count_stated);
    uint32_t broken = h->broken_driver_offset;
    if (broken != 0 && !in_pool(h, broken))
        ds_dump_say(d, broken < d->file_size ? DS_INTEGRITY_NOTE : DS_INTEGRITY_DAMAGE,
                    "triage.broken_driver_offset", d->header.body_offset + 0x40,
                    "the name of the driver that the writer blames",
                    "BrokenDriverOffset 0 or in the string pool", "0x%lx", (unsigned long)broken);
}

/*
 * Names: {u32 units, UTF-16, NUL} 8-aligned, one after the other. A length that is too long runs
 * over the NUL; one that is too short leaves characters behind (*cut).
 */
static bool name_is_sound(struct ds_dump *d, uint64_t off, bool *cut)
{
    struct ds_opt units = ds_dump_file_uint(d, off, 4);
    *cut = false;
    if (!units.known || units.value == 0 || units.value > DS_LIMIT_STRING)
        return false;
    uint8_t raw[2 * 512 + 2];
    size_t n = units.value < 512 ? (size_t)units.value : 512;
    size_t got;
    if (ds_source_read_some(d->src, off + 4, raw, 2 * n + 2, &got, NULL) != DS_OK || got < 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (ds_le16(raw + 2 * i) < 0x20)
            return false;
    }
    bool at_boundary = (4 + 2 * n) % 8 == 0;
    *cut = n < 512 && !at_boundary && got == 2 * n + 2 && ds_le16(raw + 2 * n) != 0;
    return true;
}

static bool entry_is_sound(const struct ds_dump *d, const struct ds_triage_driver *x)
{
    return ds_va_kernel(d, x->base) && x->base % DS_PAGE_SIZE == 0 && x->size != 0 &&
           x->size <= IMAGE_MAX && ds_va_kernel(d, x->base + x->size - 1);
}

/* Driver i overlapping another; the list is at most 4096 long, so pairs are sorted by base. */
static void check_overlap(struct ds_dump *d)
{
    const struct ds_triage *t = &d->triage;
    DS_AUTO_FREE const struct ds_triage_driver **by = ds_alloc_array(t->driver_count, sizeof(*by));
    struct ds_oddity overlap = {0};
    for (size_t i = 0; by != NULL && i < t->driver_count; i++) {
        size_t k = i;
        for (; k > 0 && by[k - 1]->base > t->drivers[i].base; k--)
            by[k] = by[k - 1];
        by[k] = &t->drivers[i];
    }
    for (size_t i = 1; by != NULL && i < t->driver_count; i++) {
        if (by[i]->base - by[i - 1]->base < by[i - 1]->size)
            ds_oddity_add(&overlap, by[i]->file_offset);
    }
    say_oddity(d, DS_INTEGRITY_DAMAGE, "triage.driver_overlap", &overlap,
               "drivers at addresses of their own", "overlap another",
               "which driver an address there belongs to");
}

/* The first entry is the kernel itself, so two header pointers lead into it. */
static void check_kernel_entry(struct ds_dump *d)
{
    const struct ds_triage *t = &d->triage;
    const struct ds_dump_header *h = &d->header;
    if (t->driver_count == 0)
        return;
    const struct ds_triage_driver *k = &t->drivers[0];
    const struct ds_opt inside[] = {h->kd_debugger_data_block, h->ps_loaded_module_list,
                                    h->ps_active_process_head};
    static const char *const names[] = {"KdDebuggerDataBlock", "PsLoadedModuleList",
                                        "PsActiveProcessHead"};
    for (size_t i = 0; i < 3; i++) {
        uint64_t v = inside[i].value;
        if (!inside[i].known || v == 0 || (v >= k->base && v - k->base < k->size))
            continue;
        struct ds_integrity_note *n =
            ds_dump_note(d, DS_INTEGRITY_DAMAGE, "triage.kernel_entry", k->file_offset);
        ds_integrity_expected(n, "the kernel first, spanning %s 0x%llx", names[i],
                              (unsigned long long)v);
        ds_integrity_found(n, "0x%llx, 0x%llx bytes", (unsigned long long)k->base,
                           (unsigned long long)k->size);
        ds_integrity_lost(n, "trust in the kernel's base or in that header field");
    }
}

void ds_triage_check_drivers(struct ds_dump *d)
{
    const struct ds_triage *t = &d->triage;
    struct ds_oddity names = {0}, entries = {0}, cuts = {0};
    check_driver_count(d);
    for (size_t i = 0; i < t->driver_count; i++) {
        const struct ds_triage_driver *x = &t->drivers[i];
        struct ds_opt off = ds_dump_file_uint(d, x->file_offset, 4);
        bool cut = false;
        if (x->name == NULL || !off.known || !name_is_sound(d, off.value, &cut))
            ds_oddity_add(&names, x->file_offset);
        if (cut)
            ds_oddity_add(&cuts, x->file_offset);
        if (!entry_is_sound(d, x))
            ds_oddity_add(&entries, x->file_offset);
    }
    say_oddity(d, DS_INTEGRITY_DAMAGE, "triage.driver_name", &names,
               "driver names in the string pool, closed by a NUL", "are not",
               "those names; base, size and timestamp of the drivers can still be used");
    say_oddity(d, DS_INTEGRITY_NOTE, "triage.driver_name_end", &cuts,
               "driver names that end at a NUL", "go on behind their length",
               "the end of those names, if the writer closes names with a NUL");
    say_oddity(d, DS_INTEGRITY_DAMAGE, "triage.driver_entry", &entries,
               "drivers at page-aligned kernel addresses, not empty", "are not",
               "those drivers; the others can be trusted");
    check_overlap(d);
    check_kernel_entry(d);
}

void ds_triage_check_lists(struct ds_dump *d)
{
    check_blocks(d);
    check_unloaded(d);
}
