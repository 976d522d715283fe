/* memory.h - the allocator every part uses, and the few attributes all headers share.
 * A host may lend its own; tests lend one that fails the n-th call. Nothing in the engine calls malloc directly. */
#ifndef SHUNT_MEMORY_H
#define SHUNT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHUNT_MUST_USE            __attribute__((warn_unused_result))
#define SHUNT_PRINTF(at, first)   __attribute__((format(printf, at, first)))
#define SHUNT_COUNT(array)        (sizeof(array) / sizeof *(array))
/* For functions that are compiled once for each kind of processor within what calls them. */
#define SHUNT_INLINE              inline __attribute__((always_inline))
#define SHUNT_LIKELY(condition)   __builtin_expect(!!(condition), 1)
/* A word that was stored by itself a moment ago is loaded by itself too: compilers make one load of neighbours, and that one waits until all
 * that was stored earlier has left the processor. */
#define SHUNT_ONE_BY_ONE(word)    __asm__("" : "+r"(word))
#define SHUNT_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* The three calls have the contract of the C library: sizes in bytes, NULL on failure, `release(NULL)` is fine,
 * `resize(NULL, n)` allocates. `context` is handed back unchanged. */
typedef struct shunt_memory {
    void *(*allocate)(void *context, size_t size_bytes);
    void *(*resize)(void *context, void *block, size_t size_bytes);
    void (*release)(void *context, void *block);
    void *context;
} shunt_memory;

extern const shunt_memory shunt_memory_libc;

static inline void *shunt_memory_get(const shunt_memory *m, size_t size_bytes) { return m->allocate(m->context, size_bytes); }
static inline void *shunt_memory_resize(const shunt_memory *m, void *block, size_t size_bytes)
{
    return m->resize(m->context, block, size_bytes);
}
/* count * size, overflow checked */
void *shunt_memory_zeroed(const shunt_memory *m, size_t count, size_t size_bytes) SHUNT_MUST_USE;
/* `items` with room for one more behind `count` of them, at twice the room where it is full: perhaps moved. NULL: no memory, all as it was. */
void *shunt_memory_more(const shunt_memory *m, void *items, uint32_t count, uint32_t *room, size_t size_bytes) SHUNT_MUST_USE;
static inline void shunt_memory_free(const shunt_memory *m, void *block) { m->release(m->context, block); }

#endif
