/*
 * The entries of a LIST_ENTRY list, from both ends: where Flink leads nowhere, Blink is followed
 * from the head against it and the two are joined. Bounded and without repetition, whatever the
 * links say.
 */
#ifndef DS_MEMORY_ENTRIES_H
#define DS_MEMORY_ENTRIES_H

#include "memory/walk.h"

/* Zero-initialise before the first walk; ds_entries_deinit() frees it. Addresses are those of
 * LIST_ENTRYs, virtual. */
struct ds_entries {
    uint64_t *at;      /* owned: first those that Flink leads to, then those of Blink only */
    size_t count, cap; /* count of all */
    size_t by_flink;   /* at[by_flink] and later are found by Blink only, in the list's order */
    struct ds_walk_end end; /* DS_OK: no entry is missing, by one way or by both together; else
                               how Flink ended. `count` is Flink's own */
    uint64_t bad_link;      /* the entry, or head, behind which Flink breaks; 0: it closes */
    uint64_t bad_blink;     /* the first entry by Flink whose Blink does not point back; 0: none */
    bool blink_closes;      /* followed (where Flink breaks or a Blink disagrees), and came back to
                               the head */
};

/*
 * Walks by Flink; where that breaks or a Blink disagrees, by Blink as well. An entry found by
 * Blink counts when its Flink, or the Flink of the entry before it, bears it out, or when its page
 * exists but was not captured. What a broken Flink leads to and nothing else bears out is left
 * out. At most `limit` entries; memory that cannot be had ends in DS_NO_MEMORY.
 */
void ds_entries_walk(struct ds_entries *e, struct ds_space *space, uint64_t head, size_t limit);
void ds_entries_deinit(struct ds_entries *e);

/* Nothing to tell: Flink closes at the head and every Blink points back. */
bool ds_entries_agree(const struct ds_entries *e);
/* Each way closes at the head: what one finds and the other does not was taken out of the list. */
bool ds_entries_close(const struct ds_entries *e);

/* Whether entry i is in the list as Flink has it: 1, or 0 when only Blink leads to it though Flink
 * closes. Where Flink breaks, those that Blink leads to are in the list. Unknown: DS_CORRUPT. */
struct ds_opt ds_entries_listed(const struct ds_entries *e, size_t i);

/* What happened, as one clause for a person; "" when nothing is to be told. */
#define DS_ENTRIES_TEXT 160
void ds_entries_describe(const struct ds_entries *e, char text[DS_ENTRIES_TEXT]);

#endif
