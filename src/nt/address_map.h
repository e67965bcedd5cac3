/* A set of addresses, each with a number: which row an address is. No dump decides its size: it
 * grows with rows that are there already. */
#ifndef DS_NT_ADDRESS_MAP_H
#define DS_NT_ADDRESS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds_address_map {
    struct ds_address_slot *slots; /* owned; zeroed struct = empty map */
    size_t cap, count;
};

/* Keeps the number of an address that is there already. Address 0 is never kept. False when out
 * of memory. */
bool ds_address_map_put(struct ds_address_map *m, uint64_t address, uint32_t number);
/* Whether it is there; *number may be NULL. */
bool ds_address_map_get(const struct ds_address_map *m, uint64_t address, uint32_t *number);
void ds_address_map_deinit(struct ds_address_map *m);

#endif
