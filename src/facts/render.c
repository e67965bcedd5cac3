#include "facts/render.h"

#define TICKS_PER_SECOND 10000000u
#define SECONDS_1601_TO_1970 11644473600u

/* Days since 1970-01-01 to a date of the proleptic Gregorian calendar. Source: Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", civil_from_days. */
static void date_from_days(int64_t days, int *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int)((int64_t)yoe + era * 400 + (*month <= 2 ? 1 : 0));
}

static void render_seconds(int64_t since_1970, struct ds_buf *out)
{
    int64_t days = since_1970 / 86400;
    int64_t rest = since_1970 % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    int year;
    unsigned month, day;
    date_from_days(days, &year, &month, &day);
    ds_buf_printf(out, "%04d-%02u-%02uT%02d:%02d:%02d", year, month, day, (int)(rest / 3600),
                  (int)(rest / 60 % 60), (int)(rest % 60));
}

bool ds_render_filetime(uint64_t filetime, struct ds_buf *out)
{
    if (filetime > 2650467743999999999u) /* 9999-12-31T23:59:59.9999999 */
        return false;
    int64_t seconds = (int64_t)(filetime / TICKS_PER_SECOND) - (int64_t)SECONDS_1601_TO_1970;
    render_seconds(seconds, out);
    ds_buf_printf(out, ".%07uZ", (unsigned)(filetime % TICKS_PER_SECOND));
    return true;
}

void ds_render_unix_time(uint32_t seconds, struct ds_buf *out)
{
    render_seconds((int64_t)seconds, out);
    ds_buf_char(out, 'Z');
}

void ds_render_span(uint64_t ticks, struct ds_buf *out)
{
    uint64_t ms = ticks / 10000u;
    uint64_t s = ms / 1000u;
    ds_buf_printf(out, "%llu days %u:%02u:%02u.%03u", (unsigned long long)(s / 86400u),
                  (unsigned)(s / 3600u % 24u), (unsigned)(s / 60u % 60u), (unsigned)(s % 60u),
                  (unsigned)(ms % 1000u));
}

void ds_render_attributes(uint32_t attributes, struct ds_buf *out)
{
    static const char *const names[] = {
        "hibernation crash",
        "dump device powered off",
        "dump file too small",
        "kernel-generated triage",
        "live dump",
        "generated offline",
        "filtered",
        "early boot crash",
        "encrypted",
        "decrypted",
    };
    if (attributes == 0)
        ds_buf_str(out, "none");
    bool first = true;
    for (unsigned bit = 0; bit < 32; bit++) {
        if (!(attributes >> bit & 1u))
            continue;
        if (!first)
            ds_buf_str(out, ", ");
        first = false;
        if (bit < sizeof(names) / sizeof(names[0]))
            ds_buf_str(out, names[bit]);
        else
            ds_buf_printf(out, "bit %u", bit);
    }
}
