/* refs.h - earlier entries by what references call them, within a window of the input.
 * Owns: an index of names; the entries stand on a tape that is the reader's.   Fails: NO_MEMORY, IO. */
#ifndef SHUNT_FHIR_REFS_H
#define SHUNT_FHIR_REFS_H

#include "standards/fhir/token.h"

typedef struct shunt_fhir_refs shunt_fhir_refs;

/* Where an entry stands on the tape; offsets of single tokens, 0 = it has none. */
typedef struct shunt_fhir_entry {
    uint64_t number; /* from 1, over all */
    uint64_t at;     /* in the input */
    uint64_t from;
    uint64_t resource, resource_end;
    uint64_t full_url, type, id; /* + 1 */
} shunt_fhir_entry;

typedef enum shunt_fhir_found { SHUNT_REF_NONE, SHUNT_REF_FOUND, SHUNT_REF_TWICE } shunt_fhir_found;

shunt_fhir_refs *shunt_fhir_refs_new(const shunt_memory *memory, const char *directory, uint64_t window) SHUNT_MUST_USE;
void             shunt_fhir_refs_free(shunt_fhir_refs *refs);
void             shunt_fhir_refs_clear(shunt_fhir_refs *refs); /* another Bundle */
/* The entry at [from, to) of the tape, which begins at `at` of the input; `bare`: it is a resource, without an entry around it. */
shunt_status     shunt_fhir_refs_add(shunt_fhir_refs *refs, const shunt_tape *tape, uint64_t from, uint64_t to, uint64_t at,
                                     bool bare);
/* Forgets what nothing behind `at` can refer to. The offset of the tape that is still wanted, or `end`. */
uint64_t         shunt_fhir_refs_drop(shunt_fhir_refs *refs, uint64_t at, uint64_t end);
const shunt_fhir_entry *shunt_fhir_refs_at(const shunt_fhir_refs *refs, uint64_t tape_from);
/* What `text`, read in `holder`, means to the entry `reader` (the holder itself, or one that led to it). `*from`..`*to`: the resource. */
shunt_status            shunt_fhir_refs_find(shunt_fhir_refs *refs, const shunt_tape *tape, const shunt_fhir_entry *reader,
                                             const shunt_fhir_entry *holder, shunt_text text, shunt_fhir_found *found, uint64_t *from,
                                             uint64_t *to, const shunt_fhir_entry **target);

#endif
