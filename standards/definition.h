/* definition.h - guides that a site brings along at run time, in the text format of the dictionaries (dict/README.md): a set or guide
 * that this build does not know (`guide ...`), or a companion guide that narrows one it knows (`overlay ...`). Where names clash a
 * definition stands before what the build knows.
 * Owns:    nothing; guides live in the arena they were read into.
 * Fails:   NO_MEMORY; RULES_WRONG: `fault` says which line and why. */
#ifndef SHUNT_DEFINITION_H
#define SHUNT_DEFINITION_H

#include "engine/base/status.h"
#include "standards/schema.h"

enum {
    SHUNT_DEFINITIONS_AT_MOST = 32,
    SHUNT_DEFINITION_BYTES = 4 << 20,
};

typedef struct shunt_definition {
    const shunt_guide *guide;
    shunt_conditions   conditions;
} shunt_definition;

typedef struct shunt_definition_set {
    shunt_definition items[SHUNT_DEFINITIONS_AT_MOST];
    uint32_t         count;
} shunt_definition_set;

typedef struct shunt_definition_fault {
    uint32_t line;
    char     text[160];
} shunt_definition_fault;

/* Reads one definition and adds it to the set. An overlay of a guide that the set holds narrows that one, and takes its place. */
shunt_status shunt_definition_read(shunt_arena *arena, shunt_text text, shunt_definition_set *set, shunt_definition_fault *fault);

/* As shunt_guide_find and shunt_guide_at, definitions of the set first; those that they stand for are left out. `set` NULL = none. */
const shunt_guide *shunt_definition_find(const shunt_definition_set *set, shunt_standard standard, shunt_text name,
                                         shunt_text version);
const shunt_guide *shunt_definition_guide_at(const shunt_definition_set *set, uint32_t index);
/* The conditions of a guide; none where it is no definition. */
shunt_conditions   shunt_definition_conditions(const shunt_definition_set *set, const shunt_guide *guide);

#endif
