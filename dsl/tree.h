/* tree.h - messages that are trees of names (FHIR): the objects that the rules look at, each at its place.
 * check makes an object when a path comes to it; emit gives frames to those that are nodes of the language, and takes the values
 * of all others into the nearest frame around. Objects of a parameter (`line: FHIR_InvoiceLine`) hang in a tree of their own,
 * which stands for the place of each argument: the function is emitted once for each.
 * Owns:    nothing; everything lives in the arena of the compilation. */
#ifndef SHUNT_TREE_H
#define SHUNT_TREE_H

#include "dsl/fact.h"
#include "dsl/grow.h"
#include "standards/fhir/types.h"

typedef struct shunt_tree {
    shunt_loop_ref        *ref;  /* the same as the loop that the rest of the compiler knows */
    struct shunt_tree     *up;   /* the object around; NULL: the body of a source, or a parameter */
    shunt_text             name; /* of the property; "resolve()": what the reference around leads to; empty where `up` is NULL */
    shunt_text             only; /* type of the resource, empty = any */
    const char            *version;
    const shunt_fhir_type *type; /* of the objects, or of the items of a list of primitives */
    shunt_fhir_phi         phi;
    uint32_t               depth; /* 0 where `up` is NULL */
    bool                   list;
    bool                   leaf;                /* its items are primitive values */
    bool                   node;                /* the rules hold one of it in their hands: it has a frame of its own */
    bool                   parameter;           /* the root of the tree of a parameter */
    struct shunt_tree     *first, *last, *next; /* below it, in the order they were met */
    /* for emit */
    struct shunt_tree     *stands_for; /* of a parameter: the place of the argument in the function that is being emitted */
    SHUNT_LIST(struct shunt_tree_value) values; /* that are demanded of it */
} shunt_tree;

enum { SHUNT_TREE_DEPTH = 15 }; /* levels below the body: SHUNT_WALK_DEPTH counts it too */

static inline shunt_tree *shunt_tree_of(const shunt_ty *type)
{
    return type->kind == SHUNT_TY_NODE && type->loop ? type->loop->tree : NULL;
}

/* The object below under this name and of this type; NULL where the rules do not look at it. */
shunt_tree *shunt_tree_below(const shunt_tree *tree, shunt_text name, shunt_text only);
/* "Invoice.lineItem.priceComponent": as rules and messages show it, from the resource that holds it. Empty without memory. */
shunt_text  shunt_tree_shown(shunt_arena *arena, const shunt_tree *tree, shunt_text value);

#endif
