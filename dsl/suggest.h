/* suggest.h - the nearest of the names that exist here, for "did you mean".
 * Ranked by: fits the type that is wanted, then distance of the writing, then letters that were only exchanged, then `far` (the caller's own),
 * then order offered.
 * Owns: nothing; names are borrowed. Fails: the text is empty without memory. */
#ifndef SHUNT_SUGGEST_H
#define SHUNT_SUGGEST_H

#include "engine/base/text.h"

enum { SHUNT_SUGGEST_AT_MOST = 3 };

typedef struct shunt_suggestion {
    shunt_text name, about; /* `about` in parentheses behind it, may be empty */
    bool       fits, same;
    uint32_t   distance, far, order;
} shunt_suggestion;

typedef struct shunt_suggest {
    shunt_text       wanted;
    uint32_t         at_most; /* edits beyond which a name is no suggestion */
    uint32_t         limit;   /* how many to give */
    uint32_t         offered, count;
    shunt_suggestion best[SHUNT_SUGGEST_AT_MOST];
} shunt_suggest;

void       shunt_suggest_init(shunt_suggest *s, shunt_text wanted, uint32_t limit);
void       shunt_suggest_offer(shunt_suggest *s, shunt_text name, shunt_text about, bool fits, uint32_t far);
/* "`a` (x) or `b`", the best first; empty where nothing is near. */
shunt_text shunt_suggest_text(const shunt_suggest *s, shunt_arena *arena);
/* The same in the order offered, for what has a place in an order: elements of a segment. */
shunt_text shunt_suggest_in_order(const shunt_suggest *s, shunt_arena *arena);
/* Whether the one may have been written for the other. */
bool       shunt_suggest_is_slip(shunt_text written, shunt_text meant);

#endif
