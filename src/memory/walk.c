#include "memory/walk.h"

static void note_blink(struct ds_space *s, uint64_t entry, uint64_t previous, uint64_t *bad_blink)
{
    uint64_t blink;
    if (bad_blink == NULL || *bad_blink != 0) {
        return;
    }
    if (ds_space_read_ptr(s, entry + ds_space_pointer_size(s), &blink, NULL) != DS_OK ||
        blink != previous) {
        *bad_blink = entry;
    }
}

struct ds_walk_end ds_walk_list(struct ds_space *s, uint64_t head, uint64_t limit,
                                bool (*each)(uint64_t entry, void *arg), void *arg,
                                uint64_t *bad_blink)
{
    struct ds_walk_end end = {.status = DS_OK, .address = 0, .count = 0};
    uint64_t previous = head;
    uint64_t mark = head; /* Brent: the mark jumps forward at every power of two */
    uint64_t power = 1, steps = 0;
    struct ds_fault fault;
    if (bad_blink != NULL) {
        *bad_blink = 0;
    }
    for (;;) {
        uint64_t next;
        end.status = ds_space_read_ptr(s, previous, &next, &fault);
        if (end.status != DS_OK) {
            end.address = fault.va;
            return end;
        }
        if (next == head) {
            note_blink(s, head, previous, bad_blink);
            return end;
        }
        end.address = next;
        if (next == 0) {
            end.status = DS_CORRUPT; /* a list of the kernel closes; it never ends in NULL */
            return end;
        }
        if (next == mark) {
            end.status = DS_LOOP;
            return end;
        }
        if (end.count == limit) {
            end.status = DS_LIMIT;
            return end;
        }
        note_blink(s, next, previous, bad_blink);
        end.count++;
        if (!each(next, arg)) {
            end.address = 0;
            return end;
        }
        if (++steps == power) {
            mark = next;
            power *= 2;
            steps = 0;
        }
        previous = next;
    }
}

struct ds_walk_end ds_walk_single(struct ds_space *s, uint64_t head, uint64_t limit,
                                  bool (*each)(uint64_t entry, void *arg), void *arg)
{
    struct ds_walk_end end = {.status = DS_OK, .address = 0, .count = 0};
    uint64_t at = head, mark = head, power = 1, steps = 0;
    struct ds_fault fault;
    for (;;) {
        uint64_t next;
        end.status = ds_space_read_ptr(s, at, &next, &fault);
        if (end.status != DS_OK) {
            end.address = fault.va;
            return end;
        }
        if (next == 0)
            return end;
        end.address = next;
        if (next == mark || end.count == limit) {
            end.status = next == mark ? DS_LOOP : DS_LIMIT;
            return end;
        }
        end.count++;
        if (!each(next, arg)) {
            end.address = 0;
            return end;
        }
        if (++steps == power) {
            mark = next;
            power *= 2;
            steps = 0;
        }
        at = next;
    }
}

size_t ds_walk_distinct(const uint64_t *entries, size_t count, uint64_t loop_at)
{
    size_t last = count;
    while (last > 0 && entries[last - 1] != loop_at) {
        last--;
    }
    if (last == 0) {
        return count;
    }
    size_t cycle = count - (last - 1);
    for (size_t i = 0; i + cycle < count; i++) {
        if (entries[i] == entries[i + cycle]) {
            return i + cycle;
        }
    }
    return count;
}
