/* index.h - a map from 128-bit hashes to 16 bytes, for millions of keys in bounded memory.
 * New keys stand in a table in memory. A full table is written, in order, to an unnamed temporary file (a run), of which a
 * Bloom filter of 10 bits a key stays in memory; a key that was never put seldom costs a read. Runs are merged by sixteens.
 * Owns:    all it holds. Keys must come from `shunt_hash128`: unevenly spread ones are still right, but slow.
 * Threads: one index, one thread.
 * Fails:   NO_MEMORY or IO; what was put before is still there then. */
#ifndef SHUNT_INDEX_H
#define SHUNT_INDEX_H

#include "engine/base/hash.h"
#include "engine/base/status.h"

typedef struct shunt_index shunt_index;

typedef struct shunt_payload {
    uint64_t words[2];
} shunt_payload;

enum { SHUNT_INDEX_SLOTS = 1 << 18 }; /* of 32 bytes; three quarters are used */

/* `memory` and `directory` (NULL: TMPDIR or /tmp) are borrowed. `slots` bounds the table, which begins small: a power of two
 * is taken that is not below it, 0 = SHUNT_INDEX_SLOTS. NULL without memory. */
shunt_index *shunt_index_new(const shunt_memory *memory, const char *directory, size_t slots) SHUNT_MUST_USE;
void         shunt_index_free(shunt_index *index); /* NULL is fine */
/* `*payload` is written only where `*found` becomes true. */
shunt_status shunt_index_get(shunt_index *index, shunt_hash key, shunt_payload *payload, bool *found);
shunt_status shunt_index_put(shunt_index *index, shunt_hash key, shunt_payload payload); /* inserts or replaces */
void         shunt_index_clear(shunt_index *index);                                      /* memory of the table is kept */
/* Asks the processor for the memory where `key` would stand, for a look later on. */
void         shunt_index_prefetch(const shunt_index *index, shunt_hash key);
uint64_t     shunt_index_count(const shunt_index *index);  /* keys */
size_t       shunt_index_memory(const shunt_index *index); /* bytes held now */

#endif
