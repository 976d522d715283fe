/* fold.h - expressions whose value the compiler knows: literals, and arithmetic on literals.
 * Pure. What would overflow, lose digits or divide by zero is not folded: it fails when it runs, where the rules can answer
 * it. */
#ifndef SHUNT_FOLD_H
#define SHUNT_FOLD_H

#include "dsl/fact.h"

/* The coefficient at type.scale of a number, 0 or 1 of a bool, days of a date or duration, ordinal of an enum member. False
 * where the value
 * is not known before the program runs, or is no such thing. Needs the facts of check. */
bool shunt_fold(const shunt_ast *node, __int128 *number);
/* Texts that are written out: strings, and constants of a module that are strings. */
bool shunt_fold_text(const shunt_ast *node, shunt_text *text);

#endif
