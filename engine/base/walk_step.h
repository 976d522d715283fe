/* walk_step.h - steps of a walk that were taken before, found and taken again: the same landing as by shunt_walk_segment in a few
 * instructions. Inline; for readers, which call it for each segment. */
#ifndef SHUNT_WALK_STEP_H
#define SHUNT_WALK_STEP_H

#include "engine/base/segment.h"
#include "engine/base/walk.h"

static inline size_t shunt_walk_slot(uint64_t id, uint16_t from, uint64_t key)
{
    return (size_t)((((id ^ from) * UINT64_C(0x9e3779b97f4a7c15)) ^ key * UINT64_C(0xc2b2ae3d27d4eb4f)) >> 32) % SHUNT_WALK_STEPS;
}

/* The number that this repeat of the node, or this instance of its loop, would have in a row. */
static inline uint32_t shunt_walk_repeat(const shunt_walk *walk, const shunt_walk_step *step)
{
    if (step->enter == SHUNT_NONE) return walk->last_node == step->node ? walk->last_repeats + 1 : 1;
    return step->depth <= walk->depth && walk->loops[step->depth] == step->enter ? walk->repeats[step->depth] + 1 : 1;
}

/* The remembered step that a segment with an id and without line ends takes from here; NULL = none is, or it would be a fault.
 * Changes nothing. */
static inline const shunt_walk_step *shunt_walk_find(const shunt_walk *walk, const shunt_segment *segment,
                                                     const shunt_delims *delims)
{
    const shunt_walk_place *place = &walk->places[shunt_walk_slot(segment->id, walk->last_node, 0)];
    if (SHUNT_UNLIKELY(place->id != segment->id || place->from != walk->last_node)) return NULL;
    uint64_t key = place->element ? shunt_segment_pack_value(segment, delims, place->element, place->component) : 0;
    const shunt_walk_step *step = &walk->steps[shunt_walk_slot(segment->id, walk->last_node, key)];
    if (SHUNT_UNLIKELY(step->id != segment->id || step->from != walk->last_node || step->key != key)) return NULL;
    return SHUNT_LIKELY(!step->max || shunt_walk_repeat(walk, step) <= step->max) ? step : NULL;
}

/* Moves there. */
static inline void shunt_walk_take(shunt_walk *walk, const shunt_walk_step *step)
{
    uint32_t repeat = shunt_walk_repeat(walk, step);
    unsigned depth = step->depth;
    walk->positions[depth - 1] = step->position;
    walk->last_node = step->node;
    walk->last_repeats = repeat;
    if (step->enter != SHUNT_NONE) {
        walk->loops[depth] = step->enter;
        walk->repeats[depth] = repeat;
        walk->positions[depth] = 0;
        if (++depth < SHUNT_WALK_DEPTH) walk->loops[depth] = SHUNT_NONE;
    }
    walk->depth = (uint16_t)depth;
}

#endif
