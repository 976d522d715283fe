/* arena.h - memory for one unit, one compilation, one header.
 * Owns:    every block it hands out; nothing inside is freed singly.
 * Threads: one arena, one thread.
 * Fails:   NULL at the limit or when the allocator gives nothing; the arena stays usable, `shunt_arena_failed` tells which. */
#ifndef SHUNT_ARENA_H
#define SHUNT_ARENA_H

#include <string.h>

#include "engine/base/memory.h"

typedef struct shunt_arena shunt_arena;

/* A place to come back to: everything allocated after `shunt_arena_mark` is forgotten by `shunt_arena_release`. */
typedef struct shunt_mark {
    void  *block;
    char  *next;
    size_t bias;
} shunt_mark;

typedef enum shunt_arena_fault { SHUNT_ARENA_FINE, SHUNT_ARENA_LIMIT, SHUNT_ARENA_NO_MEMORY } shunt_arena_fault;

/* `memory` is borrowed and outlives the arena; `limit_bytes` bounds what is handed out between two resets, 0 = no bound. */
shunt_arena      *shunt_arena_new(const shunt_memory *memory, size_t limit_bytes) SHUNT_MUST_USE;
void              shunt_arena_free(shunt_arena *arena);  /* NULL is fine */
void              shunt_arena_reset(shunt_arena *arena); /* forgets all allocations, keeps the blocks for reuse */
void              shunt_arena_set_limit(shunt_arena *arena, size_t limit_bytes);
shunt_arena_fault shunt_arena_failed(const shunt_arena *arena); /* sticky: the first failure since the last reset */

/* The head that the inline paths below need; the rest is private to arena.c. `end` is clipped to the limit, so that one
 * comparison covers both the block and the bound. */
struct shunt_arena {
    char  *next, *end;
    void  *block; /* in which both stand; NULL: nothing is handed out yet */
    size_t bias;  /* what `next` as a number is short of the bytes handed out */
};

/* Behind what is handed out so many more bytes can be written, for those who move whole vectors and lines; they hold
 * nothing. */
enum { SHUNT_ARENA_SLACK = 64 };

/* The ways out of the inline paths: takes another block, or records why there is none; goes back to another block. */
void *shunt_arena_more(shunt_arena *arena, size_t size_bytes, size_t align) SHUNT_MUST_USE;
void  shunt_arena_back(shunt_arena *arena, shunt_mark mark);

/* Under AddressSanitizer what is not handed out is poisoned, so a use after reset or release is reported. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SHUNT_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SHUNT_ADDRESS_SANITIZER 1
#endif
#ifdef SHUNT_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#define SHUNT_POISON(at, size_bytes)   ASAN_POISON_MEMORY_REGION((at), (size_bytes))
#define SHUNT_UNPOISON(at, size_bytes) ASAN_UNPOISON_MEMORY_REGION((at), (size_bytes))
#else
#define SHUNT_POISON(at, size_bytes)   ((void)(at), (void)(size_bytes))
#define SHUNT_UNPOISON(at, size_bytes) ((void)(at), (void)(size_bytes))
#endif

/* Is there room for so many bytes where the arena stands, padding included? Then the next two can not fail for as many. */
static inline bool shunt_arena_has(const shunt_arena *arena, size_t size_bytes)
{
    return SHUNT_LIKELY(size_bytes <= (size_t)(arena->end - arena->next));
}

/* Aligned to 1. */
static inline char *shunt_arena_cut(shunt_arena *arena, size_t size_bytes)
{
    char *at = arena->next;
    arena->next = at + size_bytes;
    SHUNT_UNPOISON(at, size_bytes);
    return at;
}

/* Aligned for any object (16). */
static inline void *shunt_arena_cut_aligned(shunt_arena *arena, size_t size_bytes)
{
    char *at = arena->next + (-(uintptr_t)arena->next & 15);
    arena->next = at + size_bytes;
    SHUNT_UNPOISON(at, size_bytes);
    return at;
}

/* Not zeroed, aligned for any object. Valid until release, reset or free. */
SHUNT_MUST_USE static inline void *shunt_arena_raw(shunt_arena *arena, size_t size_bytes)
{
    size_t padding = -(uintptr_t)arena->next & 15, room = (size_t)(arena->end - arena->next);
    if (SHUNT_UNLIKELY(padding > room || size_bytes > room - padding)) return shunt_arena_more(arena, size_bytes, 16);
    return shunt_arena_cut_aligned(arena, size_bytes);
}

/* The same, zeroed. */
SHUNT_MUST_USE static inline void *shunt_arena_alloc(shunt_arena *arena, size_t size_bytes)
{
    void *at = shunt_arena_raw(arena, size_bytes);
    return SHUNT_LIKELY(at != NULL) ? memset(at, 0, size_bytes) : NULL;
}

/* Not zeroed, aligned to 1: for text. */
SHUNT_MUST_USE static inline char *shunt_arena_bytes(shunt_arena *arena, size_t size_bytes)
{
    return shunt_arena_has(arena, size_bytes) ? shunt_arena_cut(arena, size_bytes)
                                              : (char *)shunt_arena_more(arena, size_bytes, 1);
}

/* Bytes handed out since the last reset, padding included. */
static inline size_t shunt_arena_used(const shunt_arena *arena) { return (size_t)(uintptr_t)arena->next + arena->bias; }

static inline shunt_mark shunt_arena_mark(const shunt_arena *arena)
{
    return (shunt_mark){ arena->block, arena->next, arena->bias };
}

/* `end` stands where it stood, unless a limit below what was handed out had moved it to `next`. */
static inline void shunt_arena_release(shunt_arena *arena, shunt_mark mark)
{
    if (SHUNT_UNLIKELY(mark.block != arena->block || arena->next == arena->end)) {
        shunt_arena_back(arena, mark);
        return;
    }
    SHUNT_POISON(mark.next, (size_t)(arena->next - mark.next));
    arena->next = mark.next;
}

#define SHUNT_NEW(arena, type)          ((type *)shunt_arena_alloc((arena), sizeof(type)))
#define SHUNT_NEW_N(arena, type, count) ((type *)shunt_arena_alloc((arena), sizeof(type) * (size_t)(count)))

#endif
