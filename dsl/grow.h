/* grow.h - growing arrays in an arena: what a compilation collects before it is written flat.
 * Owns:    nothing; old blocks stay in the arena until it goes.
 * Fails:   shunt_grow gives NULL, the list is as it was. */
#ifndef SHUNT_GROW_H
#define SHUNT_GROW_H

#include "engine/base/arena.h"

/* Members of a list of `type`: SHUNT_LIST(int) numbers; */
#define SHUNT_LIST(type)                                                                                                         \
    struct {                                                                                                                     \
        type    *items;                                                                                                          \
        uint32_t count, capacity;                                                                                                \
    }

void *shunt_grow(shunt_arena *arena, void **items, uint32_t *count, uint32_t *capacity, size_t item_bytes) SHUNT_MUST_USE;

/* A pointer to a new zeroed last item, NULL without memory. */
#define SHUNT_PUSH(arena, list)                                                                                                  \
    ((__typeof__((list)->items))shunt_grow((arena), (void **)&(list)->items, &(list)->count, &(list)->capacity,                  \
                                           sizeof *(list)->items))

#endif
