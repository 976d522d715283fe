/* walk_step.h - steps of a walk that were taken before, found and taken again: the same landing as by shunt_walk_segment in a few
 * instructions. Inline; for readers, which call it for each segment: guessed or found, repeat, move where it moves; rest when they are done. */
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

static inline bool shunt_walk_fits(const shunt_walk_step *step, const shunt_walk_place *place, uint64_t key, uint16_t from)
{
    return step->id == place->id && step->key == key && step->from == from && step->element == place->element &&
           step->component == place->component;
}

/* The remembered step that a segment takes from here, if its repeats last; NULL = none is remembered. `place` is that of its id,
 * `key` what stands there. Changes nothing. */
static inline const shunt_walk_step *shunt_walk_find(const shunt_walk *walk, const shunt_walk_place *place, uint64_t key)
{
    uint16_t               from = walk->last_node;
    size_t                 slot = shunt_walk_slot(place->id, key, from);
    const shunt_walk_step *step = &walk->steps[slot];
    if (shunt_walk_fits(step, place, key, from)) return step;
    step = &walk->steps[slot ^ 1];
    return shunt_walk_fits(step, place, key, from) ? step : NULL;
}

/* The same for a segment that begins as one did that came after the same step before; NULL = none did. */
static SHUNT_INLINE const shunt_walk_step *shunt_walk_guessed(const shunt_walk *walk, const shunt_walk_step *last, uint64_t head)
{
    const shunt_walk_guess *guess = last->next;
    if ((head & guess->mask) != guess->head || guess->learned != walk->learned) {
        guess++;
        if ((head & guess->mask) != guess->head || guess->learned != walk->learned) return NULL;
    }
    return &walk->steps[guess->step];
}

/* Remembers that a segment which begins with these bytes takes the step after the one that was taken last: its id and key, and the
 * separators behind both. Before it is taken. */
static inline void shunt_walk_note(shunt_walk *walk, const shunt_walk_step *step, uint64_t head, unsigned bytes)
{
    if (walk->last == SHUNT_WALK_STEPS) return;
    shunt_walk_guess *next = walk->steps[walk->last].next;
    uint64_t          mask = bytes < 8 ? ((uint64_t)1 << 8 * bytes) - 1 : UINT64_MAX;
    next[1] = next[0];
    next[0] = (shunt_walk_guess){ head & mask, mask, walk->learned, (uint16_t)(step - walk->steps) };
}

/* The number that this repeat of the node, or this instance of its loop, has in a row; a fault where it is more than `step->most`.
 * `repeats`: that of the step before. */
static SHUNT_INLINE uint32_t shunt_walk_repeat(const shunt_walk *walk, const shunt_walk_step *step, uint32_t repeats)
{
    if (SHUNT_LIKELY(!step->moves) || step->enter == SHUNT_NONE) return (repeats & step->again) + 1;
    return step->depth <= walk->depth && walk->loops[step->depth] == step->enter ? walk->repeats[step->depth] + 1 : 1;
}

/* Moves there, where loops end or begin with it; all else is left to shunt_walk_rest, since of many steps in a row the last one alone
 * tells where the walk stands. */
static SHUNT_INLINE void shunt_walk_move(shunt_walk *walk, const shunt_walk_step *step, uint32_t repeat)
{
    unsigned depth = step->depth;
    walk->positions[depth - 1] = step->position;
    if (step->enter != SHUNT_NONE) {
        walk->loops[depth] = step->enter;
        walk->repeats[depth] = repeat;
        walk->positions[depth] = step->start;
        if (++depth < SHUNT_WALK_DEPTH) walk->loops[depth] = SHUNT_NONE;
    }
    walk->depth = (uint16_t)depth;
}

/* `step` was taken last, so many times in a row. */
static inline void shunt_walk_rest(shunt_walk *walk, const shunt_walk_step *step, uint32_t repeats)
{
    walk->last = (uint16_t)(step - walk->steps);
    if (walk->last == SHUNT_WALK_STEPS) return;
    if (!step->moves) walk->positions[step->depth - 1] = step->position;
    walk->last_node = step->node;
    walk->last_repeats = repeats;
}

/* One step by itself. */
static inline void shunt_walk_take(shunt_walk *walk, const shunt_walk_step *step, uint32_t repeat)
{
    if (step->moves) shunt_walk_move(walk, step, repeat);
    shunt_walk_rest(walk, step, repeat);
}

#endif
