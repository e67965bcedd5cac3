/*
 * A map of an address space: stretches whose pages have the same rights, size and state, wherever
 * they lie physically.
 */
#ifndef DS_MEMORY_REGIONS_H
#define DS_MEMORY_REGIONS_H

#include "memory/space.h"

/* Rights of the whole walk: a right that one level withholds is not there. */
enum { DS_RIGHT_WRITE = 1, DS_RIGHT_EXECUTE = 2, DS_RIGHT_USER = 4 };

struct ds_region_map {
    uint64_t va, size;
    uint64_t page_size;      /* of its entries */
    enum ds_status status;   /* DS_OK: mapped; DS_LOOP: the page tables themselves, by a self-map;
                                else why there is no page, as in a fault */
    enum ds_pte_state state; /* valid, transition, page_file, ...; prototype with
                                 DS_OK: the prototype PTE leads to a page */
    unsigned rights;         /* DS_RIGHT_*; 0 unless the entries are valid */
};

/*
 * The next stretch from it->va on; entries that are zero are passed over. DS_OK with *ret;
 * DS_NOT_FOUND at the end; DS_LIMIT after `limit` entries: it->va is where. DS_UNSUPPORTED on a
 * space of ranges.
 */
enum ds_status ds_space_next_region(struct ds_space *s, struct ds_space_iter *it,
                                    struct ds_region_map *ret) DS_MUST_CHECK;

#endif
