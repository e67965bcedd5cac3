#include "symbols/sort.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void merge(const uint32_t *from, uint32_t *to, size_t left, size_t mid, size_t right,
                  ds_sort_compare compare, const void *arg)
{
    size_t a = left, b = mid;
    for (size_t i = left; i < right; i++) {
        bool take_a = a < mid && (b >= right || compare(arg, from[a], from[b]) <= 0);
        to[i] = take_a ? from[a++] : from[b++];
    }
}

bool ds_sort_indices(uint32_t *indices, size_t count, ds_sort_compare compare, const void *arg)
{
    DS_AUTO_FREE uint32_t *spare = NULL;
    uint32_t *from = indices, *to;
    if (count < 2)
        return true;
    spare = ds_alloc_array(count, sizeof *spare);
    if (spare == NULL)
        return false;
    to = spare;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t left = 0; left < count; left += 2 * width) {
            size_t mid = left + width < count ? left + width : count;
            size_t right = mid + width < count ? mid + width : count;
            merge(from, to, left, mid, right, compare, arg);
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != indices)
        memcpy(indices, from, count * sizeof *indices);
    return true;
}
