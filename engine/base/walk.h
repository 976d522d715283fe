/* walk.h - recognises loops: which node of the guide a segment is, which loops end and begin with it. One table-driven machine
 * for every standard whose messages are flat lists of segments (X12, HL7 v2).
 * A segment lands on the first choice, in the order of the plan, whose qualifier fits, that does not go back and whose repeats
 * are not used up; then on the first of those whose repeats are; then on the first orphan (parent missing), then on the first
 * one whatever its order. A body that is gone back in goes on from there. */
#ifndef SHUNT_WALK_H
#define SHUNT_WALK_H

#include "engine/base/plan.h"

enum {
    SHUNT_WALK_DEPTH = 16,
    SHUNT_WALK_CACHE = 64, /* segment ids whose place among the ids of the guide is kept; a power of two */
};

typedef struct shunt_walk {
    const shunt_plan       *plan;
    const shunt_plan_guide *guide;
    uint16_t                loops[SHUNT_WALK_DEPTH];     /* open loops, outermost (the set) first */
    uint16_t                positions[SHUNT_WALK_DEPTH]; /* how far each body has come */
    uint32_t                repeats[SHUNT_WALK_DEPTH];   /* instances in a row of the loop at this depth */
    uint16_t                last_node;
    uint32_t                last_repeats; /* of last_node in a row */
    uint16_t                depth;        /* open loops, at least 1 */
    uint64_t                cache_ids[SHUNT_WALK_CACHE];
    uint16_t                cache_indexes[SHUNT_WALK_CACHE];
} shunt_walk;

typedef struct shunt_landing {
    uint16_t node;        /* SHUNT_NONE: not in this guide, nothing else is set */
    uint16_t leave;       /* loops that end, innermost first */
    uint16_t enter_count; /* loops that begin, outermost first */
    uint16_t enter[SHUNT_WALK_DEPTH];
    bool     out_of_order, orphan, too_many; /* faults: X12_ORDER, X12_MISSING_PARENT, X12_REPEATS */
} shunt_landing;

void shunt_walk_begin(shunt_walk *walk, const shunt_plan *plan, uint16_t guide);
/* Finds where the segment belongs and moves there. The loops that end are those of walk->loops before the call, from the
 * innermost outwards. */
void shunt_walk_segment(shunt_walk *walk, const shunt_segment *segment, const shunt_delims *delims, shunt_landing *landing);

#endif
