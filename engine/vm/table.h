/* table.h - the rows of one table, ready to be looked up: by exact keys, by longest prefix, by the greatest key not above, by the day they are in force.
 * Owns:    rows and index, in one block; texts are the program's.
 * Threads: immutable once made.
 * Fails:   NO_MEMORY; PROGRAM_BAD where two rows have the same key on the same day. */
#ifndef SHUNT_TABLE_H
#define SHUNT_TABLE_H

#include "engine/vm/program.h"

typedef struct shunt_lookup shunt_lookup;

/* The table has passed the verifier. */
shunt_status shunt_lookup_new(const shunt_memory *memory, const shunt_program *program, uint32_t table, shunt_lookup **lookup,
                              char why[static 200]);
void         shunt_lookup_free(const shunt_memory *memory, shunt_lookup *lookup); /* NULL is fine */

/* The row for these keys (as many as the table has, all present) on `day` (of effective tables); NULL if none.
 * Allocates nothing; `*tries` grows by the number of prefixes, or of keys out of force, that were tried. */
const shunt_row *shunt_lookup_find(const shunt_lookup *lookup, const shunt_value *keys, int64_t day, uint64_t *tries);
/* Whether a row has this key, on whatever day; for tables with one exact key of text. */
bool             shunt_lookup_has(const shunt_lookup *lookup, shunt_text key);
bool             shunt_lookup_holds(const shunt_lookup *lookup, const shunt_row *row); /* whether this is one of its rows */

/* Hash of values, as the index and the memo of the VM use it; not stable between builds. */
static inline uint64_t shunt_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    return hash ^ (hash >> 29);
}

static inline uint64_t shunt_mix_text(uint64_t hash, shunt_text text)
{
    const char *at = text.bytes;
    uint32_t    left = text.length;
    uint64_t    word;
    for (; left >= 8; left -= 8, at += 8) {
        memcpy(&word, at, 8);
        hash = shunt_mix(hash, word);
    }
    word = left ? shunt_text_word(at, left) : 0;
    return shunt_mix(shunt_mix(hash, word), text.length);
}

#endif
