/*
 * Kernel dumps up to Windows 7 (type 2) and the bitmaps of 32-bit kernels. Behind the header
 * stands SUMMARY_DUMP32 or SUMMARY_DUMP64: {'SDMP', 'DUMP', u32 DumpOptions, 0x0c u32 HeaderSize
 * (file offset of the first page), 0x10 u32 BitmapSize (bits), 0x14 u32 Pages (set bits), 0x18 u32
 * SizeOfBitMap (bits), reserved word, bitmap at 0x20 or 0x28}. Source: the types _SUMMARY_DUMP32
 * and _SUMMARY_DUMP64 of the WDK 10, as can1357/selene lists them (resources/sdk/nt).
 *
 * No public description says which form the types 5 and 6 of a 32-bit kernel have: such a body is
 * read in the form, of the two known ones, that its own sums bear out, and not at all otherwise.
 */
#include <string.h>

#include "base/err.h"
#include "dump/impl.h"

#define CHUNK 4096u

enum form { FORM_SUMMARY, FORM_BITMAP };

static bool has_tag(struct ds_dump *d)
{
    uint8_t tag[8];
    return ds_dump_read_file(d, d->header.body_offset, tag, sizeof(tag)) == DS_OK &&
           (memcmp(tag, "SDMPDUMP", 8) == 0 || memcmp(tag, "FDMPDUMP", 8) == 0);
}

/* False when the file ends within the fields. */
static bool read_body(struct ds_dump *d, enum form form, struct ds_bitmap_body *x)
{
    uint64_t at = d->header.body_offset;
    bool old = form == FORM_SUMMARY;
    unsigned size = old ? 4 : 8;
    *x = (struct ds_bitmap_body){.first_at = at + (old ? 0x0c : 0x20),
                                 .present_at = at + (old ? 0x14 : 0x28),
                                 .pages_at = at + (old ? 0x10 : 0x30),
                                 .bits_at = at + (!old             ? 0x38
                                                  : d->header.is64 ? 0x28
                                                                   : 0x20),
                                 .first_name = old ? "HeaderSize" : "FirstPage",
                                 .present_name = old ? "Pages" : "TotalPresentPages"};
    struct ds_opt first = ds_dump_file_uint(d, x->first_at, size);
    struct ds_opt present = ds_dump_file_uint(d, x->present_at, size);
    struct ds_opt pages = ds_dump_file_uint(d, x->pages_at, size);
    x->first_page = first.value;
    x->present = present.value;
    x->pages = pages.value;
    return first.known && present.known && pages.known;
}

static bool plausible(const struct ds_dump *d, const struct ds_bitmap_body *x)
{
    uint64_t bytes = x->pages / 8 + (x->pages % 8 != 0);
    return x->present != 0 && x->present <= x->pages && x->first_page >= x->bits_at &&
           x->first_page - x->bits_at >= bytes && x->first_page < d->file_size;
}

/* Set bits of the map; unknown when it cannot be read, or is larger than any memory map. */
static struct ds_opt set_bits(struct ds_dump *d, const struct ds_bitmap_body *x)
{
    uint8_t raw[CHUNK];
    uint64_t bytes = x->pages / 8 + (x->pages % 8 != 0), set = 0;
    if (bytes > DS_LIMIT_ALLOC / 2)
        return ds_opt_unknown(DS_LIMIT);
    for (uint64_t done = 0; done < bytes;) {
        size_t part = bytes - done < CHUNK ? (size_t)(bytes - done) : CHUNK;
        enum ds_status st = ds_dump_read_file(d, x->bits_at + done, raw, part);
        if (st != DS_OK)
            return ds_opt_unknown(st);
        done += part;
        if (done == bytes && x->pages % 8 != 0)
            raw[part - 1] &= (uint8_t)((1u << (x->pages % 8)) - 1);
        for (size_t i = 0; i < part; i++)
            set += (uint64_t)__builtin_popcount(raw[i]);
    }
    return ds_opt_known(set);
}

static bool borne_out(struct ds_dump *d, const struct ds_bitmap_body *x)
{
    if (!plausible(d, x))
        return false;
    struct ds_opt set = set_bits(d, x);
    return set.known && set.value == x->present;
}

