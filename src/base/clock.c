#include "base/clock.h"

#include <stdio.h>

#define TICKS_PER_SECOND 10000000u
#define SECONDS_PER_DAY 86400u
#define DAYS_PER_400_YEARS 146097u

struct civil {
    unsigned year, month, day, hour, minute, second, ticks;
};

/* Years are counted from 1 March, so that the leap day ends a year. */
static bool civil_from_filetime(uint64_t filetime, struct civil *c)
{
    uint64_t seconds = filetime / TICKS_PER_SECOND;
    uint64_t days = seconds / SECONDS_PER_DAY;
    unsigned rest = (unsigned)(seconds % SECONDS_PER_DAY);
    if (days >= 3067671) /* 10000-01-01 */
        return false;
    uint64_t shifted = days + 306; /* from 1600-03-01 */
    unsigned era = (unsigned)(shifted / DAYS_PER_400_YEARS);
    unsigned doe = (unsigned)(shifted % DAYS_PER_400_YEARS);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    c->day = doy - (153 * mp + 2) / 5 + 1;
    c->month = mp < 10 ? mp + 3 : mp - 9;
    c->year = 1600 + era * 400 + yoe + (c->month <= 2 ? 1 : 0);
    c->hour = rest / 3600;
    c->minute = rest / 60 % 60;
    c->second = rest % 60;
    c->ticks = (unsigned)(filetime % TICKS_PER_SECOND);
    return true;
}

bool ds_clock_iso(uint64_t filetime, char text[DS_CLOCK_TEXT])
{
    struct civil c;
    text[0] = '\0';
    if (!civil_from_filetime(filetime, &c))
        return false;
    (void)snprintf(text, DS_CLOCK_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%07uZ", c.year, c.month,
                   c.day, c.hour, c.minute, c.second, c.ticks);
    return true;
}

bool ds_clock_utc(uint64_t filetime, char text[DS_CLOCK_TEXT])
{
    struct civil c;
    text[0] = '\0';
    if (!civil_from_filetime(filetime, &c))
        return false;
    (void)snprintf(text, DS_CLOCK_TEXT, "%04u-%02u-%02u %02u:%02u:%02u.%03u UTC", c.year, c.month,
                   c.day, c.hour, c.minute, c.second, c.ticks / 10000);
    return true;
}

void ds_clock_span(uint64_t ticks, char text[DS_CLOCK_TEXT])
{
    uint64_t ms = ticks / 10000, seconds = ms / 1000;
    unsigned rest = (unsigned)(seconds % SECONDS_PER_DAY);
    (void)snprintf(text, DS_CLOCK_TEXT, "%llu days %u:%02u:%02u.%03u",
                   (unsigned long long)(seconds / SECONDS_PER_DAY), rest / 3600, rest / 60 % 60,
                   rest % 60, (unsigned)(ms % 1000));
}
