/* Sorting of indices: never quadratic, whatever a hostile file chose. Private to this room. */
#ifndef DS_SYMBOLS_SORT_H
#define DS_SYMBOLS_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Negative, zero or positive, as strcmp(). */
typedef int (*ds_sort_compare)(const void *arg, uint32_t a, uint32_t b);

/* Stable merge sort of `count` indices. False: no memory. */
bool ds_sort_indices(uint32_t *indices, size_t count, ds_sort_compare compare, const void *arg);

#endif
