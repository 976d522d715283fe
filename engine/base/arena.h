/* arena.h - memory for one unit, one compilation, one header.
 * Owns:    every block it hands out; nothing inside is freed singly.
 * Threads: one arena, one thread.
 * Fails:   NULL at the limit or when the allocator gives nothing; the arena stays usable, `shunt_arena_failed` tells which. */
#ifndef SHUNT_ARENA_H
#define SHUNT_ARENA_H

#include "engine/base/memory.h"

typedef struct shunt_arena shunt_arena;

/* A place to come back to: everything allocated after `shunt_arena_mark` is forgotten by `shunt_arena_release`. */
typedef struct shunt_mark {
    void  *block;
    size_t used;
    size_t total;
} shunt_mark;

typedef enum shunt_arena_fault { SHUNT_ARENA_FINE, SHUNT_ARENA_LIMIT, SHUNT_ARENA_NO_MEMORY } shunt_arena_fault;

/* `memory` is borrowed and outlives the arena; `limit_bytes` bounds what is handed out between two resets, 0 = no bound. */
shunt_arena      *shunt_arena_new(const shunt_memory *memory, size_t limit_bytes) SHUNT_MUST_USE;
void              shunt_arena_free(shunt_arena *arena);  /* NULL is fine */
void              shunt_arena_reset(shunt_arena *arena); /* forgets all allocations, keeps the blocks for reuse */
shunt_mark        shunt_arena_mark(const shunt_arena *arena);
void              shunt_arena_release(shunt_arena *arena, shunt_mark mark);
size_t            shunt_arena_used(const shunt_arena *arena); /* bytes handed out since the last reset */
void              shunt_arena_set_limit(shunt_arena *arena, size_t limit_bytes);
shunt_arena_fault shunt_arena_failed(const shunt_arena *arena); /* sticky: the first failure since the last reset */

/* Zeroed, aligned for any object (16). Valid until release, reset or free. */
void *shunt_arena_alloc(shunt_arena *arena, size_t size_bytes) SHUNT_MUST_USE;
/* Not zeroed, aligned to 1: for text. */
char *shunt_arena_bytes(shunt_arena *arena, size_t size_bytes) SHUNT_MUST_USE;

#define SHUNT_NEW(arena, type)          ((type *)shunt_arena_alloc((arena), sizeof(type)))
#define SHUNT_NEW_N(arena, type, count) ((type *)shunt_arena_alloc((arena), sizeof(type) * (size_t)(count)))

#endif
