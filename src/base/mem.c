#include "base/mem.h"

#include <string.h>

#include "base/checked.h"
#include "base/limits.h"

#define ARENA_CHUNK (64u << 10)

struct ds_arena_chunk {
    struct ds_arena_chunk *next;
    size_t used, size;
    _Alignas(16) unsigned char data[];
};

void ds_cleanup_free(void *pointer_to_pointer)
{
    void **p = pointer_to_pointer;
    free(*p);
    *p = NULL;
}

void *ds_alloc_array(uint64_t count, size_t size)
{
    uint64_t bytes;
    if (ds_mul_overflows(count, size, &bytes) || bytes > DS_LIMIT_ALLOC)
        return NULL;
    return calloc(1, bytes ? (size_t)bytes : 1);
}

bool ds_array_reserve(void **array, size_t *cap, size_t want, size_t size, size_t max)
{
    if (want <= *cap)
        return true;
    if (want > max)
        return false;
    size_t grown = *cap ? *cap * 2 : 16;
    if (grown < want)
        grown = want;
    if (grown > max)
        grown = max;
    uint64_t bytes;
    if (ds_mul_overflows(grown, size, &bytes) || bytes > DS_LIMIT_ALLOC)
        return false;
    void *p = realloc(*array, (size_t)bytes);
    if (p == NULL)
        return false;
    *array = p;
    *cap = grown;
    return true;
}

void *ds_arena_alloc(struct ds_arena *a, uint64_t count, size_t size)
{
    uint64_t bytes;
    if (ds_mul_overflows(count, size, &bytes) || bytes > DS_LIMIT_ALLOC ||
        bytes > DS_LIMIT_ARENA - a->total)
        return NULL;
    size_t need = ((size_t)bytes + 15u) & ~(size_t)15u;
    struct ds_arena_chunk *c = a->chunks;
    if (c == NULL || need > c->size - c->used) {
        size_t room = need > ARENA_CHUNK ? need : ARENA_CHUNK;
        c = calloc(1, sizeof(*c) + room);
        if (c == NULL)
            return NULL;
        c->size = room;
        c->next = a->chunks;
        a->chunks = c;
    }
    void *p = c->data + c->used;
    c->used += need;
    a->total += bytes;
    return p;
}

char *ds_arena_strdup(struct ds_arena *a, const char *s, size_t len)
{
    char *copy = ds_arena_alloc(a, (uint64_t)len + 1, 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

void ds_arena_deinit(struct ds_arena *a)
{
    struct ds_arena_chunk *c = a->chunks;
    while (c != NULL) {
        struct ds_arena_chunk *next = c->next;
        free(c);
        c = next;
    }
    *a = (struct ds_arena){0};
}
