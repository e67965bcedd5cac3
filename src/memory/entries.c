#include "memory/entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* One direction's findings, before the two are joined. */
struct collector {
    uint64_t *at; /* owned */
    size_t count, cap, limit;
    bool failed;
};

static bool collect(uint64_t entry, void *arg)
{
    struct collector *c = arg;
    void *array = c->at;
    if (!ds_array_reserve(&array, &c->cap, c->count + 1, sizeof(uint64_t), c->limit)) {
        c->failed = true;
        return false;
    }
    c->at = array;
    c->at[c->count++] = entry;
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

/* ---- what bears an entry out ---- */

static enum ds_status link_of(struct ds_space *s, uint64_t entry, bool back, uint64_t *ret)
{
    return ds_space_read_ptr(s, entry + (back ? ds_space_pointer_size(s) : 0), ret, NULL);
}

/* Something is at that address, and the dump lacks it. */
static bool is_missing(enum ds_status status)
{
    return status == DS_NOT_IN_DUMP || status == DS_PAGED_OUT || status == DS_TRUNCATED;
}

static bool can_be_entry(struct ds_space *s, uint64_t entry)
{
    return entry != 0 && entry % ds_space_pointer_size(s) == 0;
}

/* Whether `entry`, which the Blink of `from` names, is one. *last: nothing can be read there. */
static bool borne_out(struct ds_space *s, uint64_t head, uint64_t entry, uint64_t from, bool *last)
{
    uint64_t next, before;
    *last = false;
    if (!can_be_entry(s, entry)) {
        return false;
    }
    enum ds_status status = link_of(s, entry, false, &next);
    if (status != DS_OK) {
        *last = true;
        return is_missing(status);
    }
    return next == from || (link_of(s, entry, true, &before) == DS_OK && before != entry &&
                            can_be_entry(s, before) && before != head &&
                            link_of(s, before, false, &next) == DS_OK && next == entry);
}

/* ---- Blink, from the head ---- */

struct back {
    struct collector found; /* from the list's end on */
    const uint64_t *sorted; /* what Flink found */
    size_t sorted_count;
    bool joined; /* came to an entry that Flink found */
    uint64_t join;
    bool closes;
};

/* Whether the list goes on at `entry`, which Flink found and the Blink of `from` names: not when
 * its Flink leads to another one that points back, so that the Blink is what lies. */
static bool joins(struct ds_space *s, uint64_t entry, uint64_t from)
{
    uint64_t next, blink;
    return link_of(s, entry, false, &next) != DS_OK || next == from || !can_be_entry(s, next) ||
           link_of(s, next, true, &blink) != DS_OK || blink != entry;
}

static bool is_known(const struct back *b, uint64_t entry)
{
    return b->sorted_count != 0 &&
           bsearch(&entry, b->sorted, b->sorted_count, sizeof(entry), compare) != NULL;
}

/* Brent's marks, as ds_walk_list() has them. Entries that Flink found are passed over. */
static void walk_back(struct back *b, struct ds_space *s, uint64_t head, bool flink_closes)
{
    uint64_t from = head, mark = head, power = 1, steps = 0;
    bool last = false;
    for (size_t n = 0; n < b->found.limit && !last; n++) {
        uint64_t entry;
        if (link_of(s, from, true, &entry) != DS_OK || (entry == mark && entry != head)) {
            return;
        }
        if (entry == head) {
            b->closes = true;
            return;
        }
        if (is_known(b, entry)) {
            if (!b->joined && !flink_closes && !joins(s, entry, from)) {
                return;
            }
            b->join = b->joined ? b->join : entry;
            b->joined = true;
        } else if (!borne_out(s, head, entry, from, &last) || (last && flink_closes) ||
                   !collect(entry, &b->found)) {
            return;
        }
        if (++steps == power) {
            mark = entry;
            power *= 2;
            steps = 0;
        }
        from = entry;
    }
}

/* Without repetition: a circle gives some entries more than once before it is noticed. */
static void drop_repeated(struct collector *c)
{
    if (c->count == 0) {
        return;
    }
    uint64_t *sorted = malloc(c->count * sizeof(*sorted));
    if (sorted == NULL) {
        c->failed = true;
        c->count = 0;
        return;
    }
    size_t kept = 0;
    memcpy(sorted, c->at, c->count * sizeof(*sorted));
    qsort(sorted, c->count, sizeof(*sorted), compare);
    for (size_t i = 1; i < c->count && kept == 0; i++) {
        kept = sorted[i] == sorted[i - 1];
    }
    if (kept != 0) { /* the last one lies in the circle, and was met before */
        size_t period = 1;
        while (period + 1 < c->count && c->at[c->count - 1 - period] != c->at[c->count - 1]) {
            period++;
        }
        kept = 0;
        while (kept + period < c->count && c->at[kept] != c->at[kept + period]) {
            kept++;
        }
        c->count = kept + period < c->count ? kept + period : c->count;
    }
    free(sorted);
}

/* ---- joining ---- */

static size_t index_of(const struct ds_entries *e, uint64_t entry)
{
    size_t i = 0;
    while (i < e->count && e->at[i] != entry) {
        i++;
    }
    return i;
}

/* How many of Flink's entries are entries: those before the first whose Blink disagrees, those up
 * to where Blink came in, and without the last if its links say that it is none. */
static size_t sound_count(const struct ds_entries *e, struct ds_space *s, uint64_t head,
                          const struct back *b)
{
    size_t suspect = e->bad_blink == 0 ? e->count : index_of(e, e->bad_blink);
    if (b->joined) {
        size_t join = index_of(e, b->join) + 1;
        return suspect > join ? suspect : join;
    }
    size_t count = e->count;
    while (count > suspect) {
        uint64_t blink, before = count > 1 ? e->at[count - 2] : head;
        enum ds_status status = can_be_entry(s, e->at[count - 1])
                                    ? link_of(s, e->at[count - 1], true, &blink)
                                    : DS_NOT_MAPPED;
        if (status == DS_OK ? blink == before : is_missing(status)) {
            break;
        }
        count--;
    }
    return count;
}

static void join(struct ds_entries *e, struct ds_space *s, uint64_t head, size_t limit,
                 struct back *b)
{
    bool broken = e->end.status != DS_OK;
    if (broken) {
        e->count = sound_count(e, s, head, b);
        e->bad_link = e->count != 0 ? e->at[e->count - 1] : head;
        if (b->joined || b->closes) {
            e->end.status = DS_OK;
        }
    }
    e->blink_closes = b->closes;
    e->by_flink = e->count;
    struct collector all = {.at = e->at, .count = e->count, .cap = e->cap, .limit = limit};
    for (size_t i = b->found.count; i > 0 && !all.failed; i--) {
        (void)collect(b->found.at[i - 1], &all);
    }
    e->at = all.at;
    e->count = all.count;
    e->cap = all.cap;
    if (all.failed || b->found.failed) {
        e->end.status = all.count >= limit ? DS_LIMIT : DS_NO_MEMORY;
        e->end.address = head;
    }
}

static void from_other_end(struct ds_entries *e, struct ds_space *s, uint64_t head, size_t limit)
{
    struct back b = {.found = {.limit = limit}};
    uint64_t *sorted = e->count != 0 ? malloc(e->count * sizeof(*sorted)) : NULL;
    if (e->count != 0 && sorted == NULL) {
        e->end.status = DS_NO_MEMORY;
        e->end.address = head;
        return;
    }
    if (sorted != NULL) {
        memcpy(sorted, e->at, e->count * sizeof(*sorted));
        qsort(sorted, e->count, sizeof(*sorted), compare);
    }
    b.sorted = sorted;
    b.sorted_count = e->count;
    walk_back(&b, s, head, e->end.status == DS_OK);
    drop_repeated(&b.found);
    join(e, s, head, limit, &b);
    free(b.found.at);
    free(sorted);
}

/* Where the circle closes, the Blink of a sound entry is told as bad: it was come to twice. */
static void forget_loop(struct ds_entries *e, struct ds_space *s, uint64_t head)
{
    uint64_t blink;
    size_t i = index_of(e, e->bad_blink);
    if (i < e->count && link_of(s, e->bad_blink, true, &blink) == DS_OK &&
        blink == (i == 0 ? head : e->at[i - 1])) {
        e->bad_blink = 0;
    }
}

void ds_entries_walk(struct ds_entries *e, struct ds_space *space, uint64_t head, size_t limit)
{
    struct collector c = {.at = e->at, .cap = e->cap, .limit = limit};
    e->bad_link = 0;
    e->blink_closes = false;
    e->end = ds_walk_list(space, head, limit, collect, &c, &e->bad_blink);
    e->at = c.at;
    e->count = c.count;
    e->cap = c.cap;
    if (c.failed) {
        e->end.status = DS_NO_MEMORY;
        e->end.address = head;
    }
    if (e->end.status == DS_LOOP) {
        e->count = ds_walk_distinct(e->at, e->count, e->end.address);
        forget_loop(e, space, head);
    }
    e->by_flink = e->count;
    if (e->end.status != DS_NO_MEMORY && e->end.status != DS_LIMIT &&
        (e->end.status != DS_OK || e->bad_blink != 0)) {
        from_other_end(e, space, head, limit);
    }
}

void ds_entries_deinit(struct ds_entries *e)
{
    free(e->at);
    *e = (struct ds_entries){0};
}

bool ds_entries_agree(const struct ds_entries *e)
{
    return e->end.status == DS_OK && e->bad_link == 0 && e->bad_blink == 0;
}

bool ds_entries_close(const struct ds_entries *e)
{
    return e->end.status == DS_OK && e->bad_link == 0 && (e->bad_blink == 0 || e->blink_closes);
}

struct ds_opt ds_entries_listed(const struct ds_entries *e, size_t i)
{
    if (i < e->by_flink || e->bad_link != 0) {
        return ds_opt_known(1);
    }
    return ds_entries_close(e) ? ds_opt_known(0) : ds_opt_unknown(DS_CORRUPT);
}

void ds_entries_describe(const struct ds_entries *e, char text[DS_ENTRIES_TEXT])
{
    unsigned long long back = e->count - e->by_flink, at = (unsigned long long)e->bad_link;
    text[0] = '\0';
    if (e->end.status != DS_OK && back != 0) {
        snprintf(text, DS_ENTRIES_TEXT,
                 "Flink breaks behind %llx; Blink led to %llu more and broke before it came there",
                 at, back);
    } else if (e->bad_link != 0 && e->end.status == DS_OK) {
        snprintf(text, DS_ENTRIES_TEXT,
                 "Flink breaks behind %llx; resumed by Blink from the other end, %llu %s", at, back,
                 back == 1 ? "entry" : "entries");
    } else if (back != 0) {
        snprintf(text, DS_ENTRIES_TEXT, "%llu found by Blink only: Flink passes %s by", back,
                 back == 1 ? "it" : "them");
    } else if (e->bad_blink != 0 && e->end.status == DS_OK) {
        snprintf(text, DS_ENTRIES_TEXT, "a Blink in the list does not point back");
    }
}
