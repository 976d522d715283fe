/* walk.h - recognises loops: which node of the guide a segment is, which loops end and begin with it. One table-driven machine
 * for every standard whose messages are flat lists of segments (X12, HL7 v2).
 * A segment lands on the first choice, in the order of the plan, whose qualifier fits, that does not go back and whose repeats
 * are not used up; then on the first of those whose repeats are; then on the first orphan (parent missing), then on the first
 * one whatever its order. A body that is gone back in goes on from there.
 * Levels of X12 (HL) that fit in several places go into the one whose level HL02 names, where that is open.
 * A loop of X12 begins with one segment of its own. A group of HL7 begins with any segment that may come first in it: such a segment
 * has a node within the group, taken while the group has not come further, and a node that starts a new instance (plan.h: trigger). */
#ifndef SHUNT_WALK_H
#define SHUNT_WALK_H

#include "engine/base/plan.h"

enum {
    SHUNT_WALK_DEPTH = 16,
    SHUNT_WALK_CACHE_BITS = 8,
    SHUNT_WALK_CACHE = 1 << SHUNT_WALK_CACHE_BITS, /* segment ids whose place among the ids of the guide is kept */
    SHUNT_WALK_STEP_BITS = 9,
    SHUNT_WALK_STEPS = 1 << SHUNT_WALK_STEP_BITS, /* steps that are remembered, at most */
};

/* What came next after a step: the same bytes lead to the same step again, without looking for it. */
typedef struct shunt_walk_guess {
    uint64_t head, mask; /* bytes that a segment begins with, the first one lowest: id, key and what separates them */
    uint32_t learned;    /* `learned` of the walk when it was made: for another one it says nothing */
    uint16_t step;       /* that the segment then takes */
} shunt_walk_guess;

enum { SHUNT_WALK_GUESSES = 2 };

/* A step that was taken before. From one node the same id with the same qualifier leads to the same node for as long as its
 * repeats last: which loops are open and how far their bodies have come follows from the node where the walk stands. What is asked
 * for each segment comes first. */
typedef struct shunt_walk_step {
    shunt_walk_guess next[SHUNT_WALK_GUESSES]; /* the last one first */
    uint32_t         most;                     /* repeats in a row, UINT32_MAX = no limit */
    uint32_t         again;                    /* all bits set where the node follows itself, none otherwise */
    uint16_t         elements;                 /* at most; UINT16_MAX and all composites where the guide says nothing */
    uint16_t         node;
    bool             moves;  /* it leaves or enters a loop */
    bool             wanted; /* it moves, or the plan demands something of the segment */
    uint8_t          use;    /* the reader's own */
    uint64_t         composites;
    uint64_t         id, key; /* id 0: none */
    uint16_t         from;    /* node where the walk stood */
    uint16_t         position;
    uint16_t         leave;
    uint16_t         depth;              /* open loops when all that end are left */
    uint16_t         enter;              /* the loop that the node starts, SHUNT_NONE = none; no other one begins */
    uint16_t         start;              /* how far its body has come with it */
    uint8_t          element, component; /* place of the key */
    uint64_t         spare[3];           /* fill it up, so that finding a step takes a shift */
} shunt_walk_step;
_Static_assert(sizeof(shunt_walk_step) == 128, "a power of two");

/* Where the qualifier of a segment stands. It depends on the id alone wherever that is enough, so that a processor can read it
 * before it knows where the walk stands. */
typedef struct shunt_walk_place {
    uint64_t id;                 /* 0: none */
    uint8_t  element, component; /* element 0: nothing is asked, the id stands for it */
} shunt_walk_place;

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
    bool                    plain;  /* every loop that began by its trigger stands where the plan has the loop */
    bool                    levels; /* an HL may fit in several places: its parent decides, and no step of it is remembered */
    uint64_t                level[SHUNT_WALK_DEPTH]; /* then HL01 of the loop at this depth, if an HL began it */
    shunt_walk_place        places[SHUNT_WALK_CACHE];
    shunt_walk_step         steps[SHUNT_WALK_STEPS + 1];
    uint16_t                last;    /* step that was taken last, SHUNT_WALK_STEPS: the last segment was looked for in the plan */
    uint32_t                learned; /* counts changes of `steps`, from 1 */
} shunt_walk;

typedef struct shunt_landing {
    uint16_t node;        /* SHUNT_NONE: not in this guide, nothing else is set */
    uint16_t leave;       /* loops that end, innermost first */
    uint16_t enter_count; /* loops that begin, outermost first */
    uint16_t enter[SHUNT_WALK_DEPTH];
    bool     out_of_order, orphan, too_many; /* faults: X12_ORDER, X12_MISSING_PARENT, X12_REPEATS */
    bool     sure; /* the node before, id and qualifier led here, and repeats that were used up had no part in it */
} shunt_landing;

void shunt_walk_begin(shunt_walk *walk, const shunt_plan *plan, uint16_t guide);
/* The same for a walk that began before, was zeroed or copied: what it remembers of the guide stays. */
void shunt_walk_again(shunt_walk *walk, const shunt_plan *plan, uint16_t guide);
/* Finds where the segment belongs and moves there. The loops that end are those of walk->loops before the call, from the
 * innermost outwards. */
void shunt_walk_segment(shunt_walk *walk, const shunt_segment *segment, const shunt_delims *delims, shunt_landing *landing);
/* Remembers how `segment`, which has an id and no line ends, has just landed from the node `from`, if it would land so again: the
 * step, NULL where it is not remembered. Steps that were taken before need few instructions: walk_step.h. */
shunt_walk_step *shunt_walk_learn(shunt_walk *walk, uint16_t from, const shunt_segment *segment, const shunt_delims *delims,
                                  const shunt_landing *landing);
/* Other separators are in force: what begins with the same bytes is no longer the same. */
void             shunt_walk_separators(shunt_walk *walk);

#endif
