#include "nt/drivers.h"

#include <string.h>

#include "base/text.h"
#include "nt/impl.h"
#include "symbols/pe_version.h"

/* 1996-01-01, before any driver of Windows NT that can be met; seconds since 1970. */
#define FIRST_DATE 820454400u
#define DAY INT64_C(864000000000)               /* 100 ns */
#define UNIX_EPOCH UINT64_C(116444736000000000) /* FILETIME of 1970-01-01 */
#define WINDOWS_10 10240u

static const char *look_up(const struct ds_driver_name *table, size_t count, const char *file_name)
{
    size_t lo = 0, hi = count;
    if (strncmp(file_name, "dump_", 5) == 0)
        file_name += 5;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = ds_text_casecmp(file_name, table[mid].name);
        if (order == 0)
            return table[mid].text;
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

const char *ds_in_box_find(const char *file_name)
{
    const char *letters = look_up(ds_in_box_table, ds_in_box_count, file_name);
    if (letters == NULL)
        return NULL;
    if (strchr(letters, 'W') != NULL)
        return "a file of this name is in Microsoft's media or updates of Windows 10 or 11";
    if (strchr(letters, 'S') != NULL)
        return "Windows Server 2022 ships a file of this name";
    return "Windows 7 shipped a file of this name";
}

const char *ds_maker_find(const char *file_name)
{
    return look_up(ds_maker_table, ds_maker_count, file_name);
}

static const char *keep(struct ds_nt *nt, const char *text)
{
    return text[0] != '\0' ? ds_arena_strdup(&nt->arena, text, strlen(text)) : NULL;
}

static void say(struct ds_driver *d, const char *kind, const char *reason)
{
    d->timestamp_kind = kind;
    d->timestamp_reason = reason;
}

/* Whether the stamp can be the date of a build that this system ran. */
static const char *implausible(uint64_t stamp, struct ds_opt now)
{
    if (stamp < FIRST_DATE)
        return "it lies before 1996";
    uint64_t built = UNIX_EPOCH + stamp * 10000000;
    if (now.known && built > now.value && built - now.value > (uint64_t)DAY)
        return "it lies after the dump's own time";
    return NULL;
}

/* Which dates to believe: README.md of data/drivers/ has the sources. */
static void judge_stamp(const struct ds_target *t, struct ds_driver *d)
{
    const struct ds_opt stamp = d->module->timestamp;
    struct ds_opt now = ds_dump_header(t->dump)->system_time;
    if (now.known && (now.value < UNIX_EPOCH || now.value > (uint64_t)INT64_MAX))
        now = ds_opt_unknown(DS_CORRUPT);
    d->built = d->age_days = ds_opt_unknown(DS_NOT_FOUND);
    if (!stamp.known) {
        say(d, "unknown", "the stamp was not captured");
        return;
    }
    if (d->reproducible.known && d->reproducible.value != 0) {
        say(d, "hash", "a reproducible build: the image's debug directory says so");
        return;
    }
    const char *not_a_date = implausible(stamp.value, now);
    if (not_a_date != NULL) {
        say(d, "not a date", not_a_date);
        return;
    }
    bool windows_10 = t->build.known && t->build.value >= WINDOWS_10;
    if (!d->reproducible.known && d->in_box.known && d->in_box.value != 0 &&
        (!t->build.known || windows_10)) {
        say(d, "unknown",
            "the image's debug directory was not captured, and Microsoft's own files of Windows 10 "
            "and later carry a hash");
        return;
    }
    if (d->reproducible.known)
        say(d, "date", "the image's debug directory holds no mark of a reproducible build");
    else
        say(d, "probable date",
            "the image's debug directory was not captured: a reproducible build cannot be ruled "
            "out");
    d->built = ds_opt_known(UNIX_EPOCH + stamp.value * 10000000);
    if (now.known)
        d->age_days = ds_opt_known(
            now.value > d->built.value ? (now.value - d->built.value) / (uint64_t)DAY : 0);
}

/* False when memory ran out. */
static bool read_image(struct ds_nt *nt, struct ds_driver *d)
{
    struct ds_target *t = nt->target;
    struct ds_pe pe;
    struct ds_pe_version v;
    d->version_why = DS_NOT_IN_DUMP;
    if (t->kernel == NULL)
        return true;
    struct ds_pe_memory memory = ds_pe_memory_of_space(t->kernel);
    d->version_why = ds_pe_read_from(&memory, d->module->base, &pe, NULL);
    if (d->version_why != DS_OK)
        return true;
    if (pe.reproducible || pe.debug_known)
        d->reproducible = ds_opt_known(pe.reproducible);
    d->pdb_name = keep(nt, pe.pdb_name);
    d->pdb_id = keep(nt, pe.pdb_id);
    d->version_why = ds_pe_read_version(&memory, &pe, &v);
    if (d->version_why != DS_OK)
        return d->version_why != DS_NO_MEMORY;
    d->company = keep(nt, v.company);
    d->product = keep(nt, v.product);
    d->description = keep(nt, v.description);
    d->file_version = keep(nt, v.file_version);
    d->product_version = keep(nt, v.product_version);
    return true;
}

bool ds_driver_read(struct ds_nt *nt, const struct ds_module *m, struct ds_driver *ret)
{
    struct ds_driver d = {.module = m,
                          .in_box = ds_opt_unknown(DS_NOT_FOUND),
                          .reproducible = ds_opt_unknown(DS_NOT_IN_DUMP)};
    if (m->name[0] != '\0') {
        d.in_box_source = ds_in_box_find(m->name);
        d.in_box = ds_opt_known(d.in_box_source != NULL);
        d.listed_maker = ds_maker_find(m->name);
    }
    if (!read_image(nt, &d))
        return false;
    judge_stamp(nt->target, &d);
    *ret = d;
    return true;
}

const struct ds_driver *ds_nt_drivers(struct ds_nt *nt)
{
    const struct ds_target *t = nt->target;
    if (nt->drivers != NULL || t->module_count == 0)
        return nt->drivers;
    struct ds_driver *rows = ds_arena_alloc(&nt->arena, t->module_count, sizeof(*rows));
    for (size_t i = 0; rows != NULL && i < t->module_count; i++) {
        if (!ds_driver_read(nt, &t->modules[i], &rows[i]))
            rows = NULL;
    }
    nt->drivers = rows;
    return rows;
}
