#include "dsl/grow.h"

void *shunt_grow(shunt_arena *arena, void **items, uint32_t *count, uint32_t *capacity, size_t item_bytes)
{
    if (*count == *capacity) {
        if (*capacity > UINT32_MAX / 2) return NULL;
        uint32_t more = *capacity ? *capacity * 2 : 8;
        char    *copy = shunt_arena_alloc(arena, item_bytes * more);
        if (!copy) return NULL;
        if (*count) memcpy(copy, *items, item_bytes * *count);
        *items = copy;
        *capacity = more;
    }
    return (char *)*items + item_bytes * (*count)++;
}