bool ds_summary_plausible(struct ds_dump *d)
{
    struct ds_bitmap_body x;
    return has_tag(d) && read_body(d, FORM_SUMMARY, &x) && borne_out(d, &x);
}

static enum ds_status open_lost(struct ds_dump *d, const char *check, uint64_t offset,
                                const char *expected, const char *lost)
{
    struct ds_opt found = ds_dump_file_uint(d, offset, 4);
    d->kind = DS_DUMP_DAMAGED;
    struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_FATAL, check, offset);
    ds_integrity_expected(n, "%s", expected);
    if (found.known)
        ds_integrity_found(n, "0x%llx", (unsigned long long)found.value);
    else
        ds_integrity_found(n, "the end of the file");
    ds_integrity_lost(n, "%s", lost);
    return DS_OK;
}

/* BitmapSize and SizeOfBitMap are the same number twice. */
static void check_sizes(struct ds_dump *d, const struct ds_bitmap_body *x)
{
    uint64_t at = d->header.body_offset + 0x18;
    struct ds_opt again = ds_dump_file_uint(d, at, 4);
    if (again.known && again.value != x->pages)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "summary.bitmap_size", at,
                    "nothing: BitmapSize is used, which the pages bear out or not",
                    "SizeOfBitMap as large as BitmapSize", "0x%llx, not 0x%llx",
                    (unsigned long long)again.value, (unsigned long long)x->pages);
}

static enum ds_status open_old(struct ds_dump *d, struct ds_err *err)
{
    struct ds_bitmap_body x;
    if (!has_tag(d))
        return open_lost(d, "summary.signature", d->header.body_offset, "'SDMP', then 'DUMP'",
                         "all memory: the map of the pages is gone; the header can be trusted");
    if (!read_body(d, FORM_SUMMARY, &x))
        return open_lost(d, "summary.header", d->file_size, "a SUMMARY_DUMP header",
                         "all memory: the file ends first; the header can be trusted");
    if (x.present == 0 || x.pages == 0)
        return open_lost(d, "summary.header", x.pages == 0 ? x.pages_at : x.present_at,
                         "a number of pages",
                         "all memory: nothing says which page stands where; the header can be "
                         "trusted");
    d->kind = DS_DUMP_SUMMARY;
    check_sizes(d, &x);
    return ds_bitmap_open_body(d, &x, err);
}

/* The types 5 and 6 of a 32-bit kernel. */
static enum ds_status open_by_sums(struct ds_dump *d, uint32_t type, struct ds_err *err)
{
    static const enum form forms[] = {FORM_BITMAP, FORM_SUMMARY};
    for (size_t i = 0; has_tag(d) && i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct ds_bitmap_body x;
        if (!read_body(d, forms[i], &x) || !borne_out(d, &x))
            continue;
        d->kind = type == 5 ? DS_DUMP_BITMAP_FULL : DS_DUMP_BITMAP_KERNEL;
        ds_dump_say(d, DS_INTEGRITY_NOTE, "dump.form_by_sums", d->header.body_offset,
                    "nothing, as the bits of the map add up to the stated pages",
                    "a body whose 32-bit form is publicly described", "DumpType %u, read as a %s",
                    (unsigned)type, forms[i] == FORM_BITMAP ? "64-bit bitmap" : "SUMMARY_DUMP32");
        return ds_bitmap_open_body(d, &x, err);
    }
    struct ds_integrity_note *n =
        ds_dump_note(d, DS_INTEGRITY_FATAL, "dump.unsupported_form", d->header.body_offset);
    d->kind = DS_DUMP_DAMAGED;
    ds_integrity_expected(n, "a 32-bit body whose page map adds up");
    ds_integrity_found(n, "DumpType %u, 32-bit", (unsigned)type);
    ds_integrity_lost(n, "the body: the 32-bit form of this type is not publicly documented; the "
                         "header can be trusted; open the file with WinDbg for the rest");
    return DS_OK;
}

enum ds_status ds_summary_open(struct ds_dump *d, uint32_t type, struct ds_err *err)
{
    return type == 5 || type == 6 ? open_by_sums(d, type, err) : open_old(d, err);
}
