/* What is kept of a series, and what is concluded. Private to src/report. */
#ifndef DS_REPORT_SERIES_IMPL_H
#define DS_REPORT_SERIES_IMPL_H

#include "base/mem.h"
#include "dump/machine.h"
#include "report/series.h"

#define DS_SERIES_FLIPS 32u /* kept of one dump */
#define DS_SERIES_BITS 64u

struct ds_series_flip {
    unsigned lane; /* the bit within its aligned 64-bit word */
    const char *subject;
    uint64_t value, expected;
};

struct ds_series_dump {
    const char *file;
    const char *where;   /* the instruction, by name or address; "" unknown */
    char machine_id[33]; /* "" unknown */
    const char *machine; /* "Fabrikam Workbench 3000"; "" unknown */
    const char *crash;   /* time and bugcheck: copies of one crash are one */
    bool copy;           /* of a dump before it */
    unsigned digits;
    struct ds_series_flip flips[DS_SERIES_FLIPS];
    size_t flip_count;
};

struct ds_series {
    struct ds_arena arena;
    struct ds_series_dump **dumps; /* owned array of arena memory */
    size_t count, cap;
};

/* One machine with two dumps at least: its dumps are those with its id. */
struct ds_series_machine {
    const struct ds_series_dump *first;
    size_t dumps; /* without copies */
    size_t copies;
};
/* The machine of dump `index` when that is the machine's first and there are more; else false. */
bool ds_series_machine_at(const struct ds_series *s, size_t index, struct ds_series_machine *ret);

/* A bit that is wrong in two dumps at least. */
struct ds_series_bit {
    unsigned lane;
    size_t dumps;     /* that show it */
    bool many_places; /* at more than one instruction */
    const char *confidence;
};
bool ds_series_bit_of(const struct ds_series *s, const struct ds_series_machine *m, unsigned lane,
                      struct ds_series_bit *ret);
/* Dumps of the machine that show any wrong bit. */
size_t ds_series_flipped(const struct ds_series *s, const struct ds_series_machine *m);
/* The flip of that lane in a dump of the machine (not a copy); NULL. */
const struct ds_series_flip *ds_series_flip_in(const struct ds_series_dump *d,
                                               const struct ds_series_machine *m, unsigned lane);
/* One sentence: "bit 35 is wrong in 3 of 4 dumps of ...". */
void ds_series_sentence(const struct ds_series_machine *m, const struct ds_series_bit *b,
                        struct ds_buf *out);

#endif
