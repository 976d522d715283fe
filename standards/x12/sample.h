/* sample.h - whole interchanges around the fragments that tests are written with (language.md section 15).
 * What precedes the fragment is made from one skeleton a set: payer EXAMPLE PAYER, trace T1 of 1999999999 on 2025-03-01, clinic
 * with NPI 1234567893; batch B1, subscriber MEMBER1, payer PAYER1. All of it is invented. */
#ifndef SHUNT_X12_SAMPLE_H
#define SHUNT_X12_SAMPLE_H

#include "engine/base/status.h"
#include "standards/schema.h"

/* An element of what precedes the fragment, in place of the one that the skeleton has: `loop` empty = before all loops, `element` as
 * "BPR16", `value` as it stands in the message, without separators of elements and segments. Borrowed. */
typedef struct shunt_x12_made {
    shunt_text loop, element, value;
    bool       placed; /* filled: it stands in what was made */
} shunt_x12_made;

/* Has the skeleton of the set a segment for such an element? The segments of a loop are known by their id; of several the first is meant. */
bool shunt_x12_sample_has(const shunt_guide *guide, shunt_text loop, shunt_text element);

/* Appends an interchange with one transaction set. `piece` is the id of the loop that the fragment starts with; empty: the fragment
 * is the whole set between ST and SE. BPR02 of an 835 made here is the sum of its CLP04 less its PLB amounts, exactly.
 * NOT_FOUND: there is no skeleton for the set, or no such loop in it, or nothing before that loop for one of `made` to stand in. VALUE_INVALID: an amount that BPR02 needs is none. */
shunt_status shunt_x12_sample(const shunt_guide *guide, shunt_text piece, shunt_x12_made *made, size_t made_count,
                              shunt_text fragment, shunt_buffer *out);

#endif
