/* Memory byte by byte, with the stretches that cannot be read and why. Private to `read`. */
#ifndef DS_CLI_READ_H
#define DS_CLI_READ_H

#include "cli/memory.h"

struct read_type {
    const char *name;  /* WinDbg's command */
    unsigned size;     /* bytes of an item */
    unsigned per_line; /* items */
    bool symbols;      /* dps */
};

#define READ_HOLES 64
#define READ_PAGE 4096u

/* A stretch that cannot be read. */
struct read_hole {
    uint64_t at, size;
    enum ds_status status;
    enum ds_pte_state state; /* of the entry that ended the walk */
};

struct reading {
    struct cli_memory *m;
    bool physical;
    struct read_type type;
    uint64_t at, count; /* count: items */
    /* The page at hand. */
    bool loaded;
    uint64_t page;
    uint8_t data[READ_PAGE];
    uint8_t status[READ_PAGE]; /* enum ds_status of each byte */
    enum ds_pte_state state;   /* why the last of them is not there */
    struct read_hole holes[READ_HOLES];
    size_t hole_count;
    uint64_t holes_more; /* stretches that were not kept */
    bool bad;            /* a byte could not be read; the last such is */
    uint64_t last_bad;
};

/* The byte at `at`; false, and part of a hole, when it cannot be read. */
bool reading_byte(struct reading *r, uint64_t at, uint8_t *ret);
/* The name of its state (docs/memory.md); NULL where no page tables were asked. */
const char *reading_state(const struct reading *r, const struct read_hole *h);
/* Why a stretch cannot be read, in words. */
void reading_reason(struct reading *r, const struct read_hole *h, struct ds_buf *b);

#endif
