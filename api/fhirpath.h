/* fhirpath.h - the simple form of FHIRPath that `shunt get` takes (docs/paths.md): names, indexes, where, ofType, extension,
 * exists, empty, count, first, not. A path is a pipeline: items go through its steps one by one, so that the entries of a Bundle
 * need not be held.
 * Owns: nothing; the path lives in the arena it was parsed into. Pure otherwise. */
#ifndef SHUNT_API_FHIRPATH_H
#define SHUNT_API_FHIRPATH_H

#include "engine/base/arena.h"
#include "engine/base/text.h"
#include "standards/fhir/types.h"

/* A property of a resource, or the resource itself. */
typedef struct fhir_node {
    struct fhir_node *parent, *first, *last, *next;
    shunt_text        name;
    shunt_text        value; /* decoded */
    uint64_t          at;
    uint32_t          size;
    bool              has_value, quoted /* a text, not a number or true */, array, element /* of XML: repeats stand for arrays */;
    bool              typed;        /* `type`, `says` were looked up */
    const shunt_fhir_type *type;    /* NULL = not known */
    const char            *version; /* of the resource around it, "4.0.1" */
    shunt_text             says;    /* name of the type, of a choice its ending: "Quantity" */
} fhir_node;

/* The child of that name (the first of several); NULL = none. */
const fhir_node *fhir_child(const fhir_node *node, const char *name);
/* Looks up what the node is, from its parent or `resourceType` down. */
void             fhir_learn(fhir_node *node);

enum { FHIRPATH_STEPS = 32 };
typedef struct fhirpath fhirpath;

/* What comes out: a node, or a word that a function made ("true", "3"). */
typedef void fhirpath_take(void *context, const fhir_node *node, shunt_text word);

/* NULL: `wrong` says what is wrong with the text, as one clause, or "no memory". */
fhirpath  *fhirpath_parse(shunt_arena *arena, const char *text, const char **wrong) SHUNT_MUST_USE;
/* The type that the path begins with ("Claim"); empty = it begins with a name. */
shunt_text fhirpath_type(const fhirpath *path);
/* The first step is the plain name `name`. */
bool       fhirpath_begins(const fhirpath *path, const char *name);

/* Counters of one evaluation. */
typedef struct fhirpath_state {
    uint64_t seen[FHIRPATH_STEPS];
} fhirpath_state;
/* Sends a node through the steps from `step` on. */
void fhirpath_push(const fhirpath *path, fhirpath_state *state, unsigned step, fhir_node *node, fhirpath_take *take,
                   void *context);
/* Everything went through: counts and the like come out. */
void fhirpath_finish(const fhirpath *path, fhirpath_state *state, fhirpath_take *take, void *context);

#endif
