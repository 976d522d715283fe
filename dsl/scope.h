/* scope.h - names and what they stand for, innermost declaration first.
 * Two kinds of table: one of a module, whose blocks are entered and left while it is checked.
 * Owns:    nothing; bindings live in the arena. Names are borrowed from the tree.
 * Fails:   adding gives false without memory. */
#ifndef SHUNT_SCOPE_H
#define SHUNT_SCOPE_H

#include "dsl/fact.h"

typedef struct shunt_binding {
    shunt_text            name;
    shunt_symbol         *symbol;
    struct shunt_binding *next;   /* in its bucket: further out */
    struct shunt_binding *before; /* declared before it, in any bucket */
    uint32_t              hash;
    uint32_t              depth;
} shunt_binding;

typedef struct shunt_scope {
    shunt_arena    *arena;
    shunt_binding **buckets;
    uint32_t        bucket_count, count, depth;
    shunt_binding  *last;
} shunt_scope;

static inline void shunt_scope_init(shunt_scope *scope, shunt_arena *arena) { *scope = (shunt_scope){ .arena = arena }; }
void               shunt_scope_enter(shunt_scope *scope);
void               shunt_scope_leave(shunt_scope *scope); /* forgets what was added since the matching enter */
bool               shunt_scope_add(shunt_scope *scope, shunt_text name, shunt_symbol *symbol) SHUNT_MUST_USE;
shunt_symbol      *shunt_scope_find(const shunt_scope *scope, shunt_text name); /* NULL = not there */

#endif
