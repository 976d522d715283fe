/* names.h - the names of a plan of trees, as the walk looks them up: under each loop what each name leads to.
 * Owns: its arrays; the plan is borrowed.   Fails: NULL without memory. */
#ifndef SHUNT_FHIR_NAMES_H
#define SHUNT_FHIR_NAMES_H

#include "engine/base/plan.h"

typedef struct shunt_fhir_name {
    shunt_text text;
    uint64_t   hash;                  /* shunt_bytes_hash: two names with one hash count as one */
    uint32_t   nodes, node_count;     /* into `lists`: nodes of the plan whose value stands under the name */
    uint32_t   loops, loop_count;     /* into `lists`: loops of objects, or of primitive values */
    uint32_t   besides, beside_count; /* into `lists`: loops of what stands beside a primitive value: those of `_name` */
    bool       values;                /* its loops are those of primitive values: an object without one is no instance */
    bool       branch;                /* units stand below it: entry */
    bool       single;                /* an object that stands once: its values go to the frame around it */
    bool       awaited;               /* under the root, not a branch, and something is demanded below it */
} shunt_fhir_name;

typedef struct shunt_fhir_under {     /* a loop */
    uint32_t names, name_count;       /* into `names` */
    uint32_t resolves, resolve_count; /* into `lists`: its loops "resolve()" */
    uint16_t awaited;                 /* names under it that are awaited */
} shunt_fhir_under;

typedef struct shunt_fhir_names {
    const shunt_memory *memory;
    const shunt_plan   *plan;
    shunt_fhir_under   *under; /* by loop of the plan */
    shunt_fhir_name    *names;
    uint16_t           *lists;
    bool                references; /* some loop is a resolved reference */
} shunt_fhir_names;

shunt_fhir_names      *shunt_fhir_names_new(const shunt_memory *memory, const shunt_plan *plan) SHUNT_MUST_USE;
void                   shunt_fhir_names_free(shunt_fhir_names *names);
/* NULL: the plan wants nothing of that name there. */
const shunt_fhir_name *shunt_fhir_name_find(const shunt_fhir_names *names, uint16_t loop, shunt_text text);

static inline const shunt_fhir_name *shunt_fhir_name_hashed(const shunt_fhir_names *names, uint16_t loop, uint64_t hash)
{
    const shunt_fhir_under *under = &names->under[loop];
    const shunt_fhir_name  *name = names->names + under->names;
    for (const shunt_fhir_name *end = name + under->name_count; name < end; name++)
        if (name->hash == hash) return name;
    return NULL;
}

#endif
