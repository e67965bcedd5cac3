#include "nt/address_map.h"

#include <stdlib.h>

#include "base/mem.h"

struct ds_address_slot {
    uint64_t address; /* 0 = free */
    uint32_t number;
};

/* The slot of the address, or the free one where it belongs. Never full: see put(). */
static struct ds_address_slot *find(const struct ds_address_map *m, uint64_t address)
{
    /* Fibonacci hashing: addresses of pool differ in their middle bits. */
    size_t at = (size_t)(address * 0x9e3779b97f4a7c15ull >> 20) & (m->cap - 1);
    while (m->slots[at].address != 0 && m->slots[at].address != address) {
        at = (at + 1) & (m->cap - 1);
    }
    return &m->slots[at];
}

static bool grow(struct ds_address_map *m)
{
    struct ds_address_map bigger = {.cap = m->cap == 0 ? 64 : m->cap * 2, .count = m->count};
    bigger.slots = ds_alloc_array(bigger.cap, sizeof(*bigger.slots));
    if (bigger.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].address != 0) {
            *find(&bigger, m->slots[i].address) = m->slots[i];
        }
    }
    free(m->slots);
    *m = bigger;
    return true;
}

bool ds_address_map_put(struct ds_address_map *m, uint64_t address, uint32_t number)
{
    if (address == 0) {
        return true;
    }
    if (m->count >= m->cap / 2 && !grow(m)) {
        return false;
    }
    struct ds_address_slot *slot = find(m, address);
    if (slot->address == 0) {
        *slot = (struct ds_address_slot){address, number};
        m->count++;
    }
    return true;
}

bool ds_address_map_get(const struct ds_address_map *m, uint64_t address, uint32_t *number)
{
    if (address == 0 || m->count == 0) {
        return false;
    }
    const struct ds_address_slot *slot = find(m, address);
    if (slot->address == 0) {
        return false;
    }
    if (number != NULL) {
        *number = slot->number;
    }
    return true;
}

void ds_address_map_deinit(struct ds_address_map *m)
{
    free(m->slots);
    *m = (struct ds_address_map){0};
}
