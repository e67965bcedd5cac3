/*
 * Allocation with a ceiling, scope cleanup, and an arena for rows and strings that live as long
 * as their snapshot.
 */
#ifndef DS_BASE_MEM_H
#define DS_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Frees a malloc'ed pointer at the end of its scope: `DS_AUTO_FREE char *s = ...;` */
#define DS_AUTO_FREE __attribute__((cleanup(ds_cleanup_free)))
void ds_cleanup_free(void *pointer_to_pointer);

/* Zeroed array of count * size bytes; NULL when it overflows, exceeds DS_LIMIT_ALLOC, or fails. */
void *ds_alloc_array(uint64_t count, size_t size);

/*
 * Grows *array (capacity *cap, `size` bytes an element) so that it holds at least `want`
 * elements, doubling, never above `max` elements. False (array untouched) when it cannot.
 */
bool ds_array_reserve(void **array, size_t *cap, size_t want, size_t size, size_t max);

/* Bump allocator: everything is freed at once by ds_arena_deinit(). Zeroed memory, 16-aligned. */
struct ds_arena {
    struct ds_arena_chunk *chunks;
    uint64_t total; /* bytes handed out, capped at DS_LIMIT_ARENA */
};

void *ds_arena_alloc(struct ds_arena *a, uint64_t count, size_t size);
/* Copies len bytes of text and adds a NUL; NULL when out of memory or over the cap. */
char *ds_arena_strdup(struct ds_arena *a, const char *s, size_t len);
void ds_arena_deinit(struct ds_arena *a);

#endif
