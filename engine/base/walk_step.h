/* walk_step.h - steps of a walk that were taken before, found and taken again: the same landing as by shunt_walk_segment in a few
 * instructions. Inline; for readers, which call it for each segment. */
#ifndef SHUNT_WALK_STEP_H
#define SHUNT_WALK_STEP_H

#include "engine/base/segment.h"
#include "engine/base/walk.h"

/* Ids and qualifiers differ in their highest bytes, which only the highest bits of a product depend on. */
static inline uint64_t shunt_walk_mix(uint64_t id) { return id * UINT64_C(0x9e3779b97f4a7c15); }

static inline size_t shunt_walk_place_slot(uint64_t id) { return (size_t)(shunt_walk_mix(id) >> (64 - SHUNT_WALK_CACHE_BITS)); }

/* A step stands at this slot or at the one beside it (slot ^ 1).
 * The node comes last: the rest is worked out while the step before is still being taken. */
static inline size_t shunt_walk_slot(uint64_t id, uint64_t key, uint16_t from)
{
    uint64_t mixed = shunt_walk_mix(id) + key * UINT64_C(0xc2b2ae3d27d4eb4f);
    return (size_t)(mixed >> (64 - SHUNT_WALK_STEP_BITS)) ^ from % SHUNT_WALK_STEPS;
}

/* The number that this repeat of the node, or this instance of its loop, would have in a row. */
static inline uint32_t shunt_walk_repeat(const shunt_walk *walk, const shunt_walk_step *step)
{
    if (step->enter == SHUNT_NONE) return walk->last_node == step->node ? walk->last_repeats + 1 : 1;
    return step->depth <= walk->depth && walk->loops[step->depth] == step->enter ? walk->repeats[step->depth] + 1 : 1;
}

static inline bool shunt_walk_fits(const shunt_walk_step *step, const shunt_walk_place *place, uint64_t key, uint16_t from)
{
    return step->id == place->id && step->key == key && step->from == from && step->element == place->element &&
           step->component == place->component;
}

/* The remembered step that a segment takes from here, and which repeat it would be; NULL = none is remembered, or it would be a
 * fault. `place` is that of its id, `key` what stands there. Changes nothing. */
static inline const shunt_walk_step *shunt_walk_find(const shunt_walk *walk, const shunt_walk_place *place, uint64_t key,
                                                     uint32_t *repeat)
{
    uint16_t               from = walk->last_node;
    size_t                 slot = shunt_walk_slot(place->id, key, from);
    const shunt_walk_step *step = &walk->steps[slot];
    if (!shunt_walk_fits(step, place, key, from)) {
        step = &walk->steps[slot ^ 1];
        if (!shunt_walk_fits(step, place, key, from)) return NULL;
    }
    *repeat = shunt_walk_repeat(walk, step);
    return SHUNT_LIKELY(!step->max || *repeat <= step->max) ? step : NULL;
}

/* The same for a segment that begins as one did that came after the same step before; NULL = none did. */
static inline const shunt_walk_step *shunt_walk_guessed(const shunt_walk *walk, uint64_t head, uint32_t *repeat)
{
    if (SHUNT_UNLIKELY(walk->last == SHUNT_NONE)) return NULL;
    const shunt_walk_guess *guess = walk->steps[walk->last].next;
    if ((head & guess->mask) != guess->head || guess->learned != walk->learned) {
        guess++;
        if ((head & guess->mask) != guess->head || guess->learned != walk->learned) return NULL;
    }
    const shunt_walk_step *step = &walk->steps[guess->step];
    *repeat = shunt_walk_repeat(walk, step);
    return SHUNT_LIKELY(!step->max || *repeat <= step->max) ? step : NULL;
}

/* Remembers that a segment which begins with these bytes takes the step after the one that was taken last: its id and key, and the
 * separators behind both. Before it is taken. */
static inline void shunt_walk_note(shunt_walk *walk, const shunt_walk_step *step, uint64_t head, unsigned bytes)
{
    if (walk->last == SHUNT_NONE) return;
    shunt_walk_guess *next = walk->steps[walk->last].next;
    uint64_t          mask = bytes < 8 ? ((uint64_t)1 << 8 * bytes) - 1 : UINT64_MAX;
    next[1] = next[0];
    next[0] = (shunt_walk_guess){ head & mask, mask, walk->learned, (uint16_t)(step - walk->steps) };
}

/* Moves there. */
static inline void shunt_walk_take(shunt_walk *walk, const shunt_walk_step *step, uint32_t repeat)
{
    unsigned depth = step->depth;
    walk->last = (uint16_t)(step - walk->steps);
    walk->positions[depth - 1] = step->position;
    walk->last_node = step->node;
    walk->last_repeats = repeat;
    if (step->enter != SHUNT_NONE) {
        walk->loops[depth] = step->enter;
        walk->repeats[depth] = repeat;
        walk->positions[depth] = step->start;
        if (++depth < SHUNT_WALK_DEPTH) walk->loops[depth] = SHUNT_NONE;
    }
    walk->depth = (uint16_t)depth;
}

#endif
